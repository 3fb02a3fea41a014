"""Loads of an SDK module, such as `pulumi_azure_native.network`, only the parts that the program uses.

The SDK loads a module whole when something of it is first used: for networks these are some two hundred Python modules,
of which a stamp uses a dozen. Here each part is loaded when it is asked for. What is not found by its name is looked up
as the SDK does it, in the whole module, so that nothing can be missing.
"""

from __future__ import annotations

import importlib
import importlib.machinery
import re
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import cast

import pulumi_azure_native

_WORD_ENDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


class _PartsLoader:
    """Stands in for the loader of one module of the SDK."""

    def __init__(self, whole: importlib.machinery.SourceFileLoader) -> None:
        self._whole = whole

    def exec_module(self, module: ModuleType) -> None:
        """Load nothing yet. Python asks `__getattr__` of a module for what it has not (PEP 562)."""

        def find(name: str) -> object:
            for part in _parts(name):
                found = _loaded(f"{module.__name__}.{part}")
                if found is not None and (hasattr(found, name) or part == name):
                    value = getattr(found, name, found)  # the part itself, as `outputs`
                    setattr(module, name, value)
                    return value
            if name.startswith("__"):
                raise AttributeError(name)
            vars(module).pop("__getattr__", None)
            self._whole.exec_module(module)
            return getattr(module, name)

        vars(module)["__getattr__"] = find


def load_parts_on_demand() -> None:
    """Let every module of azure-native that is not loaded yet load its parts on demand."""
    for name in list(vars(pulumi_azure_native)):
        module = sys.modules.get(f"pulumi_azure_native.{name}")
        # The SDK's own lazy modules have a class of their own until they are loaded.
        if module is not None and type(module) is not ModuleType and module.__spec__ is not None:
            whole = cast("importlib.machinery.SourceFileLoader", module.__spec__.loader)
            module.__spec__.loader = cast("importlib.machinery.SourceFileLoader", _PartsLoader(whole))


def _parts(name: str) -> Iterator[str]:
    """Return where a name may be defined: nested types and enums together, a resource or function by itself."""
    if name.endswith(("Args", "ArgsDict")):
        yield "_inputs"
    if not name.startswith("_"):
        yield _WORD_ENDS.sub("_", name.removesuffix("Args").removesuffix("Init")).lower()
        yield "_enums"


def _loaded(name: str) -> ModuleType | None:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        return None
