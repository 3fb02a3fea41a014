"""Registry, federation, flow logs and monitoring across regions: the wrong form and the right one."""

from __future__ import annotations

import re
from typing import Any

import pytest

from simulator.azure_errors import AzureError
from tests.unit.simulator.conftest import Azure

STORAGE = {"location": "eastus2", "kind": "StorageV2", "sku": {"name": "Standard_ZRS"}}


def refused(text: str) -> Any:  # noqa: ANN401 - pytest's own context
    """Expect a refusal whose message holds a text."""
    return pytest.raises(AzureError, match=re.escape(text))


def registry(azure: Azure, prefix: str) -> None:
    """Make a registry with a private endpoint in a subnet of a size."""
    network = azure.network("v", "10.9.0.0/16", {"name": "pe", "addressPrefix": prefix})
    made = azure.make(
        "containerregistry:Registry", registryName="images1", location="eastus2", sku={"name": "Premium"}
    )[0]
    connection = [{"name": "c", "privateLinkServiceId": made, "groupIds": ["registry"]}]
    azure.make(
        "network:PrivateEndpoint", privateEndpointName="pe", location="eastus2",
        privateLinkServiceConnections=connection,
        subnet={"id": f"{network}/subnets/pe"},
    )  # fmt: skip


def replica(azure: Azure, location: str) -> None:
    """Add a replica."""
    azure.make("containerregistry:Replication", registryName="images1", replicationName=location, location=location)


def test_trap_10_a_replica_takes_an_address_in_every_connected_subnet(azure: Azure) -> None:
    """A /29 has three: registry, home region, one replica. The next replica is rolled back."""
    registry(azure, "10.9.0.0/29")
    replica(azure, "centralus")
    with refused("has no free IP address"):
        replica(azure, "westus3")


def test_trap_10_a_larger_subnet_takes_the_replica(azure: Azure) -> None:
    """The stamps' default leaves room for many regions."""
    registry(azure, "10.9.0.0/26")
    for location in ("centralus", "westus3", "northeurope"):
        replica(azure, location)


def test_trap_10_an_endpoint_needs_room_for_all_regions_of_the_registry(azure: Azure) -> None:
    """Two and one for each replica."""
    azure.make("containerregistry:Registry", registryName="images1", location="eastus2", sku={"name": "Premium"})
    for location in ("centralus", "westus3"):
        replica(azure, location)
    network = azure.network(
        "v", "10.9.0.0/16", *({"name": n, "addressPrefix": p} for n, p in (("s", "10.9.0.0/29"), ("l", "10.9.1.0/28")))
    )
    target = f"{azure.group}/providers/Microsoft.ContainerRegistry/registries/images1"
    inputs = {"privateLinkServiceConnections": [{"name": "c", "privateLinkServiceId": target}]}
    with refused("does not have enough capacity for 4 IP addresses"):
        azure.make("network:PrivateEndpoint", privateEndpointName="s", subnet={"id": f"{network}/subnets/s"}, **inputs)
    azure.make("network:PrivateEndpoint", privateEndpointName="l", subnet={"id": f"{network}/subnets/l"}, **inputs)


def test_trap_12_an_identity_takes_twenty_federated_credentials(azure: Azure) -> None:
    """The twenty-first goes to an identity of its own."""
    azure.identity("many")
    azure.identity("another")

    def credential(identity: str, number: int) -> None:
        azure.make(
            "managedidentity:FederatedIdentityCredential", resourceName=identity, issuer="https://issuer.example.org",
            federatedIdentityCredentialResourceName=f"c{number}", subject=f"repo:x:environment:{number}",
            audiences=["api://AzureADTokenExchange"],
        )  # fmt: skip

    for number in range(20):
        credential("many", number)
    with refused("FederatedIdentityCredentialLimitExceeded"):
        credential("many", 20)
    credential("another", 20)


WATCHER = {"resourceGroupName": "NetworkWatcherRG", "networkWatcherName": "NetworkWatcher_eastus2"}


def test_trap_13_the_watcher_is_azures(azure: Azure) -> None:
    """A flow log before the first network has no parent; a second watcher of the region is refused."""
    with refused("ResourceGroupNotFound"):
        azure.make("network:FlowLog", **WATCHER, flowLogName="f")
    network = azure.network("v", "10.0.0.0/16")
    with refused("NetworkWatcherCountLimitReached"):
        azure.make("network:NetworkWatcher", networkWatcherName="own", location="East US 2")
    azure.make("network:NetworkWatcher", networkWatcherName="elsewhere", location="westus3")
    azure.make("network:FlowLog", **WATCHER, flowLogName="f", targetResourceId=network)


def test_trap_13_azure_makes_no_second_watcher_beside_one_of_ours(azure: Azure) -> None:
    """Where somebody made the region's watcher first, it stays the only one."""
    azure.make("network:NetworkWatcher", networkWatcherName="own", location="eastus2")
    azure.network("v", "10.0.0.0/16")
    assert len(azure.store.of_type("Microsoft.Network/networkWatchers")) == 1


@pytest.mark.parametrize("place", ["centralus", "eastus2"])
def test_trap_13_flow_logs_lie_beside_their_account(azure: Azure, place: str) -> None:
    """In the watcher's region."""
    network = azure.network("v", "10.0.0.0/16")
    account = azure.make("storage:StorageAccount", accountName="flows", **{**STORAGE, "location": place})[0]
    inputs = {"flowLogName": "f", "targetResourceId": network, "storageId": account}
    if place == "centralus":
        with refused("InvalidFlowLogLocation"):
            azure.make("network:FlowLog", **WATCHER, **inputs)
        return
    azure.make("network:FlowLog", **WATCHER, **inputs)


@pytest.mark.parametrize("told_region", [None, "centralus"])
def test_trap_13_traffic_analytics_names_its_workspaces_region(azure: Azure, told_region: str | None) -> None:
    """Left out, Azure takes the flow log's."""
    network = azure.network("v", "10.0.0.0/16")
    workspace = azure.make("operationalinsights:Workspace", workspaceName="w", location="centralus")[0]
    settings = {"enabled": True, "workspaceResourceId": workspace, "workspaceRegion": told_region}
    inputs = {
        "flowLogName": "f", "targetResourceId": network, "location": "eastus2",
        "flowAnalyticsConfiguration": {"networkWatcherFlowAnalyticsConfiguration": settings},
    }  # fmt: skip
    if told_region is None:
        with refused("InvalidTAWorkspaceRegion"):
            azure.make("network:FlowLog", **WATCHER, **inputs)
        return
    azure.make("network:FlowLog", **WATCHER, **inputs)


def test_trap_20_metrics_stay_in_the_region_of_their_workspace(azure: Azure) -> None:
    """Rule, endpoint and rule groups."""
    made = azure.make("monitor:AzureMonitorWorkspace", azureMonitorWorkspaceName="w", location="eastus2")[0]
    endpoints = {
        place: azure.make(
            "monitor:DataCollectionEndpoint", dataCollectionEndpointName=f"e-{place}", location=place
        )[0]
        for place in ("eastus2", "centralus")
    }  # fmt: skip
    rule = {
        "dataCollectionRuleName": "r",
        "destinations": {"monitoringAccounts": [{"name": "a", "accountResourceId": made}]},
    }
    for place, endpoint in (("centralus", "centralus"), ("eastus2", "centralus")):
        with refused("InvalidPayload"):
            azure.make(
                "monitor:DataCollectionRule", **rule, location=place, dataCollectionEndpointId=endpoints[endpoint]
            )
    azure.make("monitor:DataCollectionRule", **rule, location="eastus2", dataCollectionEndpointId=endpoints["eastus2"])
    group = {"ruleGroupName": "g", "scopes": [made], "rules": []}
    with refused("must be in the region of its Azure Monitor workspace"):
        azure.make("alertsmanagement:PrometheusRuleGroup", **group, location="centralus")
    azure.make("alertsmanagement:PrometheusRuleGroup", **group, location="eastus2")


def test_trap_20_logs_stay_in_the_region_of_their_workspace(azure: Azure) -> None:
    """A stamp elsewhere makes its rule there, too."""
    workspace = azure.make("operationalinsights:Workspace", workspaceName="w", location="eastus2")[0]
    rule = {
        "dataCollectionRuleName": "r",
        "destinations": {"logAnalytics": [{"name": "w", "workspaceResourceId": workspace}]},
    }
    with refused("must be in the region of its workspace, eastus2"):
        azure.make("monitor:DataCollectionRule", **rule, location="centralus")
    azure.make("monitor:DataCollectionRule", **rule, location="eastus2")
