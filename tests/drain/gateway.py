"""A stamp's gateway: its custom rules, its one backend, and its own probe, which does not pass the rules."""

from __future__ import annotations

import asyncio

from tests.drain.azure_time import AzureTime
from tests.drain.exported_fleet import Condition, FirewallPolicy, StampGateway
from tests.drain.http_exchange import Answer, NoAnswerError, Request, exchange


def refusing_rule(policy: FirewallPolicy, request: Request) -> str | None:
    """Return the custom rule that blocks the request, if one does."""
    for rule in policy.rules:
        if not all(_applies(condition, request) for condition in rule.conditions):
            continue
        if rule.action == "Block":
            return rule.name if policy.blocks else None
        assert rule.action == "Log", f"{rule.name}: the action {rule.action} is not modelled"
    return None


def _applies(condition: Condition, request: Request) -> bool:
    found = [_transformed(text, condition) for name in condition.variables for text in _values(name, request)]
    if condition.operator == "Any":
        return bool(found) != condition.negated
    assert condition.operator == "Equal", f"the operator {condition.operator} is not modelled"
    # Nothing says whether "not equal" applies to a header that is absent; here it does not, which blocks less.
    return bool(found) and any(text in condition.values for text in found) != condition.negated


def _values(variable: tuple[str, str], request: Request) -> list[str]:
    name, selector = variable
    if name == "RequestUri":
        return [request.target]
    assert name == "RequestHeaders", f"the variable {name} is not modelled"
    value = request.headers.get(selector.lower())
    return [] if value is None else [value]


def _transformed(text: str, condition: Condition) -> str:
    for transform in condition.transforms:
        assert transform == "Lowercase", f"the transform {transform} is not modelled"
        text = text.lower()
    return text


class Gateway:
    """Answers on behalf of one backend, while its own probes find that healthy."""

    def __init__(self, settings: StampGateway, backend_port: int, time: AzureTime) -> None:
        self.settings = settings
        self.policy = settings.policy
        self.healthy = True
        self._backend_port = backend_port
        self._time = time
        self._in_flight: dict[asyncio.Timeout, str] = {}

    def apply(self, policy: FirewallPolicy) -> None:
        """Take a changed policy, for requests that come from now on."""
        self.policy = policy

    def in_flight(self, method: str) -> int:
        """Return how many requests of a method the backend is working on."""
        return sum(given == method for given in self._in_flight.values())

    async def handle(self, request: Request) -> Answer:
        """Answer a request as Azure does: 403 by a rule, 502 without a healthy backend, 504 when it takes too long."""
        if request.headers.get("host") != self.settings.host_name:
            return Answer(404)
        rule = refusing_rule(self.policy, request)
        if rule is not None:
            return Answer(403, {"x-refused-by": rule})
        if not self.healthy:
            return Answer(502)
        try:
            async with asyncio.timeout(None) as draining:
                self._in_flight[draining] = request.method
                try:
                    return await exchange(
                        self._backend_port,
                        request.with_headers(host=self.settings.backend_host),
                        self._time.real(self.settings.request_timeout),
                    )
                finally:
                    del self._in_flight[draining]
        except TimeoutError:
            return Answer(502)
        except NoAnswerError as error:
            return Answer(504 if error.late else 502)

    async def probe_forever(self) -> None:
        """Probe the backend; its health ends with the last of so many failures and begins with one success."""
        probe, failures = self.settings.probe, 0
        async for _ in self._time.every(probe.interval):
            failures = 0 if await self._probe() else failures + 1
            if failures == probe.threshold:
                self._end_what_is_in_flight()
            self.healthy = failures < probe.threshold

    async def _probe(self) -> bool:
        probe = self.settings.probe
        request = Request("GET", probe.path, {"host": probe.host})
        try:
            answer = await exchange(self._backend_port, request, self._time.real(probe.timeout))
        except NoAnswerError:
            return False
        return any(first <= answer.status <= last for first, last in probe.statuses)

    def _end_what_is_in_flight(self) -> None:
        """Give requests at an unhealthy backend the time of connection draining.

        https://learn.microsoft.com/azure/application-gateway/configuration-http-settings#connection-draining
        """
        end = asyncio.get_running_loop().time() + self._time.real(self.settings.drain_timeout)
        for request in self._in_flight:
            if not request.expired():
                request.reschedule(end)
