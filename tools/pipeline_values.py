"""What of a preview may be shown: values of changed properties, never one that is secret or looks like it.

The engine masks what it knows to be secret. A value is kept back here as well when its name or its look says so: a
pull request's comments are read by more people than the state.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

MASK: Final = "[secret]"
_UNKNOWN: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""What the engine writes into a preview's JSON for a string that Azure has yet to give."""
_SECRET_NAME: Final = re.compile(
    r"password|passphrase|secret|certificate|private.?key|pfx|token|connection.?string|(access|account|shared|api).?key",
    re.IGNORECASE,
)
_SECRET_LOOK: Final = re.compile(r"(?=[A-Za-z+=_]*[0-9])[A-Za-z0-9+=_]{32,}|-----BEGIN|eyJ[\w-]{10,}\.|[?&]sig=")
"""Keys and signatures: long runs with a digit (a mere long word has none), PEM, web tokens, storage signatures."""
_STEP: Final = re.compile(r'\["((?:[^"\\]|\\.)*)"\]|\[(\d+)\]|([^.\[\]]+)')
_LONGEST: Final = 100


def masked(text: str) -> str:
    """Return a text (a diagnostic) without what looks like a secret."""
    return re.sub(r"\S+", lambda word: MASK if _SECRET_LOOK.search(word[0]) else word[0], text)


def change_of(path: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """Return what becomes of one property, as Markdown: `from → to`, or that its values are not shown."""
    before, after = value_at(path, old), value_at(path, new)
    if _SECRET_NAME.search(path) or _hidden(before) or _hidden(after):
        return "(values not shown)"
    return f"{_shown(before)} → {_shown(after)}"


def value_at(path: str, state: Mapping[str, Any]) -> object:
    """Return the value under a property path such as `subnets[0].tags["a.b"]`; None when there is none.

    Where the path leads through a masked value, that is the answer.
    """
    value: Any = state
    for quoted, index, name in _STEP.findall(path):
        if isinstance(value, Mapping):
            value = value.get(quoted.replace('\\"', '"') or index or name)
        elif isinstance(value, list) and index:
            value = value[int(index)] if int(index) < len(value) else None
        elif value != MASK:
            return None
    return value


def code(text: str) -> str:
    """Return a text as Markdown code on one line, whatever is in it."""
    return f"`{' '.join(text.split()).replace('`', chr(39))}`"


def _hidden(value: object) -> bool:
    if isinstance(value, Mapping):
        return any(_SECRET_NAME.search(str(key)) or _hidden(each) for key, each in value.items())
    if isinstance(value, list):
        return any(_hidden(each) for each in value)
    return isinstance(value, str) and (MASK in value or _SECRET_LOOK.search(value) is not None)


def _shown(value: object) -> str:
    if value is None:
        return "(none)"
    if value == _UNKNOWN:
        return "(known after the change)"
    if isinstance(value, Mapping | list):
        return f"({len(value)} {'keys' if isinstance(value, Mapping) else 'items'})"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return code(text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…")
