"""What Azure puts into a stamp's cluster before Flux comes: nodes, kinds, Flux's account, and the policies it enforces.

The policies are Azure's built-in ones, said again as ValidatingAdmissionPolicies: what they look at is read from the
constraint templates that Azure publishes, parameters and exclusions from what the program assigns.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import yaml

from stamps.config import StampConfig
from stamps.policy_data import CLUSTER_POLICIES, ClusterPolicy, allowed_images
from tests.cluster.api import Api, Document
from tests.unit.test_configuration import tracked
from tools.control_plane import definition_folders
from tools.kubernetes_tools import PROMETHEUS_OPERATOR, module_folder

NAMESPACE = "flux-system"
ADMISSION = "admissionregistration.k8s.io/v1"
ROOM = {"cpu": "7820m", "memory": "27Gi", "ephemeral-storage": "180Gi"}
"""About what is left for pods of a machine with 8 cores and 32 GiB."""

SECRET_PROVIDER_CLASS = Path(__file__).parents[1] / "manifests" / "definitions" / "secret-provider-class.yaml"
TEMPLATES = "https://github.com/Azure/azure-policy/tree/master/built-in-references/Kubernetes"

_ALL_CONTAINERS = "(object.spec.containers + (has(object.spec.initContainers) ? object.spec.initContainers : []))"
_LIMITS = "has(c.resources) && has(c.resources.limits)"
_BY_INTERNAL = "'service.beta.kubernetes.io/azure-load-balancer-internal'"
_BY_HTTPS = "'kubernetes.io/ingress.allow-http'"


class Rule(NamedTuple):
    """How one built-in policy judges: Azure's template, the kind it looks at, and the condition that has to hold.

    `{name}` in the condition is a parameter of the assignment. `denied` is what the refusal says.
    """

    template: str
    group: str
    resource: str
    condition: str
    denied: str


RULES = {
    "allowed-images": Rule(
        "container-allowed-images",
        "",
        "pods",
        f"{_ALL_CONTAINERS}.all(c, c.image.matches({{allowedContainerImagesRegex}}))",
        "an image has not been allowed",
    ),
    "resource-limits": Rule(
        "container-resource-limits",
        "",
        "pods",
        f"{_ALL_CONTAINERS}.all(c, {_LIMITS} && 'cpu' in c.resources.limits && 'memory' in c.resources.limits"
        " && quantity(c.resources.limits['cpu']).compareTo(quantity({cpuLimit})) <= 0"
        " && quantity(c.resources.limits['memory']).compareTo(quantity({memoryLimit})) <= 0)",
        "a limit is missing or higher than the maximum allowed",
    ),
    "read-only-root": Rule(
        "read-only-root-filesystem",
        "",
        "pods",
        f"{_ALL_CONTAINERS}.all(c, has(c.securityContext) && has(c.securityContext.readOnlyRootFilesystem)"
        " && c.securityContext.readOnlyRootFilesystem)",
        "only read-only root filesystem container is allowed",
    ),
    "internal-load-balancers": Rule(
        "load-balancer-no-public-ips",
        "",
        "services",
        "object.metadata.namespace == 'kube-system' || object.spec.type != 'LoadBalancer'"
        f" || (has(object.metadata.annotations) && {_BY_INTERNAL} in object.metadata.annotations"
        f" && object.metadata.annotations[{_BY_INTERNAL}] == 'true')",
        "load balancers should not have public addresses",
    ),
    "https-ingress": Rule(
        "ingress-https-only",
        "networking.k8s.io",
        "ingresses",
        "has(object.spec.tls) && object.spec.tls.size() > 0 && has(object.metadata.annotations)"
        f" && {_BY_HTTPS} in object.metadata.annotations && object.metadata.annotations[{_BY_HTTPS}] == 'false'",
        "ingress should be https",
    ),
}
"""By the name of the assignment. `pod-security-restricted` is an initiative of many templates; the standard that it
stands for is built into Kubernetes and enforced by the namespaces' own labels."""


def assigned_policies(registry: str) -> list[ClusterPolicy]:
    """Return what the program assigns to a stamp's cluster."""
    return [*CLUSTER_POLICIES, allowed_images(registry)]


def admission_policy(policy: ClusterPolicy, rule: Rule) -> Iterator[Document]:
    """Say one assignment as a policy of the API server, and bind it."""
    condition = rule.condition
    for name, value in policy.parameters.items():
        condition = condition.replace(f"{{{name}}}", cel_text(value))
    excluded = [{"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": [*policy.excluded_namespaces]}]
    matched = {"apiGroups": [rule.group], "apiVersions": ["*"], "operations": ["CREATE", "UPDATE"]}
    constraints: Document = {"resourceRules": [matched | {"resources": [rule.resource]}]}
    if policy.excluded_namespaces:
        constraints["namespaceSelector"] = {"matchExpressions": excluded}
    metadata = {"name": policy.name, "annotations": {"source": f"{TEMPLATES}/{rule.template}", "azure": policy.guid}}
    yield {
        "apiVersion": ADMISSION,
        "kind": "ValidatingAdmissionPolicy",
        "metadata": metadata,
        "spec": {
            "failurePolicy": "Fail",
            "matchConstraints": constraints,
            "validations": [{"expression": condition, "message": f"{policy.name}: {rule.denied}"}],
        },
    }
    yield {
        "apiVersion": ADMISSION,
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": metadata,
        "spec": {"policyName": policy.name, "validationActions": ["Deny"]},
    }


def cel_text(value: str) -> str:
    """Return a value as a literal of the policies' language."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def enforce_policies(api: Api, registry: str) -> None:
    """Install the policies of every assignment that has a rule here."""
    for policy in assigned_policies(registry):
        if policy.name in RULES:
            for document in admission_policy(policy, RULES[policy.name]):
                api.apply(document)


def add_kinds(api: Api) -> None:
    """Define the kinds of Flux, of the vault driver and of managed Prometheus, and register the driver."""
    files = [SECRET_PROVIDER_CLASS, *(file for folder in definition_folders() for file in sorted(folder.glob("*")))]
    for file in files:
        for document in yaml.safe_load_all(file.read_text(encoding="utf-8")):
            api.apply(document)
    monitors = (
        module_folder(PROMETHEUS_OPERATOR) / "example/prometheus-operator-crd/monitoring.coreos.com_podmonitors.yaml"
    )
    # Azure serves the kinds of the Prometheus operator in a group of its own.
    api.apply(yaml.safe_load(re.sub(r"\bmonitoring\.coreos\.com", "azmonitoring.coreos.com", monitors.read_text())))
    driver = {"name": "secrets-store.csi.k8s.io"}
    spec = {"volumeLifecycleModes": ["Ephemeral"], "podInfoOnMount": True, "attachRequired": False}
    api.apply({"apiVersion": "storage.k8s.io/v1", "kind": "CSIDriver", "metadata": driver, "spec": spec})


def add_flux_account(api: Api) -> None:
    """Make the namespace and the account that the extension applies a configuration's objects as."""
    name = "flux-applier"
    account = {"kind": "ServiceAccount", "name": name, "namespace": NAMESPACE}
    api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    api.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "namespace": NAMESPACE}})
    group = "rbac.authorization.k8s.io"
    api.apply(
        {
            "apiVersion": f"{group}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": name},
            "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": "cluster-admin"},
            "subjects": [account],
        }
    )


def zones(stamp: str) -> list[str]:
    """Return the zones of a stamp as a node names them: `eastus2-1`."""
    config = StampConfig.model_validate(tracked(stamp))
    return [f"{config.region}-{zone}" for zone in config.availability_zones]


def nodes(stamp: str) -> Iterator[Document]:
    """Yield the nodes that a stamp's user pools have at the least, in turn over the zones."""
    config = StampConfig.model_validate(tracked(stamp))
    for pool in config.cluster.user_pools:
        for number in range(pool.min_count):
            zone = zones(stamp)[number % len(zones(stamp))]
            name = f"aks-{pool.name}-{number}"
            labels = {
                "agentpool": pool.name,
                "kubernetes.io/hostname": name,
                "kubernetes.io/os": "linux",
                "topology.kubernetes.io/region": config.region,
                "topology.kubernetes.io/zone": zone,
            }
            room = ROOM | {"pods": str(pool.max_pods)}
            yield {
                "apiVersion": "v1",
                "kind": "Node",
                "metadata": {"name": name, "labels": labels},
                "status": {"allocatable": room, "capacity": room},
            }
