"""A fault at every resource of the fleet, and twenty kills at random moments: `make test-faults`, some ten minutes."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from simulator.faults import Fault, Kind
from tests.e2e.project import Project, counts
from tests.faults.broken_runs import (
    arm,
    comparable,
    in_azure,
    lose_state,
    orphans,
    planned,
    recover,
    secrets_shown,
    struck,
    without_drawn_values,
)

pytestmark = pytest.mark.e2e
_STACKS = ("shared", "eastus2")
_KILLS = 20
_MOST_RUNS = 150


@pytest.fixture(scope="module")
def smooth(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Return a project that was deployed without any fault, to compare with."""
    project = Project.make(tmp_path_factory.mktemp("smooth") / "project", _STACKS)
    for stack in _STACKS:
        project.up(stack).succeeded()
    return project


def test_every_creation_fails_once(tmp_path: Path, smooth: Project) -> None:
    """Each run names what failed; the last one ends as a run without faults ends, and nothing is orphaned."""
    project = Project.make(tmp_path / "project", _STACKS)
    project.pulumi("stack", "init", "shared", "--no-select")
    runs = {}
    for stack in _STACKS:
        arm(project, [Fault("fail", operation="create", urn=f"urn:pulumi:{stack}::*", every=True)])
        runs[stack] = _until_it_succeeds(project, stack, recovered=False)
    print(f"a fault at every resource: {runs} runs")  # noqa: T201 - figures for who runs the sweep

    _same_end(project, smooth)


def test_every_answer_is_lost_once(tmp_path: Path, smooth: Project) -> None:
    """Azure finishes each creation, and the state learns of none of them by itself."""
    project = Project.make(tmp_path / "project", ("shared", "eastus2"))
    project.up("shared").succeeded()
    victims = "urn:pulumi:eastus2::*azure-native:*"
    arm(project, [Fault("lose-answer", operation="create", urn=victims, every=True)])
    runs = _until_it_succeeds(project, "eastus2", recovered=True)
    print(f"every answer lost: {runs} runs")  # noqa: T201 - the same

    _same_end(project, smooth)


def test_random_kills(tmp_path: Path, smooth: Project) -> None:
    """SEED=... repeats a run. After each kill `geode recover` adopts what Azure finished."""
    seed = int(os.environ.get("SEED") or random.SystemRandom().randrange(10**6))
    print(f"SEED={seed}")  # noqa: T201 - without it nobody could repeat the run
    dice = random.Random(seed)  # noqa: S311 - moments, no secrets
    project = Project(Project.make(tmp_path / "project", _STACKS).root, checkpoints=True)
    kinds: tuple[Kind, ...] = ("kill-engine", "kill-engine", "kill-program", "kill-server")
    killed = 0
    for stack, share in (("shared", _KILLS // 4), ("eastus2", _KILLS - _KILLS // 4)):
        victims = dice.sample([item for item in planned(project, stack) if in_azure([item])], share)
        faults = [
            Fault(dice.choice(kinds), operation="create", urn=item["urn"], after=dice.random() < 0.5)
            for item in victims
            if "azuread" not in item["type"]  # Entra draws the id: a person looks for the group by its name
        ]
        arm(project, faults)
        _until_it_succeeds(project, stack, recovered=True)
        assert struck(project) == {(fault.urn, fault.kind) for fault in faults}
        killed += len(faults)
    print(f"{killed} kills")  # noqa: T201 - a figure for who runs the sweep

    _same_end(project, smooth)


def test_the_lost_state_of_the_shared_stack_is_found_again(smooth: Project) -> None:
    """All that stands comes back as `up` wrote it; for the group, whose id Entra draws, a person has to find it."""
    held = lose_state(smooth, "shared")["deployment"]["resources"]
    (group,) = (item for item in held if item["type"] == "azuread:index/group:Group")

    told = recover(smooth, "shared", "--id", f"shared-cluster-admin-group-group={group['id']}").succeeded().output

    assert f"{len(in_azure(held))} adopted" in told
    assert comparable(in_azure(smooth.resources("shared"))) == comparable(in_azure(held))
    done = smooth.up("shared").succeeded()
    assert set(counts(done.output)) == {"unchanged"}
    kept = list((smooth.root / ".recovery").glob("shared-*.json"))
    assert kept
    assert all(file.stat().st_mode & 0o077 == 0 for file in kept)


def test_the_lost_state_of_a_stamp_is_found_again(smooth: Project) -> None:
    """All of its resources come back as `up` wrote them, in an order that a destroy can go backwards."""
    held = lose_state(smooth, "eastus2")["deployment"]["resources"]

    told = recover(smooth, "eastus2").succeeded().output

    assert f"{len(in_azure(held))} adopted" in told
    assert "REPLACE" not in told
    now = comparable(in_azure(smooth.resources("eastus2")), outputs=False)
    assert now == comparable(
        in_azure(held), outputs=False
    )  # what Azure answers may have moved on, as a peering's state
    assert secrets_shown(smooth) == []
    smooth.pulumi("destroy", "--stack", "eastus2", "--yes", "--skip-preview").succeeded()
    assert not [item for item in smooth.cloud_ids() if "eastus2-" in item and "NetworkWatcher" not in item]


def _until_it_succeeds(project: Project, stack: str, *, recovered: bool) -> int:
    """Run `up` until nothing fails any more and return how many runs it took."""
    for run in range(1, _MOST_RUNS):
        done = project.pulumi("up", "--stack", stack, "--yes", "--skip-preview", "--continue-on-error")
        if done.code == 0:
            return run
        if recovered:
            recover(project, stack).succeeded()
        else:
            assert "(a fault set on)" in done.output
    pytest.fail(f"{stack} did not come up in {_MOST_RUNS} runs")


def _same_end(project: Project, smooth: Project) -> None:
    for stack in _STACKS:
        project.unchanged(stack, "--refresh")
        ours, theirs = (comparable(each.resources(stack), outputs=False) for each in (project, smooth))
        assert without_drawn_values(ours) == without_drawn_values(theirs)
    assert orphans(project, _STACKS) == set()
    assert secrets_shown(project) == []
    assert len(project.cloud_ids()) == len(smooth.cloud_ids())
