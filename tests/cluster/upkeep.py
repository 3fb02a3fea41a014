"""What an operator does to a cluster, and what has to hold while it is done."""

from __future__ import annotations

import http.client
import time
from collections import Counter
from typing import Any

from tests.cluster.api import POLL_SECONDS, Api, ApiError, Document, eventually

LEFT_ALONE = {"kube-system", "flux-system"}


class DrainError(Exception):
    """A pod may not leave its node; the text is what the server said last."""


def deployments(api: Api) -> list[Document]:
    """Return the deployments of the platform and of workloads."""
    return [each for each in api.list("apps/v1", "Deployment") if _namespace(each) not in LEFT_ALONE]


def pods_of(api: Api, deployment: Document) -> list[Document]:
    """Return the pods that a deployment wants to have: those that are leaving do not count."""
    wanted = deployment["spec"]["selector"]["matchLabels"]
    selector = ",".join(f"{key}={value}" for key, value in wanted.items())
    pods = api.list("v1", "Pod", _namespace(deployment), labelSelector=selector)
    return [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]


def ready_pods(api: Api, deployment: Document) -> list[Document]:
    """Return the pods of a deployment that serve."""
    return [pod for pod in pods_of(api, deployment) if _condition(pod, "Ready") == "True"]


def strength(api: Api) -> dict[str, int]:
    """Return how many pods of each deployment serve."""
    return {each["metadata"]["name"]: len(ready_pods(api, each)) for each in deployments(api)}


def at_strength(api: Api, least: dict[str, int]) -> bool:
    """Tell whether each deployment has at least so many pods that serve."""
    now = strength(api)
    return bool(least) and all(now.get(name, 0) >= count for name, count in least.items())


def per_zone(api: Api, deployment: Document) -> Counter[str]:
    """Count the serving pods of a deployment by zone."""
    labels = {node["metadata"]["name"]: node["metadata"]["labels"] for node in api.list("v1", "Node")}
    return Counter(
        labels[pod["spec"]["nodeName"]]["topology.kubernetes.io/zone"] for pod in ready_pods(api, deployment)
    )


def restart(api: Api, deployment: Document) -> None:
    """Replace every pod, as `kubectl rollout restart` does, and wait until only new ones are there."""
    annotations = {"kubectl.kubernetes.io/restartedAt": str(time.time_ns())}
    api.patch(deployment, {"spec": {"template": {"metadata": {"annotations": annotations}}}})

    def done() -> bool:
        metadata = deployment["metadata"]
        found = api.get("apps/v1", "Deployment", metadata["name"], metadata["namespace"])
        status, wanted = found["status"], found["spec"]["replicas"]
        counts = {status.get(key) for key in ("replicas", "updatedReplicas", "availableReplicas")}
        return bool(status["observedGeneration"] == found["metadata"]["generation"] and counts == {wanted})

    eventually(done, 60, f"{deployment['metadata']['name']} has new pods only")


def unprotected(api: Api, namespace: str = "") -> list[str]:
    """Return the deployments whose pods no disruption budget covers, or more than one, which forbids every eviction."""
    budgets = api.list("policy/v1", "PodDisruptionBudget", namespace)
    found = []
    for deployment in api.list("apps/v1", "Deployment", namespace):
        labels = deployment["spec"]["template"]["metadata"]["labels"]
        covering = [
            budget
            for budget in budgets
            if _namespace(budget) == _namespace(deployment)
            and all(labels.get(key) == value for key, value in budget["spec"]["selector"]["matchLabels"].items())
        ]
        if _namespace(deployment) not in LEFT_ALONE and len(covering) != 1:
            found.append(deployment["metadata"]["name"])
    return found


def drain(api: Api, node: str, seconds: float = 30) -> Counter[str]:
    """Empty a node as an upgrade does: nothing new comes, each pod is asked to leave; return how many left, by owner.

    The node stays closed. DrainError when a disruption budget keeps a pod for longer than some seconds; AKS gives up
    after thirty minutes and leaves the node as it is.
    """
    api.patch({"apiVersion": "v1", "kind": "Node", "metadata": {"name": node}}, {"spec": {"unschedulable": True}})
    left: Counter[str] = Counter()
    end = time.monotonic() + seconds
    while pods := [pod for pod in on_node(api, node) if "deletionTimestamp" not in pod["metadata"]]:
        said = ""
        for pod in pods:
            try:
                api.evict(pod)
                left[_owner(pod)] += 1
            except ApiError as error:
                if error.status != http.client.TOO_MANY_REQUESTS:
                    raise
                said = str(error)
        if said and time.monotonic() > end:
            raise DrainError(f"{node}: {said}")
        time.sleep(POLL_SECONDS)
    return left


def open_again(api: Api, node: str) -> None:
    """Let pods onto a node again."""
    api.patch({"apiVersion": "v1", "kind": "Node", "metadata": {"name": node}}, {"spec": {"unschedulable": None}})


def on_node(api: Api, node: str) -> list[Document]:
    """Return the pods on a node."""
    return api.list("v1", "Pod", fieldSelector=f"spec.nodeName={node}")


def nodes_ready(api: Api, count: int) -> bool:
    """Tell whether so many nodes take pods."""
    nodes = api.list("v1", "Node")
    return sum(_condition(node, "Ready") == "True" and not node["spec"].get("taints") for node in nodes) == count


def refusal(api: Api, document: Document) -> str:
    """Return what the server says when it refuses an object at admission, or nothing when it would take it."""
    try:
        api.create(document, dry_run=True)
    except ApiError as error:
        return str(error)
    return ""


def pod_of(deployment: Document, name: str = "probe") -> Document:
    """Return one pod as a deployment makes it."""
    template = deployment["spec"]["template"]
    metadata = {"name": name, "namespace": _namespace(deployment), "labels": template["metadata"]["labels"]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]}


def make_namespace(api: Api, name: str) -> None:
    """Make a namespace in which pods can run."""
    api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    eventually(lambda: api.find("v1", "ServiceAccount", "default", name), 30, f"{name} has its account")


def _namespace(document: Document) -> str:
    return str(document["metadata"]["namespace"])


def _owner(pod: Document) -> str:
    labels: dict[str, Any] = pod["metadata"].get("labels", {})
    return str(labels.get("app.kubernetes.io/name", pod["metadata"]["name"]))


def _condition(document: Document, kind: str) -> str:
    conditions = document.get("status", {}).get("conditions", [])
    return next((str(each["status"]) for each in conditions if each["type"] == kind), "")
