"""A fleet manager on the real engine: a stamp joins, changes its wave, and leaves no member behind."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulator.cloud_store import CloudStore, StoredResource
from tests.e2e.project import Project, counts

pytestmark = pytest.mark.e2e


def members(project: Project) -> list[StoredResource]:
    """Return the members of all fleets in the simulated cloud."""
    store = CloudStore(project.home / "cloud.sqlite")
    found = store.of_type("Microsoft.ContainerService/fleets/members")
    store.close()
    return found


def test_a_stamp_joins_the_fleet_manager_changes_its_wave_and_leaves(tmp_path: Path) -> None:
    """The member is its stamp's: in its wave, changed in place with it, gone with it; the fleet manager stays."""
    project = Project.make(tmp_path / "project", stacks=("shared", "eastus2"))
    project.edit("shared", {"fleetManager": {"nodeImages": "fleet"}})
    project.edit("eastus2", {"cluster": {"nodeOsUpgradeChannel": "None"}})
    project.up("shared").succeeded()
    project.up("eastus2").succeeded()
    (member,) = members(project)
    assert member.id.endswith("/fleets/fleet-bu0001a0042-shared/members/eastus2")
    assert member.outputs["group"] == "wave1"

    project.edit("eastus2", {"gitops": {"wave": "wave2"}})
    done = counts(project.up("eastus2").succeeded().output)
    assert (done["updated"], done.keys() & {"created", "replaced", "deleted"}) == (2, set()), "Flux and the member"
    assert [each.outputs["group"] for each in members(project)] == ["wave2"]

    project.pulumi("destroy", "--stack", "eastus2", "--yes", "--skip-preview").succeeded()
    assert members(project) == []
    assert any(each.endswith("/fleets/fleet-bu0001a0042-shared") for each in project.cloud_ids())
