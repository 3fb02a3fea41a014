"""Two deployments that most tests look at."""

from __future__ import annotations

import pytest

from tests.unit.pulumi_mocks import RecordingMocks
from tests.unit.shared.shared_deployment import OWNER, deploy_shared


@pytest.fixture(scope="session")
def full() -> RecordingMocks:
    """Everything switched on, at an update."""
    return deploy_shared(
        firewall={"inheritance": "shared", "sku": "Premium", "allowedFqdns": ["*.contoso.com"]},
        alerts={"emails": ["a@contoso.com", "b@contoso.com"]},
        access={"groupOwners": [OWNER, OWNER.upper()], "groupMembers": [OWNER]},
        fleetManager={"nodeImages": "fleet"},
        publicDnsZone={"resourceGroup": "rg-dns", "name": "edge.contoso.com"},
        tags={"owner": "team-a"},
    )


@pytest.fixture(scope="session")
def plain() -> RecordingMocks:
    """The defaults."""
    return deploy_shared()
