"""What the mocked cloud answers: ids that look like ARM's, and the outputs that the program reads, by resource type."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pulumi

SUBSCRIPTION_ID = "00000000-1111-2222-3333-444444444444"
TENANT_ID = "55555555-6666-7777-8888-999999999999"
OBJECT_ID = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"

PACKAGES = ("azure-native:", "azuread:", "aks-geode:", "pulumi:pulumi:StackReference", "pulumi:providers:")

Answer = Mapping[str, Any] | Callable[[pulumi.runtime.MockResourceArgs], Mapping[str, Any]]
"""Outputs of one resource type beyond its inputs; a key `id` sets the resource's id."""

_NAME_KEYS = (
    "resourceGroupName",
    "accountName",
    "workspaceName",
    "registryName",
    "profileName",
    "vaultName",
    "firewallPolicyName",
)


def azure_name(args: pulumi.runtime.MockResourceArgs) -> str:
    """Return the name input of the resource itself: the one that is no other resource's, else the logical name."""
    kind = args.typ.rpartition(":")[2]
    own = f"{kind[:1].lower()}{kind[1:]}Name"
    candidates = [own] + [key for key in args.inputs if key.endswith("Name") and key.lower() in own.lower()]
    candidates += [key for key in args.inputs if key.endswith("Name") and key not in _NAME_KEYS]
    candidates += [key for key in args.inputs if key.endswith("Name") and key != "resourceGroupName"]
    if kind == "ResourceGroup":
        candidates = ["resourceGroupName"]
    for key in ("name", *candidates):
        if isinstance(args.inputs.get(key), str):
            return str(args.inputs[key])
    return args.name


def identifier(args: pulumi.runtime.MockResourceArgs) -> str:
    """Return an id that looks like one of ARM: subscription, group, type, parents and name."""
    if args.typ.startswith("azuread:"):
        return OBJECT_ID
    if args.typ == "azure-native:resources:ResourceGroup":
        return f"/subscriptions/{SUBSCRIPTION_ID}/resourceGroups/{azure_name(args)}"
    module, kind = args.typ.removeprefix("azure-native:").partition(":")[::2]
    group = args.inputs.get("resourceGroupName", "none")
    parents = "".join(f"/{args.inputs[key]}" for key in _NAME_KEYS[1:] if isinstance(args.inputs.get(key), str))
    name = azure_name(args)
    path = f"{parents}/{name}" if not parents.endswith(f"/{name}") else parents
    return f"/subscriptions/{SUBSCRIPTION_ID}/resourceGroups/{group}/providers/mock.{module}/{kind}{path}"


def _storage_account(args: pulumi.runtime.MockResourceArgs) -> Mapping[str, Any]:
    account = args.inputs["accountName"]
    return {
        "primaryEndpoints": {
            "web": f"https://{account}.z20.web.core.windows.net/",
            "blob": f"https://{account}.blob.core.windows.net/",
        }
    }


ANSWERS: dict[str, Answer] = {
    "azure-native:cdn:Profile": {"frontDoorId": "77777777-0000-1111-2222-333333333333"},
    "azure-native:cdn:AFDEndpoint": lambda args: {
        "hostName": f"{args.inputs['endpointName']}-a1b2c3d4e5.z01.azurefd.net"
    },
    "azure-native:containerregistry:Registry": lambda args: {
        "loginServer": f"{args.inputs['registryName']}.azurecr.io"
    },
    "azure-native:operationalinsights:Workspace": {"customerId": "99999999-0000-1111-2222-333333333333"},
    "azure-native:storage:StorageAccount": _storage_account,
    "azure-native:storage:StorageAccountStaticWebsite": {"containerName": "$web"},
    "azure-native:managedidentity:UserAssignedIdentity": {
        "principalId": "11111111-aaaa-bbbb-cccc-dddddddddddd",
        "clientId": "22222222-aaaa-bbbb-cccc-dddddddddddd",
        "tenantId": TENANT_ID,
    },
    "azuread:index/group:Group": {"objectId": OBJECT_ID},
}

CALLS: dict[str, Mapping[str, Any]] = {
    "azure-native:authorization:getClientConfig": {
        "clientId": "33333333-aaaa-bbbb-cccc-dddddddddddd",
        "objectId": OBJECT_ID,
        "subscriptionId": SUBSCRIPTION_ID,
        "tenantId": TENANT_ID,
    },
    "azuread:index/getClientConfig:getClientConfig": {
        "id": "client-config",
        "clientId": "33333333-aaaa-bbbb-cccc-dddddddddddd",
        "objectId": OBJECT_ID,
        "tenantId": TENANT_ID,
    },
}
