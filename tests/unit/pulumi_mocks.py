"""Deploying components on recording mocks: what Azure would get, and with which options, without an engine.

`deploy(program)` runs a function that makes resources and returns the record. It waits for every registration, so an
exception in an `apply` fails the test. With `preview=True` nothing that Azure computes is known, as in a first preview.
Known to the mocks are the packages in `_PACKAGES`; a resource or a function of another package fails the test.
"""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi.runtime import mocks as pulumi_mocks
from pulumi.runtime.settings import SETTINGS
from pulumi.runtime.stack import run_pulumi_func
from pulumi.runtime.sync_await import _sync_await

from foundation.api_aliases import strip_version_aliases

SUBSCRIPTION_ID = "00000000-1111-2222-3333-444444444444"
TENANT_ID = "55555555-6666-7777-8888-999999999999"
OBJECT_ID = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"

_PACKAGES = ("azure-native:", "azuread:", "aks-geode:", "pulumi:pulumi:StackReference", "pulumi:providers:")

Answer = Mapping[str, Any] | Callable[[pulumi.runtime.MockResourceArgs], Mapping[str, Any]]
"""Outputs of one resource type beyond its inputs; a key `id` sets the resource's id."""


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
        self._answers = {**_ANSWERS, **(answers or {})}
        self._calls = {**_CALLS, **(calls or {})}
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
        if not args.typ.startswith(_PACKAGES):
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
        identifier = str(extra.pop("id", args.resource_id or _identifier(args)))
        azure_name = _azure_name(args)
        return identifier, {"name": azure_name, **args.inputs, **extra}

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
        preview: leave everything unknown that is neither an input, a name nor an id. The ids of resources stay known,
            which a real preview does not promise; see `Unknown` in a test that needs one to be unknown.
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
            monitor=_RecordingMonitor(recorder, preview),  # type: ignore[no-untyped-call]
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
        super().__init__(recorder)  # type: ignore[no-untyped-call]
        self._recorder = recorder
        self._preview = preview

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802  # the method's name in the protocol
        response = super().RegisterResource(request)  # type: ignore[no-untyped-call]
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

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802  # the method's name in the protocol
        self._recorder.component_outputs[request.urn] = dict(pulumi.runtime.rpc.deserialize_properties(request.outputs))
        return super().RegisterResourceOutputs(request)  # type: ignore[no-untyped-call]


_NAME_KEYS = (
    "resourceGroupName",
    "accountName",
    "workspaceName",
    "registryName",
    "profileName",
    "vaultName",
    "firewallPolicyName",
)


def _azure_name(args: pulumi.runtime.MockResourceArgs) -> str:
    """Return the name input of the resource itself: the one that is no other resource's, else the logical name."""
    module, kind = args.typ.split(":")[1:3] if args.typ.count(":") == 2 else ("", args.typ)
    own = f"{kind[:1].lower()}{kind[1:]}Name"
    candidates = [own] + [key for key in args.inputs if key.endswith("Name") and key.lower() in own.lower()]
    candidates += [key for key in args.inputs if key.endswith("Name") and key not in _NAME_KEYS]
    candidates += [key for key in args.inputs if key.endswith("Name") and key != "resourceGroupName"]
    if kind == "ResourceGroup":
        candidates = ["resourceGroupName"]
    for key in ("name", *candidates):
        if isinstance(args.inputs.get(key), str):
            return str(args.inputs[key])
    return args.name


def _identifier(args: pulumi.runtime.MockResourceArgs) -> str:
    if args.typ.startswith("azuread:"):
        return OBJECT_ID
    if args.typ == "azure-native:resources:ResourceGroup":
        return f"/subscriptions/{SUBSCRIPTION_ID}/resourceGroups/{_azure_name(args)}"
    module, kind = args.typ.removeprefix("azure-native:").partition(":")[::2]
    group = args.inputs.get("resourceGroupName", "none")
    parents = "".join(f"/{args.inputs[key]}" for key in _NAME_KEYS[1:] if isinstance(args.inputs.get(key), str))
    name = _azure_name(args)
    path = f"{parents}/{name}" if not parents.endswith(f"/{name}") else parents
    return f"/subscriptions/{SUBSCRIPTION_ID}/resourceGroups/{group}/providers/mock.{module}/{kind}{path}"


def _storage_account(args: pulumi.runtime.MockResourceArgs) -> Mapping[str, Any]:
    account = args.inputs["accountName"]
    return {
        "primaryEndpoints": {
            "web": f"https://{account}.z20.web.core.windows.net/",
            "blob": f"https://{account}.blob.core.windows.net/",
        }
    }


_ANSWERS: dict[str, Answer] = {
    "azure-native:cdn:Profile": {"frontDoorId": "77777777-0000-1111-2222-333333333333"},
    "azure-native:cdn:AFDEndpoint": lambda args: {
        "hostName": f"{args.inputs['endpointName']}-a1b2c3d4e5.z01.azurefd.net"
    },
    "azure-native:containerregistry:Registry": lambda args: {"loginServer": f"{args.inputs['registryName']}.azurecr.io"},
    "azure-native:operationalinsights:Workspace": {"customerId": "99999999-0000-1111-2222-333333333333"},
    "azure-native:storage:StorageAccount": _storage_account,
    "azure-native:storage:StorageAccountStaticWebsite": {"containerName": "$web"},
    "azure-native:managedidentity:UserAssignedIdentity": {
        "principalId": "11111111-aaaa-bbbb-cccc-dddddddddddd",
        "clientId": "22222222-aaaa-bbbb-cccc-dddddddddddd",
        "tenantId": TENANT_ID,
    },
    "azuread:index/group:Group": {"objectId": OBJECT_ID},
}

_CALLS: dict[str, Mapping[str, Any]] = {
    "azure-native:authorization:getClientConfig": {
        "clientId": "33333333-aaaa-bbbb-cccc-dddddddddddd",
        "objectId": OBJECT_ID,
        "subscriptionId": SUBSCRIPTION_ID,
        "tenantId": TENANT_ID,
    },
    "azuread:index/getClientConfig:getClientConfig": {
        "id": "client-config",
        "clientId": "33333333-aaaa-bbbb-cccc-dddddddddddd",
        "objectId": OBJECT_ID,
        "tenantId": TENANT_ID,
    },
}


def child_inputs(items: Sequence[Mapping[str, Any]], name: str) -> Mapping[str, Any]:
    """Return the inline child (subnet, rule, route, pool) with this name."""
    found = [item for item in items if item.get("name") == name]
    assert len(found) == 1, f"expected one '{name}', there are {[item.get('name') for item in items]}"
    return found[0]
