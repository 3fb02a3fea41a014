"""The preflight command: which stacks it reads, what it asks, how it reports, and what it does when az is not there."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from stamps.preflight import command as preflight
from stamps.preflight.check import Status
from stamps.preflight.plan import account_question
from stamps.preflight.questions import RefusedError, Reply, Sources
from stamps.preflight.subscription import PROVIDERS
from tests.unit.stamps.preflight.answers import DENIED, FAKE_AZ, SUBSCRIPTION, RecordedCloud, everything_fits

PROJECT = Path(__file__).parents[4]
MARKER = "c2VjcmV0LW1hcmtlcg=="


@pytest.fixture
def fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with the tracked stack files, whose host names lead nowhere for certain (RFC 2606)."""
    monkeypatch.delenv("ARM_SUBSCRIPTION_ID", raising=False)
    for stack in ("shared", "eastus2", "centralus"):
        text = (PROJECT / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8")
        (tmp_path / f"Pulumi.{stack}.yaml").write_text(text.replace("edge.contoso.com", "edge.invalid"))
    return tmp_path


class Run:
    """One run of the command on recorded answers."""

    def __init__(
        self, capsys: pytest.CaptureFixture[str], fleet: Path, answers: dict[str, Any], *arguments: str
    ) -> None:
        self.cloud = RecordedCloud(answers)
        self.code = preflight.main(arguments, Sources(self.cloud.run, lambda _: []), fleet)
        self.out, self.err = capsys.readouterr()

    def status(self, title: str, stack: str = "eastus2") -> str:
        """Return the status of one check in the JSON report."""
        found = [each for each in json.loads(self.out)["checks"] if each["check"] == title and stack in each["stacks"]]
        assert len(found) == 1
        return str(found[0]["status"])


def test_everything_fits(capsys: pytest.CaptureFixture[str], fleet: Path) -> None:
    """All stacks are checked when none is named; what nobody can know before the cluster does not fail."""
    run = Run(capsys, fleet, everything_fits())
    assert run.code == 0, run.out
    lines = run.out.splitlines()
    assert {line.split()[0] for line in lines[:-1]} == {"ok", "unknown"}
    assert [line for line in lines if line.startswith("unknown")] == [
        line for line in lines if "API server VNet integration" in line
    ]
    assert lines[-1].endswith("0 warning, 0 fails, 2 unknown")


def test_each_question_is_asked_once(capsys: pytest.CaptureFixture[str], fleet: Path) -> None:
    """az takes seconds, so stacks share answers; every question names the subscription that the provider takes."""
    run = Run(capsys, fleet, everything_fits())
    questions = [command for command in run.cloud.asked if command[1:3] != ("account", "show")]
    assert len(questions) == len(set(questions))
    assert all(command[command.index("--subscription") + 1] == SUBSCRIPTION for command in questions)


def test_only_reading_commands_are_sent(capsys: pytest.CaptureFixture[str], fleet: Path) -> None:
    """The check may run anywhere: no verb of it changes anything."""
    run = Run(capsys, fleet, everything_fits())
    reading = {"show", "list", "list-skus", "list-usage", "list-usages", "list-deleted", "check-name", "get-versions"}
    for command in run.cloud.asked:
        words = [word for word in command[1:] if not word.startswith("-")]
        assert reading & set(words[:3]), command


def test_one_stack_asks_for_its_own_region_only(capsys: pytest.CaptureFixture[str], fleet: Path) -> None:
    """A new stamp is checked without the others."""
    run = Run(capsys, fleet, everything_fits(), "centralus")
    assert run.code == 0
    assert not [command for command in run.cloud.asked if "eastus2" in command]
    assert "shared" not in run.out


def test_a_failing_check_fails_the_command(capsys: pytest.CaptureFixture[str], fleet: Path) -> None:
    """A pipeline stops at exit code 1, and the line says what to do."""
    answers = everything_fits()
    answers["provider list"] = [each for each in answers["provider list"] if each["namespace"] != "Microsoft.Cdn"]
    run = Run(capsys, fleet, answers)
    assert run.code == 1
    [line] = [line for line in run.out.splitlines() if line.startswith("fails")]
    assert "Microsoft.Cdn" in line
    assert "az provider register --namespace Microsoft.Cdn" in line


def test_a_missing_right_is_named_and_does_not_fail(capsys: pytest.CaptureFixture[str], fleet: Path) -> None:
    """Who may not read something learns which right is missing; the other checks go on."""
    answers = everything_fits()
    denied = DENIED.format(action="Microsoft.Network/publicIPAddresses/read", scope=SUBSCRIPTION)
    answers["network public-ip list"] = denied
    run = Run(capsys, fleet, answers, "eastus2", "--json")
    assert run.code == 0
    [found] = [each for each in json.loads(run.out)["checks"] if each["check"] == "quota of public addresses"]
    assert found["status"] == "unknown"
    assert "Microsoft.Network/publicIPAddresses/read" in found["text"]
    assert SUBSCRIPTION in found["remedy"]
    assert run.status("quota of cores") == "ok"


def test_an_unknown_form_of_an_answer_does_not_hide_the_rest(capsys: pytest.CaptureFixture[str], fleet: Path) -> None:
    """A later az may print something else."""
    answers = everything_fits()
    answers["aks get-versions --location eastus2"] = {"versions": []}
    run = Run(capsys, fleet, answers, "eastus2", "--json")
    assert (run.code, run.status("Kubernetes version"), run.status("vault name")) == (0, "unknown", "ok")


@pytest.mark.parametrize(
    ("complaint", "told"),
    [
        ("ERROR: Please run 'az login' to setup account.\n", "run: az login"),
        (
            "ERROR: AADSTS700082: The token has expired.\nTo re-authenticate, please run:\naz login\n",
            "az login",
        ),
        ("ERROR: Subscription 'x' not found. Check the spelling and casing and try again.\n", "Subscription 'x'"),
    ],
)
def test_without_a_login_there_is_one_line(
    capsys: pytest.CaptureFixture[str], fleet: Path, complaint: str, told: str
) -> None:
    """Nobody reads the same refusal thirty times."""
    run = Run(capsys, fleet, everything_fits() | {"account show": complaint})
    assert (run.code, run.out) == (2, "")
    assert len(run.err.splitlines()) == 1
    assert told in run.err


def test_a_login_that_runs_out_ends_the_command(capsys: pytest.CaptureFixture[str], fleet: Path) -> None:
    """az tells the account from its own files; whether the login still holds shows at the first real question."""
    complaint = "ERROR: AADSTS50173: The provided grant has expired. Run the command below.\naz login --tenant x\n"
    run = Run(capsys, fleet, everything_fits() | {"provider list": complaint})
    assert run.code == 2
    assert run.err == "preflight: az is not logged in, or its login ran out; run: az login\n"


@pytest.mark.parametrize("arguments", [("nowhere",), ()])
def test_without_stack_files_nothing_passes(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    """An empty folder must not look like a fleet that fits."""
    run = Run(capsys, tmp_path, everything_fits(), *arguments)
    assert run.code == 2
    assert "Pulumi." in run.err


def test_a_wrong_stack_file_is_told_before_azure_is_asked(capsys: pytest.CaptureFixture[str], fleet: Path) -> None:
    """The program's own models read the files."""
    file = fleet / "Pulumi.eastus2.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("10.243.0.0/16", "10.244.0.0/16"), encoding="utf-8")
    run = Run(capsys, fleet, everything_fits())
    assert (run.code, run.cloud.asked) == (2, [])
    assert "does not overlap network.spoke" in run.err


def test_the_subscription_is_the_one_that_the_provider_takes(
    capsys: pytest.CaptureFixture[str], fleet: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stack file's choice goes before the environment's, and that before az's own."""
    monkeypatch.setenv("ARM_SUBSCRIPTION_ID", "from-the-environment")
    file = fleet / "Pulumi.centralus.yaml"
    file.write_text(f"{file.read_text(encoding='utf-8')}  azure-native:subscriptionId: from-the-file\n")
    run = Run(capsys, fleet, everything_fits(), "eastus2", "centralus")
    named = [command[command.index("--subscription") + 1] for command in run.cloud.asked[:2]]
    assert named == ["from-the-environment", "from-the-file"]


def test_certificates_are_read_only_on_request_and_never_shown(capsys: pytest.CaptureFixture[str], fleet: Path) -> None:
    """A certificate that does not open is told without its content; one that is missing, with how to set it."""
    answers: dict[str, Any] = everything_fits()
    without = Run(capsys, fleet, answers, "eastus2")
    assert "certificate" not in without.out
    ask = "pulumi config get --stack eastus2 --json aks-geode:"
    answers[f"{ask}gatewayCertificate"] = {"value": MARKER, "secret": True}
    answers[f"{ask}ingressCertificate"] = "error: configuration key 'ingressCertificate' not found for stack 'eastus2'"
    run = Run(capsys, fleet, answers, "eastus2", "--certificates")
    assert run.code == 1
    assert MARKER not in run.out + run.err
    failed = [line for line in run.out.splitlines() if line.startswith("fails")]
    assert ["does not open as a PFX" in line for line in failed] == [True, False]
    assert "pulumi config set --secret aks-geode:ingressCertificate" in failed[1]


def test_a_locked_state_backend_leaves_certificates_unknown(capsys: pytest.CaptureFixture[str], fleet: Path) -> None:
    """Whatever pulumi cannot do is no failure of the certificate."""
    answers: dict[str, Any] = everything_fits()
    for key in ("gatewayCertificate", "ingressCertificate"):
        answers[f"pulumi config get --stack eastus2 --json aks-geode:{key}"] = "error: incorrect passphrase"
    run = Run(capsys, fleet, answers, "eastus2", "--certificates", "--json")
    assert (run.code, run.status("gateway certificate")) == (0, "unknown")


def test_the_readme_lists_the_same_providers() -> None:
    """What the README tells an owner to register is what the check asks for."""
    readme = (PROJECT / "README.md").read_text(encoding="utf-8")
    listed = re.search(r"resource providers once: Microsoft\.(.*?); and the feature", readme, re.DOTALL)
    assert listed
    assert {f"Microsoft.{name.strip()}" for name in listed[1].split(",")} == set(PROVIDERS)


@pytest.fixture
def fake_az(tmp_path: Path) -> Path:
    """Return a folder with an executable `az` that answers from a file beside it."""
    folder = tmp_path / "bin"
    folder.mkdir()
    executable = folder / "az"
    executable.write_text(f"#!{sys.executable}\n{FAKE_AZ}", encoding="utf-8")
    executable.chmod(0o755)
    return folder


def command(fleet: Path, path: Path | None, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the real command in the fleet's folder with nothing but `path` to find programs in."""
    return subprocess.run(
        [sys.executable, "-m", "stamps.preflight", *arguments],
        cwd=fleet,
        env={**os.environ, "PATH": str(path or fleet), "PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_real_command_asks_the_az_of_the_path(fleet: Path, fake_az: Path) -> None:
    """The command starts az, reads what it prints, and ends with 1 when a check fails."""
    answers = everything_fits()
    answers["feature show --namespace Microsoft.Compute --name EncryptionAtHost"]["properties"]["state"] = (
        "NotRegistered"
    )
    answers["aks list"] = DENIED.format(action="Microsoft.ContainerService/managedClusters/read", scope=SUBSCRIPTION)
    (fake_az / "answers.json").write_text(json.dumps(answers), encoding="utf-8")
    done = command(fleet, fake_az, "--json")
    assert (done.returncode, done.stderr) == (1, "")
    report = json.loads(done.stdout)
    assert report["counts"]["fails"] == 1
    assert [each["check"] for each in report["checks"] if each["status"] == "fails"] == ["encryption at host"]
    unknown = {each["check"] for each in report["checks"] if each["status"] == "unknown"}
    assert unknown - {"gateway host name"} == {"quota of cores", "API server VNet integration"}


def test_without_az_there_is_one_line(fleet: Path) -> None:
    """The engineer learns what to install."""
    done = command(fleet, None)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("preflight: az is not installed")
    assert len(done.stderr.splitlines()) == 1


def test_an_answer_that_is_no_json_is_a_refusal_of_one_question() -> None:
    """What the program printed is not shown: it may be anything."""
    sources = Sources(lambda _: Reply(0, MARKER, ""), lambda _: [])
    with pytest.raises(RefusedError) as refused:
        sources.answer(account_question(""))
    assert refused.value.finding.status is Status.UNKNOWN
    assert MARKER not in refused.value.finding.text
