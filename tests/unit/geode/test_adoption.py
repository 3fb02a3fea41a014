"""The state with what was found looks as if `up` had made it."""

from __future__ import annotations

import json
from typing import Any

from geode.adoption import Found, Record, adopted, candidates, drafts, is_ours, is_untouched
from geode.engine import Preview
from tests.unit.geode.planned_stack import (
    GROUP,
    GROUP_ID,
    PFX,
    PFX_ID,
    PROVIDER,
    ROLE,
    SECRET,
    STACK,
    STAMP,
    SUBSCRIPTION,
    TAGS,
    TEAM,
    VAULT,
    VAULT_ID,
    whole_preview,
)


def found(urn: str, resource_id: str, inputs: dict[str, Any] | None = None) -> Found:
    """Return a resource as the provider read it."""
    return Found(urn, resource_id, inputs or {}, {"id": resource_id})


def by_urn(records: list[Record]) -> dict[str, Record]:
    """Return records by their URN."""
    return {item["urn"]: item for item in records}


def test_names_that_come_from_another_resource_are_known_before_it_is() -> None:
    """Group and vault lend their names; a scope is not guessed, and what Entra draws has no id."""
    planned = candidates(whole_preview(), [], SUBSCRIPTION, {})

    assert planned.ids == {GROUP: GROUP_ID, VAULT: VAULT_ID, PFX: PFX_ID}
    assert planned.waiting == (ROLE,)
    assert planned.nameless == (TEAM,)


def test_an_id_that_the_user_found_is_asked_for() -> None:
    """The name is the program's, as the report tells it."""
    planned = candidates(whole_preview(), [], SUBSCRIPTION, {"east-team": "/groups/1"})

    assert planned.ids[TEAM] == "/groups/1"
    assert planned.nameless == ()


def test_what_the_state_has_is_not_asked_for() -> None:
    """Neither a resource that stands in the state nor its id under another name."""
    moved = GROUP.replace("east-group", "east-renamed")
    state = [{"urn": VAULT, "id": VAULT_ID}, {"urn": moved, "id": GROUP_ID.upper()}]

    assert candidates(whole_preview(), state, SUBSCRIPTION, {}).ids == {PFX: PFX_ID}


def test_a_resource_that_is_to_be_replaced_is_not_taken_for_a_missing_one() -> None:
    """It stands in the state; the engine's `create-replacement` for it is no creation that Azure may have finished."""
    steps = tuple({**step, "op": "create-replacement"} for step in whole_preview().steps)
    state = [{"urn": urn, "id": urn} for urn in (GROUP, VAULT, PFX)]

    assert candidates(Preview(steps, {}), state, SUBSCRIPTION, {}).ids == {}


def test_drafts_hold_an_id_and_a_provider_and_no_secret() -> None:
    """The provider reads by id, and what is asked for lies in nobody's state yet."""
    made = by_urn(drafts(whole_preview(), {PFX: PFX_ID}, []))

    assert set(made) == {PROVIDER, PFX}
    assert made[PFX]["provider"] == f"{PROVIDER}::{made[PROVIDER]['id']}"
    assert made[PFX]["inputs"] == {}
    assert "ciphertext" not in json.dumps(made)


def test_adopted_resources_have_parents_order_and_references() -> None:
    """Dependencies and `deletedWith` decide on the order of a destroy; what stands nowhere is not referred to."""
    all_found = {VAULT: found(VAULT, VAULT_ID), PFX: found(PFX, PFX_ID), GROUP: found(GROUP, GROUP_ID)}
    made = adopted(whole_preview(), [], all_found, {})
    records = by_urn(made)

    assert [item["urn"] for item in made] == [PROVIDER, STACK, STAMP, GROUP, VAULT, PFX]
    assert set(records[PFX]["dependencies"]) == {GROUP, VAULT}
    assert records[PFX]["deletedWith"] == VAULT
    assert records[PFX]["provider"].endswith(records[PROVIDER]["id"])
    assert "__internal" not in records[PROVIDER]["outputs"]
    without = by_urn(adopted(whole_preview(), [], {PFX: found(PFX, PFX_ID)}, {}))
    assert without[PFX]["dependencies"] == []
    assert "deletedWith" not in without[PFX]


def test_adopted_inputs_are_the_programs_with_encrypted_secrets_and_azures_differences() -> None:
    """Unknown values come from Azure, secrets from the plan; a second round keeps the secrets of the first."""
    live = {"resourceGroupName": "rg", "vaultName": "kv", "properties": {"value": None, "contentType": "x"}}
    expected = {"resourceGroupName": "rg", "vaultName": "kv", "secretName": "pfx", "properties": {"value": SECRET}}
    first = by_urn(adopted(whole_preview(), [], {PFX: found(PFX, PFX_ID, live)}, {}))
    plan = {**whole_preview().plan, PFX: {"goal": {"inputDiff": {}}}}
    second = by_urn(
        adopted(Preview(whole_preview().steps, plan), [], {PFX: found(PFX, PFX_ID, live)}, {PFX: first[PFX]})
    )

    assert first[PFX]["inputs"] == expected
    assert second[PFX]["inputs"] == expected
    other = {GROUP: found(GROUP, GROUP_ID, {"location": "West Europe"})}
    assert by_urn(adopted(whole_preview(), [], other, {}))[GROUP]["inputs"]["location"] == "West Europe"


def test_what_the_state_holds_stays_as_it_is() -> None:
    """Existing records come first and are not written anew."""
    standing = [
        {"urn": STACK, "type": "pulumi:pulumi:Stack"},
        {"urn": PROVIDER, "type": "pulumi:providers:azure-native", "id": "7"},
        {"urn": STAMP, "type": "aks-geode:stamps:RegionalStamp", "parent": STACK},
    ]
    made = adopted(whole_preview(), standing, {GROUP: found(GROUP, GROUP_ID)}, {})

    assert made[:3] == standing
    assert made[3]["provider"] == f"{PROVIDER}::7"


def test_what_azure_makes_with_its_parent_is_left_to_the_next_up() -> None:
    """Nobody wrote it, so it has no inputs; a type whose inputs are all in its id has none either and is adopted."""
    service = GROUP.replace("resources:ResourceGroup", "storage:BlobServiceProperties")
    rules = GROUP.replace("resources:ResourceGroup", "cdn:RuleSet")

    assert is_untouched(service, {"accountName": "st", "deleteRetentionPolicy": {}}, {})
    assert not is_untouched(service, {"accountName": "st", "deleteRetentionPolicy": {}}, {"accountName": "st"})
    assert not is_untouched(rules, {"profileName": "p", "ruleSetName": "r", "resourceGroupName": "g"}, {})


def test_another_owners_tags_are_noticed() -> None:
    """An id may be taken by somebody else; tags that the program does not set say nothing."""
    assert is_ours({"tags": TAGS}, {"tags": {**TAGS, "cost": "1"}})
    assert not is_ours({"tags": TAGS}, {"tags": {**TAGS, "scope": "west"}})
    assert not is_ours({"tags": TAGS}, {})
    assert is_ours({}, {"tags": {"scope": "west"}})
