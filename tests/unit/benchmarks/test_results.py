"""Figures, targets and where they are written."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.measurement import MEBIBYTE, BenchmarkError, Sample, interleaved
from benchmarks.report import BEGIN, END, table, write_between_markers
from benchmarks.targets import Medians, targets


def test_cases_take_turns() -> None:
    """A machine that slows down slows all cases alike; the spread is over one case's own runs."""
    order: list[str] = []

    def case(name: str) -> Sample:
        order.append(name)
        return Sample(len(order), 0.5, 3 * MEBIBYTE)

    found = interleaved({"a": lambda: case("a"), "b": lambda: case("b")}, 3, lambda _: None)

    assert order == ["a", "b"] * 3
    assert (found["a"].seconds.least, found["a"].seconds.median, found["a"].seconds.most) == (1, 3, 5)
    assert found["b"].memory.median == 3


def test_targets_compare_what_is_above_the_floor() -> None:
    """Each on its own limit: here the first is met exactly, the second and the third are missed."""
    found = targets(Medians(floor=2, ours=5.5, as_shipped=12, lean=4, our_memory=140, lean_memory=100))

    assert [target.measured for target in found] == pytest.approx([0.35, 1.375, 1.4])
    assert [target.is_met for target in found] == [True, False, False]


def test_floor_above_the_flat_program_meets_nothing() -> None:
    """Noise must not turn into a pass."""
    found = targets(Medians(floor=5, ours=4.9, as_shipped=4, lean=4, our_memory=1, lean_memory=1))

    assert not found[0].is_met


def test_results_replace_what_stands_between_the_markers(tmp_path: Path) -> None:
    """What is written by hand around them stays."""
    file = tmp_path / "page.md"
    file.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n", encoding="utf-8")

    write_between_markers(file, "new")
    write_between_markers(file, "newer")

    assert file.read_text(encoding="utf-8") == f"before\n{BEGIN}\n\nnewer\n\n{END}\nafter\n"


def test_file_without_markers_is_not_touched(tmp_path: Path) -> None:
    """It may be the wrong file."""
    file = tmp_path / "page.md"
    file.write_text("text", encoding="utf-8")

    with pytest.raises(BenchmarkError, match="has no lines"):
        write_between_markers(file, "new")

    assert file.read_text(encoding="utf-8") == "text"


def test_tables_are_aligned() -> None:
    """Numbers to the right, as wide as the widest cell."""
    assert table(("name", "s"), [("long name", "1.0"), ("x", "10.0")]).splitlines() == [
        "| name      |    s |",
        "| --------- | ---: |",
        "| long name |  1.0 |",
        "| x         | 10.0 |",
    ]
