"""The Helm release as Flux applies it in a stamp: one namespace, waves, canary."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.workload.chart_rendering import ROOT, VARIABLES, RenderError, flux_objects, of_kind, release_values, render

STRUCTURES = ("standard", "canary")
WAVES = sorted(path.stem for path in (ROOT / "cluster-manifests" / "workload" / "waves").iterdir())


@pytest.mark.parametrize("structure", STRUCTURES)
def test_all_flux_objects_lie_in_the_configurations_namespace(structure: str) -> None:
    """The extension refuses a reference to any other, and has its service account only there."""
    objects = flux_objects(structure)
    assert {item["metadata"]["namespace"] for item in objects} == {"flux-system"}
    (release,) = of_kind(objects, "HelmRelease").values()
    spec = release["spec"]
    assert "namespace" not in spec["chart"]["spec"]["sourceRef"]
    assert (ROOT / spec["chart"]["spec"]["chart"] / "Chart.yaml").exists()
    assert (spec["targetNamespace"], spec["serviceAccountName"]) == ("workload", "flux-applier")


@pytest.mark.parametrize("structure", STRUCTURES)
@pytest.mark.parametrize("wave", WAVES)
def test_each_structure_renders_in_each_wave(structure: str, wave: str) -> None:
    """With what the stamp passes, in the chart's own words."""
    objects = flux_objects(structure, {**VARIABLES, "WAVE": wave})
    rendered = render(*release_values(objects))
    assert (
        set(of_kind(rendered, "Deployment"))
        == {
            "standard": {"region-echo"},
            "canary": {"region-echo", "region-echo-canary"},
        }[structure]
    )
    (route,) = of_kind(rendered, "HTTPRoute").values()
    assert route["spec"]["hostnames"] == [VARIABLES["INGRESS_HOST"]]
    (account,) = of_kind(rendered, "ServiceAccount").values()
    assert account["metadata"]["name"] == "region-echo", "the federated credential names it"
    assert account["metadata"]["annotations"]["azure.workload.identity/client-id"] == VARIABLES["WORKLOAD_CLIENT_ID"]


def test_a_variable_that_the_stamp_does_not_pass_stops_the_release() -> None:
    """Instead of running a pod that does not know where it is."""
    with pytest.raises(RenderError) as refused:
        render(*release_values(flux_objects("standard", {"WAVE": "wave1"})))
    for name in ("region", "name", "cluster", "host", "clientId", "cosmosEndpoint"):
        assert f"'{name}'" in str(refused.value) or f"/stamp/{name}'" in str(refused.value)


def test_a_stamp_takes_the_values_of_its_wave_only() -> None:
    """Promotion is the change of one file."""
    for wave in WAVES:
        objects = flux_objects("standard", {**VARIABLES, "WAVE": wave})
        (release,) = of_kind(objects, "HelmRelease").values()
        assert [source["name"] for source in release["spec"]["valuesFrom"]] == [f"region-echo-{wave}"]
        written = (ROOT / "cluster-manifests" / "workload" / "waves" / f"{wave}.yaml").read_text()
        assert of_kind(objects, "ConfigMap")[f"region-echo-{wave}"]["data"]["values.yaml"] == written


def test_the_wave_decides_the_image() -> None:
    """The release's own values win over the wave's, so they must not name one."""
    (release,) = of_kind(flux_objects("standard"), "HelmRelease").values()
    own = release["spec"]["values"]
    assert not {"image", "capacity", "canary"} & set(own)
    for wave in WAVES:
        values = yaml.safe_load((ROOT / "cluster-manifests" / "workload" / "waves" / f"{wave}.yaml").read_text())
        assert "@".join(values["image"].values()).count("@sha256:") == 1
        assert not set(values) & set(own)


def test_the_canary_structure_adds_the_canary_and_changes_nothing_else() -> None:
    """What it is stands in one file beside it."""
    standard, canary = (release_values(flux_objects(structure)) for structure in STRUCTURES)
    assert canary[0] == standard[0]
    assert canary[-1] == standard[-1]
    (added,) = canary[1:-1]
    assert set(added) == {"canary"}


def test_every_wave_that_a_stack_file_names_exists() -> None:
    """A stamp of another wave would wait for values that nobody wrote."""
    for path in Path(ROOT).glob("Pulumi.*.yaml"):
        settings = yaml.safe_load(path.read_text())["config"]
        stamp = settings.get("aks-geode:stamp", {})
        wave = stamp.get("gitops", {}).get("wave", "wave1")
        assert wave in WAVES, path.name


def test_the_source_is_the_one_that_azure_makes_for_the_stamp() -> None:
    """Azure names the GitRepository like the Flux configuration."""
    (release,) = of_kind(flux_objects("standard"), "HelmRelease").values()
    program = (ROOT / "stamps" / "gitops.py").read_text()
    name, namespace = release["spec"]["chart"]["spec"]["sourceRef"]["name"], release["metadata"]["namespace"]
    assert f'flux_configuration_name="{name}"' in program
    assert f'namespace="{namespace}"' in program
