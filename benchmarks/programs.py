"""The programs that are compared: an empty one, ours, and the same resources without components."""

from __future__ import annotations

import ast
import json
import py_compile
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import yaml

from benchmarks.engine_runs import SOURCE
from benchmarks.flat_program import FlatProgram
from simulator.stack_files import StackFile
from stamps.cluster_config import ClusterSettings

GROWTH: Final = 4
_AZURE: Final = "pulumi_azure_native."
_STRIP: Final = (
    "from foundation.api_aliases import strip_version_aliases\n",
    "strip_version_aliases()\n",
)
_COLLECTOR: Final = "gc.disable()"


def collector_is_off(entry: str) -> bool:
    """Tell whether a program's text switches the garbage collector off."""
    return any(isinstance(node, ast.Expr) and ast.unparse(node) == _COLLECTOR for node in ast.walk(ast.parse(entry)))


def azure_modules(loaded: Iterable[str]) -> list[str]:
    """Return which modules of the SDK were loaded in full, given the names in `sys.modules`."""
    return sorted({name.split(".")[1] for name in loaded if name.startswith(_AZURE) and name.count(".") > 1})


def write_floor(root: Path, modules: Iterable[str], collector_off: bool) -> list[str]:
    """Replace a project's program by one that imports what the loaded modules came from and declares nothing.

    Returns the names of the imported packages.
    """
    loaded = set(modules)
    azure = azure_modules(loaded)
    packages = [name for name in ("pulumi_azuread", "pydantic") if name in loaded]
    lines = ["import gc", *([_COLLECTOR] if collector_off else []), "import pulumi"]
    lines += [f"import {name}" for name in packages]
    for name in azure:
        # The SDK loads a module when something of it is first used; its own name is not enough.
        lines += [f"import pulumi_azure_native.{name}", f"pulumi_azure_native.{name}._utilities"]
    (root / "__main__.py").write_text('"""Nothing."""\n' + "\n".join(lines) + "\n", encoding="utf-8")
    return ["pulumi", *(f"pulumi_azure_native.{name}" for name in azure), *packages]


def write_flat(root: Path, program: FlatProgram, *, strip_aliases: bool, collector_off: bool) -> None:
    """Replace a project's program by a flat one. It is a module with byte code of its own, as ours is."""
    for package in root.iterdir():
        if package.is_symlink() and package.name not in (".venv", "foundation"):
            package.unlink()
    flat = root / "flat_resources.py"
    flat.write_text(program.text, encoding="utf-8")
    py_compile.compile(str(flat), doraise=True)
    imported, called = _STRIP if strip_aliases else ("", "")
    off = f"import gc\n{_COLLECTOR}\n" if collector_off else ""
    (root / "__main__.py").write_text(f'"""Flat."""\n{imported}{off}{called}import flat_resources\n', encoding="utf-8")


def grow(root: Path, stamp: StackFile) -> None:
    """Give a project's region `GROWTH` times the user pools, by its stack file, and the rules, by a transformation."""
    shutil.copy(Path(__file__).parent / "rule_multiplier.py", root / "rule_multiplier.py")
    (root / "__main__.py").rename(root / "program.py")
    (root / "__main__.py").write_text(
        '"""The program with more rules."""\n'
        "import runpy\n"
        "from pathlib import Path\n"
        "from rule_multiplier import multiply_rules\n"
        f"multiply_rules({GROWTH})\n"
        'runpy.run_path(str(Path(__file__).with_name("program.py")), run_name="__main__")\n',
        encoding="utf-8",
    )
    (root / stamp.path.name).write_text(
        yaml.safe_dump(grown_settings(stamp.settings, f"{stamp.project}:stamp"), sort_keys=False), encoding="utf-8"
    )


def grown_settings(settings: Mapping[str, Any], key: str) -> dict[str, Any]:
    """Return a region's stack file with `GROWTH` times its user pools, or times the default ones."""
    grown: dict[str, Any] = json.loads(json.dumps(settings))
    cluster = grown["config"][key].setdefault("cluster", {})
    defaults = ClusterSettings().model_dump(mode="json", by_alias=True, exclude_defaults=False)["userPools"]
    pools = cluster.get("userPools") or defaults
    cluster["userPools"] = [
        pool if number == 0 else {**pool, "name": f"{pool['name'][:10]}x{number}"}
        for pool in pools
        for number in range(GROWTH)
    ]
    return grown


def sizes(resources: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Count what an export holds: resources, components, rules and pools."""
    found = {"resources": 0, "components": 0, "security rules": 0, "firewall rules": 0, "user pools": 0}
    for resource in resources:
        inputs = resource.get("inputs", {})
        if resource["type"].startswith("pulumi:"):
            continue
        found["resources" if resource.get("custom") else "components"] += 1
        found["security rules"] += len(inputs.get("securityRules", ()))
        found["firewall rules"] += sum(len(item.get("rules", ())) for item in inputs.get("ruleCollections", ()))
        found["user pools"] += resource["type"] == "azure-native:containerservice:AgentPool"
    return found


def import_statements() -> str:
    """Return the import statements of the project's entry, to be timed on their own."""
    tree = ast.parse((SOURCE / "__main__.py").read_text(encoding="utf-8"))
    return "\n".join(ast.unparse(node) for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom))
