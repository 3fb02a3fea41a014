"""The project's stack files and their copies with development secrets.

The tracked ``Pulumi.<stack>.yaml`` holds no secret and no salt, as both are bound to a passphrase. The engine
therefore works
on a copy under the simulator's home, rebuilt from the tracked file at each run; the encrypted secrets are kept beside
it.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import yaml

from simulator.development_secrets import RENEW_BEFORE, make_certificate
from simulator.home import Home, UsageError

_CERTIFICATES: Final[Mapping[str, tuple[str, ...]]] = {
    "gatewayCertificate": ("gateway", "hostName"),
    "ingressCertificate": ("ingress", "hostName"),
}
"""Secret configuration keys of a stamp, and where its stack file says for which host name."""


@dataclass(frozen=True)
class StackFile:
    """One tracked stack file."""

    stack: str
    path: Path
    project: str
    settings: Mapping[str, Any]
    """The whole file."""

    @property
    def configuration(self) -> Mapping[str, Any]:
        """The ``config`` section."""
        return self.settings.get("config") or {}

    @property
    def is_shared(self) -> bool:
        """Whether the stack is one of shared services."""
        return f"{self.project}:shared" in self.configuration

    @property
    def is_stamp(self) -> bool:
        """Whether the stack is a deployment stamp."""
        return f"{self.project}:stamp" in self.configuration

    def host_names(self) -> dict[str, str]:
        """Return the host name of each certificate that the stack needs, by configuration key."""
        found = {}
        for key, path in _CERTIFICATES.items():
            value: Any = self.configuration.get(f"{self.project}:stamp")
            for step in path:
                value = value.get(step) if isinstance(value, Mapping) else None
            if isinstance(value, str):
                found[f"{self.project}:{key}"] = value
        return found


def stack_files(root: Path) -> list[StackFile]:
    """Return the tracked stack files of a project, by name.

    Raises:
        UsageError: a file is no YAML mapping.
    """
    project = str(_load(root / "Pulumi.yaml").get("name"))
    paths = sorted(root.glob("Pulumi.*.yaml"))
    return [
        StackFile(path.name.removeprefix("Pulumi.").removesuffix(".yaml"), path, project, _load(path)) for path in paths
    ]


class StackPreparation:
    """Makes stacks and the copies of their files ready for the engine."""

    def __init__(self, root: Path, home: Home) -> None:
        self._root = root
        self._home = home
        self._environment = home.environment(None)

    def prepare(self, stack: str) -> Path | None:
        """Return the stack file that the engine is to use, or ``None`` when the project tracks none of that name."""
        tracked = next((item for item in stack_files(self._root) if item.stack == stack), None)
        if tracked is None:
            return None
        with self._locked():
            (self._home.stacks / "Pulumi.yaml").write_bytes((self._root / "Pulumi.yaml").read_bytes())
            copy = self._home.stacks / f"Pulumi.{stack}.yaml"
            self.initialise(tracked)
            encrypted = self._encrypted_secrets(tracked, copy)
            settings = {**tracked.settings, "config": {**tracked.configuration, **encrypted["config"]}}
            settings["encryptionsalt"] = encrypted["encryptionsalt"]
            copy.write_text(yaml.safe_dump(settings, sort_keys=False))
            copy.chmod(0o600)
        return copy

    def initialise(self, tracked: StackFile) -> None:
        """Make the engine's stack when it is missing."""
        state = self._home.path / "state" / ".pulumi" / "stacks" / tracked.project / f"{tracked.stack}.json"
        if not state.exists():
            self._pulumi("stack", "init", tracked.stack, "--no-select", "--non-interactive")

    def remove(self, stack: str) -> None:
        """Remove an empty stack, its history and its copy."""
        with self._locked():
            self._pulumi("stack", "rm", stack, "--yes", "--non-interactive", "--preserve-config")
            (self._home.stacks / f"Pulumi.{stack}.yaml").unlink(missing_ok=True)
            (self._home.stacks / f"{stack}.secrets.json").unlink(missing_ok=True)

    def _encrypted_secrets(self, tracked: StackFile, copy: Path) -> dict[str, Any]:
        cache = self._home.stacks / f"{tracked.stack}.secrets.json"
        names = tracked.host_names()
        if cache.exists():
            kept: dict[str, Any] = json.loads(cache.read_text())
            if kept["names"] == names and datetime.fromisoformat(kept["ends"]) - datetime.now(UTC) > RENEW_BEFORE:
                return kept
        ends = datetime.max.replace(tzinfo=UTC)
        copy.unlink(missing_ok=True)
        # A secret that is always there gives the copy its salt, also for stacks without certificates.
        values = {f"{tracked.project}:simulated": "true"}
        for key, host_name in names.items():
            certificate = make_certificate(host_name)
            values[key] = certificate.pfx_base64
            ends = min(ends, certificate.ends)
        for key, value in values.items():
            self._pulumi("config", "set", "--secret", key, "--stack", tracked.stack, "--non-interactive", stdin=value)
        written = _load(copy)
        encrypted = {key: written["config"][key] for key in names}
        kept = {
            "names": names,
            "ends": ends.isoformat(),
            "encryptionsalt": written["encryptionsalt"],
            "config": encrypted,
        }
        cache.write_text(json.dumps(kept))
        cache.chmod(0o600)
        return kept

    def _pulumi(self, *arguments: str, stdin: str = "") -> None:
        command = ["pulumi", *arguments, "--cwd", str(self._home.stacks)]
        done = subprocess.run(command, input=stdin, env=self._environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise UsageError(f"`pulumi {' '.join(arguments[:3])}` failed: {(done.stderr or done.stdout).strip()}")

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        # Two runs at once would write one copy, and the engine's workspace file does not stand parallel writers.
        with (self._home.path / "prepare.lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def _load(path: Path) -> dict[str, Any]:
    try:
        loaded = yaml.safe_load(path.read_text())
    except yaml.YAMLError as error:
        raise UsageError(f"{path.name} is no YAML: {error}") from None
    if not isinstance(loaded, dict):
        raise UsageError(f"{path.name} must hold a mapping")
    return loaded
