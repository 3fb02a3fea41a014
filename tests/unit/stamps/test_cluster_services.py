"""What stands around the cluster: access, GitOps, policies, monitoring, alerts, events."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from foundation.roles import Role
from shared.outputs import AccessContract
from stamps.config import GitOpsSettings, PolicySettings
from stamps.gitops import GitOpsArgs
from stamps.policy_data import MANAGED_NAMESPACES, image_pattern
from tests.unit.pulumi_mocks import OBJECT_ID, TENANT_ID, RecordingMocks
from tests.unit.stamps.cluster_program import (
    ACTION_GROUP_ID,
    ISSUER,
    STORAGE_ID,
    TOPIC_PRINCIPAL_ID,
    WORKSPACE_ID,
    deploy_cluster,
)

PROJECT = Path(__file__).parents[3]
CLUSTER = "azure-native:containerservice:ManagedCluster"
ROLE = "azure-native:authorization:RoleAssignment"
RULE_GROUP = "azure-native:alertsmanagement:PrometheusRuleGroup"
BOTH = pytest.mark.parametrize("preview", [False, True], ids=["up", "preview"])


@pytest.fixture(scope="module")
def record() -> RecordingMocks:
    """The default cluster part, deployed once."""
    return deploy_cluster()


def _access(record: RecordingMocks) -> set[tuple[str, str, str]]:
    """Return role, end of the scope and principal of every grant to people."""
    roles = [role for role in record.of_type(ROLE) if role.name.startswith("access-")]
    assert all(role.inputs["principalType"] == "Group" for role in roles)
    return {
        (
            Role(role.inputs["roleDefinitionId"].rsplit("/", 1)[1]).name,
            "/".join(role.inputs["scope"].split("/")[-2:]),
            role.inputs["principalId"],
        )
        for role in roles
    }


def _scope(record: RecordingMocks) -> str:
    return next(str(each.inputs["scope"]) for each in record.of_type(ROLE) if each.name == "access-administrators-user")


def test_the_global_group_administers_the_cluster(record: RecordingMocks) -> None:
    """The shared stack made the group, the stamp grants."""
    group = "10000000-0000-0000-0000-000000000001"
    assert {(role, who) for role, _, who in _access(record)} == {
        ("AKS_RBAC_CLUSTER_ADMIN", group),
        ("AKS_CLUSTER_USER", group),
    }
    assert "ManagedCluster" in _scope(record)
    assert record.of_type("azuread:index/group:Group") == []


def test_a_cluster_group_is_made_with_the_fleets_owners_and_administers_its_cluster() -> None:
    """Each cluster has administrators of its own."""
    owner = "20000000-0000-0000-0000-000000000002"
    record = deploy_cluster(access=AccessContract(scheme="clusterGroup", group_owners=(owner,)))
    group = record.one("azuread:index/group:Group")
    assert group.inputs["owners"] == [owner]
    assert group.inputs["displayName"] == "aks-bu0001a0042-eastus2-administrators"
    assert {(role, who) for role, _, who in _access(record)} == {
        ("AKS_RBAC_CLUSTER_ADMIN", OBJECT_ID),
        ("AKS_CLUSTER_USER", OBJECT_ID),
    }


@BOTH
def test_namespace_groups_write_in_their_namespace_only(preview: bool) -> None:
    """Nobody but them comes in."""
    one, two = "30000000-0000-0000-0000-000000000003", "40000000-0000-0000-0000-000000000004"
    namespaces = {"orders": one, "returns": one, "stock": two}
    record = deploy_cluster(preview, access=AccessContract(scheme="namespace", namespaces=namespaces))
    grants = _access(record)
    assert {(role, scope, who) for role, scope, who in grants if role == "AKS_RBAC_WRITER"} == {
        ("AKS_RBAC_WRITER", "namespaces/orders", one),
        ("AKS_RBAC_WRITER", "namespaces/returns", one),
        ("AKS_RBAC_WRITER", "namespaces/stock", two),
    }
    users = [each for each in record.of_type(ROLE) if each.name.startswith("access-") and each.name.endswith("-user")]
    assert [user.inputs["principalId"] for user in users] == [one, two], "a group that has two namespaces enters once"
    assert not any(role == "AKS_RBAC_CLUSTER_ADMIN" for role, _, _ in grants)


def test_flux_reads_the_repository_with_the_regions_values(record: RecordingMocks) -> None:
    """Values by substitution, all of them strings, and the same for both parts."""
    inputs = record.one("azure-native:kubernetesconfiguration:FluxConfiguration").inputs
    assert inputs["clusterRp"] == "Microsoft.ContainerService"
    assert (inputs["scope"], inputs["namespace"]) == ("cluster", "flux-system")
    assert inputs["gitRepository"]["repositoryRef"] == {"branch": "main"}
    parts = inputs["kustomizations"]
    assert set(parts) == {"platform", "workload"}
    for part in parts.values():
        assert part["prune"] is part["wait"] is True
    assert parts["platform"]["postBuild"] == parts["workload"]["postBuild"]
    values = parts["platform"]["postBuild"]["substitute"]
    assert values["REGION"] == "eastus2"
    assert values["INGRESS_CLIENT_ID"] == values["WORKLOAD_CLIENT_ID"] == "22222222-aaaa-bbbb-cccc-dddddddddddd"
    assert values["TENANT_ID"] == TENANT_ID
    assert values["WAVE"] == "wave1"
    assert values["COSMOS_ENDPOINT"] == "none"
    assert all(isinstance(value, str) for value in values.values())


def test_the_workload_waits_for_the_platform(record: RecordingMocks) -> None:
    """Namespaces, kinds and the Gateway come first; the platform waits for nobody."""
    parts = record.one("azure-native:kubernetesconfiguration:FluxConfiguration").inputs["kustomizations"]
    assert parts["workload"]["dependsOn"] == ["platform"]
    assert "dependsOn" not in parts["platform"]
    longest = sum(part["timeoutInSeconds"] for part in parts.values())
    assert longest <= 30 * 60, "Azure waits half an hour for the reconciliation"


@pytest.mark.parametrize("structure", ["standard", "canary"])
def test_the_structure_chooses_the_folders(structure: str) -> None:
    """Each part has its folder, and the repository holds it."""
    record = deploy_cluster(gitops=GitOpsSettings.model_validate({"structure": structure, "wave": "wave2"}))
    parts = record.one("azure-native:kubernetesconfiguration:FluxConfiguration").inputs["kustomizations"]
    for part, settings in parts.items():
        assert settings["path"] == f"./cluster-manifests/stamps/{structure}/{part}"
        assert (PROJECT / settings["path"] / "kustomization.yaml").is_file()


def test_a_value_that_yaml_reads_as_a_number_is_refused() -> None:
    """Kustomize drops quotes: 42 would reach the API server as a number."""
    with pytest.raises(ValidationError, match="COUNT: expected a value that YAML reads as text"):
        GitOpsArgs(
            resource_group_name="rg",
            settings=GitOpsSettings(),
            oidc_issuer_url=ISSUER,
            ingress_identity_name="id",
            workload_identity_name="id",
            substitutions={"COUNT": "42"},
        )


def test_flux_starts_after_the_pools_and_its_configuration_goes_before_the_extension(record: RecordingMocks) -> None:
    """The extension's finalizers clean up after the configuration."""
    extension = record.one("azure-native:kubernetesconfiguration:Extension")
    configuration = record.one("azure-native:kubernetesconfiguration:FluxConfiguration")
    assert record.depends_on(extension, record.one("azure-native:containerservice:AgentPool"))
    assert record.depends_on(configuration, extension)
    for credential in record.of_type("azure-native:managedidentity:FederatedIdentityCredential"):
        assert record.depends_on(configuration, credential)
    assert {extension.deleted_with, configuration.deleted_with} == {record.one(CLUSTER).urn}
    assert extension.inputs["configurationSettings"]["image-automation-controller.enabled"] == "false"
    assert extension.inputs["configurationSettings"]["multiTenancy.enforce"] == "true"


def _trust(record: RecordingMocks, role: str) -> str:
    """Return the subject that may act as an identity; issuer, audience and identity have to fit."""
    inputs = record.named(f"gitops-{role}-credential").inputs
    assert inputs["issuer"] == ISSUER
    assert inputs["audiences"] == ["api://AzureADTokenExchange"]
    assert inputs["resourceName"] == record.named(f"identities-{role}").inputs["resourceName"]
    return str(inputs["subject"])


def test_only_the_ingress_controllers_account_may_act_as_the_ingress_identity(record: RecordingMocks) -> None:
    """Subject, issuer and audience all have to match the manifests."""
    assert _trust(record, "ingress") == "system:serviceaccount:ingress:traefik"


def test_only_the_workloads_account_may_act_as_the_workloads_identity(record: RecordingMocks) -> None:
    """And nobody else is trusted with anything."""
    assert _trust(record, "workload") == "system:serviceaccount:workload:region-echo"
    assert len(record.of_type("azure-native:managedidentity:FederatedIdentityCredential")) == 2


def test_flux_renders_charts(record: RecordingMocks) -> None:
    """The workload is a Helm release."""
    extension = record.one("azure-native:kubernetesconfiguration:Extension")
    assert extension.inputs["configurationSettings"]["helm-controller.enabled"] == "true"


@pytest.mark.parametrize("effect", ["Deny", "Audit"])
def test_every_policy_has_the_configured_effect_at_the_clusters_group(effect: str) -> None:
    """Deny and Audit are the user's choice, after Flux in both cases."""
    record = deploy_cluster(policy=PolicySettings.model_validate({"effect": effect}))
    policies = record.of_type("azure-native:authorization:PolicyAssignment")
    assert len(policies) == 6
    for policy in policies:
        assert policy.inputs["parameters"]["effect"] == {"value": effect}
        assert policy.inputs["scope"].endswith("/resourceGroups/rg-cluster")
        assert len(policy.inputs["policyAssignmentName"]) <= 64
        assert record.depends_on(policy, record.one("azure-native:kubernetesconfiguration:FluxConfiguration"))


def test_pod_policies_leave_azures_namespaces_alone(record: RecordingMocks) -> None:
    """A denied Flux never reconciles."""
    for name in ("pod-security-restricted", "read-only-root", "resource-limits", "allowed-images"):
        inputs = record.named(f"policies-{name}").inputs
        assert inputs["parameters"]["excludedNamespaces"] == {"value": list(MANAGED_NAMESPACES)}
    assert {"flux-system", "aks-command", "app-routing-system"} <= set(MANAGED_NAMESPACES)
    restricted = record.named("policies-pod-security-restricted").inputs["policyDefinitionId"]
    assert "/policySetDefinitions/" in restricted


@pytest.mark.parametrize(
    ("image", "admitted"),
    [
        ("acrfleet.azurecr.io/app:1", True),
        ("mcr.microsoft.com/azurelinux/base/core:3.0", True),
        ("docker.io/library/nginx", False),
        ("evil.io/mcr.microsoft.com/x", False),
        ("evil.example/acrfleet.azurecr.io/x", False),
        ("acrfleet.azurecr.io", False),
        ("acrfleet-azurecr.io/app:1", False),
        ("acrfleet.azurecr.io.evil.io/app", False),
    ],
)
def test_images_come_from_the_fleets_registry_or_microsofts(image: str, admitted: bool) -> None:
    """The pattern is anchored at both ends and its dots are dots."""
    assert bool(re.search(image_pattern("acrfleet.azurecr.io"), image)) is admitted


def test_log_collection_stands_in_the_workspaces_region_and_metrics_in_the_clusters(record: RecordingMocks) -> None:
    """Azure refuses a rule outside its workspace's region."""
    logs, metrics = record.named("insights-rule").inputs, record.named("prometheus-rule").inputs
    assert logs["location"] == "centralus"
    assert logs["destinations"]["logAnalytics"][0]["workspaceResourceId"] == WORKSPACE_ID
    assert metrics["location"] == record.named("prometheus-endpoint").inputs["location"] == "eastus2"
    cluster_ids = {
        each.inputs["resourceUri"] for each in record.of_type("azure-native:monitor:DataCollectionRuleAssociation")
    }
    assert len(cluster_ids) == 1


def test_every_alert_reaches_the_action_group(record: RecordingMocks) -> None:
    """An alert that tells nobody is none."""
    alerts = record.named("alerts-rules").inputs["rules"]
    assert {"KubeNodeCPUHigh", "KubeNodeMemoryHigh", "KubePodFailed", "KubeContainerOOMKilled"} <= {
        alert["alert"] for alert in alerts
    }
    assert all(alert["actions"] == [{"actionGroupId": ACTION_GROUP_ID}] for alert in alerts)
    assert all(alert["for"].startswith("PT") for alert in alerts)
    metric_alerts = record.of_type("azure-native:monitor:MetricAlert")
    assert metric_alerts
    for metric_alert in metric_alerts:
        assert metric_alert.inputs["actions"] == [{"actionGroupId": ACTION_GROUP_ID}]
        criterion = metric_alert.inputs["criteria"]["allOf"][0]
        assert criterion["metricNamespace"] == "Microsoft.ContainerService/managedClusters"


def test_rule_groups_lie_beside_their_workspace_and_stay_within_azures_limit(record: RecordingMocks) -> None:
    """Twenty rules a group; alerts read what the groups record."""
    groups = record.of_type(RULE_GROUP)
    assert len(groups) == 3
    for group in groups:
        assert group.inputs["location"] == record.named("prometheus-workspace").inputs["location"]
        assert 0 < len(group.inputs["rules"]) <= 20
        assert len(group.inputs["scopes"]) == 2
    recorded = {rule["record"] for group in groups for rule in group.inputs["rules"] if "record" in rule}
    assert "instance:node_cpu_utilisation:rate5m" in recorded, "alerts read it"
    assert "instance:node_memory_utilisation:ratio" in recorded, "alerts read it"


def test_cluster_events_go_to_the_queue_as_an_identity_that_may_send(record: RecordingMocks) -> None:
    """The delivery uses no account key."""
    topic = record.one("azure-native:eventgrid:SystemTopic")
    subscription = record.one("azure-native:eventgrid:SystemTopicEventSubscription")
    sender = record.named("events-queue-sender")
    assert topic.inputs["topicType"] == "Microsoft.ContainerService.ManagedClusters"
    delivery = subscription.inputs["deliveryWithResourceIdentity"]
    assert delivery["destination"] == {
        "endpointType": "StorageQueue",
        "resourceId": STORAGE_ID,
        "queueName": "cluster-events",
    }
    assert delivery["identity"] == {"type": "SystemAssigned"}
    assert sender.inputs["principalId"] == TOPIC_PRINCIPAL_ID
    assert sender.inputs["scope"] == STORAGE_ID
    assert record.depends_on(subscription, sender)


def test_everything_is_said_in_a_preview_too() -> None:
    """No resource hides behind a value that is not known yet."""
    planned, made = deploy_cluster(preview=True), deploy_cluster()
    assert {each.urn for each in planned.resources} == {each.urn for each in made.resources}
