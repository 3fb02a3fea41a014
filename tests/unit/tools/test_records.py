"""The records of this project are complete, and what they name exists."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tools import records

ROOT = Path(__file__).parents[3]
DOCUMENT = "docs/azure.md"
GOOD = """# Traps

| status | meaning | rows |
|---|---|---|
| met | done | 1 |
| open | to do | 1 |

## Network

| id | what | status | proof |
|---|---|---|---|
| T1 | a `x \\| y` | met | `stamps/firewall.py`, `tests/test_one.py::test_made` |
| T2 | b | open | `tests/test_one.py::TestBoth::test_method[case]`, `docs/` |

| check | what |
|---|---|
| T9 | no record: the first column has another name |

```
| id | not a table | `stamps/nothing.py` |
|---|---|---|
| T8 | inside code |
```
"""
Project = Callable[[str], list[str]]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Return a function that checks a document in a small checkout and gives back what it finds."""
    (tmp_path / "stamps").mkdir()
    (tmp_path / "stamps" / "firewall.py").write_text("class Firewall: ...\n", encoding="utf-8")
    (tmp_path / "tests" / "unit").mkdir(parents=True)
    made = "def test_made(): ...\nclass TestBoth:\n    async def test_method(self): ...\n"
    (tmp_path / "tests" / "test_one.py").write_text(made, encoding="utf-8")
    ids = {"resources": [], "defects": [], "requirements": [], "traps": ["T1", "T2"]}
    (tmp_path / records.IDS_FILE).write_text(json.dumps(ids), encoding="utf-8")
    (tmp_path / "docs").mkdir()

    def check(text: str) -> list[str]:
        (tmp_path / DOCUMENT).write_text(text, encoding="utf-8")
        return [str(finding) for finding in records.check(tmp_path, [DOCUMENT])]

    return check


def test_a_complete_document_has_no_findings(project: Project) -> None:
    """Other tables, code blocks, bars in cells and parameters of a test are understood."""
    assert project(GOOD) == []


def test_an_id_without_a_row_is_told(project: Project) -> None:
    """By its name."""
    told = project("\n".join(line for line in GOOD.splitlines() if not line.startswith("| T2")))
    assert [line for line in told if "T2 has no row. Add one to a table" in line]


def test_a_second_row_of_one_id_is_told_with_the_place_of_the_first(project: Project) -> None:
    """Two rows may say two things."""
    told = project(GOOD.replace("| T2 | b", "| T1 | b"))
    assert "docs/azure.md:13: T1 has a second row. Keep one; the first is in line 12." in told
    assert len(told) == 2, "and T2 has none"


def test_an_id_that_nobody_knows_is_told(project: Project) -> None:
    """A typing error makes one."""
    told = project(GOOD.replace("| T2 | b | open | ", "| T2 | b | open | x |\n| T3 | c | met | "))
    assert [line for line in told if "docs/azure.md:14: the id T3 is not in the list" in line]


@pytest.mark.parametrize(
    "path",
    [
        "stamps/gateway.py",
        "tests/unit/nothing",
        "docs/other/",
        "nowhere/file.py",
        ".github/workflows/preview.yml",
        "tests/test_tw*.py",
    ],
)
def test_a_path_that_leads_nowhere_is_told(project: Project, path: str) -> None:
    """In a folder of the project, or with the ending of one of its files."""
    assert [line.split(": ")[1] for line in project(GOOD + f"\nSee `{path}`.\n")] == [
        f"there is no {path}. Correct the path, or take the backticks away from what is not ours."
    ]


@pytest.mark.parametrize("text", ["Microsoft.Network/virtualNetworks", "a/b", "/readyz", "10.0.0.0/8", "az login"])
def test_what_only_looks_a_little_like_a_path_is_left_alone(project: Project, text: str) -> None:
    """Types of Azure, addresses and commands."""
    assert project(GOOD + f"\nSee `{text}`.\n") == []


@pytest.mark.parametrize("name", ["test_gone", "TestBoth::test_made", "TestOther::test_method", "made"])
def test_a_test_that_is_not_there_is_told(project: Project, name: str) -> None:
    """Renamed, moved to another class, or never written."""
    (told,) = project(GOOD + f"\nSee `tests/test_one.py::{name}`.\n")
    assert f"tests/test_one.py defines no function or class {name}" in told


@pytest.mark.parametrize(
    "path", ["tests/*.py::test_made", "tests/test_one.py::test_method", "stamps/firewall.py::Firewall"]
)
def test_a_pattern_a_method_and_a_class_are_found(project: Project, path: str) -> None:
    """A method may be named without its class."""
    assert project(GOOD + f"\nSee `{path}`.\n") == []


def test_only_python_defines_names(project: Project) -> None:
    """`::` behind another file is a mistake."""
    (told,) = project(GOOD + "\nSee `docs/azure.md::anchor`.\n")
    assert "docs/azure.md defines no function or class anchor" in told


@pytest.mark.parametrize(("said", "told"), [("met | done | 2", "There are 1"), ("done | done | 1", "There are 0")])
def test_a_wrong_count_is_told_with_the_right_one(project: Project, said: str, told: str) -> None:
    """The counts at the top are read first and forgotten first."""
    assert any(told in line for line in project(GOOD.replace("met | done | 1", said)))


def test_a_status_that_is_not_counted_is_told(project: Project) -> None:
    """The counts add up to all rows."""
    told = project(GOOD.replace("| open | to do | 1 |\n", ""))
    assert [line for line in told if "the count leaves out 'open'. Add it with 1 rows." in line]


def test_a_bar_that_splits_a_cell_is_told(project: Project) -> None:
    """A reader would see a row that is shifted."""
    told = project(GOOD.replace("\\|", "|"))
    assert any("docs/azure.md:12: the row has 5 cells and its table 4 columns" in line for line in told)


def test_a_document_that_is_not_there_is_told(tmp_path: Path) -> None:
    """One message, not one for each id."""
    (told,) = records.check_document(tmp_path, DOCUMENT, ["T1", "T2"])
    assert "the document is missing" in str(told)


def test_the_command_prints_what_is_wrong(project: Project, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And ends with 1; the documents that are missing here are told."""
    project(GOOD)
    assert records.main([str(tmp_path)]) == 1
    assert "docs/parity.md:1: the document is missing" in capsys.readouterr().out


@pytest.mark.parametrize("document", records.DOCUMENTS)
def test_the_documents_of_this_project_are_complete(document: str) -> None:
    """Each id has its row, each count is right, each path and test exists."""
    assert [str(finding) for finding in records.check(ROOT, [document])] == []


def test_each_avoided_defect_names_the_test_that_proves_it() -> None:
    """A claim without a test is a hope; small things may name the module instead."""
    unproven = []
    for table in records.tables((ROOT / "docs/parity.md").read_text(encoding="utf-8")):
        statuses = [cell for _, cell in table.column("status")]
        for (row, proof), status in zip(table.column("proof"), statuses, strict=False):
            tests = [symbol for _, path, symbol in records.paths(proof) if path.startswith("tests/") and symbol]
            modules = list(records.paths(proof))
            if status != "not yet" and not (modules if row.cells[0].startswith("N") else tests):
                unproven.append(row.cells[0])
    assert unproven == []


def test_the_list_has_each_id_once() -> None:
    """119 resources, 81 defects, 160 requirements, 30 traps."""
    listed = json.loads((ROOT / records.IDS_FILE).read_text(encoding="utf-8"))
    assert {group: len(set(ids)) for group, ids in listed.items()} == {
        "resources": 119,
        "defects": 81,
        "requirements": 160,
        "traps": 30,
    }
    assert all(len(set(ids)) == len(ids) for ids in listed.values())
