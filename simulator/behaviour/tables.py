"""All rules of all services, in the order in which they speak."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from typing import Final

from simulator.azure_errors import Rule
from simulator.behaviour.access import ACCESS_WRITES
from simulator.behaviour.cluster import CLUSTER_DELETIONS, CLUSTER_WRITES
from simulator.behaviour.cluster_network import CLUSTER_NETWORK_WRITES
from simulator.behaviour.cluster_offers import CLUSTER_OFFER_WRITES
from simulator.behaviour.database import DATABASE_WRITES
from simulator.behaviour.firewall import FIREWALL_WRITES
from simulator.behaviour.fleet_manager import FLEET_MANAGER_WRITES
from simulator.behaviour.front_door import FRONT_DOOR_DELETIONS, FRONT_DOOR_WRITES
from simulator.behaviour.gateway import GATEWAY_WRITES
from simulator.behaviour.identity import IDENTITY_DELETIONS, IDENTITY_WRITES
from simulator.behaviour.key_vault import KEY_VAULT_DELETIONS, KEY_VAULT_WRITES
from simulator.behaviour.monitoring import MONITORING_WRITES
from simulator.behaviour.network import NETWORK_DELETIONS, NETWORK_WRITES
from simulator.behaviour.offers import refuse_unknown_place
from simulator.behaviour.peering import PEERING_WRITES
from simulator.behaviour.quotas import QUOTA_WRITES
from simulator.behaviour.resource_names import RESOURCE_NAME_WRITES, refuse_invalid_name
from simulator.behaviour.soft_delete import SOFT_DELETE_WRITES
from simulator.behaviour.storage import STORAGE_WRITES
from simulator.behaviour.subscription import refuse_unregistered
from simulator.behaviour.workload import WORKLOAD_WRITES

Table = Mapping[str, tuple[Rule, ...]]

_WRITES: Final[tuple[Table, ...]] = (
    RESOURCE_NAME_WRITES,
    SOFT_DELETE_WRITES,
    NETWORK_WRITES,
    PEERING_WRITES,
    IDENTITY_WRITES,
    FIREWALL_WRITES,
    FRONT_DOOR_WRITES,
    ACCESS_WRITES,
    MONITORING_WRITES,
    GATEWAY_WRITES,
    CLUSTER_WRITES,
    CLUSTER_OFFER_WRITES,
    CLUSTER_NETWORK_WRITES,
    FLEET_MANAGER_WRITES,
    WORKLOAD_WRITES,
    KEY_VAULT_WRITES,
    STORAGE_WRITES,
    DATABASE_WRITES,
    QUOTA_WRITES,
)
_DELETIONS: Final[tuple[Table, ...]] = (
    NETWORK_DELETIONS,
    FRONT_DOOR_DELETIONS,
    CLUSTER_DELETIONS,
    IDENTITY_DELETIONS,
    KEY_VAULT_DELETIONS,
)


def rules_before_write(token: str) -> list[Rule]:
    """Return the rules for a write of a type, by ``module:Class``; the first three hold for every type."""
    return [refuse_unregistered, refuse_unknown_place, refuse_invalid_name, *_rules(_WRITES, token)]


def rules_before_deletion(token: str) -> list[Rule]:
    """Return the rules for a deletion of a type, by ``module:Class``."""
    return _rules(_DELETIONS, token)


def _rules(tables: tuple[Table, ...], token: str) -> list[Rule]:
    return list(chain.from_iterable(table.get(token, ()) for table in tables))
