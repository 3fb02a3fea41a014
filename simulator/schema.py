"""The schema of each resource type of the installed SDK, read once and kept for all later processes.

Owns the file that keeps it: a table of descriptions by name in the cache directory (``AKS_GEODE_CACHE``, by default
``~/.cache/aks-geode``), one file for each combination of SDK versions. Reading the SDK takes a server three seconds
of its first deployment; the file makes that none. Where it cannot be written, the SDK is read each time.
"""

from __future__ import annotations

import functools
import hashlib
import importlib
import importlib.metadata
import json
import os
import platform
import sqlite3
import types
from contextlib import suppress
from pathlib import Path
from typing import Final

from simulator.type_shapes import ObjectShape, ResourceSchema, dumped

_PACKAGES: Final = ("pulumi", "pulumi-azure-native", "pulumi-azuread")
_WAIT_S: Final = 10.0


@functools.cache
def resource_schema(token: str) -> ResourceSchema | None:
    """Return the schema of a type token, or ``None`` when the SDK has no such class."""
    kept = _kept().get(token)
    if kept is None:
        read: ResourceSchema | None = _sdk_reader().read_resource(token)
        _kept().put(token, dumped(read))
        return read
    document = json.loads(kept)
    return ResourceSchema.of(document) if document is not None else None


@functools.cache
def object_shape(name: str) -> ObjectShape:
    """Return the shape of a nested object by the name that a value's shape holds."""
    kept = _kept().get(name)
    if kept is None:
        read: ObjectShape = _sdk_reader().read_object(name)
        _kept().put(name, dumped(read))
        return read
    return ObjectShape.of(json.loads(kept))


class KeptDescriptions:
    """A file with one description a row; several processes may read and write it at once.

    Any failure of the file makes it empty for this process and nothing more: the SDK is there to be read.
    """

    def __init__(self, path: Path) -> None:
        self._rows: sqlite3.Connection | None = None
        with suppress(OSError, sqlite3.Error):
            path.parent.mkdir(parents=True, exist_ok=True)
            rows = sqlite3.connect(path, timeout=_WAIT_S, isolation_level=None, check_same_thread=False)
            rows.execute("PRAGMA journal_mode = WAL")
            rows.execute("PRAGMA synchronous = OFF")  # a lost row is read from the SDK again
            rows.execute("CREATE TABLE IF NOT EXISTS description (name TEXT PRIMARY KEY, document TEXT NOT NULL)")
            self._rows = rows

    def get(self, name: str) -> str | None:
        """Return a description, or ``None`` when it was never kept."""
        if self._rows is not None:
            with suppress(sqlite3.Error):
                found = self._rows.execute("SELECT document FROM description WHERE name = ?", (name,)).fetchone()
                return str(found[0]) if found else None
        return None

    def put(self, name: str, document: str) -> None:
        """Keep a description."""
        if self._rows is not None:
            with suppress(sqlite3.Error):
                self._rows.execute("INSERT OR REPLACE INTO description VALUES (?, ?)", (name, document))


def kept_file() -> Path:
    """Return the file of the installed SDK; another version, or another way of reading it, has another file."""
    folder = Path(os.environ.get("AKS_GEODE_CACHE") or Path.home() / ".cache" / "aks-geode")
    source = hashlib.sha256()
    for name in _PACKAGES:
        source.update(f"{name}={importlib.metadata.version(name)}\n".encode())
    source.update(platform.python_version().encode())
    for module in ("sdk_reader.py", "type_shapes.py"):
        source.update(Path(__file__).with_name(module).read_bytes())
    return folder / "schema" / f"{source.hexdigest()[:16]}.sqlite"


@functools.cache
def _kept() -> KeptDescriptions:
    return KeptDescriptions(kept_file())


def _sdk_reader() -> types.ModuleType:
    """Return the reader; imported only when it is needed, for that alone takes longer than most deployments' rules."""
    return importlib.import_module("simulator.sdk_reader")
