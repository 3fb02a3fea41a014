"""How resources may be called: pattern and length by type, and names that somebody in Azure has already."""

from __future__ import annotations

import re
from typing import Any

import pytest

from simulator.azure_errors import AzureError
from simulator.behaviour import resource_names
from simulator.behaviour.facts import set_fact
from simulator.behaviour.resource_names import TAKEN_NAMES, name_rules
from simulator.resource_ids import modelled_types
from tests.unit.simulator.conftest import Azure

PREMIUM = {"sku": {"name": "Premium"}}
VAULT = {"properties": {"sku": {"family": "A", "name": "standard"}, "tenantId": "t"}}
ACCOUNT = {"kind": "StorageV2", "sku": {"name": "Standard_LRS"}}
GLOBALLY_UNIQUE: list[tuple[str, str, dict[str, Any]]] = [
    ("containerregistry:Registry", "registryName", PREMIUM),
    ("keyvault:Vault", "vaultName", VAULT),
    ("storage:StorageAccount", "accountName", ACCOUNT),
    ("cosmosdb:DatabaseAccount", "accountName", {}),
]


@pytest.fixture
def real_lengths(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put Azure's shortest names back, which other tests do without."""
    monkeypatch.setattr(resource_names, "name_rules", name_rules)


@pytest.mark.usefixtures("real_lengths")
@pytest.mark.parametrize(
    ("token", "name_input", "good", "bad", "code"),
    [
        ("resources:ResourceGroup", "resourceGroupName", "rg-(a).b", "rg.", "InvalidResourceGroup"),
        ("network:VirtualNetwork", "virtualNetworkName", "ab", "a", "InvalidResourceName"),
        ("network:VirtualNetwork", "virtualNetworkName", "v" * 64, "v" * 65, "InvalidResourceName"),
        ("network:RouteTable", "routeTableName", "rt_", "rt-", "InvalidResourceName"),
        ("network:AzureFirewall", "azureFirewallName", "f" * 56, "f" * 57, "InvalidResourceName"),
        ("keyvault:Vault", "vaultName", "kv-one", "kv--one", "VaultNameNotValid"),
        ("keyvault:Vault", "vaultName", "k" * 24, "k" * 25, "VaultNameNotValid"),
        ("containerregistry:Registry", "registryName", "acr12", "acr-12", "RegistryNameInvalid"),
        ("storage:StorageAccount", "accountName", "st1", "St1", "AccountNameInvalid"),
        ("operationalinsights:Workspace", "workspaceName", "logs", "log", "InvalidResourceName"),
        ("managedidentity:UserAssignedIdentity", "resourceName", "id_1", "id.1", "InvalidResourceName"),
    ],
)
def test_a_name_has_its_types_form_and_length(
    azure: Azure, token: str, name_input: str, good: str, bad: str, code: str
) -> None:
    """The longest and the shortest pass, one character more or less does not."""
    more = {**VAULT, **ACCOUNT, **PREMIUM} if "vault" in token or "storage" in token or "registry" in token else {}
    inputs = {"location": "eastus2", **more, **({"sku": {"name": "Premium"}} if "registry" in token else {})}
    with pytest.raises(AzureError, match=f'Code="{code}"'):
        azure.make(token, **{**inputs, name_input: bad})
    azure.make(token, **{**inputs, name_input: good})


def test_every_rule_is_for_a_modelled_type_and_can_be_met() -> None:
    """The data file follows the table of types; a shortest name is not longer than the longest."""
    known = {kind.arm_type.lower() for kind in modelled_types().values()}
    assert not set(name_rules()) - known
    for kind, rule in name_rules().items():
        assert 1 <= rule.shortest <= rule.longest, kind
        names = ["abcde", "a.example"]
        assert any(re.fullmatch(rule.pattern, name) for name in names), kind


@pytest.mark.parametrize(("token", "name_input", "inputs"), GLOBALLY_UNIQUE)
def test_some_names_are_unique_in_all_of_azure(
    azure: Azure, token: str, name_input: str, inputs: dict[str, Any]
) -> None:
    """In another group as well, in any casing where the type has one; and somebody else has some already."""
    azure.make("resources:ResourceGroup", resourceGroupName="other", location="eastus2")
    azure.make(token, **inputs, **{name_input: "one123"}, location="eastus2")
    with pytest.raises(AzureError, match="unique in all of Azure"):
        azure.make(token, **inputs, **{name_input: "one123"}, location="eastus2", resourceGroupName="other")
    with pytest.raises(AzureError, match="unique in all of Azure"):
        azure.make(token, **inputs, **{name_input: "contosotaken"}, location="eastus2")
    set_fact(azure.store, TAKEN_NAMES, "fabrikam northwind")
    with pytest.raises(AzureError, match="unique in all of Azure"):
        azure.make(token, **inputs, **{name_input: "fabrikam"}, location="eastus2")
    azure.make(token, **inputs, **{name_input: "fabrikam2"}, location="eastus2")


def test_an_endpoint_of_front_door_is_unique_over_profiles(azure: Azure) -> None:
    """Its name is looked up in all of Azure."""
    for profile in ("p", "q"):
        azure.make("cdn:Profile", profileName=profile, location="global", sku={"name": "Standard_AzureFrontDoor"})
    azure.make("cdn:AFDEndpoint", profileName="p", endpointName="web", location="global")
    with pytest.raises(AzureError, match="NameAlreadyExists"):
        azure.make("cdn:AFDEndpoint", profileName="q", endpointName="web", location="global")


def test_a_taken_name_hinders_no_update(azure: Azure) -> None:
    """What stands keeps its name, also when the list grows afterwards."""
    inputs = {"resourceGroupName": "rg", "registryName": "acrone", "location": "eastus2", **PREMIUM}
    made = azure.cloud.create("azure-native:containerregistry:Registry", inputs)[0]
    set_fact(azure.store, TAKEN_NAMES, "acrone")
    azure.cloud.update("azure-native:containerregistry:Registry", made, {**inputs, "tags": {"a": "b"}})
