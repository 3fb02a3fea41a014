"""Every object fits the schema of its kind, for the version of Kubernetes that the clusters run."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from stamps.cluster_config import ClusterSettings
from tests.manifests.rendering import MANIFESTS, STRUCTURES, rendered
from tools.kubernetes_schemas import custom_schemas, schema_location
from tools.kubernetes_tools import GATEWAY_API, module_folder, tool

GATEWAY_KINDS = MANIFESTS / "platform" / "gateway-api"
DEFINITIONS = (
    *GATEWAY_KINDS.glob("gateway.networking.k8s.io_*s.yaml"),
    *Path(__file__).parent.glob("definitions/*.yaml"),
)

Validate = Callable[[str], str]


@pytest.fixture(scope="module")
def validate(tmp_path_factory: pytest.TempPathFactory) -> Validate:
    """Return a function that validates manifests and returns the complaints, empty when there are none."""
    location = schema_location(ClusterSettings().kubernetes_version, DEFINITIONS)
    file = tmp_path_factory.mktemp("schemas") / "manifests.yaml"

    def run(text: str) -> str:
        file.write_text(text, encoding="utf-8")
        command = [str(tool("kubeconform")), "-strict", "-schema-location", location, str(file)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.stdout + done.stderr if done.returncode else ""

    return run


@pytest.mark.parametrize("structure", STRUCTURES)
def test_every_object_fits_its_schema(structure: str, validate: Validate) -> None:
    """Unknown fields are errors; a kind without a schema is one too."""
    assert validate(yaml.safe_dump_all(each.document for each in rendered(structure))) == ""


@pytest.mark.parametrize(
    ("manifest", "complaint"),
    [
        ("apiVersion: v1\nkind: Service\nmetadata: {name: x}\nspec: {tpye: ClusterIP}", "tpye"),
        ("apiVersion: example.com/v1\nkind: Nothing\nmetadata: {name: x}", "could not find schema"),
        ("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {count: 42}", "got number"),
        (
            "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {name: x}\nspec: {hostnames: x}",
            "hostnames",
        ),
        (
            "apiVersion: azmonitoring.coreos.com/v1\nkind: PodMonitor\nmetadata: {name: x}\nspec: {slector: {}}",
            "slector",
        ),
        (
            "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: x}\nspec: {intervall: 5m}",
            "intervall",
        ),
    ],
    ids=["unknown field", "unknown kind", "number for text", "route", "pod monitor", "release"],
)
def test_what_does_not_fit_is_told(validate: Validate, manifest: str, complaint: str) -> None:
    """The check above can fail."""
    assert complaint in validate(manifest)


def test_the_gateway_api_is_the_published_one() -> None:
    """The files of the module, unchanged and complete: nobody mends a definition by hand."""
    published = module_folder(GATEWAY_API) / "config" / "crd" / "standard"
    names = {file.name for file in published.glob("*.yaml")}
    assert {file.name for file in GATEWAY_KINDS.glob("gateway.*.yaml")} == names
    for name in names:
        assert (GATEWAY_KINDS / name).read_bytes() == (published / name).read_bytes(), name


def test_the_note_names_the_version_that_the_files_have() -> None:
    """Version and licence stand beside what is not ours."""
    note = (GATEWAY_KINDS / "LICENSE-NOTE.md").read_text(encoding="utf-8")
    assert f"{GATEWAY_API.path}@{GATEWAY_API.version}" in note
    assert "Apache License 2.0" in note
    for file in GATEWAY_KINDS.glob("gateway.*.yaml"):
        assert f"bundle-version: {GATEWAY_API.version}" in file.read_text(encoding="utf-8")


def test_schemas_of_custom_resources_are_strict() -> None:
    """As they stand they would let every misspelling pass."""
    text = (GATEWAY_KINDS / "gateway.networking.k8s.io_gatewayclasses.yaml").read_text(encoding="utf-8")
    schema = custom_schemas(text)["gatewayclass-gateway-v1.json"]
    assert schema["properties"]["spec"]["additionalProperties"] is False
