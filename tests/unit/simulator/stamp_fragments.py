"""A small region that works: hub with firewall, spoke, cluster identity, cluster, Flux. Tests leave out or spoil parts.

The names here are the tests' own; the simulated cloud must judge by what is stored, not by names.
"""

from __future__ import annotations

from typing import Any, Final

from simulator.behaviour import access
from tests.unit.simulator.conftest import Azure

FIREWALL_ADDRESS: Final = "10.0.0.4"
GIT_HOST: Final = "git.example.org"
DATA_PLANE: Final = "eastus2.dp.kubernetesconfiguration.azure.com"
LOAD_BALANCER: Final = "10.1.1.10"
EGRESS: Final = (DATA_PLANE, GIT_HOST)


def security_rule(priority: int, verdict: str, direction: str = "Inbound", **more: Any) -> dict[str, Any]:  # noqa: ANN401 - properties of any type
    """Return a rule for everything, with some of its properties set."""
    rule = {
        "name": f"r{priority}{direction}", "priority": priority, "access": verdict, "direction": direction,
        "protocol": "*", "sourcePortRange": "*", "sourceAddressPrefix": "*", "destinationAddressPrefix": "*",
        "destinationPortRange": "*",
    }  # fmt: skip
    return {**rule, **more}


def application_rule(*fqdns: str, tags: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return a rule that lets HTTPS to host names out."""
    return {
        "ruleType": "ApplicationRule", "name": "hosts", "sourceAddresses": ["10.1.0.0/16"], "targetFqdns": list(fqdns),
        "fqdnTags": list(tags), "protocols": [{"protocolType": "Https", "port": 443}],
    }  # fmt: skip


def network_rule(**to: list[str]) -> dict[str, Any]:
    """Return a rule that lets TCP 443 out, to addresses, tags or names."""
    return {
        "ruleType": "NetworkRule", "name": "tcp", "sourceAddresses": ["10.1.0.0/16"], "ipProtocols": ["TCP"],
        "destinationPorts": ["443"], **to,
    }  # fmt: skip


class Region:
    """The fragments of one region, made as they are asked for."""

    def __init__(self, azure: Azure, *, dns: tuple[str, ...] = (), proxy: bool = True) -> None:
        self.azure = azure
        self.identity, self.principal = azure.identity("controlplane")
        azure.make("network:RouteTable", routeTableName="rt", location="eastus2", routes=[_TO_THE_FIREWALL])
        self.hub = azure.network("hub", "10.0.0.0/24", {"name": "AzureFirewallSubnet", "addressPrefix": "10.0.0.0/26"})
        self.dns, self.proxy = dns, proxy
        self.spoke = ""

    def in_group(self, kind: str, name: str) -> str:
        """Return the id of a network resource of the group."""
        return f"{self.azure.group}/providers/Microsoft.Network/{kind}/{name}"

    def security_group(self, name: str, *rules: dict[str, Any]) -> None:
        """Make the group of the nodes' or the API server's subnet; before the spoke."""
        self.azure.make(
            "network:NetworkSecurityGroup",
            networkSecurityGroupName=name,
            location="eastus2",
            securityRules=list(rules),
        )

    def make_spoke(self, api_prefix: str = "10.1.4.0/28", *, delegated: bool = True) -> Region:
        """Make the spoke; groups named ``nodes`` and ``api`` are used when they exist."""
        delegation = [{"name": "aks", "serviceName": "Microsoft.ContainerService/managedClusters"}]
        groups = {
            name: {"networkSecurityGroup": {"id": self.in_group("networkSecurityGroups", name)}}
            for name in ("nodes", "api")
            if self.azure.store.exists(self.in_group("networkSecurityGroups", name))
        }
        route = {"routeTable": {"id": self.in_group("routeTables", "rt")}}
        subnets: list[dict[str, Any]] = [
            {"name": "nodes", "addressPrefix": "10.1.0.0/24", **route, **groups.get("nodes", {})},
            {"name": "ingress", "addressPrefix": "10.1.1.0/24"},
            {"name": "gateway", "addressPrefix": "10.1.2.0/24"},
            {"name": "endpoints", "addressPrefix": "10.1.3.0/24"},
            {"name": "api", "addressPrefix": api_prefix, "delegations": delegation if delegated else [],
             **groups.get("api", {})},
        ]  # fmt: skip
        self.spoke = self.azure.make(
            "network:VirtualNetwork", virtualNetworkName="spoke", location="eastus2",
            addressSpace={"addressPrefixes": ["10.1.0.0/16"]}, subnets=subnets,
            **({"dhcpOptions": {"dnsServers": list(self.dns)}} if self.dns else {}),
        )[0]  # fmt: skip
        return self

    def subnet(self, name: str) -> str:
        """Return the id of a subnet of the spoke."""
        return f"{self.spoke}/subnets/{name}"

    def peer(self) -> Region:
        """Peer the spoke with the hub."""
        ends = (("spoke", "to-hub", self.hub), ("hub", "to-spoke", self.spoke))
        for network, name, remote in ends:
            self.azure.make(
                "network:VirtualNetworkPeering", virtualNetworkName=network, virtualNetworkPeeringName=name,
                remoteVirtualNetwork={"id": remote},
            )  # fmt: skip
        return self

    def firewall(self, *rules: dict[str, Any]) -> Region:
        """Make the firewall; its rules are by default what nodes, extension and Flux need."""
        settings = {"dnsSettings": {"enableProxy": self.proxy}}
        policy = self.azure.make("network:FirewallPolicy", firewallPolicyName="fp", location="eastus2", **settings)[0]
        self.rules(*(rules or (application_rule(*EGRESS, tags=("AzureKubernetesService",)),)))
        address = self.azure.make(
            "network:PublicIPAddress", publicIpAddressName="pip", location="eastus2", sku={"name": "Standard"}
        )[0]
        place = {"subnet": {"id": f"{self.hub}/subnets/AzureFirewallSubnet"}, "publicIPAddress": {"id": address}}
        self.azure.make(
            "network:AzureFirewall", azureFirewallName="fw", location="eastus2", firewallPolicy={"id": policy},
            ipConfigurations=[{"name": "c", **place}],
        )  # fmt: skip
        return self

    def rules(self, *rules: dict[str, Any], group: str = "g", priority: int = 300) -> None:
        """Add a group of rules that allow something to the firewall's policy."""
        collection = {
            "ruleCollectionType": "FirewallPolicyFilterRuleCollection", "name": "c", "priority": 200,
            "action": {"type": "Allow"}, "rules": list(rules),
        }  # fmt: skip
        self.azure.make(
            "network:FirewallPolicyRuleCollectionGroup", firewallPolicyName="fp", ruleCollectionGroupName=group,
            priority=priority, ruleCollections=[collection],
        )  # fmt: skip

    def roles(self, *subnets: str) -> Region:
        """Give the cluster's identity Network Contributor on subnets of the spoke."""
        for name in subnets:
            self.azure.assign(self.subnet(name), self.principal, access.NETWORK_CONTRIBUTOR)
        return self

    def cluster_inputs(self, api: str = "integrated", **more: Any) -> dict[str, Any]:  # noqa: ANN401 - inputs of any type
        """Return the inputs of a cluster on an overlay, with its API server integrated, behind a link, or public."""
        server: dict[str, Any] = {"enablePrivateCluster": api != "public"}
        if api == "integrated":
            server.update(enableVnetIntegration=True, subnetId=self.subnet("api"))
        pool = {"name": "system", "mode": "System", "vmSize": "Standard_D4s_v5", "vnetSubnetID": self.subnet("nodes")}
        return {
            "resourceName": "aks", "location": "eastus2", "dnsPrefix": "aks", "apiServerAccessProfile": server,
            "identity": {"type": "UserAssigned", "userAssignedIdentities": [self.identity]},
            "agentPoolProfiles": [pool],
            "networkProfile": {
                "outboundType": "userDefinedRouting", "networkPluginMode": "overlay", "podCidr": "10.64.0.0/16",
            },
            **more,
        }  # fmt: skip

    def cluster(self, api: str = "integrated", **more: Any) -> str:  # noqa: ANN401 - inputs of any type
        """Make the cluster and return its id."""
        return self.azure.make("containerservice:ManagedCluster", **self.cluster_inputs(api, **more))[0]

    def extension(self) -> None:
        """Install Flux."""
        self.azure.make(
            "kubernetesconfiguration:Extension", **_ON_THE_CLUSTER, extensionName="f", extensionType="microsoft.flux"
        )

    def flux(self, *, wait: bool = True, address: str = LOAD_BALANCER) -> None:
        """Configure Flux with a load balancer's address for the manifests."""
        self.azure.make(
            "kubernetesconfiguration:FluxConfiguration", **_ON_THE_CLUSTER, fluxConfigurationName="c",
            waitForReconciliation=wait, sourceKind="GitRepository",
            gitRepository={"url": f"https://{GIT_HOST}/fleet"},
            kustomizations={"all": {"postBuild": {"substitute": {"WHERE": address, "WHO": "one"}}}},
        )  # fmt: skip


_TO_THE_FIREWALL: Final = {
    "name": "all", "addressPrefix": "0.0.0.0/0", "nextHopType": "VirtualAppliance",
    "nextHopIpAddress": FIREWALL_ADDRESS,
}  # fmt: skip
_ON_THE_CLUSTER: Final = {
    "clusterRp": "Microsoft.ContainerService", "clusterResourceName": "managedClusters", "clusterName": "aks",
}  # fmt: skip


def working_region(azure: Azure, **more: Any) -> Region:  # noqa: ANN401 - options of any type
    """Return a region whose cluster can be made at once."""
    return Region(azure, **more).make_spoke().peer().firewall().roles("api", "nodes", "ingress")
