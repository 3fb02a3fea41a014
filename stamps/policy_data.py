"""The built-in Azure policies for Kubernetes that every stamp assigns, as data.

Definitions: https://github.com/Azure/azure-policy, built-in-policies, Kubernetes.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class DefinitionKind(StrEnum):
    """A single definition or an initiative: the two live in different collections."""

    POLICY = "policyDefinitions"
    INITIATIVE = "policySetDefinitions"


class ClusterPolicy(NamedTuple):
    """One assignment. `excluded_namespaces` are left alone; `parameters` come beside effect and exclusions."""

    name: str
    title: str
    guid: str
    kind: DefinitionKind
    excluded_namespaces: tuple[str, ...]
    parameters: dict[str, str]


MANAGED_NAMESPACES = (
    "kube-system",
    "gatekeeper-system",
    "azure-arc",
    "azure-extensions-usage-system",
    "flux-system",
    "aks-istio-system",
    "app-routing-system",
    "aks-command",
)
"""Namespaces that Azure fills. Its own definitions exclude only the first few, and a denied Flux never reconciles."""

_EVERYWHERE: tuple[str, ...] = ()

CLUSTER_POLICIES = (
    ClusterPolicy(
        "pod-security-restricted",
        "Pods meet the restricted pod security standards",
        "42b8ef37-b724-4e24-bbc8-7a7708edfe00",
        DefinitionKind.INITIATIVE,
        MANAGED_NAMESPACES,
        {},
    ),
    ClusterPolicy(
        "https-ingress",
        "Ingresses are reached over HTTPS only",
        "1a5b4dca-0b6f-4cf5-907c-56316bc1bf3d",
        DefinitionKind.POLICY,
        _EVERYWHERE,
        {},
    ),
    ClusterPolicy(
        "internal-load-balancers",
        "Load balancers have internal addresses only",
        "3fc4dc25-5baf-40d8-9b05-7fe74c1bc64e",
        DefinitionKind.POLICY,
        _EVERYWHERE,
        {},
    ),
    ClusterPolicy(
        "read-only-root",
        "Containers run with a read-only root file system",
        "df49d893-a74c-421d-bc95-c663042e5b80",
        DefinitionKind.POLICY,
        MANAGED_NAMESPACES,
        {},
    ),
    ClusterPolicy(
        "resource-limits",
        "Containers state limits of at most one core and 512 MiB",
        "e345eecc-fa47-480f-9e88-67dcc122b164",
        DefinitionKind.POLICY,
        MANAGED_NAMESPACES,
        {"cpuLimit": "1000m", "memoryLimit": "512Mi"},
    ),
)


def allowed_images(login_server: str) -> ClusterPolicy:
    """Return the policy that admits images of our registry and of Microsoft's only."""
    return ClusterPolicy(
        "allowed-images",
        "Images come from the fleet's registry or from Microsoft's",
        "febd0533-8e55-448f-b837-bd0e06f16469",
        DefinitionKind.POLICY,
        MANAGED_NAMESPACES,
        {"allowedContainerImagesRegex": image_pattern(login_server)},
    )


def image_pattern(login_server: str) -> str:
    """Return the pattern, anchored at both ends: an open end admits `evil.io/mcr.microsoft.com/x`."""
    escaped = login_server.replace(".", "\\.")
    return f"^({escaped}|mcr\\.microsoft\\.com)/.+$"
