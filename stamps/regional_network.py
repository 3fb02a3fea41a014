"""The network of one stamp: hub with firewall, spoke, both peerings, flow logs and the workspace for their logs.

Owns the hub's and the spoke's resource groups. Hub and spoke are wired by addresses from configuration, so that neither
waits for the other: the firewall's private address and the spoke's ranges are known before anything exists.
"""

from __future__ import annotations

from urllib.parse import urlsplit

import pulumi
from pulumi_azure_native import resources

from foundation.azure_types import Arguments
from foundation.naming import Naming
from shared.outputs import SharedOutputs
from stamps.config import StampConfig
from stamps.firewall import Firewall, FirewallArgs
from stamps.flow_logs import FlowLogs, FlowLogsArgs
from stamps.hub_network import HubNetwork, HubNetworkArgs
from stamps.network_monitoring import NetworkMonitoring, NetworkMonitoringArgs
from stamps.peering import Peering, PeeringArgs
from stamps.spoke_network import SpokeNetwork, SpokeNetworkArgs


class RegionalNetworkArgs(Arguments):
    """`tags` are those of the stamp, complete."""

    naming: Naming
    config: StampConfig
    shared: SharedOutputs
    protect: bool
    tags: dict[str, str]


class RegionalNetwork(pulumi.ComponentResource):
    """Hub, firewall, spoke and what joins them. `egress_ready` is what has to stand before a node may boot."""

    spoke: SpokeNetwork
    workspace_id: pulumi.Output[str]
    egress_addresses: pulumi.Output[list[str]]
    egress_ready: list[pulumi.Resource]

    def __init__(self, name: str, args: RegionalNetworkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("aks-geode:stamps:RegionalNetwork", name, None, opts)
        config, plan = args.config, args.config.network.address_plan()
        child = pulumi.ResourceOptions(parent=self)
        hub_group = self._resource_group(name, args, "hub")
        spoke_group = self._resource_group(name, args, "spoke")
        monitoring = NetworkMonitoring(
            f"{name}-monitoring",
            NetworkMonitoringArgs(
                naming=args.naming, location=config.region, resource_group_name=hub_group, tags=args.tags
            ),
            child,
        )
        self.workspace_id = monitoring.workspace_id
        hub = HubNetwork(
            f"{name}-hub",
            HubNetworkArgs(
                naming=args.naming,
                location=config.region,
                plan=plan,
                resource_group_name=hub_group,
                workspace_id=self.workspace_id,
                tags=args.tags,
            ),
            child,
        )
        firewall = Firewall(
            f"{name}-firewall",
            FirewallArgs(
                naming=args.naming,
                location=config.region,
                plan=plan,
                zones=config.availability_zones,
                resource_group_name=hub_group,
                subnet_id=hub.firewall_subnet_id,
                workspace_id=self.workspace_id,
                base=args.shared.firewall,
                own_allowed_fqdns=config.firewall.allowed_fqdns,
                public_ip_count=config.firewall.public_ip_count,
                git_host=urlsplit(config.gitops.url).hostname or "",
                tags=args.tags,
            ),
            child,
        )
        self.egress_addresses = firewall.public_addresses
        self.spoke = SpokeNetwork(
            f"{name}-spoke",
            SpokeNetworkArgs(
                naming=args.naming,
                location=config.region,
                plan=plan,
                zones=config.availability_zones,
                resource_group_name=spoke_group,
                workspace_id=self.workspace_id,
                api_server=config.api_server,
                tags=args.tags,
            ),
            child,
        )
        peering = Peering(
            f"{name}-peering",
            PeeringArgs(
                hub_resource_group_name=hub_group,
                hub_network_name=hub.virtual_network_name,
                hub_network_id=hub.virtual_network_id,
                spoke_resource_group_name=spoke_group,
                spoke_network_name=self.spoke.virtual_network_name,
                spoke_network_id=self.spoke.virtual_network_id,
            ),
            child,
        )
        FlowLogs(
            f"{name}-flow-logs",
            FlowLogsArgs(
                naming=args.naming,
                location=config.region,
                zones=config.availability_zones,
                resource_group_name=hub_group,
                virtual_network_ids={"hub": hub.virtual_network_id, "spoke": self.spoke.virtual_network_id},
                workspace_id=self.workspace_id,
                workspace_location=config.region,
                network_watcher=config.network_watcher,
                tags=args.tags,
            ),
            child,
        )
        self.egress_ready = [firewall, peering, self.spoke]
        self.register_outputs({})

    def _resource_group(self, name: str, args: RegionalNetworkArgs, role: str) -> pulumi.Output[str]:
        group = resources.ResourceGroup(
            f"{name}-{role}-group",
            resource_group_name=args.naming.resource_group(role),
            location=args.config.region,
            tags=args.tags,
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect),
        )
        return group.name
