"""What Azure's services refuse: network, firewall, Front Door, vault, gateway, cluster."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.azure_errors import AzureError
from simulator.behaviour import access
from tests.unit.simulator.conftest import Azure

APPLIANCE = {
    "name": "all",
    "addressPrefix": "0.0.0.0/0",
    "nextHopType": "VirtualAppliance",
    "nextHopIpAddress": "10.0.0.4",
}
GATEWAY_MANAGER = {
    "name": "manager", "priority": 100, "direction": "Inbound", "access": "Allow", "protocol": "Tcp",
    "sourcePortRange": "*",
    "sourceAddressPrefix": "GatewayManager", "destinationAddressPrefix": "*", "destinationPortRange": "65200-65535",
}  # fmt: skip


@pytest.mark.parametrize(
    ("subnet", "code"),
    [
        ({"name": "AzureBastionSubnet", "addressPrefix": "10.0.0.0/27"}, "InvalidSubnetSize"),
        ({"name": "AzureFirewallSubnet", "addressPrefix": "10.0.0.0/27"}, "InvalidSubnetSize"),
        ({"name": "a", "addressPrefix": "10.9.0.0/24"}, "NetcfgSubnetRangeOutsideVnet"),
        ({"name": "a", "addressPrefix": "10.0.1.0/24"}, "NetcfgSubnetRangesOverlap"),
    ],
)
def test_a_subnet_that_azure_refuses_is_refused(azure: Azure, subnet: dict[str, Any], code: str) -> None:
    """Size by reserved name, place and overlap."""
    with pytest.raises(AzureError, match=code):
        azure.network("v", "10.0.0.0/16", {"name": "first", "addressPrefix": "10.0.1.0/25"}, subnet)


def test_a_gateway_subnet_takes_no_default_route_to_an_appliance(azure: Azure) -> None:
    """Neither the VPN gateway's subnet nor an application gateway's."""
    table = azure.make("network:RouteTable", routeTableName="t", location="eastus2", routes=[APPLIANCE])[0]
    subnet = {"name": "GatewaySubnet", "addressPrefix": "10.0.0.0/27", "routeTable": {"id": table}}
    with pytest.raises(AzureError, match="GatewaySubnetDefaultRouteNotAllowed"):
        azure.network("v", "10.0.0.0/16", subnet)
    network = azure.network("w", "10.0.0.0/16", {**subnet, "name": "gateway"})
    with pytest.raises(AzureError, match="UserDefinedRouteNotSupported"):
        gateway(azure, f"{network}/subnets/gateway")


def test_a_gateway_needs_its_management_ports_open(azure: Azure) -> None:
    """65200-65535 from GatewayManager, before any deny."""
    deny = {
        **GATEWAY_MANAGER,
        "name": "deny",
        "access": "Deny",
        "sourceAddressPrefix": "*",
        "destinationPortRange": "*",
    }
    closed = azure.make(
        "network:NetworkSecurityGroup", networkSecurityGroupName="closed", location="eastus2", securityRules=[deny]
    )[0]
    probes = {**GATEWAY_MANAGER, "name": "probes", "priority": 110, "sourceAddressPrefix": "AzureLoadBalancer"}
    rules = [{**deny, "priority": 4096}, GATEWAY_MANAGER, {**probes, "destinationPortRange": "*"}]
    opened = azure.make(
        "network:NetworkSecurityGroup", networkSecurityGroupName="open", location="eastus2", securityRules=rules
    )[0]
    network = azure.network(
        "v", "10.0.0.0/16",
        {"name": "closed", "addressPrefix": "10.0.0.0/24", "networkSecurityGroup": {"id": closed}},
        {"name": "open", "addressPrefix": "10.0.1.0/24", "networkSecurityGroup": {"id": opened}},
    )  # fmt: skip
    with pytest.raises(AzureError, match="InboundTrafficBlockedByNetworkSecurityGroup"):
        gateway(azure, f"{network}/subnets/closed")
    gateway(azure, f"{network}/subnets/open")
    with pytest.raises(AzureError, match="InUseSubnetCannotBeDeleted"):
        azure.drop("network:VirtualNetwork", network)
    with pytest.raises(AzureError, match="InUseNetworkSecurityGroupCannotBeDeleted"):
        azure.drop("network:NetworkSecurityGroup", opened)


def gateway(azure: Azure, subnet: str, **more: Any) -> str:  # noqa: ANN401 - inputs of any type
    """Create an application gateway in a subnet."""
    configuration = [{"name": "c", "subnet": {"id": subnet}}]
    name = f"agw-{subnet.rsplit('/', 1)[1]}"
    return azure.make(
        "network:ApplicationGateway",
        applicationGatewayName=name,
        location="eastus2",
        gatewayIPConfigurations=configuration,
        **more,
    )[0]


def test_peered_networks_do_not_overlap_and_two_sides_connect(azure: Azure) -> None:
    """A peering is Initiated until the other side exists."""
    hub, spoke, same = (
        azure.network(n, s) for n, s in (("hub", "10.0.0.0/16"), ("spoke", "10.1.0.0/16"), ("same", "10.0.0.0/16"))
    )
    out = {"virtualNetworkName": "hub", "virtualNetworkPeeringName": "to-spoke", "remoteVirtualNetwork": {"id": spoke}}
    first, outputs = azure.make("network:VirtualNetworkPeering", **out)
    assert outputs["peeringState"] == "Initiated"
    back = {"virtualNetworkName": "spoke", "virtualNetworkPeeringName": "to-hub", "remoteVirtualNetwork": {"id": hub}}
    assert azure.make("network:VirtualNetworkPeering", **back)[1]["peeringState"] == "Connected"
    stored = azure.cloud.read(first)
    assert stored is not None
    assert stored.outputs["peeringState"] == "Connected"
    with pytest.raises(AzureError, match="VnetAddressSpacesOverlap"):
        azure.make(
            "network:VirtualNetworkPeering",
            **{**out, "virtualNetworkPeeringName": "x", "remoteVirtualNetwork": {"id": same}},
        )


def test_a_child_policy_lies_in_its_base_policys_region(azure: Azure) -> None:
    """And a policy that something builds on stays."""
    base = azure.make("network:FirewallPolicy", firewallPolicyName="base", location="eastus2")[0]
    child = {"firewallPolicyName": "child", "basePolicy": {"id": base}}
    with pytest.raises(AzureError, match="FirewallPolicyBasePolicyDoesnotExist"):
        azure.make("network:FirewallPolicy", **child, location="centralus")
    made = azure.make("network:FirewallPolicy", **child, location="East US 2")[0]
    with pytest.raises(AzureError, match="FirewallPolicyReferencedByOtherResources"):
        azure.drop("network:FirewallPolicy", base)
    azure.drop("network:FirewallPolicy", made)
    azure.drop("network:FirewallPolicy", base)


def test_fqdn_network_rules_need_the_dns_proxy(azure: Azure) -> None:
    """And every rule a source."""
    rule = {"ruleType": "NetworkRule", "name": "n", "sourceAddresses": ["10.0.0.0/8"], "destinationFqdns": ["a.com"]}
    azure.make("network:FirewallPolicy", firewallPolicyName="p", location="eastus2")
    group = {
        "firewallPolicyName": "p", "ruleCollectionGroupName": "g", "priority": 200,
        "ruleCollections": [{"ruleCollectionType": "FirewallPolicyFilterRuleCollection", "rules": [rule]}],
    }  # fmt: skip
    with pytest.raises(AzureError, match="FirewallPolicyDnsProxyNotEnabled"):
        azure.make("network:FirewallPolicyRuleCollectionGroup", **group)


def front_door(azure: Azure) -> str:
    """Create a profile with endpoint and origin group, and return the group's id."""
    azure.make("cdn:Profile", profileName="p", location="global", sku={"name": "Premium_AzureFrontDoor"})
    azure.make("cdn:AFDEndpoint", profileName="p", endpointName="e", location="global")
    return azure.make("cdn:AFDOriginGroup", profileName="p", originGroupName="g")[0]


def test_a_route_needs_an_enabled_origin_and_the_last_one_stays(azure: Azure) -> None:
    """An origin that is not the last can go, and the profile takes all with it."""
    group = front_door(azure)
    route = {"profileName": "p", "endpointName": "e", "routeName": "r", "originGroup": {"id": group}}
    origin = {"profileName": "p", "originGroupName": "g", "hostName": "a.example"}
    with pytest.raises(AzureError, match="At least one enabled origin"):
        azure.make("cdn:Route", **route)
    first = azure.make("cdn:AFDOrigin", **origin, originName="first")[0]
    made = azure.make("cdn:Route", **route)[0]
    with pytest.raises(AzureError, match="Cannot disable or delete the last origin"):
        azure.drop("cdn:AFDOrigin", first)
    disabled = {"resourceGroupName": "rg", **origin, "originName": "first", "enabledState": "Disabled"}
    with pytest.raises(AzureError, match="Cannot disable or delete the last origin"):
        azure.cloud.update("azure-native:cdn:AFDOrigin", first, disabled)
    azure.make("cdn:AFDOrigin", **origin, originName="second")
    azure.drop("cdn:AFDOrigin", first)
    azure.drop("cdn:Profile", group.rsplit("/originGroups/", 1)[0])
    assert azure.cloud.read(made) is None


VAULT = {
    "sku": {"family": "A", "name": "standard"},
    "tenantId": "t",
    "enablePurgeProtection": True,
    "publicNetworkAccess": "Disabled",
}


def test_a_deleted_vault_keeps_its_name(azure: Azure) -> None:
    """Soft delete; a recovery brings it back."""
    vault = azure.make("keyvault:Vault", vaultName="vault-1", location="eastus2", properties=VAULT)[0]
    azure.drop("keyvault:Vault", vault)
    with pytest.raises(AzureError, match="already exists in deleted state"):
        azure.make("keyvault:Vault", vaultName="vault-1", location="eastus2", properties=VAULT)
    azure.make("keyvault:Vault", vaultName="vault-1", location="eastus2", properties={**VAULT, "createMode": "recover"})


def test_a_group_deletion_soft_deletes_its_vaults(azure: Azure) -> None:
    """The name is held then as well."""
    azure.make("keyvault:Vault", vaultName="vault-1", location="eastus2", properties=VAULT)
    azure.drop("resources:ResourceGroup", azure.group)
    assert azure.cloud.kept_by_azure() == ["vault vault-1 (soft-deleted; purge protection keeps the name)"]


def test_purge_protection_cannot_be_taken_back(azure: Azure) -> None:
    """Once on, always on."""
    vault = azure.make("keyvault:Vault", vaultName="vault-1", location="eastus2", properties=VAULT)[0]
    inputs = {
        "resourceGroupName": "rg",
        "vaultName": "vault-1",
        "location": "eastus2",
        "properties": {**VAULT, "enablePurgeProtection": False},
    }
    with pytest.raises(AzureError, match="cannot be set to false"):
        azure.cloud.update("azure-native:keyvault:Vault", vault, inputs)


def test_a_secret_of_a_closed_vault_cannot_be_deleted_from_outside(azure: Azure) -> None:
    """The provider deletes it through the data plane."""
    azure.make("keyvault:Vault", vaultName="vault-1", location="eastus2", properties=VAULT)
    secret = azure.make("keyvault:Secret", vaultName="vault-1", secretName="s", properties={"value": "x"})[0]
    with pytest.raises(AzureError, match="ForbiddenByConnection"):
        azure.drop("keyvault:Secret", secret)


def test_a_gateway_gets_its_certificate_only_when_it_can_reach_it(azure: Azure) -> None:
    """Secret, role, private endpoint, zone group and a zone linked to the gateway's network: each is needed."""
    network = azure.network(
        "v", "10.0.0.0/16", *({"name": n, "addressPrefix": f"10.0.{i}.0/24"} for i, n in enumerate(("gw", "pe")))
    )
    vault = azure.make("keyvault:Vault", vaultName="vault-1", location="eastus2", properties=VAULT)[0]
    identity, principal = azure.identity("gateway")
    more = {
        "identity": {"type": "UserAssigned", "userAssignedIdentities": [identity]},
        "sslCertificates": [{"name": "c", "keyVaultSecretId": "https://vault-1.vault.azure.net/secrets/s"}],
    }

    def refused(reason: str) -> None:
        with pytest.raises(AzureError, match=f"ApplicationGatewayKeyVaultSecretException.*{reason}"):
            gateway(azure, f"{network}/subnets/gw", **more)

    refused("does not exist in vault")
    azure.make("keyvault:Secret", vaultName="vault-1", secretName="s", properties={"value": "x"})
    refused("Key Vault Secrets User")
    azure.assign(vault, principal, access.KEY_VAULT_SECRETS_USER)
    refused("no private endpoint")
    connection = [{"name": "c", "privateLinkServiceId": vault, "groupIds": ["vault"]}]
    endpoint = {"privateEndpointName": "pe", "location": "eastus2", "subnet": {"id": f"{network}/subnets/pe"}}
    azure.make("network:PrivateEndpoint", **endpoint, privateLinkServiceConnections=connection)
    zone = azure.make("privatedns:PrivateZone", privateZoneName="privatelink.vaultcore.azure.net", location="global")[0]
    configuration = [{"name": "z", "privateDnsZoneId": zone}]
    azure.make(
        "network:PrivateDnsZoneGroup",
        privateEndpointName="pe",
        privateDnsZoneGroupName="d",
        privateDnsZoneConfigs=configuration,
    )
    refused("is linked to the gateway's network")
    link = {"privateZoneName": "privatelink.vaultcore.azure.net", "virtualNetworkLinkName": "l", "location": "global"}
    azure.make("privatedns:VirtualNetworkLink", **link, virtualNetwork={"id": network})
    gateway(azure, f"{network}/subnets/gw", **more)


def test_a_cluster_needs_routes_and_roles_before_it_is_made(azure: Azure) -> None:
    """User-defined routing needs the default route, a kubelet identity the operator role."""
    identity, principal = azure.identity("cluster")
    kubelet, kubelet_principal = azure.identity("kubelet")
    own = {**APPLIANCE, "nextHopIpAddress": "10.1.1.4"}
    table = azure.make("network:RouteTable", routeTableName="t", location="eastus2", routes=[own])[0]
    bare = azure.network("bare", "10.0.0.0/16", {"name": "n", "addressPrefix": "10.0.0.0/24"})
    routed = azure.network(
        "routed", "10.1.0.0/16",
        {"name": "n", "addressPrefix": "10.1.0.0/24", "routeTable": {"id": table}},
        {"name": "appliance", "addressPrefix": "10.1.1.0/24"},
    )  # fmt: skip
    cluster: dict[str, Any] = {
        "resourceName": "aks", "location": "eastus2", "dnsPrefix": "aks",
        "identity": {"type": "UserAssigned", "userAssignedIdentities": [identity]},
        "identityProfile": {"kubeletidentity": {"resourceId": kubelet}},
        "networkProfile": {"outboundType": "userDefinedRouting"}, "oidcIssuerProfile": {"enabled": True},
    }  # fmt: skip
    pool = {"name": "system", "mode": "System", "vmSize": "Standard_D4s_v5"}
    with pytest.raises(AzureError, match="ExistingRouteTableNotAssociatedWithSubnet"):
        azure.make(
            "containerservice:ManagedCluster",
            **cluster,
            agentPoolProfiles=[{**pool, "vnetSubnetID": f"{bare}/subnets/n"}],
        )
    cluster["agentPoolProfiles"] = [{**pool, "vnetSubnetID": f"{routed}/subnets/n"}]
    with pytest.raises(AzureError, match="CustomKubeletIdentityMissingPermissionError"):
        azure.make("containerservice:ManagedCluster", **cluster)
    azure.assign(kubelet, principal, access.MANAGED_IDENTITY_OPERATOR)
    _, outputs = azure.make("containerservice:ManagedCluster", **cluster)
    assert outputs["identityProfile"]["kubeletidentity"]["objectId"] == kubelet_principal
    assert outputs["oidcIssuerProfile"]["issuerURL"].startswith("https://eastus2.oic.prod-aks.azure.com/")
    assert azure.store.exists(
        f"/subscriptions/{azure.cloud.subscription}/resourceGroups/{outputs['nodeResourceGroup']}"
    )


def test_a_collection_rule_lies_in_its_workspaces_region(azure: Azure) -> None:
    """Else logs would be lost silently."""
    workspace = azure.make("operationalinsights:Workspace", workspaceName="w", location="eastus2")[0]
    rule = {
        "dataCollectionRuleName": "r",
        "destinations": {"logAnalytics": [{"name": "w", "workspaceResourceId": workspace}]},
    }
    with pytest.raises(AzureError, match="must be in the region of its workspace"):
        azure.make("monitor:DataCollectionRule", **rule, location="centralus")
    azure.make("monitor:DataCollectionRule", **rule, location="eastus2")


def test_a_network_watcher_appears_with_the_first_network(azure: Azure) -> None:
    """Flow logs can be made below it, one for each target."""
    watcher = {"resourceGroupName": "NetworkWatcherRG", "networkWatcherName": "NetworkWatcher_eastus2"}
    azure.make(
        "storage:StorageAccount", accountName="flow", location="eastus2", kind="StorageV2", sku={"name": "Standard_ZRS"}
    )
    with pytest.raises(AzureError, match="ResourceGroupNotFound"):
        azure.make("network:FlowLog", **watcher, flowLogName="f")
    network = azure.network("v", "10.0.0.0/16")
    azure.make("network:FlowLog", **watcher, flowLogName="f", targetResourceId=network)
    with pytest.raises(AzureError, match="FlowLogAlreadyExists"):
        azure.make("network:FlowLog", **watcher, flowLogName="g", targetResourceId=network)
