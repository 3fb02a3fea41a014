"""The file that holds the simulated cloud.

Owns the SQLite tables and their transactions: resources by lower-cased id, their inline children, who refers to whom,
names
that stay reserved after a soft delete. Several servers may use one file at once. Knows no rule of Azure and keeps no
secret:
in place of a secret it stores a salted digest, so that a change can be noticed.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from simulator.protocol_values import Properties, Secret, Value, map_secrets

_TABLES: Final = """
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS resources (
  key TEXT PRIMARY KEY, id TEXT NOT NULL, arm_type TEXT NOT NULL, token TEXT NOT NULL,
  inputs TEXT NOT NULL, outputs TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS resources_by_type ON resources (arm_type);
CREATE TABLE IF NOT EXISTS inline_children (key TEXT NOT NULL, owner TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS inline_by_key ON inline_children (key);
CREATE INDEX IF NOT EXISTS inline_by_owner ON inline_children (owner);
CREATE TABLE IF NOT EXISTS refers (source TEXT NOT NULL, target TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS refers_by_source ON refers (source);
CREATE INDEX IF NOT EXISTS refers_by_target ON refers (target);
CREATE TABLE IF NOT EXISTS reserved_names (
  kind TEXT NOT NULL, name TEXT NOT NULL, id TEXT NOT NULL, purge_protected INTEGER NOT NULL, PRIMARY KEY (kind, name));
CREATE TABLE IF NOT EXISTS busy (key TEXT PRIMARY KEY, until REAL NOT NULL);
"""
_DIGEST_KEY: Final = "$secretDigest"
_VERSION: Final = "1"


@dataclass(frozen=True)
class StoredResource:
    """One resource of the cloud. Secrets in it are digests."""

    id: str
    arm_type: str
    token: str
    inputs: Properties
    outputs: Properties


class CloudStore:
    """The cloud's file. Every method that writes must run inside ``transaction``."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(path, timeout=60, isolation_level=None, check_same_thread=False)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=OFF")  # a simulated cloud may be lost with the machine's power
        path.chmod(0o600)
        with self.transaction():
            for statement in _TABLES.split(";"):
                self._connection.execute(statement)
            self.fact("version", _VERSION)
            self._salt = bytes.fromhex(self.fact("salt", secrets.token_hex(16)))

    @property
    def connection(self) -> sqlite3.Connection:
        """The open file, for modules that keep tables of their own in it."""
        return self._connection

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Hold the file's write lock; everything inside is kept or, on an exception, nothing of it."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def fact(self, name: str, default: str | None = None) -> str:
        """Return a fact about this cloud, such as its subscription; the first default given stays."""
        row = self._connection.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        if row is None:
            value = default if default is not None else str(uuid.uuid4())
            self._connection.execute("INSERT INTO facts VALUES (?, ?)", (name, value))
            return value
        return str(row[0])

    def get(self, resource_id: str) -> StoredResource | None:
        """Return a resource by its id in any casing."""
        row = self._connection.execute(
            "SELECT id, arm_type, token, inputs, outputs FROM resources WHERE key = ?", (resource_id.lower(),)
        ).fetchone()
        return _stored(row) if row else None

    def put(
        self, resource_id: str, arm_type: str, token: str, inputs: Properties, outputs: Properties, children: list[str],
        targets: set[str],
    ) -> None:  # fmt: skip
        """Write a resource with the ids of its inline children and of all that it refers to."""
        key = resource_id.lower()
        self._forget(key)
        self._connection.execute(
            "INSERT INTO resources VALUES (?, ?, ?, ?, ?, ?)",
            (key, resource_id, arm_type.lower(), token, json.dumps(self.seal(inputs)), json.dumps(self.seal(outputs))),
        )
        self._connection.executemany("INSERT INTO inline_children VALUES (?, ?)", [(c.lower(), key) for c in children])
        self._connection.executemany("INSERT INTO refers VALUES (?, ?)", [(key, t.lower()) for t in targets])

    def update_outputs(self, resource_id: str, outputs: Properties) -> None:
        """Replace the outputs of a resource that Azure itself changes."""
        self._connection.execute(
            "UPDATE resources SET outputs = ? WHERE key = ?", (json.dumps(self.seal(outputs)), resource_id.lower())
        )

    def update_values(self, resource_id: str, inputs: Properties, outputs: Properties) -> None:
        """Replace inputs and outputs of a resource that somebody changed behind the programs' back."""
        self._connection.execute(
            "UPDATE resources SET inputs = ?, outputs = ? WHERE key = ?",
            (json.dumps(self.seal(inputs)), json.dumps(self.seal(outputs)), resource_id.lower()),
        )

    def delete(self, resource_id: str) -> None:
        """Forget one resource, not those below it."""
        self._forget(resource_id.lower())

    def exists(self, resource_id: str) -> bool:
        """Tell whether an id is a resource or an inline child of one."""
        key = resource_id.rstrip("/").lower()
        query = "SELECT 1 FROM resources WHERE key = ? UNION ALL SELECT 1 FROM inline_children WHERE key = ? LIMIT 1"
        return self._connection.execute(query, (key, key)).fetchone() is not None

    def owner_of(self, child_id: str) -> StoredResource | None:
        """Return the resource that an inline child belongs to."""
        row = self._connection.execute(
            "SELECT owner FROM inline_children WHERE key = ?", (child_id.lower(),)
        ).fetchone()
        return self.get(row[0]) if row else None

    def below(self, resource_id: str) -> list[StoredResource]:
        """Return all resources under an id, the deepest first."""
        prefix = resource_id.lower().rstrip("/") + "/"
        rows = self._connection.execute(
            "SELECT id, arm_type, token, inputs, outputs FROM resources WHERE key >= ? AND key < ? ORDER BY key DESC",
            (prefix, prefix[:-1] + "0"),  # "0" follows "/" in ASCII
        ).fetchall()
        return [_stored(row) for row in rows]

    def of_type(self, arm_type: str, naming: str = "") -> list[StoredResource]:
        """Return all resources of a Resource Manager type, or those whose inputs hold a text somewhere, in any case.

        Reading each of them takes long in a large fleet; the text is looked for before that.
        """
        rows = self._connection.execute(
            "SELECT id, arm_type, token, inputs, outputs FROM resources "
            "WHERE arm_type = ? AND instr(lower(inputs), ?) > 0 ORDER BY key",
            (arm_type.lower(), naming.lower()),
        ).fetchall()
        return [_stored(row) for row in rows]

    def all_tokens(self) -> list[tuple[str, str]]:
        """Return every id in the cloud with the type token that made it."""
        return [(row[0], row[1]) for row in self._connection.execute("SELECT id, token FROM resources ORDER BY key")]

    def referring_to(self, target_id: str) -> list[StoredResource]:
        """Return the resources that name an id, or an id below it, in their inputs; not those below it themselves."""
        prefix = target_id.lower()
        rows = self._connection.execute(
            "SELECT DISTINCT r.id, r.arm_type, r.token, r.inputs, r.outputs FROM "
            "refers f JOIN resources r ON r.key = f.source "
            "WHERE f.target = ? OR (f.target >= ? AND f.target < ?) ORDER BY r.key",
            (prefix, prefix + "/", prefix + "0"),
        ).fetchall()
        found = [_stored(row) for row in rows]
        return [item for item in found if not (item.id.lower() + "/").startswith(prefix + "/")]

    def targets_of(self, resource_id: str) -> list[str]:
        """Return the lower-cased ids that a resource names in its inputs."""
        rows = self._connection.execute("SELECT target FROM refers WHERE source = ?", (resource_id.lower(),))
        return [str(row[0]) for row in rows]

    def reserve_name(self, kind: str, name: str, resource_id: str, purge_protected: bool) -> None:
        """Keep a globally unique name after its resource was soft-deleted."""
        self._connection.execute(
            "INSERT OR REPLACE INTO reserved_names VALUES (?, ?, ?, ?)",
            (kind, name.lower(), resource_id, purge_protected),
        )

    def free_name(self, kind: str, name: str) -> None:
        """Give a reserved name free again: its resource was recovered."""
        self._connection.execute("DELETE FROM reserved_names WHERE kind = ? AND name = ?", (kind, name.lower()))

    def reserved_names(self, kind: str) -> dict[str, tuple[str, bool]]:
        """Return the reserved names of a kind with the former id and whether purge protection holds them."""
        rows = self._connection.execute("SELECT name, id, purge_protected FROM reserved_names WHERE kind = ?", (kind,))
        return {name: (resource_id, bool(protected)) for name, resource_id, protected in rows}

    def occupy(self, key: str, now: float, until: float) -> bool:
        """Mark something as under change until a time; false when it already is."""
        row = self._connection.execute("SELECT until FROM busy WHERE key = ?", (key,)).fetchone()
        if row and row[0] > now:
            return False
        self._connection.execute("INSERT OR REPLACE INTO busy VALUES (?, ?)", (key, until))
        return True

    def release(self, key: str) -> None:
        """End the mark that ``occupy`` made."""
        self._connection.execute("DELETE FROM busy WHERE key = ?", (key,))

    def seal(self, value: Value) -> Value:
        """Return a value with every secret replaced by a digest that only this cloud can compare."""

        def digest(secret: Secret) -> dict[str, str]:
            text = json.dumps(self.seal(secret.value), sort_keys=True).encode()
            return {_DIGEST_KEY: hmac.new(self._salt, text, hashlib.sha256).hexdigest()}

        return map_secrets(value, digest)

    def unseal(self, sealed: Value, known: Value) -> Value:
        """Return a stored value with its digests replaced by the secrets that the caller knows.

        A digest that the caller's value does not match becomes a secret with a plain remark: Azure does not give out
        secret values either, and the engine then sees the difference.
        """
        if isinstance(sealed, dict):
            if _DIGEST_KEY in sealed:
                candidate = known if isinstance(known, Secret) else Secret(known)
                same = known is not None and self.seal(candidate) == sealed
                return candidate if same else Secret("(the secret in the cloud is another one)")
            inner = known.value if isinstance(known, Secret) else known
            lookup = inner if isinstance(inner, dict) else {}
            return {key: self.unseal(item, lookup.get(key)) for key, item in sealed.items()}
        if isinstance(sealed, list):
            items = known if isinstance(known, list) else []
            return [self.unseal(item, items[i] if i < len(items) else None) for i, item in enumerate(sealed)]
        return sealed

    def _forget(self, key: str) -> None:
        self._connection.execute("DELETE FROM resources WHERE key = ?", (key,))
        self._connection.execute("DELETE FROM inline_children WHERE owner = ?", (key,))
        self._connection.execute("DELETE FROM refers WHERE source = ?", (key,))


def _stored(row: tuple[str, str, str, str, str]) -> StoredResource:
    return StoredResource(row[0], row[1], row[2], json.loads(row[3]), json.loads(row[4]))
