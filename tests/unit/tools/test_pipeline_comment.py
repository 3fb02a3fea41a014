"""A preview as a pull request's comment: losses first, no secret, never longer than GitHub takes."""

from __future__ import annotations

from typing import Any

import pytest

from tools.pipeline_comment import GITHUB_LIMIT, marker, render
from tools.pipeline_values import MASK, change_of, masked, value_at

MARKER = "MARKERc2VjcmV0LW9mLXRoZS1zdGFtcA9x8y7z"
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


def step(operation: str, name: str = "one", **more: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    """Return one step as the engine's JSON has it."""
    urn = f"urn:pulumi:uksouth::aks-geode::aks-geode:stamps:RegionalStamp$azure-native:network:RouteTable::{name}"
    return {"op": operation, "urn": urn, "detailedDiff": None, **more}


def update(path: str, old: object, new: object, operation: str = "update") -> dict[str, Any]:
    """Return a step that changes one top-level property."""
    return step(
        operation,
        oldState={"inputs": {path.partition(".")[0]: old}},
        newState={"inputs": {path.partition(".")[0]: new}},
        detailedDiff={path: {"kind": "update", "inputDiff": True}},
    )


def preview(*steps: dict[str, Any], same: int = 0, diagnostics: object = None) -> dict[str, Any]:
    """Return what the engine answers."""
    return {"steps": list(steps), "changeSummary": {"same": same}, "diagnostics": diagnostics or []}


def test_no_changes_is_one_line() -> None:
    """The root of the stack is no change."""
    root = {"op": "same", "urn": "urn:pulumi:uksouth::aks-geode::pulumi:pulumi:Stack::aks-geode-uksouth"}

    assert (
        render("uksouth", preview(root, same=141)) == f"{marker('uksouth')}\n### `uksouth`: no changes (141 unchanged)"
    )


def test_losses_are_counted_and_come_first() -> None:
    """Whatever the order of the steps: a warning, then deletions, replacements with their reason, and the rest."""
    text = render(
        "uksouth",
        preview(
            step("create", "new"),
            step("update", "changed", diffReasons=["routes"]),
            step("replace", "renamed", replaceReasons=["routeTableName"]),
            step("replace", "dependent"),
            step("delete", "gone"),
            same=7,
        ),
    )

    assert "### `uksouth`: 1 deleted, 2 replaced, 1 updated, 1 created, 7 unchanged" in text
    assert "> [!CAUTION]\n> **This change deletes 1 resource and replaces 2 resources.**" in text
    order = [
        "CAUTION",
        "`gone`",
        "`renamed`, because of `routeTableName`",
        "`dependent`, because",
        "`changed`",
        "`new`",
    ]
    places = [text.index(part) for part in order]
    assert places == sorted(places)
    assert "- `network:RouteTable` `changed`\n  - `routes`" in text


def test_steps_of_one_replacement_are_one() -> None:
    """Some engines show three steps of it."""
    text = render("s", preview(step("create-replacement"), step("replace"), step("delete-replaced")))

    assert "1 replaced" in text
    assert text.count("RouteTable") == 1


def test_changed_values_are_shown() -> None:
    """From the inputs; what Azure computes from the outputs."""
    text = render("s", preview(update("addressPrefix", "10.0.0.0/24", "10.0.1.0/24")))
    assert "  - `addressPrefix`: `10.0.0.0/24` → `10.0.1.0/24`" in text

    drift = step(
        "update",
        oldState={"outputs": {"state": "on"}},
        newState={"outputs": {"state": "off"}},
        detailedDiff={"state": {"kind": "update", "inputDiff": False}},
    )
    assert "  - `state`: `on` → `off`" in render("s", preview(drift))


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("properties.value", MASK, MASK),
        ("value", MASK, MARKER),
        ("value", MARKER, MASK),
        ("adminPassword", "MARKER1", "MARKER2"),
        ("settings.clientSecret", {"clientSecret": "MARKER1"}, {"clientSecret": "MARKER2"}),
        ("sharedKeys", {"primarySharedKey": "MARKER1"}, None),
        ("value", MARKER, f"{MARKER}2"),
        ("url", "https://a.blob.core.windows.net/c?sp=r&sig=MARKER", "x"),
        ("data", "-----BEGIN MARKER KEY-----", "x"),
        ("items[0]", [{"nested": [MARKER]}], [{"nested": []}]),
        ("whole", {"inner": {"value": MARKER}}, {}),
    ],
)
@pytest.mark.parametrize("operation", ["update", "replace"])
def test_no_secret_is_ever_shown(path: str, old: object, new: object, operation: str) -> None:
    """Neither what the engine masks, nor what is called or looks like a secret; that it changes is told."""
    text = render("s", preview(update(path, old, new, operation)))

    assert "MARKER" not in text
    assert f"`{path}`: " in text


def test_no_secret_in_a_diagnostic() -> None:
    """Nor in what a failing provider says, while its long words stay."""
    message = f"error: PUT failed: key={MARKER} ApplicationGatewayKeyVaultSecretException in rg-bu0001-hub"
    text = render("s", preview(diagnostics=[{"severity": "error", "message": message}]))

    assert MARKER not in text
    assert "ApplicationGatewayKeyVaultSecretException in rg-bu0001-hub" in text
    assert masked("a b\n  c") == "a b\n  c"


def test_a_failed_preview_says_why() -> None:
    """The message, not that the program ended with it."""
    text = render(
        "s",
        preview(
            step("create"),
            diagnostics=[
                {"severity": "error", "message": "error: The configuration is not valid; nothing was deployed.\n"},
                {"severity": "error", "message": "error: an unhandled error occurred: program exited"},
                {"severity": "warning", "message": "~~~ no zones here"},
            ],
        ),
    )

    assert "### `s`: the preview failed" in text
    assert "~~~text\nerror: The configuration is not valid; nothing was deployed.\n~~~" in text
    assert "unhandled" not in text
    assert "~ ~ ~ no zones here" in text


def test_a_preview_without_a_result_is_told() -> None:
    """For example without a login."""
    assert "no preview" in render("s", None, link="https://example.com/log")
    assert "(https://example.com/log)" in render("s", None, link="https://example.com/log")


@pytest.mark.parametrize("operation", ["create", "delete", "update"])
def test_a_huge_preview_is_cut(operation: str) -> None:
    """Below the limit also in bytes' worth of room, every part closed, losses kept, and what is missing counted."""
    steps = [step(operation, f"resource-{number:05}-{'x' * 20}", diffReasons=["tags"] * 40) for number in range(3000)]
    text = render("s", preview(*steps, step("delete", "precious")), link="https://example.com/log")

    assert len(text) < GITHUB_LIMIT
    assert text.count("<details>") == text.count("</details>")
    assert "more are not shown" in text
    assert text.endswith("(https://example.com/log)")
    shown = text.count("\n- ")
    assert f"**{3001 - shown} more are not shown" in text
    assert "`precious`" in text or operation == "delete"


def test_names_and_values_cannot_forge_markdown() -> None:
    """Whoever opens a pull request writes some of them."""
    text = render("s", preview(update("name", "a`\n# @everyone `", "b")))

    assert "`name`: `a' # @everyone '` → `b`" in text


def test_paths_lead_to_their_values() -> None:
    """Indices, quoted keys, unknown ends; a masked value anywhere on the way is the answer."""
    state = {"a": [{"b.c": 1}, MASK], "d": {"e": True}}

    assert value_at('a[0]["b.c"]', state) == 1
    assert value_at("a[1].password", state) == MASK
    assert value_at("a[7].x", state) is None
    assert change_of("d.e", state, {"d": {"e": UNKNOWN}}) == "`true` → (known after the change)"
    assert change_of("a", {}, {"a": [1, 2]}) == "(none) → (2 items)"
