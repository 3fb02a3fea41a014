"""Runs the engine for a pipeline: a preview as JSON, an update, against Azure or against the simulated one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import FrameType
from typing import Final

from tools.engine import engine_bin_directory
from tools.engine_build import EngineError
from tools.pipeline_stacks import PipelineError, StackFile, ordered_stacks

PARALLEL: Final = "32"
"""Azure answers slowly and takes many requests at once; the engine's own default follows the machine's cores."""
_SIMULATOR: Final = (sys.executable, "-m", "simulator")


def preview(root: Path, stack: StackFile, output: Path, *, simulated: bool, base: Path | None = None) -> int:
    """Write the preview of a stack to a file as JSON and return the engine's exit code.

    With `simulated`, what the stack builds on is deployed to the simulated Azure first; with `base`, another checkout,
    the stack itself as it is there, so that the preview shows what this checkout changes.
    """
    engine = ("pulumi", "preview", "--stack", stack.name, "--json", "--non-interactive", "--parallel", PARALLEL)
    if not simulated:
        return run(engine, root, _environment(), output)
    code = _prepare(root, stack, base)
    return code or run((*_SIMULATOR, "run", "--", *engine), root, os.environ, output)


def up(root: Path, stack: StackFile) -> int:
    """Deploy a stack to Azure and return the engine's exit code. The preview was a step of its own."""
    engine = ("pulumi", "up", "--stack", stack.name, "--yes", "--skip-preview", "--non-interactive")
    return run((*engine, "--parallel", PARALLEL), root, _environment())


def run(command: Sequence[str], folder: Path, environment: Mapping[str, str], output: Path | None = None) -> int:
    """Run a command and return its exit code; its output goes to a file if one is given.

    An interruption is passed on as one SIGINT, and its end awaited: the engine then finishes what runs and saves its
    state. A cancelled job that killed it would leave a locked stack and resources that nobody knows of.
    """
    with ExitStack() as stack:
        file = stack.enter_context(output.open("wb")) if output is not None else None
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=file, process_group=0)

        def interrupt(_number: int, _frame: FrameType | None) -> None:
            process.send_signal(signal.SIGINT)

        before = {number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            code = process.wait()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
    return code if code >= 0 else 128 - code


def _prepare(root: Path, stack: StackFile, base: Path | None) -> int:
    """Deploy what the preview starts from: the base's stacks, then this checkout's shared stack."""
    home = str(root / ".simulator")
    if base is not None:
        wanted = {stack.name, stack.shared_stack}
        there = [each.name for each in ordered_stacks(base) if each.name in wanted]
        if there:
            _lend_environment(base)
            code = _deploy(root, home, base, there)
            if code:
                return code
    return _deploy(root, home, root, [stack.shared_stack]) if stack.shared_stack is not None else 0


def _deploy(root: Path, home: str, project: Path, stacks: Sequence[str]) -> int:
    named = [argument for name in stacks for argument in ("--stack", name)]
    command = (*_SIMULATOR, "up", "--home", home, "--project-directory", str(project), *named)
    return run(command, root, os.environ)


def _lend_environment(base: Path) -> None:
    """Give the other checkout this one's packages: newer engines look for them in its own `.venv`."""
    if not (base / ".venv").exists():
        (base / ".venv").symlink_to(sys.prefix)


def _environment() -> dict[str, str]:
    try:
        engine = engine_bin_directory()
    except EngineError as error:
        raise PipelineError(str(error)) from None
    # The virtual environment comes first: an engine built from modules takes its Python from there.
    path = os.pathsep.join([str(Path(sys.executable).parent), str(engine), os.environ.get("PATH", "")])
    return {**os.environ, "PATH": path, "PULUMI_SKIP_UPDATE_CHECK": "true"}
