"""What the cloud's file finds, and in how much of it one has to look."""

from __future__ import annotations

from pathlib import Path

from simulator.cloud_store import CloudStore


def test_resources_of_a_type_are_found_by_a_text_in_their_inputs(tmp_path: Path) -> None:
    """In any case, wherever it stands; without a text all of the type are found."""
    store = CloudStore(tmp_path / "cloud.sqlite")
    for name, principal in (("one", "AAAA-1"), ("two", "bbbb-2")):
        inputs = {"scope": "/subscriptions/s", "properties": {"principals": [principal]}}
        store.put(f"/subscriptions/s/roles/{name}", "t/roles", "t:Role", inputs, {}, [], set())
    store.put("/subscriptions/s/others/x", "t/others", "t:Other", {"principal": "aaaa-1"}, {}, [], set())

    assert [item.id[-3:] for item in store.of_type("T/roles", naming="aaaa-1")] == ["one"]
    assert [item.id[-3:] for item in store.of_type("t/roles")] == ["one", "two"]
    assert store.of_type("t/roles", naming="cccc") == []
    store.close()
