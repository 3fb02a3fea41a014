"""How much a subscription may have in a region: public addresses, virtual networks and the vCPUs of AKS nodes.

Azure counts by subscription and region. The limits of ``region_offers.json`` are generous; a cloud may have others.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from simulator.azure_errors import AzureRequest, Rule, bad_request
from simulator.behaviour.facts import read_fact, set_fact
from simulator.behaviour.offers import region_name, region_offers
from simulator.cloud_store import CloudStore

CORES: Final = "cores"
"""The vCPUs of all VM families together."""
PUBLIC_ADDRESSES: Final = "publicIPAddresses"
VIRTUAL_NETWORKS: Final = "virtualNetworks"
_SIZE: Final = re.compile(r"Standard_([A-Z]+)(\d+)(?:-(\d+))?([a-z]*)((?:_[A-Z]\w*)*?)(_v\d+)?", re.IGNORECASE)


def set_quota(store: CloudStore, region: str, name: str, limit: int | None) -> None:
    """Give a region of this cloud a limit of its own; ``None`` takes it away.

    ``name`` is ``cores``, ``publicIPAddresses``, ``virtualNetworks`` or a VM family such as ``standardDDSv5Family``.
    """
    set_fact(store, f"quota:{region}:{name.lower()}", None if limit is None else str(limit))


def quota(store: CloudStore, region: str, name: str) -> int:
    """Return a limit."""
    own = read_fact(store, f"quota:{region}:{name.lower()}")
    table: Mapping[str, int] = region_offers()["quotas"]
    return int(own) if own is not None else table.get(name, table["family"])


def family_of(size: str) -> str:
    """Return the family that a VM size is counted in, for example ``standardDDSv5Family`` for ``Standard_D4ds_v5``."""
    match = _SIZE.fullmatch(size)
    if match is None:
        return "unknown"
    series, _, _, features, accelerator, version = match.groups()
    return f"standard{series.upper()}{features.upper()}{accelerator}{version or ''}Family".replace("_", "")


def cores_of(size: str) -> int:
    """Return the vCPUs of a VM size, which its name tells; 0 when it does not."""
    match = _SIZE.fullmatch(size)
    return int(match.group(3) or match.group(2)) if match else 0


def nodes_of(pool: Mapping[str, Any]) -> int:
    """Return how many nodes a pool is made with."""
    return int(pool.get("count") or pool.get("minCount") or 1)


def _counted(arm_type: str, name: str, code: str, noun: str) -> Rule:
    def rule(request: AzureRequest) -> None:
        if request.previous:
            return
        region, store = region_name(request.outputs.get("location")), request.store
        limit = quota(store, region, name)
        count = "SELECT count(*) FROM resources WHERE arm_type = ?"
        if store.connection.execute(count, (arm_type.lower(),)).fetchone()[0] < limit:
            return  # the region cannot have more than the subscription
        if sum(region_name(item.outputs.get("location")) == region for item in store.of_type(arm_type)) >= limit:
            raise bad_request(
                code, f"Cannot create more than {limit} {noun} for this subscription in this region ({region})."
            )

    return rule


def _pools(store: CloudStore, region: str, without: str) -> Iterator[Mapping[str, Any]]:
    """Yield all pools of a region but those of one resource."""
    clusters = store.of_type("Microsoft.ContainerService/managedClusters")
    there = {item.id.lower(): item for item in clusters if region_name(item.outputs.get("location")) == region}
    for cluster_id, cluster in there.items():
        if cluster_id != without.lower():
            yield from cluster.inputs.get("agentPoolProfiles") or []
    for pool in store.of_type("Microsoft.ContainerService/managedClusters/agentPools"):
        if pool.id.lower() != without.lower() and pool.id.lower().rsplit("/agentpools/", 1)[0] in there:
            yield pool.inputs


def _cores(pools: Iterable[Mapping[str, Any]], family: str | None) -> int:
    return sum(
        nodes_of(pool) * cores_of(str(pool.get("vmSize")))
        for pool in pools
        if family is None or family_of(str(pool.get("vmSize"))) == family
    )


def _refuse_cores(request: AzureRequest, region: str, wanted: list[Mapping[str, Any]]) -> None:
    before = request.previous.inputs if request.previous else {}
    former = list(before.get("agentPoolProfiles") or []) or ([before] if before.get("vmSize") else [])
    others = list(_pools(request.store, region, request.id))
    for family in (None, *sorted({family_of(str(pool.get("vmSize"))) for pool in wanted} - {"unknown"})):
        more = _cores(wanted, family) - _cores(former, family)
        left = quota(request.store, region, family or CORES) - _cores(others, family) - _cores(former, family)
        if more > max(left, 0) and family is None:
            raise bad_request(
                "ErrCode_InsufficientVCPUQuota",
                f"Insufficient regional vcpu quota left for location {region}. left regional vcpu quota {max(left, 0)},"
                f" requested quota {more}. If you want to increase the quota, please follow this instruction: "
                "https://learn.microsoft.com/azure/quotas/view-quotas",
            )
        if more > max(left, 0):
            raise bad_request(
                "ErrCode_InsufficientVCPUQuota",
                f"Insufficient vcpu quota requested {more}, remaining {max(left, 0)} for family {family} for region "
                f"{region}. Surge nodes would also consume vcpu quota.",
            )


def _cluster_cores(request: AzureRequest) -> None:
    pools = list(request.inputs.get("agentPoolProfiles") or [])
    _refuse_cores(request, region_name(request.outputs.get("location")), pools)


def _pool_cores(request: AzureRequest) -> None:
    cluster = request.store.get(request.id.rsplit("/agentPools/", 1)[0])
    if cluster:
        _refuse_cores(request, region_name(cluster.outputs.get("location")), [request.inputs])


QUOTA_WRITES: Final[Mapping[str, tuple[Rule, ...]]] = {
    "containerservice:AgentPool": (_pool_cores,),
    "containerservice:ManagedCluster": (_cluster_cores,),
    "network:PublicIPAddress": (
        _counted(
            "Microsoft.Network/publicIPAddresses", PUBLIC_ADDRESSES, "PublicIPCountLimitReached", "public IP addresses"
        ),
    ),
    "network:VirtualNetwork": (
        _counted("Microsoft.Network/virtualNetworks", VIRTUAL_NETWORKS, "VnetCountLimitReached", "virtual networks"),
    ),
}
"""Rules before a write, by ``module:Class``."""
