"""Provides the programs of a real control plane for the tests in `tests/cluster`, each at one pinned version.

A program on PATH is used when it is of the pinned version. Otherwise it lies in a cache outside the checkout: what
Kubernetes publishes ready-made is downloaded and verified; everything else, or everything where that cannot be
reached, is built from the Go modules pinned in `cluster_modules/`, whose checksums Go verifies.
"""

import argparse
import hashlib
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

from tools.control_plane_build import MODULES, build
from tools.control_plane_download import DownloadError, download
from tools.kubernetes_tools import GoModule, ToolError, cache_directory, module_folder, provide

KUBERNETES_VERSION = "1.36.3"


class Program(NamedTuple):
    """A program, the folder of `cluster_modules/` that pins it, and the Go package it is built from.

    `minutes` is what a build takes on two cores that others use too; `published`, whether Kubernetes offers it
    ready-made. A program that cannot tell its version is never taken from PATH.
    """

    module: str
    package: str
    version: str
    minutes: int
    published: bool = False
    tells_version: bool = True


PROGRAMS = {
    "etcd": Program("etcd", "go.etcd.io/etcd/server/v3", "3.6.16", 3),
    "kube-apiserver": Program(
        "kubernetes", "k8s.io/kubernetes/cmd/kube-apiserver", KUBERNETES_VERSION, 15, published=True
    ),
    "kube-controller-manager": Program(
        "kubernetes", "k8s.io/kubernetes/cmd/kube-controller-manager", KUBERNETES_VERSION, 4, published=True
    ),
    "kube-scheduler": Program(
        "kubernetes", "k8s.io/kubernetes/cmd/kube-scheduler", KUBERNETES_VERSION, 1, published=True
    ),
    "kwok": Program("kwok", "sigs.k8s.io/kwok/cmd/kwok", "0.8.0", 4),
    "kustomize-controller": Program(
        "kustomize_controller", "github.com/fluxcd/kustomize-controller", "1.9.5", 5, tells_version=False
    ),
    "helm-controller": Program("helm_controller", "github.com/fluxcd/helm-controller", "1.6.4", 5, tells_version=False),
}
"""In the order in which they are installed: the API server leaves the most for the other two of its module."""

DEFINITIONS = (
    GoModule("github.com/fluxcd/source-controller", "v1.9.5", "h1:MFPyCodUi9hZIMaKDsC/rYbNoyzpvrAdrPVixj7W9F0="),
    GoModule("github.com/fluxcd/kustomize-controller", "v1.9.5", "h1:/XY2zy3K7fntyppEXIHG7oRMzmfgIt50eJzUfaPX1Kc="),
    GoModule("github.com/fluxcd/helm-controller", "v1.6.4", "h1:u/Ew7LehrwDQaE/NqWdaB3XnNDCxRGDcp1FZl7RKj4g="),
)
"""Modules with the definitions of Flux's kinds, all of one Flux release (2.9.5)."""

KWOK = GoModule("sigs.k8s.io/kwok", "v0.8.0", "h1:OTIOTwgROqPMovcTwxICx2eYQ4AwLpSx5EpjbDKF4SQ=")


def program(name: str) -> Path:
    """Return a program of the control plane, installed on first use; ToolError when it can be had in no way."""
    wanted = PROGRAMS[name]
    if wanted.tells_version and (found := _on_path(name, wanted.version)):
        return found
    return provide(f"{name}-{wanted.version}-{_pins(wanted)}", lambda folder: _fill(name, folder)) / name


def is_installed(name: str) -> bool:
    """Tell whether a program is there without an installation."""
    wanted = PROGRAMS[name]
    cached = cache_directory() / f"{name}-{wanted.version}-{_pins(wanted)}" / ".complete"
    return cached.exists() or (wanted.tells_version and _on_path(name, wanted.version) is not None)


def definition_folders() -> list[Path]:
    """Return the folders with the definitions of Flux's kinds."""
    return [module_folder(module) / "config" / "crd" / "bases" for module in DEFINITIONS]


def kwok_stages() -> list[Path]:
    """Return the files that tell kwok how nodes and pods come to life and go."""
    stages = module_folder(KWOK) / "kustomize" / "stage"
    chosen = (stages / "node" / "fast", stages / "node" / "heartbeat-with-lease", stages / "pod" / "fast")
    return sorted(file for folder in chosen for file in folder.glob("*.yaml") if file.name != "kustomization.yaml")


def _on_path(name: str, version: str) -> Path | None:
    found = shutil.which(name)
    if found is None:
        return None
    try:
        answer = subprocess.run([found, "--version"], capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    words = answer.stdout.replace("v", " ").split()
    return Path(found) if answer.returncode == 0 and version in words else None


def _pins(wanted: Program) -> str:
    digest = hashlib.sha256()
    for file in sorted((MODULES / wanted.module).glob("go.*")):
        digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:8]


def _fill(name: str, folder: Path) -> None:
    wanted = PROGRAMS[name]
    start = time.monotonic()
    if wanted.published:
        try:
            download(name, wanted.version, folder / name)
        except DownloadError as error:
            _say(f"{name}: no download ({error})")
        else:
            _say(f"{name}: downloaded in {time.monotonic() - start:.0f} s")
            return
    _say(f"{name}: building {wanted.version} (about {wanted.minutes} min on two busy cores, once)")
    build(wanted.module, wanted.package, wanted.version, folder / name)
    _say(f"{name}: built in {time.monotonic() - start:.0f} s")


def _say(text: str) -> None:
    print(f"control plane: {text}", file=sys.stderr, flush=True)


def main(arguments: list[str] | None = None) -> int:
    """Run `python -m tools.control_plane install` or `… path NAME`."""
    parser = argparse.ArgumentParser(prog="python -m tools.control_plane", description=main.__doc__)
    parser.add_argument("command", choices=["install", "path"])
    parser.add_argument("name", nargs="?", choices=[*PROGRAMS])
    options = parser.parse_args(arguments)
    try:
        if options.command == "path":
            print(program(options.name or "kube-apiserver"))
            return 0
        for name in PROGRAMS:
            program(name)
        definition_folders()
        kwok_stages()
    except ToolError as error:
        print(f"control plane: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
