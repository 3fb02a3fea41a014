"""Asks Azure, before the first `pulumi up`, what only a subscription can tell: `python -m stamps.preflight STACK...`.

It reads the stack files by the program's own models and asks through the Azure CLI, which has to be logged in; the role
Reader on the subscription is enough. It changes nothing. Each check is one line: ok, warning, fails, or unknown when
Azure gave no answer. The exit code is 1 when a check fails, and 2 when nothing could be asked.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pulumi

from foundation.configuration import Problem, configuration_error, load
from foundation.naming import Naming
from shared.config import SharedConfig
from stamps.config import StampConfig
from stamps.fleet import STAMP_KEY, conflicts, sibling_stamps, stack_files
from stamps.preflight.check import Answer, Check, Finding, Stamp, Status, listed
from stamps.preflight.plan import Fleet, Shared, account_question, checks
from stamps.preflight.questions import NotReadyError, RefusedError, Sources, is_account, resolve, run_in

SHARED_KEY = "aks-geode:shared"
_SUBSCRIPTION_KEY = "azure-native:subscriptionId"


def main(arguments: Sequence[str] | None = None, sources: Sources | None = None, project: Path | None = None) -> int:
    """Run the checks of the stacks named, or of all, and return the exit code."""
    options = _parser().parse_args(arguments)
    project = project or Path.cwd()
    sources = sources or Sources(run_in(project), resolve)
    try:
        fleet = read_fleet(project, options.stacks, sources, datetime.now(UTC) if options.certificates else None)
        found = []
        for check, finding in sources.findings(checks(fleet)):
            found.append((check, finding))
            if not options.json:
                sys.stdout.write(f"{_line(check, finding)}\n")
                sys.stdout.flush()
    except NotReadyError as error:
        sys.stderr.write(f"preflight: {error}\n")
        return 2
    except pulumi.RunError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    counts = Counter(finding.status for _, finding in found)
    if options.json:
        sys.stdout.write(f"{json.dumps(_report(found, counts), indent=2)}\n")
    else:
        sys.stdout.write(f"{listed(f'{counts[status]} {status}' for status in Status)}\n")
    return 1 if counts[Status.FAILS] else 0


def read_fleet(project: Path, stacks: Sequence[str], sources: Sources, certificates: datetime | None) -> Fleet:
    """Return the stacks with their settings and names. Names hold a hash of the subscription, hence az is asked.

    Raises:
        pulumi.RunError: when a stack file is not valid, as the program says it.
        NotReadyError: when a stack has no file, or az does not tell a subscription.
    """
    files = {name: content for name, content in stack_files(project).items() if {SHARED_KEY, STAMP_KEY} & set(content)}
    missing = [stack for stack in stacks if stack not in files]
    if missing or not files:
        name = missing[0] if missing else "STACK"
        raise NotReadyError(f"no Pulumi.{name}.yaml with settings in {project}; there are: {listed(files) or 'none'}")
    read = {stack: _settings(project, files, stack) for stack in stacks or files}
    subscriptions = {stack: _wanted_subscription(files[stack]) for stack in read}
    ids = {wanted: _subscription_id(sources, wanted) for wanted in dict.fromkeys(subscriptions.values())}
    shared, stamps = [], []
    for stack, (settings, stamp) in read.items():
        subscription = ids[subscriptions[stack]]
        naming = Naming(
            subscription_id=subscription,
            workload=settings.workload,
            scope=stack if stamp else "shared",
            generation=(stamp or settings).generation,
        )
        if stamp is None:
            shared.append(Shared(stack, settings, naming, subscription))
        else:
            stamps.append(Stamp(stack, stamp, naming, subscription, settings.public_dns_zone is not None))
    return Fleet(tuple(shared), tuple(stamps), certificates)


def _settings(
    project: Path, files: Mapping[str, dict[str, Any]], stack: str
) -> tuple[SharedConfig, StampConfig | None]:
    """Return the shared settings, which names begin with, and the settings of the stamp if the stack is one."""
    content, file = files[stack], f"Pulumi.{stack}.yaml"
    if SHARED_KEY in content:
        return load(SharedConfig, content[SHARED_KEY], file=file, key=SHARED_KEY), None
    stamp = load(StampConfig, content[STAMP_KEY], file=file, key=STAMP_KEY)
    problems = conflicts(stack, stamp, sibling_stamps(project, stack, stamp))
    shared_file = f"Pulumi.{stamp.shared_stack}.yaml"
    shared = files.get(stamp.shared_stack, {}).get(SHARED_KEY)
    if shared is None:
        expected = f"a stack whose file {shared_file} holds {SHARED_KEY}"
        problems.append(Problem(f"{STAMP_KEY}.sharedStack", stamp.shared_stack, expected, "shared"))
    if problems:
        raise configuration_error(file, problems)
    return load(SharedConfig, shared, file=shared_file, key=SHARED_KEY), stamp


def _wanted_subscription(content: Mapping[str, Any]) -> str:
    """Return the subscription that the provider will take; an empty one is az's own choice."""
    return str(content.get(_SUBSCRIPTION_KEY) or os.environ.get("ARM_SUBSCRIPTION_ID") or "")


def _subscription_id(sources: Sources, wanted: str) -> str:
    try:
        return str(is_account(sources.answer(account_question(wanted)))["id"])
    except RefusedError as error:
        raise NotReadyError(error.finding.text) from None


def _line(check: Check, finding: Finding) -> str:
    line = f"{finding.status:<8} {listed(check.stacks)}: {check.title}: {finding.text}"
    return f"{line} -> {finding.remedy}" if finding.remedy else line


def _report(found: Sequence[tuple[Check, Finding]], counts: Mapping[Status, int]) -> Answer:
    return {
        "counts": {str(status): counts[status] for status in Status},
        "checks": [
            {
                "stacks": list(check.stacks),
                "check": check.title,
                "status": str(finding.status),
                "text": finding.text,
                "remedy": finding.remedy,
            }
            for check, finding in found
        ],
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m stamps.preflight",
        description="Ask Azure, before the first `pulumi up`, what only a subscription can tell. Changes nothing.",
        epilog="Exit code: 0 nothing fails, 1 a check fails, 2 nothing could be asked.",
    )
    parser.add_argument("stacks", nargs="*", metavar="STACK", help="a stack of this project (default: all)")
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of lines")
    parser.add_argument(
        "--certificates",
        action="store_true",
        help="read the certificates from the stacks' secrets with the Pulumi CLI too, and check them; none is printed",
    )
    return parser
