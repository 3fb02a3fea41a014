"""Which stacks a checkout has, and in which order a pipeline deploys them: read from the stack files alone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from stamps.config import StampConfig

SHARED_KEY = "aks-geode:shared"
STAMP_KEY = "aks-geode:stamp"
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


class PipelineError(Exception):
    """Something that a person has to put right; shown as one sentence."""


@dataclass(frozen=True)
class StackFile:
    """One stack. `shared_stack` is the stack that a stamp builds on, None for a shared stack itself."""

    name: str
    shared_stack: str | None
    takes_traffic: bool


def ordered_stacks(root: Path) -> list[StackFile]:
    """Return the stacks of a checkout in the order of their deployment.

    Shared stacks come first. Stamps that take no traffic (drained, or with their origin disabled) come before the
    others, so that a bad change meets them first. Within each kind the name decides.

    Raises:
        PipelineError: there is no stack file, or one cannot be read.
    """
    found = [_stack_file(file) for file in sorted(root.glob("Pulumi.*.yaml")) if not file.name.endswith(".local.yaml")]
    stacks = [stack for stack in found if stack is not None]
    if not stacks:
        raise PipelineError(f"there is no stack file in {root}: expected for example Pulumi.shared.yaml")
    return sorted(stacks, key=lambda stack: (stack.shared_stack is not None, stack.takes_traffic, stack.name))


def stack_named(root: Path, name: str) -> StackFile:
    """Return one stack by its name.

    Raises:
        PipelineError: the checkout has no such stack file.
    """
    stacks = ordered_stacks(root)
    for stack in stacks:
        if stack.name == name:
            return stack
    raise PipelineError(f"there is no Pulumi.{name}.yaml; the stacks are {', '.join(each.name for each in stacks)}")


def _stack_file(file: Path) -> StackFile | None:
    name = file.name.removeprefix("Pulumi.").removesuffix(".yaml")
    if not _NAME.fullmatch(name):
        raise PipelineError(f"{file.name}: expected a stack name of lower-case letters, digits and single hyphens")
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise PipelineError(f"{file.name} is no YAML: {error}") from None
    config = content.get("config") if isinstance(content, dict) else None
    if not isinstance(config, dict):
        return None
    if SHARED_KEY in config:
        return StackFile(name, None, takes_traffic=True)
    if STAMP_KEY not in config:
        return None
    settings = config[STAMP_KEY]
    stamp: dict[str, Any] = settings if isinstance(settings, dict) else {}
    origin = stamp.get("frontDoorOrigin")
    enabled = origin.get("enabled", True) if isinstance(origin, dict) else True
    shared = str(stamp.get("sharedStack", StampConfig.model_fields["shared_stack"].default))
    return StackFile(name, shared, takes_traffic=bool(enabled) and not stamp.get("drained", False))
