"""The time line of a deployment to the simulated Azure: what ran when, makespan, critical path, lower bound."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from simulator.cloud_store import CloudStore
from simulator.operation_log import LoggedOperation, OperationLog
from simulator.ordering import LowerBound, Ordering

_TOLERANCE = 1e-6


@dataclass(frozen=True)
class Timeline:
    """The operations of one run in the order of their ends, times in simulated seconds."""

    operations: tuple[LoggedOperation, ...]

    @property
    def makespan(self) -> float:
        """Seconds from the first request to the last end."""
        if not self.operations:
            return 0
        return max(item.ended for item in self.operations) - min(item.requested for item in self.operations)

    def of_stack(self, stack: str) -> Timeline:
        """Return the part of one stack."""
        return Timeline(tuple(item for item in self.operations if item.operation.stack == stack))

    def stacks(self) -> list[str]:
        """Return the stacks that had an operation, in the order of their first."""
        begun = sorted(self.operations, key=lambda item: item.requested)
        return list(dict.fromkeys(item.operation.stack for item in begun))

    def critical_path(self) -> list[LoggedOperation]:
        """Return the chain that decided the makespan: each was asked for when the one before it ended.

        Exact with virtual time, where the engine's own computing takes none; otherwise the latest end before a request.
        """
        if not self.operations:
            return []
        path = [max(self.operations, key=lambda item: item.ended)]
        while True:
            earlier = [item for item in self.operations if item.ended <= path[0].requested + _TOLERANCE]
            earlier = [item for item in earlier if item not in path]
            if not earlier:
                return path
            path.insert(0, max(earlier, key=lambda item: (item.ended, item.ended - item.begun)))


def last_timeline(store: CloudStore) -> Timeline:
    """Return the time line of the last run that wrote to a cloud."""
    return Timeline(tuple(OperationLog(store).last_session()))


def lower_bound(store: CloudStore, timeline: Timeline) -> LowerBound:
    """Return the shortest time in which Azure's own ordering rules allow the creations of a time line."""
    created = [
        item.operation.resource_id
        for item in timeline.operations
        if item.operation.kind == "create" and item.outcome == "succeeded"
    ]
    return Ordering(store, created).lower_bound()


def report(store: CloudStore, timeline: Timeline, everything: bool = False) -> str:
    """Return a time line as text: makespan, lower bound and critical path of each stack; on demand all operations."""
    lines: list[str] = []
    for stack in timeline.stacks():
        part = timeline.of_stack(stack)
        bound = lower_bound(store, part)
        start = min(item.requested for item in part.operations)
        lines.append(f"{stack}: {len(part.operations)} operations, makespan {part.makespan:.0f} s")
        if bound.seconds:
            lines.append(
                f"  lower bound of Azure's own order {bound.seconds:.0f} s "
                f"(the makespan is {part.makespan / bound.seconds:.2f} times that)"
            )
        lines.append("  critical path:")
        lines += _rows(part.critical_path(), start)
        if everything:
            lines.append("  every operation:")
            lines += _rows(sorted(part.operations, key=lambda item: (item.requested, item.ended)), start)
    if len(timeline.stacks()) > 1:
        lines.append(f"all stacks: makespan {timeline.makespan:.0f} s")
    return "\n".join(lines) if lines else "The simulated Azure has had no write yet."


def _rows(operations: Sequence[LoggedOperation], start: float) -> list[str]:
    return [
        f"    {item.begun - start:8.1f} to {item.ended - start:8.1f} s  {item.operation.kind:6}  "
        f"{item.operation.urn.rsplit('::', 1)[1]}"
        + (f"  waited {item.waited:.1f} s" if item.waited > _TOLERANCE else "")
        + (f"  {item.outcome}" if item.outcome != "succeeded" else "")
        for item in operations
    ]
