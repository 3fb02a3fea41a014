"""How long Azure takes for an operation: the figures of ``latencies.json``, each with its source."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

LATENCY_FILE: Final = Path(__file__).with_name("latencies.json")


@functools.cache
def latencies() -> Mapping[str, Any]:
    """Return the whole table as it stands in the file."""
    table: Mapping[str, Any] = json.loads(LATENCY_FILE.read_text())
    return table


def seconds_for(token: str, kind: str) -> float:
    """Return the seconds that Azure takes to ``create``, ``update`` or ``delete`` a resource of an SDK type."""
    table = latencies()
    figures = table["types"].get(short_token(token), table["default"])
    return float(figures[kind])


def propagation_seconds(token: str) -> float:
    """Return the seconds after which a finished change of a type has taken effect everywhere; 0 for most types."""
    found = latencies()["propagation"].get(short_token(token))
    return float(found["seconds"]) if found else 0


def short_token(token: str) -> str:
    """Return ``network:AzureFirewall`` for ``azure-native:network:AzureFirewall``; Entra's tokens stay whole."""
    return token.removeprefix("azure-native:")
