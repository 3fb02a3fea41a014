"""The benchmark of previews: one region's `pulumi preview` and its `pulumi up` without a change.

Four programs are compared in two sizes. Each of them was deployed to a simulated Azure of its own before, so its `up`
finds everything in place; its preview is that of a region which does not exist yet, beside a deployed shared stack.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from benchmarks import engine_runs, profiles, programs
from benchmarks.engine_runs import PREVIEW, SOURCE, UNCHANGED, Copy
from benchmarks.flat_program import flat_program
from benchmarks.flat_values import CONFIG
from benchmarks.measurement import BenchmarkError, Sample, Series, Spread, interleaved
from benchmarks.report import spread, table
from benchmarks.targets import Medians, Target, targets
from simulator.home import Home
from simulator.wrapper import running_server

FLOOR: Final = "floor"
OURS: Final = "ours"
AS_SHIPPED: Final = "flat, as shipped"
LEAN: Final = "flat, no aliases"
NORMAL: Final = "normal"
GROWN: Final = f"{programs.GROWTH} x"
Case = tuple[str, str]
"""The program and its size."""


@dataclass(frozen=True)
class Prepared:
    """All copies, deployed; `floor_imports` are what the empty program imports, `sizes` what each size holds."""

    base: Copy
    copies: Mapping[Case, Copy]
    sizes: Mapping[str, Mapping[str, int]]
    floor_imports: list[str]
    collector_off: bool


@dataclass(frozen=True)
class Results:
    """What was measured."""

    previews: Mapping[Case, Series]
    updates: Mapping[Case, Series]

    def targets(self, size: str, figure: Callable[[Series], Spread] = lambda series: series.seconds) -> list[Target]:
        """Return the promises with the medians of one size, of the time or another figure; the floor has one size."""
        medians = {program: figure(self.previews[program, size]).median for program in (OURS, AS_SHIPPED, LEAN)}
        return targets(
            Medians(
                floor=figure(self.previews[FLOOR, NORMAL]).median,
                ours=medians[OURS],
                as_shipped=medians[AS_SHIPPED],
                lean=medians[LEAN],
                our_memory=self.previews[OURS, size].memory.median,
                lean_memory=self.previews[LEAN, size].memory.median,
            )
        )


def benchmark(folder: Path, repetitions: int, *, growth: bool, profile: bool, told: Callable[[str], None]) -> str:
    """Prepare, measure and return the results as Markdown; `folder` is empty and removed by the caller."""
    prepared = prepare(folder, growth=growth, told=told)
    results = measure(prepared, repetitions, told)
    missed = not all(target.is_met for target in results.targets(NORMAL))
    parts = [text(prepared, results, repetitions)]
    if missed or profile:
        told("profiling")
        parts.append(profiled(prepared, folder))
    return "\n\n".join(parts)


def prepare(folder: Path, *, growth: bool, told: Callable[[str], None]) -> Prepared:
    """Deploy the shared stack, then every program in a copy of that cloud, and prove that a second `up` is empty."""
    shared, stamp = engine_runs.chosen_stacks(SOURCE)
    collector_off = programs.collector_is_off((SOURCE / "__main__.py").read_text(encoding="utf-8"))
    base = Copy(stamp.stack, folder / "ours" / "project", Home(folder / "base"))
    engine_runs.make_project(base.root)
    told(f"deploying {shared.stack}")
    engine_runs.prepare(base, shared.stack)
    engine_runs.deploy(Copy(shared.stack, base.root, base.home))
    engine_runs.prepare(base, stamp.stack)

    copies: dict[Case, Copy] = {}
    sizes: dict[str, Mapping[str, int]] = {}
    floor_imports: list[str] = []
    for size in (NORMAL, GROWN) if growth else (NORMAL,):
        place = folder / size.replace(" ", "")
        ours = Copy(stamp.stack, place / "ours", engine_runs.copy_home(base.home, place / "ours-home"))
        engine_runs.make_project(ours.root)
        if size == GROWN:
            programs.grow(ours.root, stamp)
            engine_runs.prepare(ours, stamp.stack)
        told(f"deploying {OURS}, {size}")
        modules = engine_runs.deploy(ours).modules
        copies[OURS, size] = ours
        state = engine_runs.exported(ours)
        sizes[size] = programs.sizes(state)
        if size == NORMAL:
            copies[FLOOR, NORMAL], floor_imports = _floor(base, place, modules, collector_off)
        flat, found = flat_program(state), base.home
        for program, name in ((LEAN, "lean"), (AS_SHIPPED, "shipped")):
            # The second one begins with what the first one deployed: had it other inputs, it would change something.
            copy = Copy(stamp.stack, place / name, engine_runs.copy_home(found, place / f"{name}-home"))
            lean = program == LEAN
            engine_runs.make_project(copy.root)
            programs.write_flat(copy.root, flat, strip_aliases=lean, collector_off=lean and collector_off)
            if lean:
                engine_runs.set_secrets(copy, CONFIG, flat.secrets)
            told(f"deploying {program}, {size}")
            engine_runs.deploy(copy, exists=not lean)
            copies[program, size], found = copy, copy.home
    return Prepared(base, copies, sizes, floor_imports, collector_off)


def _floor(base: Copy, place: Path, modules: Iterable[str], collector_off: bool) -> tuple[Copy, list[str]]:
    """Return the deployed empty program, which imports what ours had loaded at its end."""
    floor = Copy(base.stack, place / "floor", engine_runs.copy_home(base.home, place / "floor-home"))
    engine_runs.make_project(floor.root)
    imported = programs.write_floor(floor.root, modules, collector_off)
    loaded = engine_runs.deploy(floor).modules
    if programs.azure_modules(loaded) != programs.azure_modules(modules):
        raise BenchmarkError("the empty program did not load the same modules of the SDK as the real one")
    return floor, imported


def measure(prepared: Prepared, repetitions: int, told: Callable[[str], None]) -> Results:
    """Time all previews in turns, then all updates in turns; the servers are started and warm before."""
    with contextlib.ExitStack() as servers:
        port = servers.enter_context(running_server(prepared.base.home))
        new = engine_runs.environment(prepared.base.home, port)
        previews = {case: partial(engine_runs.timed, copy, PREVIEW, new) for case, copy in prepared.copies.items()}
        previews[OURS, NORMAL]()  # the server reads the SDK's types at their first use
        told("previews")
        previewed = interleaved(previews, repetitions, told)
    with contextlib.ExitStack() as servers:
        updates: dict[Case, Callable[[], Sample]] = {}
        for case, copy in prepared.copies.items():
            port = servers.enter_context(running_server(copy.home))
            updates[case] = partial(engine_runs.timed, copy, UNCHANGED, engine_runs.environment(copy.home, port))
            updates[case]()
        told("updates without a change")
        return Results(previewed, interleaved(updates, repetitions, told))


def profiled(prepared: Prepared, folder: Path) -> str:
    """Return the profile of one preview of our program, and its imports."""
    file = folder / "preview.profile"
    with running_server(prepared.base.home) as port:
        environment = engine_runs.environment(prepared.base.home, port)
        engine_runs.run(prepared.copies[OURS, NORMAL], PREVIEW, environment)  # the server's first answers are slow
        engine_runs.run(prepared.copies[OURS, NORMAL], PREVIEW, environment, file)
    return "\n\n".join(
        [
            "## Profile of our preview",
            "The profiler itself slows the program down; compare shares, not seconds.",
            profiles.function_tables(file),
            "Imports of the entry, without the profiler (the SDK loads some modules later, at their first use):",
            profiles.import_table(programs.import_statements()),
        ]
    )


def text(prepared: Prepared, results: Results, repetitions: int) -> str:
    """Return the tables of times, memory, promises and growth."""
    header = ("program", "size", "preview, s", "no-change up, s", "program's processor time, s", "and peak memory, MiB")
    rows = [
        (
            case[0],
            case[1] if case[0] != FLOOR else "-",
            spread(results.previews[case].seconds, 1),
            spread(results.updates[case].seconds, 1),
            spread(results.previews[case].processor, 1),
            spread(results.previews[case].memory, 0),
        )
        for case in sorted(results.previews, key=lambda case: (case[1] != NORMAL, case[0] != FLOOR, case[0] != OURS))
    ]
    parts = [
        f"Median (minimum to maximum) of {repetitions} repetitions. {_equal(prepared)}",
        table(header, rows),
        _promises(results),
    ]
    if GROWN in prepared.sizes:
        parts += [_growth(prepared, results)]
    return "\n\n".join(parts)


def _equal(prepared: Prepared) -> str:
    count = prepared.sizes[NORMAL]
    off = "off in ours, in the floor and in the flat program without aliases" if prepared.collector_off else "on"
    return (
        f"The region has {count['resources']} resources in {count['components']} components; the flat programs declare "
        f"the same resources with the same inputs. The garbage collector is {off}.\n\n"
        f"The floor imports {', '.join(prepared.floor_imports)}."
    )


def _promises(results: Results) -> str:
    rows = [
        (target.text, f"{target.measured:.2f}", f"{target.limit:.2f}", "pass" if target.is_met else "FAIL")
        for target in results.targets(NORMAL)
    ]
    times = {program: results.previews[program, NORMAL].seconds.median for program in (FLOOR, AS_SHIPPED, LEAN)}
    above = times[AS_SHIPPED] - times[FLOOR]
    least = (times[LEAN] - times[FLOOR]) / above if above > 0 else float("inf")
    price, against_lean, _ = results.targets(NORMAL, lambda series: series.processor)
    return (
        "## Targets\n\n"
        + table(("medians of the normal size", "measured", "at most", "result"), rows)
        + f"\n\nThe first two in the program's processor time, which a busy machine changes less: "
        f"{price.measured:.2f} and {against_lean.measured:.2f}. Of the first, the flat program without aliases, the "
        f"least that the SDK can do, reaches {least:.2f} by the clock."
    )


def _growth(prepared: Prepared, results: Results) -> str:
    normal, grown = prepared.sizes[NORMAL], prepared.sizes[GROWN]
    said = ", ".join(f"{normal[key]} {key} become {grown[key]}" for key in normal if normal[key] != grown[key])
    rows = []
    for program in (OURS, AS_SHIPPED, LEAN):
        small, large = (program, NORMAL), (program, GROWN)
        floor = results.previews[FLOOR, NORMAL].seconds.median
        before, after = (results.previews[case].seconds.median for case in (small, large))
        rows.append(
            (
                program,
                f"{after / before:.2f}",
                f"{(after - floor) / (before - floor):.2f}" if before > floor else "-",
                f"{results.updates[large].seconds.median / results.updates[small].seconds.median:.2f}",
                f"{results.previews[large].memory.median / results.previews[small].memory.median:.2f}",
            )
        )
    again = "; ".join(f"{target.text} {target.measured:.2f}" for target in results.targets(GROWN))
    return (
        f"## Growth\n\nWith {programs.GROWTH} times the rules and user pools: {said}.\n\n"
        + table(("ratio to the normal size", "preview", "preview - floor", "no-change up", "peak memory"), rows)
        + f"\n\nThe targets' ratios in that size: {again}."
    )
