"""The processes of a control plane on loopback: etcd, API server, controller manager, scheduler, nodes, Flux.

Nodes are kwok's: real objects with real heartbeats, whose pods become ready without a container. One process keeps the
nodes of one zone alive, so a zone is lost when its process ends.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.cluster.api import Api, eventually
from tools.control_plane import kwok_stages, program

LOOPBACK = "127.0.0.1"
HEARTBEAT_SECONDS = 4
"""How long a node's lease holds. A node is taken for lost after two of them, in AKS after 40 to 50 s."""

TOLERATION_SECONDS = 2
"""How long pods stay on a lost node before they are replaced; 300 on AKS."""


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


class Processes:
    """Starts and stops programs of one control plane; everything they write goes below one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._token = secrets.token_hex(16)
        self._api_port = free_port()
        self._certificate = folder / "certificates" / "apiserver.crt"
        self._kubeconfig = folder / "kubeconfig"
        self.api = Api(self._api_port, self._token, self._certificate)

    def start(self) -> None:
        """Start everything that a cluster has before its first node; takes seconds."""
        etcd = self._start_etcd()
        self._start_api_server(etcd)
        eventually(self.api.ready, 120, f"the API server serves; it says:\n{self.log('kube-apiserver')}")
        self._write_kubeconfig()
        common = [f"--kubeconfig={self._kubeconfig}", f"--bind-address={LOOPBACK}", "--leader-elect=false"]
        self.run(
            "kube-controller-manager",
            *common,
            f"--secure-port={free_port()}",
            f"--cert-dir={self._folder / 'certificates-controller-manager'}",
            f"--service-account-private-key-file={self._folder / 'accounts.key'}",
            f"--root-ca-file={self._certificate}",
            "--horizontal-pod-autoscaler-sync-period=1s",
            f"--node-monitor-grace-period={2 * HEARTBEAT_SECONDS}s",
            "--node-monitor-period=1s",
            # On AKS one node in ten seconds.
            "--node-eviction-rate=10",
        )
        self.run(
            "kube-scheduler",
            *common,
            f"--secure-port={free_port()}",
            f"--cert-dir={self._folder / 'certificates-scheduler'}",
        )

    def start_zone(self, zone: str) -> None:
        """Let the nodes of a zone live."""
        self.run(
            "kwok",
            f"--kubeconfig={self._kubeconfig}",
            f"--manage-nodes-with-label-selector=topology.kubernetes.io/zone={zone}",
            f"--node-lease-duration-seconds={HEARTBEAT_SECONDS}",
            f"--server-address={LOOPBACK}:{free_port()}",
            *[f"--config={stage}" for stage in kwok_stages()],
            role=zone,
        )

    def start_flux(self, controller: str, *arguments: str) -> None:
        """Start one of Flux's controllers with what Azure's extension sets; it acts as an administrator."""
        self.run(
            controller,
            "--watch-all-namespaces",
            "--no-cross-namespace-refs",
            "--default-service-account=flux-applier",
            # Half a minute by default, in which the tests would wait.
            "--requeue-dependency=1s",
            f"--metrics-addr={LOOPBACK}:{free_port()}",
            f"--health-addr={LOOPBACK}:{free_port()}",
            *arguments,
        )

    def run(self, name: str, *arguments: str, role: str = "") -> None:
        """Start a program; its output goes to a file named by its role."""
        environment = os.environ | {"KUBECONFIG": str(self._kubeconfig), "RUNTIME_NAMESPACE": "flux-system"}
        with (self._folder / f"{role or name}.log").open("ab") as log:
            self._running[role or name] = subprocess.Popen(
                [str(program(name)), *arguments],
                cwd=self._folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def end(self, role: str) -> None:
        """Kill a process, as a power cut would."""
        process = self._running.pop(role)
        process.kill()
        process.wait()

    def stop(self) -> None:
        """Stop everything, the API server before etcd: without etcd it would wait for a minute."""
        self.api.close()
        for role in [*self._running][::-1]:
            process = self._running.pop(role)
            process.send_signal(signal.SIGTERM if role in {"etcd", "kube-apiserver"} else signal.SIGKILL)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def dead(self) -> list[str]:
        """Return the roles whose process ended by itself."""
        return [role for role, process in self._running.items() if process.poll() is not None]

    def log(self, role: str, lines: int = 15) -> str:
        """Return the last lines that a process wrote."""
        file = self._folder / f"{role}.log"
        return "\n".join(file.read_text(errors="replace").splitlines()[-lines:]) if file.exists() else ""

    def memory(self) -> dict[str, float]:
        """Return the memory that each process holds now, in MiB."""
        held = {}
        for role, process in self._running.items():
            words = Path(f"/proc/{process.pid}/statm").read_text().split()
            held[role] = int(words[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
        return held

    def _start_etcd(self) -> str:
        clients, peers = (f"http://{LOOPBACK}:{free_port()}" for _ in range(2))
        self.run(
            "etcd",
            f"--data-dir={self._folder / 'etcd'}",
            f"--listen-client-urls={clients}",
            f"--advertise-client-urls={clients}",
            f"--listen-peer-urls={peers}",
            f"--initial-advertise-peer-urls={peers}",
            f"--initial-cluster=default={peers}",
            "--log-level=warn",
            # The data die with the test.
            "--unsafe-no-fsync",
        )
        return clients

    def _start_api_server(self, etcd: str) -> None:
        key = self._folder / "accounts.key"
        key.write_bytes(
            rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.TraditionalOpenSSL,
                serialization.NoEncryption(),
            )
        )
        tokens = self._folder / "tokens.csv"
        tokens.write_text(f'{self._token},administrator,administrator,"system:masters"\n')
        self.run(
            "kube-apiserver",
            f"--etcd-servers={etcd}",
            f"--bind-address={LOOPBACK}",
            f"--secure-port={self._api_port}",
            f"--cert-dir={self._certificate.parent}",
            "--service-cluster-ip-range=172.16.0.0/16",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={key}",
            f"--service-account-signing-key-file={key}",
            "--authorization-mode=RBAC",
            f"--token-auth-file={tokens}",
            # Loopback is no address of a service's endpoints.
            "--endpoint-reconciler-type=none",
            f"--default-unreachable-toleration-seconds={TOLERATION_SECONDS}",
            f"--default-not-ready-toleration-seconds={TOLERATION_SECONDS}",
        )

    def _write_kubeconfig(self) -> None:
        cluster = {"server": f"https://{LOOPBACK}:{self._api_port}", "certificate-authority": str(self._certificate)}
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "stamp", "cluster": cluster}],
            "users": [{"name": "administrator", "user": {"token": self._token}}],
            "contexts": [{"name": "stamp", "context": {"cluster": "stamp", "user": "administrator"}}],
            "current-context": "stamp",
        }
        self._kubeconfig.write_text(json.dumps(content))
        self._kubeconfig.chmod(0o600)
