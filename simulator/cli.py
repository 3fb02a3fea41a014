"""The command line of the simulated Azure: ``run``, ``up``, ``down`` and ``serve``."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from simulator import fleet_commands, wrapper
from simulator.home import Home, UsageError, project_root


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    command: list[str] = []
    if given[:1] == ["run"] and "--" in given:
        position = given.index("--")
        given, command = given[:position], given[position + 1 :]
    options = _parser().parse_args(given)
    try:
        if options.command == "serve":
            return _serve(options.cloud, options.port, options.latency, options.with_parent)
        root = project_root((options.project_directory or Path.cwd()).resolve())
        home = Home((options.home or root / ".simulator").resolve())
        if options.command in ("up", "down"):
            signal.signal(signal.SIGTERM, signal.default_int_handler)  # a termination ends as orderly as a Ctrl-C
        if options.command == "up":
            return fleet_commands.up(root, home, options.stack or [], options.latency)
        if options.command == "down":
            return fleet_commands.down(root, home, options.latency, options.keep_cloud)
        if not command:
            raise UsageError("a command is missing, for example `run -- pulumi preview --stack eastus2`")
        return wrapper.run(command, root, home, options.latency)
    except KeyboardInterrupt:
        print("simulator: interrupted; the engines ended orderly", file=sys.stderr)
        return 130
    except UsageError as error:
        print(f"simulator: {error}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m simulator", description="A simulated Azure for the Pulumi engine.")
    commands = parser.add_subparsers(dest="command", required=True)
    descriptions = {
        "run": "run a command against it: run [options] -- COMMAND...",
        "up": "deploy every stack of the project to it",
        "down": "destroy every stack again",
    }
    for name, text in descriptions.items():
        sub = commands.add_parser(name, help=text, description=text)
        sub.add_argument("--home", type=Path, help="where it keeps its files (default: .simulator in the project)")
        sub.add_argument("--project-directory", type=Path, help="the project (default: found upward from here)")
        sub.add_argument(
            "--latency", type=float, default=0, metavar="SECONDS", help="how long Azure takes for each write"
        )
        if name == "down":
            sub.add_argument(
                "--keep-cloud", action="store_true", help="keep what Azure keeps, such as soft-deleted vaults"
            )
        if name == "up":
            sub.add_argument("--stack", action="append", metavar="NAME", help="only this stack; may be repeated")
    serve = commands.add_parser("serve", help="only serve, and print the port")
    serve.add_argument("--cloud", type=Path, required=True, help="the cloud's file")
    serve.add_argument("--port", type=int, default=0)
    serve.add_argument("--latency", type=float, default=0, metavar="SECONDS")
    serve.add_argument("--with-parent", action="store_true", help="end when standard input closes")
    return parser


def _serve(cloud: Path, port: int, latency: float, with_parent: bool) -> int:
    from simulator.server import serve  # the SDK and gRPC take their time to import

    if with_parent:
        threading.Thread(target=_end_with_input, daemon=True).start()
    try:
        asyncio.run(serve(cloud, port, latency, lambda bound: print(bound, flush=True)))
    except KeyboardInterrupt:
        return 130
    return 0


def _end_with_input() -> None:
    sys.stdin.read()
    os._exit(0)  # the parent is gone; SQLite's log makes an abrupt end safe
