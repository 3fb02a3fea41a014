"""The program loads the parts of the SDK that it uses, and gets the same classes as by loading all of it."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).parents[2]
PROBE = """
import json, sys
from pulumi_azure_native import _utilities
from foundation.sdk_imports import load_parts_on_demand
import importlib
load_parts_on_demand()
used = json.loads(sys.stdin.read())
modules = {name: importlib.import_module(f"pulumi_azure_native.{name}") for name, _ in used}
homes = {f"{module}.{name}": getattr(modules[module], name).__module__ for module, name in used}
whole = [name for name, module in modules.items() if "__getattr__" not in vars(module)]
loaded = sum(name.startswith("pulumi_azure_native.network.") for name in sys.modules)
strange = modules["network"].SubnetArgs is modules["network"].virtual_network.SubnetArgs
modules["network"].NoSuchPart if "missing" in sys.argv else None
print(json.dumps({"homes": homes, "whole": whole, "loaded": loaded, "same": strange}))
"""


def used_names() -> list[tuple[str, str]]:
    """Return what the program takes from azure-native, as pairs of module and name."""
    found: set[tuple[str, str]] = set()
    for folder in ("foundation", "shared", "stamps"):
        for file in (PROJECT / folder).glob("*.py"):
            tree = ast.parse(file.read_text(encoding="utf-8"))
            modules = {
                alias.asname or alias.name: alias.name
                for node in ast.walk(tree)
                if isinstance(node, ast.ImportFrom) and node.module == "pulumi_azure_native"
                for alias in node.names
            }
            found |= {
                (modules[node.value.id], node.attr)
                for node in ast.walk(tree)
                if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in modules
            }
    return sorted(found)


def probed(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Resolve all used names in a new process."""
    return subprocess.run(
        [sys.executable, "-c", PROBE, *arguments],
        cwd=PROJECT, input=json.dumps(used_names()), capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


def test_every_name_that_the_program_uses_is_found_without_the_whole_module() -> None:
    """A name whose place cannot be told from it would make each run load the whole module, as the SDK does."""
    done = probed()
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert len(told["homes"]) > 60
    assert all(home.startswith(f"pulumi_azure_native.{name.split('.')[0]}.") for name, home in told["homes"].items())
    assert told["whole"] == []
    assert told["loaded"] < 40
    assert told["same"]


def test_what_the_sdk_does_not_have_is_an_attribute_error_of_the_whole_module() -> None:
    """Nothing is hidden by loading parts."""
    done = probed("missing")
    assert "AttributeError: module 'pulumi_azure_native.network' has no attribute 'NoSuchPart'" in done.stderr
