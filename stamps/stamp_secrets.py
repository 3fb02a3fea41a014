"""The secrets of a stamp: two certificates, each a top-level key of the stack's configuration, encrypted.

They are checked in clear text inside the program, before the first resource, and go on only as secret outputs.
"""

from __future__ import annotations

from datetime import UTC, datetime

import pulumi
from pulumi.runtime.config import get_config, is_config_secret

from foundation.azure_types import Arguments
from foundation.configuration import Problem, configuration_error
from stamps.certificates import CertificateError, read_certificate
from stamps.config import StampConfig

GATEWAY_CERTIFICATE = "aks-geode:gatewayCertificate"
INGRESS_CERTIFICATE = "aks-geode:ingressCertificate"
_HOW_TO_SET = "base64 -w0 certificate.pfx | pulumi config set --secret {key}"


class StampCertificates(Arguments):
    """Base64 PFX without password of gateway and ingress, secret, and the root that signed the ingress (public)."""

    gateway: pulumi.Output[str]
    ingress: pulumi.Output[str]
    ingress_root: str


def read_stamp_certificates(config: StampConfig, file: str) -> StampCertificates:
    """Return the stamp's certificates, checked for name, chain and remaining days.

    Raises:
        pulumi.RunError: one message for all that is missing, in clear text in the file, or not usable.
    """
    problems: list[Problem] = []
    roots: dict[str, str] = {}
    for key, host, needs_root in (
        (GATEWAY_CERTIFICATE, config.gateway.host_name, False),
        (INGRESS_CERTIFICATE, config.ingress.host_name, True),
    ):
        value = get_config(key)
        example = _HOW_TO_SET.format(key=key)
        if value is None:
            problems.append(
                Problem(key, "(missing)", f"a certificate for {host}: base64 PFX without password", example)
            )
            continue
        if not is_config_secret(key):
            problems.append(Problem(key, "(not shown)", "an encrypted value; this one stands in clear text", example))
            continue
        try:
            read = read_certificate(value, setting=key, host_name=host, today=datetime.now(UTC), needs_root=needs_root)
        except CertificateError as error:
            problems.append(Problem(key, error.problem, error.expected, error.example))
        else:
            roots[key] = read.root_certificate_base64
    if problems:
        raise configuration_error(file, problems)
    settings = pulumi.Config("aks-geode")
    return StampCertificates(
        gateway=settings.require_secret("gatewayCertificate"),
        ingress=settings.require_secret("ingressCertificate"),
        ingress_root=roots[INGRESS_CERTIFICATE],
    )
