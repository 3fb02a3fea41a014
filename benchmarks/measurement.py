"""Samples of one command and their minimum, median and maximum; knows nothing of what is measured."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

Key = TypeVar("Key", bound=Hashable)

MEBIBYTE = 1024 * 1024


class BenchmarkError(Exception):
    """A benchmark could not be run; shown as it stands."""


@dataclass(frozen=True)
class Sample:
    """One run: wall-clock seconds of the whole command; processor seconds and peak bytes of the program alone."""

    seconds: float
    processor: float
    memory: int


@dataclass(frozen=True)
class Spread:
    """Minimum, median and maximum of one figure."""

    least: float
    median: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Return the spread of at least one value."""
        return cls(min(values), statistics.median(values), max(values))


@dataclass(frozen=True)
class Series:
    """All runs of one command."""

    samples: tuple[Sample, ...]

    @property
    def seconds(self) -> Spread:
        """Wall-clock time in seconds."""
        return Spread.of([sample.seconds for sample in self.samples])

    @property
    def processor(self) -> Spread:
        """Processor time of the program's process in seconds."""
        return Spread.of([sample.processor for sample in self.samples])

    @property
    def memory(self) -> Spread:
        """Peak memory of the program's process in MiB."""
        return Spread.of([sample.memory / MEBIBYTE for sample in self.samples])


def interleaved(
    cases: Mapping[Key, Callable[[], Sample]], repetitions: int, told: Callable[[str], None]
) -> dict[Key, Series]:
    """Run every case once, then every case again, and so on: a machine that grows slower does so for all of them."""
    samples: dict[Key, list[Sample]] = {key: [] for key in cases}
    for turn in range(repetitions):
        for key, run in cases.items():
            samples[key].append(run())
        told(f"repetition {turn + 1} of {repetitions}")
    return {key: Series(tuple(found)) for key, found in samples.items()}
