"""GitOps: the Flux extension, what Flux reads, and the trust that lets the ingress controller read its certificate.

What the manifests get from here is values, by substitution; structure that differs belongs in the repository.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import pulumi
import yaml
from pulumi_azure_native import containerservice, kubernetesconfiguration, managedidentity
from pydantic import Field, field_validator

from foundation.azure_types import Arguments, In
from stamps.config import GitOpsSettings

INGRESS_SERVICE_ACCOUNT = "system:serviceaccount:ingress:traefik"
"""The ingress controller's service account: namespace `ingress`, name `traefik`, as the manifests have it."""

WORKLOAD_SERVICE_ACCOUNT = "system:serviceaccount:workload:region-echo"
"""The workload's service account: namespace `workload`, name `region-echo`, as the manifests have it."""

NO_DATABASE = "none"
"""What the workload reads as database address when the stamp has none: an empty value would turn into null."""

MANIFESTS = "./cluster-manifests/stamps"
"""Where the repository keeps what Flux reads: one folder for each structure, in it `platform` and `workload`."""

_CLUSTER_PROVIDER, _CLUSTER_TYPE = "Microsoft.ContainerService", "managedClusters"
_VariableName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]


def substitutions(
    *,
    region: str,
    stamp: str,
    cluster_name: str,
    tenant_id: str,
    registry: str,
    key_vault: In[str],
    ingress_host: str,
    ingress_address: str,
    ingress_subnet: str,
    gateway_subnet: str,
    api_server_subnet: str,
    ingress_client_id: In[str],
    ingress_certificate: str,
    workload_client_id: In[str],
    wave: str,
    cosmos_endpoint: In[str] = NO_DATABASE,
) -> dict[str, In[str]]:
    """Return the variables of the manifests.

    Args:
        region: Azure region.
        stamp: the stamp's name.
        cluster_name: name of the cluster.
        tenant_id: Entra tenant of the vault.
        registry: the registry's login server.
        key_vault: name of the stamp's vault.
        ingress_host: host name that the ingress controller answers to.
        ingress_address: fixed address of the internal load balancer.
        ingress_subnet: name of the subnet that the address lies in.
        gateway_subnet: CIDR of the Application Gateway's subnet, the only source the ingress controller admits.
        api_server_subnet: CIDR in which pods find the API server.
        ingress_client_id: client id of the ingress controller's identity.
        ingress_certificate: name of the vault secret with the ingress certificate.
        workload_client_id: client id of the workload's identity.
        wave: the wave in which the stamp takes a new version of the workload.
        cosmos_endpoint: address of the workload's database, or `NO_DATABASE`.
    """
    return {
        "REGION": region,
        "STAMP": stamp,
        "CLUSTER_NAME": cluster_name,
        "TENANT_ID": tenant_id,
        "REGISTRY": registry,
        "KEY_VAULT": key_vault,
        "INGRESS_HOST": ingress_host,
        "INGRESS_ADDRESS": ingress_address,
        "INGRESS_SUBNET": ingress_subnet,
        "GATEWAY_SUBNET": gateway_subnet,
        "API_SERVER_SUBNET": api_server_subnet,
        "INGRESS_CLIENT_ID": ingress_client_id,
        "INGRESS_CERTIFICATE": ingress_certificate,
        "WORKLOAD_CLIENT_ID": workload_client_id,
        "WAVE": wave,
        "COSMOS_ENDPOINT": cosmos_endpoint,
    }


class GitOpsArgs(Arguments):
    """The identity names are Azure's names of the two identities that pods act as, in the same resource group."""

    resource_group_name: In[str]
    settings: GitOpsSettings
    oidc_issuer_url: In[str]
    ingress_identity_name: str
    workload_identity_name: str
    substitutions: dict[_VariableName, In[str]]

    @field_validator("substitutions")
    @classmethod
    def _values_stay_strings(cls, values: dict[str, In[str]]) -> dict[str, In[str]]:
        # kustomize drops quotes, so a value such as 42 or true would reach the API server as a number or a boolean.
        for name, value in values.items():
            if isinstance(value, str) and not isinstance(yaml.safe_load(value), str):
                raise ValueError(
                    f"{name}: expected a value that YAML reads as text, for example 'eastus2', got {value!r}"
                )
        return values


class GitOps(pulumi.ComponentResource):
    """Flux on one cluster. Azure waits until the cluster is reconciled, so what comes after finds a serving stamp.

    `after` is what the first reconciliation needs: the ingress identity's right on the vault, the certificate, the
    registry's endpoint, and every node pool (extensions and pools are written one at a time).
    """

    configuration: kubernetesconfiguration.FluxConfiguration

    def __init__(
        self,
        name: str,
        args: GitOpsArgs,
        opts: pulumi.ResourceOptions | None = None,
        *,
        cluster: containerservice.ManagedCluster,
        after: Sequence[pulumi.Resource] = (),
    ) -> None:
        super().__init__("aks-geode:stamps:GitOps", name, None, opts)
        credentials = [
            self._credential(name, args, "ingress", "ingress-controller", args.ingress_identity_name),
            self._credential(name, args, "workload", "workload", args.workload_identity_name),
        ]
        extension = kubernetesconfiguration.Extension(
            f"{name}-extension",
            extension_name="flux",
            extension_type="microsoft.flux",
            cluster_rp=_CLUSTER_PROVIDER,
            cluster_resource_name=_CLUSTER_TYPE,
            cluster_name=cluster.name,
            resource_group_name=args.resource_group_name,
            auto_upgrade_minor_version=True,
            release_train="Stable",
            scope={"cluster": {"release_namespace": "flux-system"}},
            configuration_settings={
                # Objects of a configuration are applied as flux-applier and name nothing outside its namespace.
                "multiTenancy.enforce": "true",
                "source-controller.enabled": "true",
                "kustomize-controller.enabled": "true",
                # The workload is a chart; a Helm release is rendered and kept by this controller.
                "helm-controller.enabled": "true",
                "notification-controller.enabled": "false",
                "image-automation-controller.enabled": "false",
                "image-reflector-controller.enabled": "false",
            },
            opts=pulumi.ResourceOptions(parent=self, depends_on=list(after), deleted_with=cluster),
        )
        self.configuration = kubernetesconfiguration.FluxConfiguration(
            f"{name}-configuration",
            flux_configuration_name="stamp",
            cluster_rp=_CLUSTER_PROVIDER,
            cluster_resource_name=_CLUSTER_TYPE,
            cluster_name=cluster.name,
            resource_group_name=args.resource_group_name,
            scope="cluster",
            namespace="flux-system",
            source_kind="GitRepository",
            git_repository={
                "url": args.settings.url,
                "repository_ref": {"branch": args.settings.branch},
                "sync_interval_in_seconds": args.settings.sync_interval_seconds,
                "timeout_in_seconds": 180,
            },
            kustomizations={
                "platform": _kustomization(args, "platform", timeout_seconds=900),
                # What the platform defines (namespaces, kinds, the Gateway) has to be there and healthy first.
                "workload": _kustomization(args, "workload", timeout_seconds=600) | {"depends_on": ["platform"]},
            },
            suspend=False,
            wait_for_reconciliation=True,
            reconciliation_wait_duration="PT30M",
            # The extension's finalizers clean up after the configuration, so it has to go first.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[extension, *credentials], deleted_with=cluster),
        )
        self.register_outputs({})

    def _credential(
        self, name: str, args: GitOpsArgs, role: str, credential_name: str, identity_name: str
    ) -> managedidentity.FederatedIdentityCredential:
        """Let one service account of this cluster, and nobody else, act as an identity."""
        return managedidentity.FederatedIdentityCredential(
            f"{name}-{role}-credential",
            federated_identity_credential_resource_name=credential_name,
            resource_name_=identity_name,
            resource_group_name=args.resource_group_name,
            issuer=args.oidc_issuer_url,
            subject={"ingress": INGRESS_SERVICE_ACCOUNT, "workload": WORKLOAD_SERVICE_ACCOUNT}[role],
            audiences=["api://AzureADTokenExchange"],
            opts=pulumi.ResourceOptions(parent=self),
        )


def _kustomization(
    args: GitOpsArgs, part: str, *, timeout_seconds: int
) -> kubernetesconfiguration.KustomizationDefinitionArgsDict:
    return {
        "path": f"{MANIFESTS}/{args.settings.structure}/{part}",
        "prune": True,
        "wait": True,
        "force": False,
        "sync_interval_in_seconds": args.settings.sync_interval_seconds,
        "retry_interval_in_seconds": 60,
        "timeout_in_seconds": timeout_seconds,
        # The block always stays: Azure answers 400 to an update that takes it away.
        "post_build": {"substitute": args.substitutions},
    }
