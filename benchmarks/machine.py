"""What a figure depends on: the machine, and the versions of what runs on it."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Final

_PACKAGES: Final = ("pulumi", "pulumi-azure-native", "pulumi-azuread", "pydantic")


def description(environment: Mapping[str, str]) -> str:
    """Return date, machine and versions, one a line; `environment` finds the engine."""
    asked = subprocess.run(
        ["pulumi", "version"], env=dict(environment), capture_output=True, text=True, check=False, timeout=60
    )
    packages = ", ".join(f"{name} {metadata.version(name)}" for name in _PACKAGES)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3
    return "\n".join(
        [
            f"- {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, load before the runs {os.getloadavg()[0]:.1f}",
            f"- {os.cpu_count()} cores ({_processor()}), {memory:.0f} GiB, {platform.system()} {platform.machine()}",
            f"- Python {platform.python_version()}, engine {asked.stdout.strip() or 'unknown'}, {packages}",
        ]
    )


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown processor"
