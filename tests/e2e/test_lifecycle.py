"""The life of a deployed fleet on the real engine: changes, drift, runs at once, a stamp that goes."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from simulator.cloud_store import CloudStore
from simulator.outside_changes import delete, scale_pool, set_property
from tests.e2e.changes_page import Row, batches, effects_of, rows
from tests.e2e.project import Project, stamp
from tests.faults.broken_runs import arm, orphans

pytestmark = pytest.mark.e2e
_COSTLY = {"ManagedCluster", "ApplicationGateway", "PublicIPAddress", "Vault", "AzureFirewall", "VirtualNetwork"}
_IN_PLACE = [batch for batch in batches(row for row in rows() if not row.replaces) if len(batch) > 2]
"""Changes that share a preview with others; those that are left, and what replaces, are previewed every night."""


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory, deployed_fleet: Project) -> Project:
    """Return a deployed fleet of this module's own."""
    return deployed_fleet.copy(tmp_path_factory.mktemp("lifecycle") / "project")


def ids_of(project: Project, stack: str, *names: str) -> list[str]:
    """Return the ids of resources by the program's names of them."""
    by_name = {item["urn"].rsplit("::", 1)[1]: item for item in project.resources(stack)}
    return [str(by_name[f"{stack}-{name}"]["id"]) for name in names]


def changes(project: Project, stack: str, *more: str) -> dict[str, tuple[str, list[str]]]:
    """Return what a preview would change: the operation and the properties by the program's names, without sames."""
    done = project.pulumi("preview", "--stack", stack, "--json", *more).succeeded()
    steps: list[dict[str, Any]] = json.loads(done.output[done.output.index("{\n") :])["steps"]
    return {
        step["urn"].rsplit("::", 1)[1].removeprefix(f"{stack}-"): (step["op"], sorted(step.get("detailedDiff") or {}))
        for step in steps
        if step["op"] not in ("same", "refresh", "read")
    }


@pytest.mark.parametrize("batch", _IN_PLACE, ids=lambda batch: batch[0].what)
def test_the_page_of_changes_says_what_the_engine_does(fleet: Project, batch: list[Row]) -> None:
    """Changes that touch different keys and types share a preview; the long sweep previews each row alone."""
    expected = frozenset(effect for row in batch for effect in row.effects)

    assert effects_of(fleet, batch) == expected, [row.what for row in batch]


def test_few_changes_replace_what_is_costly() -> None:
    """Cluster, gateway, addresses, vault, firewall and networks are replaced by these rows and by no others."""
    replacing = {row.what for row in rows() if {name for name, verb in row.effects if verb == "replaced"} & _COSTLY}

    assert len(rows()) > 25
    assert replacing == {"Range of the pods", "Range of the services", "Way to the API server", "Generation"}


def test_a_second_engine_on_the_same_stack_is_refused(fleet: Project) -> None:
    """The lock names who holds it; the first run goes on and ends well."""
    arm(fleet, [])
    slow = ("run", "--latency", "0.02", "--", "pulumi", "up", "--stack", "eastus2", "--yes", "--skip-preview")
    fleet.edit("eastus2", {"frontDoorOrigin": {"weight": 400}})
    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(lambda _: fleet.simulator(*slow), range(2)))

    codes = sorted(done.code == 0 for done in both)
    assert codes == [False, True], both
    (refused,) = (done for done in both if done.code)
    assert "the stack is currently locked by 1 lock" in refused.output


def test_drift_is_shown_exactly_and_repaired(fleet: Project) -> None:
    """A property changed, a resource deleted and a rule added behind Pulumi's back: a refreshing preview shows these
    three, `up --refresh` undoes them. What the autoscaler and Azure change themselves shows no difference."""
    names = ("entry-gateway-waf-policy", "cluster-alerts-node-cpu", "network-spoke-gateway-nsg", "cluster-aks-cluster")
    firewall_policy, alert, group, cluster = ids_of(fleet, "eastus2", *names)
    store = CloudStore(fleet.home / "cloud.sqlite")
    stored = store.get(group)
    assert stored is not None
    anything = dict.fromkeys(
        ("sourceAddressPrefix", "sourcePortRange", "destinationAddressPrefix", "destinationPortRange", "protocol"), "*"
    )
    rule: dict[str, Any] = {"name": "a-hole", "access": "Allow", "direction": "Inbound", "priority": 999, **anything}
    set_property(store, firewall_policy, "policySettings.mode", "Detection")
    delete(store, alert)
    set_property(store, group, "securityRules", [*stored.inputs["securityRules"], rule])
    scale_pool(store, cluster, "npsystem", 4)
    scale_pool(store, cluster, "npuser01", 6)
    store.close()

    shown = changes(fleet, "eastus2", "--refresh")
    assert {name: op for name, (op, _) in shown.items()} == {
        "entry-gateway-waf-policy": "update",
        "cluster-alerts-node-cpu": "create",
        "network-spoke-gateway-nsg": "update",
    }
    assert shown["entry-gateway-waf-policy"][1] == ["policySettings.mode"]
    assert all(path.startswith("securityRules[") for path in shown["network-spoke-gateway-nsg"][1])
    fleet.pulumi("up", "--stack", "eastus2", "--yes", "--skip-preview", "--refresh").succeeded()

    fleet.unchanged("eastus2", "--refresh")
    store = CloudStore(fleet.home / "cloud.sqlite")
    policy, hole, pool = store.get(firewall_policy), store.get(group), store.get(f"{cluster}/agentPools/npuser01")
    store.close()
    assert policy is not None and policy.inputs["policySettings"]["mode"] == "Prevention"  # noqa: PT018 - for the type
    assert hole is not None and rule["name"] not in json.dumps(hole.inputs)  # noqa: PT018 - the same
    assert pool is not None and pool.outputs["count"] == 6  # noqa: PT018 - the same


def test_a_stamp_is_replaced_by_a_green_one_and_leaves_nothing(fleet: Project) -> None:
    """The new stamp comes up beside the old one, which then goes: origin, roles on shared resources, peerings and DNS
    links with it. Nobody else shows a difference."""
    before = fleet.cloud_ids()
    old = {item["id"] for item in fleet.resources("centralus") if item.get("id")}
    fleet.edit("centralus-green", stamp("centralus", 6, "Saturday", "centralus-green"), of="centralus")
    fleet.up("centralus-green").succeeded()

    fleet.pulumi("destroy", "--stack", "centralus", "--yes", "--skip-preview").succeeded()

    left = fleet.cloud_ids()
    assert {item for item in old if item in left} == set()
    assert [item for item in left if "centralus" in item and "green" not in item and item not in before] == []
    assert not [item for item in left if item.endswith(("origin-centralus", "locks/stamp-centralus"))]
    assert orphans(fleet, ["shared", "eastus2", "centralus-green"]) == set()
    for stack in ("shared", "eastus2"):
        fleet.unchanged(stack, "--refresh")
