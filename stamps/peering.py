"""The peering of hub and spoke, both directions. Both networks belong to the stamp."""

from __future__ import annotations

import pulumi
from pulumi_azure_native import network

from foundation.azure_retries import transient_retry
from foundation.azure_types import Arguments, In


class PeeringArgs(Arguments):
    """Groups, names and ids of the two networks, with all their subnets: Azure peers none that is being updated."""

    hub_resource_group_name: In[str]
    hub_network_name: In[str]
    hub_network_id: In[str]
    spoke_resource_group_name: In[str]
    spoke_network_name: In[str]
    spoke_network_id: In[str]


class Peering(pulumi.ComponentResource):
    """Hub to spoke, then spoke to hub. Traffic flows when `spoke_to_hub`, the second, exists."""

    hub_to_spoke: network.VirtualNetworkPeering
    spoke_to_hub: network.VirtualNetworkPeering

    def __init__(self, name: str, args: PeeringArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("aks-geode:stamps:Peering", name, None, opts)
        self.hub_to_spoke = self._half(
            f"{name}-hub-to-spoke",
            "hub-to-spoke",
            args.hub_resource_group_name,
            args.hub_network_name,
            args.spoke_network_id,
            None,
        )
        # Each half writes both networks, and Azure takes one write at a time to a network.
        self.spoke_to_hub = self._half(
            f"{name}-spoke-to-hub",
            "spoke-to-hub",
            args.spoke_resource_group_name,
            args.spoke_network_name,
            args.hub_network_id,
            self.hub_to_spoke,
        )
        self.register_outputs({})

    def _half(
        self,
        logical_name: str,
        peering_name: str,
        resource_group_name: In[str],
        network_name: In[str],
        remote_network_id: In[str],
        after: pulumi.Resource | None,
    ) -> network.VirtualNetworkPeering:
        return network.VirtualNetworkPeering(
            logical_name,
            virtual_network_peering_name=peering_name,
            resource_group_name=resource_group_name,
            virtual_network_name=network_name,
            remote_virtual_network={"id": remote_network_id},
            allow_virtual_network_access=True,
            # The firewall sends on what neither network sent first: answers from outside.
            allow_forwarded_traffic=True,
            allow_gateway_transit=False,
            use_remote_gateways=False,
            # A peering keeps the address space it was made with until a write says to read it again.
            sync_remote_address_space="true",
            opts=pulumi.ResourceOptions(parent=self, depends_on=[after] if after else [], hooks=transient_retry()),
        )
