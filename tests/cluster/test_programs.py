"""The programs of the control plane are the pinned ones, wherever they come from."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

from tools import control_plane, control_plane_build, control_plane_download
from tools.control_plane import DEFINITIONS, KWOK, PROGRAMS
from tools.control_plane_download import DownloadError, address, verify
from tools.kubernetes_tools import ToolError


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache and an empty PATH."""
    monkeypatch.setenv("AKS_GEODE_CACHE", str(tmp_path / "cache"))
    path = tmp_path / "path"
    path.mkdir()
    monkeypatch.setenv("PATH", str(path))
    return path


def on_path(folder: Path, name: str, answer: str) -> Path:
    """Put a program onto PATH that answers to `--version`."""
    file = folder / name
    file.write_text(f"#!/bin/sh\necho '{answer}'\n")
    file.chmod(0o755)
    return file


def test_the_versions_are_those_of_the_modules() -> None:
    """The table names what is wanted, the go.mod file what is built."""
    for name, program in PROGRAMS.items():
        text = (control_plane_build.MODULES / program.module / "go.mod").read_text(encoding="utf-8")
        assert re.search(rf"^require \S+ v{re.escape(program.version)}$", text, re.MULTILINE), name
    versions = {module.path.rpartition("/")[2]: module.version for module in (*DEFINITIONS, KWOK)}
    for name in ("kustomize-controller", "helm-controller", "kwok"):
        assert versions[name] == f"v{PROGRAMS[name].version}"


def test_a_program_on_path_counts_when_it_is_of_the_pinned_version(cache: Path) -> None:
    """Another version would judge otherwise than in continuous integration."""
    version = PROGRAMS["kube-apiserver"].version
    same = on_path(cache, "kube-apiserver", f"Kubernetes v{version}")
    assert control_plane.program("kube-apiserver") == same
    assert control_plane.is_installed("kube-apiserver")
    on_path(cache, "kube-apiserver", f"Kubernetes v{version}0")
    assert not control_plane.is_installed("kube-apiserver")
    on_path(cache, "etcd", f"etcd Version: {PROGRAMS['etcd'].version}\nGit SHA: x")
    assert control_plane.is_installed("etcd")
    on_path(cache, "helm-controller", PROGRAMS["helm-controller"].version)
    assert not control_plane.is_installed("helm-controller"), "it starts, whatever its arguments are"


def test_a_download_is_preferred_and_a_build_comes_after(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only for what Kubernetes publishes; the rest is built at once."""
    assert cache
    built: list[str] = []

    def build(module: str, package: str, version: str, target: Path) -> None:
        built.append(target.name)
        target.touch()

    def download(name: str, version: str, target: Path) -> None:
        if name == "kube-scheduler":
            raise DownloadError("no network")
        target.touch()

    monkeypatch.setattr(control_plane, "build", build)
    monkeypatch.setattr(control_plane, "download", download)
    for name in ("kube-apiserver", "kube-scheduler", "etcd"):
        assert control_plane.program(name).exists()
        assert control_plane.program(name).exists()
    assert built == ["kube-scheduler", "etcd"]


def test_without_go_the_error_says_what_is_missing(cache: Path) -> None:
    """One sentence, and nothing is left that looks complete."""
    assert cache
    with pytest.raises(ToolError, match=r"etcd has to be built, which needs Go"):
        control_plane.program("etcd")
    assert not control_plane.is_installed("etcd")


def test_a_download_with_another_content_is_refused(tmp_path: Path) -> None:
    """And removed, so that nobody runs it."""
    file = tmp_path / "kube-apiserver"
    file.write_bytes(b"program")
    verify(file, hashlib.sha256(b"program").hexdigest())
    with pytest.raises(DownloadError, match="published is"):
        verify(file, hashlib.sha256(b"another").hexdigest())
    assert not file.exists()


def test_an_unreachable_release_is_told_in_a_few_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The port is closed; no half of a file stays."""
    monkeypatch.setattr(control_plane_download, "RELEASES", "http://127.0.0.1:9")
    monkeypatch.setattr("platform.system", lambda: "Linux")
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    with pytest.raises(DownloadError, match="cannot be reached"):
        control_plane_download.download("kube-apiserver", "1.36.3", tmp_path / "kube-apiserver")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("system", "machine", "path"),
    [("Linux", "x86_64", "bin/linux/amd64/kube-scheduler"), ("Linux", "aarch64", "bin/linux/arm64/kube-scheduler")],
)
def test_the_address_is_that_of_the_platform(system: str, machine: str, path: str) -> None:
    """As Kubernetes lays out its releases."""
    assert address("kube-scheduler", "1.36.3", system, machine).endswith(f"/v1.36.3/{path}")


def test_other_systems_build(monkeypatch: pytest.MonkeyPatch) -> None:
    """Kubernetes publishes its servers for Linux only."""
    with pytest.raises(DownloadError, match="publishes no kube-scheduler for Darwin"):
        address("kube-scheduler", "1.36.3", "Darwin", "arm64")
