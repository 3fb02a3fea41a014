"""Runs that break, on the real engine: what broke is named, `geode recover` adopts what stands, the next `up`
completes.

The sweep over every resource and over random kills is in `tests/faults`.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from simulator.faults import Fault
from tests.e2e.project import Project, counts
from tests.faults.broken_runs import (
    arm,
    one_of_each_type,
    orphans,
    recover,
    secrets_shown,
    struck,
)

pytestmark = pytest.mark.e2e
_KILLED_AT = "shared-front-door-routing-origin-group"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Return a project whose shared stack came up in spite of a kill."""
    made = Project.make(tmp_path_factory.mktemp("recovery") / "project", ("shared", "eastus2"))
    project = Project(made.root, checkpoints=True)
    arm(project, [Fault("kill-engine", urn=f"*::{_KILLED_AT}", operation="create", after=True)])
    assert project.up("shared").code != 0
    told = recover(project, "shared").succeeded().output
    assert "is locked by" in told
    assert "creating cdn:AFDOriginGroup" in told
    assert f"cdn:AFDOriginGroup {_KILLED_AT} " in told
    assert "REPLACE" not in told
    done = made.up("shared").succeeded()
    assert set(counts(done.output)) <= {"created", "unchanged"}
    return made


def test_after_a_kill_nothing_is_lost_or_doubled(shared: Project) -> None:
    """What Azure had finished was adopted and the rest made by the next `up`; no operation is left open."""
    assert orphans(shared, ["shared"]) == set()
    assert "pending_operations" not in shared.export("shared")["deployment"]


def test_a_fault_at_each_type_of_a_stamp_is_named_and_the_next_up_goes_on(
    shared: Project, deployed_fleet: Project
) -> None:
    """The engine is killed when the gateway stands, the cluster fails, and every other type is refused once and
    repeated. In the end state and cloud agree, and no certificate shows."""
    victims = [_fault(item) for group in one_of_each_type(deployed_fleet.resources("eastus2")) for item in group]
    arm(shared, victims)
    assert replace(shared, checkpoints=True).up("eastus2").code != 0
    told = recover(shared, "eastus2").succeeded().output
    assert "network:ApplicationGateway eastus2-entry-gateway-gateway " in told
    assert "REPLACE" not in told
    done = shared.up("eastus2")
    assert done.code != 0
    assert "(eastus2-cluster-aks-cluster):\n    error: Status=500" in done.output
    shared.up("eastus2").succeeded()

    assert struck(shared) == {(fault.urn, fault.kind) for fault in victims}
    shared.unchanged("eastus2", "--refresh")
    assert orphans(shared, ["shared", "eastus2"]) == set()
    assert secrets_shown(shared) == []


def _fault(item: dict[str, str]) -> Fault:
    fault = Fault("throttle", urn=item["urn"], operation="create")
    if item["type"].endswith(":ApplicationGateway"):
        return replace(fault, kind="kill-engine", after=True)
    return replace(fault, kind="fail") if item["type"].endswith(":ManagedCluster") else fault
