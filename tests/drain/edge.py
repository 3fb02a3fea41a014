"""One edge location of Front Door: its own probes, its own view of the origins, its choice among them.

Sources: https://learn.microsoft.com/azure/frontdoor/routing-methods and
https://learn.microsoft.com/azure/frontdoor/health-probes.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping

from tests.drain.azure_time import AzureTime
from tests.drain.exported_fleet import FrontDoor, Origin
from tests.drain.http_exchange import Answer, NoAnswerError, Request, exchange


class Edge:
    """`ports` are where origins answer, by host name; `latencies` the milliseconds to them as this edge measures.

    Latencies are given, for sockets of one machine have none. An origin without one is as near as the nearest.
    `lateness` is the longest that a probe's result came after the probe was due, in this machine's seconds.
    """

    def __init__(
        self,
        front_door: FrontDoor,
        ports: Mapping[str, int],
        time: AzureTime,
        latencies: Mapping[str, float] | None = None,
    ) -> None:
        self.front_door = front_door
        self.lateness = 0.0
        self._ports = ports
        self._time = time
        self._latencies = latencies or {}
        self._samples = {
            origin.name: deque[bool](maxlen=front_door.probe.samples) for origin in front_door.origins if origin.enabled
        }
        self._credit = {origin.name: 0 for origin in front_door.origins}

    def record(self, origin: str, success: bool) -> None:
        """Take the result of a probe."""
        self._samples[origin].append(success)

    def failed_probes(self, origin: str) -> int:
        """Return how many of the samples that count are failures."""
        return self._samples[origin].count(False)

    def healthy(self, origin: str) -> bool:
        """Return whether enough of the last probes succeeded; an origin that was not yet probed counts as healthy."""
        return self.failed_probes(origin) < self.front_door.probe.failures_to_leave

    def choose(self) -> Origin:
        """Choose among what is enabled by health, then priority, then latency, then weight.

        When all are unhealthy, all are used in turn.
        """
        enabled = [origin for origin in self.front_door.origins if origin.enabled]
        healthy = [origin for origin in enabled if self.healthy(origin.name)]
        if not healthy:
            return self._by_weight(enabled, dict.fromkeys(self._credit, 1))
        first = min(origin.priority for origin in healthy)
        preferred = [origin for origin in healthy if origin.priority == first]
        limit = min(self._latency(origin) for origin in preferred) + self.front_door.latency_tolerance
        near = [origin for origin in preferred if self._latency(origin) <= limit]
        return self._by_weight(near, {origin.name: origin.weight for origin in near})

    def _latency(self, origin: Origin) -> float:
        return self._latencies.get(origin.name, 0)

    def _by_weight(self, origins: list[Origin], weights: Mapping[str, int]) -> Origin:
        """Take turns in the ratio of the weights: all gain theirs, and the richest pays for all."""
        for origin in origins:
            self._credit[origin.name] += weights[origin.name]
        chosen = max(origins, key=lambda origin: self._credit[origin.name])
        self._credit[chosen.name] -= sum(weights[origin.name] for origin in origins)
        return chosen

    async def handle(self, request: Request) -> Answer:
        """Pass a request to an origin; what fails there fails, for nothing promises a second try."""
        origin = self.choose()
        passed = request.with_headers(
            host=origin.host_header,
            x_azure_fdid=self.front_door.id,
            x_forwarded_host=request.headers.get("host", ""),
        )
        try:
            seconds = self._time.real(self.front_door.response_timeout)
            return await exchange(self._ports[origin.host_name], passed, seconds)
        except NoAnswerError as error:
            return Answer(504 if error.late else 503)

    async def probe_forever(self, after: float) -> None:
        """Probe every origin; the first time in `after` seconds of Azure, for edges do not probe at one moment."""
        probed = [origin for origin in self.front_door.origins if origin.enabled]
        async for due in self._time.every(self.front_door.probe.interval, after):
            results = await asyncio.gather(*(self._probe(origin) for origin in probed))
            for origin, success in zip(probed, results, strict=True):
                self.record(origin.name, success)
            self.lateness = max(self.lateness, asyncio.get_running_loop().time() - due)

    async def _probe(self, origin: Origin) -> bool:
        """Return whether the answer was 200. How long Front Door waits is not documented; here until the next is due.

        Probes carry the profile's id and no forwarded host
        (https://learn.microsoft.com/azure/frontdoor/front-door-http-headers-protocol).
        """
        probe = self.front_door.probe
        headers = {"host": origin.host_header, "x-azure-fdid": self.front_door.id, "x-fd-healthprobe": "1"}
        try:
            seconds = self._time.real(probe.interval)
            answer = await exchange(self._ports[origin.host_name], Request(probe.method, probe.path, headers), seconds)
        except NoAnswerError:
            return False
        return answer.status == 200
