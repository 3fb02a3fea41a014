"""What Key Vault refuses: calls to a closed data plane and the end of purge protection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from simulator.azure_errors import AzureError, AzureRequest, Rule, bad_request


def _purge_protection(request: AzureRequest) -> None:
    before = (request.previous.inputs.get("properties") or {}) if request.previous else {}
    properties = request.inputs.get("properties") or {}
    if before.get("enablePurgeProtection") and not properties.get("enablePurgeProtection"):
        raise bad_request(
            "BadRequest",
            'The property "enablePurgeProtection" cannot be set to false: enabling it is irreversible.',
        )


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
    "keyvault:Vault": (_purge_protection,),
}
"""Rules before a write, by ``module:Class``."""

KEY_VAULT_DELETIONS: Final[Mapping[str, tuple[Rule, ...]]] = {
    "keyvault:Key": (_data_plane_deletion,),
    "keyvault:Secret": (_data_plane_deletion,),
}
"""Rules before a deletion, by ``module:Class``."""
