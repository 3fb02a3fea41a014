"""The stamp's private way to the shared registry: endpoint and zone. It does not own the registry itself."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi

from foundation.azure_types import Arguments, In
from foundation.naming import Naming
from stamps.private_access import private_access

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
        self.id, self.ready = private_access(
            name,
            parent=self,
            naming=args.naming,
            location=args.location,
            resource_group_name=args.resource_group_name,
            target_id=args.registry_id,
            group_id="registry",
            zone_name=ZONE_NAME,
            subnet_id=args.subnet_id,
            virtual_network_ids=args.virtual_network_ids,
            tags=args.tags,
        )
        self.register_outputs({"id": self.id})
