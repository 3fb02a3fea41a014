"""A certificate that Azure would refuse is refused before anything is deployed, in words that help."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)
from cryptography.x509.oid import NameOID

from stamps.certificates import Certificate, CertificateError, read_certificate

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
HOST = "eastus2.edge.contoso.com"
SETTING = "aks-geode:gatewayCertificate"


@dataclass(frozen=True)
class Issued:
    """A certificate with its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


def issue(
    common_name: str,
    *,
    issuer: Issued | None = None,
    names: tuple[str, ...] = (),
    days_left: float = 100,
    starts_in_days: float = -10,
    authority: bool = False,
) -> Issued:
    """Make a certificate, self-signed without an issuer."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(min(NOW + timedelta(days=starts_in_days), NOW + timedelta(days=days_left - 1)))
        .not_valid_after(NOW + timedelta(days=days_left))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    )
    if names:
        builder = builder.add_extension(
            x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False
        )
    return Issued(builder.sign(issuer.key if issuer else key, hashes.SHA256()), key)


@cache
def root() -> Issued:
    """Return the root of the tests."""
    return issue("Test Root", authority=True, days_left=3000)


@cache
def intermediate() -> Issued:
    """Return an authority under the root."""
    return issue("Test Intermediate", issuer=root(), authority=True, days_left=1000)


def pfx(
    leaf: Issued, *issuers: Issued, with_key: bool = True, encryption: KeySerializationEncryption | None = None
) -> str:
    """Return the base64 PFX of a certificate and what stands beside it."""
    content = pkcs12.serialize_key_and_certificates(
        b"test",
        leaf.key if with_key else None,
        leaf.certificate if with_key else None,
        [issued.certificate for issued in (issuers if with_key else (leaf, *issuers))],
        encryption or NoEncryption(),
    )
    return base64.b64encode(content).decode()


def leaf(*names: str, days_left: float = 100, starts_in_days: float = -10) -> Issued:
    """Return a certificate of the intermediate authority."""
    return issue(
        "leaf", issuer=intermediate(), names=names or (HOST,), days_left=days_left, starts_in_days=starts_in_days
    )


def read(value: str, *, host_name: str = HOST, today: date | datetime = NOW, needs_root: bool = False) -> Certificate:
    """Read as a stamp does."""
    return read_certificate(value, setting=SETTING, host_name=host_name, today=today, needs_root=needs_root)


def refusal(value: str, *, needs_root: bool = False) -> CertificateError:
    """Return the error for a value."""
    with pytest.raises(CertificateError) as caught:
        read(value, needs_root=needs_root)
    return caught.value


def test_a_public_chain_without_its_root_is_complete() -> None:
    """Servers do not send the root."""
    issued = leaf()
    assert read(pfx(issued, intermediate())).chain == (issued.certificate, intermediate().certificate)


def test_the_chain_is_ordered_however_the_file_is() -> None:
    """Tools write the issuers in any order, and foreign certificates among them."""
    issued = leaf()
    stranger = issue("Stranger", authority=True)
    found = read(pfx(issued, stranger, root(), intermediate()), needs_root=True)
    assert found.chain == (issued.certificate, intermediate().certificate, root().certificate)


def test_the_root_is_told_as_the_gateway_takes_it() -> None:
    """Base64 DER, nothing else."""
    found = read(pfx(leaf(), intermediate(), root()), needs_root=True)
    assert base64.b64decode(found.root_certificate_base64) == root().certificate.public_bytes(Encoding.DER)


def test_an_ingress_may_be_its_own_root() -> None:
    """The gateway trusts a self-signed certificate when it is told so."""
    own = issue("ingress", names=(HOST,))
    assert read(pfx(own), needs_root=True).chain == (own.certificate,)


def test_line_ends_in_base64_do_not_matter() -> None:
    """`base64` without -w0 breaks lines."""
    value = pfx(leaf(), intermediate())
    broken = "\n".join(value[i : i + 76] for i in range(0, len(value), 76)) + "\n"
    assert read(broken).chain == read(value).chain


@pytest.mark.parametrize("days", [30, 59])
def test_thirty_days_are_enough(days: int) -> None:
    """No warning above that either."""
    assert read(pfx(leaf(days_left=days), intermediate())).expires == NOW + timedelta(days=days)


def test_a_day_counts_as_its_first_moment() -> None:
    """`today` may be a date or a datetime without a zone."""
    value = pfx(leaf(days_left=30, starts_in_days=0), intermediate())
    assert read(value, today=NOW.date()).expires == read(value, today=NOW.replace(tzinfo=None)).expires


def test_the_first_of_the_chain_to_expire_counts() -> None:
    """An authority may run out before the certificate."""
    short = issue("Short Intermediate", issuer=root(), authority=True, days_left=10)
    issued = issue("leaf", issuer=short, names=(HOST,))
    assert "'CN=Short Intermediate' expires on 2026-12-01, in 10 days" in str(refusal(pfx(issued, short)))


@pytest.mark.parametrize("name", ["*.edge.contoso.com", "EastUS2.edge.contoso.com"])
def test_wildcards_and_capitals_match(name: str) -> None:
    """Host names have no case."""
    assert read(pfx(leaf("other.contoso.com", name), intermediate())).chain


@pytest.mark.parametrize("name", ["*.contoso.com", "edge.contoso.com", "*.eastus2.edge.contoso.com", "*"])
def test_a_name_that_does_not_cover_the_host_is_refused(name: str) -> None:
    """A wildcard stands for one label."""
    error = refusal(pfx(leaf(name), intermediate()))
    assert error.problem == f"the certificate is for {name}"
    assert error.expected == f"a certificate whose subject alternative names contain {HOST}"


def test_the_common_name_alone_is_not_enough() -> None:
    """Azure and browsers read the alternative names only."""
    issued = issue(HOST, issuer=intermediate())
    assert refusal(pfx(issued, intermediate())).problem == "the certificate is for no host name"


@pytest.mark.parametrize(
    ("days_left", "starts_in_days", "problem"),
    [
        (-1, -10, "'CN=leaf' expired on 2026-11-20"),
        (10, -10, "'CN=leaf' expires on 2026-12-01, in 10 days"),
        (29.9, -10, "'CN=leaf' expires on 2026-12-21, in 29 days"),
        (100, 5, "'CN=leaf' is not valid before 2026-11-26"),
    ],
)
def test_a_certificate_outside_its_time_is_refused(days_left: float, starts_in_days: float, problem: str) -> None:
    """Expired, running out, not yet valid."""
    assert refusal(pfx(leaf(days_left=days_left, starts_in_days=starts_in_days), intermediate())).problem == problem


def test_a_missing_intermediate_is_refused() -> None:
    """Front Door needs the whole chain."""
    error = refusal(pfx(leaf(), root()))
    assert error.problem == "the PFX file lacks the issuer 'CN=Test Intermediate'"
    assert "intermediate certificates" in error.expected


def test_a_self_signed_gateway_certificate_is_refused() -> None:
    """Front Door accepts public authorities only."""
    assert "self-signed" in refusal(pfx(issue("own", names=(HOST,)))).problem


def test_an_ingress_chain_without_its_root_is_refused() -> None:
    """The gateway has to be given the root."""
    error = refusal(pfx(leaf(), intermediate()), needs_root=True)
    assert error.problem == "the chain ends at 'CN=Test Intermediate' and lacks its issuer"
    assert "self-signed root" in error.expected


def test_a_certificate_that_is_no_authority_issues_nothing() -> None:
    """A leaf that signed another leaf makes no chain."""
    signer = issue("not an authority", issuer=root())
    assert "lacks the issuer" in refusal(pfx(issue("leaf", issuer=signer, names=(HOST,)), signer)).problem


def test_an_issuer_of_the_same_name_with_another_key_is_no_issuer() -> None:
    """Names alone prove nothing."""
    namesake = issue("Test Intermediate", issuer=root(), authority=True)
    assert "lacks the issuer" in refusal(pfx(leaf(), namesake)).problem


def test_a_password_is_refused() -> None:
    """Key Vault hands the file on as it is, and the gateway knows no password."""
    locked = PrivateFormat.PKCS12.encryption_builder().kdf_rounds(1000)
    encryption = locked.key_cert_algorithm(pkcs12.PBES.PBESv2SHA256AndAES256CBC).build(b"hunter2")
    error = refusal(pfx(leaf(), intermediate(), encryption=encryption))
    assert error.problem == "the value does not open as a PFX file without a password"


def test_a_value_that_is_no_pfx_is_refused() -> None:
    """For example a PEM file in base64."""
    pem = root().certificate.public_bytes(Encoding.PEM)
    assert "does not open as a PFX file" in refusal(base64.b64encode(pem).decode()).problem


@pytest.mark.parametrize("value", ["-----BEGIN CERTIFICATE-----", "schlüssel", "abc"])
def test_a_value_that_is_not_base64_is_refused(value: str) -> None:
    """For example the PEM file itself."""
    assert refusal(value).problem == "the value is not base64"


def test_an_empty_value_is_refused() -> None:
    """Base64 of nothing is no PFX file."""
    assert "does not open as a PFX file" in refusal("").problem


def test_a_file_without_a_private_key_is_refused() -> None:
    """The listener cannot serve with it."""
    assert refusal(pfx(leaf(), intermediate(), with_key=False)).problem == (
        "the PFX file holds no private key with its certificate"
    )


def test_the_message_says_what_to_do_and_shows_no_secret() -> None:
    """One line with setting, problem, expectation and command, and nothing of the value."""
    value = pfx(leaf(days_left=10), intermediate())
    text = str(refusal(value))
    assert text == (
        "aks-geode:gatewayCertificate: 'CN=leaf' expires on 2026-12-01, in 10 days; expected a certificate and issuers "
        "that are valid now and for 30 days more, set with: "
        "base64 -w0 certificate.pfx | pulumi config set --secret aks-geode:gatewayCertificate"
    )
    assert not any(value[i : i + 12] in text for i in range(0, len(value), 12))
