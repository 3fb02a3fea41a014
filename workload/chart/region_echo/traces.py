"""Spans to an OpenTelemetry collector, as OTLP over HTTP in JSON.

Spans that nobody takes are dropped, never waited for.
"""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Mapping
from urllib.parse import urlsplit

from region_echo.http_client import HttpClient, UnreachableError
from region_echo.telemetry import Log, TraceContext

_MOST_WAITING = 2048
_BATCH = 256
_SECONDS = 2.0
_SERVER_SPAN = 2
_ERROR = 2


class TraceExporter:
    """Collects spans and sends them from a thread of its own."""

    def __init__(self, endpoint: str, place: Mapping[str, str], log: Log) -> None:
        parts = urlsplit(endpoint)
        self._address = f"{parts.scheme}://{parts.netloc}"
        self._path = parts.path or "/v1/traces"
        names = {
            "region": "cloud.region",
            "stamp": "aks_geode.stamp",
            "cluster": "k8s.cluster.name",
            "pod": "k8s.pod.name",
            "track": "aks_geode.track",
        }
        attributes = {"service.name": "region-echo"} | {names[name]: value for name, value in place.items()}
        self._resource = {"attributes": [_attribute(name, value) for name, value in attributes.items()]}
        self._log = log
        self._client = HttpClient()
        self._spans: queue.Queue[dict[str, object] | None] = queue.Queue(_MOST_WAITING)
        self._thread = threading.Thread(target=self._send_all, name="traces", daemon=True)
        self._thread.start()

    def add(self, trace: TraceContext, name: str, began: float, ended: float, status: int) -> None:
        """Hand over a finished span."""
        span = {
            "traceId": trace.trace_id,
            "spanId": trace.span_id,
            "name": name,
            "kind": _SERVER_SPAN,
            "startTimeUnixNano": str(int(began * 1e9)),
            "endTimeUnixNano": str(int(ended * 1e9)),
            "attributes": [{"key": "http.response.status_code", "value": {"intValue": str(status)}}],
            "status": {"code": _ERROR} if status >= 500 else {},
        }
        try:
            self._spans.put_nowait({**span, "parentSpanId": trace.parent_id} if trace.parent_id else span)
        except queue.Full:
            return

    def close(self) -> None:
        """Send what waits, for at most two seconds."""
        try:
            self._spans.put(None, timeout=_SECONDS / 2)
        except queue.Full:
            return
        self._thread.join(_SECONDS)

    def _send_all(self) -> None:
        ending = False
        while not ending:
            batch = []
            span = self._spans.get()
            while span is not None:
                batch.append(span)
                if len(batch) == _BATCH:
                    break
                try:
                    span = self._spans.get(timeout=0.2)
                except queue.Empty:
                    break
            ending = span is None
            if batch:
                self._send(batch)

    def _send(self, batch: list[dict[str, object]]) -> None:
        scope = {"scope": {"name": "region_echo"}, "spans": batch}
        body = json.dumps({"resourceSpans": [{"resource": self._resource, "scopeSpans": [scope]}]}).encode()
        headers = {"content-type": "application/json"}
        try:
            answer = self._client.request(self._address, "POST", self._path, headers, body, timeout=_SECONDS)
        except UnreachableError as error:
            self._log.write("warning", "spans were dropped", spans=len(batch), reason=str(error))
            return
        if answer.status >= 300:
            self._log.write("warning", "spans were dropped", spans=len(batch), reason=f"status {answer.status}")


def _attribute(name: str, value: str) -> dict[str, object]:
    return {"key": name, "value": {"stringValue": value}}
