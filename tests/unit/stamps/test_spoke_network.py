"""The spoke's network closes every subnet and sends the nodes' traffic through the firewall."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi
import pytest

from stamps.spoke_network import SpokeNetwork, SpokeNetworkArgs
from tests.unit.pulumi_mocks import RecordingMocks, deploy
from tests.unit.stamps.network_fixtures import (
    ADDRESSES,
    NAMING,
    TAGS,
    WORKSPACE_ID,
    ZONES,
    address_plan,
    by_name,
    inputs_of,
    names_of,
)


def _spoke(zones: tuple[str, ...] = ZONES, api_server: str = "vnetIntegration") -> SpokeNetwork:
    return SpokeNetwork(
        "spoke",
        SpokeNetworkArgs(
            naming=NAMING,
            location="eastus2",
            plan=address_plan(),
            zones=zones,
            resource_group_name="rg-spoke",
            workspace_id=WORKSPACE_ID,
            api_server=api_server,
            tags=TAGS,
        ),
    )


def _deployed(
    preview: bool = False, zones: tuple[str, ...] = ZONES, api_server: str = "vnetIntegration"
) -> RecordingMocks:
    return deploy(lambda: _made(_spoke(zones, api_server)), preview=preview)


def _made(_: SpokeNetwork) -> None: ...


@pytest.fixture(params=[False, True], ids=["update", "preview"])
def mocks(request: pytest.FixtureRequest) -> RecordingMocks:
    """Return what a deployment of the spoke asked Azure for."""
    return _deployed(preview=request.param)


def _subnets(mocks: RecordingMocks) -> Mapping[str, dict[str, Any]]:
    return by_name(inputs_of(mocks, "network:VirtualNetwork", "spoke-vnet")["subnets"])


def _rules(mocks: RecordingMocks, role: str) -> Mapping[str, dict[str, Any]]:
    return by_name(inputs_of(mocks, "network:NetworkSecurityGroup", f"spoke-{role}-nsg")["securityRules"])


def test_every_subnet_has_a_group_and_no_way_out_that_azure_adds(mocks: RecordingMocks) -> None:
    """Five subnets, the API server's among them, each stating what Azure would otherwise decide."""
    subnets = _subnets(mocks)
    assert set(subnets) == {"snet-nodes", "snet-ingress", "snet-gateway", "snet-private-endpoints", "snet-apiserver"}
    for subnet in subnets.values():
        assert "networkSecurityGroup" in subnet
        assert subnet["defaultOutboundAccess"] is False
        assert "privateEndpointNetworkPolicies" in subnet


def test_the_default_route_leads_to_the_firewalls_first_usable_address(mocks: RecordingMocks) -> None:
    """The address is computed, so a preview shows it and the spoke does not wait for the firewall."""
    (route,) = inputs_of(mocks, "network:RouteTable", "spoke-routes")["routes"]
    assert route["addressPrefix"] == "0.0.0.0/0"
    assert route["nextHopType"] == "VirtualAppliance"
    assert route["nextHopIpAddress"] == "10.200.3.4"


def test_gateway_and_api_server_subnets_have_no_route_table(mocks: RecordingMocks) -> None:
    """Azure does not support a default route to an appliance under a WAF_v2 gateway."""
    routed = {name for name, subnet in _subnets(mocks).items() if "routeTable" in subnet}
    assert routed == {"snet-nodes", "snet-ingress"}


def test_the_group_of_private_endpoints_counts(mocks: RecordingMocks) -> None:
    """Azure ignores a group on private endpoints unless their subnet turns it on."""
    subnet = _subnets(mocks)["snet-private-endpoints"]
    assert subnet["privateEndpointNetworkPolicies"] == "NetworkSecurityGroupEnabled"
    (client,) = [rule for rule in _rules(mocks, "private-endpoints").values() if rule["access"] == "Allow"]
    assert client["sourceAddressPrefixes"] == ["10.243.0.0/22", "10.243.5.0/24"]
    assert client["destinationPortRange"] == "443"


@pytest.mark.parametrize("role", ["nodes", "ingress", "gateway", "private-endpoints", "apiserver"])
def test_every_group_denies_what_it_does_not_list_after_all_allow_rules(mocks: RecordingMocks, role: str) -> None:
    """Priorities are distinct in each direction, the deny is the last one."""
    inbound = [rule for rule in _rules(mocks, role).values() if rule["direction"] == "Inbound"]
    priorities = [rule["priority"] for rule in inbound]
    assert len(set(priorities)) == len(priorities)
    last = max(inbound, key=lambda rule: rule["priority"])
    assert (last["access"], last["protocol"], last["sourceAddressPrefix"]) == ("Deny", "*", "*")
    assert not [rule for rule in inbound if rule["access"] == "Allow" and rule.get("sourceAddressPrefix") == "*"]


def test_the_gateway_takes_front_door_and_azures_own_management_only(mocks: RecordingMocks) -> None:
    """Azure refuses a gateway without the management rules; only Front Door's service tag reaches 443."""
    allowed = {
        (rule["sourceAddressPrefix"], rule["destinationPortRange"])
        for rule in _rules(mocks, "gateway").values()
        if rule["direction"] == "Inbound" and rule["access"] == "Allow"
    }
    assert allowed == {
        ("AzureFrontDoor.Backend", "443"),
        ("GatewayManager", "65200-65535"),
        ("AzureLoadBalancer", "*"),
    }


def test_nothing_that_leaves_the_gateway_is_denied(mocks: RecordingMocks) -> None:
    """A gateway that cannot reach the Internet stops being managed."""
    outbound = [rule for rule in _rules(mocks, "gateway").values() if rule["direction"] == "Outbound"]
    assert [rule["access"] for rule in outbound] == ["Allow"]


def test_overlay_pods_reach_each_other_across_nodes(mocks: RecordingMocks) -> None:
    """Overlay traffic is not encapsulated: the group sees pod addresses, which no service tag covers."""
    rule = _rules(mocks, "nodes")["AllowClusterInbound"]
    assert rule["sourceAddressPrefixes"] == rule["destinationAddressPrefixes"] == ["10.243.0.0/22", "10.64.0.0/16"]
    assert rule["protocol"] == rule["destinationPortRange"] == "*"


def test_only_the_gateway_and_health_probes_reach_the_ingress(mocks: RecordingMocks) -> None:
    """The ingress load balancer's address is no way around the gateway's WAF."""
    allowed = [rule for rule in _rules(mocks, "ingress").values() if rule["access"] == "Allow"]
    assert [rule["sourceAddressPrefix"] for rule in allowed] == ["10.243.5.0/24", "AzureLoadBalancer"]


def test_nodes_reach_the_api_server_on_both_of_its_ports(mocks: RecordingMocks) -> None:
    """The subnet is delegated to AKS; its group lets nodes in on 443 and 4443, and health probes."""
    assert _subnets(mocks)["snet-apiserver"]["delegations"][0]["serviceName"] == (
        "Microsoft.ContainerService/managedClusters"
    )
    rules = _rules(mocks, "apiserver")
    assert rules["AllowClusterInbound"]["destinationPortRanges"] == ["443", "4443"]
    assert rules["AllowHealthProbesInbound"]["sourceAddressPrefix"] == "AzureLoadBalancer"


def test_without_vnet_integration_there_is_no_api_server_subnet() -> None:
    """With a private link the API server lies outside the spoke: no subnet, no group, no rule names it."""
    seen: list[SpokeNetwork] = []
    mocks = deploy(lambda: seen.append(_spoke(api_server="privateLink")))
    assert seen[0].api_server_subnet_id is None
    assert "snet-apiserver" not in _subnets(mocks)
    assert "spoke-apiserver-nsg" not in names_of(mocks, "network:NetworkSecurityGroup")
    assert "AllowApiServerInbound" not in _rules(mocks, "nodes")


def test_the_gateways_address_is_static_zonal_and_named(mocks: RecordingMocks) -> None:
    """Front Door's origin and the public DNS record stand on it."""
    address = inputs_of(mocks, "network:PublicIPAddress", "spoke-gateway-address")
    assert address["publicIPAllocationMethod"] == "Static"
    assert address["sku"]["name"] == "Standard"
    assert address["zones"] == ["1", "2", "3"]
    assert address["dnsSettings"]["domainNameLabel"].startswith("gateway-eastus2-")


def test_a_region_without_zones_gets_an_address_without_zones() -> None:
    """Azure refuses an empty list of zones; the property has to be absent."""
    assert "zones" not in inputs_of(_deployed(zones=()), "network:PublicIPAddress", "spoke-gateway-address")


def test_subnet_ids_and_host_name_are_known_to_other_components() -> None:
    """Ids of inline children derive from the network, the host name from the DNS label."""

    def program() -> pulumi.Output[Any]:
        spoke = _spoke()
        return pulumi.Output.all(
            spoke.nodes_subnet_id, spoke.api_server_subnet_id, spoke.gateway_fqdn, spoke.gateway_public_ip_address
        )

    nodes, api_server, host_name, address = deploy(program, answers=ADDRESSES).result
    assert nodes.endswith("/subnets/snet-nodes")
    assert api_server.endswith("/subnets/snet-apiserver")
    assert host_name.startswith("gateway-eastus2-")
    assert host_name.endswith(".eastus2.cloudapp.azure.com")
    assert address == "203.0.113.7"


def test_network_groups_and_address_send_diagnostics(mocks: RecordingMocks) -> None:
    """One setting for each of five groups, the network and the gateway's address."""
    assert len(names_of(mocks, "monitor:DiagnosticSetting")) == 7
