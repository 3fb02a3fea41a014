"""The stamp's cluster in the fleet manager: the membership, and what has to hold before a cluster may join.

Joining changes no other resource of the stamp, and nothing waits for it. It is not `stamps.fleet`, which compares the
stack files of all stamps.
"""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
from pulumi_azure_native import containerservice

from foundation.azure_retries import transient_retry
from foundation.azure_types import Arguments, In
from foundation.configuration import Problem
from shared.outputs import FleetManagerContract
from stamps.config import StampConfig
from stamps.fleet import STAMP_KEY


class FleetMembershipArgs(Arguments):
    """`wave` becomes the member's update group; the fleet manager lies in the shared resource group."""

    fleet_manager: FleetManagerContract
    shared_resource_group: str
    stamp: str
    cluster_id: In[str]
    wave: str


class FleetMembership(pulumi.ComponentResource):
    """One cluster as member. `after` is what writes to the cluster: Azure joins it by a write of its own."""

    id: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        args: FleetMembershipArgs,
        opts: pulumi.ResourceOptions | None = None,
        *,
        after: Sequence[pulumi.Resource] = (),
    ) -> None:
        super().__init__("aks-geode:stamps:FleetMembership", name, None, opts)
        member = containerservice.FleetMember(
            f"{name}-member",
            fleet_member_name=args.stamp,
            fleet_name=args.fleet_manager.name,
            resource_group_name=args.shared_resource_group,
            cluster_resource_id=args.cluster_id,
            group=args.wave,
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=list(after),
                # A member stays with the cluster it was made for, and has to leave before that cluster goes.
                replace_on_changes=["clusterResourceId"],
                delete_before_replace=True,
                hooks=transient_retry(),
            ),
        )
        self.id = member.id
        self.register_outputs({"id": self.id})


def membership_problems(config: StampConfig, fleet_manager: FleetManagerContract | None) -> list[Problem]:
    """Return what keeps the stamp from being a member: a wave without a stage, or two upgraders for its node images."""
    if fleet_manager is None:
        return []
    problems = []
    if config.gitops.wave not in fleet_manager.waves:
        expected = (
            f"one of the fleet manager's waves ({', '.join(fleet_manager.waves)}), or no upgrade run would reach the "
            f"cluster; they stand in Pulumi.{config.shared_stack}.yaml under fleetManager.waves"
        )
        problems.append(Problem(f"{STAMP_KEY}.gitops.wave", config.gitops.wave, expected, fleet_manager.waves[0]))
    if fleet_manager.node_images == "cluster":
        return problems
    # "Whichever runs first": https://learn.microsoft.com/azure/kubernetes-fleet/faq
    why = "since the fleet manager upgrades node images (fleetManager.nodeImages: fleet) and a cluster has one upgrader"
    if config.cluster.node_os_upgrade_channel != "None":
        key, channel = f"{STAMP_KEY}.cluster.nodeOsUpgradeChannel", config.cluster.node_os_upgrade_channel
        problems.append(Problem(key, channel, f"None, {why}", "nodeOsUpgradeChannel: None"))
    if config.cluster.upgrade_channel == "node-image":
        key = f"{STAMP_KEY}.cluster.upgradeChannel"
        problems.append(Problem(key, "node-image", f"patch, stable or none, {why}", "upgradeChannel: patch"))
    return problems
