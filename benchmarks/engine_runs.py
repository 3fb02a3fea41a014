"""Copies of the project for the real engine, each with a simulated Azure of its own, and timed runs in them.

Everything lies in one folder that the caller removes. Nothing is written into the checkout.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.measurement import BenchmarkError, Sample
from simulator.home import Home
from simulator.progress import failure_report
from simulator.stack_files import StackFile, StackPreparation, stack_files
from simulator.wrapper import running_server

SOURCE: Final = Path(__file__).parents[1]
PREVIEW: Final = ("preview",)
DEPLOY: Final = ("up", "--yes", "--skip-preview")
UNCHANGED: Final = (*DEPLOY, "--expect-no-changes")
_PACKAGES: Final = ("foundation", "shared", "stamps")
_PROBE: Final = Path(__file__).parent / "program_probe"
_ENGINE_FLAGS: Final = ("--non-interactive", "--color", "never", "--parallel", "32")
_TIMEOUT_SECONDS: Final = 300


@dataclass(frozen=True)
class ProbeNote:
    """What the program's process said of itself, and what it printed through the engine."""

    memory: int
    processor: float
    modules: frozenset[str]
    output: str


@dataclass(frozen=True)
class Copy:
    """A project folder, its stack file for the engine and its simulated Azure."""

    stack: str
    root: Path
    home: Home

    @property
    def configuration(self) -> Path:
        """The stack file with its secrets."""
        return self.home.stacks / f"Pulumi.{self.stack}.yaml"


def chosen_stacks(root: Path) -> tuple[StackFile, StackFile]:
    """Return the stack file of the first region and that of the shared stack which it names."""
    files = stack_files(root)
    shared = next((item for item in files if item.is_shared), None)
    stamp = next((item for item in files if item.is_stamp), None)
    if shared is None or stamp is None:
        raise BenchmarkError(f"{root} needs the stack files of a shared stack and of a region")
    return shared, stamp


def make_project(root: Path) -> None:
    """Make a project folder with links to the program's packages and to this interpreter's virtual environment."""
    root.mkdir(parents=True)
    (root / ".venv").symlink_to(sys.prefix)
    for package in _PACKAGES:
        (root / package).symlink_to(SOURCE / package)
    for file in (SOURCE / "Pulumi.yaml", SOURCE / "__main__.py", *SOURCE.glob("Pulumi.*.yaml")):
        shutil.copy(file, root / file.name)


def copy_home(home: Home, path: Path) -> Home:
    """Return a copy of a simulated Azure with the engine's state; none of its servers may be running."""
    shutil.copytree(home.path, path)
    return Home(path)


def prepare(copy: Copy, stack: str) -> None:
    """Make the stack and its file with secrets."""
    copy.home.prepare()
    StackPreparation(copy.root, copy.home).prepare(stack)


def environment(home: Home, port: int | None) -> dict[str, str]:
    """Return the engine's environment. Byte code may be cached, or every run would compile the program anew."""
    made = home.environment(port)
    made.pop("PYTHONDONTWRITEBYTECODE", None)
    return made


def set_secrets(copy: Copy, namespace: str, values: Mapping[str, str]) -> None:
    """Add secrets to a copy's stack file; they reach the engine over its standard input."""
    for key, value in values.items():
        command = [
            "pulumi", "config", "set", "--secret", f"{namespace}:{key}", "--non-interactive",
            "--stack", copy.stack, "--config-file", str(copy.configuration),
        ]  # fmt: skip
        _engine(command, copy.root, environment(copy.home, None), value)


def exported(copy: Copy) -> list[dict[str, Any]]:
    """Return the resources of a copy's state, with secrets in clear text: keep them in memory or in the copies."""
    command = ["pulumi", "stack", "export", "--show-secrets", "--stack", copy.stack, "--non-interactive"]
    deployment = json.loads(_engine(command, copy.root, environment(copy.home, None)))["deployment"]
    found: list[dict[str, Any]] = deployment.get("resources", [])
    return found


def deploy(copy: Copy, *, exists: bool = False) -> ProbeNote:
    """Deploy a copy's stack, unless it exists, and prove that one more `up` finds nothing to change."""
    with running_server(copy.home) as port:
        made = {**environment(copy.home, port), "PULUMI_SKIP_CHECKPOINTS": "true"}
        if not exists:
            run(copy, DEPLOY, made)
        return run(copy, UNCHANGED, made)


def timed(copy: Copy, verb: Sequence[str], environment: Mapping[str, str]) -> Sample:
    """Run one engine command and return the time of the whole process and the memory of its program."""
    started = time.perf_counter()
    note = run(copy, verb, environment)
    return Sample(time.perf_counter() - started, note.processor, note.memory)


def run(copy: Copy, verb: Sequence[str], environment: Mapping[str, str], profile: Path | None = None) -> ProbeNote:
    """Run one engine command on a copy's stack; with `profile`, the program writes its profile there.

    Raises:
        BenchmarkError: it failed, or took longer than five minutes.
    """
    command = ["pulumi", *verb, *_ENGINE_FLAGS, "--stack", copy.stack, "--config-file", str(copy.configuration)]
    with tempfile.TemporaryDirectory(prefix="probe-") as folder:
        probed = {
            **environment,
            "AKS_GEODE_PROBE_FOLDER": folder,
            "AKS_GEODE_PROBE_PROFILE": "1" if profile else "",
            "PYTHONPATH": os.pathsep.join([str(_PROBE), *filter(None, [environment.get("PYTHONPATH")])]),
        }
        output = _engine(command, copy.root, probed)
        notes = [json.loads(file.read_text(encoding="utf-8")) for file in Path(folder).glob("*.json")]
        if len(notes) != 1:
            raise BenchmarkError(f"{len(notes)} programs instead of one ran in `pulumi {verb[0]}`:\n{output}")
        if profile:
            shutil.copy(Path(folder) / "program.profile", profile)
    return ProbeNote(notes[0]["memory"], notes[0]["processor"], frozenset(notes[0]["modules"]), output)


def _engine(command: Sequence[str], folder: Path, environment: Mapping[str, str], given: str = "") -> str:
    process = subprocess.Popen(
        command, cwd=folder, env=dict(environment), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, process_group=0,
    )  # fmt: skip
    try:
        output, _ = process.communicate(given, timeout=_TIMEOUT_SECONDS)
    except subprocess.TimeoutExpired:
        raise BenchmarkError(f"`{' '.join(command[:3])}` took longer than {_TIMEOUT_SECONDS} s") from None
    finally:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)  # a language host can be left behind
        process.wait()
    if process.returncode:
        report = failure_report(output.splitlines())
        raise BenchmarkError(f"`{' '.join(command[:2])}` failed in {folder.parent.name}/{folder.name}:\n{report}")
    return output
