"""The wrapper: what it refuses, what it adds, certificates, progress and signals."""

from __future__ import annotations

import base64
import os
import signal
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import pkcs12

from simulator.development_secrets import RENEW_BEFORE, make_certificate
from simulator.home import Home, UsageError, project_root
from simulator.progress import EngineProgress, failure_report, summary_table
from simulator.stack_files import stack_files
from simulator.wrapper import refuse_printing_secrets, run_in_group, stack_of


@pytest.mark.parametrize(
    "flag", ["-v=9", "-v9", "-v", "--verbose=4", "--tracing=file:/x", "--logtostderr", "--logflow", "--show-secrets"]
)
def test_flags_that_print_secrets_are_refused(flag: str) -> None:
    """Whatever the provider marks, the engine's own debug output shows values."""
    with pytest.raises(UsageError, match="secrets in clear text"):
        refuse_printing_secrets(["/x/pulumi", "up", flag], {})
    refuse_printing_secrets(["pytest", flag], {})


def test_variables_of_the_same_effect_are_refused() -> None:
    """And harmless ones are not."""
    with pytest.raises(UsageError, match="PULUMI_DEBUG_GRPC"):
        refuse_printing_secrets(["pulumi", "up"], {"PULUMI_DEBUG_GRPC": "/tmp/log"})  # noqa: S108 - not opened
    refuse_printing_secrets(["pulumi", "up", "--diff", "--parallel", "4"], {"PULUMI_DEBUG_GRPC": ""})


@pytest.mark.parametrize(
    ("command", "stack"),
    [
        (["pulumi", "up", "--stack", "east"], "east"),
        (["pulumi", "up", "-s", "organization/project/east"], "east"),
        (["pulumi", "--stack=east", "up"], "east"),
        (["pulumi", "up", "--show-config"], None),
    ],
)
def test_the_stack_of_a_command_is_found(command: list[str], stack: str | None) -> None:
    """In each form that the engine takes."""
    assert stack_of(command) == stack


def test_stack_files_are_told_apart_by_what_they_configure(tmp_path: Path) -> None:
    """No stack's name is known beforehand."""
    (tmp_path / "Pulumi.yaml").write_text("name: fleet\n")
    (tmp_path / "Pulumi.base.yaml").write_text("config: {fleet:shared: {a: 1}}\n")
    (tmp_path / "Pulumi.mars.yaml").write_text("config: {fleet:stamp: {gateway: {hostName: m.example}}}\n")
    base, mars = stack_files(tmp_path)
    assert (base.stack, base.is_shared, base.is_stamp) == ("base", True, False)
    assert (mars.stack, mars.is_shared, mars.is_stamp) == ("mars", False, True)
    assert mars.host_names() == {"fleet:gatewayCertificate": "m.example"}
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    assert project_root(below) == tmp_path


def test_a_development_certificate_is_a_chain_for_the_host_without_a_password() -> None:
    """Leaf with the name as alternative name, intermediate, self-signed root, 180 days."""
    made = make_certificate("east.edge.example")
    key, leaf, chain = pkcs12.load_key_and_certificates(base64.b64decode(made.pfx_base64), None)
    assert key is not None
    assert leaf is not None
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["east.edge.example"]
    middle, root = sorted(chain, key=lambda item: item.subject == item.issuer)
    leaf.verify_directly_issued_by(middle)
    middle.verify_directly_issued_by(root)
    root.verify_directly_issued_by(root)
    assert made.ends - datetime.now(UTC) > RENEW_BEFORE + timedelta(days=100)
    assert made.pfx_base64 not in repr(made)


def test_the_passphrase_is_random_and_private(tmp_path: Path) -> None:
    """Made once, readable by its owner only, and git sees nothing of the home."""
    home = Home(tmp_path / "home")
    home.prepare()
    first = home.passphrase_file.read_text()
    home.prepare()
    assert home.passphrase_file.read_text() == first
    assert home.passphrase_file.stat().st_mode & 0o777 == 0o600
    assert (home.path / ".gitignore").read_text() == "*\n"


def test_progress_counts_the_engines_lines() -> None:
    """Resources that are done, not those that begin."""
    progress = EngineProgress()
    for line in (
        " +  azure-native:network:VirtualNetwork hub creating (0s) ",
        " +  azure-native:network:VirtualNetwork hub created (0.02s) ",
        " ~  azure-native:keyvault:Vault kv updated (0.1s) ",
        " +  azure-native:keyvault:Secret s **creating failed** error: x",
        "Resources:",
    ):
        progress.take(line)
    assert progress.text() == "1 created, 1 updated, 1 failed"
    assert failure_report(["noise", "Diagnostics:", "  error: x"]) == "Diagnostics:\n  error: x"
    assert summary_table("east", {"gateway": "1.2.3.4", "a": "b"}) == "east\n  gateway  1.2.3.4\n  a        b"


def test_a_termination_reaches_the_command_as_an_interrupt_and_its_code_comes_back() -> None:
    """The engine ends orderly on SIGINT only."""
    code = "import signal, sys, time\nsignal.signal(signal.SIGINT, lambda *_: sys.exit(7))\ntime.sleep(20)"
    timer = threading.Timer(1.0, lambda: os.kill(os.getpid(), signal.SIGTERM))
    timer.start()
    assert run_in_group([sys.executable, "-c", code], os.environ) == 7
