"""The ingress certificate as the cluster reads it: one PEM text."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from simulator.development_secrets import make_certificate
from stamps.ingress_certificate import pem_bundle
from tests.unit.pulumi_mocks import RecordingMocks
from tests.unit.stamps.test_reference_defects import deploy_stamp

HOST = "aks-ingress.contoso.com"


def test_key_certificate_and_intermediate_come_in_the_order_of_the_handshake() -> None:
    """The root stays out; who trusts it has it."""
    pem = pem_bundle(make_certificate(HOST).pfx_base64).encode()
    chain = x509.load_pem_x509_certificates(pem)
    assert len(chain) == 2
    leaf, intermediate = chain
    leaf.verify_directly_issued_by(intermediate)
    assert intermediate.issuer != intermediate.subject
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(x509.DNSName)
    assert names == [HOST]
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert load_pem_private_key(pem, None).public_key().public_bytes(*form) == leaf.public_key().public_bytes(*form)


def test_a_tls_server_takes_the_text_as_key_and_chain(tmp_path: Path) -> None:
    """One file serves as both."""
    file = tmp_path / "bundle"
    file.write_text(pem_bundle(make_certificate(HOST).pfx_base64), encoding="ascii")
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(file)


def test_the_vault_holds_the_ingress_certificate_as_pem_and_the_gateways_as_pfx() -> None:
    """The gateway reads PFX; the cluster's vault driver converts nothing that ARM has written."""
    record: RecordingMocks = deploy_stamp("eastus2")
    values = {
        secret.inputs["secretName"]: secret.inputs["properties"]
        for secret in record.of_type("azure-native:keyvault:Secret")
    }
    assert "BEGIN PRIVATE KEY" in str(values["ingress-certificate"])
    assert "BEGIN" not in str(values["gateway-certificate"])


def test_a_pfx_without_a_key_is_refused() -> None:
    """Never an empty file on the ingress controller."""
    with pytest.raises(ValueError, match=r"PFX|deserialize"):
        pem_bundle("AAAA")
