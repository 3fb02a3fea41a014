"""The hub's firewall, its public addresses and the stamp's own policy.

The rules themselves are data in `egress_rules`. The organisation's base rules belong to `shared`: with `regional`
inheritance this makes the stamp's own base policy from them, with `shared` it only names the one in the shared stack.
"""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
from pulumi_azure_native import network
from pydantic import Field

from foundation.azure_retries import transient_retry
from foundation.azure_types import Arguments, In
from foundation.diagnostic_settings import diagnostic_settings
from foundation.naming import Naming
from shared.firewall_base_policy import FirewallBasePolicy, FirewallBasePolicyArgs
from shared.outputs import FirewallContract
from stamps.address_plan import AddressPlan
from stamps.egress_rules import GroupPriority, application_collections

# Without AZFWFatFlow and AZFWFlowTrace, which cost throughput and are switched on to look for a fault only.
LOG_CATEGORIES = (
    "AZFWNetworkRule",
    "AZFWApplicationRule",
    "AZFWNatRule",
    "AZFWThreatIntel",
    "AZFWIdpsSignature",
    "AZFWDnsQuery",
    "AZFWFqdnResolveFailure",
)


class FirewallArgs(Arguments):
    """`base` says where the organisation's rules come from; `own_allowed_fqdns` are the stamp's additions.

    `subnet_id` is the AzureFirewallSubnet, `git_host` the host that Flux reads, `workspace_id` the network workspace.
    """

    naming: Naming
    location: str
    plan: AddressPlan
    zones: tuple[str, ...]
    resource_group_name: In[str]
    subnet_id: In[str]
    workspace_id: In[str]
    base: FirewallContract
    own_allowed_fqdns: tuple[str, ...] = ()
    public_ip_count: int = Field(default=3, ge=1, le=16)
    git_host: str
    tags: dict[str, str]


class Firewall(pulumi.ComponentResource):
    """The egress firewall of one stamp. Its private address is not an output: `AddressPlan` computes it."""

    firewall: network.AzureFirewall
    rule_collection_groups: list[network.FirewallPolicyRuleCollectionGroup]
    public_addresses: pulumi.Output[list[str]]

    def __init__(self, name: str, args: FirewallArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("aks-geode:stamps:Firewall", name, None, opts)
        policy = self._policy(name, args)
        self.rule_collection_groups = self._rule_collection_groups(name, args, policy)
        addresses = [self._public_address(name, args, index) for index in range(args.public_ip_count)]
        self.firewall = network.AzureFirewall(
            f"{name}-firewall",
            azure_firewall_name=args.naming.name("afw", "hub"),
            resource_group_name=args.resource_group_name,
            location=args.location,
            zones=list(args.zones) or None,
            tags=args.tags,
            sku={"name": "AZFW_VNet", "tier": args.base.sku},
            threat_intel_mode="Deny",
            firewall_policy={"id": policy.id},
            ip_configurations=_ip_configurations(args, addresses),
            # A write to a policy's rules locks every firewall that uses it, and a firewall without its rules would
            # refuse the first nodes: so it comes after all groups.
            opts=pulumi.ResourceOptions(parent=self, depends_on=self.rule_collection_groups, hooks=transient_retry()),
        )
        diagnostic_settings(
            f"{name}-diagnostics",
            target_id=self.firewall.id,
            workspace_id=args.workspace_id,
            parent=self,
            logs=LOG_CATEGORIES,
            destination_type="Dedicated",
        )
        self.public_addresses = pulumi.Output.all(
            *(pulumi.Output.format("{0}", address.ip_address) for address in addresses)
        )
        self.register_outputs({"public_addresses": self.public_addresses})

    def _policy(self, name: str, args: FirewallArgs) -> network.FirewallPolicy:
        location, base_id, base_groups = self._base_policy(name, args)
        return network.FirewallPolicy(
            f"{name}-policy",
            firewall_policy_name=args.naming.name("afwp", "hub"),
            resource_group_name=args.resource_group_name,
            location=location,
            tags=args.tags,
            base_policy={"id": base_id},
            # Azure refuses a child that is cheaper or more lenient than its parent.
            sku={"tier": args.base.sku},
            threat_intel_mode="Deny",
            intrusion_detection={"mode": "Deny"} if args.base.sku == "Premium" else None,
            dns_settings={"enable_proxy": True, "servers": []},
            # The base's groups first: Azure takes one write at a time to a policy and to those that inherit from it.
            opts=pulumi.ResourceOptions(parent=self, depends_on=base_groups, hooks=transient_retry()),
        )

    def _base_policy(self, name: str, args: FirewallArgs) -> tuple[str, In[str], Sequence[pulumi.Resource]]:
        """Return the child policy's location, the base policy's id and what has to exist before the child."""
        if args.base.inheritance == "shared":
            if args.base.base_policy_id is None or args.base.base_policy_location is None:
                raise ValueError(
                    "the shared contract says firewall inheritance 'shared' but names no base policy; "
                    "expected its id and region, which `pulumi up` of the shared stack exports"
                )
            # Azure finds a base policy in the child's own region only.
            return args.base.base_policy_location, args.base.base_policy_id, ()
        base = FirewallBasePolicy(
            f"{name}-base",
            FirewallBasePolicyArgs(
                resource_group_name=args.resource_group_name,
                location=args.location,
                naming=args.naming,
                sku=args.base.sku,
                allowed_fqdns=args.base.allowed_fqdns,
                tags=args.tags,
            ),
            pulumi.ResourceOptions(parent=self),
        )
        return args.location, base.id, base.rule_collection_groups

    def _rule_collection_groups(
        self, name: str, args: FirewallArgs, policy: network.FirewallPolicy
    ) -> list[network.FirewallPolicyRuleCollectionGroup]:
        application = application_collections(
            region=args.location,
            git_host=args.git_host,
            allowed_fqdns=args.own_allowed_fqdns,
            sources=[str(args.plan.nodes)],
        )
        # The first two are empty on purpose: they hold the place, in Azure's usual order, for rules of later features.
        content: tuple[tuple[str, str, GroupPriority, list[network.FirewallPolicyFilterRuleCollectionArgs]], ...] = (
            ("dnat", "DefaultDnatRuleCollectionGroup", GroupPriority.DNAT, []),
            ("network", "DefaultNetworkRuleCollectionGroup", GroupPriority.NETWORK, []),
            ("application", "DefaultApplicationRuleCollectionGroup", GroupPriority.APPLICATION, application),
        )
        groups: list[network.FirewallPolicyRuleCollectionGroup] = []
        for role, group_name, priority, collections in content:
            groups.append(
                network.FirewallPolicyRuleCollectionGroup(
                    f"{name}-{role}-rules",
                    rule_collection_group_name=group_name,
                    firewall_policy_name=policy.name,
                    resource_group_name=args.resource_group_name,
                    priority=priority,
                    rule_collections=list(collections),
                    # Azure takes one rule collection group at a time into a policy.
                    opts=pulumi.ResourceOptions(parent=self, depends_on=groups[-1:], hooks=transient_retry()),
                )
            )
        return groups

    def _public_address(self, name: str, args: FirewallArgs, index: int) -> network.PublicIPAddress:
        role = f"firewall-{index:02}"
        address = network.PublicIPAddress(
            f"{name}-address-{index:02}",
            public_ip_address_name=args.naming.name("pip", role),
            resource_group_name=args.resource_group_name,
            location=args.location,
            zones=list(args.zones) or None,
            tags=args.tags,
            sku={"name": "Standard", "tier": "Regional"},
            public_ip_allocation_method="Static",
            public_ip_address_version="IPv4",
            idle_timeout_in_minutes=4,
            opts=pulumi.ResourceOptions(parent=self),
        )
        diagnostic_settings(
            f"{name}-address-{index:02}-diagnostics",
            target_id=address.id,
            workspace_id=args.workspace_id,
            parent=self,
            log_groups=("allLogs",),
        )
        return address


def _ip_configurations(
    args: FirewallArgs, addresses: Sequence[network.PublicIPAddress]
) -> list[network.AzureFirewallIPConfigurationArgsDict]:
    """Return one configuration an address; Azure wants the subnet on the first and on no other."""
    configurations: list[network.AzureFirewallIPConfigurationArgsDict] = []
    for index, address in enumerate(addresses):
        configuration: network.AzureFirewallIPConfigurationArgsDict = {
            "name": args.naming.name("pip", f"firewall-{index:02}"),
            "public_ip_address": {"id": address.id},
        }
        if index == 0:
            configuration["subnet"] = {"id": args.subnet_id}
        configurations.append(configuration)
    return configurations
