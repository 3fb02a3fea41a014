"""A small HTTP/1.1 server with limits against abuse, and an end that loses no request.

It serves one trusted proxy in front of it, so it knows what that sends and refuses everything else: no chunked bodies,
no upgrades.
"""

from __future__ import annotations

import asyncio
import http
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9a-z-]+")

Handler = Callable[["Request"], Awaitable["Response"]]


@dataclass(frozen=True)
class Limits:
    """Sizes in bytes, times in seconds."""

    head_bytes: int = 16 * 1024
    body_bytes: int = 16 * 1024
    connections: int = 512
    head_seconds: float = 5
    body_seconds: float = 10
    write_seconds: float = 10
    # Longer than the proxy keeps an idle connection (90), so that the proxy is the one that closes it.
    idle_seconds: float = 120


@dataclass(frozen=True)
class Request:
    """One request; names of headers are in lower case."""

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True)
class Response:
    """One answer; length, date and connection are the server's."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


def json_response(status: int, content: object, headers: Mapping[str, str] | None = None) -> Response:
    """Return an answer with a JSON body."""
    body = json.dumps(content, separators=(",", ":")).encode() + b"\n"
    return Response(status, body, {"content-type": "application/json", **(headers or {})})


class _RefusedError(Exception):
    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.response = json_response(status, {"error": reason})


class _ClosedError(Exception):
    pass


class HttpServer:
    """Serves one port. `finish` ends it: first politely, then for good."""

    def __init__(self, handler: Handler, limits: Limits | None = None) -> None:
        self._handler = handler
        self._limits = limits or Limits()
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self._busy: set[asyncio.Task[None]] = set()
        self._finishing = False

    @property
    def port(self) -> int:
        """The port that is listened to; chosen by the system when 0 was asked for."""
        assert self._server is not None, "the server has not been started"  # noqa: S101 - a mistake of the caller
        return int(self._server.sockets[0].getsockname()[1])

    async def start(self, host: str, port: int) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._serve, host, port, limit=self._limits.head_bytes, backlog=1024)

    async def finish(self, linger: float, deadline: float) -> int:
        """Stop serving and return how many requests were cut off.

        For `linger` seconds everything is still accepted and answered with `connection: close`, so no client loses what
        it is just sending. Then nothing new is accepted, and what is in flight has until `deadline` seconds from now.
        """
        loop = asyncio.get_running_loop()
        end = loop.time() + deadline
        self._finishing = True
        await asyncio.sleep(linger)
        if self._server is not None:
            self._server.close()
        while self._busy and loop.time() < end:
            await asyncio.wait(set(self._busy), timeout=min(0.1, max(0.0, end - loop.time())))
        cut_off = len(self._busy)
        for task in list(self._connections):
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        return cut_off

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None:
            return
        self._connections.add(task)
        try:
            if len(self._connections) > self._limits.connections:
                await self._write(writer, _RefusedError(503, "too many connections").response, close=True)
                return
            while await self._serve_one(task, reader, writer):
                self._busy.discard(task)
        except (_ClosedError, ConnectionError, TimeoutError):
            pass
        except asyncio.CancelledError:
            # The end of the process: ending the task quietly lets the loop close without a report for each connection.
            pass
        finally:
            self._busy.discard(task)
            self._connections.discard(task)
            writer.close()
            with suppress(ConnectionError, TimeoutError, asyncio.CancelledError):
                await asyncio.wait_for(writer.wait_closed(), 1)

    async def _serve_one(
        self, task: asyncio.Task[None], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        """Answer the next request; return whether the connection stays open."""
        first = await asyncio.wait_for(reader.read(1), self._limits.idle_seconds)
        if not first:
            return False
        self._busy.add(task)
        try:
            request = await self._read(first, reader, writer)
        except _RefusedError as refused:
            await self._write(writer, refused.response, close=True)
            await self._read_to_end(reader, writer)
            return False
        response = await self._handler(request)
        close = self._finishing or request.headers.get("connection", "").lower() == "close"
        await self._write(writer, response, close=close, head_only=request.method == "HEAD")
        return not close

    async def _read(self, first: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Request:
        try:
            head = first + await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), self._limits.head_seconds)
        except asyncio.LimitOverrunError:
            raise _RefusedError(431, f"the headers are longer than {self._limits.head_bytes} bytes") from None
        except TimeoutError:
            raise _RefusedError(408, f"the headers took longer than {self._limits.head_seconds:g} s") from None
        except asyncio.IncompleteReadError:
            raise _ClosedError from None
        method, path, headers = _parse_head(head)
        length = _body_length(headers, self._limits.body_bytes)
        if length and headers.get("expect", "").lower() == "100-continue":
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        try:
            body = await asyncio.wait_for(reader.readexactly(length), self._limits.body_seconds)
        except TimeoutError:
            raise _RefusedError(408, f"the body took longer than {self._limits.body_seconds:g} s") from None
        except asyncio.IncompleteReadError:
            raise _ClosedError from None
        return Request(method, path, headers, body)

    async def _write(
        self, writer: asyncio.StreamWriter, response: Response, *, close: bool, head_only: bool = False
    ) -> None:
        lines = [f"HTTP/1.1 {response.status} {http.HTTPStatus(response.status).phrase}"]
        lines += [f"{name}: {value}" for name, value in response.headers.items()]
        lines += [f"content-length: {len(response.body)}", f"connection: {'close' if close else 'keep-alive'}"]
        writer.write("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + (b"" if head_only else response.body))
        await asyncio.wait_for(writer.drain(), self._limits.write_seconds)

    async def _read_to_end(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # A socket closed with unread input resets the connection, and the client would not see why it was refused.
        writer.write_eof()
        with suppress(TimeoutError):
            async with asyncio.timeout(1):
                for _ in range(64):
                    if not await reader.read(self._limits.head_bytes):
                        return


def _parse_head(head: bytes) -> tuple[str, str, dict[str, str]]:
    lines = head.decode("latin-1").split("\r\n")[:-2]
    parts = lines[0].split(" ")
    if len(parts) != 3 or not parts[0].isalpha() or not parts[1].startswith("/"):
        raise _RefusedError(400, "expected a request line such as 'GET / HTTP/1.1'")
    if parts[2] != "HTTP/1.1":
        raise _RefusedError(505, "expected HTTP/1.1")
    headers: dict[str, str] = {}
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        name = name.lower()
        if not colon or not _HEADER_NAME.fullmatch(name) or any(sign in value for sign in "\r\n\0"):
            raise _RefusedError(400, "expected header lines such as 'host: name'")
        if name in headers and name in {"content-length", "host", "transfer-encoding"}:
            raise _RefusedError(400, f"the header {name} came twice")
        headers[name] = f"{headers[name]}, {value.strip()}" if name in headers else value.strip()
    if "host" not in headers:
        raise _RefusedError(400, "the header host is missing")
    return parts[0], parts[1].partition("?")[0], headers


def _body_length(headers: Mapping[str, str], most: int) -> int:
    if "transfer-encoding" in headers:
        raise _RefusedError(501, "bodies need a content-length; transfer-encoding is not understood here")
    given = headers.get("content-length", "0")
    if not (given.isascii() and given.isdigit()):
        raise _RefusedError(400, f"content-length: expected a number, got {given[:20]!r}")
    if len(given) > 10 or int(given) > most:
        raise _RefusedError(413, f"the body is longer than {most} bytes")
    return int(given)
