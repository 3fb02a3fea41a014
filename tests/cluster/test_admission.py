"""The cluster admits what is ours and refuses what Azure's policies, the pod security standard or the quotas forbid."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import yaml

from tests.cluster import azure
from tests.cluster.api import ApiError, Document
from tests.cluster.conftest import Stamp
from tests.cluster.upkeep import deployments, make_namespace, pod_of, refusal
from tests.manifests.rendering import definitions

DIGEST = "sha256:" + "0" * 64


@pytest.fixture(scope="module")
def pods(stamp: Stamp) -> list[Document]:
    """One pod of each deployment."""
    return [pod_of(deployment) for deployment in deployments(stamp.api)]


@pytest.fixture(scope="module")
def elsewhere(stamp: Stamp) -> str:
    """A namespace without limits and labels of its own, where only Azure's policies stand."""
    make_namespace(stamp.api, "elsewhere")
    return "elsewhere"


def moved(pod: Document, namespace: str) -> Document:
    """Return a pod as it would be in another namespace."""
    copied = copy.deepcopy(pod)
    copied["metadata"]["namespace"] = namespace
    for key in ("serviceAccountName", "serviceAccount"):
        copied["spec"].pop(key, None)
    return copied


def changed(document: Document, path: str, value: object) -> Document:
    """Return a copy with one field set, or removed when the value is None; numbers in the path are list indexes."""
    copied = copy.deepcopy(document)
    at: Any = copied
    *parents, last = path.split("/")
    for part in parents:
        at = at[int(part)] if isinstance(at, list) else at.setdefault(part, {})
    if value is None:
        at.pop(last, None)
    else:
        at[last] = value
    return copied


def test_every_assigned_policy_is_enforced_here(stamp: Stamp) -> None:
    """A policy that the program assigns and these tests do not know would be tested by nobody."""
    assigned = {policy.name for policy in azure.assigned_policies(stamp.cluster.registry)}
    assert assigned == {*azure.RULES, "pod-security-restricted"}
    found = {each["metadata"]["name"] for each in stamp.api.list(azure.ADMISSION, "ValidatingAdmissionPolicy")}
    assert set(azure.RULES) <= found
    for name in azure.RULES:
        policy = stamp.api.get(azure.ADMISSION, "ValidatingAdmissionPolicy", name)
        assert not policy["status"].get("typeChecking", {}).get("expressionWarnings"), name


def test_our_pods_are_admitted(stamp: Stamp, pods: list[Document]) -> None:
    """In their own namespaces, under everything at once."""
    assert {pod["metadata"]["namespace"] for pod in pods} == {"ingress", "workload"}
    for pod in pods:
        assert refusal(stamp.api, pod) == ""


@pytest.mark.parametrize(
    ("policy", "path", "value"),
    [
        ("allowed-images", "spec/containers/0/image", f"docker.io/library/nginx@{DIGEST}"),
        ("allowed-images", "spec/containers/0/image", f"evil.example/REGISTRY/x@{DIGEST}"),
        ("allowed-images", "spec/containers/0/image", f"REGISTRY.evil.example/x@{DIGEST}"),
        ("allowed-images", "spec/containers/0/image", f"evil.example/mcr.microsoft.com/x@{DIGEST}"),
        ("resource-limits", "spec/containers/0/resources/limits/cpu", "1100m"),
        ("resource-limits", "spec/containers/0/resources/limits/memory", "513Mi"),
        ("resource-limits", "spec/containers/0/resources", {"requests": {"cpu": "100m"}}),
        ("read-only-root", "spec/containers/0/securityContext/readOnlyRootFilesystem", False),
        ("read-only-root", "spec/containers/0/securityContext", None),
        ("read-only-root", "spec/initContainers", [{"name": "first", "image": f"mcr.microsoft.com/x@{DIGEST}"}]),
    ],
)
def test_azures_policies_refuse_what_breaks_them(
    stamp: Stamp, pods: list[Document], elsewhere: str, policy: str, path: str, value: object
) -> None:
    """Our own pod with one thing changed; unchanged it is admitted in the same place."""
    for pod in pods:
        same = moved(pod, elsewhere)
        assert refusal(stamp.api, same) == ""
        if isinstance(value, str):
            value = value.replace("REGISTRY", stamp.cluster.registry)
        assert policy in refusal(stamp.api, changed(same, path, value))


@pytest.mark.parametrize("namespace", ["flux-system", "kube-system"])
def test_azures_own_namespaces_are_left_alone(stamp: Stamp, pods: list[Document], namespace: str) -> None:
    """Azure's agents come from other registries and write to their root; a denied Flux never reconciles."""
    pod = moved(pods[0], namespace)
    assert refusal(stamp.api, changed(pod, "spec/containers/0/image", "ghcr.io/fluxcd/x:v1")) == ""


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("spec/securityContext/runAsNonRoot", None),
        ("spec/securityContext/seccompProfile", None),
        ("spec/containers/0/securityContext/capabilities/drop", ["all"]),
        ("spec/containers/0/securityContext/allowPrivilegeEscalation", None),
        ("spec/containers/0/securityContext/runAsUser", 0),
        ("spec/hostNetwork", True),
        ("spec/volumes", [{"name": "tmp", "hostPath": {"path": "/var/run"}}]),
    ],
)
def test_the_namespaces_refuse_pods_below_the_standard(
    stamp: Stamp, pods: list[Document], path: str, value: object
) -> None:
    """What is said outright in our manifests is needed: without any one of them the pod stays out."""
    for pod in pods:
        if path == "spec/volumes":
            pod = changed(pod, "spec/containers/0/volumeMounts", None)
        assert 'violates PodSecurity "restricted' in refusal(stamp.api, changed(pod, path, value))


def service(namespace: str, kind: str, annotations: dict[str, str] | None = None) -> Document:
    """Return a service of some type."""
    metadata = {"name": "probe", "namespace": namespace, "annotations": annotations or {}}
    spec = {"type": kind, "selector": {"app": "probe"}, "ports": [{"name": "https", "port": 443}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}


def test_no_load_balancer_gets_a_public_address(stamp: Stamp, elsewhere: str) -> None:
    """Not in any namespace but Azure's own; one with the annotation is admitted."""
    internal = {"service.beta.kubernetes.io/azure-load-balancer-internal": "true"}
    assert "internal-load-balancers" in refusal(stamp.api, service(elsewhere, "LoadBalancer"))
    assert refusal(stamp.api, service(elsewhere, "LoadBalancer", internal)) == ""
    assert refusal(stamp.api, service(elsewhere, "ClusterIP")) == ""


def test_plain_http_ingresses_are_refused(stamp: Stamp, elsewhere: str) -> None:
    """Also beside the Gateway, which this policy does not look at."""
    backend = {"service": {"name": "probe", "port": {"number": 80}}}
    ingress = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": "probe", "namespace": elsewhere},
        "spec": {"defaultBackend": backend},
    }
    assert "https-ingress" in refusal(stamp.api, ingress)
    encrypted = changed(ingress, "spec/tls", [{"hosts": ["probe.example"]}])
    assert "https-ingress" in refusal(stamp.api, encrypted)
    only = {"kubernetes.io/ingress.allow-http": "false"}
    assert refusal(stamp.api, changed(encrypted, "metadata/annotations", only)) == ""


def test_the_quotas_leave_one_load_balancer_and_no_way_around_the_gateway(stamp: Stamp) -> None:
    """Traefik's is the one; a workload gets neither a load balancer nor a port on the nodes."""
    internal = {"service.beta.kubernetes.io/azure-load-balancer-internal": "true"}
    for namespace in ("ingress", "workload"):
        assert "exceeded quota" in refusal(stamp.api, service(namespace, "LoadBalancer", internal))
    assert "exceeded quota" in refusal(stamp.api, service("workload", "NodePort"))


def test_limits_above_the_policy_are_refused_with_the_containers_name(stamp: Stamp, pods: list[Document]) -> None:
    """By the namespace's own range, before Azure's policy; a container that says nothing gets the defaults."""
    for pod in pods:
        assert "maximum cpu usage per Container is 1" in refusal(
            stamp.api, changed(pod, "spec/containers/0/resources/limits/cpu", "2")
        )
        silent = stamp.api.create(changed(pod, "spec/containers/0/resources", None), dry_run=True)
        assert set(silent["spec"]["containers"][0]["resources"]["limits"]) == {"cpu", "memory", "ephemeral-storage"}


def test_the_gateways_kinds_cannot_be_replaced_by_others(stamp: Stamp) -> None:
    """The policy that comes with the Gateway API keeps out its experimental channel and older bundles."""
    definition: Document = next(yaml.safe_load(text) for text in definitions("standard") if "httproutes" in text)
    group = "gateway.networking.k8s.io"
    for key, value in (("channel", "experimental"), ("bundle-version", "v1.2.0")):
        other = copy.deepcopy(definition)
        other["metadata"]["annotations"][f"{group}/{key}"] = value
        with pytest.raises(ApiError, match="safe-upgrades"):
            stamp.api.apply(other)


def may(stamp: Stamp, account: str, verb: str, resource: str, namespace: str = "", group: str = "") -> bool:
    """Ask the API server whether a service account has a right; without a namespace, in all of them."""
    attributes = {"verb": verb, "resource": resource, "namespace": namespace, "group": group}
    spec = {"user": f"system:serviceaccount:{account}", "resourceAttributes": attributes}
    review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "metadata": {}, "spec": spec}
    return bool(stamp.api.create(review)["status"]["allowed"])


def test_traefik_may_read_where_it_serves_and_nowhere_else(stamp: Stamp) -> None:
    """Secrets above all; it changes nothing but the status of its own kinds."""
    traefik, routes = "ingress:traefik", "gateway.networking.k8s.io"
    for namespace in ("ingress", "workload"):
        assert all(may(stamp, traefik, verb, "secrets", namespace) for verb in ("get", "list", "watch"))
        assert may(stamp, traefik, "watch", "httproutes", namespace, routes)
        assert not may(stamp, traefik, "create", "pods", namespace)
        assert not any(may(stamp, traefik, verb, "secrets", namespace) for verb in ("create", "update", "delete"))
        assert not may(stamp, traefik, "update", "httproutes", namespace, routes)
    for namespace in ("", "default", "kube-system", "flux-system"):
        assert not may(stamp, traefik, "list", "secrets", namespace)
    assert may(stamp, traefik, "watch", "gatewayclasses", group=routes)


def test_the_workload_may_do_nothing_in_the_cluster(stamp: Stamp) -> None:
    """Its rights are in Azure; it carries no token of the cluster either."""
    for resource in ("pods", "secrets", "configmaps"):
        assert not any(may(stamp, "workload:region-echo", verb, resource, "workload") for verb in ("get", "list"))
