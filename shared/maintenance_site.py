"""The page that users see while no stamp answers: a static website on a storage account.

It needs nothing but storage, so that it stands when everything else is down. `shared.front_door_routing` makes it an
origin. Every path but `/` answers 404 with the page, other methods than GET and HEAD 405.
"""

from __future__ import annotations

import pulumi
from pulumi_azure_native import storage

from foundation.azure_regions import ZONES
from foundation.azure_types import Arguments, In
from foundation.naming import Naming

WEBSITE_CONTAINER = "$web"

PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Maintenance</title><meta name="robots" content="noindex"></head>
<body>
<h1>We are working on it</h1>
<p>The service is not available at the moment. Please try again in a few minutes.</p>
</body>
</html>
"""


class MaintenanceSiteArgs(Arguments):
    """`probe_path` is the path that Front Door probes, or None for a site that never counts as healthy."""

    resource_group_name: In[str]
    location: str
    probe_path: str | None
    naming: Naming
    tags: dict[str, str]


class MaintenanceSite(pulumi.ComponentResource):
    """The account, its website and the pages."""

    host_name: pulumi.Output[str]

    def __init__(self, name: str, args: MaintenanceSiteArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("aks-geode:shared:MaintenanceSite", name, None, opts)
        account = storage.StorageAccount(
            f"{name}-account",
            account_name=args.naming.unique_alphanumeric("stmaint"),
            resource_group_name=args.resource_group_name,
            location=args.location,
            tags=args.tags,
            kind=storage.Kind.STORAGE_V2,
            sku={"name": "Standard_ZRS" if ZONES.get(args.location) else "Standard_LRS"},
            access_tier=storage.AccessTier.HOT,
            minimum_tls_version="TLS1_2",
            enable_https_traffic_only=True,
            # Two exceptions. The provider uploads blobs with the account's key. And Front Door fetches the public page
            # from the website's public endpoint. What lies here is the page below and nothing else.
            allow_shared_key_access=True,
            public_network_access="Enabled",
            network_rule_set={"default_action": storage.DefaultAction.ALLOW, "bypass": "AzureServices"},
            # The website answers without it; no other container is ever public.
            allow_blob_public_access=False,
            allow_cross_tenant_replication=False,
            default_to_o_auth_authentication=True,
            is_local_user_enabled=False,
            is_sftp_enabled=False,
            opts=pulumi.ResourceOptions(parent=self),
        )
        website = storage.StorageAccountStaticWebsite(
            f"{name}-website",
            account_name=account.name,
            resource_group_name=args.resource_group_name,
            index_document="index.html",
            error404_document="404.html",
            opts=pulumi.ResourceOptions(parent=self),
        )
        pages = {"index": "index.html", "not-found": "404.html"}
        if args.probe_path is not None:
            # Path, method and protocol of the probe belong to the origin group: the page's host has to answer 200 to
            # the same HEAD request as the stamps, or it is never healthy.
            pages["probe"] = args.probe_path.removeprefix("/")
        for role, blob_name in pages.items():
            storage.Blob(
                f"{name}-{role}",
                blob_name=blob_name,
                account_name=account.name,
                container_name=WEBSITE_CONTAINER,
                resource_group_name=args.resource_group_name,
                type=storage.BlobType.BLOCK,
                content_type="text/html",
                source=pulumi.StringAsset(PAGE),
                # Azure makes the container when the website is switched on.
                opts=pulumi.ResourceOptions(parent=self, depends_on=[website]),
            )
        self.host_name = account.primary_endpoints.web.apply(
            lambda address: address.removeprefix("https://").rstrip("/")
        )
        self.register_outputs({"hostName": self.host_name})
