"""What an edge chooses: health, then priority, then latency, then weight."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace

import pytest

from tests.drain.azure_time import AzureTime, alongside
from tests.drain.edge import Edge
from tests.drain.example import FRONT_DOOR, healthy, user
from tests.drain.exported_fleet import FrontDoor
from tests.drain.http_exchange import Answer, Request, Server

TIME = AzureTime(600)


def chosen(edge: Edge, times: int = 400) -> dict[str, int]:
    """Return how often each origin is chosen."""
    return dict(Counter(edge.choose().name for _ in range(times)))


def edge_with(front_door: FrontDoor = FRONT_DOOR, **latencies: float) -> Edge:
    """Return an edge that has not probed."""
    return Edge(front_door, {}, TIME, latencies)


def test_weights_share_the_requests_of_equal_latency() -> None:
    """300 to 100, and in turn rather than in blocks; the lower priority gets none."""
    edge = edge_with()

    assert chosen(edge) == {"east": 300, "west": 100}
    assert chosen(edge, 4) == {"east": 3, "west": 1}


@pytest.mark.parametrize(("latency", "expected"), [(50, {"east": 300, "west": 100}), (51, {"east": 400})])
def test_an_origin_beyond_the_tolerance_gets_nothing(latency: float, expected: dict[str, int]) -> None:
    """The tolerance counts from the fastest origin."""
    assert chosen(edge_with(east=20, west=20 + latency)) == expected


def test_a_disabled_origin_is_neither_used_nor_probed() -> None:
    """Also not when all others are unhealthy."""
    origins = tuple(replace(origin, enabled=origin.name != "west") for origin in FRONT_DOOR.origins)
    edge = edge_with(replace(FRONT_DOOR, origins=origins))

    assert chosen(edge) == {"east": 400}
    for _ in range(4):
        edge.record("east", False)
        edge.record("page", False)
    assert chosen(edge) == {"east": 200, "page": 200}


def test_three_good_samples_of_the_last_four_are_needed() -> None:
    """One failure is borne, the second takes the origin out, and it is back with the third success in a row."""
    edge = edge_with()
    states = []
    for success in (True, False, True, True, True, False, False, True, True, True):
        edge.record("east", success)
        states.append(edge.healthy("east"))

    assert states == [True, True, True, True, True, True, False, False, False, True]


def test_the_next_priority_is_used_only_when_the_first_has_no_healthy_origin() -> None:
    """The page, while it is healthy, keeps users away from stamps whose probes fail."""
    edge = edge_with()
    for _ in range(2):
        edge.record("east", False)
    assert chosen(edge) == {"west": 400}
    for _ in range(2):
        edge.record("west", False)
    assert chosen(edge) == {"page": 400}


def test_when_all_are_unhealthy_all_are_used_in_turn() -> None:
    """Then neither priority nor weight counts."""
    edge = edge_with()
    for name in ("east", "west", "page"):
        for _ in range(2):
            edge.record(name, False)

    assert chosen(edge, 300) == {"east": 100, "west": 100, "page": 100}


async def test_probes_ask_as_exported_and_only_200_counts() -> None:
    """Method, path, host and the profile's id; a redirect or a closed port is a failure."""
    asked: list[Request] = []

    async def east(request: Request) -> Answer:
        asked.append(request)
        return Answer(302 if len(asked) > 1 else 200)

    async with Server(east) as server, Server(healthy) as other:
        ports = {"east.example": server.port, "west.example": 1, "page.example": other.port}
        edge = Edge(FRONT_DOOR, ports, TIME)
        async with alongside(edge.probe_forever(0)), asyncio.timeout(5):
            while edge.healthy("east"):
                await asyncio.sleep(0.005)

    assert (asked[0].method, asked[0].target) == ("HEAD", "/region")
    assert (asked[0].headers["host"], asked[0].headers["x-azure-fdid"]) == ("east.example", "ours")
    assert "x-forwarded-host" not in asked[0].headers
    assert len(asked) == 3
    assert [edge.healthy(name) for name in ("west", "page")] == [False, True]


async def test_a_request_carries_the_origins_host_and_the_profiles_id() -> None:
    """Whatever id the user sent; and what fails at the origin fails for the user."""
    seen: list[Request] = []

    async def east(request: Request) -> Answer:
        seen.append(request)
        return Answer(200)

    async with Server(east) as server:
        edge = Edge(FRONT_DOOR, {"east.example": server.port, "west.example": 1}, TIME)
        statuses = [(await edge.handle(user(host="users.example", x_azure_fdid="forged"))).status for _ in range(4)]

    assert sorted(statuses) == [200, 200, 200, 503]
    assert {request.headers["host"] for request in seen} == {"east.example"}
    assert {request.headers["x-azure-fdid"] for request in seen} == {"ours"}
    assert {request.headers["x-forwarded-host"] for request in seen} == {"users.example"}
