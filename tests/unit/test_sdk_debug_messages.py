"""Debug messages cost a call of the engine each; without them the others still reach it."""

from __future__ import annotations

import pulumi
import pytest
from pulumi.runtime.proto import engine_pb2
from pulumi_azure_native import resources

from foundation.sdk_debug_messages import drop_debug_messages
from tests.unit.pulumi_mocks import deploy


def program() -> None:
    """Make one resource and warn of it."""
    group = resources.ResourceGroup("group", resource_group_name="rg", location="eastus2")
    pulumi.log.debug("a detail of ours", group)
    pulumi.log.warn("a warning of ours")


@pytest.mark.parametrize("dropped", [False, True])
def test_only_debug_messages_are_left_out(monkeypatch: pytest.MonkeyPatch, dropped: bool) -> None:
    """The SDK's own and the program's."""
    sent: list[tuple[str, str]] = []

    def record(_engine: object, severity: int, message: str, *_more: object) -> None:
        sent.append((engine_pb2.LogSeverity.Name(severity), message))

    monkeypatch.setattr(pulumi.log, "_log", record)
    monkeypatch.setattr(pulumi.log, "debug", pulumi.log.debug)  # put back at the end
    if dropped:
        drop_debug_messages()

    deploy(program)

    assert ("WARNING", "a warning of ours") in sent
    details = [message for severity, message in sent if severity == "DEBUG"]
    assert bool(details) is not dropped, details
    assert ("a detail of ours" in details) is not dropped
