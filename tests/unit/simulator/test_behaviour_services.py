"""Front Door's parts in use, registry replicas, soft-deleted vaults and workspaces, types without rules."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.azure_cloud import AzureCloud
from simulator.azure_errors import AzureError
from simulator.behaviour.soft_delete import WORKSPACE_DAYS
from simulator.behaviour.time import DAY
from tests.unit.simulator.conftest import Azure

VAULT = {"sku": {"family": "A", "name": "standard"}, "tenantId": "t", "softDeleteRetentionInDays": 7}
IN_PROFILE = {"profileName": "p"}


def front_door(azure: Azure) -> dict[str, str]:
    """Make a profile in which everything is in use, and return the ids by kind."""
    made = {
        "profile": azure.make("cdn:Profile", **IN_PROFILE, location="global", sku={"name": "Premium_AzureFrontDoor"})[0]
    }
    endpoint = azure.make("cdn:AFDEndpoint", **IN_PROFILE, endpointName="web", location="global")[0]
    made["group"] = azure.make("cdn:AFDOriginGroup", **IN_PROFILE, originGroupName="g")[0]
    made["rules"] = azure.make("cdn:RuleSet", **IN_PROFILE, ruleSetName="rules")[0]
    made["domain"] = azure.make("cdn:AFDCustomDomain", **IN_PROFILE, customDomainName="d", hostName="a.example")[0]
    made["origin"] = azure.make(
        "cdn:AFDOrigin", **IN_PROFILE, originGroupName="g", originName="o", hostName="o.example"
    )[0]
    made["route"] = azure.make(
        "cdn:Route",
        **IN_PROFILE,
        endpointName="web",
        routeName="r",
        originGroup={"id": made["group"]},
        ruleSets=[{"id": made["rules"]}],
        customDomains=[{"id": made["domain"]}],
    )[0]
    waf = {"policyName": "waf", "location": "global", "sku": {"name": "Premium_AzureFrontDoor"}}
    made["waf"] = azure.make("frontdoor:Policy", **waf)[0]
    association = {"domains": [{"id": endpoint}], "patternsToMatch": ["/*"]}
    made["security"] = azure.make(
        "cdn:SecurityPolicy",
        **IN_PROFILE,
        securityPolicyName="s",
        parameters={
            "type": "WebApplicationFirewall",
            "wafPolicy": {"id": made["waf"]},
            "associations": [association],
        },
    )[0]
    return made


@pytest.mark.parametrize(
    ("kind", "token", "user", "user_token"),
    [
        ("group", "cdn:AFDOriginGroup", "route", "cdn:Route"),
        ("rules", "cdn:RuleSet", "route", "cdn:Route"),
        ("domain", "cdn:AFDCustomDomain", "route", "cdn:Route"),
        ("waf", "frontdoor:Policy", "security", "cdn:SecurityPolicy"),
    ],
)
def test_parts_of_front_door_in_use_stay(azure: Azure, kind: str, token: str, user: str, user_token: str) -> None:
    """Until the route or the association is gone."""
    made = front_door(azure)
    with pytest.raises(AzureError, match=r'Status=409 Code="Conflict".*is used by'):
        azure.drop(token, made[kind])
    azure.drop(user_token, made[user])
    azure.drop(token, made[kind])
    assert azure.cloud.read(made[kind]) is None


def test_a_profile_takes_every_stacks_origins_with_it(azure: Azure) -> None:
    """Nobody is asked; the WAF policy is no child and stays."""
    made = front_door(azure)
    azure.drop("cdn:Profile", made["profile"])
    assert azure.cloud.read(made["origin"]) is None
    assert azure.cloud.read(made["route"]) is None
    assert azure.cloud.read(made["waf"]) is not None


def test_a_waf_policy_has_its_profiles_sku(azure: Azure) -> None:
    """A Standard policy does not fit a Premium profile, and has no managed rules."""
    front_door(azure)
    standard = azure.make(
        "frontdoor:Policy", policyName="std", location="global", sku={"name": "Standard_AzureFrontDoor"}
    )[0]
    with pytest.raises(AzureError, match="SKU is not that of the profile"):
        azure.make(
            "cdn:SecurityPolicy", **IN_PROFILE, securityPolicyName="t", parameters={"wafPolicy": {"id": standard}}
        )
    with pytest.raises(AzureError, match="Managed rule sets need the SKU"):
        azure.make(
            "frontdoor:Policy",
            policyName="managed",
            location="global",
            sku={"name": "Standard_AzureFrontDoor"},
            managedRules={"managedRuleSets": [{"ruleSetType": "Microsoft_DefaultRuleSet", "ruleSetVersion": "2.1"}]},
        )


def replica(azure: Azure, registry: str, location: str, name: str = "") -> None:
    """Replicate a registry."""
    azure.make(
        "containerregistry:Replication",
        registryName=registry,
        replicationName=name or location.replace(" ", "").lower(),
        location=location,
    )


def test_replicas_lie_in_regions_of_their_own(azure: Azure) -> None:
    """Not in the registry's, not twice in one, in any spelling."""
    azure.make("containerregistry:Registry", registryName="acr12", location="eastus2", sku={"name": "Premium"})
    with pytest.raises(AzureError, match=r"ReplicationAlreadyExists.*home region"):
        replica(azure, "acr12", "East US 2", "home1")
    replica(azure, "acr12", "centralus")
    with pytest.raises(AzureError, match="ReplicationAlreadyExists"):
        replica(azure, "acr12", "Central US", "again")


def test_replicas_need_the_premium_tier(azure: Azure) -> None:
    """Standard has none."""
    azure.make("containerregistry:Registry", registryName="acr12", location="eastus2", sku={"name": "Standard"})
    with pytest.raises(AzureError, match="Replications need the registry SKU Premium"):
        replica(azure, "acr12", "centralus")


def vault(azure: Azure, **more: Any) -> str:  # noqa: ANN401 - properties of any type
    """Make a vault."""
    where = {"vaultName": "kv-1", "location": more.pop("location", "eastus2")}
    where["resourceGroupName"] = more.pop("group", "rg")
    return azure.make("keyvault:Vault", **where, properties={**VAULT, **more})[0]


def test_a_key_of_a_closed_vault_stays_too(azure: Azure) -> None:
    """Keys go through the data plane like secrets; an open vault lets them go."""
    properties = {"kty": "RSA"}
    closed = {"networkAcls": {"defaultAction": "Deny", "bypass": "AzureServices"}}
    vault(azure, **closed)
    key = azure.make("keyvault:Key", vaultName="kv-1", keyName="k", properties=properties)[0]
    with pytest.raises(AzureError, match="ForbiddenByConnection"):
        azure.drop("keyvault:Key", key)
    opened = {"resourceGroupName": "rg", "vaultName": "kv-1", "location": "eastus2", "properties": VAULT}
    azure.cloud.update("azure-native:keyvault:Vault", key.rsplit("/keys/", 1)[0], opened)
    azure.drop("keyvault:Key", key)


def test_a_vault_is_recovered_where_it_was(azure: Azure) -> None:
    """Its name is taken for everybody until then, and another region or group recovers nothing."""
    azure.make("resources:ResourceGroup", resourceGroupName="other", location="eastus2")
    azure.drop("keyvault:Vault", vault(azure))
    with pytest.raises(AzureError, match="already exists in deleted state"):
        vault(azure, group="other")
    for elsewhere in ({"group": "other"}, {"location": "centralus"}):
        with pytest.raises(AzureError, match="SoftDeletedVaultDoesNotExist"):
            vault(azure, createMode="recover", **elsewhere)
    vault(azure, createMode="recover")
    assert azure.cloud.kept_by_azure() == []


def test_a_vaults_name_is_free_when_its_retention_is_over(azure: Azure) -> None:
    """Seven days here; without a clock it never is."""
    time = [0.0]
    azure.cloud = AzureCloud(azure.store, lambda: time[0])
    azure.drop("keyvault:Vault", vault(azure))
    time[0] += 7 * DAY - 1
    with pytest.raises(AzureError, match="already exists in deleted state"):
        vault(azure)
    time[0] += 1
    vault(azure)


def workspace(azure: Azure, location: str = "eastus2") -> tuple[str, str]:
    """Make a workspace and return its id and customer id."""
    made, outputs = azure.make("operationalinsights:Workspace", workspaceName="logs", location=location)
    return made, str(outputs["customerId"])


def test_a_deleted_workspace_comes_back_with_its_data_for_two_weeks(azure: Azure) -> None:
    """The same name, group and region recover it; another region meets a conflict."""
    time = [0.0]
    azure.cloud = AzureCloud(azure.store, lambda: time[0])
    made, first = workspace(azure)
    azure.drop("operationalinsights:Workspace", made)
    assert "workspace logs (soft-deleted" in azure.cloud.kept_by_azure()[0]
    with pytest.raises(AzureError, match="'logs' is not unique"):
        workspace(azure, "centralus")
    time[0] += WORKSPACE_DAYS * DAY - 1
    made, second = workspace(azure)
    assert second == first
    assert azure.cloud.kept_by_azure() == []
    azure.drop("operationalinsights:Workspace", made)
    time[0] += WORKSPACE_DAYS * DAY
    assert workspace(azure)[1] != first


def test_a_group_takes_its_workspace_which_can_still_be_recovered(azure: Azure) -> None:
    """Once the group exists again."""
    _, first = workspace(azure)
    azure.drop("resources:ResourceGroup", azure.group)
    azure.make("resources:ResourceGroup", location="eastus2")
    assert workspace(azure)[1] == first


def test_a_type_without_rules_is_made_changed_and_deleted_like_any_other(azure: Azure) -> None:
    """Its group has to exist, and so does what it refers to; nothing else is claimed."""
    token, service = "azure-native:search:Service", {"searchServiceName": "find", "location": "eastus2"}
    with pytest.raises(AzureError, match="ResourceGroupNotFound"):
        azure.cloud.create(token, {"resourceGroupName": "none", **service})
    missing = f"{azure.group}/providers/Microsoft.Network/privateEndpoints/none"
    with pytest.raises(AzureError, match="InvalidResourceReference"):
        azure.cloud.create(token, {"resourceGroupName": "rg", **service, "tags": {"endpoint": missing}})
    made, outputs = azure.cloud.create(token, {"resourceGroupName": "rg", **service})
    assert outputs["name"] == "find"
    changed = azure.cloud.update(token, made, {"resourceGroupName": "rg", **service, "tags": {"a": "b"}})
    assert changed["tags"] == {"a": "b"}
    azure.cloud.delete(token, made)
    assert azure.cloud.read(made) is None


def test_a_profile_of_another_tier_takes_no_rule_sets(azure: Azure) -> None:
    """Rule sets are Front Door's, not the old CDN's."""
    azure.make("cdn:Profile", profileName="old", location="global", sku={"name": "Standard_Microsoft"})
    with pytest.raises(AzureError, match="That action isn't allowed in this profile"):
        azure.make("cdn:RuleSet", profileName="old", ruleSetName="rules")


def test_a_resource_has_at_most_five_diagnostic_settings_each_with_a_destination(azure: Azure) -> None:
    """The sixth is refused."""
    made, _ = workspace(azure)
    for number in range(5):
        azure.make("monitor:DiagnosticSetting", resourceUri=made, name=f"d{number}", workspaceId=made)
    with pytest.raises(AzureError, match="at most 5 diagnostic settings"):
        azure.make("monitor:DiagnosticSetting", resourceUri=made, name="d5", workspaceId=made)
    with pytest.raises(AzureError, match="at least one destination"):
        azure.make("monitor:DiagnosticSetting", resourceUri=azure.group, name="d")


def test_a_policy_assignment_with_an_identity_has_a_location_and_a_short_name(azure: Azure) -> None:
    """64 characters at a group."""
    policy = {"scope": azure.group, "policyDefinitionId": "/providers/Microsoft.Authorization/policyDefinitions/x"}
    token = "authorization:PolicyAssignment"  # noqa: S105 - a type token
    with pytest.raises(AzureError, match="ResourceIdentityRequired"):
        azure.make(token, **policy, policyAssignmentName="a", identity={"type": "SystemAssigned"})
    with pytest.raises(AzureError, match="InvalidPolicyAssignmentName"):
        azure.make(token, **policy, policyAssignmentName="a" * 65)
    azure.make(token, **policy, policyAssignmentName="a" * 64)
