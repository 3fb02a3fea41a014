"""What the project promises of its speed: arithmetic on medians."""

from __future__ import annotations

from dataclasses import dataclass

MOST_OF_SDK_TIME = 0.35
MOST_OF_LEAN_TIME = 1.25
MOST_OF_LEAN_MEMORY = 1.3


@dataclass(frozen=True)
class Target:
    """One promise and what was measured; both are ratios."""

    text: str
    measured: float
    limit: float

    @property
    def is_met(self) -> bool:
        """Whether the promise holds."""
        return self.measured <= self.limit


@dataclass(frozen=True)
class Medians:
    """Median seconds of a preview, and median memory, of the four programs."""

    floor: float
    ours: float
    as_shipped: float
    lean: float
    our_memory: float
    lean_memory: float


def targets(medians: Medians) -> list[Target]:
    """Return the three promises; time above the floor is what a program itself costs."""
    above = medians.as_shipped - medians.floor
    return [
        Target(
            "(preview - floor) / (flat as shipped - floor)",
            (medians.ours - medians.floor) / above if above > 0 else float("inf"),
            MOST_OF_SDK_TIME,
        ),
        Target("preview / flat without aliases", medians.ours / medians.lean, MOST_OF_LEAN_TIME),
        Target("peak memory / flat without aliases", medians.our_memory / medians.lean_memory, MOST_OF_LEAN_MEMORY),
    ]
