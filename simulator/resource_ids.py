"""Azure Resource Manager ids: how each resource type forms its own, and what an id says.

The forms are data in ``resource_types.json``: the type's name in Resource Manager, the inputs that name the resource
and its
parents in order (``=text`` stands for a fixed name), and where the type is addressed: ``subscription``, ``group``,
``cluster`` and ``parent`` (extension resources whose target is spelled in several inputs), ``scope:<input>`` (extension
resources whose target's id is one input).
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

_DATA: Final = Path(__file__).with_name("resource_types.json")
_GUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_COSMOS_DATA: Final = re.compile(
    r".*/Microsoft\.DocumentDB/databaseAccounts/[^/]+/(dbs/.+|sqlRoleDefinitions/[0-]+[12])", re.IGNORECASE
)
"""Paths of data and built-in roles of Cosmos DB: they look like ids below the account and Resource Manager has none."""


class IdError(ValueError):
    """The inputs do not say enough to form an id."""


@dataclass(frozen=True)
class ResourceType:
    """How one resource type of the SDK is addressed in Resource Manager."""

    token: str
    arm_type: str
    """For example ``Microsoft.Network/virtualNetworks/subnets``; a part in braces is the value of that input."""
    names: tuple[str, ...]
    scope: str
    modelled: bool = True

    @property
    def name_input(self) -> str:
        """The input that holds the resource's own name."""
        return self.names[-1]

    @property
    def address_inputs(self) -> tuple[str, ...]:
        """The inputs that the id is made of; a change of any of them is another resource."""
        scopes = {
            "group": ("resourceGroupName",),
            "cluster": ("resourceGroupName", "clusterRp", "clusterResourceName", "clusterName"),
            "parent": ("resourceGroupName", "parentProviderNamespace", "parentResourceType", "parentResourceName"),
        }
        scope = (self.scope.partition(":")[2],) if self.scope.startswith("scope:") else scopes.get(self.scope, ())
        braces = tuple(re.findall(r"{(\w+)}", self.arm_type))
        return (*scope, *(name for name in self.names if not name.startswith("=")), *braces)

    def form_id(self, inputs: Mapping[str, Any], subscription: str) -> str:
        """Return the id that Azure gives the resource.

        Raises:
            IdError: an input that the id needs is missing or no text.
        """
        arm_type = re.sub(r"{(\w+)}", lambda match: self._text(inputs, match.group(1)), self.arm_type)
        namespace, *segments = arm_type.split("/")
        names = [name[1:] if name.startswith("=") else self._text(inputs, name) for name in self.names]
        path = "/".join(f"{segment}/{name}" for segment, name in zip(segments, names, strict=False))
        if len(segments) > len(names):  # a singleton, such as a storage account's static website
            path = "/".join([path, *segments[len(names) :]])
        if self.arm_type == "Microsoft.Resources/resourceGroups":
            return f"/subscriptions/{subscription}/{path}"
        return f"{self._scope(inputs, subscription)}/providers/{namespace}/{path}"

    def parent_id(self, inputs: Mapping[str, Any], subscription: str) -> str | None:
        """Return the id that must exist before this resource: its parent, the extended resource or its group."""
        namespace, *segments = self.arm_type.split("/")
        if self.arm_type == "Microsoft.Resources/resourceGroups":
            return None
        if len(segments) > 1:
            names = self.names if len(self.names) < len(segments) else self.names[:-1]
            parent = ResourceType(self.token, "/".join([namespace, *segments[:-1]]), names, self.scope)
            return parent.form_id(inputs, subscription)
        scope = self._scope(inputs, subscription)
        return None if self.scope == "subscription" else scope

    def _scope(self, inputs: Mapping[str, Any], subscription: str) -> str:
        if self.scope == "subscription":
            return f"/subscriptions/{subscription}"
        if self.scope.startswith("scope:"):
            return "/" + self._text(inputs, self.scope.partition(":")[2]).strip("/")
        group = f"/subscriptions/{subscription}/resourceGroups/{self._text(inputs, 'resourceGroupName')}"
        if self.scope == "cluster":
            parts = [self._text(inputs, name) for name in ("clusterRp", "clusterResourceName", "clusterName")]
            return f"{group}/providers/{'/'.join(parts)}"
        if self.scope == "parent":
            names = ("parentProviderNamespace", "parentResourceType", "parentResourceName")
            return f"{group}/providers/{'/'.join(self._text(inputs, name) for name in names)}"
        return group

    def _text(self, inputs: Mapping[str, Any], name: str) -> str:
        value = inputs.get(name)
        if not isinstance(value, str) or not value:
            raise IdError(f"{self.token}: '{name}' is needed to address the resource and is missing")
        return value


@functools.cache
def modelled_types() -> Mapping[str, ResourceType]:
    """Return the types of the data file by ``module:Class``."""
    table: dict[str, Any] = json.loads(_DATA.read_text())
    return {
        token: ResourceType(token, entry["arm"], tuple(entry["names"]), entry["scope"])
        for token, entry in table.items()
    }


def resource_type(token: str, input_names: Mapping[str, Any]) -> ResourceType:
    """Return how a type token is addressed; a type outside the data file gets a generic form from its inputs.

    The generic form is ``<scope or group>/providers/Microsoft.<Module>/<class>/<name>``, which is what most of
    Azure looks
    like and no more than a guess: ``modelled`` is false then.
    """
    _, module, class_name = token.split(":", 2)
    short = f"{module.split('/')[0]}:{class_name}"
    if short in modelled_types():
        return modelled_types()[short]
    own = f"{class_name[0].lower()}{class_name[1:]}"
    candidates = [name for name in input_names if name.lower() == f"{own}name".lower()]
    candidates += [
        name for name in input_names if name.endswith("Name") and name not in ("resourceGroupName", "displayName")
    ]
    name_input = candidates[0] if candidates else "name"
    scope = "group" if "resourceGroupName" in input_names else "subscription"
    scope = next((f"scope:{name}" for name in ("scope", "resourceUri") if name in input_names), scope)
    return ResourceType(short, f"Microsoft.{module.split('/')[0].capitalize()}/{own}s", (name_input,), scope, False)


def arm_type_of(resource_id: str) -> str:
    """Return the Resource Manager type of an id, for example ``Microsoft.Network/virtualNetworks/subnets``."""
    _, separator, after = resource_id.rpartition("/providers/")
    if not separator:
        segments = resource_id.strip("/").split("/")
        return "Microsoft.Resources/resourceGroups" if len(segments) == 4 else "Microsoft.Resources/subscriptions"
    namespace, *rest = after.split("/")
    return "/".join([namespace, *rest[0::2]])


def name_of(resource_id: str) -> str:
    """Return the last name in an id."""
    return resource_id.rstrip("/").rsplit("/", 1)[-1]


def group_of(resource_id: str) -> str | None:
    """Return the id of the resource group that an id lies in."""
    match = re.match(r"/subscriptions/[^/]+/resourceGroups/[^/]+", resource_id, re.IGNORECASE)
    return match.group(0) if match else None


def is_azure_owned(resource_id: str) -> bool:
    """Tell whether an id names something that Azure itself brings: a subscription, a built-in role or policy."""
    segments = resource_id.strip("/").split("/")
    if len(segments) <= 2 and segments[0].lower() == "subscriptions":
        return True
    if _COSMOS_DATA.fullmatch(resource_id):
        return True
    kind = arm_type_of(resource_id).lower()
    if kind == "microsoft.authorization/roledefinitions" or "/locations/" in resource_id.lower():
        return _GUID.fullmatch(name_of(resource_id)) is not None or "/locations/" in resource_id.lower()
    return not resource_id.lower().startswith("/subscriptions/")


def is_guid(text: str) -> bool:
    """Tell whether a text is a GUID."""
    return _GUID.fullmatch(text) is not None
