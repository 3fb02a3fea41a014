"""The log of what the simulated Azure did and when: one row for each write, in the cloud's file."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Final

from simulator.cloud_store import CloudStore
from simulator.faults import Operation

_TABLES: Final = (
    (
        "CREATE TABLE IF NOT EXISTS operations (number INTEGER PRIMARY KEY, session TEXT NOT NULL, kind TEXT NOT NULL, "
        "token TEXT NOT NULL, urn TEXT NOT NULL, id TEXT NOT NULL, requested REAL NOT NULL, begun REAL NOT NULL, "
        "ended REAL NOT NULL, outcome TEXT NOT NULL)"
    ),
    "CREATE INDEX IF NOT EXISTS operations_by_session ON operations (session)",
)
_COLUMNS: Final = "kind, token, urn, id, requested, begun, ended, outcome"


@dataclass(frozen=True)
class LoggedOperation:
    """A write with its times in simulated seconds; from ``requested`` to ``begun`` it waited for others."""

    operation: Operation
    requested: float
    begun: float
    ended: float
    outcome: str

    @property
    def waited(self) -> float:
        """Seconds for which throttling or another operation held it back."""
        return self.begun - self.requested


class OperationLog:
    """The log of one cloud; every server that writes it is a session."""

    def __init__(self, store: CloudStore) -> None:
        self._store = store
        self._session = str(uuid.uuid4())
        with store.transaction():
            for statement in _TABLES:
                store.connection.execute(statement)

    def add(self, operation: Operation, requested: float, begun: float, ended: float, outcome: str) -> None:
        """Log an operation that has ended."""
        row = (operation.kind, operation.token, operation.urn, operation.resource_id, requested, begun, ended, outcome)
        with self._store.transaction():
            self._store.connection.execute(
                f"INSERT INTO operations (session, {_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608 - a constant of this module
                (self._session, *row),
            )

    def last_end(self) -> float:
        """Return when the last operation ended, 0 in a new cloud: the next server's clock goes on from there."""
        row = self._store.connection.execute("SELECT max(ended) FROM operations").fetchone()
        return float(row[0] or 0)

    def last_session(self) -> list[LoggedOperation]:
        """Return the operations of the last server that had any, in the order of their ends."""
        rows = self._store.connection.execute(
            f"SELECT {_COLUMNS} FROM operations WHERE session = "  # noqa: S608 - a constant of this module of this module
            "(SELECT session FROM operations ORDER BY number DESC LIMIT 1) ORDER BY ended, number"
        )
        return [
            LoggedOperation(Operation(kind, token, urn, resource_id), requested, begun, ended, outcome)
            for kind, token, urn, resource_id, requested, begun, ended, outcome in rows.fetchall()
        ]
