"""Reading the contract of a shared stack, with one sentence for each way in which it can be missing.

A reference to a stack that was never deployed, or was destroyed, answers `None` for every output: a preview that took
it would be green and would plan replacements. So the contract is read and checked before the first resource.
"""

from __future__ import annotations

import pulumi
from pydantic import ValidationError

from foundation.arm_ids import resource_id
from shared.outputs import (
    CONTRACT_OUTPUT,
    AccessContract,
    FirewallContract,
    FrontDoorContract,
    RegistryContract,
    SharedOutputs,
    WorkspaceContract,
)

_REQUIRED_VERSION = 1
_OFFLINE_GROUP = "rg-offline-shared"


def read_contract(stack: str) -> SharedOutputs:
    """Return the contract that the stack `stack` of this project exports.

    Raises:
        pulumi.RunError: when the stack was never deployed, was destroyed, or speaks another contract version.
    """
    name = f"{pulumi.get_organization()}/{pulumi.get_project()}/{stack}"
    try:
        # What a StackReference asks for, as a call: the engine ends the program when a StackReference names an unknown
        # stack, before it could say anything, and only a call's answer is here before the first resource.
        answer = pulumi.runtime.invoke("pulumi:pulumi:readStackOutputs", {"name": name}).value
    except Exception as error:  # the engine reports an unknown stack as a plain exception
        if "unknown stack" not in str(error):
            raise pulumi.RunError(f"The outputs of the stack '{stack}' cannot be read: {error}") from None
        raise _not_deployed(stack) from None
    contract = ((answer or {}).get("outputs") or {}).get(CONTRACT_OUTPUT)
    if contract is None:
        raise _not_deployed(stack)
    return parse_contract(contract, stack)


def parse_contract(value: object, stack: str) -> SharedOutputs:
    """Check what a shared stack exported.

    Raises:
        pulumi.RunError: when the version differs or a value is missing.
    """
    version = value.get("version") if isinstance(value, dict) else None
    if version != _REQUIRED_VERSION:
        raise pulumi.RunError(
            f"The stack '{stack}' exports contract version {version}, this program needs version {_REQUIRED_VERSION}. "
            f"Deploy it with this program first: pulumi up --stack {stack}"
        )
    try:
        return SharedOutputs.model_validate(value)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise pulumi.RunError(
            f"The contract of the stack '{stack}' is not complete: {where}: {first['msg']}. "
            f"Deploy it with this program first: pulumi up --stack {stack}"
        ) from None


def _not_deployed(stack: str) -> pulumi.RunError:
    return pulumi.RunError(
        f"The stack '{stack}' has no outputs: it was not deployed yet, or it was destroyed. Deploy it first: "
        f"pulumi up --stack {stack}. To preview a stamp without it: pulumi preview -c aks-geode:offlineContract=true"
    )


def offline_contract(subscription_id: str, tenant_id: str, region: str) -> SharedOutputs:
    """Return a contract of placeholders, for the preview of a stamp before its shared stack exists."""

    def placeholder(resource_type: str) -> str:
        return resource_id(subscription_id, _OFFLINE_GROUP, resource_type, "offline")

    return SharedOutputs(
        subscription_id=subscription_id,
        tenant_id=tenant_id,
        workload="offline",
        resource_group_name=_OFFLINE_GROUP,
        location=region,
        regions=(region,),
        front_door=FrontDoorContract(
            profile_name="offline",
            profile_id=placeholder("Microsoft.Cdn/profiles"),
            front_door_id="00000000-0000-0000-0000-000000000000",
            endpoint_id=placeholder("Microsoft.Cdn/profiles/afdEndpoints"),
            endpoint_host_name="offline.z01.azurefd.net",
            origin_group_name="offline",
            probe_path="/healthz/region",
        ),
        registry=RegistryContract(
            id=placeholder("Microsoft.ContainerRegistry/registries"),
            name="offline",
            login_server="offline.azurecr.io",
            replicated_regions=(region,),
        ),
        workspace=WorkspaceContract(id=placeholder("Microsoft.OperationalInsights/workspaces"), location=region),
        firewall=FirewallContract(inheritance="regional", sku="Standard", allowed_fqdns=()),
        access=AccessContract(scheme="globalGroup", admin_group_object_id="00000000-0000-0000-0000-000000000000"),
        action_group_id=placeholder("Microsoft.Insights/actionGroups"),
    )
