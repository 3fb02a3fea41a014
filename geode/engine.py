"""The Pulumi CLI as this command uses it: export, import, preview and refresh of one stack, in one backend."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tools.engine import engine_bin_directory
from tools.engine_build import EngineError

PARALLEL: Final = "32"
"""Azure answers slowly and takes many requests at once."""


class RecoveryError(Exception):
    """Something that stops the recovery; the text says what and what to do."""


@dataclass(frozen=True)
class Preview:
    """What the engine would do, and with which inputs: the steps as shown, the plan with encrypted secrets."""

    steps: tuple[dict[str, Any], ...]
    plan: Mapping[str, dict[str, Any]]


@dataclass(frozen=True)
class Engine:
    """Runs the CLI on one stack of the project in `root`. `environment` decides on backend and credentials."""

    root: Path
    stack: str
    config_file: Path
    environment: Mapping[str, str]

    def run(self, *arguments: str, text: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run a command of the CLI on the stack, whatever it answers."""
        command = ["pulumi", *arguments, "--stack", self.stack, "--cwd", str(self.root), "--non-interactive"]
        given: dict[str, Any] = {"input": text} if text is not None else {"stdin": subprocess.DEVNULL}
        environment = dict(self.environment)
        return subprocess.run(  # noqa: S603 - the engine, with words of our own
            command, env=environment, capture_output=True, text=True, check=False, **given
        )

    def answer(self, *arguments: str, text: str | None = None) -> str:
        """Run a command of the CLI and return what it printed.

        Raises:
            RecoveryError: with the engine's own words, when it fails.
        """
        done = self.run(*arguments, text=text)
        if done.returncode:
            told = "\n  ".join((_diagnostics(done.stdout) or done.stderr or done.stdout).strip().splitlines())
            raise RecoveryError(f"`pulumi {' '.join(arguments[:2])}` failed for the stack {self.stack}:\n  {told}")
        return done.stdout

    def export(self) -> dict[str, Any]:
        """Return the stack's state; secrets in it are encrypted."""
        state: dict[str, Any] = json.loads(self.answer("stack", "export"))
        return state

    def replace_state(self, state: Mapping[str, Any]) -> None:
        """Write the stack's state."""
        self.answer("stack", "import", text=json.dumps(state))

    def preview(self, plan_file: Path) -> Preview:
        """Return what an `up` would do."""
        # --show-sames: what an adopted resource would have as inputs is needed when nothing changes, too.
        text = self.answer(
            "preview", "--json", "--show-sames", "--save-plan", str(plan_file), "--parallel", PARALLEL,
            "--config-file", str(self.config_file),
        )  # fmt: skip
        shown = json.loads(text[text.index("{") :])
        plan = json.loads(plan_file.read_text(encoding="utf-8"))
        return Preview(tuple(shown.get("steps") or ()), plan.get("resourcePlans") or {})

    def refresh(self) -> None:
        """Let the provider read every resource of the state; what is not there leaves the state."""
        self.answer(
            "refresh", "--yes", "--skip-preview", "--parallel", PARALLEL, "--config-file", str(self.config_file)
        )


def engine_environment() -> dict[str, str]:
    """Return the environment of the CLI: this interpreter first on PATH, and the project's engine if none is there.

    Raises:
        RecoveryError: there is no engine.
    """
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    if shutil.which("pulumi", path=path) is None:
        try:
            path = os.pathsep.join([path, str(engine_bin_directory())])
        except EngineError as error:
            raise RecoveryError(str(error)) from None
    return {**os.environ, "PATH": path, "PULUMI_SKIP_UPDATE_CHECK": "true"}


def _diagnostics(output: str) -> str:
    """Return the errors in the JSON that a failed preview prints."""
    try:
        shown = json.loads(output[output.index("{") :])
    except ValueError:
        return ""
    told = [item for item in shown.get("diagnostics") or () if item.get("severity") == "error"]
    return "\n".join(str(item.get("message", "")).strip() for item in told)
