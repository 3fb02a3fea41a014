"""Node pools, versions and maintenance windows of a stamp's cluster as its stack file says them."""

from __future__ import annotations

from typing import Annotated, Literal, Self, get_args

from pydantic import Field, model_validator

from foundation.azure_types import KubernetesVersion, Settings, VmSize, setting_error

PoolName = Annotated[
    str,
    Field(
        pattern=r"^[a-z][a-z0-9]{0,11}$",
        description="at most 12 lower-case letters and digits, starting with a letter",
        examples=["npuser01"],
    ),
]
Day = Literal["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
_WEEK = 7 * 1440


class KubeletSettings(Settings):
    """Kubelet settings of a pool; sizes in MiB. Left out means AKS's own value."""

    container_log_max_size_mb: Annotated[int, Field(ge=1, le=1024)] | None = None
    container_log_max_files: Annotated[int, Field(ge=2, le=100)] | None = None
    pod_max_pids: Annotated[int, Field(ge=1024, le=1_000_000)] | None = None
    image_gc_high_threshold: Annotated[int, Field(ge=1, le=100)] | None = None
    image_gc_low_threshold: Annotated[int, Field(ge=0, le=99)] | None = None


class NodePoolSettings(Settings):
    """One node pool. Disk in GiB; `maxSurge` is a count or a share of the pool. A replacement takes a new name."""

    name: PoolName
    vm_size: VmSize = "Standard_D4ds_v5"
    min_count: Annotated[int, Field(ge=1, le=1000)] = 3
    max_count: Annotated[int, Field(ge=1, le=1000)] = 9
    os_disk_size_gb: Annotated[int, Field(ge=30, le=2048)] = 120
    max_pods: Annotated[int, Field(ge=30, le=250)] = 60
    max_surge: Annotated[
        str, Field(pattern=r"^[1-9][0-9]?[0-9]?%?$", description="a count or a percentage in quotes", examples=["33%"])
    ] = "33%"
    encryption_at_host: bool = True
    labels: dict[str, str] = Field(default_factory=dict)
    taints: tuple[str, ...] = ()
    kubelet: KubeletSettings = KubeletSettings()
    sysctls: dict[Literal["vmMaxMapCount", "fsFileMax", "netCoreSomaxconn", "fsInotifyMaxUserWatches"], int] = Field(
        default_factory=dict
    )

    @model_validator(mode="after")
    def _counts_are_ordered(self) -> Self:
        if self.max_count < self.min_count:
            raise setting_error(
                "maxCount", self.max_count, f"at least minCount ({self.min_count})", str(self.min_count)
            )
        return self


class AutoscalerSettings(Settings):
    """The cluster autoscaler's profile, durations as Kubernetes writes them."""

    expander: Literal["least-waste", "most-pods", "priority", "random"] = "least-waste"
    scan_interval: Annotated[str, Field(pattern=r"^[0-9]+s$", examples=["10s"])] = "10s"
    scale_down_unneeded_time: Annotated[str, Field(pattern=r"^[0-9]+m$", examples=["10m"])] = "10m"
    scale_down_delay_after_add: Annotated[str, Field(pattern=r"^[0-9]+m$", examples=["10m"])] = "10m"
    scale_down_utilization_threshold: Annotated[str, Field(pattern=r"^0\.[0-9]+$", examples=["0.5"])] = "0.5"


class ClusterSettings(Settings):
    """The cluster: version, pools and autoscaler."""

    kubernetes_version: KubernetesVersion = "1.36"
    sku_tier: Literal["Free", "Standard", "Premium"] = "Standard"
    upgrade_channel: Literal["patch", "stable", "node-image", "none"] = "patch"
    node_os_upgrade_channel: Literal["NodeImage", "SecurityPatch", "None"] = "NodeImage"
    system_pool: NodePoolSettings = NodePoolSettings(name="npsystem", vm_size="Standard_D4ds_v5", max_count=6)
    user_pools: Annotated[tuple[NodePoolSettings, ...], Field(min_length=1, max_length=99)] = (
        NodePoolSettings(name="npuser01", vm_size="Standard_D8ds_v5", os_disk_size_gb=200),
    )
    autoscaler: AutoscalerSettings = AutoscalerSettings()

    def named_pools(self) -> list[tuple[str, NodePoolSettings]]:
        """Return every pool with its key in the stack file."""
        return [
            ("systemPool", self.system_pool),
            *((f"userPools[{i}]", pool) for i, pool in enumerate(self.user_pools)),
        ]

    @model_validator(mode="after")
    def _names_are_distinct(self) -> Self:
        names = [pool.name for _, pool in self.named_pools()]
        for key, pool in self.named_pools():
            if names.count(pool.name) > 1:
                raise setting_error(f"{key}.name", pool.name, "a pool name that is used once", "npuser02")
        return self


class MaintenanceSettings(Settings):
    """When Azure may change the cluster: a weekly window; those of two stamps never overlap."""

    day: Day
    start_time: Annotated[
        str,
        Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", description="a time of day in quotes", examples=["21:00"]),
    ] = "21:00"
    duration_hours: Annotated[int, Field(ge=4, le=24)] = 8
    utc_offset: Annotated[
        str,
        Field(pattern=r"^[+-][01][0-9]:[0-5][0-9]$", description="an offset from UTC in quotes", examples=["-05:00"]),
    ] = "+00:00"

    def overlaps(self, other: MaintenanceSettings) -> bool:
        """Tell whether both windows are open at one moment of the week."""
        start, other_start = self._utc_start(), other._utc_start()
        gap = (other_start - start) % _WEEK
        return gap < self.duration_hours * 60 or (_WEEK - gap) % _WEEK < other.duration_hours * 60

    def _utc_start(self) -> int:
        """Return the start in minutes since Monday 00:00 UTC."""
        sign = -1 if self.utc_offset[0] == "-" else 1
        offset = sign * (int(self.utc_offset[1:3]) * 60 + int(self.utc_offset[4:6]))
        local = get_args(Day).index(self.day) * 1440 + int(self.start_time[:2]) * 60 + int(self.start_time[3:5])
        return (local - offset) % _WEEK
