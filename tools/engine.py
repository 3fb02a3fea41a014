"""Finds the Pulumi engine (the `pulumi` command and its Python language host), or installs it once per machine.

A recent `pulumi` on PATH is used as it is. Otherwise the engine lives in a cache outside the checkout
(`AKS_GEODE_CACHE`, by default `~/.cache/aks-geode`), filled from the official release or, where that cannot be
reached, built from the Go modules pinned in `engine_modules/`. Whoever starts the engine puts
`engine_bin_directory()` on PATH, with the virtual environment's `bin` before it: the language host built from
modules ignores Pulumi's `virtualenv` option and takes `python3` from PATH.
"""

import argparse
import fcntl
import functools
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tools import engine_build, engine_download
from tools.engine_build import ENGINE_VERSION, MODULES, EngineError

OLDEST_USABLE = (3, 250)
"""The first engine version that this program is known to run on."""

PROGRAMS = ("pulumi", "pulumi-language-python", "pulumi-language-python-exec")


def engine_bin_directory() -> Path:
    """Return the directory that holds `pulumi` and its Python language host; EngineError when there is none yet."""
    directory = installed_bin_directory()
    if directory is None:
        raise EngineError(
            "No usable Pulumi engine is installed: run `make setup`, which finds, downloads or builds it."
        )
    return directory


def installed_bin_directory() -> Path | None:
    """Return the engine on PATH when it is recent enough, else the cached one, else None."""
    on_path = _engine_on_path(os.environ.get("PATH", ""))
    if on_path is not None:
        return on_path
    cached = cached_bin_directory()
    return cached if is_complete(cached) else None


def cached_bin_directory() -> Path:
    """Return where this checkout's engine lies in the cache; another version, or other modules, lie elsewhere."""
    return _cache_directory() / f"{ENGINE_VERSION}-{_modules_hash()}" / "bin"


def install(*, offline: bool = False) -> Path:
    """Make sure that an engine exists and return its directory; with `offline`, nothing is downloaded ready-made."""
    directory = installed_bin_directory()
    if directory is not None:
        return directory
    if (found := shutil.which("pulumi")) is not None:
        needed = ".".join(map(str, OLDEST_USABLE))
        print(f"engine: {found} is older than {needed} or lacks a Python language host; leaving it alone")
    target = cached_bin_directory()
    cache = _cache_directory()
    with _lock(cache):
        if is_complete(target):
            return target
        for leftover in cache.glob(".partial-*"):
            shutil.rmtree(leftover, ignore_errors=True)
        partial = Path(tempfile.mkdtemp(prefix=".partial-", dir=cache))
        try:
            _fill(partial / "bin", offline=offline)
            partial.chmod(0o755)
            shutil.rmtree(target.parent, ignore_errors=True)
            partial.rename(target.parent)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    return target


def version_of(program: Path | str) -> tuple[int, ...] | None:
    """Ask a `pulumi` program for its version, `(3, 259, 0)`; None when it does not answer with one."""
    environment = os.environ | {"PULUMI_SKIP_UPDATE_CHECK": "true"}
    try:
        answer = subprocess.run(
            [str(program), "version"], capture_output=True, text=True, timeout=30, check=False, env=environment
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return parse_version(answer.stdout) if answer.returncode == 0 else None


def parse_version(text: str) -> tuple[int, ...] | None:
    """Read `v3.259.0` (suffixes such as `-alpha.1` are dropped); None when the text is no version."""
    match = re.match(r"v?(\d+)\.(\d+)\.(\d+)", text.strip())
    return tuple(int(part) for part in match.groups()) if match else None


def is_complete(directory: Path) -> bool:
    """Say whether a directory holds the engine and its Python language host, all executable."""
    return all(os.access(directory / program, os.X_OK) for program in PROGRAMS)


@functools.lru_cache(maxsize=8)
def _engine_on_path(search_path: str) -> Path | None:
    found = shutil.which("pulumi", path=search_path)
    if found is None:
        return None
    # Homebrew and others link each program; the engine itself looks beside its resolved file.
    beside = [directory for directory in (Path(found).parent, Path(found).resolve().parent) if is_complete(directory)]
    if not beside:
        return None
    version = version_of(found)
    return beside[0] if version is not None and version >= OLDEST_USABLE else None


def _fill(directory: Path, *, offline: bool) -> None:
    """Put the engine into an empty directory: the official release if it can be had, else a build."""
    obstacle = "not tried (--offline)"
    if not offline:
        try:
            _timed("downloading the official release", lambda: engine_download.download(directory))
        except engine_download.DownloadError as error:
            obstacle = str(error)
            print(f"engine: no download ({obstacle})")
        else:
            return
    if shutil.which("go") is None:
        raise EngineError(
            f"Pulumi {ENGINE_VERSION} can be neither downloaded ({obstacle}) nor built (no `go` on PATH): "
            "install Pulumi or Go, for example from pulumi.com or go.dev, then run `make setup` again."
        )
    _timed("building from pinned Go modules (3 minutes on two idle cores, once)", lambda: engine_build.build(directory))


def _timed(what: str, work: Callable[[], None]) -> None:
    print(f"engine: Pulumi {ENGINE_VERSION}: {what}", flush=True)
    start = time.monotonic()
    work()
    print(f"engine: done in {time.monotonic() - start:.0f} s", flush=True)


def _cache_directory() -> Path:
    if own := os.environ.get("AKS_GEODE_CACHE"):
        return Path(own).expanduser() / "engine"
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "aks-geode" / "engine"


def _modules_hash() -> str:
    digest = hashlib.sha256()
    for path in sorted(MODULES.rglob("go.*")):
        digest.update(path.relative_to(MODULES).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


@contextmanager
def _lock(cache: Path) -> Iterator[None]:
    """Let one process at a time fill the cache; the operating system drops the lock of a killed one."""
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / ".lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("engine: another process is installing it; waiting", flush=True)
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def main(arguments: list[str] | None = None) -> int:
    """Run `python -m tools.engine install [--offline]` or `python -m tools.engine path`."""
    parser = argparse.ArgumentParser(prog="python -m tools.engine", description="Find or install the Pulumi engine.")
    parser.add_argument("command", choices=["install", "path"])
    parser.add_argument("--offline", action="store_true", help="do not try the official download")
    options = parser.parse_args(arguments)
    try:
        if options.command == "install":
            install(offline=options.offline)
        else:
            print(engine_bin_directory())
    except EngineError as error:
        print(f"engine: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
