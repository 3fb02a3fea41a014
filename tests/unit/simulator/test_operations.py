"""Latency, throttling, one write at a time, faults and the log of operations."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from typing import Any, TypeVar

import pytest

from simulator.azure_errors import AzureError
from simulator.clock import Clock, InstantClock, ScaledClock, VirtualClock, clock_for
from simulator.cloud_store import CloudStore
from simulator.faults import Fault, Faults, Operation
from simulator.latency import latencies, propagation_seconds, seconds_for
from simulator.operation_log import OperationLog
from simulator.operations import Operations, busy_key
from simulator.throttling import TokenBucket
from tests.unit.simulator.conftest import Azure

T = TypeVar("T")
SUBNET = "azure-native:network:Subnet"
FIREWALL = "azure-native:network:AzureFirewall"
PEER = "ipv4:127.0.0.1:1"


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end."""
    return asyncio.run(coroutine)


def operation(token: str = FIREWALL, kind: str = "create", name: str = "a") -> Operation:
    """Return an operation on a made-up resource."""
    resource_id = f"/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/azureFirewalls/{name}"
    return Operation(kind, token, f"urn:pulumi:eastus2::p::{token}::{name}", resource_id)


def write_subnets(azure: Azure, clock: Clock, count: int) -> list[str]:
    """Write subnets of one network at once; return ids and error codes."""
    azure.network("v", "10.0.0.0/16")
    operations = Operations(azure.store, clock)

    async def write(number: int) -> str:
        inputs = {
            "resourceGroupName": "rg",
            "virtualNetworkName": "v",
            "subnetName": f"s{number}",
            "addressPrefix": f"10.0.{number}.0/24",
        }
        asked = Operation("create", SUBNET, f"urn:pulumi:x::p::{SUBNET}::{number}", azure.cloud.id_of(SUBNET, inputs))
        try:
            return (await operations.run(asked, PEER, lambda: azure.cloud.create(SUBNET, inputs)))[0]
        except AzureError as error:
            return error.code

    async def write_all() -> list[str]:
        return list(await asyncio.gather(*(write(number) for number in range(count))))

    return run(write_all())


def test_parallel_writes_to_one_network_collide_when_azure_takes_time(azure: Azure) -> None:
    """Of twenty subnets at once some meet AnotherOperationInProgress: three tries are not enough for all."""
    results = write_subnets(azure, VirtualClock(quiet=0.01), 20)
    assert "AnotherOperationInProgress" in results
    assert any(item.endswith("/subnets/s0") for item in results)


def test_a_role_on_a_network_waits_for_nothing() -> None:
    """Extension resources belong to another provider; children and the network itself are one queue."""
    network = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/v"
    assert busy_key(network) == busy_key(f"{network}/subnets/a") == network.lower()
    assert busy_key(f"{network}/subnets/a/providers/Microsoft.Authorization/roleAssignments/r") is None
    assert busy_key("/subscriptions/s/resourceGroups/rg") is None


def test_a_pool_and_an_extension_of_one_cluster_follow_one_another() -> None:
    """An extension is an operation on the cluster; a maintenance window and a Flux configuration are not."""
    cluster = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.ContainerService/managedClusters/c"
    arc = f"{cluster}/providers/Microsoft.KubernetesConfiguration"
    assert busy_key(cluster) == busy_key(f"{cluster}/agentPools/p") == busy_key(f"{arc}/extensions/flux")
    assert busy_key(f"{cluster}/maintenanceConfigurations/m") is None
    assert busy_key(f"{arc}/fluxConfigurations/f") is None


def test_nothing_collides_when_nothing_takes_time(azure: Azure) -> None:
    """The instant clock answers each request before the next."""
    assert "AnotherOperationInProgress" not in write_subnets(azure, InstantClock(), 20)


def test_virtual_time_runs_operations_side_by_side_and_skips_the_waiting(azure: Azure) -> None:
    """Two firewalls at once take the time of one, in a fraction of a second on the wall."""
    clock = VirtualClock(quiet=0.01)
    operations = Operations(azure.store, clock)

    async def both() -> None:
        await asyncio.gather(*(operations.run(operation(name=name), PEER, lambda: None) for name in "ab"))

    before = time.monotonic()
    run(both())
    assert clock.now() == seconds_for(FIREWALL, "create")
    assert time.monotonic() - before < clock.now() / 10
    logged = OperationLog(azure.store).last_session()
    assert [(item.requested, item.ended) for item in logged] == [(0, clock.now())] * 2


def test_scaled_time_is_a_part_of_azures(azure: Azure) -> None:
    """With a factor of 0.001 a firewall's 485 s take at least 0.485 s, and the log tells Azure's seconds."""
    seconds = seconds_for(FIREWALL, "create")
    before = time.monotonic()
    run(Operations(azure.store, ScaledClock(0.001)).run(operation(), PEER, lambda: None))
    assert time.monotonic() - before >= seconds * 0.001
    (logged,) = OperationLog(azure.store).last_session()
    assert logged.ended - logged.begun >= seconds


def test_every_latency_has_a_source_and_a_positive_time() -> None:
    """The table is data with evidence, for every operation of every type."""
    table = latencies()
    for token, entry in {"default": table["default"], **table["types"]}.items():
        assert entry["source"], token
        assert all(entry[kind] > 0 for kind in ("create", "update", "delete")), token
    assert seconds_for("azure-native:nowhere:Unknown", "create") == table["default"]["create"]
    assert propagation_seconds("azure-native:cdn:AFDOrigin") > 0
    assert propagation_seconds("azure-native:network:RouteTable") == 0


def test_a_clock_option_that_is_none_of_the_three_is_refused() -> None:
    """Words, negative and absurd factors."""
    for text in ("fast", "-1", "1000"):
        with pytest.raises(ValueError, match=r".+"):
            clock_for(text)
    assert clock_for("0").instant


def test_requests_above_the_bucket_wait_for_their_turn() -> None:
    """Two at once from a bucket of one: the second is told when to come again."""
    bucket = TokenBucket(size=1, refill=10)
    assert bucket.take(now=0) == 0
    wait = bucket.take(now=0)
    assert wait >= 0.1
    assert bucket.take(now=wait) == 0


def test_a_burst_beyond_resource_managers_limit_takes_longer(azure: Azure) -> None:
    """500 writes at once: 200 are free, 150 pass in azure-native's three repetitions, the rest get 429."""
    clock = VirtualClock(quiet=0.005)
    operations = Operations(azure.store, clock)
    codes: list[str] = []

    async def write(number: int) -> None:
        asked = operation("azure-native:network:RouteTable", name=str(number))
        try:
            await operations.run(asked, PEER, lambda: None)
        except AzureError as error:
            codes.append(error.code)

    async def all_at_once() -> None:
        await asyncio.gather(*(write(number) for number in range(500)))

    run(all_at_once())
    logged = OperationLog(azure.store).last_session()
    assert sum(item.waited == 0 for item in logged) == 200
    assert set(codes) == {"SubscriptionRequestsThrottled"}
    assert sum(item.outcome == "succeeded" for item in logged) == 350
    assert clock.now() >= 15


def outcomes(store: CloudStore, *asked: Operation) -> list[str]:
    """Run operations one after the other and return what became of each."""
    operations = Operations(store, InstantClock())
    found = []
    for item in asked:
        try:
            run(operations.run(item, PEER, lambda: None))
            found.append("succeeded")
        except AzureError as error:
            found.append(error.code)
    return found


def test_a_fault_strikes_the_nth_operation_of_its_type_and_no_other(azure: Azure) -> None:
    """The second firewall fails; another type, and a delete, do not count."""
    Faults(azure.store).add(Fault("fail", "network:AzureFirewall", "create", nth=2))
    asked = [operation(), operation(kind="delete"), operation(SUBNET), operation(name="b"), operation(name="c")]
    assert outcomes(azure.store, *asked) == ["succeeded"] * 3 + ["InternalServerError"] + ["succeeded"]


def test_a_fault_on_every_operation_strikes_each_once_even_for_another_server(azure: Azure) -> None:
    """What was struck is kept in the cloud's file, so that the repeated run succeeds."""
    Faults(azure.store).add(Fault("fail", every=True))
    assert outcomes(azure.store, operation(), operation(name="b")) == ["InternalServerError"] * 2
    assert outcomes(azure.store, operation(), operation(name="b")) == ["succeeded"] * 2


def test_a_lost_answer_leaves_the_resource_in_the_cloud(azure: Azure) -> None:
    """Azure has finished, the engine gets an error, and the next create meets what exists."""
    Faults(azure.store).add(Fault("lose-answer"))
    operations = Operations(azure.store, InstantClock())
    inputs = {"resourceGroupName": "rg", "routeTableName": "t", "location": "eastus2"}
    token = "azure-native:network:RouteTable"  # noqa: S105 - the name of a type

    def create() -> Any:  # noqa: ANN401 - the outputs play no part
        return azure.cloud.create(token, inputs)

    with pytest.raises(AzureError, match="GatewayTimeout"):
        run(operations.run(operation(token), PEER, create))
    with pytest.raises(AzureError, match="already existing"):
        run(operations.run(operation(token), PEER, create))


def test_a_throttled_request_passes_after_azure_natives_own_repetitions_or_fails_with_429(azure: Azure) -> None:
    """Three refusals are hidden by the provider, a fourth is not."""
    faults = Faults(azure.store)
    faults.add(Fault("throttle", times=3))
    assert outcomes(azure.store, operation()) == ["succeeded"]
    faults.clear()
    faults.add(Fault("throttle", times=4))
    assert outcomes(azure.store, operation()) == ["SubscriptionRequestsThrottled"]


def test_cleared_faults_strike_nothing_and_armed_ones_tell_their_hits(azure: Azure) -> None:
    """What is shown is what was set."""
    faults = Faults(azure.store)
    faults.add(Fault("fail"))
    outcomes(azure.store, operation())
    assert faults.armed() == [(Fault("fail"), 1)]
    faults.clear()
    assert faults.armed() == []
    assert outcomes(azure.store, operation(name="b")) == ["succeeded"]
