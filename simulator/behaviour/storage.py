"""What the data plane of a storage account refuses, which the provider uses for blobs and the static website.

azure-native writes a blob with an account key and switches the website on with a token, both at the account's own
address and not through Resource Manager (its custom_storage_azidentity.go, pulumi-azure-native#2015).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from simulator.azure_errors import AzureError, AzureRequest, Rule, bad_request
from simulator.cloud_store import StoredResource
from simulator.resource_ids import name_of


def _account(request: AzureRequest) -> StoredResource | None:
    group = request.id.split("/providers/")[0]
    return request.store.get(f"{group}/providers/Microsoft.Storage/storageAccounts/{request.inputs.get('accountName')}")


def _reachable(request: AzureRequest) -> None:
    account = _account(request)
    if account is None:
        return
    denies = (account.inputs.get("networkRuleSet") or {}).get("defaultAction") == "Deny"
    if account.inputs.get("publicNetworkAccess") == "Disabled" or denies:
        raise AzureError(
            403,
            "AuthorizationFailure",
            f"This request is not authorized to perform this operation. Account: {name_of(account.id)}",
        )


def _key_allowed(request: AzureRequest) -> None:
    account = _account(request)
    if account and account.inputs.get("allowSharedKeyAccess") is False:
        raise AzureError(
            403,
            "KeyBasedAuthenticationNotPermitted",
            f"Key based authentication is not permitted on this storage account. Account: {name_of(account.id)}",
        )


def _website_kind(request: AzureRequest) -> None:
    account = _account(request)
    if account and account.inputs.get("kind") not in ("StorageV2", "BlockBlobStorage"):
        raise bad_request(
            "FeatureNotSupportedForAccount", "A static website needs an account of kind StorageV2 or BlockBlobStorage."
        )


STORAGE_WRITES: Final[Mapping[str, tuple[Rule, ...]]] = {
    "storage:Blob": (_reachable, _key_allowed),
    "storage:StorageAccountStaticWebsite": (_website_kind, _reachable),
}
"""Rules before a write, by ``module:Class``."""
