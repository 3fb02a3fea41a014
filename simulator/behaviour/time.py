"""When something happens in the simulated cloud, as far as rules ask: Azure notices some changes only later."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Moment:
    """The moment of a request. Without a clock, time stands still within a run and has passed in the next one."""

    run: str = ""
    """One server of the simulated Azure, from its start to its end."""
    seconds: float | None = None
    """Simulated seconds since the cloud was made; ``None`` when nothing takes time."""

    def mark(self) -> str:
        """Return the moment as text that the cloud's file keeps."""
        return json.dumps([self.run, self.seconds])

    def noticed(self, mark: str, delay: float) -> bool:
        """Tell whether all of Azure knows what happened at a mark and takes a delay in seconds to spread."""
        run, since = _read(mark)
        if self.seconds is None or since is None:
            return run != self.run
        return self.seconds >= since + delay

    def expired(self, mark: str, delay: float) -> bool:
        """Tell whether a period in seconds that began at a mark is over; without a clock it never is."""
        since = _read(mark)[1]
        return self.seconds is not None and since is not None and self.seconds >= since + delay


def _read(mark: str) -> tuple[str, float | None]:
    run, seconds = json.loads(mark)
    return str(run), None if seconds is None else float(seconds)


DAY: Final = 24 * 3600.0
"""Seconds."""
