"""Runs that break on purpose, how they are recovered, and what must hold of state and cloud afterwards."""

from __future__ import annotations

import json
import re
import sqlite3
import sys
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from simulator.azure_made import MADE_BY_AZURE
from simulator.cloud_store import CloudStore
from simulator.faults import Fault, Faults
from tests.e2e.project import Finished, Project

_CERTIFICATE = "MII"  # a DER sequence of more than 127 bytes in base64
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_OF_ONE_RUN = frozenset({"created", "modified", "sourcePosition", "stackTrace", "provider"})
Record = dict[str, Any]


def arm(project: Project, faults: Iterable[Fault]) -> None:
    """Set faults in the project's cloud, in place of those set before."""
    store = CloudStore(project.home / "cloud.sqlite")
    Faults(store).clear()
    for fault in faults:
        Faults(store).add(fault)
    store.close()


def struck(project: Project) -> set[tuple[str, str]]:
    """Return the faults that have struck, as pattern of the URN and kind."""
    store = CloudStore(project.home / "cloud.sqlite")
    found: set[tuple[str, str]] = {(fault.urn, fault.kind) for fault, hits in Faults(store).armed() if hits}
    store.close()
    return found


def recover(project: Project, stack: str, *more: str) -> Finished:
    """Run `geode recover` for one stack against the simulated Azure."""
    files = (
        "--project-directory",
        str(project.root),
        "--config-file",
        str(project.home / "stacks" / f"Pulumi.{stack}.yaml"),
    )
    return project.simulator("run", "--", sys.executable, "-m", "geode", "recover", stack, "--yes", *files, *more)


def lose_state(project: Project, stack: str) -> Record:
    """Empty the stack's state, and return what it held."""
    held = project.export(stack)
    empty = {**held, "deployment": {**held["deployment"], "resources": []}}
    file = project.root / "empty.json"
    file.write_text(json.dumps(empty), encoding="utf-8")
    project.pulumi("stack", "import", "--stack", stack, "--file", str(file)).succeeded()
    return held


def planned(project: Project, stack: str) -> list[Record]:
    """Return the resources that the stack's next `up` would create, in the order of their registration."""
    done = project.pulumi("preview", "--stack", stack, "--json").succeeded()
    steps = json.loads(done.output[done.output.index("{\n") :])["steps"]
    return [step["newState"] for step in steps if step["op"] == "create"]


def in_azure(resources: Iterable[Record]) -> list[Record]:
    """Return the resources that stand in Azure or Entra."""
    return [item for item in resources if item.get("custom") and item["type"].startswith("azure")]


def comparable(resources: Iterable[Record], *, outputs: bool = True) -> dict[str, Record]:
    """Return resources by URN without what differs from run to run: times, ids of providers, order of references."""
    return {item["urn"]: _plain(item, outputs) for item in resources if not item["type"].startswith("pulumi:")}


def without_drawn_values(value: Any) -> Any:  # noqa: ANN401 - values of the state have no common type
    """Return a value with a word in place of what a cloud or a certificate maker draws: GUIDs and certificates."""
    if isinstance(value, dict):
        return {_GUID.sub("(guid)", key): without_drawn_values(item) for key, item in value.items()}
    if isinstance(value, list):
        return [without_drawn_values(item) for item in value]
    if isinstance(value, str):
        return "(certificate)" if value.startswith(_CERTIFICATE) else _GUID.sub("(guid)", value)
    return value


def secrets_shown(project: Project) -> list[str]:
    """Return the files in which a part of a certificate stands in clear text."""
    read = project.pulumi("config", "get", "aks-geode:gatewayCertificate", "--stack", "eastus2").succeeded()
    marker = read.output.strip().splitlines()[-1][200:260].encode()
    return [str(file) for file in project.root.rglob("*") if file.is_file() and marker in file.read_bytes()]


def orphans(project: Project, stacks: Iterable[str]) -> set[str]:
    """Return what stands in the cloud and in no state, without what Azure makes by itself."""
    held = {item["id"].lower() for stack in stacks for item in in_azure(project.resources(stack))}
    return {
        key for key in (item.lower() for item in project.cloud_ids())
        if key not in held and not _made_by_azure(project, key)
    }  # fmt: skip


def one_of_each_type(resources: Iterable[Record]) -> list[list[Record]]:
    """Return one resource of each type, in the groups that one `up` after the other can meet.

    Of each type it is the one that the fewest others wait for; a group waits for the groups before it.
    """
    found = in_azure(resources)
    above: dict[str, set[str]] = {}
    for item in found:  # the state holds what others need before them
        needs = [urn for urn in item.get("dependencies") or () if urn in above]
        above[item["urn"]] = set(needs).union(*(above[urn] for urn in needs))
    waiting: dict[str, int] = defaultdict(int)
    for needs_ in above.values():
        for urn in needs_:
            waiting[urn] += 1
    by_type: dict[str, list[Record]] = defaultdict(list)
    for item in found:
        by_type[item["type"]].append(item)
    chosen = [min(items, key=lambda item: waiting[item["urn"]]) for items in by_type.values()]
    level: dict[str, int] = {}
    for item in sorted(chosen, key=lambda item: len(above[item["urn"]])):
        level[item["urn"]] = 1 + max((level[urn] for urn in above[item["urn"]] if urn in level), default=-1)
    return [[item for item in chosen if level[item["urn"]] == step] for step in range(max(level.values()) + 1)]


def _made_by_azure(project: Project, key: str) -> bool:
    with sqlite3.connect(project.home / "cloud.sqlite") as cloud:
        row = cloud.execute("SELECT token FROM resources WHERE key = ?", (key,)).fetchone()
    return bool(row) and row[0] == MADE_BY_AZURE


def _plain(value: Any, outputs: bool = True) -> Any:  # noqa: ANN401 - values of the state have no common type
    if isinstance(value, dict):
        if "4dabf18193072939515e22adb298388d" in value:
            return "(secret)"
        left = _OF_ONE_RUN if outputs else _OF_ONE_RUN | {"outputs"}
        return {key: _plain(item, outputs) for key, item in value.items() if key not in left}
    if isinstance(value, list):
        references = all(isinstance(item, str) and item.startswith("urn:pulumi:") for item in value)
        return sorted(value) if references else [_plain(item, outputs) for item in value]
    return value
