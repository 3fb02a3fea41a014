"""HTTP/1.1 over real sockets, one connection for each request; a body passes on as it comes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from types import TracebackType

_PIECE_BYTES = 65536
_ACCEPT_SECONDS = 0.01
_HOP_HEADERS = frozenset({"connection"})
"""Belong to one connection and are not passed on."""


class NoAnswerError(Exception):
    """No whole answer came; `late` when the time for it was over."""

    def __init__(self, reason: str, *, late: bool = False) -> None:
        super().__init__(reason)
        self.late = late


async def body_of(*pieces: bytes) -> AsyncIterator[bytes]:
    """Send pieces one after the other."""
    for piece in pieces:
        yield piece


@dataclass(frozen=True)
class Request:
    """One request; names of headers are in lower case, and a body needs its content-length among them."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: AsyncIterable[bytes] = field(default_factory=body_of)

    def with_headers(self, **headers: str) -> Request:
        """Return the request with further headers, `_` for `-`."""
        more = {name.replace("_", "-"): value for name, value in headers.items()}
        return Request(self.method, self.target, {**self.headers, **more}, self.body)


@dataclass(frozen=True)
class Answer:
    """One answer; names of headers are in lower case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


Handler = Callable[[Request], Awaitable[Answer]]


async def exchange(port: int, request: Request, seconds: float) -> Answer:
    """Return the answer of a port of this machine.

    The time is real and counts from the last byte of the request. Raises NoAnswerError.
    """
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError as error:
        raise NoAnswerError(str(error)) from error
    try:
        writer.write(_head(f"{request.method} {request.target} HTTP/1.1", request.headers))
        async for piece in request.body:
            writer.write(piece)
            await writer.drain()
        async with asyncio.timeout(seconds):
            return _answer(await reader.read(), request.method)
    except TimeoutError as error:
        raise NoAnswerError(f"no answer within {seconds:g} s", late=True) from error
    except OSError as error:
        raise NoAnswerError(str(error)) from error
    finally:
        await _close(writer)


class Server:
    """Serves a handler on a port that the system chooses."""

    port: int

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Server:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, backlog=256)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        # A connection that was accepted just now gets its task in the loop's next rounds.
        await asyncio.sleep(_ACCEPT_SECONDS)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = await _read_request(reader)
            answer = await self._handler(request)
            body = b"" if request.method == "HEAD" else answer.body
            length = answer.headers.get("content-length", str(len(answer.body)))
            line = f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}"
            writer.write(_head(line, {**answer.headers, "content-length": length}) + body)
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass  # the caller went
        finally:
            await _close(writer)


async def _read_request(reader: asyncio.StreamReader) -> Request:
    lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")[:-2]
    method, target, _ = lines[0].split(" ")
    headers = _headers(lines[1:])
    return Request(method, target, headers, _read_body(reader, int(headers.get("content-length", "0"))))


async def _read_body(reader: asyncio.StreamReader, left: int) -> AsyncIterator[bytes]:
    while left:
        piece = await reader.read(min(left, _PIECE_BYTES))
        if not piece:
            raise ConnectionError("the caller went in the middle of its body")
        left -= len(piece)
        yield piece


def _answer(received: bytes, method: str) -> Answer:
    head, end, body = received.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    headers = _headers(lines[1:])
    if not end or (method != "HEAD" and len(body) != int(headers.get("content-length", "0"))):
        raise NoAnswerError(f"the connection ended after {len(received)} bytes")
    return Answer(int(lines[0].split(" ")[1]), headers, body)


def _headers(lines: list[str]) -> dict[str, str]:
    pairs = (line.partition(":") for line in lines)
    return {name.lower(): value.strip() for name, _, value in pairs}


def _head(line: str, headers: Mapping[str, str]) -> bytes:
    passed = [f"{name}: {value}" for name, value in headers.items() if name not in _HOP_HEADERS]
    return "\r\n".join([line, *passed, "connection: close", "", ""]).encode("latin-1")


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
