"""Words of Azure that configuration and component arguments are made of, each narrow and with an example."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network
from typing import Annotated, TypeAlias, TypeVar

import pulumi
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

T = TypeVar("T")

In: TypeAlias = T | pulumi.Output[T]
"""A component argument that may only be known once Azure answered. `pulumi.Input` cannot be a pydantic field type."""


class Settings(BaseModel):
    """Base of everything that is read from a stack file: frozen, camelCase keys, unknown keys refused."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, validate_by_name=True, validate_by_alias=True
    )


class Arguments(BaseModel):
    """Base of the arguments of a component: frozen, unknown names refused, may hold Pulumi outputs."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


def setting_error(path: str, value: object, expected: str, example: str) -> PydanticCustomError:
    """Return the error that a cross-field rule raises.

    Args:
        path: the key the user should change, relative to the model that raises, camelCase with dots.
        value: what stands there now, or what is in conflict.
        expected: what is allowed, a phrase that completes "expected ...".
        example: a value that would pass.
    """
    return PydanticCustomError(
        "setting",
        "expected {expected}, for example {example}",
        {"path": path, "value": str(value), "expected": expected, "example": example},
    )


AzureLocation = Annotated[
    str,
    Field(
        pattern=r"^[a-z]{4,}[0-9]?$", description="an Azure region in its short, lower-case form", examples=["eastus2"]
    ),
]
Guid = Annotated[
    str,
    Field(
        pattern=r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$",
        description="a GUID",
        examples=["11111111-2222-3333-4444-555555555555"],
    ),
]
Fqdn = Annotated[
    str,
    Field(
        max_length=253,
        pattern=r"^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$",
        description="a fully qualified host name in lower case",
        examples=["eastus2.edge.contoso.com"],
    ),
]
FqdnPattern = Annotated[
    str,
    Field(
        max_length=253,
        pattern=r"^(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$",
        description="a fully qualified host name in lower case, its first label may be *",
        examples=["*.contoso.com"],
    ),
]
Email = Annotated[
    str,
    Field(
        pattern=r"^[^@\s]+@[^@\s]+\.[^@\s.]+$", description="an e-mail address", examples=["platform-team@contoso.com"]
    ),
]
VmSize = Annotated[
    str,
    Field(
        pattern=r"^Standard_[A-Z][A-Za-z0-9_]+$",
        description="an Azure virtual machine size",
        examples=["Standard_D4ds_v5"],
    ),
]
KubernetesVersion = Annotated[
    str,
    Field(
        pattern=r"^1\.[0-9]{2}(\.[0-9]{1,2})?$",
        description="a Kubernetes version in quotes, minor or patch",
        examples=["1.36"],
    ),
]
Zone = Annotated[str, Field(pattern=r"^[1-3]$", description="an availability zone in quotes", examples=['"1"'])]
ResourceName = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,78}[A-Za-z0-9_]$",
        description="the name of an Azure resource",
        examples=["NetworkWatcherRG"],
    ),
]
Label = Annotated[
    str,
    Field(
        pattern=r"^[a-z][a-z0-9-]{0,61}[a-z0-9]$",
        description="lower-case letters, digits and hyphens, starting with a letter",
        examples=["orders"],
    ),
]
StackName = Annotated[
    str,
    Field(
        pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$",
        max_length=30,
        description="a stack name of at most 30 lower-case letters, digits and single hyphens",
        examples=["eastus2-green"],
    ),
]
Wave = Annotated[str, Field(pattern=r"^wave[1-9]$", description="a wave from wave1 to wave9", examples=["wave1"])]
Network = Annotated[
    IPv4Network,
    Field(
        description="an IPv4 network in CIDR notation whose host bits are zero",
        examples=["10.243.0.0/16"],
        strict=False,
    ),
]
Address = Annotated[IPv4Address, Field(description="an IPv4 address", examples=["10.243.4.4"])]
Tags = Annotated[
    dict[
        Annotated[str, Field(min_length=1, max_length=512, pattern=r"^[^<>%&\\?/]+$")],
        Annotated[str, Field(max_length=256)],
    ],
    Field(
        default_factory=dict, max_length=40, description="tags put on every resource", examples=[{"owner": "team-a"}]
    ),
]
