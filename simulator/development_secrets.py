"""Certificates for development: what a real fleet would get from its certificate authority.

Owns the making of a chain (root, intermediate, leaf) as a PFX without a password, which is the form that a vault's
secret of
the type ``application/x-pkcs12`` holds. Nothing here is trusted by anybody.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LIFETIME = timedelta(days=180)
"""Below the 200 days that public certificates may live since March 2026."""
RENEW_BEFORE = timedelta(days=40)
"""The program refuses certificates that end soon; renew before it does."""


@dataclass(frozen=True)
class DevelopmentCertificate:
    """One certificate with its chain and key."""

    pfx_base64: str
    ends: datetime

    def __repr__(self) -> str:
        return f"DevelopmentCertificate(ends={self.ends.isoformat()})"


def make_certificate(host_name: str) -> DevelopmentCertificate:
    """Return a certificate for a host name with intermediate and self-signed root, as a PFX without a password."""
    starts = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
    ends = starts + LIFETIME
    root_key, middle_key, leaf_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
    root_name, middle_name = _name("Development root"), _name("Development intermediate")
    root = _builder(root_name, root_name, root_key.public_key(), starts, ends, authority=1).sign(
        root_key, hashes.SHA256()
    )
    middle = _builder(middle_name, root_name, middle_key.public_key(), starts, ends, authority=0).sign(
        root_key, hashes.SHA256()
    )
    leaf_builder = _builder(_name(host_name), middle_name, leaf_key.public_key(), starts, ends, authority=None)
    leaf = (
        leaf_builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(host_name)]), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(middle_key, hashes.SHA256())
    )
    pfx = pkcs12.serialize_key_and_certificates(
        host_name.encode(), leaf_key, leaf, [middle, root], serialization.NoEncryption()
    )
    return DevelopmentCertificate(base64.b64encode(pfx).decode(), ends)


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name[:64])])


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    starts: datetime,
    ends: datetime,
    authority: int | None,
) -> x509.CertificateBuilder:
    """Begin a certificate; ``authority`` is the allowed depth below an authority, or ``None`` for a leaf."""
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(starts)
        .not_valid_after(ends)
        .add_extension(x509.BasicConstraints(ca=authority is not None, path_length=authority), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=True,
                content_commitment=False,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                key_cert_sign=authority is not None,
                crl_sign=authority is not None,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
    )
