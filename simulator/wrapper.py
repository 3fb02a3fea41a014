"""Runs a command against the simulated Azure: server, environment, signals, leftovers."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import Final

from simulator.home import Home, UsageError
from simulator.stack_files import StackPreparation

_PRINTS_SECRETS: Final = re.compile(r"-v(=?\d+)?|--(verbose|tracing|logtostderr|logflow|show-secrets)(=.*)?")
_PRINTING_VARIABLES: Final = (
    "PULUMI_DEBUG_GRPC",
    "PULUMI_OPTION_VERBOSE",
    "PULUMI_OPTION_TRACING",
    "PULUMI_OPTION_LOGTOSTDERR",
    "PULUMI_OPTION_LOGFLOW",
    "PULUMI_OPTION_SHOW_SECRETS",
)
_TAKES_CONFIG_FILE: Final = frozenset(
    {"preview", "pre", "up", "update", "destroy", "down", "refresh", "config", "import", "watch"}
)
_SHUTDOWN_SECONDS: Final = 10


def refuse_printing_secrets(command: Sequence[str], environment: Mapping[str, str]) -> None:
    """Refuse switches that make the engine print secrets in clear text, whatever the provider marks.

    Raises:
        UsageError: such a switch is set.
    """
    if Path(command[0]).name == "pulumi":
        for argument in command[1:]:
            if argument == "--":
                break
            if _PRINTS_SECRETS.fullmatch(argument) and argument != "--show-secrets=false":
                raise UsageError(
                    f"{argument} makes the engine print secrets in clear text, so the "
                    "simulated Azure does not run with it"
                )
    for name in _PRINTING_VARIABLES:
        if environment.get(name) not in (None, "", "0", "false"):
            raise UsageError(f"{name} makes the engine print secrets in clear text; unset it")


def stack_of(command: Sequence[str]) -> str | None:
    """Return the stack that a ``pulumi`` command names."""
    for index, argument in enumerate(command):
        if argument in ("--stack", "-s") and index + 1 < len(command):
            return command[index + 1].rsplit("/", 1)[-1]
        match = re.fullmatch(r"(?:--stack=|-s=?)([^-].*)", argument)
        if match:
            return match.group(1).rsplit("/", 1)[-1]
    return None


def with_config_file(command: Sequence[str], root: Path, home: Home) -> list[str]:
    """Return the command with the stack file's copy named, where the engine takes one."""
    verbs = [item for item in command[1:] if not item.startswith("-")]
    stack = stack_of(command)
    named = any(item == "--config-file" or item.startswith("--config-file=") for item in command)
    if Path(command[0]).name != "pulumi" or stack is None or named:
        return list(command)
    copy = StackPreparation(root, home).prepare(stack)
    if copy is None or not verbs or verbs[0] not in _TAKES_CONFIG_FILE:
        return list(command)
    position = command.index(verbs[0]) + 1
    return [*command[:position], "--config-file", str(copy), *command[position:]]


@contextlib.contextmanager
def running_server(home: Home, latency: str = "none") -> Iterator[int]:
    """Run a server for the home's cloud and give its port; several may run at once."""
    log = (home.path / "logs" / "server.log").open("a")
    arguments = ["serve", "--cloud", str(home.cloud_file), "--latency", latency, "--with-parent"]
    # A session of its own: a Ctrl-C in the terminal must not end the cloud before the engine has ended.
    server = subprocess.Popen(
        [sys.executable, "-m", "simulator", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
        start_new_session=True,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")]),
        },
    )
    try:
        line = server.stdout.readline().strip() if server.stdout else ""
        if not line.isdigit():
            raise UsageError(f"the simulated Azure did not start; see {log.name}")
        yield int(line)
    finally:
        if server.stdin:
            server.stdin.close()
        server.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(_SHUTDOWN_SECONDS)
        if server.poll() is None:
            server.kill()
            server.wait()
        if server.stdout:
            server.stdout.close()
        log.close()


def run(command: Sequence[str], root: Path, home: Home, latency: str = "none") -> int:
    """Run a command against the simulated Azure and return its exit code."""
    refuse_printing_secrets(command, os.environ)
    home.prepare()
    full = with_config_file(command, root, home)
    with running_server(home, latency) as port:
        return run_in_group(full, home.environment(port))


def run_in_group(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run a command in a process group of its own, pass signals on, and end what it leaves behind.

    A SIGTERM is passed on as SIGINT: the engine ends orderly on that alone (it finishes what runs and saves its state).
    """
    terminal = sys.stdin.isatty() if sys.stdin else False
    child: subprocess.Popen[bytes] | None = None
    pending: list[int] = []

    def forward(number: int, _frame: FrameType | None) -> None:
        pending.append(number)
        if child is not None and child.poll() is None:
            child.send_signal(signal.SIGINT)

    before = {number: signal.signal(number, forward) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        try:
            child = subprocess.Popen(command, env=environment, process_group=0)
        except FileNotFoundError:
            raise UsageError(f"there is no program {command[0]}") from None
        if terminal:
            _give_terminal(child.pid)
        if pending:
            child.send_signal(signal.SIGINT)
        code = child.wait()
    finally:
        if terminal:
            _give_terminal(os.getpgrp())
        for number, handler in before.items():
            signal.signal(number, handler)
        if child is not None:
            # A language host can be left behind when the engine is killed.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(child.pid, signal.SIGKILL)
    return code if code >= 0 else 128 - code


def _give_terminal(group: int) -> None:
    before = signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    with contextlib.suppress(OSError):
        os.tcsetpgrp(sys.stdin.fileno(), group)
    signal.signal(signal.SIGTTOU, before)
