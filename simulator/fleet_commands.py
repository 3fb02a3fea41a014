"""``up`` and ``down``: every stack of the project against the simulated Azure, in the order that they need."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from simulator.azure_cloud import AzureCloud
from simulator.cloud_store import CloudStore
from simulator.home import Home, UsageError
from simulator.progress import EngineProgress, failure_report, retry_note, summary_table
from simulator.stack_files import StackFile, StackPreparation, stack_files
from simulator.wrapper import running_server

_STAMPS_AT_ONCE: Final = 2
_REPORT_SECONDS: Final = 5
_PARALLEL: Final = "32"
_printing = threading.Lock()


@dataclass(frozen=True)
class FleetCommand:
    """What both commands need."""

    root: Path
    home: Home
    environment: dict[str, str]
    preparation: StackPreparation
    running: set[subprocess.Popen[str]] = field(default_factory=set)

    def interrupt(self) -> None:
        """Ask all running engines to finish what they do, save their state and end."""
        for process in list(self.running):
            process.send_signal(signal.SIGINT)

    def each(self, items: Sequence[StackFile], act: Callable[[StackFile], bool], at_once: int) -> bool:
        """Act on stacks, some at once; on an interruption wait for the orderly end of each engine."""
        with ThreadPoolExecutor(at_once) as pool:
            try:
                return all(list(pool.map(act, items)))
            except KeyboardInterrupt:
                pool.shutdown(wait=False, cancel_futures=True)
                self.interrupt()
                raise

    def engine(self, verb: str, stack: str, extra: Sequence[str] = ()) -> bool:
        """Run one engine command on a stack with progress lines; false when it failed, after its diagnostics."""
        copy = self.preparation.prepare(stack)
        command = [
            "pulumi", verb, "--yes", "--skip-preview", "--non-interactive", "--color", "never", "--parallel", _PARALLEL,
            "--stack", stack, "--config-file", str(copy), *extra,
        ]  # fmt: skip
        started = time.monotonic()
        _say(stack, f"{verb} begins")
        progress, output = EngineProgress(), []
        process = subprocess.Popen(
            command, cwd=self.root, env=self.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, process_group=0,
        )  # fmt: skip
        self.running.add(process)
        reported = started
        for line in process.stdout or ():
            output.append(line.rstrip("\n"))
            again = retry_note(line)
            if again:
                _say(stack, f"tries {again} again; why is in {self.home.path / 'logs' / 'server.log'}")
            elif progress.take(line) and time.monotonic() - reported > _REPORT_SECONDS:
                reported = time.monotonic()
                _say(stack, progress.text())
        code = process.wait()
        self.running.discard(process)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)  # a language host can be left behind
        (self.home.path / "logs" / f"{stack}-{verb}.log").write_text("\n".join(output) + "\n")
        _say(stack, f"{verb} {'failed' if code else 'done'}: {progress.text()} in {time.monotonic() - started:.1f} s")
        if code:
            with _printing:
                print(failure_report(output), flush=True)
        return code == 0

    def summary(self, stack: str) -> dict[str, Any]:
        """Return a stack's output ``summary``, empty when it has none."""
        command = ["pulumi", "stack", "output", "--json", "--stack", stack]
        done = subprocess.run(command, cwd=self.root, env=self.environment, capture_output=True, text=True, check=False)
        found = json.loads(done.stdout).get("summary") if done.returncode == 0 else None
        return found if isinstance(found, dict) else {}


def up(root: Path, home: Home, stacks: Sequence[str], latency: str) -> int:
    """Deploy the named stacks, or all, to the simulated Azure; shared ones first."""
    shared, stamps = _chosen(root, stacks)
    started = time.monotonic()
    home.prepare()
    with running_server(home, latency) as port:
        fleet = _fleet(root, home, port)
        if not fleet.each(shared, lambda item: fleet.engine("up", item.stack), 1):
            return 1
        good = fleet.each(stamps, lambda item: fleet.engine("up", item.stack), _STAMPS_AT_ONCE)
        for item in [*shared, *stamps]:
            found = fleet.summary(item.stack)
            if found:
                print("\n" + summary_table(item.stack, found), flush=True)
    print(
        f"\n{'Done' if good else 'Failed'} in {time.monotonic() - started:.0f} "
        f"s. The simulated Azure is in {home.path}."
    )
    return 0 if good else 1


def down(root: Path, home: Home, latency: str, keep_cloud: bool) -> int:
    """Destroy and remove every stack, the stamps first, and say what Azure would keep."""
    shared, stamps = _chosen(root, ())
    home.prepare()
    with running_server(home, latency) as port:
        fleet = _fleet(root, home, port)

        def destroy(item: StackFile) -> bool:
            if not (home.path / "state" / ".pulumi" / "stacks" / item.project / f"{item.stack}.json").exists():
                return True
            return fleet.engine("destroy", item.stack)

        if not fleet.each(stamps, destroy, _STAMPS_AT_ONCE) or not fleet.each(shared, destroy, 1):
            return 1
        for item in [*stamps, *shared]:
            fleet.preparation.initialise(item)
            fleet.preparation.remove(item.stack)
    return _report_what_is_kept(home, keep_cloud)


def _report_what_is_kept(home: Home, keep_cloud: bool) -> int:
    """Say what Azure keeps after a deletion, and forget it, so that the next `up` begins with an empty cloud."""
    store = CloudStore(home.cloud_file)
    cloud = AzureCloud(store)
    kept, left = cloud.kept_by_azure(), cloud.left_by_programs()
    store.close()
    if kept:
        print("\nAzure would keep:\n" + "\n".join(f"  {item}" for item in kept))
    if left:
        print(
            "\nNo stack of this project made these, and they are still there:\n"
            + "\n".join(f"  {item}" for item in left)
        )
    elif not keep_cloud:
        for suffix in ("", "-wal", "-shm"):
            Path(f"{home.cloud_file}{suffix}").unlink(missing_ok=True)
        print("The simulated Azure forgets it (--keep-cloud does not); a real vault's name needs a new `generation`.")
    return 0


def _fleet(root: Path, home: Home, port: int) -> FleetCommand:
    # The state of a simulated cloud can be lost with the machine; without checkpoints a run takes half the time.
    environment = {**home.environment(port), "PULUMI_SKIP_CHECKPOINTS": "true"}
    return FleetCommand(root, home, environment, StackPreparation(root, home))


def _chosen(root: Path, names: Sequence[str]) -> tuple[list[StackFile], list[StackFile]]:
    found = stack_files(root)
    unknown = sorted(set(names) - {item.stack for item in found})
    if unknown:
        raise UsageError(
            f"there is no stack file Pulumi.{unknown[0]}.yaml; stacks: {', '.join(item.stack for item in found)}"
        )
    chosen = [item for item in found if not names or item.stack in names]
    return [item for item in chosen if item.is_shared], [item for item in chosen if item.is_stamp]


def _say(stack: str, text: str) -> None:
    with _printing:
        print(f"{stack}: {text}", flush=True)
