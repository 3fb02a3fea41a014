"""The shared services of one fleet: what exists once, whatever the number of stamps.

Owns the shared resource group and all that lies in it, except the origins, role assignments and registry connections
that the stamps add. Knows no stamp: `regions` in the configuration is all it needs of them.
"""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
from pulumi_azure_native import resources

from foundation.azure_regions import AS_OF, ZONES
from foundation.azure_types import Arguments
from foundation.naming import Naming
from foundation.tags import resource_tags
from shared.alerts import Alerts, AlertsArgs
from shared.cluster_admin_group import ClusterAdminGroup, ClusterAdminGroupArgs
from shared.config import SharedConfig
from shared.container_registry import ContainerRegistry, ContainerRegistryArgs
from shared.database import Database, DatabaseArgs
from shared.firewall_base_policy import FirewallBasePolicy, FirewallBasePolicyArgs
from shared.fleet_manager import FleetManager, FleetManagerArgs
from shared.front_door import FrontDoor, FrontDoorArgs
from shared.front_door_routing import PROBE_PATH, FrontDoorRouting, FrontDoorRoutingArgs
from shared.front_door_waf import FrontDoorWaf, FrontDoorWafArgs
from shared.maintenance_site import MaintenanceSite, MaintenanceSiteArgs
from shared.monitoring import Monitoring, MonitoringArgs
from shared.services_outputs import Services, contract, summary


class SharedServicesArgs(Arguments):
    """`protect` keeps the engine from deleting what holds data or addresses, and the route that leads to them."""

    config: SharedConfig
    subscription_id: str
    tenant_id: str
    protect: bool


class SharedServices(pulumi.ComponentResource):
    """Front Door, registry, log workspace, alerts and, by configuration, base firewall policy, admin group, fleet
    manager and database."""

    contract: pulumi.Output[dict[str, object]]
    summary: pulumi.Output[dict[str, str]]

    def __init__(self, name: str, args: SharedServicesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("aks-geode:shared:SharedServices", name, None, opts)
        config = args.config
        self._name, self._args = name, args
        self._naming = Naming(
            subscription_id=args.subscription_id,
            workload=config.workload,
            scope="shared",
            generation=config.generation,
        )
        self._tags = resource_tags(config.workload, "shared", config.tags)
        self._options = pulumi.ResourceOptions(parent=self)
        _warn_of_unknown_regions(config)
        group = resources.ResourceGroup(
            f"{name}-resource-group",
            resource_group_name=self._naming.resource_group(config.location),
            location=config.location,
            tags=self._tags,
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect),
        )
        self._group_name = group.name
        self._monitoring = self._make_monitoring()
        self._registry = self._make_registry()
        self._front_door = self._make_front_door()
        waf = self._make_waf()
        site = self._make_maintenance_site()
        base_policy = self._make_base_policy()
        admin_group = self._make_admin_group()
        fleet_manager = self._make_fleet_manager()
        database = self._make_database()
        everything: list[pulumi.Resource] = [
            self._monitoring,
            self._registry,
            self._front_door,
            waf,
            site,
            self._make_alerts(),
        ]
        options = (base_policy, admin_group, fleet_manager, database)
        everything += [each for each in options if each is not None]
        services = Services(
            group_name=group.name,
            monitoring=self._monitoring,
            registry=self._registry,
            front_door=self._front_door,
            routing=self._make_routing(site, after=everything),
            base_policy=base_policy,
            admin_group=admin_group,
            fleet_manager=fleet_manager,
            database=database,
        )
        self.contract = contract(config, args.subscription_id, args.tenant_id, services)
        self.summary = summary(config, services)
        self.register_outputs({"contract": self.contract, "summary": self.summary})

    def _make_monitoring(self) -> Monitoring:
        config = self._args.config
        arguments = MonitoringArgs(
            resource_group_name=self._group_name,
            location=config.location,
            retention_days=config.workspace.retention_days,
            daily_quota_gb=config.workspace.daily_quota_gb,
            emails=config.alerts.emails,
            naming=self._naming,
            tags=self._tags,
            protect=self._args.protect,
        )
        return Monitoring(f"{self._name}-monitoring", arguments, self._options)

    def _make_registry(self) -> ContainerRegistry:
        config = self._args.config
        arguments = ContainerRegistryArgs(
            resource_group_name=self._group_name,
            location=config.location,
            regions=config.regions,
            untagged_retention_days=config.registry.untagged_retention_days,
            workspace_id=self._monitoring.workspace_id,
            naming=self._naming,
            tags=self._tags,
            protect=self._args.protect,
        )
        return ContainerRegistry(f"{self._name}-registry", arguments, self._options)

    def _make_front_door(self) -> FrontDoor:
        arguments = FrontDoorArgs(
            resource_group_name=self._group_name,
            response_timeout_seconds=self._args.config.front_door.response_timeout_seconds,
            workspace_id=self._monitoring.workspace_id,
            naming=self._naming,
            tags=self._tags,
            protect=self._args.protect,
        )
        return FrontDoor(f"{self._name}-front-door", arguments, self._options)

    def _make_waf(self) -> FrontDoorWaf:
        arguments = FrontDoorWafArgs(
            resource_group_name=self._group_name,
            profile_name=self._front_door.profile_name,
            endpoint_id=self._front_door.endpoint_id,
            mode=self._args.config.front_door.waf_mode,
            rate_limit_per_minute=self._args.config.front_door.rate_limit_per_minute,
            naming=self._naming,
            tags=self._tags,
        )
        return FrontDoorWaf(f"{self._name}-front-door-waf", arguments, self._options)

    def _make_maintenance_site(self) -> MaintenanceSite:
        config = self._args.config
        arguments = MaintenanceSiteArgs(
            resource_group_name=self._group_name,
            location=config.location,
            # An unhealthy page lets Front Door's own rule act: when every origin fails its probe, send to all of them.
            probe_path=PROBE_PATH if config.front_door.outage_behaviour == "page" else None,
            naming=self._naming,
            tags=self._tags,
        )
        return MaintenanceSite(f"{self._name}-maintenance-site", arguments, self._options)

    def _make_routing(self, site: MaintenanceSite, *, after: Sequence[pulumi.Resource]) -> FrontDoorRouting:
        arguments = FrontDoorRoutingArgs(
            resource_group_name=self._group_name,
            profile_name=self._front_door.profile_name,
            endpoint_name=self._front_door.endpoint_name,
            rule_set_id=self._front_door.rule_set_id,
            maintenance_host_name=site.host_name,
            probe_interval_seconds=self._args.config.front_door.probe_interval_seconds,
            protect=self._args.protect,
        )
        return FrontDoorRouting(f"{self._name}-front-door-routing", arguments, self._options, after=after)

    def _make_base_policy(self) -> FirewallBasePolicy | None:
        config = self._args.config
        if config.firewall.inheritance != "shared":
            return None
        arguments = FirewallBasePolicyArgs(
            resource_group_name=self._group_name,
            location=config.location,
            naming=self._naming,
            sku=config.firewall.sku,
            allowed_fqdns=config.firewall.allowed_fqdns,
            tags=self._tags,
        )
        return FirewallBasePolicy(f"{self._name}-firewall-base-policy", arguments, self._options)

    def _make_admin_group(self) -> ClusterAdminGroup | None:
        access = self._args.config.access
        if access.scheme != "globalGroup":
            return None
        arguments = ClusterAdminGroupArgs(
            display_name=self._naming.name("aks", "administrators", limit=120),
            owners=access.group_owners,
            members=access.group_members,
        )
        return ClusterAdminGroup(f"{self._name}-cluster-admin-group", arguments, self._options)

    def _make_fleet_manager(self) -> FleetManager | None:
        settings = self._args.config.fleet_manager
        if settings is None:
            return None
        arguments = FleetManagerArgs(
            resource_group_name=self._group_name,
            location=self._args.config.location,
            settings=settings,
            naming=self._naming,
            tags=self._tags,
        )
        return FleetManager(f"{self._name}-fleet-manager", arguments, self._options)

    def _make_database(self) -> Database | None:
        config = self._args.config
        if config.database is None:
            return None
        arguments = DatabaseArgs(
            resource_group_name=self._group_name,
            location=config.location,
            regions=config.regions,
            settings=config.database,
            workspace_id=self._monitoring.workspace_id,
            action_group_id=self._monitoring.action_group_id,
            naming=self._naming,
            tags=self._tags,
            protect=self._args.protect,
        )
        return Database(f"{self._name}-database", arguments, self._options)

    def _make_alerts(self) -> Alerts:
        arguments = AlertsArgs(
            resource_group_name=self._group_name,
            location=self._args.config.location,
            subscription_id=self._args.subscription_id,
            profile_id=self._front_door.profile_id,
            workspace_id=self._monitoring.workspace_id,
            action_group_id=self._monitoring.action_group_id,
            naming=self._naming,
            tags=self._tags,
        )
        return Alerts(f"{self._name}-alerts", arguments, self._options)


def _warn_of_unknown_regions(config: SharedConfig) -> None:
    unknown = sorted({config.location, *config.regions} - ZONES.keys())
    if unknown:
        pulumi.log.warn(
            f"Whether {', '.join(unknown)} has availability zones was not known on {AS_OF}: registry and maintenance "
            "page go there without zone redundancy. Add the region to foundation/azure_regions.py if it has zones."
        )
