"""The stamp's key vault with the certificates of gateway and ingress, reachable through a private endpoint only.

It does not own the identities that read it, nor what reads it: those wait for `ready`.
"""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
from pulumi_azure_native import keyvault

from foundation.azure_types import Arguments, In
from foundation.diagnostic_settings import diagnostic_settings
from foundation.naming import Naming
from foundation.roles import Role, assign_role
from stamps.private_access import private_access

ZONE_NAME = "privatelink.vaultcore.azure.net"
GATEWAY_SECRET = "gateway-certificate"  # noqa: S105  # the name of a secret
INGRESS_SECRET = "ingress-certificate"  # noqa: S105  # the name of a secret
_CONTENT_TYPES = {GATEWAY_SECRET: "application/x-pkcs12", INGRESS_SECRET: "application/x-pem-file"}
"""The gateway reads a PFX; the cluster's vault driver hands on text, so the ingress gets PEM."""
SOFT_DELETE_DAYS = 90


class KeyVaultArgs(Arguments):
    """The gateway's certificate is a base64 PFX without a password, the ingress's PEM with its key; both stay secret.

    `virtual_network_ids` (role to id) are the networks that resolve the vault's private name: at least the gateway's.
    """

    naming: Naming
    location: str
    resource_group_name: In[str]
    tenant_id: str
    subnet_id: In[str]
    virtual_network_ids: dict[str, In[str]]
    gateway_certificate: In[str]
    ingress_certificate: In[str]
    gateway_principal_id: In[str]
    ingress_principal_id: In[str]
    workspace_id: In[str]
    protect: bool = True
    tags: dict[str, str]


class KeyVault(pulumi.ComponentResource):
    """The vault, its private endpoint and zone, two certificates and the right of one identity to read each of them.

    `ready` is everything that a reader has to wait for. The secret ids carry no version: the gateway polls such an id
    every four hours and takes up a new certificate by itself
    (https://learn.microsoft.com/azure/application-gateway/key-vault-certs).
    """

    id: pulumi.Output[str]
    vault_name: str
    vault_uri: str
    gateway_secret_id: pulumi.Output[str]
    ingress_secret_id: pulumi.Output[str]
    ready: Sequence[pulumi.Resource]

    def __init__(self, name: str, args: KeyVaultArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("aks-geode:stamps:KeyVault", name, None, opts)
        self.vault_name = args.naming.key_vault()
        # Written out and not read from the vault, so that a preview shows it. Public Azure only, as the zone's name.
        self.vault_uri = f"https://{self.vault_name}.vault.azure.net"
        self.gateway_secret_id = pulumi.Output.from_input(f"{self.vault_uri}/secrets/{GATEWAY_SECRET}")
        self.ingress_secret_id = pulumi.Output.from_input(f"{self.vault_uri}/secrets/{INGRESS_SECRET}")
        vault = keyvault.Vault(
            f"{name}-vault",
            vault_name=self.vault_name,
            resource_group_name=args.resource_group_name,
            location=args.location,
            tags=args.tags,
            properties=_vault_properties(args.tenant_id),
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect),
        )
        self.id = vault.id
        readers = [
            *self._secret(name, vault, args, GATEWAY_SECRET, args.gateway_certificate, args.gateway_principal_id),
            *self._secret(name, vault, args, INGRESS_SECRET, args.ingress_certificate, args.ingress_principal_id),
        ]
        self.ready = [*readers, *self._private_access(name, vault, args)]
        diagnostic_settings(
            f"{name}-diagnostics",
            target_id=vault.id,
            workspace_id=args.workspace_id,
            parent=self,
            logs=("AuditEvent",),
        )
        self.register_outputs({"id": self.id, "vaultName": self.vault_name, "vaultUri": self.vault_uri})

    def _secret(
        self,
        name: str,
        vault: keyvault.Vault,
        args: KeyVaultArgs,
        secret_name: str,
        certificate: In[str],
        principal_id: In[str],
    ) -> list[pulumi.Resource]:
        """Keep one certificate and let one identity read it, and nothing else in the vault."""
        secret = keyvault.Secret(
            f"{name}-{secret_name}",
            secret_name=secret_name,
            vault_name=vault.name,
            resource_group_name=args.resource_group_name,
            tags=args.tags,
            properties={"value": pulumi.Output.secret(certificate), "content_type": _CONTENT_TYPES[secret_name]},
            # ARM writes secrets past the vault's firewall, but the provider deletes them through the data plane, which
            # is closed to everybody outside the stamp. They go with the vault instead.
            opts=pulumi.ResourceOptions(
                parent=self, deleted_with=vault, retain_on_delete=True, additional_secret_outputs=["properties"]
            ),
        )
        reader = assign_role(
            f"{name}-{secret_name}-reader",
            Role.KEY_VAULT_SECRETS_USER,
            scope=secret.id,
            principal_id=principal_id,
            naming=args.naming,
            parent=self,
        )
        return [secret, reader]

    def _private_access(self, name: str, vault: keyvault.Vault, args: KeyVaultArgs) -> list[pulumi.Resource]:
        _, ready = private_access(
            name,
            parent=self,
            naming=args.naming,
            location=args.location,
            resource_group_name=args.resource_group_name,
            target_id=vault.id,
            group_id="vault",
            zone_name=ZONE_NAME,
            subnet_id=args.subnet_id,
            virtual_network_ids=args.virtual_network_ids,
            tags=args.tags,
        )
        return ready


def _vault_properties(tenant_id: str) -> keyvault.VaultPropertiesArgsDict:
    return {
        "tenant_id": tenant_id,
        "sku": {"family": "A", "name": keyvault.SkuName.STANDARD},
        "enable_rbac_authorization": True,
        "enable_purge_protection": True,
        "enable_soft_delete": True,
        "soft_delete_retention_in_days": SOFT_DELETE_DAYS,
        "enabled_for_deployment": False,
        "enabled_for_disk_encryption": False,
        "enabled_for_template_deployment": False,
        "public_network_access": "Disabled",
        # The gateway's control plane reads certificates as a trusted service; its instances come through the endpoint.
        "network_acls": {
            "bypass": "AzureServices",
            "default_action": "Deny",
            "ip_rules": [],
            "virtual_network_rules": [],
        },
    }
