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
    comparable,
    in_azure,
    lose_state,
    one_of_each_type,
    orphans,
    planned,
    recover,
    secrets_shown,
    struck,
)

pytestmark = pytest.mark.e2e
_KILLED_AT = {
    "*::shared-registry-registry": "containerregistry:Registry",
    "*::shared-front-door-routing-origin-group": "cdn:AFDOriginGroup",
}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Return a project whose shared stack came up in spite of two kills."""
    made = Project.make(tmp_path_factory.mktemp("recovery") / "project", ("shared", "eastus2"))
    project = Project(made.root, checkpoints=True)
    for pattern, kind in _KILLED_AT.items():
        arm(project, [Fault("kill-engine", urn=pattern, operation="create", after=True)])
        assert project.up("shared").code != 0
        told = recover(project, "shared").succeeded().output
        assert "is locked by" in told
        assert f"creating {kind}" in told
        assert f"{kind} {pattern.rsplit('::', 1)[1]} " in told
        assert "REPLACE" not in told
    done = made.up("shared").succeeded()
    assert set(counts(done.output)) <= {"created", "unchanged"}
    return made


def test_after_two_kills_nothing_is_lost_or_doubled(shared: Project) -> None:
    """What Azure had finished was adopted and the rest made by the next `up`; no operation is left open."""
    assert orphans(shared, ["shared"]) == set()
    assert "pending_operations" not in shared.export("shared")["deployment"]


def test_a_lost_state_is_found_again(shared: Project) -> None:
    """All that stands comes back as `up` wrote it; for the group, whose id Entra draws, a person has to find it."""
    held = lose_state(shared, "shared")["deployment"]["resources"]
    (group,) = (item for item in held if item["type"] == "azuread:index/group:Group")

    told = recover(shared, "shared", "--id", f"shared-cluster-admin-group-group={group['id']}").succeeded().output

    assert f"{len(in_azure(held))} adopted" in told
    assert comparable(in_azure(shared.resources("shared"))) == comparable(in_azure(held))
    done = shared.up("shared").succeeded()
    assert set(counts(done.output)) == {"unchanged"}
    kept = list((shared.root / ".recovery").glob("shared-*.json"))
    assert kept
    assert all(file.stat().st_mode & 0o077 == 0 for file in kept)


def test_a_fault_at_each_type_of_a_stamp_is_named_and_the_next_up_goes_on(shared: Project) -> None:
    """Vault and cluster fail, the engine is killed when the gateway stands, and every other type is refused once and
    repeated. In the end state and cloud agree, and no certificate shows."""
    victims = [_fault(item) for group in one_of_each_type(planned(shared, "eastus2")) for item in group]
    arm(shared, victims)
    for name in ("eastus2-entry-vault-vault", "eastus2-entry-gateway-gateway", "eastus2-cluster-aks-cluster"):
        killed = "gateway" in name
        done = replace(shared, checkpoints=killed).up("eastus2")
        assert done.code != 0
        if killed:
            told = recover(shared, "eastus2").succeeded().output
            assert f"network:ApplicationGateway {name} " in told
            assert "REPLACE" not in told
        else:
            assert f"({name}):\n    error: Status=500" in done.output
    shared.up("eastus2").succeeded()

    assert struck(shared) == {(fault.urn, fault.kind) for fault in victims}
    shared.unchanged("eastus2", "--refresh")
    assert orphans(shared, ["shared", "eastus2"]) == set()
    assert secrets_shown(shared) == []


def _fault(item: dict[str, str]) -> Fault:
    fault = Fault("throttle", urn=item["urn"], operation="create")
    if item["type"].endswith(":ApplicationGateway"):
        return replace(fault, kind="kill-engine", after=True)
    return replace(fault, kind="fail") if item["type"].endswith((":Vault", ":ManagedCluster")) else fault
