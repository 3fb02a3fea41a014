"""What a region offers: the regions themselves and their zones, VM sizes, Kubernetes versions.

The data are ``region_offers.json``; what it does not know is offered. A cloud may withhold something by a fact.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from simulator.azure_errors import AzureRequest, bad_request
from simulator.behaviour.facts import read_fact, set_fact
from simulator.cloud_store import CloudStore

OFFERS_FILE: Final = Path(__file__).with_name("region_offers.json")
_WITHHELD: Final = "withheld:"
"""Begin of the fact that names what a region of this cloud does not offer, separated by blanks."""


@functools.cache
def region_offers() -> Mapping[str, Any]:
    """Return the data file."""
    table: Mapping[str, Any] = json.loads(OFFERS_FILE.read_text())
    return table


def region_name(location: object) -> str:
    """Return a region as ids and host names spell it, such as ``eastus2`` for ``East US 2``."""
    return str(location or "").replace(" ", "").lower()


@functools.cache
def regions() -> frozenset[str]:
    """Return every region of the public cloud."""
    return frozenset([*region_offers()["zonalRegions"], *region_offers()["regionsWithoutZones"]])


def zones_of(region: str) -> Sequence[str]:
    """Return the zones of a region."""
    zones: Sequence[str] = region_offers()["zones"]
    return zones if region in region_offers()["zonalRegions"] else ()


def withhold(store: CloudStore, region: str, *things: str) -> None:
    """Let a region not offer some VM sizes, Kubernetes versions (``1.36``) or zones (``zone:3``) in this cloud.

    Each call replaces the one before; without things the region offers everything again.
    """
    set_fact(store, _WITHHELD + region, " ".join(things) if things else None)


def withheld(store: CloudStore, region: str) -> frozenset[str]:
    """Return what a region of this cloud does not offer, in lower case."""
    return frozenset((read_fact(store, _WITHHELD + region) or "").lower().split())


def is_retired(size: str) -> bool:
    """Tell whether Azure has retired a VM size everywhere."""
    return any(re.fullmatch(pattern, size, re.IGNORECASE) for pattern in region_offers()["retiredSizes"])


def refuse_unknown_place(request: AzureRequest) -> None:
    """Refuse a location that is no Azure region, or not one for the type: some types are global, most are not."""
    given = request.inputs.get("location")
    if not given or not isinstance(given, str) or not request.id.lower().startswith("/subscriptions/"):
        return
    region, kind = region_name(given), request.type.arm_type
    if region == "global":
        allowed = kind.lower() not in region_offers()["regionalOnly"]
    else:
        allowed = region in regions() and kind.lower() not in region_offers()["globalOnly"]
    if allowed:
        return
    listed = "global" if kind.lower() in region_offers()["globalOnly"] else ",".join(sorted(regions()))
    if kind == "Microsoft.Resources/resourceGroups":
        raise bad_request(
            "LocationNotAvailableForResourceGroup",
            f"The provided location '{given}' is not available for resource group. List of available regions is "
            f"'{listed}'.",
        )
    raise bad_request(
        "LocationNotAvailableForResourceType",
        f"The provided location '{given}' is not available for resource type '{kind}'. List of available regions for "
        f"the resource type is '{listed}'.",
    )
