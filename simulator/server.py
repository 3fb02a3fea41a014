"""The gRPC server that the engine attaches to: the provider protocol for ``azure-native`` and ``azuread``.

Translates between the engine's requests and ``AzureCloud``; knows no rule of Azure. One process and one port serve
both.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import re
import secrets
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any, Final, TypeAlias, TypeVar

import grpc  # type: ignore[import-untyped]  # grpcio ships no types
from google.protobuf import empty_pb2  # type: ignore[import-untyped]  # nor does protobuf
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc, plugin_pb2, provider_pb2, provider_pb2_grpc

from simulator import invokes
from simulator.azure_cloud import AzureCloud
from simulator.azure_errors import AzureError
from simulator.clock import Clock, InstantClock, clock_for
from simulator.cloud_store import CloudStore
from simulator.computed_outputs import preview_outputs
from simulator.faults import Operation
from simulator.immutability import changes
from simulator.input_check import check_inputs
from simulator.operation_log import OperationLog
from simulator.operations import Operations
from simulator.protocol_values import (
    Properties,
    Secret,
    Value,
    contains_unknown,
    from_struct,
    map_secrets,
    to_struct,
    unwrap,
)
from simulator.resource_ids import IdError, ResourceType

T = TypeVar("T")
Message: TypeAlias = Any
"""A message of the protocol; the generated classes carry no types that a checker can use here."""
_GUID_NAMED: Final = frozenset({"authorization:RoleAssignment", "authorization:RoleDefinition"})
_MAXIMUM_MESSAGE: Final = 400 * 1024 * 1024
_COLLECT_AFTER: Final = 50_000
"""Objects that live before the garbage collector looks; Python's own 700 make it look at every request."""
_DIFF_KINDS: Final = provider_pb2.PropertyDiff.Kind


class SimulatedProvider(provider_pb2_grpc.ResourceProviderServicer):
    """The resource provider."""

    def __init__(self, cloud: AzureCloud, operations: Operations | None = None) -> None:
        self._cloud = cloud
        self._operations = operations or Operations(cloud.store, InstantClock())
        self._default_location: str | None = None
        self._engines: dict[str, Message] = {}
        self._warned: set[tuple[str, str]] = set()

    async def Handshake(self, request: Message, context: Message) -> Message:  # noqa: N802 - the protocol's name
        """Say which values this provider takes marked."""
        return provider_pb2.ProviderHandshakeResponse(accept_secrets=True)

    async def Attach(self, request: Message, context: Message) -> Message:  # noqa: N802 - the protocol's name
        """Accept an engine and remember where its messages to the user go."""
        self._engines[context.peer()] = engine_pb2_grpc.EngineStub(grpc.aio.insecure_channel(request.address))
        return empty_pb2.Empty()

    async def GetPluginInfo(self, request: Message, context: Message) -> Message:  # noqa: N802 - the protocol's name
        """Return the newest of the two SDKs' versions: one process is both plugins, and an older version is
        warned of."""
        versions = (metadata.version(name) for name in ("pulumi-azure-native", "pulumi-azuread"))
        newest = max(versions, key=lambda text: [int(part) for part in re.findall(r"\d+", text)])
        return plugin_pb2.PluginInfo(version=newest)

    async def CheckConfig(self, request: Message, context: Message) -> Message:  # noqa: N802 - the protocol's name
        """Accept every configuration of a provider."""
        return provider_pb2.CheckResponse(inputs=request.news)

    async def DiffConfig(self, request: Message, context: Message) -> Message:  # noqa: N802 - the protocol's name
        """Never replace a provider."""
        return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)

    async def Configure(self, request: Message, context: Message) -> Message:  # noqa: N802 - the protocol's name
        """Take the default location from the configuration."""
        location = request.variables.get("azure-native:config:location")
        self._default_location = location or self._default_location
        return provider_pb2.ConfigureResponse(acceptSecrets=True, supportsPreview=True)

    async def Cancel(self, request: Message, context: Message) -> Message:  # noqa: N802 - the protocol's name
        """Do nothing: the engine sends this at the end of normal runs too."""
        return empty_pb2.Empty()

    async def Check(self, request: Message, context: Message) -> Message:  # noqa: N802 - the protocol's name
        """Refuse inputs that the SDK's types forbid; fill in the name and the location."""
        token = _token(request.urn)
        kind, schema = self._cloud.type_of(token)
        inputs, old = from_struct(request.news), from_struct(request.olds)
        if schema is None:
            return _check_failure("", f"the installed SDK has no resource type {token}")
        if not kind.modelled and token.startswith("azure-native:"):
            await self._warn(
                context.peer(), request.urn, f"the simulated Azure knows no rules of {token}: its id is a guess"
            )
        self._fill_defaults(kind, schema.inputs, inputs, old, request)
        failures = check_inputs(schema, inputs)
        return provider_pb2.CheckResponse(
            inputs=to_struct(inputs),
            failures=[provider_pb2.CheckFailure(property=item.path, reason=item.reason) for item in failures],
        )

    async def Diff(self, request: Message, context: Message) -> Message:  # noqa: N802 - the protocol's name
        """Compare old and new inputs; live state plays no part, as in the real provider."""
        kind, _ = self._cloud.type_of(_token(request.urn))
        old = from_struct(request.old_inputs if request.old_inputs.fields else request.olds)
        found = changes(kind, old, from_struct(request.news))
        ignored = tuple(request.ignoreChanges)
        found = [item for item in found if not any(item.path == i or item.path.startswith(i + ".") for i in ignored)]
        replaces = sorted({item.path for item in found if item.replaces})
        detailed = {
            item.path: provider_pb2.PropertyDiff(
                kind=_DIFF_KINDS.Value(f"{item.kind}_REPLACE" if item.replaces else item.kind), inputDiff=True
            )
            for item in found
        }
        answer = provider_pb2.DiffResponse
        return answer(
            changes=answer.DIFF_SOME if found else answer.DIFF_NONE,
            diffs=sorted({re.split(r"[.\[]", item.path)[0] for item in found}),
            replaces=replaces,
            detailedDiff=detailed,
            hasDetailedDiff=True,
            # Explicit names: the old resource has to go before the new one can take the name.
            deleteBeforeReplace=bool(replaces),
        )

    async def Create(self, request: Message, context: Message) -> Message:  # noqa: N802 - the protocol's name
        """Create a resource, or say what a preview can know of it."""
        token, inputs = _token(request.urn), from_struct(request.properties)
        _, schema = self._cloud.type_of(token)
        if request.preview or contains_unknown(inputs):
            return provider_pb2.CreateResponse(id="", properties=to_struct(preview_outputs(schema, inputs, {})))
        operation = Operation("create", token, request.urn, await self._future_id(token, inputs, context))
        resource_id, outputs = await self._act(
            context, operation, lambda: self._cloud.create(token, inputs, operation.resource_id)
        )
        return provider_pb2.CreateResponse(id=resource_id, properties=to_struct(outputs))

    async def Update(self, request: Message, context: Message) -> Message:  # noqa: N802 - the protocol's name
        """Change a resource, or say what a preview can know of the change."""
        token, inputs = _token(request.urn), from_struct(request.news)
        _, schema = self._cloud.type_of(token)
        if request.preview:
            old = from_struct(request.olds)
            known: Properties = {name: old[name] for name in ("name", "location") if name in old and name not in inputs}
            return provider_pb2.UpdateResponse(properties=to_struct(preview_outputs(schema, inputs, known)))
        operation = Operation("update", token, request.urn, request.id)
        outputs = await self._act(context, operation, lambda: self._cloud.update(token, request.id, inputs))
        return provider_pb2.UpdateResponse(properties=to_struct(outputs))

    async def Read(self, request: Message, context: Message) -> Message:  # noqa: N802 - the protocol's name
        """Return a resource for refresh and import; an empty id says that it is gone."""
        stored = self._cloud.read(request.id)
        if stored is None:
            return provider_pb2.ReadResponse(id="")
        state, inputs = from_struct(request.properties), from_struct(request.inputs)
        live_inputs = self._cloud.store.unseal(stored.inputs, inputs)
        outputs = self._cloud.store.unseal(stored.outputs, state)
        live_inputs = _mark_like(inputs, live_inputs)
        return provider_pb2.ReadResponse(
            id=stored.id, inputs=to_struct(live_inputs), properties=to_struct(_mark_like(state, outputs))
        )

    async def Delete(self, request: Message, context: Message) -> Message:  # noqa: N802 - the protocol's name
        """Delete a resource; one that is gone already is no error."""
        token = _token(request.urn)
        operation = Operation("delete", token, request.urn, request.id)
        await self._act(context, operation, lambda: self._cloud.delete(token, request.id))
        return empty_pb2.Empty()

    async def Invoke(self, request: Message, context: Message) -> Message:  # noqa: N802 - the protocol's name
        """Answer a function such as getClientConfig."""
        try:
            result = invokes.answer(self._cloud, request.tok, unwrap(from_struct(request.args)))
        except AzureError as error:
            return provider_pb2.InvokeResponse(failures=[provider_pb2.CheckFailure(property="", reason=str(error))])
        return provider_pb2.InvokeResponse(**{"return": to_struct(result)})

    async def _warn(self, peer: str, urn: str, message: str) -> None:
        """Show a warning in the engine's output, once for each engine."""
        if (peer, message) in self._warned:
            return
        self._warned.add((peer, message))
        if peer in self._engines:
            with contextlib.suppress(grpc.aio.AioRpcError):  # an engine that is gone needs no warning
                await self._engines[peer].Log(
                    engine_pb2.LogRequest(severity=engine_pb2.LogSeverity.WARNING, urn=urn, message=message)
                )

    def _fill_defaults(
        self, kind: ResourceType, declared: Mapping[str, Any], inputs: Properties, old: Properties, request: Message
    ) -> None:
        name = kind.name_input
        if (
            name in declared
            and inputs.get(name) is None
            and kind.modelled
            and not _token(request.urn).startswith("azuread:")
        ):
            random = request.randomSeed or secrets.token_bytes(8)
            logical = request.urn.rsplit("::", 1)[1]
            made = invokes.guid_from(random) if kind.token in _GUID_NAMED else f"{logical}{random[:4].hex()}"
            inputs[name] = old.get(name) or made
        if "location" in declared and inputs.get("location") is None and self._default_location:
            inputs["location"] = old.get("location") or self._default_location

    async def _future_id(self, token: str, inputs: Properties, context: Message) -> str:
        try:
            return self._cloud.id_of(token, inputs)
        except IdError as error:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
            raise

    async def _act(self, context: Message, operation: Operation, act: Callable[[], T]) -> T:
        # grpc.aio cancels handlers when the engine dies; Azure finishes what it began.
        try:
            return await asyncio.shield(self._operations.run(operation, context.peer(), act))
        except AzureError as error:
            print(f"{datetime.now(UTC):%H:%M:%S} refused {operation.resource_id}: {error}", file=sys.stderr, flush=True)
            await context.abort(grpc.StatusCode.UNKNOWN, str(error))
            raise


def _token(urn: str) -> str:
    return urn.split("::")[2].rsplit("$", 1)[-1]


def _check_failure(path: str, reason: str) -> Message:
    return provider_pb2.CheckResponse(failures=[provider_pb2.CheckFailure(property=path, reason=reason)])


def _mark_like(known: Value, value: Value) -> Value:
    """Mark as secret what the engine's own copy has marked, so that a refresh changes no mark."""
    if isinstance(known, Secret):
        return value if isinstance(value, Secret) else Secret(map_secrets(value, lambda secret: secret.value))
    if isinstance(known, dict) and isinstance(value, dict):
        return {key: _mark_like(known.get(key), item) for key, item in value.items()}
    if isinstance(known, list) and isinstance(value, list) and len(known) == len(value):
        return [_mark_like(left, right) for left, right in zip(known, value, strict=True)]
    return value


class _Activity(grpc.aio.ServerInterceptor):  # type: ignore[misc]  # grpc ships no types
    """Tells the clock that the engine is asking."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def intercept_service(self, continuation: Message, handler_call_details: Message) -> Message:
        """Note the call and let it through."""
        self._clock.touch()
        return await continuation(handler_call_details)


async def serve(cloud_file: Path, port: int = 0, latency: str = "none", ready: Callable[[int], None] = print) -> None:
    """Serve until the process is stopped; ``ready`` gets the port once it listens."""
    store = CloudStore(cloud_file)
    clock = clock_for(latency, OperationLog(store).last_end())
    server = grpc.aio.server(
        # Without latency no clock waits for the calls to end, and noting each costs as much as some answers.
        interceptors=[] if clock.instant else [_Activity(clock)],
        options=[("grpc.max_receive_message_length", _MAXIMUM_MESSAGE)],
    )
    cloud = AzureCloud(store, None if clock.instant else clock.now)
    provider = SimulatedProvider(cloud, Operations(store, clock))
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(provider, server)
    bound = server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    gc.freeze()  # what is loaded by now stays; a collection is to look at requests only
    gc.set_threshold(_COLLECT_AFTER)
    ready(bound)
    try:
        await server.wait_for_termination()
    finally:
        await server.stop(1)
        store.close()
