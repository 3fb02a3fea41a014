"""Comparing what the program asks for with what stands in Azure, on values as the engine's state holds them.

An adopted resource gets the program's inputs, except where Azure has another value: that one is kept, so that the next
`up` shows the difference and corrects it. What Azure adds of its own is left out, as it is when `up` makes a resource.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

Value: TypeAlias = Any
"""A value of the state: text, number, truth value, list, mapping or nothing."""

UNKNOWN: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""What the engine writes for a value that is known only after a deployment."""
HIDDEN: Final = "[secret]"
"""What the engine prints in place of a secret."""
_MARK: Final = "4dabf18193072939515e22adb298388d"


def is_secret(value: Value) -> bool:
    """Tell whether a value is an encrypted secret."""
    return isinstance(value, Mapping) and _MARK in value


def has_unknown(value: Value) -> bool:
    """Tell whether a value, or a part of it, is known only after a deployment."""
    if isinstance(value, Mapping):
        return any(has_unknown(item) for item in value.values())
    return any(has_unknown(item) for item in value) if isinstance(value, list) else bool(value == UNKNOWN)


def with_secrets(shown: Value, encrypted: Value) -> Value:
    """Return what a preview shows with each hidden secret in its encrypted form; None where there is none."""
    if shown == HIDDEN:
        return encrypted if is_secret(encrypted) else None
    if isinstance(shown, Mapping):
        inner = encrypted if isinstance(encrypted, Mapping) else {}
        return _without_nothing({key: with_secrets(item, inner.get(key)) for key, item in shown.items()})
    if isinstance(shown, list):
        items = encrypted if isinstance(encrypted, list) and len(encrypted) == len(shown) else [None] * len(shown)
        return [with_secrets(item, other) for item, other in zip(shown, items, strict=True)]
    return shown


def as_in_azure(program: Value, live: Value) -> Value:
    """Return the program's value with Azure's own where the two differ or the program's is not known yet."""
    if program == UNKNOWN:
        return live
    if is_secret(program) or is_secret(live) or live is None:
        return known(program)
    if isinstance(program, Mapping) and isinstance(live, Mapping):
        return _without_nothing({key: as_in_azure(item, live.get(key)) for key, item in program.items()})
    if isinstance(program, list) and isinstance(live, list):
        return _list_in_azure(program, live)
    return program if same(program, live) else live


def same(one: Value, other: Value) -> bool:
    """Compare as Azure does: without regard to case, to spaces in a location, or to the order of a list."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return sorted(map(_folded, one)) == sorted(map(_folded, other))
    return _folded(one) == _folded(other)


def known(value: Value) -> Value:
    """Return a value without its unknown parts; None when nothing is left."""
    if isinstance(value, Mapping):
        return _without_nothing({key: known(item) for key, item in value.items()})
    if isinstance(value, list):
        return [known(item) for item in value if item != UNKNOWN]
    return None if value == UNKNOWN else value


def revealed(live: Value, program: Value) -> Value:
    """Return what Azure answered with the program's own value wherever the answer holds a secret back."""
    if is_secret(live):
        return live if program is None else program
    if isinstance(live, Mapping) and isinstance(program, Mapping) and not is_secret(program):
        return {key: revealed(item, program.get(key)) for key, item in live.items()}
    if isinstance(live, list) and isinstance(program, list) and len(live) == len(program):
        return [revealed(item, other) for item, other in zip(live, program, strict=True)]
    return live


def _list_in_azure(program: list[Value], live: list[Value]) -> list[Value]:
    ours, theirs = _by_name(program), _by_name(live)
    if ours is not None and theirs is not None and ours.keys() == theirs.keys():
        return [as_in_azure(item, theirs[name]) for name, item in ours.items()]
    if len(program) != len(live):
        return live
    if any(isinstance(item, Mapping | list) for item in program) or has_unknown(program):
        return [as_in_azure(item, other) for item, other in zip(program, live, strict=True)]
    return program if same(program, live) else live


def _by_name(items: list[Value]) -> dict[str, Value] | None:
    """Return a list's mappings by their names: Azure gives such lists back in an order of its own."""
    if not all(isinstance(item, Mapping) and isinstance(item.get("name"), str) for item in items):
        return None
    found = {str(item["name"]).lower(): item for item in items}
    return found if len(found) == len(items) else None


def _folded(value: Value) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).replace(" ", "").lower()


def _without_nothing(values: Mapping[str, Value]) -> dict[str, Value]:
    return {key: value for key, value in values.items() if value is not None}
