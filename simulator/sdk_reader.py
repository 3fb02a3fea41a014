"""Reads from the installed Pulumi SDK what each resource type takes and returns.

The SDK's ``...Args`` and ``...Result`` classes are the source, so nothing here is kept by hand. Importing a module of
the SDK takes up to a second; ``schema`` keeps what was read.
"""

from __future__ import annotations

import collections.abc
import enum
import importlib
import inspect
import re
import sys
import types
import typing
from collections.abc import Mapping
from typing import Any, Final

import pulumi
from pulumi import _types as sdk_types

from simulator.protocol_values import Value
from simulator.type_shapes import ObjectShape, ResourceSchema, ValueShape

_API_VERSION: Final = re.compile(r"Uses Azure REST API version ([\w-]+)")
_EXPECTED_CONSTANT: Final = re.compile(r"Expected value is '([^']*)'")
_SCALARS: Final = {str: "string", bool: "boolean", int: "integer", float: "number"}

# The SDK has one class for two of Azure's enums of the same name and keeps the values of only one. The operator of an
# activity log condition stands where a scheduled query rule's belongs (API 2023-12-01, "ConditionOperator").
_MERGED_ENUMS: Final[Mapping[tuple[str, str], tuple[str, ...]]] = {
    ("pulumi_azure_native.monitor._enums", "ConditionOperator"): (
        "Equals",
        "GreaterThan",
        "GreaterThanOrEqual",
        "LessThan",
        "LessThanOrEqual",
    ),
    # The channel of a cluster stands where that of a fleet's auto-upgrade profile belongs (API 2024-05-02-preview).
    ("pulumi_azure_native.containerservice._enums", "UpgradeChannel"): ("NodeImage", "Rapid", "Stable"),
}


def read_resource(token: str) -> ResourceSchema | None:
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
    version = _API_VERSION.search(resource_class.__doc__ or "")
    return ResourceSchema(
        token,
        _shapes(sdk_types.input_type_types(arguments)),
        _required_names(arguments),
        _shapes(sdk_types.resource_types(resource_class)),
        version.group(1) if version else None,
    )


def read_object(name: str) -> ObjectShape:
    """Return the shape of a nested object; the name is one that a ``ValueShape`` holds."""
    module, _, class_name = name.partition(":")
    described: type = getattr(importlib.import_module(module), class_name)
    if sdk_types.is_input_type(described):
        found, required = sdk_types.input_type_types(described), _required_names(described)
    else:
        found, required = sdk_types.output_type_types(described), frozenset[str]()
    return ObjectShape(_shapes(found), required, _constants(described))


def _resource_class(token: str) -> type | None:
    package, module, name = token.split(":", 2)
    path = f"pulumi_azure_native.{module.split('/')[0]}" if package == "azure-native" else "pulumi_azuread"
    try:
        found = getattr(importlib.import_module(path), name.rsplit(":", 1)[-1], None)
    except ModuleNotFoundError:
        return None
    return found if inspect.isclass(found) and issubclass(found, pulumi.CustomResource) else None


def _required_names(arguments: type) -> frozenset[str]:
    """Return the camelCase names of the properties that an ``...Args`` class cannot be made without."""
    names = sdk_types.input_type_py_to_pulumi_names(arguments)
    parameters = inspect.signature(arguments.__init__).parameters  # type: ignore[misc]  # of a class, not of an instance
    return frozenset(
        names[name]
        for name, parameter in parameters.items()
        if name in names and parameter.default is inspect.Parameter.empty
    )


def _constants(described: type) -> Mapping[str, str]:
    constants: dict[str, str] = {}
    for member in vars(described).values():
        if isinstance(member, property) and member.fget is not None:
            match = _EXPECTED_CONSTANT.search(member.fget.__doc__ or "")
            if match:
                name: str = getattr(member.fget, "_pulumi_name", member.fget.__name__)
                constants[name] = match.group(1)
    return constants


def _shapes(declared: Mapping[str, Any]) -> dict[str, ValueShape]:
    return {name: _shape(item) for name, item in declared.items()}


def _shape(declared: Value) -> ValueShape:
    alternatives = _alternatives(declared)
    classes = [item for item in alternatives if inspect.isclass(item)]
    enums = [item for item in classes if issubclass(item, enum.Enum)]
    return ValueShape(
        scalars=tuple(_SCALARS[item] for item in alternatives if item in _SCALARS),
        enums=tuple(dict.fromkeys(value for item in enums for value in _enum_values(item))),
        # The names that Azure knew when it published the type, declared open: streams of data collection rules.
        open_enum=any(item.__name__.startswith("Known") for item in enums),
        objects=tuple(f"{item.__module__}:{item.__qualname__}" for item in classes if _is_object(item)),
        items=_element(alternatives, collections.abc.Sequence, 0),
        values=_element(alternatives, collections.abc.Mapping, 1),
        anything=Any in alternatives
        or not alternatives
        or any(issubclass(item, (pulumi.Asset, pulumi.Archive)) for item in classes),
    )


def _element(alternatives: tuple[Any, ...], origin: type, place: int) -> ValueShape | None:
    found = [item for item in alternatives if typing.get_origin(item) is origin]
    return _shape(typing.get_args(found[0])[place]) if found else None


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


def _enum_values(declared: type[enum.Enum]) -> list[str | int | float]:
    return [*(member.value for member in declared), *_MERGED_ENUMS.get((declared.__module__, declared.__name__), ())]


def _is_object(item: type) -> bool:
    return sdk_types.is_input_type(item) or sdk_types.is_output_type(item)
