"""A private endpoint on a service together with the stamp's own zone for it: what vault, registry and database need."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi

from foundation.azure_types import In
from foundation.naming import Naming
from foundation.private_endpoint import PrivateEndpoint, PrivateEndpointArgs
from stamps.private_dns import PrivateDnsZone, PrivateDnsZoneArgs


def private_access(
    name: str,
    *,
    parent: pulumi.Resource,
    naming: Naming,
    location: str,
    resource_group_name: In[str],
    target_id: In[str],
    group_id: str,
    zone_name: str,
    subnet_id: In[str],
    virtual_network_ids: Mapping[str, In[str]],
    tags: dict[str, str],
    endpoint_tags: Mapping[str, str] | None = None,
) -> tuple[pulumi.Output[str], list[pulumi.Resource]]:
    """Make zone and endpoint; return the endpoint's id and what a reader has to wait for (zone links, zone group).

    `group_id` is the service's sub-resource, such as `vault` or `registry`; `endpoint_tags` are for the endpoint alone.
    """
    child = pulumi.ResourceOptions(parent=parent)
    zone = PrivateDnsZone(
        f"{name}-dns",
        PrivateDnsZoneArgs(
            resource_group_name=resource_group_name,
            zone_name=zone_name,
            virtual_network_ids=dict(virtual_network_ids),
            tags=tags,
        ),
        child,
    )
    # The zone group follows the service: records of what a service adds later (replicas) appear by themselves.
    endpoint = PrivateEndpoint(
        f"{name}-private",
        PrivateEndpointArgs(
            resource_group_name=resource_group_name,
            location=location,
            endpoint_name=naming.name("pe", group_id.lower()),
            target_id=target_id,
            group_id=group_id,
            subnet_id=subnet_id,
            zone_id=zone.id,
            tags={**tags, **(endpoint_tags or {})},
        ),
        child,
    )
    return endpoint.id, [*zone.links, endpoint.zone_group]
