"""What wakes people about a cluster, as data: Prometheus alerts and platform metric alerts.

Severity: 1 users are hit, 2 capacity or a node is going, 3 a workload needs a look. Durations are ISO 8601.
Metrics are those that the default collection keeps
(https://learn.microsoft.com/azure/azure-monitor/containers/prometheus-metrics-scrape-default).
"""

from __future__ import annotations

from typing import Literal, NamedTuple


class PrometheusAlertRule(NamedTuple):
    """Fires when `expression` yields something for `lasting`."""

    alert: str
    description: str
    expression: str
    lasting: str
    severity: int


class MetricAlertRule(NamedTuple):
    """Fires when the platform metric, aggregated over `window`, is above `threshold`."""

    name: str
    description: str
    metric: str
    aggregation: Literal["Average", "Maximum", "Total"]
    threshold: float
    window: str
    severity: int


_OWNER = 'group_left(controller) label_replace(kube_pod_owner, "controller", "$1", "owner_name", "(.*)")'

PROMETHEUS_ALERTS = (
    PrometheusAlertRule(
        "KubeNodeCPUHigh",
        "A node's processors are more than 80 % busy",
        "instance:node_cpu_utilisation:rate5m > 0.8",
        "PT5M",
        3,
    ),
    PrometheusAlertRule(
        "KubeNodeMemoryHigh",
        "A node's memory is more than 80 % used",
        "instance:node_memory_utilisation:ratio > 0.8",
        "PT5M",
        3,
    ),
    PrometheusAlertRule(
        "KubeNodeDiskHigh",
        "A node's disk is more than 80 % full",
        'max by (cluster, instance, device) (1 - node_filesystem_avail_bytes{job="node", fstype!="tmpfs"} '
        '/ node_filesystem_size_bytes{job="node", fstype!="tmpfs"}) > 0.8',
        "PT5M",
        2,
    ),
    PrometheusAlertRule(
        "KubeNodeNotReady",
        "A node is not ready",
        'sum by (cluster, node) (kube_node_status_condition{job="kube-state-metrics", condition="Ready", '
        'status="true"}) == 0',
        "PT5M",
        2,
    ),
    PrometheusAlertRule(
        "KubeContainerCPUHigh",
        "A container uses more than 90 % of its processor limit",
        'sum by (cluster, namespace, pod, container) (rate(container_cpu_usage_seconds_total{image!=""}[5m])) '
        "/ sum by (cluster, namespace, pod, container) "
        '(kube_pod_container_resource_limits{resource="cpu", job="kube-state-metrics"}) > 0.9',
        "PT5M",
        3,
    ),
    PrometheusAlertRule(
        "KubeContainerMemoryHigh",
        "A container's working set is above 90 % of its memory limit",
        'sum by (cluster, namespace, pod, container) (container_memory_working_set_bytes{image!=""}) '
        "/ sum by (cluster, namespace, pod, container) "
        '(kube_pod_container_resource_limits{resource="memory", job="kube-state-metrics"}) > 0.9',
        "PT5M",
        3,
    ),
    PrometheusAlertRule(
        "KubePodFailed",
        "A workload has failed pods",
        'sum by (cluster, namespace, controller) (kube_pod_status_phase{job="kube-state-metrics", phase="Failed"} '
        f"* on (cluster, namespace, pod) {_OWNER}) > 0",
        "PT5M",
        3,
    ),
    PrometheusAlertRule(
        "KubeContainerOOMKilled",
        "A container was killed for lack of memory in the last ten minutes",
        "sum by (cluster, namespace, controller, container) "
        '((kube_pod_container_status_last_terminated_reason{reason="OOMKilled"} '
        "and on (cluster, namespace, pod, container) increase(kube_pod_container_status_restarts_total[10m]) > 0) "
        f"* on (cluster, namespace, pod) {_OWNER}) > 0",
        "PT1M",
        3,
    ),
    PrometheusAlertRule(
        "KubeContainerRestarting",
        "A container restarted more than three times in an hour",
        "sum by (cluster, namespace, controller, container) (increase(kube_pod_container_status_restarts_total"
        f'{{job="kube-state-metrics"}}[1h]) * on (cluster, namespace, pod) {_OWNER}) > 3',
        "PT1M",
        3,
    ),
    PrometheusAlertRule(
        "KubePodReadyLow",
        "Less than 80 % of a deployment's pods are ready",
        "sum by (cluster, namespace, deployment) (kube_deployment_status_replicas_ready) "
        "/ sum by (cluster, namespace, deployment) (kube_deployment_spec_replicas) < 0.8",
        "PT5M",
        1,
    ),
    PrometheusAlertRule(
        "KubeJobStale",
        "A job has not completed for six hours",
        "sum by (cluster, namespace, job_name) (kube_job_spec_completions) "
        "- sum by (cluster, namespace, job_name) (kube_job_status_succeeded) > 0",
        "PT6H",
        3,
    ),
    PrometheusAlertRule(
        "KubePersistentVolumeHigh",
        "A persistent volume is more than 80 % full",
        "max by (cluster, namespace, persistentvolumeclaim) "
        "(1 - kubelet_volume_stats_available_bytes / kubelet_volume_stats_capacity_bytes) > 0.8",
        "PT5M",
        2,
    ),
)

METRIC_ALERTS = (
    # These speak when the metrics add-on itself is down or its way out is blocked.
    MetricAlertRule(
        "node-cpu",
        "Processors of a node are nearly exhausted",
        "node_cpu_usage_percentage",
        "Maximum",
        95,
        "PT15M",
        2,
    ),
    MetricAlertRule(
        "node-memory",
        "Memory of a node is nearly exhausted",
        "node_memory_working_set_percentage",
        "Maximum",
        95,
        "PT15M",
        2,
    ),
    MetricAlertRule(
        "unschedulable-pods",
        "Pods find no node and the autoscaler cannot add one",
        "cluster_autoscaler_unschedulable_pods_count",
        "Average",
        0,
        "PT15M",
        1,
    ),
)
