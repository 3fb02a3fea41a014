"""Every row of `docs/changes.md` in a preview of its own."""

from __future__ import annotations

import pytest

from tests.e2e.changes_page import Row, effects_of, rows
from tests.e2e.project import Project

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Return a project with its shared stack and one stamp deployed."""
    project = Project.make(tmp_path_factory.mktemp("changes") / "project", ("shared", "eastus2"))
    project.simulator("up").succeeded()
    return project


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.what)
def test_one_change_does_what_its_row_says(fleet: Project, row: Row) -> None:
    """No more and no less."""
    assert effects_of(fleet, [row]) == row.effects
