"""Which deletions Azure refuses because something still uses the resource, whatever stack that belongs to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from simulator.azure_errors import bad_request, conflict
from simulator.behaviour.subnets import SUBNET_USERS
from simulator.cloud_store import CloudStore, StoredResource

_NETWORK: Final = "microsoft.network/virtualnetworks"
_SUBNETS: Final = (_NETWORK, f"{_NETWORK}/subnets")
_INTERFACE: Final = "microsoft.network/networkinterfaces"
_BLOCKED_BY: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "microsoft.network/networksecuritygroups": ("InUseNetworkSecurityGroupCannotBeDeleted", (*_SUBNETS, _INTERFACE)),
    "microsoft.network/routetables": ("InUseRouteTableCannotBeDeleted", _SUBNETS),
    "microsoft.network/natgateways": ("NatGatewayInUseCannotBeDeleted", _SUBNETS),
    "microsoft.network/ddosprotectionplans": ("DdosProtectionPlanInUseCannotBeDeleted", (_NETWORK,)),
    "microsoft.network/publicipaddresses": (
        "PublicIPAddressCannotBeDeleted",
        (
            "microsoft.network/azurefirewalls",
            "microsoft.network/bastionhosts",
            "microsoft.network/applicationgateways",
            "microsoft.network/loadbalancers",
            "microsoft.network/natgateways",
            _INTERFACE,
        ),
    ),
    "microsoft.network/firewallpolicies": (
        "FirewallPolicyReferencedByOtherResources",
        ("microsoft.network/azurefirewalls", "microsoft.network/firewallpolicies"),
    ),
    "microsoft.network/ipgroups": ("IpGroupInUse", ("microsoft.network/firewallpolicies/rulecollectiongroups",)),
    "microsoft.network/applicationgatewaywebapplicationfirewallpolicies": (
        "ApplicationGatewayFirewallPolicyInUse",
        ("microsoft.network/applicationgateways",),
    ),
}
"""By type: the refusal when a resource of the other types refers to it at its deletion."""
_NEEDS_EMPTY: Final[Mapping[str, str]] = {"microsoft.network/privatednszones": "virtualnetworklinks"}
"""Types that cannot be deleted while a child of that kind exists (azure-cli#15010)."""


def refuse_blocked(store: CloudStore, stored: StoredResource, inside: str) -> None:
    """Refuse the deletion of a resource that something outside an id uses.

    Raises:
        AzureError: it is in use.
    """
    code, blockers = _BLOCKED_BY.get(stored.arm_type, ("", ()))
    if stored.arm_type == _NETWORK and stored.id != inside:
        code, blockers = "InUseSubnetCannotBeDeleted", SUBNET_USERS
    for user in store.referring_to(stored.id) if blockers else ():
        if user.arm_type in blockers and not user.id.lower().startswith(inside.lower() + "/"):
            raise bad_request(code, f"{stored.id} cannot be deleted because it is in use by {user.id}.")


def refuse_nested(store: CloudStore, stored: StoredResource) -> None:
    """Refuse the deletion of a resource that has to be empty first.

    Raises:
        AzureError: ``CannotDeleteResource``.
    """
    needed = _NEEDS_EMPTY.get(stored.arm_type)
    children = [item for item in store.below(stored.id) if needed and item.arm_type == f"{stored.arm_type}/{needed}"]
    if children:
        raise conflict(
            "CannotDeleteResource", f"Cannot delete resource while nested resources exist: {children[0].id}."
        )
