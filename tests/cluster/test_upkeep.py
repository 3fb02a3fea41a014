"""A stamp stays up while its nodes are upgraded one by one, and when a whole zone is lost."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cluster.api import eventually
from tests.cluster.conftest import Stamp
from tests.cluster.upkeep import (
    at_strength,
    deployments,
    drain,
    nodes_ready,
    on_node,
    open_again,
    per_zone,
    pods_of,
    restart,
    strength,
)


@pytest.fixture
def nodes(stamp: Stamp) -> Iterator[list[str]]:
    """The nodes' names; whatever happens, all are open and the stamp at strength afterwards."""
    eventually(lambda: at_strength(stamp.api, stamp.strength), 60, "the stamp is at strength")
    names = sorted(node["metadata"]["name"] for node in stamp.api.list("v1", "Node"))
    yield names
    for name in names:
        open_again(stamp.api, name)
    eventually(lambda: nodes_ready(stamp.api, len(names)), 60, "every node takes pods again")
    eventually(lambda: at_strength(stamp.api, stamp.strength), 60, "the stamp is at strength again")


def test_every_node_can_be_drained_one_after_the_other(stamp: Stamp, nodes: list[str]) -> None:
    """As an upgrade does it; no deployment is ever more than one pod short, and each loses a pod on the way."""
    moved: dict[str, int] = {}
    for node in nodes:
        for name, count in drain(stamp.api, node).items():
            moved[name] = moved.get(name, 0) + count
        now = strength(stamp.api)
        assert all(now[name] >= count - 1 for name, count in stamp.strength.items()), f"{node}: {now}"
        eventually(lambda: at_strength(stamp.api, stamp.strength), 30, f"replacements for {node} serve")
        assert not [pod for pod in on_node(stamp.api, node) if "deletionTimestamp" not in pod["metadata"]]
        open_again(stamp.api, node)
    assert set(moved) == set(stamp.strength)


def test_two_pods_of_one_deployment_never_leave_at_once(stamp: Stamp, nodes: list[str]) -> None:
    """With all but one node closed, the last pods wait for their replacements, so the drains still end."""
    for node in nodes[1:]:
        drain(stamp.api, node, 60)
    eventually(lambda: at_strength(stamp.api, stamp.strength), 60, "one node carries the stamp")
    where = {pod["spec"]["nodeName"] for deployment in deployments(stamp.api) for pod in pods_of(stamp.api, deployment)}
    assert where == {nodes[0]}


def test_a_fresh_rollout_is_spread_over_every_zone(stamp: Stamp, nodes: list[str]) -> None:
    """A zone takes no more than its share with it, though no pod insists on a zone."""
    assert nodes
    for deployment in deployments(stamp.api):
        restart(stamp.api, deployment)
        count = per_zone(stamp.api, deployment)
        assert set(count) == set(stamp.cluster.zones), deployment["metadata"]["name"]
        assert max(count.values()) - min(count.values()) <= 1, count


def test_the_loss_of_a_zone_leaves_the_stamp_at_strength(stamp: Stamp, nodes: list[str]) -> None:
    """Most pods serve on at once; when the cluster has noticed, the other zones have the rest."""
    lost = stamp.cluster.zones[0]
    for deployment in deployments(stamp.api):
        restart(stamp.api, deployment)
        count = per_zone(stamp.api, deployment)
        assert 0 < count[lost] <= -(-count.total() // len(stamp.cluster.zones)), count
    stamp.cluster.processes.end(lost)
    try:
        eventually(lambda: not nodes_ready(stamp.api, len(nodes)), 60, "the lost nodes are noticed")
        eventually(lambda: elsewhere(stamp, lost), 90, "the other zones serve at full strength")
    finally:
        stamp.cluster.processes.start_zone(lost)


def elsewhere(stamp: Stamp, lost: str) -> bool:
    """Tell whether the stamp is at strength without a zone."""
    counts = {each["metadata"]["name"]: per_zone(stamp.api, each) for each in deployments(stamp.api)}
    return all(counts[name].total() - counts[name][lost] >= least for name, least in stamp.strength.items())
