"""Values of the engine's provider protocol as plain Python values, and back.

Owns the marking of secrets and of values that are not known during a preview. Knows nothing of Azure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from google.protobuf import struct_pb2  # type: ignore[import-untyped]  # ships no types

UNKNOWN: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""What the engine sends in place of a value that is not known during a preview."""

SIGNATURE_KEY: Final = "4dabf18193072939515e22adb298388d"
"""The key that marks an object as a special value of the protocol."""

SECRET_SIGNATURE: Final = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - the protocol's mark of a secret, not one

Value: TypeAlias = Any
"""Whatever a property may hold: text, number, truth value, list, map, ``Secret`` or nothing."""

Properties = dict[str, Value]
"""A resource's properties by camelCase name. Nested secrets are ``Secret`` objects, unknown values are ``UNKNOWN``."""


@dataclass(frozen=True)
class Secret:
    """A value that the engine encrypts in its state; its text never appears in ``repr``."""

    value: Value

    def __repr__(self) -> str:
        return "Secret(...)"


def from_struct(struct: struct_pb2.Struct) -> Properties:
    """Return the properties that a protocol message holds."""
    return {key: _from_value(value) for key, value in struct.fields.items()}


def to_struct(properties: Mapping[str, Any]) -> struct_pb2.Struct:
    """Return the protocol message for properties; secrets keep their mark."""
    struct = struct_pb2.Struct()
    for key, value in properties.items():
        _fill(struct.fields[key], value)
    return struct


def unwrap(value: Value) -> Value:
    """Return the value without its secret marks."""
    if isinstance(value, Secret):
        return unwrap(value.value)
    if isinstance(value, dict):
        return {key: unwrap(item) for key, item in value.items()}
    if isinstance(value, list):
        return [unwrap(item) for item in value]
    return value


def is_unknown(value: Value) -> bool:
    """Tell whether a value itself, not a part of it, is unknown."""
    return value == UNKNOWN or (isinstance(value, Secret) and is_unknown(value.value))


def contains_unknown(value: Value) -> bool:
    """Tell whether a value or a part of it is unknown."""
    return any(text == UNKNOWN for _, text in strings_in(value))


def strings_in(value: Value, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield the path and text of every string in a value, also of those inside secrets."""
    if isinstance(value, Secret):
        yield from strings_in(value.value, path)
    elif isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from strings_in(item, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from strings_in(item, f"{path}[{index}]")


def map_secrets(value: Value, replace: Callable[[Secret], Any]) -> Value:
    """Return a copy of a value in which each secret is what ``replace`` makes of it."""
    if isinstance(value, Secret):
        return replace(value)
    if isinstance(value, dict):
        return {key: map_secrets(item, replace) for key, item in value.items()}
    if isinstance(value, list):
        return [map_secrets(item, replace) for item in value]
    return value


def _from_value(value: struct_pb2.Value) -> Value:
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        fields = value.struct_value.fields
        if SIGNATURE_KEY in fields and fields[SIGNATURE_KEY].string_value == SECRET_SIGNATURE:
            return Secret(_from_value(fields["value"]))
        return {key: _from_value(item) for key, item in fields.items()}
    if kind == "list_value":
        return [_from_value(item) for item in value.list_value.values]
    if kind == "string_value":
        return value.string_value
    if kind == "number_value":
        number = value.number_value
        return int(number) if number.is_integer() else number
    if kind == "bool_value":
        return value.bool_value
    return None


def _fill(target: struct_pb2.Value, value: Value) -> None:
    if isinstance(value, Secret):
        fields = target.struct_value.fields
        fields[SIGNATURE_KEY].string_value = SECRET_SIGNATURE
        _fill(fields["value"], value.value)
    elif isinstance(value, bool):
        target.bool_value = value
    elif isinstance(value, (int, float)):
        target.number_value = value
    elif isinstance(value, str):
        target.string_value = value
    elif isinstance(value, Mapping):
        target.struct_value.SetInParent()
        for key, item in value.items():
            _fill(target.struct_value.fields[str(key)], item)
    elif isinstance(value, (list, tuple)):
        target.list_value.SetInParent()
        for item in value:
            _fill(target.list_value.values.add(), item)
    elif value is None:
        target.null_value = struct_pb2.NULL_VALUE
    else:
        raise TypeError(f"a {type(value).__name__} cannot be sent to the engine")
