"""What Front Door refuses: the order of origins and routes, parts in use, tiers.

Sources: Azure/bicep-types-az#1923 (a route needs an enabled origin), hashicorp/terraform-provider-azurerm#27652 (the
last origin of a group that a route uses).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from simulator.azure_errors import AzureRequest, Rule, bad_request, conflict
from simulator.cloud_store import CloudStore, StoredResource

_ROUTE: Final = "microsoft.cdn/profiles/afdendpoints/routes"


def _enabled_origins(store: CloudStore, group_id: str) -> list[StoredResource]:
    return [
        item
        for item in store.below(group_id)
        if item.arm_type.endswith("/origins") and item.inputs.get("enabledState", "Enabled") == "Enabled"
    ]


def _route(request: AzureRequest) -> None:
    group = request.reference("originGroup", "id")
    if group and not _enabled_origins(request.store, group):
        raise bad_request(
            "BadRequest", "At least one enabled origin must exist in the origin group before a route can use it."
        )


def _origin_write(request: AzureRequest) -> None:
    if request.previous and request.inputs.get("enabledState") == "Disabled":
        _refuse_last_origin(request)


def _refuse_last_origin(request: AzureRequest) -> None:
    group = request.id.rsplit("/origins/", 1)[0]
    remaining = [item for item in _enabled_origins(request.store, group) if item.id.lower() != request.id.lower()]
    routes = [item for item in request.store.referring_to(group) if item.arm_type == _ROUTE]
    if routes and not remaining:
        raise bad_request(
            "BadRequest",
            "Cannot disable or delete the last origin when the origin group is still associated with a route: "
            f"{routes[0].id}",
        )


def _refuse_used(request: AzureRequest) -> None:
    # hashicorp/terraform-provider-azurerm#20859 (rule sets), #18844 (custom domains)
    routes = [item for item in request.store.referring_to(request.id) if item.arm_type == _ROUTE]
    if routes:
        raise conflict(
            "Conflict",
            "This resource is still associated with a route. Please delete the association with the route first before "
            f"deleting this resource: {request.id} is used by {routes[0].id}.",
        )


def _rule_set_parts(request: AzureRequest) -> None:
    profile = request.store.get(request.id.split("/ruleSets/")[0])
    if profile and "AzureFrontDoor" not in str((profile.inputs.get("sku") or {}).get("name")):
        raise bad_request("BadRequest", "That action isn't allowed in this profile.")


def _waf_policy(request: AzureRequest) -> None:
    premium = str((request.inputs.get("sku") or {}).get("name")) == "Premium_AzureFrontDoor"
    if (request.inputs.get("managedRules") or {}).get("managedRuleSets") and not premium:
        raise bad_request("BadRequest", "Managed rule sets need the SKU Premium_AzureFrontDoor.")


def _security_policy(request: AzureRequest) -> None:
    parameters = request.inputs.get("parameters") or {}
    waf = request.store.get(str((parameters.get("wafPolicy") or {}).get("id", "")))
    profile = request.store.get(request.id.rsplit("/securityPolicies/", 1)[0])
    if waf and profile and (waf.inputs.get("sku") or {}).get("name") != (profile.inputs.get("sku") or {}).get("name"):
        raise bad_request("BadRequest", "The WAF policy's SKU is not that of the profile.")


def _waf_in_use(request: AzureRequest) -> None:
    users = [
        item
        for item in request.store.referring_to(request.id)
        if item.arm_type == "microsoft.cdn/profiles/securitypolicies"
    ]
    if users:
        raise conflict("Conflict", f"WAF policy {request.name} is used by {users[0].id} and cannot be deleted.")


FRONT_DOOR_WRITES: Final[Mapping[str, tuple[Rule, ...]]] = {
    "cdn:AFDOrigin": (_origin_write,),
    "cdn:Route": (_route,),
    "cdn:RuleSet": (_rule_set_parts,),
    "cdn:SecurityPolicy": (_security_policy,),
    "frontdoor:Policy": (_waf_policy,),
}
"""Rules before a write, by ``module:Class``."""

FRONT_DOOR_DELETIONS: Final[Mapping[str, tuple[Rule, ...]]] = {
    "cdn:AFDCustomDomain": (_refuse_used,),
    "cdn:AFDOrigin": (_refuse_last_origin,),
    "cdn:AFDOriginGroup": (_refuse_used,),
    "cdn:RuleSet": (_refuse_used,),
    "frontdoor:Policy": (_waf_in_use,),
}
"""Rules before a deletion, by ``module:Class``."""
