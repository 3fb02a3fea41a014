"""The commands of the pull request's preview job, taken from the workflow, on the real engine."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.project import SOURCE, Project

pytestmark = pytest.mark.e2e
_JOB = "simulated"


def commands(job: str) -> list[str]:
    """Return what the job's steps run."""
    content: dict[str, Any] = yaml.safe_load((SOURCE / ".github" / "workflows" / "preview.yml").read_text("utf-8"))
    return [step["run"] for step in content["jobs"][job]["steps"] if "run" in step]


@pytest.fixture
def checkout(tmp_path: Path) -> Project:
    """Return a pull request's checkout, with its base beside it as the workflow has it."""
    project = Project.make(tmp_path / "project", ("shared", "eastus2"))
    for name in ("tools", "simulator", "Makefile", "requirements.lock"):
        (project.root / name).symlink_to(SOURCE / name)
    (project.root / ".venv").symlink_to(sys.prefix)
    Project.make(project.root / "base", ("shared", "eastus2"))
    return project


def run_job(checkout: Project, stack: str) -> tuple[list[int], str]:
    """Run the job's commands for one stack; return their exit codes and the job's summary."""
    summary = checkout.root / "summary.md"
    environment = {**os.environ, "STACK": stack, "GITHUB_STEP_SUMMARY": str(summary)}
    environment.pop("PYTHONPATH", None)
    codes, told = [], ""
    for command in commands(_JOB):
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", command],
            cwd=checkout.root,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=600,
            check=False,
        )
        codes.append(done.returncode)
        told += done.stdout
    assert summary.exists(), told
    return codes, summary.read_text(encoding="utf-8")


def test_a_pull_request_shows_what_it_changes(checkout: Project) -> None:
    """Against the base, deployed to the simulated Azure: one update with its values, one loss, no certificate."""
    checkout.edit("eastus2", {"frontDoorOrigin": {"weight": 250}, "firewall": {"publicIpCount": 2}})

    codes, summary = run_job(checkout, "eastus2")

    assert codes == [0, 0, 0], summary
    assert "deletes 2 resources" in summary
    assert summary.index("`network:PublicIPAddress` `eastus2-network-firewall-address-02`") < summary.index("Updated:")
    assert "- `cdn:AFDOrigin` `eastus2-front-door-origin`\n  - `weight`: `500` → `250`" in summary
    certificates = (checkout.home / "stacks" / "eastus2.secrets.json").read_text(encoding="utf-8")
    assert "gatewayCertificate" in certificates
    assert "properties.value" not in summary


def test_a_pull_request_that_fails_says_why(checkout: Project) -> None:
    """The preview's step fails, the comment's does not, and the message is that of the configuration."""
    checkout.edit("shared", {"frontDoor": {"probeIntervalSeconds": 3}})

    codes, summary = run_job(checkout, "shared")

    assert (codes[0], codes[2]) == (0, 0)
    assert codes[1] != 0
    assert "the preview failed" in summary
    assert "Pulumi.shared.yaml: aks-geode:shared.frontDoor.probeIntervalSeconds" in summary


def test_an_unchanged_shared_stack_shows_no_change(checkout: Project) -> None:
    """Nothing of the machine, the folder or the day gets into a preview."""
    codes, summary = run_job(checkout, "shared")

    assert codes == [0, 0, 0], summary
    assert "no changes" in summary


def test_bootstrap_runs_on_the_engine(tmp_path: Path) -> None:
    """State and the identity of the shared stack come up in an empty subscription; a second run changes nothing."""
    project = Project.make(tmp_path / "project", ("shared",))
    program = project.root / "bootstrap"
    program.mkdir()
    for file in (SOURCE / "bootstrap").glob("*.py"):
        (program / file.name).write_bytes(file.read_bytes())
    (program / "Pulumi.yaml").write_bytes((SOURCE / "bootstrap" / "Pulumi.yaml").read_bytes())
    (project.root / ".venv").symlink_to(sys.prefix)
    settings = {
        "repository": "contoso/fleet",
        "location": "eastus2",
        "stacks": ["shared"],
        "firstDeployment": ["shared"],
    }
    content = {"config": {"aks-geode-bootstrap:fleet": settings}}
    (program / "Pulumi.fleet.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    bootstrap = Project(program)

    bootstrap.up("fleet").succeeded()
    bootstrap.unchanged("fleet")

    told = bootstrap.pulumi("stack", "output", "--json", "--stack", "fleet").succeeded().output
    assert "azblob://state?storage_account=ststatebootstrap" in told
    assert '"shared"' in told
