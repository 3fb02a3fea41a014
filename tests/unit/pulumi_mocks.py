"""Deploying components on recording mocks: what Azure would get, and with which options, without an engine.

`deploy(program)` runs a function that makes resources and returns the record. It waits for every registration, so an
exception in an `apply` fails the test. With `preview=True` nothing that Azure computes is known, as in a first preview.
Known to the mocks are the packages in `PACKAGES`; a resource or a function of another package fails the test.
"""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pulumi
from google.protobuf import empty_pb2  # type: ignore[import-untyped]  # protobuf ships no types
from pulumi.runtime import mocks as pulumi_mocks
from pulumi.runtime.proto import resource_pb2
from pulumi.runtime.settings import SETTINGS
from pulumi.runtime.stack import run_pulumi_func
from pulumi.runtime.sync_await import _sync_await

from foundation.api_aliases import strip_version_aliases
from tests.unit.mock_cloud import (
    ANSWERS,
    CALLS,
    OBJECT_ID,
    PACKAGES,
    SUBSCRIPTION_ID,
    TENANT_ID,
    Answer,
    azure_name,
    identifier,
)

__all__ = [
    "OBJECT_ID",
    "SUBSCRIPTION_ID",
    "TENANT_ID",
    "Answer",
    "RecordingMocks",
    "Registration",
    "child_inputs",
    "deploy",
]


@dataclass(frozen=True)
class Registration:
    """One resource as the program registered it. `inputs` are camelCase, as they go over the wire."""

    type: str
    name: str
    inputs: dict[str, Any]
    urn: str
    parent: str
    custom: bool
    protect: bool
    dependencies: frozenset[str]
    replace_on_changes: tuple[str, ...]
    delete_before_replace: bool
    deleted_with: str
    retain_on_delete: bool
    ignore_changes: tuple[str, ...]
    error_hooks: tuple[str, ...]


class RecordingMocks(pulumi.runtime.Mocks):
    """Answers like a cloud that creates everything, and keeps what it was asked for."""

    def __init__(
        self,
        *,
        answers: Mapping[str, Answer] | None = None,
        calls: Mapping[str, Mapping[str, Any]] | None = None,
        stack_outputs: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        self.arguments: list[pulumi.runtime.MockResourceArgs] = []
        self.resources: list[Registration] = []
        self.component_outputs: dict[str, dict[str, Any]] = {}
        self.functions: list[pulumi.runtime.MockCallArgs] = []
        self.unexpected: list[str] = []
        self.result: Any = None
        self._answers = {**ANSWERS, **(answers or {})}
        self._calls = {**CALLS, **(calls or {})}
        self._stack_outputs = stack_outputs or {}

    def of_type(self, token: str) -> list[Registration]:
        """Return the resources of one type, in the order of their registration."""
        return [resource for resource in self.resources if resource.type == token]

    def one(self, token: str) -> Registration:
        """Return the only resource of a type."""
        found = self.of_type(token)
        assert len(found) == 1, f"expected one {token}, found {[resource.name for resource in found]}"
        return found[0]

    def named(self, name: str) -> Registration:
        """Return the resource with this logical name."""
        found = [resource for resource in self.resources if resource.name == name]
        assert len(found) == 1, f"expected one '{name}', there are {sorted(each.name for each in self.resources)}"
        return found[0]

    def as_armcheck(self) -> list[dict[str, Any]]:
        """Return type, inputs and urn of every resource, the form in which ARM types are checked against."""
        return [{"type": each.type, "inputs": each.inputs, "urn": each.urn} for each in self.resources if each.custom]

    def depends_on(self, resource: Registration, other: Registration) -> bool:
        """Tell whether `resource` waits for `other`, straight or by way of others, as the engine orders them.

        Waiting for a component means waiting for the resources in it, which the SDK spells out.
        """
        by_urn = {each.urn: each for each in self.resources}
        seen: set[str] = set()
        open_urns = [*resource.dependencies, resource.parent]
        while open_urns:
            urn = open_urns.pop()
            if urn == other.urn:
                return True
            if urn in by_urn and urn not in seen:
                seen.add(urn)
                open_urns += [*by_urn[urn].dependencies, by_urn[urn].parent]
        return False

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        """Give every resource an ARM-like id and its inputs as outputs."""
        if not args.typ.startswith(PACKAGES):
            self.unexpected.append(f"resource {args.typ} '{args.name}'")
            raise AssertionError(f"unexpected resource {args.typ} '{args.name}'")
        self.arguments.append(args)
        if args.typ == "pulumi:pulumi:StackReference":
            target = str(args.resource_id or args.inputs["name"])
            return target, {
                "name": target,
                "outputs": dict(self._stack_outputs.get(target, {})),
                "secretOutputNames": [],
            }
        if not args.custom:
            return "", {}
        answer = self._answers.get(args.typ, {})
        extra = dict(answer(args) if callable(answer) else answer)
        resource_id = str(extra.pop("id", args.resource_id or identifier(args)))
        return resource_id, {"name": azure_name(args), **args.inputs, **extra}

    def call(self, args: pulumi.runtime.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]] | None]:
        """Answer the functions that are declared; every other one fails the test."""
        self.functions.append(args)
        if args.token not in self._calls:
            self.unexpected.append(f"function {args.token}")
            raise AssertionError(f"unexpected function {args.token}")
        return dict(self._calls[args.token]), []


def deploy(
    program: Callable[[], Any],
    preview: bool = False,
    *,
    answers: Mapping[str, Answer] | None = None,
    calls: Mapping[str, Mapping[str, Any]] | None = None,
    stack_outputs: Mapping[str, Mapping[str, Any]] | None = None,
    config: Mapping[str, str] | None = None,
    stack: str = "test",
) -> RecordingMocks:
    """Run `program` on mocks and return what it registered.

    Args:
        program: makes the resources; what it returns (an Output is awaited) is in the record's `result`.
        preview: leave everything unknown that is neither an input, a name nor an id. (In a real first preview the ids
            are unknown too.)
        answers: outputs of resource types beyond the built-in ones.
        calls: answers of functions such as `azure-native:authorization:getClientConfig`.
        stack_outputs: outputs of other stacks by their full name.
        config: Pulumi config by full key.
        stack: the name of the stack.

    Raises:
        AssertionError: when the program asked for a resource or function that the mocks do not know.
    """
    recorder = RecordingMocks(answers=answers, calls=calls, stack_outputs=stack_outputs)
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    # The mock monitor answers in a worker thread and would make that thread an event loop that nobody closes.
    worker_loop = asyncio.new_event_loop()
    loop.set_default_executor(
        ThreadPoolExecutor(max_workers=1, initializer=asyncio.set_event_loop, initargs=(worker_loop,))
    )
    pulumi.runtime.set_all_config(dict(config or {}))
    _forget_root_resource()
    try:
        pulumi.runtime.set_mocks(
            recorder,
            project="aks-geode",
            stack=stack,
            preview=preview,
            organization="organization",
            monitor=_RecordingMonitor(recorder, preview),
        )
        SETTINGS.callbacks = _NoCallbacks()
        SETTINGS.outputs.clear()
        SETTINGS.rpc_manager.clear()
        strip_version_aliases()

        async def run() -> None:
            recorder.result = await pulumi.Output.from_input(program()).future()

        _sync_await(run_pulumi_func(run))
    finally:
        pulumi.runtime.set_all_config({})
        _close(loop)
        worker_loop.close()
    assert not recorder.unexpected, f"the program asked for {recorder.unexpected}"
    return recorder


def _forget_root_resource() -> None:
    # A root stack of an earlier deployment belongs to a closed loop.
    pulumi.runtime.settings.ROOT.set(None)


def _close(loop: asyncio.AbstractEventLoop) -> None:
    pending = [task for task in asyncio.all_tasks(loop) if not task.done()]
    for task in pending:
        task.cancel()
    if pending:
        loop.run_until_complete(asyncio.gather(*pending, return_exceptions=True))
    loop.run_until_complete(loop.shutdown_default_executor())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        asyncio.set_event_loop(None)
    loop.close()


class _NoCallbacks:
    """Stands where the SDK would start a gRPC server for hooks: takes registrations, never calls back."""

    def register_error_hook(self, hook: pulumi.ErrorHook) -> None: ...

    def register_resource_hook(self, hook: pulumi.ResourceHook) -> None: ...


class _RecordingMonitor(pulumi_mocks.MockMonitor):
    """Keeps the options of each registration; leaves computed outputs out in a preview."""

    def __init__(self, recorder: RecordingMocks, preview: bool) -> None:
        super().__init__(recorder)
        self._recorder = recorder
        self._preview = preview

    def RegisterResource(  # noqa: N802  # the method's name in the protocol
        self, request: resource_pb2.RegisterResourceRequest
    ) -> resource_pb2.RegisterResourceResponse:
        response: resource_pb2.RegisterResourceResponse = super().RegisterResource(request)  # type: ignore[no-untyped-call]  # the SDK leaves its mock monitor untyped
        if request.type == "pulumi:pulumi:Stack":
            return response
        assert all(each.urn != response.urn for each in self._recorder.resources), f"two resources are {response.urn}"
        inputs = next(
            made.inputs
            for made in reversed(self._recorder.arguments)
            if made.typ == request.type and made.name == request.name
        )
        self._recorder.resources.append(
            Registration(
                type=request.type,
                name=request.name,
                inputs=inputs,
                urn=response.urn,
                parent=request.parent,
                custom=request.custom,
                protect=request.protect,
                dependencies=frozenset(request.dependencies),
                replace_on_changes=tuple(request.replaceOnChanges),
                delete_before_replace=request.deleteBeforeReplace,
                deleted_with=request.deletedWith,
                retain_on_delete=request.retainOnDelete,
                ignore_changes=tuple(request.ignoreChanges),
                error_hooks=tuple(request.hooks.on_error),
            )
        )
        if self._preview and request.custom:
            # What the engine's preview does: inputs are echoed, what Azure computes is missing and so unknown.
            for key in list(response.object.keys()):
                if key not in request.object and key != "name":
                    del response.object[key]
        return response

    def RegisterResourceOutputs(  # noqa: N802  # the method's name in the protocol
        self, request: resource_pb2.RegisterResourceOutputsRequest
    ) -> empty_pb2.Empty:
        self._recorder.component_outputs[request.urn] = dict(pulumi.runtime.rpc.deserialize_properties(request.outputs))
        return empty_pb2.Empty()


def child_inputs(items: Sequence[Mapping[str, Any]], name: str) -> Mapping[str, Any]:
    """Return the inline child (subnet, rule, route, pool) with this name."""
    found = [item for item in items if item.get("name") == name]
    assert len(found) == 1, f"expected one '{name}', there are {[item.get('name') for item in items]}"
    return found[0]
