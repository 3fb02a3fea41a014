"""kube-score and Checkov have nothing to say that is not explained in reasons.yaml."""

from __future__ import annotations

import fnmatch
import json
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from tests.manifests.rendering import STRUCTURES, rendered
from tools.kubernetes_tools import tool

REASONS = yaml.safe_load((Path(__file__).parent / "reasons.yaml").read_text(encoding="utf-8"))
CRITICAL, WARNING = 1, 5
"""kube-score's grades; 7 and 10 are passed."""


class Finding(NamedTuple):
    """One complaint; `target` is kind/namespace/name."""

    tool: str
    check: str
    target: str


def kube_score(folder: Path) -> set[Finding]:
    """Return everything that kube-score grades as critical or warning."""
    command = [str(tool("kube-score")), "score", "--output-format", "json", *map(str, sorted(folder.glob("*.yaml")))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout.startswith("["), done.stderr
    return {
        Finding("kube-score", check["check"]["id"], _target(one["type_meta"]["kind"], one["object_meta"]))
        for one in json.loads(done.stdout)
        for check in one["checks"]
        if not check["skipped"] and check["grade"] <= WARNING
    }


def checkov(folder: Path) -> tuple[set[Finding], int]:
    """Return every failed check of Checkov, and how many passed."""
    command = [str(tool("checkov")), "--framework", "kubernetes", "--skip-download", "--output", "json", "--quiet"]
    done = subprocess.run([*command, "--directory", str(folder)], capture_output=True, text=True, check=False)
    assert done.stdout.lstrip().startswith("{"), done.stderr
    report = json.loads(done.stdout)
    assert report["summary"]["parsing_errors"] == 0
    failed = {
        Finding("checkov", one["check_id"], one["resource"].replace(".", "/", 2))
        for one in report["results"]["failed_checks"]
    }
    return failed, int(report["summary"]["passed"])


def _target(kind: str, metadata: dict[str, str]) -> str:
    return f"{kind}/{metadata.get('namespace', '')}/{metadata['name']}"


def explains(reason: dict[str, str], finding: Finding) -> bool:
    """Tell whether a line of reasons.yaml is about a finding."""
    named = (reason["tool"], reason["check"]) == (finding.tool, finding.check)
    return named and fnmatch.fnmatchcase(finding.target, reason["object"])


@pytest.fixture(scope="module")
def findings(tmp_path_factory: pytest.TempPathFactory) -> set[Finding]:
    """What both say about every structure, found in one run each."""
    folder = tmp_path_factory.mktemp("rules")
    for structure in STRUCTURES:
        text = yaml.safe_dump_all(each.document for each in rendered(structure))
        (folder / f"{structure}.yaml").write_text(text, encoding="utf-8")
    failed, passed = checkov(folder)
    assert passed > 300, "Checkov did not look at the workloads"
    return failed | kube_score(folder)


def test_every_finding_has_a_reason(findings: set[Finding]) -> None:
    """Mend it, or write down why not."""
    assert {each for each in findings if not any(explains(reason, each) for reason in REASONS)} == set()


def test_every_reason_is_needed(findings: set[Finding]) -> None:
    """A reason that nothing needs would hide the next finding of its kind."""
    assert [reason for reason in REASONS if not any(explains(reason, each) for each in findings)] == []
    assert all(len(reason["reason"].split()) > 5 for reason in REASONS)


def test_a_careless_manifest_is_found(tmp_path: Path) -> None:
    """Both checks can fail."""
    pod = {"containers": [{"name": "app", "image": "nginx", "securityContext": {"privileged": True}}]}
    labels = {"matchLabels": {"app": "x"}}
    template = {"metadata": {"labels": labels["matchLabels"]}, "spec": pod}
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "app", "namespace": "some"},
        "spec": {"selector": labels, "template": template},
    }
    (tmp_path / "x.yaml").write_text(yaml.safe_dump(deployment), encoding="utf-8")
    assert Finding("kube-score", "container-resources", "Deployment/some/app") in kube_score(tmp_path)
