"""Azure Policy on the stamp's cluster: the assignments of `stamps.policy_data`, at the cluster's resource group.

Assignments above the group would be shared by stamps, and no two stacks own one resource: those are not made here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pulumi
from pulumi_azure_native import authorization

from foundation.arm_ids import policy_definition_id, policy_set_definition_id
from foundation.azure_types import Arguments, In
from foundation.naming import Naming
from stamps.config import PolicySettings
from stamps.policy_data import CLUSTER_POLICIES, ClusterPolicy, DefinitionKind, allowed_images


class PolicyAssignmentsArgs(Arguments):
    """`resource_group_id` is the group that holds the cluster; `registry_login_server` the source of images."""

    naming: Naming
    resource_group_id: In[str]
    registry_login_server: str
    settings: PolicySettings


class PolicyAssignments(pulumi.ComponentResource):
    """The policies of one stamp's cluster.

    `after` is the Flux configuration: a policy that denies while Flux brings the platform up would stop the stamp half
    way, and Azure takes up to 20 minutes to carry an assignment into the cluster anyway.
    """

    def __init__(
        self,
        name: str,
        args: PolicyAssignmentsArgs,
        opts: pulumi.ResourceOptions | None = None,
        *,
        after: Sequence[pulumi.Resource] = (),
    ) -> None:
        super().__init__("aks-geode:stamps:PolicyAssignments", name, None, opts)
        for policy in (*CLUSTER_POLICIES, allowed_images(args.registry_login_server)):
            authorization.PolicyAssignment(
                f"{name}-{policy.name}",
                policy_assignment_name=args.naming.name("policy", policy.name, limit=64),
                display_name=f"{args.naming.scope}: {policy.title}",
                scope=args.resource_group_id,
                policy_definition_id=_definition_id(policy),
                enforcement_mode="Default",
                parameters=_parameters(policy, args.settings.effect),
                non_compliance_messages=[{"message": policy.title}],
                metadata={"assignedBy": "aks-geode"},
                opts=pulumi.ResourceOptions(parent=self, depends_on=list(after)),
            )
        self.register_outputs({})


def _definition_id(policy: ClusterPolicy) -> str:
    if policy.kind is DefinitionKind.INITIATIVE:
        return policy_set_definition_id(policy.guid)
    return policy_definition_id(policy.guid)


def _parameters(policy: ClusterPolicy, effect: str) -> dict[str, authorization.ParameterValuesValueArgsDict]:
    values: dict[str, Any] = {
        "effect": effect,  # these definitions take "Deny" and "deny", "Audit" and "audit"
        "excludedNamespaces": list(policy.excluded_namespaces),
        **policy.parameters,
    }
    return {key: {"value": value} for key, value in values.items()}
