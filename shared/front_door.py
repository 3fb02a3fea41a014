"""The Front Door profile, its endpoint and the rules that every response passes.

The way from the endpoint to the origins belongs to `shared.front_door_routing`, the firewall to
`shared.front_door_waf`, a stamp's origin to the stamp. Without a managed identity: it would only serve certificates of
custom domains in a vault, and this endpoint has none.
"""

from __future__ import annotations

import pulumi
from pulumi_azure_native import cdn

from foundation.azure_retries import transient_retry
from foundation.azure_types import Arguments, In
from foundation.diagnostic_settings import diagnostic_settings
from foundation.naming import Naming

SECURITY_HEADERS = {
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Referrer-Policy": "strict-origin-when-cross-origin",
}
"""Set on every response, over what the origin said. Front Door takes five actions a rule."""

HIDDEN_HEADERS = ("Server",)
"""Taken out of every response: they tell attackers what runs behind."""


class FrontDoorArgs(Arguments):
    """`response_timeout_seconds` is how long an origin may take for its answer."""

    resource_group_name: In[str]
    response_timeout_seconds: int
    workspace_id: In[str]
    naming: Naming
    tags: dict[str, str]
    protect: bool


class FrontDoor(pulumi.ComponentResource):
    """Profile, endpoint and rule set."""

    profile_id: pulumi.Output[str]
    profile_name: pulumi.Output[str]
    front_door_id: pulumi.Output[str]
    endpoint_id: pulumi.Output[str]
    endpoint_name: pulumi.Output[str]
    endpoint_host_name: pulumi.Output[str]
    rule_set_id: pulumi.Output[str]

    def __init__(self, name: str, args: FrontDoorArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("aks-geode:shared:FrontDoor", name, None, opts)
        profile = cdn.Profile(
            f"{name}-profile",
            profile_name=args.naming.name("afd"),
            resource_group_name=args.resource_group_name,
            location="global",
            tags=args.tags,
            sku={"name": "Premium_AzureFrontDoor"},
            origin_response_timeout_seconds=args.response_timeout_seconds,
            # A new profile has a new id, which every gateway compares with the X-Azure-FDID header, and Azure deletes
            # the old one with all that is in it, the stamps' origins too.
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect),
        )
        endpoint = cdn.AFDEndpoint(
            f"{name}-endpoint",
            endpoint_name=args.naming.unique("fde", limit=46),
            profile_name=profile.name,
            resource_group_name=args.resource_group_name,
            location="global",
            tags=args.tags,
            enabled_state="Enabled",
            # The host name's hash stays the same when this tenant makes the endpoint anew, and nobody else gets it.
            auto_generated_domain_name_label_scope="TenantReuse",
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect, hooks=transient_retry()),
        )
        rule_set = cdn.RuleSet(
            f"{name}-rule-set",
            rule_set_name="ResponseHeaders",
            profile_name=profile.name,
            resource_group_name=args.resource_group_name,
            opts=pulumi.ResourceOptions(parent=self, hooks=transient_retry()),
        )
        cdn.Rule(
            f"{name}-security-headers",
            rule_name="SecurityHeaders",
            rule_set_name=rule_set.name,
            profile_name=profile.name,
            resource_group_name=args.resource_group_name,
            order=1,
            conditions=[],
            actions=_header_actions(),
            match_processing_behavior="Continue",
            opts=pulumi.ResourceOptions(parent=self, hooks=transient_retry()),
        )
        diagnostic_settings(
            f"{name}-diagnostics",
            target_id=profile.id,
            workspace_id=args.workspace_id,
            logs=("FrontDoorAccessLog", "FrontDoorHealthProbeLog", "FrontDoorWebApplicationFirewallLog"),
            parent=self,
        )
        self.profile_id = profile.id
        self.profile_name = profile.name
        self.front_door_id = profile.front_door_id
        self.endpoint_id = endpoint.id
        self.endpoint_name = endpoint.name
        self.endpoint_host_name = endpoint.host_name
        self.rule_set_id = rule_set.id
        self.register_outputs({"profileId": self.profile_id, "endpointHostName": self.endpoint_host_name})


def _header_actions() -> list[cdn.DeliveryRuleResponseHeaderActionArgs]:
    return [_header_action(header, "Overwrite", value) for header, value in SECURITY_HEADERS.items()] + [
        _header_action(header, "Delete", None) for header in HIDDEN_HEADERS
    ]


def _header_action(header: str, action: str, value: str | None) -> cdn.DeliveryRuleResponseHeaderActionArgs:
    return cdn.DeliveryRuleResponseHeaderActionArgs(
        name="ModifyResponseHeader",
        parameters=cdn.HeaderActionParametersArgs(
            type_name="DeliveryRuleHeaderActionParameters", header_action=action, header_name=header, value=value
        ),
    )
