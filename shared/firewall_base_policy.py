"""The base firewall policy: what the organisation lays down for every firewall of the fleet.

Used once by the shared stack (inheritance `shared`) or once by each stamp (inheritance `regional`), always from the
same rules. It owns no firewall and no child policy.
"""

from __future__ import annotations

from typing import Literal

import pulumi
from pulumi_azure_native import network

from foundation.azure_retries import transient_retry
from foundation.azure_types import Arguments, In
from foundation.naming import Naming
from shared.firewall_base_rules import GroupPriority, application_collections, network_collections


class FirewallBasePolicyArgs(Arguments):
    """`location` is also where every child policy has to lie: Azure finds a base policy in the child's region only."""

    resource_group_name: In[str]
    location: str
    naming: Naming
    sku: Literal["Standard", "Premium"]
    allowed_fqdns: tuple[str, ...]
    tags: dict[str, str]


class FirewallBasePolicy(pulumi.ComponentResource):
    """A parent policy with its rule groups. A child waits for `rule_collection_groups`, not only for the policy."""

    id: pulumi.Output[str]
    name: pulumi.Output[str]
    rule_collection_groups: list[pulumi.Resource]

    def __init__(self, name: str, args: FirewallBasePolicyArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("aks-geode:shared:FirewallBasePolicy", name, None, opts)
        policy = network.FirewallPolicy(
            f"{name}-policy",
            firewall_policy_name=args.naming.name("afwp", "base"),
            resource_group_name=args.resource_group_name,
            location=args.location,
            tags=args.tags,
            sku={"tier": args.sku},
            threat_intel_mode="Deny",
            threat_intel_whitelist={"ip_addresses": [], "fqdns": []},
            intrusion_detection={"mode": "Deny"} if args.sku == "Premium" else None,
            # On, as in every child, so that a stamp may take its firewall as DNS server; off, network rules by host
            # name would be refused. The proxy asks Azure's resolver: no servers of our own.
            dns_settings={"enable_proxy": True, "servers": []},
            opts=pulumi.ResourceOptions(parent=self),
        )
        groups: list[pulumi.Resource] = []
        for role, group_name, priority, collections in (
            ("network", "DefaultNetworkRuleCollectionGroup", GroupPriority.NETWORK, network_collections()),
            (
                "application",
                "DefaultApplicationRuleCollectionGroup",
                GroupPriority.APPLICATION,
                application_collections(args.allowed_fqdns),
            ),
        ):
            groups.append(
                network.FirewallPolicyRuleCollectionGroup(
                    f"{name}-{role}-rules",
                    rule_collection_group_name=group_name,
                    firewall_policy_name=policy.name,
                    resource_group_name=args.resource_group_name,
                    priority=priority.value,
                    rule_collections=list(collections),
                    # Azure takes one rule collection group at a time into a policy.
                    opts=pulumi.ResourceOptions(parent=self, depends_on=groups[-1:], hooks=transient_retry()),
                )
            )
        self.id, self.name = policy.id, policy.name
        self.rule_collection_groups = groups
        self.register_outputs({"id": self.id})
