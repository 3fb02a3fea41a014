"""What the command says and writes: a copy first, nothing without a yes, one sentence for each thing that is wrong."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest

from geode.command import main
from geode.engine import Engine
from geode.stack_lock import LockHolder, holders
from tests.unit.geode.planned_stack import GROUP, GROUP_ID, PFX, PROVIDER, TAGS, TEAM, VAULT, VAULT_ID, whole_preview

LOCKED = (
    "error: could not import deployment: the stack is currently locked by 1 lock(s).\n"
    "  file:///state/.pulumi/locks/x.json?no_tmp_dir=true: "
    "created by bob@{host} (pid {process}) at 2026-11-21T16:55:44Z"
)


class FakeEngine:
    """Answers the CLI's verbs: the real backend and the copy's each hold a state, Azure holds ids with tags."""

    def __init__(self) -> None:
        self.states: dict[str, dict[str, Any]] = {"real": self.state(pending_operations=[self.creating(VAULT)])}
        self.azure: dict[str, dict[str, Any]] = {GROUP_ID: {"tags": TAGS}, VAULT_ID: {"tags": TAGS}}
        self.lock = ""
        self.calls: list[str] = []

    @staticmethod
    def state(**deployment: Any) -> dict[str, Any]:  # noqa: ANN401 - parts of the engine's own document
        """Return an export with these parts."""
        return {"version": 3, "deployment": {"manifest": {}, **deployment}}

    @staticmethod
    def creating(urn: str) -> dict[str, Any]:
        """Return an operation that a killed run left open."""
        return {"type": "creating", "resource": {"urn": urn}}

    def run(self, engine: Engine, *arguments: str, text: str | None = None) -> subprocess.CompletedProcess[str]:
        """Answer one command."""
        where = "copy" if "PULUMI_SKIP_CHECKPOINTS" in engine.environment else "real"
        self.calls.append(f"{where} {arguments[0]} {arguments[1]}")
        code, told, refused = 0, "", ""
        if arguments[:2] == ("stack", "export"):
            told = json.dumps(self.states[where])
        elif arguments[:2] == ("stack", "import"):
            if self.lock and where == "real":
                code, refused = 1, self.lock
            else:
                self.states[where] = json.loads(text or "")
        elif arguments[0] == "cancel":
            self.lock = ""
        elif arguments[0] == "preview":
            told = self.preview(arguments)
        elif arguments[0] == "refresh":
            self.refresh()
        return subprocess.CompletedProcess(arguments, code, told, refused)

    def preview(self, arguments: tuple[str, ...]) -> str:
        """Plan the creation of everything that the copy's state lacks."""
        there = {item["urn"] for item in self.states["copy"]["deployment"]["resources"]}
        shown = whole_preview()
        plan_file = Path(arguments[arguments.index("--save-plan") + 1])
        plan_file.write_text(json.dumps({"resourcePlans": shown.plan}), encoding="utf-8")
        steps = [{**step, "op": "same" if step["urn"] in there else "create"} for step in shown.steps]
        return json.dumps({"steps": steps})

    def refresh(self) -> None:
        """Drop from the copy what Azure does not hold."""
        resources = self.states["copy"]["deployment"]["resources"]
        kept = [item for item in resources if item["urn"] == PROVIDER or item["id"] in self.azure]
        self.states["copy"]["deployment"]["resources"] = [
            {**item, "inputs": {"location": "eastus2"}, "outputs": self.azure.get(item["id"], {})} for item in kept
        ]


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeEngine:
    """Stand in for the CLI, in a project with one stamp."""
    engine = FakeEngine()
    monkeypatch.setattr(Engine, "run", lambda self, *arguments, text=None: engine.run(self, *arguments, text=text))
    monkeypatch.setenv("ARM_SUBSCRIPTION_ID", GROUP_ID.split("/")[2])
    monkeypatch.delenv("PULUMI_SKIP_CHECKPOINTS", raising=False)
    (tmp_path / "Pulumi.yaml").write_text("name: aks-geode\n", encoding="utf-8")
    (tmp_path / "Pulumi.east.yaml").write_text("config: {'aks-geode:stamp': {region: eastus2}}\n", encoding="utf-8")
    (tmp_path / "Pulumi.shared.yaml").write_text("config: {'aks-geode:shared': {}}\n", encoding="utf-8")
    return engine


def recover(folder: Path, *more: str, answer: str = "y") -> int:
    """Run the command and answer its questions."""
    return main(["recover", "east", "--project-directory", str(folder), *more], ask=lambda _: answer)


def test_it_shows_asks_keeps_a_copy_and_adopts(
    fake: FakeEngine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Group and vault stand, the certificate does not; the open operation is gone afterwards."""
    before = fake.states["real"]

    assert recover(tmp_path) == 0

    told = capsys.readouterr().out
    assert "creating keyvault:Vault east-vault" in told
    assert "resources:ResourceGroup east-group" in told
    assert "not asked: Azure draws the id of east-team itself" in told
    assert "2 adopted" in told
    deployment = fake.states["real"]["deployment"]
    assert "pending_operations" not in deployment
    assert {item["urn"] for item in deployment["resources"]} >= {GROUP, VAULT}
    assert PFX not in {item["urn"] for item in deployment["resources"]}
    (copy,) = (tmp_path / ".recovery").glob("east-*.json")
    assert json.loads(copy.read_text("utf-8")) == before
    assert copy.stat().st_mode & 0o777 == 0o600


def test_a_no_changes_nothing(fake: FakeEngine, tmp_path: Path) -> None:
    """The question comes after the table; everything before it happens in a copy."""
    before = fake.states["real"]

    assert recover(tmp_path, answer="") == 1

    assert fake.states["real"] == before


def test_a_dead_lock_is_shown_and_dropped(fake: FakeEngine, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Who held it is told before the question."""
    fake.lock = LOCKED.format(host="elsewhere", process=42)

    assert recover(tmp_path) == 0

    assert "locked by bob on elsewhere, process 42, since 2026-11-21T16:55:44Z" in capsys.readouterr().out
    assert "real cancel --yes" in fake.calls


def test_the_lock_of_a_running_engine_is_never_dropped(
    fake: FakeEngine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Not even with --yes: two engines on one state lose resources."""
    fake.lock = LOCKED.format(host=socket.gethostname(), process=os.getpid())

    assert recover(tmp_path, "--yes") == 2

    assert "still runs" in capsys.readouterr().err
    assert "real cancel --yes" not in fake.calls


def test_somebody_elses_resource_is_not_adopted(
    fake: FakeEngine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It has the id and other tags."""
    fake.azure[VAULT_ID] = {"tags": {**TAGS, "scope": "west"}}

    assert recover(tmp_path) == 0

    assert f"not adopted: {VAULT_ID}" in capsys.readouterr().out
    assert VAULT not in {item["urn"] for item in fake.states["real"]["deployment"]["resources"]}


def test_nothing_to_adopt_writes_nothing(fake: FakeEngine, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A second run finds the state complete."""
    fake.azure.clear()
    fake.states["real"] = fake.state()
    before = fake.states["real"]

    assert recover(tmp_path) == 0

    assert "Nothing to adopt" in capsys.readouterr().out
    assert fake.states["real"] == before


def test_a_found_id_is_adopted(fake: FakeEngine, tmp_path: Path) -> None:
    """What Entra drew is asked for under the id that the user gives."""
    fake.azure["/groups/1"] = {}

    assert recover(tmp_path, "--id", "east-team=/groups/1") == 0

    assert TEAM in {item["urn"] for item in fake.states["real"]["deployment"]["resources"]}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["recover", "west"], "there is no Pulumi.west.yaml; the stacks are shared, east"),
        (["recover", "east", "--config-file", "nowhere.yaml"], "name the stack's with --config-file"),
    ],
)
def test_bad_input_gets_one_sentence(
    fake: FakeEngine, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    """Nothing is asked, nothing is written."""
    assert main([*arguments, "--project-directory", str(tmp_path)]) == 2

    assert told in capsys.readouterr().err
    assert fake.calls == []


def test_an_id_without_a_name_is_refused(fake: FakeEngine, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The option's form is told."""
    with pytest.raises(SystemExit):
        recover(tmp_path, "--id", "/groups/1")

    assert "is not NAME=ID" in capsys.readouterr().err


def test_an_engine_that_fails_is_quoted(
    fake: FakeEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The program's own message reaches the user, and the state is as it was."""
    before = fake.states["real"]
    answer = fake.run

    def failing(engine: Engine, *arguments: str, text: str | None = None) -> subprocess.CompletedProcess[str]:
        if arguments[0] == "preview":
            told = {"diagnostics": [{"severity": "error", "message": "The configuration is not valid."}]}
            return subprocess.CompletedProcess(arguments, 1, json.dumps(told), "")
        return answer(engine, *arguments, text=text)

    monkeypatch.setattr(fake, "run", failing)

    assert recover(tmp_path) == 2

    assert "The configuration is not valid." in capsys.readouterr().err
    assert fake.states["real"] == before


def test_lock_holders_are_read_from_the_engines_words() -> None:
    """Each of several; nothing from other refusals."""
    told = LOCKED.format(host="one", process=1) + "\n" + LOCKED.format(host="two", process=2)

    assert holders(told) == [
        LockHolder("bob", "one", 1, "2026-11-21T16:55:44Z"),
        LockHolder("bob", "two", 2, "2026-11-21T16:55:44Z"),
    ]
    assert holders("error: no stack named east") == []
