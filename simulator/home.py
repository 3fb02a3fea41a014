"""The folder where the simulated Azure of one checkout lives, and the environment that the engine runs in.

Owns paths and environment variables. ``.simulator/`` in the project's root is the default; everything in it may be
deleted.
"""

from __future__ import annotations

import importlib
import os
import secrets
import sys
from dataclasses import dataclass
from pathlib import Path


class UsageError(Exception):
    """Something that the user can put right; shown as one sentence."""


def project_root(start: Path) -> Path:
    """Return the folder with ``Pulumi.yaml`` at or above a folder.

    Raises:
        UsageError: there is none.
    """
    for folder in (start, *start.parents):
        if (folder / "Pulumi.yaml").is_file():
            return folder
    raise UsageError(
        f"no Pulumi.yaml in {start} or above it; run this inside the project or name it with --project-directory"
    )


@dataclass(frozen=True)
class Home:
    """The files of one simulated Azure and of the engine's state for it."""

    path: Path

    @property
    def cloud_file(self) -> Path:
        """The cloud itself."""
        return self.path / "cloud.sqlite"

    @property
    def stacks(self) -> Path:
        """The copies of the stack files, with secrets; a project folder of its own for the engine."""
        return self.path / "stacks"

    @property
    def passphrase_file(self) -> Path:
        """What encrypts the development secrets."""
        return self.path / "passphrase"

    def prepare(self) -> None:
        """Make the folders and the passphrase when they are missing."""
        for folder in (self.path, self.path / "state", self.stacks, self.path / "logs"):
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o700)
        ignore = self.path / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n")
        if not self.passphrase_file.exists():
            descriptor = os.open(self.passphrase_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(secrets.token_urlsafe(32))

    def environment(self, port: int | None) -> dict[str, str]:
        """Return the environment for the engine; with a port, its Azure providers are the simulated ones."""
        environment = dict(os.environ)
        for name in ("PULUMI_CONFIG_PASSPHRASE", "PULUMI_ACCESS_TOKEN", "PULUMI_STACK_CONFIG_FILE"):
            environment.pop(name, None)
        folders = [str(Path(sys.executable).parent), str(self.engine_folder())]
        environment.update(
            AKS_GEODE_SIMULATED="1",
            PATH=os.pathsep.join([*folders, environment.get("PATH", "")]),
            PULUMI_BACKEND_URL=f"file://{self.path / 'state'}",
            PULUMI_CONFIG_PASSPHRASE_FILE=str(self.passphrase_file),
            PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION="true",
            PULUMI_HOME=str(self.path / "pulumi"),
            PULUMI_SKIP_UPDATE_CHECK="true",
        )
        if port is not None:
            environment["PULUMI_DEBUG_PROVIDERS"] = f"azure-native:{port},azuread:{port}"
        return environment

    def engine_folder(self) -> Path:
        """Return the folder that holds the ``pulumi`` program.

        Raises:
            UsageError: it was never set up.
        """
        if "AKS_GEODE_ENGINE_BIN" in os.environ:
            return Path(os.environ["AKS_GEODE_ENGINE_BIN"])
        note = self.path / ".engine-path"
        if note.exists():
            return Path(note.read_text().strip())
        try:
            engine = importlib.import_module("tools.engine")
        except ModuleNotFoundError:
            engine = None
        if engine is not None:
            try:
                return Path(engine.engine_bin_directory())
            except Exception as error:
                raise UsageError(f"the engine is not set up ({error}); run `make setup`") from error
        cached = sorted(Path.home().glob(".cache/aks-geode/engine/*/bin/pulumi"))
        if cached:
            return cached[-1].parent
        raise UsageError("the engine is not set up; run `make setup`")
