"""Changes behind the programs' back, and changes that take effect late."""

from __future__ import annotations

import asyncio

import pytest

from simulator.clock import VirtualClock
from simulator.faults import Operation
from simulator.operations import Operations
from simulator.outside_changes import OutsideChangeError, delete, scale_pool, set_property
from simulator.propagation import Propagation, edge_report
from tests.unit.simulator.conftest import Azure

ORIGIN = "azure-native:cdn:AFDOrigin"


def origin_id(azure: Azure) -> str:
    """Make a profile with an origin group and return the id that its origin will have."""
    azure.make("cdn:Profile", profileName="p", location="Global", sku={"name": "Premium_AzureFrontDoor"})
    group = azure.make(
        "cdn:AFDOriginGroup",
        profileName="p",
        originGroupName="g",
        loadBalancingSettings={"sampleSize": 4, "successfulSamplesRequired": 3},
    )[0]
    return f"{group}/origins/o"


def test_an_origin_reaches_the_edge_twenty_minutes_after_azure_said_so_and_leaves_as_late(azure: Azure) -> None:
    """In between the edge serves what was there before."""
    resource_id = origin_id(azure)
    clock = VirtualClock(quiet=0.01)
    operations = Operations(azure.store, clock)
    inputs = {
        "resourceGroupName": "rg", "profileName": "p", "originGroupName": "g", "originName": "o",
        "hostName": "a.example.com", "enabledState": "Enabled", "priority": 1, "weight": 500,
    }  # fmt: skip
    urn = f"urn:pulumi:eastus2::p::{ORIGIN}::o"

    async def create() -> None:
        await operations.run(
            Operation("create", ORIGIN, urn, resource_id), "", lambda: azure.cloud.create(ORIGIN, inputs)
        )

    async def disable() -> None:
        changed = {**inputs, "weight": 1}
        await operations.run(
            Operation("update", ORIGIN, urn, resource_id),
            "",
            lambda: azure.cloud.update(ORIGIN, resource_id, changed),
        )

    asyncio.run(create())
    made = clock.now()
    edge = Propagation(azure.store)
    assert edge.effective(resource_id, made + 1199) is None
    served = edge.effective(resource_id, made + 1200)
    assert served is not None
    assert served["weight"] == 500
    asyncio.run(clock.sleep(3000))
    asyncio.run(disable())
    (origin,) = edge.origins(clock.now() + 60)
    assert origin.configured is not None
    assert origin.at_the_edge is not None
    assert (origin.configured["weight"], origin.at_the_edge["weight"]) == (1, 500)
    (origin,) = edge.origins(clock.now() + 60, delay=60)
    assert origin.at_the_edge is not None
    assert origin.at_the_edge["weight"] == 1
    assert "weight 1, a.example.com; at the edge Enabled, priority 1, weight 500" in edge_report(
        azure.store, clock.now()
    )


def test_a_property_changed_by_hand_is_what_a_refresh_reads(azure: Azure) -> None:
    """Inputs and outputs both, at any depth; None takes a property away."""
    rule = {"name": "a", "access": "Allow", "direction": "Inbound", "priority": 100, "protocol": "Tcp"}
    ports = {"sourcePortRange": "*", "destinationPortRange": "443"}
    prefixes = {"sourceAddressPrefix": "*", "destinationAddressPrefix": "*"}
    group = azure.make(
        "network:NetworkSecurityGroup",
        networkSecurityGroupName="n",
        location="eastus2",
        securityRules=[{**rule, **ports, **prefixes}],
        tags={"a": "1"},
    )[0]
    set_property(azure.store, group, "securityRules[0].access", "Deny")
    set_property(azure.store, group, "tags.a", None)
    stored = azure.cloud.read(group)
    assert stored is not None
    assert stored.inputs["securityRules"][0]["access"] == "Deny"
    assert stored.outputs["tags"] == {}
    with pytest.raises(OutsideChangeError, match="leads nowhere at 7"):
        set_property(azure.store, group, "securityRules[7].access", "Deny")
    with pytest.raises(OutsideChangeError, match="no resource"):
        set_property(azure.store, group + "x", "tags.a", "1")


def test_a_deletion_by_hand_takes_what_lies_below(azure: Azure) -> None:
    """Nobody is asked."""
    network = azure.network("v", "10.0.0.0/16")
    subnet = azure.make("network:Subnet", virtualNetworkName="v", subnetName="s", addressPrefix="10.0.0.0/24")[0]
    delete(azure.store, network)
    assert azure.cloud.read(network) is None
    assert azure.cloud.read(subnet) is None


def test_the_autoscaler_stays_within_the_limits_of_a_pool_that_scales(azure: Azure) -> None:
    """Inline pools and pools of their own; a pool without an autoscaler keeps its count."""
    with azure.store.transaction():
        cluster = f"{azure.group}/providers/Microsoft.ContainerService/managedClusters/c"
        scaled = {"enableAutoScaling": True, "minCount": 3, "maxCount": 6, "count": 3}
        pools = [{"name": "system", **scaled}, {"name": "fixed", "enableAutoScaling": False, "count": 2}]
        values = {"agentPoolProfiles": pools}
        azure.store.put(
            cluster, "microsoft.containerservice/managedclusters", "containerservice:ManagedCluster", values, values,
            [], set(),
        )  # fmt: skip
        azure.store.put(
            f"{cluster}/agentPools/user", "microsoft.containerservice/managedclusters/agentpools",
            "containerservice:AgentPool", dict(scaled), dict(scaled), [], set(),
        )  # fmt: skip
    scale_pool(azure.store, cluster, "system", 5)
    scale_pool(azure.store, cluster, "user", 6)
    stored, own = azure.cloud.read(cluster), azure.cloud.read(f"{cluster}/agentPools/user")
    assert stored is not None
    assert own is not None
    assert stored.outputs["agentPoolProfiles"][0]["count"] == 5
    assert own.outputs["count"] == 6
    for pool, count, reason in (("system", 7, "between 3 and 6"), ("fixed", 3, "no autoscaler"), ("x", 1, "no pool")):
        with pytest.raises(OutsideChangeError, match=reason):
            scale_pool(azure.store, cluster, pool, count)
