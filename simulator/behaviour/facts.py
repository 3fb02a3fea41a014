"""Facts about one simulated cloud that rules read and that its user may set, such as a lower quota.

They stand in the cloud's file, so every server on it sees them at once.
"""

from __future__ import annotations

from simulator.cloud_store import CloudStore


def read_fact(store: CloudStore, name: str) -> str | None:
    """Return a fact, or ``None`` when nobody has set it."""
    row = store.connection.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
    return None if row is None else str(row[0])


def read_facts(store: CloudStore, prefix: str) -> dict[str, str]:
    """Return all facts whose name begins with a text, by the rest of their name."""
    rows = store.connection.execute(
        "SELECT name, value FROM facts WHERE name >= ? AND name < ?", (prefix, prefix + "\U0010ffff")
    )
    return {str(name).removeprefix(prefix): str(value) for name, value in rows}


def write_fact(store: CloudStore, name: str, value: str | None) -> None:
    """Set a fact inside a transaction; ``None`` forgets it."""
    store.connection.execute("DELETE FROM facts WHERE name = ?", (name,))
    if value is not None:
        store.connection.execute("INSERT INTO facts VALUES (?, ?)", (name, value))


def set_fact(store: CloudStore, name: str, value: str | None) -> None:
    """Set a fact from outside, in a transaction of its own; ``None`` forgets it."""
    with store.transaction():
        write_fact(store, name, value)
