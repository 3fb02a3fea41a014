"""From a stack file to a checked model: one clear message for everything that is wrong, and nothing deployed.

Every problem is told as file, key path, value, what is allowed and an example. The engine prints a `RunError` without a
traceback, so this module raises nothing else.
"""

from __future__ import annotations

import difflib
import types
import typing
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar, Union, get_args, get_origin

import pulumi
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

M = TypeVar("M", bound=BaseModel)

_SECRET_WORDS = ("password", "secret", "certificate", "privatekey", "pfx", "token", "connectionstring")
_LONGEST_VALUE = 120


class Problem(typing.NamedTuple):
    """One thing that is wrong in a stack file."""

    path: str
    value: str
    expected: str
    example: str

    def lines(self, file: str) -> str:
        """Return the problem as the user reads it."""
        text = f"{file}: {self.path}\n    value:    {self.value}\n    expected: {self.expected}"
        return f"{text}\n    example:  {self.example}" if self.example else text


def configuration_error(file: str, problems: Iterable[Problem]) -> pulumi.RunError:
    """Return the one error that tells all problems of a stack file."""
    told = [problem.lines(file) for problem in problems]
    title = "The configuration is not valid; nothing was deployed."
    return pulumi.RunError("\n  ".join([title, *("\n  ".join(text.splitlines()) for text in told)]))


def load(model: type[M], content: object, *, file: str, key: str) -> M:
    """Check what stands under `key` in `file` against `model`.

    Raises:
        pulumi.RunError: with one message that lists every problem.
    """
    if not isinstance(content, Mapping):
        example = f"{key}:\\n  location: eastus2" if not content else "key: value"
        raise configuration_error(file, [Problem(key, _shown(content), "a mapping of settings", example)])
    secret = list(_plain_secrets(content, key))
    if secret:
        raise configuration_error(file, secret)
    try:
        return model.model_validate(content)
    except ValidationError as error:
        problems = [_problem(model, details, key) for details in error.errors()]
        raise configuration_error(file, problems) from None


def _plain_secrets(content: object, path: str) -> Iterable[Problem]:
    if isinstance(content, Mapping):
        for name, value in content.items():
            here = f"{path}.{name}"
            if any(word in str(name).lower() for word in _SECRET_WORDS) and isinstance(value, str):
                yield Problem(
                    here,
                    "(not shown)",
                    "no secrets here: they are top-level keys of their own, encrypted",
                    "pulumi config set --secret aks-geode:gatewayCertificate",
                )
            else:
                yield from _plain_secrets(value, here)
    elif isinstance(content, list):
        for index, value in enumerate(content):
            yield from _plain_secrets(value, f"{path}[{index}]")


def _problem(model: type[BaseModel], details: ErrorDetails, key: str) -> Problem:
    context: dict[str, Any] = details.get("ctx", {})
    path = _join(key, details["loc"])
    if details["type"] == "setting":
        return Problem(f"{path}.{context['path']}", context["value"], context["expected"], context["example"])
    field = _field_at(model, details["loc"])
    if field is not None and not field.description:
        field = _element(field) or field
    example = _example(field)
    if details["type"] == "extra_forbidden":
        owner = _model_at(model, details["loc"][:-1])
        names = sorted(_key(name, info) for name, info in owner.model_fields.items()) if owner else []
        near = difflib.get_close_matches(str(details["loc"][-1]), names, n=1, cutoff=0.0)
        return Problem(path, _shown(details["input"]), f"one of the keys {', '.join(names)}", "".join(near))
    if details["type"] == "missing":
        return Problem(path, "(missing)", f"this key with {_description(field)}", example)
    return Problem(path, _shown(details["input"]), _expected(details, field), example or _from_rule(details))


def _expected(details: ErrorDetails, field: FieldInfo | None) -> str:
    message = details["msg"][0].lower() + details["msg"][1:]
    message = message.removeprefix("input should be ")
    if details["type"].startswith(("string_pattern", "ip_", "string_too", "string_type")) and field is not None:
        return _description(field)
    return message


def _from_rule(details: ErrorDetails) -> str:
    context: dict[str, Any] = details.get("ctx", {})
    expected = str(context.get("expected", ""))
    if expected.startswith("'"):
        return expected.split("'")[1]
    for bound in ("ge", "le", "gt", "lt"):
        if bound in context:
            return str(context[bound])
    return "3" if details["type"].startswith("int_") else ""


def _description(field: FieldInfo | None) -> str:
    if field is None:
        return "a value"
    nested = _nested_model(field.annotation)
    return field.description or ((nested.__doc__ or "").split(".")[0] if nested else "") or "a value"


def _example(field: FieldInfo | None) -> str:
    if field is not None and field.examples:
        example = field.examples[0]
        return f"[{', '.join(map(str, example))}]" if isinstance(example, list) else str(example)
    nested = _nested_model(field.annotation) if field is not None else None
    required = [info for info in nested.model_fields.values() if info.is_required()] if nested else []
    return f"{{{', '.join(f'{info.alias}: ...' for info in required)}}}" if required else ""


def _join(key: str, location: tuple[int | str, ...]) -> str:
    path = key
    for part in location:
        path += f"[{part}]" if isinstance(part, int) else f".{part}"
    return path


def _key(name: str, info: FieldInfo) -> str:
    return info.alias or name


def _nested_model(annotation: Any) -> type[BaseModel] | None:  # noqa: ANN401  # annotations have no common type
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_origin(annotation) in (Union, types.UnionType, tuple, list, dict, typing.Annotated):
        for part in get_args(annotation):
            found = _nested_model(part)
            if found is not None:
                return found
    return None


def _field_at(model: type[BaseModel], location: tuple[int | str, ...]) -> FieldInfo | None:
    field: FieldInfo | None = None
    current: type[BaseModel] | None = model
    for part in location:
        if isinstance(part, int):
            continue
        if current is None:
            return field
        field = next((info for name, info in current.model_fields.items() if part in (name, _key(name, info))), None)
        if field is None:
            return None
        current = _nested_model(field.annotation)
    return field


def _element(field: FieldInfo | None) -> FieldInfo | None:
    """Return the word that a list's elements or an optional value are made of, where the annotation says it."""
    return _word(field.annotation) if field is not None else None


def _word(annotation: Any) -> FieldInfo | None:  # noqa: ANN401  # annotations have no common type
    for part in get_args(annotation):
        described = [
            info for info in getattr(part, "__metadata__", ()) if isinstance(info, FieldInfo) and info.description
        ]
        found = described[0] if described else _word(part)
        if found is not None:
            return found
    return None


def _model_at(model: type[BaseModel], location: tuple[int | str, ...]) -> type[BaseModel] | None:
    if not [part for part in location if isinstance(part, str)]:
        return model
    field = _field_at(model, tuple(part for part in location if isinstance(part, str)))
    return _nested_model(field.annotation) if field is not None else None


def _shown(value: object) -> str:
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}..."
