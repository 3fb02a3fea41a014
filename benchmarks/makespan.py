"""How long Azure takes for a first deployment of the fleet: makespan, the shortest possible, and the critical path."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable
from pathlib import Path
from typing import Final

from benchmarks import engine_runs
from benchmarks.measurement import BenchmarkError
from benchmarks.report import table
from benchmarks.targets import Target
from simulator import fleet_commands
from simulator.cloud_store import CloudStore
from simulator.home import Home
from simulator.latency import seconds_for
from simulator.stack_files import stack_files
from simulator.timeline import Timeline, last_timeline, lower_bound

MOST_OF_LOWER_BOUND: Final = 1.05
MOST_OF_SLOWEST: Final = 1.1

REFERENCE_ORDER: Final = (
    (
        "shared services",
        ("cdn:Profile", "cdn:AFDEndpoint", "containerregistry:Registry", "containerregistry:Replication"),
    ),
    ("hub, first pass", ("network:VirtualNetwork", "network:FirewallPolicy", "network:AzureFirewall")),
    ("spoke", ("network:VirtualNetwork", "network:VirtualNetworkPeering", "network:PublicIPAddress")),
    ("hub, second pass", ("network:FirewallPolicyRuleCollectionGroup", "network:FirewallPolicyRuleCollectionGroup")),
    ("certificates, vault", ("keyvault:Vault", "keyvault:Secret")),
    (
        "cluster stamp",
        ("containerservice:ManagedCluster", "containerservice:AgentPool", "kubernetesconfiguration:Extension"),
    ),
    ("Flux, gateway", ("kubernetesconfiguration:FluxConfiguration", "network:ApplicationGateway")),
    ("origins by command", ("cdn:AFDOriginGroup", "cdn:AFDOrigin", "cdn:Route")),
)
"""The documented steps of the reference implementation in order, with the operations that take their time."""


def benchmark(folder: Path, told: Callable[[str], None]) -> str:
    """Deploy the fleet in virtual time and return the results as Markdown; `folder` is removed by the caller."""
    root, home = folder / "makespan-project", Home(folder / "makespan")
    engine_runs.make_project(root)
    told("deploying the fleet in virtual time")
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        code = fleet_commands.up(root, home, [], "virtual")
    if code:
        raise BenchmarkError(f"the fleet could not be deployed in virtual time:\n{said.getvalue()}")
    store = CloudStore(home.cloud_file)
    try:
        return text(store, last_timeline(store), {item.stack for item in stack_files(root) if item.is_shared})
    finally:
        store.close()


def text(store: CloudStore, timeline: Timeline, shared: set[str]) -> str:
    """Return makespans, bounds and promises, and each stack's critical path."""
    rows, promises, paths = [], [], []
    spans: dict[str, float] = {}
    for stack in timeline.stacks():
        part = timeline.of_stack(stack)
        bound = lower_bound(store, part)
        spans[stack] = part.makespan
        rows.append((stack, f"{part.makespan:.0f}", f"{bound.seconds:.0f}", f"{part.makespan / bound.seconds:.2f}"))
        if stack not in shared:
            promises.append(
                Target(f"{stack}: makespan / lower bound", part.makespan / bound.seconds, MOST_OF_LOWER_BOUND)
            )
        steps = [item.operation.urn.rsplit("::", 1)[1] for item in part.critical_path()]
        paths.append(f"- {stack}: {', '.join(steps)}")
    least = sum(spans[stack] for stack in spans if stack in shared) + max(
        (spans[stack] for stack in spans if stack not in shared), default=0
    )
    promises.append(Target("all stacks / (shared + slowest stamp)", timeline.makespan / least, MOST_OF_SLOWEST))
    stamps = len(spans.keys() - shared)
    reference = sum(_step_seconds(tokens, stamps, name) for name, tokens in REFERENCE_ORDER)
    rows.append(("all", f"{timeline.makespan:.0f}", "-", "-"))
    rows.append(("the reference's order of steps", f"{reference:.0f}", "-", "-"))
    return "\n\n".join(
        [
            "## Makespan of a first deployment",
            (
                "Seconds of Azure's own time by the figures of `simulator/latencies.json`; the engine takes none. "
                "The lower bound follows from the rules of `simulator/ordering.json` alone. The reference's "
                "documented steps are taken one after the other, regions too, each with its longest operations only."
            ),
            table(("stack", "makespan, s", "lower bound, s", "ratio"), rows),
            table(
                ("promise", "measured", "at most", "result"),
                [
                    (item.text, f"{item.measured:.2f}", f"{item.limit:.2f}", "pass" if item.is_met else "FAIL")
                    for item in promises
                ],
            ),
            "Critical paths:\n\n" + "\n".join(paths),
        ]
    )


def _step_seconds(tokens: tuple[str, ...], stamps: int, name: str) -> float:
    times = 1 if name == "shared services" else stamps
    return times * sum(seconds_for(token, "create") for token in tokens)
