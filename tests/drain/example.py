"""A small Front Door and a gateway for tests that deploy nothing; numbers are not the program's."""

from __future__ import annotations

from tests.drain.exported_fleet import (
    Condition,
    CustomRule,
    EdgeProbe,
    FirewallPolicy,
    FrontDoor,
    GatewayProbe,
    Origin,
    StampGateway,
)
from tests.drain.http_exchange import Answer, Request

HEADER = (("RequestHeaders", "X-Azure-FDID"),)
ID_MISSING = CustomRule("IdMissing", 1, "Block", (Condition(HEADER, "Any", True, (), ()),))
ID_OTHER = CustomRule("IdOther", 2, "Block", (Condition(HEADER, "Equal", True, ("ours",), ("Lowercase",)),))
DRAIN = CustomRule(
    "Drain", 3, "Block", (Condition((("RequestUri", ""),), "Equal", False, ("/region",), ("Lowercase",)),)
)

FRONT_DOOR = FrontDoor(
    id="ours",
    response_timeout=60,
    probe=EdgeProbe(path="/region", method="HEAD", interval=30, samples=4, successes=3),
    latency_tolerance=50,
    origins=(
        Origin("east", "east.example", "east.example", 1, 300, True),
        Origin("west", "west.example", "west.example", 1, 100, True),
        Origin("page", "page.example", "page.example", 5, 1, True),
    ),
)

GATEWAY = StampGateway(
    region="eastus2",
    host_name="east.example",
    backend_host="ingress.example",
    request_timeout=1000,
    drain_timeout=30,
    probe=GatewayProbe("/ready", "ingress.example", interval=10, timeout=1000, threshold=3, statuses=((200, 399),)),
    policy=FirewallPolicy(blocks=True, rules=(ID_MISSING, ID_OTHER)),
)


def user(target: str = "/", **headers: str) -> Request:
    """Return a request as Front Door sends it on."""
    return Request("GET", target, {"host": "east.example", "x-azure-fdid": "ours"}).with_headers(**headers)


async def healthy(request: Request) -> Answer:
    """Answer everything well."""
    return Answer(200, {"x-host": request.headers["host"]})
