"""The command line: `python -m geode recover STACK`."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import yaml

from geode.engine import PARALLEL, Engine, RecoveryError, engine_environment
from geode.recover import Survey, keep_copy, lock_holders, pending, recovered_state, survey
from tools.pipeline_stacks import PipelineError, stack_named

_SUBSCRIPTION_KEY = "azure-native:subscriptionId"


def main(arguments: Sequence[str] | None = None, ask: Callable[[str], str] = input) -> int:
    """Run one command and return its exit code: 0 done, 1 not done, 2 could not be tried."""
    options = _parser().parse_args(arguments)
    root = options.project_directory.resolve()
    try:
        stack = stack_named(root, options.stack)
        config = (options.config_file or root / f"Pulumi.{stack.name}.yaml").resolve()
        if not config.is_file():
            raise RecoveryError(f"there is no file {config}; name the stack's with --config-file")
        real = Engine(root, stack.name, config, engine_environment())
        return _recover(real, stack.shared_stack, options, ask)
    except (RecoveryError, PipelineError) as error:
        sys.stderr.write(f"geode: {error}\n")
        return 2
    except (KeyboardInterrupt, EOFError):
        sys.stderr.write("geode: stopped; the state is as it was\n")
        return 1


def _recover(real: Engine, shared_stack: str | None, options: argparse.Namespace, ask: Callable[[str], str]) -> int:
    def agreed(question: str) -> bool:
        return options.yes or ask(f"{question} [y/N] ").strip().lower() in ("y", "yes")

    state = real.export()
    _say(f"{real.stack}: a copy of the state is in {keep_copy(state, real.root / '.recovery', real.stack)}")
    if not _unlock(real, state, agreed):
        return 1
    state = real.export()
    open_operations = pending(state)
    if open_operations:
        _say("The last run ended in the middle of:", *(f"  {item}" for item in open_operations))
    _say("Asking Azure for what the next `up` would create ...")
    found = survey(real, state, shared_stack, _subscription(real), dict(options.id))
    _show(found)
    if not found.adopted and not open_operations:
        _say("Nothing to adopt: the state knows all that stands.")
    else:
        question = f"Adopt {len(found.adopted)} resources into the state of {real.stack}?"
        if not agreed(question if found.adopted else "Forget the operations that the last run left open?"):
            _say("Nothing was changed.")
            return 1
        if real.export() != state:
            raise RecoveryError(f"the state of {real.stack} was written by somebody else meanwhile; run this again")
        real.replace_state(recovered_state(state, found.resources))
        _say(f"{len(found.adopted)} adopted.")
    return _up(real, found, options)


def _unlock(real: Engine, state: dict[str, Any], agreed: Callable[[str], bool]) -> bool:
    """Drop a lock that its holder left behind; false when it is to stay."""
    held = lock_holders(real, state)
    for holder in held:
        _say(f"{real.stack} is locked by {holder}")
        if holder.runs_here:
            raise RecoveryError(f"process {holder.process} still runs; let it end, or interrupt it once with SIGINT")
    if held:
        if not agreed("Does that run no longer work, and shall its lock be dropped?"):
            _say("Nothing was changed.")
            return False
        # On a backend of one's own this deletes the lock and stops nobody.
        real.answer("cancel", "--yes")
    return True


def _show(found: Survey) -> None:
    rows = [(f"{item.type} {item.name}", _short(item.id)) for item in found.adopted]
    if rows:
        width = max(len(left) for left, _ in rows)
        _say("These stand in Azure under this stack's own ids and tags, and the state does not know them:")
        _say(*(f"  {left:<{width}}  {right}" for left, right in rows))
    for item in found.strangers:
        _say(f"  not adopted: {item.id} stands there, but its tags are not this stack's. Who made it?")
    for urn in found.candidates.nameless:
        name = urn.rsplit("::", 1)[1]
        _say(f"  not asked: Azure draws the id of {name} itself. If it exists, find its id and add --id {name}=ID")
    for op, text in (("update", "change"), ("replace", "REPLACE")):
        names = found.then(op)
        if names:
            _say(f"The next `up` would {text}: {', '.join(names)}")


def _up(real: Engine, found: Survey, options: argparse.Namespace) -> int:
    command = [
        "pulumi", "up", "--stack", real.stack, "--cwd", str(real.root), "--config-file", str(real.config_file),
        "--parallel", PARALLEL,
    ]  # fmt: skip
    if not options.up:
        _say(f"Now look at and run: pulumi up --stack {real.stack}")
        return 0
    replaced = found.then("replace")
    if options.yes and replaced:
        _say(f"`up` is not run, for it would replace {', '.join(replaced)}: look at its preview first.")
        return 1
    more = ("--yes", "--skip-preview", "--non-interactive") if options.yes else ()
    return subprocess.run([*command, *more], env=real.environment, check=False).returncode  # noqa: S603 - our own words


def _subscription(real: Engine) -> str:
    """Return the subscription that the provider is told to use; empty when the login decides."""
    content = yaml.safe_load(real.config_file.read_text(encoding="utf-8")) or {}
    return str((content.get("config") or {}).get(_SUBSCRIPTION_KEY) or os.environ.get("ARM_SUBSCRIPTION_ID") or "")


def _short(resource_id: str) -> str:
    """Return an id from its resource group on."""
    return resource_id.partition("/resourceGroups/")[2] or resource_id


def _say(*lines: str) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


def _pair(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not (name and separator and value):
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=ID, for example shared-admins-group=/groups/1234")
    return name, value


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m geode", description="What spans a stack's single deployments.")
    commands = parser.add_subparsers(dest="command", required=True)
    recover = commands.add_parser(
        "recover",
        help="adopt into a stack's state what stands in Azure and the state does not know",
        description="After a killed run, a lost answer or a lost state: adopt what stands in Azure into the state.",
        epilog="Exit code: 0 done, 1 not done, 2 could not be tried. See docs/runbooks/recovery.md.",
    )
    recover.add_argument("stack", help="a stack of this project, for example eastus2")
    recover.add_argument("--yes", action="store_true", help="do not ask")
    recover.add_argument("--up", action="store_true", help="run `pulumi up` afterwards")
    recover.add_argument("--id", action="append", type=_pair, default=[], metavar="NAME=ID", help="an id you looked up")
    recover.add_argument("--config-file", type=Path, help="the stack's file (default: Pulumi.STACK.yaml)")
    recover.add_argument("--project-directory", type=Path, default=Path(), help="the project (default: here)")
    return parser
