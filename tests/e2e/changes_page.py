"""The page `docs/changes.md` as data: each row's change of a stack file, and what it says the engine does."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from tests.e2e.project import SOURCE, Project

PAGE = SOURCE / "docs" / "changes.md"
_VERBS = {"update": "changes", "replace": "replaced", "create": "made", "delete": "deleted"}
_EFFECT = re.compile(r"`(\w+)` (changes|replaced|made|deleted)")
_ROW = re.compile(r"\| (?P<what>[^|]+) \| `(?P<change>[^`|]+)` \| (?P<effects>[^|]+) \|")


@dataclass(frozen=True)
class Row:
    """One change. Effects are pairs of a type's class and what happens to resources of it."""

    what: str
    stack: str
    change: dict[str, Any]
    effects: frozenset[tuple[str, str]]

    @property
    def replaces(self) -> bool:
        """Whether anything is replaced or deleted."""
        return any(verb in ("replaced", "deleted") for _, verb in self.effects)


def rows() -> list[Row]:
    """Return the rows of the page; a heading with `shared` in it turns to the shared stack."""
    found, stack = [], "eastus2"
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            stack = "shared" if "shared" in line.lower() else "eastus2"
        match = _ROW.match(line)
        if match:
            effects = frozenset(_EFFECT.findall(match["effects"]))
            found.append(Row(match["what"].strip(), stack, yaml.safe_load(match["change"]), effects))
    return found


def batches(items: Iterable[Row]) -> Iterator[list[Row]]:
    """Put changes that touch neither the same key nor the same type into one preview."""
    left = list(items)
    while left:
        batch = [left.pop(0)]
        for row in list(left):
            if all(_apart(row, other) for other in batch):
                batch.append(row)
                left.remove(row)
        yield batch


def effects_of(project: Project, batch: list[Row]) -> frozenset[tuple[str, str]]:
    """Return what a preview of the stack with these changes shows, and put the stack file back.

    The development certificates too: they are made anew for another host name.
    """
    stack = batch[0].stack
    files = (project.root / f"Pulumi.{stack}.yaml", project.home / "stacks" / f"{stack}.secrets.json")
    before = {file: file.read_text(encoding="utf-8") for file in files}
    try:
        for row in batch:
            project.edit(stack, row.change)
        done = project.pulumi("preview", "--stack", stack, "--json").succeeded()
    finally:
        for file, text in before.items():
            file.write_text(text, encoding="utf-8")
    steps = json.loads(done.output[done.output.index("{\n") :])["steps"]
    return frozenset(
        (step["urn"].split("::")[2].rsplit(":", 1)[1], _VERBS[step["op"]])
        for step in steps
        if step["op"] in _VERBS and "azure" in step["urn"].split("::")[2].rsplit("$", 1)[-1]
    )


def _apart(one: Row, other: Row) -> bool:
    types = {name for name, _ in one.effects} & {name for name, _ in other.effects}
    return one.stack == other.stack and not types and not one.change.keys() & other.change.keys()
