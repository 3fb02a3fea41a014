"""Changes that nobody's program makes: a hand in the portal, the autoscaler, Azure's own upgrades.

For tests of drift. Each function writes to the cloud directly, past the rules for requests.
"""

from __future__ import annotations

import copy
import re
from typing import Any

from simulator.cloud_store import CloudStore, StoredResource
from simulator.protocol_values import Properties, Value


class OutsideChangeError(Exception):
    """The change does not fit what is in the cloud; the text says which part."""


def set_property(store: CloudStore, resource_id: str, path: str, value: Value) -> None:
    """Set one property of a resource, for example ``tags.owner`` or ``securityRules[0].access``.

    Raises:
        OutsideChangeError: there is no such resource, or the path leads nowhere.
    """
    stored = _existing(store, resource_id)
    inputs, outputs = copy.deepcopy(stored.inputs), copy.deepcopy(stored.outputs)
    for values in (inputs, outputs):
        _set(values, path, value)
    _write(store, stored, inputs, outputs)


def delete(store: CloudStore, resource_id: str) -> None:
    """Delete a resource and what lies below it, whatever uses it.

    Raises:
        OutsideChangeError: there is no such resource.
    """
    stored = _existing(store, resource_id)
    with store.transaction():
        for item in [*store.below(resource_id), stored]:
            store.delete(item.id)


def scale_pool(store: CloudStore, cluster_id: str, pool: str, count: int) -> None:
    """Do what the cluster autoscaler does: change a pool's number of nodes, within its limits.

    Raises:
        OutsideChangeError: there is no such pool, it does not scale by itself, or the count is outside its limits.
    """
    own = store.get(f"{cluster_id}/agentPools/{pool}")
    cluster = _existing(store, cluster_id)
    profiles = cluster.outputs.get("agentPoolProfiles") or []
    found: dict[str, Any] | None = own.outputs if own else next((p for p in profiles if p.get("name") == pool), None)
    if found is None:
        raise OutsideChangeError(f"cluster {cluster_id} has no pool {pool}")
    if not found.get("enableAutoScaling"):
        raise OutsideChangeError(f"pool {pool} has no autoscaler")
    if not found["minCount"] <= count <= found["maxCount"]:
        raise OutsideChangeError(f"the autoscaler keeps {pool} between {found['minCount']} and {found['maxCount']}")
    if own:
        set_property(store, own.id, "count", count)
    else:
        position = [profile.get("name") for profile in profiles].index(pool)
        set_property(store, cluster_id, f"agentPoolProfiles[{position}].count", count)


def _existing(store: CloudStore, resource_id: str) -> StoredResource:
    stored = store.get(resource_id)
    if stored is None:
        raise OutsideChangeError(f"there is no resource {resource_id}")
    return stored


def _write(store: CloudStore, stored: StoredResource, inputs: Properties, outputs: Properties) -> None:
    with store.transaction():
        store.update_values(stored.id, inputs, outputs)


def _set(values: Properties, path: str, value: Value) -> None:
    steps: list[str | int] = [int(step) if step.isdigit() else step for step in re.findall(r"[^.\[\]]+", path)]
    place: Any = values
    for step in steps[:-1]:
        if isinstance(place, dict) and isinstance(step, str):
            place = place.setdefault(step, {})
        elif isinstance(place, list) and isinstance(step, int) and step < len(place):
            place = place[step]
        else:
            raise OutsideChangeError(f"the path {path} leads nowhere at {step!r}")
    last = steps[-1]
    if isinstance(place, list) and (not isinstance(last, int) or last >= len(place)):
        raise OutsideChangeError(f"the path {path} leads nowhere at {last!r}")
    if value is None and isinstance(place, dict):
        place.pop(last, None)
    else:
        place[last] = value
