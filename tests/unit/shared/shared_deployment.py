"""One way to deploy the shared services on mocks, for all tests of them."""

from __future__ import annotations

import pulumi

from shared.config import SharedConfig
from shared.shared_services import SharedServices, SharedServicesArgs
from tests.unit.pulumi_mocks import SUBSCRIPTION_ID, TENANT_ID, RecordingMocks, deploy

OWNER = "11111111-2222-3333-4444-555555555555"


def deploy_shared(preview: bool = False, protect: bool = True, **settings: object) -> RecordingMocks:
    """Deploy with these settings over the required ones; the result is contract and summary."""
    config = SharedConfig.model_validate(
        {
            "businessUnit": "bu0001",
            "application": "a0042",
            "location": "eastus2",
            "regions": ["eastus2", "centralus", "westus"],
            **settings,
        }
    )
    arguments = SharedServicesArgs(config=config, subscription_id=SUBSCRIPTION_ID, tenant_id=TENANT_ID, protect=protect)

    def program() -> pulumi.Output[list[object]]:
        services = SharedServices("shared", arguments)
        return pulumi.Output.all(services.contract, services.summary)

    return deploy(program, preview)


def azure(name: str) -> str:
    """Return the type token of an azure-native resource, `module:Resource`."""
    return f"azure-native:{name}"
