"""The fleet of the tracked stack files on the real engine: up, no change, no secret in clear text, guarded removal."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from shared.outputs import CONTRACT_OUTPUT
from tests.e2e.project import Project, counts, stamp

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


def test_second_up_changes_nothing(fleet: Project) -> None:
    """A preview of the shared stack that reads the cloud first shows no change; a stamp's second `up` is below."""
    fleet.unchanged("shared", "--refresh")


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


def test_no_secret_in_clear_text(fleet: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Certificates appear in no state, plan, preview, event log, output or file of the simulator."""
    read = fleet.pulumi("config", "get", "aks-geode:gatewayCertificate", "--stack", "eastus2").succeeded()
    pfx = read.output.strip().splitlines()[-1]
    assert len(base64.b64decode(pfx)) > 1000
    marker = pfx[200:260]
    monkeypatch.setenv("PULUMI_DEBUG_COMMANDS", "true")  # the engine has no --event-log without it
    again = ("--yes", "--skip-preview", "--refresh", "--diff")
    outputs = [
        fleet.pulumi("preview", "--stack", "eastus2", "--json", "--save-plan", str(fleet.root / "plan.json")),
        fleet.pulumi("up", "--stack", "eastus2", *again, "--event-log", str(fleet.root / "events.json")),
    ]
    for done in outputs:
        done.succeeded()
    (fleet.root / "export.json").write_text(json.dumps(fleet.export("eastus2")), encoding="utf-8")
    clear = [file for file in fleet.root.rglob("*") if file.is_file() and marker.encode() in file.read_bytes()]

    assert clear == []
    assert [done.output for done in outputs if marker in done.output] == []
    assert counts(outputs[-1].output).keys() == {"unchanged"}
    assert all((fleet.root / name).stat().st_size > 0 for name in ("plan.json", "events.json"))


@pytest.mark.parametrize("flag", ["-v=9", "--verbose=9", "--tracing=file:/tmp/x", "--logtostderr"])
def test_flags_that_print_secrets_are_refused(fleet: Project, flag: str) -> None:
    """The wrapper ends with one sentence before the engine starts."""
    done = fleet.simulator("run", "--", "pulumi", "preview", "--stack", "eastus2", flag)

    assert done.code == 2
    assert "prints secrets" in done.output or "print secrets" in done.output


def test_shared_refuses_to_go_while_a_stamp_is_enrolled(fleet: Project) -> None:
    """A destroy of shared fails at the route, before anything is gone, and the stamps read what they read before."""
    before = contract(fleet)
    done = fleet.pulumi("destroy", "--stack", "shared", "--yes", "--skip-preview")

    assert done.code != 0
    assert "ScopeLocked" in done.output
    kept = {r["type"] for r in fleet.resources("shared")}
    assert {"azure-native:cdn:Profile", "azure-native:containerregistry:Registry"} <= kept
    fleet.up("shared").succeeded()
    assert contract(fleet) == before


def contract(fleet: Project) -> dict[str, Any]:
    """Return what the shared stack exports for the stamps."""
    (root,) = (r for r in fleet.export("shared")["deployment"]["resources"] if r["type"] == "pulumi:pulumi:Stack")
    found: dict[str, Any] = root["outputs"][CONTRACT_OUTPUT]
    return found


def test_a_third_region_is_a_file_alone(fleet: Project) -> None:
    """A stamp in a new region comes up once the shared stack names the region, and another sees no change."""
    fleet.edit("westeurope", stamp("westeurope", 5, "Saturday"), of="eastus2")
    refused = fleet.pulumi("preview", "--stack", "westeurope")
    assert refused.code != 0
    assert "add it there under aks-geode:shared.regions" in refused.output

    fleet.edit("shared", {"regions": ["eastus2", "centralus", "westeurope"]})
    for stack in ("shared", "westeurope"):
        fleet.up(stack).succeeded()
    fleet.unchanged("centralus")


def test_down_leaves_only_what_azure_keeps(fleet: Project) -> None:
    """After the destroy of every stack the cloud holds soft-deleted vaults and Azure's own network watchers only."""
    done = fleet.simulator("down", "--keep-cloud").succeeded()

    assert "vault" in done.output
    left = {i.lower() for i in fleet.cloud_ids() if "networkwatcher" not in i.lower()}
    assert left == set()
