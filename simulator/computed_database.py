"""What Azure computes for a Cosmos DB account, its databases and its containers: host names, regions, resource ids."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from simulator.computed_outputs import OutputContext, label_hash, new_guid
from simulator.protocol_values import Properties

_SUFFIX: Final = ".documents.azure.com"


def region_of(location: Mapping[str, Any]) -> str:
    """Return the region of one of an account's locations, such as ``eastus2``."""
    return str(location.get("locationName") or "").replace(" ", "").lower()


def host_names(account: str, locations: list[Mapping[str, Any]]) -> list[str]:
    """Return the names of an account, the regionless one first; a private endpoint has an address for each."""
    regional = [f"{account}-{region_of(each)}{_SUFFIX}".lower() for each in locations]
    return [f"{account}{_SUFFIX}".lower(), *regional]


def _account(context: OutputContext) -> None:
    account = context.name.lower()
    context.outputs["documentEndpoint"] = f"https://{account}{_SUFFIX}:443/"
    context.keep("instanceId", new_guid)
    locations = [_location(account, each) for each in context.inputs.get("locations") or []]
    locations.sort(key=lambda each: int(each.get("failoverPriority") or 0))
    several = bool(context.inputs.get("enableMultipleWriteLocations"))
    context.outputs["locations"] = locations
    context.outputs["readLocations"] = locations
    context.outputs["writeLocations"] = locations if several else locations[:1]
    names = ("id", "locationName", "failoverPriority")
    context.outputs["failoverPolicies"] = [{name: each[name] for name in names if name in each} for each in locations]


def _location(account: str, given: Mapping[str, Any]) -> Properties:
    own = f"{account}-{region_of(given)}"
    return {
        "id": own,
        "documentEndpoint": f"https://{own}{_SUFFIX}:443/",
        "provisioningState": "Succeeded",
        **{name: value for name, value in given.items() if value is not None},
    }


def _resource(context: OutputContext) -> None:
    """Complete the inner object of a database or container with the ids that the data plane knows it by."""
    resource = context.section("resource")
    resource["rid"] = context.previous_section("resource").get("rid") or label_hash(context.id)[:12]
    resource["etag"] = f'"{new_guid()}"'
    resource["ts"] = context.previous_section("resource").get("ts") or 0


DATABASE_OUTPUTS: Final[Mapping[str, Callable[[OutputContext], None]]] = {
    "cosmosdb:DatabaseAccount": _account,
    "cosmosdb:SqlResourceSqlContainer": _resource,
    "cosmosdb:SqlResourceSqlDatabase": _resource,
}
"""What single types compute, by ``module:Class``."""
