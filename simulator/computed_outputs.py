"""The outputs that Azure computes, and the fitting of a resource's inputs to the shape that the SDK reads back.

Owns what holds for every type: the declared outputs only, ids of inline children, maps that go in as lists, states,
names.
What single types compute is in ``computed_network`` and ``computed_services``.
"""

from __future__ import annotations

import collections.abc
import hashlib
import inspect
import re
import typing
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from pulumi import _types as sdk_types

from simulator.cloud_store import CloudStore
from simulator.protocol_values import UNKNOWN, Properties, Secret, Value, unwrap
from simulator.resource_ids import ResourceType, name_of
from simulator.schema import ResourceSchema, constants_of, output_alternatives

T = TypeVar("T")
_API_VERSION: Final = re.compile(r"Uses Azure REST API version ([\w-]+)")
_LEFT_OUT: Final = frozenset({"systemData"})  # who changed it when: nobody reads it and it would churn


@dataclass
class OutputContext:
    """What a function of the tables below sees of one resource, and where it writes."""

    store: CloudStore
    id: str
    type: ResourceType
    inputs: Properties
    """Without secret marks."""
    outputs: Properties
    """What the functions complete; secrets keep their mark."""
    previous: Properties = field(default_factory=dict)
    """The stored outputs before an update; empty on creation."""

    @property
    def name(self) -> str:
        """The resource's own name."""
        return name_of(self.id)

    @property
    def subscription(self) -> str:
        """The subscription that this cloud is."""
        return self.store.fact("subscriptionId")

    @property
    def tenant(self) -> str:
        """The Entra tenant of the subscription."""
        return self.store.fact("tenantId")

    def keep(self, name: str, make: Callable[[], Any]) -> Value:
        """Set an output to its former value or, on creation, to a new one."""
        self.outputs[name] = self.previous[name] if self.previous.get(name) is not None else make()
        return self.outputs[name]

    def section(self, name: str) -> Properties:
        """Return a nested object of the outputs, made when it is absent."""
        existing = self.outputs.get(name)
        if not isinstance(existing, dict):
            existing = self.outputs[name] = {}
        return existing

    def previous_section(self, name: str) -> Properties:
        """Return a nested object of the former outputs, or an empty one."""
        value = self.previous.get(name)
        return value if isinstance(value, dict) else {}


def new_guid() -> str:
    """Return a random GUID: what Azure assigns cannot be computed from a name."""
    return str(uuid.uuid4())


def label_hash(text: str) -> str:
    """Return the short text that Azure adds to a host name; it depends on the text only."""
    return hashlib.sha256(text.lower().encode()).hexdigest()[:16]


def echo(schema: ResourceSchema | None, inputs: Mapping[str, Any], owner_id: str | None) -> Properties:
    """Return those inputs that are outputs too, in the shape that the SDK declares for them.

    With an owner id, inline children get their ids (``<owner>/<collection>/<name>``) and states.
    """
    if schema is None:
        return dict(inputs)
    return {
        name: _conform(schema.outputs[name], value, owner_id, name)
        for name, value in inputs.items()
        if name in schema.outputs and name != "id" and value is not None
    }


def preview_outputs(schema: ResourceSchema | None, inputs: Mapping[str, Any], known: Mapping[str, Any]) -> Properties:
    """Return what a preview knows: the inputs, the given values, and unknown for every other output."""
    outputs = dict.fromkeys(schema.outputs if schema else ["name"], UNKNOWN)
    return {**outputs, **echo(schema, inputs, None), **known}


def complete(
    context: OutputContext, schema: ResourceSchema | None, table: Mapping[str, Callable[[OutputContext], None]]
) -> None:
    """Fill in all that Azure computes for a resource."""
    outputs = context.outputs
    declared: Mapping[str, Any] = schema.outputs if schema else {"name": str, "type": str}
    if "name" in declared:
        outputs["name"] = context.name
    # Where "type" is an input, it is the kind of something (a blob, a pool) and not the resource type.
    own_type = schema is None or "type" not in schema.inputs
    if "type" in declared and own_type and "{" not in context.type.arm_type:
        outputs["type"] = context.type.arm_type
    if "provisioningState" in declared:
        outputs["provisioningState"] = "Succeeded"
    if "etag" in declared:
        outputs["etag"] = f'W/"{new_guid()}"'
    if "resourceGuid" in declared:
        context.keep("resourceGuid", new_guid)
    if "azureApiVersion" in declared and schema:
        found = _API_VERSION.search(schema.docs)
        outputs["azureApiVersion"] = found.group(1) if found else "unknown"
    if "identity" in outputs:
        _identity(context)
    compute = table.get(context.type.token)
    if compute:
        compute(context)


def own_children(context: OutputContext) -> list[str]:
    """Return the ids of the inline children that the outputs hold; mere references have no name beside the id."""
    return list(_children(context.outputs, context.id.lower() + "/"))


def _children(value: Value, prefix: str) -> Iterator[str]:
    if isinstance(value, Secret):
        yield from _children(value.value, prefix)
    elif isinstance(value, list):
        for item in value:
            yield from _children(item, prefix)
    elif isinstance(value, dict):
        own_id = value.get("id")
        if isinstance(own_id, str) and own_id.lower().startswith(prefix) and value.get("name") == name_of(own_id):
            yield own_id
        for item in value.values():
            yield from _children(item, prefix)


def _identity(context: OutputContext) -> None:
    """Give the system-assigned identity its principal, and each user-assigned identity the ids that Entra knows."""
    identity = context.section("identity")
    if "SystemAssigned" in str(identity.get("type", "")):
        identity["principalId"] = context.previous_section("identity").get("principalId") or new_guid()
        identity["tenantId"] = context.tenant
    assigned = identity.get("userAssignedIdentities")
    if isinstance(assigned, dict):
        for identity_id in assigned:
            stored = context.store.get(identity_id)
            if stored:
                assigned[identity_id] = {name: stored.outputs.get(name) for name in ("principalId", "clientId")}


def _conform(declared: Value, value: Value, owner_id: str | None, collection: str) -> Value:
    if isinstance(value, Secret):
        return Secret(_conform(declared, value.value, owner_id, collection))
    if value == UNKNOWN or value is None:
        return value
    alternatives = output_alternatives(declared)
    mapping = next((item for item in alternatives if typing.get_origin(item) is collections.abc.Mapping), None)
    sequence = next((item for item in alternatives if typing.get_origin(item) is collections.abc.Sequence), None)
    if isinstance(value, list):
        if sequence is not None:
            element = typing.get_args(sequence)[0]
            return [_named_child(element, item, owner_id, collection) for item in value]
        if mapping is not None:  # identity.userAssignedIdentities: ids go in, a map by id comes out
            return {unwrap(item): {} for item in value if not isinstance(unwrap(item), dict)}
        return value
    if isinstance(value, dict):
        response = _response_class(alternatives, value)
        if response is not None:
            types = sdk_types.output_type_types(response)
            # A preview knows of a nested object what was sent, as of the resource itself: the rest is Azure's to say.
            unsent = dict.fromkeys(types, UNKNOWN) if owner_id is None else {}
            sent = {k: _conform(types[k], v, owner_id, k) for k, v in value.items() if k in types and v is not None}
            return {**unsent, **sent}
        if mapping is not None:
            element = typing.get_args(mapping)[1]
            return {key: _conform(element, item, owner_id, key) for key, item in value.items()}
    return value


def _named_child(declared: Value, item: Value, owner_id: str | None, collection: str) -> Value:
    """Fit one element of a list; a named one whose type declares an id is a child with an id below its owner."""
    name = unwrap(item).get("name") if isinstance(unwrap(item), dict) else None
    response = _response_class(output_alternatives(declared), unwrap(item)) if name else None
    types = sdk_types.output_type_types(response) if response else {}
    if owner_id is None or not isinstance(item, dict) or "id" not in types:
        return _conform(declared, item, owner_id, collection)
    child_id = f"{owner_id}/{collection}/{name}"
    child = _conform(declared, item, child_id, collection)
    child["id"] = child_id
    if "provisioningState" in types:
        child["provisioningState"] = "Succeeded"
    return child


def _response_class(alternatives: tuple[Any, ...], value: Value) -> type | None:
    classes: list[type] = [item for item in alternatives if inspect.isclass(item) and sdk_types.is_output_type(item)]
    if len(classes) < 2 or not isinstance(value, dict):
        return classes[0] if classes else None
    for item in classes:
        constants: Mapping[str, str] = constants_of(item)
        if constants and all(value.get(name) == text for name, text in constants.items()):
            return item
    return None
