"""Provides the programs that check Kubernetes manifests, each at one pinned version, in a cache outside the checkout.

Go programs are built by `go install`, whose downloads Go's checksum database verifies; Python programs get a virtual
environment of their own, because their requirements would fight with the project's. Where something cannot be had, the
error says so in one sentence: a check is never skipped in silence.
"""

import argparse
import fcntl
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

GO_PROGRAMS = {
    "kustomize": "sigs.k8s.io/kustomize/kustomize/v5@v5.8.1",
    "helm": "helm.sh/helm/v3/cmd/helm@v3.19.2",
    "kubeconform": "github.com/yannh/kubeconform/cmd/kubeconform@v0.8.0",
    "kube-score": "github.com/zegl/kube-score/cmd/kube-score@v1.20.0",
}

PYTHON_PROGRAMS = {"checkov": "checkov==3.3.30"}

SCHEMA_PACKAGE = "kubernetes-validate==1.37.0"
"""Holds the strict JSON schemas of Kubernetes for several versions; only its data are used."""


class GoModule(NamedTuple):
    """A Go module that is read for its files, and the checksum that `go mod download` has to report."""

    path: str
    version: str
    checksum: str


GATEWAY_API = GoModule("sigs.k8s.io/gateway-api", "v1.6.1", "h1:mock6phZbI6rvZerwrVNk7hVNymQgHo+6sJ81Ia7ftY=")
HELM_CONTROLLER = GoModule(
    "github.com/fluxcd/helm-controller", "v1.4.0", "h1:rkm8rmB6Na7eNc4pJOnvtXEaJ19iKluRtayHKjBxcUM="
)
PROMETHEUS_OPERATOR = GoModule(
    "github.com/prometheus-operator/prometheus-operator", "v0.85.0", "h1:M5xLCLEoaW2IJfnuCwFzzpL+jSVQu3KGT84Pye+fW8s="
)


class ToolError(Exception):
    """A tool cannot be provided; the text is one sentence for the user."""


def tool(name: str) -> Path:
    """Return a program, installed on first use: some seconds to three minutes for each, once a machine."""
    if name in GO_PROGRAMS:
        package = GO_PROGRAMS[name]
        folder = provide(f"{name}-{package.rpartition('@')[2]}", lambda target: _build(package, target))
        return folder / name
    requirement = PYTHON_PROGRAMS[name]
    return provide(requirement.replace("==", "-"), lambda target: _environment(requirement, target)) / "bin" / name


def schema_package() -> Path:
    """Return the folder of Python packages that holds `SCHEMA_PACKAGE`."""
    return provide(SCHEMA_PACKAGE.replace("==", "-"), lambda target: _unpack(SCHEMA_PACKAGE, target))


def module_folder(module: GoModule) -> Path:
    """Download a Go module and return its folder; ToolError when its content is not the pinned one."""
    answer = json.loads(_run([_go(), "mod", "download", "-json", f"{module.path}@{module.version}"], Path.home()))
    if answer.get("Sum") != module.checksum:
        raise ToolError(
            f"{module.path} {module.version} has the checksum {answer.get('Sum')}, expected {module.checksum}: "
            "do not use it before you know why (tools/kubernetes_tools.py)."
        )
    return Path(answer["Dir"])


def cache_directory() -> Path:
    """Return where the tools lie: below `AKS_GEODE_CACHE`, by default in the user's cache."""
    if own := os.environ.get("AKS_GEODE_CACHE"):
        return Path(own).expanduser() / "kubernetes"
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "aks-geode" / "kubernetes"


def provide(name: str, fill: Callable[[Path], None]) -> Path:
    """Return a folder of the cache; when it is missing, `fill` makes its content, once for all processes."""
    cache = cache_directory()
    target = cache / name
    if (target / ".complete").exists():
        return target
    with _lock(cache, name):
        if (target / ".complete").exists():
            return target
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        print(f"kubernetes tools: {name}: installing", file=sys.stderr, flush=True)
        fill(target)
        (target / ".complete").touch()
    return target


def _build(package: str, target: Path) -> None:
    environment = {"GOBIN": str(target), "CGO_ENABLED": "0", "GOWORK": "off", "GOFLAGS": ""}
    _run([_go(), "install", "-trimpath", "-ldflags=-s -w", package], target, environment)


def _environment(requirement: str, target: Path) -> None:
    # A virtual environment knows its own path, so it is made in its place.
    _run([sys.executable, "-m", "venv", str(target)], target)
    _run([str(target / "bin" / "python"), "-m", "pip", "install", "--quiet", requirement], target)


def _unpack(requirement: str, target: Path) -> None:
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-compile", "--target", str(target)]
    _run([*command, requirement], target)


def _go() -> str:
    go = shutil.which("go")
    if go is None:
        raise ToolError("the checks of the Kubernetes manifests need Go (go.dev) on PATH, which is not there.")
    return go


def _run(command: list[str], folder: Path, environment: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        command, cwd=folder, env=os.environ | (environment or {}), capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        last_words = " / ".join(done.stderr.strip().splitlines()[-3:]) or done.stdout.strip()[-300:]
        what = " ".join([Path(command[0]).name, *command[1:3]])
        raise ToolError(f"`{what} …` failed, which the checks of the Kubernetes manifests need: {last_words}")
    return done.stdout


@contextmanager
def _lock(cache: Path, name: str) -> Iterator[None]:
    """Let one process at a time install one tool; the operating system drops the lock of a killed one."""
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / f".lock-{name}").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def main(arguments: list[str] | None = None) -> int:
    """Run `python -m tools.kubernetes_tools install` or `… path NAME`."""
    parser = argparse.ArgumentParser(prog="python -m tools.kubernetes_tools", description=main.__doc__)
    parser.add_argument("command", choices=["install", "path"])
    parser.add_argument("name", nargs="?", choices=[*GO_PROGRAMS, *PYTHON_PROGRAMS])
    options = parser.parse_args(arguments)
    try:
        if options.command == "path":
            print(tool(options.name or "kustomize"))
            return 0
        for name in (*GO_PROGRAMS, *PYTHON_PROGRAMS):
            tool(name)
        schema_package()
        for module in (GATEWAY_API, HELM_CONTROLLER, PROMETHEUS_OPERATOR):
            module_folder(module)
    except ToolError as error:
        print(f"kubernetes tools: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
