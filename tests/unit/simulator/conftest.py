"""A simulated cloud of its own for each test, and short words for what tests do with it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from simulator.azure_cloud import AzureCloud
from simulator.behaviour import resource_names
from simulator.cloud_store import CloudStore

READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"


class Azure:
    """A cloud with one resource group, ``rg`` in eastus2."""

    def __init__(self, path: Path) -> None:
        self.store = CloudStore(path)
        self.cloud = AzureCloud(self.store)
        self.group = self.make("resources:ResourceGroup", location="eastus2")[0]

    def make(self, short: str, **inputs: Any) -> tuple[str, dict[str, Any]]:  # noqa: ANN401 - inputs of any type
        """Create a resource in the group and return its id and outputs."""
        return self.cloud.create(f"azure-native:{short}", {"resourceGroupName": "rg", **inputs})

    def drop(self, short: str, resource_id: str) -> None:
        """Delete a resource."""
        self.cloud.delete(f"azure-native:{short}", resource_id)

    def network(self, name: str, space: str, *subnets: dict[str, Any]) -> str:
        """Create a virtual network with inline subnets and return its id."""
        return self.make(
            "network:VirtualNetwork",
            virtualNetworkName=name,
            location="eastus2",
            addressSpace={"addressPrefixes": [space]},
            subnets=list(subnets),
        )[0]

    def assign(self, scope: str, principal: str, role: str) -> str:
        """Give a principal a built-in role."""
        role_id = f"/subscriptions/{self.cloud.subscription}/providers/Microsoft.Authorization/roleDefinitions/{role}"
        inputs = {
            "scope": scope,
            "principalId": principal,
            "principalType": "ServicePrincipal",
            "roleDefinitionId": role_id,
        }
        return self.make("authorization:RoleAssignment", roleAssignmentName=str(uuid.uuid4()), **inputs)[0]

    def identity(self, name: str) -> tuple[str, str]:
        """Create a user-assigned identity and return its id and principal."""
        made, outputs = self.make("managedidentity:UserAssignedIdentity", resourceName=name, location="eastus2")
        return made, outputs["principalId"]


@pytest.fixture(autouse=True)
def short_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let tests call things by one letter; a test of its own is about the shortest names."""
    relaxed = {kind: replace(rule, shortest=1) for kind, rule in resource_names.name_rules().items()}
    monkeypatch.setattr(resource_names, "name_rules", lambda: relaxed)


@pytest.fixture
def azure(tmp_path: Path) -> Iterator[Azure]:
    """Give an empty cloud with one resource group."""
    made = Azure(tmp_path / "cloud.sqlite")
    yield made
    made.store.close()
