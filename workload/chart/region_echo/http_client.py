"""Requests to Azure's REST services over kept connections; blocking, so it is used from worker threads."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

_MOST_BYTES = 4 * 1024 * 1024
_MOST_IDLE = 16


class UnreachableError(Exception):
    """No complete answer came in time."""


@dataclass(frozen=True)
class Answer:
    """What came back; names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class HttpClient:
    """Keeps idle connections for each address; one that the other side has closed meanwhile is replaced once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: dict[str, list[http.client.HTTPConnection]] = {}

    def request(
        self, address: str, method: str, path: str, headers: Mapping[str, str], body: bytes, *, timeout: float
    ) -> Answer:
        """Return the answer, whatever its status, or raise UnreachableError; `timeout` is for each wait, in seconds."""
        connection = self._take(address)
        try:
            if connection is not None:
                try:
                    return self._ask(address, connection, method, path, headers, body, timeout)
                except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
                    connection.close()
            connection = _connection(address, timeout)
            return self._ask(address, connection, method, path, headers, body, timeout)
        except (OSError, http.client.HTTPException) as error:
            if connection is not None:
                connection.close()
            raise UnreachableError(f"{address}: {error or type(error).__name__}") from error

    def _ask(
        self,
        address: str,
        connection: http.client.HTTPConnection,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes,
        timeout: float,
    ) -> Answer:
        connection.timeout = timeout
        if connection.sock is not None:
            connection.sock.settimeout(timeout)
        connection.request(method, path, body=body or None, headers=dict(headers))
        response = connection.getresponse()
        content = response.read(_MOST_BYTES + 1)
        if len(content) > _MOST_BYTES:
            raise http.client.HTTPException(f"the answer is longer than {_MOST_BYTES} bytes")
        answer = Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, content)
        if response.will_close:
            connection.close()
        else:
            self._give_back(address, connection)
        return answer

    def _take(self, address: str) -> http.client.HTTPConnection | None:
        with self._lock:
            idle = self._idle.get(address)
            return idle.pop() if idle else None

    def _give_back(self, address: str, connection: http.client.HTTPConnection) -> None:
        with self._lock:
            idle = self._idle.setdefault(address, [])
            if len(idle) < _MOST_IDLE:
                idle.append(connection)
                return
        connection.close()


def _connection(address: str, timeout: float) -> http.client.HTTPConnection:
    parts = urlsplit(address)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    return kind(parts.hostname or "", parts.port, timeout=timeout)
