"""The workload's database: one Cosmos DB account with a copy in every region of the fleet, each read and written.

It has no keys. Private endpoints and the workloads' right on the data belong to the stamps.
"""

from __future__ import annotations

import pulumi
from pulumi_azure_native import cosmosdb, monitor

from foundation.azure_regions import ZONES
from foundation.azure_types import Arguments, In
from foundation.diagnostic_settings import diagnostic_settings
from foundation.naming import Naming
from shared.config import DatabaseSettings

DATABASE = "workload"
CONTAINER = "visits"
PARTITION_KEY = "/region"
AVAILABILITY_PERCENT = 100


class DatabaseArgs(Arguments):
    """`location` is the account's home and comes first, `regions` is every region of the fleet."""

    resource_group_name: In[str]
    location: str
    regions: tuple[str, ...]
    settings: DatabaseSettings
    workspace_id: In[str]
    action_group_id: In[str]
    naming: Naming
    tags: dict[str, str]
    protect: bool


class Database(pulumi.ComponentResource):
    """A closed account without keys, one database and the container that the sample workload writes into."""

    endpoint: str
    regions: tuple[str, ...]
    contract: dict[str, object]

    def __init__(self, name: str, args: DatabaseArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("aks-geode:shared:Database", name, None, opts)
        # The first region settles conflicts between the writes of two, so it stays the home whatever is added.
        self.regions = (args.location, *(region for region in args.regions if region != args.location))
        account_name = args.naming.database_account()
        # Written out and not read from the account, so that a preview shows it. Public Azure only.
        self.endpoint = f"https://{account_name}.documents.azure.com:443/"
        account = self._account(name, args, account_name)
        kept = pulumi.ResourceOptions(parent=self, protect=args.protect)
        database = cosmosdb.SqlResourceSqlDatabase(
            f"{name}-database",
            database_name=DATABASE,
            account_name=account.name,
            resource_group_name=args.resource_group_name,
            resource={"id": DATABASE},
            opts=kept,
        )
        container = cosmosdb.SqlResourceSqlContainer(
            f"{name}-container",
            container_name=CONTAINER,
            database_name=database.name,
            account_name=account.name,
            resource_group_name=args.resource_group_name,
            resource=_container(),
            options={"autoscale_settings": {"max_throughput": args.settings.max_throughput}},
            opts=kept,
        )
        diagnostic_settings(
            f"{name}-diagnostics",
            target_id=account.id,
            workspace_id=args.workspace_id,
            # A line for each request would cost more than the request; what operators change is logged.
            logs=("ControlPlaneRequests",),
            destination_type="Dedicated",
            parent=self,
        )
        self._availability(name, args, account)
        self.contract = {
            "accountId": account.id,
            "accountName": account.name,
            "endpoint": self.endpoint,
            "database": database.name,
            "container": container.name,
            "regions": list(self.regions),
        }
        self.register_outputs({"endpoint": self.endpoint})

    def _account(self, name: str, args: DatabaseArgs, account_name: str) -> cosmosdb.DatabaseAccount:
        return cosmosdb.DatabaseAccount(
            f"{name}-account",
            account_name=account_name,
            resource_group_name=args.resource_group_name,
            location=args.location,
            tags=args.tags,
            kind=cosmosdb.DatabaseAccountKind.GLOBAL_DOCUMENT_DB,
            database_account_offer_type=cosmosdb.DatabaseAccountOfferType.STANDARD,
            locations=[
                {
                    "location_name": region,
                    "failover_priority": priority,
                    "is_zone_redundant": args.settings.zone_redundant and bool(ZONES.get(region)),
                }
                for priority, region in enumerate(self.regions)
            ],
            # With one region too: Azure refuses an update that adds a region and changes anything else, so this could
            # not come with the second one (https://learn.microsoft.com/azure/cosmos-db/nosql/manage-with-bicep).
            enable_multiple_write_locations=True,
            enable_automatic_failover=True,
            consistency_policy={
                "default_consistency_level": cosmosdb.DefaultConsistencyLevel(args.settings.consistency)
            },
            # An Args class: the SDK cannot tell the two kinds of backup apart and sends a dict's keys as they stand.
            backup_policy=cosmosdb.ContinuousModeBackupPolicyArgs(
                type="Continuous",
                continuous_mode_properties=cosmosdb.ContinuousModePropertiesArgs(tier=args.settings.backup),
            ),
            disable_local_auth=True,
            disable_key_based_metadata_write_access=True,
            public_network_access="Disabled",
            network_acl_bypass=cosmosdb.NetworkAclBypass.NONE,
            is_virtual_network_filter_enabled=False,
            ip_rules=[],
            minimal_tls_version=cosmosdb.MinimalTlsVersion.TLS12,
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect),
        )

    def _availability(self, name: str, args: DatabaseArgs, account: cosmosdb.DatabaseAccount) -> None:
        # Azure computes this once an hour; that one region fails is seen much earlier, by the stamp's own probe.
        criterion = monitor.MetricCriteriaArgs(
            criterion_type="StaticThresholdCriterion",
            name="availability",
            metric_namespace="Microsoft.DocumentDB/databaseAccounts",
            metric_name="ServiceAvailability",
            dimensions=[],
            time_aggregation="Average",
            operator="LessThan",
            threshold=AVAILABILITY_PERCENT,
            skip_metric_validation=False,
        )
        monitor.MetricAlert(
            f"{name}-availability",
            rule_name=args.naming.name("ma", "database-availability"),
            resource_group_name=args.resource_group_name,
            location="global",
            tags=args.tags,
            description="Cosmos DB failed requests of the last hour",
            severity=1,
            enabled=True,
            auto_mitigate=True,
            scopes=[account.id],
            evaluation_frequency="PT5M",
            window_size="PT1H",
            criteria=monitor.MetricAlertSingleResourceMultipleMetricCriteriaArgs(
                odata_type="Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria", all_of=[criterion]
            ),
            actions=[{"action_group_id": args.action_group_id}],
            opts=pulumi.ResourceOptions(parent=self),
        )


def _container() -> cosmosdb.SqlContainerResourceArgsDict:
    return {
        "id": CONTAINER,
        "partition_key": {"paths": [PARTITION_KEY], "kind": "Hash", "version": 2},
        "indexing_policy": {
            "indexing_mode": "consistent",
            "automatic": True,
            "included_paths": [{"path": "/*"}],
            "excluded_paths": [{"path": '/"_etag"/?'}],
        },
        # Two regions never write one document here. The policy is fixed at birth, so it is said all the same.
        "conflict_resolution_policy": {"mode": "LastWriterWins", "conflict_resolution_path": "/_ts"},
    }
