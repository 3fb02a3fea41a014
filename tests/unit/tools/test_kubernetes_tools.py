"""Tools for manifests are installed once, at a pinned version, or refused in one sentence; nothing is downloaded."""

import json
from pathlib import Path

import pytest

from tools import kubernetes_tools
from tools.kubernetes_tools import GATEWAY_API, GO_PROGRAMS, ToolError


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a machine with an empty cache and, on PATH, only what a test writes to `<machine>/path`."""
    (tmp_path / "path").mkdir()
    monkeypatch.setenv("PATH", f"{tmp_path / 'path'}:/usr/bin:/bin")
    monkeypatch.setenv("AKS_GEODE_CACHE", str(tmp_path / "cache"))
    return tmp_path


def put_go(machine: Path, script: str) -> None:
    """Write a `go` that runs a shell script."""
    program = machine / "path" / "go"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


def test_a_program_is_built_once(machine: Path) -> None:
    """The second call finds it in the cache, also when Go is gone."""
    put_go(machine, 'echo "$@" >> "$GOBIN/../calls"; touch "$GOBIN/kustomize"')
    first = kubernetes_tools.tool("kustomize")
    assert first.is_file()
    assert GO_PROGRAMS["kustomize"].rpartition("@")[2] in first.parent.name
    (machine / "path" / "go").unlink()
    assert kubernetes_tools.tool("kustomize") == first
    calls = (machine / "cache" / "kubernetes" / "calls").read_text().splitlines()
    assert len(calls) == 1
    assert calls[0].endswith(GO_PROGRAMS["kustomize"])


def test_a_failed_build_leaves_nothing_behind_that_looks_whole(machine: Path) -> None:
    """The next call tries again, and says why it cannot."""
    put_go(machine, "echo 'no route to the proxy' >&2; exit 1")
    with pytest.raises(ToolError, match="no route to the proxy"):
        kubernetes_tools.tool("kustomize")
    put_go(machine, 'touch "$GOBIN/kustomize"')
    assert kubernetes_tools.tool("kustomize").is_file()


def test_without_go_the_message_names_it(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A check that is skipped in silence is no check."""
    monkeypatch.setenv("PATH", str(machine / "path"))
    with pytest.raises(ToolError, match="need Go"):
        kubernetes_tools.tool("helm")


@pytest.mark.parametrize("genuine", [True, False])
def test_a_module_with_another_content_is_refused(machine: Path, genuine: bool) -> None:
    """The checksum stands in the source."""
    answer = {"Dir": str(machine), "Sum": GATEWAY_API.checksum if genuine else "h1:other"}
    put_go(machine, f"echo '{json.dumps(answer)}'")
    if genuine:
        assert kubernetes_tools.module_folder(GATEWAY_API) == machine
    else:
        with pytest.raises(ToolError, match="h1:other"):
            kubernetes_tools.module_folder(GATEWAY_API)
