"""Ids of inline children: the one place where an ARM id is put together from parts."""

from __future__ import annotations

import pulumi


def child_id(parent_id: pulumi.Input[str], collection: str, name: str) -> pulumi.Output[str]:
    """Return the id of an inline child, for example `child_id(vnet.id, "subnets", "snet-nodes")`."""
    return pulumi.Output.concat(parent_id, "/", collection, "/", name)


def subscription_scope(subscription_id: str) -> str:
    """Return the id of a subscription, the scope of what watches all of it."""
    return f"/subscriptions/{subscription_id}"


def resource_group_id(subscription_id: str, name: str) -> str:
    """Return the id of a resource group of which only the name is known."""
    return f"/subscriptions/{subscription_id}/resourceGroups/{name}"


def resource_id(subscription_id: str, resource_group: str, resource_type: str, name: str) -> str:
    """Return the id of a resource that others own (`resource_type` such as `Microsoft.Network/networkWatchers`)."""
    return f"{resource_group_id(subscription_id, resource_group)}/providers/{resource_type}/{name}"


def role_definition_id(subscription_id: str, guid: str) -> str:
    """Return the id of a built-in role in the subscription."""
    return f"/subscriptions/{subscription_id}/providers/Microsoft.Authorization/roleDefinitions/{guid}"


def policy_definition_id(guid: str) -> str:
    """Return the id of a built-in policy definition."""
    return f"/providers/Microsoft.Authorization/policyDefinitions/{guid}"


def policy_set_definition_id(guid: str) -> str:
    """Return the id of a built-in policy initiative."""
    return f"/providers/Microsoft.Authorization/policySetDefinitions/{guid}"
