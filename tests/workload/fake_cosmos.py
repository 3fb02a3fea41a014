"""A small stand-in for a Cosmos DB account with several regions, and for Entra's token endpoint, over real sockets."""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, unquote

TOKEN = "issued-by-entra"  # noqa: S105 - a stand-in
PROJECTED = "projected-by-kubelet"


class FakeRegion:
    """One regional endpoint. `faults` are used up one a request; `fault` stays until it is changed.

    `down` answers 503, `throttle` 429, `lost` carries out the request and closes the connection, `hang` never answers,
    `refuse` answers 403.
    """

    def __init__(self, account: FakeAccount, display_name: str) -> None:
        self.display_name = display_name
        self.fault = ""
        self.faults: list[str] = []
        self.seen: list[tuple[str, str, dict[str, str]]] = []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(account, self))
        self.server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def next_fault(self) -> str:
        """Take the fault of this request."""
        return self.faults.pop(0) if self.faults else self.fault


class FakeAccount:
    """What all regions share: the documents, each under its partition and id."""

    def __init__(self, folder: Path, *display_names: str) -> None:
        self.documents: dict[tuple[str, str], dict[str, Any]] = {}
        self.lock = threading.Lock()
        self.released = threading.Event()
        self.tokens_issued = 0
        self.entra_down = False
        self.regions = [FakeRegion(self, name) for name in display_names]
        self.token_file = folder / "token"
        self.token_file.write_text(PROJECTED + "\n")

    def __enter__(self) -> FakeAccount:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.released.set()
        for region in self.regions:
            region.server.shutdown()
            region.server.server_close()

    def environment(self, region: FakeRegion) -> dict[str, str]:
        """Return what the chart and the identity's webhook would set for a pod of this region."""
        return {
            "COSMOS_ENDPOINT": region.address,
            "AZURE_CLIENT_ID": "client",
            "AZURE_TENANT_ID": "tenant",
            "AZURE_FEDERATED_TOKEN_FILE": str(self.token_file),
            "AZURE_AUTHORITY_HOST": region.address + "/",
        }


def _handler(account: FakeAccount, region: FakeRegion) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
            pass

        def do_GET(self) -> None:
            self._answer(b"")

        def do_POST(self) -> None:
            self._answer(self.rfile.read(int(self.headers.get("content-length", "0"))))

        def _answer(self, body: bytes) -> None:
            if self.path == "/tenant/oauth2/v2.0/token":
                self._token(body)
                return
            region.seen.append((self.command, self.path, {k.lower(): v for k, v in self.headers.items()}))
            fault = region.next_fault()
            if fault == "hang":
                account.released.wait(30)
                self.close_connection = True
            elif fault in {"down", "refuse"}:
                self._send({"down": 503, "refuse": 403}[fault], {})
            elif fault == "throttle":
                self._send(429, {}, {"x-ms-retry-after-ms": "150"})
            elif unquote(self.headers.get("authorization", "")) != f"type=aad&ver=1.0&sig={TOKEN}":
                self._send(401, {})
            else:
                status, content = self._carry_out(body)
                if fault == "lost":
                    self.close_connection = True
                    return
                self._send(status, content)

        def _carry_out(self, body: bytes) -> tuple[int, dict[str, Any]]:
            if self.path == "/":
                return 200, {
                    "readableLocations": [
                        {"name": at.display_name, "databaseAccountEndpoint": at.address + "/"} for at in account.regions
                    ]
                }
            (partition,) = json.loads(self.headers["x-ms-documentdb-partitionkey"])
            if self.command == "GET":
                return 404, {}
            if self.headers["content-type"] == "application/query+json":
                with account.lock:
                    return 200, {"Documents": [sum(key[0] == partition for key in account.documents)]}
            document = json.loads(body)
            key = (document["region"], document["id"])
            if document["region"] != partition:
                return 400, {}
            with account.lock:
                if key in account.documents:
                    return 409, {}
                account.documents[key] = document
            return 201, document

        def _token(self, body: bytes) -> None:
            form = parse_qs(body.decode())
            if account.entra_down:
                self._send(500, {})
            elif form.get("client_assertion") != [PROJECTED] or form.get("client_id") != ["client"]:
                self._send(401, {})
            else:
                account.tokens_issued += 1
                self._send(200, {"access_token": TOKEN, "expires_in": 3600, "now": time.time()})

        def _send(self, status: int, content: dict[str, Any], headers: dict[str, str] | None = None) -> None:
            body = json.dumps(content).encode()
            self.send_response(status)
            for name, value in {**(headers or {}), "content-length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

    return Handler
