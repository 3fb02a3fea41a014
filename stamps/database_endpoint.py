"""The stamp's private way to the shared database, and its workload's right on the data. It owns no data itself.

Cosmos DB has roles of its own beside Azure's: they lie below the account, and a path of the data is their scope.
"""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
from pulumi_azure_native import cosmosdb

from foundation.arm_ids import child_id
from foundation.azure_retries import transient_retry
from foundation.azure_types import Arguments, In
from foundation.naming import Naming
from shared.outputs import DatabaseContract
from stamps.private_access import private_access

ZONE_NAME = "privatelink.documents.azure.com"
DATA_CONTRIBUTOR = "00000000-0000-0000-0000-000000000002"
"""*Cosmos DB Built-in Data Contributor*, in each account
(https://learn.microsoft.com/azure/cosmos-db/reference-data-plane-security)."""
_LONGEST_TAG = 256


class DatabaseEndpointArgs(Arguments):
    """`virtual_network_ids` (role to id) are the networks that resolve the database's names.

    The endpoint takes 1 address for the account and 1 for each of its regions, now or later.
    """

    naming: Naming
    location: str
    resource_group_name: In[str]
    contract: DatabaseContract
    shared_resource_group: str
    workload_principal_id: In[str]
    subnet_id: In[str]
    virtual_network_ids: dict[str, In[str]]
    tags: dict[str, str]


class DatabaseEndpoint(pulumi.ComponentResource):
    """A private endpoint on the account, a zone of the stamp's own, and one role; the workload waits for `ready`."""

    id: pulumi.Output[str]
    ready: Sequence[pulumi.Resource]

    def __init__(self, name: str, args: DatabaseEndpointArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("aks-geode:stamps:DatabaseEndpoint", name, None, opts)
        account = args.contract
        self.id, reachable = private_access(
            name,
            parent=self,
            naming=args.naming,
            location=args.location,
            resource_group_name=args.resource_group_name,
            target_id=account.account_id,
            group_id="Sql",
            zone_name=ZONE_NAME,
            subnet_id=args.subnet_id,
            virtual_network_ids=args.virtual_network_ids,
            tags=args.tags,
            # A region that the account gets later has its name in the zone after the next write of the endpoint
            # (https://learn.microsoft.com/azure/cosmos-db/how-to-configure-private-endpoints), which this brings about.
            endpoint_tags={"database-regions": f"{len(account.regions)}: {' '.join(account.regions)}"[:_LONGEST_TAG]},
        )
        role = cosmosdb.SqlResourceSqlRoleAssignment(
            f"{name}-data-contributor",
            role_assignment_id=args.naming.role_assignment(name, DATA_CONTRIBUTOR),
            account_name=account.account_name,
            resource_group_name=args.shared_resource_group,
            principal_id=args.workload_principal_id,
            role_definition_id=child_id(account.account_id, "sqlRoleDefinitions", DATA_CONTRIBUTOR),
            scope=child_id(account.account_id, "dbs", account.database),
            opts=pulumi.ResourceOptions(
                parent=self,
                # Azure writes to the account for the endpoint too, and takes one write at a time.
                depends_on=reachable,
                # Azure updates none of them (https://github.com/pulumi/pulumi-azure-native/issues/2253).
                replace_on_changes=["principalId", "roleDefinitionId", "scope"],
                delete_before_replace=True,
                hooks=transient_retry(),
            ),
        )
        self.ready = [*reachable, role]
        self.register_outputs({"id": self.id})
