"""What Azure Policy, Cilium and the upgrade of a node demand of every pod, checked before the cluster does."""

from __future__ import annotations

import re
from ipaddress import ip_network
from typing import Any

import pytest
import yaml

from stamps.config import StampConfig
from stamps.policy_data import CLUSTER_POLICIES, image_pattern
from tests.manifests.rendering import STAMPS, STRUCTURES, Rendered, of_kind, pod_specs, rendered, values
from tests.unit.test_configuration import tracked

EVERY_STRUCTURE = pytest.mark.parametrize("structure", STRUCTURES)
UNITS = {"": 1.0, "m": 1e-3, "Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30}
INTERNAL = "service.beta.kubernetes.io/azure-load-balancer-internal"
NAMESPACE_NAME = "kubernetes.io/metadata.name"


def quantity(text: object) -> float:
    """Read a quantity of Kubernetes: `250m`, `512Mi`, `1`."""
    match = re.fullmatch(r"([\d.]+)(m|Ki|Mi|Gi|)", str(text))
    assert match, text
    return float(match[1]) * UNITS[match[2]]


def containers(structure: str) -> list[tuple[Rendered, dict[str, Any]]]:
    """Return every container with the object that makes its pods."""
    return [
        (owner, container)
        for owner, pod in pod_specs(structure)
        for container in (*pod.get("initContainers", []), *pod["containers"])
    ]


def selects(selector: dict[str, Any], labels: dict[str, str]) -> bool:
    """Tell whether a plain selector takes in some labels."""
    assert set(selector) <= {"matchLabels"}, "only plain selectors are used"
    return all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items())


def pod_labels(maker: Rendered) -> dict[str, str]:
    """Return the labels of the pods that an object makes."""
    return dict(maker.document["spec"]["template"]["metadata"]["labels"])


@EVERY_STRUCTURE
def test_images_come_from_the_fleets_registry_or_microsofts_and_by_digest(structure: str) -> None:
    """The pattern is the one that Azure Policy gets; the same image behind a foreign host is refused."""
    registry = values(STAMPS[0])["REGISTRY"]
    pattern = re.compile(image_pattern(registry))
    assert containers(structure)
    for owner, container in containers(structure):
        image = container["image"]
        assert pattern.search(image), f"{owner.identity}: {image}"
        assert re.search(r"@sha256:[0-9a-f]{64}$", image), f"{owner.identity}: {image}"
        assert not pattern.search(f"evil.example/{image}")
        assert not pattern.search(image.replace(registry, f"{registry}.evil.example")) or registry not in image
    assert not pattern.search(f"evil.example/{registry}/x")


@EVERY_STRUCTURE
def test_limits_stay_within_the_policy(structure: str) -> None:
    """A denied pod is found at the deployment only, and then on every node."""
    policy = next(each.parameters for each in CLUSTER_POLICIES if each.name == "resource-limits")
    for owner, container in containers(structure):
        limits, requests = container["resources"]["limits"], container["resources"]["requests"]
        assert quantity(limits["cpu"]) <= quantity(policy["cpuLimit"]), owner.identity
        assert quantity(limits["memory"]) <= quantity(policy["memoryLimit"]), owner.identity
        assert set(requests) == set(limits) == {"cpu", "memory", "ephemeral-storage"}, owner.identity
    for limit_range in of_kind(structure, "LimitRange"):
        for most in (limit["max"] for limit in limit_range.document["spec"]["limits"]):
            assert quantity(most["cpu"]) <= quantity(policy["cpuLimit"])
            assert quantity(most["memory"]) <= quantity(policy["memoryLimit"])


@EVERY_STRUCTURE
def test_pods_meet_the_restricted_standard_with_a_read_only_root(structure: str) -> None:
    """The fields that the standard asks for, said outright, in upper case where it wants that."""
    for owner, pod in pod_specs(structure):
        context = pod["securityContext"]
        assert context["runAsNonRoot"] is True, owner.identity
        assert context["seccompProfile"] == {"type": "RuntimeDefault"}, owner.identity
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(pod), owner.identity
        kinds = {kind for volume in pod.get("volumes", []) for kind in set(volume) - {"name"}}
        assert kinds <= {"configMap", "csi", "emptyDir", "projected", "secret", "downwardAPI"}, owner.identity
    for owner, container in containers(structure):
        context = container["securityContext"]
        assert context["allowPrivilegeEscalation"] is False, owner.identity
        assert context["readOnlyRootFilesystem"] is True, owner.identity
        assert context["capabilities"] == {"drop": ["ALL"]}, owner.identity
        assert not any("hostPort" in port for port in container.get("ports", [])), owner.identity


@EVERY_STRUCTURE
def test_namespaces_with_pods_enforce_the_standard_and_have_limits_and_quota(structure: str) -> None:
    """What comes later meets the same fence."""
    namespaces = {owner.namespace for owner, _ in pod_specs(structure)}
    for namespace in of_kind(structure, "Namespace"):
        assert namespace.document["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    assert namespaces <= {each.name for each in of_kind(structure, "Namespace")}
    for kind in ("LimitRange", "ResourceQuota"):
        assert namespaces <= {each.namespace for each in of_kind(structure, kind)}


@EVERY_STRUCTURE
def test_the_autoscalers_most_pods_fit_into_the_quota(structure: str) -> None:
    """Pods, cores and memory, with one pod more for a rolling update."""
    quotas = {each.namespace: each.document["spec"]["hard"] for each in of_kind(structure, "ResourceQuota")}
    pods = {(owner.namespace, owner.name): pod for owner, pod in pod_specs(structure)}
    wanted: dict[tuple[str, str], float] = {}
    for scaler in of_kind(structure, "HorizontalPodAutoscaler"):
        most = scaler.document["spec"]["maxReplicas"] + 1
        pod = pods[scaler.namespace, scaler.document["spec"]["scaleTargetRef"]["name"]]
        needs = {"pods": 1.0}
        for container in pod["containers"]:
            for bound in ("requests", "limits"):
                for resource in ("cpu", "memory"):
                    amount = quantity(container["resources"][bound][resource])
                    needs[f"{bound}.{resource}"] = needs.get(f"{bound}.{resource}", 0.0) + amount
        for resource, amount in needs.items():
            key = (scaler.namespace, resource)
            wanted[key] = wanted.get(key, 0.0) + most * amount
    assert wanted
    for (namespace, resource), amount in wanted.items():
        assert amount <= quantity(quotas[namespace][resource]), f"{namespace}: {resource}"


@EVERY_STRUCTURE
def test_every_load_balancer_is_internal_and_there_is_one(structure: str) -> None:
    """With the fixed address that the gateway's private name has, and the client's address kept."""
    services = [each for each in of_kind(structure, "Service") if each.document["spec"].get("type") == "LoadBalancer"]
    assert [(each.namespace, each.name) for each in services] == [("ingress", "traefik")]
    service = services[0].document
    annotations, spec = service["metadata"]["annotations"], service["spec"]
    assert annotations[INTERNAL] == "true"
    assert annotations[f"{INTERNAL}-subnet"] == values(STAMPS[0])["INGRESS_SUBNET"]
    assert annotations["service.beta.kubernetes.io/azure-load-balancer-ipv4"] == values(STAMPS[0])["INGRESS_ADDRESS"]
    assert spec["externalTrafficPolicy"] == "Local"
    assert [port["port"] for port in spec["ports"]] == [443]
    assert not any("appProtocol" in port for port in spec["ports"]), "Azure would probe with it"


@EVERY_STRUCTURE
def test_no_plain_http_comes_in(structure: str) -> None:
    """The Gateway has one listener, with TLS, for the name that the Application Gateway sends."""
    gateway = of_kind(structure, "Gateway")[0].document["spec"]
    assert [listener["protocol"] for listener in gateway["listeners"]] == ["HTTPS"]
    assert gateway["listeners"][0]["hostname"] == values(STAMPS[0])["INGRESS_HOST"]
    assert gateway["gatewayClassName"] == of_kind(structure, "GatewayClass")[0].name
    assert of_kind(structure, "Ingress") == []


@EVERY_STRUCTURE
def test_every_namespace_with_pods_denies_what_nobody_allowed(structure: str) -> None:
    """For all pods, in both directions, and DNS stays open."""
    for namespace in {owner.namespace for owner, _ in pod_specs(structure)}:
        policies = [each for each in of_kind(structure, "NetworkPolicy") if each.namespace == namespace]
        denies = [
            each
            for each in policies
            if each.document["spec"]["podSelector"] == {}
            # Empty, and written: a list that the manifest does not name is not Flux's to clear.
            and all(each.document["spec"].get(direction) == [] for direction in ("ingress", "egress"))
        ]
        assert any(set(each.document["spec"]["policyTypes"]) == {"Ingress", "Egress"} for each in denies), namespace
        ports = {
            (port["protocol"], port["port"])
            for each in policies
            if each.document["spec"]["podSelector"] == {}
            for rule in each.document["spec"].get("egress", [])
            for port in rule["ports"]
        }
        assert ports == {("UDP", 53), ("TCP", 53)}, namespace


@EVERY_STRUCTURE
@pytest.mark.parametrize("stamp", STAMPS)
def test_address_blocks_mean_neither_pods_nor_services(structure: str, stamp: str) -> None:
    """Cilium matches an address block with nothing inside the cluster, so such a rule would allow nothing."""
    plan = StampConfig.model_validate(tracked(stamp)).network.address_plan()
    blocks = {
        ip_network(block)
        for each in rendered(structure, stamp)
        if each.kind == "NetworkPolicy"
        for block in re.findall(r"cidr: '?([\d./]+)", yaml.safe_dump(each.document))
    }
    assert ip_network(str(plan.gateway)) in blocks, "the only source that the ingress admits"
    for block in blocks - {ip_network("0.0.0.0/0")}:
        for inside in (plan.pods, plan.services, plan.nodes):
            assert not block.overlaps(ip_network(str(inside))), block


@EVERY_STRUCTURE
def test_a_node_can_always_be_drained(structure: str) -> None:
    """One budget for each deployment, which allows one pod at every number of replicas and takes in nobody else's."""
    budgets = of_kind(structure, "PodDisruptionBudget")
    for owner, _ in pod_specs(structure):
        takes = [
            budget
            for budget in budgets
            if budget.namespace == owner.namespace and selects(budget.document["spec"]["selector"], pod_labels(owner))
        ]
        assert len(takes) == 1, owner.identity
        spec = takes[0].document["spec"]
        assert spec["maxUnavailable"] == 1, owner.identity
        assert spec["unhealthyPodEvictionPolicy"] == "AlwaysAllow", owner.identity
    assert len(budgets) == len(pod_specs(structure))


@EVERY_STRUCTURE
def test_the_autoscaler_alone_sets_the_replicas(structure: str) -> None:
    """Flux would set a number in the manifest again at every reconciliation."""
    scaled = {
        (each.namespace, each.document["spec"]["scaleTargetRef"]["name"])
        for each in of_kind(structure, "HorizontalPodAutoscaler")
    }
    for owner, pod in pod_specs(structure):
        assert (owner.namespace, owner.name) in scaled
        assert "replicas" not in owner.document["spec"]
        keys = {each["topologyKey"] for each in pod["topologySpreadConstraints"]}
        assert keys == {"topology.kubernetes.io/zone", "kubernetes.io/hostname"}


@EVERY_STRUCTURE
def test_traefik_watches_where_it_may_and_where_routes_come_from(structure: str) -> None:
    """It does not start without a right in each namespace it watches, and it has no right anywhere else."""
    deployment = next(owner for owner, _ in pod_specs(structure) if owner.name == "traefik")
    arguments = deployment.document["spec"]["template"]["spec"]["containers"][0]["args"]
    watched = next(
        each.partition("=")[2] for each in arguments if each.startswith("--providers.kubernetesGateway.names")
    )
    bound = {each.namespace for each in of_kind(structure, "RoleBinding") if each.name == "ingress-traefik-routes"}
    labelled = {
        each.name
        for each in of_kind(structure, "Namespace")
        if each.document["metadata"]["labels"].get("routes") == "ingress"
    }
    assert set(watched.split(",")) == bound == labelled | {"ingress"}
    cluster_wide = [each for each in of_kind(structure, "ClusterRole") if each.name == "ingress-traefik-classes"]
    assert all("secrets" not in rule["resources"] for each in cluster_wide for rule in each.document["rules"])
    assert all("*" not in str(rule) for each in of_kind(structure, "ClusterRole") for rule in each.document["rules"])
