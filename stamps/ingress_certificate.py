"""The ingress certificate in the form that the cluster reads: private key and chain as one PEM text. No resource.

The Key Vault provider of the Secrets Store CSI driver hands on a secret's text as it stands, unless the secret belongs
to a certificate object (https://github.com/Azure/secrets-store-csi-driver-provider-azure, pkg/provider/provider.go).
"""

from __future__ import annotations

import base64

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, pkcs12


def pem_bundle(pfx_base64: str) -> str:
    """Turn a base64 PFX that `stamps.certificates` has checked into PEM: key, certificate, intermediates.

    The root is left out: who trusts it has it. A certificate that is its own root stays.
    """
    pfx = base64.b64decode("".join(pfx_base64.split()))
    key, certificate, others = pkcs12.load_key_and_certificates(pfx, None)
    if key is None or certificate is None:
        raise ValueError("the ingress certificate: expected a PFX with a private key and its certificate")
    key_pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    chain = [certificate, *_intermediates(certificate, others)]
    return (key_pem + b"".join(each.public_bytes(Encoding.PEM) for each in chain)).decode()


def _intermediates(certificate: x509.Certificate, others: list[x509.Certificate]) -> list[x509.Certificate]:
    found: list[x509.Certificate] = []
    below = certificate
    while below.issuer != below.subject:
        issuer = next((other for other in others if other not in found and _issued(below, by=other)), None)
        if issuer is None or issuer.issuer == issuer.subject:
            break
        found.append(issuer)
        below = issuer
    return found


def _issued(certificate: x509.Certificate, *, by: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(by)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True
