"""One control plane for the whole run, with a stamp on it: started once, in about a minute when everything is built."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.cluster import azure
from tests.cluster.api import Api, eventually
from tests.cluster.flux import Flux
from tests.cluster.processes import Processes
from tests.cluster.upkeep import at_strength, nodes_ready, strength
from tests.manifests.rendering import of_kind, values
from tools.control_plane import PROGRAMS, program

HERE = Path(__file__).parent
STAMP = "eastus2"


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", "cluster: runs a real control plane, `make test-cluster`")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave these tests out of `make test`: they run only when the command names their folder."""
    named = (Path(config.invocation_params.dir, argument.partition("::")[0]) for argument in config.args)
    return None if any(path.resolve().is_relative_to(HERE) for path in named) else True


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test of this folder."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker("cluster")


class Cluster(NamedTuple):
    """A stamp's cluster, without what Flux brings."""

    api: Api
    processes: Processes
    zones: list[str]
    registry: str


class Stamp(NamedTuple):
    """A stamp's cluster with everything that Flux brings; `strength` is how many pods each deployment has at rest."""

    api: Api
    cluster: Cluster
    flux: Flux
    strength: dict[str, int]


@pytest.fixture(scope="session")
def cluster(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A control plane, nodes in every zone, and what Azure puts there, its policies included."""
    for name in PROGRAMS:
        program(name)
    start = time.monotonic()
    processes = Processes(tmp_path_factory.mktemp("control-plane"))
    api, zones, registry = processes.api, azure.zones(STAMP), values(STAMP)["REGISTRY"]
    try:
        processes.start()
        azure.add_kinds(api)
        azure.enforce_policies(api, registry)
        azure.add_flux_account(api)
        nodes = list(azure.nodes(STAMP))
        for node in nodes:
            api.create(node)
        for zone in zones:
            processes.start_zone(zone)
        eventually(lambda: nodes_ready(api, len(nodes)), 60, f"nodes are ready; kwok says:\n{processes.log(zones[0])}")
        _tell(request.config, f"cluster with {len(nodes)} nodes ready in {time.monotonic() - start:.0f} s")
        yield Cluster(api, processes, zones, registry)
        assert not processes.dead(), f"ended by themselves: {processes.dead()}"
        held = processes.memory()
        _tell(
            request.config,
            f"memory {sum(held.values()):.0f} MiB: " + ", ".join(f"{role} {most:.0f}" for role, most in held.items()),
        )
    finally:
        processes.stop()


@pytest.fixture(scope="session")
def stamp(
    request: pytest.FixtureRequest, cluster: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stamp]:
    """The stamp as Flux makes it: platform, then workload, both ready, autoscalers at their least."""
    start = time.monotonic()
    flux = Flux(cluster.api, STAMP, tmp_path_factory.mktemp("artifacts"))
    try:
        flux.configure()
        cluster.processes.start_flux("kustomize-controller", "--no-remote-bases")
        cluster.processes.start_flux("helm-controller")
        flux.wait_for("platform")
        _tell(request.config, f"platform ready after {time.monotonic() - start:.0f} s")
        flux.wait_for("workload")
        _tell(request.config, f"workload ready after {time.monotonic() - start:.0f} s")
        least = {
            scaler.document["spec"]["scaleTargetRef"]["name"]: int(scaler.document["spec"]["minReplicas"])
            for scaler in of_kind("standard", "HorizontalPodAutoscaler")
        }
        eventually(lambda: at_strength(cluster.api, least), 90, f"autoscalers reach {least}")
        _tell(request.config, f"at strength {strength(cluster.api)} after {time.monotonic() - start:.0f} s")
        yield Stamp(cluster.api, cluster, flux, least)
    finally:
        flux.close()


def _tell(config: pytest.Config, text: str) -> None:
    """Say what goes on, though pytest keeps what tests print: the first test takes a minute."""
    capture = config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        sys.stderr.write(f"cluster: {text}\n")
        sys.stderr.flush()
