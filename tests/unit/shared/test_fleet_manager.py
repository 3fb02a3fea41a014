"""The fleet manager as an option: what is made, what stamps are told, and what is refused."""

from __future__ import annotations

import pulumi
import pytest

from foundation.configuration import load
from shared.config import SharedConfig
from shared.outputs import SharedOutputs
from tests.unit.pulumi_mocks import RecordingMocks
from tests.unit.shared.shared_deployment import azure, deploy_shared
from tests.unit.test_configuration import changed, tracked

FLEET = azure("containerservice:Fleet")
STRATEGY = azure("containerservice:FleetUpdateStrategy")
PROFILE = azure("containerservice:AutoUpgradeProfile")


@pytest.fixture(scope="module")
def enrolling() -> RecordingMocks:
    """A fleet manager with its defaults."""
    return deploy_shared(fleetManager={})


def test_no_fleet_manager_without_the_setting(plain: RecordingMocks) -> None:
    """And the contract says so."""
    assert not [each.name for each in plain.resources if each.type in (FLEET, STRATEGY, PROFILE)]
    assert SharedOutputs.model_validate(plain.result[0]).fleet_manager is None


def test_a_contract_of_an_earlier_version_is_read(plain: RecordingMocks) -> None:
    """A shared stack that was deployed before there were fleet managers has no such key."""
    earlier = {key: value for key, value in plain.result[0].items() if key != "fleetManager"}
    assert SharedOutputs.model_validate(earlier).fleet_manager is None


def test_the_fleet_has_no_hub_cluster_and_enrolment_changes_nothing_else(
    enrolling: RecordingMocks, plain: RecordingMocks
) -> None:
    """No hub, no identity; every other resource of the shared stack is the same with and without."""
    fleet = enrolling.one(FLEET)
    assert set(fleet.inputs) == {"fleetName", "location", "resourceGroupName", "tags"}
    assert (fleet.inputs["fleetName"], fleet.inputs["location"]) == ("fleet-bu0001a0042-shared", "eastus2")
    before = {each.name: each.inputs for each in plain.resources if each.custom and each.type != azure("storage:Blob")}
    after = {each.name: each.inputs for each in enrolling.resources if each.custom}
    assert {name: after[name] for name in before} == before


def test_the_strategy_upgrades_wave_after_wave_with_a_pause_between() -> None:
    """A stage for each wave, in the order of the setting; no pause after the last."""
    record = deploy_shared(fleetManager={"waves": ["wave3", "wave1"], "waveWaitSeconds": 600})
    assert record.one(STRATEGY).inputs["strategy"]["stages"] == [
        {"name": "wave3", "groups": [{"name": "wave3"}], "afterStageWaitInSeconds": 600},
        {"name": "wave1", "groups": [{"name": "wave1"}], "afterStageWaitInSeconds": 0},
    ]


def test_stamps_are_told_name_waves_and_who_renews_node_images(enrolling: RecordingMocks) -> None:
    """All that a stamp needs to join; the group is the shared one."""
    manager = SharedOutputs.model_validate(enrolling.result[0]).fleet_manager
    assert manager is not None
    assert manager.name == enrolling.one(FLEET).inputs["fleetName"]
    assert manager.id.endswith(f"/{manager.name}")
    assert (manager.waves, manager.node_images) == (("wave1", "wave2"), "cluster")


def test_only_when_asked_the_fleet_manager_upgrades_node_images_by_the_waves(enrolling: RecordingMocks) -> None:
    """The clusters' own channels are the default; the profile follows the strategy."""
    assert not enrolling.of_type(PROFILE)
    record = deploy_shared(fleetManager={"nodeImages": "fleet"})
    profile = record.one(PROFILE)
    assert profile.inputs["channel"] == "NodeImage"
    assert profile.inputs["disabled"] is False
    assert profile.inputs["updateStrategyId"].endswith("/waves")
    assert "nodeImageSelection" not in profile.inputs
    assert record.depends_on(profile, record.one(STRATEGY))


@pytest.mark.parametrize(
    ("path", "value", "expected", "example"),
    [
        ("hub", "private", "needs a network of its own", "none"),
        ("waves", ["wave1", "wave1"], "each wave once", "[wave1, wave2]"),
        ("waves", [], "at least 1 item", "wave1"),
        ("waves", ["first"], "a list of waves, wave1 to wave9", "wave1"),
        ("waveWaitSeconds", 604801, "less than or equal to 604800", "604800"),
        ("nodeImages", "none", "'cluster' or 'fleet'", ""),
    ],
)
def test_what_is_wrong_is_told_in_one_message(path: str, value: object, expected: str, example: str) -> None:
    """File, key path, what is allowed; a private hub cluster is named and refused because it is not built."""
    content = changed(tracked("shared"), f"fleetManager.{path}", value)
    with pytest.raises(pulumi.RunError) as refused:
        load(SharedConfig, content, file="Pulumi.shared.yaml", key="aks-geode:shared")
    for part in ("Pulumi.shared.yaml", f"aks-geode:shared.fleetManager.{path}", expected, example):
        assert part in str(refused.value)
