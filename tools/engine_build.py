"""Builds the Pulumi engine and its Python language host from the Go modules pinned in `engine_modules/`.

Two modules, because the language host left the SDK's module after 3.79 and the engine needs a newer one. Checksums
are in the go.sum files; Go verifies them.
"""

import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

ENGINE_VERSION = "3.259.0"
"""The engine that is downloaded or built; the same as in `engine_modules/cli/go.mod` (a test compares them)."""

MODULES = Path(__file__).parent / "engine_modules"

SDK = "github.com/pulumi/pulumi/sdk/v3"
ENGINE_PACKAGE = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
HOST_PACKAGE = f"{SDK}/python/cmd/pulumi-language-python"
HEARTBEAT_SECONDS = 30


class EngineError(Exception):
    """The engine cannot be provided; the text is one sentence for the user."""


def build(directory: Path) -> None:
    """Build everything into `directory`, which need not exist; EngineError with Go's last words when Go fails."""
    directory.mkdir(parents=True, exist_ok=True)
    version = f"-X {SDK}/go/common/version.Version=v{ENGINE_VERSION}"
    _go_build(MODULES / "cli", ENGINE_PACKAGE, directory / "pulumi", f"-s -w {version}")
    _go_build(MODULES / "language_host", HOST_PACKAGE, directory / "pulumi-language-python", "-s -w")
    # A Python script that the host starts; it must match the SDK that the engine was built with, not the host.
    sdk = Path(_go(MODULES / "cli", ["list", "-m", "-f", "{{.Dir}}", SDK]).strip())
    launcher = shutil.copyfile(
        sdk / "python/cmd/pulumi-language-python-exec", directory / "pulumi-language-python-exec"
    )
    launcher.chmod(0o755)


def _go_build(module: Path, package: str, program: Path, link_flags: str) -> None:
    print(f"engine:   {program.name}", flush=True)
    flags = ["-mod=readonly", "-buildvcs=false", "-trimpath", f"-ldflags={link_flags}"]
    _go(module, ["build", *flags, "-o", str(program), package])


def _go(module: Path, arguments: list[str]) -> str:
    """Run Go in a module and return what it prints, with a sign of life now and then."""
    # CGO off: no C compiler is needed. GOWORK off: a workspace around the checkout must not change the pinned versions.
    environment = os.environ | {"CGO_ENABLED": "0", "GOWORK": "off"}
    command = [shutil.which("go") or "go", *arguments]
    start = time.monotonic()
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as complaints:
        with subprocess.Popen(command, cwd=module, env=environment, stdout=output, stderr=complaints) as go:
            while go.poll() is None:
                try:
                    go.wait(HEARTBEAT_SECONDS)
                except subprocess.TimeoutExpired:
                    print(f"engine:   ... {time.monotonic() - start:.0f} s", flush=True)
        output.seek(0)
        complaints.seek(0)
        if go.returncode != 0:
            last_words = " / ".join(complaints.read().strip().splitlines()[-3:])
            raise EngineError(f"`go {arguments[0]}` failed in {module}: {last_words}")
        return output.read()
