"""Flux brings up a stamp from nothing, with the values that the program passes, and keeps it so."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from stamps.config import StampConfig
from tests.cluster.api import Document, eventually
from tests.cluster.conftest import STAMP, Stamp
from tests.cluster.flux import KUSTOMIZATION, RELEASE
from tests.cluster.upkeep import at_strength, deployments, pods_of, unprotected
from tests.manifests.rendering import definitions, rendered, values
from tests.unit.test_configuration import tracked
from tools.control_plane import KUBERNETES_VERSION

pytestmark = pytest.mark.usefixtures("stamp")


def same(expected: object, found: object) -> bool:
    """Tell whether the server has everything that was asked for; it adds defaults and owners of its own."""
    if isinstance(expected, dict):
        return isinstance(found, dict) and all(same(value, found.get(key)) for key, value in expected.items())
    if expected == []:
        return not found  # the server keeps no empty list; one that it added to would be seen
    if isinstance(expected, list):
        return isinstance(found, list) and len(expected) == len(found) and all(map(same, expected, found))
    return expected == found or str(expected) == str(found)


def test_the_control_plane_is_of_the_clusters_version() -> None:
    """What the server checks depends on its version."""
    wanted = StampConfig.model_validate(tracked(STAMP)).cluster.kubernetes_version
    assert KUBERNETES_VERSION.startswith(f"{wanted}.")


def test_every_object_is_there_as_it_was_written(stamp: Stamp) -> None:
    """Nothing is dropped on the way: what both renderings made is what the server holds."""
    for each in rendered("standard", STAMP):
        found = stamp.api.get(each.document["apiVersion"], each.kind, each.name, each.namespace)
        for key, expected in each.document.items():
            if key not in {"metadata", "status", "apiVersion"}:
                assert same(expected, found[key]), f"{each.identity}: {key}"
        for key in ("labels", "annotations"):
            assert same(each.document["metadata"].get(key) or {}, found["metadata"].get(key, {})), each.identity


def test_the_definitions_of_kinds_are_served(stamp: Stamp) -> None:
    """The API server takes the definitions, their rules included."""
    for text in definitions("standard"):
        name = yaml.safe_load(text)["metadata"]["name"]
        found = stamp.api.get("apiextensions.k8s.io/v1", "CustomResourceDefinition", name)
        conditions = {each["type"]: each["status"] for each in found["status"]["conditions"]}
        assert conditions["Established"] == "True", name
        assert conditions.get("NonStructuralSchema", "False") == "False", name


def test_no_part_of_the_manifests_is_deprecated(stamp: Stamp) -> None:
    """The server warns of kinds that will go, and of pods below the standard."""
    before = len(stamp.api.warnings)
    for each in rendered("standard", STAMP):
        stamp.api.apply(each.document, dry_run=True)
    assert stamp.api.warnings[before:] == []


def test_pods_learn_their_zone(stamp: Stamp) -> None:
    """The label that the workload reads is put on the pod by the API server when it is bound to a node."""
    for deployment in deployments(stamp.api):
        for pod in pods_of(stamp.api, deployment):
            assert pod["metadata"]["labels"]["topology.kubernetes.io/zone"] in stamp.cluster.zones


def test_every_deployment_has_its_disruption_budget(stamp: Stamp) -> None:
    """One each; the server has done the arithmetic, and one pod may always go."""
    assert unprotected(stamp.api) == []
    for budget in stamp.api.list("policy/v1", "PodDisruptionBudget"):
        status = budget["status"]
        assert status["disruptionsAllowed"] == 1, budget["metadata"]["name"]
        assert status["expectedPods"] >= 3, budget["metadata"]["name"]


@pytest.mark.parametrize(
    ("api_version", "kind", "name", "namespace"),
    [
        ("networking.k8s.io/v1", "NetworkPolicy", "default-deny", "workload"),
        ("gateway.networking.k8s.io/v1", "Gateway", "ingress", "ingress"),
        ("v1", "Service", "traefik", "ingress"),
        ("policy/v1", "PodDisruptionBudget", "traefik", "ingress"),
    ],
)
def test_what_is_deleted_from_the_platform_comes_back(
    stamp: Stamp, api_version: str, kind: str, name: str, namespace: str
) -> None:
    """At the next reconciliation, which comes by itself at the interval."""
    before = stamp.api.get(api_version, kind, name, namespace)
    stamp.api.delete(before)
    stamp.flux.reconcile_part("platform")
    after = eventually(lambda: stamp.api.find(api_version, kind, name, namespace), 30, f"{kind} {name} is back")
    assert after is not None
    assert after["metadata"]["uid"] != before["metadata"]["uid"]
    assert same(_wanted(before["spec"]), after["spec"])


def test_what_is_changed_by_hand_is_put_back(stamp: Stamp) -> None:
    """With kubectl a namespace's standard is loosened and a policy opened: after a reconciliation both are as before.

    Flux takes back every field that kubectl set. What another program adds to an object stays when the manifest does
    not speak of that field.
    """
    namespace = stamp.api.get("v1", "Namespace", "workload")
    label = "pod-security.kubernetes.io/enforce"
    stamp.api.patch(namespace, {"metadata": {"labels": {label: "privileged"}}}, manager="kubectl-label")
    policy = stamp.api.get("networking.k8s.io/v1", "NetworkPolicy", "default-deny", "workload")
    stamp.api.patch(policy, {"spec": {"ingress": [{}]}}, manager="kubectl-edit")
    stamp.flux.reconcile_part("platform")
    assert stamp.api.get("v1", "Namespace", "workload")["metadata"]["labels"][label] == "restricted"
    found = stamp.api.get("networking.k8s.io/v1", "NetworkPolicy", "default-deny", "workload")
    assert "ingress" not in found["spec"]


def test_what_is_deleted_from_the_release_comes_back(stamp: Stamp) -> None:
    """The helm controller compares what the chart made with what is there, and mends the difference."""
    service = stamp.api.get("v1", "Service", "region-echo", "workload")
    stamp.api.delete(service)
    stamp.flux.reconcile(RELEASE, "HelmRelease", "region-echo")
    after = eventually(lambda: stamp.api.find("v1", "Service", "region-echo", "workload"), 60, "the service is back")
    assert after is not None
    stamp.flux.wait_for_release("region-echo")
    assert at_strength(stamp.api, stamp.strength)


def test_the_drain_switch_and_the_autoscalers_number_stay(stamp: Stamp) -> None:
    """Both belong to somebody else, so a reconciliation of platform and release leaves them."""
    switch = stamp.api.get("v1", "ConfigMap", "region-echo-drain", "workload")
    stamp.api.patch(switch, {"data": {"state": "drain"}})
    replicas = {each["metadata"]["name"]: each["spec"]["replicas"] for each in deployments(stamp.api)}
    try:
        stamp.flux.reconcile(RELEASE, "HelmRelease", "region-echo")
        stamp.flux.wait_for_release("region-echo")
        stamp.flux.reconcile_part("platform")
        found = stamp.api.get("v1", "ConfigMap", "region-echo-drain", "workload")
        assert found["data"] == {"state": "drain"}
        assert {each["metadata"]["name"]: each["spec"]["replicas"] for each in deployments(stamp.api)} == replicas
    finally:
        stamp.api.patch(switch, {"data": None})


@pytest.mark.parametrize("part", ["platform", "workload"])
def test_a_missing_variable_is_named_and_nothing_changes(stamp: Stamp, part: str) -> None:
    """Flux refuses since 2.9; before, it put nothing in the variable's place without a word."""
    asked = stamp.flux.kustomization(part)
    missing = {"platform": "GATEWAY_SUBNET", "workload": "REGION"}[part]
    before = stamp.api.get("v1", "Service", "traefik", "ingress")["metadata"]["resourceVersion"]
    stamp.api.patch(asked, {"spec": {"postBuild": {"substitute": {missing: None}}}})
    try:
        assert missing in stamp.flux.complaint(part)
        assert stamp.api.get("v1", "Service", "traefik", "ingress")["metadata"]["resourceVersion"] == before
    finally:
        stamp.api.patch(asked, {"spec": asked["spec"]})
        stamp.flux.wait_for(part)


def test_a_changed_value_reaches_the_pods(stamp: Stamp) -> None:
    """From the variable through the release into the environment of every pod, by a rollout that loses no strength."""
    asked = stamp.flux.kustomization("workload")
    stamp.api.patch(asked, {"spec": {"postBuild": {"substitute": {"CLUSTER_NAME": "another"}}}})
    try:
        stamp.flux.wait_for("workload")
        eventually(lambda: clusters_named(stamp) == {"another"}, 60, "every pod knows the new value")
        assert at_strength(stamp.api, stamp.strength)
    finally:
        stamp.api.patch(asked, {"spec": asked["spec"]})
        stamp.flux.wait_for("workload")
    eventually(lambda: clusters_named(stamp) == {values(STAMP)["CLUSTER_NAME"]}, 60, "every pod knows the old value")


def clusters_named(stamp: Stamp) -> set[str]:
    """Return what the workload's pods take for their cluster."""
    deployment = stamp.api.get("apps/v1", "Deployment", "region-echo", "workload")
    return {
        entry["value"]
        for pod in pods_of(stamp.api, deployment)
        for entry in pod["spec"]["containers"][0]["env"]
        if entry["name"] == "CLUSTER_NAME"
    }


def test_the_parts_are_asked_for_as_azure_does(stamp: Stamp) -> None:
    """The workload waits for the platform, and both report their own health."""
    workload = stamp.flux.kustomization("workload")
    found: dict[str, Any] = stamp.api.get(KUSTOMIZATION, "Kustomization", workload["metadata"]["name"], "flux-system")
    assert found["spec"]["dependsOn"] == [{"name": stamp.flux.kustomization("platform")["metadata"]["name"]}]
    assert found["spec"]["wait"] is True
    assert found["spec"]["postBuild"]["substitute"] == values(STAMP)


def _wanted(spec: Document) -> Document:
    """Leave out what the server assigns anew."""
    assigned = {"clusterIP", "clusterIPs", "healthCheckNodePort", "ports"}
    return {key: value for key, value in spec.items() if key not in assigned}
