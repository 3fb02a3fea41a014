"""What `Pulumi.shared.yaml` may say under `aks-geode:shared`."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from foundation.azure_types import (
    AzureLocation,
    Email,
    FqdnPattern,
    Guid,
    Label,
    ResourceName,
    Settings,
    Tags,
    Wave,
    setting_error,
)

FirewallInheritance = Literal["regional", "shared"]
OutageBehaviour = Literal["page", "failOpen"]
AccessScheme = Literal["globalGroup", "clusterGroup", "namespace"]


class FrontDoorSettings(Settings):
    """The global entry. `outageBehaviour: page` shows the maintenance page when every stamp fails its probe;
    `failOpen` lets Front Door send to all stamps instead (the maintenance origin then carries no probe blob)."""

    waf_mode: Literal["Prevention", "Detection"] = "Prevention"
    rate_limit_per_minute: Annotated[int, Field(ge=10, le=1_000_000)] = 3000
    response_timeout_seconds: Annotated[int, Field(ge=16, le=240)] = 60
    probe_interval_seconds: Annotated[int, Field(ge=5, le=255)] = 30
    outage_behaviour: OutageBehaviour = "page"


class WorkspaceSettings(Settings):
    """The log workspace that all clusters share. The quota is in GiB a day; -1 means none."""

    retention_days: Annotated[int, Field(ge=30, le=730)] = 30
    daily_quota_gb: Annotated[int, Field(ge=-1, le=5000)] = -1


class RegistrySettings(Settings):
    """The container registry. Untagged manifests are deleted after `untaggedRetentionDays`."""

    untagged_retention_days: Annotated[int, Field(ge=0, le=365)] = 15


class FirewallSettings(Settings):
    """The organisation's base rules. `regional`: each stamp has its own base policy made from them; `shared`: one base
    policy lies in the shared stack and every stamp's policy is its child, in the base's region."""

    inheritance: FirewallInheritance = "regional"
    sku: Literal["Standard", "Premium"] = "Standard"
    allowed_fqdns: Annotated[tuple[FqdnPattern, ...], Field(max_length=200)] = ()


class DatabaseSettings(Settings):
    """The workload's database: Cosmos DB in every region of the fleet, read and written in each. `maxThroughput` is
    the upper end of autoscale, in request units a second and region. Azure fixes `zoneRedundant` when it adds a region,
    and takes a new `backup` tier or new regions only without any other change of the account."""

    # Strong needs one write region, and bounded staleness delays every region to the slowest.
    consistency: Literal["Session", "ConsistentPrefix", "Eventual"] = "Session"
    backup: Literal["Continuous7Days", "Continuous30Days"] = "Continuous7Days"
    max_throughput: Annotated[int, Field(ge=1000, le=1_000_000, multiple_of=1000, examples=[4000])] = 1000
    zone_redundant: bool = True


class AlertSettings(Settings):
    """Who hears about alerts: one action group for the fleet."""

    emails: Annotated[tuple[Email, ...], Field(max_length=50)] = ()


class AccessSettings(Settings):
    """Who may use the clusters. `globalGroup`: shared makes one Entra group of cluster administrators; `clusterGroup`:
    each stamp makes its own; `namespace`: existing groups get rights on single namespaces only."""

    scheme: AccessScheme = "globalGroup"
    group_owners: tuple[Guid, ...] = ()
    group_members: tuple[Guid, ...] = ()
    namespaces: dict[Label, Guid] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _namespaces_match_scheme(self) -> Self:
        if self.scheme == "namespace" and not self.namespaces:
            raise setting_error(
                "namespaces",
                "{}",
                "at least one namespace with its group's object id when the scheme is namespace",
                "{orders: 11111111-2222-3333-4444-555555555555}",
            )
        if self.scheme != "namespace" and self.namespaces:
            raise setting_error(
                "namespaces", self.namespaces, f"no namespaces when the scheme is {self.scheme}", "scheme: namespace"
            )
        return self


class FleetManagerSettings(Settings):
    """Azure Kubernetes Fleet Manager. `waves` is the order in which it upgrades clusters; a stamp's wave is its
    `gitops.wave`, and every wave needs a stamp. `nodeImages: cluster` leaves node images to each cluster, `fleet` lets
    it renew them wave after wave, with `waveWaitSeconds` between two waves."""

    hub: Literal["none", "private"] = "none"
    waves: Annotated[
        tuple[Wave, ...],
        Field(min_length=1, description="a list of waves, wave1 to wave9, in their order", examples=[["wave1"]]),
    ] = ("wave1", "wave2")
    wave_wait_seconds: Annotated[int, Field(ge=0, le=604_800)] = 86_400
    node_images: Literal["cluster", "fleet"] = "cluster"

    @model_validator(mode="after")
    def _only_what_is_built(self) -> Self:
        if self.hub != "none":
            raise setting_error(
                "hub",
                self.hub,
                "none (a private hub cluster needs a network of its own that every stamp reaches, which is not built; "
                "Flux brings the workload to the stamps without one)",
                "none",
            )
        return self

    @model_validator(mode="after")
    def _waves_are_distinct(self) -> Self:
        if len(set(self.waves)) != len(self.waves):
            raise setting_error("waves", ", ".join(self.waves), "each wave once", "[wave1, wave2]")
        return self


class PublicDnsZone(Settings):
    """An existing public DNS zone into which every stamp writes the name of its gateway."""

    resource_group: ResourceName
    name: Annotated[str, Field(description="the zone's name", examples=["edge.contoso.com"])]


class SharedConfig(Settings):
    """The shared services of one fleet. `location` is their home, `regions` every region that a stamp may stand in."""

    business_unit: Annotated[
        str,
        Field(
            pattern=r"^[a-z][a-z0-9]{1,11}$",
            description="a short code of lower-case letters and digits",
            examples=["bu0001"],
        ),
    ]
    application: Annotated[
        str,
        Field(
            pattern=r"^[a-z][a-z0-9]{1,11}$",
            description="a short code of lower-case letters and digits",
            examples=["a0042"],
        ),
    ]
    location: AzureLocation
    regions: Annotated[
        tuple[AzureLocation, ...],
        Field(min_length=1, description="a list of Azure regions, each once", examples=[["eastus2", "centralus"]]),
    ]
    generation: Annotated[
        int, Field(ge=1, le=999, description="a number that enters names which Azure keeps reserved")
    ] = 1
    front_door: FrontDoorSettings = FrontDoorSettings()
    workspace: WorkspaceSettings = WorkspaceSettings()
    registry: RegistrySettings = RegistrySettings()
    firewall: FirewallSettings = FirewallSettings()
    alerts: AlertSettings = AlertSettings()
    access: AccessSettings = AccessSettings()
    fleet_manager: FleetManagerSettings | None = None
    database: DatabaseSettings | None = None
    public_dns_zone: PublicDnsZone | None = None
    tags: Tags

    @model_validator(mode="after")
    def _regions_are_distinct(self) -> Self:
        doubled = sorted({region for region in self.regions if self.regions.count(region) > 1})
        if doubled:
            raise setting_error("regions", ", ".join(doubled), "each region once", "[eastus2, centralus]")
        return self

    @property
    def workload(self) -> str:
        """Business unit and application written together, as they stand in every name."""
        return f"{self.business_unit}{self.application}"
