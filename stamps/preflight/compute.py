"""Preflight checks of virtual machine sizes: zones, restrictions, the place of the OS disk, and the quota of cores."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from stamps.cluster_config import NodePoolSettings
from stamps.preflight.check import Answer, Finding, Stamp, Status, listed
from stamps.preflight.subscription import is_the_cluster_of

_TOTAL = "cores"
"""The quota of all cores in a region, whatever their family."""


def judge_zones(stamp: Stamp, sizes: Sequence[Answer]) -> Finding:
    """Tell whether the region has the zones that the stamp spreads over. Their numbers are the subscription's own."""
    region, wanted = stamp.config.region, stamp.config.availability_zones
    offered = [size for size in sizes if _place(size, region) is not None]
    if not offered:
        remedy = "check the region's name, or ask Microsoft for access to it"
        return Finding(Status.FAILS, f"this subscription gets no virtual machines in {region}", remedy)
    there = sorted({zone for size in offered for zone in _zones(size, region)})
    if missing := sorted(set(wanted) - set(there)):
        remedy = f"zones: [{listed(repr(zone) for zone in there)}] in Pulumi.{stamp.stack}.yaml"
        return Finding(Status.FAILS, f"{region} has {_shown(there)}, not {listed(missing)}", remedy)
    if there and not wanted:
        remedy = f"unless meant so: zones: [{listed(repr(zone) for zone in there)}] in Pulumi.{stamp.stack}.yaml"
        return Finding(Status.WARNING, f"{region} has {_shown(there)}, the stamp uses none", remedy)
    return Finding(Status.OK, f"{region} has {_shown(there)}, the stamp uses {_shown(wanted)}")


def judge_pool(stamp: Stamp, pool: NodePoolSettings, sizes: Sequence[Answer]) -> Finding:
    """Tell whether a pool's size is to be had in every zone, holds the OS disk and encrypts at the host."""
    region = stamp.config.region
    size = _size(sizes, pool.vm_size, region)
    remedy = f"another vmSize for {pool.name} in Pulumi.{stamp.stack}.yaml"
    if size is None:
        return Finding(Status.FAILS, f"{pool.vm_size} is not offered in {region}", remedy)
    problems = []
    reasons = sorted({str(each["reasonCode"]) for each in _restrictions(size, region, "Location")})
    if reasons:
        problems.append(f"it is restricted in {region} ({listed(reasons)})")
        remedy += ", or ask Microsoft for access to this one"
    missing = sorted(set(stamp.config.availability_zones) - _open_zones(size, region))
    if missing and not reasons:
        problems.append(f"it is not to be had in zone {listed(missing)}")
        remedy += ", or ask Microsoft for access to the zone"
    room = largest_ephemeral_disk_gib(size)
    if room is None:
        problems.append("it takes no ephemeral OS disk")
    elif pool.os_disk_size_gb > room:
        problems.append(f"it has room for an ephemeral OS disk of {room} GiB, not {pool.os_disk_size_gb}")
        remedy += f", or osDiskSizeGb: {room} at most"
    if pool.encryption_at_host and _capabilities(size).get("EncryptionAtHostSupported") != "True":
        problems.append("it cannot encrypt at the host")
    if problems:
        return Finding(Status.FAILS, f"{pool.vm_size}: {'; '.join(problems)}", remedy)
    return Finding(Status.OK, f"{pool.vm_size} is offered, and an OS disk of {pool.os_disk_size_gb} GiB fits ({room})")


def judge_cores(
    stamps: Sequence[Stamp], usages: Sequence[Answer], sizes: Sequence[Answer], clusters: Sequence[Answer]
) -> Finding:
    """Tell whether the quota of cores carries every pool at its maximum while all of them are upgraded.

    What the stamps' own clusters use today is part of Azure's figure already and is taken out of it.
    """
    region = stamps[0].config.region
    needed: Counter[str] = Counter()
    running: Counter[str] = Counter()
    for stamp in stamps:
        for _, pool in stamp.config.cluster.named_pools():
            needed.update(_cores(sizes, pool.vm_size, region, most_nodes(pool)))
        for cluster in clusters:
            if is_the_cluster_of(stamp, cluster):
                for each in cluster["agentPoolProfiles"]:
                    running.update(_cores(sizes, str(each["vmSize"]), region, int(each["count"] or 0)))
    quotas = {str(usage["name"]["value"]).lower(): usage for usage in usages}
    told, short, without = [], [], []
    for family, count in sorted(needed.items()):
        usage = quotas.get(family.lower())
        if usage is None:
            without.append(family)
            continue
        others, limit = max(int(usage["currentValue"]) - running[family], 0), int(usage["limit"])
        told.append(f"{family} {count} needed, {others} used by others, limit {limit}")
        if others + count > limit:
            short.append(f"{family} to {others + count}")
    text = "; ".join(told)
    if short:
        return Finding(Status.FAILS, text, f"have the quota raised in {region}: {listed(short)}; or lower maxCount")
    if without or not told:
        return Finding(
            Status.UNKNOWN, f"no quota told for {listed(without) or 'the sizes'}", "look at Quotas in the portal"
        )
    return Finding(Status.OK, text)


def most_nodes(pool: NodePoolSettings) -> int:
    """Return the nodes of a pool at its maximum during an upgrade. AKS rounds a share of the pool up."""
    surge = pool.max_surge
    more = math.ceil(pool.max_count * int(surge[:-1]) / 100) if surge.endswith("%") else int(surge)
    return pool.max_count + more


def largest_ephemeral_disk_gib(size: Answer) -> int | None:
    """Return the largest OS disk that a size can keep on its own disks, None if it can keep none.

    Cache, temporary disk or NVMe disk, whichever is largest (https://learn.microsoft.com/azure/virtual-machines/
    ephemeral-os-disks#size-requirements). Sizes that do not say where the disk may lie have no NVMe disk.
    """
    has = _capabilities(size)
    if has.get("EphemeralOSDiskSupported") != "True":
        return None
    places = has.get("SupportedEphemeralOSDiskPlacements", "CacheDisk,ResourceDisk")
    mebibytes = (
        ("CacheDisk", int(has.get("CachedDiskBytes", 0)) // 2**20),
        ("ResourceDisk", int(has.get("MaxResourceVolumeMB", 0))),
        ("NvmeDisk", int(has.get("NvmeDiskSizeInMiB", 0))),
    )
    return max((room for place, room in mebibytes if place in places), default=0) // 1024


def _cores(sizes: Sequence[Answer], name: str, region: str, nodes: int) -> dict[str, int]:
    size = _size(sizes, name, region)
    if size is None:
        return {}
    cores = nodes * int(_capabilities(size)["vCPUs"])
    return {str(size["family"]): cores, _TOTAL: cores}


def _size(sizes: Sequence[Answer], name: str, region: str) -> Answer | None:
    return next(
        (size for size in sizes if str(size["name"]).lower() == name.lower() and _place(size, region) is not None), None
    )


def _place(size: Answer, region: str) -> Answer | None:
    """Return what a size says of one region. Azure writes regions there in mixed case."""
    return next((place for place in size["locationInfo"] if str(place["location"]).lower() == region), None)


def _zones(size: Answer, region: str) -> set[str]:
    place = _place(size, region)
    return {str(zone) for zone in (place or {}).get("zones") or ()}


def _open_zones(size: Answer, region: str) -> set[str]:
    closed = {
        str(zone)
        for each in _restrictions(size, region, "Zone")
        for zone in (each.get("restrictionInfo") or {}).get("zones") or ()
    }
    return _zones(size, region) - closed


def _restrictions(size: Answer, region: str, kind: str) -> list[Answer]:
    return [
        each
        for each in size.get("restrictions") or ()
        if each["type"] == kind and region in _restricted_regions(each, region)
    ]


def _restricted_regions(restriction: Answer, asked: str) -> set[str]:
    """Return the regions of a restriction; one that names none is for the region that was asked for."""
    named = (restriction.get("restrictionInfo") or {}).get("locations") or ()
    return {str(location).lower() for location in named} or {asked}


def _capabilities(size: Answer) -> dict[str, str]:
    return {str(each["name"]): str(each["value"]) for each in size.get("capabilities") or ()}


def _shown(zones: Sequence[str]) -> str:
    return f"zones {listed(zones)}" if zones else "no zones"
