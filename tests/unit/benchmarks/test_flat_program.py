"""A flat program says the same as the state that it was made from."""

from __future__ import annotations

import ast
from typing import Any

import pytest

from benchmarks.flat_program import flat_program
from benchmarks.measurement import BenchmarkError

GROUP = "/subscriptions/s/resourceGroups/rg-first"
SIGNATURE = "4dabf18193072939515e22adb298388d"


def resource(kind: str, name: str, resource_id: str, inputs: dict[str, Any], **more: Any) -> dict[str, Any]:  # noqa: ANN401 - a state's fields
    """Return a resource as an export has it."""
    return {
        "urn": f"urn:pulumi:one::project::{kind}::{name}",
        "type": kind,
        "custom": True,
        "id": resource_id,
        "inputs": inputs,
        "outputs": {**inputs, **more.pop("outputs", {})},
        **more,
    }


RESOURCE_GROUP = resource(
    "azure-native:resources:ResourceGroup",
    "group",
    GROUP,
    {"resourceGroupName": "rg-first"},
    outputs={"name": "rg-first"},
)
IDENTITY = resource(
    "azure-native:managedidentity:UserAssignedIdentity",
    "identity",
    f"{GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-one",
    {"resourceGroupName": "rg-first", "resourceName": "id-one"},
    outputs={"principalId": "11111111-2222-3333-4444-555555555555"},
    dependencies=[RESOURCE_GROUP["urn"]],
    propertyDependencies={"resourceGroupName": [RESOURCE_GROUP["urn"]], "resourceName": []},
)


def arguments(text: str, name: str) -> dict[str, str]:
    """Return the keyword arguments of the resource with a logical name, as they are written."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call) and node.args and ast.unparse(node.args[0]) == repr(name):
            return {keyword.arg or "": ast.unparse(keyword.value) for keyword in node.keywords}
    raise AssertionError(f"{name} is not declared")


def test_inputs_have_the_names_of_the_sdk_at_every_depth() -> None:
    """Also a property that is called like the first parameter of every resource."""
    routes = resource(
        "azure-native:network:RouteTable",
        "routes",
        "/r",
        {
            "routeTableName": "rt",
            "disableBgpRoutePropagation": True,
            "routes": [{"name": "a", "nextHopType": "None"}],
            "tags": {"camelCase": "x"},
        },
    )
    text = flat_program([RESOURCE_GROUP, IDENTITY, routes]).text

    assert arguments(text, "routes") == {
        "route_table_name": "'rt'",
        "disable_bgp_route_propagation": "True",
        "routes": "[{'name': 'a', 'next_hop_type': 'None'}]",
        "tags": "{'camelCase': 'x'}",
    }
    assert arguments(text, "identity")["resource_name_"] == "'id-one'"
    assert text.count("from pulumi_azure_native import") == 3


def test_values_of_other_resources_are_outputs() -> None:
    """Whole texts, and ids inside longer ones; a text that is equal by chance stays a literal."""
    assignment = resource(
        "azure-native:authorization:RoleAssignment",
        "role",
        "/role",
        {
            "principalId": "11111111-2222-3333-4444-555555555555",
            "scope": f"{GROUP}/providers/Microsoft.Network/virtualNetworks/vnet",
            "description": "rg-first",
        },
        dependencies=[RESOURCE_GROUP["urn"], IDENTITY["urn"]],
        propertyDependencies={"principalId": [IDENTITY["urn"]], "scope": [RESOURCE_GROUP["urn"]], "description": []},
    )
    text = flat_program([RESOURCE_GROUP, IDENTITY, assignment]).text

    assert arguments(text, "role") == {
        "principal_id": "r1.principal_id",
        "scope": "pulumi.Output.concat(r0.id, '/providers/Microsoft.Network/virtualNetworks/vnet')",
        "description": "'rg-first'",
    }


def test_order_that_no_value_shows_is_stated() -> None:
    """A dependency becomes `depends_on` only where the inputs do not say it already; the other options stay."""
    later = resource(
        "azure-native:managedidentity:UserAssignedIdentity",
        "later",
        "/later",
        {"resourceGroupName": "rg-first"},
        dependencies=[RESOURCE_GROUP["urn"], IDENTITY["urn"]],
        propertyDependencies={"resourceGroupName": [RESOURCE_GROUP["urn"]]},
        deletedWith=IDENTITY["urn"],
        ignoreChanges=["location"],
        customTimeouts={"create": 60},
    )
    found = arguments(flat_program([RESOURCE_GROUP, IDENTITY, later]).text, "later")

    assert found["opts"] == (
        "pulumi.ResourceOptions(depends_on=[r1], deleted_with=r1, ignore_changes=['location'], "
        "custom_timeouts=pulumi.CustomTimeouts(create='60s'))"
    )


def test_secrets_stay_out_of_the_text() -> None:
    """They are read from the configuration, and the program is given with what belongs there."""
    secret = {SIGNATURE: "1b47061264138c4ac30d75fd1eb44270", "plaintext": '"hidden"'}
    vault_secret = resource(
        "azure-native:keyvault:Secret", "certificate", "/secret", {"properties": {"contentType": "x", "value": secret}}
    )
    program = flat_program([vault_secret])

    assert program.secrets == {"value0": "hidden"}
    assert "hidden" not in program.text
    assert "hidden" not in repr(program)
    assert arguments(program.text, "certificate")["properties"] == (
        "{'content_type': 'x', 'value': settings.require_secret('value0')}"
    )


def test_what_may_be_several_types_keeps_its_names() -> None:
    """The SDK cannot tell these dictionaries apart and sends their keys as they stand."""
    rules = [{"ruleCollectionType": "FirewallPolicyFilterRuleCollection", "rules": [{"ruleType": "NetworkRule"}]}]
    group = resource(
        "azure-native:network:FirewallPolicyRuleCollectionGroup", "rules", "/rules", {"ruleCollections": rules}
    )

    assert ast.literal_eval(arguments(flat_program([group]).text, "rules")["rule_collections"]) == rules


@pytest.mark.parametrize(
    "wrong",
    [
        resource("azuread:index/group:Group", "group", "/g", {}),
        resource("azure-native:keyvault:Secret", "s", "/s", {"properties": {"value": {SIGNATURE: "x"}}}),
    ],
    ids=["other provider", "encrypted export"],
)
def test_what_cannot_be_written_is_refused(wrong: dict[str, Any]) -> None:
    """Rather than a program that deploys something else."""
    if wrong["id"] == "/s":
        wrong["inputs"]["properties"]["value"][SIGNATURE] = "1b47061264138c4ac30d75fd1eb44270"
    with pytest.raises(BenchmarkError):
        flat_program([wrong])
