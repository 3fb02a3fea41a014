"""The order of all tests: modules that take minutes begin first, so that no process is left with one at the end."""

from __future__ import annotations

from pathlib import Path

import pytest

_LONGEST_FIRST = (
    "e2e/test_lifecycle.py",
    "e2e/test_recovery.py",
    "e2e/test_fleet.py",
    "e2e/test_program.py",
    "e2e/test_drain.py",
    "e2e/test_any_program.py",
    "e2e/test_pipeline.py",
    "e2e/test_options.py",
    "e2e/test_blob_backend.py",
    "manifests/test_rules.py",
)
_HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort by module; within one, the order is that of the file."""
    ranks = {name: rank for rank, name in enumerate(_LONGEST_FIRST)}
    items.sort(key=lambda item: ranks.get(item.path.relative_to(_HERE).as_posix(), len(ranks)))
