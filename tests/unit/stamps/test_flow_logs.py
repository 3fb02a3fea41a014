"""Flow logs of a stamp: under Azure's own watcher, into an account that nobody but Azure writes to."""

from __future__ import annotations

from typing import Any

import pytest

from stamps.config import NetworkWatcherSettings
from stamps.flow_logs import FlowLogs, FlowLogsArgs
from tests.unit.pulumi_mocks import RecordingMocks, deploy
from tests.unit.stamps.network_fixtures import NAMING, TAGS, WORKSPACE_ID, ZONES, inputs_of, names_of

# Azure takes a list of identities and answers with a map.
_AS_AZURE_ANSWERS = {
    "azure-native:network:FlowLog": {"identity": {"type": "UserAssigned", "userAssignedIdentities": {}}}
}


def _deployed(preview: bool = False, **changes: object) -> RecordingMocks:
    arguments: dict[str, Any] = {
        "naming": NAMING,
        "location": "eastus2",
        "zones": ZONES,
        "resource_group_name": "rg-hub",
        "virtual_network_ids": {"hub": "/subscriptions/s/hub", "spoke": "/subscriptions/s/spoke"},
        "workspace_id": WORKSPACE_ID,
        "workspace_location": "centralus",
        "network_watcher": NetworkWatcherSettings(),
        "tags": TAGS,
    }

    def program() -> None:
        FlowLogs("flows", FlowLogsArgs(**(arguments | changes)))

    return deploy(program, preview, answers=_AS_AZURE_ANSWERS)


@pytest.fixture(params=[False, True], ids=["update", "preview"])
def mocks(request: pytest.FixtureRequest) -> RecordingMocks:
    """Return what a deployment of the flow logs asked Azure for."""
    return _deployed(request.param)


def test_each_network_has_a_flow_log_under_the_regions_watcher(mocks: RecordingMocks) -> None:
    """Azure allows one watcher a region and subscription: it is named, never made."""
    for role in ("hub", "spoke"):
        log = inputs_of(mocks, "network:FlowLog", f"flows-{role}")
        assert log["networkWatcherName"] == "NetworkWatcher_eastus2"
        assert log["resourceGroupName"] == "NetworkWatcherRG"
        assert log["targetResourceId"] == f"/subscriptions/s/{role}"
        assert log["flowLogName"] == f"fl-bu0001a0042-eastus2-{role}"
        assert log["enabled"] is True
    assert not names_of(mocks, "network:NetworkWatcher")


def test_a_watcher_elsewhere_is_taken_from_the_stack_file() -> None:
    """Some organisations name and place the watcher themselves."""
    mocks = _deployed(network_watcher=NetworkWatcherSettings(resource_group="rg-net", name="watcher-eastus2"))
    log = inputs_of(mocks, "network:FlowLog", "flows-hub")
    assert (log["networkWatcherName"], log["resourceGroupName"]) == ("watcher-eastus2", "rg-net")


def test_flow_logs_come_one_after_the_other_and_wait_for_role_and_watcher(mocks: RecordingMocks) -> None:
    """The watcher takes one write at a time and may not exist yet; without the role nothing can be written."""
    hub, spoke, role = (mocks.named(f"flows-{name}") for name in ("hub", "spoke", "writes-blobs"))
    assert hub.dependencies >= {role.urn}
    assert spoke.dependencies >= {role.urn, hub.urn}
    assert hub.error_hooks
    assert spoke.error_hooks


def test_the_account_takes_no_key_and_nobody_but_azures_own_services(mocks: RecordingMocks) -> None:
    """Flow logs sign in with an identity that may write blobs in this account and do nothing else."""
    account = inputs_of(mocks, "storage:StorageAccount", "flows-account")
    assert account["allowSharedKeyAccess"] is False
    assert account["allowBlobPublicAccess"] is False
    assert account["allowCrossTenantReplication"] is False
    assert account["enableHttpsTrafficOnly"] is True
    assert account["minimumTlsVersion"] == "TLS1_2"
    assert account["networkRuleSet"]["defaultAction"] == "Deny"
    assert account["networkRuleSet"]["bypass"] == "AzureServices"
    role = inputs_of(mocks, "authorization:RoleAssignment", "flows-writes-blobs")
    assert role["roleDefinitionId"].endswith("ba92f5b4-2d11-453d-a403-e96b0029c9fe")
    assert inputs_of(mocks, "network:FlowLog", "flows-hub")["identity"]["type"] == "UserAssigned"


@pytest.mark.parametrize(("zones", "sku"), [(ZONES, "Standard_ZRS"), ((), "Standard_LRS")])
def test_the_account_is_zone_redundant_where_there_are_zones(zones: tuple[str, ...], sku: str) -> None:
    """Azure refuses ZRS in a region without zones."""
    assert inputs_of(_deployed(zones=zones), "storage:StorageAccount", "flows-account")["sku"]["name"] == sku


def test_the_account_alone_says_how_long_logs_live(mocks: RecordingMocks) -> None:
    """With a retention on the flow log Network Watcher would write into the same lifecycle policy."""
    (rule,) = inputs_of(mocks, "storage:ManagementPolicy", "flows-lifecycle")["policy"]["rules"]
    assert rule["definition"]["actions"]["baseBlob"]["delete"]["daysAfterModificationGreaterThan"] == 365
    assert rule["definition"]["filters"]["prefixMatch"] == ["insights-logs-flowlogflowevent/"]
    assert inputs_of(mocks, "network:FlowLog", "flows-hub")["retentionPolicy"]["enabled"] is False


def test_traffic_analytics_names_the_region_of_the_workspace(mocks: RecordingMocks) -> None:
    """Azure refuses a wrong region and takes 10 or 60 minutes only."""
    analytics = inputs_of(mocks, "network:FlowLog", "flows-spoke")["flowAnalyticsConfiguration"]
    assert analytics["networkWatcherFlowAnalyticsConfiguration"] == {
        "enabled": True,
        "workspaceResourceId": WORKSPACE_ID,
        "workspaceRegion": "centralus",
        "trafficAnalyticsInterval": 10,
    }


def test_the_account_reports_its_metrics_and_who_reads_or_deletes(mocks: RecordingMocks) -> None:
    """Storage knows `Transaction`, not `AllMetrics`; logging writes would log the writing of logs."""
    for name in ("flows-account-diagnostics", "flows-blob-diagnostics"):
        setting = inputs_of(mocks, "monitor:DiagnosticSetting", name)
        assert [metric["category"] for metric in setting["metrics"]] == ["Transaction"]
    logs = inputs_of(mocks, "monitor:DiagnosticSetting", "flows-blob-diagnostics")["logs"]
    assert [log["category"] for log in logs] == ["StorageRead", "StorageDelete"]
