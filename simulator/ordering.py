"""The order that Azure itself forces on creations, and the shortest time in which it lets them be done.

Reads the rules of ``ordering.json`` and what stands in the cloud; the program's own dependencies play no part.
"""

from __future__ import annotations

import functools
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from simulator.cloud_store import CloudStore, StoredResource
from simulator.latency import seconds_for, short_token
from simulator.operations import busy_key
from simulator.protocol_values import strings_in

ORDERING_FILE: Final = Path(__file__).with_name("ordering.json")
_ROLE_ASSIGNMENT: Final = "authorization:RoleAssignment"


@dataclass(frozen=True)
class LowerBound:
    """The shortest possible makespan in seconds, and the chain of resource ids that forces it."""

    seconds: float
    chain: tuple[str, ...]


class Ordering:
    """What has to wait for what among the resources that were created."""

    def __init__(self, store: CloudStore, created: Iterable[str]) -> None:
        self._store = store
        found = [store.get(resource_id) for resource_id in created]
        self._resources: dict[str, StoredResource] = {item.id.lower(): item for item in found if item}
        self._by_token: dict[str, list[str]] = defaultdict(list)
        for key, item in self._resources.items():
            self._by_token[short_token(item.token)].append(key)
        self._referred = {key: self._owners_of_targets(item) for key, item in self._resources.items()}
        self._roles = self._roles_by_principal()
        self._identities: dict[str, set[str]] = defaultdict(set)
        for key, item in self._resources.items():
            if principal := _principal_of(item):
                self._identities[principal].add(key)

    def forced(self) -> dict[str, set[str]]:
        """Return, by lower-cased id, the resources that Azure makes each resource wait for."""
        waits: dict[str, set[str]] = {}
        for key, item in self._resources.items():
            found = self._containment(item) | self._references(item) | self._principal(item)
            for rule in _rules_for(short_token(item.token)):
                found |= self._extra[rule](self, item)
            waits[key] = {other for other in found if other in self._resources and other != key}
        return waits

    def lower_bound(self) -> LowerBound:
        """Return the longest path, or a busier queue of writes that go one at a time."""
        waits = self.forced()
        after = _reversed(waits)
        length = {key: seconds_for(item.token, "create") for key, item in self._resources.items()}
        queues = self._queues()
        heads = _longest(waits, length, queues)
        tails = _longest(after, length, queues)
        best = LowerBound(0, ())
        for key in self._resources:
            if heads[key] > best.seconds:
                best = LowerBound(heads[key], tuple(self._resources[step].id for step in _path(key, waits, heads)))
        for queue in queues:
            seconds = (
                min(heads[key] - length[key] for key in queue)
                + sum(length[key] for key in queue)
                + min(tails[key] - length[key] for key in queue)
            )
            if seconds > best.seconds:
                best = LowerBound(
                    seconds, tuple(self._resources[key].id for key in sorted(queue, key=heads.__getitem__))
                )
        return best

    def _queues(self) -> list[frozenset[str]]:
        """Return the resources whose writes go one at a time, one set for each queue."""
        queues: dict[str, set[str]] = defaultdict(set)
        for key, item in self._resources.items():
            if (busy := busy_key(key)) is not None:
                queues[self._root_policy(busy)].add(key)
            if short_token(item.token) == "network:AzureFirewall":
                for policy in self._policies_of(item):
                    queues[self._root_policy(policy)].add(key)
        return [frozenset(queue) for queue in queues.values() if len(queue) > 1]

    def _policies_of(self, firewall: StoredResource) -> set[str]:
        return {key for key in self._references(firewall) if "/firewallpolicies/" in key}

    def _root_policy(self, key: str) -> str:
        """Return the policy from which another inherits; any other id as it is."""
        stored = self._store.get(key) if "/firewallpolicies/" in key else None
        base = (stored.inputs.get("basePolicy") or {}).get("id") if stored else None
        return self._root_policy(str(base).lower()) if base else key

    def _containment(self, item: StoredResource) -> set[str]:
        parent = item.id.lower().rpartition("/")[0]
        while parent:
            if parent in self._resources:
                return {parent}
            parent = parent.rpartition("/")[0]
        return set()

    def _references(self, item: StoredResource) -> set[str]:
        return self._referred.get(item.id.lower(), set())

    def _owners_of_targets(self, item: StoredResource) -> set[str]:
        found: set[str] = set()
        for target in self._store.targets_of(item.id):
            owner = self._store.owner_of(target)
            found.add(owner.id.lower() if owner else target)
        return found

    def _roles_by_principal(self) -> Mapping[str, set[str]]:
        roles: dict[str, set[str]] = defaultdict(set)
        for key in self._by_token[_ROLE_ASSIGNMENT]:
            roles[str(self._resources[key].inputs.get("principalId"))].add(key)
        return roles

    def _principal(self, item: StoredResource) -> set[str]:
        if short_token(item.token) != _ROLE_ASSIGNMENT:
            return set()
        return self._identities.get(str(item.inputs.get("principalId")), set())

    def _roles_of_identities(self, item: StoredResource) -> set[str]:
        named = {key for key in self._references(item) if key in self._resources}
        principals = {_principal_of(self._resources[key]) for key in named}
        return set().union(*(self._roles.get(principal, set()) for principal in principals if principal))

    def _egress(self, item: StoredResource) -> set[str]:
        """Return firewalls, rules and peerings on the way out, found from the route table of the cluster's subnets."""
        if (item.inputs.get("networkProfile") or {}).get("outboundType") != "userDefinedRouting":
            return set()
        spokes = {key for key in self._references(item) if key in self._by_token["network:VirtualNetwork"]}
        peerings = {
            key
            for key in self._by_token["network:VirtualNetworkPeering"]
            if any(key.startswith(spoke + "/") for spoke in spokes) or spokes & self._references(self._resources[key])
        }
        hubs = {
            other
            for key in peerings
            for other in self._references(self._resources[key]) | self._containment(self._resources[key])
        } - spokes
        firewalls = {
            key for key in self._by_token["network:AzureFirewall"] if hubs & self._references(self._resources[key])
        }
        policies = {other for key in firewalls for other in self._references(self._resources[key])}
        policies |= {
            other for key in policies if key in self._resources for other in self._references(self._resources[key])
        }
        groups = {
            key
            for key in self._by_token["network:FirewallPolicyRuleCollectionGroup"]
            if any(key.startswith(policy + "/") for policy in policies)
        }
        return peerings | firewalls | groups

    def _policy_rules(self, item: StoredResource) -> set[str]:
        policies = self._policies_of(item)
        policies |= {self._root_policy(policy) for policy in policies}
        return {
            key
            for key in self._by_token["network:FirewallPolicyRuleCollectionGroup"]
            if any(key.startswith(policy + "/") for policy in policies)
        }

    def _untainted_pools(self, item: StoredResource) -> set[str]:
        cluster = item.id.lower().split("/providers/microsoft.kubernetesconfiguration/")[0]
        return {
            key
            for key in self._by_token["containerservice:AgentPool"]
            if key.startswith(cluster + "/") and not self._resources[key].inputs.get("nodeTaints")
        }

    def _vault_endpoint(self, item: StoredResource) -> set[str]:
        hosts = {text.split("/")[2].split(".")[0].lower() for _, text in strings_in(item.inputs) if ".vault." in text}
        vaults = {key for key in self._by_token["keyvault:Vault"] if key.rsplit("/", 1)[1] in hosts}
        endpoints = {
            key for key in self._by_token["network:PrivateEndpoint"] if vaults & self._references(self._resources[key])
        }
        groups = {
            key
            for key in self._by_token["network:PrivateDnsZoneGroup"]
            if any(key.startswith(endpoint + "/") for endpoint in endpoints)
        }
        zones = {zone for key in groups for zone in self._references(self._resources[key])}
        links = {
            key
            for key in self._by_token["privatedns:VirtualNetworkLink"]
            if any(key.startswith(zone + "/") for zone in zones)
        }
        secrets = {
            key for key in self._by_token["keyvault:Secret"] if any(key.startswith(vault + "/") for vault in vaults)
        }
        return endpoints | groups | links | secrets

    def _extension(self, item: StoredResource) -> set[str]:
        cluster = item.id.lower().split("/providers/microsoft.kubernetesconfiguration/")[0]
        return {key for key in self._by_token["kubernetesconfiguration:Extension"] if key.startswith(cluster + "/")}

    def _origin(self, item: StoredResource) -> set[str]:
        groups = self._references(item)
        return {key for key in self._by_token["cdn:AFDOrigin"] if any(key.startswith(group + "/") for group in groups)}

    _extra: Final[Mapping[str, Callable[[Ordering, StoredResource], set[str]]]] = {
        "roles of its identities": _roles_of_identities,
        "egress": _egress,
        "vault endpoint": _vault_endpoint,
        "extension": _extension,
        "pools without a taint": _untainted_pools,
        "rules of its policy": _policy_rules,
        "origin": _origin,
    }


@functools.cache
def _rules_for(token: str) -> tuple[str, ...]:
    table: Mapping[str, Any] = json.loads(ORDERING_FILE.read_text())
    return tuple(str(rule["for"]) for rule in table["waits"] if rule["token"] == token)


def _principal_of(item: StoredResource) -> str | None:
    value = item.outputs.get("principalId") or item.outputs.get("objectId")
    is_assignment = short_token(item.token) == _ROLE_ASSIGNMENT
    return str(value) if value and not is_assignment else None


def _reversed(waits: Mapping[str, set[str]]) -> dict[str, set[str]]:
    after: dict[str, set[str]] = {key: set() for key in waits}
    for key, earlier in waits.items():
        for other in earlier:
            after[other].add(key)
    return after


def _longest(
    before: Mapping[str, set[str]], length: Mapping[str, float], queues: Sequence[frozenset[str]]
) -> dict[str, float]:
    """Return for each resource the shortest time from the beginning to its own end.

    What it waits for ends one after the other where Azure writes one at a time, side by side elsewhere.
    """

    @functools.cache
    def ancestors(key: str) -> frozenset[str]:
        return frozenset(before[key]).union(*(ancestors(other) for other in before[key]))

    @functools.cache
    def end(key: str) -> float:
        start = max((end(other) for other in before[key]), default=0.0)
        for queue in queues:
            if earlier := queue & ancestors(key):
                first = min(end(other) - length[other] for other in earlier)
                start = max(start, first + sum(length[other] for other in earlier))
        return start + length[key]

    return {key: end(key) for key in before}


def _path(last: str, waits: Mapping[str, set[str]], ends: Mapping[str, float]) -> list[str]:
    path = [last]
    while earlier := waits[path[0]]:
        path.insert(0, max(earlier, key=ends.__getitem__))
    return path
