"""The check of a resource's inputs against its schema: names, required properties, types, enums, unions.

Knows nothing of how Azure behaves.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from simulator.protocol_values import UNKNOWN, Secret, Value
from simulator.schema import object_shape
from simulator.type_shapes import Constant, ResourceSchema, ValueShape

_WORDS: Final = {
    "string": "a string",
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
}
_KINDS: Final = {str: "string", bool: "boolean", int: "integer", float: "number"}


@dataclass(frozen=True)
class Failure:
    """One thing that is wrong with the inputs of a resource."""

    path: str
    """Where, for example ``subnets[0].addressPrefix``; names only, as the engine shows it."""
    reason: str


def check_inputs(schema: ResourceSchema, inputs: Mapping[str, Any]) -> list[Failure]:
    """Return what the SDK's own types forbid in the inputs; unknown values and secrets are let through."""
    return list(_check_object(schema.inputs, schema.required, inputs, ""))


def _check_value(shape: ValueShape, value: Value, path: str) -> Iterator[Failure]:
    if isinstance(value, Secret):
        yield from _check_value(shape, value.value, path)
    elif value is None or value == UNKNOWN or shape.anything:
        return
    elif isinstance(value, dict) and shape.objects:
        yield from _check_union(shape.objects, value, path)
    elif isinstance(value, dict) and shape.values:
        for key, item in value.items():
            yield from _check_value(shape.values, item, f"{path}.{key}")
    elif isinstance(value, list) and shape.items:
        for index, item in enumerate(value):
            yield from _check_value(shape.items, item, f"{path}[{index}]")
    elif shape.enums and isinstance(value, (str, int, float)) and not isinstance(value, bool):
        yield from _check_enum(shape, value, path)
    elif not any(_is_scalar(item, value) for item in shape.scalars):
        yield Failure(path, f"expected {_describe(shape)}, got {_describe_value(value)}")


def _check_union(objects: tuple[str, ...], value: Mapping[str, Any], path: str) -> Iterator[Failure]:
    shapes = [object_shape(name) for name in objects]
    if len(shapes) == 1:
        yield from _check_object(shapes[0].properties, shapes[0].required, value, path)
        return
    names = {name for shape in shapes for name in shape.constants}
    discriminators = sorted(name for name in names if all(name in shape.constants for shape in shapes))
    for name in discriminators:
        sent = value.get(name)
        if sent == UNKNOWN:
            return
        chosen = [shape for shape in shapes if shape.constants[name] == sent]
        if chosen:
            yield from _check_object(chosen[0].properties, chosen[0].required, value, path)
            return
        allowed = ", ".join(repr(shape.constants[name]) for shape in shapes)
        if sent is None:
            yield Failure(path, f"missing required property '{name}', one of {allowed}{_snake_case_hint(name, value)}")
        else:
            yield Failure(f"{path}.{name}", f"{sent!r} is not one of {allowed}")
        return
    attempts = [list(_check_object(shape.properties, shape.required, value, path)) for shape in shapes]
    yield from min(attempts, key=len)


def _check_object(
    properties: Mapping[str, ValueShape], required: frozenset[str], value: Mapping[str, Any], path: str
) -> Iterator[Failure]:
    prefix = f"{path}." if path else ""
    for name, item in value.items():
        if name in properties:
            yield from _check_value(properties[name], item, prefix + name)
        elif not name.startswith("__"):  # the engine's own keys, such as __defaults
            yield Failure(prefix + name, f"unknown property '{name}'{_suggestion(name, properties)}")
    for name in sorted(required):
        if value.get(name) is None:
            yield Failure(prefix + name, f"missing required property '{name}'{_snake_case_hint(name, value)}")


def _check_enum(shape: ValueShape, value: Constant, path: str) -> Iterator[Failure]:
    # Resource Manager compares enum texts without regard to case.
    if shape.open_enum or str(value).lower() in {str(item).lower() for item in shape.enums}:
        return
    close = difflib.get_close_matches(str(value), [str(item) for item in shape.enums], n=1)
    hint = f"; did you mean '{close[0]}'?" if close else ""
    yield Failure(path, f"{value!r} is not one of {', '.join(repr(item) for item in shape.enums)}{hint}")


def _is_scalar(scalar: str, value: Value) -> bool:
    if scalar == "number":
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    return _KINDS.get(type(value)) == scalar


def _describe(shape: ValueShape) -> str:
    words = ["a list"] if shape.items else []
    words += ["a map"] if shape.values else []
    words += ["an object"] if shape.objects else []
    words += [_WORDS[item] for item in shape.scalars]
    words += ["a string"] if shape.enums and "string" not in shape.scalars else []
    return " or ".join(words)


def _describe_value(value: Value) -> str:
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    # Never the value: it may be a secret.
    return _WORDS.get(_KINDS.get(type(value), ""), type(value).__name__)


def _snake_case(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).lower()


def _snake_case_hint(name: str, value: Mapping[str, Any]) -> str:
    if _snake_case(name) != name and _snake_case(name) in value:
        return f" ('{_snake_case(name)}' was sent untranslated; use the SDK's Args class here)"
    return ""


def _suggestion(name: str, properties: Iterable[str]) -> str:
    by_snake = {_snake_case(item): item for item in properties}
    if name in by_snake:
        return f"; did you mean '{by_snake[name]}'? The SDK did not translate this dictionary: use its Args class here"
    close = difflib.get_close_matches(name, by_snake.values(), n=1)
    return f"; did you mean '{close[0]}'?" if close else ""
