"""A stamp's way to the shared database: private, with one role for one identity, and before the workload comes."""

from __future__ import annotations

from typing import Any

import pulumi
import pytest

from foundation.configuration import load
from shared.outputs import SharedOutputs
from stamps.config import StampConfig
from stamps.database_endpoint import DATA_CONTRIBUTOR
from stamps.fleet import STAMP_KEY
from stamps.regional_stamp import RegionalStamp, RegionalStampArgs
from stamps.stamp_secrets import StampCertificates
from tests.unit.pulumi_mocks import RecordingMocks, Registration, child_inputs, deploy
from tests.unit.shared.shared_deployment import azure, deploy_shared
from tests.unit.stamps.test_reference_defects import ANSWERS, INGRESS_PFX
from tests.unit.test_configuration import tracked

ROLE = azure("cosmosdb:SqlResourceSqlRoleAssignment")
FLUX = azure("kubernetesconfiguration:FluxConfiguration")
IDENTITY = azure("managedidentity:UserAssignedIdentity")


def deploy_stamp(*, regions: tuple[str, ...] = ("eastus2", "centralus"), database: bool = True) -> RecordingMocks:
    """Deploy the first stamp beside a shared stack with or without a database."""
    settings: dict[str, Any] = {"database": {}} if database else {}
    contract = SharedOutputs.model_validate(deploy_shared(regions=list(regions), **settings).result[0])
    config = load(StampConfig, tracked("eastus2"), file="Pulumi.eastus2.yaml", key=STAMP_KEY)
    answers = {
        **ANSWERS,
        # Each identity has a principal of its own, so that a right for the wrong one shows.
        IDENTITY: lambda args: {"principalId": f"principal-{args.name}", "clientId": f"client-{args.name}"},
    }

    def program() -> pulumi.Output[dict[str, object]]:
        certificates = StampCertificates(
            gateway=pulumi.Output.secret("gateway"), ingress=pulumi.Output.secret(INGRESS_PFX), ingress_root="cm9vdA=="
        )
        arguments = RegionalStampArgs(stamp="eastus2", config=config, shared=contract, certificates=certificates)
        return RegionalStamp("eastus2", arguments).outputs

    return deploy(program, answers=answers, stack="eastus2")


@pytest.fixture(scope="module")
def record() -> RecordingMocks:
    """A stamp with a database."""
    return deploy_stamp()


def endpoint_of(record: RecordingMocks) -> Registration:
    """Return the database's private endpoint."""
    return record.named("eastus2-entry-database-private-endpoint")


def test_the_endpoint_lies_in_the_stamps_own_subnet_and_zone(record: RecordingMocks) -> None:
    """One zone for each stamp, linked to its spoke, and a zone group that writes the records of all regions."""
    inputs = endpoint_of(record).inputs
    (connection,) = inputs["privateLinkServiceConnections"]
    assert connection["groupIds"] == ["Sql"]
    assert "DatabaseAccount" in connection["privateLinkServiceId"]
    assert inputs["subnet"]["id"].endswith("/subnets/snet-private-endpoints")
    assert inputs["privateEndpointName"] == "pe-bu0001a0042-eastus2-sql"
    zone = record.named("eastus2-entry-database-dns-zone").inputs
    assert zone["privateZoneName"] == "privatelink.documents.azure.com"
    link = record.named("eastus2-entry-database-dns-link-spoke").inputs
    assert "spoke" in link["virtualNetwork"]["id"]
    group = record.named("eastus2-entry-database-private-zone-group").inputs
    assert "privatelink.documents.azure.com" in group["privateDnsZoneConfigs"][0]["privateDnsZoneId"]


def test_the_workload_and_nobody_else_gets_a_right_on_its_database_alone(record: RecordingMocks) -> None:
    """A role of Cosmos DB, at the path of the database, under a GUID that does not depend on what Azure makes."""
    role = record.one(ROLE)
    account = endpoint_of(record).inputs["privateLinkServiceConnections"][0]["privateLinkServiceId"]
    assert role.inputs["principalId"] == "principal-eastus2-entry-identities-workload"
    assert role.inputs["scope"] == f"{account}/dbs/workload"
    assert role.inputs["roleDefinitionId"] == f"{account}/sqlRoleDefinitions/{DATA_CONTRIBUTOR}"
    assert role.inputs["resourceGroupName"] == "rg-bu0001a0042-shared-eastus2"
    assert role.inputs["roleAssignmentId"] == deploy_stamp().one(ROLE).inputs["roleAssignmentId"]


def test_a_changed_right_is_deleted_and_made_anew(record: RecordingMocks) -> None:
    """Azure updates none of its parts, and a new identity is retried until Entra has replicated it."""
    role = record.one(ROLE)
    assert set(role.replace_on_changes) == {"principalId", "roleDefinitionId", "scope"}
    assert role.delete_before_replace
    assert role.error_hooks


def test_the_role_waits_for_the_endpoint(record: RecordingMocks) -> None:
    """Both are writes to the account, which takes one at a time."""
    assert record.depends_on(record.one(ROLE), endpoint_of(record))


def test_the_way_stands_before_the_workload_comes(record: RecordingMocks) -> None:
    """Endpoint, records, link and right: without one of them the first pods would fail."""
    flux = record.one(FLUX)
    for name in ("private-endpoint", "private-zone-group", "dns-link-spoke", "data-contributor"):
        assert record.depends_on(flux, record.named(f"eastus2-entry-database-{name}")), name


def test_the_manifests_get_the_endpoint(record: RecordingMocks) -> None:
    """As the contract says it, with the address of no region; the sample finds its own region's."""
    flux = record.one(FLUX).inputs["kustomizations"]
    told = {each["postBuild"]["substitute"]["COSMOS_ENDPOINT"] for each in flux.values()}
    (address,) = told
    assert address.startswith("https://cosmos-shared-")
    assert address.endswith(".documents.azure.com:443/")


def test_a_new_region_of_the_database_writes_the_endpoint_anew() -> None:
    """Azure puts the region's name into the zone when the endpoint is written; only its tag changes."""
    two, three = (
        deploy_stamp(regions=regions) for regions in (("eastus2", "westus"), ("eastus2", "westus", "westus3"))
    )
    before, after = (endpoint_of(each).inputs for each in (two, three))
    assert {key for key in before if before[key] != after[key]} == {"tags"}
    assert after["tags"]["database-regions"] == "3: eastus2 westus westus3"
    zones = [each.named("eastus2-entry-database-dns-zone").inputs for each in (two, three)]
    assert zones[0] == zones[1]


def test_the_tag_keeps_to_azures_length() -> None:
    """A tag takes 256 characters; the number of regions comes first and shows a change beyond them."""
    regions = tuple(f"{word}region{number}" for word in ("north", "south", "middle") for number in range(1, 10))
    tag = endpoint_of(deploy_stamp(regions=("eastus2", *regions))).inputs["tags"]["database-regions"]
    assert len(tag) == 256
    assert tag.startswith("28: eastus2 ")


def test_the_endpoints_group_lets_nodes_in_on_the_databases_port(record: RecordingMocks) -> None:
    """Pods leave with their node's address; the sample speaks HTTPS only, so 443 is all it needs."""
    groups = record.of_type(azure("network:NetworkSecurityGroup"))
    (group,) = (each for each in groups if "private-endpoints" in each.inputs["networkSecurityGroupName"])
    rule = child_inputs(group.inputs["securityRules"], "AllowClientsInbound")
    assert rule["destinationPortRange"] == "443"
    assert "10.243.0.0/22" in rule["sourceAddressPrefixes"]


def test_without_a_database_nothing_is_made() -> None:
    """And the manifests are told so."""
    record = deploy_stamp(database=False)
    assert [each.name for each in record.resources if "database" in each.name] == []
    flux = record.one(FLUX).inputs["kustomizations"]
    assert {each["postBuild"]["substitute"]["COSMOS_ENDPOINT"] for each in flux.values()} == {"none"}
