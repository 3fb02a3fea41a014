"""What an operator sees: log lines as JSON, W3C trace context, and metrics in Prometheus' text format."""

from __future__ import annotations

import json
import re
import secrets
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

_TRACEPARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True)
class TraceContext:
    """Our own span: `parent_id` is the caller's, if it sent one."""

    trace_id: str
    span_id: str
    parent_id: str | None
    flags: str
    state: str | None

    def headers(self) -> dict[str, str]:
        """Return the headers that carry this span to whoever is called, and back to the caller."""
        carried = {"traceparent": f"00-{self.trace_id}-{self.span_id}-{self.flags}"}
        return {**carried, "tracestate": self.state} if self.state else carried


def trace_context(headers: Mapping[str, str]) -> TraceContext:
    """Continue the caller's trace, or begin one when it sent none that the standard allows."""
    match = _TRACEPARENT.fullmatch(headers.get("traceparent", ""))
    allowed = match and match[1] != "ff" and set(match[2]) != {"0"} and set(match[3]) != {"0"}
    if not match or not allowed or (match[1] == "00" and match[5]):
        return TraceContext(secrets.token_hex(16), secrets.token_hex(8), None, "01", None)
    state = headers.get("tracestate", "")
    usable = 0 < len(state) <= 512 and state.isascii() and state.isprintable()
    return TraceContext(match[2], secrets.token_hex(8), match[3], match[4], state if usable else None)


class Log:
    """One JSON object a line on standard output, each with the place that it comes from."""

    def __init__(self, place: Mapping[str, str]) -> None:
        self._place = dict(place)

    def write(self, level: str, message: str, **details: object) -> None:
        """Write one line; what cannot be JSON is written as text."""
        time = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        line = {"time": time, "level": level, "message": message, **self._place, **details}
        sys.stdout.write(json.dumps(line, default=str, separators=(",", ":")) + "\n")
        sys.stdout.flush()


class Metrics:
    """Counters, gauges and one histogram, each with labels; safe to use from several threads."""

    def __init__(self, place: Mapping[str, str]) -> None:
        self._place = dict(place)
        self._lock = threading.Lock()
        self._values: dict[str, dict[tuple[tuple[str, str], ...], float]] = {}
        self._kinds = {
            "region_echo_requests_total": ("counter", "Requests answered"),
            "region_echo_requests_in_flight": ("gauge", "Requests being answered"),
            "region_echo_request_seconds": ("histogram", "Time to answer a request"),
            "region_echo_database_requests_total": ("counter", "Requests to the database by outcome"),
            "region_echo_region_healthy": ("gauge", "1 while /healthz/region says 200"),
            "region_echo_draining": ("gauge", "1 while the drain switch is on"),
            "region_echo_ready": ("gauge", "1 while /readyz says 200"),
        }

    def add(self, name: str, amount: float = 1, **labels: str) -> None:
        """Add to a counter or gauge."""
        with self._lock:
            series = self._values.setdefault(name, {})
            key = tuple(sorted(labels.items()))
            series[key] = series.get(key, 0) + amount

    def set(self, name: str, value: float, **labels: str) -> None:
        """Set a gauge."""
        with self._lock:
            self._values.setdefault(name, {})[tuple(sorted(labels.items()))] = value

    def observe(self, name: str, value: float, **labels: str) -> None:
        """Count a value into a histogram."""
        for bound in _BUCKETS:
            self.add(f"{name}_bucket", float(value <= bound), **labels, le=f"{bound:g}")
        self.add(f"{name}_bucket", 1, **labels, le="+Inf")
        self.add(f"{name}_sum", value, **labels)
        self.add(f"{name}_count", 1, **labels)

    def text(self) -> str:
        """Return everything in Prometheus' text format."""
        with self._lock:
            values = {name: dict(series) for name, series in self._values.items()}
        lines = []
        for name, (kind, meaning) in self._kinds.items():
            parts = [name] if kind != "histogram" else [f"{name}_bucket", f"{name}_sum", f"{name}_count"]
            if not any(part in values for part in parts):
                continue
            lines += [f"# HELP {name} {meaning}.", f"# TYPE {name} {kind}"]
            for part in parts:
                lines += [
                    f"{part}{_labels({**self._place, **dict(key)})} {value:g}" for key, value in values[part].items()
                ]
        return "\n".join(lines) + "\n"


def _labels(labels: Mapping[str, str]) -> str:
    escaped = {
        name: value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") for name, value in labels.items()
    }
    return "{" + ",".join(f'{name}="{value}"' for name, value in escaped.items()) + "}" if escaped else ""
