"""The simulated Azure's own cost: a region's first `up` against it and against a provider that only echoes."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Final

from benchmarks import engine_runs, programs
from benchmarks.engine_runs import DEPLOY, SOURCE, Copy
from benchmarks.flat_program import flat_program
from benchmarks.flat_values import CONFIG
from benchmarks.measurement import BenchmarkError, Sample, Series, interleaved
from benchmarks.report import spread, table
from benchmarks.targets import Target
from simulator.home import Home
from simulator.wrapper import running_server

MOST_OF_ECHO_TIME: Final = 1.2
SIMULATED: Final = "simulated Azure"
ECHO: Final = "echo"


def benchmark(folder: Path, repetitions: int, told: Callable[[str], None]) -> str:
    """Prepare, measure and return the results as Markdown; `folder` is empty and removed by the caller.

    The program is the flat one: it holds literals only, so that it needs no output which an echo could not give.
    """
    ready = _prepared(folder, told)
    runs = {SIMULATED: partial(_timed, ready, _simulated), ECHO: partial(_timed, ready, _echoing)}
    for run in runs.values():
        run()
    told("first deployments against the simulated Azure and the echo")
    found = interleaved(runs, repetitions, told)
    return text(found, repetitions)


def text(found: dict[str, Series], repetitions: int) -> str:
    """Return the table of times and the promise."""
    target = Target(
        "up against the simulated Azure / against the echo",
        found[SIMULATED].seconds.median / found[ECHO].seconds.median,
        MOST_OF_ECHO_TIME,
    )
    rows = [(name, spread(series.seconds, 1)) for name, series in found.items()]
    return "\n\n".join(
        [
            "## The simulated Azure's own cost",
            (
                f"First `up` of a region without latency, median (minimum to maximum) of {repetitions} repetitions. "
                "The program is the flat one without aliases; the echo returns each resource's inputs as its outputs."
            ),
            table(("provider", "first up, s"), rows),
            table(
                ("promise", "measured", "at most", "result"),
                [(target.text, f"{target.measured:.2f}", f"{target.limit:.2f}", "pass" if target.is_met else "FAIL")],
            ),
        ]
    )


def _prepared(folder: Path, told: Callable[[str], None]) -> Copy:
    """Return the flat program of a region beside a deployed shared stack, never deployed itself."""
    shared, stamp = engine_runs.chosen_stacks(SOURCE)
    base = Copy(stamp.stack, folder / "project", Home(folder / "base"))
    engine_runs.make_project(base.root)
    told(f"deploying {shared.stack} and {stamp.stack}")
    engine_runs.prepare(base, shared.stack)
    engine_runs.deploy(Copy(shared.stack, base.root, base.home))
    engine_runs.prepare(base, stamp.stack)
    ours = Copy(stamp.stack, base.root, engine_runs.copy_home(base.home, folder / "ours"))
    engine_runs.deploy(ours)
    flat = flat_program(engine_runs.exported(ours))
    programs.write_flat(base.root, flat, strip_aliases=True, collector_off=True)
    engine_runs.set_secrets(base, CONFIG, flat.secrets)
    return base


def _timed(ready: Copy, server: Callable[[Home], contextlib.AbstractContextManager[int]]) -> Sample:
    """Deploy once into a fresh copy of the cloud and the state; the copy and the server's start are not timed."""
    place = ready.home.path.with_name("run")
    copy = Copy(ready.stack, ready.root, engine_runs.copy_home(ready.home, place))
    try:
        with server(copy.home) as port:
            environment = engine_runs.environment(copy.home, port)
            environment["PULUMI_SKIP_CHECKPOINTS"] = "true"
            started = time.perf_counter()
            note = engine_runs.run(copy, DEPLOY, environment)
            return Sample(time.perf_counter() - started, note.processor, note.memory)
    finally:
        shutil.rmtree(place)


def _simulated(home: Home) -> contextlib.AbstractContextManager[int]:
    return running_server(home)


@contextlib.contextmanager
def _echoing(home: Home) -> Iterator[int]:
    server = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.echo_provider"],
        cwd=SOURCE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        line = server.stdout.readline().strip() if server.stdout else ""
        if not line.isdigit():
            raise BenchmarkError("the echoing provider did not start")
        yield int(line)
    finally:
        if server.stdin:
            server.stdin.close()
        server.wait(10)
