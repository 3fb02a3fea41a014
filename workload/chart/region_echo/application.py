"""The endpoints, and what every answer carries: region, request id, trace."""

from __future__ import annotations

import json
import re
import time
import uuid
from collections.abc import Awaitable, Callable

from region_echo.cosmos import CosmosVisits, DatabaseError
from region_echo.http_server import Request, Response, json_response
from region_echo.region_health import RegionHealth
from region_echo.settings import Settings
from region_echo.telemetry import Log, Metrics, TraceContext, trace_context

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_PROBES = frozenset({"/livez", "/readyz", "/healthz/region"})
_NOTE_LENGTH = 200

Endpoint = Callable[[Request, str], Awaitable[Response]]
SpanSink = Callable[[TraceContext, str, float, float, int], None]
"""Takes a finished span: context, name, begin and end in seconds since 1970, status."""


class Application:
    """Answers requests. `ready` is this pod alone: started, and not about to end."""

    def __init__(
        self,
        settings: Settings,
        visits: CosmosVisits | None,
        log: Log,
        metrics: Metrics,
        span_sink: SpanSink | None = None,
    ) -> None:
        self.ready = False
        self._settings = settings
        self._visits = visits
        self._log = log
        self._metrics = metrics
        self._span_sink = span_sink
        self._health = RegionHealth(settings.drain_file, visits, settings.health_cache_seconds)
        self._endpoints: dict[str, dict[str, Endpoint]] = {
            "/": {"GET": self._echo},
            "/livez": {"GET": self._live},
            "/readyz": {"GET": self._readiness},
            "/healthz/region": {"GET": self._region},
            "/visits": {"GET": self._count_visits, "POST": self._add_visit},
        }

    async def handle(self, request: Request) -> Response:
        """Answer one request; whatever goes wrong inside is an answer too."""
        began, clock = time.time(), time.monotonic()
        trace = trace_context(request.headers)
        given = request.headers.get("x-request-id", "")
        request_id = given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
        path = request.path if request.path in self._endpoints else "other"
        self._metrics.add("region_echo_requests_in_flight")
        try:
            response = await self._answer(request, request_id)
        except Exception as error:
            self._log.write(
                "error", "the request failed", error=repr(error), request_id=request_id, trace=trace.trace_id
            )
            response = json_response(500, {"error": "internal error", "requestId": request_id})
        finally:
            self._metrics.add("region_echo_requests_in_flight", -1)
        seconds = time.monotonic() - clock
        method = request.method if request.method in {"GET", "HEAD", "POST"} else "other"
        self._metrics.add("region_echo_requests_total", method=method, path=path, status=str(response.status))
        self._metrics.observe("region_echo_request_seconds", seconds, path=path)
        if path not in _PROBES:
            self._log.write(
                "info",
                "request",
                method=method,
                path=path,
                status=response.status,
                seconds=round(seconds, 6),
                request_id=request_id,
                trace_id=trace.trace_id,
                span_id=trace.span_id,
                parent_span_id=trace.parent_id,
            )
            if self._span_sink is not None:
                self._span_sink(trace, f"{method} {path}", began, began + seconds, response.status)
        headers = {
            "x-served-by-region": self._settings.region,
            "x-request-id": request_id,
            "cache-control": "no-store",
            **trace.headers(),
            **response.headers,
        }
        return Response(response.status, response.body, headers)

    async def metrics(self, request: Request) -> Response:
        """Answer on the metrics port."""
        if request.path != "/metrics":
            return json_response(404, {"error": "only /metrics is served here"})
        if request.method not in {"GET", "HEAD"}:
            return json_response(405, {"error": "expected GET"}, {"allow": "GET, HEAD"})
        self._metrics.set("region_echo_ready", float(self.ready))
        self._metrics.set("region_echo_draining", float(self._health.draining()))
        text = self._metrics.text().encode()
        return Response(200, text, {"content-type": "text/plain; version=0.0.4; charset=utf-8"})

    async def _answer(self, request: Request, request_id: str) -> Response:
        methods = self._endpoints.get(request.path)
        if methods is None:
            return json_response(404, {"error": "not found", "requestId": request_id})
        endpoint = methods.get("GET" if request.method == "HEAD" else request.method)
        if endpoint is None:
            allowed = ", ".join([*methods, "HEAD"])
            return json_response(405, {"error": f"expected {allowed}"}, {"allow": allowed})
        return await endpoint(request, request_id)

    async def _echo(self, request: Request, request_id: str) -> Response:
        settings = self._settings
        content = {
            "region": settings.region,
            "stamp": settings.stamp,
            "cluster": settings.cluster,
            "pod": settings.pod,
            "track": settings.track,
            "requestId": request_id,
        }
        return json_response(200, {**content, "zone": settings.zone} if settings.zone else content)

    async def _live(self, request: Request, request_id: str) -> Response:
        return json_response(200, {"status": "alive"})

    async def _readiness(self, request: Request, request_id: str) -> Response:
        return json_response(200 if self.ready else 503, {"status": "ready" if self.ready else "not ready"})

    async def _region(self, request: Request, request_id: str) -> Response:
        report = await self._health.report()
        self._metrics.set("region_echo_region_healthy", float(report.healthy))
        content = {
            "region": self._settings.region,
            "healthy": report.healthy,
            "draining": report.draining,
            "database": report.database,
        }
        return json_response(200 if report.healthy else 503, content)

    async def _count_visits(self, request: Request, request_id: str) -> Response:
        if self._visits is None:
            return self._stateless()
        try:
            counts = await self._visits.counts()
        except DatabaseError as error:
            return self._unavailable(error, request_id)
        return json_response(200, {"seenFrom": self._settings.region, "visits": counts})

    async def _add_visit(self, request: Request, request_id: str) -> Response:
        if self._visits is None:
            return self._stateless()
        try:
            note = _note(request)
        except ValueError as error:
            return json_response(400, {"error": str(error), "requestId": request_id})
        try:
            visit = await self._visits.add(stamp=self._settings.stamp, note=note)
        except DatabaseError as error:
            return self._unavailable(error, request_id)
        return json_response(201, visit)

    def _stateless(self) -> Response:
        return json_response(404, {"error": "this stamp keeps no state: COSMOS_ENDPOINT is none"})

    def _unavailable(self, error: DatabaseError, request_id: str) -> Response:
        self._log.write("error", "the database failed", error=str(error), request_id=request_id)
        content = {"error": "the database does not answer", "requestId": request_id}
        return json_response(503, content, {"retry-after": "2"})


def _note(request: Request) -> str | None:
    """Return the note of a visit: the body is empty or `{"note": "text"}`."""
    if not request.body:
        return None
    expected = f'expected no body, or JSON such as {{"note": "hello"}} with at most {_NOTE_LENGTH} characters'
    try:
        content = json.loads(request.body)
    except (ValueError, RecursionError):
        raise ValueError(expected) from None
    note = content.get("note") if isinstance(content, dict) and set(content) <= {"note"} else 0
    if note is not None and (not isinstance(note, str) or len(note) > _NOTE_LENGTH):
        raise ValueError(expected)
    return note
