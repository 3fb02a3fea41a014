"""Where the program's own process spends its time: functions by cumulative and own time, and imports apart."""

from __future__ import annotations

import pstats
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

from benchmarks.engine_runs import SOURCE
from benchmarks.report import table

_SHOWN: Final = 12
_IMPORT_TIME: Final = re.compile(r"import time:\s+(\d+) \|\s+(\d+) \| ( *)(\S+)")
_PROJECT: Final = frozenset({"foundation", "shared", "stamps"})
_SDK: Final = frozenset({"pulumi", "pulumi_azure_native", "pulumi_azuread"})


def function_tables(profile: Path) -> str:
    """Return the functions of a profile that took longest: the project's and the SDK's with all they call, and any."""
    found: dict[tuple[str, int, str], tuple[int, int, float, float, object]]
    found = pstats.Stats(str(profile)).stats  # type: ignore[attr-defined]  # typeshed leaves the attribute out
    rows = [
        (file, (_place(file, line, name), str(calls), f"{own:.3f}", f"{cumulative:.3f}"), own, cumulative)
        for (file, line, name), (_, calls, own, cumulative, _) in found.items()
    ]
    by_cumulative = sorted(rows, key=lambda row: -row[3])
    parts = {
        "The project's functions, by cumulative time": [row for row in by_cumulative if _is_project(row[0])],
        "The SDK's functions, by cumulative time": [row for row in by_cumulative if _is_sdk(row[0])],
        "All functions, by their own time": sorted(rows, key=lambda row: -row[2]),
    }
    header = ("function", "calls", "own s", "cumulative s")
    return "\n\n".join(
        f"{title}:\n\n{table(header, [row[1] for row in chosen[:_SHOWN]])}" for title, chosen in parts.items()
    )


def import_table(statements: str) -> str:
    """Return the time that the entry's imports take in a process of their own, for the largest packages."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", statements],
        cwd=SOURCE, capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    return import_summary(done.stderr)


def import_summary(report: str) -> str:
    """Return the own times of `-X importtime` summed up by package (for the SDK by module), largest first."""
    sums: dict[str, float] = {}
    for own, _, _, module in _IMPORT_TIME.findall(report):
        parts = module.split(".")
        package = ".".join(parts[:2]) if parts[0] == "pulumi_azure_native" else parts[0]
        sums[package] = sums.get(package, 0) + int(own) / 1_000_000
    largest = sorted(sums.items(), key=lambda item: -item[1])[:_SHOWN]
    rows = [(name, f"{seconds:.3f}") for name, seconds in largest]
    return table(("imported package", "own s"), [*rows, ("all", f"{sum(sums.values()):.3f}")])


def _is_project(file: str) -> bool:
    parts = Path(file).parts
    return "site-packages" not in parts and bool(_PROJECT & set(parts) or Path(file).name == "__main__.py")


def _is_sdk(file: str) -> bool:
    return bool(_SDK & set(Path(file).parts))


def _place(file: str, line: int, name: str) -> str:
    path = Path(file)
    short = "/".join(path.parts[-2:]) if path.is_absolute() else file
    return f"{short}:{line} {name}" if line else name
