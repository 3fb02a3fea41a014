"""The hub's network gives each Azure service the subnet that it demands."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any

import pulumi
import pytest

from stamps.hub_network import HubNetwork, HubNetworkArgs
from tests.unit.pulumi_mocks import RecordingMocks, deploy
from tests.unit.stamps.network_fixtures import NAMING, TAGS, WORKSPACE_ID, address_plan, by_name, inputs_of


def _made(_: HubNetwork) -> None: ...


def _hub() -> HubNetwork:
    return HubNetwork(
        "hub",
        HubNetworkArgs(
            naming=NAMING,
            location="eastus2",
            plan=address_plan(),
            resource_group_name="rg-hub",
            workspace_id=WORKSPACE_ID,
            tags=TAGS,
        ),
    )


@pytest.fixture(params=[False, True], ids=["update", "preview"])
def mocks(request: pytest.FixtureRequest) -> RecordingMocks:
    """Return what a deployment of the hub asked Azure for."""
    return deploy(lambda: _made(_hub()), preview=request.param)


def test_subnets_have_the_names_and_sizes_that_azure_demands(mocks: RecordingMocks) -> None:
    """Firewall and Bastion need /26 or larger, a gateway /27, and none may leave by default outbound access."""
    subnets = by_name(inputs_of(mocks, "network:VirtualNetwork", "hub-vnet")["subnets"])
    assert set(subnets) == {"AzureFirewallSubnet", "AzureBastionSubnet", "GatewaySubnet"}
    for name, smallest in (("AzureFirewallSubnet", 26), ("AzureBastionSubnet", 26), ("GatewaySubnet", 27)):
        assert ip_network(subnets[name]["addressPrefix"]).prefixlen <= smallest
        assert subnets[name]["defaultOutboundAccess"] is False


def test_only_the_bastion_subnet_has_a_security_group_and_none_a_route_table(mocks: RecordingMocks) -> None:
    """Azure refuses a group on the firewall's subnet; a group or a default route breaks a gateway."""
    subnets = by_name(inputs_of(mocks, "network:VirtualNetwork", "hub-vnet")["subnets"])
    assert {name for name, subnet in subnets.items() if "networkSecurityGroup" in subnet} == {"AzureBastionSubnet"}
    assert not any("routeTable" in subnet for subnet in subnets.values())


def test_the_bastion_subnet_has_every_documented_rule(mocks: RecordingMocks) -> None:
    """Azure refuses a Bastion host when one of the rules is missing."""
    rules = inputs_of(mocks, "network:NetworkSecurityGroup", "hub-bastion-nsg")["securityRules"]
    found = {
        (
            rule["direction"],
            rule["access"],
            rule["sourceAddressPrefix"],
            rule["destinationAddressPrefix"],
            ",".join(rule.get("destinationPortRanges", [])) or rule["destinationPortRange"],
        )
        for rule in rules
    }
    assert found == {
        ("Inbound", "Allow", "Internet", "*", "443"),
        ("Inbound", "Allow", "GatewayManager", "*", "443"),
        ("Inbound", "Allow", "AzureLoadBalancer", "*", "443"),
        ("Inbound", "Allow", "VirtualNetwork", "VirtualNetwork", "8080,5701"),
        ("Inbound", "Deny", "*", "*", "*"),
        ("Outbound", "Allow", "*", "VirtualNetwork", "22"),
        ("Outbound", "Allow", "*", "VirtualNetwork", "3389"),
        ("Outbound", "Allow", "*", "AzureCloud", "443"),
        ("Outbound", "Allow", "VirtualNetwork", "VirtualNetwork", "8080,5701"),
        ("Outbound", "Allow", "*", "Internet", "80"),
        ("Outbound", "Deny", "*", "*", "*"),
    }


def test_network_and_group_send_their_diagnostics_to_the_network_workspace(mocks: RecordingMocks) -> None:
    """A group knows logs only: Azure refuses metrics of it."""
    group = inputs_of(mocks, "monitor:DiagnosticSetting", "hub-bastion-nsg-diagnostics")
    assert group["workspaceId"] == WORKSPACE_ID
    assert not group.get("metrics")
    assert inputs_of(mocks, "monitor:DiagnosticSetting", "hub-vnet-diagnostics")["workspaceId"] == WORKSPACE_ID


def test_the_firewall_subnet_id_is_a_child_of_the_network() -> None:
    """Inline subnets have no resource of their own to ask."""

    def program() -> pulumi.Output[Any]:
        hub = _hub()
        return pulumi.Output.all(hub.virtual_network_id, hub.firewall_subnet_id)

    network_id, subnet_id = deploy(program).result
    assert subnet_id == f"{network_id}/subnets/AzureFirewallSubnet"
