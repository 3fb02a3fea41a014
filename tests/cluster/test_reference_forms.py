"""The checks can fail: forms that are in use elsewhere do not pass them, and ours do in the same place."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from stamps.policy_data import allowed_images, image_pattern
from tests.cluster import azure
from tests.cluster.api import ApiError, Document, eventually
from tests.cluster.conftest import Stamp
from tests.cluster.flux import RELEASE
from tests.cluster.upkeep import (
    DrainError,
    deployments,
    drain,
    make_namespace,
    open_again,
    pod_of,
    ready_pods,
    refusal,
    unprotected,
)

FORMS: dict[str, list[Document]] = yaml.safe_load(
    (Path(__file__).parent / "reference_forms.yaml").read_text(encoding="utf-8")
)
NAMESPACE = "forms"


@pytest.fixture
def forms(stamp: Stamp) -> Iterator[Document]:
    """The stable form in a namespace of its own, both pods serving; yields its deployment."""
    make_namespace(stamp.api, NAMESPACE)
    for document in FORMS["stable"]:
        stamp.api.apply(document)
    deployment = FORMS["stable"][0]
    eventually(lambda: len(ready_pods(stamp.api, deployment)) == 2, 30, "two pods serve")
    yield deployment
    for kind in (("apps/v1", "Deployment"), ("policy/v1", "PodDisruptionBudget")):
        for document in stamp.api.list(*kind, NAMESPACE):
            stamp.api.delete(document)
    eventually(lambda: not stamp.api.list("v1", "Pod", NAMESPACE), 30, "their pods are gone")


def test_a_budget_of_three_quarters_of_two_pods_stops_a_drain(stamp: Stamp, forms: Document) -> None:
    """The same drain that every node passes with our budgets; with ours in its place the drain ends."""
    node = ready_pods(stamp.api, forms)[0]["spec"]["nodeName"]
    budget = FORMS["stable"][1]
    try:
        with pytest.raises(DrainError, match="disruption budget"):
            drain(stamp.api, node, 5)
        stamp.api.patch(budget, {"spec": {"minAvailable": None, "maxUnavailable": 1}})
        assert drain(stamp.api, node, 30)
    finally:
        open_again(stamp.api, node)


def test_a_canary_with_the_budget_of_the_stable_version_leaves_that_without_one(stamp: Stamp, forms: Document) -> None:
    """The server takes it without a word: it is the same object."""
    assert forms["metadata"]["name"] not in unprotected(stamp.api, NAMESPACE)
    for document in FORMS["canary"]:
        stamp.api.apply(document)
    assert unprotected(stamp.api, NAMESPACE) == ["shop"]


def test_our_canary_brings_a_budget_of_its_own(stamp: Stamp) -> None:
    """The canary structure on the running stamp: both versions serve, each with its budget, and back again."""
    asked = stamp.flux.kustomization("workload")
    path = asked["spec"]["path"].replace("/standard/", "/canary/")
    stamp.api.patch(asked, {"spec": {"path": path}})
    try:
        stamp.flux.wait_for("workload")
        stamp.flux.wait_for_release("region-echo")
        both = [each for each in deployments(stamp.api) if each["metadata"]["namespace"] == "workload"]
        assert {each["metadata"]["name"] for each in both} == {"region-echo", "region-echo-canary"}
        for each in both:
            eventually(lambda each=each: len(ready_pods(stamp.api, each)) >= 2, 60, "both versions serve")  # type: ignore[misc]  # mypy does not infer a lambda's default
        assert unprotected(stamp.api) == []
        pods = [{pod["metadata"]["uid"] for pod in ready_pods(stamp.api, each)} for each in both]
        assert not pods[0] & pods[1]
        route = stamp.api.get("gateway.networking.k8s.io/v1", "HTTPRoute", "region-echo", "workload")
        weights = [backend["weight"] for backend in route["spec"]["rules"][0]["backendRefs"]]
        assert sum(weights) == 100
        assert 0 < weights[1] < weights[0]
    finally:
        stamp.api.patch(asked, {"spec": asked["spec"]})
        stamp.flux.wait_for("workload")
        stamp.flux.wait_for_release("region-echo")
    gone = ("apps/v1", "Deployment", "region-echo-canary", "workload")
    eventually(lambda: stamp.api.find(*gone) is None, 60, "the canary is gone")
    assert stamp.api.find(RELEASE, "HelmRelease", "region-echo", "flux-system")


def test_pods_without_profile_and_user_do_not_start_in_our_namespaces(stamp: Stamp) -> None:
    """Three things are wrong with them; ours have none."""
    form = pod_of(FORMS["stable"][0])
    form["metadata"]["namespace"] = "workload"
    said = refusal(stamp.api, form)
    for missing in ("unrestricted capabilities", "runAsNonRoot", "seccompProfile"):
        assert missing in said
    for deployment in deployments(stamp.api):
        assert refusal(stamp.api, pod_of(deployment)) == ""


def test_an_image_pattern_without_an_anchor_admits_a_foreign_host(stamp: Stamp, forms: Document) -> None:
    """With `^` the host has to be ours; without it, our name anywhere in the image is enough."""
    registry = stamp.cluster.registry
    evil = pod_of(forms, "evil")
    evil["spec"]["containers"][0]["image"] = f"evil.example/{registry}/x:1"
    assert "allowed-images" in refusal(stamp.api, evil)
    ours = allowed_images(registry)
    assert image_pattern(registry).startswith("^")
    loose = ours._replace(parameters={"allowedContainerImagesRegex": image_pattern(registry).removeprefix("^")})
    try:
        enforce(stamp, azure.admission_policy(loose, azure.RULES[ours.name]))
        eventually(lambda: refusal(stamp.api, evil) == "", 30, "the loose pattern is in force")
    finally:
        enforce(stamp, azure.admission_policy(ours, azure.RULES[ours.name]))
    eventually(lambda: "allowed-images" in refusal(stamp.api, evil), 30, "our pattern is in force again")


def enforce(stamp: Stamp, documents: Iterator[Document]) -> None:
    """Put policies in the place of those of the same name."""
    for document in documents:
        stamp.api.apply(document)


def test_an_unknown_field_is_an_error_on_this_server(stamp: Stamp) -> None:
    """What `kubectl apply` would warn of or drop; also in a custom resource."""
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "probe", "namespace": "default"}}
    with pytest.raises(ApiError, match="automount"):
        stamp.api.create(account | {"automount": False}, dry_run=True)
    route = {"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "metadata": account["metadata"]}
    with pytest.raises(ApiError, match="hostname"):
        stamp.api.create(route | {"spec": {"hostname": "probe.example"}}, dry_run=True)
