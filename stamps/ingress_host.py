"""The ingress's host name: which part of it is the private zone and which the record. Pure, no resource."""

from __future__ import annotations

from foundation.azure_types import setting_error


def split_ingress_host(host: str) -> tuple[str, str]:
    """Return zone and record name: `app.aks-ingress.contoso.com` is record `app` of zone `aks-ingress.contoso.com`.

    Raises:
        PydanticCustomError: if the rest after the first label is a top-level domain, which nobody may shadow.
    """
    record, _, zone = host.partition(".")
    if "." not in zone:
        raise setting_error(
            "ingress.hostName",
            host,
            "a name of at least three labels, whose last two or more become a private zone",
            "bu0001a0042.aks-ingress.contoso.com",
        )
    return zone, record


def check_ingress_host(ingress_host: str, gateway_host: str) -> None:
    """Refuse an ingress host whose private zone would hide the gateway's public name inside the stamp.

    A network that a private zone is linked to asks only that zone for names under it
    (https://learn.microsoft.com/azure/dns/private-dns-privatednszone), so `edge.contoso.com` as a private zone makes
    `eastus2.edge.contoso.com` unknown there.

    Raises:
        PydanticCustomError: if the zone equals or contains the gateway's host name or its domain.
    """
    zone, record = split_ingress_host(ingress_host)
    if gateway_host == zone or gateway_host.endswith(f".{zone}"):
        domain = gateway_host.partition(".")[2]
        raise setting_error(
            "ingress.hostName",
            ingress_host,
            f"a name in a zone of its own, because a private zone {zone} would hide the gateway's name {gateway_host}",
            f"{record}.aks-ingress.{domain}",
        )
