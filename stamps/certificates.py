"""Certificates in PFX form: read and checked before anything is deployed. No resource.

Azure finds a bad certificate late: the gateway fails after minutes, Front Door only when it probes the origin.
Rules: https://learn.microsoft.com/azure/frontdoor/end-to-end-tls (complete public chain whose name matches the origin)
and https://learn.microsoft.com/azure/application-gateway/key-vault-certs (PFX without a password).
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, pkcs12

MINIMUM_DAYS_LEFT = 30
"""A certificate with fewer days left is refused, so that nobody deploys what runs out soon."""


@dataclass(eq=False)
class CertificateError(Exception):
    """A certificate that Azure would refuse. Its text holds names and dates, never key material.

    `expected` completes "expected ...", `example` is how the right value is set.
    """

    setting: str
    problem: str
    expected: str
    example: str

    def __str__(self) -> str:
        """Return what is wrong, what was expected and how to set it, in one line."""
        return f"{self.setting}: {self.problem}; expected {self.expected}, set with: {self.example}"


@dataclass(frozen=True)
class Certificate:
    """A checked certificate. `chain` starts with the certificate itself and goes up issuer by issuer."""

    chain: tuple[x509.Certificate, ...]

    @property
    def expires(self) -> datetime:
        """The moment when the first certificate of the chain runs out, in UTC."""
        return min(certificate.not_valid_after_utc for certificate in self.chain)

    @property
    def root_certificate_base64(self) -> str:
        """The top of the chain as base64 DER: the root, if `read_certificate` was asked for one."""
        return base64.b64encode(self.chain[-1].public_bytes(Encoding.DER)).decode()


@dataclass(frozen=True)
class _Refusal:
    """Makes the errors of one setting."""

    setting: str

    def error(self, problem: str, expected: str) -> CertificateError:
        example = f"base64 -w0 certificate.pfx | pulumi config set --secret {self.setting}"
        return CertificateError(self.setting, problem, expected, example)


def read_certificate(
    pfx_base64: str, *, setting: str, host_name: str, today: date | datetime, needs_root: bool = False
) -> Certificate:
    """Read a base64 PFX and check it for `host_name`.

    Args:
        pfx_base64: the PFX without a password; white space and line ends are ignored.
        setting: the full configuration key, for example `aks-geode:gatewayCertificate`.
        host_name: the name that clients of this certificate ask for.
        today: the day of the check; a datetime without a zone counts as UTC.
        needs_root: whether the chain has to end in its self-signed root. The gateway trusts the ingress's root only
            when it is told so; a publicly trusted chain is complete without its root.

    Raises:
        CertificateError: if anything is missing or wrong.
    """
    refusal = _Refusal(setting)
    certificate, others = _opened(pfx_base64, refusal)
    _check_name(certificate, host_name, refusal)
    chain = _chain(certificate, others, refusal, needs_root=needs_root)
    _check_dates(chain, _moment(today), refusal)
    return Certificate(chain)


def _opened(pfx_base64: str, refusal: _Refusal) -> tuple[x509.Certificate, list[x509.Certificate]]:
    try:
        pfx = base64.b64decode("".join(pfx_base64.split()), validate=True)
    except (binascii.Error, ValueError):
        raise refusal.error("the value is not base64", "a PFX file in base64") from None
    try:
        key, certificate, others = pkcs12.load_key_and_certificates(pfx, None)
    except (ValueError, TypeError):
        problem = "the value does not open as a PFX file without a password"
        raise refusal.error(problem, "a PFX file (PKCS #12) that has no password") from None
    if key is None or certificate is None:
        problem = "the PFX file holds no private key with its certificate"
        raise refusal.error(problem, "a certificate together with its private key")
    spki = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if key.public_key().public_bytes(*spki) != certificate.public_key().public_bytes(*spki):
        problem = "the private key does not belong to the certificate"
        raise refusal.error(problem, "a certificate together with its private key")
    return certificate, others


def _check_name(certificate: x509.Certificate, host_name: str, refusal: _Refusal) -> None:
    try:
        alternative = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        names = alternative.get_values_for_type(x509.DNSName)
    except x509.ExtensionNotFound:
        names = []
    if not any(_matches(name.lower(), host_name.lower()) for name in names):
        problem = f"the certificate is for {', '.join(names) or 'no host name'}"
        raise refusal.error(problem, f"a certificate whose subject alternative names contain {host_name}")


def _matches(name: str, host_name: str) -> bool:
    """Tell whether a name of a certificate covers the host; an asterisk stands for exactly one label (RFC 6125)."""
    if name.startswith("*."):
        label, _, parent = host_name.partition(".")
        return bool(label) and parent == name[2:]
    return name == host_name


def _chain(
    certificate: x509.Certificate, others: list[x509.Certificate], refusal: _Refusal, *, needs_root: bool
) -> tuple[x509.Certificate, ...]:
    chain = [certificate]
    while not _issued(chain[-1], by=chain[-1]):
        issuer = next((other for other in others if other not in chain and _issued(chain[-1], by=other)), None)
        if issuer is None:
            break
        chain.append(issuer)
    top = chain[-1]
    if needs_root and not _issued(top, by=top):
        problem = f"the chain ends at '{top.subject.rfc4514_string()}' and lacks its issuer"
        raise refusal.error(problem, "a PFX file with every issuer up to and including the self-signed root")
    if not needs_root and len(chain) == 1:
        problem = f"the PFX file lacks the issuer '{top.issuer.rfc4514_string()}'"
        if _issued(top, by=top):
            problem = "the certificate is self-signed, which Front Door does not accept"
        raise refusal.error(problem, "a certificate of a public authority with its intermediate certificates")
    return tuple(chain)


def _issued(certificate: x509.Certificate, *, by: x509.Certificate) -> bool:
    if certificate is not by and not _is_authority(by):
        return False
    try:
        certificate.verify_directly_issued_by(by)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def _moment(day: date | datetime) -> datetime:
    if not isinstance(day, datetime):
        day = datetime.combine(day, time.min)
    return day if day.tzinfo else day.replace(tzinfo=UTC)


def _check_dates(chain: tuple[x509.Certificate, ...], now: datetime, refusal: _Refusal) -> None:
    expected = f"a certificate and issuers that are valid now and for {MINIMUM_DAYS_LEFT} days more"
    for certificate in chain:
        name = certificate.subject.rfc4514_string() or "the certificate"
        start, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
        # The start is compared by day, because `today` may carry no time of day.
        if start.date() > now.date():
            raise refusal.error(f"'{name}' is not valid before {start:%Y-%m-%d}", expected)
        if end <= now:
            raise refusal.error(f"'{name}' expired on {end:%Y-%m-%d}", expected)
        if end - now < timedelta(days=MINIMUM_DAYS_LEFT):
            raise refusal.error(f"'{name}' expires on {end:%Y-%m-%d}, in {(end - now).days} days", expected)
