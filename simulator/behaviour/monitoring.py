"""What Network Watcher and Azure Monitor refuse: one watcher a region, and everything in the region of its store."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from simulator.azure_errors import AzureRequest, Rule, bad_request, conflict
from simulator.immutability import same_location

_WATCHERS: Final = "Microsoft.Network/networkWatchers"


def _watcher(request: AzureRequest) -> None:
    # One a subscription and region, which Azure makes with the first network there (azure-cli#15796).
    for other in request.store.of_type(_WATCHERS):
        if other.id.lower() != request.id.lower() and same_location(
            other.outputs.get("location"), request.inputs.get("location")
        ):
            raise bad_request(
                "NetworkWatcherCountLimitReached",
                "Cannot create more than 1 network watchers for this subscription in this region.",
            )


def _flow_log(request: AzureRequest) -> None:
    target = request.reference("targetResourceId").lower()
    for other in request.store.of_type("Microsoft.Network/networkWatchers/flowLogs"):
        if str(other.inputs.get("targetResourceId", "")).lower() == target and other.id.lower() != request.id.lower():
            raise conflict("FlowLogAlreadyExists", f"Target {target} already has the flow log {other.id}.")
    watcher = request.store.get(request.id.rsplit("/flowLogs/", 1)[0])
    location = request.inputs.get("location")
    if watcher and location and not same_location(watcher.outputs.get("location"), location):
        raise bad_request("InvalidFlowLogLocation", "A flow log lies in the region of its network watcher.")
    region = watcher.outputs.get("location") if watcher else location
    # ansible-collections/azure#1814, azure-cli#7065: target and storage account lie in the flow log's region.
    for name in ("targetResourceId", "storageId"):
        stored = request.store.get(request.reference(name))
        if stored and not same_location(stored.outputs.get("location"), region):
            raise bad_request(
                "InvalidFlowLogLocation",
                f"{stored.id} is in {stored.outputs.get('location')}: a flow log's target and storage account lie in "
                f"its own region, {region}.",
            )


def _traffic_analytics(request: AzureRequest) -> None:
    # Left out, the workspace's region is taken to be the flow log's (terraform-azurerm-caf#613).
    whole = request.inputs.get("flowAnalyticsConfiguration") or {}
    settings = whole.get("networkWatcherFlowAnalyticsConfiguration") or {}
    workspace = request.store.get(str(settings.get("workspaceResourceId") or ""))
    region = settings.get("workspaceRegion") or request.outputs.get("location")
    if workspace and not same_location(workspace.outputs.get("location"), region):
        raise bad_request(
            "InvalidTAWorkspaceRegion",
            f"The specified region {region} for workspace is invalid. Workspace {workspace.id} located in "
            f"{workspace.outputs.get('location')} region.",
        )


def _collection_rule(request: AzureRequest) -> None:
    """Refuse a data collection rule that does not lie beside what it writes to.

    "A DCR must be in the same region as the Log Analytics workspace" (Azure Monitor's page on data collection rules);
    for metrics prometheus-collector#507: the template fails when endpoint and workspace lie in two regions.
    """
    region = request.inputs.get("location")
    for what, target in _destinations(request.inputs):
        stored = request.store.get(target)
        if stored and not same_location(stored.outputs.get("location"), region):
            raise bad_request(
                "InvalidPayload",
                f"Data collection rule {request.name} must be in the region of its {what}, "
                f"{stored.outputs.get('location')}.",
            )


def _destinations(inputs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    destinations = inputs.get("destinations") or {}
    for item in destinations.get("logAnalytics") or []:
        yield "workspace", str(item.get("workspaceResourceId", ""))
    for item in destinations.get("monitoringAccounts") or []:
        yield "Azure Monitor workspace", str(item.get("accountResourceId", ""))
    yield "endpoint", str(inputs.get("dataCollectionEndpointId") or "")


def _rule_group(request: AzureRequest) -> None:
    # https://learn.microsoft.com/azure/azure-monitor/essentials/prometheus-rule-groups: the workspace's region.
    for scope in request.inputs.get("scopes") or []:
        stored = request.store.get(str(scope))
        is_workspace = stored is not None and stored.arm_type == "microsoft.monitor/accounts"
        if (
            stored
            and is_workspace
            and not same_location(stored.outputs.get("location"), request.inputs.get("location"))
        ):
            raise bad_request(
                "BadRequest",
                f"Rule group {request.name} must be in the region of its Azure Monitor workspace, "
                f"{stored.outputs.get('location')}.",
            )


MONITORING_WRITES: Final[Mapping[str, tuple[Rule, ...]]] = {
    "alertsmanagement:PrometheusRuleGroup": (_rule_group,),
    "monitor:DataCollectionRule": (_collection_rule,),
    "network:FlowLog": (_flow_log, _traffic_analytics),
    "network:NetworkWatcher": (_watcher,),
}
"""Rules before a write, by ``module:Class``."""
