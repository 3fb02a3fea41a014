"""The simulated Azure under a program that is not ours: faults, kills, time line and types that it does not know."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulator.cloud_store import CloudStore
from simulator.faults import Fault, Faults
from simulator.outside_changes import delete
from tests.e2e.project import Project

pytestmark = pytest.mark.e2e

PROGRAM = """
from pulumi_azure_native import network, resources, search

group = resources.ResourceGroup("group", resource_group_name="rg-small", location="eastus2")
place = {"resource_group_name": group.name, "location": "eastus2"}
table = network.RouteTable("table", route_table_name="rt-small", **place)
spaces = {"address_prefixes": ["10.0.0.0/16"]}
hub = network.VirtualNetwork("hub", virtual_network_name="vnet-small", address_space=spaces, **place)
network.Subnet(
    "subnet",
    resource_group_name=group.name,
    virtual_network_name=hub.name,
    subnet_name="nodes",
    address_prefix="10.0.0.0/24",
    route_table={"id": table.id},
)
search.Service("search", search_service_name="srch-small", sku={"name": "basic"}, **place)
"""


@pytest.fixture
def small(tmp_path: Path) -> Project:
    """Give a small program with a stack `dev` that was never deployed; its state is written after every step."""
    (tmp_path / "Pulumi.yaml").write_text("name: small\nruntime: python\n", encoding="utf-8")
    (tmp_path / "__main__.py").write_text(PROGRAM, encoding="utf-8")
    project = Project(tmp_path, checkpoints=True)
    project.pulumi("stack", "init", "dev").succeeded()
    return project


def arm(project: Project, fault: Fault) -> None:
    """Set a fault in the project's cloud."""
    store = CloudStore(project.home / "cloud.sqlite")
    Faults(store).add(fault)
    store.close()


def test_an_unknown_type_is_deployed_with_one_warning_and_the_run_has_a_time_line(small: Project) -> None:
    """The warning names the type once; virtual time shows Azure's order and what it forces."""
    output = (
        small.simulator(
            "run", "--latency", "virtual", "--", "pulumi", "up", "--stack", "dev", "--yes", "--skip-preview"
        )
        .succeeded()
        .output
    )
    diagnostics = output.split("Diagnostics:")[1]
    assert diagnostics.count("knows no rules of azure-native:search:Service") == 1
    assert any(item.endswith("/services/srch-small") for item in small.cloud_ids())
    told = small.simulator("timeline").succeeded().output
    path = [line.split()[-1] for line in told.splitlines() if " to " in line]
    assert path == ["group", "hub", "subnet"]
    assert "the makespan is 1.00 times that" in told


def test_after_a_kill_nothing_that_azure_acknowledged_is_lost_and_the_next_up_completes(small: Project) -> None:
    """Server, program and engine are killed one after the other, each while Azure works; what stood before stands."""
    for victim, token, name in (
        ("kill-server", "network:RouteTable", "rt-small"),
        ("kill-program", "network:VirtualNetwork", "vnet-small"),
        ("kill-engine", "network:Subnet", "nodes"),
    ):
        before = small.cloud_ids()
        arm(small, Fault(victim, token))  # type: ignore[arg-type]  # one of the literals
        assert small.up("dev").code != 0
        assert before <= small.cloud_ids()
        small.pulumi("cancel", "--stack", "dev", "--yes")
        # Azure may have finished what the state never saw: somebody has to take it away, or adopt it.
        delete_unseen(small, name)
    assert {"rg-small", "rt-small", "vnet-small"} <= {item.rsplit("/", 1)[1] for item in small.cloud_ids()}
    small.up("dev").succeeded()
    small.unchanged("dev")


def delete_unseen(project: Project, name: str) -> None:
    """Delete what has a name behind Pulumi's back, if it stands and the state does not hold it."""
    held = {item["id"] for item in project.resources("dev") if item.get("id")}
    store = CloudStore(project.home / "cloud.sqlite")
    for item, _ in store.all_tokens():
        if item.endswith(f"/{name}") and item not in held:
            delete(store, item)
    store.close()


def test_a_lost_answer_leaves_what_the_next_up_meets(small: Project) -> None:
    """The real provider refuses to create what exists; so does the simulated one."""
    arm(small, Fault("lose-answer", "network:RouteTable"))
    first = small.up("dev")
    assert first.code != 0
    assert "GatewayTimeout" in first.output
    second = small.up("dev")
    assert second.code != 0
    assert "cannot create already existing resource" in second.output
