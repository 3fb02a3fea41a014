"""The visits in Azure Cosmos DB, by its REST interface: written in one region, counted in all.

Each region writes documents of its own partition, so two regions never write the same document. A request goes to the
own region's endpoint first and to the others when that does not answer.
"""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from email.utils import formatdate
from urllib.parse import quote, urlsplit

from region_echo.entra_token import NoTokenError, TokenSource
from region_echo.http_client import Answer, HttpClient, UnreachableError
from region_echo.region_health import Reach
from region_echo.settings import Database
from region_echo.telemetry import Log, Metrics

_VERSION = "2018-12-31"
_TOTAL_ATTEMPTS = 3
_LOCATIONS_SECONDS = 300.0
_PUBLIC_SUFFIX = ".documents.azure.com"
_BUSY = 429
_ELSEWHERE = frozenset({408, 410, 449, 500, 502, 503, 504})
"""Answers after which another region is asked: the request may or may not have been carried out."""


class DatabaseError(Exception):
    """The database did not do what was asked; the message is for the log, not for the client."""


class CosmosVisits:
    """Writes and counts visits. `after_seconds` of a refusal is what Cosmos DB asked to wait."""

    def __init__(self, database: Database, region: str, log: Log, metrics: Metrics) -> None:
        self._database = database
        self._region = region
        self._log = log
        self._metrics = metrics
        self._client = HttpClient()
        self._tokens = TokenSource(database.identity, self._client)
        self._threads = ThreadPoolExecutor(max_workers=16, thread_name_prefix="cosmos")
        self._locations: dict[str, str] = {region: _own_endpoint(database.endpoint, region)}
        self._locations_read = float("-inf")
        self._documents = f"/dbs/{quote(database.name)}/colls/{quote(database.container)}/docs"

    async def add(self, *, stamp: str, note: str | None) -> dict[str, str]:
        """Write one visit and return it; DatabaseError when no region took it."""
        visit = {
            "id": str(uuid.uuid4()),
            "region": self._region,
            "stamp": stamp,
            "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
        }
        if note is not None:
            visit["note"] = note
        answer = await self._ask_regions("POST", self._region, json.dumps(visit).encode(), "application/json", {})
        # The id is new, so a conflict means that an earlier try was carried out although its answer got lost.
        if answer.status not in {201, 409}:
            raise DatabaseError(f"the visit was refused with status {answer.status}")
        return visit

    async def counts(self) -> dict[str, int]:
        """Return how many visits each region has written, as this region sees it."""
        await self._find_regions()
        regions = sorted(self._locations)
        counted = await asyncio.gather(*(self._count(region) for region in regions))
        return dict(zip(regions, counted, strict=True))

    async def reach_own(self) -> Reach:
        """Read a document that need not exist from the own region's endpoint."""
        return await self._reach(self._region)

    async def reach_others(self) -> list[Reach]:
        """The same from the endpoints of all other regions."""
        await self._find_regions()
        others = [region for region in self._locations if region != self._region]
        return list(await asyncio.gather(*(self._reach(region) for region in others)))

    def close(self) -> None:
        """Let go of the threads without waiting for an answer that may never come."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _reach(self, region: str) -> Reach:
        endpoint = self._locations[region]
        try:
            answer = await self._ask(endpoint, "GET", f"{self._documents}/probe", region, b"", "application/json", {})
        except NoTokenError:
            return Reach.UNKNOWN
        except UnreachableError:
            return Reach.FAILED
        if answer.status in {401, 403}:
            return Reach.UNKNOWN
        # Throttled is reached; a missing document too.
        return Reach.FAILED if answer.status in _ELSEWHERE else Reach.ANSWERED

    async def _count(self, region: str) -> int:
        query = json.dumps({"query": "SELECT VALUE COUNT(1) FROM c", "parameters": []}).encode()
        total, page = 0, ""
        while True:
            headers = {"x-ms-documentdb-isquery": "true", **({"x-ms-continuation": page} if page else {})}
            answer = await self._ask_regions("POST", region, query, "application/query+json", headers)
            if answer.status != 200:
                raise DatabaseError(f"counting was refused with status {answer.status}")
            try:
                total += sum(int(part) for part in json.loads(answer.body)["Documents"])
            except (ValueError, KeyError, TypeError) as error:
                raise DatabaseError("the count is not in the database's answer") from error
            page = answer.headers.get("x-ms-continuation", "")
            if not page:
                return total

    async def _ask_regions(
        self, method: str, partition: str, body: bytes, content_type: str, headers: Mapping[str, str]
    ) -> Answer:
        """Ask the own region, then the others, then the own once more, until one answers or the time is over."""
        end = time.monotonic() + _TOTAL_ATTEMPTS * self._database.attempt_seconds
        failed = "no region was asked"
        own = self._locations[self._region]
        endpoints, own_only = [own], True
        while endpoints and time.monotonic() < end:
            endpoint = endpoints.pop(0)
            try:
                answer = await self._ask(endpoint, method, self._documents, partition, body, content_type, headers)
            except NoTokenError as error:
                raise DatabaseError(str(error)) from error
            except UnreachableError as error:
                failed = str(error)
            else:
                if answer.status == _BUSY:
                    failed = f"{endpoint} is throttled"
                    wait = _wait_seconds(answer)
                    if time.monotonic() + wait < end:
                        await asyncio.sleep(wait)
                        endpoints.insert(0, endpoint)
                        continue
                elif answer.status not in _ELSEWHERE and not _write_forbidden(answer):
                    return answer
                else:
                    failed = f"{endpoint} answered {answer.status}"
            self._log.write("warning", "the database did not answer here", reason=failed)
            if own_only:
                await self._find_regions()
                endpoints, own_only = [*(other for other in self._locations.values() if other != own), own], False
        raise DatabaseError(failed)

    async def _ask(
        self,
        endpoint: str,
        method: str,
        path: str,
        partition: str,
        body: bytes,
        content_type: str,
        headers: Mapping[str, str],
    ) -> Answer:
        loop = asyncio.get_running_loop()
        work = loop.run_in_executor(
            self._threads, self._send, endpoint, method, path, partition, body, content_type, dict(headers)
        )
        outcome = "timeout"
        try:
            # The client's own limit is for each wait; this one is for all of it, a new token included.
            answer = await asyncio.wait_for(work, self._database.attempt_seconds + 1)
            outcome = str(answer.status)
            return answer
        except NoTokenError:
            outcome = "no-token"
            raise
        except UnreachableError:
            outcome = "unreachable"
            raise
        except TimeoutError:
            raise UnreachableError(f"{endpoint}: no complete answer in time") from None
        finally:
            self._metrics.add("region_echo_database_requests_total", outcome=outcome)

    def _send(
        self,
        endpoint: str,
        method: str,
        path: str,
        partition: str,
        body: bytes,
        content_type: str,
        headers: dict[str, str],
    ) -> Answer:
        sent = {
            "authorization": quote(f"type=aad&ver=1.0&sig={self._tokens.token()}", safe=""),
            "x-ms-version": _VERSION,
            "x-ms-date": formatdate(usegmt=True),
            "accept": "application/json",
            "content-type": content_type,
            **headers,
        }
        if partition:
            sent["x-ms-documentdb-partitionkey"] = json.dumps([partition])
        return self._client.request(endpoint, method, path, sent, body, timeout=self._database.attempt_seconds)

    async def _find_regions(self) -> None:
        """Learn the account's regions; when it does not say, what is known stays."""
        if time.monotonic() < self._locations_read + _LOCATIONS_SECONDS:
            return
        for endpoint in dict.fromkeys([self._locations[self._region], self._database.endpoint]):
            try:
                answer = await self._ask(endpoint, "GET", "/", "", b"", "application/json", {})
                if answer.status == 200:
                    found = json.loads(answer.body)["readableLocations"]
                    self._locations |= {
                        _region_name(at["name"]): _address(at["databaseAccountEndpoint"]) for at in found
                    }
                    self._locations_read = time.monotonic()
                    return
            except (NoTokenError, UnreachableError, ValueError, KeyError, TypeError) as error:
                self._log.write("warning", "the database's regions are unknown", reason=str(error))


def _own_endpoint(endpoint: str, region: str) -> str:
    """Return the regional endpoint: the global one leads to whichever region Azure has made the first."""
    host = urlsplit(endpoint).hostname or ""
    if not host.endswith(_PUBLIC_SUFFIX):
        return endpoint
    return _address(f"https://{host.removesuffix(_PUBLIC_SUFFIX)}-{region}{_PUBLIC_SUFFIX}:443")


def _region_name(display_name: str) -> str:
    return display_name.replace(" ", "").lower()


def _address(endpoint: str) -> str:
    return endpoint.rstrip("/")


def _wait_seconds(answer: Answer) -> float:
    given = answer.headers.get("x-ms-retry-after-ms", "")
    return max(int(given) / 1000, 0.01) if given.isdigit() else 0.2


def _write_forbidden(answer: Answer) -> bool:
    return answer.status == 403 and answer.headers.get("x-ms-substatus") == "3"
