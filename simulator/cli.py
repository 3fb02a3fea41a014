"""The command line of the simulated Azure: ``run``, ``up``, ``down``, ``serve``, ``timeline``,
``edge`` and ``fault``."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from simulator import fleet_commands, timeline, wrapper
from simulator.clock import clock_for
from simulator.cloud_store import CloudStore
from simulator.faults import KINDS, Fault, Faults
from simulator.home import Home, UsageError, project_root
from simulator.operation_log import OperationLog
from simulator.propagation import edge_report


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
        if options.command == "timeline":
            return _timeline(home, options.all)
        if options.command == "edge":
            return _edge(home, options.after, options.propagation)
        if options.command == "fault":
            return _fault(home, options)
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
        _add_latency(sub)
        if name == "down":
            sub.add_argument(
                "--keep-cloud", action="store_true", help="keep what Azure keeps, such as soft-deleted vaults"
            )
        if name == "up":
            sub.add_argument("--stack", action="append", metavar="NAME", help="only this stack; may be repeated")
    serve = commands.add_parser("serve", help="only serve, and print the port")
    serve.add_argument("--cloud", type=Path, required=True, help="the cloud's file")
    serve.add_argument("--port", type=int, default=0)
    _add_latency(serve)
    serve.add_argument("--with-parent", action="store_true", help="end when standard input closes")
    line = commands.add_parser("timeline", help="tell what ran when in the last run, and what decided its length")
    line.add_argument("--home", type=Path)
    line.add_argument("--project-directory", type=Path)
    line.add_argument("--all", action="store_true", help="every operation, not the critical path alone")
    edge = commands.add_parser("edge", help="tell what Front Door's edge serves, some time after the last change")
    edge.add_argument("--home", type=Path)
    edge.add_argument("--project-directory", type=Path)
    edge.add_argument("--after", type=float, default=0, metavar="SECONDS", help="since the last write (default: 0)")
    edge.add_argument("--propagation", type=float, metavar="SECONDS", help="how long a change takes (default: 1200)")
    _add_fault(commands.add_parser("fault", help="let an operation fail, or show and clear what is armed"))
    return parser


def _add_fault(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("kind", nargs="?", choices=KINDS)
    parser.add_argument("--home", type=Path)
    parser.add_argument("--project-directory", type=Path)
    parser.add_argument("--clear", action="store_true", help="disarm all before")
    parser.add_argument("--type", default="*", metavar="PATTERN", help="for example network:AzureFirewall")
    parser.add_argument("--operation", default="*", choices=("create", "update", "delete", "*"))
    parser.add_argument("--urn", default="*", metavar="PATTERN")
    parser.add_argument("--nth", type=int, default=1, help="which of the operations that match (default: the first)")
    parser.add_argument("--every", action="store_true", help="each of them once")
    parser.add_argument("--after", action="store_true", help="kill when Azure is done, not while it works")
    parser.add_argument("--times", type=int, default=1, help="how often a throttled request is refused")


def _add_latency(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--latency",
        type=_latency,
        default="none",
        metavar="none|virtual|FACTOR",
        help="Azure's time: none (default), virtual (its own times, skipped), or a factor of it such as 0.01",
    )


def _latency(text: str) -> str:
    try:
        clock_for(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is none of: none, virtual, a factor such as 0.01") from None
    return text


def _existing_cloud(home: Home) -> CloudStore:
    if not home.cloud_file.exists():
        raise UsageError(f"there is no simulated Azure in {home.path}; deploy to it first, with --latency virtual")
    return CloudStore(home.cloud_file)


def _edge(home: Home, after: float, propagation: float | None) -> int:
    store = _existing_cloud(home)
    print(edge_report(store, OperationLog(store).last_end() + after, propagation))
    store.close()
    return 0


def _timeline(home: Home, everything: bool) -> int:
    store = _existing_cloud(home)
    print(timeline.report(store, timeline.last_timeline(store), everything))
    store.close()
    return 0


def _fault(home: Home, options: argparse.Namespace) -> int:
    home.prepare()
    store = CloudStore(home.cloud_file)
    faults = Faults(store)
    if options.clear:
        faults.clear()
    if options.kind:
        faults.add(
            Fault(
                options.kind, options.type, options.operation, options.urn, options.nth, options.every, options.after,
                options.times,
            )
        )  # fmt: skip
    for fault, struck in faults.armed():
        print(f"{fault}: struck {struck}")
    store.close()
    return 0


def _serve(cloud: Path, port: int, latency: str, with_parent: bool) -> int:
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
