"""Ids have the forms that Azure gives them."""

from __future__ import annotations

import pytest

from simulator.resource_ids import IdError, arm_type_of, is_azure_owned, resource_type

CLUSTER = {"clusterRp": "Microsoft.ContainerService", "clusterResourceName": "managedClusters", "clusterName": "aks"}
VAULT = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/v"


@pytest.mark.parametrize(
    ("token", "inputs", "expected"),
    [
        ("resources:ResourceGroup", {}, "/subscriptions/s/resourceGroups/rg"),
        (
            "network:Subnet",
            {"virtualNetworkName": "v", "subnetName": "n"},
            "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/v/subnets/n",
        ),
        (
            "kubernetesconfiguration:FluxConfiguration",
            {**CLUSTER, "fluxConfigurationName": "f"},
            (
                "/subscriptions/s/resourceGroups/rg/providers/Microsoft.ContainerService/managedClusters/aks"
                "/providers/Microsoft.KubernetesConfiguration/fluxConfigurations/f"
            ),
        ),
        (
            "monitor:DiagnosticSetting",
            {"resourceUri": VAULT, "name": "d"},
            f"{VAULT}/providers/Microsoft.Insights/diagnosticSettings/d",
        ),
        (
            "authorization:RoleAssignment",
            {"scope": VAULT, "roleAssignmentName": "g"},
            f"{VAULT}/providers/Microsoft.Authorization/roleAssignments/g",
        ),
        (
            "privatedns:PrivateRecordSet",
            {"privateZoneName": "z", "relativeRecordSetName": "@", "recordType": "A"},
            "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/privateDnsZones/z/A/@",
        ),
        (
            "storage:BlobContainer",
            {"accountName": "a", "containerName": "c"},
            "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/a/blobServices/default/containers/c",
        ),
    ],
)
def test_an_id_has_azures_form(token: str, inputs: dict[str, str], expected: str) -> None:
    """Top-level, child, extension, typed record and singleton parent."""
    made = resource_type(f"azure-native:{token}", {}).form_id({"resourceGroupName": "rg", **inputs}, "s")
    assert made == expected


def test_a_type_outside_the_table_gets_a_generic_id_and_is_marked() -> None:
    """Honest, but no more than a guess."""
    kind = resource_type("azure-native:search:Service", {"resourceGroupName": str, "searchServiceName": str})
    made = kind.form_id({"resourceGroupName": "rg", "searchServiceName": "x"}, "s")
    assert made == "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Search/services/x"
    assert not kind.modelled


def test_a_missing_name_is_an_error_that_says_which() -> None:
    """No id is formed from half of an address."""
    with pytest.raises(IdError, match="virtualNetworkName"):
        resource_type("azure-native:network:VirtualNetwork", {}).form_id({"resourceGroupName": "rg"}, "s")


def test_built_in_roles_are_azures_own_and_other_ids_are_not() -> None:
    """What Azure brings needs no row in the cloud."""
    prefix = "/subscriptions/s/providers/Microsoft.Authorization/roleDefinitions"
    assert is_azure_owned(f"{prefix}/4633458b-17de-408a-b874-0445c86b69e6")
    assert is_azure_owned("/subscriptions/s")
    assert not is_azure_owned(f"{prefix}/my-role")
    assert not is_azure_owned(VAULT)
    assert arm_type_of(f"{VAULT}/secrets/x") == "Microsoft.KeyVault/vaults/secrets"
