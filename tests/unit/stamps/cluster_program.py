"""A stamp's cluster part as one program, for the tests of its components."""

from __future__ import annotations

from typing import Any

import pulumi
from pulumi_azure_native import containerservice, resources

from foundation.naming import Naming
from shared.outputs import AccessContract, WorkspaceContract
from stamps.aks_cluster import AksCluster, AksClusterArgs
from stamps.cluster_access import ClusterAccess, ClusterAccessArgs
from stamps.cluster_alerts import ClusterAlerts, ClusterAlertsArgs
from stamps.cluster_config import ClusterSettings, MaintenanceSettings
from stamps.cluster_identities import ClusterIdentities, ClusterIdentitiesArgs
from stamps.cluster_monitoring import ClusterMonitoring, ClusterMonitoringArgs
from stamps.config import EventGridSettings, GitOpsSettings, PolicySettings
from stamps.event_grid import ClusterEvents, ClusterEventsArgs
from stamps.gitops import GitOps, GitOpsArgs, substitutions
from stamps.network_config import NetworkSettings
from stamps.policy_assignments import PolicyAssignments, PolicyAssignmentsArgs
from stamps.prometheus import Prometheus, PrometheusArgs
from tests.unit.pulumi_mocks import SUBSCRIPTION_ID, TENANT_ID, RecordingMocks, deploy

SUBNETS = f"/subscriptions/{SUBSCRIPTION_ID}/resourceGroups/spoke/providers/Microsoft.Network/virtualNetworks/v/subnets"
SHARED = f"/subscriptions/{SUBSCRIPTION_ID}/resourceGroups/shared/providers"
WORKSPACE_ID = f"{SHARED}/Microsoft.OperationalInsights/workspaces/log"
ACTION_GROUP_ID = f"{SHARED}/Microsoft.Insights/actionGroups/ag"
REGISTRY_ID = f"{SHARED}/Microsoft.ContainerRegistry/registries/acr"
STORAGE_ID = f"{SHARED}/Microsoft.Storage/storageAccounts/events"
ISSUER = "https://eastus2.oic.prod-aks.azure.com/tenant/cluster/"
TOPIC_PRINCIPAL_ID = "50000000-0000-0000-0000-000000000005"
NAMING = Naming(subscription_id=SUBSCRIPTION_ID, workload="bu0001a0042", scope="eastus2")
PLAN = NetworkSettings.model_validate(
    {"hub": "10.200.3.0/24", "spoke": "10.243.0.0/16", "pods": "10.64.0.0/16", "services": "172.16.0.0/16"}
).address_plan()
TAGS = {"stamp": "eastus2"}
GROUP = "rg-cluster"
GLOBAL_GROUP = AccessContract(scheme="globalGroup", admin_group_object_id="10000000-0000-0000-0000-000000000001")
_ANSWERS: dict[str, Any] = {
    "azure-native:containerservice:ManagedCluster": lambda args: {
        "oidcIssuerProfile": {"enabled": True, "issuerURL": ISSUER},
        "privateFQDN": "aks.private.eastus2.azmk8s.io",
        # The provider takes a list of ids and gives back a map, as Azure does.
        "identity": {
            "type": "UserAssigned",
            "userAssignedIdentities": {one: {} for one in args.inputs["identity"]["userAssignedIdentities"]},
        },
    },
    "azure-native:eventgrid:SystemTopic": {"identity": {"type": "SystemAssigned", "principalId": TOPIC_PRINCIPAL_ID}},
}


def deploy_cluster(
    preview: bool = False,
    *,
    api_server: str = "vnetIntegration",
    zones: tuple[str, ...] = ("1", "2", "3"),
    settings: ClusterSettings | None = None,
    access: AccessContract = GLOBAL_GROUP,
    policy: PolicySettings | None = None,
    gitops: GitOpsSettings | None = None,
) -> RecordingMocks:
    """Deploy every component of the cluster part and return the record."""

    def program() -> None:
        group = resources.ResourceGroup("group", resource_group_name=GROUP, location="eastus2")
        firewall = resources.ResourceGroup("stands-for-the-firewall", resource_group_name="rg-hub", location="eastus2")
        integrated = api_server == "vnetIntegration"
        identities = ClusterIdentities(
            "identities",
            ClusterIdentitiesArgs(
                naming=NAMING,
                location="eastus2",
                resource_group_name=group.name,
                registry_id=REGISTRY_ID,
                nodes_subnet_id=f"{SUBNETS}/nodes",
                ingress_subnet_id=f"{SUBNETS}/ingress",
                api_server_subnet_id=f"{SUBNETS}/api-server" if integrated else None,
                tags=TAGS,
            ),
        )
        aks = AksCluster(
            "aks",
            AksClusterArgs(
                naming=NAMING,
                location="eastus2",
                zones=zones,
                resource_group_name=group.name,
                settings=settings or ClusterSettings(),
                maintenance=MaintenanceSettings(day="Tuesday", utc_offset="-05:00"),
                plan=PLAN,
                api_server=api_server,
                nodes_subnet_id=f"{SUBNETS}/nodes",
                api_server_subnet_id=f"{SUBNETS}/api-server" if integrated else None,
                control_plane_identity_id=identities.control_plane_id,
                kubelet_identity_id=identities.kubelet_id,
                kubelet_client_id=identities.kubelet_client_id,
                kubelet_principal_id=identities.kubelet_principal_id,
                tenant_id=TENANT_ID,
                workspace_id=WORKSPACE_ID,
                tags=TAGS,
            ),
            after=[firewall, *identities.role_assignments],
        )
        _around(aks, aks.cluster, identities, group, access, policy or PolicySettings(), gitops or GitOpsSettings())

    return deploy(program, preview, answers=_ANSWERS)


def _around(
    aks: AksCluster,
    cluster: containerservice.ManagedCluster,
    identities: ClusterIdentities,
    group: resources.ResourceGroup,
    access: AccessContract,
    policy: PolicySettings,
    settings: GitOpsSettings,
) -> None:
    ClusterAccess("access", ClusterAccessArgs(naming=NAMING, cluster_id=aks.id, access=access))
    gitops = GitOps(
        "gitops",
        GitOpsArgs(
            resource_group_name=group.name,
            settings=settings,
            oidc_issuer_url=aks.oidc_issuer_url,
            ingress_identity_name=identities.ingress_name,
            workload_identity_name=identities.workload_name,
            substitutions=manifest_values(identities.ingress_client_id, identities.workload_client_id),
        ),
        cluster=cluster,
        after=aks.pools,
    )
    PolicyAssignments(
        "policies",
        PolicyAssignmentsArgs(
            naming=NAMING, resource_group_id=group.id, registry_login_server="acrfleet.azurecr.io", settings=policy
        ),
        after=[gitops.configuration],
    )
    ClusterMonitoring(
        "insights",
        ClusterMonitoringArgs(
            naming=NAMING,
            resource_group_name=group.name,
            cluster_id=aks.id,
            workspace=WorkspaceContract(id=WORKSPACE_ID, location="centralus"),
            tags=TAGS,
        ),
    )
    prometheus = Prometheus(
        "prometheus",
        PrometheusArgs(
            naming=NAMING,
            location="eastus2",
            resource_group_name=group.name,
            cluster_id=aks.id,
            cluster_name=aks.cluster_name,
            tags=TAGS,
        ),
    )
    ClusterAlerts(
        "alerts",
        ClusterAlertsArgs(
            naming=NAMING,
            location="eastus2",
            resource_group_name=group.name,
            cluster_id=aks.id,
            cluster_name=aks.cluster_name,
            workspace_id=prometheus.workspace_id,
            action_group_id=ACTION_GROUP_ID,
            tags=TAGS,
        ),
    )
    ClusterEvents(
        "events",
        ClusterEventsArgs(
            naming=NAMING,
            location="eastus2",
            resource_group_name=group.name,
            cluster_id=aks.id,
            settings=EventGridSettings(storage_account_id=STORAGE_ID, queue_name="cluster-events"),
            workspace_id=WORKSPACE_ID,
            tags=TAGS,
        ),
    )


def manifest_values(
    ingress_client_id: pulumi.Output[str] | str, workload_client_id: pulumi.Output[str] | str
) -> dict[str, Any]:
    """Return the variables of the manifests for this stamp."""
    return dict(
        substitutions(
            region="eastus2",
            stamp="eastus2",
            cluster_name="aks-bu0001a0042-eastus2",
            tenant_id=TENANT_ID,
            registry="acrfleet.azurecr.io",
            key_vault="kv-eastus2-1",
            ingress_host="app.contoso.com",
            ingress_address="10.243.4.4",
            ingress_subnet="snet-ingress",
            gateway_subnet="10.243.5.0/24",
            api_server_subnet="10.243.6.64/28",
            ingress_client_id=ingress_client_id,
            ingress_certificate="ingress-certificate",
            workload_client_id=workload_client_id,
            wave="wave1",
        )
    )
