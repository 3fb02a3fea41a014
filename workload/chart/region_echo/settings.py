"""What the environment says: the chart sets all of it, and the identity's webhook what begins with AZURE_."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

NONE = "none"
"""How the environment says that something is absent: empty text would be a variable that nobody set."""


class SettingsError(ValueError):
    """Everything that is wrong in the environment, one line each."""


@dataclass(frozen=True)
class Identity:
    """A workload identity: the projected token in `token_file` is exchanged at `authority` for one of Entra's."""

    client_id: str
    tenant_id: str
    token_file: Path
    authority: str


@dataclass(frozen=True)
class Database:
    """A Cosmos DB account; `container` is partitioned by `/region`."""

    endpoint: str
    identity: Identity
    name: str
    container: str
    attempt_seconds: float


@dataclass(frozen=True)
class Settings:
    """All settings of one process. Times are in seconds."""

    region: str
    stamp: str
    cluster: str
    pod: str
    track: str
    zone: str | None
    port: int
    metrics_port: int
    drain_file: Path
    shutdown_seconds: float
    health_cache_seconds: float
    database: Database | None
    traces_endpoint: str | None


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Return the settings, or raise one SettingsError with everything that is wrong."""
    reader = _Reader(environment)
    settings = Settings(
        region=reader.text("REGION", r"[a-z][a-z0-9]+", "eastus2"),
        stamp=reader.text("STAMP", r"[a-z][a-z0-9-]+", "eastus2"),
        cluster=reader.text("CLUSTER_NAME", r"\S+", "aks-a1b2"),
        pod=reader.text("POD_NAME", r"\S+", "region-echo-1", default="local"),
        track=reader.text("TRACK", r"[a-z]+", "stable", default="stable"),
        zone=environment.get("ZONE") or None,
        port=int(reader.number("PORT", 8080, most=65535)),
        metrics_port=int(reader.number("METRICS_PORT", 9090, most=65535)),
        drain_file=Path(environment.get("DRAIN_FILE") or "/drain/state"),
        shutdown_seconds=reader.number("SHUTDOWN_SECONDS", 25, most=600),
        health_cache_seconds=reader.number("HEALTH_CACHE_SECONDS", 10, most=60),
        database=reader.database(),
        traces_endpoint=reader.url("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"),
    )
    if reader.wrong:
        raise SettingsError("\n".join(reader.wrong))
    return settings


class _Reader:
    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = environment
        self.wrong: list[str] = []

    def text(self, name: str, pattern: str, example: str, default: str = "") -> str:
        value = self.environment.get(name) or default
        if not re.fullmatch(pattern, value):
            self.wrong.append(f"{name}: expected text such as '{example}', got {value!r}")
        return value

    def number(self, name: str, default: float, most: float) -> float:
        given = self.environment.get(name) or str(default)
        if not re.fullmatch(r"\d+(\.\d+)?", given) or not 0 <= float(given) <= most:
            self.wrong.append(f"{name}: expected a number from 0 to {most:g}, for example {default:g}, got {given!r}")
            return default
        return float(given)

    def url(self, name: str) -> str | None:
        given = self.environment.get(name) or NONE
        if given == NONE:
            return None
        parts = urlsplit(given)
        if parts.scheme not in {"https", "http"} or not parts.hostname:
            self.wrong.append(
                f"{name}: expected 'none' or an address such as 'https://name.example:443', got {given!r}"
            )
            return None
        return given.rstrip("/")

    def database(self) -> Database | None:
        endpoint = self.url("COSMOS_ENDPOINT")
        if endpoint is None:
            return None
        missing = f"none, but COSMOS_ENDPOINT is {endpoint}: does the pod carry the label azure.workload.identity/use?"
        required = ("AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_FEDERATED_TOKEN_FILE", "AZURE_AUTHORITY_HOST")
        self.wrong += [f"{name}: {missing}" for name in required if not self.environment.get(name)]
        client_id, tenant_id, token_file, authority = (self.environment.get(name, "") for name in required)
        return Database(
            endpoint=endpoint,
            identity=Identity(client_id, tenant_id, Path(token_file), authority.rstrip("/")),
            name=self.text("COSMOS_DATABASE", r"[\w-]+", "workload", default="workload"),
            container=self.text("COSMOS_CONTAINER", r"[\w-]+", "visits", default="visits"),
            attempt_seconds=self.number("COSMOS_ATTEMPT_SECONDS", 2, most=10),
        )
