"""Builds one program of the control plane from the Go modules pinned in `cluster_modules/`."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tools.kubernetes_tools import ToolError

MODULES = Path(__file__).parent / "cluster_modules"
HEARTBEAT_SECONDS = 60


def build(module: str, package: str, version: str, target: Path) -> None:
    """Build a package of a module into `target`; ToolError with Go's last words when Go fails."""
    go = shutil.which("go")
    if go is None:
        raise ToolError(f"{target.name} has to be built, which needs Go (go.dev) on PATH; it is not there.")
    flags = ["-mod=readonly", "-buildvcs=false", "-trimpath", f"-ldflags=-s -w {_version_flags(module, version)}"]
    # CGO off: no C compiler is needed. GOWORK off: a workspace around the checkout must not change the pinned versions.
    environment = os.environ | {"CGO_ENABLED": "0", "GOWORK": "off"}
    command = [go, "build", *flags, "-o", str(target), package]
    start = time.monotonic()
    with tempfile.TemporaryFile("w+") as complaints:
        with subprocess.Popen(
            command, cwd=MODULES / module, env=environment, stdout=subprocess.DEVNULL, stderr=complaints
        ) as process:
            while process.poll() is None:
                try:
                    process.wait(HEARTBEAT_SECONDS)
                except subprocess.TimeoutExpired:
                    seconds = time.monotonic() - start
                    print(f"control plane: {target.name}: … {seconds:.0f} s", file=sys.stderr, flush=True)
        if process.returncode != 0:
            complaints.seek(0)
            last_words = " / ".join(complaints.read().strip().splitlines()[-3:])
            raise ToolError(f"`go build` of {target.name} failed in {MODULES / module}: {last_words}")


def _version_flags(module: str, version: str) -> str:
    if module != "kubernetes":
        return ""
    # Without a version the API server takes itself for v0.0.0 and turns on what belongs to that.
    major, minor, _ = version.split(".")
    base = "-X k8s.io/component-base/version"
    return f"{base}.gitVersion=v{version} {base}.gitMajor={major} {base}.gitMinor={minor}"
