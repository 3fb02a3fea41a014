"""The sample workload as Front Door, the gateway and the kubelet meet it: processes, sockets, signals."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.workload.echo_process import CHART, EchoProcess, ask

PATHS = ("/", "/livez", "/readyz", "/healthz/region")
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"


@pytest.fixture(scope="module")
def echo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EchoProcess]:
    """One process for the tests that change nothing in it."""
    with EchoProcess(tmp_path_factory.mktemp("echo"), ZONE="eastus2-1", POD_NAME="region-echo-7") as process:
        yield process


def test_each_region_says_its_own_name_and_forbids_storing_it(echo: EchoProcess, tmp_path: Path) -> None:
    """A cached answer would prove another region than the one that served."""
    with EchoProcess(tmp_path, "centralus") as other:
        replies = [process.ask("GET", "/") for process in (echo, other)]
    assert [reply.headers["x-served-by-region"] for reply in replies] == ["eastus2", "centralus"]
    assert [reply.headers["cache-control"] for reply in replies] == ["no-store", "no-store"]
    first = replies[0].json
    assert (first["stamp"], first["cluster"], first["pod"]) == ("eastus2-blue", "aks-eastus2", "region-echo-7")
    assert first["zone"] == "eastus2-1"
    assert "zone" not in replies[1].json, "an unknown zone is left out, not empty"


@pytest.mark.parametrize("path", PATHS)
def test_head_answers_like_get_without_the_body(echo: EchoProcess, path: str) -> None:
    """Front Door probes with HEAD."""
    head, get = echo.ask("HEAD", path), echo.ask("GET", path)
    assert (head.status, head.body) == (get.status, b"") == (200, b"")
    assert head.headers["content-length"] == get.headers["content-length"]


def test_a_drained_region_fails_front_doors_probe_only_and_goes_on_serving(tmp_path: Path) -> None:
    """Otherwise the gateway would drop its only backend and answer 502 itself."""
    with EchoProcess(tmp_path) as process:
        process.drain_file.write_text("drain\n")
        assert [process.ask("GET", path).status for path in PATHS] == [200, 200, 200, 503]
        assert process.ask("HEAD", "/healthz/region").status == 503
        assert process.ask("GET", "/healthz/region").json["draining"] is True
        assert "region_echo_draining" in process.metrics()
        process.drain_file.write_text("no")
        assert process.ask("GET", "/healthz/region").status == 200
        process.drain_file.write_text("drain")
        process.drain_file.unlink()
        assert process.ask("GET", "/healthz/region").status == 200


def test_sigterm_under_load_loses_no_request(tmp_path: Path) -> None:
    """Kept connections included: each gets its answer, and `connection: close` with the last."""
    failures: list[str] = []
    answered = [0, 0]
    with EchoProcess(tmp_path) as leaving, EchoProcess(tmp_path, "centralus") as staying:
        stop = threading.Event()

        def load() -> None:
            # Stands for the proxy: new requests go where readiness is, kept connections are used while they last.
            while not stop.is_set():
                target = leaving if leaving_ready.is_set() else staying
                connection = _Kept(target.port)
                try:
                    while not stop.is_set() and (target is staying or leaving_ready.is_set()):
                        if not connection.ask(failures):
                            break
                        answered[target is staying] += 1
                finally:
                    connection.close()

        leaving_ready = threading.Event()
        leaving_ready.set()
        threads = [threading.Thread(target=load) for _ in range(8)]
        for thread in threads:
            thread.start()
        time.sleep(0.4)
        began = time.monotonic()
        leaving.terminate()
        while ask(leaving.port, "GET", "/readyz").status == 200:
            time.sleep(0.01)
        # The routes learn it later than the pod: requests keep coming for a while.
        time.sleep(0.3)
        leaving_ready.clear()
        code = leaving.process.wait(10)
        took = time.monotonic() - began
        stop.set()
        for thread in threads:
            thread.join(10)
    assert failures == []
    assert code == 0
    assert leaving.lines[-1]["requests_cut_off"] == 0
    assert answered[0] > 100
    assert answered[1] > 0
    assert took < 4


class _Kept:
    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)

    def ask(self, failures: list[str]) -> bool:
        """Return whether the connection may be used again."""
        try:
            self._connection.request("GET", "/")
            response = self._connection.getresponse()
            body = response.read()
        except OSError as error:
            failures.append(repr(error))
            return False
        if response.status != 200 or not body.endswith(b"\n"):
            failures.append(f"{response.status} {body!r}")
        return response.getheader("connection") != "close"

    def close(self) -> None:
        self._connection.close()


def test_a_request_id_is_passed_on_when_it_is_harmless(echo: EchoProcess) -> None:
    """What could break a log line or a header is replaced."""
    assert echo.ask("GET", "/", {"x-request-id": "abc-1"}).headers["x-request-id"] == "abc-1"
    for harmful in ("a b", "x" * 65, 'a"b'):
        given = echo.ask("GET", "/", {"x-request-id": harmful})
        assert given.headers["x-request-id"] not in {harmful, ""}
        assert given.json["requestId"] == given.headers["x-request-id"]


def test_the_callers_trace_goes_on_and_stands_in_the_log_with_region_and_stamp(echo: EchoProcess) -> None:
    """So a slow request can be followed from Front Door into one pod of one region."""
    reply = echo.ask("GET", "/", {"traceparent": f"00-{TRACE}-{PARENT}-01", "tracestate": "vendor=1"})
    version, trace, span, flags = reply.headers["traceparent"].split("-")
    assert (version, trace, flags, reply.headers["tracestate"]) == ("00", TRACE, "01", "vendor=1")
    assert span != PARENT
    line = echo.wait_for_line(lambda line: line.get("trace_id") == TRACE)
    assert (line["span_id"], line["parent_span_id"]) == (span, PARENT)
    assert (line["region"], line["stamp"], line["status"]) == ("eastus2", "eastus2-blue", 200)


@pytest.mark.parametrize(
    "given", ["", "nonsense", f"00-{'0' * 32}-{PARENT}-01", f"ff-{TRACE}-{PARENT}-01", f"00-{TRACE}-{PARENT}-01-extra"]
)
def test_a_trace_that_the_standard_forbids_is_begun_anew(echo: EchoProcess, given: str) -> None:
    """An invalid parent must be ignored as a whole."""
    trace = echo.ask("GET", "/", {"traceparent": given}).headers["traceparent"].split("-")
    assert trace[1] not in {TRACE, "0" * 32}
    assert len(trace[1]) == 32


def test_metrics_count_requests_on_a_port_of_their_own(echo: EchoProcess) -> None:
    """The application's port does not show them, and invented paths make no new series."""
    for path in ("/invented-1", "/invented-2"):
        assert echo.ask("GET", path).status == 404
    assert echo.ask("GET", "/metrics").status == 404
    text = echo.metrics()
    assert 'region_echo_requests_total{region="eastus2",stamp="eastus2-blue",track="stable",' in text
    assert 'path="other",status="404"' in text
    assert "invented" not in text
    assert 'le="+Inf"' in text
    assert ask(echo.metrics_port, "GET", "/").status == 404


def test_a_wrong_method_is_told_the_right_ones(echo: EchoProcess) -> None:
    """The standard asks for the header."""
    reply = echo.ask("DELETE", "/")
    assert (reply.status, reply.headers["allow"]) == (405, "GET, HEAD")


def test_without_a_database_the_workload_keeps_no_state(echo: EchoProcess) -> None:
    """And says how to change that."""
    for method in ("GET", "POST"):
        reply = echo.ask(method, "/visits")
        assert reply.status == 404
        assert "COSMOS_ENDPOINT" in reply.json["error"]


def test_a_wrong_environment_is_reported_as_a_whole() -> None:
    """One run shows everything that is to be corrected."""
    environment = {
        "PYTHONPATH": str(CHART),
        "PYTHONDONTWRITEBYTECODE": "1",
        "REGION": "East US 2",
        "PORT": "http",
        "COSMOS_ENDPOINT": "ftp://a",
    }
    ended = subprocess.run(
        [sys.executable, "-m", "region_echo"], env=environment, capture_output=True, text=True, timeout=20
    )
    assert ended.returncode == 2
    for name in ("REGION", "STAMP", "CLUSTER_NAME", "PORT", "COSMOS_ENDPOINT"):
        assert f"\n{name}: expected" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_spans_reach_a_collector(tmp_path: Path) -> None:
    """Also the last one, which is sent while the process ends."""
    received: list[dict[str, Any]] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
            pass

    collector = HTTPServer(("127.0.0.1", 0), Collector)
    thread = threading.Thread(target=collector.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        address = f"http://127.0.0.1:{collector.server_port}/v1/traces"
        settings = {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": address, "SHUTDOWN_SECONDS": "0.3"}
        with EchoProcess(tmp_path, **settings) as process:
            process.ask("GET", "/", {"traceparent": f"00-{TRACE}-{PARENT}-01"})
            process.ask("GET", "/livez")
            process.terminate()
            assert process.process.wait(10) == 0
    finally:
        collector.shutdown()
        thread.join()
        collector.server_close()
    resource = received[0]["resourceSpans"][0]
    attributes = {item["key"]: item["value"]["stringValue"] for item in resource["resource"]["attributes"]}
    assert (attributes["cloud.region"], attributes["aks_geode.stamp"]) == ("eastus2", "eastus2-blue")
    spans = resource["scopeSpans"][0]["spans"]
    assert [(span["name"], span["traceId"], span["parentSpanId"]) for span in spans] == [("GET /", TRACE, PARENT)]
