"""Provides Azurite, Microsoft's emulator of Azure's blob storage, for the tests of the state's backend, and runs it.

It comes from npm: the package and all that it needs are pinned, with checksums, in `azurite_modules/`. It lies in the
same cache outside the checkout as the engine does (`AKS_GEODE_CACHE`, by default `~/.cache/aks-geode`). Node.js has to
be there already.
"""

from __future__ import annotations

import argparse
import base64
import fcntl
import hashlib
import hmac
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from http.client import HTTPConnection
from pathlib import Path

MODULES = Path(__file__).with_name("azurite_modules")
ACCOUNT = "devstoreaccount1"
PUBLIC_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""No secret: Microsoft publishes account and key of its emulator, the same for everybody.

Source: https://learn.microsoft.com/azure/storage/common/storage-connect-azurite
"""

_SERVICE_VERSION = "2021-12-02"
_START_SECONDS = 60
_LOOK_SECONDS = 0.05
_PORTS = range(20000, 30000)
"""Below those that Linux and macOS hand out by themselves."""
_CREATED = 201
_EXISTS = 409


class AzuriteError(Exception):
    """Azurite cannot be had or does not start; the text is for the user."""


def missing_programs() -> list[str]:
    """Return what Azurite needs and this machine lacks."""
    return [program for program in ("node", "npm") if shutil.which(program) is None]


def install() -> Path:
    """Return Azurite's blob service, a program for Node.js; it is installed on first use (about a minute)."""
    cache = _cache_directory()
    target = cache / _pins()
    entry = Path("node_modules", "azurite", "dist", "src", "blob", "main.js")
    if missing := missing_programs():
        raise AzuriteError(
            f"Azurite needs Node.js, and {' and '.join(missing)} cannot be found on PATH: install Node.js 18 or newer "
            "with npm, for example from nodejs.org."
        )
    with _lock(cache):
        if not (target / entry).exists():
            for leftover in cache.glob(".partial-*"):
                shutil.rmtree(leftover, ignore_errors=True)
            print("azurite: installing from npm (about a minute, once)", file=sys.stderr, flush=True)
            with tempfile.TemporaryDirectory(prefix=".partial-", dir=cache) as partial:
                _fill(Path(partial) / "made")
                shutil.rmtree(target, ignore_errors=True)
                (Path(partial) / "made").rename(target)
    return target / entry


@dataclass
class Azurite:
    """One emulated storage service; its data outlive it in `folder`, also when it was killed."""

    folder: Path
    port: int = 0
    """Chosen at the first start, and kept."""
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def start(self) -> None:
        """Start it and wait until it listens.

        Raises:
            AzuriteError: it cannot be had or did not start.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = self.port or _free_port()
        options = ["--silent", "--disableTelemetry", "--disableProductStyleUrl", "--skipApiVersionCheck"]
        command = ["node", str(install()), "--location", str(self.folder), "--blobPort", str(self.port), *options]
        with (self.folder / "azurite.log").open("w+") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
            until = time.monotonic() + _START_SECONDS
            told = ""
            while "successfully listens" not in told:
                ended = self._process.poll() is not None or time.monotonic() > until
                told = Path(log.name).read_text(encoding="utf-8")
                if ended and "successfully listens" not in told:
                    self.kill()
                    raise AzuriteError(f"Azurite did not start: {told.strip() or 'it said nothing'}")
                time.sleep(_LOOK_SECONDS)

    def kill(self) -> None:
        """End it as a power cut does. Of the last five seconds it may forget what it had already confirmed."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def environment(self, container: str) -> dict[str, str]:
        """Return what makes the engine keep its state in a container here, in place of Azure."""
        other_logins = (
            "AZURE_STORAGE_CONNECTION_STRING",
            "AZURE_STORAGEBLOB_CONNECTIONSTRING",
            "AZURE_STORAGE_SAS_TOKEN",
        )
        return {
            **dict.fromkeys(other_logins, ""),
            "AZURE_STORAGE_ACCOUNT": ACCOUNT,
            "AZURE_STORAGE_KEY": PUBLIC_KEY,
            "AZURE_STORAGE_DOMAIN": f"127.0.0.1:{self.port}",
            "AZURE_STORAGE_PROTOCOL": "http",
            "AZURE_STORAGE_IS_LOCAL_EMULATOR": "true",
            "PULUMI_BACKEND_URL": f"azblob://{container}?storage_account={ACCOUNT}",
        }

    def create_container(self, name: str) -> None:
        """Make a container; one that exists is left as it is. The engine never makes its own."""
        headers = {"x-ms-date": formatdate(usegmt=True), "x-ms-version": _SERVICE_VERSION}
        signed = "".join(f"{key}:{value}\n" for key, value in sorted(headers.items()))
        text = "PUT" + "\n" * 12 + signed + f"/{ACCOUNT}/{ACCOUNT}/{name}\nrestype:container"
        digest = hmac.digest(base64.b64decode(PUBLIC_KEY), text.encode(), hashlib.sha256)
        headers["Authorization"] = f"SharedKey {ACCOUNT}:{base64.b64encode(digest).decode()}"
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("PUT", f"/{ACCOUNT}/{name}?restype=container", headers=headers)
            answer = connection.getresponse()
            if answer.status not in (_CREATED, _EXISTS):
                raise AzuriteError(f"the container {name} was not made: {answer.status} {answer.read().decode()}")
        finally:
            connection.close()


def _free_port() -> int:
    """Return a port that nobody has, and that the system gives to no connection while Azurite is away."""
    for port in random.sample(_PORTS, 100):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AzuriteError(f"no free port was found between {_PORTS[0]} and {_PORTS[-1]}")


def _fill(folder: Path) -> None:
    folder.mkdir()
    for file in ("package.json", "package-lock.json"):
        shutil.copy(MODULES / file, folder / file)
    # No package of the lock needs a script of its own to be installed; so none may run one.
    command = ["npm", "ci", "--ignore-scripts", "--omit=dev", "--no-audit", "--no-fund", "--loglevel=error"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise AzuriteError(f"npm cannot install Azurite: {done.stderr.strip() or done.stdout.strip()}")


def _pins() -> str:
    digest = hashlib.sha256()
    for file in sorted(MODULES.glob("package*.json")):
        digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


def _cache_directory() -> Path:
    if own := os.environ.get("AKS_GEODE_CACHE"):
        return Path(own).expanduser() / "azurite"
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "aks-geode" / "azurite"


@contextmanager
def _lock(cache: Path) -> Iterator[None]:
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / ".lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def main(arguments: list[str] | None = None) -> int:
    """Run `python -m tools.azurite install`: install it if it is missing, and tell where it lies."""
    parser = argparse.ArgumentParser(prog="python -m tools.azurite", description=main.__doc__)
    parser.add_argument("command", choices=["install"])
    parser.parse_args(arguments)
    try:
        print(install())
    except AzuriteError as error:
        print(f"azurite: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
