"""A stamp enrols itself in the shared Front Door, last of all, under one name."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from shared.outputs import FrontDoorContract, PublicDnsZoneContract
from stamps.front_door_origin import FrontDoorOrigin, FrontDoorOriginArgs, PublicDnsRecord, PublicDnsRecordArgs
from tests.unit.pulumi_mocks import SUBSCRIPTION_ID, RecordingMocks, deploy
from tests.unit.stamps.edge_arguments import both_modes

HOST = "eastus2.edge.contoso.com"
CONTRACT = FrontDoorContract(
    profile_name="afd-shared",
    profile_id=f"/subscriptions/{SUBSCRIPTION_ID}/resourceGroups/rg/providers/Microsoft.Cdn/profiles/afd-shared",
    front_door_id="77777777-0000-1111-2222-333333333333",
    endpoint_id=f"/subscriptions/{SUBSCRIPTION_ID}/resourceGroups/rg/providers/Microsoft.Cdn/profiles/afd-shared/afdEndpoints/fleet",
    endpoint_host_name="fleet.z01.azurefd.net",
    origin_group_name="stamps",
    probe_path="/healthz/region",
)
ZONE = PublicDnsZoneContract(resource_group="rg-dns", name="edge.contoso.com")


def deployed(preview: bool = False, **changes: object) -> RecordingMocks:
    """Deploy a record and the origin that waits for it."""

    def program() -> None:
        record = PublicDnsRecord("record", PublicDnsRecordArgs(contract=ZONE, host_name=HOST, address="20.0.0.4"))
        args: dict[str, Any] = {
            "contract": CONTRACT,
            "shared_resource_group": "rg-shared",
            "stamp": "eastus2",
            "host_name": HOST,
            "enabled": True,
            "weight": 500,
            **changes,
        }
        FrontDoorOrigin("origin", FrontDoorOriginArgs(**args), after=[record])

    return deploy(program, preview)


@both_modes
def test_front_door_calls_the_gateway_by_its_own_name_and_checks_it(preview: bool) -> None:
    """Connection, host header and certificate have one name."""
    made = deployed(preview).one("azure-native:cdn:AFDOrigin").inputs
    assert made["hostName"] == made["originHostHeader"] == HOST
    assert made["enforceCertificateNameCheck"] is True
    assert (made["httpsPort"], made["priority"], made["weight"]) == (443, 1, 500)


@both_modes
def test_the_origin_lies_in_the_shared_profile_under_the_stamps_name(preview: bool) -> None:
    """Two stamps in one region have two origins."""
    made = deployed(preview, stamp="eastus2-green").one("azure-native:cdn:AFDOrigin").inputs
    assert (made["resourceGroupName"], made["profileName"], made["originGroupName"], made["originName"]) == (
        "rg-shared",
        "afd-shared",
        "stamps",
        "origin-eastus2-green",
    )


@pytest.mark.parametrize(("enabled", "state"), [(True, "Enabled"), (False, "Disabled")])
def test_a_disabled_origin_stays_and_takes_no_requests(enabled: bool, state: str) -> None:
    """The durable form of a drain."""
    assert deployed(enabled=enabled).one("azure-native:cdn:AFDOrigin").inputs["enabledState"] == state


@both_modes
def test_the_origin_comes_last_and_retries(preview: bool) -> None:
    """After the name that it is called by; other stamps write to the same profile."""
    made = deployed(preview)
    origin = made.one("azure-native:cdn:AFDOrigin")
    assert made.depends_on(origin, made.one("azure-native:dns:RecordSet"))
    assert origin.error_hooks


@both_modes
def test_the_gateways_name_is_written_into_the_public_zone(preview: bool) -> None:
    """Relative to the zone, which others own."""
    made = deployed(preview).one("azure-native:dns:RecordSet").inputs
    assert (made["zoneName"], made["resourceGroupName"]) == ("edge.contoso.com", "rg-dns")
    assert (made["relativeRecordSetName"], made["recordType"]) == ("eastus2", "A")
    assert made["aRecords"] == [{"ipv4Address": "20.0.0.4"}]


@pytest.mark.parametrize("host", ["eastus2.contoso.com", "eastus2.ledge.contoso.com", "edge.contoso.com"])
def test_a_name_outside_the_public_zone_is_refused(host: str) -> None:
    """It could not be written there."""
    with pytest.raises(ValidationError, match=r"public zone edge\.contoso\.com"):
        PublicDnsRecordArgs(contract=ZONE, host_name=host, address="20.0.0.4")
