"""The vault is closed, its certificates stay secret, and each identity reads one of them."""

from __future__ import annotations

import pulumi
import pytest
from pulumi.runtime.rpc import _special_secret_sig, _special_sig_key

from stamps.key_vault import KeyVault, KeyVaultArgs
from tests.unit.pulumi_mocks import RecordingMocks, deploy
from tests.unit.stamps.edge_arguments import GATEWAY_PFX, HUB, INGRESS_PFX, NAMING, SPOKE, both_modes, vault

SECRETS = ("gateway-certificate", "ingress-certificate")


def deployed(preview: bool = False, **changes: object) -> RecordingMocks:
    """Deploy one vault."""

    def program() -> None:
        KeyVault("vault", KeyVaultArgs(**vault(**changes)))

    return deploy(program, preview)


@both_modes
def test_nobody_reaches_the_vault_from_outside(preview: bool) -> None:
    """Public access is off, rights come from roles only, and a deleted vault stays for 90 days."""
    made = deployed(preview).one("azure-native:keyvault:Vault")
    properties = made.inputs["properties"]
    assert made.inputs["vaultName"] == NAMING.key_vault()
    assert properties["publicNetworkAccess"] == "Disabled"
    assert (properties["networkAcls"]["bypass"], properties["networkAcls"]["defaultAction"]) == (
        "AzureServices",
        "Deny",
    )
    assert properties["enableRbacAuthorization"] is True
    assert properties["enablePurgeProtection"] is True
    assert properties["enableSoftDelete"] is True
    assert properties["softDeleteRetentionInDays"] == 90
    assert "accessPolicies" not in properties


@pytest.mark.parametrize("protect", [True, False])
def test_the_vault_is_protected_as_the_stamp_says(protect: bool) -> None:
    """A test stamp can be destroyed."""
    assert deployed(protect=protect).one("azure-native:keyvault:Vault").protect is protect


@both_modes
def test_certificates_are_kept_in_the_form_that_each_reader_takes(preview: bool) -> None:
    """The gateway reads a PFX, the cluster's vault driver PEM; the content type says which."""
    made = deployed(preview)
    types = ("application/x-pkcs12", "application/x-pem-file")
    for name, value, content_type in zip(SECRETS, (GATEWAY_PFX, INGRESS_PFX), types, strict=True):
        wrapped = made.named(f"vault-{name}").inputs["properties"]
        assert wrapped[_special_sig_key] == _special_secret_sig, "the engine would keep it in clear text"
        assert wrapped["value"] == {"value": value, "contentType": content_type}


@both_modes
def test_certificates_stay_secret_even_if_given_in_clear(preview: bool) -> None:
    """The state and a preview show neither what goes in nor what comes back."""

    async def secrecy(component: KeyVault) -> list[bool]:
        return [await each.properties.is_secret() for each in component.ready if hasattr(each, "properties")]

    def program() -> object:
        return secrecy(KeyVault("vault", KeyVaultArgs(**vault())))

    assert deploy(program, preview).result == [True, True]


def test_certificates_go_with_their_vault() -> None:
    """The provider would delete them through the closed data plane."""
    made = deployed()
    urn = made.one("azure-native:keyvault:Vault").urn
    for name in SECRETS:
        secret = made.named(f"vault-{name}")
        assert (secret.deleted_with, secret.retain_on_delete) == (urn, True)


@both_modes
def test_each_identity_reads_its_own_certificate_only(preview: bool) -> None:
    """The role's scope is the single secret."""
    made = deployed(preview)
    for name, principal in zip(SECRETS, ("11111111", "22222222"), strict=True):
        role = made.named(f"vault-{name}-reader")
        assert role.inputs["roleDefinitionId"].endswith("4633458b-17de-408a-b874-0445c86b69e6")
        assert role.inputs["principalId"].startswith(principal)
        assert role.inputs["principalType"] == "ServicePrincipal"
        assert role.inputs["scope"].endswith(f"/{name}")
        assert made.depends_on(role, made.named(f"vault-{name}"))


@both_modes
def test_the_private_name_resolves_in_every_given_network(preview: bool) -> None:
    """With a DNS proxy in the hub the zone is linked there too."""
    made = deployed(preview, virtual_network_ids={"spoke": SPOKE, "hub": HUB})
    links = made.of_type("azure-native:privatedns:VirtualNetworkLink")
    assert [link.inputs["virtualNetwork"]["id"] for link in links] == [SPOKE, HUB]
    assert {link.inputs["location"] for link in links} == {"global"}
    assert {link.inputs["registrationEnabled"] for link in links} == {False}
    zone = made.one("azure-native:privatedns:PrivateZone")
    assert zone.inputs["privateZoneName"] == "privatelink.vaultcore.azure.net"
    endpoint = made.one("azure-native:network:PrivateEndpoint")
    assert endpoint.inputs["privateLinkServiceConnections"][0]["groupIds"] == ["vault"]
    assert made.depends_on(made.one("azure-native:network:PrivateDnsZoneGroup"), zone)


def test_readers_wait_for_secrets_roles_link_and_zone_group() -> None:
    """The gateway fails when one of them is missing."""

    def program() -> object:
        component = KeyVault("vault", KeyVaultArgs(**vault()))
        return pulumi.Output.all(*(resource.urn for resource in component.ready))

    made = deploy(program)
    names = {resource.name for resource in made.resources if resource.urn in made.result}
    assert names == {
        "vault-gateway-certificate",
        "vault-gateway-certificate-reader",
        "vault-ingress-certificate",
        "vault-ingress-certificate-reader",
        "vault-dns-link-spoke",
        "vault-private-zone-group",
    }


@both_modes
def test_the_secret_ids_have_no_version_and_show_in_a_preview(preview: bool) -> None:
    """Rotation stops with a version in the id."""

    def program() -> object:
        component = KeyVault("vault", KeyVaultArgs(**vault()))
        return pulumi.Output.all(component.gateway_secret_id, component.ingress_secret_id)

    base = f"https://{NAMING.key_vault()}.vault.azure.net/secrets"
    assert deploy(program, preview).result == [f"{base}/gateway-certificate", f"{base}/ingress-certificate"]


def test_reads_are_audited() -> None:
    """The audit log goes to the given workspace."""
    logs = deployed().one("azure-native:monitor:DiagnosticSetting").inputs["logs"]
    assert logs == [{"category": "AuditEvent", "enabled": True}]
