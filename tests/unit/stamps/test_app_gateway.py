"""The gateway speaks TLS on both sides and does not lose its only backend in a drain."""

from __future__ import annotations

from typing import Any

from stamps.app_gateway import AppGateway, AppGatewayArgs, GatewayIdentity, GatewayIdentityArgs
from stamps.key_vault import KeyVault, KeyVaultArgs
from tests.unit.pulumi_mocks import RecordingMocks, deploy
from tests.unit.stamps.edge_arguments import both_modes, gateway, place, vault

ANSWERS = {"azure-native:network:ApplicationGateway": {"identity": {"type": "UserAssigned"}}}
"""Azure answers with a map of identities where it takes a list, so the input cannot be echoed."""
INGRESS = "bu0001a0042.aks-ingress.contoso.com"


def deployed(preview: bool = False, **changes: object) -> RecordingMocks:
    """Deploy one gateway."""

    def program() -> None:
        AppGateway("gateway", AppGatewayArgs(**gateway(**changes)))

    return deploy(program, preview, answers=ANSWERS)


def inputs(preview: bool = False, **changes: object) -> dict[str, Any]:
    """Return the inputs of the gateway."""
    return deployed(preview, **changes).one("azure-native:network:ApplicationGateway").inputs


@both_modes
def test_only_https_under_the_own_name_is_served(preview: bool) -> None:
    """One port, one listener, TLS 1.2 or newer, the certificate from the vault without a version."""
    made = inputs(preview)
    (listener,) = made["httpListeners"]
    assert (listener["protocol"], listener["hostName"]) == ("Https", "eastus2.edge.contoso.com")
    assert listener["requireServerNameIndication"] is True
    assert [port["port"] for port in made["frontendPorts"]] == [443]
    assert made["sslPolicy"] == {"policyType": "Predefined", "policyName": "AppGwSslPolicy20220101S"}
    (certificate,) = made["sslCertificates"]
    assert certificate["keyVaultSecretId"].endswith("/secrets/gateway-certificate")
    assert made["enableHttp2"] is True


@both_modes
def test_the_backend_is_called_checked_and_probed_under_one_name(preview: bool) -> None:
    """Address, host header and certificate name are the ingress's."""
    made = inputs(preview)
    (pool,) = made["backendAddressPools"]
    assert pool["backendAddresses"] == [{"fqdn": INGRESS}]
    (settings,) = made["backendHttpSettingsCollection"]
    assert (settings["protocol"], settings["port"], settings["hostName"]) == ("Https", 443, INGRESS)
    assert settings["pickHostNameFromBackendAddress"] is False
    assert settings["connectionDraining"]["enabled"] is True
    (probe,) = made["probes"]
    assert probe["pickHostNameFromBackendHttpSettings"] is True
    assert "host" not in probe


@both_modes
def test_the_probe_ignores_the_drain(preview: bool) -> None:
    """Not Front Door's path, or a drain would make the gateway answer 502."""
    (probe,) = inputs(preview)["probes"]
    assert probe["path"] == "/readyz"
    assert probe["match"]["statusCodes"] == ["200-399"]
    assert 10 <= probe["interval"] <= 30
    assert probe["unhealthyThreshold"] == 3


@both_modes
def test_the_ingress_root_is_trusted_and_shown(preview: bool) -> None:
    """The certificate is public, though it was read out of a secret."""

    async def secrecy(component: AppGateway) -> bool:
        return await component.gateway.trusted_root_certificates.is_secret()

    made = deploy(lambda: secrecy(AppGateway("gateway", AppGatewayArgs(**gateway()))), preview, answers=ANSWERS)
    (root,) = made.one("azure-native:network:ApplicationGateway").inputs["trustedRootCertificates"]
    assert root["data"] == "cm9vdA=="
    assert made.result is False


def test_every_reference_to_an_own_part_names_one_that_exists() -> None:
    """A reference that leads nowhere is refused by Azure after minutes."""
    made = inputs()

    def references(value: object) -> list[str]:
        if isinstance(value, dict):
            return [found for each in value.values() for found in references(each)]
        if isinstance(value, list):
            return [found for each in value for found in references(each)]
        return [value] if isinstance(value, str) and value.startswith("$self/") else []

    found = references(made)
    assert len(found) == 8
    for reference in found:
        _, collection, name = reference.split("/")
        assert name in [part["name"] for part in made[collection]], reference


@both_modes
def test_the_gateway_spreads_over_the_zones_and_scales(preview: bool) -> None:
    """Zones and capacities come from the stack file."""
    made = inputs(preview)
    assert made["zones"] == ["1", "2", "3"]
    assert made["autoscaleConfiguration"] == {"minCapacity": 2, "maxCapacity": 10}
    assert made["sku"] == {"name": "WAF_v2", "tier": "WAF_v2"}
    assert "webApplicationFirewallConfiguration" not in made
    assert made["firewallPolicy"]["id"].endswith("/waf")


@both_modes
def test_without_zones_in_the_region_none_are_sent(preview: bool) -> None:
    """Azure refuses an empty list's zones."""
    assert "zones" not in inputs(preview, zones=())


@both_modes
def test_the_gateway_waits_for_all_that_it_reads(preview: bool) -> None:
    """Role, secret, link and zone group of the vault; and it waits while Azure replicates them."""

    def program() -> None:
        identity = GatewayIdentity("identity", GatewayIdentityArgs(**place()))
        keys = KeyVault("vault", KeyVaultArgs(**vault(gateway_principal_id=identity.principal_id)))
        args = AppGatewayArgs(
            **gateway(identity_id=identity.id, certificate_secret_id=keys.gateway_secret_id),
        )
        AppGateway("gateway", args, after=keys.ready)

    made = deploy(program, preview, answers=ANSWERS)
    waiting = made.one("azure-native:network:ApplicationGateway")
    for name in (
        "vault-gateway-certificate",
        "vault-gateway-certificate-reader",
        "vault-dns-link-spoke",
        "vault-private-zone-group",
        "identity-identity",
    ):
        assert made.depends_on(waiting, made.named(name)), name
    assert waiting.error_hooks


def test_the_gateway_reads_with_the_given_identity() -> None:
    """A user-assigned one, which exists before the vault's role."""
    identity = inputs(identity_id="/id")["identity"]
    assert identity == {"type": "UserAssigned", "userAssignedIdentities": ["/id"]}


def test_access_and_firewall_logs_are_kept() -> None:
    """They tell why a request was refused."""
    logs = deployed().one("azure-native:monitor:DiagnosticSetting").inputs["logs"]
    assert [log["category"] for log in logs] == ["ApplicationGatewayAccessLog", "ApplicationGatewayFirewallLog"]
