"""What the network tests build with: one stamp's names and plan, and looking up what Azure would get."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from foundation.naming import Naming
from shared.outputs import FirewallContract
from stamps.address_plan import AddressPlan
from stamps.network_config import NetworkSettings
from tests.unit.pulumi_mocks import RecordingMocks

NAMING = Naming(subscription_id="11111111-2222-3333-4444-555555555555", workload="bu0001a0042", scope="eastus2")
TAGS = {"owner": "platform"}
ZONES = ("1", "2", "3")
WORKSPACE_ID = (
    "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/hub"
    "/providers/Microsoft.OperationalInsights/workspaces/network"
)
ADDRESSES = {"azure-native:network:PublicIPAddress": {"ipAddress": "203.0.113.7"}}
REGIONAL = FirewallContract(inheritance="regional", sku="Standard", allowed_fqdns=("*.contoso.com",))


def address_plan() -> AddressPlan:
    """Return the plan of a stamp whose stack file names four networks."""
    return NetworkSettings.model_validate(
        {"hub": "10.200.3.0/24", "spoke": "10.243.0.0/16", "pods": "10.64.0.0/16", "services": "172.16.0.0/16"}
    ).address_plan()


def inputs_of(mocks: RecordingMocks, resource_type: str, name: str) -> dict[str, Any]:
    """Return the inputs of the resource with that logical name, which is of that type (`network:VirtualNetwork`)."""
    resource = mocks.named(name)
    assert resource.type == f"azure-native:{resource_type}"
    return resource.inputs


def names_of(mocks: RecordingMocks, resource_type: str) -> list[str]:
    """Return the logical names of all resources of that type, in the order of their registration."""
    return [resource.name for resource in mocks.of_type(f"azure-native:{resource_type}")]


def by_name(entries: list[dict[str, Any]]) -> Mapping[str, dict[str, Any]]:
    """Return inline children by their name."""
    assert len({entry["name"] for entry in entries}) == len(entries)
    return {entry["name"]: entry for entry in entries}
