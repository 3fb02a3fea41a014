"""A stamp's cluster as member of the fleet manager: enrolled by its own stamp, and nothing else changes."""

from __future__ import annotations

from typing import Any

import pulumi
import pytest

from foundation.configuration import load
from shared.outputs import SharedOutputs
from stamps.config import StampConfig
from stamps.fleet import STAMP_KEY
from stamps.regional_stamp import RegionalStamp, RegionalStampArgs
from stamps.stamp_secrets import StampCertificates
from tests.unit.pulumi_mocks import RecordingMocks, Registration, deploy
from tests.unit.shared.shared_deployment import azure, deploy_shared
from tests.unit.stamps.test_reference_defects import ANSWERS, INGRESS_PFX
from tests.unit.test_configuration import changed, tracked

MEMBER = azure("containerservice:FleetMember")
CLUSTER = azure("containerservice:ManagedCluster")


def deploy_stamp(fleet_manager: dict[str, Any] | None, **changes: object) -> RecordingMocks:
    """Deploy the first stamp, with some keys changed, beside a shared stack with or without a fleet manager."""
    contract = SharedOutputs.model_validate(deploy_shared(fleetManager=fleet_manager).result[0])
    content = tracked("eastus2")
    for path, value in changes.items():
        content = changed(content, path.replace("__", "."), value)
    config = load(StampConfig, content, file="Pulumi.eastus2.yaml", key=STAMP_KEY)

    def program() -> pulumi.Output[dict[str, object]]:
        certificates = StampCertificates(
            gateway=pulumi.Output.secret("gateway"), ingress=pulumi.Output.secret(INGRESS_PFX), ingress_root="cm9vdA=="
        )
        arguments = RegionalStampArgs(stamp="eastus2", config=config, shared=contract, certificates=certificates)
        return RegionalStamp("eastus2", arguments).outputs

    return deploy(program, answers=ANSWERS, stack="eastus2")


@pytest.fixture(scope="module")
def enrolled() -> RecordingMocks:
    """A stamp of the second wave that joins a fleet manager."""
    return deploy_stamp({}, gitops__wave="wave2")


def test_the_cluster_joins_under_the_stamps_name_in_its_wave(enrolled: RecordingMocks) -> None:
    """The member lies in the shared group; its update group is the wave that Flux is told too."""
    member = enrolled.one(MEMBER).inputs
    assert member["fleetMemberName"] == "eastus2"
    assert member["fleetName"] == "fleet-bu0001a0042-shared"
    assert member["resourceGroupName"] == "rg-bu0001a0042-shared-eastus2"
    assert member["clusterResourceId"].endswith(f"/{enrolled.one(CLUSTER).inputs['resourceName']}")
    flux = enrolled.one(azure("kubernetesconfiguration:FluxConfiguration")).inputs["kustomizations"]
    assert {each["postBuild"]["substitute"]["WAVE"] for each in flux.values()} == {member["group"]} == {"wave2"}


def test_enrolment_leaves_every_other_resource_as_it_is(enrolled: RecordingMocks) -> None:
    """Inputs, protection and what waits for what are equal with and without; the member alone is new."""

    def others(record: RecordingMocks) -> dict[str, tuple[object, ...]]:
        return {
            each.name: (each.type, each.inputs, each.protect, each.dependencies, each.deleted_with)
            for each in record.resources
            if each.name not in ("eastus2-fleet-membership", "eastus2-fleet-membership-member")
        }

    assert others(enrolled) == others(deploy_stamp(None, gitops__wave="wave2"))


def test_a_stamp_without_a_fleet_manager_has_no_member() -> None:
    """The default needs none."""
    assert not deploy_stamp(None).of_type(MEMBER)


def test_the_member_comes_after_all_that_writes_to_the_cluster_and_leaves_before_it(enrolled: RecordingMocks) -> None:
    """Azure joins a cluster by a write of its own; a removal goes the other way. The origin does not wait for it."""
    member = enrolled.one(MEMBER)
    writers: list[Registration] = [
        enrolled.one(CLUSTER),
        enrolled.one(azure("kubernetesconfiguration:FluxConfiguration")),
        *enrolled.of_type(azure("containerservice:AgentPool")),
        *enrolled.of_type(azure("containerservice:MaintenanceConfiguration")),
    ]
    assert all(enrolled.depends_on(member, writer) for writer in writers)
    assert (member.deleted_with, member.retain_on_delete) == ("", False)
    assert (member.replace_on_changes, member.delete_before_replace) == (("clusterResourceId",), True)
    assert not enrolled.depends_on(enrolled.one(azure("cdn:AFDOrigin")), member)


def test_a_wave_that_the_fleet_manager_does_not_know_is_refused() -> None:
    """Its cluster would never be upgraded by a run."""
    with pytest.raises(pulumi.RunError) as refused:
        deploy_stamp({}, gitops__wave="wave3")
    for part in ("Pulumi.eastus2.yaml", "gitops.wave", "wave3", "(wave1, wave2)", "Pulumi.shared.yaml"):
        assert part in str(refused.value)


def test_two_upgraders_of_one_clusters_node_images_are_refused() -> None:
    """Whichever runs first would win, and the waves would not hold."""
    with pytest.raises(pulumi.RunError) as refused:
        deploy_stamp({"nodeImages": "fleet"}, cluster__upgradeChannel="node-image")
    for part in ("cluster.nodeOsUpgradeChannel", "NodeImage", "cluster.upgradeChannel", "node-image", "one upgrader"):
        assert part in str(refused.value)
    record = deploy_stamp({"nodeImages": "fleet"}, cluster__nodeOsUpgradeChannel="None")
    upgrades = record.one(CLUSTER).inputs["autoUpgradeProfile"]
    assert upgrades == {"upgradeChannel": "patch", "nodeOSUpgradeChannel": "None"}
    assert record.one(MEMBER).inputs["group"] == "wave1"
