"""State storage, an identity for each stack and one for previews, and their rights: what a fleet's pipelines need.

It owns nothing that a stack owns: the stacks make their own resource groups.
"""

from __future__ import annotations

import pulumi
from pulumi_azure_native import authorization, resources

from bootstrap.config import BootstrapConfig, Fleet, SharedStack, StampStack
from bootstrap.deployment_identity import DefinedRole, DeploymentIdentity, DeploymentIdentityArgs, define_role
from bootstrap.rights import (
    CUSTOM_ROLES,
    FLOW_LOGS,
    IN_OWN_GROUPS,
    IN_SHARED_GROUP,
    ON_EVENT_STORAGE,
    POLICY,
    PUBLIC_NAME,
    REGISTRY_REPLICAS,
    STAMP_IN_DATABASE,
    STAMP_IN_SHARED_GROUP,
    CustomRole,
    OwnerRole,
)
from bootstrap.state_storage import StateStorage, StateStorageArgs
from foundation.arm_ids import resource_group_id, role_definition_id, subscription_scope
from foundation.azure_types import Arguments
from foundation.naming import Naming
from foundation.tags import resource_tags

_SCOPE = "bootstrap"
_ADMINISTRATOR = OwnerRole.ROLE_BASED_ACCESS_CONTROL_ADMINISTRATOR


class DeploymentAccessArgs(Arguments):
    """`fleet` is what `config` lists, as the fleet's own stack files describe it."""

    config: BootstrapConfig
    fleet: Fleet
    subscription_id: str


class DeploymentAccess(pulumi.ComponentResource):
    """Everything that pipelines need, in a resource group of its own."""

    backend_url: pulumi.Output[str]
    preview_client_id: pulumi.Output[str]
    client_ids: dict[str, pulumi.Output[str]]

    def __init__(self, name: str, args: DeploymentAccessArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("aks-geode:bootstrap:DeploymentAccess", name, None, opts)
        self._name, self._args = name, args
        self._fleet = args.fleet.in_subscription(args.subscription_id)
        workload = next(iter(self._fleet.shared.values())).config.workload
        self._naming = Naming(subscription_id=args.subscription_id, workload=workload, scope=_SCOPE)
        self._tags = resource_tags(workload, _SCOPE, args.config.tags)
        self._subscription = subscription_scope(args.subscription_id)
        self._group = resources.ResourceGroup(
            f"{name}-group",
            resource_group_name=self._naming.resource_group(args.config.location),
            location=args.config.location,
            tags=self._tags,
            opts=pulumi.ResourceOptions(parent=self, protect=True),
        )
        self._state = self._state_storage()
        self._roles = {
            role.key: define_role(name, role, self._naming, self._subscription, self) for role in CUSTOM_ROLES
        }
        self.client_ids = {}
        for stack in args.config.stacks:
            identity = self._identity(stack, f"environment:{stack}")
            identity.grant("state", OwnerRole.STORAGE_BLOB_DATA_CONTRIBUTOR, self._state.container_id)
            if stack in self._fleet.shared:
                self._shared_rights(identity, stack, self._fleet.shared[stack])
            else:
                self._stamp_rights(identity, self._fleet.stamps[stack])
            self.client_ids[stack] = identity.client_id
        # A preview takes no lock on the state, so reading it is enough.
        preview = self._identity("preview", "pull_request")
        preview.grant("state", OwnerRole.STORAGE_BLOB_DATA_READER, self._state.container_id)
        preview.grant("subscription", OwnerRole.READER, self._subscription)
        self._operators()
        self.backend_url = self._state.backend_url
        self.preview_client_id = preview.client_id
        self.register_outputs({"backend_url": self.backend_url, "preview_client_id": self.preview_client_id})

    def _state_storage(self) -> StateStorage:
        arguments = StateStorageArgs(
            naming=self._naming,
            location=self._args.config.location,
            resource_group_name=self._group.name,
            tags=self._tags,
        )
        return StateStorage(f"{self._name}-state", arguments, pulumi.ResourceOptions(parent=self))

    def _identity(self, stack: str, subject: str) -> DeploymentIdentity:
        role = stack if subject == "pull_request" else f"stack-{stack}"
        arguments = DeploymentIdentityArgs(
            naming=self._naming,
            location=self._args.config.location,
            resource_group_name=self._group.name,
            identity=role,
            subject=f"repo:{self._args.config.repository}:{subject}",
            tags=self._tags,
        )
        return DeploymentIdentity(f"{self._name}-{role}", arguments, pulumi.ResourceOptions(parent=self))

    def _role(self, role: CustomRole) -> DefinedRole:
        return self._roles[role.key]

    def _group_id(self, name: str) -> str:
        return resource_group_id(self._args.subscription_id, name)

    def _shared_rights(self, identity: DeploymentIdentity, name: str, shared: SharedStack) -> None:
        """Its own group and, for registry replicas, the groups of its stamps' endpoints."""
        scopes = {"group": self._group_id(shared.group)}
        if shared.first_deployment:
            scopes = {"subscription": self._subscription}
        for where, scope in scopes.items():
            identity.grant(where, OwnerRole.CONTRIBUTOR, scope)
        for stamp, stack in self._fleet.stamps.items():
            if stack.config.shared_stack == name and not stack.first_deployment:
                identity.grant(stamp, self._role(REGISTRY_REPLICAS), self._group_id(stack.groups["cluster"]))

    def _stamp_rights(self, identity: DeploymentIdentity, stamp: StampStack) -> None:
        """Its own groups, its part in the shared group, and the few things that neither of them holds."""
        scopes = {role: self._group_id(group) for role, group in stamp.groups.items()}
        if stamp.first_deployment:
            scopes = {"subscription": self._subscription}
        for where, scope in scopes.items():
            identity.grant(where, OwnerRole.CONTRIBUTOR, scope)
            identity.grant(where, _ADMINISTRATOR, scope, IN_OWN_GROUPS)
            identity.grant(where, self._role(POLICY), scope)
        shared = self._fleet.shared[stamp.config.shared_stack]
        shared_group = self._group_id(shared.group)
        identity.grant("shared", self._role(STAMP_IN_SHARED_GROUP), shared_group)
        identity.grant("shared", _ADMINISTRATOR, shared_group, IN_SHARED_GROUP)
        if shared.config.database is not None:
            identity.grant("shared", self._role(STAMP_IN_DATABASE), shared_group)
        if not stamp.first_deployment:
            # Azure makes this group after the first network of the subscription, so it may not stand before.
            watcher = self._group_id(stamp.config.network_watcher.resource_group)
            identity.grant("network-watcher", self._role(FLOW_LOGS), watcher)
        if shared.config.public_dns_zone is not None:
            zone = self._group_id(shared.config.public_dns_zone.resource_group)
            identity.grant("public-zone", self._role(PUBLIC_NAME), zone)
        if stamp.config.event_grid is not None:
            storage = stamp.config.event_grid.storage_account_id
            identity.grant("event-storage", _ADMINISTRATOR, storage, ON_EVENT_STORAGE)

    def _operators(self) -> None:
        """Those who make stacks and set their secrets write to the state too."""
        group = self._args.config.operator_group
        if group is None:
            return
        logical_name = f"{self._name}-operators-state"
        authorization.RoleAssignment(
            logical_name,
            role_assignment_name=self._naming.role_assignment(logical_name),
            scope=self._state.container_id,
            principal_id=group,
            principal_type="Group",
            role_definition_id=role_definition_id(
                self._args.subscription_id, OwnerRole.STORAGE_BLOB_DATA_CONTRIBUTOR.value
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )
