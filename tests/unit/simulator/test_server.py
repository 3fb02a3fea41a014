"""The provider protocol, called on the servicer without an engine."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import grpc  # type: ignore[import-untyped]  # grpcio ships no types
import pytest
from pulumi.runtime.proto import provider_pb2

from simulator.operation_log import OperationLog
from simulator.protocol_values import UNKNOWN, Secret, from_struct, to_struct
from simulator.server import SimulatedProvider
from tests.unit.simulator.conftest import Azure

NETWORK = "urn:pulumi:one::project::component$azure-native:network:VirtualNetwork::hub"
SECRET = "urn:pulumi:one::project::azure-native:keyvault:Secret::certificate"  # noqa: S105 - the URN of a secret
INPUTS = {
    "resourceGroupName": "rg",
    "virtualNetworkName": "v",
    "location": "eastus2",
    "addressSpace": {"addressPrefixes": ["10.0.0.0/16"]},
}


class Refused(Exception):  # noqa: N818 - what a gRPC context does at abort
    """The servicer ended a call with an error."""


class Context:
    """The part of a gRPC context that the servicer uses."""

    async def abort(self, code: grpc.StatusCode, details: str) -> None:
        """End the call."""
        raise Refused(details)

    def peer(self) -> str:
        """Name the other end of the connection."""
        return "ipv4:127.0.0.1:1"


@pytest.fixture
def provider(azure: Azure) -> SimulatedProvider:
    """Give a servicer for the test's cloud."""
    return SimulatedProvider(azure.cloud)


def run(call: Coroutine[Any, Any, Any]) -> Any:  # noqa: ANN401 - a message of the protocol
    """Run one call of the servicer."""
    return asyncio.run(call)


def diff(provider: SimulatedProvider, old: dict[str, Any], new: dict[str, Any], urn: str = NETWORK) -> Any:  # noqa: ANN401 - a message of the protocol
    """Return the servicer's answer to a change of inputs."""
    request = provider_pb2.DiffRequest(id="/x", urn=urn, old_inputs=to_struct(old), news=to_struct(new))
    return run(provider.Diff(request, Context()))


def test_check_reports_failures_and_fills_in_a_name(provider: SimulatedProvider) -> None:
    """A name that the program leaves out is made once and kept."""
    news = {key: value for key, value in INPUTS.items() if key != "virtualNetworkName"}
    answer = run(
        provider.Check(provider_pb2.CheckRequest(urn=NETWORK, news=to_struct({**news, "subnet": []})), Context())
    )
    assert [item.property for item in answer.failures] == ["subnet"]
    name = from_struct(answer.inputs)["virtualNetworkName"]
    assert name.startswith("hub")
    again = provider_pb2.CheckRequest(urn=NETWORK, news=to_struct(news), olds=answer.inputs)
    assert from_struct(run(provider.Check(again, Context())).inputs)["virtualNetworkName"] == name


def test_diff_sees_no_change_in_the_spelling_of_a_location(provider: SimulatedProvider) -> None:
    """Azure treats East US 2 and eastus2 as one."""
    answer = diff(provider, INPUTS, {**INPUTS, "location": "East US 2"})
    assert answer.changes == provider_pb2.DiffResponse.DIFF_NONE


def test_diff_replaces_on_names_and_locations_before_creating(provider: SimulatedProvider) -> None:
    """Explicit names: the old one goes first."""
    answer = diff(provider, INPUTS, {**INPUTS, "location": "centralus"})
    assert list(answer.replaces) == ["location"]
    assert answer.deleteBeforeReplace
    answer = diff(provider, INPUTS, {**INPUTS, "virtualNetworkName": UNKNOWN})
    assert list(answer.replaces) == ["virtualNetworkName"]
    answer = diff(provider, INPUTS, {**INPUTS, "tags": {"a": "b"}})
    assert not answer.replaces
    assert list(answer.detailedDiff) == ["tags"]


def test_diff_replaces_a_cluster_on_its_network_plugin_only(provider: SimulatedProvider) -> None:
    """The rest of the network profile changes in place."""
    urn = "urn:pulumi:one::project::azure-native:containerservice:ManagedCluster::aks"
    old = {"networkProfile": {"networkPlugin": "azure", "loadBalancerSku": "standard"}}
    assert diff(
        provider, old, {"networkProfile": {"networkPlugin": "none", "loadBalancerSku": "standard"}}, urn
    ).replaces
    assert not diff(
        provider, old, {"networkProfile": {"networkPlugin": "azure", "loadBalancerSku": "basic"}}, urn
    ).replaces


def test_preview_echoes_inputs_and_leaves_the_rest_unknown(provider: SimulatedProvider) -> None:
    """Nothing is created; an update keeps name and location known."""
    request = provider_pb2.CreateRequest(urn=NETWORK, properties=to_struct(INPUTS), preview=True)
    outputs = from_struct(run(provider.Create(request, Context())).properties)
    assert outputs["provisioningState"] == UNKNOWN
    assert outputs["addressSpace"] == {"addressPrefixes": ["10.0.0.0/16"], "ipamPoolPrefixAllocations": UNKNOWN}
    update = provider_pb2.UpdateRequest(
        urn=NETWORK, id="/x", olds=to_struct({"name": "v"}), news=to_struct(INPUTS), preview=True
    )
    outputs = from_struct(run(provider.Update(update, Context())).properties)
    assert outputs["name"] == "v"
    assert outputs["etag"] == UNKNOWN


def test_read_answers_a_refresh_with_the_same_values_and_secrets(provider: SimulatedProvider, azure: Azure) -> None:
    """The value of a secret comes from the engine's own state; what is gone has no id."""
    vault = {"sku": {"family": "A", "name": "standard"}, "tenantId": "t"}
    azure.make("keyvault:Vault", vaultName="vault-1", location="eastus2", properties=vault)
    inputs = {
        "resourceGroupName": "rg",
        "vaultName": "vault-1",
        "secretName": "s",
        "properties": {"value": Secret("hidden")},
    }
    made = run(provider.Create(provider_pb2.CreateRequest(urn=SECRET, properties=to_struct(inputs)), Context()))
    request = provider_pb2.ReadRequest(id=made.id, urn=SECRET, properties=made.properties, inputs=to_struct(inputs))
    answer = run(provider.Read(request, Context()))
    assert from_struct(answer.inputs) == inputs
    assert answer.properties == made.properties
    other = {**inputs, "properties": {"value": Secret("other")}}
    changed = provider_pb2.ReadRequest(id=made.id, urn=SECRET, properties=made.properties, inputs=to_struct(other))
    assert from_struct(run(provider.Read(changed, Context())).inputs)["properties"]["value"] != Secret("other")
    assert run(provider.Read(provider_pb2.ReadRequest(id="/none", urn=SECRET), Context())).id == ""


def test_a_refusal_reaches_the_engine_in_azures_words(provider: SimulatedProvider) -> None:
    """Status, code and message, which error hooks match on."""
    request = provider_pb2.CreateRequest(urn=NETWORK, properties=to_struct({**INPUTS, "resourceGroupName": "none"}))
    with pytest.raises(Refused, match='Status=404 Code="ResourceGroupNotFound" Message='):
        run(provider.Create(request, Context()))


def test_the_log_names_a_resource_by_the_id_that_it_got(provider: SimulatedProvider, azure: Azure) -> None:
    """Entra draws an id at random, and the engine, the cloud and the log hold the same."""
    urn = "urn:pulumi:one::project::azuread:index/group:Group::g"
    properties = to_struct({"displayName": "g", "securityEnabled": True})
    made = run(provider.Create(provider_pb2.CreateRequest(urn=urn, properties=properties), Context()))
    (logged,) = OperationLog(azure.store).last_session()
    assert logged.operation.resource_id == made.id
    assert azure.cloud.read(made.id) is not None


def test_functions_say_who_is_calling_and_read_the_cloud(provider: SimulatedProvider, azure: Azure) -> None:
    """A function that is not simulated is refused in words."""

    def invoke(token: str, arguments: dict[str, Any]) -> Any:  # noqa: ANN401 - a message of the protocol
        return run(provider.Invoke(provider_pb2.InvokeRequest(tok=token, args=to_struct(arguments)), Context()))

    who = from_struct(getattr(invoke("azure-native:authorization:getClientConfig", {}), "return"))
    assert who["subscriptionId"] == azure.cloud.subscription
    network = azure.network("v", "10.0.0.0/16")
    found = getattr(
        invoke("azure-native:network:getVirtualNetwork", {"resourceGroupName": "rg", "virtualNetworkName": "v"}),
        "return",
    )
    assert from_struct(found)["id"] == network
    assert "NotSimulated" in invoke("azure-native:storage:listStorageAccountKeys", {}).failures[0].reason
