"""What a stamp's stack file may say under `aks-geode:stamp`."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from foundation.azure_regions import ZONES
from foundation.azure_types import (
    Address,
    AzureLocation,
    Fqdn,
    FqdnPattern,
    Network,
    ResourceName,
    Settings,
    StackName,
    Tags,
    Wave,
    Zone,
    setting_error,
)
from stamps.cluster_config import ClusterSettings, MaintenanceSettings
from stamps.ingress_host import check_ingress_host
from stamps.network_config import NetworkSettings

ApiServerAccess = Literal["vnetIntegration", "privateLink", "public"]


class GatewaySettings(Settings):
    """The Application Gateway. `hostName` is the user-owned name that Front Door calls; its certificate comes from the
    secret `aks-geode:gatewayCertificate`. Capacities are autoscale units."""

    host_name: Fqdn
    min_capacity: Annotated[int, Field(ge=2, le=125)] = 2
    max_capacity: Annotated[int, Field(ge=2, le=125)] = 10
    waf_mode: Literal["Prevention", "Detection"] = "Prevention"

    @model_validator(mode="after")
    def _capacities_are_ordered(self) -> Self:
        if self.max_capacity < self.min_capacity:
            raise setting_error(
                "maxCapacity", self.max_capacity, f"at least minCapacity ({self.min_capacity})", str(self.min_capacity)
            )
        return self


class IngressSettings(Settings):
    """The cluster's ingress: the name in the private zone and on its certificate (secret
    `aks-geode:ingressCertificate`), and the internal load balancer's fixed address (default: the subnet's first)."""

    host_name: Fqdn
    address: Address | None = None


class OriginSettings(Settings):
    """The stamp's origin in Front Door. Origins of equal latency share traffic by weight."""

    enabled: bool = True
    weight: Annotated[int, Field(ge=1, le=1000)] = 500


class GitOpsSettings(Settings):
    """Where Flux reads the cluster's desired state. `structure` names a folder of `cluster-manifests/stamps`; `wave`
    says when the stamp takes a new version of the workload and, with a fleet manager, when its cluster is upgraded."""

    url: Annotated[
        str,
        Field(
            pattern=r"^https://[^\s@]+$",
            description="an https address without credentials",
            examples=["https://github.com/contoso/aks-geode"],
        ),
    ] = "https://github.com/contoso/aks-geode"
    branch: Annotated[str, Field(pattern=r"^[\w./-]+$", description="a branch name", examples=["main"])] = "main"
    structure: Literal["standard", "canary"] = "standard"
    wave: Wave = "wave1"
    sync_interval_seconds: Annotated[int, Field(ge=60, le=3600)] = 300


class StampFirewallSettings(Settings):
    """What this stamp's workload may reach beside the platform's own destinations."""

    allowed_fqdns: Annotated[tuple[FqdnPattern, ...], Field(max_length=200)] = ()
    public_ip_count: Annotated[int, Field(ge=1, le=16, description="a number of public addresses")] = 3


class NetworkWatcherSettings(Settings):
    """The region's Network Watcher, which Azure owns: one a region and subscription."""

    resource_group: ResourceName = "NetworkWatcherRG"
    name: ResourceName | None = None


class PolicySettings(Settings):
    """Azure Policy for the cluster, assigned to the stamp's own resource group."""

    effect: Literal["Deny", "Audit"] = "Deny"
    scope: Literal["resourceGroup", "subscription", "managementGroup"] = "resourceGroup"


class EventGridSettings(Settings):
    """Cluster events (new Kubernetes versions, node images). The topic is made only when a queue consumes it."""

    storage_account_id: Annotated[str, Field(pattern=r"^/subscriptions/", description="the id of a storage account")]
    queue_name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$", description="a queue name")]


class StampConfig(Settings):
    """One regional stamp. A region's file states only what differs; the defaults are secure and zone-redundant."""

    shared_stack: StackName = "shared"
    region: AzureLocation
    zones: Annotated[tuple[Zone, ...], Field(max_length=3)] | None = None
    generation: Annotated[
        int, Field(ge=1, le=999, description="a number that enters names which Azure keeps reserved")
    ] = 1
    api_server: ApiServerAccess = "vnetIntegration"
    authorized_ip_ranges: tuple[Network, ...] = ()
    dns: Literal["azure", "firewall"] = "azure"
    network: NetworkSettings
    gateway: GatewaySettings
    ingress: IngressSettings
    maintenance: MaintenanceSettings
    cluster: ClusterSettings = ClusterSettings()
    gitops: GitOpsSettings = GitOpsSettings()
    firewall: StampFirewallSettings = StampFirewallSettings()
    front_door_origin: OriginSettings = OriginSettings()
    drained: bool = False
    network_watcher: NetworkWatcherSettings = NetworkWatcherSettings()
    policy: PolicySettings = PolicySettings()
    event_grid: EventGridSettings | None = None
    tags: Tags

    @property
    def availability_zones(self) -> tuple[str, ...]:
        """The zones that resources spread over: as configured, else the region's; empty where it has none."""
        return self.zones if self.zones is not None else ZONES.get(self.region, ())

    @model_validator(mode="after")
    def _zones_exist_in_the_region(self) -> Self:
        if self.zones is not None:
            if len(set(self.zones)) != len(self.zones):
                raise setting_error("zones", list(self.zones), "each zone once", '["1", "2", "3"]')
            known = ZONES.get(self.region)
            if known is not None and not set(self.zones) <= set(known):
                allowed = (
                    f"zones of {self.region}: {', '.join(known)}" if known else f"no zones, {self.region} has none"
                )
                raise setting_error("zones", list(self.zones), allowed, str(list(known)).replace("'", '"'))
        return self

    @model_validator(mode="after")
    def _pools_divide_over_the_zones(self) -> Self:
        count = len(self.availability_zones)
        for key, pool in self.cluster.named_pools():
            if count and pool.min_count % count:
                raise setting_error(
                    f"cluster.{key}.minCount", pool.min_count, f"a multiple of the {count} zones", str(count)
                )
        return self

    @model_validator(mode="after")
    def _only_what_is_built(self) -> Self:
        for key, value, built in (
            ("apiServer", self.api_server, ("vnetIntegration", "privateLink")),
            ("dns", self.dns, ("azure",)),
            ("policy.scope", self.policy.scope, ("resourceGroup",)),
        ):
            if value not in built:
                raise setting_error(
                    key, value, f"{' or '.join(built)} ({value} is planned and not built yet)", built[0]
                )
        if self.authorized_ip_ranges:
            raise setting_error(
                "authorizedIpRanges",
                self.authorized_ip_ranges[0],
                "no ranges, which Azure takes for a public API server only",
                "[]",
            )
        return self

    @model_validator(mode="after")
    def _ingress_zone_hides_nothing(self) -> Self:
        check_ingress_host(self.ingress.host_name, self.gateway.host_name)
        return self

    @model_validator(mode="after")
    def _drain_blocks(self) -> Self:
        if self.drained and self.gateway.waf_mode == "Detection":
            raise setting_error(
                "gateway.wafMode",
                self.gateway.waf_mode,
                "Prevention while drained, for Detection blocks nothing",
                "Prevention",
            )
        return self

    @model_validator(mode="after")
    def _ingress_address_is_free(self) -> Self:
        subnet = self.network.address_plan().ingress
        if self.ingress.address is not None and self.ingress.address not in _assignable(subnet):
            usable = _assignable(subnet)
            raise setting_error(
                "ingress.address",
                self.ingress.address,
                f"an address of the ingress subnet {subnet} that Azure does not reserve ({usable[0]} to {usable[-1]})",
                str(usable[0]),
            )
        return self

    @model_validator(mode="after")
    def _pods_fit(self) -> Self:
        nodes = sum(pool.max_count for _, pool in self.cluster.named_pools())
        room = 2 ** (24 - self.network.pods.prefixlen) if self.network.pods.prefixlen <= 24 else 0
        if nodes > room:
            raise setting_error(
                "network.pods",
                self.network.pods,
                f"a network with a /24 for each of the {nodes} nodes of all pools at their maximum",
                "10.64.0.0/16",
            )
        return self

    @property
    def ingress_address(self) -> str:
        """The fixed address of the ingress load balancer."""
        return str(self.ingress.address or _assignable(self.network.address_plan().ingress)[0])


def _assignable(subnet: IPv4Network) -> list[IPv4Address]:
    """Return a subnet's addresses without the first four and the last, which Azure keeps for itself."""
    return list(subnet)[4:-1]
