"""The stacks of a checkout and the order in which pipelines deploy them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import yaml

from tools import pipeline
from tools.pipeline_stacks import PipelineError, ordered_stacks, stack_named

ROOT = Path(__file__).parents[3]


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with the tracked stack files, the working directory of the test."""
    for file in ROOT.glob("Pulumi.*.yaml"):
        shutil.copy(file, tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def add_stamp(checkout: Path, name: str, **settings: object) -> None:
    """Add a stamp's file, a copy of a tracked one with other settings."""
    content = yaml.safe_load((ROOT / "Pulumi.eastus2.yaml").read_text(encoding="utf-8"))
    content["config"]["aks-geode:stamp"].update(settings)
    (checkout / f"Pulumi.{name}.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")


def names(checkout: Path) -> list[str]:
    """Return the names of the stacks in their order."""
    return [stack.name for stack in ordered_stacks(checkout)]


def test_shared_stacks_come_first(checkout: Path) -> None:
    """A new stamp is a file and nothing else, and a second fleet's shared stack comes before all stamps too."""
    assert names(checkout) == ["shared", "centralus", "eastus2"]

    add_stamp(checkout, "brazilsouth")
    shutil.copy(checkout / "Pulumi.shared.yaml", checkout / "Pulumi.staging.yaml")

    assert names(checkout) == ["shared", "staging", "brazilsouth", "centralus", "eastus2"]


def test_stamps_without_traffic_come_before_the_others(checkout: Path) -> None:
    """What is drained or disabled meets a bad change before any user does."""
    add_stamp(checkout, "westus3", drained=True)
    add_stamp(checkout, "uksouth", frontDoorOrigin={"enabled": False})

    assert names(checkout) == ["shared", "uksouth", "westus3", "centralus", "eastus2"]


def test_a_stamp_knows_its_shared_stack(checkout: Path) -> None:
    """As its file says, else the model's default."""
    add_stamp(checkout, "uksouth", sharedStack="staging")

    assert stack_named(checkout, "uksouth").shared_stack == "staging"
    assert stack_named(checkout, "centralus").shared_stack == "shared"
    assert stack_named(checkout, "shared").shared_stack is None


def test_local_files_and_other_projects_are_no_stacks(checkout: Path) -> None:
    """What git ignores is not deployed, nor a file that configures something else."""
    (checkout / "Pulumi.mine.local.yaml").write_text("config: {aks-geode:stamp: {}}\n", encoding="utf-8")
    (checkout / "Pulumi.other.yaml").write_text("config: {other:key: 1}\n", encoding="utf-8")

    assert names(checkout) == ["shared", "centralus", "eastus2"]


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("Pulumi.a;rm.yaml", "config: {}", "expected a stack name"),
        ("Pulumi.broken.yaml", "config: [", "Pulumi.broken.yaml is no YAML"),
    ],
)
def test_bad_files_get_one_sentence(checkout: Path, name: str, text: str, told: str) -> None:
    """A name that a shell could take for more than a name never reaches a workflow."""
    (checkout / name).write_text(text, encoding="utf-8")

    with pytest.raises(PipelineError, match=told):
        ordered_stacks(checkout)


def test_the_matrix_is_one_line_of_json(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What the workflows write to their output, in the order of the list that people read."""
    add_stamp(checkout, "uksouth")

    assert pipeline.main(["stacks", "--json"]) == 0
    line = capsys.readouterr().out
    assert line.count("\n") == 1
    assert pipeline.main(["stacks"]) == 0
    assert json.loads(line) == capsys.readouterr().out.split() == ["shared", "centralus", "eastus2", "uksouth"]


def test_an_unknown_stack_is_refused(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The sentence lists the stacks that there are."""
    assert pipeline.main(["up", "--stack", "uksouth"]) == 2
    assert "there is no Pulumi.uksouth.yaml; the stacks are shared, " in capsys.readouterr().err


def test_a_checkout_without_stack_files_is_refused(tmp_path: Path) -> None:
    """An empty matrix would be an error that nobody understands."""
    with pytest.raises(PipelineError, match="there is no stack file"):
        ordered_stacks(tmp_path)
