"""Single stacks on the real engine: what is refused before anything is made, and the other modes of a stamp."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.e2e.project import Project, stamp

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def with_shared(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Return a project whose shared stack is deployed, with one base policy for all stamps."""
    project = Project.make(tmp_path_factory.mktemp("shared") / "project", ("shared", "eastus2"))
    project.edit("shared", {"firewall": {"inheritance": "shared"}, "regions": ["eastus2", "centralus", "westus"]})
    project.up("shared").succeeded()
    return project


@pytest.fixture(scope="module")
def new(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Return a project of which nothing was ever deployed."""
    return Project.make(tmp_path_factory.mktemp("new") / "project", ("shared", "eastus2"))


def test_stamp_before_its_shared_stack_gets_one_sentence(tmp_path: Path) -> None:
    """Neither a missing nor a never deployed shared stack is taken for an empty one; a preview may do without."""
    project = Project.make(tmp_path / "project", ("shared", "eastus2"))
    for prepare in ((), ("stack", "init", "shared", "--no-select")):
        if prepare:
            project.pulumi(*prepare)
        done = project.pulumi("preview", "--stack", "eastus2")
        assert done.code != 0
        assert "Deploy it first: pulumi up --stack shared" in done.output
        assert "Traceback" not in done.output

    offline = project.pulumi("preview", "--stack", "eastus2", "-c", "aks-geode:offlineContract=true")
    assert offline.code == 0, offline.output
    assert "ManagedCluster" in offline.output


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"network": {"hub": "10.200.3.0/25"}}, "aks-geode:stamp.network.hub"),
        ({"regin": "eastus2"}, "aks-geode:stamp.regin"),
    ],
)
def test_bad_configuration_makes_nothing(new: Project, change: dict[str, Any], told: str) -> None:
    """The engine shows the one message, without a traceback, and nothing stands in the cloud."""
    file = new.root / "Pulumi.eastus2.yaml"
    before = file.read_bytes()
    new.edit("eastus2", change)
    try:
        done = new.up("eastus2")
    finally:
        file.write_bytes(before)

    assert done.code != 0
    assert f"Pulumi.eastus2.yaml: {told}" in done.output
    assert "Traceback" not in done.output
    assert new.cloud_ids() == set()


def test_text_in_place_of_settings_is_refused(tmp_path: Path) -> None:
    """A key with a text under it gets the one message too."""
    project = Project.make(tmp_path / "project", ("shared", "eastus2"))
    (project.root / "Pulumi.shared.yaml").write_text("config:\n  aks-geode:shared: eastus2\n", encoding="utf-8")

    done = project.pulumi("preview", "--stack", "shared")

    assert done.code != 0
    assert "a mapping of settings" in done.output
    assert "Traceback" not in done.output


def test_private_link_stamp_with_the_shared_base_policy(with_shared: Project) -> None:
    """The child policy lies in the base's region, and no subnet is kept for the API server."""
    with_shared.edit("centralus", {**stamp("centralus", 4, "Thursday"), "apiServer": "privateLink"}, of="eastus2")
    with_shared.up("centralus").succeeded()
    found = with_shared.resources("centralus")

    (policy,) = (r for r in found if r["type"] == "azure-native:network:FirewallPolicy")
    assert policy["inputs"]["location"] == "eastus2"
    assert "basePolicy" in policy["inputs"]
    (cluster,) = (r for r in found if r["type"] == "azure-native:containerservice:ManagedCluster")
    assert cluster["inputs"]["apiServerAccessProfile"]["enablePrivateCluster"] is True
    assert not cluster["inputs"]["apiServerAccessProfile"].get("enableVnetIntegration")


def test_region_without_zones(with_shared: Project) -> None:
    """Zones are absent everywhere, and a warning speaks of the SLA."""
    with_shared.edit("westus", stamp("westus", 7, "Monday"), of="eastus2")
    done = with_shared.up("westus").succeeded()

    assert "no availability zones" in done.output
    zonal = [r["urn"] for r in with_shared.resources("westus") if r.get("inputs", {}).get("zones")]
    assert zonal == []


TWICE = """
import pulumi
from foundation.api_aliases import strip_version_aliases
from foundation.configuration import load
from shared.config import SharedConfig
from shared.outputs import DatabaseContract, FleetManagerContract
from shared.shared_services import SharedServices, SharedServicesArgs
from stamps.config import StampConfig
from stamps.regional_stamp import RegionalStamp, RegionalStampArgs
from stamps.stamp_secrets import read_stamp_certificates
from pulumi_azure_native import authorization
strip_version_aliases()
settings = pulumi.Config("aks-geode")
config = load(StampConfig, settings.get_object("stamp"), file="f", key="k")
certificates = read_stamp_certificates(config, "f")
client = authorization.get_client_config()
from shared.contract_reader import read_contract
fleet = FleetManagerContract(id="/subscriptions/s/fleets/f", name="f", waves=("wave1",), node_images="cluster")
database = DatabaseContract(account_id="/subscriptions/s/databaseAccounts/d", account_name="d",
    endpoint="https://d.documents.azure.com:443/", database="workload", container="visits", regions=("eastus2",))
contract = read_contract("shared").model_copy(update={"fleet_manager": fleet, "database": database})
second = config.model_copy(update={"generation": 2})
for name in ("first", "second"):
    RegionalStamp(name, RegionalStampArgs(
        stamp=name, config=config, shared=contract, certificates=certificates, protect=False))
base = SharedConfig(business_unit="bu0002", application="b01", location="eastus2", regions=("eastus2", "centralus"),
    fleet_manager={"node_images": "fleet"}, database={})
for name in ("alpha", "beta"):
    SharedServices(name, SharedServicesArgs(
        config=base.model_copy(update={"application": name}), subscription_id=client.subscription_id,
        tenant_id=client.tenant_id, protect=False))
"""


def test_two_of_every_component_in_one_program(with_shared: Project, tmp_path: Path) -> None:
    """No child has a fixed logical name, which only the engine would notice as a duplicate."""
    project = with_shared
    before = (project.root / "__main__.py").read_text(encoding="utf-8")
    (project.root / "__main__.py").write_text(TWICE, encoding="utf-8")
    try:
        done = project.pulumi("preview", "--stack", "eastus2")
    finally:
        (project.root / "__main__.py").write_text(before, encoding="utf-8")

    assert done.code == 0, done.output
    assert "first-cluster" in done.output
    assert "beta" in done.output
