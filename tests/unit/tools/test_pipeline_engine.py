"""How the pipeline starts the engine, and how it ends it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tools import pipeline, pipeline_engine

ROOT = Path(__file__).parents[3]
ENGINE = """
import signal, sys, time
def end(number, frame):
    print(f"saved after {number}", flush=True)
    time.sleep(0.3)
    sys.exit(3)
signal.signal(signal.SIGINT, end)
print("running", flush=True)
time.sleep(60)
"""


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[str], str]]:
    """Return the commands that would be run, each with its folder."""
    seen: list[tuple[list[str], str]] = []

    def run(command: Sequence[str], folder: Path, environment: Mapping[str, str], output: Path | None = None) -> int:
        assert environment["PATH"]
        seen.append(([str(part) for part in command if part != sys.executable], folder.name))
        return 0

    monkeypatch.setattr(pipeline_engine, "run", run)
    monkeypatch.setattr(pipeline_engine, "engine_bin_directory", lambda: Path("engine"))
    monkeypatch.chdir(ROOT)
    return seen


def test_deployment_is_not_asked_and_runs_wide(commands: list[tuple[list[str], str]]) -> None:
    """The preview is a command of its own before it."""
    assert pipeline.main(["preview", "--stack", "eastus2", "--output", "preview.json"]) == 0
    assert pipeline.main(["up", "--stack", "eastus2"]) == 0

    assert [" ".join(command) for command, _ in commands] == [
        "pulumi preview --stack eastus2 --json --non-interactive --parallel 32",
        "pulumi up --stack eastus2 --yes --skip-preview --non-interactive --parallel 32",
    ]


def test_simulated_preview_begins_with_what_the_stack_builds_on(
    commands: list[tuple[list[str], str]], tmp_path: Path
) -> None:
    """The base's stacks, as far as it has them, then the shared stack of this checkout, then the preview."""
    (tmp_path / "Pulumi.yaml").write_text("name: aks-geode\n", encoding="utf-8")
    (tmp_path / "Pulumi.shared.yaml").write_text("config: {aks-geode:shared: {}}\n", encoding="utf-8")
    arguments = ["preview", "--stack", "eastus2", "--output", "preview.json", "--base", str(tmp_path)]

    assert pipeline.main(arguments) == 0

    home = f"--home {ROOT / '.simulator'}"
    assert [" ".join(command) for command, _ in commands] == [
        f"-m simulator up {home} --project-directory {tmp_path} --stack shared",
        f"-m simulator up {home} --project-directory {ROOT} --stack shared",
        "-m simulator run -- pulumi preview --stack eastus2 --json --non-interactive --parallel 32",
    ]
    assert (tmp_path / ".venv").resolve() == Path(sys.prefix).resolve()


def test_a_base_that_is_no_checkout_is_refused(
    commands: list[tuple[list[str], str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing runs."""
    with pytest.raises(SystemExit):
        pipeline.main(["preview", "--stack", "eastus2", "--output", "p.json", "--base", str(tmp_path)])
    assert "is no checkout of this project" in capsys.readouterr().err
    assert commands == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_cancelled_job_lets_the_engine_end(tmp_path: Path, number: signal.Signals) -> None:
    """It gets one SIGINT, saves its state, and its exit code is the command's."""
    code = (
        "import os, sys; from pathlib import Path; from tools.pipeline_engine import run;"
        f"sys.exit(run([sys.executable, '-c', {ENGINE!r}], Path.cwd(), os.environ, Path(sys.argv[1])))"
    )
    output = tmp_path / "output"
    process = subprocess.Popen([sys.executable, "-c", code, str(output)], cwd=ROOT, env=dict(os.environ))
    deadline = time.monotonic() + 20
    while not (output.exists() and "running" in output.read_text(encoding="utf-8")):
        assert time.monotonic() < deadline
        time.sleep(0.02)

    process.send_signal(number)

    assert process.wait(20) == 3
    assert output.read_text(encoding="utf-8") == f"running\nsaved after {int(signal.SIGINT)}\n"
