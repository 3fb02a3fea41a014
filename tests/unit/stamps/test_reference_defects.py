"""What was wrong in the public reference implementation, looked for in one whole stamp; docs/parity.md has the list."""

from __future__ import annotations

import inspect
import re
from ipaddress import ip_address, ip_network
from typing import Any

import pulumi
import pulumi_azure_native as azure_native
import pytest

from foundation.azure_regions import ZONES
from foundation.configuration import load
from foundation.roles import Role
from shared.outputs import SharedOutputs
from simulator.development_secrets import make_certificate
from stamps.config import StampConfig
from stamps.fleet import STAMP_KEY
from stamps.regional_stamp import RegionalStamp, RegionalStampArgs
from stamps.stamp_secrets import StampCertificates
from tests.unit.pulumi_mocks import RecordingMocks, Registration, deploy
from tests.unit.shared.shared_deployment import azure, deploy_shared
from tests.unit.stamps.network_fixtures import by_name
from tests.unit.test_configuration import changed, tracked

ANSWERS: dict[str, Any] = {
    azure("containerservice:ManagedCluster"): {
        "oidcIssuerProfile": {"enabled": True, "issuerURL": "https://issuer.example.com/"},
        "privateFQDN": "aks.private.example.com",
        "identity": {"type": "UserAssigned"},
    },
    # Azure takes a list of identities and answers with a map.
    azure("network:ApplicationGateway"): {"identity": {"type": "UserAssigned"}},
    azure("network:FlowLog"): {"identity": {"type": "UserAssigned"}},
    azure("network:PublicIPAddress"): {"ipAddress": "203.0.113.7"},
}
SHARED_HOME = "westus3"
"""No stamp of these tests stands there, so that what comes from the shared home is told apart from a stamp's own."""

INGRESS_PFX = make_certificate("aks-ingress.contoso.com").pfx_base64


def deploy_stamp(stack: str = "eastus2", *, scheme: str = "globalGroup", **changes: object) -> RecordingMocks:
    """Deploy the stamp of a tracked stack file, with some keys changed, on a shared stack in a third region."""
    regions = ["eastus2", "centralus", SHARED_HOME]
    contract = deploy_shared(location=SHARED_HOME, regions=regions, access={"scheme": scheme}).result[0]
    content = tracked(stack)
    for path, value in changes.items():
        content = changed(content, path.replace("__", "."), value)
    config = load(StampConfig, content, file=f"Pulumi.{stack}.yaml", key=STAMP_KEY)

    def program() -> pulumi.Output[dict[str, object]]:
        certificates = StampCertificates(
            gateway=pulumi.Output.secret("gateway"), ingress=pulumi.Output.secret(INGRESS_PFX), ingress_root="cm9vdA=="
        )
        shared = SharedOutputs.model_validate(contract)
        return RegionalStamp(
            stack, RegionalStampArgs(stamp=stack, config=config, shared=shared, certificates=certificates)
        ).outputs

    return deploy(program, answers=ANSWERS, stack=stack)


@pytest.fixture(scope="module")
def stamp() -> RecordingMocks:
    """The stamp of the first stack file, deployed once."""
    return deploy_stamp()


def _rules(record: RecordingMocks) -> list[dict[str, Any]]:
    groups = record.of_type(azure("network:FirewallPolicyRuleCollectionGroup"))
    return [rule for group in groups for one in group.inputs.get("ruleCollections", []) for rule in one["rules"]]


def _hosts(record: RecordingMocks) -> set[str]:
    return {host for rule in _rules(record) for host in rule.get("targetFqdns", [])}


def test_gateway_zone_and_manifests_know_the_ingress_by_one_name(stamp: RecordingMocks) -> None:
    """What the gateway calls is what the private zone answers and what the ingress controller is told to serve."""
    gateway = stamp.one(azure("network:ApplicationGateway")).inputs
    record = stamp.one(azure("privatedns:PrivateRecordSet")).inputs
    kustomization = stamp.one(azure("kubernetesconfiguration:FluxConfiguration")).inputs["kustomizations"]["platform"]
    values = kustomization["postBuild"]["substitute"]

    host = f"{record['relativeRecordSetName']}.{record['privateZoneName']}"
    assert gateway["backendAddressPools"][0]["backendAddresses"] == [{"fqdn": host}]
    assert gateway["backendHttpSettingsCollection"][0]["hostName"] == host
    assert values["INGRESS_HOST"] == host
    assert record["aRecords"] == [{"ipv4Address": values["INGRESS_ADDRESS"]}]


@pytest.mark.parametrize(("stack", "other"), [("eastus2", "centralus"), ("centralus", "eastus2")])
def test_host_names_in_firewall_rules_follow_the_stamps_region(stack: str, other: str) -> None:
    """A rule is deployed in every region; a fixed region in it would close the others."""
    hosts = _hosts(deploy_stamp(stack))
    named = {label for host in hosts for label in host.split(".")} & ZONES.keys()
    assert named == {stack}
    assert other not in " ".join(hosts)
    assert "*.monitoring.azure.com" in hosts


def test_no_rule_names_a_host_that_is_gone_or_opens_plain_http(stamp: RecordingMocks) -> None:
    """The old mirror of binaries was retired, and no node runs Ubuntu."""
    hosts = _hosts(stamp)
    assert hosts
    assert not [host for host in hosts if "azureedge.net" in host or "ubuntu.com" in host]
    protocols = [protocol for rule in _rules(stamp) for protocol in rule.get("protocols", [])]
    assert {(each["protocolType"], each["port"]) for each in protocols} == {("Https", 443)}


def test_private_endpoints_leave_the_ingress_address_alone(stamp: RecordingMocks) -> None:
    """They take any free address of their subnet, so it is not the one that the load balancer asks for by address."""
    (spoke,) = [each for each in stamp.of_type(azure("network:VirtualNetwork")) if each.name.endswith("spoke-vnet")]
    subnets = by_name(spoke.inputs["subnets"])
    ingress = ip_address(stamp.one(azure("privatedns:PrivateRecordSet")).inputs["aRecords"][0]["ipv4Address"])
    endpoints = stamp.of_type(azure("network:PrivateEndpoint"))
    assert len(endpoints) == 2
    for endpoint in endpoints:
        name = endpoint.inputs["subnet"]["id"].rpartition("/")[2]
        assert ingress not in ip_network(subnets[name]["addressPrefix"])


def test_the_gateway_asks_for_the_id_of_this_fleets_front_door(stamp: RecordingMocks) -> None:
    """The id goes from the profile through the contract into the policy that the gateway names."""
    policy = stamp.one(azure("network:WebApplicationFirewallPolicy"))
    (other,) = [rule for rule in policy.inputs["customRules"] if rule["name"] == "FrontDoorIdOther"]
    assert other["matchConditions"][0]["matchValues"] == ["77777777-0000-1111-2222-333333333333"]
    gateway = stamp.one(azure("network:ApplicationGateway"))
    assert gateway.inputs["firewallPolicy"]["id"].endswith(policy.inputs["policyName"])


def test_gateway_and_front_door_probe_two_paths(stamp: RecordingMocks) -> None:
    """A drain that Front Door sees must not take the gateway's only backend away."""
    (probe,) = stamp.one(azure("network:ApplicationGateway")).inputs["probes"]
    front_door = deploy_shared().one(azure("cdn:AFDOriginGroup")).inputs["healthProbeSettings"]["probePath"]
    assert {probe["path"], front_door} == {"/readyz", "/healthz/region"}


def _grant(role: Registration) -> tuple[str, str]:
    """Return what is granted and the type of resource it is granted on."""
    scope = str(role.inputs["scope"])
    kind = "subnet" if "/subnets/" in scope else scope.partition("/providers/mock.")[2].split("/")[1]
    return Role(role.inputs["roleDefinitionId"].rpartition("/")[2]).name, kind


def test_every_right_lies_on_one_resource_and_none_on_the_nodes_group(stamp: RecordingMocks) -> None:
    """No general Reader, nothing on a resource group, no way from one node to all others."""
    roles = stamp.of_type(azure("authorization:RoleAssignment"))
    assert {_grant(role) for role in roles} == {
        ("ACR_PULL", "Registry"),
        ("AKS_CLUSTER_USER", "ManagedCluster"),
        ("AKS_RBAC_CLUSTER_ADMIN", "ManagedCluster"),
        ("KEY_VAULT_SECRETS_USER", "Secret"),
        ("MANAGED_IDENTITY_OPERATOR", "UserAssignedIdentity"),
        ("NETWORK_CONTRIBUTOR", "subnet"),
        ("STORAGE_BLOB_DATA_CONTRIBUTOR", "StorageAccount"),
    }
    nodes = stamp.one(azure("containerservice:ManagedCluster")).inputs["nodeResourceGroup"]
    assert not [role for role in roles if nodes in role.inputs["scope"]]


@pytest.mark.parametrize("scheme", ["globalGroup", "clusterGroup"])
def test_no_person_is_made_and_no_password(scheme: str) -> None:
    """Groups are all that the program makes in the directory; who is in them is said by object ids."""
    record = deploy_stamp(scheme=scheme)
    in_directory = {each.type for each in record.resources if each.type.startswith("azuread:")}
    assert in_directory == ({"azuread:index/group:Group"} if scheme == "clusterGroup" else set())
    assert not [each.name for each in record.resources if "password" in repr(each.inputs).lower()]


def test_every_pool_is_encrypted_on_its_host_and_no_disk_leaves_it(stamp: RecordingMocks) -> None:
    """System and user pools alike, with disks that die with their node."""
    pools = [*stamp.one(azure("containerservice:ManagedCluster")).inputs["agentPoolProfiles"]]
    pools += [pool.inputs for pool in stamp.of_type(azure("containerservice:AgentPool"))]
    assert len(pools) == 2
    assert {pool["enableEncryptionAtHost"] for pool in pools} == {True}
    assert {pool["osDiskType"] for pool in pools} == {"Ephemeral"}


def test_a_stamp_names_no_other_stamp() -> None:
    """What fails in one region cannot stop a deployment of another: nothing is read from it or written to it."""
    record = deploy_stamp("centralus")
    assert not [each.name for each in record.resources if "eastus2" in repr(each.inputs)]
    assert not [made for made in record.arguments if made.typ == "pulumi:pulumi:StackReference"]
    places = {each.inputs["location"] for each in record.resources if "location" in each.inputs} - {"global"}
    assert places == {"centralus", SHARED_HOME}
    far = [each.name for each in record.resources if each.inputs.get("location") == SHARED_HOME]
    assert far == ["centralus-cluster-logs-rule"], "a collection rule lies where its workspace lies, nothing else does"


def test_flow_logs_watch_networks_and_no_security_group(stamp: RecordingMocks) -> None:
    """Azure makes no new flow logs of security groups."""
    targets = {each.inputs["targetResourceId"].split("/")[-2] for each in stamp.of_type(azure("network:FlowLog"))}
    assert targets == {"VirtualNetwork"}


def test_no_diagnostic_setting_keeps_a_retention_of_its_own(stamp: RecordingMocks) -> None:
    """How long logs live is said by the workspace and by the storage account's lifecycle."""
    settings = stamp.of_type(azure("monitor:DiagnosticSetting"))
    assert len(settings) > 10
    assert not [each.name for each in settings if "retentionPolicy" in repr(each.inputs)]


def test_no_topic_is_made_that_nobody_reads(stamp: RecordingMocks) -> None:
    """Cluster events are published only when the stack file names a queue for them."""
    assert not stamp.of_type(azure("eventgrid:SystemTopic"))


def _alerts(record: RecordingMocks) -> dict[str, dict[str, Any]]:
    groups = record.of_type(azure("alertsmanagement:PrometheusRuleGroup"))
    return {rule["alert"]: rule for group in groups for rule in group.inputs["rules"] if "alert" in rule}


def test_each_alert_on_retired_metrics_has_a_successor(stamp: RecordingMocks) -> None:
    """Twelve conditions of nodes, pods, jobs and volumes, now asked of managed Prometheus, all switched on."""
    alerts = _alerts(stamp)
    assert set(alerts) == {
        "KubeNodeCPUHigh",
        "KubeNodeMemoryHigh",
        "KubeNodeDiskHigh",
        "KubeNodeNotReady",
        "KubeContainerCPUHigh",
        "KubeContainerMemoryHigh",
        "KubeContainerOOMKilled",
        "KubeContainerRestarting",
        "KubePodFailed",
        "KubePodReadyLow",
        "KubeJobStale",
        "KubePersistentVolumeHigh",
    }
    assert all(alert["enabled"] for alert in alerts.values())
    metrics = [each.inputs["criteria"]["allOf"][0] for each in stamp.of_type(azure("monitor:MetricAlert"))]
    assert metrics
    assert not [each["name"] for each in metrics if each["metricNamespace"].startswith("Insights.Container")]


def test_full_volumes_raise_an_alert(stamp: RecordingMocks) -> None:
    """Switched on, with one threshold in one place."""
    volume = _alerts(stamp)["KubePersistentVolumeHigh"]
    assert volume["enabled"] is True
    assert volume["expression"].endswith("> 0.8")


def test_outputs_name_what_was_made(stamp: RecordingMocks) -> None:
    """Whoever signs in to the cluster or looks after the vault takes the names from the stack, not from a shell."""
    assert stamp.result["clusterName"] == stamp.one(azure("containerservice:ManagedCluster")).inputs["resourceName"]
    assert stamp.result["keyVaultName"] == stamp.one(azure("keyvault:Vault")).inputs["vaultName"]
    gateway = stamp.one(azure("network:ApplicationGateway")).inputs
    assert stamp.result["gatewayHostName"] == gateway["httpListeners"][0]["hostName"]


def _api_version(token: str) -> str:
    """Return the API version of a type as the SDK's own text says it."""
    module, _, kind = token.removeprefix("azure-native:").partition(":")
    source = inspect.getsourcefile(getattr(getattr(azure_native, module), kind))
    assert source is not None
    with open(source, encoding="utf-8") as file:
        found = re.search(r"Uses Azure REST API version (\S+?)\.(?:\s|$)", file.read())
    return found[1] if found else ""


def test_only_the_named_types_speak_a_preview_api(stamp: RecordingMocks) -> None:
    """One version a type, the SDK's own, and a preview where the SDK's default module has no other."""
    everything = [*stamp.resources, *deploy_shared(fleetManager={"nodeImages": "fleet"}).resources]
    types = {azure("containerservice:FleetMember"), *(each.type for each in everything)}
    versions = {token: _api_version(token) for token in types if token.startswith("azure-native:")}
    previews = {token for token, version in versions.items() if version.endswith("-preview")}
    assert previews == {
        azure("containerregistry:CacheRule"),
        azure("containerregistry:Registry"),
        azure("containerregistry:Replication"),
        azure("containerservice:AutoUpgradeProfile"),
        azure("containerservice:Fleet"),
        azure("containerservice:FleetMember"),
        azure("containerservice:FleetUpdateStrategy"),
        azure("monitor:ActionGroup"),
        azure("monitor:DiagnosticSetting"),
        azure("monitor:ScheduledQueryRule"),
    }
    unknown = {token for token, version in versions.items() if not version}
    assert unknown == {azure("storage:Blob"), azure("storage:StorageAccountStaticWebsite")}, "made on the data plane"
    assert not [token for token in versions if re.search(r"/v\d{8}", token)], "the SDK's default module of each type"
