"""The web application firewall at the edge, and what ties it to the endpoint.

Each stamp's gateway has a firewall of its own, which also refuses requests that come through another Front Door.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Literal

import pulumi
from pulumi_azure_native import cdn, frontdoor

from foundation.azure_retries import transient_retry
from foundation.azure_types import Arguments, In
from foundation.naming import Naming

BLOCKED_STATUS = 403


class RulePriority(IntEnum):
    """Custom rules in the order in which Front Door reads them, before the managed ones."""

    RATE_LIMIT = 100


class FrontDoorWafArgs(Arguments):
    """`rate_limit_per_minute` counts the requests of one client address at one of Front Door's places."""

    resource_group_name: In[str]
    profile_name: In[str]
    endpoint_id: In[str]
    mode: Literal["Prevention", "Detection"]
    rate_limit_per_minute: int
    naming: Naming
    tags: dict[str, str]


class FrontDoorWaf(pulumi.ComponentResource):
    """The policy and the security policy that puts it before every path of the endpoint."""

    policy_id: pulumi.Output[str]

    def __init__(self, name: str, args: FrontDoorWafArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("aks-geode:shared:FrontDoorWaf", name, None, opts)
        policy = frontdoor.Policy(
            f"{name}-policy",
            # Front Door refuses hyphens here.
            policy_name=args.naming.alphanumeric("waf", limit=128),
            resource_group_name=args.resource_group_name,
            location="global",
            tags=args.tags,
            sku={"name": "Premium_AzureFrontDoor"},
            policy_settings={
                "enabled_state": "Enabled",
                "mode": args.mode,
                "request_body_check": "Enabled",
                "custom_block_response_status_code": BLOCKED_STATUS,
            },
            custom_rules={"rules": [_rate_limit(args.rate_limit_per_minute)]},
            managed_rules={"managed_rule_sets": _managed_rule_sets()},
            opts=pulumi.ResourceOptions(parent=self),
        )
        cdn.SecurityPolicy(
            f"{name}-security-policy",
            security_policy_name="web-application-firewall",
            profile_name=args.profile_name,
            resource_group_name=args.resource_group_name,
            parameters={
                "type": "WebApplicationFirewall",
                "waf_policy": {"id": policy.id},
                "associations": [{"domains": [{"id": args.endpoint_id}], "patterns_to_match": ["/*"]}],
            },
            opts=pulumi.ResourceOptions(parent=self, hooks=transient_retry()),
        )
        self.policy_id = policy.id
        self.register_outputs({"policyId": self.policy_id})


def _rate_limit(threshold: int) -> frontdoor.CustomRuleArgsDict:
    return {
        "name": "RateLimit",
        "priority": RulePriority.RATE_LIMIT.value,
        "enabled_state": "Enabled",
        "rule_type": "RateLimitRule",
        "rate_limit_duration_in_minutes": 1,
        "rate_limit_threshold": threshold,
        # The address of the connection; the remote address is what the client writes into X-Forwarded-For.
        "group_by": [{"variable_name": "SocketAddr"}],
        # A rate limit needs a condition. Every request has a Host header, so this one is always met
        # (https://learn.microsoft.com/azure/web-application-firewall/afds/waf-front-door-rate-limit-configure).
        "match_conditions": [
            {
                "match_variable": "RequestHeader",
                "selector": "Host",
                "operator": "GreaterThanOrEqual",
                "negate_condition": False,
                "match_value": ["0"],
                "transforms": [],
            }
        ],
        "action": "Block",
    }


def _managed_rule_sets() -> list[frontdoor.ManagedRuleSetArgsDict]:
    return [
        # From 2.0 on the set scores anomalies, and this action is what happens at the threshold.
        {"rule_set_type": "Microsoft_DefaultRuleSet", "rule_set_version": "2.1", "rule_set_action": "Block"},
        # No action for the set: each of its rules has its own, and good bots pass.
        {"rule_set_type": "Microsoft_BotManagerRuleSet", "rule_set_version": "1.1"},
    ]
