"""When a change has taken effect: Azure says that it succeeded, and the edge or the directory learns of it later.

Keeps what each resource of a slow type was and since when. The delays are those of ``latencies.json``; Front Door's are
up to 20 minutes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from simulator.cloud_store import CloudStore
from simulator.faults import Operation
from simulator.latency import propagation_seconds
from simulator.protocol_values import Properties

_TABLE: Final = "CREATE TABLE IF NOT EXISTS effects (number INTEGER PRIMARY KEY, key TEXT NOT NULL, id TEXT NOT NULL, "
_TABLES: Final = (
    _TABLE + "token TEXT NOT NULL, at REAL NOT NULL, outputs TEXT)",
    "CREATE INDEX IF NOT EXISTS effects_by_key ON effects (key, at)",
)
_ORIGIN: Final = "azure-native:cdn:AFDOrigin"


@dataclass(frozen=True)
class EdgeOrigin:
    """An origin of Front Door as it is configured and as the edge serves it at a moment; ``None`` where it is not."""

    resource_id: str
    configured: Properties | None
    at_the_edge: Properties | None


class Propagation:
    """The history of slow changes of one cloud."""

    def __init__(self, store: CloudStore) -> None:
        self._store = store
        with store.transaction():
            for statement in _TABLES:
                store.connection.execute(statement)

    def note(self, operation: Operation, now: float) -> None:
        """Keep what an operation left behind, when its type is one that takes effect late."""
        if propagation_seconds(operation.token):
            stored = self._store.get(operation.resource_id)
            text = json.dumps(stored.outputs) if stored else None
            row = (operation.resource_id.lower(), operation.resource_id, operation.token, now, text)
            with self._store.transaction():
                self._store.connection.execute(
                    "INSERT INTO effects (key, id, token, at, outputs) VALUES (?, ?, ?, ?, ?)", row
                )

    def effective(self, resource_id: str, now: float, delay: float | None = None) -> Properties | None:
        """Return a resource as it has taken effect at a time; ``None`` when there is none in effect.

        ``delay`` replaces the seconds of the table.
        """
        rows = self._store.connection.execute(
            "SELECT token, at, outputs FROM effects WHERE key = ? ORDER BY number DESC", (resource_id.lower(),)
        )
        for token, at, outputs in rows.fetchall():
            if at + (propagation_seconds(token) if delay is None else delay) <= now:
                found: dict[str, Any] | None = json.loads(outputs) if outputs else None
                return found
        return None

    def origins(self, now: float, delay: float | None = None) -> Iterator[EdgeOrigin]:
        """Yield every origin of Front Door that is configured or still served."""
        rows = self._store.connection.execute(
            "SELECT id FROM effects WHERE token = ? GROUP BY key ORDER BY key", (_ORIGIN,)
        ).fetchall()
        for (resource_id,) in rows:
            stored = self._store.get(resource_id)
            origin = EdgeOrigin(
                resource_id, stored.outputs if stored else None, self.effective(resource_id, now, delay)
            )
            if origin.configured or origin.at_the_edge:
                yield origin


def edge_report(store: CloudStore, now: float, delay: float | None = None) -> str:
    """Return the origins as text, one line each: what is configured and what the edge serves at a time."""
    lines = [
        f"{item.resource_id.rsplit('/', 1)[1]}: configured {_origin(item.configured)}; "
        f"at the edge {_origin(item.at_the_edge)}"
        for item in Propagation(store).origins(now, delay)
    ]
    return "\n".join(lines) if lines else "Front Door has no origin."


def _origin(outputs: Properties | None) -> str:
    if outputs is None:
        return "not there"
    return (
        f"{outputs.get('enabledState')}, priority {outputs.get('priority')}, weight {outputs.get('weight')}, "
        f"{outputs.get('hostName')}"
    )
