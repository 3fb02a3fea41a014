"""The command line: ``python -m benchmarks``, which is what ``make bench`` runs."""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from benchmarks import fleet_size, makespan, preview, simulator_speed
from benchmarks.machine import description
from benchmarks.measurement import BenchmarkError
from benchmarks.report import write_between_markers
from simulator.home import Home, UsageError

PARTS = ("preview", "simulator", "makespan", "fleet")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmarks, print their results and return 0; a missed target is a result, no failure."""
    options = _parser().parse_args(arguments)
    started = time.monotonic()

    def told(message: str) -> None:
        print(f"{time.monotonic() - started:5.0f} s  {message}", file=sys.stderr, flush=True)

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # its servers and folders end as with a Ctrl-C
    try:
        with tempfile.TemporaryDirectory(prefix="aks-geode-benchmarks-") as folder:
            sections = []
            for section in _run(Path(folder), options, told):
                print(section, end="\n\n", flush=True)  # a part that fails later must not take the others with it
                sections.append(section)
                if options.write:
                    write_between_markers(options.write, "\n\n".join(sections))
    except (BenchmarkError, UsageError) as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("benchmarks: interrupted", file=sys.stderr)
        return 130
    told("done")
    return 0


def _run(folder: Path, options: argparse.Namespace, told: Callable[[str], None]) -> Iterator[str]:
    """Run the chosen benchmarks, each in a folder of its own, and yield their sections."""
    yield description(Home(folder).environment(None))
    for name in options.only or PARTS:
        place = folder / name
        place.mkdir()
        if name == "preview":
            yield preview.benchmark(
                place, options.repetitions, growth=not options.no_growth, profile=options.profile, told=told
            )
        elif name == "simulator":
            yield simulator_speed.benchmark(place, options.repetitions, told)
        elif name == "fleet":
            yield fleet_size.benchmark(place, options.stamps, told)
        else:
            yield makespan.benchmark(place, told)
        shutil.rmtree(place)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure the program's speed and memory.")
    parser.add_argument(
        "--repetitions", type=_positive, default=5, metavar="N", help="runs of each command (default 5)"
    )
    parser.add_argument("--only", action="append", choices=PARTS, help="this part alone; may be repeated")
    parser.add_argument(
        "--stamps", type=_positive, default=fleet_size.STAMPS, metavar="N", help="size of the large fleet (default 40)"
    )
    parser.add_argument("--no-growth", action="store_true", help="leave out the larger size: half the time")
    parser.add_argument("--profile", action="store_true", help="show the profile also when every target is met")
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the results between this file's markers too")
    return parser


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return value


if __name__ == "__main__":
    sys.exit(main())
