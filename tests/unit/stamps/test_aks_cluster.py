"""The cluster, its pools, identities and windows: what Azure would get."""

from __future__ import annotations

from typing import Any

import pytest

from stamps.aks_cluster import LOG_CATEGORIES
from stamps.cluster_config import ClusterSettings
from tests.unit.pulumi_mocks import TENANT_ID, RecordingMocks
from tests.unit.stamps.cluster_program import REGISTRY_ID, SUBNETS, WORKSPACE_ID, deploy_cluster

CLUSTER = "azure-native:containerservice:ManagedCluster"
POOL = "azure-native:containerservice:AgentPool"
ROLE = "azure-native:authorization:RoleAssignment"
BOTH = pytest.mark.parametrize("preview", [False, True], ids=["up", "preview"])


@pytest.fixture(scope="module")
def record() -> RecordingMocks:
    """The default cluster part, deployed once."""
    return deploy_cluster()


@BOTH
def test_the_cluster_is_private_with_its_api_server_in_the_delegated_subnet(preview: bool) -> None:
    """Nodes, and pods that call the server by address, reach it without the firewall."""
    profile = deploy_cluster(preview).one(CLUSTER).inputs["apiServerAccessProfile"]
    assert profile == {
        "enablePrivateCluster": True,
        "enablePrivateClusterPublicFQDN": False,
        "privateDNSZone": "system",
        "disableRunCommand": True,
        "enableVnetIntegration": True,
        "subnetId": f"{SUBNETS}/api-server",
    }


@BOTH
def test_private_link_needs_no_api_server_subnet_and_no_role_on_one(preview: bool) -> None:
    """The fallback for regions without capacity for VNet integration."""
    record = deploy_cluster(preview, api_server="privateLink")
    profile = record.one(CLUSTER).inputs["apiServerAccessProfile"]
    assert profile["enablePrivateCluster"] is True
    assert not {"enableVnetIntegration", "subnetId"} & profile.keys()
    assert all(not role.inputs["scope"].endswith("/api-server") for role in record.of_type(ROLE))


def test_pods_run_on_an_overlay_with_cilium_and_leave_by_the_firewall(record: RecordingMocks) -> None:
    """Ranges come from the address plan, never from AKS's own defaults."""
    assert record.one(CLUSTER).inputs["networkProfile"] == {
        "networkPlugin": "azure",
        "networkPluginMode": "overlay",
        "networkDataplane": "cilium",
        "networkPolicy": "cilium",
        "outboundType": "userDefinedRouting",
        "loadBalancerSku": "standard",
        "podCidr": "10.64.0.0/16",
        "serviceCidr": "172.16.0.0/16",
        "dnsServiceIP": "172.16.0.10",
        "ipFamilies": ["IPv4"],
    }


def test_people_come_in_by_entra_and_azure_rbac_only(record: RecordingMocks) -> None:
    """No local account survives a lost group."""
    inputs = record.one(CLUSTER).inputs
    assert inputs["disableLocalAccounts"] is True
    assert inputs["publicNetworkAccess"] == "Disabled"
    assert inputs["aadProfile"] == {
        "managed": True,
        "enableAzureRBAC": True,
        "tenantID": TENANT_ID,
        "adminGroupObjectIDs": [],
    }


def test_workloads_get_identities_and_rotated_secrets(record: RecordingMocks) -> None:
    """Add-on settings are strings: AKS refuses JSON booleans."""
    inputs = record.one(CLUSTER).inputs
    assert inputs["oidcIssuerProfile"] == {"enabled": True}
    assert inputs["securityProfile"]["workloadIdentity"] == {"enabled": True}
    assert inputs["securityProfile"]["imageCleaner"]["enabled"] is True
    add_ons = inputs["addonProfiles"]
    assert add_ons["azureKeyvaultSecretsProvider"]["config"]["enableSecretRotation"] == "true"
    assert add_ons["azurepolicy"] == {"enabled": True, "config": {"version": "v2"}}
    assert add_ons["omsagent"]["config"] == {
        "logAnalyticsWorkspaceResourceID": WORKSPACE_ID,
        "useAADAuth": "true",
    }
    assert inputs["azureMonitorProfile"]["metrics"]["enabled"] is True


def test_the_system_pool_is_spread_ephemeral_and_kept_for_add_ons(record: RecordingMocks) -> None:
    """Workloads never compete with cluster DNS."""
    pool = record.one(CLUSTER).inputs["agentPoolProfiles"][0]
    assert pool["availabilityZones"] == ["1", "2", "3"]
    assert pool["nodeTaints"] == ["CriticalAddonsOnly=true:NoSchedule"]
    assert (pool["osDiskType"], pool["osSKU"], pool["mode"]) == ("Ephemeral", "AzureLinux", "System")
    assert pool["enableEncryptionAtHost"] is True
    assert pool["securityProfile"] == {"sshAccess": "Disabled"}
    assert pool["count"] == pool["minCount"] == 3
    assert pool["vnetSubnetID"] == f"{SUBNETS}/nodes"


@BOTH
def test_a_region_without_zones_names_none(preview: bool) -> None:
    """Azure refuses an empty list of zones as well as a zone that is not there."""
    record = deploy_cluster(preview, zones=())
    assert "availabilityZones" not in record.one(CLUSTER).inputs["agentPoolProfiles"][0]
    assert all("availabilityZones" not in pool.inputs for pool in record.of_type(POOL))


def test_node_settings_reach_azure_under_its_names() -> None:
    """Kubelet and kernel settings of both kinds of pool."""
    pool: dict[str, Any] = {
        "name": "npuser01",
        "kubelet": {"podMaxPids": 4096},
        "sysctls": {"vmMaxMapCount": 262144},
    }
    settings = ClusterSettings.model_validate({"systemPool": {**pool, "name": "npsystem"}, "userPools": [pool]})
    record = deploy_cluster(settings=settings)
    for inputs in (record.one(CLUSTER).inputs["agentPoolProfiles"][0], record.one(POOL).inputs):
        assert inputs["kubeletConfig"] == {"podMaxPids": 4096}
        assert inputs["linuxOSConfig"] == {"sysctls": {"vmMaxMapCount": 262144}}


def test_user_pools_are_written_one_after_the_other_and_go_with_the_cluster() -> None:
    """AKS takes one write at a time to a cluster."""
    pools = [{"name": "npuser01"}, {"name": "npuser02", "maxCount": 6}]
    record = deploy_cluster(settings=ClusterSettings.model_validate({"userPools": pools}))
    first, second = record.of_type(POOL)
    assert record.depends_on(second, first)
    for pool in (first, second):
        assert pool.deleted_with == record.one(CLUSTER).urn
        assert pool.ignore_changes == ("count",)
        assert {"osDiskSizeGB", "maxPods", "availabilityZones"} <= set(pool.replace_on_changes)
        assert pool.inputs["orchestratorVersion"] == record.one(CLUSTER).inputs["kubernetesVersion"]


@BOTH
def test_the_cluster_waits_for_its_roles_and_its_way_out(preview: bool) -> None:
    """A node that boots without its way out never joins; the reverse order frees the subnets."""
    record = deploy_cluster(preview)
    cluster = record.one(CLUSTER)
    assert record.depends_on(cluster, record.named("stands-for-the-firewall"))
    roles = [role for role in record.of_type(ROLE) if role.name.startswith("identities-")]
    assert {role.name.removeprefix("identities-") for role in roles} == {
        "nodes-subnet",
        "ingress-subnet",
        "api-server-subnet",
        "kubelet-operator",
        "registry-pull",
    }
    assert all(record.depends_on(cluster, role) for role in roles)


def test_the_kubelet_pulls_from_the_registry_and_nothing_else_may(record: RecordingMocks) -> None:
    """Least privilege on what all stamps share."""
    on_registry = [role for role in record.of_type(ROLE) if role.inputs["scope"] == REGISTRY_ID]
    assert [role.name for role in on_registry] == ["identities-registry-pull"]
    assert on_registry[0].inputs["roleDefinitionId"].endswith("7f951dda-4ed3-4680-a7ca-43fe172d538d")


def test_the_cluster_is_protected_and_only_its_count_is_ignored(record: RecordingMocks) -> None:
    """The autoscaler owns the count, the program everything else."""
    cluster = record.one(CLUSTER)
    assert cluster.protect is True
    assert cluster.ignore_changes == ("agentPoolProfiles[0].count",)
    assert "count" in cluster.inputs["agentPoolProfiles"][0], "the engine refuses to ignore a path that is missing"
    assert "apiServerAccessProfile.enableVnetIntegration" in cluster.replace_on_changes


def test_versions_and_node_images_change_in_the_stamps_window(record: RecordingMocks) -> None:
    """One bad image must not meet every region."""
    windows = record.of_type("azure-native:containerservice:MaintenanceConfiguration")
    assert {window.inputs["configName"] for window in windows} == {
        "aksManagedAutoUpgradeSchedule",
        "aksManagedNodeOSUpgradeSchedule",
    }
    for window in windows:
        assert window.inputs["maintenanceWindow"] == {
            "schedule": {"weekly": {"dayOfWeek": "Tuesday", "intervalWeeks": 1}},
            "startTime": "21:00",
            "utcOffset": "-05:00",
            "durationHours": 8,
        }


def test_audit_and_control_plane_logs_are_kept_without_the_reads(record: RecordingMocks) -> None:
    """Reads make up most of the audit log's price."""
    logs = [log["category"] for log in record.named("aks-diagnostics").inputs["logs"]]
    assert logs == list(LOG_CATEGORIES)
    assert {"kube-audit-admin", "guard", "kube-apiserver"} <= set(logs)
    assert "kube-audit" not in logs
