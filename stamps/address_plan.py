"""The address plan of a stamp: pure arithmetic on networks, no resource.

Hub: firewall /26, Bastion /26 and gateway /27, because Azure puts no Bastion host into anything smaller than /26
(https://learn.microsoft.com/azure/bastion/configuration-settings#subnet).
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network

from foundation.azure_types import Arguments


class AddressPlan(Arguments):
    """Every network of one stamp. `pods` and `services` live inside the cluster only."""

    hub: IPv4Network
    spoke: IPv4Network
    pods: IPv4Network
    services: IPv4Network
    firewall: IPv4Network
    bastion: IPv4Network
    hub_gateway: IPv4Network
    nodes: IPv4Network
    ingress: IPv4Network
    gateway: IPv4Network
    private_endpoints: IPv4Network
    api_server: IPv4Network

    @property
    def firewall_address(self) -> IPv4Address:
        """The firewall's private address: Azure always gives it the first usable one of its subnet."""
        return self.firewall[4]

    @property
    def dns_service_address(self) -> IPv4Address:
        """The address of cluster DNS inside the service network."""
        return self.services[10]


def _at(network: IPv4Network, offset: int, prefix: int) -> IPv4Network:
    return IPv4Network((int(network.network_address) + offset, prefix))


def hub_subnets(hub: IPv4Network) -> dict[str, IPv4Network]:
    """Return the hub's subnets by role; `hub` must be /24 or larger."""
    return {"firewall": _at(hub, 0, 26), "bastion": _at(hub, 64, 26), "hub_gateway": _at(hub, 128, 27)}


def spoke_subnets(spoke: IPv4Network) -> dict[str, IPv4Network]:
    """Return the spoke's subnets by role in the default plan; `spoke` must be /21 or larger."""
    return {
        "nodes": _at(spoke, 0, 22),
        "ingress": _at(spoke, 4 * 256, 28),
        "gateway": _at(spoke, 5 * 256, 24),
        "private_endpoints": _at(spoke, 6 * 256, 26),
        "api_server": _at(spoke, 6 * 256 + 64, 28),
    }
