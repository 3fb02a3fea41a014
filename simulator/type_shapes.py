"""What values, objects and resources of the SDK may hold, as plain data that can be written down and read again.

Owns the description only: ``sdk_reader`` makes it, ``schema`` keeps it, ``input_check`` and ``computed_outputs``
use it.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Constant = str | int | float


@dataclass(frozen=True)
class ValueShape:
    """What one value may be; whatever is filled in is an alternative."""

    scalars: tuple[str, ...] = ()
    """Any of ``string``, ``boolean``, ``integer`` and ``number``."""
    enums: tuple[Constant, ...] = ()
    """The texts or numbers of all enums together."""
    open_enum: bool = False
    """The enum names what Azure knew when it published the type, and more is allowed."""
    objects: tuple[str, ...] = ()
    """Names of object shapes."""
    items: ValueShape | None = None
    """What the elements of a list are."""
    values: ValueShape | None = None
    """What the values of a map are."""
    anything: bool = False
    """No restriction is known: JSON of any form, an asset."""

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> ValueShape:
        """Return the shape that was written down by ``dumped``."""
        items, values = document.get("items"), document.get("values")
        return cls(
            tuple(document.get("scalars", ())),
            tuple(document.get("enums", ())),
            document.get("open_enum", False),
            tuple(document.get("objects", ())),
            cls.of(items) if items is not None else None,
            cls.of(values) if values is not None else None,
            document.get("anything", False),
        )


@dataclass(frozen=True)
class ObjectShape:
    """The properties of one object by camelCase name."""

    properties: Mapping[str, ValueShape]
    required: frozenset[str] = frozenset()
    constants: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """Properties that are always one text; they tell the members of a union apart."""

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> ObjectShape:
        """Return the shape that was written down by ``dumped``."""
        properties = {name: ValueShape.of(shape) for name, shape in document["properties"].items()}
        return cls(properties, frozenset(document["required"]), document["constants"])


@dataclass(frozen=True)
class ResourceSchema:
    """The inputs and outputs of one resource type."""

    token: str
    inputs: Mapping[str, ValueShape]
    required: frozenset[str]
    outputs: Mapping[str, ValueShape]
    api_version: str | None = None
    """The Azure API version that the SDK uses for the type."""

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> ResourceSchema:
        """Return the schema that was written down by ``dumped``."""
        inputs, outputs = (
            {name: ValueShape.of(shape) for name, shape in document[side].items()} for side in ("inputs", "outputs")
        )
        return cls(document["token"], inputs, frozenset(document["required"]), outputs, document["api_version"])


def dumped(described: ObjectShape | ResourceSchema | None) -> str:
    """Return a description as JSON; alternatives that a value has not are left out."""
    return json.dumps(_plain(described), separators=(",", ":"))


def _plain(value: object) -> object:
    if isinstance(value, ValueShape):
        fields = {item.name: (getattr(value, item.name), item.default) for item in dataclasses.fields(value)}
        return {name: _plain(held) for name, (held, default) in fields.items() if held != default}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {item.name: _plain(getattr(value, item.name)) for item in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    return list(value) if isinstance(value, tuple) else value
