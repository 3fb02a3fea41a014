"""What has to hold between the stamps of one fleet, checked on the stack files that stand beside each other.

Pure functions on configuration; no resource, no state of another stack. Two VNets, pod or service ranges that overlap
can never be peered or routed later, two stamps whose windows overlap let one bad image meet both at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from pathlib import Path
from typing import Any, get_args

import yaml

from foundation.configuration import Problem, load
from stamps.cluster_config import Day
from stamps.config import StampConfig

STAMP_KEY = "aks-geode:stamp"


def stack_files(project: Path) -> dict[str, dict[str, Any]]:
    """Return the `config` of every stack file of the project by stack name. A file without one is left out."""
    found: dict[str, dict[str, Any]] = {}
    for file in sorted(project.glob("Pulumi.*.yaml")):
        content = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
        config = content.get("config") if isinstance(content, dict) else None
        if isinstance(config, dict):
            found[file.name.removeprefix("Pulumi.").removesuffix(".yaml")] = config
    return found


def sibling_stamps(project: Path, stack: str, config: StampConfig) -> dict[str, StampConfig]:
    """Return the other stamps of the same fleet, those that name the same shared stack.

    Raises:
        pulumi.RunError: when a sibling's file is not valid, with that file's problems.
    """
    siblings = {
        name: load(StampConfig, content[STAMP_KEY], file=f"Pulumi.{name}.yaml", key=STAMP_KEY)
        for name, content in stack_files(project).items()
        if STAMP_KEY in content and name != stack
    }
    return {name: sibling for name, sibling in siblings.items() if sibling.shared_stack == config.shared_stack}


def conflicts(stack: str, config: StampConfig, siblings: Mapping[str, StampConfig]) -> list[Problem]:
    """Return where `config` is in conflict with another stamp: address ranges, host names, maintenance window."""
    problems = []
    for name, sibling in siblings.items():
        for key, network in _ranges(config).items():
            for other_key, other in _ranges(sibling).items():
                if network.overlaps(other):
                    expected = f"a range that does not overlap network.{other_key} ({other}) of the stamp {name}"
                    problems.append(Problem(f"{STAMP_KEY}.network.{key}", str(network), expected, ""))
        for key, host, other_host in (
            ("gateway.hostName", config.gateway.host_name, sibling.gateway.host_name),
            ("ingress.hostName", config.ingress.host_name, sibling.ingress.host_name),
        ):
            if host == other_host:
                expected = f"a host name of its own, the stamp {name} has this one"
                problems.append(Problem(f"{STAMP_KEY}.{key}", host, expected, f"{stack}.edge.contoso.com"))
        if config.maintenance.overlaps(sibling.maintenance):
            window = f"{config.maintenance.day} {config.maintenance.start_time}, {config.maintenance.duration_hours} h"
            expected = f"a window that does not overlap that of the stamp {name}"
            problems.append(
                Problem(f"{STAMP_KEY}.maintenance", window, expected, f"day: {_free_day(config, siblings)}")
            )
    return problems


def fleet_conflicts(stamps: Mapping[str, StampConfig]) -> dict[str, list[Problem]]:
    """Return the problems of every stamp of a fleet that has some, each pair told once, at the later stamp."""
    told: dict[str, list[Problem]] = {}
    for (first, one), (second, other) in combinations(stamps.items(), 2):
        told.setdefault(second, []).extend(conflicts(second, other, {first: one}))
    return {name: problems for name, problems in told.items() if problems}


def _ranges(config: StampConfig) -> dict[str, Any]:
    network = config.network
    return {"hub": network.hub, "spoke": network.spoke, "pods": network.pods, "services": network.services}


def _free_day(config: StampConfig, siblings: Mapping[str, StampConfig]) -> str:
    for day in get_args(Day):
        window = config.maintenance.model_copy(update={"day": day})
        if not any(window.overlaps(sibling.maintenance) for sibling in siblings.values()):
            return str(day)
    return f"{config.maintenance.day}, with a shorter durationHours and another startTime"
