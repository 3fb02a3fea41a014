"""The way into a stamp: identities, vault, endpoints of registry and database, ingress zone, and the gateway with its
WAF policy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pulumi

from foundation.azure_types import Arguments, In
from foundation.naming import Naming
from shared.outputs import SharedOutputs
from stamps.app_gateway import AppGateway, AppGatewayArgs, GatewayIdentity, GatewayIdentityArgs
from stamps.app_gateway_waf import AppGatewayWaf, AppGatewayWafArgs
from stamps.cluster_identities import ClusterIdentities, ClusterIdentitiesArgs
from stamps.config import StampConfig
from stamps.database_endpoint import DatabaseEndpoint, DatabaseEndpointArgs
from stamps.ingress_certificate import pem_bundle
from stamps.ingress_host import split_ingress_host
from stamps.key_vault import KeyVault, KeyVaultArgs
from stamps.private_dns import PrivateDnsZone, PrivateDnsZoneArgs
from stamps.registry_endpoint import RegistryEndpoint, RegistryEndpointArgs
from stamps.spoke_network import SpokeNetwork
from stamps.stamp_secrets import StampCertificates


class RegionalEntryArgs(Arguments):
    """The stamp's settings, its spoke and its certificates."""

    naming: Naming
    config: StampConfig
    shared: SharedOutputs
    resource_group_name: In[str]
    spoke: SpokeNetwork
    certificates: StampCertificates
    protect: bool
    tags: dict[str, str]


class RegionalEntry(pulumi.ComponentResource):
    """Vault and gateway. `cluster_needs` is what has to stand before a node boots and to outlive the last one."""

    vault_name: str
    identities: ClusterIdentities
    cluster_needs: list[pulumi.Resource]

    def __init__(self, name: str, args: RegionalEntryArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("aks-geode:stamps:RegionalEntry", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        place = {
            "naming": args.naming,
            "location": args.config.region,
            "resource_group_name": args.resource_group_name,
            "tags": args.tags,
        }
        spoke = args.spoke
        links = {"spoke": spoke.virtual_network_id}
        self.identities = ClusterIdentities(
            f"{name}-identities",
            ClusterIdentitiesArgs.model_validate(
                {
                    **place,
                    "registry_id": args.shared.registry.id,
                    "nodes_subnet_id": spoke.nodes_subnet_id,
                    "ingress_subnet_id": spoke.ingress_subnet_id,
                    "api_server_subnet_id": spoke.api_server_subnet_id,
                }
            ),
            child,
        )
        gateway_identity = GatewayIdentity(f"{name}-gateway-identity", GatewayIdentityArgs.model_validate(place), child)
        vault = KeyVault(
            f"{name}-vault",
            KeyVaultArgs.model_validate(
                {
                    **place,
                    "tenant_id": args.shared.tenant_id,
                    "subnet_id": spoke.private_endpoints_subnet_id,
                    "virtual_network_ids": links,
                    "gateway_certificate": args.certificates.gateway,
                    # The cluster's vault driver turns a PFX into PEM only when it belongs to a certificate object
                    # of the vault, and ARM can make none: the secret is PEM from the start.
                    "ingress_certificate": args.certificates.ingress.apply(pem_bundle),
                    "gateway_principal_id": gateway_identity.principal_id,
                    "ingress_principal_id": self.identities.ingress_principal_id,
                    "workspace_id": args.shared.workspace.id,
                    "protect": args.protect,
                }
            ),
            child,
        )
        self.vault_name = vault.vault_name
        registry = RegistryEndpoint(
            f"{name}-registry",
            RegistryEndpointArgs.model_validate(
                {
                    **place,
                    "registry_id": args.shared.registry.id,
                    "subnet_id": spoke.private_endpoints_subnet_id,
                    "virtual_network_ids": links,
                }
            ),
            child,
        )
        database = self._database(name, args, place)
        ingress_zone = self._ingress_zone(name, args, links)
        firewall_policy = AppGatewayWaf(
            f"{name}-gateway-waf",
            AppGatewayWafArgs.model_validate(
                {
                    **place,
                    "mode": args.config.gateway.waf_mode,
                    "front_door_id": args.shared.front_door.front_door_id,
                    "probe_path": args.shared.front_door.probe_path,
                    "drained": args.config.drained,
                }
            ),
            child,
        )
        AppGateway(
            f"{name}-gateway",
            AppGatewayArgs.model_validate(
                {
                    **place,
                    "zones": args.config.availability_zones,
                    "min_capacity": args.config.gateway.min_capacity,
                    "max_capacity": args.config.gateway.max_capacity,
                    "host_name": args.config.gateway.host_name,
                    "ingress_host_name": args.config.ingress.host_name,
                    "subnet_id": spoke.gateway_subnet_id,
                    "public_ip_id": spoke.gateway_public_ip_id,
                    "identity_id": gateway_identity.id,
                    "firewall_policy_id": firewall_policy.id,
                    "certificate_secret_id": vault.gateway_secret_id,
                    "trusted_root_certificate": args.certificates.ingress_root,
                    "workspace_id": args.shared.workspace.id,
                }
            ),
            child,
            after=[*vault.ready, *ingress_zone.links, *ingress_zone.records],
        )
        self.cluster_needs = [*self.identities.role_assignments, *vault.ready, *registry.ready, *database]
        self.register_outputs({"vaultName": self.vault_name})

    def _database(self, name: str, args: RegionalEntryArgs, place: Mapping[str, object]) -> Sequence[pulumi.Resource]:
        """Make the way to the shared database, if there is one; return what the workload waits for."""
        if args.shared.database is None:
            return ()
        database = DatabaseEndpoint(
            f"{name}-database",
            DatabaseEndpointArgs.model_validate(
                {
                    **place,
                    "contract": args.shared.database,
                    "shared_resource_group": args.shared.resource_group_name,
                    "workload_principal_id": self.identities.workload_principal_id,
                    "subnet_id": args.spoke.private_endpoints_subnet_id,
                    "virtual_network_ids": {"spoke": args.spoke.virtual_network_id},
                }
            ),
            pulumi.ResourceOptions(parent=self),
        )
        return database.ready

    def _ingress_zone(self, name: str, args: RegionalEntryArgs, links: dict[str, pulumi.Output[str]]) -> PrivateDnsZone:
        """Make the zone in which gateway and nodes find the ingress: the name on its certificate has to resolve."""
        zone, record = split_ingress_host(args.config.ingress.host_name)
        return PrivateDnsZone(
            f"{name}-ingress-zone",
            PrivateDnsZoneArgs(
                resource_group_name=args.resource_group_name,
                zone_name=zone,
                virtual_network_ids={**links},
                records={record: args.config.ingress_address},
                tags=args.tags,
            ),
            pulumi.ResourceOptions(parent=self),
        )
