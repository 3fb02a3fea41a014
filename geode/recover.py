"""Brings a stack's state back in line with Azure after a run that was killed, an answer that was lost, or a lost state.

The provider refuses to create what exists, so a resource that Azure finished and the state never saw blocks the next
`up`. Everything is asked through the engine and the provider: a preview says what the program wants to create, the ids
of that are formed from its inputs, and a refresh of a copy of the state reads them. What stands is added to the state
as `up` would have written it. Azure itself is not changed.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from geode.adoption import Candidates, Found, Record, adopted, candidates, is_ours, is_untouched, resources_of, type_of
from geode.engine import Engine, Preview, RecoveryError
from geode.rehearsal import Rehearsal, rehearsal
from geode.stack_lock import LockHolder, holders

_SUBSCRIPTION: Final = re.compile(r"/subscriptions/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})", re.IGNORECASE)
_MOST_ROUNDS: Final = 8
"""Each round may learn what the next one's ids are made of: group, network, identity, role."""


@dataclass(frozen=True)
class Survey:
    """What was found: to be adopted, standing but not ours, and what nobody can know here."""

    found: Mapping[str, Found]
    strangers: tuple[Found, ...]
    candidates: Candidates
    resources: Sequence[Record]
    preview: Preview

    @property
    def adopted(self) -> list[Found]:
        """What would be adopted, in the order of its creation."""
        return [self.found[item["urn"]] for item in self.resources if item["urn"] in self.found]

    def then(self, op: str) -> list[str]:
        """Return the names of what the next `up` does with an operation such as `update` or `replace`."""
        return [step["urn"].rsplit("::", 1)[1] for step in self.preview.steps if step["op"] == op]


def survey(
    real: Engine,
    state: Mapping[str, Any],
    shared_stack: str | None,
    subscription_id: str,
    given: Mapping[str, str],
) -> Survey:
    """Ask what of the planned creations stands in Azure already. Changes nothing.

    Raises:
        RecoveryError: the program or the provider does not answer, or the subscription is not known.
    """
    with rehearsal(real, state, shared_stack) as copy:
        return _rounds(copy, resources_of(state), subscription_id, given)


def _rounds(copy: Rehearsal, standing: Sequence[Record], subscription_id: str, given: Mapping[str, str]) -> Survey:
    found: dict[str, Found] = {}
    strangers: dict[str, Found] = {}
    asked: set[tuple[str, str]] = set()
    resources: Sequence[Record] = standing
    for _ in range(_MOST_ROUNDS):
        preview = copy.preview(resources)
        earlier = {item["urn"]: item for item in resources}
        subscription_id = subscription_id or subscription_of(standing, preview)
        planned = candidates(preview, resources, subscription_id, given)
        ids = {urn: id_ for urn, id_ in planned.ids.items() if (urn, id_) not in asked}
        asked |= set(ids.items())
        inputs = {step["urn"]: (step.get("newState") or {}).get("inputs") or {} for step in preview.steps}
        answered = copy.ask(preview, ids, standing)
        answered = {urn: item for urn, item in answered.items() if not is_untouched(urn, inputs[urn], item.inputs)}
        for urn, item in answered.items():
            (found if is_ours(inputs[urn], item.outputs) else strangers)[urn] = item
        resources = adopted(preview, standing, found, earlier)
        if not answered:
            break
    return Survey(found, tuple(strangers.values()), planned, resources, preview)


def subscription_of(standing: Sequence[Record], preview: Preview) -> str:
    """Return the subscription that the ids in the state name or, when there are none, those in the planned inputs.

    Raises:
        RecoveryError: they name none, or several.
    """
    held = " ".join(item["id"] for item in standing if item.get("id"))  # also those of providers and other stacks
    planned = json.dumps([(step.get("newState") or {}).get("inputs") for step in preview.steps])
    named: set[str] = {match.lower() for match in _SUBSCRIPTION.findall(held) or _SUBSCRIPTION.findall(planned)}
    if len(named) != 1:
        told = " and ".join(sorted(named)) or "none"
        raise RecoveryError(f"the ids name {told} as subscription; set ARM_SUBSCRIPTION_ID to the right one")
    return named.pop()


def recovered_state(state: Mapping[str, Any], resources: Sequence[Record]) -> dict[str, Any]:
    """Return the state with these resources and without operations that the killed run left open."""
    kept = {key: value for key, value in state["deployment"].items() if key != "pending_operations"}
    return {**state, "deployment": {**kept, "resources": list(resources)}}


def pending(state: Mapping[str, Any]) -> list[str]:
    """Return what a killed run was doing, for example `creating network:VirtualNetwork eastus2-hub`."""
    told = []
    for item in state["deployment"].get("pending_operations") or ():
        urn = item["resource"]["urn"]
        told.append(f"{item['type']} {type_of(urn).partition(':')[2]} {urn.rsplit('::', 1)[1]}")
    return told


def keep_copy(state: Mapping[str, Any], folder: Path, stack: str) -> Path:
    """Write the state, whose secrets are encrypted, to a file of its own and return its path."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / ".gitignore").write_text("*\n", encoding="utf-8")
    file = folder / f"{stack}-{datetime.now(UTC):%Y%m%dT%H%M%S%f}.json"
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
        json.dump(state, opened)
    return file


def lock_holders(real: Engine, state: Mapping[str, Any]) -> list[LockHolder]:
    """Return who has locked the stack. The engine tells it only to who wants to write: the state is written as it is.

    Raises:
        RecoveryError: the backend refuses for another reason.
    """
    done = real.run("stack", "import", text=json.dumps(state))
    if done.returncode == 0:
        return []
    found = holders(done.stderr + done.stdout)
    if not found:
        raise RecoveryError(f"the state of {real.stack} cannot be written:\n  {(done.stderr or done.stdout).strip()}")
    return found
