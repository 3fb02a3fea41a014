"""What a preflight check is made of: the questions that it asks, the judge of their answers, and its one finding.

A judge is a pure function of az's JSON. Who puts the questions is no matter of this module.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias

from foundation.naming import Naming
from stamps.config import StampConfig

Answer: TypeAlias = Mapping[str, Any]
"""One JSON object of az."""


class Status(StrEnum):
    """`unknown`: nobody could be asked, or Azure did not answer; it does not stop a deployment."""

    OK = "ok"
    WARNING = "warning"
    FAILS = "fails"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Finding:
    """What a check found, in one sentence, and what to do."""

    status: Status
    text: str
    remedy: str = ""


@dataclass(frozen=True)
class Command:
    """A program that prints JSON, for example `az provider list`."""

    arguments: tuple[str, ...]


@dataclass(frozen=True)
class HostName:
    """A name to be resolved; the answer is its IPv4 addresses, none if it has no record."""

    name: str


Question: TypeAlias = Command | HostName


@dataclass(frozen=True)
class Check:
    """One check of one stack, or of several that share what is asked. `judge` gets the answers in their order."""

    stacks: tuple[str, ...]
    title: str
    questions: tuple[Question, ...]
    judge: Callable[..., Finding]


@dataclass(frozen=True)
class Stamp:
    """A stamp's stack: its settings and names. With a public zone in the fleet it writes its gateway's name itself."""

    stack: str
    config: StampConfig
    naming: Naming
    subscription: str
    has_public_zone: bool = False

    @property
    def cluster_name(self) -> str:
        """The cluster's name, as `stamps.aks_cluster` gives it."""
        return self.naming.name("aks", limit=63)

    @property
    def gateway_address_name(self) -> str:
        """The name of the gateway's public address, as `stamps.spoke_network` gives it."""
        return self.naming.name("pip", "gateway")


def az(subscription: str, *arguments: str) -> Command:
    """Return the question to the Azure CLI about one subscription."""
    return Command(("az", *arguments, "--subscription", subscription, "--output", "json", "--only-show-errors"))


def resource_group(resource: Answer) -> str:
    """Return the resource group of a resource from its id, in lower case: Azure does not keep the case of groups."""
    parts = str(resource["id"]).lower().split("/")
    return parts[parts.index("resourcegroups") + 1]


def listed(words: Iterable[object]) -> str:
    """Return words for a sentence: `a, b, c`."""
    return ", ".join(str(word) for word in words)
