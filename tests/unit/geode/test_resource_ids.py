"""The ids that recovery asks for are those that the provider forms."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from geode.resource_ids import id_form, id_forms
from simulator.resource_ids import modelled_types

SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg"
SOURCE = Path(__file__).parents[3]


@pytest.mark.parametrize("token", sorted(id_forms()))
def test_the_simulated_azure_forms_the_same_id(token: str) -> None:
    """One table is the simulator's and one this command's; they say the same of every type."""
    form, other = id_forms()[token], modelled_types()[token]
    values = {name: f"the-{name.lower()}" for name in form.inputs}

    assert set(form.inputs) == set(other.address_inputs)
    assert form.id(values, SUBSCRIPTION) == other.form_id(values, SUBSCRIPTION)


@pytest.mark.parametrize("folder", ["shared", "stamps", "foundation"])
def test_every_type_that_the_program_makes_has_a_form(folder: str) -> None:
    """A new type in the program needs a line in the table, or recovery could not ask for it."""
    made = {
        f"{module}:{name}"
        for file in (SOURCE / folder).glob("*.py")
        for module, name in re.findall(r"\b([a-z]+)\.([A-Z]\w+)\(\s*(?:f?\"|name\b)", file.read_text("utf-8"))
    }

    assert sorted(token for token in made & set(modelled_types()) if token not in id_forms()) == []


@pytest.mark.parametrize(
    ("token", "values", "expected"),
    [
        ("resources:ResourceGroup", {"resourceGroupName": "rg"}, GROUP),
        (
            "network:VirtualNetwork",
            {"resourceGroupName": "rg", "virtualNetworkName": "hub"},
            f"{GROUP}/providers/Microsoft.Network/virtualNetworks/hub",
        ),
        (
            "authorization:RoleAssignment",
            {"scope": f"{GROUP}/", "roleAssignmentName": "0"},
            f"{GROUP}/providers/Microsoft.Authorization/roleAssignments/0",
        ),
        (
            "privatedns:PrivateRecordSet",
            {"resourceGroupName": "rg", "privateZoneName": "z", "recordType": "A", "relativeRecordSetName": "r"},
            f"{GROUP}/providers/Microsoft.Network/privateDnsZones/z/A/r",
        ),
        (
            "storage:StorageAccountStaticWebsite",
            {"resourceGroupName": "rg", "accountName": "st"},
            f"{GROUP}/providers/Microsoft.Storage/storageAccounts/st/staticWebsite",
        ),
    ],
)
def test_ids_look_as_azure_writes_them(token: str, values: dict[str, str], expected: str) -> None:
    """One of each kind: group, child of a group, extension, type with an input in it, what has no name."""
    form = id_form(f"azure-native:{token}")

    assert form is not None
    assert form.id(values, SUBSCRIPTION) == expected
    with pytest.raises(KeyError):
        form.id({}, SUBSCRIPTION)


@pytest.mark.parametrize(
    "token", ["azuread:index/group:Group", "azure-native:search:Service", "azure-native:network/v20230101:Nothing"]
)
def test_what_azure_draws_or_nobody_told_has_no_form(token: str) -> None:
    """Such resources are reported, not guessed."""
    assert id_form(token) is None
