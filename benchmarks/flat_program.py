"""Makes a flat program, without components, out of the exported state of a stack: same types, inputs and dependencies.

An input that was made from another resource's outputs is written with these outputs, everything else is a literal.
"""

from __future__ import annotations

import pprint
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from pulumi import _types

from benchmarks.flat_values import CONFIG, Dependency, Translation, argument_class
from benchmarks.measurement import BenchmarkError

_PREFIX: Final = "azure-native:"
_OPTIONS: Final = {
    "ignoreChanges": "ignore_changes",
    "replaceOnChanges": "replace_on_changes",
    "additionalSecretOutputs": "additional_secret_outputs",
    "retainOnDelete": "retain_on_delete",
    "protect": "protect",
}
_WIDTH: Final = 110


@dataclass(frozen=True)
class FlatProgram:
    """The program's text, and its secrets in clear text by configuration key."""

    text: str
    secrets: Mapping[str, str] = field(repr=False)


def flat_program(resources: Sequence[Mapping[str, Any]]) -> FlatProgram:
    """Return the flat program for the resources of an export in clear text, which stand in order of dependency.

    Raises:
        BenchmarkError: the state holds a resource of another provider, or a secret that is no text.
    """
    translation = Translation()
    known: dict[str, Dependency] = {}
    modules: set[str] = set()
    statements = []
    for resource in resources:
        if not resource.get("custom") or resource["type"].startswith("pulumi:"):
            continue
        if not resource["type"].startswith(_PREFIX):
            raise BenchmarkError(f"a flat program cannot be made: {resource['type']} is of another provider")
        variable = f"r{len(known)}"
        statements.append(f"{variable} = {_constructor(resource, known, translation)}")
        known[resource["urn"]] = Dependency.of(variable, resource)
        modules.add(resource["type"].split(":")[1])
    exports = [
        f"pulumi.export({key!r}, {_formatted(translation.expression(value, None, known.values()))})"
        for resource in resources
        if resource["type"] == "pulumi:pulumi:Stack"
        for key, value in resource.get("outputs", {}).items()
    ]
    head = [
        '"""A flat program, made from the state of a stack."""',
        "import pulumi",
        *(f"from pulumi_azure_native import {module}" for module in sorted(modules)),
        f"settings = pulumi.Config({CONFIG!r})",
    ]
    return FlatProgram("\n".join([*head, *statements, *exports]) + "\n", translation.secrets)


def _constructor(resource: Mapping[str, Any], known: Mapping[str, Dependency], translation: Translation) -> str:
    _, module, name = resource["type"].split(":")
    kind = argument_class(resource)
    python = {wire: key for key, wire in _types.input_type_py_to_pulumi_names(kind).items()}
    kinds = _types.input_type_types(kind)
    made_from = resource.get("propertyDependencies", {})
    translation.used.clear()
    arguments = [repr(resource["urn"].rsplit("::", 1)[-1])]
    for key, value in resource.get("inputs", {}).items():
        dependencies = [known[urn] for urn in made_from.get(key) or () if urn in known]
        expression = translation.expression(value, kinds.get(key), dependencies)
        arguments.append(f"{_keyword(python[key])}={_formatted(expression)}")
    options = _options(resource, known, translation.used)
    if options:
        arguments.append(f"opts=pulumi.ResourceOptions({', '.join(options)})")
    return f"{module}.{name}(\n    " + ",\n    ".join(arguments) + ",\n)"


def _keyword(name: str) -> str:
    # `resource_name` is the first parameter of every resource, so the SDK adds a line to a property of that name.
    return "resource_name_" if name == "resource_name" else name


def _options(resource: Mapping[str, Any], known: Mapping[str, Dependency], used: set[str]) -> list[str]:
    options = []
    needed = [known[urn].variable for urn in resource.get("dependencies") or () if urn in known]
    unseen = [variable for variable in needed if variable not in used]
    if unseen:
        options.append(f"depends_on=[{', '.join(unseen)}]")
    if resource.get("deletedWith") in known:
        options.append(f"deleted_with={known[resource['deletedWith']].variable}")
    options += [f"{python}={resource[key]!r}" for key, python in _OPTIONS.items() if resource.get(key)]
    timeouts = {key: f"{seconds}s" for key, seconds in (resource.get("customTimeouts") or {}).items() if seconds}
    if timeouts:
        texts = ", ".join(f"{key}={text!r}" for key, text in timeouts.items())
        options.append(f"custom_timeouts=pulumi.CustomTimeouts({texts})")
    return options


def _formatted(expression: object) -> str:
    return pprint.pformat(expression, width=_WIDTH, sort_dicts=False)
