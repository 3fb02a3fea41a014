"""What was read from the SDK is kept for the next process, and a file that cannot be used costs time only."""

from __future__ import annotations

import importlib.metadata
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from simulator.schema import KeptDescriptions, kept_file
from simulator.sdk_reader import read_object, read_resource
from simulator.type_shapes import ObjectShape, ResourceSchema, ValueShape, dumped

PROBE = """
import sys
from simulator.schema import object_shape, resource_schema
found = resource_schema("azure-native:operationalinsights:Workspace")
sku = object_shape(found.inputs["sku"].objects[0])
print(sorted(sku.required), sorted(found.required), resource_schema("azure-native:operationalinsights:Nothing"))
print("pulumi_azure_native" in sys.modules)
"""


def probed(cache: Path) -> list[str]:
    """Return what a new process reads of a workspace, and whether it had to import the SDK."""
    ran = subprocess.run(
        [sys.executable, "-c", PROBE],
        env={**os.environ, "AKS_GEODE_CACHE": str(cache)}, capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    return ran.stdout.splitlines()


def test_the_second_process_reads_the_same_without_the_sdk(tmp_path: Path) -> None:
    """The first one imports the SDK and keeps what it read, the absence of a type too."""
    first, second = probed(tmp_path), probed(tmp_path)
    assert first == ["['name'] ['resourceGroupName'] None", "True"]
    assert second == [first[0], "False"]


@pytest.mark.parametrize("content", [b"no database, but longer than the header of one" * 9, b""])
def test_a_file_that_is_no_database_does_no_harm(tmp_path: Path, content: bytes) -> None:
    """The SDK is read again."""
    file = tmp_path / "schema" / kept_file().name
    file.parent.mkdir()
    file.write_bytes(content)
    assert probed(tmp_path)[0] == "['name'] ['resourceGroupName'] None"


def test_a_folder_that_cannot_be_made_does_no_harm(tmp_path: Path) -> None:
    """A cache below a file, as good as one on a read-only disk."""
    (tmp_path / "file").write_text("")
    kept = KeptDescriptions(tmp_path / "file" / "schema" / "x.sqlite")
    kept.put("a", "{}")
    assert kept.get("a") is None


def test_another_version_of_the_sdk_has_another_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """What one version of the SDK said is never told about another."""
    before = kept_file()
    assert kept_file() == before
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "9.9.9" if "azure-native" in name else "1")
    assert kept_file() != before


@pytest.mark.parametrize(
    "token", ["network:ApplicationGateway", "network:FirewallPolicyRuleCollectionGroup", "containerservice:AgentPool"]
)
def test_what_is_written_down_is_read_back_unchanged(token: str) -> None:
    """The type and every object below it: unions, enums, maps, lists."""
    read = read_resource(f"azure-native:{token}")
    assert read is not None
    assert ResourceSchema.of(json.loads(dumped(read))) == read
    left = {name for side in (read.inputs, read.outputs) for shape in side.values() for name in below(shape)}
    seen: set[str] = set()
    while left:
        name = left.pop()
        seen.add(name)
        shape = read_object(name)
        assert ObjectShape.of(json.loads(dumped(shape))) == shape
        left |= {inner for value in shape.properties.values() for inner in below(value)} - seen
    assert seen


def below(shape: ValueShape) -> tuple[str, ...]:
    """Return the names of the objects that a value, its elements or its values may be."""
    inner = [item for item in (shape.items, shape.values) if item is not None]
    return (*shape.objects, *(name for item in inner for name in below(item)))
