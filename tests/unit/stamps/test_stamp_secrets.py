"""A stamp's certificates: missing ones and ones in clear text are refused, and their value is never told."""

from __future__ import annotations

import json

import pulumi
import pytest

from foundation.configuration import load
from stamps.config import StampConfig
from stamps.fleet import STAMP_KEY
from stamps.stamp_secrets import GATEWAY_CERTIFICATE, INGRESS_CERTIFICATE, read_stamp_certificates
from tests.unit.test_configuration import tracked

MARKER = "c2VjcmV0LW1hcmtlcg=="


@pytest.mark.parametrize(
    ("values", "secret", "told"),
    [
        ({}, [], "a certificate for eastus2.edge.contoso.com"),
        ({GATEWAY_CERTIFICATE: MARKER, INGRESS_CERTIFICATE: MARKER}, [], "stands in clear text"),
        ({GATEWAY_CERTIFICATE: MARKER, INGRESS_CERTIFICATE: MARKER}, [GATEWAY_CERTIFICATE, INGRESS_CERTIFICATE], "PFX"),
    ],
    ids=["missing", "clear-text", "no-pfx"],
)
def test_unusable_certificates_are_refused(values: dict[str, str], secret: list[str], told: str) -> None:
    """Both keys are told in one message, each with how to set it, without the value."""
    config = load(StampConfig, tracked("eastus2"), file="Pulumi.eastus2.yaml", key=STAMP_KEY)
    pulumi.runtime.set_all_config(values, secret)
    try:
        with pytest.raises(pulumi.RunError) as refused:
            read_stamp_certificates(config, "Pulumi.eastus2.yaml")
    finally:
        pulumi.runtime.set_all_config({}, [])
    text = str(refused.value)

    assert f"Pulumi.eastus2.yaml: {GATEWAY_CERTIFICATE}" in text
    assert f"Pulumi.eastus2.yaml: {INGRESS_CERTIFICATE}" in text
    assert told in text
    assert "pulumi config set --secret" in text
    assert MARKER not in json.dumps(text)
