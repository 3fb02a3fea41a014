"""The way from Front Door's endpoint to its origins: the origin group, the maintenance origin and the route.

The stamps add their own origins to the group.

Azure demands an enabled origin before a route is made and refuses to delete the last one while a route uses the group.
The maintenance origin is always there, so the route is older than the first stamp and any stamp can leave.

This component is made last and so destroyed first, and the stack cannot be destroyed under living stamps:
1. Everything else in the stack is older than the group and waits for it, so the route is the first thing that a
   destroy deletes. It is protected, and the engine stops at it, with or without a preview: nothing is lost.
2. With protection off, Azure refuses to delete an origin group that holds origins of other stacks, and the destroy
   stops there. What is lost by then is the route and the maintenance origin, which Azure wants gone before the group;
   `pulumi up` makes both again.
For that reason the group is never `deleted_with` the profile, whose delete takes every origin along without asking.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum

import pulumi
from pulumi_azure_native import cdn

from foundation.azure_retries import transient_retry
from foundation.azure_types import Arguments, In

PROBE_PATH = "/healthz/region"
"""Whether a stamp can serve as a whole. An operator makes it fail to drain a region; gateways probe another path."""

PROBE_SAMPLES = 4
PROBE_SUCCESSES = 3

EQUAL_LATENCY_MILLISECONDS = 50
"""Origins at most this much slower than the fastest share requests by weight. At 0 weights do nothing: each edge sends
everything to its fastest origin (https://learn.microsoft.com/azure/frontdoor/routing-methods)."""


class OriginPriority(IntEnum):
    """Front Door uses a number only when every origin of the lower ones is unhealthy (1 to 5); stamps have 1."""

    MAINTENANCE = 5


class FrontDoorRoutingArgs(Arguments):
    """`maintenance_host_name` is the host of the page for total outages, `rule_set_id` what every response passes."""

    resource_group_name: In[str]
    profile_name: In[str]
    endpoint_name: In[str]
    rule_set_id: In[str]
    maintenance_host_name: In[str]
    probe_interval_seconds: int
    protect: bool


class FrontDoorRouting(pulumi.ComponentResource):
    """Origin group, maintenance origin and route. `after` is all that a destroy may touch only after the group."""

    origin_group_name: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        args: FrontDoorRoutingArgs,
        opts: pulumi.ResourceOptions | None = None,
        *,
        after: Sequence[pulumi.Resource] = (),
    ) -> None:
        super().__init__("aks-geode:shared:FrontDoorRouting", name, None, opts)
        group = cdn.AFDOriginGroup(
            f"{name}-origin-group",
            origin_group_name="stamps",
            profile_name=args.profile_name,
            resource_group_name=args.resource_group_name,
            health_probe_settings={
                "probe_path": PROBE_PATH,
                "probe_request_type": cdn.HealthProbeRequestType.HEAD,
                "probe_protocol": cdn.ProbeProtocol.HTTPS,
                "probe_interval_in_seconds": args.probe_interval_seconds,
            },
            load_balancing_settings={
                "sample_size": PROBE_SAMPLES,
                "successful_samples_required": PROBE_SUCCESSES,
                "additional_latency_in_milliseconds": EQUAL_LATENCY_MILLISECONDS,
            },
            # Any stamp answers any request, so that users leave a drained region at once.
            session_affinity_state="Disabled",
            opts=pulumi.ResourceOptions(
                parent=self, depends_on=list(after), protect=args.protect, hooks=transient_retry()
            ),
        )
        origin = cdn.AFDOrigin(
            f"{name}-maintenance-origin",
            origin_name="maintenance",
            origin_group_name=group.name,
            profile_name=args.profile_name,
            resource_group_name=args.resource_group_name,
            host_name=args.maintenance_host_name,
            origin_host_header=args.maintenance_host_name,
            enforce_certificate_name_check=True,
            http_port=80,
            https_port=443,
            priority=OriginPriority.MAINTENANCE.value,
            weight=1,
            enabled_state="Enabled",
            opts=pulumi.ResourceOptions(parent=self, hooks=transient_retry()),
        )
        cdn.Route(
            f"{name}-route",
            route_name="default",
            endpoint_name=args.endpoint_name,
            profile_name=args.profile_name,
            resource_group_name=args.resource_group_name,
            origin_group={"id": group.id},
            rule_sets=[{"id": args.rule_set_id}],
            supported_protocols=["Http", "Https"],  # the redirect to HTTPS needs a route that takes HTTP
            https_redirect="Enabled",
            forwarding_protocol="HttpsOnly",
            patterns_to_match=["/*"],
            link_to_default_domain="Enabled",
            enabled_state="Enabled",
            # Azure makes no route to a group without an enabled origin, and nothing in the arguments says so
            # (https://github.com/Azure/bicep-types-az/issues/1923).
            opts=pulumi.ResourceOptions(
                parent=self, depends_on=[origin], protect=args.protect, hooks=transient_retry()
            ),
        )
        self.origin_group_name = group.name
        self.register_outputs({"originGroupName": self.origin_group_name})
