"""Makes the JSON schemas that kubeconform reads offline: Kubernetes' own kinds, and those of custom resources.

The schemas of the Python package refer to one file of definitions, which kubeconform cannot resolve; here each kind is
written out in full. Schemas of custom resources are made strict: an unknown field is an error.
"""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from tools.kubernetes_tools import HELM_CONTROLLER, PROMETHEUS_OPERATOR, module_folder, provide, schema_package

_RECURSIVE = "JSONSchemaProps"
_LOCATION = "{{.ResourceKind}}{{.KindSuffix}}.json"


def schema_location(kubernetes_version: str, definitions: Iterable[Path]) -> str:
    """Return what kubeconform takes as `-schema-location`: strict schemas for one version and our custom resources.

    Args:
        kubernetes_version: major and minor version, `1.36`.
        definitions: files with custom resource definitions, beside those of Flux and of managed Prometheus.
    """
    files = [
        *definitions,
        module_folder(HELM_CONTROLLER) / "config/crd/bases/helm.toolkit.fluxcd.io_helmreleases.yaml",
        _pod_monitors(),
    ]
    digest = hashlib.sha256(Path(__file__).read_bytes())
    for file in files:
        digest.update(file.read_bytes())
    folder = provide(
        f"schemas-{kubernetes_version}-{digest.hexdigest()[:12]}", lambda to: _write(kubernetes_version, files, to)
    )
    return f"{folder}/{_LOCATION}"


def _pod_monitors() -> Path:
    # Azure serves the kinds of the Prometheus operator in a group of its own.
    return module_folder(PROMETHEUS_OPERATOR) / "example/prometheus-operator-crd/monitoring.coreos.com_podmonitors.yaml"


def _write(version: str, definitions: list[Path], folder: Path) -> None:
    own = schema_package() / "kubernetes_validate/kubernetes-json-schema" / f"v{version}.0-local-strict"
    shared = json.loads((own / "_definitions.json").read_text(encoding="utf-8"))
    known = shared.get("$defs") or shared["definitions"]
    for file in own.glob("*.json"):
        schema = json.loads(file.read_text(encoding="utf-8"))
        if {"apiVersion", "kind"} <= set(schema.get("properties") or {}):
            (folder / file.name).write_text(json.dumps(_written_out(schema, known, ())), encoding="utf-8")
    for file in definitions:
        for name, schema in custom_schemas(file.read_text(encoding="utf-8")).items():
            (folder / name).write_text(json.dumps(schema), encoding="utf-8")


def custom_schemas(text: str) -> dict[str, dict[str, Any]]:
    """Return the strict schemas of the custom resource definitions in a text, by kubeconform's file name."""
    schemas = {}
    for document in yaml.safe_load_all(text):
        if not document or document.get("kind") != "CustomResourceDefinition":
            continue
        spec = document["spec"]
        group = spec["group"].partition(".")[0]
        for version in spec["versions"]:
            schema = version["schema"]["openAPIV3Schema"]
            _forbid_unknown(schema)
            schema["properties"] |= {each: {"type": "string"} for each in ("apiVersion", "kind")}
            schema["properties"]["metadata"] = {"type": "object"}
            for known_as in (group, {"monitoring": "azmonitoring"}.get(group, group)):
                schemas[f"{spec['names']['kind'].lower()}-{known_as}-{version['name']}.json"] = schema
    return schemas


def _written_out(node: object, known: dict[str, object], inside: tuple[str, ...]) -> object:
    """Replace each reference by what it refers to; recursive ones by anything."""
    if isinstance(node, dict):
        if "$ref" in node:
            name = str(node["$ref"]).rpartition("/")[2]
            return {} if name in inside or _RECURSIVE in name else _written_out(known[name], known, (*inside, name))
        return {key: _written_out(value, known, inside) for key, value in node.items()}
    if isinstance(node, list):
        return [_written_out(each, known, inside) for each in node]
    return node


def _forbid_unknown(node: object) -> None:
    if isinstance(node, dict):
        free = node.get("x-kubernetes-preserve-unknown-fields") or "additionalProperties" in node
        if node.get("type") == "object" and "properties" in node and not free:
            node["additionalProperties"] = False
        for value in node.values():
            _forbid_unknown(value)
    elif isinstance(node, list):
        for value in node:
            _forbid_unknown(value)
