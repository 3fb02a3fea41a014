"""What a resource costs in a large fleet: forty stamps in one simulated Azure, deployed one after the other."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psutil
import yaml

from benchmarks import engine_runs
from benchmarks.engine_runs import DEPLOY, SOURCE, Copy
from benchmarks.measurement import BenchmarkError
from benchmarks.report import table
from benchmarks.targets import Target
from simulator.behaviour.quotas import set_quota
from simulator.cloud_store import CloudStore
from simulator.home import Home
from simulator.wrapper import running_server

STAMPS: Final = 40
_FEW: Final = 2
_PLENTY: Final = 100_000
MOST_OF_FEW_COST: Final = 1.3


@dataclass(frozen=True)
class Deployed:
    """One stamp's first `up`: processor seconds of the simulated Azure, wall seconds, and resources made."""

    processor: float
    seconds: float
    resources: int


def benchmark(folder: Path, stamps: int, told: Callable[[str], None]) -> str:
    """Deploy a fleet into an empty cloud and return the results as Markdown."""
    shared, stamp = engine_runs.chosen_stacks(SOURCE)
    home = Home(folder / "fleet")
    root = folder / "fleet-project"
    engine_runs.make_project(root)
    names = _write_stacks(root, stamp.path.name, stamps, f"{stamp.project}:stamp")
    base = Copy(shared.stack, root, home)
    engine_runs.prepare(base, shared.stack)
    _raise_quotas(home, str(stamp.configuration[f"{stamp.project}:stamp"]["region"]))
    with running_server(home) as port:
        environment = {**engine_runs.environment(home, port), "PULUMI_SKIP_CHECKPOINTS": "true"}
        told(f"deploying {shared.stack}")
        engine_runs.run(base, DEPLOY, environment)
        server = _server()
        found = []
        for number, name in enumerate(names, 1):
            copy = Copy(name, root, home)
            engine_runs.prepare(copy, name)
            found.append(_deploy(copy, environment, server))
            if number % 5 == 0:
                told(f"stamp {number} of {stamps}")
    return text(found, _count(home))


def text(found: list[Deployed], in_the_cloud: int) -> str:
    """Return the table of costs and the promise."""
    few, last = found[:_FEW], found[-_FEW:]
    target = Target(
        f"processor time a resource, last {_FEW} stamps of {len(found)} / first {_FEW}",
        _cost(last) / _cost(few),
        MOST_OF_FEW_COST,
    )
    rows = [
        (f"first {_FEW}", f"{1000 * _cost(few):.2f}", f"{sum(item.seconds for item in few) / _FEW:.1f}"),
        (
            f"last {_FEW} of {len(found)}",
            f"{1000 * _cost(last):.2f}",
            f"{sum(item.seconds for item in last) / _FEW:.1f}",
        ),
    ]
    return "\n\n".join(
        [
            "## A large fleet",
            f"{len(found)} stamps in one simulated Azure, {in_the_cloud} resources and inline children in the end.",
            table(("stamps", "simulated Azure, ms of processor a resource", "whole up, s"), rows),
            table(
                ("promise", "measured", "at most", "result"),
                [(target.text, f"{target.measured:.2f}", f"{target.limit:.2f}", "pass" if target.is_met else "FAIL")],
            ),
        ]
    )


def _cost(found: list[Deployed]) -> float:
    return sum(item.processor for item in found) / sum(item.resources for item in found)


def _deploy(copy: Copy, environment: dict[str, str], server: psutil.Process) -> Deployed:
    before, made = sum(server.cpu_times()[:2]), _count(copy.home)
    started = time.perf_counter()
    engine_runs.run(copy, DEPLOY, environment)
    seconds = time.perf_counter() - started
    return Deployed(sum(server.cpu_times()[:2]) - before, seconds, _count(copy.home) - made)


def _raise_quotas(home: Home, region: str) -> None:
    """Give the region room: a new subscription's quota of cores ends after a dozen stamps."""
    store = CloudStore(home.cloud_file)
    for name in ("cores", "standardDDSv5Family", "publicIPAddresses", "virtualNetworks"):
        set_quota(store, region, name, _PLENTY)
    store.close()


def _server() -> psutil.Process:
    for process in psutil.Process().children():
        if "serve" in process.cmdline():
            return process
    raise BenchmarkError("the simulated Azure's process was not found")


def _count(home: Home) -> int:
    store = CloudStore(home.cloud_file)
    rows = "SELECT (SELECT count(*) FROM resources) + (SELECT count(*) FROM inline_children)"
    count = int(store.connection.execute(rows).fetchone()[0])
    store.close()
    return count


def _write_stacks(root: Path, template: str, stamps: int, key: str) -> list[str]:
    """Write a stack file for each stamp, with ranges, names and windows of its own, in place of the tracked stamps."""
    content: dict[str, Any] = yaml.safe_load((root / template).read_text(encoding="utf-8"))
    shared = [file for file in root.glob("Pulumi.*.yaml") if ":shared" in file.read_text(encoding="utf-8")]
    for file in root.glob("Pulumi.*.yaml"):
        if file not in shared:
            file.unlink()
    days = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
    names = []
    for number in range(stamps):
        name = f"stamp{number + 1:02}"
        settings = yaml.safe_load(yaml.safe_dump(content))
        settings["config"][key].update(
            network={
                "hub": f"10.{200 + number // 8}.{8 * (number % 8)}.0/24",
                "spoke": f"10.{number}.0.0/16",
                "pods": f"10.{100 + number}.0.0/16",
                "services": f"172.{16 + number // 16}.{16 * (number % 16)}.0/20",
            },
            gateway={"hostName": f"{name}.edge.contoso.com"},
            ingress={"hostName": f"{name}.aks-ingress.contoso.com"},
            maintenance={"day": days[number % 7], "startTime": f"{4 * (number // 7):02}:00", "durationHours": 4},
        )
        (root / f"Pulumi.{name}.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
        names.append(name)
    return names
