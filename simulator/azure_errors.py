"""Refusals as Azure words them, and what a rule sees of the request that it may refuse."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from simulator.behaviour.time import Moment
from simulator.cloud_store import CloudStore, StoredResource
from simulator.protocol_values import Properties
from simulator.resource_ids import ResourceType, name_of


class AzureError(Exception):
    """A refusal. Its text has the form that programs match on: ``Status=409 Code="..." Message="..."``."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f'Status={status} Code="{code}" Message="{message}"')
        self.status = status
        self.code = code


@dataclass(frozen=True)
class AzureRequest:
    """A write or a deletion that Azure is asked for."""

    store: CloudStore
    id: str
    type: ResourceType
    inputs: Properties
    """Without secret marks."""
    previous: StoredResource | None = None
    """The resource as it stands, when it exists."""
    outputs: Properties = field(default_factory=dict)
    moment: Moment = field(default_factory=Moment)
    """When the request comes."""

    @property
    def name(self) -> str:
        """The resource's own name."""
        return name_of(self.id)

    def reference(self, *path: str) -> str:
        """Return the id at a path of nested inputs, or an empty text."""
        value: Any = self.inputs
        for step in path:
            value = value.get(step) if isinstance(value, dict) else None
        return value if isinstance(value, str) else ""


Rule = Callable[[AzureRequest], None]
"""Raises ``AzureError`` when Azure would refuse the request."""


def bad_request(code: str, message: str) -> AzureError:
    """Return the refusal of a request that is wrong in itself."""
    return AzureError(400, code, message)


def conflict(code: str, message: str) -> AzureError:
    """Return the refusal of a request that the state of the cloud forbids."""
    return AzureError(409, code, message)
