"""The stamp's Application Gateway: TLS from Front Door, web application firewall, TLS again to the ingress."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import pulumi
from pulumi_azure_native import managedidentity, network

from foundation.azure_retries import transient_retry
from foundation.azure_types import Arguments, In
from foundation.diagnostic_settings import diagnostic_settings
from foundation.naming import Naming

HTTPS_PORT = 443
PROBE_PATH = "/readyz"
"""Ignores the drain switch and shared dependencies: with Front Door's path the gateway would drop its only backend."""

_FRONTEND: Final = "public"
_PORT: Final = "https"
_LISTENER: Final = "https"
_CERTIFICATE: Final = "listener"
_ROOT: Final = "ingress-root"
_POOL: Final = "ingress"
_SETTINGS: Final = "ingress-https"
_PROBE: Final = "ingress-ready"


class GatewayIdentityArgs(Arguments):
    """Where the identity lies."""

    naming: Naming
    location: str
    resource_group_name: In[str]
    tags: dict[str, str]


class GatewayIdentity(pulumi.ComponentResource):
    """The identity with which the gateway reads its certificate; made first, because the vault's role needs it."""

    id: pulumi.Output[str]
    principal_id: pulumi.Output[str]

    def __init__(self, name: str, args: GatewayIdentityArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("aks-geode:stamps:GatewayIdentity", name, None, opts)
        identity = managedidentity.UserAssignedIdentity(
            f"{name}-identity",
            resource_name_=args.naming.name("id", "gateway"),
            resource_group_name=args.resource_group_name,
            location=args.location,
            tags=args.tags,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.id = identity.id
        self.principal_id = identity.principal_id
        self.register_outputs({"id": self.id, "principalId": self.principal_id})


class AppGatewayArgs(Arguments):
    """`host_name` is what Front Door calls, `ingress_host_name` what the gateway calls; no zones means none to choose.

    `certificate_secret_id` is the versionless vault secret of the listener, `trusted_root_certificate` the base64 DER
    of the root above the ingress's certificate (public). Capacities are autoscale units.
    """

    naming: Naming
    location: str
    resource_group_name: In[str]
    zones: tuple[str, ...]
    min_capacity: int
    max_capacity: int
    host_name: str
    ingress_host_name: str
    subnet_id: In[str]
    public_ip_id: In[str]
    identity_id: In[str]
    firewall_policy_id: In[str]
    certificate_secret_id: In[str]
    trusted_root_certificate: In[str]
    workspace_id: In[str]
    tags: dict[str, str]


class AppGateway(pulumi.ComponentResource):
    """A WAF_v2 gateway with one HTTPS listener and one backend. It owns neither its address nor its firewall policy.

    `after` is what the gateway needs and no value shows: the vault's role, secret, endpoint and zone, and the ingress's
    record. Azure resolves both when it configures the gateway, and fails it after minutes if one is missing
    (https://learn.microsoft.com/azure/application-gateway/application-gateway-key-vault-common-errors).
    """

    id: pulumi.Output[str]
    gateway: network.ApplicationGateway

    def __init__(
        self,
        name: str,
        args: AppGatewayArgs,
        opts: pulumi.ResourceOptions | None = None,
        *,
        after: Sequence[pulumi.Resource] = (),
    ) -> None:
        super().__init__("aks-geode:stamps:AppGateway", name, None, opts)
        self.gateway = network.ApplicationGateway(
            f"{name}-gateway",
            application_gateway_name=args.naming.name("agw"),
            resource_group_name=args.resource_group_name,
            location=args.location,
            tags=args.tags,
            zones=list(args.zones) or None,
            sku={"name": "WAF_v2", "tier": "WAF_v2"},
            autoscale_configuration={"min_capacity": args.min_capacity, "max_capacity": args.max_capacity},
            identity={
                "type": network.ResourceIdentityType.USER_ASSIGNED,
                "user_assigned_identities": [args.identity_id],
            },
            firewall_policy={"id": args.firewall_policy_id},
            enable_http2=True,
            ssl_policy={"policy_type": "Predefined", "policy_name": "AppGwSslPolicy20220101S"},
            gateway_ip_configurations=[{"name": "gateway", "subnet": {"id": args.subnet_id}}],
            frontend_ip_configurations=[{"name": _FRONTEND, "public_ip_address": {"id": args.public_ip_id}}],
            frontend_ports=[{"name": _PORT, "port": HTTPS_PORT}],
            ssl_certificates=[{"name": _CERTIFICATE, "key_vault_secret_id": args.certificate_secret_id}],
            trusted_root_certificates=[_root(args.trusted_root_certificate)],
            http_listeners=[_listener(args.host_name)],
            backend_address_pools=[{"name": _POOL, "backend_addresses": [{"fqdn": args.ingress_host_name}]}],
            backend_http_settings_collection=[_backend_settings(args.ingress_host_name)],
            probes=[_probe()],
            request_routing_rules=[_routing_rule()],
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=list(after),
                hooks=transient_retry(),
                custom_timeouts=pulumi.CustomTimeouts(create="60m", update="60m", delete="60m"),
            ),
        )
        self.id = self.gateway.id
        diagnostic_settings(
            f"{name}-diagnostics",
            target_id=self.gateway.id,
            workspace_id=args.workspace_id,
            parent=self,
            logs=("ApplicationGatewayAccessLog", "ApplicationGatewayFirewallLog"),
        )
        self.register_outputs({"id": self.id})


def _own(collection: str, child: str) -> network.SubResourceArgsDict:
    """Refer to a part of the same gateway; the provider writes the gateway's id in place of `$self`."""
    return {"id": f"$self/{collection}/{child}"}


def _root(certificate: In[str]) -> network.ApplicationGatewayTrustedRootCertificateArgsDict:
    # Read out of a PFX that is secret as a whole, but public itself: shown, so that a preview tells what changes.
    return {"name": _ROOT, "data": pulumi.Output.unsecret(pulumi.Output.from_input(certificate))}


def _listener(host_name: str) -> network.ApplicationGatewayHttpListenerArgsDict:
    return {
        "name": _LISTENER,
        "protocol": "Https",
        "host_name": host_name,
        "require_server_name_indication": True,
        "frontend_ip_configuration": _own("frontendIPConfigurations", _FRONTEND),
        "frontend_port": _own("frontendPorts", _PORT),
        "ssl_certificate": _own("sslCertificates", _CERTIFICATE),
    }


def _backend_settings(ingress_host_name: str) -> network.ApplicationGatewayBackendHttpSettingsArgsDict:
    """One name for host header, SNI and certificate check: the gateway refuses a backend whose certificate differs.

    https://learn.microsoft.com/azure/application-gateway/ssl-overview
    """
    return {
        "name": _SETTINGS,
        "protocol": "Https",
        "port": HTTPS_PORT,
        "host_name": ingress_host_name,
        "pick_host_name_from_backend_address": False,
        "cookie_based_affinity": "Disabled",
        "request_timeout": 60,
        "connection_draining": {"enabled": True, "drain_timeout_in_sec": 60},
        "trusted_root_certificates": [_own("trustedRootCertificates", _ROOT)],
        "probe": _own("probes", _PROBE),
    }


def _probe() -> network.ApplicationGatewayProbeArgsDict:
    return {
        "name": _PROBE,
        "protocol": "Https",
        "path": PROBE_PATH,
        "pick_host_name_from_backend_http_settings": True,
        "interval": 15,
        "timeout": 10,
        "unhealthy_threshold": 3,
        "match": {"status_codes": ["200-399"]},
    }


def _routing_rule() -> network.ApplicationGatewayRequestRoutingRuleArgsDict:
    return {
        "name": "to-ingress",
        "rule_type": "Basic",
        "priority": 100,
        "http_listener": _own("httpListeners", _LISTENER),
        "backend_address_pool": _own("backendAddressPools", _POOL),
        "backend_http_settings": _own("backendHttpSettingsCollection", _SETTINGS),
    }
