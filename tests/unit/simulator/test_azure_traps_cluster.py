"""What keeps a first AKS deployment behind a firewall from working on Azure: the wrong form and the right one."""

from __future__ import annotations

import re
from typing import Any

import pytest

from simulator.azure_errors import AzureError
from simulator.behaviour import access
from tests.unit.simulator.conftest import Azure
from tests.unit.simulator.stamp_fragments import (
    DATA_PLANE,
    EGRESS,
    FIREWALL_ADDRESS,
    GIT_HOST,
    Region,
    application_rule,
    network_rule,
    security_rule,
    working_region,
)

AKS_TAG = ("AzureKubernetesService",)


def refused(text: str) -> Any:  # noqa: ANN401 - pytest's own context
    """Expect a refusal whose message holds a text."""
    return pytest.raises(AzureError, match=re.escape(text))


def test_trap_01_flux_does_not_reach_a_public_api_server_through_rules_by_name(azure: Azure) -> None:
    """Its pods use the address: nodes join, Flux fails, until a network rule opens the API server."""
    region = working_region(azure)
    region.cluster("public")
    with refused("SNI TLS extension was missing"):
        region.extension()
    region.rules(network_rule(destinationAddresses=["AzureCloud.eastus2"]), group="wide", priority=400)
    region.extension()
    region.flux()


@pytest.mark.parametrize("api", ["integrated", "link"])
def test_trap_01_a_private_api_server_needs_no_network_rule(azure: Azure, api: str) -> None:
    """In the delegated subnet or behind a private endpoint its address never meets the firewall."""
    region = working_region(azure)
    region.cluster(api)
    region.extension()
    region.flux()


def test_trap_01_a_network_rule_by_name_needs_the_firewall_as_dns_server(azure: Azure) -> None:
    """With Azure's resolver the firewall does not see the same addresses; with its own proxy it does."""
    region = working_region(azure, dns=(FIREWALL_ADDRESS,))
    host = region.azure.store.get(region.cluster("public"))
    assert host is not None
    region.rules(network_rule(destinationFqdns=[host.outputs["fqdn"]]), group="byname", priority=400)
    region.extension()


def test_trap_01_a_network_rule_by_name_is_nothing_without_it(azure: Azure) -> None:
    """The same rule while the spoke asks Azure's resolver."""
    region = working_region(azure)
    host = region.azure.store.get(region.cluster("public"))
    assert host is not None
    region.rules(network_rule(destinationFqdns=[host.outputs["fqdn"]]), group="byname", priority=400)
    with refused("SNI TLS extension was missing"):
        region.extension()


def test_trap_01_ranges_and_a_private_cluster_exclude_each_other(azure: Azure) -> None:
    """Authorized ranges are for a public API server."""
    region = working_region(azure)
    inputs = region.cluster_inputs("link")
    inputs["apiServerAccessProfile"]["authorizedIPRanges"] = ["203.0.113.0/24"]
    with refused("authorizedIPRanges cannot be used with a private cluster"):
        azure.make("containerservice:ManagedCluster", **inputs)
    region.cluster("link")


@pytest.mark.parametrize(
    ("prefix", "delegated", "told"),
    [("10.1.4.0/29", True, "must be /28 or larger"), ("10.1.4.0/28", False, "must be delegated to")],
)
def test_trap_01_the_api_servers_subnet_is_delegated_and_large_enough(
    azure: Azure, prefix: str, delegated: bool, told: str
) -> None:
    """Otherwise VNet integration does not start."""
    region = Region(azure).make_spoke(prefix, delegated=delegated).peer().firewall().roles("api", "nodes")
    with refused(told):
        region.cluster()


def test_trap_01_the_api_servers_subnet_holds_nothing_else(azure: Azure) -> None:
    """An endpoint there keeps the cluster out."""
    region = working_region(azure)
    vault = azure.make(
        "keyvault:Vault", vaultName="vault-1", properties={"sku": {"family": "A", "name": "standard"}, "tenantId": "t"}
    )[0]
    link = [{"name": "c", "privateLinkServiceId": vault, "groupIds": ["vault"]}]
    endpoint = azure.make(
        "network:PrivateEndpoint", privateEndpointName="pe", subnet={"id": region.subnet("api")},
        privateLinkServiceConnections=link,
    )[0]  # fmt: skip
    with refused("must hold nothing but the API server"):
        region.cluster()
    azure.drop("network:PrivateEndpoint", endpoint)
    region.cluster()


@pytest.mark.parametrize("missing", ["api", "nodes"])
def test_trap_01_the_cluster_identity_has_its_role_on_both_subnets_first(azure: Azure, missing: str) -> None:
    """The API server's and the nodes'."""
    region = Region(azure).make_spoke().peer().firewall()
    region.roles(*({"api", "nodes"} - {missing}))
    with refused("MissingNetworkPermissions"):
        region.cluster()
    region.roles(missing)
    region.cluster()


@pytest.mark.parametrize("open_port", ["443", "4443"])
def test_trap_01_a_closed_api_server_subnet_admits_both_ports_and_the_probes(azure: Azure, open_port: str) -> None:
    """One of the two ports alone fails the nodes with status 51."""
    region = Region(azure)
    region.security_group(
        "api",
        security_rule(100, "Allow", sourceAddressPrefix="10.1.0.0/24", destinationPortRange=open_port),
        security_rule(110, "Allow", sourceAddressPrefix="AzureLoadBalancer"),
        security_rule(4000, "Deny"),
    )
    region.make_spoke().peer().firewall().roles("api", "nodes")
    with refused("exit status=51"):
        region.cluster()


def test_trap_01_with_both_ports_and_the_probes_the_cluster_is_made(azure: Azure) -> None:
    """443 and 4443 from the nodes, everything from the load balancer, then the deny."""
    region = Region(azure)
    ports: dict[str, Any] = {"destinationPortRange": None, "destinationPortRanges": ["443", "4443"]}
    region.security_group(
        "api",
        security_rule(100, "Allow", sourceAddressPrefix="10.1.0.0/24", **ports),
        security_rule(110, "Allow", sourceAddressPrefix="AzureLoadBalancer"),
        security_rule(4000, "Deny"),
    )
    region.make_spoke().peer().firewall().roles("api", "nodes").cluster()


def test_trap_02_vnet_integration_is_never_turned_off_in_place(azure: Azure) -> None:
    """Neither off nor to another subnet; the way back is another cluster."""
    region = working_region(azure)
    cluster = region.cluster()
    inputs = {"resourceGroupName": "rg", **region.cluster_inputs("link")}
    with refused("cannot be disabled on an existing cluster"):
        azure.cloud.update("azure-native:containerservice:ManagedCluster", cluster, inputs)
    azure.drop("containerservice:ManagedCluster", cluster)
    region.cluster("link")


def test_trap_02_a_subnet_without_integration_is_a_contradiction(azure: Azure) -> None:
    """AKS wants the subnet empty then."""
    region = working_region(azure)
    inputs = region.cluster_inputs("link")
    inputs["apiServerAccessProfile"]["subnetId"] = region.subnet("api")
    with refused("ApiserverSubnetConfigError"):
        azure.make("containerservice:ManagedCluster", **inputs)


def test_trap_02_a_region_without_integration_takes_a_private_link(azure: Azure) -> None:
    """The other mode is the way there."""
    region = working_region(azure)
    place = {"location": "qatarcentral"}
    with refused("not available in the region"):
        region.cluster(**place)
    region.cluster("link", **place)


def test_trap_06_a_dns_server_in_the_hub_hides_the_api_server_behind_a_link(azure: Azure) -> None:
    """AKS links its own zone to the nodes' network only; with VNet integration nodes need no name."""
    region = working_region(azure, dns=(FIREWALL_ADDRESS,))
    with refused("exit status=52"):
        region.cluster("link")
    region.cluster()


def test_trap_19_nodes_need_their_hosts_before_the_cluster(azure: Azure) -> None:
    """Peering, firewall and rules: each one missing fails the nodes with status 50."""
    region = Region(azure).make_spoke().roles("api", "nodes")
    with refused("lies in no network that this one is peered with"):
        region.cluster()
    region.peer()
    with refused("there is no firewall at the next hop"):
        region.cluster()
    region.firewall(application_rule(*EGRESS))
    with refused("exit status=50. mcr.microsoft.com"):
        region.cluster()
    region.rules(application_rule(tags=AKS_TAG), group="aks", priority=200)
    region.cluster()


def test_trap_19_the_documented_hosts_serve_as_well_as_the_tag(azure: Azure) -> None:
    """Without the one for packages nodes do not start."""
    hosts = ["mcr.microsoft.com", "*.data.mcr.microsoft.com", "management.azure.com", "login.microsoftonline.com"]
    region = Region(azure).make_spoke().peer().firewall(application_rule(*hosts, *EGRESS)).roles("api", "nodes")
    with refused("packages.aks.azure.com"):
        region.cluster()
    region.rules(application_rule("packages.aks.azure.com"), group="packages", priority=400)
    region.cluster()


def test_trap_19_a_further_pool_needs_the_hosts_in_its_own_subnet(azure: Azure) -> None:
    """One whose security group closes the way out does not start."""
    region = working_region(azure)
    region.cluster()
    closed = azure.make(
        "network:NetworkSecurityGroup", networkSecurityGroupName="closed", location="eastus2",
        securityRules=[security_rule(4000, "Deny", "Outbound")],
    )[0]  # fmt: skip
    network = azure.network(
        "w", "10.2.0.0/16", {"name": "n", "addressPrefix": "10.2.0.0/24", "networkSecurityGroup": {"id": closed}}
    )
    with refused("exit status=50"):
        azure.make(
            "containerservice:AgentPool", resourceName="aks", agentPoolName="a", vnetSubnetID=f"{network}/subnets/n"
        )
    azure.make("containerservice:AgentPool", resourceName="aks", agentPoolName="b", vnetSubnetID=region.subnet("nodes"))


@pytest.mark.parametrize(
    ("missing", "told"), [(DATA_PLANE, "Error in the getting the Configurations"), (GIT_HOST, "unable to clone")]
)
def test_trap_19_extension_and_flux_need_their_hosts(azure: Azure, missing: str, told: str) -> None:
    """The extension its region's data plane, Flux the git server."""
    others = [host for host in EGRESS if host != missing]
    region = Region(azure).make_spoke().peer().firewall(application_rule(*others, tags=AKS_TAG))
    region.roles("api", "nodes", "ingress").cluster()
    with refused(told):
        region.extension()
        region.flux()


def test_trap_19_a_security_group_can_close_the_way_out_too(azure: Azure) -> None:
    """An outbound deny comes before the route."""
    region = Region(azure)
    region.security_group("nodes", security_rule(4000, "Deny", "Outbound"))
    region.make_spoke().peer().firewall().roles("api", "nodes")
    with refused("exit status=5"):
        region.cluster()


def test_trap_17_a_custom_zone_for_the_api_server_needs_a_role_of_its_own(azure: Azure) -> None:
    """Private DNS Zone Contributor, before the cluster."""
    region = working_region(azure)
    zone = azure.make("privatedns:PrivateZone", privateZoneName="x.privatelink.eastus2.azmk8s.io", location="global")[0]
    server = {"enablePrivateCluster": True, "privateDNSZone": zone}
    with refused("CustomPrivateDNSZoneMissingPermissionError"):
        region.cluster("link", apiServerAccessProfile=server)
    azure.assign(zone, region.principal, access.PRIVATE_DNS_ZONE_CONTRIBUTOR)
    region.cluster("link", apiServerAccessProfile=server)
