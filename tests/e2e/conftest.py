"""Deployments that tests of several modules start from: made once for all test processes, then copied."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.project import Project


def _once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], Project]) -> Project:
    """Return a project that the first test process makes; the others wait for it. It is only to be copied."""
    base = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent
    root, finished = base / name / "project", base / f"{name}.finished"
    with (base / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not finished.exists():
            make(root)
            finished.touch()
    return Project(root)


@pytest.fixture(scope="session")
def deployed_shared(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Return the tracked stack files with the shared stack deployed."""

    def make(root: Path) -> Project:
        project = Project.make(root)
        project.up("shared").succeeded()
        return project

    return _once(tmp_path_factory, "deployed-shared", make)


@pytest.fixture(scope="session")
def deployed_fleet(tmp_path_factory: pytest.TempPathFactory, deployed_shared: Project) -> Project:
    """Return the whole fleet, deployed by one `python -m simulator up`, with that command's output in `up.log`."""

    def make(root: Path) -> Project:
        project = deployed_shared.copy(root)
        done = project.simulator("up").succeeded()
        (project.root / "up.log").write_text(done.output, encoding="utf-8")
        return project

    return _once(tmp_path_factory, "deployed-fleet", make)
