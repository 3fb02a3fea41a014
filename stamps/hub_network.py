"""The hub's network: subnets for firewall, Bastion and a VPN or ExpressRoute gateway. It deploys none of the three."""

from __future__ import annotations

import pulumi
from pulumi_azure_native import network

from foundation.arm_ids import child_id
from foundation.azure_types import Arguments, In
from foundation.diagnostic_settings import diagnostic_settings
from foundation.naming import Naming
from stamps.address_plan import AddressPlan
from stamps.bastion_rules import BASTION_RULES

# Azure finds these three by their fixed names.
FIREWALL_SUBNET = "AzureFirewallSubnet"
BASTION_SUBNET = "AzureBastionSubnet"
GATEWAY_SUBNET = "GatewaySubnet"


class HubNetworkArgs(Arguments):
    """`workspace_id` is the workspace for network logs."""

    naming: Naming
    location: str
    plan: AddressPlan
    resource_group_name: In[str]
    workspace_id: In[str]
    tags: dict[str, str]


class HubNetwork(pulumi.ComponentResource):
    """The hub's virtual network with its subnets and the security group of the Bastion subnet."""

    virtual_network: network.VirtualNetwork
    virtual_network_id: pulumi.Output[str]
    virtual_network_name: pulumi.Output[str]
    firewall_subnet_id: pulumi.Output[str]

    def __init__(self, name: str, args: HubNetworkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("aks-geode:stamps:HubNetwork", name, None, opts)
        bastion_group = network.NetworkSecurityGroup(
            f"{name}-bastion-nsg",
            network_security_group_name=args.naming.name("nsg", "bastion"),
            resource_group_name=args.resource_group_name,
            location=args.location,
            tags=args.tags,
            security_rules=list(BASTION_RULES),
            opts=pulumi.ResourceOptions(parent=self),
        )
        # Inline subnets: one write, and no moment in which the Bastion subnet stands without its group.
        self.virtual_network = network.VirtualNetwork(
            f"{name}-vnet",
            virtual_network_name=args.naming.name("vnet", "hub", limit=64),
            resource_group_name=args.resource_group_name,
            location=args.location,
            tags=args.tags,
            address_space={"address_prefixes": [str(args.plan.hub)]},
            enable_ddos_protection=False,
            subnets=_subnets(args.plan, bastion_group.id),
            opts=pulumi.ResourceOptions(parent=self),
        )
        diagnostic_settings(
            f"{name}-bastion-nsg-diagnostics",
            target_id=bastion_group.id,
            workspace_id=args.workspace_id,
            parent=self,
            logs=("NetworkSecurityGroupEvent", "NetworkSecurityGroupRuleCounter"),
            metrics=False,
        )
        diagnostic_settings(
            f"{name}-vnet-diagnostics",
            target_id=self.virtual_network.id,
            workspace_id=args.workspace_id,
            parent=self,
            log_groups=("allLogs",),
        )
        self.virtual_network_id = self.virtual_network.id
        self.virtual_network_name = self.virtual_network.name
        self.firewall_subnet_id = child_id(self.virtual_network.id, "subnets", FIREWALL_SUBNET)
        self.register_outputs(
            {
                "virtual_network_id": self.virtual_network_id,
                "virtual_network_name": self.virtual_network_name,
                "firewall_subnet_id": self.firewall_subnet_id,
            }
        )


def _subnets(plan: AddressPlan, bastion_group_id: pulumi.Output[str]) -> list[network.SubnetArgsDict]:
    """Return the hub's subnets. Azure refuses an NSG on the firewall's and breaks a gateway whose subnet has one, and
    allows no 0.0.0.0/0 route on the gateway's: hence neither stands here."""
    return [
        {
            "name": FIREWALL_SUBNET,
            "address_prefix": str(plan.firewall),
            "default_outbound_access": False,
            "private_endpoint_network_policies": "Disabled",
        },
        {
            "name": BASTION_SUBNET,
            "address_prefix": str(plan.bastion),
            "default_outbound_access": False,
            "private_endpoint_network_policies": "Disabled",
            "network_security_group": {"id": bastion_group_id},
        },
        {
            "name": GATEWAY_SUBNET,
            "address_prefix": str(plan.hub_gateway),
            "default_outbound_access": False,
            "private_endpoint_network_policies": "Disabled",
        },
    ]
