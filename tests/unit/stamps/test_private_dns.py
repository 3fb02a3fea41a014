"""A private zone, its links and records, and the stamp's way to the registry."""

from __future__ import annotations

import pulumi

from stamps.private_dns import PrivateDnsZone, PrivateDnsZoneArgs
from stamps.registry_endpoint import RegistryEndpoint, RegistryEndpointArgs
from tests.unit.pulumi_mocks import SUBSCRIPTION_ID, deploy
from tests.unit.stamps.edge_arguments import GROUP, SPOKE, TAGS, both_modes, place

REGISTRY = f"/subscriptions/{SUBSCRIPTION_ID}/resourceGroups/rg/providers/Microsoft.ContainerRegistry/registries/acr"


@both_modes
def test_an_ingress_zone_has_its_record_and_link(preview: bool) -> None:
    """The gateway resolves the ingress through both."""

    def program() -> object:
        args = PrivateDnsZoneArgs(
            resource_group_name=GROUP,
            zone_name="aks-ingress.contoso.com",
            virtual_network_ids={"spoke": SPOKE},
            records={"bu0001a0042": "10.243.4.4"},
            tags=TAGS,
        )
        return pulumi.Output.all(*(resource.urn for resource in PrivateDnsZone("ingress", args).ready))

    made = deploy(program, preview)
    zone = made.one("azure-native:privatedns:PrivateZone")
    assert (zone.inputs["privateZoneName"], zone.inputs["location"]) == ("aks-ingress.contoso.com", "global")
    record = made.one("azure-native:privatedns:PrivateRecordSet")
    assert record.inputs["relativeRecordSetName"] == "bu0001a0042"
    assert record.inputs["recordType"] == "A"
    assert record.inputs["aRecords"] == [{"ipv4Address": "10.243.4.4"}]
    link = made.one("azure-native:privatedns:VirtualNetworkLink")
    assert made.depends_on(record, zone)
    assert made.depends_on(link, zone)
    assert made.result == [link.urn, record.urn]


@both_modes
def test_the_registry_is_reached_through_a_zone_of_the_stamp(preview: bool) -> None:
    """Endpoint, zone, link and zone group lie in the stamp's group; nodes wait for link and zone group."""

    def program() -> object:
        args = RegistryEndpointArgs(
            **place(),
            registry_id=REGISTRY,
            subnet_id=f"{SPOKE}/subnets/snet-private-endpoints",
            virtual_network_ids={"spoke": SPOKE},
        )
        return pulumi.Output.all(*(resource.urn for resource in RegistryEndpoint("registry", args).ready))

    made = deploy(program, preview)
    endpoint = made.one("azure-native:network:PrivateEndpoint")
    connection = endpoint.inputs["privateLinkServiceConnections"][0]
    assert (connection["privateLinkServiceId"], connection["groupIds"]) == (REGISTRY, ["registry"])
    assert made.one("azure-native:privatedns:PrivateZone").inputs["privateZoneName"] == "privatelink.azurecr.io"
    groups = {each.inputs["resourceGroupName"] for each in made.resources if each.custom}
    assert groups == {GROUP}
    link = made.one("azure-native:privatedns:VirtualNetworkLink")
    assert made.result == [link.urn, made.one("azure-native:network:PrivateDnsZoneGroup").urn]
