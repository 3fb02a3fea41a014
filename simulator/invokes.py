"""Functions that programs call at run time: who am I, and getters of what the cloud holds."""

from __future__ import annotations

import uuid

from simulator.azure_cloud import AzureCloud, not_found
from simulator.azure_errors import bad_request
from simulator.protocol_values import Properties, Value
from simulator.resource_ids import IdError
from simulator.schema import resource_schema


def answer(cloud: AzureCloud, token: str, arguments: Properties) -> Properties:
    """Return the result of a function.

    Raises:
        AzureError: the resource is not there, or the simulated Azure does not know the function.
    """
    facts = {name: cloud.store.fact(name) for name in ("subscriptionId", "tenantId", "clientId", "objectId")}
    name = token.rsplit(":", 1)[1]
    if token == "azure-native:authorization:getClientConfig":  # noqa: S105 - a function's name
        return facts
    if token.startswith("azuread:"):
        return _entra(name, facts, arguments)
    if name.startswith("get"):
        found = _get(cloud, token.rsplit(":", 1)[0] + ":" + name[3:], arguments)
        if found is not None:
            return found
    raise bad_request(
        "NotSimulated",
        f"the simulated Azure has no function {token}; read the value from a resource or an output instead",
    )


def guid_from(seed: bytes) -> str:
    """Return a GUID made from the engine's random seed for a resource."""
    return str(uuid.UUID(bytes=(seed + bytes(16))[:16], version=4))


def _entra(name: str, facts: Properties, arguments: Properties) -> Properties:
    if name == "getClientConfig":
        return {**{key: facts[key] for key in ("tenantId", "clientId", "objectId")}, "id": facts["objectId"]}
    if name == "getUser":
        user: Value = arguments.get("userPrincipalName") or "operator@simulated.example"
        object_id = arguments.get("objectId") or str(uuid.uuid5(uuid.NAMESPACE_DNS, user))
        return {
            "id": object_id,
            "objectId": object_id,
            "userPrincipalName": user,
            "displayName": user,
            "mail": user,
            "accountEnabled": True,
        }
    if name == "getGroup":
        group = arguments.get("displayName") or "group"
        object_id = arguments.get("objectId") or str(uuid.uuid5(uuid.NAMESPACE_DNS, str(group)))
        return {
            "id": object_id,
            "objectId": object_id,
            "displayName": group,
            "members": [],
            "owners": [],
            "securityEnabled": True,
        }
    raise bad_request("NotSimulated", f"the simulated Entra has no function {name}")


def _get(cloud: AzureCloud, token: str, arguments: Properties) -> Properties | None:
    if resource_schema(token) is None:
        return None
    try:
        resource_id = cloud.id_of(token, arguments)
    except IdError as error:
        raise bad_request("InvalidArguments", str(error)) from None
    stored = cloud.read(resource_id)
    if stored is None:
        raise not_found(resource_id)
    return {**stored.outputs, "id": stored.id}
