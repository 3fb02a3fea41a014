"""The gateway's firewall policy admits this fleet's Front Door only, and drains the stamp on request."""

from __future__ import annotations

from typing import Any

import pulumi
import pytest
from pydantic import ValidationError

from stamps.app_gateway_waf import AppGatewayWaf, AppGatewayWafArgs
from tests.unit.pulumi_mocks import deploy
from tests.unit.stamps.edge_arguments import both_modes, waf


def policy(preview: bool = False, **changes: object) -> dict[str, Any]:
    """Return the inputs of the policy."""

    def program() -> None:
        AppGatewayWaf("waf", AppGatewayWafArgs(**waf(**changes)))

    made = deploy(program, preview)
    return made.one("azure-native:network:WebApplicationFirewallPolicy").inputs


def condition(rule: dict[str, Any]) -> dict[str, Any]:
    """Return the only condition of a rule."""
    assert (rule["action"], rule["ruleType"], rule["state"]) == ("Block", "MatchRule", "Enabled")
    (only,) = rule["matchConditions"]
    return dict(only)


@both_modes
def test_requests_of_another_front_door_are_refused(preview: bool) -> None:
    """One rule for a missing header, one for another id; both ids are compared in lower case."""
    missing, other = policy(preview)["customRules"]
    header = [{"variableName": "RequestHeaders", "selector": "X-Azure-FDID"}]
    assert condition(missing) == {
        "matchVariables": header,
        "operator": "Any",
        "negationConditon": True,
        "matchValues": [],
    }
    assert condition(other) == {
        "matchVariables": header,
        "operator": "Equal",
        "negationConditon": True,
        "transforms": ["Lowercase"],
        "matchValues": ["77777777-abcd-1111-2222-333333333333"],
    }


def test_the_front_door_id_may_be_an_output() -> None:
    """A caller may only know it later."""

    def program() -> None:
        AppGatewayWaf("waf", AppGatewayWafArgs(**waf(front_door_id=pulumi.Output.from_input("ABC"))))

    rules = deploy(program).one("azure-native:network:WebApplicationFirewallPolicy").inputs["customRules"]
    assert condition(rules[1])["matchValues"] == ["abc"]


@both_modes
def test_a_drained_stamp_fails_front_doors_probe_only(preview: bool) -> None:
    """The rule matches exactly the probe's path."""
    before, drained = policy(preview)["customRules"], policy(preview, drained=True)["customRules"]
    assert drained[:-1] == before
    assert condition(drained[-1]) == {
        "matchVariables": [{"variableName": "RequestUri"}],
        "operator": "Equal",
        "negationConditon": False,
        "transforms": ["Lowercase"],
        "matchValues": ["/healthz/region"],
    }


def test_priorities_are_distinct_and_in_azures_range() -> None:
    """1 to 100, the lowest first."""
    priorities = [rule["priority"] for rule in policy(drained=True)["customRules"]]
    assert priorities == sorted(set(priorities))
    assert all(1 <= priority <= 100 for priority in priorities)


@pytest.mark.parametrize("mode", ["Prevention", "Detection"])
def test_the_mode_is_the_stamps(mode: str) -> None:
    """Detection is for a first look at false alarms."""
    settings = policy(mode=mode)["policySettings"]
    assert (settings["mode"], settings["state"]) == (mode, "Enabled")


def test_bodies_are_inspected_up_to_a_limit() -> None:
    """Larger ones are refused."""
    settings = policy()["policySettings"]
    assert settings["requestBodyCheck"] is True
    assert settings["requestBodyEnforcement"] is True
    assert settings["maxRequestBodySizeInKb"] == settings["requestBodyInspectLimitInKB"] == 128


def test_microsofts_rules_are_on_without_exclusions() -> None:
    """Default rules and bot manager."""
    rules = policy()["managedRules"]
    assert [(each["ruleSetType"], each["ruleSetVersion"]) for each in rules["managedRuleSets"]] == [
        ("Microsoft_DefaultRuleSet", "2.1"),
        ("Microsoft_BotManagerRuleSet", "1.1"),
    ]
    assert not rules.get("exclusions")


def test_a_drain_in_detection_mode_is_refused() -> None:
    """It would block nothing, and the operator would wait in vain."""
    with pytest.raises(ValidationError, match="drained only with wafMode Prevention"):
        AppGatewayWafArgs(**waf(mode="Detection", drained=True))
