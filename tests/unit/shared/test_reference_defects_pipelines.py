"""What was wrong in the workflow of the public reference implementation, looked for in ours."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

WORKFLOWS = Path(__file__).parents[3] / ".github" / "workflows"
BOTH = pytest.mark.parametrize("name", ["preview", "deploy"])


def workflow(name: str) -> dict[str, Any]:
    """Return a workflow; `on` is a boolean to YAML and comes back as text."""
    content = yaml.safe_load((WORKFLOWS / f"{name}.yml").read_text(encoding="utf-8"))
    return {"on" if key is True else key: value for key, value in content.items()}


def steps(name: str) -> list[dict[str, Any]]:
    """Return the steps of all jobs of a workflow."""
    return [step for job in workflow(name)["jobs"].values() for step in job["steps"]]


def deployment() -> dict[str, Any]:
    """Return the job that deploys, which is the one that runs `up`."""
    (job,) = [
        job
        for job in workflow("deploy")["jobs"].values()
        if any("tools.pipeline up " in step.get("run", "") for step in job["steps"])
    ]
    return dict(job)


def test_every_change_of_main_is_deployed_whatever_file_it_touches() -> None:
    """A filter of paths forgets the file that somebody adds later."""
    push = workflow("deploy")["on"]["push"]
    assert push["branches"] == ["main"]
    assert not {"paths", "paths-ignore"} & push.keys()
    changes = workflow("preview")["on"]["pull_request"] or {}
    assert not {"paths", "paths-ignore"} & changes.keys()


def test_stacks_are_deployed_one_after_the_other() -> None:
    """A bad change stops at the first stack, and none is named in the workflow."""
    strategy = deployment()["strategy"]
    assert strategy["max-parallel"] == 1
    assert strategy["fail-fast"] is True
    assert str(strategy["matrix"]["stack"]).startswith("${{ fromJSON(")
    commands = [step.get("run", "") for step in deployment()["steps"]]
    ready = next(number for number, text in enumerate(commands) if "tools.pipeline ready" in text)
    assert ready < next(number for number, text in enumerate(commands) if "tools.pipeline up" in text)


def test_each_stack_is_deployed_from_an_environment_of_its_own() -> None:
    """So each has an identity of its own, which trusts that environment, and approvals of its own."""
    job = deployment()
    assert job["environment"] == "${{ matrix.stack }}"
    assert job["env"]["ARM_CLIENT_ID"].startswith("${{ vars.")
    assert workflow("deploy")["permissions"] == {}


@BOTH
def test_no_secret_stands_on_a_command_line(name: str) -> None:
    """The list of processes shows command lines; secrets go through the environment of the step that needs them."""
    commands = [step["run"] for step in steps(name) if "run" in step]
    assert commands
    assert not [command for command in commands if "secrets." in command or "${{" in command]


@BOTH
def test_workflows_use_no_retired_command_and_no_extension(name: str) -> None:
    """Outputs are written to a file, and no step installs something for a command of another product."""
    text = (WORKFLOWS / f"{name}.yml").read_text(encoding="utf-8")
    assert not re.search(r"::set-output|::save-state|::set-env|az extension", text)
    assert "GITHUB_OUTPUT" in text
