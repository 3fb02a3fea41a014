"""An adopted resource keeps the program's inputs, and Azure's value wherever that is another one."""

from __future__ import annotations

from typing import Any

import pytest

from geode.live_values import HIDDEN, UNKNOWN, as_in_azure, has_unknown, known, revealed, same, with_secrets

SECRET = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "v1:x:y"}
OTHER = {**SECRET, "ciphertext": "v1:z:z"}


@pytest.mark.parametrize(
    ("program", "live", "expected"),
    [
        ({"sku": "Standard"}, {"sku": "standard", "state": "Succeeded"}, {"sku": "Standard"}),
        ({"sku": "Standard"}, {"sku": "Basic"}, {"sku": "Basic"}),
        ({"location": "eastus2"}, {"location": "East US 2"}, {"location": "eastus2"}),
        ({"count": 3.0}, {"count": 3}, {"count": 3.0}),
        ({"count": 3}, {"count": 5}, {"count": 5}),
        ({"on": True}, {"on": False}, {"on": False}),
        ({"zones": ["1", "2"]}, {"zones": ["2", "1"]}, {"zones": ["1", "2"]}),
        ({"zones": ["1", "2"]}, {"zones": ["1"]}, {"zones": ["1"]}),
        ({"password": SECRET}, {"password": "***"}, {"password": SECRET}),
        ({"data": "AAAA"}, {"data": OTHER}, {"data": "AAAA"}),
        ({"group": "rg"}, {}, {"group": "rg"}),
        ({"subnet": {"id": UNKNOWN}}, {"subnet": {"id": "/x", "name": "n"}}, {"subnet": {"id": "/x"}}),
        ({"subnet": {"id": UNKNOWN}, "a": 1}, {}, {"subnet": {}, "a": 1}),
        ({"subnet": {"id": UNKNOWN}, "a": 1}, {"subnet": {"id": None}}, {"subnet": {}, "a": 1}),
    ],
)
def test_only_what_differs_is_taken_from_azure(program: Any, live: Any, expected: Any) -> None:  # noqa: ANN401 - values of any kind
    """Case, spaces in a location and the order of a list are no difference; what Azure adds is left out."""
    assert as_in_azure(program, live) == expected


def test_named_items_are_matched_by_name() -> None:
    """Azure gives rules and subnets back in its own order and with its own additions."""
    program = [{"name": "a", "port": 1}, {"name": "b", "port": 2}]
    live = [{"name": "B", "port": 3, "id": "/b"}, {"name": "A", "port": 1, "id": "/a"}]

    assert as_in_azure(program, live) == [{"name": "a", "port": 1}, {"name": "b", "port": 3}]


def test_a_list_of_another_length_is_azures() -> None:
    """A rule that somebody added is a difference that the next `up` has to undo."""
    live = [{"name": "a", "port": 1}, {"name": "hole", "port": 2}]

    assert as_in_azure([{"name": "a", "port": 1}], live) == live


def test_hidden_secrets_come_back_encrypted() -> None:
    """The preview hides them, the plan has them; without the plan's they are left out, never written as shown."""
    shown = {"value": HIDDEN, "list": [{"value": HIDDEN, "kind": "x"}], "lost": HIDDEN}
    plan = {"value": SECRET, "list": [{"value": OTHER, "kind": "x"}], "lost": "in clear"}

    assert with_secrets(shown, plan) == {"value": SECRET, "list": [{"value": OTHER, "kind": "x"}]}


def test_what_azure_holds_back_is_the_programs() -> None:
    """Azure answers without the secret; the program's own value stands there, as after an `up`."""
    live = {"value": OTHER, "items": [{"data": OTHER, "id": "/a"}], "etag": "1"}

    assert revealed(live, {"value": SECRET, "items": [{"data": "AAAA"}]}) == {
        "value": SECRET,
        "items": [{"data": "AAAA", "id": "/a"}],
        "etag": "1",
    }


def test_unknown_values_are_seen_and_left_out() -> None:
    """They stand at any depth of what a preview shows."""
    value = {"a": [{"b": UNKNOWN, "c": 1}], "d": UNKNOWN}

    assert has_unknown(value)
    assert known(value) == {"a": [{"c": 1}]}
    assert not has_unknown(known(value))


def test_comparison_does_not_mix_kinds() -> None:
    """A mapping with another key is another value."""
    assert not same({"a": 1}, {"a": 1, "b": 2})
    assert same([{"a": 1}, {"a": 2}], [{"a": 2}, {"a": 1}])
