"""Peerings, subnets in use, addresses, firewall policies and the watcher of a region."""

from __future__ import annotations

import pytest

from simulator.azure_cloud import AzureCloud
from simulator.azure_errors import AzureError
from simulator.azure_made import WATCHER_SECONDS
from simulator.computed_network import first_usable_address
from simulator.operations import busy_key
from tests.unit.simulator.conftest import Azure

PEERING = "network:VirtualNetworkPeering"


def peer(azure: Azure, network: str, remote: str, name: str = "") -> str:
    """Make one side of a peering."""
    return azure.make(
        PEERING,
        virtualNetworkName=network,
        virtualNetworkPeeringName=name or f"to-{remote}",
        remoteVirtualNetwork={"id": f"{azure.group}/providers/Microsoft.Network/virtualNetworks/{remote}"},
    )[0]


def hub_and_spoke(azure: Azure) -> tuple[str, str]:
    """Make two peered networks and return the peerings."""
    azure.network("hub", "10.0.0.0/16")
    azure.network("spoke", "10.1.0.0/16")
    return peer(azure, "hub", "spoke"), peer(azure, "spoke", "hub")


def state(azure: Azure, peering: str) -> str:
    """Return a peering's state."""
    stored = azure.cloud.read(peering)
    assert stored is not None
    return str(stored.outputs["peeringState"])


def test_a_peering_whose_other_side_went_is_disconnected_until_it_is_made_anew(azure: Azure) -> None:
    """Azure refuses the new side as long as the old one stands."""
    to_spoke, to_hub = hub_and_spoke(azure)
    azure.drop(PEERING, to_hub)
    assert state(azure, to_spoke) == "Disconnected"
    with pytest.raises(AzureError, match="RemotePeeringIsDisconnected"):
        peer(azure, "spoke", "hub")
    azure.drop(PEERING, to_spoke)
    assert state(azure, peer(azure, "spoke", "hub")) == "Initiated"
    assert state(azure, peer(azure, "hub", "spoke")) == "Connected"


def test_a_network_goes_with_its_peerings_and_leaves_the_other_side_disconnected(azure: Azure) -> None:
    """A peering holds no network."""
    to_spoke, _ = hub_and_spoke(azure)
    azure.drop("network:VirtualNetwork", f"{azure.group}/providers/Microsoft.Network/virtualNetworks/spoke")
    assert state(azure, to_spoke) == "Disconnected"


def test_a_network_has_one_peering_with_another_and_none_with_itself(azure: Azure) -> None:
    """Under whatever name."""
    hub_and_spoke(azure)
    with pytest.raises(AzureError, match="AnotherPeeringAlreadyReferencesRemoteVnet"):
        peer(azure, "hub", "spoke", "again")
    with pytest.raises(AzureError, match="cannot be peered with itself"):
        peer(azure, "hub", "hub")


def test_a_network_does_not_grow_into_its_peers(azure: Azure) -> None:
    """An overlap is refused afterwards too; two spokes of one hub may not overlap either."""
    hub_and_spoke(azure)
    hub = f"{azure.group}/providers/Microsoft.Network/virtualNetworks/hub"
    grown = {
        "resourceGroupName": "rg",
        "virtualNetworkName": "hub",
        "location": "eastus2",
        "addressSpace": {"addressPrefixes": ["10.0.0.0/16", "10.1.128.0/17"]},
    }
    with pytest.raises(AzureError, match="VnetAddressSpaceOverlapsWithAlreadyPeeredVnet"):
        azure.cloud.update("azure-native:network:VirtualNetwork", hub, grown)
    azure.network("second", "10.1.64.0/18")
    with pytest.raises(AzureError, match="VnetAddressSpacesOverlap"):
        peer(azure, "hub", "second")


def test_a_subnet_in_use_stays_inline_and_separate(azure: Azure) -> None:
    """Neither left out of its network nor deleted by itself."""
    network = azure.network("hub", "10.0.0.0/16", {"name": "inline", "addressPrefix": "10.0.0.0/24"})
    separate = azure.make(
        "network:Subnet", virtualNetworkName="hub", subnetName="separate", addressPrefix="10.0.1.0/24"
    )[0]
    for name, subnet in (("one", f"{network}/subnets/inline"), ("two", separate)):
        azure.make("network:PrivateEndpoint", privateEndpointName=name, location="eastus2", subnet={"id": subnet})
    inputs = {"resourceGroupName": "rg", "virtualNetworkName": "hub", "location": "eastus2"}
    with pytest.raises(AzureError, match=r"InUseSubnetCannotBeDeleted.*inline"):
        azure.cloud.update(
            "azure-native:network:VirtualNetwork",
            network,
            {**inputs, "addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}, "subnets": []},
        )
    with pytest.raises(AzureError, match=r"InUseSubnetCannotBeDeleted.*separate"):
        azure.drop("network:Subnet", separate)


@pytest.mark.parametrize(
    ("prefix", "told"),
    [("10.0.0.128/25", "NetcfgSubnetRangesOverlap"), ("10.9.0.0/24", "NetcfgSubnetRangeOutsideVnet")],
)
def test_a_separate_subnet_fits_beside_the_others_too(azure: Azure, prefix: str, told: str) -> None:
    """Beside inline and separate ones, and inside its network."""
    azure.network("hub", "10.0.0.0/16", {"name": "inline", "addressPrefix": "10.0.0.0/24"})
    second = {"virtualNetworkName": "hub", "subnetName": "second"}
    with pytest.raises(AzureError, match=told):
        azure.make("network:Subnet", **second, addressPrefix=prefix)
    azure.make("network:Subnet", **second, addressPrefix="10.0.1.0/24")
    with pytest.raises(AzureError, match="NetcfgSubnetRangesOverlap"):
        azure.make("network:Subnet", virtualNetworkName="hub", subnetName="third", addressPrefix="10.0.1.0/25")


def test_a_label_of_a_public_address_is_unique_in_its_region(azure: Azure) -> None:
    """Another region has names of its own."""
    label = {"dnsSettings": {"domainNameLabel": "web"}}
    azure.make("network:PublicIPAddress", publicIpAddressName="one", location="eastus2", **label)
    with pytest.raises(AzureError, match="DnsRecordInUse"):
        azure.make("network:PublicIPAddress", publicIpAddressName="two", location="eastus2", **label)
    azure.make("network:PublicIPAddress", publicIpAddressName="two", location="centralus", **label)


@pytest.mark.parametrize(
    ("child", "lock"),
    [
        ("virtualNetworks/hub/subnets/a", "virtualnetworks/hub"),
        ("virtualNetworks/hub/virtualNetworkPeerings/b", "virtualnetworks/hub"),
        ("firewallPolicies/base/ruleCollectionGroups/c", "firewallpolicies/base"),
    ],
)
def test_children_of_one_network_or_policy_are_written_one_at_a_time(child: str, lock: str) -> None:
    """They share their parent's lock."""
    prefix = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/"
    assert busy_key(prefix + child) == f"{prefix}{lock}".lower()


def test_azure_gives_out_the_fifth_address_first() -> None:
    """It keeps the first four, and the last."""
    assert first_usable_address("10.0.0.0/26") == "10.0.0.4"


@pytest.mark.parametrize(("base", "child", "weaker"), [("Deny", "Alert", True), ("Alert", "Deny", False)])
def test_a_child_policys_threat_intelligence_is_not_weaker(azure: Azure, base: str, child: str, weaker: bool) -> None:
    """Alert is the default of the base; a child that says nothing inherits."""
    made = azure.make("network:FirewallPolicy", firewallPolicyName="base", location="eastus2", threatIntelMode=base)[0]
    azure.make("network:FirewallPolicy", firewallPolicyName="silent", location="eastus2", basePolicy={"id": made})
    inputs = {"firewallPolicyName": "child", "location": "eastus2", "basePolicy": {"id": made}}
    if weaker:
        with pytest.raises(AzureError, match="is weaker than that of the base policy"):
            azure.make("network:FirewallPolicy", **inputs, threatIntelMode=child)
    else:
        azure.make("network:FirewallPolicy", **inputs, threatIntelMode=child)


def test_a_child_policys_tier_is_not_lower(azure: Azure) -> None:
    """Premium may build on Standard, not the other way round."""
    made = azure.make("network:FirewallPolicy", firewallPolicyName="base", location="eastus2", sku={"tier": "Premium"})[
        0
    ]
    inputs = {"firewallPolicyName": "child", "location": "eastus2", "basePolicy": {"id": made}}
    with pytest.raises(AzureError, match="FirewallPolicyBasePolicyTierMismatch"):
        azure.make("network:FirewallPolicy", **inputs, sku={"tier": "Standard"})
    azure.make("network:FirewallPolicy", **inputs, sku={"tier": "Premium"})


@pytest.mark.parametrize(
    ("token", "name_input", "reference"),
    [
        ("network:NatGateway", "natGatewayName", "natGateway"),
        ("network:RouteTable", "routeTableName", "routeTable"),
        ("network:NetworkSecurityGroup", "networkSecurityGroupName", "networkSecurityGroup"),
    ],
)
def test_what_a_subnet_uses_stays(azure: Azure, token: str, name_input: str, reference: str) -> None:
    """Until the subnet lets it go."""
    used = azure.make(token, **{name_input: "used"}, location="eastus2")[0]
    network = azure.network(
        "hub", "10.0.0.0/16", {"name": "a", "addressPrefix": "10.0.0.0/24", reference: {"id": used}}
    )
    with pytest.raises(AzureError, match="InUse"):
        azure.drop(token, used)
    azure.drop("network:VirtualNetwork", network)
    azure.drop(token, used)


def test_a_watcher_comes_some_time_after_the_first_network(azure: Azure) -> None:
    """With a clock; a flow log before that has no parent."""
    time = [0.0]
    azure.cloud = AzureCloud(azure.store, lambda: time[0])
    network = azure.network("hub", "10.0.0.0/16")
    flow_log = {
        "resourceGroupName": "NetworkWatcherRG",
        "networkWatcherName": "NetworkWatcher_eastus2",
        "flowLogName": "hub",
        "targetResourceId": network,
    }
    with pytest.raises(AzureError, match="NotFound"):
        azure.make("network:FlowLog", **flow_log)
    time[0] += WATCHER_SECONDS - 1
    with pytest.raises(AzureError, match="NotFound"):
        azure.make("network:FlowLog", **flow_log)
    time[0] += 1
    azure.make("network:FlowLog", **flow_log)
    with pytest.raises(AzureError, match="NetworkWatcherCountLimitReached"):
        azure.make("network:NetworkWatcher", networkWatcherName="own", location="eastus2")


def test_azure_adds_no_watcher_beside_one_that_came_meanwhile(azure: Azure) -> None:
    """Somebody was faster."""
    time = [0.0]
    azure.cloud = AzureCloud(azure.store, lambda: time[0])
    azure.network("hub", "10.0.0.0/16")
    azure.make("network:NetworkWatcher", networkWatcherName="own", location="eastus2")
    time[0] += WATCHER_SECONDS
    azure.network("spoke", "10.1.0.0/16")
    assert len(azure.store.of_type("Microsoft.Network/networkWatchers")) == 1


@pytest.mark.parametrize(
    ("subnet", "address", "tier", "told"),
    [
        ("AzureFirewallSubnet", "Standard", "Standard", None),
        ("other", "Standard", "Standard", "AzureFirewallSubnetNameInvalid"),
        ("AzureFirewallSubnet", "Basic", "Standard", "AzureFirewallPublicIpSkuInvalid"),
        ("AzureFirewallSubnet", "Standard", "Premium", "AzureFirewallPolicyTierMismatch"),
    ],
)
def test_a_firewall_has_its_subnet_a_standard_address_and_its_policys_tier(
    azure: Azure, subnet: str, address: str, tier: str, told: str | None
) -> None:
    """Known by name, SKU and tier."""
    network = azure.network("hub", "10.0.0.0/24", {"name": subnet, "addressPrefix": "10.0.0.0/26"})
    pip = azure.make("network:PublicIPAddress", publicIpAddressName="pip", location="eastus2", sku={"name": address})[0]
    policy = azure.make("network:FirewallPolicy", firewallPolicyName="fp", location="eastus2", sku={"tier": tier})[0]
    place = {"subnet": {"id": f"{network}/subnets/{subnet}"}, "publicIPAddress": {"id": pip}}
    inputs = {
        "azureFirewallName": "fw",
        "location": "eastus2",
        "firewallPolicy": {"id": policy},
        "ipConfigurations": [{"name": "c", **place}],
    }
    if told is None:
        azure.make("network:AzureFirewall", **inputs)
        return
    with pytest.raises(AzureError, match=told):
        azure.make("network:AzureFirewall", **inputs)
