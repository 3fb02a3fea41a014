"""The shared stack's options on the real engine: a stamp uses the database and the fleet manager, follows their
changes, and leaves them behind."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.cloud_store import CloudStore, StoredResource
from tests.e2e.project import Project, counts

pytestmark = pytest.mark.e2e
_ENDPOINT = "azure-native:network:PrivateEndpoint"
_FLUX = "azure-native:kubernetesconfiguration:FluxConfiguration"
_ROLE = "azure-native:cosmosdb:SqlResourceSqlRoleAssignment"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Return a project with both options, its shared stack and one stamp deployed."""
    made = Project.make(tmp_path_factory.mktemp("options") / "project", ("shared", "eastus2"))
    made.edit("shared", {"database": {}, "fleetManager": {"nodeImages": "fleet"}})
    made.edit("eastus2", {"cluster": {"nodeOsUpgradeChannel": "None"}})
    for stack in ("shared", "eastus2"):
        made.up(stack).succeeded()
    return made


def one(resources: list[dict[str, Any]], kind: str, ending: str = "") -> dict[str, Any]:
    """Return the one resource of a type whose logical name ends so."""
    found = [each for each in resources if each["type"] == kind and each["urn"].endswith(ending)]
    assert len(found) == 1, [each["urn"] for each in found]
    return found[0]


def host_names(resources: list[dict[str, Any]]) -> list[str]:
    """Return the names that the stamp's database endpoint has addresses for."""
    outputs = one(resources, _ENDPOINT, "database-private-endpoint")["outputs"]
    return [each["fqdn"].partition(".")[0] for each in outputs["customDnsConfigs"]]


def members(project: Project) -> list[StoredResource]:
    """Return the members of all fleets in the simulated cloud."""
    store = CloudStore(project.home / "cloud.sqlite")
    found = store.of_type("Microsoft.ContainerService/fleets/members")
    store.close()
    return found


def test_a_stamp_has_its_own_way_to_the_database_and_joins_the_fleet_manager(project: Project) -> None:
    """Rights on the data, names in every region, the address for the workload; a member in the stamp's wave."""
    found = project.resources("eastus2")
    role = one(found, _ROLE)["inputs"]
    account = role["accountName"]
    assert role["scope"].endswith(f"/databaseAccounts/{account}/dbs/workload")
    assert host_names(found) == [account, f"{account}-eastus2", f"{account}-centralus"]
    flux = one(found, _FLUX)["inputs"]["kustomizations"]["workload"]
    assert flux["postBuild"]["substitute"]["COSMOS_ENDPOINT"] == f"https://{account}.documents.azure.com:443/"
    (member,) = members(project)
    assert member.id.endswith("/fleets/fleet-bu0001a0042-shared/members/eastus2")
    assert member.outputs["group"] == "wave1"


def test_a_new_region_and_another_wave_change_what_follows_from_them_and_the_data_outlives_the_stamp(
    project: Project,
) -> None:
    """The account, then the endpoint; Flux and the member. Nothing is made anew; a destroy takes the stamp's own."""
    project.edit("shared", {"regions": ["eastus2", "centralus", "westus3"]})
    shared = counts(project.up("shared").succeeded().output)
    assert (shared["created"], shared["updated"]) == (1, 1), "the registry's replica, and the account"

    project.edit("eastus2", {"gitops": {"wave": "wave2"}})
    refreshed = project.pulumi("up", "--stack", "eastus2", "--yes", "--skip-preview", "--refresh").succeeded()
    done = counts(refreshed.output)
    assert (done["updated"], done.keys() & {"created", "replaced", "deleted"}) == (3, set()), "endpoint, Flux, member"
    (account, *_, last) = host_names(project.resources("eastus2"))
    assert last == f"{account}-westus3"
    assert [each.outputs["group"] for each in members(project)] == ["wave2"]

    project.pulumi("destroy", "--stack", "eastus2", "--yes", "--skip-preview").succeeded()
    assert members(project) == []
    left = project.cloud_ids()
    assert any(each.endswith("/fleets/fleet-bu0001a0042-shared") for each in left)
    assert any(each.endswith("/containers/visits") for each in left)
    assert not [each for each in left if "sqlRoleAssignments" in each]
