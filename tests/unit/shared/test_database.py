"""The workload's database as Azure would get it: in every region, without keys, and absent unless asked for."""

from __future__ import annotations

import pytest

from foundation.configuration import load
from foundation.naming import Naming
from shared.config import SharedConfig
from shared.contract_reader import parse_contract
from tests.unit.pulumi_mocks import SUBSCRIPTION_ID, RecordingMocks
from tests.unit.shared.shared_deployment import azure, deploy_shared

ACCOUNT = azure("cosmosdb:DatabaseAccount")


@pytest.fixture(scope="module")
def record() -> RecordingMocks:
    """The option with its defaults."""
    return deploy_shared(database={})


def test_without_the_option_there_is_no_database(plain: RecordingMocks) -> None:
    """Nothing is made, and a contract that says nothing of a database is read as before."""
    assert [each.name for each in plain.resources if "cosmosdb" in each.type or "database" in each.name] == []
    contract, summary = plain.result
    assert contract["database"] is None
    assert "Database" not in summary
    old = {key: value for key, value in contract.items() if key != "database"}
    assert parse_contract(old, "shared").database is None


def test_the_account_lies_in_every_region_and_each_writes(record: RecordingMocks) -> None:
    """The home comes first and settles conflicts; zones where the region has them."""
    inputs = record.one(ACCOUNT).inputs
    keys = ("locationName", "failoverPriority", "isZoneRedundant")
    assert [tuple(each[key] for key in keys) for each in inputs["locations"]] == [
        ("eastus2", 0, True),
        ("centralus", 1, True),
        ("westus", 2, False),
    ]
    assert inputs["enableMultipleWriteLocations"] is True
    assert inputs["enableAutomaticFailover"] is True
    assert inputs["consistencyPolicy"] == {"defaultConsistencyLevel": "Session"}
    assert inputs["location"] == "eastus2"


def test_the_home_is_a_region_of_the_database_without_a_stamp_there() -> None:
    """And it is not given twice."""
    inputs = deploy_shared(location="westus3", regions=["eastus2"], database={}).one(ACCOUNT).inputs
    assert [each["locationName"] for each in inputs["locations"]] == ["westus3", "eastus2"]


def test_a_second_region_changes_the_regions_and_nothing_else() -> None:
    """Azure refuses a region that comes with another change of the account."""
    one, two = (
        deploy_shared(regions=regions, database={}).one(ACCOUNT).inputs
        for regions in (["eastus2"], ["eastus2", "centralus"])
    )
    assert {key for key in one if one[key] != two[key]} == {"locations"}


def test_the_account_takes_no_keys_and_no_public_traffic(record: RecordingMocks) -> None:
    """Entra and private endpoints are the only way in."""
    inputs = record.one(ACCOUNT).inputs
    assert inputs["disableLocalAuth"] is True
    assert inputs["disableKeyBasedMetadataWriteAccess"] is True
    assert inputs["publicNetworkAccess"] == "Disabled"
    assert inputs["networkAclBypass"] == "None"
    assert inputs["ipRules"] == []
    assert inputs["minimalTlsVersion"] == "Tls12"


def test_what_holds_data_is_backed_up_and_protected(record: RecordingMocks) -> None:
    """Any second of the last week can be restored; the engine deletes nothing of it."""
    kinds = (ACCOUNT, azure("cosmosdb:SqlResourceSqlDatabase"), azure("cosmosdb:SqlResourceSqlContainer"))
    assert all(record.one(kind).protect for kind in kinds)
    assert record.one(ACCOUNT).inputs["backupPolicy"] == {
        "type": "Continuous",
        "continuousModeProperties": {"tier": "Continuous7Days"},
    }
    assert not any(deploy_shared(protect=False, database={}).one(kind).protect for kind in kinds)


def test_the_container_is_the_one_that_the_sample_writes_into(record: RecordingMocks) -> None:
    """Each region writes documents of its own partition."""
    inputs = record.one(azure("cosmosdb:SqlResourceSqlContainer")).inputs
    assert (inputs["databaseName"], inputs["containerName"]) == ("workload", "visits")
    assert inputs["resource"]["partitionKey"] == {"paths": ["/region"], "kind": "Hash", "version": 2}
    assert inputs["options"] == {"autoscaleSettings": {"maxThroughput": 1000}}


def test_settings_reach_azure() -> None:
    """Consistency, backup, throughput, zones."""
    settings = {
        "consistency": "Eventual",
        "backup": "Continuous30Days",
        "maxThroughput": 4000,
        "zoneRedundant": False,
    }
    record = deploy_shared(database=settings)
    inputs = record.one(ACCOUNT).inputs
    assert inputs["consistencyPolicy"] == {"defaultConsistencyLevel": "Eventual"}
    assert inputs["backupPolicy"]["continuousModeProperties"] == {"tier": "Continuous30Days"}
    assert not any(each["isZoneRedundant"] for each in inputs["locations"])
    options = record.one(azure("cosmosdb:SqlResourceSqlContainer")).inputs["options"]
    assert options == {"autoscaleSettings": {"maxThroughput": 4000}}


@pytest.mark.parametrize(
    ("settings", "path", "told"),
    [
        ({"consistency": "Strong"}, "consistency", "'Session', 'ConsistentPrefix' or 'Eventual'"),
        ({"maxThroughput": 1500}, "maxThroughput", "a multiple of 1000"),
        ({"maxThroughput": 0}, "maxThroughput", "greater than or equal to 1000"),
        ({"backup": "Periodic"}, "backup", "'Continuous7Days' or 'Continuous30Days'"),
        ({"serverless": True}, "serverless", "one of the keys backup, consistency, maxThroughput, zoneRedundant"),
    ],
)
def test_wrong_settings_get_one_message(settings: dict[str, object], path: str, told: str) -> None:
    """With the key's path and what is allowed."""
    content = {
        "businessUnit": "bu0001",
        "application": "a0042",
        "location": "eastus2",
        "regions": ["eastus2"],
        "database": settings,
    }
    with pytest.raises(Exception, match=rf"aks-geode:shared\.database\.{path}\n[\s\S]*{told}"):
        load(SharedConfig, content, file="Pulumi.shared.yaml", key="aks-geode:shared")


def test_a_preview_knows_the_endpoint(record: RecordingMocks) -> None:
    """It is made of the account's name, in the contract and in the summary."""
    name = record.one(ACCOUNT).inputs["accountName"]
    endpoint = f"https://{name}.documents.azure.com:443/"
    contract = record.result[0]["database"]
    assert contract["endpoint"] == endpoint
    assert contract["accountName"] == name
    assert (contract["database"], contract["container"]) == ("workload", "visits")
    assert contract["regions"] == ["eastus2", "centralus", "westus"]
    assert record.result[1]["Database"] == f"{endpoint} in eastus2, centralus, westus"
    assert deploy_shared(True, database={}).one(ACCOUNT).inputs["accountName"] == name


def test_names_fit_and_the_next_generation_has_another() -> None:
    """At most 44 characters, also with a long stack name; a deleted account may keep its own."""
    long = Naming(subscription_id=SUBSCRIPTION_ID, workload="bu0001a0042", scope="s" * 30)
    assert len(long.database_account()) <= 44
    assert long.model_copy(update={"generation": 2}).database_account() != long.database_account()


def test_changes_are_logged_and_failed_requests_alert(record: RecordingMocks) -> None:
    """No line for each request, and the fleet's action group hears of the account's availability."""
    diagnostics = record.named("shared-database-diagnostics").inputs
    assert diagnostics["logs"] == [{"category": "ControlPlaneRequests", "enabled": True}]
    alert = record.named("shared-database-availability").inputs
    (criterion,) = alert["criteria"]["allOf"]
    assert (criterion["metricName"], criterion["operator"], criterion["threshold"]) == (
        "ServiceAvailability",
        "LessThan",
        100,
    )
    assert alert["windowSize"] == "PT1H", "Azure computes the metric once an hour"
    assert "ActionGroup" in alert["actions"][0]["actionGroupId"]
