"""Hub and spoke see each other, and the region keeps its own network logs."""

from __future__ import annotations

import pytest

from stamps.network_monitoring import NetworkMonitoring, NetworkMonitoringArgs
from stamps.peering import Peering, PeeringArgs
from tests.unit.pulumi_mocks import RecordingMocks, deploy
from tests.unit.stamps.network_fixtures import NAMING, TAGS, inputs_of


def _program() -> None:
    Peering(
        "peering",
        PeeringArgs(
            hub_resource_group_name="rg-hub",
            hub_network_name="vnet-hub",
            hub_network_id="/subscriptions/s/vnet-hub",
            spoke_resource_group_name="rg-spoke",
            spoke_network_name="vnet-spoke",
            spoke_network_id="/subscriptions/s/vnet-spoke",
        ),
    )
    NetworkMonitoring(
        "monitoring",
        NetworkMonitoringArgs(naming=NAMING, location="eastus2", resource_group_name="rg-hub", tags=TAGS),
    )


@pytest.fixture(params=[False, True], ids=["update", "preview"])
def mocks(request: pytest.FixtureRequest) -> RecordingMocks:
    """Return what both components asked Azure for."""
    return deploy(_program, request.param)


@pytest.mark.parametrize(("here", "there"), [("hub", "spoke"), ("spoke", "hub")])
def test_each_half_lies_in_its_own_network_and_lets_forwarded_traffic_in(
    mocks: RecordingMocks, here: str, there: str
) -> None:
    """The firewall forwards what neither network sent first; a peering learns new address space only when told."""
    half = inputs_of(mocks, "network:VirtualNetworkPeering", f"peering-{here}-to-{there}")
    assert half["resourceGroupName"] == f"rg-{here}"
    assert half["virtualNetworkName"] == f"vnet-{here}"
    assert half["remoteVirtualNetwork"]["id"] == f"/subscriptions/s/vnet-{there}"
    assert half["allowForwardedTraffic"] is True
    assert half["useRemoteGateways"] is False
    assert half["allowGatewayTransit"] is False
    assert half["syncRemoteAddressSpace"] == "true"


def test_the_second_half_waits_for_the_first(mocks: RecordingMocks) -> None:
    """Each half writes both networks, and Azure takes one write at a time to a network."""
    first, second = mocks.named("peering-hub-to-spoke"), mocks.named("peering-spoke-to-hub")
    assert first.urn in second.dependencies
    assert first.error_hooks
    assert second.error_hooks


def test_network_logs_stay_in_the_region_for_thirty_days_without_shared_keys(mocks: RecordingMocks) -> None:
    """Another region's outage must not hide this one's logs."""
    workspace = inputs_of(mocks, "operationalinsights:Workspace", "monitoring-workspace")
    assert workspace["location"] == "eastus2"
    assert workspace["retentionInDays"] == 30
    assert workspace["features"]["disableLocalAuth"] is True
