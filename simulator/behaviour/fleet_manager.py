"""What Azure Kubernetes Fleet Manager refuses, and what becomes of a member whose cluster is deleted.

Microsoft's API text, https://learn.microsoft.com/azure/templates/microsoft.containerservice/fleets, is the source of a
rule that names no other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from simulator.azure_errors import AzureRequest, Rule, bad_request, conflict
from simulator.cloud_store import CloudStore, StoredResource

CLUSTER: Final = "microsoft.containerservice/managedclusters"
_MEMBER: Final = "microsoft.containerservice/fleets/members"
_GROUP_NAME: Final = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
_LONGEST_NAME: Final = 50
_MOST_GROUPS: Final = 50
_CHANNELS: Final = ("Stable", "Rapid", "NodeImage")


def members_of_cluster(store: CloudStore, cluster_id: str) -> list[StoredResource]:
    """Return the memberships of a cluster, in whatever fleet."""
    return [item for item in store.referring_to(cluster_id) if item.arm_type == _MEMBER]


def _fleet(request: AzureRequest) -> None:
    # https://github.com/MicrosoftDocs/azure-aks-docs/pull/455: both refusals, reproduced there.
    hub = request.inputs.get("hubProfile") or {}
    access = hub.get("apiServerAccessProfile") or {}
    subnet = (hub.get("agentProfile") or {}).get("subnetId")
    if subnet and not access.get("enablePrivateCluster"):
        raise bad_request("AgentSubnetUnsupported", "An agent subnet is supported for private hub clusters only.")
    if access.get("subnetId") and not access.get("enableVnetIntegration"):
        raise bad_request("APIServerSubnetUnsupported", "An API server subnet needs API server VNet integration.")
    if access.get("enablePrivateCluster") and not subnet:
        # https://learn.microsoft.com/azure/kubernetes-fleet/quickstart-create-fleet-and-members; the code is assumed.
        raise bad_request("AgentSubnetRequired", "A private hub cluster needs agentProfile.subnetId.")


def _member(request: AzureRequest) -> None:
    cluster = request.reference("clusterResourceId")
    stored = request.store.get(cluster)
    if stored is not None and stored.arm_type != CLUSTER:
        raise bad_request("InvalidClusterResourceId", f"{cluster} is not a managed cluster.")  # the code is assumed
    group = request.inputs.get("group")
    if group is not None and not _is_name(group):
        raise bad_request("InvalidParameter", f"The update group '{group}' is not a valid name.")
    for other in members_of_cluster(request.store, cluster):
        if other.id.lower() != request.id.lower():
            # https://github.com/Azure/azure-service-operator/issues/4181; the same is assumed within one fleet.
            raise conflict(
                "ClusterAlreadyJoinedAnotherFleet", f"Cluster {cluster} is a member of a fleet already: {other.id}."
            )


def _strategy(request: AzureRequest) -> None:
    stages = (request.inputs.get("strategy") or {}).get("stages") or []
    if not stages:
        raise bad_request("InvalidParameter", "strategy.stages: at least one stage is needed.")
    _distinct("stage", [str(stage.get("name")) for stage in stages])
    for stage in stages:
        groups = [str(group.get("name")) for group in stage.get("groups") or []]
        # https://learn.microsoft.com/azure/kubernetes-fleet/concepts-update-orchestration: at most 50 in a stage.
        if not 1 <= len(groups) <= _MOST_GROUPS:
            raise bad_request("InvalidParameter", f"Stage '{stage.get('name')}': expected 1 to {_MOST_GROUPS} groups.")
        _distinct("group", groups)


def _run(request: AzureRequest) -> None:
    strategy = request.reference("updateStrategyId")
    if strategy and request.inputs.get("strategy"):
        raise bad_request("InvalidParameter", "updateStrategyId and strategy: only one of them may be set.")
    named = request.store.get(strategy)
    content = named.inputs if named else request.inputs
    fleet = request.id.rsplit("/", 2)[0]
    known = {item.inputs.get("group") for item in request.store.below(fleet) if item.arm_type == _MEMBER}
    for group in _groups((content.get("strategy") or {}).get("stages") or []):
        if group not in known:  # the code is assumed
            raise bad_request("UpdateGroupNotFound", f"Update group '{group}' matches no member of {fleet}.")


def _auto_upgrade(request: AzureRequest) -> None:
    channel = request.inputs.get("channel")
    if channel not in _CHANNELS:
        raise bad_request("InvalidParameter", f"channel: expected one of {', '.join(_CHANNELS)}, got '{channel}'.")
    if channel == "NodeImage" and request.inputs.get("nodeImageSelection"):
        # Azure's command line refuses it (azext_fleet/custom.py); that the service does is assumed.
        raise bad_request("InvalidParameter", "nodeImageSelection must not be set with the channel NodeImage.")
    strategy = request.reference("updateStrategyId")
    if strategy and not strategy.lower().startswith(request.id.rsplit("/", 2)[0].lower() + "/"):
        raise bad_request("InvalidParameter", f"{strategy} belongs to another fleet.")  # assumed


def _groups(stages: list[dict[str, Any]]) -> Iterator[str]:
    for stage in stages:
        yield from (str(group.get("name")) for group in stage.get("groups") or [])


def _distinct(what: str, names: list[str]) -> None:
    for name in names:
        if not _is_name(name):
            raise bad_request("InvalidParameter", f"The name of the {what} '{name}' is not valid.")
        if names.count(name) > 1:
            raise bad_request("InvalidParameter", f"The {what} '{name}' stands more than once in the strategy.")


def _is_name(text: object) -> bool:
    return isinstance(text, str) and len(text) <= _LONGEST_NAME and bool(_GROUP_NAME.fullmatch(text))


FLEET_MANAGER_WRITES: Final[Mapping[str, tuple[Rule, ...]]] = {
    "containerservice:AutoUpgradeProfile": (_auto_upgrade,),
    "containerservice:Fleet": (_fleet,),
    "containerservice:FleetMember": (_member,),
    "containerservice:FleetUpdateStrategy": (_strategy,),
    "containerservice:UpdateRun": (_run,),
}
"""Rules before a write, by ``module:Class``."""
