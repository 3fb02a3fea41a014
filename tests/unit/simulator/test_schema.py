"""Inputs are checked against the installed SDK's own types."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.input_check import Failure, check_inputs
from simulator.protocol_values import UNKNOWN, Secret
from simulator.resource_ids import modelled_types
from simulator.schema import resource_schema


def check(short: str, inputs: dict[str, Any]) -> list[Failure]:
    """Return what is wrong with the inputs of a type."""
    schema = resource_schema(f"azure-native:{short}")
    assert schema is not None
    return check_inputs(schema, inputs)


def rule_group(rule: dict[str, Any], **collection: Any) -> list[Failure]:  # noqa: ANN401 - properties of any type
    """Return what is wrong with a rule collection group that holds one rule."""
    whole = {"ruleCollectionType": "FirewallPolicyFilterRuleCollection", "rules": [rule], **collection}
    inputs = {"resourceGroupName": "rg", "firewallPolicyName": "p", "ruleCollections": [whole]}
    return check("network:FirewallPolicyRuleCollectionGroup", inputs)


def test_an_unknown_property_is_refused_with_its_path_and_a_suggestion() -> None:
    """A typo deep inside names the whole path."""
    inputs = {"resourceGroupName": "rg", "subnets": [{"name": "a", "adressPrefix": "10.0.0.0/24"}]}
    assert check("network:VirtualNetwork", inputs) == [
        Failure("subnets[0].adressPrefix", "unknown property 'adressPrefix'; did you mean 'addressPrefix'?")
    ]


def test_a_missing_required_property_is_refused() -> None:
    """A vault needs its properties."""
    failures = check("keyvault:Vault", {"resourceGroupName": "rg", "vaultName": "v"})
    assert [item.path for item in failures] == ["properties"]
    failures = check(
        "keyvault:Vault", {"resourceGroupName": "rg", "properties": {"sku": {"family": "A", "name": "standard"}}}
    )
    assert [item.path for item in failures] == ["properties.tenantId"]


def test_a_wrong_enum_value_is_refused_and_the_allowed_ones_are_named() -> None:
    """Enum texts are compared without regard to case."""
    assert not check("network:PublicIPAddress", {"resourceGroupName": "rg", "publicIPAllocationMethod": "static"})
    failures = check("network:PublicIPAddress", {"resourceGroupName": "rg", "publicIPAllocationMethod": "Statik"})
    assert failures[0].path == "publicIPAllocationMethod"
    assert "did you mean 'Static'?" in failures[0].reason


@pytest.mark.parametrize(
    ("inputs", "path"),
    [
        ({"zones": "1"}, "zones"),
        ({"tags": {"a": 1}}, "tags.a"),
        ({"idleTimeoutInMinutes": "4"}, "idleTimeoutInMinutes"),
        ({"idleTimeoutInMinutes": 4.5}, "idleTimeoutInMinutes"),
        ({"sku": "Standard"}, "sku"),
    ],
)
def test_a_wrong_basic_type_is_refused(inputs: dict[str, Any], path: str) -> None:
    """Text is no number, a number no text, a text no list."""
    failures = check("network:PublicIPAddress", {"resourceGroupName": "rg", **inputs})
    assert [item.path for item in failures] == [path]


def test_unknown_values_pass_and_secrets_are_looked_into() -> None:
    """A preview knows little, and a secret may be wrong too, without its value being told."""
    good = {"resourceGroupName": UNKNOWN, "vaultName": UNKNOWN, "properties": Secret({"value": UNKNOWN})}
    assert not check("keyvault:Secret", good)
    failures = check("keyvault:Secret", {**good, "properties": {"value": Secret(["hunter2"])}})
    assert failures[0].path == "properties.value"
    assert "hunter2" not in failures[0].reason


def test_a_union_is_checked_by_its_discriminator() -> None:
    """A rule collection's rules are told apart by ruleType; each allows its own properties only."""
    good = {"ruleType": "NetworkRule", "name": "n", "destinationPorts": ["123"], "ipProtocols": ["UDP"]}
    assert not rule_group(good)
    failures = rule_group({**good, "targetFqdns": ["a.com"]})
    assert [item.path for item in failures] == ["ruleCollections[0].rules[0].targetFqdns"]
    assert "is not one of 'ApplicationRule', 'NatRule', 'NetworkRule'" in rule_group({"ruleType": "Network"})[0].reason


def test_snake_case_keys_that_the_sdk_did_not_translate_are_refused_with_the_cause() -> None:
    """A plain dictionary in a union goes out in snake_case; Azure would ignore it."""
    failures = rule_group({"rule_type": "NetworkRule", "name": "n"})
    assert "'rule_type' was sent untranslated; use the SDK's Args class here" in failures[0].reason
    failures = rule_group({"ruleType": "NetworkRule", "destination_ports": ["1"]})
    assert "use its Args class" in failures[0].reason


def test_rule_conditions_of_front_door_are_checked_by_their_name() -> None:
    """Conditions and actions are unions as well."""
    condition = {
        "name": "RequestScheme",
        "parameters": {
            "operator": "Equal",
            "matchValues": ["HTTP"],
            "typeName": "DeliveryRuleRequestSchemeConditionParameters",
        },
    }
    base = {"resourceGroupName": "rg", "profileName": "p", "ruleSetName": "r"}
    assert not check("cdn:Rule", {**base, "conditions": [condition]})
    assert check("cdn:Rule", {**base, "conditions": [{**condition, "name": "RequestSchema"}]})


def test_every_modelled_type_exists_in_the_sdk_with_the_inputs_that_its_id_needs() -> None:
    """The data file follows the SDK."""
    wrong = []
    for token, kind in modelled_types().items():
        schema = resource_schema(f"azure-native:{token}")
        wrong += [token] if schema is None else [f"{token}.{n}" for n in kind.address_inputs if n not in schema.inputs]
    assert not wrong
