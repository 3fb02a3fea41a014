"""What the server refuses, and that it does so in time and with a reason."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from region_echo.http_server import HttpServer, Limits, Request, Response, json_response

LIMITS = Limits(head_bytes=1024, body_bytes=100, connections=3, head_seconds=0.2, body_seconds=0.2, idle_seconds=0.4)


@asynccontextmanager
async def serving(limits: Limits = LIMITS, answer_after: float = 0) -> AsyncIterator[HttpServer]:
    """Serve what was sent."""

    async def echo(request: Request) -> Response:
        await asyncio.sleep(answer_after)
        return json_response(200, [request.method, request.path, request.body.decode()])

    server = HttpServer(echo, limits)
    await server.start("127.0.0.1", 0)
    try:
        yield server
    finally:
        await server.finish(0, 0)


async def exchange(server: HttpServer, sent: bytes) -> bytes:
    """Send bytes and return everything that comes until the server closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    try:
        writer.write(sent)
        return await asyncio.wait_for(reader.read(), 5)
    finally:
        writer.close()


@pytest.mark.parametrize(
    ("status", "sent"),
    [
        (400, b"nonsense\r\n\r\n"),
        (400, b"GET http://other/ HTTP/1.1\r\nhost: a\r\n\r\n"),
        (400, b"GET / HTTP/1.1\r\n\r\n"),
        (400, b"GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n"),
        (400, b"GET / HTTP/1.1\r\nhost: a\r\nbad header: b\r\n\r\n"),
        (400, b"GET / HTTP/1.1\r\nhost: a\r\n folded: b\r\n\r\n"),
        (400, b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\nabc"),
        (400, b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: -3\r\n\r\nabc"),
        (408, b"GET / HTTP/1.1\r\nhost: a\r\n"),
        (408, b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\nabc"),
        (413, b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 101\r\n\r\n" + b"x" * 101),
        (413, b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 99999999999\r\n\r\n"),
        (431, b"GET / HTTP/1.1\r\nhost: a\r\nx: " + b"x" * 2000 + b"\r\n\r\n"),
        (501, b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"),
        (505, b"GET / HTTP/1.0\r\nhost: a\r\n\r\n"),
    ],
)
async def test_what_the_proxy_never_sends_is_refused_and_the_connection_closed(status: int, sent: bytes) -> None:
    """Also when the rest of the request was never read."""
    async with serving() as server:
        answer = await exchange(server, sent)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(f"HTTP/1.1 {status} ".encode())
    assert b"connection: close" in head
    assert b'"error":' in body


async def test_a_large_body_is_refused_with_a_reason_that_arrives() -> None:
    """A connection closed with unread input is reset, and the answer would be lost with it."""
    async with serving() as server:
        head = b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 200000\r\n\r\n"
        for _ in range(5):
            assert (await exchange(server, head + b"x" * 200_000)).startswith(b"HTTP/1.1 413 ")


async def test_a_slow_sender_of_headers_is_cut_off_however_often_it_sends() -> None:
    """The limit is for all headers together, not for each piece."""
    async with serving() as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        began = asyncio.get_running_loop().time()
        sending = asyncio.create_task(_drip(writer))
        answer = await asyncio.wait_for(reader.read(), 5)
        took = asyncio.get_running_loop().time() - began
        sending.cancel()
        writer.close()
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert took < 2


async def _drip(writer: asyncio.StreamWriter) -> None:
    writer.write(b"GET / HTTP/1.1\r\n")
    while True:
        writer.write(b"a: b\r\n")
        await asyncio.sleep(0.05)


async def test_an_idle_connection_is_closed_without_a_word() -> None:
    """A status would be taken for the answer to the next request."""
    async with serving() as server:
        assert await exchange(server, b"") == b""


async def test_a_connection_above_the_limit_is_told_so() -> None:
    """And the ones below it go on."""
    async with serving() as server:
        held = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(3)]
        await asyncio.sleep(0.05)
        assert (await exchange(server, b"")).startswith(b"HTTP/1.1 503 ")
        held[0][1].write(b"GET /x HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
        assert (await held[0][0].read()).endswith(b'["GET","/x",""]\n')
        for _, writer in held:
            writer.close()


async def test_requests_sent_at_once_are_answered_one_after_the_other() -> None:
    """A kept connection is read no further than its request."""
    sent = b"POST /a?b=c HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
    async with serving() as server:
        answer = await exchange(server, sent + b"HEAD /d HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
    assert b'["POST","/a","abc"]\n' in answer
    assert answer.endswith(b"connection: close\r\n\r\n"), "HEAD has no body"


async def test_a_kept_connection_is_told_that_the_end_is_near() -> None:
    """Its last answer says so; a connection that is closed between two requests loses the second."""
    async with serving() as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        answers = []
        ending = None
        for _ in range(2):
            writer.write(b"HEAD / HTTP/1.1\r\nhost: a\r\n\r\n")
            answers.append(await reader.readuntil(b"\r\n\r\n"))
            ending = ending or asyncio.create_task(server.finish(linger=0.2, deadline=1))
            await asyncio.sleep(0.05)
        assert await reader.read() == b""
        writer.close()
        assert ending is not None
        assert await ending == 0
    assert [b"connection: close" in answer for answer in answers] == [False, True]


async def test_what_is_in_flight_at_the_end_is_answered() -> None:
    """Even when it takes longer than new requests are accepted."""
    async with serving(answer_after=0.5) as server:
        answer = asyncio.create_task(exchange(server, b"GET /slow HTTP/1.1\r\nhost: a\r\n\r\n"))
        await asyncio.sleep(0.1)
        assert await server.finish(linger=0.1, deadline=3) == 0
        assert b'["GET","/slow",""]' in await answer


async def test_what_does_not_end_in_time_is_cut_off_and_counted() -> None:
    """The kubelet would kill the process anyway, and nobody would know."""
    async with serving(answer_after=30) as server:
        answer = asyncio.create_task(exchange(server, b"GET /slow HTTP/1.1\r\nhost: a\r\n\r\n"))
        await asyncio.sleep(0.1)
        assert await server.finish(linger=0, deadline=0.2) == 1
        assert await answer == b""
