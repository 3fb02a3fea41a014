"""All rules of all services, in the order in which they speak."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from typing import Final

from simulator.azure_errors import Rule
from simulator.behaviour_access import ACCESS_WRITES
from simulator.behaviour_cluster import CLUSTER_DELETIONS, CLUSTER_WRITES
from simulator.behaviour_cluster_network import CLUSTER_NETWORK_WRITES
from simulator.behaviour_firewall import FIREWALL_WRITES
from simulator.behaviour_front_door import FRONT_DOOR_DELETIONS, FRONT_DOOR_WRITES
from simulator.behaviour_gateway import GATEWAY_WRITES
from simulator.behaviour_key_vault import KEY_VAULT_DELETIONS, KEY_VAULT_WRITES
from simulator.behaviour_monitoring import MONITORING_WRITES
from simulator.behaviour_network import NETWORK_DELETIONS, NETWORK_WRITES
from simulator.behaviour_storage import STORAGE_WRITES
from simulator.behaviour_subscription import refuse_unregistered
from simulator.behaviour_workload import WORKLOAD_WRITES

Table = Mapping[str, tuple[Rule, ...]]

_WRITES: Final[tuple[Table, ...]] = (
    NETWORK_WRITES,
    FIREWALL_WRITES,
    FRONT_DOOR_WRITES,
    ACCESS_WRITES,
    MONITORING_WRITES,
    GATEWAY_WRITES,
    CLUSTER_WRITES,
    CLUSTER_NETWORK_WRITES,
    WORKLOAD_WRITES,
    KEY_VAULT_WRITES,
    STORAGE_WRITES,
)
_DELETIONS: Final[tuple[Table, ...]] = (
    NETWORK_DELETIONS,
    FRONT_DOOR_DELETIONS,
    CLUSTER_DELETIONS,
    KEY_VAULT_DELETIONS,
)


def rules_before_write(token: str) -> list[Rule]:
    """Return the rules for a write of a type, by ``module:Class``; the first holds for every type."""
    return [refuse_unregistered, *_rules(_WRITES, token)]


def rules_before_deletion(token: str) -> list[Rule]:
    """Return the rules for a deletion of a type, by ``module:Class``."""
    return _rules(_DELETIONS, token)


def _rules(tables: tuple[Table, ...], token: str) -> list[Rule]:
    return list(chain.from_iterable(table.get(token, ()) for table in tables))
