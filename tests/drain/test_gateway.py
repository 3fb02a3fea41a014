"""What a gateway refuses, what it answers itself, and why its probe has a path of its own."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from tests.drain.azure_time import AzureTime, alongside
from tests.drain.example import DRAIN, GATEWAY, healthy, user
from tests.drain.exported_fleet import StampGateway
from tests.drain.gateway import Gateway, refusing_rule
from tests.drain.http_exchange import Answer, Handler, Request, Server

TIME = AzureTime(200)
DRAINED = replace(GATEWAY.policy, rules=(*GATEWAY.policy.rules, DRAIN))


@asynccontextmanager
async def gateway_before(backend: Handler, settings: StampGateway = GATEWAY) -> AsyncIterator[Gateway]:
    """Give a gateway that probes a backend."""
    async with Server(backend) as server:
        gateway = Gateway(settings, server.port, TIME)
        async with alongside(gateway.probe_forever()):
            yield gateway


async def until(happened: Callable[[], bool]) -> None:
    """Wait for something."""
    async with asyncio.timeout(5):
        while not happened():
            await asyncio.sleep(0.002)


@pytest.mark.parametrize(
    ("headers", "refused"),
    [
        ({"x-azure-fdid": "ours"}, None),
        ({"x-azure-fdid": "OURS"}, None),
        ({"x-azure-fdid": "theirs"}, "IdOther"),
        ({"x-azure-fdid": ""}, "IdOther"),
        ({}, "IdMissing"),
    ],
)
def test_only_the_own_front_door_gets_in(headers: dict[str, str], refused: str | None) -> None:
    """Two rules, because a comparison may not apply to a header that is absent."""
    assert refusing_rule(GATEWAY.policy, Request("GET", "/", headers)) == refused
    assert refusing_rule(replace(GATEWAY.policy, blocks=False), Request("GET", "/", headers)) is None


@pytest.mark.parametrize(("target", "refused"), [("/region", "Drain"), ("/Region", "Drain"), ("/", None)])
def test_the_drain_rule_refuses_front_doors_path_and_no_other(target: str, refused: str | None) -> None:
    """In any case of letters."""
    assert refusing_rule(DRAINED, user(target)) == refused
    assert refusing_rule(GATEWAY.policy, user(target)) is None


async def test_a_request_reaches_the_backend_under_the_backends_name() -> None:
    """And another host's request reaches nothing."""
    async with gateway_before(healthy) as gateway:
        assert (await gateway.handle(user())).headers["x-host"] == "ingress.example"
        assert (await gateway.handle(user(host="other.example"))).status == 404


@pytest.mark.parametrize(("path", "status"), [("/ready", 200), ("/region", 502)])
async def test_a_gateway_that_asked_front_doors_path_would_fail_every_user_of_a_drained_stamp(
    path: str, status: int
) -> None:
    """It has one backend: found unhealthy, nobody is left to answer, while edges still send requests."""
    drained = False
    probed = 0

    async def backend(request: Request) -> Answer:
        nonlocal probed
        probed += request.target == path
        return Answer(503 if drained and request.target == "/region" else 200)

    settings = replace(GATEWAY, probe=replace(GATEWAY.probe, path=path))
    async with gateway_before(backend, settings) as gateway:
        await until(lambda: probed == 2)
        assert (await gateway.handle(user())).status == 200
        drained = True
        await until(lambda: probed == 7)
        assert (await gateway.handle(user())).status == status


async def test_health_ends_with_the_last_of_so_many_failures_and_begins_with_one_success() -> None:
    """The threshold is three, and without a healthy backend the gateway answers 502 itself."""
    probes: asyncio.Queue[int] = asyncio.Queue()
    probed = 0

    async def backend(request: Request) -> Answer:
        nonlocal probed
        if request.target != "/ready":
            return Answer(200)
        probed += 1
        return Answer(await probes.get())

    seen = []
    async with gateway_before(backend) as gateway:
        for number, status in enumerate((503, 503, 200, 503, 503, 503, 503, 200, 200), start=1):
            probes.put_nowait(status)
            # The next probe is under way, so this one is over.
            await until(functools.partial(lambda number: probed > number, number))
            seen.append((await gateway.handle(user())).status)

    assert seen == [200, 200, 200, 200, 200, 502, 502, 200, 200]


async def test_what_is_in_flight_at_a_backend_that_becomes_unhealthy_gets_the_time_of_draining() -> None:
    """Then 502: the gateway waits no longer than its connection draining says."""
    failing = False
    held = asyncio.Event()

    async def backend(request: Request) -> Answer:
        if request.target == "/held":
            await held.wait()
        return Answer(503 if failing and request.target == "/ready" else 200)

    for draining, status in ((600, 200), (1, 502)):
        failing = False
        held.clear()
        async with gateway_before(backend, replace(GATEWAY, drain_timeout=draining)) as gateway:
            request = asyncio.create_task(gateway.handle(user("/held")))
            await until(lambda: gateway.in_flight("GET") == 1)
            failing = True
            await until(lambda: not gateway.healthy)
            await asyncio.sleep(TIME.real(20))
            held.set()
            assert (await request).status == status


async def test_a_backend_that_takes_too_long_is_504_and_one_that_is_gone_is_502() -> None:
    """The time counts from the end of the request."""

    async def backend(request: Request) -> Answer:
        await asyncio.sleep(0 if request.target == "/ready" else 5)
        return Answer(200)

    async with gateway_before(backend, replace(GATEWAY, request_timeout=20)) as gateway:
        assert (await gateway.handle(user())).status == 504
    gone = Gateway(GATEWAY, 1, TIME)
    assert (await gone.handle(user())).status == 502
