"""Turns the inputs of an exported state into Python expressions as a person writes them: the SDK's names, literals,
outputs of other resources, and secrets read from the configuration."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Union, get_args, get_origin

from pulumi import _types

from benchmarks.measurement import BenchmarkError

CONFIG: Final = "flat"
"""The namespace of the flat program's secrets in its stack file."""
_SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
_SECRET_SIGNATURE: Final = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - the engine's mark of a secret, not one
_SHORTEST_OUTPUT: Final = 8
"""Characters. A shorter text, such as a location or a tag, is equal by chance; an address or a name is not."""


@dataclass(frozen=True)
class Code:
    """An expression that prints as itself."""

    text: str

    def __repr__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Dependency:
    """A resource whose outputs an input was made from: its variable, and its texts by the attribute that has them."""

    variable: str
    texts: Mapping[str, str]

    @classmethod
    def of(cls, variable: str, resource: Mapping[str, Any]) -> Dependency:
        """Return what others can take from a resource: its id, then what Azure made, then its inputs."""
        names = {wire: python for python, wire in _types.resource_py_to_pulumi_names(resource_class(resource)).items()}
        inputs, outputs = resource.get("inputs", {}), resource.get("outputs", {})
        texts = {"id": resource["id"]}
        for key in sorted(outputs, key=lambda key: key in inputs):
            if key in names and isinstance(outputs[key], str) and len(outputs[key]) >= _SHORTEST_OUTPUT:
                texts.setdefault(names[key], outputs[key])
        return cls(variable, texts)


@dataclass
class Translation:
    """One program's secrets in clear text by configuration key, and the variables that the last input made use of."""

    secrets: dict[str, str] = field(default_factory=dict, repr=False)
    used: set[str] = field(default_factory=set)

    def expression(self, value: object, kind: object, made_from: Iterable[Dependency]) -> object:
        """Return a value whose `repr` is the expression for an input of the type `kind`.

        Where several types are possible, the names of a dictionary stay as they are in the state: the SDK sends what it
        cannot tell apart unchanged.

        Raises:
            BenchmarkError: a secret is not in clear text, or is no text.
        """
        if isinstance(value, Mapping):
            if value.get(_SIGNATURE) == _SECRET_SIGNATURE:
                return self._secret(value)
            candidates = _input_types(kind)
            if len(candidates) != 1:
                return {key: self.expression(item, _element(kind), made_from) for key, item in value.items()}
            names = {wire: python for python, wire in _types.input_type_py_to_pulumi_names(candidates[0]).items()}
            kinds = _types.input_type_types(candidates[0])
            return {
                names.get(key, key): self.expression(item, kinds.get(key), made_from) for key, item in value.items()
            }
        if isinstance(value, list):
            return [self.expression(item, _element(kind), made_from) for item in value]
        if isinstance(value, str):
            return self._text(value, made_from)
        return value

    def _secret(self, value: Mapping[str, Any]) -> Code:
        text = json.loads(value["plaintext"]) if "plaintext" in value else None
        if not isinstance(text, str):
            raise BenchmarkError("a flat program needs an export with all secret inputs as clear text")
        key = f"value{len(self.secrets)}"
        self.secrets[key] = text
        return Code(f"settings.require_secret({key!r})")

    def _text(self, value: str, made_from: Iterable[Dependency]) -> object:
        pieces = self._pieces(value, list(made_from))
        if len(pieces) == 1:
            return pieces[0]
        return Code(f"pulumi.Output.concat({', '.join(repr(piece) for piece in pieces)})")

    def _pieces(self, value: str, made_from: list[Dependency]) -> list[object]:
        """Cut a text into literals and outputs: an output's whole text, else an id inside a longer one."""
        for dependency in made_from:
            for attribute, text in dependency.texts.items():
                if text == value:
                    self.used.add(dependency.variable)
                    return [Code(f"{dependency.variable}.{attribute}")]
        inside = [item for item in made_from if item.texts["id"] in value]
        if not inside:
            return [value]
        # The longest id, for the id of a parent is part of the child's.
        found = max(inside, key=lambda item: len(item.texts["id"]))
        before, _, after = value.partition(found.texts["id"])
        self.used.add(found.variable)
        pieces: list[object] = [Code(f"{found.variable}.id")]
        return [
            *(self._pieces(before, made_from) if before else []),
            *pieces,
            *(self._pieces(after, made_from) if after else []),
        ]


def resource_class(resource: Mapping[str, Any]) -> type:
    """Return the SDK's class of a resource in a state."""
    _, module, name = resource["type"].split(":")
    found: type = getattr(importlib.import_module(f"pulumi_azure_native.{module}"), name)
    return found


def argument_class(resource: Mapping[str, Any]) -> type:
    """Return the SDK's class of a resource's arguments; it is called `InitArgs` where a nested type has the name."""
    cls = resource_class(resource)
    namespace = vars(importlib.import_module(cls.__module__))
    found: type = namespace.get(f"{cls.__name__}InitArgs") or namespace[f"{cls.__name__}Args"]
    return found


def _input_types(kind: object) -> list[type]:
    members = get_args(kind) if get_origin(kind) is Union else (kind,)
    return [member for member in members if isinstance(member, type) and _types.is_input_type(member)]


def _element(kind: object) -> object:
    """Return the type of a list's items or of a mapping's values; what may be several things has none."""
    members = get_args(kind)
    return members[-1] if members and get_origin(kind) is not Union else None
