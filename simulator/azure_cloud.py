"""The simulated cloud: create, read, update and delete of resources as Resource Manager does them.

Owns what holds for every type: existence of parents and of what is referred to, refusal of ids that exist, cascades,
names
that stay reserved. Rules of single services are in the ``behaviour_*`` modules. Knows nothing of the engine's protocol.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import Final

from simulator.azure_errors import AzureError, AzureRequest, bad_request
from simulator.azure_made import (
    MADE_BY_AZURE,
    add_made_by_azure,
    comes_with_its_parent,
    make_what_is_due,
    remove_made_by_azure,
    reset_to_default,
)
from simulator.behaviour.deletion import refuse_blocked, refuse_nested
from simulator.behaviour.identity import forget_principals, note_principals
from simulator.behaviour.locks import refuse_locked
from simulator.behaviour.peering import disconnect_other_side
from simulator.behaviour.soft_delete import describe_deleted, forget_deleted, keep_deleted, recovered_outputs
from simulator.behaviour.tables import rules_before_deletion, rules_before_write
from simulator.behaviour.time import Moment
from simulator.cloud_store import CloudStore, StoredResource
from simulator.computed_database import DATABASE_OUTPUTS
from simulator.computed_network import NETWORK_OUTPUTS, expand_self
from simulator.computed_outputs import OutputContext, complete, echo, own_children
from simulator.computed_services import SERVICE_OUTPUTS
from simulator.immutability import REFUSED_UPDATES, changes, matches
from simulator.protocol_values import Properties, Secret, Value, strings_in, unwrap
from simulator.resource_ids import ResourceType, arm_type_of, group_of, is_azure_owned, name_of, resource_type
from simulator.schema import resource_schema
from simulator.type_shapes import ResourceSchema

_OUTPUTS: Final = {**NETWORK_OUTPUTS, **SERVICE_OUTPUTS, **DATABASE_OUTPUTS}
_ALWAYS_SECRET: Final[Mapping[str, tuple[str, ...]]] = {
    "keyvault:Secret": ("value",),
    "network:ApplicationGateway": ("data", "password"),
}
"""Inputs by their own name that are kept as digests even when the program did not mark them."""
_DIAGNOSTIC_SETTING: Final = "microsoft.insights/diagnosticsettings"
_PEERING: Final = "microsoft.network/virtualnetworks/virtualnetworkpeerings"


class AzureCloud:
    """One simulated cloud. Each call is one transaction on the cloud's file.

    ``now`` tells the simulated time in seconds; left out, nothing takes time.
    """

    def __init__(self, store: CloudStore, now: Callable[[], float] | None = None) -> None:
        self.store = store
        self._now = now
        self._run = str(uuid.uuid4())
        with store.transaction():
            for name in ("subscriptionId", "tenantId", "clientId", "objectId"):
                store.fact(name, str(uuid.uuid5(uuid.NAMESPACE_URL, f"https://simulated.azure/{name}")))

    @property
    def moment(self) -> Moment:
        """The present."""
        return Moment(self._run, self._now() if self._now else None)

    @property
    def subscription(self) -> str:
        """The subscription that the cloud is."""
        return self.store.fact("subscriptionId")

    def type_of(self, token: str) -> tuple[ResourceType, ResourceSchema | None]:
        """Return how a type is addressed and what the SDK says about it."""
        schema = resource_schema(token)
        return resource_type(token, schema.inputs if schema else {}), schema

    def id_of(self, token: str, inputs: Properties) -> str:
        """Return the id that a resource with these inputs has or would get."""
        kind, _ = self.type_of(token)
        if token.startswith("azuread:"):  # Entra assigns ids
            return f"/{kind.token.rsplit(':', 1)[1].lower()}s/{uuid.uuid4()}"
        return kind.form_id(unwrap(inputs), self.subscription)

    def create(self, token: str, inputs: Properties, resource_id: str | None = None) -> tuple[str, Properties]:
        """Create a resource and return its id and outputs; ``resource_id`` is what ``id_of`` said, if it was asked.

        Raises:
            AzureError: Azure would refuse the request.
        """
        kind, schema = self.type_of(token)
        resource_id = resource_id or self.id_of(token, inputs)
        with self.store.transaction():
            make_what_is_due(self.store, self.moment)
            existing = self.store.get(resource_id)
            if existing and not (existing.token == MADE_BY_AZURE and comes_with_its_parent(resource_id)):
                raise AzureError(409, "ResourceExists", f"cannot create already existing resource '{resource_id}'")
            if not token.startswith("azuread:"):
                self._require_parent(kind, unwrap(inputs))
            return resource_id, self._write(token, kind, schema, resource_id, inputs, None)

    def update(self, token: str, resource_id: str, inputs: Properties) -> Properties:
        """Change a resource and return its outputs.

        Raises:
            AzureError: the resource is gone or Azure would refuse the change.
        """
        kind, schema = self.type_of(token)
        with self.store.transaction():
            make_what_is_due(self.store, self.moment)
            previous = self.store.get(resource_id)
            if previous is None:
                raise not_found(resource_id)
            for change in changes(kind, previous.inputs, self.store.seal(inputs)):
                if matches(change.path.split("[")[0], REFUSED_UPDATES.get(kind.token, ())):
                    raise bad_request(
                        "PropertyChangeNotAllowed",
                        f"Changing property '{change.path}' of {resource_id} is not allowed.",
                    )
            return self._write(token, kind, schema, resource_id, inputs, previous)

    def read(self, resource_id: str) -> StoredResource | None:
        """Return a resource as it stands, or ``None`` when it is gone."""
        return self.store.get(resource_id)

    def delete(self, token: str, resource_id: str) -> None:
        """Delete a resource and all below it; what is gone already is no error.

        Raises:
            AzureError: something still uses it.
        """
        kind, _ = self.type_of(token)
        with self.store.transaction():
            stored = self.store.get(resource_id)
            if stored is None:
                return
            inside = self.store.below(resource_id)
            self._refuse_deletion(kind, stored)
            if stored.arm_type == "microsoft.resources/resourcegroups":
                for item in inside:  # what lives outside the group still blocks
                    refuse_blocked(self.store, item, resource_id)
            for item in [*inside, stored]:
                # A diagnostic setting survives its target and stands in the way of a new one (azurerm#7114).
                if item.arm_type != _DIAGNOSTIC_SETTING or item is stored:
                    self._remove(item)
            if comes_with_its_parent(resource_id):
                reset_to_default(self.store, stored)

    def left_by_programs(self) -> list[str]:
        """Return the ids of resources that some program made and nobody has deleted."""
        return [resource_id for resource_id, token in self.store.all_tokens() if token != MADE_BY_AZURE]

    def kept_by_azure(self) -> list[str]:
        """Return what Azure keeps after everything was deleted: soft-deleted names and what Azure itself made."""
        made = [resource_id for resource_id, token in self.store.all_tokens() if token == MADE_BY_AZURE]
        return describe_deleted(self.store) + made

    def _write(
        self,
        token: str,
        kind: ResourceType,
        schema: ResourceSchema | None,
        resource_id: str,
        inputs: Properties,
        previous: StoredResource | None,
    ) -> Properties:
        plain = unwrap(inputs)
        outputs = echo(schema, inputs, resource_id)
        self._default_location(schema, resource_id, outputs)
        moment = self.moment
        kept = previous.outputs if previous else recovered_outputs(self.store, resource_id, kind.arm_type, moment)
        context = OutputContext(self.store, resource_id, kind, plain, outputs, kept)
        targets = self._require_references(resource_id, plain)
        request = AzureRequest(self.store, resource_id, kind, plain, previous, outputs, moment)
        for rule in rules_before_write(kind.token):
            rule(request)
        complete(context, schema, _OUTPUTS)
        children = own_children(context)
        self._require_own_children(resource_id, plain, children)
        arm_type = arm_type_of(resource_id) if "{" in kind.arm_type else kind.arm_type
        stored_inputs = _hide(inputs, _ALWAYS_SECRET.get(kind.token, ()))
        self.store.put(resource_id, arm_type, token, stored_inputs, context.outputs, children, targets)
        add_made_by_azure(self.store, kind, resource_id, context.outputs, moment)
        note_principals(self.store, kind, context.outputs, moment)
        if previous is None:
            forget_deleted(self.store, resource_id, arm_type)
        return context.outputs

    def _default_location(self, schema: ResourceSchema | None, resource_id: str, outputs: Properties) -> None:
        group = self.store.get(group_of(resource_id) or "")
        declared = schema is not None and "location" in schema.inputs and "location" in schema.outputs
        if declared and group and outputs.get("location") is None:
            outputs["location"] = group.outputs.get("location")

    def _require_parent(self, kind: ResourceType, inputs: Properties) -> None:
        parent = kind.parent_id(inputs, self.subscription)
        if not parent or is_azure_owned(parent) or self.store.exists(parent) or self._elsewhere(parent):
            return
        group = group_of(parent)
        if group and not self.store.exists(group):
            raise AzureError(404, "ResourceGroupNotFound", f"Resource group '{name_of(group)}' could not be found.")
        if parent == group:
            return
        raise AzureError(
            404,
            "ParentResourceNotFound",
            f"Can not perform requested operation on nested resource. Parent resource '{parent}' not found.",
        )

    def _require_references(self, resource_id: str, inputs: Properties) -> set[str]:
        own = resource_id.lower()
        targets: set[str] = set()
        for path, text in strings_in(inputs):
            if not text.lower().startswith("/subscriptions/") or any(sign in text for sign in " \n{*"):
                continue
            if (
                text.lower() == own
                or text.lower().startswith(own + "/")
                or is_azure_owned(text)
                or self._elsewhere(text)
            ):
                continue
            if not self.store.exists(text):
                raise AzureError(
                    404,
                    "InvalidResourceReference",
                    f"Resource {text} referenced by {resource_id} ({path}) was not found.",
                )
            targets.add(text.rstrip("/"))
        return targets

    def _require_own_children(self, resource_id: str, inputs: Properties, children: list[str]) -> None:
        known = {child.lower() for child in children}
        for path, text in strings_in(expand_self(inputs, resource_id)):
            if (
                text.lower().startswith(resource_id.lower() + "/")
                and text.lower() not in known
                and not self.store.exists(text)
            ):
                raise bad_request(
                    "InvalidResourceReference", f"Resource {text} referenced by {resource_id} ({path}) was not found."
                )

    def _elsewhere(self, resource_id: str) -> bool:
        """Tell whether an id lies in another subscription, of which this cloud can say nothing."""
        segments = resource_id.lower().split("/")
        return len(segments) > 2 and segments[1] == "subscriptions" and segments[2] != self.subscription.lower()

    def _refuse_deletion(self, kind: ResourceType, stored: StoredResource) -> None:
        refuse_locked(self.store, stored)
        request = AzureRequest(self.store, stored.id, kind, stored.inputs, stored, moment=self.moment)
        for rule in rules_before_deletion(kind.token):
            rule(request)
        refuse_blocked(self.store, stored, stored.id)
        refuse_nested(self.store, stored)

    def _remove(self, stored: StoredResource) -> None:
        self.store.delete(stored.id)
        keep_deleted(self.store, stored, self.moment)
        remove_made_by_azure(self.store, stored)
        if stored.token != MADE_BY_AZURE:
            forget_principals(self.store, self.type_of(stored.token)[0], stored.outputs)
        if stored.arm_type == _PEERING:
            disconnect_other_side(self.store, stored)


def _hide(value: Value, names: tuple[str, ...]) -> Value:
    if isinstance(value, dict):
        return {
            key: Secret(unwrap(item)) if key in names and isinstance(unwrap(item), str) else _hide(item, names)
            for key, item in value.items()
        }
    return [_hide(item, names) for item in value] if isinstance(value, list) else value


def not_found(resource_id: str) -> AzureError:
    """Return the answer to a request for a resource that is not there."""
    return AzureError(404, "ResourceNotFound", f"The Resource '{resource_id}' was not found.")
