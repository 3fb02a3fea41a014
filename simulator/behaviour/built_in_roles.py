"""The common built-in roles by GUID, the same in every tenant: the table of ``built_in_roles.json``."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

ROLES_FILE: Final = Path(__file__).with_name("built_in_roles.json")


@functools.cache
def built_in_roles() -> Mapping[str, str]:
    """Return the names of the common built-in roles by GUID."""
    table: Mapping[str, str] = json.loads(ROLES_FILE.read_text())["roles"]
    return table


def role_guid(name: str) -> str:
    """Return the GUID of a built-in role that the table holds."""
    return next(guid for guid, known in built_in_roles().items() if known == name)
