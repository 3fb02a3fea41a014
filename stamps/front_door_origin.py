"""The stamp's place in the shared Front Door: its origin and, where the fleet has a public zone, its gateway's name.

Both lie in resource groups that the stamp does not own. The origin is the last thing that a stamp makes and the first
that it gives up, so that Front Door never sends requests to half a stamp.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import pulumi
from pulumi_azure_native import authorization, cdn, dns
from pydantic import model_validator

from foundation.azure_retries import transient_retry
from foundation.azure_types import Arguments, In, setting_error
from shared.outputs import FrontDoorContract, PublicDnsZoneContract

STAMP_PRIORITY = 1
"""All stamps are active; only the fleet's maintenance origin stands behind them."""
RECORD_TTL_SECONDS = 300


class PublicDnsRecordArgs(Arguments):
    """`host_name` lies in the contract's zone, `address` is the gateway's static public IPv4 address."""

    contract: PublicDnsZoneContract
    host_name: str
    address: In[str]

    @model_validator(mode="after")
    def _host_lies_in_the_zone(self) -> Self:
        if not self.host_name.endswith(f".{self.contract.name}"):
            raise setting_error(
                "gateway.hostName",
                self.host_name,
                f"a name in the fleet's public zone {self.contract.name}",
                f"eastus2.{self.contract.name}",
            )
        return self


class PublicDnsRecord(pulumi.ComponentResource):
    """The gateway's name in the fleet's public zone, which the stamp does not own."""

    id: pulumi.Output[str]

    def __init__(self, name: str, args: PublicDnsRecordArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("aks-geode:stamps:PublicDnsRecord", name, None, opts)
        record = dns.RecordSet(
            f"{name}-record",
            relative_record_set_name=args.host_name.removesuffix(f".{args.contract.name}"),
            record_type="A",
            zone_name=args.contract.name,
            resource_group_name=args.contract.resource_group,
            ttl=RECORD_TTL_SECONDS,
            a_records=[{"ipv4_address": args.address}],
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.id = record.id
        self.register_outputs({"id": self.id})


class FrontDoorOriginArgs(Arguments):
    """`host_name` is the gateway's public name, `weight` (1 to 1000) its share among origins of equal latency."""

    contract: FrontDoorContract
    shared_resource_group: str
    stamp: str
    host_name: str
    enabled: bool
    weight: int


class FrontDoorOrigin(pulumi.ComponentResource):
    """The stamp's origin. `after` is what has to serve before requests may come: gateway, public record, cluster."""

    id: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        args: FrontDoorOriginArgs,
        opts: pulumi.ResourceOptions | None = None,
        *,
        after: Sequence[pulumi.Resource] = (),
    ) -> None:
        super().__init__("aks-geode:stamps:FrontDoorOrigin", name, None, opts)
        # Azure takes a profile away with all stamps' origins in it. While a stamp is enrolled its lock on the endpoint
        # makes Azure refuse the route, which is the first resource that a destroy of the shared stack comes to
        # (https://learn.microsoft.com/azure/azure-resource-manager/management/lock-resources).
        lock = authorization.ManagementLockByScope(
            f"{name}-endpoint-lock",
            lock_name=f"stamp-{args.stamp}",
            scope=args.contract.endpoint_id,
            level=authorization.LockLevel.CAN_NOT_DELETE,
            notes=f"The stamp {args.stamp} is enrolled; destroy it first.",
            opts=pulumi.ResourceOptions(parent=self, depends_on=list(after)),
        )
        origin = cdn.AFDOrigin(
            f"{name}-origin",
            origin_name=f"origin-{args.stamp}",
            origin_group_name=args.contract.origin_group_name,
            profile_name=args.contract.profile_name,
            resource_group_name=args.shared_resource_group,
            # One name for connection, host header and certificate check; the route forwards by HTTPS only
            # (https://learn.microsoft.com/azure/frontdoor/end-to-end-tls).
            host_name=args.host_name,
            origin_host_header=args.host_name,
            enforce_certificate_name_check=True,
            https_port=443,
            priority=STAMP_PRIORITY,
            weight=args.weight,
            enabled_state="Enabled" if args.enabled else "Disabled",
            # Stamps write to one profile at the same time, and Azure takes one write after the other.
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=[lock, *after],
                hooks=transient_retry(),
                custom_timeouts=pulumi.CustomTimeouts(create="30m", update="30m", delete="60m"),
            ),
        )
        self.id = origin.id
        self.register_outputs({"id": self.id})
