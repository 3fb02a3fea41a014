"""A drain and an outage, end to end: what the engine deployed and exported decides how requests go.

`tests/drain` has the small edges and gateways; the processes behind them are the sample itself.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.drain.azure_time import AzureTime
from tests.drain.chain import Chain, Held, running
from tests.drain.exported_fleet import ExportedFleet, read_fleet
from tests.e2e.project import Project

pytestmark = pytest.mark.e2e

TIME = AzureTime(30)
"""A probe window of a minute takes two seconds here, which leaves a busy machine time for each step."""
STAMPS = ("eastus2", "centralus")
ECHO, VISIT = ("GET", "/"), ("POST", "/visits")


class DeployedFleet:
    """The deployed stacks and what each exported last."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._drained = dict.fromkeys(STAMPS, False)
        self._exports: dict[str, Any] = {stack: project.export(stack) for stack in ("shared", *STAMPS)}

    def read(self) -> ExportedFleet:
        """Return what the stacks exported."""
        return read_fleet(self._exports["shared"], [self._exports[stamp] for stamp in STAMPS])

    def set_drained(self, **drained: bool) -> None:
        """Change the stamps' files and deploy them side by side, unless they are so already."""
        changed = {stamp: value for stamp, value in drained.items() if self._drained[stamp] != value}
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(self._deploy, changed, changed.values()))

    def _deploy(self, stamp: str, drained: bool) -> None:
        self._project.edit(stamp, {"drained": drained})
        # A server of its own for each, as two people have who deploy two stamps at the same time.
        engine = ("pulumi", "up", "--stack", stamp, "--yes", "--skip-preview", "--non-interactive")
        self._project.simulator("run", "--", *engine).succeeded()
        self._exports[stamp] = self._project.export(stamp)
        self._drained[stamp] = drained

    def give_policy(self, chain: Chain, stamp: str) -> float:
        """Give a stamp's gateway the policy that was exported last, as Azure does; return when."""
        gateway = chain.gateways[stamp]
        gateway.apply(self.read().gateways[gateway.settings.host_name].policy)
        return chain.now()


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory, deployed_fleet: Project) -> DeployedFleet:
    """Return a deployed fleet of this module's own."""
    return DeployedFleet(deployed_fleet.copy(tmp_path_factory.mktemp("drain") / "project"))


def window(fleet: ExportedFleet) -> float:
    """Return the longest time, in Azure's seconds, until an edge has seen enough probes fail."""
    probe = fleet.front_door.probe
    return probe.failures_to_leave * probe.interval


async def test_after_an_outage_requests_fail_no_longer_than_the_probes_take(
    fleet: DeployedFleet, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A killed region fails its share of the requests until each edge has seen enough probes fail, and no longer."""
    fleet.set_drained(eastus2=False, centralus=False)
    exported = fleet.read()
    probe, bound = exported.front_door.probe, window(exported)
    async with running(exported, tmp_path, TIME) as chain, chain.users(ECHO, VISIT):
        await chain.pass_time(probe.interval)
        weights = {origin.weight for origin in exported.front_door.origins if origin.priority == 1}
        assert len(weights) == 1
        assert 0.4 < sum(item.region == "eastus2" for item in chain.seen) / len(chain.seen) < 0.6
        assert chain.failed() == []

        killed = chain.now()
        chain.echoes["eastus2"].process.kill()
        left = await chain.until(lambda: not any(chain.healthy("eastus2")))
        assert min(chain.failed_probes("eastus2")) == probe.failures_to_leave
        await chain.pass_time(bound)
        failed = chain.failed()
        last = max(item.began for item in failed)
        assert TIME.azure(last - killed) <= bound + chain.allowance()
        assert chain.regions_since(left) == {"centralus"}
        share = len(failed) / sum(killed < item.began <= last for item in chain.seen)
        assert 0.3 < share < 0.7, "the other region's half never fails"
    with capsys.disabled():
        print(  # noqa: T201 - the figures that the test is for
            f"\noutage of one region in two: {share:.0%} of the requests fail for {TIME.azure(last - killed):.0f} s "
            f"of Azure's time; at most {bound:.0f} s by the exported probe"
        )


async def test_the_workloads_own_switch_drains_without_a_failed_request(fleet: DeployedFleet, tmp_path: Path) -> None:
    """The process itself fails Front Door's probe; the gateway asks another path and keeps its only backend."""
    fleet.set_drained(eastus2=False, centralus=False)
    exported = fleet.read()
    async with running(exported, tmp_path, TIME) as chain, chain.users(ECHO, VISIT):
        await chain.pass_time(exported.front_door.probe.interval)
        assert chain.regions_since(0) == set(STAMPS)
        chain.echoes["eastus2"].drain_file.write_text("drain", encoding="utf-8")
        left = await chain.until(lambda: not any(chain.healthy("eastus2")))
        await chain.pass_time(window(exported))
        assert chain.regions_since(left) == {"centralus"}
        assert chain.gateways["eastus2"].healthy
    assert chain.failed() == []


async def test_in_a_drain_no_request_fails(fleet: DeployedFleet, tmp_path: Path) -> None:
    """The stamp leaves rotation within its probe window, finishes what it has, and goes on serving who comes."""
    fleet.set_drained(eastus2=False, centralus=False)
    exported = fleet.read()
    probe = exported.front_door.probe
    async with running(exported, tmp_path, TIME) as chain, chain.users(ECHO, VISIT):
        gateway = chain.gateways["eastus2"]
        await asyncio.to_thread(fleet.set_drained, eastus2=True)
        assert chain.regions_since(0) == set(STAMPS)
        held: list[Held] = [chain.hold(number % len(chain.edges)) for number in range(12)]
        while gateway.in_flight("POST") < 3:
            await asyncio.sleep(0.02)
        drained = fleet.give_policy(chain, "eastus2")
        left = await chain.until(lambda: not any(chain.healthy("eastus2")))
        assert TIME.azure(left - drained) <= window(exported) + chain.allowance()
        assert min(chain.failed_probes("eastus2")) == probe.failures_to_leave
        # Long enough for the gateway, too, to see its own probe fail, if it did.
        await chain.pass_time(gateway.settings.probe.interval * (gateway.settings.probe.threshold + 1))

        assert gateway.healthy
        assert chain.regions_since(left) == {"centralus"}
        assert chain.failed() == []
        for request in held:
            request.release.set()
        answers = await asyncio.gather(*(request.answer for request in held))
        assert {answer.status for answer in answers} == {201}
        assert {answer.headers["x-served-by-region"] for answer in answers} == set(STAMPS)

        direct = await chain.ask_gateway("eastus2", *ECHO)
        assert (direct.status, direct.headers["x-served-by-region"]) == (200, "eastus2")
        assert (await chain.ask_gateway("eastus2", probe.method, probe.path)).status == 403
        assert (await chain.ask_gateway("eastus2", *ECHO, front_door_id="another")).status == 403
    assert chain.failed() == []


async def test_with_every_stamp_drained_the_maintenance_page_answers_until_one_is_back(
    fleet: DeployedFleet, tmp_path: Path
) -> None:
    """The page's site answers Front Door's probe, so nobody is sent to a drained stamp; the way back loses nothing."""
    fleet.set_drained(eastus2=True, centralus=False)
    exported = fleet.read()
    probe = exported.front_door.probe
    async with running(exported, tmp_path, TIME) as chain, chain.users(ECHO):
        # Both are deployed at once, which saves time; the gateways get their policies one after the other.
        await asyncio.to_thread(fleet.set_drained, eastus2=False, centralus=True)
        assert not any(chain.healthy("eastus2"))
        fleet.give_policy(chain, "centralus")
        empty = await chain.until(lambda: not any(chain.healthy("centralus")))
        await chain.pass_time(probe.interval)
        assert chain.regions_since(empty) == {""}

        undrained = fleet.give_policy(chain, "eastus2")
        back = await chain.until(lambda: all(chain.healthy("eastus2")))
        assert TIME.azure(back - undrained) <= probe.successes * probe.interval + chain.allowance()
        await chain.pass_time(probe.interval)
        assert chain.regions_since(back) == {"eastus2"}
    assert chain.failed() == []
