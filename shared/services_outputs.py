"""What the shared stack tells: the contract for the stamps and a summary for people."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi

from shared.cluster_admin_group import ClusterAdminGroup
from shared.config import SharedConfig
from shared.container_registry import ContainerRegistry
from shared.database import Database
from shared.firewall_base_policy import FirewallBasePolicy
from shared.fleet_manager import FleetManager
from shared.front_door import FrontDoor
from shared.front_door_routing import PROBE_PATH, FrontDoorRouting
from shared.monitoring import Monitoring
from shared.outputs import SharedOutputs


@dataclass(frozen=True)
class Services:
    """The components of one shared stack; what its configuration leaves out is `None`."""

    group_name: pulumi.Output[str]
    monitoring: Monitoring
    registry: ContainerRegistry
    front_door: FrontDoor
    routing: FrontDoorRouting
    base_policy: FirewallBasePolicy | None
    admin_group: ClusterAdminGroup | None
    fleet_manager: FleetManager | None
    database: Database | None


def contract(
    config: SharedConfig, subscription_id: str, tenant_id: str, services: Services
) -> pulumi.Output[dict[str, object]]:
    """Return what stamps read, in the form of `SharedOutputs`; a wrong one fails here and not in every stamp."""
    base, admins, zone = services.base_policy, services.admin_group, config.public_dns_zone
    content: dict[str, object] = {
        "version": 1,
        "subscriptionId": subscription_id,
        "tenantId": tenant_id,
        "workload": config.workload,
        "resourceGroupName": services.group_name,
        "location": config.location,
        "regions": list(config.regions),
        "frontDoor": {
            "profileName": services.front_door.profile_name,
            "profileId": services.front_door.profile_id,
            "frontDoorId": services.front_door.front_door_id,
            "endpointId": services.front_door.endpoint_id,
            "endpointHostName": services.front_door.endpoint_host_name,
            "originGroupName": services.routing.origin_group_name,
            "probePath": PROBE_PATH,
        },
        "registry": {
            "id": services.registry.id,
            "name": services.registry.registry_name,
            "loginServer": services.registry.login_server,
            "replicatedRegions": list(services.registry.replicated_regions),
        },
        "workspace": {"id": services.monitoring.workspace_id, "location": config.location},
        "firewall": {
            "inheritance": config.firewall.inheritance,
            "sku": config.firewall.sku,
            "allowedFqdns": list(config.firewall.allowed_fqdns),
            "basePolicyId": base.id if base else None,
            "basePolicyLocation": config.location if base else None,
        },
        "access": {
            "scheme": config.access.scheme,
            "adminGroupObjectId": admins.object_id if admins else None,
            "groupOwners": list(config.access.group_owners),
            "groupMembers": list(config.access.group_members),
            "namespaces": dict(config.access.namespaces),
        },
        "actionGroupId": services.monitoring.action_group_id,
        "fleetManager": services.fleet_manager.contract if services.fleet_manager else None,
        "database": services.database.contract if services.database else None,
        "publicDnsZone": {"resourceGroup": zone.resource_group, "name": zone.name} if zone else None,
        "tags": dict(config.tags),
    }
    return pulumi.Output.from_input(content).apply(_checked)


def summary(config: SharedConfig, services: Services) -> pulumi.Output[dict[str, str]]:
    """Return the lines that `up` shows at its end."""
    registry, replicas = services.registry, ", ".join(services.registry.replicated_regions) or "no replica"
    lines: dict[str, pulumi.Input[str]] = {
        "Front Door": pulumi.Output.concat("https://", services.front_door.endpoint_host_name),
        "Container registry": pulumi.Output.format(
            "{0} in {1}, replicas: {2}", registry.login_server, config.location, replicas
        ),
        "Log workspace": pulumi.Output.format(
            "{0}, {1} days", services.monitoring.workspace_name, config.workspace.retention_days
        ),
        "Base firewall policy": services.base_policy.name if services.base_policy else "one in each stamp",
        "When every stamp fails": (
            "maintenance page" if config.front_door.outage_behaviour == "page" else "Front Door sends to all stamps"
        ),
        "Resource group": services.group_name,
        "Regions": ", ".join(config.regions),
    }
    if services.database is not None:
        lines["Database"] = f"{services.database.endpoint} in {', '.join(services.database.regions)}"
    if services.fleet_manager is not None:
        lines["Fleet manager"] = services.fleet_manager.name
    return pulumi.Output.all(**lines)


def _checked(content: dict[str, object]) -> dict[str, object]:
    return SharedOutputs.model_validate(content).model_dump(by_alias=True, mode="json")
