"""A private DNS zone with its network links and fixed address records.

Each stamp owns its zones, in its own resource group and linked to its own networks only: one shared zone would hold
conflicting records of the same registry name
(https://learn.microsoft.com/azure/container-registry/container-registry-private-link).
"""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
from pulumi_azure_native import privatedns
from pydantic import Field

from foundation.azure_types import Arguments, In

RECORD_TTL_SECONDS = 300


class PrivateDnsZoneArgs(Arguments):
    """`virtual_network_ids` maps a network's role (`spoke`) to its id, `records` a name in the zone to its address."""

    resource_group_name: In[str]
    zone_name: str
    virtual_network_ids: dict[str, In[str]]
    records: dict[str, str] = Field(default_factory=dict)
    tags: dict[str, str]


class PrivateDnsZone(pulumi.ComponentResource):
    """A private zone, its links and fixed records. Records of private endpoints come from their zone groups."""

    id: pulumi.Output[str]
    zone: privatedns.PrivateZone
    links: Sequence[privatedns.VirtualNetworkLink]
    records: Sequence[privatedns.PrivateRecordSet]

    def __init__(self, name: str, args: PrivateDnsZoneArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("aks-geode:stamps:PrivateDnsZone", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        self.zone = privatedns.PrivateZone(
            f"{name}-zone",
            private_zone_name=args.zone_name,
            resource_group_name=args.resource_group_name,
            location="global",
            tags=args.tags,
            opts=child,
        )
        self.links = [
            privatedns.VirtualNetworkLink(
                f"{name}-link-{role}",
                virtual_network_link_name=f"to-{role}",
                private_zone_name=self.zone.name,
                resource_group_name=args.resource_group_name,
                location="global",
                registration_enabled=False,
                virtual_network={"id": network_id},
                tags=args.tags,
                opts=child,
            )
            for role, network_id in args.virtual_network_ids.items()
        ]
        self.records = [
            privatedns.PrivateRecordSet(
                f"{name}-record-{record}",
                relative_record_set_name=record,
                record_type="A",
                private_zone_name=self.zone.name,
                resource_group_name=args.resource_group_name,
                ttl=RECORD_TTL_SECONDS,
                a_records=[{"ipv4_address": address}],
                opts=child,
            )
            for record, address in args.records.items()
        ]
        self.id = self.zone.id
        self.register_outputs({"id": self.id})

    @property
    def ready(self) -> list[pulumi.Resource]:
        """What has to exist before somebody in the linked networks can resolve the zone's fixed records."""
        return [*self.links, *self.records]
