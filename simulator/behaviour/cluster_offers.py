"""What AKS refuses because the region does not offer it, and how Kubernetes versions may follow each other."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from simulator.azure_errors import AzureRequest, Rule, bad_request
from simulator.behaviour.offers import is_retired, region_name, region_offers, withheld, zones_of

_SIZE_NAME: Final = re.compile(r"(Standard|Basic)_[A-Z]\w*", re.IGNORECASE)
_SEE_VERSIONS: Final = (
    "Please use [az aks get-versions] command to get the supported version list in this region. For more information, "
    "please check https://aka.ms/supported-version-list"
)
_OLDEST_POOL: Final = 3
"""How many minor versions a pool may be behind its cluster (multiple node pools page)."""


def _minor(version: object) -> int | None:
    match = re.match(r"1\.(\d+)(\.|$)", str(version or ""))
    return int(match.group(1)) if match else None


def _offered(request: AzureRequest, region: str, version: object, plan: str) -> None:
    if not version:
        return
    table: Mapping[str, Sequence[str]] = region_offers()["kubernetes"]
    minor = ".".join(str(version).split(".")[:2])
    names = {minor, str(version)} & withheld(request.store, region)
    if not names and minor in table["standard"]:
        return
    if not names and minor in table["longTermSupport"]:
        if plan == "AKSLongTermSupport":
            return
        raise bad_request(
            "K8sVersionNotSupported",
            f"Managed cluster {request.name} is on version {version}, which is only available for Long-Term Support "
            "(LTS). If you intend to onboard to LTS, please ensure the cluster is in Premium tier and LTS support plan "
            f"(see https://aka.ms/aks/enable-lts). Otherwise: {_SEE_VERSIONS}",
        )
    raise bad_request(
        "K8sVersionNotSupported",
        f"Managed cluster {request.name} is on version {version} which is not supported in this region. "
        f"{_SEE_VERSIONS}",
    )


def _step(request: AzureRequest, name: str) -> None:
    """Refuse a step back and one over a minor version (AKS upgrade page)."""
    before = _minor(request.previous.inputs.get(name)) if request.previous else None
    after = _minor(request.inputs.get(name))
    if before is None or after is None or before <= after <= before + 1:
        return
    raise bad_request(
        "OperationNotAllowed",
        f"Upgrading Kubernetes version 1.{before} to {request.inputs.get(name)} is not allowed. Available upgrades: "
        f"1.{before + 1}. A minor version cannot be skipped, and there is no way back.",
    )


def _pool_beside_cluster(pool: Mapping[str, Any], cluster_version: object) -> None:
    own, control = _minor(pool.get("orchestratorVersion")), _minor(cluster_version)
    if own is not None and control is not None and not control - _OLDEST_POOL <= own <= control:
        raise bad_request(
            "NodePoolMcVersionIncompatible",
            f"Node pool version {pool.get('orchestratorVersion')} and control plane version {cluster_version} are "
            "incompatible. The node pool must not be newer, nor more than three minor versions older.",
        )


def _size_and_zones(request: AzureRequest, region: str, pool: Mapping[str, Any], name: str) -> None:
    missing = withheld(request.store, region)
    size = str(pool.get("vmSize") or "Standard_D2s_v3")
    if not _SIZE_NAME.fullmatch(size) or is_retired(size) or size.lower() in missing:
        raise bad_request(
            "BadRequest",
            f"The VM size of {size} is not allowed in your subscription in location '{region}'. For more details, "
            "please visit https://aka.ms/aks/quotas-skus-regions",
        )
    there = [zone for zone in zones_of(region) if f"zone:{zone}" not in missing]
    wanted = [str(zone) for zone in pool.get("availabilityZones") or []]
    if wanted and not set(wanted) <= set(there):
        raise bad_request(
            "AvailabilityZoneNotSupported",
            f"The zone(s) '{','.join(zone for zone in wanted if zone not in there)}' for resource '{name}' is not "
            f"supported. The supported zones for location '{region}' are '{','.join(there)}'.",
        )


def _cluster_offer(request: AzureRequest) -> None:
    region = region_name(request.outputs.get("location"))
    version = request.inputs.get("kubernetesVersion")
    before = request.previous.inputs.get("kubernetesVersion") if request.previous else None
    if version != before:
        _offered(request, region, version, str(request.inputs.get("supportPlan") or ""))
        _step(request, "kubernetesVersion")
    for pool in request.inputs.get("agentPoolProfiles") or []:
        _pool_beside_cluster(pool, version)
        if request.previous is None:
            _size_and_zones(request, region, pool, str(pool.get("name")))


def _pool_offer(request: AzureRequest) -> None:
    cluster = request.store.get(request.id.rsplit("/agentPools/", 1)[0])
    if cluster is None:
        return
    region = region_name(cluster.outputs.get("location"))
    _pool_beside_cluster(request.inputs, cluster.outputs.get("currentKubernetesVersion"))
    _step(request, "orchestratorVersion")
    if request.previous is None:
        _size_and_zones(request, region, request.inputs, request.name)


CLUSTER_OFFER_WRITES: Final[Mapping[str, tuple[Rule, ...]]] = {
    "containerservice:AgentPool": (_pool_offer,),
    "containerservice:ManagedCluster": (_cluster_offer,),
}
"""Rules before a write, by ``module:Class``."""
