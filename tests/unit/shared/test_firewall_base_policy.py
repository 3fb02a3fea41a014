"""The base firewall policy, as the shared stack or a stamp makes it."""

from __future__ import annotations

from typing import Literal

import pulumi
import pytest

from foundation.naming import Naming
from shared.firewall_base_policy import FirewallBasePolicy, FirewallBasePolicyArgs
from tests.unit.pulumi_mocks import SUBSCRIPTION_ID, RecordingMocks, deploy

POLICY = "azure-native:network:FirewallPolicy"
GROUP = "azure-native:network:FirewallPolicyRuleCollectionGroup"


def _deploy(
    sku: Literal["Standard", "Premium"] = "Standard", fqdns: tuple[str, ...] = (), preview: bool = False
) -> RecordingMocks:
    def program() -> pulumi.Output[str]:
        naming = Naming(subscription_id=SUBSCRIPTION_ID, workload="bu0001a0042", scope="centralus")
        arguments = FirewallBasePolicyArgs(
            resource_group_name="rg-hub",
            location="centralus",
            naming=naming,
            sku=sku,
            allowed_fqdns=fqdns,
            tags={"owner": "team-a"},
        )
        return FirewallBasePolicy("base", arguments).id

    return deploy(program, preview)


@pytest.mark.parametrize("preview", [False, True])
def test_policy_denies_known_threats_in_its_stamps_region(preview: bool) -> None:
    """Threat intelligence blocks instead of warning, at the first preview as at an update."""
    inputs = _deploy(preview=preview).one(POLICY).inputs
    assert inputs["location"] == "centralus"
    assert inputs["firewallPolicyName"] == "afwp-bu0001a0042-centralus-base"
    assert inputs["threatIntelMode"] == "Deny"
    assert inputs["dnsSettings"] == {"enableProxy": True, "servers": []}
    assert inputs["tags"] == {"owner": "team-a"}


@pytest.mark.parametrize(("sku", "detection"), [("Standard", None), ("Premium", {"mode": "Deny"})])
def test_intrusion_detection_denies_where_the_tier_has_it(
    sku: Literal["Standard", "Premium"], detection: object
) -> None:
    """Only the Premium tier takes intrusion detection; Standard refuses the setting."""
    inputs = _deploy(sku).one(POLICY).inputs
    assert inputs["sku"] == {"tier": sku}
    assert inputs.get("intrusionDetection") == detection


def test_names_and_time_come_from_azure_only() -> None:
    """No rule leaves port 53 or 123 open to the whole internet, as the reference does."""
    (collection,) = _deploy().named("base-network-rules").inputs["ruleCollections"]
    assert collection["action"] == {"type": "Allow"}
    assert collection["ruleCollectionType"] == "FirewallPolicyFilterRuleCollection"
    rules = {rule["name"]: rule for rule in collection["rules"]}
    assert set(rules) == {"dns", "ntp"}
    assert rules["dns"]["destinationAddresses"] == ["168.63.129.16"]
    assert rules["dns"]["destinationPorts"] == ["53"]
    assert rules["ntp"]["ipProtocols"] == ["UDP"]
    assert all(rule["ruleType"] == "NetworkRule" and rule["sourceAddresses"] for rule in rules.values())
    assert all("*" not in rule["destinationAddresses"] for rule in rules.values())


def test_organisations_hosts_are_reached_by_https_only() -> None:
    """The configured host names become one application rule."""
    (collection,) = _deploy(fqdns=("*.contoso.com",)).named("base-application-rules").inputs["ruleCollections"]
    (rule,) = collection["rules"]
    assert rule["targetFqdns"] == ["*.contoso.com"]
    assert rule["protocols"] == [{"protocolType": "Https", "port": 443}]


def test_no_hosts_make_an_empty_application_group() -> None:
    """Azure refuses a rule without targets, so there is no rule."""
    assert _deploy().named("base-application-rules").inputs["ruleCollections"] == []


def test_groups_enter_the_policy_one_after_the_other() -> None:
    """Azure takes one rule collection group at a time into a policy."""
    record = _deploy()
    first, second = record.named("base-network-rules"), record.named("base-application-rules")
    assert (first.inputs["priority"], second.inputs["priority"]) == (200, 300)
    assert first.urn in second.dependencies
