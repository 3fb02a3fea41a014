"""The outputs that Azure computes, and the fitting of a resource's inputs to the shape that the SDK reads back.

Owns what holds for every type: the declared outputs only, ids of inline children, maps that go in as lists, states,
names.
What single types compute is in ``computed_network`` and ``computed_services``.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from simulator.cloud_store import CloudStore
from simulator.protocol_values import UNKNOWN, Properties, Secret, Value, unwrap
from simulator.resource_ids import ResourceType, name_of
from simulator.schema import object_shape
from simulator.type_shapes import ObjectShape, ResourceSchema, ValueShape

T = TypeVar("T")
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
    declared: Iterable[str] = schema.outputs if schema else ("name", "type")
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
        outputs["azureApiVersion"] = schema.api_version or "unknown"
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


def _conform(shape: ValueShape, value: Value, owner_id: str | None, collection: str) -> Value:
    if isinstance(value, Secret):
        return Secret(_conform(shape, value.value, owner_id, collection))
    if value == UNKNOWN or value is None:
        return value
    if isinstance(value, list):
        if shape.items is not None:
            return [_named_child(shape.items, item, owner_id, collection) for item in value]
        if shape.values is not None:  # identity.userAssignedIdentities: ids go in, a map by id comes out
            return {unwrap(item): {} for item in value if not isinstance(unwrap(item), dict)}
        return value
    if isinstance(value, dict):
        response = _response_shape(shape, value)
        if response is not None:
            known = response.properties
            # A preview knows of a nested object what was sent, as of the resource itself: the rest is Azure's to say.
            unsent = dict.fromkeys(known, UNKNOWN) if owner_id is None else {}
            sent = {k: _conform(known[k], v, owner_id, k) for k, v in value.items() if k in known and v is not None}
            return {**unsent, **sent}
        if shape.values is not None:
            return {key: _conform(shape.values, item, owner_id, key) for key, item in value.items()}
    return value


def _named_child(shape: ValueShape, item: Value, owner_id: str | None, collection: str) -> Value:
    """Fit one element of a list; a named one whose type declares an id is a child with an id below its owner."""
    name = unwrap(item).get("name") if isinstance(unwrap(item), dict) else None
    response = _response_shape(shape, unwrap(item)) if name else None
    if owner_id is None or not isinstance(item, dict) or response is None or "id" not in response.properties:
        return _conform(shape, item, owner_id, collection)
    child_id = f"{owner_id}/{collection}/{name}"
    child = _conform(shape, item, child_id, collection)
    child["id"] = child_id
    if "provisioningState" in response.properties:
        child["provisioningState"] = "Succeeded"
    return child


def _response_shape(shape: ValueShape, value: Value) -> ObjectShape | None:
    """Return the shape that an object has; of a union, the one whose constants it shows."""
    if len(shape.objects) < 2 or not isinstance(value, dict):
        return object_shape(shape.objects[0]) if shape.objects else None
    for item in map(object_shape, shape.objects):
        if item.constants and all(value.get(name) == text for name, text in item.constants.items()):
            return item
    return None
