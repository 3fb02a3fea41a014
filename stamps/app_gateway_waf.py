"""The gateway's web application firewall policy: only this fleet's Front Door gets in, and the drain switch.

In Detection mode Azure only logs, custom rules included
(https://learn.microsoft.com/azure/web-application-firewall/ag/policy-overview), so that mode admits every Front Door.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Literal, Self

import pulumi
from pulumi_azure_native import network
from pydantic import model_validator

from foundation.azure_types import Arguments, In, setting_error
from foundation.naming import Naming

FRONT_DOOR_ID_HEADER = "X-Azure-FDID"


class RulePriority(IntEnum):
    """Order of the custom rules; 1 to 100 are free, the lowest runs first."""

    FRONT_DOOR_ID_MISSING = 10
    FRONT_DOOR_ID_OTHER = 20
    DRAIN = 30


class AppGatewayWafArgs(Arguments):
    """`front_door_id` is the id that the profile puts into the header, `probe_path` the path that Front Door probes."""

    naming: Naming
    location: str
    resource_group_name: In[str]
    mode: Literal["Prevention", "Detection"] = "Prevention"
    front_door_id: In[str]
    probe_path: str
    drained: bool = False
    tags: dict[str, str]

    @model_validator(mode="after")
    def _drain_needs_prevention(self) -> Self:
        if self.drained and self.mode == "Detection":
            raise setting_error(
                "drained", True, "drained only with wafMode Prevention, Detection blocks nothing", "wafMode: Prevention"
            )
        return self


class AppGatewayWaf(pulumi.ComponentResource):
    """The policy that the gateway names: default and bot rules, the Front Door id and the drain switch."""

    id: pulumi.Output[str]

    def __init__(self, name: str, args: AppGatewayWafArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("aks-geode:stamps:AppGatewayWaf", name, None, opts)
        policy = network.WebApplicationFirewallPolicy(
            f"{name}-policy",
            policy_name=args.naming.name("waf"),
            resource_group_name=args.resource_group_name,
            location=args.location,
            tags=args.tags,
            policy_settings={
                "state": "Enabled",
                "mode": args.mode,
                "request_body_check": True,
                "request_body_enforcement": True,
                "request_body_inspect_limit_in_kb": 128,
                "max_request_body_size_in_kb": 128,
                "file_upload_enforcement": True,
                "file_upload_limit_in_mb": 10,
            },
            managed_rules={
                "managed_rule_sets": [
                    {"rule_set_type": "Microsoft_DefaultRuleSet", "rule_set_version": "2.1"},
                    {"rule_set_type": "Microsoft_BotManagerRuleSet", "rule_set_version": "1.1"},
                ],
            },
            custom_rules=[
                *_front_door_rules(args.front_door_id),
                *([_drain_rule(args.probe_path)] if args.drained else []),
            ],
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.id = policy.id
        self.register_outputs({"id": self.id})


def _front_door_rules(front_door_id: In[str]) -> list[network.WebApplicationFirewallCustomRuleArgsDict]:
    """Refuse what did not come through this fleet's Front Door: the network rule admits every customer's.

    Two rules, because it is not documented whether a negated comparison matches an absent header. No condition on host
    headers: Front Door's own probes carry the id but no X-Forwarded-Host
    (https://learn.microsoft.com/azure/frontdoor/front-door-http-headers-protocol). Azure spells "negationConditon" so.
    """
    header: list[network.MatchVariableArgsDict] = [
        {"variable_name": "RequestHeaders", "selector": FRONT_DOOR_ID_HEADER}
    ]
    return [
        _block(
            "FrontDoorIdMissing",
            RulePriority.FRONT_DOOR_ID_MISSING,
            {"match_variables": header, "operator": "Any", "negation_conditon": True, "match_values": []},
        ),
        _block(
            "FrontDoorIdOther",
            RulePriority.FRONT_DOOR_ID_OTHER,
            {
                "match_variables": header,
                "operator": "Equal",
                "negation_conditon": True,
                "transforms": ["Lowercase"],
                "match_values": [pulumi.Output.from_input(front_door_id).apply(str.lower)],
            },
        ),
    ]


def _drain_rule(probe_path: str) -> network.WebApplicationFirewallCustomRuleArgsDict:
    """Fail Front Door's probe, so that it takes the stamp out of rotation; the gateway's own probe passes no WAF."""
    return _block(
        "Drain",
        RulePriority.DRAIN,
        {
            "match_variables": [{"variable_name": "RequestUri"}],
            "operator": "Equal",
            "negation_conditon": False,
            "transforms": ["Lowercase"],
            "match_values": [probe_path.lower()],
        },
    )


def _block(
    name: str, priority: RulePriority, condition: network.MatchConditionArgsDict
) -> network.WebApplicationFirewallCustomRuleArgsDict:
    return {
        "name": name,
        "priority": priority.value,
        "rule_type": "MatchRule",
        "action": "Block",
        "state": "Enabled",
        "match_conditions": [condition],
    }
