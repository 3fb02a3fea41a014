"""A copy of the project for the real engine: its own stack files, state and simulated cloud, the program linked."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from simulator.home import Home
from simulator.wrapper import with_config_file
from tests.e2e.servers import port_of, stop

SOURCE = Path(__file__).parents[2]
_PROGRAM = ("foundation", "shared", "stamps")
_TIMEOUT_SECONDS = 600
_PASSPHRASE = os.environ.get("PYTEST_XDIST_TESTRUNUID") or secrets.token_urlsafe(32)
"""The same in all processes of a test run, for one copies what another deployed. It guards nothing but test data."""
_secrets: dict[str, bytes] = {}
"""Encrypted certificates by the name of their file."""


@dataclass(frozen=True)
class Finished:
    """What a command answered."""

    code: int
    output: str

    def succeeded(self) -> Finished:
        """Return itself, or fail the test with the command's output."""
        assert self.code == 0, self.output
        return self


@dataclass(frozen=True)
class Project:
    """One fleet in a folder of its own."""

    root: Path
    checkpoints: bool = False
    """Whether the engine writes its state after every step: it takes half of a run and matters when one is killed."""

    @classmethod
    def make(cls, root: Path, stacks: tuple[str, ...] = ("shared", "eastus2", "centralus")) -> Project:
        """Return a project in `root` with the tracked files of the named stacks."""
        root.mkdir(parents=True, exist_ok=True)
        for folder in _PROGRAM:
            (root / folder).symlink_to(SOURCE / folder)
        for file in ("Pulumi.yaml", "__main__.py", *(f"Pulumi.{stack}.yaml" for stack in stacks)):
            shutil.copy(SOURCE / file, root / file)
        made = cls(root)
        made.give_secrets()
        return made

    def give_secrets(self) -> None:
        """Give the project the encrypted certificates that another of this process made for the same host names.

        They take the engine three commands for each stack, and whoever has them and the passphrase can read them.
        """
        home = Home(self.home)
        (home.path / "stacks").mkdir(parents=True, exist_ok=True)
        home.passphrase_file.write_text(_PASSPHRASE, encoding="utf-8")
        home.passphrase_file.chmod(0o600)
        for name, content in _secrets.items():
            (home.stacks / name).write_bytes(content)

    def _keep_secrets(self) -> None:
        for file in Home(self.home).stacks.glob("*.secrets.json"):
            _secrets.setdefault(file.name, file.read_bytes())

    def copy(self, root: Path) -> Project:
        """Return a project in `root` with this one's stack files, state and simulated cloud; no engine may run."""
        made = Project.make(root, ())
        for pattern in ("Pulumi*.yaml", "__main__.py"):
            for file in self.root.glob(pattern):
                shutil.copy(file, made.root / file.name)
        stop(Home(self.home))
        shutil.copytree(self.home, made.home, dirs_exist_ok=True)
        return made

    @property
    def home(self) -> Path:
        """Where state and simulated cloud lie."""
        return self.root / ".simulator"

    def simulator(self, *arguments: str) -> Finished:
        """Run `python -m simulator` with a verb and its options."""
        verb, *rest = arguments
        command = [sys.executable, "-m", "simulator", verb, "--project-directory", str(self.root), *rest]
        return self._run(command, {**os.environ, "PYTHONPATH": str(SOURCE)})

    def pulumi(self, *arguments: str) -> Finished:
        """Run the engine against the simulated Azure, as `python -m simulator run` does."""
        home = Home(self.home)
        port = port_of(home)
        command = with_config_file(["pulumi", *arguments, "--non-interactive"], self.root, home)
        self._keep_secrets()
        return self._run(command, home.environment(port))

    def _run(self, command: Sequence[str], environment: Mapping[str, str]) -> Finished:
        """Run a command in a process group of its own, and end what it leaves behind when it was killed."""
        skipped = {"PULUMI_SKIP_CHECKPOINTS": "false" if self.checkpoints else "true"}
        process = subprocess.Popen(
            command,
            cwd=self.root,
            env={**environment, **skipped},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            process_group=0,
        )
        try:
            output, _ = process.communicate(timeout=_TIMEOUT_SECONDS)
        finally:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
        return Finished(process.returncode, output)

    def up(self, stack: str) -> Finished:
        """Deploy one stack."""
        return self.pulumi("up", "--stack", stack, "--yes", "--skip-preview")

    def unchanged(self, stack: str, *more: str) -> None:
        """Fail if a preview of the stack shows any change."""
        done = self.pulumi("preview", "--stack", stack, "--expect-no-changes", "--diff", *more)
        assert done.code == 0, done.output

    def export(self, stack: str) -> dict[str, Any]:
        """Return the stack's exported state; that needs the engine alone, and no cloud."""
        done = subprocess.run(
            ["pulumi", "stack", "export", "--stack", stack, "--non-interactive"],
            cwd=self.root,
            env=Home(self.home).environment(None),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        exported: dict[str, Any] = json.loads(done.stdout)
        return exported

    def resources(self, stack: str) -> list[dict[str, Any]]:
        """Return the resources of the stack's state, without its root."""
        found = self.export(stack)["deployment"].get("resources", [])
        return [resource for resource in found if not resource["type"].startswith("pulumi:pulumi:Stack")]

    def edit(self, stack: str, change: dict[str, Any], *, of: str | None = None) -> None:
        """Change keys of a stack file's one object, or write a new file as a changed copy of another's."""
        content = yaml.safe_load((self.root / f"Pulumi.{of or stack}.yaml").read_text(encoding="utf-8"))
        (settings,) = (value for key, value in content["config"].items() if isinstance(value, dict))
        _merge(settings, change)
        (self.root / f"Pulumi.{stack}.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")

    def cloud_ids(self) -> set[str]:
        """Return the ids of everything that stands in the simulated cloud."""
        with sqlite3.connect(self.home / "cloud.sqlite") as cloud:
            return {row[0] for row in cloud.execute("SELECT id FROM resources")}


def _merge(settings: dict[str, Any], change: dict[str, Any]) -> None:
    for key, value in change.items():
        if isinstance(value, dict) and isinstance(settings.get(key), dict):
            _merge(settings[key], value)
        else:
            settings[key] = value


def stamp(region: str, number: int, day: str, name: str | None = None) -> dict[str, Any]:
    """Return what makes a stamp file its own: region, ranges, names and day."""
    label = name or region
    return {
        "region": region,
        "network": {
            "hub": f"10.200.{number}.0/24",
            "spoke": f"10.{240 + number}.0.0/16",
            "pods": f"10.{61 + number}.0.0/16",
            "services": f"172.{13 + number}.0.0/16",
        },
        "gateway": {"hostName": f"{label}.edge.contoso.com"},
        "ingress": {"hostName": f"{label}.aks-ingress.contoso.com"},
        "maintenance": {"day": day},
    }


def counts(output: str) -> dict[str, int]:
    """Return the engine's closing counts: created, updated, replaced, deleted, unchanged."""
    return {
        word: int(number) for number, word in re.findall(r"(\d+) (created|updated|replaced|deleted|unchanged)", output)
    }
