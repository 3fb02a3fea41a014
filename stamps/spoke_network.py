"""The spoke's network: subnets with their security groups, the route to the firewall, the gateway's public address.

Nothing here waits for the firewall: Azure gives it the first usable address of its subnet, which the plan computes.
"""

from __future__ import annotations

import pulumi
from pulumi_azure_native import network

from foundation.arm_ids import child_id
from foundation.azure_types import Arguments, In
from foundation.diagnostic_settings import diagnostic_settings
from foundation.naming import Naming
from stamps.address_plan import AddressPlan
from stamps.nsg_rules import api_server_rules, gateway_rules, ingress_rules, nodes_rules, private_endpoints_rules

NODES_SUBNET = "snet-nodes"
INGRESS_SUBNET = "snet-ingress"
GATEWAY_SUBNET = "snet-gateway"
PRIVATE_ENDPOINTS_SUBNET = "snet-private-endpoints"
API_SERVER_SUBNET = "snet-apiserver"


class SpokeNetworkArgs(Arguments):
    """`api_server` is the stamp's setting of that name: `vnetIntegration` takes a subnet of its own.

    `workspace_id` is the workspace for network logs, `zones` are for the gateway's address, empty where there are none.
    """

    naming: Naming
    location: str
    plan: AddressPlan
    zones: tuple[str, ...]
    resource_group_name: In[str]
    workspace_id: In[str]
    api_server: str
    tags: dict[str, str]


class SpokeNetwork(pulumi.ComponentResource):
    """The virtual network that cluster, gateway and private endpoints of one stamp stand in."""

    virtual_network: network.VirtualNetwork
    route_table: network.RouteTable
    virtual_network_id: pulumi.Output[str]
    virtual_network_name: pulumi.Output[str]
    nodes_subnet_id: pulumi.Output[str]
    ingress_subnet_id: pulumi.Output[str]
    gateway_subnet_id: pulumi.Output[str]
    private_endpoints_subnet_id: pulumi.Output[str]
    api_server_subnet_id: pulumi.Output[str] | None
    gateway_public_ip_id: pulumi.Output[str]
    gateway_public_ip_address: pulumi.Output[str]
    gateway_fqdn: pulumi.Output[str]

    def __init__(self, name: str, args: SpokeNetworkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("aks-geode:stamps:SpokeNetwork", name, None, opts)
        self.route_table = self._route_table(name, args)
        groups = self._security_groups(name, args)
        # Inline subnets: one write, and no moment in which a subnet stands without its group.
        self.virtual_network = network.VirtualNetwork(
            f"{name}-vnet",
            virtual_network_name=args.naming.name("vnet", "spoke", limit=64),
            resource_group_name=args.resource_group_name,
            location=args.location,
            tags=args.tags,
            address_space={"address_prefixes": [str(args.plan.spoke)]},
            enable_ddos_protection=False,
            subnets=_subnets(args, groups, self.route_table),
            opts=pulumi.ResourceOptions(parent=self),
        )
        diagnostic_settings(
            f"{name}-vnet-diagnostics",
            target_id=self.virtual_network.id,
            workspace_id=args.workspace_id,
            parent=self,
            log_groups=("allLogs",),
        )
        address = self._gateway_address(name, args)
        self.virtual_network_id = self.virtual_network.id
        self.virtual_network_name = self.virtual_network.name
        self.nodes_subnet_id = child_id(self.virtual_network.id, "subnets", NODES_SUBNET)
        self.ingress_subnet_id = child_id(self.virtual_network.id, "subnets", INGRESS_SUBNET)
        self.gateway_subnet_id = child_id(self.virtual_network.id, "subnets", GATEWAY_SUBNET)
        self.private_endpoints_subnet_id = child_id(self.virtual_network.id, "subnets", PRIVATE_ENDPOINTS_SUBNET)
        self.api_server_subnet_id = (
            child_id(self.virtual_network.id, "subnets", API_SERVER_SUBNET)
            if args.api_server == "vnetIntegration"
            else None
        )
        self.gateway_public_ip_id = address.id
        self.gateway_public_ip_address = pulumi.Output.format("{0}", address.ip_address)
        self.gateway_fqdn = pulumi.Output.format("{0}.{1}.cloudapp.azure.com", _gateway_label(args), args.location)
        self.register_outputs(
            {
                "virtual_network_id": self.virtual_network_id,
                "virtual_network_name": self.virtual_network_name,
                "gateway_public_ip_address": self.gateway_public_ip_address,
                "gateway_fqdn": self.gateway_fqdn,
            }
        )

    def _route_table(self, name: str, args: SpokeNetworkArgs) -> network.RouteTable:
        return network.RouteTable(
            f"{name}-routes",
            route_table_name=args.naming.name("rt", "spoke"),
            resource_group_name=args.resource_group_name,
            location=args.location,
            tags=args.tags,
            # Routes that a VPN or ExpressRoute gateway learns would lead around the firewall.
            disable_bgp_route_propagation=True,
            routes=[
                {
                    "name": "to-firewall",
                    "address_prefix": "0.0.0.0/0",
                    "next_hop_type": "VirtualAppliance",
                    "next_hop_ip_address": str(args.plan.firewall_address),
                }
            ],
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _security_groups(self, name: str, args: SpokeNetworkArgs) -> dict[str, network.NetworkSecurityGroup]:
        """Make one group for each subnet, by the subnet's role."""
        rules = {
            "nodes": nodes_rules(args.plan, args.api_server),
            "ingress": ingress_rules(args.plan),
            "gateway": gateway_rules(args.plan),
            "private-endpoints": private_endpoints_rules(args.plan),
        }
        if args.api_server == "vnetIntegration":
            rules["apiserver"] = api_server_rules(args.plan)
        groups: dict[str, network.NetworkSecurityGroup] = {}
        for role, content in rules.items():
            groups[role] = network.NetworkSecurityGroup(
                f"{name}-{role}-nsg",
                network_security_group_name=args.naming.name("nsg", role),
                resource_group_name=args.resource_group_name,
                location=args.location,
                tags=args.tags,
                security_rules=list(content),
                opts=pulumi.ResourceOptions(parent=self),
            )
            diagnostic_settings(
                f"{name}-{role}-nsg-diagnostics",
                target_id=groups[role].id,
                workspace_id=args.workspace_id,
                parent=self,
                logs=("NetworkSecurityGroupEvent", "NetworkSecurityGroupRuleCounter"),
                metrics=False,
            )
        return groups

    def _gateway_address(self, name: str, args: SpokeNetworkArgs) -> network.PublicIPAddress:
        """Make the gateway's address here, so that it and its DNS label outlive every replacement of the gateway."""
        address = network.PublicIPAddress(
            f"{name}-gateway-address",
            public_ip_address_name=args.naming.name("pip", "gateway"),
            resource_group_name=args.resource_group_name,
            location=args.location,
            zones=list(args.zones) or None,
            tags=args.tags,
            sku={"name": "Standard", "tier": "Regional"},
            public_ip_allocation_method="Static",
            public_ip_address_version="IPv4",
            idle_timeout_in_minutes=4,
            dns_settings={"domain_name_label": _gateway_label(args)},
            opts=pulumi.ResourceOptions(parent=self),
        )
        diagnostic_settings(
            f"{name}-gateway-address-diagnostics",
            target_id=address.id,
            workspace_id=args.workspace_id,
            parent=self,
            log_groups=("allLogs",),
        )
        return address


def _gateway_label(args: SpokeNetworkArgs) -> str:
    return args.naming.unique("gateway")


def _subnets(
    args: SpokeNetworkArgs, groups: dict[str, network.NetworkSecurityGroup], route_table: network.RouteTable
) -> list[network.SubnetArgsDict]:
    """Return the spoke's subnets, none of which has a way to the Internet that Azure adds by itself.

    The gateway's has no route table: WAF_v2 does not support 0.0.0.0/0 to an appliance
    (https://learn.microsoft.com/azure/application-gateway/configuration-infrastructure#supported-user-defined-routes).
    The API server's neither: its traffic to the nodes stays in the network, and AKS manages what else it needs.
    """
    plan = args.plan
    subnets: list[network.SubnetArgsDict] = [
        {
            "name": NODES_SUBNET,
            "address_prefix": str(plan.nodes),
            "default_outbound_access": False,
            "network_security_group": {"id": groups["nodes"].id},
            "route_table": {"id": route_table.id},
            "private_endpoint_network_policies": "Disabled",
            "private_link_service_network_policies": "Enabled",
        },
        {
            "name": INGRESS_SUBNET,
            "address_prefix": str(plan.ingress),
            "default_outbound_access": False,
            "network_security_group": {"id": groups["ingress"].id},
            "route_table": {"id": route_table.id},
            "private_endpoint_network_policies": "Disabled",
            "private_link_service_network_policies": "Disabled",
        },
        {
            "name": GATEWAY_SUBNET,
            "address_prefix": str(plan.gateway),
            # The gateway leaves by its own public address, not by default outbound access.
            "default_outbound_access": False,
            "network_security_group": {"id": groups["gateway"].id},
            "private_endpoint_network_policies": "Disabled",
            "private_link_service_network_policies": "Disabled",
        },
        {
            "name": PRIVATE_ENDPOINTS_SUBNET,
            "address_prefix": str(plan.private_endpoints),
            "default_outbound_access": False,
            "network_security_group": {"id": groups["private-endpoints"].id},
            # Azure ignores a group on private endpoints unless the subnet says that it counts.
            "private_endpoint_network_policies": "NetworkSecurityGroupEnabled",
            "private_link_service_network_policies": "Enabled",
        },
    ]
    if args.api_server == "vnetIntegration":
        subnets.append(
            {
                "name": API_SERVER_SUBNET,
                "address_prefix": str(plan.api_server),
                "default_outbound_access": False,
                "network_security_group": {"id": groups["apiserver"].id},
                "private_endpoint_network_policies": "Disabled",
                "private_link_service_network_policies": "Enabled",
                "delegations": [{"name": "aks", "service_name": "Microsoft.ContainerService/managedClusters"}],
            }
        )
    return subnets
