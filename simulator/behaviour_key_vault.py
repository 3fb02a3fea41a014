"""What Key Vault refuses: reserved names, the closed data plane, the end of purge protection."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from simulator.azure_errors import AzureError, AzureRequest, Rule, bad_request, conflict

VAULT_NAMES: Final = "vault"
"""The kind of reserved name that a soft-deleted vault leaves behind."""


def _vault(request: AzureRequest) -> None:
    name = request.name.lower()
    if not re.fullmatch(r"[a-z](?!.*--)[a-z0-9-]{1,22}[a-z0-9]", name):
        raise bad_request(
            "VaultNameNotValid",
            f"The vault name '{request.name}' is invalid: 3-24 letters, digits and hyphens, a letter first.",
        )
    properties = request.inputs.get("properties") or {}
    if request.previous is None:
        reserved = request.store.reserved_names(VAULT_NAMES)
        if name in reserved and properties.get("createMode") != "recover":
            raise conflict(
                "ConflictError",
                f"A vault with the same name already exists in deleted state: {reserved[name][0]}. "
                "You need to either recover or purge the existing key vault, or take another name.",
            )
        if name not in reserved and properties.get("createMode") == "recover":
            raise bad_request("SoftDeletedVaultDoesNotExist", f"There is no soft-deleted vault named {name}.")
        _unique(request, "Microsoft.KeyVault/vaults", "VaultAlreadyExists")
    else:
        before = request.previous.inputs.get("properties") or {}
        if before.get("enablePurgeProtection") and not properties.get("enablePurgeProtection"):
            raise bad_request(
                "BadRequest",
                'The property "enablePurgeProtection" cannot be set to false: enabling it is irreversible.',
            )


def _unique(request: AzureRequest, arm_type: str, code: str) -> None:
    for other in request.store.of_type(arm_type):
        if other.id.lower() != request.id.lower() and other.id.lower().rsplit("/", 1)[1] == request.name.lower():
            raise conflict(
                code, f"The name '{request.name}' is already in use. Names of this type are unique in all of Azure."
            )


def _registry(request: AzureRequest) -> None:
    if not re.fullmatch(r"[a-zA-Z0-9]{5,50}", request.name):
        raise bad_request("RegistryNameInvalid", f"The registry name '{request.name}' must be 5-50 letters and digits.")
    _unique(request, "Microsoft.ContainerRegistry/registries", "AlreadyInUse")


def _storage_account(request: AzureRequest) -> None:
    if not re.fullmatch(r"[a-z0-9]{3,24}", request.name):
        raise bad_request(
            "AccountNameInvalid",
            f"{request.name} is not a valid storage account name: 3-24 lower-case letters and digits.",
        )
    _unique(request, "Microsoft.Storage/storageAccounts", "StorageAccountAlreadyTaken")


def _data_plane_deletion(request: AzureRequest) -> None:
    # azure-native deletes secrets and keys at https://<vault>.vault.azure.net, not through Resource Manager
    # (its custom_keyvault.go), so a vault that is closed to the public refuses a deployment from outside.
    vault = request.store.get(request.id.rsplit("/", 2)[0])
    properties = (vault.inputs.get("properties") or {}) if vault else {}
    denied = (properties.get("networkAcls") or {}).get("defaultAction") == "Deny"
    if properties.get("publicNetworkAccess") == "Disabled" or denied:
        raise AzureError(
            403,
            "Forbidden",
            "ForbiddenByConnection: Public network access is disabled and request "
            "is not from a trusted service nor via an "
            f"approved private link. Vault: {str(vault.id).rsplit('/', 1)[1] if vault else ''}",
        )


KEY_VAULT_WRITES: Final[Mapping[str, tuple[Rule, ...]]] = {
    "containerregistry:Registry": (_registry,),
    "keyvault:Vault": (_vault,),
    "storage:StorageAccount": (_storage_account,),
}
"""Rules of globally unique names before a write, by ``module:Class``."""

KEY_VAULT_DELETIONS: Final[Mapping[str, tuple[Rule, ...]]] = {
    "keyvault:Key": (_data_plane_deletion,),
    "keyvault:Secret": (_data_plane_deletion,),
}
"""Rules before a deletion, by ``module:Class``."""
