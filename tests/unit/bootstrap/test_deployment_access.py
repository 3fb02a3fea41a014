"""State storage and identities as Azure would get them: one identity a stack, no keys, no right beyond its stack."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml
from pydantic import ValidationError

from bootstrap import config as bootstrap_config
from bootstrap.config import BootstrapConfig, read_fleet
from bootstrap.deployment_access import DeploymentAccess, DeploymentAccessArgs
from bootstrap.rights import CUSTOM_ROLES, OwnerRole
from foundation.configuration import load
from tests.unit.pulumi_mocks import SUBSCRIPTION_ID, RecordingMocks, Registration, deploy

ROOT = Path(__file__).parents[3]
FILE = "bootstrap/Pulumi.fleet.yaml"
SUBSCRIPTION = f"/subscriptions/{SUBSCRIPTION_ID}"
STACKS = ["shared", "centralus", "eastus2"]


def checked(**settings: object) -> BootstrapConfig:
    """Return a configuration of the tracked fleet with other settings."""
    content = {"repository": "contoso/fleet", "location": "westeurope", "stacks": STACKS, **settings}
    return load(BootstrapConfig, content, file=FILE, key=bootstrap_config.CONFIG_KEY)


def deploy_access(project: Path = ROOT, **settings: object) -> RecordingMocks:
    """Deploy for the tracked fleet; the result is what GitHub has to know."""
    config = checked(**settings)
    fleet = read_fleet(project, config, FILE)

    def program() -> pulumi.Output[list[Any]]:
        access = DeploymentAccess(
            "access", DeploymentAccessArgs(config=config, fleet=fleet, subscription_id=SUBSCRIPTION_ID)
        )
        return pulumi.Output.all(access.backend_url, access.client_ids)

    return deploy(program)


def grants(made: RecordingMocks, identity: str) -> dict[str, str]:
    """Return the last word of the scope by role and place, of one identity."""
    kind = "azure-native:authorization:RoleAssignment"
    prefix = f"access-{identity}-"
    return {
        each.name.removeprefix(prefix): str(each.inputs["scope"]).rpartition("/")[2]
        for each in made.of_type(kind)
        if each.name.startswith(prefix)
    }


def assignments(made: RecordingMocks) -> list[Registration]:
    """Return all role assignments."""
    return made.of_type("azure-native:authorization:RoleAssignment")


def test_each_stack_has_an_identity_that_trusts_its_environment() -> None:
    """And previews have one that trusts pull requests; no other subject, no second credential."""
    made = deploy_access()
    credentials = made.of_type("azure-native:managedidentity:FederatedIdentityCredential")

    assert {str(each.inputs["subject"]) for each in credentials} == {
        "repo:contoso/fleet:pull_request",
        *(f"repo:contoso/fleet:environment:{stack}" for stack in STACKS),
    }
    assert len({each.inputs["resourceName"] for each in credentials}) == len(credentials) == 4
    assert {each.inputs["issuer"] for each in credentials} == {"https://token.actions.githubusercontent.com"}
    assert all(each.inputs["audiences"] == ["api://AzureADTokenExchange"] for each in credentials)
    assert set(made.result[1]) == set(STACKS)


def test_state_has_no_key_and_forgets_nothing() -> None:
    """Entra only, versions, soft delete of blobs and of the container, and protection against a removal."""
    made = deploy_access()
    account = made.one("azure-native:storage:StorageAccount")
    service = made.one("azure-native:storage:BlobServiceProperties").inputs
    container = made.one("azure-native:storage:BlobContainer")

    assert account.inputs["allowSharedKeyAccess"] is False
    assert account.inputs["allowBlobPublicAccess"] is False
    assert account.inputs["sku"] == {"name": "Standard_ZRS"}
    assert service["isVersioningEnabled"] is True
    assert (
        service["deleteRetentionPolicy"] == service["containerDeleteRetentionPolicy"] == {"enabled": True, "days": 30}
    )
    assert account.protect
    assert container.protect
    assert container.inputs["publicAccess"] == "None"
    assert made.result[0] == f"azblob://state?storage_account={account.inputs['accountName']}"


def test_a_stamp_reaches_its_own_groups_and_its_part_of_the_shared_one() -> None:
    """Never another stamp's, never the subscription."""
    assert grants(deploy_access(), "stack-eastus2") == {
        "storage-blob-data-contributor-state": "state",
        "stamp-in-shared-group-shared": "rg-bu0001a0042-shared-eastus2",
        "role-based-access-control-administrator-shared": "rg-bu0001a0042-shared-eastus2",
        "flow-logs-network-watcher": "NetworkWatcherRG",
        **{
            f"{right}-{group}": f"rg-bu0001a0042-eastus2-{group}"
            for group in ("hub", "spoke", "cluster")
            for right in ("contributor", "role-based-access-control-administrator", "policy")
        },
    }


def test_shared_and_previews_have_no_more_than_they_need() -> None:
    """Shared: its group, and replicas' addresses in the stamps; previews read."""
    made = deploy_access()

    assert grants(made, "stack-shared") == {
        "storage-blob-data-contributor-state": "state",
        "contributor-group": "rg-bu0001a0042-shared-eastus2",
        "registry-replicas-centralus": "rg-bu0001a0042-centralus-cluster",
        "registry-replicas-eastus2": "rg-bu0001a0042-eastus2-cluster",
    }
    assert grants(made, "preview") == {
        "storage-blob-data-reader-state": "state",
        "reader-subscription": SUBSCRIPTION_ID,
    }


def test_rights_to_assign_roles_are_always_limited() -> None:
    """By a condition, on whatever scope; and what is assigned is told to be a service principal."""
    made = deploy_access(firstDeployment=["eastus2"])
    administrators = [
        each
        for each in assignments(made)
        if str(each.inputs["roleDefinitionId"]).endswith(OwnerRole.ROLE_BASED_ACCESS_CONTROL_ADMINISTRATOR.value)
    ]

    assert len(administrators) == 6
    for each in administrators:
        assert "roleAssignments/delete" in each.inputs["condition"]
        assert each.inputs["conditionVersion"] == "2.0"
    assert {each.inputs["principalType"] for each in assignments(made)} == {"ServicePrincipal"}


def test_custom_roles_are_defined_once_and_without_wildcards() -> None:
    """But for the results of Front Door's own operations; their names carry the workload."""
    roles = deploy_access().of_type("azure-native:authorization:RoleDefinition")

    assert len(roles) == len(CUSTOM_ROLES)
    for each in roles:
        (permission,) = each.inputs["permissions"]
        assert {action for action in permission["actions"] if "*" in action} <= {"Microsoft.Cdn/operationresults/*"}
        assert each.inputs["roleName"].startswith("bu0001a0042 ")
        assert each.inputs["assignableScopes"] == [SUBSCRIPTION]


def test_a_first_deployment_has_the_subscription_for_a_while() -> None:
    """The stamp makes its groups itself, so nothing can be granted on them before; the others keep their limits."""
    made = deploy_access(firstDeployment=["eastus2"])

    assert set(grants(made, "stack-eastus2").values()) == {"state", SUBSCRIPTION_ID, "rg-bu0001a0042-shared-eastus2"}
    assert SUBSCRIPTION_ID not in grants(made, "stack-centralus").values()
    assert "registry-replicas-eastus2" not in grants(made, "stack-shared")
    assert grants(deploy_access(stacks=["shared"], firstDeployment=["shared"]), "stack-shared") == {
        "storage-blob-data-contributor-state": "state",
        "contributor-subscription": SUBSCRIPTION_ID,
    }


def test_options_of_the_fleet_bring_their_rights(tmp_path: Path) -> None:
    """A public zone, cluster events, an own place for the network watcher, people who operate by hand."""
    storage = f"{SUBSCRIPTION}/resourceGroups/rg-x/providers/Microsoft.Storage/storageAccounts/events"
    for name, change in {
        "shared": {"publicDnsZone": {"resourceGroup": "rg-dns", "name": "edge.contoso.com"}},
        "eastus2": {
            "eventGrid": {"storageAccountId": storage, "queueName": "events"},
            "networkWatcher": {"resourceGroup": "rg-watchers"},
        },
    }.items():
        content = yaml.safe_load((ROOT / f"Pulumi.{name}.yaml").read_text("utf-8"))
        next(iter(content["config"].values())).update(change)
        (tmp_path / f"Pulumi.{name}.yaml").write_text(yaml.safe_dump(content), "utf-8")
    group = "11111111-2222-3333-4444-555555555555"
    made = deploy_access(tmp_path, stacks=["shared", "eastus2"], operatorGroup=group)
    granted = grants(made, "stack-eastus2")

    assert granted["public-name-public-zone"] == "rg-dns"
    assert granted["role-based-access-control-administrator-event-storage"] == "events"
    assert granted["flow-logs-network-watcher"] == "rg-watchers"
    operators = made.named("access-operators-state").inputs
    assert (operators["principalId"], operators["principalType"]) == (group, "Group")


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"repository": "fleet"}, "a GitHub repository with its owner"),
        ({"stacks": ["shared", "shared"]}, "each stack once"),
        ({"firstDeployment": ["westus3"]}, "stacks of the list stacks"),
        ({"stacks": ["shared", "westus3"]}, "a stack that has a file Pulumi.westus3.yaml"),
        ({"stacks": ["eastus2"]}, "also its shared stack, shared"),
        ({"firstDeployment": ["shared"]}, "no stamp of shared before that is deployed"),
        ({"operatorGroup": "admins"}, "a GUID"),
    ],
)
def test_wrong_settings_get_one_message(settings: dict[str, object], told: str) -> None:
    """With the file, and nothing is made."""
    with pytest.raises(pulumi.RunError, match=told) as refused:
        read_fleet(ROOT, checked(**settings), FILE)
    assert str(refused.value).startswith("The configuration is not valid; nothing was deployed.")
    assert FILE in str(refused.value)


def test_the_tracked_configuration_is_that_of_the_tracked_fleet() -> None:
    """It lists every stack file of the checkout."""
    content = yaml.safe_load((ROOT / "bootstrap" / "Pulumi.fleet.yaml").read_text("utf-8"))
    config = BootstrapConfig.model_validate(content["config"][bootstrap_config.CONFIG_KEY])
    files = {file.name.split(".")[1] for file in ROOT.glob("Pulumi.*.yaml")}

    assert set(config.stacks) == files
    with pytest.raises(ValidationError):
        BootstrapConfig.model_validate({**content, "unknown": 1})
