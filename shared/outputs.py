"""The contract between the shared stack and its stamps: what shared exports and a stamp reads, typed and versioned.

It holds no secrets. Field names are camelCase on the wire: stack outputs are read by people and other programs too.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field
from pydantic.alias_generators import to_camel

from foundation.azure_types import Arguments, AzureLocation
from shared.config import AccessScheme, FirewallInheritance

CONTRACT_OUTPUT = "contract"
"""Name of the stack output that carries the contract."""

ArmId = Annotated[str, Field(pattern=r"^/subscriptions/[^/]+/", description="an ARM resource id")]


class _Contract(Arguments):
    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, validate_by_name=True, validate_by_alias=True
    )


class FrontDoorContract(_Contract):
    """What a stamp needs to enrol its origin and to recognise this Front Door's requests.

    `front_door_id` is the value of the X-Azure-FDID header. `probe_path` belongs to the origin group.
    """

    profile_name: str
    profile_id: ArmId
    front_door_id: str
    endpoint_id: ArmId
    endpoint_host_name: str
    origin_group_name: str
    probe_path: str


class RegistryContract(_Contract):
    """The container registry: a stamp puts a private endpoint on it and grants AcrPull to its kubelet identity."""

    id: ArmId
    name: str
    login_server: str
    replicated_regions: tuple[str, ...]


class WorkspaceContract(_Contract):
    """The shared log workspace. Data collection rules have to lie in its region."""

    id: ArmId
    location: AzureLocation


class FirewallContract(_Contract):
    """The base rules: with `shared` inheritance the base policy's id and region, with `regional` neither."""

    inheritance: FirewallInheritance
    sku: Literal["Standard", "Premium"]
    allowed_fqdns: tuple[str, ...]
    base_policy_id: ArmId | None = None
    base_policy_location: AzureLocation | None = None


class AccessContract(_Contract):
    """Who may use the clusters, see `shared.config.AccessSettings`."""

    scheme: AccessScheme
    admin_group_object_id: str | None = None
    group_owners: tuple[str, ...] = ()
    group_members: tuple[str, ...] = ()
    namespaces: dict[str, str] = Field(default_factory=dict)


class FleetManagerContract(_Contract):
    """The fleet manager that a stamp's cluster joins; it lies in the shared resource group.

    A stamp's wave is one of `waves`. `node_images` says who renews them: each cluster, or the fleet manager.
    """

    id: ArmId
    name: str
    waves: tuple[str, ...]
    node_images: Literal["cluster", "fleet"]


class DatabaseContract(_Contract):
    """The workload's database: a stamp puts a private endpoint on the account and lets its workload into `database`.

    `regions` are those that the account has; `endpoint` is the account's own address, of no region.
    """

    account_id: ArmId
    account_name: str
    endpoint: Annotated[str, Field(pattern=r"^https://", description="an https address")]
    database: str
    container: str
    regions: tuple[AzureLocation, ...]


class PublicDnsZoneContract(_Contract):
    """An existing public DNS zone for the names of the gateways."""

    resource_group: str
    name: str


class SharedOutputs(_Contract):
    """Everything that a stamp knows of the shared services."""

    version: Literal[1] = 1
    subscription_id: str
    tenant_id: str
    workload: str
    resource_group_name: str
    location: AzureLocation
    regions: tuple[AzureLocation, ...]
    front_door: FrontDoorContract
    registry: RegistryContract
    workspace: WorkspaceContract
    firewall: FirewallContract
    access: AccessContract
    action_group_id: ArmId
    fleet_manager: FleetManagerContract | None = None
    database: DatabaseContract | None = None
    public_dns_zone: PublicDnsZoneContract | None = None
    tags: dict[str, str] = Field(default_factory=dict)
