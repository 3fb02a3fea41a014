"""Recording rules for managed Prometheus: what Azure's dashboards and our alerts read instead of raw series.

A selection of Azure's recommended groups
(https://learn.microsoft.com/azure/azure-monitor/containers/prometheus-metrics-scrape-default).
"""

from __future__ import annotations

from typing import NamedTuple


class RecordingRule(NamedTuple):
    """The series `record` holds what `expression` yields each minute."""

    record: str
    expression: str


_POD_NODE = 'topk by (cluster, namespace, pod) (1, max by (cluster, namespace, pod, node) (kube_pod_info{node!=""}))'
_NETWORK = 'sum without (device) (rate({metric}{{job="node", device!="lo"}}[5m]))'
_ACTIVE_PODS = (
    'group_left() max by (cluster, namespace, pod) ((kube_pod_status_phase{job="kube-state-metrics", '
    'phase=~"Pending|Running"} == 1))'
)


def _container_memory(kind: str) -> RecordingRule:
    return RecordingRule(
        f"node_namespace_pod_container:container_memory_{kind}",
        f'container_memory_{kind}{{job="cadvisor", image!=""}} '
        f"* on (cluster, namespace, pod) group_left(node) {_POD_NODE}",
    )


def _pod_resource(resource: str, kind: str) -> RecordingRule:
    return RecordingRule(
        f"cluster:namespace:pod_{resource}:active:kube_pod_container_resource_{kind}",
        f'kube_pod_container_resource_{kind}{{resource="{resource}", job="kube-state-metrics"}} '
        f"* on (cluster, namespace, pod) {_ACTIVE_PODS}",
    )


NODE_RULES = (
    RecordingRule(
        "instance:node_num_cpu:sum", 'count without (cpu, mode) (node_cpu_seconds_total{job="node", mode="idle"})'
    ),
    RecordingRule(
        "instance:node_cpu_utilisation:rate5m",
        "1 - avg without (cpu) (sum without (mode) "
        '(rate(node_cpu_seconds_total{job="node", mode=~"idle|iowait|steal"}[5m])))',
    ),
    RecordingRule(
        "instance:node_load1_per_cpu:ratio", 'node_load1{job="node"} / instance:node_num_cpu:sum{job="node"}'
    ),
    RecordingRule(
        "instance:node_memory_utilisation:ratio",
        '1 - (node_memory_MemAvailable_bytes{job="node"} / node_memory_MemTotal_bytes{job="node"})',
    ),
    RecordingRule("instance:node_vmstat_pgmajfault:rate5m", 'rate(node_vmstat_pgmajfault{job="node"}[5m])'),
    RecordingRule(
        "instance_device:node_disk_io_time_seconds:rate5m",
        'rate(node_disk_io_time_seconds_total{job="node", device!=""}[5m])',
    ),
    RecordingRule(
        "instance:node_network_receive_bytes_excluding_lo:rate5m",
        _NETWORK.format(metric="node_network_receive_bytes_total"),
    ),
    RecordingRule(
        "instance:node_network_transmit_bytes_excluding_lo:rate5m",
        _NETWORK.format(metric="node_network_transmit_bytes_total"),
    ),
    RecordingRule(
        "instance:node_network_receive_drop_excluding_lo:rate5m",
        _NETWORK.format(metric="node_network_receive_drop_total"),
    ),
    RecordingRule(
        "instance:node_network_transmit_drop_excluding_lo:rate5m",
        _NETWORK.format(metric="node_network_transmit_drop_total"),
    ),
)

KUBERNETES_RULES = (
    RecordingRule(
        "node_namespace_pod_container:container_cpu_usage_seconds_total:sum_irate",
        "sum by (cluster, namespace, pod, container) "
        '(irate(container_cpu_usage_seconds_total{job="cadvisor", image!=""}[5m])) '
        f"* on (cluster, namespace, pod) group_left(node) {_POD_NODE}",
    ),
    _container_memory("working_set_bytes"),
    _container_memory("rss"),
    _pod_resource("memory", "requests"),
    _pod_resource("memory", "limits"),
    _pod_resource("cpu", "requests"),
    _pod_resource("cpu", "limits"),
    RecordingRule(
        ":node_memory_MemAvailable_bytes:sum", 'sum(node_memory_MemAvailable_bytes{job="node"}) by (cluster)'
    ),
    RecordingRule(
        "cluster:node_cpu:ratio_rate5m",
        'sum(rate(node_cpu_seconds_total{job="node", mode!="idle", mode!="iowait", mode!="steal"}[5m])) by (cluster) '
        '/ count(sum(node_cpu_seconds_total{job="node"}) by (cluster, instance, cpu)) by (cluster)',
    ),
)

RECORDING_GROUPS = {"nodes": NODE_RULES, "kubernetes": KUBERNETES_RULES}
"""Rule groups by the word that enters their names; Azure takes at most 20 rules a group."""
