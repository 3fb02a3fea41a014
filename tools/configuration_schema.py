"""The JSON schema of the stack files, made from the configuration models, so that editors complete and check them.

`python -m tools.configuration_schema` writes it; a test compares it with the models.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from shared.config import SharedConfig
from stamps.config import StampConfig

SCHEMA_FILE = Path(__file__).parent.parent / "docs" / "schema" / "stack.schema.json"
_SECRET = {"type": "object", "properties": {"secure": {"type": "string"}}, "required": ["secure"]}


def _model_schema(model: type[BaseModel], definitions: dict[str, Any]) -> dict[str, Any]:
    schema = model.model_json_schema(by_alias=True, ref_template="#/$defs/{model}")
    definitions.update(schema.pop("$defs", {}))
    return schema


def stack_file_schema() -> dict[str, Any]:
    """Return the schema of a whole stack file: the two kinds, and the secrets that stand beside them encrypted."""
    definitions: dict[str, Any] = {}
    properties = {
        "aks-geode:shared": _model_schema(SharedConfig, definitions),
        "aks-geode:stamp": _model_schema(StampConfig, definitions),
        "aks-geode:gatewayCertificate": _SECRET,
        "aks-geode:ingressCertificate": _SECRET,
        "aks-geode:keepApiAliases": {"type": "boolean"},
        "aks-geode:sdkDebugMessages": {"type": "boolean"},
    }
    config = {
        "type": "object",
        "properties": properties,
        "oneOf": [{"required": ["aks-geode:shared"]}, {"required": ["aks-geode:stamp"]}],
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Stack file of a fleet: shared services or one stamp",
        "type": "object",
        "properties": {"config": config},
        "required": ["config"],
        "$defs": dict(sorted(definitions.items())),
    }


def text() -> str:
    """Return the schema as it is written to disk."""
    return json.dumps(stack_file_schema(), indent=2) + "\n"


def main() -> None:
    """Write the schema file."""
    SCHEMA_FILE.parent.mkdir(parents=True, exist_ok=True)
    SCHEMA_FILE.write_text(text(), encoding="utf-8")
    print(f"wrote {SCHEMA_FILE.name}")


if __name__ == "__main__":
    main()
