"""Virtual network flow logs of a stamp, with their storage account and traffic analytics.

The Network Watcher they hang under belongs to Azure, one a region and subscription, in a group that is not the stamp's:
so names carry the stamp, and deleting the stamp's groups would leave the flow logs behind.
"""

from __future__ import annotations

import pulumi
from pulumi_azure_native import managedidentity, network, storage

from foundation.arm_ids import child_id
from foundation.azure_retries import transient_retry
from foundation.azure_types import Arguments, In
from foundation.diagnostic_settings import diagnostic_settings
from foundation.naming import Naming
from foundation.roles import Role, assign_role
from stamps.config import NetworkWatcherSettings

_COOL_AFTER_DAYS = 30
_DELETE_AFTER_DAYS = 365
_SOFT_DELETE_DAYS = 7
_ANALYTICS_INTERVAL_MINUTES = 10


class FlowLogsArgs(Arguments):
    """`virtual_network_ids` by role, for example `hub` and `spoke`; the workspace is the one for network logs."""

    naming: Naming
    location: str
    zones: tuple[str, ...]
    resource_group_name: In[str]
    virtual_network_ids: dict[str, In[str]]
    workspace_id: In[str]
    workspace_location: str
    network_watcher: NetworkWatcherSettings
    tags: dict[str, str]


class FlowLogs(pulumi.ComponentResource):
    """One flow log for each virtual network of a stamp and the account that keeps them for a year."""

    storage_account_id: pulumi.Output[str]
    flow_logs: list[network.FlowLog]

    def __init__(self, name: str, args: FlowLogsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("aks-geode:stamps:FlowLogs", name, None, opts)
        account = self._storage_account(name, args)
        self._blob_service(name, args, account)
        identity = managedidentity.UserAssignedIdentity(
            f"{name}-identity",
            resource_name_=args.naming.name("id", "flow-logs"),
            resource_group_name=args.resource_group_name,
            location=args.location,
            tags=args.tags,
            opts=pulumi.ResourceOptions(parent=self),
        )
        role = assign_role(
            f"{name}-writes-blobs",
            Role.STORAGE_BLOB_DATA_CONTRIBUTOR,
            scope=account.id,
            principal_id=identity.principal_id,
            naming=args.naming,
            parent=self,
        )
        self.flow_logs = []
        for network_role, network_id in args.virtual_network_ids.items():
            # The watcher takes one write at a time, hence the chain; without the role the first log cannot be written.
            after: list[pulumi.Resource] = [role, *self.flow_logs[-1:]]
            self.flow_logs.append(
                self._flow_log(f"{name}-{network_role}", args, network_role, network_id, account, identity, after)
            )
        self.storage_account_id = account.id
        self.register_outputs({"storage_account_id": self.storage_account_id})

    def _storage_account(self, name: str, args: FlowLogsArgs) -> storage.StorageAccount:
        return storage.StorageAccount(
            f"{name}-account",
            account_name=args.naming.unique_alphanumeric("st", "flow"),
            resource_group_name=args.resource_group_name,
            location=args.location,
            tags=args.tags,
            kind="StorageV2",
            sku={"name": "Standard_ZRS" if args.zones else "Standard_LRS"},
            access_tier=storage.AccessTier.HOT,
            minimum_tls_version="TLS1_2",
            enable_https_traffic_only=True,
            allow_blob_public_access=False,
            allow_cross_tenant_replication=False,
            allow_shared_key_access=False,
            default_to_o_auth_authentication=True,
            # Network Watcher writes as a trusted service from outside the network: the endpoint is there, for it alone.
            public_network_access="Enabled",
            network_rule_set=_only_trusted_services(),
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _blob_service(self, name: str, args: FlowLogsArgs, account: storage.StorageAccount) -> None:
        """Declare how long blobs live and who is told when somebody reads or deletes one."""
        service = storage.BlobServiceProperties(
            f"{name}-blob-service",
            blob_services_name="default",
            account_name=account.name,
            resource_group_name=args.resource_group_name,
            delete_retention_policy={"enabled": True, "days": _SOFT_DELETE_DAYS},
            container_delete_retention_policy={"enabled": True, "days": _SOFT_DELETE_DAYS},
            opts=pulumi.ResourceOptions(parent=self),
        )
        storage.ManagementPolicy(
            f"{name}-lifecycle",
            management_policy_name="default",
            account_name=account.name,
            resource_group_name=args.resource_group_name,
            policy={"rules": [_lifecycle_rule()]},
            # Writes to one account that overlap are refused as a conflict.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[service]),
        )
        diagnostic_settings(
            f"{name}-account-diagnostics",
            target_id=account.id,
            workspace_id=args.workspace_id,
            parent=self,
            metric_category="Transaction",
        )
        diagnostic_settings(
            f"{name}-blob-diagnostics",
            target_id=child_id(account.id, "blobServices", "default"),
            workspace_id=args.workspace_id,
            parent=self,
            # Not StorageWrite: that would log the writing of logs.
            logs=("StorageRead", "StorageDelete"),
            metric_category="Transaction",
        )

    def _flow_log(
        self,
        logical_name: str,
        args: FlowLogsArgs,
        role: str,
        network_id: In[str],
        account: storage.StorageAccount,
        identity: managedidentity.UserAssignedIdentity,
        after: list[pulumi.Resource],
    ) -> network.FlowLog:
        return network.FlowLog(
            logical_name,
            flow_log_name=args.naming.name("fl", role),
            network_watcher_name=args.network_watcher.name or f"NetworkWatcher_{args.location}",
            resource_group_name=args.network_watcher.resource_group,
            location=args.location,
            tags=args.tags,
            target_resource_id=network_id,
            storage_id=account.id,
            identity={"type": network.ResourceIdentityType.USER_ASSIGNED, "user_assigned_identities": [identity.id]},
            enabled=True,
            format={"type": "JSON", "version": 2},
            # With a retention here Network Watcher would write its own rules into the account's lifecycle policy.
            retention_policy={"enabled": False, "days": 0},
            flow_analytics_configuration={
                "network_watcher_flow_analytics_configuration": {
                    "enabled": True,
                    "workspace_resource_id": args.workspace_id,
                    # Azure does not look the region up and refuses the wrong one (InvalidTAWorkspaceRegion).
                    "workspace_region": args.workspace_location,
                    "traffic_analytics_interval": _ANALYTICS_INTERVAL_MINUTES,
                }
            },
            # Azure makes the region's watcher some time after the first network: the hook waits for it.
            opts=pulumi.ResourceOptions(parent=self, depends_on=after, hooks=transient_retry()),
        )


def _only_trusted_services() -> storage.NetworkRuleSetArgsDict:
    return {
        "bypass": "AzureServices",
        "default_action": storage.DefaultAction.DENY,
        "ip_rules": [],
        "virtual_network_rules": [],
    }


def _lifecycle_rule() -> storage.ManagementPolicyRuleArgsDict:
    return {
        "name": "flow-logs",
        "type": "Lifecycle",
        "enabled": True,
        "definition": {
            "filters": {"blob_types": ["blockBlob"], "prefix_match": ["insights-logs-flowlogflowevent/"]},
            "actions": {
                "base_blob": {
                    "tier_to_cool": {"days_after_modification_greater_than": _COOL_AFTER_DAYS},
                    "delete": {"days_after_modification_greater_than": _DELETE_AFTER_DAYS},
                }
            },
        },
    }
