"""A small client of the Kubernetes API: what these tests need, strict where the server can be."""

from __future__ import annotations

import http.client
import json
import ssl
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

Document = dict[str, Any]
T = TypeVar("T")

FIELD_MANAGER = "tests"
POLL_SECONDS = 0.25
BUSY_SECONDS = 30


class ApiError(Exception):
    """The server said no; the text is what it said."""

    def __init__(self, status: int, answer: Document) -> None:
        self.status = status
        self.reason = str(answer.get("reason", ""))
        super().__init__(f"{status} {answer.get('message', answer)}")


class Api:
    """One API server on loopback, as its administrator. Not for several threads at once."""

    def __init__(self, port: int, token: str, certificate: Path) -> None:
        self._port = port
        self._headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        self._certificate = certificate
        self._connection: http.client.HTTPSConnection | None = None
        self._kinds: dict[tuple[str, str], tuple[str, bool]] = {}
        self.warnings: list[str] = []
        """What the server warned of since the start: deprecated kinds, pods below the standard."""

    def get(self, api_version: str, kind: str, name: str, namespace: str = "") -> Document:
        """Read one object; ApiError 404 when it is not there."""
        return self._call("GET", self._path(api_version, kind, namespace, name))

    def find(self, api_version: str, kind: str, name: str, namespace: str = "") -> Document | None:
        """Read one object, or None when it is not there."""
        try:
            return self.get(api_version, kind, name, namespace)
        except ApiError as error:
            if error.status != http.client.NOT_FOUND:
                raise
            return None

    def list(self, api_version: str, kind: str, namespace: str = "", **query: str) -> list[Document]:
        """Read all objects of a kind, of one namespace or of all; `labelSelector` and `fieldSelector` choose."""
        items = self._call("GET", self._path(api_version, kind, namespace), query=query)["items"]
        # The server leaves out in a list what is the same for all.
        return [{"apiVersion": api_version, "kind": kind} | item for item in items]

    def create(self, document: Document, *, dry_run: bool = False) -> Document:
        """Create an object; an unknown field is an error, as admission is."""
        query = {"fieldManager": FIELD_MANAGER, "fieldValidation": "Strict"} | ({"dryRun": "All"} if dry_run else {})
        return self._call("POST", self._path_of(document, collection=True), document, query=query)

    def apply(self, document: Document, *, dry_run: bool = False) -> Document:
        """Apply an object on the server, as Flux does; what others own stays."""
        query = {"fieldManager": FIELD_MANAGER, "fieldValidation": "Strict", "force": "true"}
        query |= {"dryRun": "All"} if dry_run else {}
        return self._call("PATCH", self._path_of(document), document, "application/apply-patch+yaml", query)

    def patch(
        self, document: Document, change: Document, subresource: str = "", manager: str = FIELD_MANAGER
    ) -> Document:
        """Merge a change into an object; a list is replaced, None removes a field. `manager` is who says he did it."""
        path = self._path_of(document) + (f"/{subresource}" if subresource else "")
        return self._call("PATCH", path, change, "application/merge-patch+json", {"fieldManager": manager})

    def delete(self, document: Document) -> None:
        """Delete an object; what it owns follows."""
        self._call("DELETE", self._path_of(document))

    def evict(self, pod: Document) -> None:
        """Ask for a pod to leave, as a drain does; ApiError 429 when a disruption budget forbids it."""
        metadata = {key: pod["metadata"][key] for key in ("name", "namespace")}
        eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": metadata}
        self._call("POST", self._path_of(pod) + "/eviction", eviction)

    def ready(self) -> bool:
        """Tell whether the server serves."""
        try:
            self._call("GET", "/readyz")
        except (OSError, http.client.HTTPException, ApiError):
            return False
        return True

    def _path_of(self, document: Document, *, collection: bool = False) -> str:
        metadata = document["metadata"]
        name = "" if collection else metadata["name"]
        return self._path(document["apiVersion"], document["kind"], metadata.get("namespace", ""), name)

    def _path(self, api_version: str, kind: str, namespace: str, name: str = "") -> str:
        root = f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"
        if (api_version, kind) not in self._kinds:
            for each in self._call("GET", root)["resources"]:
                if "/" not in each["name"]:
                    self._kinds[api_version, each["kind"]] = (each["name"], each["namespaced"])
        plural, namespaced = self._kinds[api_version, kind]
        place = f"/namespaces/{quote(namespace)}" if namespaced and namespace else ""
        return f"{root}{place}/{plural}" + (f"/{quote(name)}" if name else "")

    def _call(
        self,
        method: str,
        path: str,
        body: Document | None = None,
        content_type: str = "application/json",
        query: dict[str, str] | None = None,
    ) -> Document:
        end = time.monotonic() + BUSY_SECONDS
        while True:
            try:
                return self._once(method, path, body, content_type, query)
            except ApiError as error:
                # A kind that was just defined: the server asks to come again. A refused eviction has the same status.
                if "storage is (re)initializing" not in str(error) or time.monotonic() > end:
                    raise
                time.sleep(POLL_SECONDS)

    def _once(
        self,
        method: str,
        path: str,
        body: Document | None,
        content_type: str,
        query: dict[str, str] | None,
    ) -> Document:
        if query:
            path += "?" + urlencode(query)
        headers = self._headers | ({"Content-Type": content_type} if body is not None else {})
        if self._connection is None:
            context = ssl.create_default_context(cafile=str(self._certificate))
            self._connection = http.client.HTTPSConnection("127.0.0.1", self._port, timeout=30, context=context)
        try:
            self._connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = self._connection.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException):
            self.close()
            raise
        self.warnings += answer.headers.get_all("Warning") or []
        parsed: Document = json.loads(text) if text.startswith(b"{") else {"message": text.decode()}
        if answer.status >= http.client.BAD_REQUEST:
            raise ApiError(answer.status, parsed)
        return parsed

    def close(self) -> None:
        """Drop the connection; the next call makes a new one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def eventually(check: Callable[[], T], seconds: float, what: str) -> T:
    """Ask again until the answer is true or not empty, and return it; an AssertionError after some seconds."""
    end = time.monotonic() + seconds
    while not (answer := check()):
        assert time.monotonic() < end, f"after {seconds:.0f} s still not: {what}"
        time.sleep(POLL_SECONDS)
    return answer
