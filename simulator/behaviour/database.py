"""What Cosmos DB refuses: an account's regions and how they change, containers, and the roles on its data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from simulator.azure_errors import AzureError, AzureRequest, Rule, bad_request, conflict
from simulator.behaviour.facts import read_fact
from simulator.behaviour.identity import PRINCIPAL
from simulator.behaviour.offers import regions, zones_of
from simulator.behaviour.subnets import free_addresses
from simulator.computed_database import region_of
from simulator.immutability import changes
from simulator.latency import propagation_seconds
from simulator.resource_ids import is_guid, name_of

BUILT_IN_ROLES: Final = ("00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000002")
"""Reader and contributor of the data, in every account
(https://learn.microsoft.com/azure/cosmos-db/reference-data-plane-security)."""
_IDENTITY: Final = "azure-native:managedidentity:UserAssignedIdentity"
_PRIORITIES: Final = "failoverPriority"


def _locations(inputs: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    return {region_of(each): each for each in inputs.get("locations") or []}


def _regions_are_told_apart(request: AzureRequest) -> None:
    # Priorities are 0 to one less than the number of regions, each once (REST reference, Location).
    given = request.inputs.get("locations") or []
    for location in given:
        region = region_of(location)
        if region not in regions():
            raise bad_request("LocationNotAvailableForResourceType", f"The location '{region}' is not a region.")
        if location.get("isZoneRedundant") and not zones_of(region):
            raise bad_request("BadRequest", f"Zone Redundant Accounts are not supported in {region}.")
    if len(_locations(request.inputs)) != len(given):
        raise bad_request("BadRequest", "Each region can be given once in locations.")
    if sorted(int(each.get(_PRIORITIES) or 0) for each in given) != list(range(len(given))):
        raise bad_request("BadRequest", "Failover priorities must be unique and count from 0 without a gap.")


def _strong_has_one_writer(request: AzureRequest) -> None:
    # https://github.com/hashicorp/terraform-provider-azurerm/issues/32374
    level = str((request.inputs.get("consistencyPolicy") or {}).get("defaultConsistencyLevel"))
    if level == "Strong" and request.inputs.get("enableMultipleWriteLocations"):
        raise bad_request("BadRequest", "Strong consistency is not possible with several write regions.")


def _alone(request: AzureRequest) -> None:
    """Refuse an update that changes regions, or the backup, together with anything else."""
    if request.previous is None:
        return
    old, new = _locations(request.previous.inputs), _locations(request.inputs)
    touched = {
        change.path.split("[")[0].split(".")[0]
        for change in changes(request.type, request.previous.inputs, request.inputs)
    }
    if old.keys() != new.keys() and touched != {"locations"}:
        # https://learn.microsoft.com/azure/cosmos-db/nosql/manage-with-bicep
        raise bad_request(
            "BadRequest",
            "Regions cannot be added or removed together with other changes of the account: "
            f"{', '.join(sorted(touched - {'locations'}))}.",
        )
    if "backupPolicy" in touched and len(touched) > 1:
        # https://github.com/Azure/bicep/issues/12403
        raise bad_request("BadRequest", "Cannot update continuous backup mode and other properties at the same time.")
    for region in old.keys() & new.keys():
        if bool(old[region].get("isZoneRedundant")) != bool(new[region].get("isZoneRedundant")):
            # https://azure.github.io/PSRule.Rules.Azure/en/rules/Azure.Cosmos.AvailabilityZone
            raise bad_request("BadRequest", f"Zone redundancy of {region} is fixed when the region is added.")


def _backup_stays_continuous(request: AzureRequest) -> None:
    # https://learn.microsoft.com/azure/cosmos-db/migrate-continuous-backup: there is no way back to periodic.
    kinds = [(inputs.get("backupPolicy") or {}).get("type") for inputs in (_former(request), request.inputs)]
    if kinds == ["Continuous", "Periodic"]:
        raise bad_request("BadRequest", "Continuous backup cannot be changed to periodic.")


def _former(request: AzureRequest) -> Mapping[str, Any]:
    return request.previous.inputs if request.previous else {}


def _room_for_regions(request: AzureRequest) -> None:
    """A new region takes an address of every private endpoint's subnet. The code of the refusal is assumed.

    https://learn.microsoft.com/azure/cosmos-db/how-to-configure-private-endpoints
    """
    if request.previous is None:
        return
    added = _locations(request.inputs).keys() - _locations(request.previous.inputs).keys()
    for endpoint in request.store.referring_to(request.id):
        if added and endpoint.arm_type == "microsoft.network/privateendpoints":
            free = free_addresses(request.store, str((endpoint.inputs.get("subnet") or {}).get("id", "")))
            if free is not None and free < len(added):
                raise conflict(
                    "PrivateEndpointUpdateFailed",
                    f"{', '.join(sorted(added))} cannot be added: the subnet of {endpoint.id} has no free IP address.",
                )


def _throughput(request: AzureRequest) -> None:
    # https://learn.microsoft.com/azure/cosmos-db/provision-throughput-autoscale, pulumi-azure-native#4189
    options = request.inputs.get("options") or {}
    most = (options.get("autoscaleSettings") or {}).get("maxThroughput")
    if most is not None and (most < 1000 or most % 1000):
        raise bad_request("BadRequest", f"Autoscale's highest throughput is a multiple of 1000 from 1000 on: {most}.")
    former = _former(request).get("options") or {}
    if most is not None and former.get("throughput"):
        raise bad_request(
            "BadRequest",
            "Updating offer to autoscale throughput is not allowed. Please invoke migration API to migrate this offer.",
        )


def _assignment(request: AzureRequest) -> None:
    """Refuse a role on data that is not there, or that its principal has already."""
    account = request.id.rsplit("/sqlRoleAssignments/", 1)[0]
    if not is_guid(request.name):
        raise bad_request("BadRequest", f"The role assignment id '{request.name}' must be a GUID.")
    role, scope = str(request.inputs.get("roleDefinitionId", "")), str(request.inputs.get("scope", ""))
    own = role.lower().startswith(f"{account}/sqlRoleDefinitions/".lower())
    if not own or not (name_of(role) in BUILT_IN_ROLES or request.store.exists(role)):
        raise bad_request("BadRequest", f"The provided role definition [{role}] does not exist in {account}.")
    below = scope.lower().removeprefix(account.lower())
    database = below.strip("/").split("/")[1:2] if below.startswith("/dbs/") else []
    if not scope.lower().startswith(account.lower()) or (below.strip("/") and not database):
        raise bad_request("BadRequest", f"The scope [{scope}] is not a path of the data of {account}.")
    if database and not request.store.exists(f"{account}/sqlDatabases/{database[0]}"):
        raise AzureError(404, "NotFound", f"The scope [{scope}] names a database that {account} does not have.")
    key = (role.lower(), scope.lower().rstrip("/"), request.inputs.get("principalId"))
    for other in request.store.below(account):
        if other.arm_type.endswith("/sqlroleassignments") and other.id.lower() != request.id.lower():
            theirs = (str(other.inputs.get(name, "")).lower().rstrip("/") for name in ("roleDefinitionId", "scope"))
            if (*theirs, other.inputs.get("principalId")) == key:
                raise conflict("Conflict", f"The principal has this role at this scope already, by {other.id}.")


def _principal(request: AzureRequest) -> None:
    """Refuse a principal that Entra has not replicated: there is no type to give that would spare the look-up.

    Without a clock nothing is late: a program could not wait for it (pulumi-azure-native#2816).
    """
    principal = str(request.inputs.get("principalId", ""))
    known = read_fact(request.store, PRINCIPAL + principal)
    if known is None or request.previous or request.moment.seconds is None:
        return
    mark = json.loads(known)[1]
    if not mark or not request.moment.noticed(mark, propagation_seconds(_IDENTITY)):
        raise bad_request(
            "BadRequest",
            f"The provided principal ID [{principal}] was not found in the AAD tenant(s) "
            f"[{request.store.fact('tenantId')}] which are associated with the customer's subscription.",
        )


DATABASE_WRITES: Final[Mapping[str, tuple[Rule, ...]]] = {
    "cosmosdb:DatabaseAccount": (
        _regions_are_told_apart,
        _strong_has_one_writer,
        _alone,
        _backup_stays_continuous,
        _room_for_regions,
    ),
    "cosmosdb:SqlResourceSqlContainer": (_throughput,),
    "cosmosdb:SqlResourceSqlDatabase": (_throughput,),
    "cosmosdb:SqlResourceSqlRoleAssignment": (_assignment, _principal),
}
"""Rules before a write, by ``module:Class``."""
