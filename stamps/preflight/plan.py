"""Which preflight checks a fleet's stacks need, and what each of them asks. Pure; nobody is asked here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TypeVar

from foundation.naming import Naming
from shared.config import SharedConfig
from stamps.preflight.check import Check, Command, HostName, Stamp, az
from stamps.preflight.compute import judge_cores, judge_pool, judge_zones
from stamps.preflight.names import (
    ACCOUNTS,
    REGISTRIES,
    VAULTS,
    judge_certificate,
    judge_host_name,
    judge_name,
    judge_vault_name,
)
from stamps.preflight.subscription import (
    HOST_ENCRYPTION,
    judge_account,
    judge_feature,
    judge_providers,
    judge_public_addresses,
    judge_version,
    judge_vnet_integration,
    judge_watcher,
)
from stamps.stamp_secrets import GATEWAY_CERTIFICATE, INGRESS_CERTIFICATE

T = TypeVar("T")


@dataclass(frozen=True)
class Shared:
    """A shared stack: its settings and names."""

    stack: str
    config: SharedConfig
    naming: Naming
    subscription: str


@dataclass(frozen=True)
class Fleet:
    """The stacks to be checked. `certificates` is the moment for which to check them, None to leave secrets alone."""

    shared: tuple[Shared, ...]
    stamps: tuple[Stamp, ...]
    certificates: datetime | None = None


def account_question(subscription: str) -> Command:
    """Return the question whether az is logged in; an empty subscription stands for az's own choice."""
    chosen = ("--subscription", subscription) if subscription else ()
    return Command(("az", "account", "show", *chosen, "--output", "json", "--only-show-errors"))


def checks(fleet: Fleet) -> list[Check]:
    """Return every check in the order of the report: subscriptions, shared stacks, regions, stamps."""
    members: list[Shared | Stamp] = [*fleet.shared, *fleet.stamps]
    by_subscription = _grouped(members, [member.subscription for member in members])
    found = [check for subscription, group in by_subscription.items() for check in _subscription(subscription, group)]
    for shared in fleet.shared:
        found.extend(_shared_names(shared))
    places = [f"{stamp.subscription}|{stamp.config.region}" for stamp in fleet.stamps]
    for stamps in _grouped(fleet.stamps, places).values():
        found.extend(_region_quotas(stamps))
        for stamp in stamps:
            found.extend(_stamp(stamp))
            if fleet.certificates is not None:
                found.extend(_certificates(stamp, fleet.certificates))
    return found


def _grouped(members: Sequence[T], keys: Sequence[str]) -> Mapping[str, list[T]]:
    groups: dict[str, list[T]] = {}
    for key, member in zip(keys, members, strict=True):
        groups.setdefault(key, []).append(member)
    return groups


def _subscription(subscription: str, members: Sequence[Shared | Stamp]) -> Iterator[Check]:
    stacks = tuple(member.stack for member in members)
    yield Check(stacks, "subscription", (account_question(subscription),), judge_account)
    yield Check(stacks, "resource providers", (az(subscription, "provider", "list"),), judge_providers)
    namespace, name = HOST_ENCRYPTION
    encrypting = tuple(
        member.stack
        for member in members
        if isinstance(member, Stamp) and any(pool.encryption_at_host for _, pool in member.config.cluster.named_pools())
    )
    if encrypting:
        asked = az(subscription, "feature", "show", "--namespace", namespace, "--name", name)
        yield Check(encrypting, "encryption at host", (asked,), judge_feature)


def _shared_names(shared: Shared) -> Iterator[Check]:
    naming, group = shared.naming, shared.naming.resource_group(shared.config.location)
    registry = naming.unique_alphanumeric("acr", limit=50)
    account = naming.unique_alphanumeric("stmaint")
    yield Check(
        (shared.stack,),
        "registry name",
        (az(shared.subscription, "acr", "check-name", "--name", registry), _existing(shared.subscription, REGISTRIES)),
        partial(judge_name, registry, group),
    )
    yield Check(
        (shared.stack,),
        "maintenance site name",
        _account_questions(shared.subscription, account),
        partial(judge_name, account, group),
    )


def _region_quotas(stamps: Sequence[Stamp]) -> Iterator[Check]:
    """Two stamps in one region share its quotas."""
    subscription, region = stamps[0].subscription, stamps[0].config.region
    stacks = tuple(stamp.stack for stamp in stamps)
    cores = az(subscription, "vm", "list-usage", "--location", region)
    addresses = az(subscription, "network", "list-usages", "--location", region)
    yield Check(
        stacks,
        "quota of cores",
        (cores, _sizes(subscription, region), _clusters(subscription)),
        partial(judge_cores, stamps),
    )
    yield Check(
        stacks,
        "quota of public addresses",
        (addresses, _addresses(subscription)),
        partial(judge_public_addresses, stamps),
    )


def _stamp(stamp: Stamp) -> Iterator[Check]:
    subscription, region, naming, stacks = stamp.subscription, stamp.config.region, stamp.naming, (stamp.stack,)
    sizes = (_sizes(subscription, region),)
    yield Check(stacks, "availability zones", sizes, partial(judge_zones, stamp))
    for _, pool in stamp.config.cluster.named_pools():
        yield Check(stacks, f"pool {pool.name}", sizes, partial(judge_pool, stamp, pool))
    versions = az(subscription, "aks", "get-versions", "--location", region)
    yield Check(stacks, "Kubernetes version", (versions,), partial(judge_version, stamp))
    if stamp.config.api_server == "vnetIntegration":
        clusters = (_clusters(subscription),)
        yield Check(stacks, "API server VNet integration", clusters, partial(judge_vnet_integration, stamp))
    watchers = az(subscription, "network", "watcher", "list")
    yield Check(stacks, "Network Watcher", (watchers,), partial(judge_watcher, stamp))
    vault = naming.key_vault()
    yield Check(
        stacks,
        "vault name",
        (
            az(subscription, "keyvault", "list-deleted", "--resource-type", "vault"),
            az(subscription, "keyvault", "check-name", "--name", vault),
            _existing(subscription, VAULTS),
        ),
        partial(judge_vault_name, stamp),
    )
    account = naming.unique_alphanumeric("st", "flow")
    yield Check(
        stacks,
        "flow log account name",
        _account_questions(subscription, account),
        partial(judge_name, account, naming.resource_group("hub")),
    )
    yield Check(
        stacks,
        "gateway host name",
        (HostName(stamp.config.gateway.host_name), _addresses(subscription)),
        partial(judge_host_name, stamp),
    )


def _certificates(stamp: Stamp, now: datetime) -> Iterator[Check]:
    for title, key, host, needs_root in (
        ("gateway certificate", GATEWAY_CERTIFICATE, stamp.config.gateway.host_name, False),
        ("ingress certificate", INGRESS_CERTIFICATE, stamp.config.ingress.host_name, True),
    ):
        asked = Command(("pulumi", "config", "get", "--stack", stamp.stack, "--json", key))
        yield Check((stamp.stack,), title, (asked,), partial(judge_certificate, key, host, needs_root, now))


def _account_questions(subscription: str, name: str) -> tuple[Command, Command]:
    return (az(subscription, "storage", "account", "check-name", "--name", name), _existing(subscription, ACCOUNTS))


def _existing(subscription: str, resource_type: str) -> Command:
    return az(subscription, "resource", "list", "--resource-type", resource_type)


def _sizes(subscription: str, region: str) -> Command:
    # Without --all az leaves out what is restricted, and the reason with it.
    return az(subscription, "vm", "list-skus", "--location", region, "--resource-type", "virtualMachines", "--all")


def _clusters(subscription: str) -> Command:
    return az(subscription, "aks", "list")


def _addresses(subscription: str) -> Command:
    return az(subscription, "network", "public-ip", "list")
