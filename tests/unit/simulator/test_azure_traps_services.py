"""Vault, storage, Front Door, subscription and removal: the wrong form and the right one.

Where Azure accepts the wrong form without a word the simulated one does too, and the test says so.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from shared.front_door_routing import PROBE_PATH as FRONT_DOOR_PROBE
from simulator.azure_errors import AzureError
from simulator.behaviour.subscription import UNREGISTERED
from simulator.input_check import check_inputs
from simulator.resource_ids import modelled_types
from simulator.schema import resource_schema
from stamps.app_gateway import PROBE_PATH as GATEWAY_PROBE
from tests.unit.simulator.conftest import Azure
from tests.unit.simulator.stamp_fragments import working_region

ROOT = Path(__file__).parents[3]
VAULT = {"sku": {"family": "A", "name": "standard"}, "tenantId": "t", "enablePurgeProtection": True}
STORAGE = {"location": "eastus2", "kind": "StorageV2", "sku": {"name": "Standard_ZRS"}}


def refused(text: str) -> Any:  # noqa: ANN401 - pytest's own context
    """Expect a refusal whose message holds a text."""
    return pytest.raises(AzureError, match=re.escape(text))


def front_door(azure: Azure) -> str:
    """Make a profile with endpoint and an origin group that probes, and return the group's id."""
    azure.make("cdn:Profile", profileName="p", location="global", sku={"name": "Premium_AzureFrontDoor"})
    azure.make("cdn:AFDEndpoint", profileName="p", endpointName="e", location="global")
    probe = {"probePath": FRONT_DOOR_PROBE, "probeProtocol": "Https", "probeRequestType": "HEAD"}
    return azure.make("cdn:AFDOriginGroup", profileName="p", originGroupName="g", healthProbeSettings=probe)[0]


def test_trap_03_azure_accepts_one_probe_path_for_both_and_the_program_has_two(azure: Azure) -> None:
    """A drain would show only in traffic, so the two paths of the program differ."""
    front_door(azure)
    network = azure.network("v", "10.0.0.0/16", {"name": "gw", "addressPrefix": "10.0.0.0/24"})
    place = [{"name": "c", "subnet": {"id": f"{network}/subnets/gw"}}]
    azure.make(
        "network:ApplicationGateway", applicationGatewayName="agw", gatewayIPConfigurations=place,
        probes=[{"name": "x", "protocol": "Https", "path": FRONT_DOOR_PROBE}],
    )  # fmt: skip
    assert GATEWAY_PROBE != FRONT_DOOR_PROBE


@pytest.mark.parametrize("closed", [True, False])
def test_trap_04_a_closed_vault_refuses_the_removal_of_a_secret(azure: Azure, closed: bool) -> None:
    """It goes with its vault instead: writing is Resource Manager's, deleting is the data plane's."""
    access = "Disabled" if closed else "Enabled"
    properties = {**VAULT, "publicNetworkAccess": access}
    vault = azure.make("keyvault:Vault", vaultName="vault-1", location="eastus2", properties=properties)[0]
    secret = azure.make("keyvault:Secret", vaultName="vault-1", secretName="s", properties={"value": "x"})[0]
    if not closed:
        azure.drop("keyvault:Secret", secret)
        return
    with refused("ForbiddenByConnection"):
        azure.drop("keyvault:Secret", secret)
    azure.drop("keyvault:Vault", vault)
    assert azure.cloud.read(secret) is None


def test_trap_07_azure_accepts_an_origin_whatever_its_certificate(azure: Azure) -> None:
    """The chain is judged by the first probe only, so the program judges it before the deployment."""
    front_door(azure)
    origin = {"profileName": "p", "originGroupName": "g", "originName": "o", "enforceCertificateNameCheck": True}
    azure.make("cdn:AFDOrigin", **origin, hostName="gateway-1.eastus2.cloudapp.azure.com")


def blob(azure: Azure, name: str) -> None:
    """Write a page into an account's website."""
    place = {"accountName": name, "containerName": "$web", "blobName": "index.html"}
    azure.make("storage:Blob", **place, source={"text": "x"})


def test_trap_08_a_blob_is_written_with_an_account_key(azure: Azure) -> None:
    """An account that takes no key gets no page."""
    for name, keys in (("without", False), ("with1", True)):
        azure.make("storage:StorageAccount", accountName=name, **STORAGE, allowSharedKeyAccess=keys)
        azure.make("storage:StorageAccountStaticWebsite", accountName=name, indexDocument="index.html")
    with refused("KeyBasedAuthenticationNotPermitted"):
        blob(azure, "without")
    blob(azure, "with1")


@pytest.mark.parametrize("closed", [{"publicNetworkAccess": "Disabled"}, {"networkRuleSet": {"defaultAction": "Deny"}}])
def test_trap_08_website_and_blob_need_an_open_account(azure: Azure, closed: dict[str, Any]) -> None:
    """Both go to the account's own address."""
    azure.make("storage:StorageAccount", accountName="pages", **STORAGE, **closed)
    with refused("AuthorizationFailure"):
        azure.make("storage:StorageAccountStaticWebsite", accountName="pages", indexDocument="index.html")
    azure.make("storage:BlobContainer", accountName="pages", containerName="c")
    with refused("AuthorizationFailure"):
        azure.make("storage:Blob", accountName="pages", containerName="c", blobName="b")
    azure.make("storage:StorageAccount", accountName="open1", **STORAGE)
    azure.make("storage:StorageAccountStaticWebsite", accountName="open1", indexDocument="index.html")


def test_trap_08_a_website_needs_a_general_account(azure: Azure) -> None:
    """StorageV2, as the program makes it."""
    azure.make("storage:StorageAccount", accountName="blobs", **{**STORAGE, "kind": "BlobStorage"})
    with refused("FeatureNotSupportedForAccount"):
        azure.make("storage:StorageAccountStaticWebsite", accountName="blobs", indexDocument="index.html")


def test_trap_16_an_unregistered_provider_refuses_in_the_middle(azure: Azure) -> None:
    """Others work."""
    with azure.store.transaction():
        azure.store.fact(UNREGISTERED, "Microsoft.PolicyInsights Microsoft.Monitor")
    with refused("The subscription is not registered to use namespace 'Microsoft.Monitor'"):
        azure.make("monitor:AzureMonitorWorkspace", azureMonitorWorkspaceName="w", location="eastus2")
    azure.network("v", "10.0.0.0/16")


def test_trap_16_encryption_at_host_is_a_feature_to_register(azure: Azure) -> None:
    """Without it no node is made."""
    with azure.store.transaction():
        azure.store.fact(UNREGISTERED, "Microsoft.Compute/EncryptionAtHost")
    region = working_region(azure)
    pool = region.cluster_inputs()["agentPoolProfiles"][0]
    with refused("'Microsoft.Compute/EncryptionAtHost' feature is not enabled"):
        region.cluster(agentPoolProfiles=[{**pool, "enableEncryptionAtHost": True}])
    region.cluster()


def test_trap_16_the_readme_lists_every_provider_that_the_program_uses() -> None:
    """An owner registers them once."""
    sources = [file.read_text() for part in ("foundation", "shared", "stamps") for file in (ROOT / part).glob("*.py")]
    imported = {
        name.strip().split(" as ")[0]
        for text in sources
        for names in re.findall(r"^from pulumi_azure_native import ([\w, ]+)$", text, re.MULTILINE)
        for name in names.split(",")
    }
    kinds = modelled_types().values()
    needed = {kind.arm_type.split("/")[0] for kind in kinds if kind.token.split(":")[0] in imported}
    listed = (ROOT / "README.md").read_text()
    assert needed > {"Microsoft.Network", "Microsoft.ContainerService"}
    missing = [name for name in needed - {"Microsoft.Resources"} if not re.search(rf"\b{name.split('.')[1]}\b", listed)]
    assert not missing


@pytest.mark.parametrize(("spelling", "known"), [("negationCondition", False), ("negationConditon", True)])
def test_trap_21_the_gateways_firewall_knows_one_spelling_of_negation(spelling: str, known: bool) -> None:
    """Azure's own typo is the right one."""
    condition = {"matchVariables": [{"variableName": "RequestHeaders", "selector": "X-Azure-FDID"}], "operator": "Any"}
    rule = {
        "name": "r", "priority": 1, "ruleType": "MatchRule", "action": "Block",
        "matchConditions": [{**condition, "matchValues": [], spelling: True}],
    }  # fmt: skip
    schema = resource_schema("azure-native:network:WebApplicationFirewallPolicy")
    assert schema is not None
    managed = {"managedRuleSets": [{"ruleSetType": "Microsoft_DefaultRuleSet", "ruleSetVersion": "2.1"}]}
    failures = check_inputs(schema, {"resourceGroupName": "rg", "customRules": [rule], "managedRules": managed})
    assert [spelling in item.path for item in failures] == ([] if known else [True])


def test_trap_26_what_is_used_goes_after_its_user(azure: Azure) -> None:
    """Cluster before subnets, link before zone, child policy before its base, firewall before its policy."""
    region = working_region(azure)
    cluster = region.cluster()
    with refused("InUseSubnetCannotBeDeleted"):
        azure.drop("network:VirtualNetwork", region.spoke)
    azure.drop("containerservice:ManagedCluster", cluster)
    azure.drop("network:VirtualNetwork", region.spoke)
    policy = region.in_group("firewallPolicies", "fp")
    with refused("FirewallPolicyReferencedByOtherResources"):
        azure.drop("network:FirewallPolicy", policy)
    azure.drop("network:AzureFirewall", region.in_group("azureFirewalls", "fw"))
    azure.drop("network:FirewallPolicy", policy)


def test_trap_26_a_zone_goes_after_its_links(azure: Azure) -> None:
    """And a record does not hold it."""
    network = azure.network("v", "10.0.0.0/16")
    zone = azure.make("privatedns:PrivateZone", privateZoneName="a.example.org", location="global")[0]
    azure.make(
        "privatedns:PrivateRecordSet", privateZoneName="a.example.org", relativeRecordSetName="x", recordType="A"
    )
    link = azure.make(
        "privatedns:VirtualNetworkLink", privateZoneName="a.example.org", virtualNetworkLinkName="l",
        location="global", virtualNetwork={"id": network},
    )[0]  # fmt: skip
    with refused("CannotDeleteResource"):
        azure.drop("privatedns:PrivateZone", zone)
    azure.drop("privatedns:VirtualNetworkLink", link)
    azure.drop("privatedns:PrivateZone", zone)


WATCHER = {"resourceGroupName": "NetworkWatcherRG", "networkWatcherName": "NetworkWatcher_eastus2"}


def test_trap_26_a_flow_log_outlives_the_groups_of_a_stamp(azure: Azure) -> None:
    """It lies under the watcher: the program removes it itself."""
    network = azure.network("v", "10.0.0.0/16")
    flow_log = azure.make("network:FlowLog", **WATCHER, flowLogName="f", targetResourceId=network)[0]
    azure.drop("resources:ResourceGroup", azure.group)
    assert azure.cloud.read(network) is None
    assert azure.cloud.read(flow_log) is not None


def test_trap_26_the_last_origin_of_a_route_stays_and_a_vault_keeps_its_name(azure: Azure) -> None:
    """So a permanent origin exists, and the next vault takes another name."""
    group = front_door(azure)
    origin = {"profileName": "p", "originGroupName": "g", "hostName": "a.example.org"}
    route = {"profileName": "p", "endpointName": "e", "routeName": "r", "originGroup": {"id": group}}
    with refused("At least one enabled origin"):
        azure.make("cdn:Route", **route)
    only = azure.make("cdn:AFDOrigin", **origin, originName="stamp")[0]
    azure.make("cdn:Route", **route)
    with refused("Cannot disable or delete the last origin"):
        azure.drop("cdn:AFDOrigin", only)
    azure.make("cdn:AFDOrigin", **origin, originName="permanent")
    azure.drop("cdn:AFDOrigin", only)
    vault = azure.make("keyvault:Vault", vaultName="vault-1", location="eastus2", properties=VAULT)[0]
    azure.drop("keyvault:Vault", vault)
    with refused("already exists in deleted state"):
        azure.make("keyvault:Vault", vaultName="vault-1", location="eastus2", properties=VAULT)
    azure.make("keyvault:Vault", vaultName="vault-2", location="eastus2", properties=VAULT)
