"""How resources may be called: Azure's pattern and length for each type, and names that are unique in all of Azure."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from simulator.azure_errors import AzureRequest, Rule, bad_request, conflict
from simulator.behaviour.facts import read_fact

NAME_RULES_FILE: Final = Path(__file__).with_name("name_rules.json")
TAKEN_NAMES: Final = "takenNames"
"""Fact of the cloud: names that somebody else in Azure has, separated by blanks."""
TAKEN_ENDING: Final = "taken"
"""A name that ends so is always somebody else's."""


@dataclass(frozen=True)
class NameRule:
    """The pattern of a whole name, its length, and the code of the refusal."""

    pattern: re.Pattern[str]
    shortest: int
    longest: int
    code: str


@functools.cache
def name_rules() -> Mapping[str, NameRule]:
    """Return the rules of the data file by lower-cased Resource Manager type."""
    table: Mapping[str, Mapping[str, Any]] = json.loads(NAME_RULES_FILE.read_text())["types"]
    return {
        kind: NameRule(re.compile(row["pattern"]), row["min"], row["max"], row.get("code", "InvalidResourceName"))
        for kind, row in table.items()
    }


def refuse_invalid_name(request: AzureRequest) -> None:
    """Refuse a name that its type does not allow."""
    rule = name_rules().get(request.type.arm_type.lower())
    if rule is None or request.previous or (rule.pattern.fullmatch(request.name) and _fits(rule, request.name)):
        return
    raise bad_request(
        rule.code,
        f"The name '{request.name}' is invalid for {request.type.arm_type}: {rule.shortest}-{rule.longest} characters "
        f"of the form {rule.pattern.pattern}.",
    )


def _fits(rule: NameRule, name: str) -> bool:
    return rule.shortest <= len(name) <= rule.longest


def _unique_in_azure(code: str) -> Rule:
    def rule(request: AzureRequest) -> None:
        if request.previous:
            return
        name = request.name.lower()
        taken = name.endswith(TAKEN_ENDING) or name in (read_fact(request.store, TAKEN_NAMES) or "").lower().split()
        same = "SELECT 1 FROM resources WHERE arm_type = ? AND key LIKE ? AND key <> ? LIMIT 1"
        row = (request.type.arm_type.lower(), f"%/{name}", request.id.lower())
        if taken or request.store.connection.execute(same, row).fetchone():
            raise conflict(
                code, f"The name '{request.name}' is already in use. Names of this type are unique in all of Azure."
            )

    return rule


RESOURCE_NAME_WRITES: Final[Mapping[str, tuple[Rule, ...]]] = {
    "cdn:AFDEndpoint": (_unique_in_azure("NameAlreadyExists"),),
    "containerregistry:Registry": (_unique_in_azure("AlreadyInUse"),),
    "cosmosdb:DatabaseAccount": (_unique_in_azure("DatabaseAccountAlreadyExists"),),
    "keyvault:Vault": (_unique_in_azure("VaultAlreadyExists"),),
    "storage:StorageAccount": (_unique_in_azure("StorageAccountAlreadyTaken"),),
}
"""Rules of globally unique names before a write, by ``module:Class``."""
