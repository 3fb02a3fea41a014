"""What the state lacks and Azure may have: which creations are planned, which ids they would get, and the state with
what was found in it.

Pure functions on the engine's own documents: the state that `stack export` gives and the steps of a preview.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from geode.engine import Preview
from geode.live_values import UNKNOWN, Value, as_in_azure, is_secret, known, revealed, with_secrets
from geode.resource_ids import id_form

Record: TypeAlias = dict[str, Any]
"""One resource as the state holds it."""

_CREATES: Final = frozenset({"create", "create-replacement"})
_PROVIDER: Final = "pulumi:providers:"
_OF_ITS_RUN: Final = frozenset({"inputs", "outputs", "id", "created", "modified", "taint"})
"""What the state holds of a resource beside what the program says."""
_OWNER_TAGS: Final = ("application", "scope", "managed-by")


@dataclass(frozen=True)
class Found:
    """A resource as it stands in Azure."""

    urn: str
    id: str
    inputs: Mapping[str, Value]
    outputs: Mapping[str, Value]

    @property
    def name(self) -> str:
        """The program's name of it."""
        return self.urn.rsplit("::", 1)[1]

    @property
    def type(self) -> str:
        """Its type, for example `network:VirtualNetwork`."""
        return type_of(self.urn).partition(":")[2]


@dataclass(frozen=True)
class Candidates:
    """Planned creations: the ids to ask Azure for, and those whose id is not known yet or never can be formed."""

    ids: Mapping[str, str]
    waiting: tuple[str, ...]
    nameless: tuple[str, ...]


def type_of(urn: str) -> str:
    """Return the resource type in a URN."""
    return urn.split("::")[2].rsplit("$", 1)[-1]


def resources_of(state: Mapping[str, Any]) -> list[Record]:
    """Return the resources of a state without those that were deleted and wait for their replacement."""
    return [item for item in state["deployment"].get("resources") or () if not item.get("pendingReplacement")]


def candidates(
    preview: Preview, resources: Sequence[Record], subscription_id: str, given: Mapping[str, str]
) -> Candidates:
    """Return which planned creations may stand in Azure already, and under which ids.

    `given` are ids that the user found, by the program's name of the resource: Entra and Azure draw some at random.
    """
    # What only waits for its deletion shares its URN with what takes its place.
    current = [item for item in resources if not item.get("delete")]
    ids = {item["urn"]: item["id"] for item in current if item.get("id")}
    standing = frozenset(item["urn"] for item in current)
    asked, waiting, nameless = {}, [], []
    for step in preview.steps:
        urn, state = step["urn"], step.get("newState") or {}
        if step["op"] not in _CREATES or urn in standing or not _in_azure(state):
            continue
        form = id_form(state["type"])
        name = urn.rsplit("::", 1)[1]
        if name in given:
            asked[urn] = given[name]
        elif form is None:
            nameless.append(urn)
            continue
        else:
            values = {key: _address(state, key, ids) for key in form.inputs}
            complete = {key: value for key, value in values.items() if value}
            if len(complete) < len(values):
                waiting.append(urn)
                continue
            asked[urn] = form.id(complete, subscription_id)
        ids[urn] = asked[urn]
    taken = {item["id"].lower() for item in resources if item.get("id")}
    asked = {urn: found for urn, found in asked.items() if found.lower() not in taken}
    return Candidates(asked, tuple(waiting), tuple(nameless))


def drafts(preview: Preview, ids: Mapping[str, str], resources: Sequence[Record]) -> list[Record]:
    """Return a state that holds nothing but ids, for the provider to read."""
    providers = provider_records(preview, resources)
    found = [item for item in resources if item["type"].startswith(_PROVIDER)] + providers
    by_urn = {item["urn"]: item["id"] for item in found}
    for step in preview.steps:
        if step["urn"] in ids:
            state = step["newState"]
            found.append(
                {
                    "urn": step["urn"],
                    "custom": True,
                    "id": ids[step["urn"]],
                    "type": state["type"],
                    "inputs": {},
                    "outputs": _address_texts(state),
                    "provider": _provider(state["provider"], by_urn),
                    "additionalSecretOutputs": state.get("additionalSecretOutputs") or [],
                }
            )
    return found


def is_ours(program: Mapping[str, Value], live: Mapping[str, Value]) -> bool:
    """Tell whether what stands under an id carries the tags by which this program knows its own; without tags, the id
    alone decides, which holds application, stamp and a hash."""
    wanted, there = program.get("tags"), live.get("tags")
    if not isinstance(wanted, Mapping) or is_secret(wanted):
        return True
    tags = there if isinstance(there, Mapping) else {}
    return all(wanted.get(name) in (None, UNKNOWN, tags.get(name)) for name in _OWNER_TAGS)


def is_untouched(urn: str, program: Mapping[str, Value], live: Mapping[str, Value]) -> bool:
    """Tell whether Azure made a resource with its parent and nobody wrote it since, such as an account's blob service.

    The provider creates over it, so there is nothing to adopt.
    """
    form = id_form(type_of(urn))
    return not live and bool(program.keys() - set(form.inputs if form else ()))


def adopted(
    preview: Preview, resources: Sequence[Record], found: Mapping[str, Found], earlier: Mapping[str, Record]
) -> list[Record]:
    """Return the resources of a state with those found in Azure as `up` would have written them, in its order.

    `earlier` are the records of a round before, whose secrets are encrypted already.
    """
    made = [*resources, *provider_records(preview, resources)]
    present = {item["urn"] for item in made if not item.get("delete")}
    wanted = _with_parents(preview, found)
    providers = {item["urn"]: item["id"] for item in made if item["type"].startswith(_PROVIDER)}
    for step in preview.steps:
        urn, state = step["urn"], step.get("newState") or {}
        if urn in present or urn not in wanted:
            continue
        record = {key: value for key, value in state.items() if key not in _OF_ITS_RUN}
        if urn in found:
            record |= _values(step, preview, found[urn], earlier.get(urn) or {})
            record["provider"] = _provider(state["provider"], providers)
        present.add(urn)
        made.append(_without_strangers(record, present))
    return made


def provider_records(preview: Preview, resources: Iterable[Record]) -> list[Record]:
    """Return the providers that the program needs and the state lacks."""
    standing = {item["urn"] for item in resources}
    made = []
    for urn, entry in preview.plan.items():
        if type_of(urn).startswith(_PROVIDER) and urn not in standing:
            inputs = (entry.get("goal") or {}).get("inputDiff", {}).get("adds") or {}
            outputs = {key: value for key, value in inputs.items() if key != "__internal"}
            # The engine draws the id of a provider when it first starts it; it names nothing in Azure.
            made.append({"urn": urn, "custom": True, "id": str(uuid.uuid4()), "type": type_of(urn), "inputs": inputs})
            made[-1]["outputs"] = outputs
    return made


def _values(step: Mapping[str, Any], preview: Preview, live: Found, earlier: Mapping[str, Any]) -> Record:
    """Return id, inputs and outputs of an adopted resource."""
    goal = preview.plan.get(step["urn"], {}).get("goal") or {}
    change = goal.get("inputDiff") or {}
    encrypted = {**(earlier.get("inputs") or {}), **(change.get("adds") or {}), **(change.get("updates") or {})}
    program = with_secrets(step["newState"].get("inputs") or {}, encrypted)
    inputs = as_in_azure(program, live.inputs)
    return {"id": live.id, "inputs": inputs, "outputs": revealed(live.outputs, known(program))}


def _in_azure(state: Mapping[str, Any]) -> bool:
    return bool(state.get("custom")) and not state.get("external") and not state["type"].startswith("pulumi:")


def _address(state: Mapping[str, Any], key: str, ids: Mapping[str, str]) -> str:
    """Return an input that enters the id, empty when it is not known yet.

    A name that is another resource's own is the end of that one's id. A scope is not guessed: it may be a part of the
    resource that it comes from, such as an account's blob service.
    """
    value = (state.get("inputs") or {}).get(key)
    if value != UNKNOWN:
        return value if isinstance(value, str) else ""
    sources = [ids[urn] for urn in (state.get("propertyDependencies") or {}).get(key) or () if urn in ids]
    return sources[0].rsplit("/", 1)[1] if len(sources) == 1 and key.endswith("Name") else ""


def _address_texts(state: Mapping[str, Any]) -> Record:
    form = id_form(state["type"])
    inputs = state.get("inputs") or {}
    return {key: inputs[key] for key in (form.inputs if form else ()) if inputs.get(key) not in (None, UNKNOWN)}


def _with_parents(preview: Preview, found: Mapping[str, Found]) -> set[str]:
    parents = {step["urn"]: (step.get("newState") or {}).get("parent") for step in preview.steps}
    wanted: set[str] = set()
    for urn in found:
        above: str | None = urn
        while above and above not in wanted:
            wanted.add(above)
            above = parents.get(above)
    return wanted


def _provider(reference: str, ids: Mapping[str, str]) -> str:
    urn, _ = reference.rsplit("::", 1)
    return f"{urn}::{ids[urn]}"


def _without_strangers(record: Record, present: set[str]) -> Record:
    """Leave out what refers to a resource that stands nowhere: the next `up` makes it and writes the reference."""
    if "dependencies" in record:
        record["dependencies"] = [urn for urn in record["dependencies"] if urn in present]
    if "propertyDependencies" in record:
        record["propertyDependencies"] = {
            key: [urn for urn in urns or () if urn in present] for key, urns in record["propertyDependencies"].items()
        }
    if record.get("deletedWith") and record["deletedWith"] not in present:
        del record["deletedWith"]
    return record
