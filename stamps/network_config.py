"""The networks of a stamp as its stack file says them, checked before anything is deployed."""

from __future__ import annotations

from ipaddress import IPv4Network
from itertools import combinations
from typing import Self

from pydantic import model_validator

from foundation.azure_types import Network, Settings, setting_error
from stamps.address_plan import AddressPlan, hub_subnets, spoke_subnets

_PRIVATE = tuple(IPv4Network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"))


class SubnetSettings(Settings):
    """Subnets of the spoke, where the default plan does not fit."""

    nodes: Network | None = None
    ingress: Network | None = None
    gateway: Network | None = None
    private_endpoints: Network | None = None
    api_server: Network | None = None


class NetworkSettings(Settings):
    """Address spaces of one stamp: hub /24 or larger, spoke /21 or larger; pods (overlay) and services lie apart."""

    hub: Network
    spoke: Network
    pods: Network
    services: Network
    subnets: SubnetSettings = SubnetSettings()

    def address_plan(self) -> AddressPlan:
        """Return every subnet of the stamp: those of the stack file, else those of the default plan."""
        spoke = spoke_subnets(self.spoke) | {name: network for name, network in self.subnets if network is not None}
        return AddressPlan(
            hub=self.hub, spoke=self.spoke, pods=self.pods, services=self.services, **hub_subnets(self.hub), **spoke
        )

    @model_validator(mode="after")
    def _spaces_are_large_enough(self) -> Self:
        for key, network, limit, example in (
            ("hub", self.hub, 24, "10.200.3.0/24"),
            ("spoke", self.spoke, 21, "10.243.0.0/16"),
            ("services", self.services, 24, "172.16.0.0/16"),
            ("pods", self.pods, 24, "10.64.0.0/16"),
        ):
            if network.prefixlen > limit:
                raise setting_error(key, network, f"a network of /{limit} or larger", example)
            if not any(network.subnet_of(private) for private in _PRIVATE):
                raise setting_error(key, network, "a network out of the private address ranges", example)
        if self.services.prefixlen < 12:
            raise setting_error(
                "services", self.services, "a network no larger than /12, AKS refuses more", "172.16.0.0/16"
            )
        return self

    @model_validator(mode="after")
    def _spaces_are_apart(self) -> Self:
        spaces = {"hub": self.hub, "spoke": self.spoke, "pods": self.pods, "services": self.services}
        for (one, first), (other, second) in combinations(spaces.items(), 2):
            if first.overlaps(second):
                raise setting_error(other, second, f"a network that does not overlap {one} ({first})", "10.243.0.0/16")
        return self

    @model_validator(mode="after")
    def _subnets_fit(self) -> Self:
        if self.spoke.prefixlen > 21:
            return self
        smallest = {"nodes": 27, "ingress": 28, "gateway": 24, "private_endpoints": 27, "api_server": 28}
        camel = {"private_endpoints": "privateEndpoints", "api_server": "apiServer"}
        plan = self.address_plan()
        subnets = {name: getattr(plan, name) for name in smallest}
        for name, network in subnets.items():
            key = f"subnets.{camel.get(name, name)}"
            if not network.subnet_of(self.spoke):
                raise setting_error(
                    key, network, f"a subnet of the spoke {self.spoke}", str(spoke_subnets(self.spoke)[name])
                )
            if network.prefixlen > smallest[name]:
                raise setting_error(
                    key, network, f"a subnet of /{smallest[name]} or larger", str(spoke_subnets(self.spoke)[name])
                )
        for (one, first), (other, second) in combinations(subnets.items(), 2):
            if first.overlaps(second):
                raise setting_error(
                    f"subnets.{camel.get(other, other)}",
                    second,
                    f"a subnet that does not overlap {one} ({first})",
                    str(spoke_subnets(self.spoke)[other]),
                )
        return self
