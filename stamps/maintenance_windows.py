"""When Azure may change a cluster by itself: one weekly window for versions and one for node images."""

from __future__ import annotations

import pulumi
from pulumi_azure_native import containerservice

from foundation.azure_types import Arguments, In
from stamps.cluster_config import MaintenanceSettings

SCHEDULES = ("aksManagedAutoUpgradeSchedule", "aksManagedNodeOSUpgradeSchedule")
"""Names that AKS gives meaning to (https://learn.microsoft.com/azure/aks/planned-maintenance)."""


class MaintenanceWindowsArgs(Arguments):
    """The window of one cluster."""

    cluster_name: In[str]
    resource_group_name: In[str]
    window: MaintenanceSettings


class MaintenanceWindows(pulumi.ComponentResource):
    """The same weekly window for cluster and node image upgrades; windows differ from stamp to stamp."""

    def __init__(
        self,
        name: str,
        args: MaintenanceWindowsArgs,
        opts: pulumi.ResourceOptions | None = None,
        *,
        cluster: containerservice.ManagedCluster,
    ) -> None:
        super().__init__("aks-geode:stamps:MaintenanceWindows", name, None, opts)
        for schedule in SCHEDULES:
            containerservice.MaintenanceConfiguration(
                f"{name}-{schedule}",
                config_name=schedule,
                resource_name_=args.cluster_name,
                resource_group_name=args.resource_group_name,
                maintenance_window={
                    "schedule": {"weekly": {"day_of_week": args.window.day, "interval_weeks": 1}},
                    "start_time": args.window.start_time,
                    "utc_offset": args.window.utc_offset,
                    "duration_hours": args.window.duration_hours,
                },
                opts=pulumi.ResourceOptions(parent=self, deleted_with=cluster),
            )
        self.register_outputs({})
