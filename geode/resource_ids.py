"""The ids that Azure will give to the resources of this program, formed from their inputs as the provider forms them.

The forms are data in `resource_ids.json`: the type in Resource Manager, the inputs that name the resource and its
parents in order (`=text` is a fixed name), and the scope: `subscription`, `group`, `cluster`, or `scope:<input>` for
what extends another resource. An id that Azure or Entra draws at random has no form.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from foundation.arm_ids import resource_group_id, subscription_scope

_DATA: Final = Path(__file__).with_name("resource_ids.json")
_GROUP_INPUT: Final = "resourceGroupName"
_CLUSTER_INPUTS: Final = ("clusterRp", "clusterResourceName", "clusterName")


@dataclass(frozen=True)
class IdForm:
    """How the ids of one type are made."""

    type: str
    names: tuple[str, ...]
    scope: str

    @property
    def inputs(self) -> tuple[str, ...]:
        """The inputs that the id needs."""
        scopes: dict[str, tuple[str, ...]] = {"group": (_GROUP_INPUT,), "cluster": (_GROUP_INPUT, *_CLUSTER_INPUTS)}
        scope = (self._target,) if self._target else scopes.get(self.scope, ())
        own = tuple(name for name in self.names if not name.startswith("="))
        return (*scope, *own, *re.findall(r"{(\w+)}", self.type))

    def id(self, values: Mapping[str, str], subscription_id: str) -> str:
        """Return the id. `values` holds all of `inputs`.

        Raises:
            KeyError: an input is missing.
        """
        namespace, *kinds = re.sub(r"{(\w+)}", lambda match: values[match[1]], self.type).split("/")
        names = [name[1:] if name.startswith("=") else values[name] for name in self.names]
        if self.type.lower() == "microsoft.resources/resourcegroups":
            return resource_group_id(subscription_id, names[0])
        path = [part for pair in zip(kinds, names, strict=False) for part in pair]
        # What exists once for its parent, such as a storage account's static website, has no name of its own.
        return "/".join([self._scope(values, subscription_id), "providers", namespace, *path, *kinds[len(names) :]])

    @property
    def _target(self) -> str:
        return self.scope.partition(":")[2]

    def _scope(self, values: Mapping[str, str], subscription_id: str) -> str:
        if self._target:
            return f"/{values[self._target].strip('/')}"
        if self.scope == "subscription":
            return subscription_scope(subscription_id)
        group = resource_group_id(subscription_id, values[_GROUP_INPUT])
        if self.scope == "cluster":
            return "/".join([group, "providers", *(values[name] for name in _CLUSTER_INPUTS)])
        return group


@functools.cache
def id_forms() -> Mapping[str, IdForm]:
    """Return the forms by `module:Class`."""
    table = json.loads(_DATA.read_text(encoding="utf-8"))
    return {token: IdForm(entry["type"], tuple(entry["names"]), entry["scope"]) for token, entry in table.items()}


def id_form(token: str) -> IdForm | None:
    """Return the form of a type such as `azure-native:network:VirtualNetwork`; None when its ids cannot be formed."""
    provider, module, name = token.split(":", 2)
    return id_forms().get(f"{module.split('/')[0]}:{name}") if provider == "azure-native" else None
