"""The stamp's private way to the shared registry: endpoint and zone. It does not own the registry itself."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi

from foundation.azure_types import Arguments, In
from foundation.naming import Naming
from foundation.private_endpoint import PrivateEndpoint, PrivateEndpointArgs
from stamps.private_dns import PrivateDnsZone, PrivateDnsZoneArgs

ZONE_NAME = "privatelink.azurecr.io"


class RegistryEndpointArgs(Arguments):
    """`virtual_network_ids` (role to id) are the networks that pull images.

    The endpoint takes 1 address for the login server and 1 for each region with a replica, now or later.
    """

    naming: Naming
    location: str
    resource_group_name: In[str]
    registry_id: In[str]
    subnet_id: In[str]
    virtual_network_ids: dict[str, In[str]]
    tags: dict[str, str]


class RegistryEndpoint(pulumi.ComponentResource):
    """A private endpoint on the shared registry with a zone of the stamp's own; `ready` is what the nodes wait for."""

    id: pulumi.Output[str]
    ready: Sequence[pulumi.Resource]

    def __init__(self, name: str, args: RegistryEndpointArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("aks-geode:stamps:RegistryEndpoint", name, None, opts)
        zone = PrivateDnsZone(
            f"{name}-dns",
            PrivateDnsZoneArgs(
                resource_group_name=args.resource_group_name,
                zone_name=ZONE_NAME,
                virtual_network_ids=args.virtual_network_ids,
                tags=args.tags,
            ),
            pulumi.ResourceOptions(parent=self),
        )
        # The zone group follows the registry: records of the data endpoints of new replicas appear by themselves.
        endpoint = PrivateEndpoint(
            f"{name}-private",
            PrivateEndpointArgs(
                resource_group_name=args.resource_group_name,
                location=args.location,
                endpoint_name=args.naming.name("pe", "registry"),
                target_id=args.registry_id,
                group_id="registry",
                subnet_id=args.subnet_id,
                zone_id=zone.id,
                tags=args.tags,
            ),
            pulumi.ResourceOptions(parent=self),
        )
        self.id = endpoint.id
        self.ready = [*zone.links, endpoint.zone_group]
        self.register_outputs({"id": self.id})
