"""What each resource type takes and returns, read from the installed Pulumi SDK.

Owns the description of types (names, required properties, enums, discriminated unions) and the check of inputs
against it.
The SDK's ``...Args`` classes are the source, so nothing here is kept by hand. Knows nothing of how Azure behaves.
"""

from __future__ import annotations

import collections.abc
import difflib
import enum
import functools
import importlib
import inspect
import re
import sys
import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import pulumi
from pulumi import _types as sdk_types

from simulator.protocol_values import UNKNOWN, Secret, Value

_EXPECTED_CONSTANT = re.compile(r"Expected value is '([^']*)'")
_SCALARS: Final = {str: "a string", bool: "true or false", int: "a whole number", float: "a number"}


@dataclass(frozen=True)
class Failure:
    """One thing that is wrong with the inputs of a resource."""

    path: str
    """Where, for example ``subnets[0].addressPrefix``; names only, as the engine shows it."""
    reason: str


@dataclass(frozen=True)
class ResourceSchema:
    """The inputs and outputs of one resource type."""

    token: str
    inputs: Mapping[str, Any]
    """Type of each input by camelCase name."""
    required: frozenset[str]
    outputs: Mapping[str, Any]
    """Type of each output by camelCase name."""
    docs: str = field(default="", repr=False)


@functools.cache
def resource_schema(token: str) -> ResourceSchema | None:
    """Return the schema of a type token, or ``None`` when the SDK has no such class."""
    resource_class = _resource_class(token)
    if resource_class is None:
        return None
    module = sys.modules[resource_class.__module__]
    # The generator calls the class ...InitArgs where a nested type already has the plain name (VirtualNetworkPeering).
    arguments = next(
        getattr(module, resource_class.__name__ + suffix)
        for suffix in ("InitArgs", "Args")
        if hasattr(module, resource_class.__name__ + suffix)
    )
    outputs = dict(sdk_types.resource_types(resource_class))
    return ResourceSchema(
        token, sdk_types.input_type_types(arguments), required_names(arguments), outputs, resource_class.__doc__ or ""
    )


@functools.cache
def invoke_result_type(token: str) -> type | None:
    """Return the SDK's result class of a function token, or ``None`` when there is none."""
    name = token.rsplit(":", 1)[1]
    module = _sdk_module(token)
    result = getattr(module, name[0].upper() + name[1:] + "Result", None) if module else None
    return result if inspect.isclass(result) else None


@functools.cache
def required_names(arguments: type) -> frozenset[str]:
    """Return the camelCase names of the properties that an ``...Args`` class cannot be made without."""
    names = sdk_types.input_type_py_to_pulumi_names(arguments)
    parameters = inspect.signature(arguments.__init__).parameters  # type: ignore[misc]  # of a class, not of an instance
    return frozenset(
        names[name]
        for name, parameter in parameters.items()
        if name in names and parameter.default is inspect.Parameter.empty
    )


# The SDK has one class for two of Azure's enums of the same name and keeps the values of only one: the operator of an
# activity log condition stands where a scheduled query rule's belongs (API 2023-12-01, "ConditionOperator").
_MERGED_ENUMS: typing.Final[Mapping[tuple[str, str], tuple[str, ...]]] = {
    ("pulumi_azure_native.monitor._enums", "ConditionOperator"): (
        "Equals",
        "GreaterThan",
        "GreaterThanOrEqual",
        "LessThan",
        "LessThanOrEqual",
    )
}


def check_inputs(schema: ResourceSchema, inputs: Mapping[str, Any]) -> list[Failure]:
    """Return what the SDK's own types forbid in the inputs; unknown values and secrets are let through."""
    return list(_check_object(schema.inputs, schema.required, inputs, ""))


def output_alternatives(declared: Value) -> tuple[Any, ...]:
    """Return the types that an output may have, without ``None``."""
    return _alternatives(declared)


def _resource_class(token: str) -> type | None:
    module = _sdk_module(token)
    found = getattr(module, token.rsplit(":", 1)[1], None) if module else None
    return found if inspect.isclass(found) and issubclass(found, pulumi.CustomResource) else None


def _sdk_module(token: str) -> types.ModuleType | None:
    package, module, _ = token.split(":", 2)
    path = f"pulumi_azure_native.{module.split('/')[0]}" if package == "azure-native" else "pulumi_azuread"
    try:
        return importlib.import_module(path)
    except ModuleNotFoundError:
        return None


@functools.cache
def _alternatives(declared: Value) -> tuple[Any, ...]:
    """Flatten the SDK's ``Input[Optional[Union[...]]]`` into the types that a value may have."""
    origin: Value = typing.get_origin(declared)
    if origin is typing.Union or origin is types.UnionType:
        flat: dict[Any, None] = {}
        for member in typing.get_args(declared):
            flat.update(dict.fromkeys(_alternatives(member)))
        return tuple(flat)
    if declared is type(None) or origin in (pulumi.Output, collections.abc.Awaitable):
        return ()
    if typing.is_typeddict(declared):  # the same shape as the Args class beside it
        return ()
    return (declared,)


@functools.cache
def _object_shape(arguments: type) -> tuple[Mapping[str, Any], frozenset[str]]:
    return sdk_types.input_type_types(arguments), required_names(arguments)


@functools.cache
def constants_of(arguments: type) -> Mapping[str, str]:
    """Return the properties that the class fixes to one text; they tell the members of a union apart."""
    constants: dict[str, str] = {}
    for member in vars(arguments).values():
        if isinstance(member, property) and member.fget is not None:
            match = _EXPECTED_CONSTANT.search(member.fget.__doc__ or "")
            if match:
                name: str = getattr(member.fget, "_pulumi_name", member.fget.__name__)
                constants[name] = match.group(1)
    return constants


def _check_value(declared: Value, value: Value, path: str) -> Iterator[Failure]:
    if isinstance(value, Secret):
        yield from _check_value(declared, value.value, path)
        return
    alternatives = _alternatives(declared)
    if value is None or value == UNKNOWN or not alternatives or Any in alternatives or _is_asset(alternatives):
        return
    objects = [item for item in alternatives if inspect.isclass(item) and sdk_types.is_input_type(item)]
    enums = [item for item in alternatives if inspect.isclass(item) and issubclass(item, enum.Enum)]
    lists = [item for item in alternatives if typing.get_origin(item) is collections.abc.Sequence]
    maps = [item for item in alternatives if typing.get_origin(item) is collections.abc.Mapping]
    if isinstance(value, dict) and objects:
        yield from _check_union(objects, value, path)
    elif isinstance(value, dict) and maps:
        for key, item in value.items():
            yield from _check_value(typing.get_args(maps[0])[1], item, f"{path}.{key}")
    elif isinstance(value, list) and lists:
        for index, item in enumerate(value):
            yield from _check_value(typing.get_args(lists[0])[0], item, f"{path}[{index}]")
    elif enums and isinstance(value, (str, int, float)) and not isinstance(value, bool):
        yield from _check_enum(enums, value, path)
    elif not any(_is_scalar(item, value) for item in alternatives):
        yield Failure(path, f"expected {_describe(alternatives)}, got {_describe_value(value)}")


def _check_union(objects: list[type], value: Mapping[str, Any], path: str) -> Iterator[Failure]:
    if len(objects) == 1:
        properties, required = _object_shape(objects[0])
        yield from _check_object(properties, required, value, path)
        return
    names = {name for item in objects for name in constants_of(item)}
    discriminators = sorted(name for name in names if all(name in constants_of(item) for item in objects))
    for name in discriminators:
        sent = value.get(name)
        if sent == UNKNOWN:
            return
        chosen = [item for item in objects if constants_of(item)[name] == sent]
        if chosen:
            properties, required = _object_shape(chosen[0])
            yield from _check_object(properties, required, value, path)
            return
        allowed = ", ".join(repr(constants_of(item)[name]) for item in objects)
        if sent is None:
            yield Failure(path, f"missing required property '{name}', one of {allowed}{_snake_case_hint(name, value)}")
        else:
            yield Failure(f"{path}.{name}", f"{sent!r} is not one of {allowed}")
        return
    attempts = [list(_check_object(*_object_shape(item), value, path)) for item in objects]
    yield from min(attempts, key=len)


def _check_object(
    properties: Mapping[str, Any], required: frozenset[str], value: Mapping[str, Any], path: str
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


def _check_enum(enums: list[type], value: Value, path: str) -> Iterator[Failure]:
    allowed = [member.value for item in enums for member in typing.cast("type[enum.Enum]", item)]
    allowed += [text for item in enums for text in _MERGED_ENUMS.get((item.__module__, item.__name__), ())]
    if any(item.__name__.startswith("Known") for item in enums):
        return  # the names that Azure knew when it published the type, declared open: streams of data collection rules
    # Resource Manager compares enum texts without regard to case.
    if str(value).lower() not in {str(item).lower() for item in allowed}:
        close = difflib.get_close_matches(str(value), [str(item) for item in allowed], n=1)
        hint = f"; did you mean '{close[0]}'?" if close else ""
        yield Failure(path, f"{value!r} is not one of {', '.join(repr(item) for item in allowed)}{hint}")


def _is_asset(alternatives: tuple[Any, ...]) -> bool:
    return any(inspect.isclass(item) and issubclass(item, (pulumi.Asset, pulumi.Archive)) for item in alternatives)


def _is_scalar(declared: Value, value: Value) -> bool:
    if declared is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if declared is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return declared in (str, bool) and isinstance(value, declared)


def _describe(alternatives: tuple[Any, ...]) -> str:
    words = []
    for item in alternatives:
        origin = typing.get_origin(item)
        if origin is collections.abc.Sequence:
            words.append("a list")
        elif origin is collections.abc.Mapping:
            words.append("a map")
        else:
            words.append(_SCALARS.get(item) or ("an object" if sdk_types.is_input_type(item) else item.__name__))
    return " or ".join(dict.fromkeys(words))


def _describe_value(value: Value) -> str:
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    return _SCALARS.get(type(value), type(value).__name__)  # never the value: it may be a secret


def _snake_case(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).lower()


def _snake_case_hint(name: str, value: Mapping[str, Any]) -> str:
    if _snake_case(name) != name and _snake_case(name) in value:
        return f" ('{_snake_case(name)}' was sent untranslated; use the SDK's Args class here)"
    return ""


def _suggestion(name: str, properties: Mapping[str, Any]) -> str:
    by_snake = {_snake_case(item): item for item in properties}
    if name in by_snake:
        return f"; did you mean '{by_snake[name]}'? The SDK did not translate this dictionary: use its Args class here"
    close = difflib.get_close_matches(name, properties, n=1)
    return f"; did you mean '{close[0]}'?" if close else ""
