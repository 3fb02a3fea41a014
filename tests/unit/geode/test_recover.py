"""Which subscription the ids are formed in, when neither the stack file nor the environment says it."""

from __future__ import annotations

import pytest

from geode.engine import Preview, RecoveryError
from geode.recover import subscription_of
from tests.unit.geode.planned_stack import GROUP_ID, PROVIDER, ROLE, SUBSCRIPTION, planned, whole_preview

OTHER = "99999999-2222-3333-4444-555555555555"
STANDING_PROVIDER = {"urn": PROVIDER, "id": "0a1b2c3d-0000-4000-8000-000000000000"}
PLANNED = Preview((planned(ROLE, {"scope": f"/subscriptions/{OTHER}/resourceGroups/shared"}),), {})


def test_the_ids_of_the_state_come_first() -> None:
    """What stands says where the stack lies; a planned reference may lead elsewhere."""
    assert subscription_of([STANDING_PROVIDER, {"id": GROUP_ID.upper()}], PLANNED) == SUBSCRIPTION


@pytest.mark.parametrize("standing", [[], [STANDING_PROVIDER]])
def test_a_state_without_an_azure_resource_leaves_it_to_the_plan(standing: list[dict[str, str]]) -> None:
    """The first run of a stack may have died when its state held a provider and nothing of Azure's."""
    assert subscription_of(standing, PLANNED) == OTHER


def test_none_and_several_are_refused() -> None:
    """The message says what to set."""
    several = [{"id": GROUP_ID}, {"id": f"/subscriptions/{OTHER}/resourceGroups/rg"}]
    for standing, told in (([STANDING_PROVIDER], "none"), (several, f"{SUBSCRIPTION} and {OTHER}")):
        with pytest.raises(RecoveryError, match=rf"name {told} as subscription; set ARM_SUBSCRIPTION_ID"):
            subscription_of(standing, whole_preview())
