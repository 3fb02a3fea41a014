"""A small stack as the engine's documents show it: a preview that wants to create everything, and its plan."""

from __future__ import annotations

from typing import Any

from geode.engine import Preview
from geode.live_values import HIDDEN, UNKNOWN

SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"
PREFIX = "urn:pulumi:east::aks-geode::"
PROVIDER = f"{PREFIX}pulumi:providers:azure-native::default_3_29_0"
STACK = f"{PREFIX}pulumi:pulumi:Stack::aks-geode-east"
STAMP = f"{PREFIX}aks-geode:stamps:RegionalStamp::east"
GROUP = f"{PREFIX}aks-geode:stamps:RegionalStamp$azure-native:resources:ResourceGroup::east-group"
VAULT = f"{PREFIX}aks-geode:stamps:RegionalStamp$azure-native:keyvault:Vault::east-vault"
PFX = f"{PREFIX}aks-geode:stamps:RegionalStamp$azure-native:keyvault:Secret::east-pfx"
ROLE = f"{PREFIX}aks-geode:stamps:RegionalStamp$azure-native:authorization:RoleAssignment::east-role"
TEAM = f"{PREFIX}aks-geode:stamps:RegionalStamp$azuread:index/group:Group::east-team"
TAGS = {"application": "a", "scope": "east", "managed-by": "pulumi"}
SECRET = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "v1:x:y"}
GROUP_ID = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg"
VAULT_ID = f"{GROUP_ID}/providers/Microsoft.KeyVault/vaults/kv"
PFX_ID = f"{VAULT_ID}/secrets/pfx"


def planned(urn: str, inputs: dict[str, Any], needs: dict[str, list[str]] | None = None, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - fields of the engine's own document
    """Return a step that creates one resource."""
    needed = sorted({item for items in (needs or {}).values() for item in items})
    state = {
        "urn": urn,
        "custom": True,
        "type": urn.split("::")[2].rsplit("$", 1)[-1],
        "inputs": inputs,
        "parent": STAMP,
        "dependencies": needed,
        "propertyDependencies": needs or {},
        "provider": f"{PROVIDER}::{UNKNOWN}",
        **more,
    }
    return {"op": "create", "urn": urn, "newState": state}


def component(urn: str, parent: str | None) -> dict[str, Any]:
    """Return a step that creates a component."""
    state = {"urn": urn, "custom": False, "type": urn.split("::")[2].rsplit("$", 1)[-1]}
    return {"op": "create", "urn": urn, "newState": state | ({"parent": parent} if parent else {})}


def whole_preview() -> Preview:
    """Return the preview of a stack of which nothing is in the state."""
    steps = [
        component(STACK, None),
        component(STAMP, STACK),
        planned(GROUP, {"resourceGroupName": "rg", "location": "eastus2", "tags": TAGS}),
        planned(TEAM, {"displayName": "team"}),
        planned(VAULT, {"resourceGroupName": UNKNOWN, "vaultName": "kv", "tags": TAGS}, {"resourceGroupName": [GROUP]}),
        planned(
            PFX,
            {"resourceGroupName": UNKNOWN, "vaultName": UNKNOWN, "secretName": "pfx", "properties": {"value": HIDDEN}},
            {"resourceGroupName": [GROUP], "vaultName": [VAULT]},
            deletedWith=VAULT,
            additionalSecretOutputs=["properties"],
        ),
        planned(
            ROLE,
            {"scope": UNKNOWN, "roleAssignmentName": "0", "principalId": UNKNOWN},
            {"scope": [VAULT], "principalId": [TEAM]},
        ),
    ]
    plan = {
        step["urn"]: {"goal": {"inputDiff": {"adds": dict(step["newState"].get("inputs") or {})}}} for step in steps
    }
    plan[PFX]["goal"]["inputDiff"]["adds"]["properties"] = {"value": SECRET}
    plan[PROVIDER] = {"goal": {"inputDiff": {"adds": {"version": "3.29.0", "__internal": {}}}}}
    return Preview(tuple(steps), plan)
