"""Tables and sections of the results, as Markdown that also reads well on a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from benchmarks.measurement import BenchmarkError, Spread

BEGIN: Final = "<!-- results: begin -->"
END: Final = "<!-- results: end -->"


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table with aligned columns; all columns but the first are numbers."""
    widths = [max(len(row[column]) for row in [header, *rows]) for column in range(len(header))]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    return "\n".join(_line(row, widths) for row in [header, rule, *rows])


def spread(value: Spread, digits: int) -> str:
    """Return `median (minimum to maximum)`."""
    return f"{value.median:.{digits}f} ({value.least:.{digits}f} to {value.most:.{digits}f})"


def write_between_markers(path: Path, text: str) -> None:
    """Replace what stands between the two markers of a file.

    Raises:
        BenchmarkError: the file has no such place.
    """
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    head, begin, rest = before.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise BenchmarkError(f"{path} has no lines {BEGIN} and {END}; write them where the results should stand")
    path.write_text(f"{head}{BEGIN}\n\n{text.strip()}\n\n{END}{tail}", encoding="utf-8")


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = [
        cell.ljust(width) if column == 0 else cell.rjust(width)
        for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return f"| {' | '.join([first, *others])} |"
