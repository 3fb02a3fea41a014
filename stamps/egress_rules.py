"""What a stamp's nodes may reach outside, as data: host names and FQDN tags only.

There is no network rule. `AzureCloud.<region>` would open every customer's endpoint of the region before an application
rule is even read; the API server lies in the spoke or behind a private endpoint; nodes take their time from the host
and their names from Azure's resolver, neither of which passes the firewall. A rule by host name for other protocols
than HTTP would also need the firewall as the spoke's DNS server.
Sources: https://learn.microsoft.com/azure/aks/outbound-rules-control-egress,
https://learn.microsoft.com/azure/azure-monitor/containers/kubernetes-monitoring-firewall
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from pulumi_azure_native import network


class GroupPriority(IntEnum):
    """Rule collection groups of a stamp's policy (Azure takes 100 to 65000; a parent's groups always come first)."""

    DNAT = 100
    NETWORK = 200
    APPLICATION = 300


class CollectionPriority(IntEnum):
    """Rule collections inside the application group."""

    AKS = 200
    FLUX = 300
    STAMP = 400


@dataclass(frozen=True)
class Destination:
    """One rule: HTTPS to host names, or to what Microsoft keeps behind an FQDN tag."""

    name: str
    why: str
    fqdns: tuple[str, ...] = ()
    fqdn_tags: tuple[str, ...] = ()


def aks_destinations(region: str) -> tuple[Destination, ...]:
    """Return what AKS and its add-ons need.

    Monitoring hosts follow the region of the workspace, the rule or the endpoint, not that of the cluster; a name that
    is missing loses logs without a word, so these are wildcards inside Microsoft's own domains.
    """
    return (
        Destination("aks", "nodes, packages and the API server's management", fqdn_tags=("AzureKubernetesService",)),
        Destination(
            "container-images",
            "images of AKS, its add-ons and extensions",
            ("mcr.microsoft.com", "*.data.mcr.microsoft.com", "mcr-0001.mcr-msedge.net"),
        ),
        Destination("entra-id", "sign-in of workloads and add-ons", ("login.microsoftonline.com",)),
        Destination("azure-resource-manager", "Kubernetes calls Azure", ("management.azure.com",)),
        Destination(
            "packages", "packages and binaries of the nodes", ("packages.microsoft.com", "packages.aks.azure.com")
        ),
        Destination(
            "azure-monitor",
            "logs, metrics and their collection rules",
            (
                "*.ods.opinsights.azure.com",
                "*.oms.opinsights.azure.com",
                "*.ingest.monitor.azure.com",
                "*.metrics.ingest.monitor.azure.com",
                "*.handler.control.monitor.azure.com",
                "*.monitoring.azure.com",
                "dc.services.visualstudio.com",
            ),
        ),
        Destination(
            "azure-policy", "policies and compliance", ("data.policy.core.windows.net", "store.policy.core.windows.net")
        ),
        Destination(
            "cluster-extensions",
            "settings and state of extensions",
            (f"{region}.dp.kubernetesconfiguration.azure.com",),
        ),
    )


def flux_destinations(git_host: str) -> tuple[Destination, ...]:
    """Return where Flux reads the desired state and reports what it did."""
    hosts = (git_host, "api.github.com") if git_host == "github.com" else (git_host,)
    return (Destination("git", "Flux reads the cluster's desired state", hosts),)


def application_collections(
    *, region: str, git_host: str, allowed_fqdns: Sequence[str], sources: Sequence[str]
) -> list[network.FirewallPolicyFilterRuleCollectionArgs]:
    """Return the collections of the application group for `sources`, prefixes of the nodes.

    A stamp without hosts of its own has no collection for them, Azure refuses an empty rule.
    """
    collections = [
        _collection("aks", CollectionPriority.AKS, aks_destinations(region), sources),
        _collection("flux", CollectionPriority.FLUX, flux_destinations(git_host), sources),
    ]
    if allowed_fqdns:
        own = Destination("workload", "what this stamp's stack file allows", tuple(allowed_fqdns))
        collections.append(_collection("stamp", CollectionPriority.STAMP, (own,), sources))
    return collections


def _collection(
    name: str, priority: CollectionPriority, destinations: Sequence[Destination], sources: Sequence[str]
) -> network.FirewallPolicyFilterRuleCollectionArgs:
    # Args classes at every level: the SDK cannot tell these unions apart and sends a dict's keys as they stand.
    return network.FirewallPolicyFilterRuleCollectionArgs(
        rule_collection_type="FirewallPolicyFilterRuleCollection",
        name=name,
        priority=priority,
        action=network.FirewallPolicyFilterRuleCollectionActionArgs(type="Allow"),
        rules=[_rule(destination, sources) for destination in destinations],
    )


def _rule(destination: Destination, sources: Sequence[str]) -> network.ApplicationRuleArgs:
    return network.ApplicationRuleArgs(
        rule_type="ApplicationRule",
        name=destination.name,
        description=destination.why,
        protocols=[network.FirewallPolicyRuleApplicationProtocolArgs(protocol_type="Https", port=443)],
        source_addresses=list(sources),
        target_fqdns=list(destination.fqdns),
        fqdn_tags=list(destination.fqdn_tags),
        terminate_tls=False,
    )
