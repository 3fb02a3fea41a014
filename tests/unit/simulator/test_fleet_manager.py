"""Azure Kubernetes Fleet Manager: who may join, what a strategy, a run and an upgrade profile have to say."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.azure_errors import AzureError
from tests.unit.simulator.conftest import Azure
from tests.unit.simulator.stamp_fragments import working_region

FLEET, MEMBER = "containerservice:Fleet", "containerservice:FleetMember"
STRATEGY, RUN = "containerservice:FleetUpdateStrategy", "containerservice:UpdateRun"
PROFILE = "containerservice:AutoUpgradeProfile"


def fleet(azure: Azure, name: str = "fleet", **more: Any) -> str:  # noqa: ANN401 - inputs of any type
    """Make a fleet."""
    return azure.make(FLEET, fleetName=name, location="eastus2", **more)[0]


def join(azure: Azure, cluster: str, *, name: str = "eastus2", to: str = "fleet", group: str = "wave1") -> str:
    """Make a cluster a member."""
    return azure.make(MEMBER, fleetName=to, fleetMemberName=name, clusterResourceId=cluster, group=group)[0]


def strategy(azure: Azure, *stages: dict[str, Any], to: str = "fleet") -> str:
    """Make an update strategy."""
    content = {"stages": list(stages)}
    return azure.make(STRATEGY, fleetName=to, updateStrategyName="waves", strategy=content)[0]


def stage(name: str, *groups: str) -> dict[str, Any]:
    """Return a stage of a strategy."""
    return {"name": name, "groups": [{"name": group} for group in groups]}


def run(azure: Azure, name: str, **more: Any) -> str:  # noqa: ANN401 - inputs of any type
    """Make an update run for node images."""
    update = {"upgrade": {"type": "NodeImageOnly"}}
    return azure.make(RUN, fleetName="fleet", updateRunName=name, managedClusterUpdate=update, **more)[0]


def test_a_cluster_is_a_member_of_one_fleet_once(azure: Azure) -> None:
    """It has to leave before it joins another, or the same under another name."""
    cluster = working_region(azure).cluster()
    fleet(azure)
    fleet(azure, "other")
    member = join(azure, cluster)
    for name, to in (("eastus2", "other"), ("second", "fleet")):
        with pytest.raises(AzureError, match="ClusterAlreadyJoinedAnotherFleet"):
            join(azure, cluster, name=name, to=to)
    azure.drop(MEMBER, member)
    join(azure, cluster, to="other")


def test_a_member_is_an_existing_cluster_with_a_valid_group_and_keeps_its_cluster(azure: Azure) -> None:
    """The group may change, the cluster may not."""
    cluster = working_region(azure).cluster()
    fleet(azure)
    with pytest.raises(AzureError, match="InvalidResourceReference"):
        join(azure, f"{cluster}-gone")
    with pytest.raises(AzureError, match="InvalidClusterResourceId"):
        join(azure, azure.group)
    with pytest.raises(AzureError, match="update group 'Wave 1'"):
        join(azure, cluster, group="Wave 1")
    member = join(azure, cluster)
    inputs = {"resourceGroupName": "rg", "fleetName": "fleet", "fleetMemberName": "eastus2", "group": "wave2"}
    token = f"azure-native:{MEMBER}"
    assert azure.cloud.update(token, member, {**inputs, "clusterResourceId": cluster})["group"] == "wave2"
    with pytest.raises(AzureError, match="PropertyChangeNotAllowed"):
        azure.cloud.update(token, member, {**inputs, "clusterResourceId": azure.group})


def test_a_deleted_cluster_leaves_its_fleet_and_a_fleet_leaves_its_clusters(azure: Azure) -> None:
    """A fleet goes with its members; the clusters stay."""
    cluster = working_region(azure).cluster()
    made = fleet(azure)
    member = join(azure, cluster)
    azure.drop(FLEET, made)
    assert azure.cloud.read(member) is None
    assert azure.cloud.read(cluster) is not None
    fleet(azure)
    join(azure, cluster)
    azure.drop("containerservice:ManagedCluster", cluster)
    assert azure.cloud.read(member) is None


def test_a_strategy_has_stages_with_groups_none_twice_and_needs_no_member(azure: Azure) -> None:
    """Groups that nobody has joined yet are accepted there."""
    fleet(azure)
    for stages, told in (
        ((), "at least one stage"),
        ((stage("a"),), "1 to 50 groups"),
        ((stage("a", "x", "x"),), "'x' stands more than once"),
        ((stage("a", "x"), stage("a", "y")), "'a' stands more than once"),
        ((stage("a", "Wave_1"),), "'Wave_1' is not valid"),
    ):
        with pytest.raises(AzureError, match=told):
            strategy(azure, *stages)
    strategy(azure, stage("wave1", "wave1"), stage("wave2", "wave2"))


def test_a_run_names_groups_that_have_members(azure: Azure) -> None:
    """By strategy or in place, not both."""
    cluster = working_region(azure).cluster()
    fleet(azure)
    waves = strategy(azure, stage("wave1", "wave1"), stage("wave2", "wave2"))
    join(azure, cluster)
    with pytest.raises(AzureError, match="'wave2' matches no member"):
        run(azure, "both", updateStrategyId=waves)
    alone = {"stages": [stage("wave1", "wave1")]}
    with pytest.raises(AzureError, match="only one of them"):
        run(azure, "twice", updateStrategyId=waves, strategy=alone)
    run(azure, "one", strategy=alone)


def test_an_upgrade_profile_has_a_channel_of_fleet_manager_and_a_strategy_of_its_fleet(azure: Azure) -> None:
    """The words are others than those of a cluster's channel; a node image is not chosen twice."""
    fleet(azure)
    fleet(azure, "other")
    foreign = strategy(azure, stage("wave1", "wave1"), to="other")
    profile = {"fleetName": "fleet", "autoUpgradeProfileName": "images"}
    for more, told in (
        ({"channel": "node-image"}, "Stable, Rapid, NodeImage"),
        ({"channel": "NodeImage", "nodeImageSelection": {"type": "Latest"}}, "nodeImageSelection must not be set"),
        ({"channel": "NodeImage", "updateStrategyId": foreign}, "belongs to another fleet"),
    ):
        with pytest.raises(AzureError, match=told):
            azure.make(PROFILE, **profile, **more)
    azure.make(PROFILE, **profile, channel="NodeImage", updateStrategyId=strategy(azure, stage("wave1", "wave1")))


def test_a_private_hub_needs_a_subnet_and_a_public_one_takes_none(azure: Azure) -> None:
    """An API server's subnet goes with VNet integration only."""
    prefixes = {"a": "10.9.0.0/24", "b": "10.9.1.0/24"}
    subnets = [{"name": name, "addressPrefix": prefix} for name, prefix in prefixes.items()]
    network = azure.network("hub", "10.9.0.0/16", *subnets)
    agents, servers = (f"{network}/subnets/{name}" for name in "ab")
    for hub, told in (
        ({"agentProfile": {"subnetId": agents}}, "AgentSubnetUnsupported"),
        ({"apiServerAccessProfile": {"enablePrivateCluster": True}}, "AgentSubnetRequired"),
        ({"apiServerAccessProfile": {"subnetId": servers}}, "APIServerSubnetUnsupported"),
    ):
        with pytest.raises(AzureError, match=told):
            fleet(azure, hubProfile=hub)
    access = {"enablePrivateCluster": True, "enableVnetIntegration": True, "subnetId": servers}
    fleet(azure, hubProfile={"agentProfile": {"subnetId": agents}, "apiServerAccessProfile": access})
