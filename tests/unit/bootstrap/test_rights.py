"""The rights of a stamp's identity are what its resources need: a new resource fails here until the roles have it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml

from bootstrap.rights import (
    FLOW_LOGS,
    IN_OWN_GROUPS,
    IN_SHARED_GROUP,
    ON_EVENT_STORAGE,
    POLICY,
    PUBLIC_NAME,
    STAMP_IN_DATABASE,
    STAMP_IN_SHARED_GROUP,
    Delegation,
)
from foundation.roles import Role
from shared.contract_reader import offline_contract
from shared.outputs import (
    AccessContract,
    DatabaseContract,
    FirewallContract,
    FleetManagerContract,
    PublicDnsZoneContract,
)
from simulator.development_secrets import make_certificate
from stamps.config import StampConfig
from stamps.regional_stamp import RegionalStamp, RegionalStampArgs
from stamps.stamp_secrets import StampCertificates
from tests.unit.pulumi_mocks import SUBSCRIPTION_ID, TENANT_ID, Registration, deploy

ROOT = Path(__file__).parents[3]
ARM_TYPES = {
    f"azure-native:{token}": entry["arm"]
    for token, entry in json.loads((ROOT / "simulator" / "resource_types.json").read_text("utf-8")).items()
}
SHARED_GROUP = "rg-offline-shared"
STORAGE = f"/subscriptions/{SUBSCRIPTION_ID}/resourceGroups/rg-events/providers/Microsoft.Storage/storageAccounts/st1"
ROLES = {
    SHARED_GROUP: (*STAMP_IN_SHARED_GROUP.actions, *STAMP_IN_DATABASE.actions),
    "NetworkWatcherRG": FLOW_LOGS.actions,
    "rg-dns": PUBLIC_NAME.actions,
}
"""Actions of a stamp's identity in each group that is not its own."""
DELEGATIONS = {SHARED_GROUP: IN_SHARED_GROUP, "rg-events": ON_EVENT_STORAGE}
REFERENCES = {
    "Microsoft.Cdn/profiles/afdEndpoints": ("read",),
    "Microsoft.ContainerRegistry/registries": ("read", "privateEndpointConnectionsApproval/action"),
    "Microsoft.DocumentDB/databaseAccounts": ("read", "PrivateEndpointConnectionsApproval/action"),
    "Microsoft.DocumentDB/databaseAccounts/dbs": (),  # a path of the data, which Azure's own roles do not know
    "Microsoft.DocumentDB/databaseAccounts/sqlRoleDefinitions": ("read",),
    "Microsoft.Insights/actionGroups": ("read",),
    "Microsoft.Network/firewallPolicies": ("read", "join/action"),
    "Microsoft.OperationalInsights/workspaces": ("read", "sharedKeys/action"),
}
"""What Azure asks for on a resource that another one refers to, by the type of what is referred to."""


def identities_as_map(args: pulumi.runtime.MockResourceArgs) -> dict[str, Any]:
    """Return what Azure makes of a list of identities: a map."""
    given = args.inputs["identity"]
    return {"identity": {**given, "userAssignedIdentities": {one: {} for one in given["userAssignedIdentities"]}}}


ANSWERS: dict[str, Any] = {
    "azure-native:containerservice:ManagedCluster": lambda args: {
        "oidcIssuerProfile": {"enabled": True, "issuerURL": "https://issuer.example.com/"},
        **identities_as_map(args),
    },
    "azure-native:eventgrid:SystemTopic": {"identity": {"type": "SystemAssigned", "principalId": TENANT_ID}},
    "azure-native:network:ApplicationGateway": identities_as_map,
    "azure-native:network:FlowLog": identities_as_map,
}
ID = re.compile(r"/resourceGroups/([^/]+)/providers/([^/]+)((?:/[^/]+/[^/]+)+)$")


@cache
def stamp(scheme: str) -> tuple[Registration, ...]:
    """Return the resources of a stamp with everything that is optional, by the scheme of cluster access."""
    content = yaml.safe_load((ROOT / "Pulumi.eastus2.yaml").read_text("utf-8"))["config"]["aks-geode:stamp"]
    events = {"storageAccountId": STORAGE, "queueName": "events"}
    config = StampConfig.model_validate({**content, "eventGrid": events})
    namespaces = {"orders": "11111111-2222-3333-4444-555555555555"} if scheme == "namespace" else {}
    base = (
        f"/subscriptions/{SUBSCRIPTION_ID}/resourceGroups/{SHARED_GROUP}/providers/Microsoft.Network/firewallPolicies/b"
    )
    contract = offline_contract(SUBSCRIPTION_ID, TENANT_ID, config.region).model_copy(
        update={
            "access": AccessContract.model_validate(
                {"scheme": scheme, "adminGroupObjectId": TENANT_ID, "namespaces": namespaces}
            ),
            "firewall": FirewallContract(
                inheritance="shared",
                sku="Standard",
                allowed_fqdns=(),
                base_policy_id=base,
                base_policy_location=config.region,
            ),
            "fleet_manager": FleetManagerContract(
                id=f"/subscriptions/{SUBSCRIPTION_ID}/resourceGroups/{SHARED_GROUP}/providers/"
                "Microsoft.ContainerService/fleets/f",
                name="f",
                waves=("wave1",),
                node_images="cluster",
            ),
            "database": DatabaseContract(
                account_id=f"/subscriptions/{SUBSCRIPTION_ID}/resourceGroups/{SHARED_GROUP}/providers/"
                "Microsoft.DocumentDB/databaseAccounts/d",
                account_name="d",
                endpoint="https://d.documents.azure.com:443/",
                database="workload",
                container="visits",
                regions=(config.region,),
            ),
            "public_dns_zone": PublicDnsZoneContract(resource_group="rg-dns", name="edge.contoso.com"),
        }
    )

    def program() -> None:
        secret = pulumi.Output.secret("pfx")
        ingress = pulumi.Output.secret(make_certificate("aks-ingress.contoso.com").pfx_base64)
        certificates = StampCertificates(gateway=secret, ingress=ingress, ingress_root="cm9vdA==")
        RegionalStamp(
            "eastus2",
            RegionalStampArgs(stamp="eastus2", config=config, shared=contract, certificates=certificates),
        )

    found = deploy(program, answers=ANSWERS).resources
    return tuple(each for each in found if each.custom and each.type.startswith("azure-native:"))


def own_groups(resources: tuple[Registration, ...]) -> set[str]:
    """Return the names of the groups that the stamp makes."""
    kind = "azure-native:resources:ResourceGroup"
    return {str(each.inputs["resourceGroupName"]) for each in resources if each.type == kind}


def scope_of(resource: Registration) -> str:
    """Return the id of what a role assignment, lock or policy assignment lies on; empty for other resources."""
    return str(resource.inputs.get("scope", "")) if ":authorization:" in resource.type else ""


def group_of(resource: Registration) -> str:
    """Return the name of the group that a resource lies in."""
    match = re.search(r"/resourceGroups/([^/]+)", scope_of(resource) or str(resource.inputs.get("resourceUri", "")))
    return match[1] if match else str(resource.inputs.get("resourceGroupName"))


def needed(resources: tuple[Registration, ...]) -> Iterator[tuple[str, str]]:
    """Give group and action of everything that the stamp does outside its own groups, role assignments apart."""
    own = own_groups(resources)
    for resource in resources:
        group = group_of(resource)
        if group not in own and resource.type != "azure-native:authorization:RoleAssignment":
            kind = ARM_TYPES[resource.type].replace("{recordType}", str(resource.inputs.get("recordType")))
            yield from ((group, f"{kind}/{verb}") for verb in ("read", "write", "delete"))
        for text in texts(resource.inputs):
            match = ID.search(text)
            if match and match[1] not in own and match[2].startswith("Microsoft.") and match[1] != "rg-events":
                kind = "/".join([match[2], *match[3].split("/")[1::2]])
                assert kind in REFERENCES, f"{resource.name} refers to {text}: which action does Azure ask for?"
                yield from ((match[1], f"{kind}/{action}") for action in REFERENCES[kind])


def texts(value: Any) -> Iterator[str]:  # noqa: ANN401 - any JSON
    """Give all texts in a value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from texts(each)


SCHEMES = ("globalGroup", "clusterGroup", "namespace")


def test_everything_outside_the_own_groups_is_permitted() -> None:
    """Each action, in the group where it is needed, and all the groups are known."""
    missing = sorted({(group, action) for group, action in needed(stamp("globalGroup"))
                      if action not in ROLES.get(group, ())})  # fmt: skip

    assert missing == []


def test_no_right_is_left_over() -> None:
    """What no resource needs any more goes; what the provider needs around its writes is listed here."""
    used = set(needed(stamp("globalGroup")))
    around = {
        "Microsoft.Cdn/operationresults/*",
        "Microsoft.Cdn/profiles/afdEndpoints/read",
        "Microsoft.Cdn/profiles/originGroups/read",
        "Microsoft.Cdn/profiles/read",
        "Microsoft.ContainerService/fleets/read",
        "Microsoft.Network/dnsZones/read",
        "Microsoft.Network/networkWatchers/read",
        "Microsoft.Resources/subscriptions/resourceGroups/read",
    }

    for group, actions in ROLES.items():
        assert {action for action in actions if (group, action) not in used} - around == set(), group


@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_role_assignment_passes_its_condition(scheme: str) -> None:
    """In its own groups, in the shared one, and on the storage account of the cluster's events."""
    resources = stamp(scheme)
    own = own_groups(resources)
    assignments = [each for each in resources if each.type == "azure-native:authorization:RoleAssignment"]

    assert len(assignments) > 5
    for each in assignments:
        group = group_of(each)
        delegation = IN_OWN_GROUPS if group in own else DELEGATIONS[group]
        role = str(each.inputs["roleDefinitionId"]).rpartition("/")[2]
        assert delegation.allows(role, str(each.inputs["principalType"])), each.name


def test_what_contributor_may_not_do_in_own_groups_is_granted() -> None:
    """Azure's Contributor writes nothing of Microsoft.Authorization."""
    resources = stamp("globalGroup")
    own = own_groups(resources)
    kinds = {ARM_TYPES[each.type] for each in resources if ":authorization:" in each.type and group_of(each) in own}
    actions = {f"{kind}/{verb}" for kind in kinds for verb in ("read", "write", "delete")}

    assert {action for action in actions if "roleAssignments" not in action} == set(POLICY.actions)


def test_the_condition_says_what_the_delegation_allows() -> None:
    """Writing is judged by the request, deleting by what stands there; people can never be given a role."""
    delegation = Delegation(service_principals=(Role.ACR_PULL,), groups=(Role.AKS_RBAC_WRITER,))
    text = delegation.condition

    assert delegation.allows(Role.ACR_PULL, "ServicePrincipal")
    assert not delegation.allows(Role.ACR_PULL, "Group")
    assert not delegation.allows(Role.ACR_PULL, "User")
    assert not delegation.allows("b24988ac-6180-42a0-ab88-20f7382dd24c", "ServicePrincipal")
    for verb, source in (("write", "@Request"), ("delete", "@Resource")):
        attribute = f"{source}[Microsoft.Authorization/roleAssignments"
        assert f"!(ActionMatches{{'Microsoft.Authorization/roleAssignments/{verb}'}})" in text
        for role, kind in ((Role.ACR_PULL, "ServicePrincipal"), (Role.AKS_RBAC_WRITER, "Group")):
            expected = (
                f"({attribute}:RoleDefinitionId] ForAnyOfAnyValues:GuidEquals {{{role.value}}} AND "
                f"{attribute}:PrincipalType] ForAnyOfAnyValues:StringEqualsIgnoreCase {{'{kind}'}})"
            )
            assert expected in text
    assert text.count("(") == text.count(")")
    assert "User" not in text
    assert IN_SHARED_GROUP.service_principals == (Role.ACR_PULL,)
    assert IN_SHARED_GROUP.groups == ()
