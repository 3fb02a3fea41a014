"""What the chart guarantees to every service that it runs."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.workload.chart_rendering import CHART, STAMP, Object, RenderError, of_kind, render, texts
from tests.workload.echo_process import EchoProcess

CANARY: Object = {"canary": {"enabled": True, "weight": 25, "image": {"digest": "sha256:" + "c" * 64}}}
IDENTITY: Object = {
    "stamp": {
        "clientId": "11111111-2222-3333-4444-555555555555",
        "cosmosEndpoint": "https://cosmos-a.documents.azure.com:443/",
    }
}
OWN_IMAGE: Object = {
    "name": "orders",
    "code": "none",
    "command": [],
    "image": {"repository": "crcontoso.azurecr.io/orders", "digest": "sha256:" + "a" * 64},
    "env": {"MODE": "fast"},
    "port": 3000,
    "probes": {"liveness": "/alive"},
    "network": {"egressHttps": True},
}
OPTIONS: dict[str, Object] = {
    "defaults": {},
    "canary": CANARY,
    "identity and database": IDENTITY,
    "own image": OWN_IMAGE,
    "pod monitor": {"metrics": {"podMonitor": True}},
    "longest name": {"name": "n" * 40, **CANARY},
}


def rendered(*values: Object) -> list[Object]:
    """Render with the values that a stamp always gives."""
    return render({"stamp": STAMP}, *values)


@pytest.mark.parametrize("option", OPTIONS)
def test_nothing_that_is_rendered_is_empty_or_too_long(option: str) -> None:
    """An empty text is a value that nobody set; Kubernetes takes labels and service names of 63 characters."""
    for item in rendered(OPTIONS[option]):
        assert len(item["metadata"]["name"]) <= 63
        assert item["metadata"]["namespace"] == "workload"
        empty = [path for path, value in texts(item) if value in ("", None) and not path.endswith(".group")]
        assert empty == [], item["kind"]


@pytest.mark.parametrize("option", OPTIONS)
def test_every_container_meets_the_policies_of_the_cluster(option: str) -> None:
    """Azure Policy would refuse the pod, and the rollout would hang."""
    for deployment in of_kind(rendered(OPTIONS[option]), "Deployment").values():
        pod = deployment["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        assert pod["automountServiceAccountToken"] is False
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        assert container["securityContext"]["allowPrivilegeEscalation"] is False
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert "@sha256:" in container["image"]
        for kind in ("requests", "limits"):
            assert set(container["resources"][kind]) == {"cpu", "memory", "ephemeral-storage"}


@pytest.mark.parametrize("option", OPTIONS)
def test_the_autoscaler_alone_owns_the_number_of_pods(option: str) -> None:
    """A number in the chart would be set again at every upgrade, in the middle of a failover."""
    objects = rendered(OPTIONS[option])
    deployments, autoscalers = of_kind(objects, "Deployment"), of_kind(objects, "HorizontalPodAutoscaler")
    assert set(deployments) == set(autoscalers)
    assert all("replicas" not in deployment["spec"] for deployment in deployments.values())
    assert all(item["spec"]["scaleTargetRef"]["name"] == name for name, item in autoscalers.items())


@pytest.mark.parametrize(
    ("capacity", "least", "most"),
    [
        ({}, 3, 18),
        ({"fleetPodsAtPeak": 20, "stamps": 2}, 3, 20),
        ({"fleetPodsAtPeak": 20, "stamps": 4}, 3, 7),
        ({"fleetPodsAtPeak": 20, "stamps": 1}, 3, 20),
        ({"fleetPodsAtPeak": 4, "stamps": 5, "minReplicas": 6}, 6, 6),
    ],
)
def test_the_stamps_that_are_left_can_carry_the_whole_load(capacity: Object, least: int, most: int) -> None:
    """The fleet's peak, divided by the stamps without one, rounded up."""
    (autoscaler,) = of_kind(rendered({"capacity": capacity}), "HorizontalPodAutoscaler").values()
    assert (autoscaler["spec"]["minReplicas"], autoscaler["spec"]["maxReplicas"]) == (least, most)


def test_the_canary_can_carry_its_share_of_a_lost_region() -> None:
    """Its weight of the stable version's maximum: a quarter of eighteen, rounded up."""
    autoscalers = of_kind(rendered(CANARY), "HorizontalPodAutoscaler")
    assert autoscalers["region-echo-canary"]["spec"]["maxReplicas"] == 5
    assert autoscalers["region-echo"]["spec"]["maxReplicas"] == 18


@pytest.mark.parametrize("least", [1, 2, 3, 10])
def test_a_node_can_always_be_drained(least: int) -> None:
    """At the least number of pods, and when none of them is healthy."""
    objects = rendered(CANARY, {"capacity": {"minReplicas": max(2, least)}, "canary": {"minReplicas": least}})
    for name, deployment in of_kind(objects, "Deployment").items():
        labels = deployment["spec"]["template"]["metadata"]["labels"]
        budgets = [item for item in of_kind(objects, "PodDisruptionBudget").values() if _selects(item, labels)]
        (spec,) = [budget["spec"] for budget in budgets]
        replicas = of_kind(objects, "HorizontalPodAutoscaler")[name]["spec"]["minReplicas"]
        assert _allowed_disruptions(spec, replicas) == 1
        assert spec["unhealthyPodEvictionPolicy"] == "AlwaysAllow"


def _allowed_disruptions(spec: Object, healthy: int) -> int:
    """Count as the disruption controller does when all pods are healthy."""
    assert ("maxUnavailable" in spec) != ("minAvailable" in spec)
    kept = healthy - spec["maxUnavailable"] if "maxUnavailable" in spec else spec["minAvailable"]
    return int(max(0, healthy - max(0, kept)))


def _selects(item: Object, labels: dict[str, str]) -> bool:
    selector = item["spec"]["selector"]
    wanted = selector.get("matchLabels", selector)
    return bool(wanted) and wanted.items() <= labels.items()


@pytest.mark.parametrize("kind", ["Deployment", "PodDisruptionBudget", "Service"])
def test_the_canary_never_captures_the_stable_versions_pods(kind: str) -> None:
    """Two budgets for one pod block its eviction; two Deployments would fight for it."""
    objects = rendered(CANARY)
    pods = {
        name: item["spec"]["template"]["metadata"]["labels"] for name, item in of_kind(objects, "Deployment").items()
    }
    assert set(pods) == {"region-echo", "region-echo-canary"}
    for name, item in of_kind(objects, kind).items():
        assert [pod for pod, labels in pods.items() if _selects(item, labels)] == [name]


def test_the_canary_changes_nothing_of_the_stable_version_but_its_share() -> None:
    """So turning it on or off restarts no stable pod."""
    without, beside = rendered(), rendered(CANARY)
    changed = {(item["kind"], item["metadata"]["name"]) for item in without if item not in beside}
    assert changed == {("HTTPRoute", "region-echo")}
    (route,) = of_kind(beside, "HTTPRoute").values()
    shares = {backend["name"]: backend["weight"] for backend in route["spec"]["rules"][0]["backendRefs"]}
    assert shares == {"region-echo": 75, "region-echo-canary": 25}
    images = {name: _container(item)["image"] for name, item in of_kind(beside, "Deployment").items()}
    assert images["region-echo-canary"].endswith("@sha256:" + "c" * 64)
    assert images["region-echo"] != images["region-echo-canary"]


def _container(deployment: Object) -> dict[str, Any]:
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    return dict(container)


def test_network_policies_cover_both_versions_and_deny_first() -> None:
    """What is not listed is closed: without a database nothing but names is asked outside."""
    objects = rendered(CANARY)
    policies = of_kind(objects, "NetworkPolicy")
    for deployment in of_kind(objects, "Deployment").values():
        labels = deployment["spec"]["template"]["metadata"]["labels"]
        assert all(
            policy["spec"]["podSelector"]["matchLabels"].items() <= labels.items() for policy in policies.values()
        )
    assert policies["region-echo-default-deny"]["spec"]["policyTypes"] == ["Ingress", "Egress"]
    assert policies["region-echo-default-deny"]["spec"]["ingress"] == []
    assert policies["region-echo-default-deny"]["spec"]["egress"] == []
    assert {name for name, policy in policies.items() if policy["spec"].get("egress")} == {"region-echo-dns"}
    assert "region-echo-https-out" in of_kind(rendered(IDENTITY), "NetworkPolicy")
    assert "orders-https-out" in of_kind(rendered(OWN_IMAGE), "NetworkPolicy")


def test_the_identity_reaches_account_and_pod_together() -> None:
    """The webhook looks at the pod's label, Entra at the account's annotation."""
    for values, expected in ((IDENTITY, True), ({}, False)):
        objects = rendered(values)
        (account,) = of_kind(objects, "ServiceAccount").values()
        (deployment,) = of_kind(objects, "Deployment").values()
        labels = deployment["spec"]["template"]["metadata"]["labels"]
        assert ("annotations" in account["metadata"]) is expected
        assert (labels.get("azure.workload.identity/use") == "true") is expected


def test_the_drain_switch_holds_nothing_that_an_upgrade_could_put_back() -> None:
    """A region that an operator drains stays drained, whatever Flux does."""
    assert "data" not in of_kind(rendered(), "ConfigMap")["region-echo-drain"]
    (deployment,) = of_kind(rendered(), "Deployment").values()
    (mount,) = [mount for mount in _container(deployment)["volumeMounts"] if mount["name"] == "drain"]
    assert "subPath" not in mount, "a file mounted by subPath is never renewed"


def test_wrong_values_are_refused_in_one_message() -> None:
    """Each with its place."""
    wrong: Object = {
        "stamp": {"region": "East US 2", "clientId": "", "cosmosEndpoint": "http://x"},
        "image": {"digest": "latest", "tag": "v1"},
        "port": 80,
        "resources": {"limits": {"cpu": "2", "memory": "1Gi"}},
        "capacity": {"minReplicas": 1},
        "canary": {"weight": 90},
        "env": {"REGION": "other", "small": "x"},
        "replicas": 3,
    }
    with pytest.raises(RenderError) as refused:
        rendered(wrong)
    for place in (
        "/stamp/region",
        "/stamp/clientId",
        "/stamp/cosmosEndpoint",
        "/image/digest",
        "'tag'",
        "/port",
        "/resources/limits/cpu",
        "/resources/limits/memory",
        "/capacity/minReplicas",
        "/canary/weight",
        "'REGION'",
        "'small'",
        "'replicas'",
    ):
        assert place in str(refused.value)


@pytest.mark.parametrize("value", ["", None])
def test_variables_that_flux_left_empty_are_refused_by_name(value: str | None) -> None:
    """Flux replaces an unknown variable by nothing and says nothing."""
    names = ("region", "name", "cluster", "host", "clientId", "cosmosEndpoint")
    with pytest.raises(RenderError) as refused:
        render({"stamp": dict.fromkeys(names, value)})
    assert [name for name in names if name not in str(refused.value)] == []


def test_a_grace_period_too_short_for_what_is_in_flight_is_refused() -> None:
    """With both numbers."""
    with pytest.raises(RenderError, match=r"termination.grace \(20\) must be at least 10 seconds longer .* \(15\)"):
        rendered({"termination": {"grace": 20, "preStop": 15}})


def test_a_folder_without_code_is_refused() -> None:
    """With an example."""
    with pytest.raises(RenderError, match=r"code: expected a folder .* 'region_echo', or 'none', got .*missing"):
        rendered({"code": "missing"})


def test_a_change_of_the_code_starts_new_pods(tmp_path: Path) -> None:
    """A ConfigMap that changes alone changes nothing in a running process."""
    checksums: list[dict[str, str]] = []
    for text in ("", "# changed\n"):
        chart = tmp_path / f"chart-{len(checksums)}"
        shutil.copytree(CHART, chart, ignore=shutil.ignore_patterns("__pycache__"))
        with (chart / "region_echo" / "__init__.py").open("a") as file:
            file.write(text)
        checksums.append(_checksums(render({"stamp": STAMP}, CANARY, chart=chart)))
    before, after = checksums
    assert all(before[name] != after[name] for name in ("region-echo", "region-echo-canary"))


def _checksums(objects: list[Object]) -> dict[str, str]:
    deployments = of_kind(objects, "Deployment")
    return {name: str(item["spec"]["template"]["metadata"]["annotations"]) for name, item in deployments.items()}


def test_what_the_chart_mounts_and_sets_is_what_the_sample_runs_on(tmp_path: Path) -> None:
    """The rendered files, started by the rendered command with the rendered environment, answer the rendered probes."""
    objects = rendered()
    (deployment,) = of_kind(objects, "Deployment").values()
    container = _container(deployment)
    (mount,) = [mount for mount in container["volumeMounts"] if mount["name"] == "code"]
    environment = {item["name"]: item["value"] for item in container["env"] if "value" in item}
    folder = tmp_path / mount["mountPath"].lstrip("/")
    folder.mkdir(parents=True)
    for name, text in of_kind(objects, "ConfigMap")["region-echo-code"]["data"].items():
        (folder / name).write_text(text)
    environment |= {
        "PYTHONPATH": str(tmp_path / environment["PYTHONPATH"].lstrip("/")),
        "PORT": "0",
        "METRICS_PORT": "0",
        "DRAIN_FILE": str(tmp_path / "drain"),
    }
    assert container["command"] == ["python3", "-m", "region_echo"]
    with EchoProcess(tmp_path, **environment) as process:
        assert process.ask("GET", "/").json["stamp"] == "eastus2-blue"
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            assert process.ask("GET", container[probe]["httpGet"]["path"]).status == 200
