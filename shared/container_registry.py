"""The container registry that all clusters pull from, with a replica in each other region of the fleet.

Public images come through its cache: clusters reach this registry and Microsoft's only.

The private endpoints belong to the stamps, and so do the pull rights of their kubelets.
"""

from __future__ import annotations

import pulumi
from pulumi_azure_native import containerregistry

from foundation.azure_regions import ZONES
from foundation.azure_retries import transient_retry
from foundation.azure_types import Arguments, In
from foundation.diagnostic_settings import diagnostic_settings
from foundation.naming import Naming

PLATFORM_IMAGES = {"traefik": "public.ecr.aws/docker/library/traefik"}
"""Repository of ours to public repository, for what `cluster-manifests/platform` runs.

The public gallery mirrors Docker's official images and needs no account; Docker Hub itself does, since the registry
caches from there with credentials only (https://learn.microsoft.com/azure/container-registry/artifact-cache-overview).
"""


class ContainerRegistryArgs(Arguments):
    """`location` is the home region, `regions` every region of the fleet; the home region gets no replica of itself.

    Untagged manifests are deleted after `untagged_retention_days`.
    """

    resource_group_name: In[str]
    location: str
    regions: tuple[str, ...]
    untagged_retention_days: int
    workspace_id: In[str]
    naming: Naming
    tags: dict[str, str]
    protect: bool


class ContainerRegistry(pulumi.ComponentResource):
    """A closed Premium registry and its replicas."""

    id: pulumi.Output[str]
    registry_name: pulumi.Output[str]
    login_server: pulumi.Output[str]
    replicated_regions: tuple[str, ...]

    def __init__(self, name: str, args: ContainerRegistryArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("aks-geode:shared:ContainerRegistry", name, None, opts)
        registry = containerregistry.Registry(
            f"{name}-registry",
            registry_name=args.naming.unique_alphanumeric("acr", limit=50),
            resource_group_name=args.resource_group_name,
            location=args.location,
            tags=args.tags,
            sku={"name": "Premium"},
            zone_redundancy=_zone_redundancy(args.location),
            public_network_access="Disabled",
            network_rule_set={"default_action": "Deny", "ip_rules": []},
            # Registry tasks and Defender pass the closed network as trusted services.
            network_rule_bypass_options="AzureServices",
            admin_user_enabled=False,
            anonymous_pull_enabled=False,
            # One host name a region for layers, which the private endpoints resolve, instead of open storage accounts.
            data_endpoint_enabled=True,
            encryption={"status": "disabled"},  # the platform's keys; a customer key would tie every pull to a vault
            policies=_policies(args.untagged_retention_days),
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect),
        )
        self.id = registry.id
        self.registry_name = registry.name
        self.login_server = registry.login_server
        self.replicated_regions = tuple(region for region in args.regions if region != args.location)
        replications: list[pulumi.Resource] = []
        for region in self.replicated_regions:
            replications.append(
                containerregistry.Replication(
                    f"{name}-{region}",
                    replication_name=region,
                    registry_name=registry.name,
                    resource_group_name=args.resource_group_name,
                    location=region,
                    tags=args.tags,
                    region_endpoint_enabled=True,
                    zone_redundancy=_zone_redundancy(region),
                    # One after the other: each new replica makes Azure write to the private endpoint of every stamp.
                    # Zone redundancy is fixed at birth, and a region takes one replica
                    # (https://learn.microsoft.com/azure/container-registry/zone-redundancy).
                    opts=pulumi.ResourceOptions(
                        parent=self,
                        depends_on=replications[-1:],
                        replace_on_changes=["zoneRedundancy"],
                        delete_before_replace=True,
                        hooks=transient_retry(),
                    ),
                )
            )
        for target, source in PLATFORM_IMAGES.items():
            containerregistry.CacheRule(
                f"{name}-cache-{target}",
                cache_rule_name=f"cache-{target}",
                registry_name=registry.name,
                resource_group_name=args.resource_group_name,
                source_repository=source,
                target_repository=target,
                opts=pulumi.ResourceOptions(parent=self, depends_on=replications[-1:], hooks=transient_retry()),
            )
        diagnostic_settings(
            f"{name}-diagnostics",
            target_id=registry.id,
            workspace_id=args.workspace_id,
            log_groups=("allLogs",),
            parent=self,
        )
        self.register_outputs({"id": self.id, "loginServer": self.login_server})


def _zone_redundancy(region: str) -> str:
    return "Enabled" if ZONES.get(region) else "Disabled"


def _policies(untagged_retention_days: int) -> containerregistry.PoliciesArgsDict:
    return {
        "retention_policy": {"status": "enabled", "days": untagged_retention_days},
        # Azure allows this only while public access is disabled: images can't be copied out past the private endpoint.
        "export_policy": {"status": "disabled"},
        # Quarantine hides each image until a scanner releases it; without such a scanner nothing could ever be pulled.
        "quarantine_policy": {"status": "disabled"},
        # Docker content trust is being retired; signatures are Notation artifacts, which need no policy here.
        "trust_policy": {"status": "disabled", "type": "Notary"},
        # The kubelet's credential provider signs in with a token for Resource Manager.
        "azure_ad_authentication_as_arm_policy": {"status": "enabled"},
    }
