"""Tokens of Entra for the pod's workload identity: no key and no password anywhere."""

from __future__ import annotations

import json
import threading
import time
from urllib.parse import urlencode

from region_echo.http_client import HttpClient, UnreachableError
from region_echo.settings import Identity

SCOPE = "https://cosmos.azure.com/.default"
_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_RENEW_BEFORE = 600


class NoTokenError(Exception):
    """Entra gave no token; that says nothing about the database."""


class TokenSource:
    """Keeps one token and renews it ten minutes before it ends; blocking, so it is used from worker threads."""

    def __init__(self, identity: Identity, client: HttpClient) -> None:
        self._identity = identity
        self._client = client
        self._lock = threading.Lock()
        self._token = ""
        self._ends = 0.0

    def token(self) -> str:
        """Return a valid token; while Entra does not answer, the old one is used to its end."""
        with self._lock:
            if time.time() < self._ends - _RENEW_BEFORE:
                return self._token
            try:
                self._token, self._ends = self._ask()
            except NoTokenError:
                if time.time() >= self._ends - 30:
                    raise
            return self._token

    def _ask(self) -> tuple[str, float]:
        form = {
            "client_id": self._identity.client_id,
            "scope": SCOPE,
            "grant_type": "client_credentials",
            "client_assertion_type": _ASSERTION,
        }
        try:
            # Read each time: the kubelet renews the file.
            form["client_assertion"] = self._identity.token_file.read_text(encoding="ascii").strip()
            answer = self._client.request(
                self._identity.authority,
                "POST",
                f"/{self._identity.tenant_id}/oauth2/v2.0/token",
                {"content-type": "application/x-www-form-urlencoded"},
                urlencode(form).encode(),
                timeout=3,
            )
        except (OSError, UnreachableError) as error:
            raise NoTokenError(f"Entra gave no token: {error}") from error
        if answer.status != 200:
            raise NoTokenError(f"Entra gave no token: status {answer.status}")
        try:
            content = json.loads(answer.body)
            return str(content["access_token"]), time.time() + float(content["expires_in"])
        except (ValueError, KeyError, TypeError) as error:
            raise NoTokenError("Entra's answer holds no token") from error
