"""Cosmos DB: regions and how they change, backup, throughput, roles on data, and the addresses of its endpoints."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import pytest

from simulator.azure_cloud import AzureCloud
from simulator.azure_errors import AzureError
from simulator.operations import busy_key
from tests.unit.simulator.conftest import Azure

ACCOUNT, CONTAINER = "cosmosdb:DatabaseAccount", "cosmosdb:SqlResourceSqlContainer"
DATABASE, ROLE = "cosmosdb:SqlResourceSqlDatabase", "cosmosdb:SqlResourceSqlRoleAssignment"
CONTRIBUTOR = "00000000-0000-0000-0000-000000000002"


def inputs(*regions: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - inputs of any type
    """Return an account's inputs."""
    return {
        "resourceGroupName": "rg",
        "accountName": "data1",
        "location": "eastus2",
        "databaseAccountOfferType": "Standard",
        "enableMultipleWriteLocations": True,
        "locations": [
            {"locationName": region, "failoverPriority": number}
            for number, region in enumerate(regions or ("eastus2",))
        ],
        **more,
    }


def account(azure: Azure, *regions: str, **more: Any) -> str:  # noqa: ANN401 - inputs of any type
    """Make an account."""
    return azure.make(ACCOUNT, **inputs(*regions, **more))[0]


def change(azure: Azure, made: str, *regions: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - inputs of any type
    """Change an account and return its outputs."""
    return azure.cloud.update(f"azure-native:{ACCOUNT}", made, inputs(*regions, **more))


def database(azure: Azure) -> str:
    """Make a database in the account."""
    return azure.make(DATABASE, accountName="data1", databaseName="workload", resource={"id": "workload"})[0]


def container(azure: Azure, options: dict[str, Any], key: str = "/region") -> dict[str, Any]:
    """Return a container's inputs."""
    return {
        "resourceGroupName": "rg",
        "accountName": "data1",
        "databaseName": "workload",
        "containerName": "visits",
        "resource": {"id": "visits", "partitionKey": {"paths": [key], "kind": "Hash"}},
        "options": options,
    }


def assign(azure: Azure, made: str, principal: str, **more: str) -> str:
    """Give a principal the contributor's role on the database."""
    role = {
        "accountName": "data1",
        "roleAssignmentId": str(uuid.uuid4()),
        "principalId": principal,
        "roleDefinitionId": f"{made}/sqlRoleDefinitions/{CONTRIBUTOR}",
        "scope": f"{made}/dbs/workload",
        **more,
    }
    return azure.make(ROLE, **role)[0]


def endpoint(azure: Azure, made: str, prefix: str) -> tuple[str, dict[str, Any]]:
    """Put a private endpoint on the account into a subnet of a size; return its id and inputs."""
    network = azure.network("v", "10.9.0.0/16", {"name": "pe", "addressPrefix": prefix})
    given = {
        "resourceGroupName": "rg",
        "privateEndpointName": "pe",
        "location": "eastus2",
        "privateLinkServiceConnections": [{"name": "c", "privateLinkServiceId": made, "groupIds": ["Sql"]}],
        "subnet": {"id": f"{network}/subnets/pe"},
    }
    return azure.make("network:PrivateEndpoint", **given)[0], given


def test_an_account_tells_its_endpoints(azure: Azure) -> None:
    """Its own and each region's; every region writes, or the first alone."""
    _, outputs = azure.make(ACCOUNT, **inputs("eastus2", "centralus"))
    assert outputs["documentEndpoint"] == "https://data1.documents.azure.com:443/"
    assert [each["documentEndpoint"] for each in outputs["readLocations"]] == [
        "https://data1-eastus2.documents.azure.com:443/",
        "https://data1-centralus.documents.azure.com:443/",
    ]
    assert len(outputs["writeLocations"]) == 2
    single = azure.make(
        ACCOUNT, **inputs("eastus2", "centralus", accountName="data2", enableMultipleWriteLocations=False)
    )
    assert [each["locationName"] for each in single[1]["writeLocations"]] == ["eastus2"]


@pytest.mark.parametrize(
    ("locations", "told"),
    [
        ([("eastus2", 0), ("East US 2", 1)], "Each region can be given once"),
        ([("eastus2", 0), ("centralus", 2)], "Failover priorities must be unique"),
        ([("eastus2", 0), ("centralus", 0)], "Failover priorities must be unique"),
        ([("eastus9", 0)], "'eastus9' is not a region"),
    ],
)
def test_regions_are_told_apart(azure: Azure, locations: list[tuple[str, int]], told: str) -> None:
    """Each is a region, given once, with a priority of its own from 0 on."""
    given = [{"locationName": region, "failoverPriority": number} for region, number in locations]
    with pytest.raises(AzureError, match=told):
        account(azure, locations=given)


def test_zone_redundancy_needs_zones_and_is_for_life(azure: Azure) -> None:
    """West US has none; a region that stands keeps what it was added with."""

    def location(region: str, redundant: bool) -> list[dict[str, Any]]:
        return [{"locationName": region, "failoverPriority": 0, "isZoneRedundant": redundant}]

    with pytest.raises(AzureError, match="not supported in westus"):
        account(azure, locations=location("westus", True))
    made = account(azure, locations=location("eastus2", False))
    with pytest.raises(AzureError, match="fixed when the region is added"):
        change(azure, made, locations=location("eastus2", True))


def test_strong_consistency_has_one_write_region(azure: Azure) -> None:
    """With several it is refused."""
    strong = {"consistencyPolicy": {"defaultConsistencyLevel": "Strong"}}
    with pytest.raises(AzureError, match="Strong consistency is not possible"):
        account(azure, **strong)
    account(azure, enableMultipleWriteLocations=False, **strong)


@pytest.mark.parametrize("more", [{"tags": {"a": "b"}}, {"enableMultipleWriteLocations": False}])
def test_a_region_comes_alone(azure: Azure, more: dict[str, Any]) -> None:
    """Not with another change of the account; by itself it may."""
    made = account(azure)
    with pytest.raises(AzureError, match="cannot be added or removed together with other changes"):
        change(azure, made, "eastus2", "centralus", **more)
    assert len(change(azure, made, "eastus2", "centralus")["readLocations"]) == 2
    assert len(change(azure, made, "eastus2")["readLocations"]) == 1


def test_a_backup_tier_changes_alone_and_continuous_stays(azure: Azure) -> None:
    """Azure's own words for the first; there is no way back to periodic."""

    def backup(tier: str) -> dict[str, Any]:
        return {"backupPolicy": {"type": "Continuous", "continuousModeProperties": {"tier": tier}}}

    made = account(azure, **backup("Continuous7Days"))
    with pytest.raises(AzureError, match="Cannot update continuous backup mode and other properties at the same time"):
        change(azure, made, tags={"a": "b"}, **backup("Continuous30Days"))
    change(azure, made, **backup("Continuous30Days"))
    with pytest.raises(AzureError, match="cannot be changed to periodic"):
        change(azure, made, backupPolicy={"type": "Periodic"})


def test_autoscale_goes_by_thousands_and_does_not_follow_a_fixed_throughput(azure: Azure) -> None:
    """The change from fixed to autoscale is an operation of its own."""
    account(azure)
    database(azure)
    for most in (500, 1500):
        with pytest.raises(AzureError, match="a multiple of 1000 from 1000 on"):
            azure.make(CONTAINER, **container(azure, {"autoscaleSettings": {"maxThroughput": most}}))
    made = azure.make(CONTAINER, **container(azure, {"throughput": 400}))[0]
    with pytest.raises(AzureError, match="Updating offer to autoscale throughput is not allowed"):
        azure.cloud.update(
            f"azure-native:{CONTAINER}", made, container(azure, {"autoscaleSettings": {"maxThroughput": 1000}})
        )


def test_a_containers_partition_key_is_for_life(azure: Azure) -> None:
    """Its throughput is not."""
    account(azure)
    database(azure)
    small, large = ({"autoscaleSettings": {"maxThroughput": most}} for most in (1000, 4000))
    made = azure.make(CONTAINER, **container(azure, small))[0]
    azure.cloud.update(f"azure-native:{CONTAINER}", made, container(azure, large))
    with pytest.raises(AzureError, match="PropertyChangeNotAllowed"):
        azure.cloud.update(f"azure-native:{CONTAINER}", made, container(azure, large, key="/id"))


def test_an_account_takes_databases_containers_and_rights_with_it(azure: Azure) -> None:
    """Nobody is asked."""
    made = account(azure)
    inside = [database(azure), azure.make(CONTAINER, **container(azure, {}))[0], assign(azure, made, str(uuid.uuid4()))]
    azure.drop(ACCOUNT, made)
    assert [azure.cloud.read(each) for each in inside] == [None, None, None]


def test_a_role_on_data_names_what_is_there(azure: Azure) -> None:
    """A role of this account, a path of its data, a database that exists."""
    made, principal = account(azure), str(uuid.uuid4())
    with pytest.raises(AzureError, match="names a database that"):
        assign(azure, made, principal)
    database(azure)
    assign(azure, made, principal)
    for wrong, told in (
        ({"roleDefinitionId": f"{made}/sqlRoleDefinitions/00000000-0000-0000-0000-000000000001x"}, "was not found"),
        ({"roleDefinitionId": f"{made}2/sqlRoleDefinitions/{CONTRIBUTOR}"}, "does not exist in"),
        ({"scope": azure.group}, "is not a path of the data"),
        ({"roleAssignmentId": "workload"}, "must be a GUID"),
    ):
        with pytest.raises(AzureError, match=told):
            assign(azure, made, str(uuid.uuid4()), **wrong)
    assign(azure, made, principal, scope=made)


def test_a_role_on_data_is_given_once_and_never_changed(azure: Azure) -> None:
    """The same role, scope and principal exist once; each of them is for life."""
    made, principal = account(azure), str(uuid.uuid4())
    database(azure)
    given = assign(azure, made, principal)
    with pytest.raises(AzureError, match="has this role at this scope already"):
        assign(azure, made, principal)
    stored = azure.cloud.read(given)
    assert stored is not None
    with pytest.raises(AzureError, match="PropertyChangeNotAllowed"):
        azure.cloud.update(f"azure-native:{ROLE}", given, {**stored.inputs, "scope": made})


def test_a_new_principal_gets_a_role_on_data_only_when_entra_has_replicated_it(azure: Azure, tmp_path: Path) -> None:
    """There is no type to give; without a clock nothing is late."""
    made = account(azure)
    database(azure)
    assign(azure, made, azure.identity("early")[1])
    seconds = [1000.0]
    azure.cloud = AzureCloud(azure.store, lambda: seconds[0])
    principal = azure.identity("late")[1]
    with pytest.raises(AzureError, match="was not found in the AAD tenant"):
        assign(azure, made, principal)
    seconds[0] += 61
    assign(azure, made, principal)


def test_an_endpoint_has_an_address_for_the_account_and_for_each_region(azure: Azure) -> None:
    """What the account gets later shows with the endpoint's next write, and the others keep theirs."""
    made = account(azure, "eastus2", "centralus")
    pe, given = endpoint(azure, made, "10.9.0.0/26")
    stored = azure.cloud.read(pe)
    assert stored is not None
    before = {each["fqdn"]: each["ipAddresses"] for each in stored.outputs["customDnsConfigs"]}
    assert before == {
        "data1.documents.azure.com": ["10.9.0.4"],
        "data1-eastus2.documents.azure.com": ["10.9.0.5"],
        "data1-centralus.documents.azure.com": ["10.9.0.6"],
    }
    change(azure, made, "eastus2", "centralus", "westus3")
    outputs = azure.cloud.update("azure-native:network:PrivateEndpoint", pe, {**given, "tags": {"regions": "3"}})
    after = {each["fqdn"]: each["ipAddresses"] for each in outputs["customDnsConfigs"]}
    assert after == {**before, "data1-westus3.documents.azure.com": ["10.9.0.7"]}


def test_a_region_takes_an_address_in_every_connected_subnet(azure: Azure) -> None:
    """A /29 has three: account and two regions. The third region is refused."""
    made = account(azure, "eastus2", "centralus")
    endpoint(azure, made, "10.9.0.0/29")
    with pytest.raises(AzureError, match=r"westus3 cannot be added: the subnet of .* has no free IP address"):
        change(azure, made, "eastus2", "centralus", "westus3")


def test_an_account_is_written_one_at_a_time(azure: Azure) -> None:
    """With its databases and rights; what only refers to it is not meant."""
    made = account(azure)
    assert busy_key(f"{made}/sqlRoleAssignments/{CONTRIBUTOR}") == busy_key(made) == made.lower()
    assert busy_key(f"{made}/providers/Microsoft.Insights/diagnosticSettings/to-workspace") is None
