"""Renders the chart with Helm, and a stamp's release as Flux would: kustomize, substitution, values, Helm."""

from __future__ import annotations

import functools
import re
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from tools.kubernetes_tools import tool

ROOT = Path(__file__).parents[2]
CHART = ROOT / "workload" / "chart"

STAMP = {
    "region": "eastus2",
    "name": "eastus2-blue",
    "cluster": "aks-eastus2",
    "host": "eastus2.aks-ingress.contoso.com",
}
"""The values that have no default."""

VARIABLES = {
    "REGION": "eastus2",
    "STAMP": "eastus2-blue",
    "CLUSTER_NAME": "aks-eastus2",
    "INGRESS_HOST": "eastus2.aks-ingress.contoso.com",
    "WORKLOAD_CLIENT_ID": "11111111-2222-3333-4444-555555555555",
    "COSMOS_ENDPOINT": "https://cosmos-a.documents.azure.com:443/",
    "WAVE": "wave2",
}

Object = dict[str, Any]


class RenderError(Exception):
    """What Helm said."""


def render(*values: Mapping[str, Any], chart: Path = CHART) -> list[Object]:
    """Return the objects; later values win."""
    text = _template(chart, *(yaml.safe_dump(dict(part)) for part in values))
    return [item for item in yaml.safe_load_all(text) if item]


@functools.cache
def _template(chart: Path, *values: str) -> str:
    with tempfile.TemporaryDirectory() as folder:
        command = [str(tool("helm")), "template", "region-echo", str(chart), "--namespace", "workload"]
        for number, part in enumerate(values):
            path = Path(folder, f"{number}.yaml")
            path.write_text(part)
            command += ["--values", str(path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RenderError(done.stderr)
    return done.stdout


def of_kind(objects: list[Object], kind: str) -> dict[str, Object]:
    """Return the objects of one kind by name."""
    return {item["metadata"]["name"]: item for item in objects if item["kind"] == kind}


def flux_objects(structure: str, variables: Mapping[str, str] = VARIABLES) -> list[Object]:
    """Return what Flux applies for the workload of a stamp; a variable that is missing becomes empty, as with Flux."""
    objects = []
    for item in yaml.safe_load_all(_kustomize(structure)):
        annotations = item["metadata"].get("annotations", {})
        if annotations.get("kustomize.toolkit.fluxcd.io/substitute") == "disabled":
            objects.append(item)
        else:
            text = re.sub(r"\$\{(\w+)\}", lambda match: variables.get(match[1], ""), yaml.safe_dump(item))
            objects.append(yaml.safe_load(text))
    return objects


@functools.cache
def _kustomize(structure: str) -> str:
    path = ROOT / "cluster-manifests" / "stamps" / structure / "workload"
    done = subprocess.run([str(tool("kustomize")), "build", str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert not done.stderr, "kustomize warns"
    return done.stdout


def release_values(objects: list[Object]) -> list[Object]:
    """Return the values of the only release in the order in which the helm-controller merges them."""
    (release,) = of_kind(objects, "HelmRelease").values()
    sources = of_kind(objects, "ConfigMap")
    spec = release["spec"]
    return [yaml.safe_load(sources[source["name"]]["data"][source["valuesKey"]]) for source in spec["valuesFrom"]] + [
        spec["values"]
    ]


def texts(item: object, path: str = "") -> Iterator[tuple[str, object]]:
    """Walk over all values that are neither list nor mapping."""
    if isinstance(item, dict):
        for name, value in item.items():
            yield from texts(value, f"{path}.{name}")
    elif isinstance(item, list):
        for number, value in enumerate(item):
            yield from texts(value, f"{path}[{number}]")
    else:
        yield path, item
