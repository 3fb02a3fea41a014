"""The time line of a run, and the shortest time that Azure's own order allows."""

from __future__ import annotations

import pytest

from simulator.faults import Operation
from simulator.latency import seconds_for
from simulator.operation_log import OperationLog
from simulator.ordering import Ordering
from simulator.timeline import last_timeline, lower_bound, report
from tests.unit.simulator.conftest import READER, Azure


def log(azure: Azure, *rows: tuple[str, str, float, float]) -> None:
    """Log creations as (name, id, begin, end) in one session."""
    book = OperationLog(azure.store)
    for name, resource_id, begun, ended in rows:
        urn = f"urn:pulumi:eastus2::p::azure-native:network:RouteTable::{name}"
        operation = Operation("create", "azure-native:network:RouteTable", urn, resource_id)
        book.add(operation, begun, begun, ended, "succeeded")


def test_the_critical_path_is_the_chain_that_decided_the_makespan(azure: Azure) -> None:
    """The long side chain that ended early plays no part."""
    log(azure, ("group", "/g", 0, 1), ("side", "/s", 1, 8), ("first", "/f", 1, 5), ("second", "/h", 5, 10))
    timeline = last_timeline(azure.store)
    assert timeline.makespan == 10
    names = [item.operation.urn.rsplit("::", 1)[1] for item in timeline.critical_path()]
    assert names == ["group", "first", "second"]
    assert "makespan 10 s" in report(azure.store, timeline)


def test_only_the_last_run_is_told(azure: Azure) -> None:
    """Every server is a session of its own, and its clock goes on where the last one ended."""
    log(azure, ("old", "/o", 0, 5))
    log(azure, ("new", "/n", 5, 7))
    assert [item.operation.resource_id for item in last_timeline(azure.store).operations] == ["/n"]
    assert OperationLog(azure.store).last_end() == 7


def test_azure_forces_parents_references_and_principals_first(azure: Azure) -> None:
    """Nothing of that is told by the program: ids, ids in inputs, and the principal of a role assignment."""
    network = azure.network("v", "10.0.0.0/16", {"name": "a", "addressPrefix": "10.0.0.0/24"})
    endpoint = azure.make(
        "network:PrivateEndpoint", privateEndpointName="e", location="eastus2", subnet={"id": f"{network}/subnets/a"}
    )[0]
    identity, principal = azure.identity("i")
    role = azure.assign(network, principal, READER)
    waits = Ordering(azure.store, [azure.group, network, endpoint, identity, role]).forced()
    assert waits[network.lower()] == {azure.group.lower()}
    assert waits[endpoint.lower()] == {azure.group.lower(), network.lower()}
    assert waits[role.lower()] == {network.lower(), identity.lower()}


def test_the_lower_bound_is_the_longest_chain(azure: Azure) -> None:
    """Group, network, endpoint; the route table runs beside it."""
    network = azure.network("v", "10.0.0.0/16", {"name": "a", "addressPrefix": "10.0.0.0/24"})
    endpoint = azure.make(
        "network:PrivateEndpoint", privateEndpointName="e", location="eastus2", subnet={"id": f"{network}/subnets/a"}
    )[0]
    table = azure.make("network:RouteTable", routeTableName="t", location="eastus2")[0]
    bound = Ordering(azure.store, [azure.group, network, endpoint, table]).lower_bound()
    types = ("resources:ResourceGroup", "network:VirtualNetwork", "network:PrivateEndpoint")
    assert bound.chain == (azure.group, network, endpoint)
    assert bound.seconds == pytest.approx(sum(seconds_for(token, "create") for token in types))


def test_writes_that_go_one_at_a_time_add_up_in_the_lower_bound(azure: Azure) -> None:
    """Thirty subnets of one network cannot be faster than their sum, however wide the graph."""
    network = azure.network("v", "10.0.0.0/16")
    subnets = [
        azure.make("network:Subnet", virtualNetworkName="v", subnetName=f"s{n}", addressPrefix=f"10.0.{n}.0/24")[0]
        for n in range(30)
    ]
    alone = seconds_for("network:Subnet", "create")
    bound = Ordering(azure.store, [network, *subnets]).lower_bound()
    assert bound.seconds == pytest.approx(seconds_for("network:VirtualNetwork", "create") + 30 * alone)


def test_what_goes_one_at_a_time_delays_what_waits_for_all_of_it(azure: Azure) -> None:
    """A firewall follows its policy's rule groups, and these follow those of the policy that it inherits from."""
    base = azure.make("network:FirewallPolicy", firewallPolicyName="base", location="eastus2")[0]
    child = azure.make(
        "network:FirewallPolicy", firewallPolicyName="child", location="eastus2", basePolicy={"id": base}
    )[0]
    groups = [
        azure.make(
            "network:FirewallPolicyRuleCollectionGroup",
            firewallPolicyName=policy,
            ruleCollectionGroupName="rules",
            priority=200,
            ruleCollections=[],
        )[0]
        for policy in ("base", "child")
    ]
    network = azure.network("v", "10.0.0.0/16", {"name": "AzureFirewallSubnet", "addressPrefix": "10.0.0.0/26"})
    address = azure.make(
        "network:PublicIPAddress",
        publicIpAddressName="a",
        location="eastus2",
        sku={"name": "Standard"},
        publicIPAllocationMethod="Static",
    )[0]
    subnet = {"id": f"{network}/subnets/AzureFirewallSubnet"}
    firewall = azure.make(
        "network:AzureFirewall",
        azureFirewallName="f",
        location="eastus2",
        sku={"name": "AZFW_VNet", "tier": "Standard"},
        firewallPolicy={"id": child},
        ipConfigurations=[{"name": "c", "subnet": subnet, "publicIPAddress": {"id": address}}],
    )[0]
    bound = Ordering(azure.store, [base, child, *groups, firewall, network, address]).lower_bound()
    policy, rules = (seconds_for(f"network:{kind}", "create") for kind in (
        "FirewallPolicy", "FirewallPolicyRuleCollectionGroup"
    ))  # fmt: skip
    assert bound.seconds == pytest.approx(2 * policy + 2 * rules + seconds_for("network:AzureFirewall", "create"))


def test_a_time_line_without_creations_has_no_lower_bound(azure: Azure) -> None:
    """An empty cloud is told in words."""
    assert lower_bound(azure.store, last_timeline(azure.store)).seconds == 0
    assert "no write yet" in report(azure.store, last_timeline(azure.store))
