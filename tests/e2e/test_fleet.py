"""The fleet of the tracked stack files on the real engine: up, no change, no secret in clear text, guarded removal."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from tests.e2e.project import Project, stamp

pytestmark = pytest.mark.e2e
STACKS = ("shared", "eastus2", "centralus")


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory, deployed_fleet: Project) -> Project:
    """Return a deployed fleet of this module's own."""
    return deployed_fleet.copy(tmp_path_factory.mktemp("fleet") / "project")


def test_up_tells_what_stands_where(deployed_fleet: Project) -> None:
    """The summary names the front door, and for each stamp its gateway, cluster, vault and ranges."""
    told = (deployed_fleet.root / "up.log").read_text(encoding="utf-8")

    for text in (".azurefd.net", "eastus2.edge.contoso.com", "centralus.edge.contoso.com", "10.243.0.0/16", "kv-"):
        assert text in told


@pytest.mark.parametrize("stack", STACKS)
def test_second_up_changes_nothing(fleet: Project, stack: str) -> None:
    """Neither a plain preview nor one that reads the cloud first shows a change."""
    fleet.unchanged(stack)
    fleet.unchanged(stack, "--refresh")


@pytest.mark.parametrize("stack", STACKS)
def test_every_resource_lies_in_the_simulated_cloud(fleet: Project, stack: str) -> None:
    """State and cloud agree, so that nothing was only echoed."""
    ids = {i.lower() for i in fleet.cloud_ids()}
    custom = [r for r in fleet.resources(stack) if r.get("custom") and r["type"].startswith("azure-native:")]

    assert custom
    assert [r["id"] for r in custom if r["id"].lower() not in ids] == []


@pytest.mark.parametrize("region", ["eastus2", "centralus"])
def test_origin_is_last_to_be_made(fleet: Project, region: str) -> None:
    """The origin depends, through its components, on cluster, GitOps and gateway."""
    (origin,) = (r for r in fleet.resources(region) if r["type"] == "azure-native:cdn:AFDOrigin")
    needed = {urn.split("::")[-2].split("$")[-1] for urn in origin["dependencies"]}

    assert {
        "azure-native:network:ApplicationGateway",
        "azure-native:kubernetesconfiguration:FluxConfiguration",
        "azure-native:containerservice:ManagedCluster",
    } <= needed


def test_no_secret_in_clear_text(fleet: Project, tmp_path: Path) -> None:
    """Certificates appear in no state, plan, preview, event log, output or file of the simulator."""
    read = fleet.pulumi("config", "get", "aks-geode:gatewayCertificate", "--stack", "eastus2").succeeded()
    pfx = read.output.strip().splitlines()[-1]
    assert len(base64.b64decode(pfx)) > 1000
    marker = pfx[200:260]
    outputs = [
        fleet.pulumi("preview", "--stack", "eastus2", "--json", "--save-plan", str(fleet.root / "plan.json")),
        fleet.pulumi("preview", "--stack", "eastus2", "--diff", "--event-log", str(fleet.root / "events.json")),
        fleet.pulumi("refresh", "--stack", "eastus2", "--yes"),
        fleet.pulumi("up", "--stack", "eastus2", "--yes", "--diff"),
    ]
    fleet.export("eastus2")
    clear = [file for file in fleet.root.rglob("*") if file.is_file() and marker.encode() in file.read_bytes()]

    assert clear == []
    assert [done.output for done in outputs if marker in done.output] == []
    assert (fleet.root / "plan.json").stat().st_size > 0


@pytest.mark.parametrize("flag", ["-v=9", "--verbose=9", "--tracing=file:/tmp/x", "--logtostderr"])
def test_flags_that_print_secrets_are_refused(fleet: Project, flag: str) -> None:
    """The wrapper ends with one sentence before the engine starts."""
    done = fleet.pulumi("preview", "--stack", "eastus2", flag)

    assert done.code == 2
    assert "prints secrets" in done.output or "print secrets" in done.output


def test_shared_refuses_to_go_while_a_stamp_is_enrolled(fleet: Project) -> None:
    """A destroy of shared fails at the route, before anything is gone, and the stamps see no change."""
    done = fleet.pulumi("destroy", "--stack", "shared", "--yes", "--skip-preview")

    assert done.code != 0
    assert "ScopeLocked" in done.output
    kept = {r["type"] for r in fleet.resources("shared")}
    assert {"azure-native:cdn:Profile", "azure-native:containerregistry:Registry"} <= kept
    fleet.up("shared").succeeded()
    fleet.unchanged("eastus2")


def test_third_region_and_second_stamp_are_files_alone(fleet: Project) -> None:
    """A stamp in a new region and a green one beside the first come up, and the others see no change."""
    fleet.edit("westeurope", stamp("westeurope", 5, "Saturday"), of="eastus2")
    refused = fleet.pulumi("preview", "--stack", "westeurope")
    assert refused.code != 0
    assert "add it there under aks-geode:shared.regions" in refused.output

    fleet.edit("shared", {"regions": ["eastus2", "centralus", "westeurope"]})
    fleet.edit("eastus2-green", stamp("eastus2", 6, "Sunday", "eastus2-green"), of="eastus2")
    for stack in ("shared", "westeurope", "eastus2-green"):
        fleet.up(stack).succeeded()
    for stack in ("eastus2", "centralus"):
        fleet.unchanged(stack)


def test_down_leaves_only_what_azure_keeps(fleet: Project) -> None:
    """After the destroy of every stack the cloud holds soft-deleted vaults and Azure's own network watchers only."""
    done = fleet.simulator("down", "--keep-cloud").succeeded()

    assert "vault" in done.output
    left = {i.lower() for i in fleet.cloud_ids() if "networkwatcher" not in i.lower()}
    assert left == set()
