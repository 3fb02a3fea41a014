"""Repeats every firewall and network security rule of a program; part of the measured copy of the project.

A transformation sees the rules after the components have made them, so no component needs to know of it. The copies
are linked with nothing but their own group or collection.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import pulumi


def multiplied(rules: Sequence[Any], factor: int) -> list[Any]:
    """Return every rule `factor` times; a copy has a name of its own, and the next priority if it has one at all."""
    return [_copied(rule, number) for rule in rules for number in range(factor)]


def multiply_rules(factor: int) -> None:
    """Multiply the rules of every resource of this program. Call before the first resource."""

    def transform(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
        props: Any = dict(args.props)
        if args.type_ == "azure-native:network:NetworkSecurityGroup":
            props["security_rules"] = multiplied(props.get("security_rules") or [], factor)
        elif args.type_ == "azure-native:network:FirewallPolicyRuleCollectionGroup":
            collections = [copy.copy(collection) for collection in props.get("rule_collections") or []]
            for collection in collections:
                _set(collection, "rules", multiplied(_get(collection, "rules") or [], factor))
            props["rule_collections"] = collections
        else:
            return None
        return pulumi.ResourceTransformationResult(props, args.opts)

    pulumi.runtime.register_stack_transformation(transform)


def _copied(rule: object, number: int) -> object:
    made = copy.copy(rule)
    if number:
        _set(made, "name", f"{_get(rule, 'name')}-{number}")
        priority = _get(rule, "priority")
        if priority is not None:
            _set(made, "priority", priority + number)
    return made


# The rules are dictionaries or the SDK's argument objects, as the component's author needed.


def _get(item: object, key: str) -> Any:  # noqa: ANN401 - a property of any type
    return item.get(key) if isinstance(item, Mapping) else getattr(item, key, None)


def _set(item: object, key: str, value: object) -> None:
    if isinstance(item, dict):
        item[key] = value
    else:
        setattr(item, key, value)
