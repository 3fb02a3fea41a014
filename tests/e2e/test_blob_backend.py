"""State in blob storage, as a team keeps it: the real engine against Azurite, Microsoft's emulator of that storage.

What Azurite cannot show (identities, versions, zones) is told in `docs/runbooks/state-backend.md`.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from simulator.cloud_store import CloudStore
from simulator.home import Home
from tests.e2e.project import SOURCE, Finished, counts
from tools.azurite import Azurite, missing_programs

pytestmark = pytest.mark.e2e

CONTAINER = "state"
SECRET = "not-to-be-found-in-clear-text"  # noqa: S105 - the test looks for it
PLAIN = "plain-and-to-be-found"
TOGETHER = ("orders", "orders.eu")
"""One name is the beginning of the other: what belongs to a stack is found by its name in the container."""
CONTESTED, AWAY, LOST = "contested", "storage-away", "both_lost"
STACKS = (*TOGETHER, CONTESTED, AWAY, LOST)
FIRST = {"group", "hub"}
ALL = {"group", "hub", "late"}
_PATIENCE_SECONDS = 90
_ABSENCE_SECONDS = 2

PROGRAM = f"""
import asyncio, pathlib
import pulumi
from pulumi_azure_native import network, resources

stack = pulumi.get_stack()
gate = pathlib.Path("gates", stack)


async def opened(value):
    while not gate.exists():
        await asyncio.sleep(0.05)
    return value


secret = pulumi.Config().get_secret("word")
group = resources.ResourceGroup(
    "group", resource_group_name=f"rg-{{stack}}", location="eastus2", tags={{"word": secret, "plain": "{PLAIN}"}}
)
hub = network.VirtualNetwork(
    "hub",
    virtual_network_name="hub",
    resource_group_name=group.name,
    location="eastus2",
    address_space={{"address_prefixes": ["10.0.0.0/16"]}},
)
network.Subnet(
    "late",
    resource_group_name=group.name,
    virtual_network_name=hub.name.apply(opened),
    subnet_name="late",
    address_prefix="10.0.0.0/24",
)
pulumi.export("word", secret)
"""


@dataclass
class Run:
    """An engine at work."""

    process: subprocess.Popen[str]

    def finished(self) -> Finished:
        """Wait for its end."""
        output, _ = self.process.communicate(timeout=_PATIENCE_SECONDS)
        return Finished(self.process.returncode, output)

    def kill(self) -> None:
        """End engine, program and language host as the loss of their machine does."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.communicate()


@dataclass
class Team:
    """A program whose stacks lie in one container, and the simulated Azure that they deploy to."""

    root: Path
    azurite: Azurite
    environment: dict[str, str]

    def gate(self, stack: str) -> Path:
        """While this file is missing, a deployment of the stack waits before its last resource."""
        return self.root / "gates" / stack

    def start(self, *arguments: str) -> Run:
        """Start the engine in a process group of its own."""
        return Run(
            subprocess.Popen(
                ["pulumi", *arguments, "--non-interactive"],
                cwd=self.root,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
            )
        )

    def pulumi(self, *arguments: str) -> Finished:
        """Run the engine to its end."""
        return self.start(*arguments).finished()

    def start_up(self, stack: str) -> Run:
        """Start a deployment."""
        return self.start("up", "--stack", stack, "--yes", "--skip-preview")

    @contextmanager
    def held_up(self, *stacks: str) -> Iterator[list[Run]]:
        """Deploy stacks at the same time and hold each when its group and network stand, until its gate is opened."""
        runs = [self.start_up(stack) for stack in stacks]
        try:
            eventually(lambda: all(self.stands(stack) == FIRST for stack in stacks))
            assert all(run.process.poll() is None for run in runs)
            yield runs
        finally:
            for run in runs:
                if run.process.poll() is None:
                    run.kill()

    def known(self, stack: str) -> set[str]:
        """Return which of the program's resources the exported state holds."""
        self.pulumi("stack", "export", "--stack", stack, "--file", "exported.json").succeeded()
        return _names(json.loads((self.root / "exported.json").read_text(encoding="utf-8")))

    def outlives(self, stack: str) -> set[str]:
        """Return which resources the state would still hold if Azurite were killed now; it writes every 5 seconds."""
        state = self.on_disk().get(f".pulumi/stacks/team/{stack}.json", b'{"checkpoint": {}}')
        return _names({"deployment": json.loads(state)["checkpoint"].get("latest") or {}})

    def stands(self, stack: str) -> set[str]:
        """Return which of the program's resources stand in the simulated Azure."""
        with closing(CloudStore(self.root / "home" / "cloud.sqlite")) as store:
            ids = [item for item, _ in store.all_tokens() if f"/rg-{stack}/" in f"{item}/"]
        return {"group" if item.endswith(f"/rg-{stack}") else item.rsplit("/", 1)[1] for item in ids}

    def on_disk(self) -> dict[str, bytes]:
        """Return all blobs by name, as they lie in Azurite's files."""
        index = json.loads((self.azurite.folder / "__azurite_db_blob__.json").read_text(encoding="utf-8"))
        (blobs,) = (item["data"] for item in index["collections"] if item["name"] == "$BLOBS_COLLECTION$")
        found = {}
        for blob in blobs:
            place = blob["persistency"]
            extent = (self.azurite.folder / "__blobstorage__" / place["id"]).read_bytes()
            found[blob["name"]] = extent[place["offset"] : place["offset"] + place["count"]]
        return found


def _names(exported: dict[str, Any]) -> set[str]:
    return {resource["urn"].rsplit("::", 1)[1] for resource in exported["deployment"].get("resources", [])} & ALL


def eventually(holds: Callable[[], bool]) -> None:
    """Wait until something holds."""
    until = time.monotonic() + _PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < until, "it never came true"
        time.sleep(0.1)


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    """Give a program with stacks that were never deployed, Azurite and the simulated Azure running."""
    if missing := missing_programs():
        pytest.skip(f"the state in blob storage is not tested: {' and '.join(missing)} cannot be found on PATH")
    root = tmp_path_factory.mktemp("blob") / "team"
    root.mkdir()
    (root / "Pulumi.yaml").write_text("name: team\nruntime: python\n", encoding="utf-8")
    (root / "__main__.py").write_text(PROGRAM, encoding="utf-8")
    home = Home(root / "home")
    home.prepare()
    (root / "gates").mkdir()
    with ExitStack() as stack:
        azurite = Azurite(root / "storage")
        stack.callback(azurite.kill)
        azurite.start()
        azurite.create_container(CONTAINER)
        given = {"PULUMI_SKIP_CHECKPOINTS": "false"}
        port = stack.enter_context(_simulated_azure(home))
        made = Team(root, azurite, home.environment(port) | azurite.environment(CONTAINER) | given)
        with ThreadPoolExecutor(2) as workers:
            inits = workers.map(lambda name: made.pulumi("stack", "init", name), STACKS)
            assert [done.output for done in inits if done.code != 0] == []
        made.pulumi("config", "set", "--stack", TOGETHER[0], "--secret", "word", SECRET).succeeded()
        yield made


@contextmanager
def _simulated_azure(home: Home) -> Iterator[int]:
    """Run one server for all engines and give its port."""
    command = [sys.executable, "-m", "simulator", "serve", "--cloud", str(home.cloud_file), "--with-parent"]
    environment = os.environ | {"PYTHONPATH": str(SOURCE)}
    # It ends when its standard input does.
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as server:
        assert server.stdout is not None
        yield int(server.stdout.readline())


def _make_stack(team: Team, name: str) -> None:
    team.pulumi("stack", "init", name).succeeded()
    team.pulumi("config", "set", "--stack", name, "--secret", "word", SECRET).succeeded()


@pytest.fixture(scope="module")
def together(team: Team) -> list[Finished]:
    """Deploy two stacks of one container, both under way at the same time."""
    with team.held_up(*TOGETHER) as runs:
        for name in TOGETHER:
            team.gate(name).touch()
        return [run.finished() for run in runs]


@dataclass(frozen=True)
class Outage:
    """What was left of two deployments when the storage came back."""

    made_meanwhile: set[str]
    outlasted: Finished
    lost: Run


@pytest.fixture(scope="module")
def outage(team: Team) -> Outage:
    """Kill Azurite in the middle of two deployments, and the engine of one; start it again on the same data."""
    with team.held_up(AWAY, LOST) as (outlasting, lost):
        eventually(lambda: all(team.outlives(name) == FIRST for name in (AWAY, LOST)))
        team.azurite.kill()
        lost.kill()
        for name in (AWAY, LOST):
            team.gate(name).touch()
        time.sleep(_ABSENCE_SECONDS)
        made = team.stands(AWAY) - FIRST
        team.azurite.start()
        return Outage(made, outlasting.finished(), lost)


def test_stacks_of_one_container_are_deployed_at_the_same_time(team: Team, together: list[Finished]) -> None:
    """Neither waits for the other or is refused, though each has a lock; no lock stays."""
    for name, done in zip(TOGETHER, together, strict=True):
        done.succeeded()
        assert team.known(name) == team.stands(name) == ALL
    listed = json.loads(team.pulumi("stack", "ls", "--json").succeeded().output)
    assert {stack["name"] for stack in listed} == set(STACKS)


def test_secrets_do_not_lie_in_the_storage_in_clear_text(team: Team, together: list[Finished]) -> None:
    """Configuration, state, backups and history hold the secret encrypted; it can be read with the passphrase."""
    together[0].succeeded()
    files = [file.read_bytes() for file in team.azurite.folder.rglob("*") if file.is_file()]
    assert any(PLAIN.encode() in content for content in files)
    assert not any(SECRET.encode() in content for content in files)
    assert SECRET not in "".join(done.output for done in together)
    read = team.pulumi("stack", "output", "word", "--stack", TOGETHER[0], "--show-secrets").succeeded()
    assert read.output.strip() == SECRET


def test_a_second_engine_on_a_stack_is_refused_and_the_first_loses_nothing(team: Team) -> None:
    """The refusal names the lock, the process that holds it and the way out."""
    with team.held_up(CONTESTED) as (first,):
        second = team.start_up(CONTESTED).finished()
        assert second.code != 0
        assert "the stack is currently locked by 1 lock(s)" in second.output
        assert f"azblob://{CONTAINER}/.pulumi/locks/organization/team/{CONTESTED}/" in second.output
        assert f"(pid {first.process.pid})" in second.output
        assert "`pulumi cancel`" in second.output
        team.gate(CONTESTED).touch()
        first.finished().succeeded()
    assert team.known(CONTESTED) == team.stands(CONTESTED) == ALL


def test_a_deployment_outlasts_a_short_absence_of_the_storage(team: Team, outage: Outage) -> None:
    """Nothing is begun in Azure while the state cannot be written; when the storage is back, the same run goes on."""
    assert outage.made_meanwhile == set()
    outage.outlasted.succeeded()
    assert team.known(AWAY) == team.stands(AWAY) == ALL


def test_after_the_loss_of_storage_and_engine_cancel_drops_the_lock_and_the_next_up_completes(
    team: Team, outage: Outage
) -> None:
    """The state is what was last written; without `cancel` nobody gets in."""
    assert team.known(LOST) == team.stands(LOST) == FIRST
    refused = team.start_up(LOST).finished()
    assert refused.code != 0
    assert f"(pid {outage.lost.process.pid})" in refused.output
    team.pulumi("cancel", "--stack", LOST, "--yes").succeeded()
    done = team.start_up(LOST).finished().succeeded()
    assert counts(done.output) == {"created": 1, "unchanged": 3}
    assert team.known(LOST) == team.stands(LOST) == ALL


def test_a_state_kept_in_a_blob_is_imported_again(team: Team, together: list[Finished]) -> None:
    """What lies in the storage is a checkpoint; `stack import` takes the deployment in it. Secrets stay readable."""
    together[0].succeeded()
    stack = TOGETHER[0]
    history = f".pulumi/history/team/{stack}/{stack}-"
    eventually(lambda: any(name.startswith(history) for name in team.on_disk()))
    (kept,) = (blob for name, blob in team.on_disk().items() if name.startswith(history) and "checkpoint" in name)
    old = json.loads(kept)
    for deployment, names in (({}, set()), (old["checkpoint"]["latest"], ALL)):
        (team.root / "old.json").write_text(json.dumps({"version": old["version"], "deployment": deployment}))
        team.pulumi("stack", "import", "--stack", stack, "--file", "old.json").succeeded()
        assert team.known(stack) == names
    team.pulumi("preview", "--stack", stack, "--expect-no-changes").succeeded()
