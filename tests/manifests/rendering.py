"""What Flux makes of the repository, offline: kustomize, substitution, Helm, with the values of the program itself."""

from __future__ import annotations

import functools
import re
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from stamps.config import GitOpsSettings
from tests.unit.pulumi_mocks import Registration
from tests.unit.stamps.test_reference_defects import deploy_stamp
from tools.kubernetes_tools import tool

PROJECT = Path(__file__).parents[2]
MANIFESTS = PROJECT / "cluster-manifests"
STAMPS = ("eastus2", "centralus")
STRUCTURES = tuple(sorted(folder.name for folder in (MANIFESTS / "stamps").iterdir() if folder.is_dir()))
PARTS = ("platform", "workload")

VARIABLE = re.compile(r"\$\{([^}]*)\}")
"""Flux substitutes braces only; a dollar sign without them stays."""

NO_SUBSTITUTION = "kustomize.toolkit.fluxcd.io/substitute"

Document = dict[str, Any]

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the definitions of kinds are a megabyte


class Rendered(NamedTuple):
    """What a stamp's cluster gets, and from which part: `platform`, `workload` or `chart`."""

    part: str
    document: Document

    @property
    def kind(self) -> str:
        """Its kind."""
        return str(self.document["kind"])

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.document["metadata"]["name"])

    @property
    def namespace(self) -> str:
        """Its namespace, empty for what has none."""
        return str(self.document["metadata"].get("namespace", ""))

    @property
    def identity(self) -> str:
        """What is unique in a cluster."""
        group = str(self.document["apiVersion"]).rpartition("/")[0]
        return f"{group}/{self.kind}/{self.namespace}/{self.name}"


@functools.cache
def flux_configuration(stamp: str) -> Registration:
    """Return what the program asks Azure for, on mocks."""
    return deploy_stamp(stamp).one("azure-native:kubernetesconfiguration:FluxConfiguration")


def values(stamp: str) -> dict[str, str]:
    """Return the variables that a stamp passes to Flux."""
    parts = flux_configuration(stamp).inputs["kustomizations"]
    return dict(parts["platform"]["postBuild"]["substitute"])


@functools.cache
def built(structure: str, part: str) -> tuple[str, str]:
    """Return what kustomize prints for a folder, and what it warns of."""
    folder = MANIFESTS / "stamps" / structure / part
    done = subprocess.run([str(tool("kustomize")), "build", str(folder)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr


def loaded(text: str) -> Document:
    """Read one object."""
    document: Document = yaml.load(text, _LOADER)  # noqa: S506 - a safe loader, in C where there is one
    return document


@functools.cache
def texts(structure: str, part: str) -> tuple[str, ...]:
    """Return the objects of a folder as text, one each, before substitution; without the definitions of kinds."""
    objects = re.split(r"^---$", built(structure, part)[0], flags=re.MULTILINE)
    return tuple(text for text in objects if text.strip() and "\nkind: CustomResourceDefinition\n" not in text)


@functools.cache
def definitions(structure: str) -> tuple[str, ...]:
    """Return the definitions of kinds as text."""
    objects = re.split(r"^---$", built(structure, "platform")[0], flags=re.MULTILINE)
    return tuple(text for text in objects if "\nkind: CustomResourceDefinition\n" in text)


def substitutes(document: Document) -> bool:
    """Tell whether Flux substitutes in an object: an annotation or a label can forbid it."""
    metadata = document["metadata"]
    return "disabled" not in {(metadata.get(key) or {}).get(NO_SUBSTITUTION) for key in ("annotations", "labels")}


def substituted(text: str, variables: dict[str, str]) -> Document:
    """Return an object as Flux applies it. A variable that is missing is an error here; Flux makes it empty."""
    document = loaded(text)
    if substitutes(document):
        document = loaded(VARIABLE.sub(lambda match: variables[match[1]], text))
    return document


def _merged(below: Document, above: Document) -> Document:
    result = dict(below)
    for key, value in above.items():
        lower = result.get(key)
        result[key] = _merged(lower, value) if isinstance(lower, dict) and isinstance(value, dict) else value
    return result


def release_values(release: Document, documents: list[Document]) -> Document:
    """Return the values of a Helm release as Flux merges them: its ConfigMaps in their order, then its own."""
    maps = {
        (each["metadata"].get("namespace"), each["metadata"]["name"]): each["data"]
        for each in documents
        if each["kind"] == "ConfigMap"
    }
    merged: Document = {}
    for source in release["spec"].get("valuesFrom", []):
        text = maps[release["metadata"]["namespace"], source["name"]][source.get("valuesKey", "values.yaml")]
        merged = _merged(merged, yaml.safe_load(text))
    return _merged(merged, release["spec"].get("values", {}))


def chart(release: Document, documents: list[Document]) -> list[Document]:
    """Render the chart of a Helm release."""
    spec = release["spec"]
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        yaml.safe_dump(release_values(release, documents), file)
        file.flush()
        command = [str(tool("helm")), "template", spec["releaseName"], str(PROJECT / spec["chart"]["spec"]["chart"])]
        command += ["--namespace", spec["targetNamespace"], "--values", file.name]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [document for document in yaml.load_all(done.stdout, _LOADER) if document]


def _rendered(structure: str, stamp: str) -> Iterator[Rendered]:
    variables = values(stamp)
    for part in PARTS:
        documents = [substituted(text, variables) for text in texts(structure, part)]
        for document in documents:
            yield Rendered(part, document)
            if document["kind"] == "HelmRelease":
                for each in chart(document, documents):
                    yield Rendered("chart", each)


@functools.cache
def rendered(structure: str, stamp: str = STAMPS[0]) -> tuple[Rendered, ...]:
    """Return all that a stamp's cluster gets, except the definitions of kinds."""
    return tuple(_rendered(structure, stamp))


def of_kind(structure: str, *kinds: str) -> list[Rendered]:
    """Return the objects of some kinds."""
    return [each for each in rendered(structure) if each.kind in kinds]


def pod_specs(structure: str) -> list[tuple[Rendered, Document]]:
    """Return everything that makes pods, with the pods' specification."""
    makers = of_kind(structure, "Deployment", "DaemonSet", "StatefulSet", "Job")
    return [(each, each.document["spec"]["template"]["spec"]) for each in makers]


def structures_of_the_program() -> set[str]:
    """Return the structures that a stack file may name."""
    annotation = GitOpsSettings.model_fields["structure"].annotation
    return set(getattr(annotation, "__args__", ()))
