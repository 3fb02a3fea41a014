"""What each preflight check makes of az's answers: a place where Azure would refuse is told, with a way out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from stamps.cluster_config import NodePoolSettings
from stamps.preflight.compute import judge_cores, judge_pool, judge_zones, largest_ephemeral_disk_gib, most_nodes
from stamps.preflight.subscription import (
    judge_account,
    judge_feature,
    judge_providers,
    judge_public_addresses,
    judge_version,
    judge_vnet_integration,
    judge_watcher,
)
from tests.unit.stamps.preflight.answers import (
    address_usage,
    core_usage,
    everything_fits,
    in_group,
    size,
    sizes,
    stamp,
    told,
    version,
    watcher,
)


def changed_size(*, restriction: dict[str, Any] | None = None, **capabilities: str) -> dict[str, Any]:
    """Return the system pool's size with a restriction or other capabilities."""
    changed = size("Standard_D4ds_v5", "eastus2", cores=4, temporary_gib=150)
    changed["capabilities"] = [each for each in changed["capabilities"] if each["name"] not in capabilities]
    changed["capabilities"] += [{"name": name, "value": value} for name, value in capabilities.items()]
    changed["restrictions"] = [restriction] if restriction else []
    return changed


def restricted(kind: str, zones: Sequence[str] = (), region: str = "EASTUS2") -> dict[str, Any]:
    """Return a restriction of one region or of some of its zones."""
    place: dict[str, Any] = {"locations": [region]} | ({"zones": list(zones)} if zones else {})
    return {"reasonCode": "NotAvailableForSubscription", "restrictionInfo": place, "type": kind, "values": [region]}


@pytest.mark.parametrize(
    ("change", "status"),
    [({}, "ok"), ({"state": "Disabled"}, "fails"), ({"environmentName": "AzureChinaCloud"}, "fails")],
)
def test_the_subscription_takes_deployments(change: dict[str, str], status: str) -> None:
    """A disabled subscription refuses every write; another cloud has other zone names."""
    assert judge_account(everything_fits()["account show"] | change).status == status


@pytest.mark.parametrize(
    ("state", "status"), [("Registered", "ok"), ("Registering", "warning"), ("NotRegistered", "fails")]
)
def test_every_provider_is_registered(state: str, status: str) -> None:
    """Azure writes some namespaces with other capitals."""
    providers = everything_fits()["provider list"]
    [provider] = [each for each in providers if each["namespace"] == "Microsoft.Policyinsights"]
    provider["registrationState"] = state
    finding = judge_providers(providers)
    assert finding.status == status
    assert ("Microsoft.PolicyInsights" in finding.text) == (status != "ok")


def test_encryption_at_host_needs_its_feature() -> None:
    """A pool with it is refused in a subscription without."""
    assert judge_feature({"properties": {"state": "Registered"}}).status == "ok"
    assert "az feature register" in judge_feature({"properties": {"state": "NotRegistered"}}).remedy


@pytest.mark.parametrize(
    ("watchers", "expected"),
    [
        ([watcher("eastus2")], "ok"),
        ([watcher("eastus2", "networkwatcherrg")], "ok"),
        ([watcher("centralus")], "warning: eastus2 has none yet"),
        (
            [watcher("eastus2", "network-rg")],
            "networkWatcher: {resourceGroup: network-rg, name: NetworkWatcher_eastus2}",
        ),
    ],
)
def test_the_watcher_stands_where_the_file_says(watchers: list[dict[str, Any]], expected: str) -> None:
    """A second one in a region is refused, so the file has to name the one that is there."""
    assert expected in told(judge_watcher(stamp(), watchers))


@pytest.mark.parametrize(
    ("wanted", "offered", "expected"),
    [
        ("1.36", [version("1.36", "1.36.2")], "ok"),
        ("1.36.2", [version("1.36", "1.36.2")], "ok"),
        ("1.36.1", [version("1.36", "1.36.2")], "fails: 1.36.1 is not offered, but 1.36.2"),
        ("1.36", [version("1.34"), version("1.35")], "offered: 1.34, 1.35"),
        ("1.36", [version("1.36", preview=True), version("1.35")], "warning: 1.36 is a preview"),
        ("1.36", [version("1.36", plans=["AKSLongTermSupport"])], "long-term support only"),
    ],
)
def test_the_version_is_offered(wanted: str, offered: list[dict[str, Any]], expected: str) -> None:
    """Regions differ, and old versions leave."""
    asked = stamp(cluster={"kubernetesVersion": wanted})
    assert expected in told(judge_version(asked, {"values": offered}))


def test_room_for_api_servers_is_known_only_from_a_cluster() -> None:
    """Before that the way out is named: it cannot be changed afterwards."""
    before = judge_vnet_integration(stamp(), [])
    assert (before.status, "apiServer: privateLink" in before.remedy) == ("unknown", True)
    group = "RG-bu0001a0042-eastus2-CLUSTER"
    cluster = in_group(group, "Microsoft.ContainerService/managedClusters", "aks-bu0001a0042-eastus2")
    assert judge_vnet_integration(stamp(), [cluster]).status == "ok"
    elsewhere = in_group("other", "Microsoft.ContainerService/managedClusters", "aks-bu0001a0042-eastus2")
    assert judge_vnet_integration(stamp(), [elsewhere]).status == "unknown"


@pytest.mark.parametrize(
    ("used", "limit", "existing", "status"), [(16, 20, 0, "ok"), (17, 20, 0, "fails"), (20, 20, 4, "ok")]
)
def test_public_addresses_fit_the_quota(used: int, limit: int, existing: int, status: str) -> None:
    """Three for the firewall and one for the gateway, of which the existing ones are counted already."""
    usages = [address_usage("IPv4StandardSkuPublicIpAddresses", used, limit), address_usage("VirtualNetworks", 1, 1)]
    groups = ["rg-bu0001a0042-eastus2-hub"] * existing + ["somebody-else"]
    addresses = [in_group(group, "Microsoft.Network/publicIPAddresses", f"pip-{i}") for i, group in enumerate(groups)]
    assert judge_public_addresses([stamp()], usages, addresses).status == status


def test_an_unnamed_quota_is_not_passed_over() -> None:
    """When Azure renames the quota the check says that it does not know."""
    assert judge_public_addresses([stamp()], [address_usage("VirtualNetworks", 1, 1)], []).status == "unknown"


@pytest.mark.parametrize(
    ("zones", "there", "expected"),
    [
        (None, ["1", "2", "3"], "ok: eastus2 has zones 1, 2, 3, the stamp uses zones 1, 2, 3"),
        (["1"], ["1", "2", "3"], "ok"),
        (None, ["1", "3"], "zones: ['1', '3'] in Pulumi.eastus2.yaml"),
        (None, [], "fails: eastus2 has no zones"),
        ([], ["1", "2", "3"], "warning"),
    ],
)
def test_the_region_has_the_zones(zones: list[str] | None, there: list[str], expected: str) -> None:
    """The table of regions ages, and zones differ between subscriptions."""
    offered = sizes("eastus2")
    for each in offered:
        each["locationInfo"][0]["zones"] = there
    assert expected in told(judge_zones(stamp(zones=zones), offered))


def test_a_region_without_machines_is_not_for_this_subscription() -> None:
    """A region that a subscription may not use lists no size."""
    assert "no virtual machines in eastus2" in told(judge_zones(stamp(), sizes("centralus")))


@pytest.mark.parametrize(
    ("offered", "expected"),
    [
        (changed_size(), "ok"),
        (changed_size(restriction=restricted("Zone", ["2"], "WESTEUROPE")), "ok"),
        (changed_size(restriction=restricted("Location")), "restricted in eastus2 (NotAvailableForSubscription)"),
        (changed_size(restriction=restricted("Zone", ["2"])), "not to be had in zone 2"),
        (changed_size(EphemeralOSDiskSupported="False"), "takes no ephemeral OS disk"),
        (changed_size(MaxResourceVolumeMB="102400"), "room for an ephemeral OS disk of 100 GiB, not 120"),
        (changed_size(EncryptionAtHostSupported="False"), "cannot encrypt at the host"),
        (size("Standard_D4s_v5", "eastus2", cores=4, temporary_gib=0), "Standard_D4ds_v5 is not offered in eastus2"),
    ],
)
def test_the_pools_size_is_to_be_had(offered: dict[str, Any], expected: str) -> None:
    """Each of these is a refusal of AKS after the network has been built."""
    asked = stamp()
    assert expected in told(judge_pool(asked, asked.config.cluster.system_pool, [offered]))


@pytest.mark.parametrize(
    ("capabilities", "gib"),
    [
        ({"MaxResourceVolumeMB": "0", "CachedDiskBytes": str(100 * 2**30)}, 100),
        ({"MaxResourceVolumeMB": "153600", "CachedDiskBytes": str(100 * 2**30)}, 150),
        ({"MaxResourceVolumeMB": "0", "NvmeDiskSizeInMiB": "225280"}, 0),
        (
            {
                "MaxResourceVolumeMB": "0",
                "NvmeDiskSizeInMiB": "225280",
                "SupportedEphemeralOSDiskPlacements": "NvmeDisk",
            },
            220,
        ),
        ({"EphemeralOSDiskSupported": "False"}, None),
    ],
)
def test_an_ephemeral_disk_lies_where_the_size_allows(capabilities: dict[str, Any], gib: int | None) -> None:
    """Cache, temporary disk, or NVMe where the size says so."""
    assert largest_ephemeral_disk_gib(changed_size(**capabilities)) == gib


@pytest.mark.parametrize(("surge", "nodes"), [("33%", 12), ("10%", 10), ("2", 11)])
def test_an_upgrade_adds_its_surge(surge: str, nodes: int) -> None:
    """A share of the pool is rounded up."""
    assert most_nodes(NodePoolSettings(name="np", max_count=9, max_surge=surge)) == nodes


# System: 6 nodes and 2 of surge with 4 cores; user: 9 and 3 with 8 cores.
NEEDED = 8 * 4 + 12 * 8


@pytest.mark.parametrize(
    ("quota", "others", "running", "status"),
    [
        (NEEDED, 0, 0, "ok"),
        (NEEDED - 1, 0, 0, "fails"),
        (NEEDED + 8, 8, 0, "ok"),
        (NEEDED + 8, 9, 0, "fails"),
        (NEEDED, 0, 3, "ok"),
    ],
)
def test_cores_carry_every_pool_at_its_maximum(quota: int, others: int, running: int, status: str) -> None:
    """What the stamp's own nodes use today is not counted twice."""
    used = others + running * 4
    usages = [core_usage("cores", used, 10_000), core_usage("standardDDSv5Family", used, quota)]
    pools = [{"name": "npsystem", "count": running, "vmSize": "Standard_D4ds_v5"}]
    own = in_group("rg-bu0001a0042-eastus2-cluster", "x/managedClusters", "aks-bu0001a0042-eastus2")
    clusters = [own | {"agentPoolProfiles": pools}]
    finding = judge_cores([stamp()], usages, sizes("eastus2"), clusters)
    assert finding.status == status
    if status == "fails":
        assert f"standardDDSv5Family to {others + NEEDED}" in finding.remedy


def test_the_regions_total_counts_too() -> None:
    """A family's quota is of no use when the region's is smaller."""
    usages = [core_usage("cores", 0, 100), core_usage("standardDDSv5Family", 0, 1000)]
    assert f"cores to {NEEDED}" in told(judge_cores([stamp()], usages, sizes("eastus2"), []))


def test_two_stamps_of_one_region_share_its_quota() -> None:
    """A green stamp beside the blue one needs its cores as well."""
    usages = [core_usage("cores", 0, 10_000), core_usage("standardDDSv5Family", 0, 2 * NEEDED - 1)]
    assert judge_cores([stamp(), stamp()], usages, sizes("eastus2"), []).status == "fails"
