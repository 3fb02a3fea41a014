"""What was wrong in the public reference implementation, looked for in the shared services; docs/parity.md lists it."""

from __future__ import annotations

from typing import Any

from tests.unit.pulumi_mocks import RecordingMocks
from tests.unit.shared.shared_deployment import azure, deploy_shared


def _action_groups(value: object) -> list[str]:
    """Return every action group that a rule names, whichever form its type wants."""
    if isinstance(value, dict):
        return [found for each in value.values() for found in _action_groups(each)]
    if isinstance(value, list):
        return [found for each in value for found in _action_groups(each)]
    return [str(value)]


def test_every_alert_of_the_fleet_reaches_the_action_group(plain: RecordingMocks) -> None:
    """An alert that tells nobody is none."""
    alerts = [
        each for kind in ("MetricAlert", "ScheduledQueryRule") for each in plain.of_type(azure(f"monitor:{kind}"))
    ]
    alerts += plain.of_type(azure("monitor:ActivityLogAlert"))
    group = plain.one(azure("monitor:ActionGroup")).inputs["actionGroupName"]
    assert len(alerts) == 4
    for alert in alerts:
        (named,) = _action_groups(alert.inputs["actions"])
        assert named.endswith(f"/{group}"), alert.name


def test_names_may_be_asked_for_over_udp_and_tcp(full: RecordingMocks) -> None:
    """A large answer comes over TCP."""
    (collection,) = full.named("shared-firewall-base-policy-network-rules").inputs["ruleCollections"]
    (dns,) = [rule for rule in collection["rules"] if rule["name"] == "dns"]
    assert sorted(dns["ipProtocols"]) == ["TCP", "UDP"]


def test_no_solution_of_the_old_agent_is_made(full: RecordingMocks) -> None:
    """Data collection rules and diagnostic settings took the place of workspace solutions."""
    assert not [each.type for each in full.resources if "solution" in each.type.lower()]


def test_no_diagnostic_setting_keeps_a_retention_of_its_own(full: RecordingMocks) -> None:
    """How long logs live is said by the workspace."""
    settings = full.of_type(azure("monitor:DiagnosticSetting"))
    assert len(settings) == 2
    assert not [each.name for each in settings if "retentionPolicy" in repr(each.inputs)]


def test_no_person_is_made_and_no_password(full: RecordingMocks) -> None:
    """One group is all that the program makes in the directory."""
    in_directory = [each.type for each in full.resources if each.type.startswith("azuread:")]
    assert in_directory == ["azuread:index/group:Group"]
    assert not [each.name for each in full.resources if "password" in repr(each.inputs).lower()]


def test_the_registry_uses_nothing_that_is_in_preview_or_retired(plain: RecordingMocks) -> None:
    """Content trust and quarantine are off, searching by metadata is not asked for."""
    inputs: dict[str, Any] = plain.one(azure("containerregistry:Registry")).inputs
    assert inputs["policies"]["trustPolicy"]["status"] == "disabled"
    assert inputs["policies"]["quarantinePolicy"]["status"] == "disabled"
    assert "metadataSearch" not in inputs


def test_every_region_of_the_fleet_has_a_replica_however_many_there_are() -> None:
    """A third and a fourth region are one more line each."""
    regions = ["eastus2", "centralus", "westus3", "northeurope"]
    made = deploy_shared(regions=regions).of_type(azure("containerregistry:Replication"))
    assert [each.inputs["location"] for each in made] == regions[1:]
