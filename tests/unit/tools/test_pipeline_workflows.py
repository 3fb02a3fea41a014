"""The workflows: least permissions, commands that exist, no region by name, no credentials for strangers."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tools import pipeline, pipeline_engine
from tools.house_rules import REGIONS
from tools.pipeline_stacks import ordered_stacks

ROOT = Path(__file__).parents[3]
FILES = sorted((ROOT / ".github" / "workflows").glob("*.y*ml"))
PERMISSIONS = {
    ("preview", "check"): {"contents": "read"},
    ("preview", "azure"): {"contents": "read", "id-token": "write", "pull-requests": "write"},
    ("preview", "simulated"): {"contents": "read"},
    ("deploy", "check"): {"contents": "read"},
    ("deploy", "deploy"): {"contents": "read", "id-token": "write", "actions": "read"},
    ("nightly", "faults"): {"contents": "read"},
    ("nightly", "cluster"): {"contents": "read"},
}
"""What each job may do. A new job, or a new right, has to be entered here, and so is seen in a review."""


def workflow(name: str) -> dict[str, Any]:
    """Return a workflow; YAML reads its key `on` as true."""
    content: dict[Any, Any] = yaml.safe_load((ROOT / ".github" / "workflows" / f"{name}.yml").read_text("utf-8"))
    return {"on" if key is True else key: value for key, value in content.items()}


def jobs() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Give workflow, name and content of every job."""
    for file in FILES:
        for name, job in workflow(file.stem)["jobs"].items():
            yield file.stem, name, job


def steps(job: dict[str, Any], key: str) -> list[str]:
    """Return what the job's steps say under `run` or `uses`."""
    return [step[key] for step in job["steps"] if key in step]


def test_permissions_are_the_least() -> None:
    """None for a workflow, and for each job those of the table."""
    assert [file.stem for file in FILES if workflow(file.stem)["permissions"] != {}] == []
    assert {(file, name): job["permissions"] for file, name, job in jobs()} == PERMISSIONS


def test_strangers_get_no_credentials() -> None:
    """No workflow runs with the base's rights on a fork's code, and who may log in is not run for forks."""
    assert set(workflow("preview")["on"]) == {"pull_request"}
    assert set(workflow("deploy")["on"]) == {"push", "workflow_dispatch"}
    assert workflow("deploy")["on"]["push"] == {"branches": ["main"]}
    own, foreign = (workflow("preview")["jobs"][name]["if"] for name in ("azure", "simulated"))
    assert "github.event.pull_request.head.repo.full_name == github.repository" in own
    assert "github.event.pull_request.head.repo.full_name != github.repository" in foreign
    assert "||" not in own
    for _, name, job in jobs():
        if "id-token" not in job["permissions"]:
            assert "secrets." not in str(job), name
            assert not any("azure/login" in use for use in steps(job, "uses")), name


def test_actions_are_pinned_and_keep_no_token() -> None:
    """By commit, with the version behind it; a checkout leaves no token in the folder."""
    for file in FILES:
        for line in re.findall(r"uses: .*", file.read_text("utf-8")):
            assert re.fullmatch(r"uses: [\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line), line
    for _, name, job in jobs():
        for step in job["steps"]:
            if "actions/checkout" in step.get("uses", ""):
                assert step["with"]["persist-credentials"] is False, name


def test_every_command_is_one_of_the_project() -> None:
    """Make targets and tools that exist, with options that they take: a person can run the same."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    called = []
    for file, name, job in jobs():
        for command in steps(job, "run"):
            assert "${{" not in command, f"{file} {name}: a value put into a script can be a script: {command}"
            for line in command.strip().splitlines():
                words = shlex.split(re.sub(r"^(exec |stacks=\$\((?=.*\)$))", "", line).rstrip(")"))
                called.append(words[0])
                if words[0] == "make":
                    assert words[1] in targets, line
                elif words[0] == "echo":
                    assert line == 'echo "stacks=$stacks" >> "$GITHUB_OUTPUT"'
                else:
                    assert words[:3] == [".venv/bin/python", "-m", "tools.pipeline"], line
                    pipeline._parser().parse_args([str(ROOT) if word == "base" else word for word in words[3:]])
    assert {"make", ".venv/bin/python"} <= set(called)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_no_region_and_no_stack_by_name(file: Path) -> None:
    """A new region is a stack file, and no line of a workflow."""
    text = file.read_text("utf-8")
    code = "\n".join(line.partition("#")[0] for line in text.splitlines())

    assert set(re.findall(r"\w+", text)) & REGIONS == set()
    assert set(re.findall(r"[\w-]+", code)) & {stack.name for stack in ordered_stacks(ROOT)} == set()


def test_the_matrix_comes_from_the_stack_files() -> None:
    """In every job that works on stacks; its stack reaches scripts by the environment only."""
    for file, name, job in jobs():
        if file == "nightly":
            assert "strategy" not in job  # it deploys nothing to Azure
        elif name == "check":
            assert job["outputs"]["stacks"] == "${{ steps.stacks.outputs.stacks }}"
        else:
            assert job["needs"] == "check", (file, name)
            assert job["strategy"]["matrix"] == {"stack": "${{ fromJSON(needs.check.outputs.stacks) }}"}
            assert job["env"]["STACK"] == "${{ matrix.stack }}"


def test_stacks_are_deployed_one_after_the_other() -> None:
    """Each in its own environment, stopped by the first failure, by the name that `ready` asks GitHub for."""
    job = workflow("deploy")["jobs"]["deploy"]

    assert job["environment"] == "${{ matrix.stack }}"
    assert job["strategy"]["max-parallel"] == 1
    assert job["strategy"]["fail-fast"] is True
    assert job["name"] == pipeline.JOB_NAME.format(stack="${{ matrix.stack }}")
    verbs = [words.split("tools.pipeline ")[1].split()[0] for words in steps(job, "run") if "tools.pipeline" in words]
    assert verbs == ["ready", "preview", "comment", "up"]
    assert pipeline_engine.PARALLEL == "32"


def test_a_running_deployment_is_never_cancelled() -> None:
    """Not even by the next one; an outdated preview is."""
    assert workflow("deploy")["concurrency"] == {"group": "deploy", "cancel-in-progress": False}
    preview = workflow("preview")["concurrency"]
    assert preview["cancel-in-progress"] is True
    assert "github.event.pull_request.number" in preview["group"]


def test_secrets_reach_the_engine_only() -> None:
    """No job and no other step has one in its environment; an identity is no secret."""
    for file, name, job in jobs():
        outside = {key: value for key, value in job.items() if key != "steps"}
        assert "secrets." not in str(outside), (file, name)
        for step in job["steps"]:
            if "secrets." in str(step):
                assert re.search(r"tools\.pipeline (preview|up) ", step["run"]), (file, name, step)
        if "id-token" in job["permissions"]:
            assert job["env"]["ARM_USE_OIDC"] == "true"
            assert {"ARM_CLIENT_ID", "ARM_TENANT_ID", "ARM_SUBSCRIPTION_ID", "PULUMI_BACKEND_URL"} <= set(job["env"])
