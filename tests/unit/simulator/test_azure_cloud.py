"""What holds for every resource: existence, parents, cascades, outputs, secrets, several servers on one file."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from simulator.azure_cloud import AzureCloud
from simulator.azure_errors import AzureError
from simulator.cloud_store import CloudStore
from simulator.protocol_values import Secret
from tests.unit.simulator.conftest import READER, Azure


def test_a_group_and_a_parent_must_exist(azure: Azure) -> None:
    """Resource Manager answers 404 otherwise."""
    with pytest.raises(AzureError, match="ResourceGroupNotFound"):
        azure.make("network:RouteTable", resourceGroupName="none", routeTableName="t", location="eastus2")
    with pytest.raises(AzureError, match="ParentResourceNotFound"):
        azure.make("network:Subnet", virtualNetworkName="none", subnetName="s", addressPrefix="10.0.0.0/24")


def test_an_id_that_exists_cannot_be_created_again(azure: Azure) -> None:
    """In any casing, with the words of the real provider."""
    azure.make("network:RouteTable", routeTableName="t", location="eastus2")
    with pytest.raises(AzureError, match="cannot create already existing resource"):
        azure.make("network:RouteTable", resourceGroupName="RG", routeTableName="T", location="eastus2")


def test_an_id_in_the_inputs_must_exist_and_inline_children_do(azure: Azure) -> None:
    """A subnet that stands inline in its network counts."""
    network = azure.network("v", "10.0.0.0/16", {"name": "a", "addressPrefix": "10.0.0.0/24"})
    good = {"privateEndpointName": "e", "location": "eastus2", "subnet": {"id": f"{network}/subnets/a"}}
    azure.make("network:PrivateEndpoint", **good)
    with pytest.raises(AzureError, match=r"InvalidResourceReference.*subnets/b.*subnet\.id"):
        azure.make(
            "network:PrivateEndpoint", **{**good, "privateEndpointName": "f", "subnet": {"id": f"{network}/subnets/b"}}
        )


def test_an_account_has_its_services_before_a_program_sets_them_and_after_it_stops(azure: Azure) -> None:
    """Diagnostics of the blob service may be made at the same moment as its properties; deleting these resets them."""
    account = azure.make(
        "storage:StorageAccount",
        accountName="stone",
        kind="StorageV2",
        location="eastus2",
        sku={"name": "Standard_LRS"},
    )[0]
    service = f"{account}/blobServices/default"
    azure.make(
        "monitor:DiagnosticSetting",
        resourceUri=service,
        name="d",
        storageAccountId=account,
        logs=[{"category": "StorageRead", "enabled": True}],
    )
    set_by_program = azure.make(
        "storage:BlobServiceProperties",
        accountName="stone",
        blobServicesName="default",
        deleteRetentionPolicy={"enabled": True, "days": 7},
    )[0]
    assert set_by_program == service
    azure.drop("storage:BlobServiceProperties", service)
    stored = azure.cloud.read(service)
    assert stored is not None
    assert "deleteRetentionPolicy" not in stored.outputs
    azure.drop("storage:StorageAccount", account)
    assert azure.cloud.read(service) is None


def test_deleting_a_group_takes_everything_in_it_and_twice_is_no_error(azure: Azure) -> None:
    """As Azure does, and a retry after a lost answer works."""
    network = azure.network("v", "10.0.0.0/16")
    azure.drop("resources:ResourceGroup", azure.group)
    assert azure.cloud.read(network) is None
    azure.drop("resources:ResourceGroup", azure.group)


def test_a_group_is_kept_when_something_elsewhere_uses_what_is_in_it(azure: Azure) -> None:
    """A subnet with a firewall of another group holds its network's group."""
    azure.make("resources:ResourceGroup", resourceGroupName="other", location="eastus2")
    network = azure.network("v", "10.0.0.0/16", {"name": "AzureFirewallSubnet", "addressPrefix": "10.0.0.0/26"})
    azure.make(
        "network:AzureFirewall", resourceGroupName="other", azureFirewallName="f", location="eastus2",
        ipConfigurations=[{"name": "c", "subnet": {"id": f"{network}/subnets/AzureFirewallSubnet"}}],
    )  # fmt: skip
    with pytest.raises(AzureError, match="InUseSubnetCannotBeDeleted"):
        azure.drop("resources:ResourceGroup", azure.group)


def test_outputs_hold_what_azure_computes(azure: Azure) -> None:
    """Addresses and host names follow from names and ranges; identifiers that Azure assigns are random."""
    network = azure.network("v", "10.0.0.0/16", {"name": "AzureFirewallSubnet", "addressPrefix": "10.0.9.0/26"})
    _, firewall = azure.make(
        "network:AzureFirewall", azureFirewallName="f", location="eastus2",
        ipConfigurations=[{"name": "c", "subnet": {"id": f"{network}/subnets/AzureFirewallSubnet"}}],
    )  # fmt: skip
    assert firewall["ipConfigurations"][0]["privateIPAddress"] == "10.0.9.4"
    assert firewall["provisioningState"] == "Succeeded"
    _, first = azure.make(
        "network:PublicIPAddress", publicIpAddressName="a", location="eastus2", dnsSettings={"domainNameLabel": "x"}
    )
    _, second = azure.make("network:PublicIPAddress", publicIpAddressName="b", location="eastus2")
    assert first["ipAddress"] != second["ipAddress"]
    assert first["dnsSettings"]["fqdn"] == "x.eastus2.cloudapp.azure.com"
    _, one = azure.identity("one")
    _, two = azure.identity("two")
    assert one != two


def test_assigned_identities_go_in_as_a_list_and_come_out_as_a_map(azure: Azure) -> None:
    """The SDK cannot read the list back."""
    identity, principal = azure.identity("i")
    _, outputs = azure.make(
        "storage:StorageAccount", accountName="stone", location="eastus2", kind="StorageV2",
        sku={"name": "Standard_ZRS"},
        identity={"type": "UserAssigned", "userAssignedIdentities": [identity]},
    )  # fmt: skip
    assert outputs["identity"]["userAssignedIdentities"][identity]["principalId"] == principal


def test_gateway_self_references_become_ids_and_must_name_a_part(azure: Azure) -> None:
    """azure-native expands $self; Azure refuses a part that is not there."""
    parts: dict[str, Any] = {
        "applicationGatewayName": "g", "location": "eastus2", "frontendPorts": [{"name": "https", "port": 443}],
        "httpListeners": [{"name": "l", "frontendPort": {"id": "$self/frontendPorts/https"}}],
    }  # fmt: skip
    made, outputs = azure.make("network:ApplicationGateway", **parts)
    assert outputs["httpListeners"][0]["frontendPort"]["id"] == f"{made}/frontendPorts/https"
    parts["httpListeners"][0]["frontendPort"]["id"] = "$self/frontendPorts/http"
    with pytest.raises(AzureError, match="frontendPorts/http "):
        azure.make("network:ApplicationGateway", **{**parts, "applicationGatewayName": "h"})


def test_an_update_keeps_what_azure_assigned(azure: Azure) -> None:
    """A change of tags gives no new principal."""
    identity, principal = azure.identity("i")
    inputs = {"resourceGroupName": "rg", "resourceName": "i", "location": "eastus2", "tags": {"a": "b"}}
    outputs = azure.cloud.update("azure-native:managedidentity:UserAssignedIdentity", identity, inputs)
    assert outputs["principalId"] == principal
    assert outputs["tags"] == {"a": "b"}


def test_an_update_that_azure_refuses_is_refused(azure: Azure) -> None:
    """The provider sends some changes as updates that Azure answers with 400."""
    made = azure.make("cdn:Profile", profileName="p", location="global", sku={"name": "Standard_AzureFrontDoor"})[0]
    inputs = {
        "resourceGroupName": "rg",
        "profileName": "p",
        "location": "global",
        "sku": {"name": "Premium_AzureFrontDoor"},
    }
    with pytest.raises(AzureError, match="PropertyChangeNotAllowed"):
        azure.cloud.update("azure-native:cdn:Profile", made, inputs)


def test_secret_values_are_not_in_the_file_and_a_change_is_noticed(azure: Azure, tmp_path: Path) -> None:
    """Only a salted digest is kept; a new value gives a new version."""
    vault = {"sku": {"family": "A", "name": "standard"}, "tenantId": "t"}
    azure.make("keyvault:Vault", vaultName="vault-1", location="eastus2", properties=vault)
    inputs = {"resourceGroupName": "rg", "vaultName": "vault-1", "secretName": "s"}
    made, first = azure.make("keyvault:Secret", **inputs, properties={"value": Secret("correct horse battery")})
    token = "azure-native:keyvault:Secret"  # noqa: S105 - the name of a type
    same = azure.cloud.update(token, made, {**inputs, "properties": {"value": Secret("correct horse battery")}})
    other = azure.cloud.update(token, made, {**inputs, "properties": {"value": Secret("staple")}})
    uris = [item["properties"]["secretUriWithVersion"] for item in (first, same, other)]
    assert uris[0] == uris[1] != uris[2]
    assert first["properties"]["secretUri"] == "https://vault-1.vault.azure.net/secrets/s"
    azure.store.close()
    content = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"secrets/s" in content
    assert b"correct horse" not in content
    assert b"staple" not in content


def test_two_servers_on_one_file_see_one_cloud(tmp_path: Path) -> None:
    """Of two that create the same at once, one wins."""
    results: list[str] = []

    def create() -> None:
        cloud = AzureCloud(CloudStore(tmp_path / "c.sqlite"))
        for number in range(20):
            try:
                cloud.create(
                    "azure-native:resources:ResourceGroup", {"resourceGroupName": f"g{number}", "location": "eastus2"}
                )
                results.append("made")
            except AzureError:
                results.append("refused")

    threads = [threading.Thread(target=create) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (results.count("made"), results.count("refused")) == (20, 40)


def test_diagnostic_settings_survive_their_target(azure: Azure) -> None:
    """A new target of the same name finds the old setting, as in Azure."""
    workspace = azure.make("operationalinsights:Workspace", workspaceName="w", location="eastus2")[0]
    target = azure.make("network:PublicIPAddress", publicIpAddressName="a", location="eastus2")[0]
    setting = {"resourceUri": target, "name": "d", "workspaceId": workspace}
    azure.make("monitor:DiagnosticSetting", **setting)
    azure.drop("network:PublicIPAddress", target)
    azure.make("network:PublicIPAddress", publicIpAddressName="a", location="eastus2")
    with pytest.raises(AzureError, match="already existing"):
        azure.make("monitor:DiagnosticSetting", **setting)


def test_a_role_is_assigned_once(azure: Azure) -> None:
    """Scope, principal and role are the key, whatever the name."""
    _, principal = azure.identity("i")
    azure.assign(azure.group, principal, READER)
    with pytest.raises(AzureError, match="RoleAssignmentExists"):
        azure.assign(azure.group, principal, READER)
