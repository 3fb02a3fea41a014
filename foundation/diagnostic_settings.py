"""Diagnostic settings: the one maker."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import pulumi
from pulumi_azure_native import monitor


def diagnostic_settings(
    name: str,
    *,
    target_id: pulumi.Input[str],
    workspace_id: pulumi.Input[str],
    parent: pulumi.Resource,
    logs: Sequence[str] = (),
    log_groups: Sequence[str] = (),
    metrics: bool = True,
    metric_category: str = "AllMetrics",
    destination_type: Literal["Dedicated"] | None = None,
) -> monitor.DiagnosticSetting:
    """Send a resource's logs (by category, or by group such as `allLogs`) and platform metrics to a workspace.

    `destination_type="Dedicated"` writes to one table for each category, which only some types can do (a firewall).
    Storage accounts know their metrics as `Transaction`.
    They survive their target in Azure, so they are never `deleted_with` it; the target's id orders the delete.
    """
    by_category: list[monitor.DiagnosticsLogSettingsArgsDict] = [
        {"category": category, "enabled": True} for category in logs
    ]
    by_group: list[monitor.DiagnosticsLogSettingsArgsDict] = [
        {"category_group": group, "enabled": True} for group in log_groups
    ]
    return monitor.DiagnosticSetting(
        name,
        name="to-workspace",
        resource_uri=target_id,
        workspace_id=workspace_id,
        log_analytics_destination_type=destination_type,
        logs=by_category + by_group,
        metrics=[{"category": metric_category, "enabled": True}] if metrics else [],
        opts=pulumi.ResourceOptions(parent=parent),
    )
