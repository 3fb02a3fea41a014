"""Names, subnets, gateways and endpoints that Azure refuses or that serve nobody: the wrong form and the right one."""

from __future__ import annotations

import re
from typing import Any

import pytest

from simulator.azure_errors import AzureError
from simulator.behaviour import access
from tests.unit.simulator.conftest import Azure
from tests.unit.simulator.stamp_fragments import FIREWALL_ADDRESS, Region, security_rule, working_region

VAULT = {"sku": {"family": "A", "name": "standard"}, "tenantId": "t", "publicNetworkAccess": "Disabled"}
HOST = "one.ingress.example.org"


def refused(text: str) -> Any:  # noqa: ANN401 - pytest's own context
    """Expect a refusal whose message holds a text."""
    return pytest.raises(AzureError, match=re.escape(text))


def gateway(azure: Azure, subnet: str, **more: Any) -> str:  # noqa: ANN401 - inputs of any type
    """Make an application gateway in a subnet."""
    place = [{"name": "c", "subnet": {"id": subnet}}]
    return azure.make(
        "network:ApplicationGateway", applicationGatewayName="agw", location="eastus2", gatewayIPConfigurations=place,
        **more,
    )[0]  # fmt: skip


def zone(azure: Azure, name: str, *networks: str, **records: str) -> str:
    """Make a private zone with links and records."""
    made = azure.make("privatedns:PrivateZone", privateZoneName=name, location="global")[0]
    for number, network in enumerate(networks):
        link(azure, name, network, f"l{number}")
    for record, address in records.items():
        azure.make(
            "privatedns:PrivateRecordSet", privateZoneName=name, relativeRecordSetName=record, recordType="A", ttl=300,
            aRecords=[{"ipv4Address": address}],
        )  # fmt: skip
    return made


def link(azure: Azure, zone_name: str, network: str, name: str = "l") -> str:
    """Link a private zone to a network."""
    return azure.make(
        "privatedns:VirtualNetworkLink", privateZoneName=zone_name, virtualNetworkLinkName=name, location="global",
        virtualNetwork={"id": network},
    )[0]  # fmt: skip


def endpoint(azure: Azure, name: str, subnet: str, target: str, group: str) -> str:
    """Make a private endpoint."""
    connection = [{"name": "c", "privateLinkServiceId": target, "groupIds": [group]}]
    return azure.make(
        "network:PrivateEndpoint", privateEndpointName=name, location="eastus2", subnet={"id": subnet},
        privateLinkServiceConnections=connection,
    )[0]  # fmt: skip


def vault_parts(azure: Azure, region: Region, **vault: Any) -> dict[str, Any]:  # noqa: ANN401 - properties of any type
    """Make a closed vault with secret, role, endpoint and zone group; return what the gateway says about it."""
    made = azure.make("keyvault:Vault", vaultName="vault-1", location="eastus2", properties={**VAULT, **vault})[0]
    azure.make("keyvault:Secret", vaultName="vault-1", secretName="s", properties={"value": "x"})
    identity, principal = azure.identity("gateway")
    azure.assign(made, principal, access.KEY_VAULT_SECRETS_USER)
    endpoint(azure, "pe", region.subnet("endpoints"), made, "vault")
    configuration = [{"name": "z", "privateDnsZoneId": zone(azure, "privatelink.vaultcore.azure.net")}]
    azure.make(
        "network:PrivateDnsZoneGroup", privateEndpointName="pe", privateDnsZoneGroupName="d",
        privateDnsZoneConfigs=configuration,
    )  # fmt: skip
    return {
        "identity": {"type": "UserAssigned", "userAssignedIdentities": [identity]},
        "sslCertificates": [{"name": "c", "keyVaultSecretId": "https://vault-1.vault.azure.net/secrets/s"}],
    }


@pytest.mark.parametrize("dns", [(), (FIREWALL_ADDRESS,)])
def test_trap_05_the_vaults_zone_is_linked_to_the_gateways_own_network(azure: Azure, dns: tuple[str, ...]) -> None:
    """A link to the hub alone is not enough, whoever the network's DNS server is."""
    region = working_region(azure, dns=dns)
    parts = vault_parts(azure, region)
    link(azure, "privatelink.vaultcore.azure.net", region.hub, "to-hub")
    with refused("ApplicationGatewayKeyVaultSecretException"):
        gateway(azure, region.subnet("gateway"), **parts)
    link(azure, "privatelink.vaultcore.azure.net", region.spoke, "to-spoke")
    gateway(azure, region.subnet("gateway"), **parts)


@pytest.mark.parametrize("bypass", ["None", "AzureServices"])
def test_trap_05_the_control_plane_reads_the_vault_as_a_trusted_service(azure: Azure, bypass: str) -> None:
    """A vault that is closed to those too gives the gateway nothing."""
    region = working_region(azure)
    parts = vault_parts(azure, region, networkAcls={"bypass": bypass, "defaultAction": "Deny"})
    link(azure, "privatelink.vaultcore.azure.net", region.spoke)
    if bypass == "None":
        with refused("closed to trusted services"):
            gateway(azure, region.subnet("gateway"), **parts)
        return
    gateway(azure, region.subnet("gateway"), **parts)


def pool(host: str = HOST) -> dict[str, Any]:
    """Return a gateway's backend by name."""
    return {"backendAddressPools": [{"name": "p", "backendAddresses": [{"fqdn": host}]}]}


def test_trap_06_a_firewall_as_dns_server_answers_from_the_hubs_zones(azure: Azure) -> None:
    """A zone that only the spoke is linked to stops resolving; linked to both it works."""
    region = working_region(azure, dns=(FIREWALL_ADDRESS,))
    zone(azure, "ingress.example.org", region.spoke, one="10.1.1.10")
    with refused(f"could not create a probe for backend '{HOST}'"):
        gateway(azure, region.subnet("gateway"), **pool())
    link(azure, "ingress.example.org", region.hub, "to-hub")
    gateway(azure, region.subnet("gateway"), **pool())


def test_trap_06_a_firewall_without_its_proxy_answers_nobody(azure: Azure) -> None:
    """Not even with the zones linked to the hub."""
    region = Region(azure, dns=(FIREWALL_ADDRESS,), proxy=False).make_spoke().peer().firewall()
    zone(azure, "ingress.example.org", region.spoke, region.hub, one="10.1.1.10")
    with refused("could not create a probe"):
        gateway(azure, region.subnet("gateway"), **pool())


def test_trap_06_a_network_takes_one_zone_of_a_name(azure: Azure) -> None:
    """The second of the same name cannot be linked to it; another network takes it."""
    region = Region(azure).make_spoke()
    zone(azure, "privatelink.azurecr.io", region.spoke)
    azure.make("resources:ResourceGroup", resourceGroupName="other", location="eastus2")
    twin = {"resourceGroupName": "other", "privateZoneName": "privatelink.azurecr.io", "location": "global"}
    azure.make("privatedns:PrivateZone", **twin)
    with refused("cannot be linked to several zones"):
        azure.make(
            "privatedns:VirtualNetworkLink", **twin, virtualNetworkLinkName="l", virtualNetwork={"id": region.spoke}
        )
    azure.make("privatedns:VirtualNetworkLink", **twin, virtualNetworkLinkName="l", virtualNetwork={"id": region.hub})


def test_trap_11_azure_lets_two_endpoints_share_one_zone(azure: Azure) -> None:
    """The last writer wins without a word, so the program gives each stamp a zone of its own."""
    region = Region(azure).make_spoke()
    registry = azure.make("containerregistry:Registry", registryName="images1", sku={"name": "Premium"})[0]
    shared = zone(azure, "privatelink.azurecr.io", region.spoke)
    for name in ("one", "two"):
        endpoint(azure, name, region.subnet("endpoints"), registry, "registry")
        azure.make(
            "network:PrivateDnsZoneGroup", privateEndpointName=name, privateDnsZoneGroupName="d",
            privateDnsZoneConfigs=[{"name": "z", "privateDnsZoneId": shared}],
        )  # fmt: skip


def test_trap_11_an_endpoint_has_one_zone_group(azure: Azure) -> None:
    """A second one is refused."""
    region = Region(azure).make_spoke()
    registry = azure.make("containerregistry:Registry", registryName="images1", sku={"name": "Premium"})[0]
    configuration = [{"name": "z", "privateDnsZoneId": zone(azure, "privatelink.azurecr.io", region.spoke)}]
    endpoint(azure, "pe", region.subnet("endpoints"), registry, "registry")
    group = {"privateEndpointName": "pe", "privateDnsZoneConfigs": configuration}
    azure.make("network:PrivateDnsZoneGroup", **group, privateDnsZoneGroupName="first")
    with refused("PrivateDnsZoneGroupCountExceeded"):
        azure.make("network:PrivateDnsZoneGroup", **group, privateDnsZoneGroupName="second")


def gateway_subnet(azure: Azure, *rules: dict[str, Any], **subnet: Any) -> str:  # noqa: ANN401 - properties of any type
    """Make a network whose one subnet has a security group with rules, and return the subnet's id."""
    group = azure.make(
        "network:NetworkSecurityGroup", networkSecurityGroupName="g", location="eastus2", securityRules=list(rules)
    )[0]
    inside = {"name": "gw", "addressPrefix": "10.0.0.0/24", "networkSecurityGroup": {"id": group}, **subnet}
    return f"{azure.network('v', '10.0.0.0/16', inside)}/subnets/gw"


MANAGER = security_rule(
    110, "Allow", sourceAddressPrefix="GatewayManager", destinationPortRange="65200-65535", protocol="Tcp"
)
PROBES = security_rule(120, "Allow", sourceAddressPrefix="AzureLoadBalancer")
FRONT_DOOR = security_rule(100, "Allow", sourceAddressPrefix="AzureFrontDoor.Backend", destinationPortRange="443")
DENY = security_rule(4000, "Deny")


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        ((FRONT_DOOR, DENY), "ApplicationGatewaySubnetInboundTrafficBlockedByNetworkSecurityGroup"),
        ((FRONT_DOOR, PROBES, DENY), "blocks incoming internet traffic on ports 65200 - 65535"),
        ((FRONT_DOOR, MANAGER, DENY), "blocks incoming traffic from AzureLoadBalancer"),
        (
            (FRONT_DOOR, MANAGER, PROBES, DENY, security_rule(4000, "Deny", "Outbound")),
            "ApplicationGatewaySubnetOutboundTrafficBlockedByNetworkSecurityGroup",
        ),
    ],
)
def test_trap_14_a_gateways_subnet_stays_open_to_its_management(
    azure: Azure, rules: tuple[dict[str, Any], ...], told: str
) -> None:
    """ "Front Door only" is refused, and so is any outbound deny."""
    with refused(told):
        gateway(azure, gateway_subnet(azure, *rules))


def test_trap_14_front_door_management_and_probes_are_enough(azure: Azure) -> None:
    """Before a deny of the rest; nothing outbound is denied."""
    gateway(azure, gateway_subnet(azure, FRONT_DOOR, MANAGER, PROBES, DENY))


def test_trap_14_a_gateway_subnet_cannot_be_closed_later(azure: Azure) -> None:
    """A group that blocks its management is refused on the subnet of a gateway."""
    subnet = gateway_subnet(azure, FRONT_DOOR, MANAGER, PROBES, DENY)
    gateway(azure, subnet)
    closed = azure.make(
        "network:NetworkSecurityGroup", networkSecurityGroupName="closed", location="eastus2", securityRules=[DENY]
    )[0]
    inside = {"name": "gw", "addressPrefix": "10.0.0.0/24", "networkSecurityGroup": {"id": closed}}
    inputs = {
        "resourceGroupName": "rg", "virtualNetworkName": "v", "location": "eastus2",
        "addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}, "subnets": [inside],
    }  # fmt: skip
    with refused("InboundTrafficBlockedByNetworkSecurityGroup"):
        azure.cloud.update("azure-native:network:VirtualNetwork", subnet.split("/subnets/")[0], inputs)


@pytest.mark.parametrize(("prefix", "fits"), [("10.0.0.0/28", False), ("10.0.0.0/27", True)])
def test_trap_14_a_gateways_subnet_holds_its_largest_scale(azure: Azure, prefix: str, fits: bool) -> None:
    """One address an instance."""
    subnet = gateway_subnet(azure, MANAGER, PROBES, addressPrefix=prefix)
    scale = {"autoscaleConfiguration": {"minCapacity": 2, "maxCapacity": 12}}
    if fits:
        gateway(azure, subnet, **scale)
        return
    with refused("SubnetIsFull"):
        gateway(azure, subnet, **scale)


@pytest.mark.parametrize(
    ("name", "small", "large"),
    [("AzureBastionSubnet", "10.0.0.0/27", "10.0.0.0/26"), ("AzureFirewallSubnet", "10.0.0.0/27", "10.0.0.0/26")],
)
def test_trap_15_the_hubs_subnets_have_their_sizes(azure: Azure, name: str, small: str, large: str) -> None:
    """Bastion and firewall need 64 addresses."""
    with refused("InvalidSubnetSize"):
        azure.network("small", "10.0.0.0/24", {"name": name, "addressPrefix": small})
    azure.network("large", "10.0.0.0/24", {"name": name, "addressPrefix": large})


@pytest.mark.parametrize(("name", "right"), [("bastion", False), ("AzureBastionSubnet", True)])
def test_trap_15_a_bastion_lies_in_its_own_subnet(azure: Azure, name: str, right: bool) -> None:
    """Known by its name."""
    network = azure.network("v", "10.0.0.0/24", {"name": name, "addressPrefix": "10.0.0.0/26"})
    place = [{"name": "c", "subnet": {"id": f"{network}/subnets/{name}"}}]
    if right:
        azure.make("network:BastionHost", bastionHostName="b", location="eastus2", ipConfigurations=place)
        return
    with refused("InvalidBastionHostSubnet"):
        azure.make("network:BastionHost", bastionHostName="b", location="eastus2", ipConfigurations=place)


@pytest.mark.parametrize("name", ["GatewaySubnet", "AzureFirewallSubnet"])
def test_trap_15_some_subnets_take_no_security_group(azure: Azure, name: str) -> None:
    """And the VPN gateway's no default route either (another test shows that)."""
    group = azure.make("network:NetworkSecurityGroup", networkSecurityGroupName="g", location="eastus2")[0]
    subnet = {"name": name, "addressPrefix": "10.0.0.0/26"}
    with refused("NetworkSecurityGroupNotAllowed"):
        azure.network("v", "10.0.0.0/24", {**subnet, "networkSecurityGroup": {"id": group}})
    azure.network("w", "10.0.0.0/24", subnet)


@pytest.mark.parametrize("lacks", ["zone", "link", "record"])
def test_trap_22_a_backend_by_name_resolves_before_the_gateway(azure: Azure, lacks: str) -> None:
    """Zone, link and record: each is needed."""
    region = Region(azure).make_spoke()
    if lacks != "zone":
        networks = () if lacks == "link" else (region.spoke,)
        records = {} if lacks == "record" else {"one": "10.1.1.10"}
        zone(azure, "ingress.example.org", *networks, **records)
    with refused("could not create a probe for backend"):
        gateway(azure, region.subnet("gateway"), **pool())


def test_trap_22_with_zone_link_and_record_the_gateway_is_made(azure: Azure) -> None:
    """The address of the ingress, one name for all."""
    region = Region(azure).make_spoke()
    zone(azure, "ingress.example.org", region.spoke, one="10.1.1.10")
    gateway(azure, region.subnet("gateway"), **pool())


def test_trap_22_a_private_zone_hides_the_public_one_of_its_name(azure: Azure) -> None:
    """What the public zone knows is gone inside; a zone of its own hides nothing."""
    region = Region(azure).make_spoke()
    azure.make("dns:Zone", zoneName="example.org", location="global")
    azure.make(
        "dns:RecordSet", zoneName="example.org", relativeRecordSetName="www", recordType="A", ttl=300,
        aRecords=[{"ipv4Address": "203.0.113.9"}],
    )  # fmt: skip
    made = gateway(azure, region.subnet("gateway"), **pool("www.example.org"))
    azure.drop("network:ApplicationGateway", made)
    zone(azure, "example.org", region.spoke, one="10.1.1.10")
    with refused("could not create a probe for backend 'www.example.org'"):
        gateway(azure, region.subnet("gateway"), **pool("www.example.org"))


@pytest.mark.parametrize("pick", [True, False])
def test_trap_22_the_host_name_is_set_or_picked(azure: Azure, pick: bool) -> None:
    """Both at once is a conflict."""
    region = Region(azure).make_spoke()
    settings = [{"name": "s", "hostName": HOST, "pickHostNameFromBackendAddress": pick}]
    if pick:
        with refused("ApplicationGatewayBackendHttpSettingsHostNameFieldConflict"):
            gateway(azure, region.subnet("gateway"), backendHttpSettingsCollection=settings)
        return
    gateway(azure, region.subnet("gateway"), backendHttpSettingsCollection=settings)
