"""What pods of a new cluster are kept from: a load balancer's address, each other, admission. Wrong form and right."""

from __future__ import annotations

import re
from typing import Any

import pytest

from simulator.azure_errors import AzureError
from tests.unit.simulator.conftest import Azure
from tests.unit.simulator.stamp_fragments import LOAD_BALANCER, Region, security_rule, working_region


def refused(text: str) -> Any:  # noqa: ANN401 - pytest's own context
    """Expect a refusal whose message holds a text."""
    return pytest.raises(AzureError, match=re.escape(text))


def test_trap_17_the_load_balancer_needs_the_clusters_role_on_its_own_subnet(azure: Azure) -> None:
    """Without it the Service stays pending, and a Flux that waits fails; one that does not wait is accepted."""
    region = Region(azure).make_spoke().peer().firewall().roles("api", "nodes")
    region.cluster()
    region.extension()
    with refused("Microsoft.Network/virtualNetworks/subnets/read"):
        region.flux()
    region.roles("ingress")
    region.flux()


def test_trap_17_azure_accepts_a_flux_that_does_not_wait(azure: Azure) -> None:
    """Whatever becomes of it: so the program waits."""
    region = Region(azure).make_spoke().peer().firewall().roles("api", "nodes")
    region.cluster()
    region.flux(wait=False)


@pytest.mark.parametrize(
    ("address", "told"),
    [("10.1.1.3", "PrivateIPAddressInReservedRange"), ("10.1.3.4", "PrivateIPAddressIsAllocated")],
)
def test_trap_17_the_load_balancers_address_is_free(azure: Azure, address: str, told: str) -> None:
    """Not one that Azure keeps, not one that a private endpoint took."""
    region = working_region(azure).roles("endpoints")
    vault = azure.make(
        "keyvault:Vault", vaultName="vault-1", properties={"sku": {"family": "A", "name": "standard"}, "tenantId": "t"}
    )[0]
    link = [{"name": "c", "privateLinkServiceId": vault, "groupIds": ["vault"]}]
    azure.make(
        "network:PrivateEndpoint", privateEndpointName="pe", subnet={"id": region.subnet("endpoints")},
        privateLinkServiceConnections=link,
    )  # fmt: skip
    region.cluster()
    with refused(told):
        region.flux(address=address)
    region.flux(address=LOAD_BALANCER)


def test_trap_18_a_deny_all_that_knows_no_pod_addresses_breaks_the_overlay(azure: Azure) -> None:
    """The tag VirtualNetwork does not cover pods."""
    region = Region(azure)
    region.security_group(
        "nodes",
        security_rule(100, "Allow", sourceAddressPrefix="VirtualNetwork", destinationAddressPrefix="VirtualNetwork"),
        security_rule(4000, "Deny"),
    )
    region.make_spoke().peer().firewall().roles("api", "nodes", "ingress").cluster()
    with refused("denies pods 10.64.0.0/16 to pods 10.64.0.0/16"):
        region.flux()


@pytest.mark.parametrize("missing", ["10.1.0.0/24", "10.64.0.0/16", None])
def test_trap_18_nodes_and_pods_are_admitted_by_prefix(azure: Azure, missing: str | None) -> None:
    """Both prefixes on both ends, before the deny."""
    region = Region(azure)
    ends = [item for item in ("10.1.0.0/24", "10.64.0.0/16") if item != missing]
    pairs: dict[str, Any] = {
        "sourceAddressPrefix": None, "sourceAddressPrefixes": ends,
        "destinationAddressPrefix": None, "destinationAddressPrefixes": ends,
    }  # fmt: skip
    region.security_group("nodes", security_rule(100, "Allow", **pairs), security_rule(4000, "Deny"))
    region.make_spoke().peer().firewall().roles("api", "nodes", "ingress").cluster()
    if missing is None:
        region.flux()
        return
    with refused("i/o timeout"):
        region.flux()


def test_trap_18_azures_default_rules_are_enough(azure: Azure) -> None:
    """A group without own deny rules breaks nothing."""
    region = Region(azure)
    region.security_group("nodes")
    region.make_spoke().peer().firewall().roles("api", "nodes", "ingress").cluster()
    region.flux()


@pytest.mark.parametrize("spared", ["excluded", "microsoft", "audit", None])
def test_trap_23_a_deny_on_images_before_flux_keeps_flux_out(azure: Azure, spared: str | None) -> None:
    """Azure excludes flux-system from no policy; an assignment that spares it, or comes later, is harmless."""
    region = working_region(azure)
    region.cluster(addonProfiles={"azurepolicy": {"enabled": True}})
    excluded = ["kube-system", *(["flux-system"] if spared == "excluded" else [])]
    images = r"^(own\.azurecr\.io|mcr\.microsoft\.com)/.+$" if spared == "microsoft" else r"^own\.azurecr\.io/.+$"
    effect = "Audit" if spared == "audit" else "Deny"
    values = {"effect": effect, "allowedContainerImagesRegex": images, "excludedNamespaces": excluded}
    azure.make(
        "authorization:PolicyAssignment", scope=azure.group, policyAssignmentName="images",
        policyDefinitionId="/providers/Microsoft.Authorization/policyDefinitions/febd0533-8e55-448f-b837-bd0e06f16469",
        parameters={name: {"value": value} for name, value in values.items()},
    )  # fmt: skip
    if spared:
        region.extension()
        return
    with refused("validation.gatekeeper.sh denied the request"):
        region.extension()


def test_trap_23_two_stacks_cannot_make_one_assignment(azure: Azure) -> None:
    """Above the group the second stamp meets the first one's; in groups of their own they do not."""
    inputs = {
        "policyAssignmentName": "images",
        "policyDefinitionId": "/providers/Microsoft.Authorization/policyDefinitions/"
        "febd0533-8e55-448f-b837-bd0e06f16469",
    }
    scope = f"/subscriptions/{azure.cloud.subscription}"
    azure.make("authorization:PolicyAssignment", scope=scope, **inputs)
    with refused("already existing resource"):
        azure.make("authorization:PolicyAssignment", scope=scope, **inputs)
    azure.make("authorization:PolicyAssignment", scope=azure.group, **inputs)
