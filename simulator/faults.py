"""Faults on demand: what tests let go wrong, kept in the cloud's file so that every server and run sees the same.

Owns which operation a fault strikes. What happens then is up to ``operations``.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from typing import Final, Literal, get_args

from simulator.cloud_store import CloudStore
from simulator.latency import short_token

Kind = Literal["fail", "throttle", "lose-answer", "kill-engine", "kill-program", "kill-server"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
_TABLES: Final = (
    "CREATE TABLE IF NOT EXISTS faults (number INTEGER PRIMARY KEY, fault TEXT NOT NULL, seen INTEGER NOT NULL)",
    (
        "CREATE TABLE IF NOT EXISTS fault_hits (fault INTEGER NOT NULL, operation TEXT NOT NULL, "
        "PRIMARY KEY (fault, operation))"
    ),
)


@dataclass(frozen=True)
class Operation:
    """One write that the engine asks for. ``kind`` is create, update or delete; the id is Azure's."""

    kind: str
    token: str
    urn: str
    resource_id: str

    @property
    def stack(self) -> str:
        """The stack in the URN."""
        return self.urn.split("::")[0].removeprefix("urn:pulumi:")


@dataclass(frozen=True)
class Fault:
    """What goes wrong, and when.

    ``lose-answer`` and, with ``after``, the kills strike when Azure has finished and the engine does not know it yet;
    otherwise a kill strikes while Azure works. ``fail`` and ``throttle`` change nothing in the cloud; a throttled
    request gets through after ``times`` refusals, if azure-native repeats it that often.
    """

    kind: Kind
    token: str = "*"  # noqa: S105 - the name of a type
    """The SDK's type, such as ``network:AzureFirewall``, or a pattern of it."""
    operation: str = "*"
    """``create``, ``update``, ``delete``, or ``*`` for each of them."""
    urn: str = "*"
    """A pattern of the resource's URN."""
    nth: int = 1
    """Which of the operations that match, counted from 1."""
    every: bool = False
    """Strike every matching operation once, in place of the n-th."""
    after: bool = False
    """Strike when the operation is done, not before."""
    times: int = 1
    """How often a throttled request is refused."""

    def matches(self, operation: Operation) -> bool:
        """Tell whether an operation is one that this fault counts."""
        return (
            fnmatchcase(short_token(operation.token), self.token)
            and self.operation in ("*", operation.kind)
            and fnmatchcase(operation.urn, self.urn)
        )


class Faults:
    """The faults of one cloud."""

    def __init__(self, store: CloudStore) -> None:
        self._store = store
        with store.transaction():
            for statement in _TABLES:
                store.connection.execute(statement)

    def add(self, fault: Fault) -> None:
        """Arm a fault."""
        with self._store.transaction():
            self._store.connection.execute(
                "INSERT INTO faults (fault, seen) VALUES (?, 0)", (json.dumps(asdict(fault)),)
            )

    def clear(self) -> None:
        """Disarm all faults and forget what they struck."""
        with self._store.transaction():
            self._store.connection.execute("DELETE FROM faults")
            self._store.connection.execute("DELETE FROM fault_hits")

    def armed(self) -> list[tuple[Fault, int]]:
        """Return the faults with the number of operations that each has struck."""
        rows = self._store.connection.execute(
            "SELECT fault, (SELECT count(*) FROM fault_hits WHERE fault_hits.fault = number) FROM faults"
        )
        return [(Fault(**json.loads(text)), hits) for text, hits in rows.fetchall()]

    def struck_by(self, operation: Operation) -> Fault | None:
        """Count an operation and return the fault that strikes it, if one does."""
        rows = self._store.connection.execute("SELECT number, fault, seen FROM faults ORDER BY number").fetchall()
        if not rows:
            return None
        with self._store.transaction():
            for number, text, _ in rows:
                fault = Fault(**json.loads(text))
                if fault.matches(operation) and self._strikes(number, fault, operation):
                    return fault
        return None

    def _strikes(self, number: int, fault: Fault, operation: Operation) -> bool:
        execute = self._store.connection.execute
        execute("UPDATE faults SET seen = seen + 1 WHERE number = ?", (number,))
        key = f"{operation.kind} {operation.urn}"
        if fault.every:
            struck = execute("SELECT 1 FROM fault_hits WHERE fault = ? AND operation = ?", (number, key)).fetchone()
            if struck:
                return False
        elif execute("SELECT seen FROM faults WHERE number = ?", (number,)).fetchone()[0] != fault.nth:
            return False
        execute("INSERT OR REPLACE INTO fault_hits VALUES (?, ?)", (number, key))
        return True
