"""Where the state of all stacks lies: one storage account without keys, one container, nothing lost by a mistake."""

from __future__ import annotations

import pulumi
from pulumi_azure_native import storage

from foundation.azure_regions import ZONES
from foundation.azure_types import Arguments, In
from foundation.naming import Naming

CONTAINER = "state"
_SOFT_DELETE_DAYS = 30


class StateStorageArgs(Arguments):
    """`resource_group_name` is the group of the bootstrap program itself."""

    naming: Naming
    location: str
    resource_group_name: In[str]
    tags: dict[str, str]


class StateStorage(pulumi.ComponentResource):
    """The account and its container. Who may read or write is granted elsewhere, by Entra alone."""

    container_id: pulumi.Output[str]
    backend_url: pulumi.Output[str]

    def __init__(self, name: str, args: StateStorageArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("aks-geode:bootstrap:StateStorage", name, None, opts)
        account = storage.StorageAccount(
            f"{name}-account",
            account_name=args.naming.unique_alphanumeric("st", "state"),
            resource_group_name=args.resource_group_name,
            location=args.location,
            tags=args.tags,
            kind="StorageV2",
            sku={"name": "Standard_ZRS" if ZONES.get(args.location) else "Standard_LRS"},
            minimum_tls_version="TLS1_2",
            enable_https_traffic_only=True,
            allow_blob_public_access=False,
            allow_cross_tenant_replication=False,
            # A key would open every stack's state to whoever holds it; with Entra each identity is known and limited.
            allow_shared_key_access=False,
            default_to_o_auth_authentication=True,
            # GitHub's own runners have no fixed addresses.
            public_network_access="Enabled",
            opts=pulumi.ResourceOptions(parent=self, protect=True),
        )
        service = storage.BlobServiceProperties(
            f"{name}-blob-service",
            blob_services_name="default",
            account_name=account.name,
            resource_group_name=args.resource_group_name,
            is_versioning_enabled=True,
            delete_retention_policy={"enabled": True, "days": _SOFT_DELETE_DAYS},
            container_delete_retention_policy={"enabled": True, "days": _SOFT_DELETE_DAYS},
            opts=pulumi.ResourceOptions(parent=self),
        )
        container = storage.BlobContainer(
            f"{name}-container",
            container_name=CONTAINER,
            account_name=account.name,
            resource_group_name=args.resource_group_name,
            public_access=storage.PublicAccess.NONE,
            # Writes to one account that overlap are refused as a conflict.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[service], protect=True),
        )
        self.container_id = container.id
        self.backend_url = pulumi.Output.concat("azblob://", CONTAINER, "?storage_account=", account.name)
        self.register_outputs({"container_id": self.container_id, "backend_url": self.backend_url})
