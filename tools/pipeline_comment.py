"""One stack's preview as Markdown for a pull request: what is lost first and loudly, then the rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tools.pipeline_values import change_of, code, masked

GITHUB_LIMIT: Final = 65_536
"""Characters that GitHub takes in one comment."""
_RESERVED: Final = 600
_MOST_PROPERTIES: Final = 25
_DEPENDENCY: Final = "something that it depends on is replaced"
_NOISE: Final = ("an unhandled error occurred", "preview failed")
_WORDS: Final = {
    "delete": "deleted",
    "replace": "replaced",
    "update": "updated",
    "create": "created",
    "import": "imported",
    "read": "read",
    "same": "unchanged",
}


@dataclass(frozen=True)
class Change:
    """One resource that a preview would change; `operation` is one of the keys above, or what the engine calls it."""

    operation: str
    type: str
    name: str
    step: Mapping[str, Any]

    @property
    def title(self) -> str:
        """Type and name."""
        return f"{code(self.type.removeprefix('azure-native:'))} {code(self.name)}"


def marker(stack: str) -> str:
    """Return the invisible first line by which a stack's comment is found again."""
    return f"<!-- aks-geode preview of {stack} -->"


def render(stack: str, preview: Mapping[str, Any] | None, *, link: str = "", limit: int = GITHUB_LIMIT) -> str:
    """Return the comment in fewer than `limit` characters.

    Args:
        stack: the stack's name.
        preview: what `pulumi preview --json` answered; None when it gave no answer.
        link: where the job's log is.
        limit: how many characters there is room for.
    """
    footer = f"\n\n[Log of this preview]({link})" if link else ""
    if preview is None:
        return f"{marker(stack)}\n### {code(stack)}: no preview\n\nThe engine ended without a result.{footer}"
    changes = _changes(preview.get("steps") or [])
    failed = any(each.get("severity") == "error" for each in preview.get("diagnostics") or [])
    head = [marker(stack), f"### {code(stack)}: {_headline(preview, changes, failed)}"]
    loud = Counter(change.operation for change in changes if change.operation in ("delete", "replace"))
    if loud:
        told = " and ".join(
            f"{verb} {_count(loud[key])}" for key, verb in (("delete", "deletes"), ("replace", "replaces")) if loud[key]
        )
        head += ["", "> [!CAUTION]", f"> **This change {told}.** A replaced resource is deleted first."]
    text = "\n".join(head)
    room = limit - len(text) - len(footer) - _RESERVED
    return text + _fitting(_blocks(preview, changes), room) + footer


def _headline(preview: Mapping[str, Any], changes: Sequence[Change], failed: bool) -> str:
    if failed:
        return "the preview failed"
    counts = Counter(change.operation for change in changes)
    counts["same"] = int((preview.get("changeSummary") or {}).get("same", 0))
    order = [*_WORDS, *sorted(set(counts) - set(_WORDS))]
    told = [f"{counts[key]} {_WORDS.get(key, key)}" for key in order if counts[key]]
    return ", ".join(told) if changes else f"no changes ({counts['same']} unchanged)"


def _count(number: int) -> str:
    return f"{number} resource{'' if number == 1 else 's'}"


def _changes(steps: Sequence[Mapping[str, Any]]) -> list[Change]:
    """Return what changes, each resource once. The engine may show a replacement as several steps."""
    found: dict[tuple[str, str], Change] = {}
    for step in steps:
        operation = "replace" if "replace" in str(step["op"]) else str(step["op"])
        *_, types, name = str(step["urn"]).split("::")
        if operation == "same" or types == "pulumi:pulumi:Stack" or types.startswith("pulumi:providers:"):
            continue
        found.setdefault((operation, str(step["urn"])), Change(operation, types.rpartition("$")[2], name, step))
    return list(found.values())


def _blocks(preview: Mapping[str, Any], changes: Sequence[Change]) -> Iterator[tuple[str, str, list[str]]]:
    """Give beginning, end and entries of each part, the most important part first."""
    told = [
        (each.get("severity") == "error", masked(str(each.get("message", "")).strip()).replace("~~~", "~ ~ ~"))
        for each in preview.get("diagnostics") or []
        if not any(noise in str(each.get("message", "")) for noise in _NOISE)
    ]
    errors = [text for is_error, text in told if is_error]
    if errors:
        yield "\n\n~~~text", "\n~~~", [f"\n{text}" for text in errors]
    operations = [*_WORDS, *sorted({change.operation for change in changes} - set(_WORDS))]
    for operation in operations:
        listed = [change for change in changes if change.operation == operation]
        word = _WORDS.get(operation, operation)
        if not listed:
            continue
        if operation in ("delete", "replace"):
            yield f"\n\n#### {word.capitalize()}\n", "", [_entry(change) for change in listed]
        else:
            summary = f"\n\n<details><summary>{word.capitalize()}: {len(listed)}</summary>\n"
            yield summary, "\n\n</details>", [_entry(change) for change in listed]
    warnings = [text for is_error, text in told if not is_error]
    if warnings:
        yield "\n\n<details><summary>Messages</summary>\n\n~~~text", "\n~~~\n\n</details>", [f"\n{t}" for t in warnings]


def _entry(change: Change) -> str:
    lines = [f"\n- {change.title}"]
    if change.operation == "replace":
        reasons = [code(reason) for reason in change.step.get("replaceReasons") or []]
        lines[0] += f", because of {', '.join(reasons) if reasons else _DEPENDENCY}"
    if change.operation in ("replace", "update"):
        lines += _properties(change.step)
    return "\n".join(lines)


def _properties(step: Mapping[str, Any]) -> list[str]:
    old, new = step.get("oldState") or {}, step.get("newState") or {}
    details: Mapping[str, Any] = step.get("detailedDiff") or {}
    lines = []
    for path, kind in sorted(details.items()):
        side = "inputs" if kind.get("inputDiff", True) else "outputs"
        lines.append(f"  - {code(path)}: {change_of(path, old.get(side) or {}, new.get(side) or {})}")
    if not details:
        lines = [f"  - {code(path)}" for path in sorted(step.get("diffReasons") or [])]
    left = len(lines) - _MOST_PROPERTIES
    return lines if left <= 0 else [*lines[:_MOST_PROPERTIES], f"  - and {left} more"]


def _fitting(blocks: Iterator[tuple[str, str, list[str]]], room: int) -> str:
    """Return as much as fits, every part closed, and how much was left out."""
    text, left_out = "", 0
    for beginning, end, entries in blocks:
        taken = 0
        part = beginning
        for entry in entries:
            if len(text) + len(part) + len(entry) + len(end) > room:
                break
            part += entry
            taken += 1
        left_out += len(entries) - taken
        if taken:
            text += part + end
    return text + (f"\n\n**{left_out} more are not shown: there is no room.**" if left_out else "")
