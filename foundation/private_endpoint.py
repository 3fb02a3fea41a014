"""A private endpoint with the zone group that keeps its DNS records current: the one maker."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
from pulumi_azure_native import network

from foundation.azure_types import Arguments, In


class PrivateEndpointArgs(Arguments):
    """`group_id` is the service's sub-resource (`vault`, `registry`); `subnet_id` a subnet kept for endpoints."""

    resource_group_name: In[str]
    location: str
    endpoint_name: str
    target_id: In[str]
    group_id: str
    subnet_id: In[str]
    zone_id: In[str]
    tags: dict[str, str]


class PrivateEndpoint(pulumi.ComponentResource):
    """A private endpoint on one service and its record in one private zone. Owns neither zone nor subnet."""

    id: pulumi.Output[str]
    zone_group: network.PrivateDnsZoneGroup

    def __init__(
        self,
        name: str,
        args: PrivateEndpointArgs,
        opts: pulumi.ResourceOptions | None = None,
        *,
        after: Sequence[pulumi.Resource] = (),
    ) -> None:
        super().__init__("aks-geode:foundation:PrivateEndpoint", name, None, opts)
        endpoint = network.PrivateEndpoint(
            f"{name}-endpoint",
            private_endpoint_name=args.endpoint_name,
            resource_group_name=args.resource_group_name,
            location=args.location,
            tags=args.tags,
            subnet={"id": args.subnet_id},
            custom_network_interface_name=f"nic-{args.endpoint_name}"[:80],
            private_link_service_connections=[
                {"name": args.group_id, "private_link_service_id": args.target_id, "group_ids": [args.group_id]}
            ],
            opts=pulumi.ResourceOptions(parent=self, depends_on=list(after)),
        )
        # Azure takes one zone group an endpoint, so a replacement has to delete the old one first.
        self.zone_group = network.PrivateDnsZoneGroup(
            f"{name}-zone-group",
            private_dns_zone_group_name="default",
            private_endpoint_name=endpoint.name,
            resource_group_name=args.resource_group_name,
            private_dns_zone_configs=[{"name": args.group_id, "private_dns_zone_id": args.zone_id}],
            opts=pulumi.ResourceOptions(parent=self, delete_before_replace=True),
        )
        self.id = endpoint.id
        self.register_outputs({"id": self.id})
