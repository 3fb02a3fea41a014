"""The whole chain on one machine: users, edges, gateways, the sample's processes and their database."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from tests.drain.azure_time import AzureTime, alongside
from tests.drain.edge import Edge
from tests.drain.exported_fleet import ExportedFleet
from tests.drain.gateway import Gateway
from tests.drain.http_exchange import Answer, NoAnswerError, Request, Server, exchange
from tests.drain.website import serve
from tests.workload.echo_process import EchoProcess
from tests.workload.fake_cosmos import FakeAccount

EDGES = 2
CLIENTS_AN_EDGE = 3
_PAUSE_SECONDS = 0.12
_POLL_SECONDS = 0.005
_PATIENCE_SECONDS = 10
_HEALTH_CACHE_SECONDS = 10
"""What the sample does when nothing is set, in Azure's seconds."""
_NOTE = b'{"note": "sent in two pieces"}'


@dataclass(frozen=True)
class Seen:
    """What one request of a user came to; status 0 is a connection that ended without an answer."""

    began: float
    edge: int
    status: int
    region: str

    @property
    def failed(self) -> bool:
        """Whether the user did not get what was asked for."""
        return self.status not in {200, 201}


@dataclass(frozen=True)
class Held:
    """A request whose last bytes are sent when `release` is set."""

    release: asyncio.Event
    answer: asyncio.Task[Answer]


@dataclass
class Chain:
    """Gateways and processes by region; `ports` are those of the edges, one host name for all."""

    fleet: ExportedFleet
    time: AzureTime
    gateways: dict[str, Gateway]
    gateway_ports: dict[str, int]
    echoes: dict[str, EchoProcess]
    edges: list[Edge] = field(default_factory=list)
    ports: list[int] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)

    @staticmethod
    def now() -> float:
        """Return this machine's time."""
        return asyncio.get_running_loop().time()

    async def pass_time(self, seconds: float) -> None:
        """Let Azure's seconds pass."""
        await asyncio.sleep(self.time.real(seconds))

    async def until(self, happened: Callable[[], bool]) -> float:
        """Wait for something and return when it was seen."""
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while not happened():
                await asyncio.sleep(_POLL_SECONDS)
        return self.now()

    def origin(self, region: str) -> str:
        """Return the name of a region's origin."""
        host = self.gateways[region].settings.host_name
        (name,) = (item.name for item in self.fleet.front_door.origins if item.host_name == host)
        return name

    def healthy(self, region: str) -> list[bool]:
        """Return what each edge thinks of a region."""
        return [edge.healthy(self.origin(region)) for edge in self.edges]

    def failed_probes(self, region: str) -> list[int]:
        """Return how many of the last probes of each edge failed."""
        return [edge.failed_probes(self.origin(region)) for edge in self.edges]

    def allowance(self) -> float:
        """Return what this machine added to the time of a probe, in Azure's seconds."""
        return self.time.azure(max(edge.lateness for edge in self.edges) + _POLL_SECONDS)

    def failed(self) -> list[Seen]:
        """Return what went wrong for users."""
        return [item for item in self.seen if item.failed]

    def regions_since(self, moment: float) -> set[str]:
        """Return who answered requests that began later; "" is the maintenance site."""
        return {item.region for item in self.seen if item.began > moment}

    async def ask_gateway(self, region: str, method: str, target: str, front_door_id: str | None = None) -> Answer:
        """Send a request past Front Door, with the fleet's id in the header or another one."""
        headers = {"host": self.gateways[region].settings.host_name}
        headers["x-azure-fdid"] = self.fleet.front_door.id if front_door_id is None else front_door_id
        return await exchange(self.gateway_ports[region], Request(method, target, headers), _PATIENCE_SECONDS)

    def hold(self, edge: int) -> Held:
        """Begin to write a visit and leave its body open."""
        release = asyncio.Event()

        async def body() -> AsyncIterator[bytes]:
            yield _NOTE[:1]
            await release.wait()
            yield _NOTE[1:]

        headers = {"host": "users.example", "content-length": str(len(_NOTE))}
        request = Request("POST", "/visits", headers, body())
        return Held(release, asyncio.create_task(exchange(self.ports[edge], request, _PATIENCE_SECONDS)))

    @asynccontextmanager
    async def users(self, *asking: tuple[str, str]) -> AsyncIterator[None]:
        """Keep several users at each edge asking, one request after the other, in turn for each method and path."""
        stopped = asyncio.Event()
        users = [
            asyncio.create_task(self._user(edge, itertools.islice(itertools.cycle(asking), user, None), stopped))
            for edge, user in itertools.product(range(len(self.edges)), range(CLIENTS_AN_EDGE))
        ]
        try:
            yield
        finally:
            stopped.set()
            await asyncio.gather(*users)

    async def _user(self, edge: int, asking: Iterator[tuple[str, str]], stopped: asyncio.Event) -> None:
        while not stopped.is_set():
            began, (method, target) = self.now(), next(asking)
            try:
                request = Request(method, target, {"host": "users.example"})
                answer = await exchange(self.ports[edge], request, _PATIENCE_SECONDS)
            except NoAnswerError:
                answer = Answer(0)
            self.seen.append(Seen(began, edge, answer.status, answer.headers.get("x-served-by-region", "")))
            await asyncio.sleep(_PAUSE_SECONDS)


@asynccontextmanager
async def running(fleet: ExportedFleet, folder: Path, time: AzureTime) -> AsyncIterator[Chain]:
    """Start everything that the exported stacks describe, and end it."""
    async with AsyncExitStack() as stack:
        account = stack.enter_context(FakeAccount(folder, *(item.region for item in fleet.gateways.values())))
        echoes: dict[str, EchoProcess] = {}
        gateways: dict[str, Gateway] = {}
        ports: dict[str, int] = {}
        for settings, database in zip(fleet.gateways.values(), account.regions, strict=True):
            environment = account.environment(database)
            environment["HEALTH_CACHE_SECONDS"] = str(time.real(_HEALTH_CACHE_SECONDS))
            echo = await asyncio.to_thread(EchoProcess, folder, settings.region, **environment)
            echoes[settings.region] = stack.enter_context(echo)
            gateways[settings.region] = Gateway(settings, echo.port, time)
            server = await stack.enter_async_context(Server(gateways[settings.region].handle))
            ports[settings.host_name] = server.port
        site = await stack.enter_async_context(Server(partial(serve, fleet.website)))
        gateway_ports = {item.region: ports[item.host_name] for item in fleet.gateways.values()}
        chain = Chain(fleet, time, gateways, gateway_ports, echoes)
        for _ in range(EDGES):
            chain.edges.append(Edge(fleet.front_door, {**ports, fleet.website.host_name: site.port}, time))
            server = await stack.enter_async_context(Server(chain.edges[-1].handle))
            chain.ports.append(server.port)
        probing = [gateway.probe_forever() for gateway in gateways.values()]
        for number, edge in enumerate(chain.edges):
            probing.append(edge.probe_forever(fleet.front_door.probe.interval * number / EDGES))
        async with alongside(*probing):
            yield chain
