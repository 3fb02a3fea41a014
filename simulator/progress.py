"""What a running engine has done so far, read from its plain output, and the tables printed at the end."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

_DONE: Final = re.compile(r"^\s*[@ ]*[-+~]*\s+\S+:\S+.*\b(created|updated|deleted|replaced|read)\b")
_PROGRESS: Final = re.compile(r"^@ |^\s*[-+~]+\s+\S+:\S+ \S+ \w+(ing|ed) \([^)]*\)\s*$")
_RETRY: Final = re.compile(r"^\s*[-+~]+\s+(\S+:\S+ \S+) .*warning: retrying")
_FAILED: Final = re.compile(r"\*\*(creating|updating|deleting|replacing)? ?failed\*\*", re.IGNORECASE)


class EngineProgress:
    """Counts what the lines of the engine's plain output report."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def take(self, line: str) -> bool:
        """Count one line; true when it reported a resource."""
        if _FAILED.search(line):
            self.counts["failed"] += 1
            return True
        match = _DONE.match(line)
        if match:
            self.counts[match.group(1)] += 1
        return match is not None

    def text(self) -> str:
        """Return the counts in words, for example ``12 created, 1 failed``."""
        # What is read, such as another stack's outputs, is no change.
        return ", ".join(f"{number} {word}" for word, number in self.counts.items() if word != "read") or "no change"


def failure_report(output: Sequence[str]) -> str:
    """Return the part of the engine's output that explains a failure: its diagnostics, or what is no mere progress."""
    lines = list(output)
    for index, line in enumerate(lines):
        if line.startswith("Diagnostics:"):
            return "\n".join(lines[index:])
    return "\n".join(line for line in lines if line.strip() and not _PROGRESS.match(line))


def retry_note(line: str) -> str | None:
    """Return the name of a resource that the engine tries again because the program's hook asked for it."""
    match = _RETRY.match(line)
    return match.group(1) if match else None


def summary_table(stack: str, summary: Mapping[str, object]) -> str:
    """Return a stack's summary as an aligned table."""
    width = max((len(label) for label in summary), default=0)
    rows = [f"  {label.ljust(width)}  {value}" for label, value in summary.items()]
    return "\n".join([stack, *rows])
