"""The shared database on the real engine: a stamp gets its way to it, follows a new region, and leaves it behind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.e2e.project import Project, counts

pytestmark = pytest.mark.e2e
_ENDPOINT = "azure-native:network:PrivateEndpoint"
_FLUX = "azure-native:kubernetesconfiguration:FluxConfiguration"
_ROLE = "azure-native:cosmosdb:SqlResourceSqlRoleAssignment"


def one(resources: list[dict[str, Any]], kind: str, ending: str = "") -> dict[str, Any]:
    """Return the one resource of a type whose logical name ends so."""
    found = [each for each in resources if each["type"] == kind and each["urn"].endswith(ending)]
    assert len(found) == 1, [each["urn"] for each in found]
    return found[0]


def host_names(resources: list[dict[str, Any]]) -> list[str]:
    """Return the names that the stamp's database endpoint has addresses for."""
    outputs = one(resources, _ENDPOINT, "database-private-endpoint")["outputs"]
    return [each["fqdn"].partition(".")[0] for each in outputs["customDnsConfigs"]]


def test_a_stamp_has_its_own_way_to_the_database_of_all_regions(tmp_path: Path) -> None:
    """A new region changes the account and then the endpoint, nothing else; the data outlives the stamp."""
    project = Project.make(tmp_path / "project", stacks=("shared", "eastus2"))
    project.edit("shared", {"database": {}})
    project.up("shared").succeeded()
    project.up("eastus2").succeeded()
    found = project.resources("eastus2")
    role = one(found, _ROLE)["inputs"]
    account = role["accountName"]
    assert role["scope"].endswith(f"/databaseAccounts/{account}/dbs/workload")
    assert host_names(found) == [account, f"{account}-eastus2", f"{account}-centralus"]
    flux = one(found, _FLUX)["inputs"]["kustomizations"]["workload"]
    assert flux["postBuild"]["substitute"]["COSMOS_ENDPOINT"] == f"https://{account}.documents.azure.com:443/"

    project.edit("shared", {"regions": ["eastus2", "centralus", "westus3"]})
    shared = counts(project.up("shared").succeeded().output)
    assert (shared["created"], shared["updated"]) == (1, 1), "the registry's replica, and the account"
    again = counts(
        project.pulumi("up", "--stack", "eastus2", "--yes", "--skip-preview", "--refresh").succeeded().output
    )
    assert (again["updated"], again.keys() & {"created", "replaced", "deleted"}) == (1, set())
    assert host_names(project.resources("eastus2"))[3:] == [f"{account}-westus3"]

    project.pulumi("destroy", "--stack", "eastus2", "--yes", "--skip-preview").succeeded()
    left = {each for each in project.cloud_ids() if "/databaseAccounts/" in each}
    assert not [each for each in left if "sqlRoleAssignments" in each]
    assert any(each.endswith("/containers/visits") for each in left)
