"""Real processes of the sample workload, and a client that keeps what it saw."""

from __future__ import annotations

import http.client
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

CHART = Path(__file__).parents[2] / "workload" / "chart"


class Reply:
    """One answer."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        self.body = response.read()

    @property
    def json(self) -> Any:  # noqa: ANN401 - whatever the answer holds
        """The body."""
        return json.loads(self.body)


def ask(
    port: int, method: str, path: str, headers: Mapping[str, str] | None = None, body: bytes | None = None
) -> Reply:
    """Send one request on a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, path, body=body, headers={"connection": "close", **(headers or {})})
        return Reply(connection.getresponse())
    finally:
        connection.close()


class EchoProcess:
    """One pod's process; its ports are chosen by the system, its drain switch is a file of `folder`."""

    def __init__(self, folder: Path, region: str = "eastus2", **environment: str) -> None:
        self.drain_file = folder / f"drain-{region}"
        self._log: queue.Queue[dict[str, Any]] = queue.Queue()
        self.lines: list[dict[str, Any]] = []
        settings = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(CHART),
            "PYTHONDONTWRITEBYTECODE": "1",
            "REGION": region,
            "STAMP": f"{region}-blue",
            "CLUSTER_NAME": f"aks-{region}",
            "PORT": "0",
            "METRICS_PORT": "0",
            "DRAIN_FILE": str(self.drain_file),
            "SHUTDOWN_SECONDS": "3",
            "HEALTH_CACHE_SECONDS": "0",
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", "region_echo"], env={**settings, **environment}, stdout=subprocess.PIPE, text=True
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        started = self.wait_for_line(lambda line: line["message"] == "serving")
        self.port: int = started["port"]
        self.metrics_port: int = started["metrics_port"]

    def __enter__(self) -> EchoProcess:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(10)
        self._reader.join(10)
        if self.process.stdout is not None:
            self.process.stdout.close()

    def ask(self, method: str, path: str, headers: Mapping[str, str] | None = None, body: bytes | None = None) -> Reply:
        """Send one request."""
        return ask(self.port, method, path, headers, body)

    def metrics(self) -> str:
        """Return the text of /metrics."""
        return ask(self.metrics_port, "GET", "/metrics").body.decode()

    def terminate(self) -> None:
        """Send what the kubelet sends."""
        self.process.send_signal(signal.SIGTERM)

    def wait_for_line(self, wanted: Callable[[dict[str, Any]], bool], seconds: float = 10) -> dict[str, Any]:
        """Return the next log line that fits."""
        end = time.monotonic() + seconds
        while True:
            line = self._log.get(timeout=max(0.01, end - time.monotonic()))
            if wanted(line):
                return line

    def _read(self) -> None:
        for text in self.process.stdout or ():
            line = json.loads(text)
            self.lines.append(line)
            self._log.put(line)
