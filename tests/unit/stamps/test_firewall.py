"""The firewall: rules by host name only, made in the order Azure demands, below the organisation's base rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi
import pytest

from shared.outputs import FirewallContract
from stamps.egress_rules import GroupPriority
from stamps.firewall import LOG_CATEGORIES, Firewall, FirewallArgs
from tests.unit.pulumi_mocks import RecordingMocks, deploy
from tests.unit.stamps.network_fixtures import (
    ADDRESSES,
    NAMING,
    REGIONAL,
    TAGS,
    WORKSPACE_ID,
    ZONES,
    address_plan,
    by_name,
    inputs_of,
    names_of,
)

BASE_POLICY_ID = (
    "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/shared"
    "/providers/Microsoft.Network/firewallPolicies/base"
)
SHARED = FirewallContract(
    inheritance="shared",
    sku="Premium",
    allowed_fqdns=(),
    base_policy_id=BASE_POLICY_ID,
    base_policy_location="centralus",
)


def _firewall(**changes: object) -> Firewall:
    arguments: dict[str, Any] = {
        "naming": NAMING,
        "location": "eastus2",
        "plan": address_plan(),
        "zones": ZONES,
        "resource_group_name": "rg-hub",
        "subnet_id": "/subscriptions/s/subnets/AzureFirewallSubnet",
        "workspace_id": WORKSPACE_ID,
        "base": REGIONAL,
        "own_allowed_fqdns": ("api.partner.example.com",),
        "git_host": "github.com",
        "tags": TAGS,
    }
    return Firewall("egress", FirewallArgs(**(arguments | changes)))


def _deployed(preview: bool = False, **changes: object) -> RecordingMocks:
    def program() -> None:
        _firewall(**changes)

    return deploy(program, preview)


@pytest.fixture(params=[False, True], ids=["update", "preview"])
def mocks(request: pytest.FixtureRequest) -> RecordingMocks:
    """Return what a deployment of the firewall asked Azure for."""
    return _deployed(request.param)


def _collections(mocks: RecordingMocks) -> Mapping[str, dict[str, Any]]:
    group = inputs_of(mocks, "network:FirewallPolicyRuleCollectionGroup", "egress-application-rules")
    return by_name(group["ruleCollections"])


def _hosts(mocks: RecordingMocks) -> set[str]:
    rules = [rule for collection in _collections(mocks).values() for rule in collection["rules"]]
    return {host for rule in rules for host in rule["targetFqdns"]}


def test_the_child_policy_is_in_the_stamps_region_below_its_own_base() -> None:
    """Regional inheritance: no other region's control plane can freeze this stamp's rules."""
    mocks = _deployed()
    policy = inputs_of(mocks, "network:FirewallPolicy", "egress-policy")
    assert policy["location"] == "eastus2"
    (base,) = [each for each in mocks.of_type("azure-native:network:FirewallPolicy") if each.name != "egress-policy"]
    assert base.inputs["location"] == "eastus2"
    assert mocks.depends_on(mocks.named("egress-policy"), base)
    assert base.inputs["firewallPolicyName"] != policy["firewallPolicyName"]


def test_the_child_of_a_shared_base_lies_in_the_bases_region() -> None:
    """Azure looks for a base policy in the child's region only, and refuses a cheaper or more lenient child."""
    mocks = _deployed(base=SHARED)
    assert names_of(mocks, "network:FirewallPolicy") == ["egress-policy"]
    policy = inputs_of(mocks, "network:FirewallPolicy", "egress-policy")
    assert policy["location"] == "centralus"
    assert policy["basePolicy"]["id"] == BASE_POLICY_ID
    assert policy["sku"]["tier"] == "Premium"
    assert policy["threatIntelMode"] == policy["intrusionDetection"]["mode"] == "Deny"
    assert inputs_of(mocks, "network:AzureFirewall", "egress-firewall")["location"] == "eastus2"


def test_a_contract_without_the_shared_base_is_refused_with_what_to_do() -> None:
    """A stamp cannot guess the base policy."""
    with pytest.raises(ValueError, match="names no base policy"):
        _deployed(base=FirewallContract(inheritance="shared", sku="Standard", allowed_fqdns=()))


def test_rule_groups_go_into_the_policy_one_at_a_time_before_the_firewall(mocks: RecordingMocks) -> None:
    """Azure takes one write at a time to a policy; a firewall without its rules would refuse the first nodes."""
    dnat, network_rules, application = (
        mocks.named(f"egress-{role}-rules") for role in ("dnat", "network", "application")
    )
    assert [each.inputs["priority"] for each in (dnat, network_rules, application)] == list(GroupPriority)
    assert network_rules.dependencies >= {dnat.urn}
    assert application.dependencies >= {network_rules.urn}
    firewall = mocks.named("egress-firewall")
    assert firewall.dependencies >= {dnat.urn, network_rules.urn, application.urn}
    assert firewall.error_hooks
    assert application.error_hooks


def test_there_is_no_network_rule(mocks: RecordingMocks) -> None:
    """A network rule is read before every application rule, so a broad one would make the host names moot."""
    for role in ("dnat", "network"):
        group = inputs_of(mocks, "network:FirewallPolicyRuleCollectionGroup", f"egress-{role}-rules")
        assert not group.get("ruleCollections")
    assert "AzureCloud" not in repr(mocks.of_type("azure-native:network:FirewallPolicyRuleCollectionGroup")[-1].inputs)


def test_everything_that_aks_and_its_add_ons_need_is_allowed(mocks: RecordingMocks) -> None:
    """One missing host loses logs without a word, or keeps nodes from joining."""
    assert _hosts(mocks) >= {
        "mcr.microsoft.com",
        "*.data.mcr.microsoft.com",
        "packages.aks.azure.com",
        "packages.microsoft.com",
        "login.microsoftonline.com",
        "management.azure.com",
        "*.ods.opinsights.azure.com",
        "*.oms.opinsights.azure.com",
        "*.ingest.monitor.azure.com",
        "*.metrics.ingest.monitor.azure.com",
        "*.handler.control.monitor.azure.com",
        "*.monitoring.azure.com",
        "dc.services.visualstudio.com",
        "data.policy.core.windows.net",
        "store.policy.core.windows.net",
        "eastus2.dp.kubernetesconfiguration.azure.com",
        "github.com",
        "api.partner.example.com",
    }
    assert _collections(mocks)["aks"]["rules"][0]["fqdnTags"] == ["AzureKubernetesService"]


def test_rules_reach_azure_in_its_own_spelling_for_nodes_and_https_only(mocks: RecordingMocks) -> None:
    """Nested rules are a union that the SDK cannot tell apart: wrong classes would send snake_case keys."""
    for collection in _collections(mocks).values():
        assert collection["ruleCollectionType"] == "FirewallPolicyFilterRuleCollection"
        assert collection["action"] == {"type": "Allow"}
        for rule in collection["rules"]:
            assert rule["ruleType"] == "ApplicationRule"
            assert rule["sourceAddresses"] == ["10.243.0.0/22"]
            assert rule["protocols"] == [{"protocolType": "Https", "port": 443}]
            assert not any("_" in key for key in rule)


def test_a_stamp_without_hosts_of_its_own_has_no_collection_for_them() -> None:
    """Azure refuses a rule without a destination; another Git host brings no GitHub."""
    mocks = _deployed(own_allowed_fqdns=(), git_host="dev.azure.com")
    assert set(_collections(mocks)) == {"aks", "flux"}
    assert "dev.azure.com" in _hosts(mocks)
    assert not _hosts(mocks) & {"github.com", "api.github.com"}


def test_each_public_address_is_zonal_and_the_first_alone_names_the_subnet(mocks: RecordingMocks) -> None:
    """Azure wants the subnet on the first configuration and refuses it on the others."""
    addresses = [each.inputs for each in mocks.of_type("azure-native:network:PublicIPAddress")]
    assert len(addresses) == 3
    for address in addresses:
        assert address["zones"] == ["1", "2", "3"]
        assert (address["publicIPAllocationMethod"], address["sku"]["name"]) == ("Static", "Standard")
    firewall = inputs_of(mocks, "network:AzureFirewall", "egress-firewall")
    assert firewall["zones"] == ["1", "2", "3"]
    assert firewall["threatIntelMode"] == "Deny"
    assert ["subnet" in each for each in firewall["ipConfigurations"]] == [True, False, False]


def test_a_region_without_zones_gets_neither_zone_on_addresses_nor_on_the_firewall() -> None:
    """Azure refuses zones there; the property has to be absent."""
    mocks = _deployed(zones=(), public_ip_count=1)
    assert names_of(mocks, "network:PublicIPAddress") == ["egress-address-00"]
    assert "zones" not in inputs_of(mocks, "network:PublicIPAddress", "egress-address-00")
    assert "zones" not in inputs_of(mocks, "network:AzureFirewall", "egress-firewall")


def test_logs_go_to_one_table_for_each_category(mocks: RecordingMocks) -> None:
    """Without `Dedicated` Azure would write everything into one table of untyped text."""
    setting = inputs_of(mocks, "monitor:DiagnosticSetting", "egress-diagnostics")
    assert setting["logAnalyticsDestinationType"] == "Dedicated"
    assert tuple(log["category"] for log in setting["logs"]) == LOG_CATEGORIES


def test_the_public_addresses_are_known_after_the_update() -> None:
    """Partners allow-list them."""

    def program() -> pulumi.Output[Any]:
        return pulumi.Output.from_input(_firewall().public_addresses)

    assert deploy(program, answers=ADDRESSES).result == ["203.0.113.7"] * 3
