"""A version goes through the fleet wave after wave: what each tracked stamp runs after each change of a file."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from shared.config import FleetManagerSettings
from tests.manifests.rendering import MANIFESTS, PROJECT, STAMPS, Document, chart, loaded, substituted, values
from tests.unit.test_configuration import tracked
from tools.kubernetes_tools import tool

NEW = "sha256:" + "ab" * 32
FIRST, SECOND = STAMPS


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Return a copy of what Flux reads."""
    return Path(shutil.copytree(MANIFESTS, tmp_path / "cluster-manifests"))


def release(repository: Path, wave: str) -> None:
    """Write a new image into the file of one wave."""
    file = repository / "workload" / "waves" / f"{wave}.yaml"
    text, changed = re.subn(r"sha256:[0-9a-f]{64}", NEW, file.read_text(encoding="utf-8"))
    assert changed == 1
    file.write_text(text, encoding="utf-8")


def runs(repository: Path, stamp: str) -> list[Document]:
    """Return what the chart makes in a stamp, with the values that the program passes it."""
    folder = repository / "stamps" / "standard" / "workload"
    done = subprocess.run([str(tool("kustomize")), "build", str(folder)], capture_output=True, text=True, check=True)
    parts = [part for part in re.split(r"^---$", done.stdout, flags=re.MULTILINE) if part.strip()]
    documents = [substituted(part, values(stamp)) for part in parts]
    (helm,) = (each for each in documents if each["kind"] == "HelmRelease")
    return chart(helm, documents)


def images(documents: list[Document]) -> set[str]:
    """Return the digests of the pods."""
    pods = [each["spec"]["template"]["spec"] for each in documents if each["kind"] == "Deployment"]
    return {container["image"].rpartition("@")[2] for pod in pods for container in pod["containers"]}


def test_a_new_version_reaches_the_first_stamp_alone_and_the_second_with_the_next_file(repository: Path) -> None:
    """The file of a wave changes that wave's stamps and nothing at all in the others."""
    before = {stamp: runs(repository, stamp) for stamp in STAMPS}
    assert NEW not in images(before[FIRST]) | images(before[SECOND])

    release(repository, values(FIRST)["WAVE"])
    assert images(runs(repository, FIRST)) == {NEW}
    assert runs(repository, SECOND) == before[SECOND]

    release(repository, values(SECOND)["WAVE"])
    assert images(runs(repository, SECOND)) == {NEW}


def test_the_waves_have_one_vocabulary() -> None:
    """A wave of a stack file is a file here, a stage of the fleet manager by default, and each stage has a stamp."""
    used = {values(stamp)["WAVE"] for stamp in STAMPS}
    assert used == set(FleetManagerSettings().waves)
    kustomization = loaded((MANIFESTS / "workload" / "kustomization.yaml").read_text(encoding="utf-8"))
    written = {each["name"].removeprefix("region-echo-") for each in kustomization["configMapGenerator"]}
    assert used <= written
    assert written == {file.stem for file in (MANIFESTS / "workload" / "waves").iterdir()}


def test_a_stamp_needs_no_line_for_its_wave() -> None:
    """Without one it belongs to the first, as the first stack file shows."""
    assert "gitops" not in tracked(FIRST)
    assert values(FIRST)["WAVE"] == "wave1"
    stack_file = yaml.safe_load((PROJECT / f"Pulumi.{SECOND}.yaml").read_text(encoding="utf-8"))
    assert stack_file["config"]["aks-geode:stamp"]["gitops"] == {"wave": "wave2"}
