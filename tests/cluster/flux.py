"""Flux on the control plane, fed as Azure feeds it: from the Flux configuration that the program asks Azure for.

Its kustomize and helm controllers are real. The source controller is stood in for: the repository's artifact and the
chart's package are made here and served on loopback, since the real one reads git over the network only.
"""

from __future__ import annotations

import hashlib
import http.server
import subprocess
import tarfile
import threading
import time
from functools import partial
from pathlib import Path
from typing import Any

from tests.cluster.api import Api, Document, eventually
from tests.cluster.processes import LOOPBACK
from tests.manifests.rendering import PROJECT, flux_configuration
from tools.kubernetes_tools import tool

KUSTOMIZATION = "kustomize.toolkit.fluxcd.io/v1"
RELEASE = "helm.toolkit.fluxcd.io/v2"
SOURCE = "source.toolkit.fluxcd.io/v1"
REVISION = "main@sha1:" + "0" * 40
WHAT_FLUX_READS = ("cluster-manifests", "workload")


class _Files(http.server.SimpleHTTPRequestHandler):
    """Serves a folder and writes nothing to the terminal."""

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the name of the method it replaces
        """Say nothing."""


class Flux:
    """The Flux configuration of one stamp on a cluster."""

    def __init__(self, api: Api, stamp: str, folder: Path) -> None:
        self._api = api
        self._folder = folder
        self._configuration: dict[str, Any] = flux_configuration(stamp).inputs
        self.namespace = str(self._configuration["namespace"])
        self._name = str(self._configuration["fluxConfigurationName"])
        handler = partial(_Files, directory=str(folder))
        self._server = http.server.ThreadingHTTPServer((LOOPBACK, 0), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Serve no artifacts any more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def configure(self) -> None:
        """Make what Azure makes of a Flux configuration: a source and the kustomizations."""
        source = self._object(SOURCE, "GitRepository", self._name)
        git = self._configuration["gitRepository"]
        self._api.apply(source | {"spec": {"url": git["url"], "interval": "1h", "ref": git["repositoryRef"]}})
        archive = self._folder / "repository.tar.gz"
        with tarfile.open(archive, "w:gz") as content:
            for name in WHAT_FLUX_READS:
                content.add(PROJECT / name, name, filter=_without_byte_code)
        self._publish(source, archive)
        for part in self._configuration["kustomizations"]:
            self._api.apply(self.kustomization(part))

    def kustomization(self, part: str) -> Document:
        """Return the kustomization that Azure makes of a part: `platform` or `workload`."""
        asked = self._configuration["kustomizations"][part]
        return self._object(KUSTOMIZATION, "Kustomization", f"{self._name}-{part}") | {
            "spec": {
                "path": asked["path"],
                "prune": asked["prune"],
                "wait": asked["wait"],
                "force": asked["force"],
                "interval": "1h",
                "retryInterval": "2s",
                "timeout": f"{asked['timeoutInSeconds']}s",
                "sourceRef": {"kind": "GitRepository", "name": self._name},
                "dependsOn": [{"name": f"{self._name}-{other}"} for other in asked.get("dependsOn", [])],
                "postBuild": {"substitute": asked["postBuild"]["substitute"]},
            }
        }

    def wait_for(self, part: str, seconds: float = 180) -> Document:
        """Wait until a part is reconciled as it was asked for; serves charts meanwhile."""
        return self._settled(KUSTOMIZATION, "Kustomization", f"{self._name}-{part}", seconds)

    def wait_for_release(self, name: str, seconds: float = 180) -> Document:
        """Wait until a Helm release is as it was asked for."""
        return self._settled(RELEASE, "HelmRelease", name, seconds)

    def complaint(self, part: str, seconds: float = 60) -> str:
        """Wait until a part fails, and return what Flux says."""
        name = f"{self._name}-{part}"

        def said() -> str:
            found = self._api.get(KUSTOMIZATION, "Kustomization", name, self.namespace)
            condition = _ready(found)
            current = condition.get("observedGeneration") == found["metadata"]["generation"]
            return str(condition["message"]) if current and condition.get("status") == "False" else ""

        return eventually(said, seconds, f"{name} fails")

    def reconcile(self, api_version: str, kind: str, name: str) -> None:
        """Ask for a reconciliation now, as the interval does later."""
        found = self._object(api_version, kind, name)
        stamp = {"reconcile.fluxcd.io/requestedAt": str(time.time_ns())}
        self._api.patch(found, {"metadata": {"annotations": stamp}})

        def handled() -> bool:
            status = self._api.get(api_version, kind, name, self.namespace).get("status", {})
            return bool(status.get("lastHandledReconcileAt") == stamp["reconcile.fluxcd.io/requestedAt"])

        eventually(handled, 60, f"{kind} {name} is looked at again")

    def reconcile_part(self, part: str) -> None:
        """Ask for a reconciliation of a part, and wait for its end."""
        self.reconcile(KUSTOMIZATION, "Kustomization", f"{self._name}-{part}")
        self.wait_for(part)

    def _settled(self, api_version: str, kind: str, name: str, seconds: float) -> Document:
        last: dict[str, Any] = {}

        def settled() -> Document | None:
            self._package_charts()
            found = self._api.get(api_version, kind, name, self.namespace)
            last.update(_ready(found))
            current = found.get("status", {}).get("observedGeneration") == found["metadata"]["generation"]
            return found if current and last.get("status") == "True" else None

        try:
            found = eventually(settled, seconds, f"{kind} {name} is ready")
        except AssertionError as error:
            raise AssertionError(f"{error}; {last.get('reason')}: {last.get('message')}") from None
        assert found is not None
        return found

    def _package_charts(self) -> None:
        """Do what the source controller does for a Helm chart of a git repository."""
        for chart in self._api.list(SOURCE, "HelmChart", self.namespace):
            if chart.get("status", {}).get("artifact"):
                continue
            spec = chart["spec"]
            assert (spec["sourceRef"]["kind"], spec["sourceRef"]["name"]) == ("GitRepository", self._name)
            command = [str(tool("helm")), "package", str(PROJECT / spec["chart"]), "--destination", str(self._folder)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr
            self._publish(chart, Path(done.stdout.rpartition(": ")[2].strip()))

    def _publish(self, source: Document, archive: Path) -> None:
        found = self._api.get(source["apiVersion"], source["kind"], source["metadata"]["name"], self.namespace)
        generation, now = found["metadata"]["generation"], time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        url = f"http://{LOOPBACK}:{self._server.server_port}/{archive.name}"
        chart_version = archive.name.removesuffix(".tgz").rpartition("-")[2]
        artifact = {
            "path": archive.name,
            "url": url,
            "revision": REVISION if source["kind"] == "GitRepository" else chart_version,
            "digest": "sha256:" + hashlib.sha256(archive.read_bytes()).hexdigest(),
            "lastUpdateTime": now,
            "size": archive.stat().st_size,
        }
        ready = {"type": "Ready", "status": "True", "reason": "Succeeded", "message": "", "lastTransitionTime": now}
        status = {"observedGeneration": generation, "artifact": artifact, "url": url}
        if source["kind"] == "GitRepository":
            status.pop("url")
        conditions = [ready | {"observedGeneration": generation}]
        self._api.patch(found, {"status": status | {"conditions": conditions}}, "status")

    def _object(self, api_version: str, kind: str, name: str) -> Document:
        metadata = {"name": name, "namespace": self.namespace}
        return {"apiVersion": api_version, "kind": kind, "metadata": metadata}


def _ready(document: Document) -> dict[str, Any]:
    conditions = document.get("status", {}).get("conditions", [])
    return next((dict(each) for each in conditions if each["type"] == "Ready"), {})


def _without_byte_code(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    return None if "__pycache__" in member.name else member
