"""Azure Kubernetes Fleet Manager without a hub cluster: in which order the clusters of all stamps are upgraded.

The stamps enrol their own clusters. A hub cluster is not made here: what it serves, the placement of workloads, is
Flux's task in this fleet. Without one Azure writes no resource logs, so there is no diagnostic setting either
(https://learn.microsoft.com/azure/kubernetes-fleet/view-fleet-agent-logs).
"""

from __future__ import annotations

import pulumi
from pulumi_azure_native import containerservice

from foundation.azure_retries import transient_retry
from foundation.azure_types import Arguments, In
from foundation.naming import Naming
from shared.config import FleetManagerSettings


class FleetManagerArgs(Arguments):
    """The fleet manager lies in one region; its members may stand in every other."""

    resource_group_name: In[str]
    location: str
    settings: FleetManagerSettings
    naming: Naming
    tags: dict[str, str]


class FleetManager(pulumi.ComponentResource):
    """A fleet without members, the waves as its update strategy and, if it upgrades node images, what starts it.

    `contract` is its part of the shared contract.
    """

    id: pulumi.Output[str]
    name: pulumi.Output[str]
    contract: dict[str, object]

    def __init__(self, name: str, args: FleetManagerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("aks-geode:shared:FleetManager", name, None, opts)
        fleet = containerservice.Fleet(
            f"{name}-fleet",
            fleet_name=args.naming.name("fleet", limit=63),
            resource_group_name=args.resource_group_name,
            location=args.location,
            tags=args.tags,
            opts=pulumi.ResourceOptions(parent=self),
        )
        strategy = containerservice.FleetUpdateStrategy(
            f"{name}-waves",
            update_strategy_name="waves",
            fleet_name=fleet.name,
            resource_group_name=args.resource_group_name,
            strategy={"stages": _stages(args.settings)},
            opts=pulumi.ResourceOptions(parent=self, hooks=transient_retry()),
        )
        if args.settings.node_images == "fleet":
            containerservice.AutoUpgradeProfile(
                f"{name}-node-images",
                auto_upgrade_profile_name="node-images",
                fleet_name=fleet.name,
                resource_group_name=args.resource_group_name,
                # Fleet Manager's own word; the SDK's enumeration is that of a cluster's channel. Every cluster of a run
                # gets the same image with this channel, so Azure's tools refuse a choice of the image beside it.
                channel="NodeImage",
                update_strategy_id=strategy.id,
                disabled=False,
                opts=pulumi.ResourceOptions(parent=self, hooks=transient_retry()),
            )
        self.id, self.name = fleet.id, fleet.name
        self.contract = {
            "id": fleet.id,
            "name": fleet.name,
            "waves": list(args.settings.waves),
            "nodeImages": args.settings.node_images,
        }
        self.register_outputs({"id": self.id})


def _stages(settings: FleetManagerSettings) -> list[containerservice.UpdateStageArgsDict]:
    """Return one stage for each wave, with a pause after each but the last."""
    last = settings.waves[-1]
    return [
        {
            "name": wave,
            "groups": [{"name": wave}],
            "after_stage_wait_in_seconds": 0 if wave == last else settings.wave_wait_seconds,
        }
        for wave in settings.waves
    ]
