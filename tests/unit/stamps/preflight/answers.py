"""What az 2.91 answers for a subscription in which everything fits, in the form in which it prints it.

az writes quotas of machines and networks as strings, keeps the case of regions that Azure gave, and prints empty fields
of some services as null.
"""

from __future__ import annotations

import copy
import inspect
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from foundation.configuration import load
from foundation.naming import Naming
from stamps.config import StampConfig
from stamps.fleet import STAMP_KEY, stack_files
from stamps.preflight.check import Finding, Stamp
from stamps.preflight.questions import Reply
from stamps.preflight.subscription import PROVIDERS

PROJECT = Path(__file__).parents[4]
SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"
REGIONS = ("eastus2", "centralus")
DENIED = (
    "ERROR: (AuthorizationFailed) The client 'dev@contoso.com' with object id '9c0ffee0-0000-4000-8000-000000000000' "
    "does not have authorization to perform action '{action}' over scope '/subscriptions/{scope}' or the scope is "
    "invalid. If access was recently granted, please refresh your credentials.\nCode: AuthorizationFailed\n"
)


def stamp(**settings: object) -> Stamp:
    """Return the tracked stamp eastus2 with other settings."""
    content = stack_files(PROJECT)["eastus2"][STAMP_KEY] | settings
    config = load(StampConfig, content, file="Pulumi.eastus2.yaml", key=STAMP_KEY)
    naming = Naming(subscription_id=SUBSCRIPTION, workload="bu0001a0042", scope="eastus2", generation=config.generation)
    return Stamp("eastus2", config, naming, SUBSCRIPTION)


def told(finding: Finding) -> str:
    """Return a finding as its user reads it."""
    return f"{finding.status}: {finding.text} -> {finding.remedy}"


def in_group(group: str, resource_type: str, name: str, **more: object) -> dict[str, Any]:
    """Return a resource as az lists it. Azure gives groups in whatever case they were written."""
    identifier = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{group}/providers/{resource_type}/{name}"
    return {"id": identifier, "name": name, "resourceGroup": group, "type": resource_type, **more}


def size(
    name: str, region: str, *, cores: int, temporary_gib: int, family: str = "standardDDSv5Family"
) -> dict[str, Any]:
    """Return a virtual machine size that is free to use in three zones, without a cache disk."""
    capabilities = {
        "MaxResourceVolumeMB": str(temporary_gib * 1024),
        "OSVhdSizeMB": "1047552",
        "vCPUs": str(cores),
        "HyperVGenerations": "V1,V2",
        "CachedDiskBytes": "0",
        "EphemeralOSDiskSupported": "True",
        "EncryptionAtHostSupported": "True",
    }
    return {
        "capabilities": [{"name": key, "value": value} for key, value in capabilities.items()],
        "family": family,
        "locationInfo": [{"location": region.upper(), "zoneDetails": [], "zones": ["3", "1", "2"]}],
        "locations": [region.upper()],
        "name": name,
        "resourceType": "virtualMachines",
        "restrictions": [],
        "size": name.removeprefix("Standard_"),
        "tier": "Standard",
    }


def sizes(region: str) -> list[dict[str, Any]]:
    """Return the sizes of the default pools."""
    return [
        size("Standard_D4ds_v5", region, cores=4, temporary_gib=150),
        size("Standard_D8ds_v5", region, cores=8, temporary_gib=300),
    ]


def core_usage(family: str, used: int, limit: int) -> dict[str, Any]:
    """Return one quota of cores."""
    local = f"{family} vCPUs"
    name = {"localizedValue": local, "value": family}
    return {"currentValue": str(used), "limit": str(limit), "localName": local, "name": name, "unit": "Count"}


def address_usage(name: str, used: int, limit: int, region: str = "eastus2") -> dict[str, Any]:
    """Return one quota of a region's network."""
    identifier = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Network/locations/{region}/usages/{name}"
    return {
        "currentValue": str(used),
        "id": identifier,
        "limit": str(limit),
        "localName": name,
        "name": {"localizedValue": name, "value": name},
        "unit": "Count",
    }


def version(
    minor: str, *patches: str, preview: bool | None = None, plans: Sequence[str] = ("KubernetesOfficial",)
) -> dict[str, Any]:
    """Return one Kubernetes version of AKS."""
    return {
        "capabilities": {"supportPlan": list(plans)},
        "isDefault": None,
        "isPreview": preview,
        "patchVersions": {patch: {"upgrades": []} for patch in patches},
        "version": minor,
    }


def watcher(region: str, group: str = "NetworkWatcherRG") -> dict[str, Any]:
    """Return a Network Watcher that Azure made."""
    resource = in_group(group, "Microsoft.Network/networkWatchers", f"NetworkWatcher_{region}")
    return {**resource, "location": region, "provisioningState": "Succeeded"}


def _regional(region: str) -> dict[str, Any]:
    return {
        f"vm list-skus --location {region} --resource-type virtualMachines --all": sizes(region),
        f"vm list-usage --location {region}": [
            core_usage("cores", 10, 1000),
            core_usage("standardDDSv5Family", 0, 1000),
        ],
        f"network list-usages --location {region}": [
            address_usage("PublicIPAddresses", 3, 1000, region),
            address_usage("IPv4StandardSkuPublicIpAddresses", 3, 20, region),
        ],
        f"aks get-versions --location {region}": {"values": [version("1.36", "1.36.2"), version("1.35", "1.35.4")]},
    }


def everything_fits() -> dict[str, Any]:
    """Return az's answers by command. Commands that name something are there once without the name."""
    answers: dict[str, Any] = {
        "account show": {
            "environmentName": "AzureCloud",
            "homeTenantId": "99999999-8888-7777-6666-555555555555",
            "id": SUBSCRIPTION,
            "isDefault": True,
            "managedByTenants": [],
            "name": "Contoso Production",
            "state": "Enabled",
            "tenantId": "99999999-8888-7777-6666-555555555555",
            "user": {"name": "dev@contoso.com", "type": "user"},
        },
        "provider list": [
            {"namespace": name, "registrationState": "Registered", "resourceTypes": []}
            for name in (*[provider.replace("Insights", "insights") for provider in PROVIDERS], "Microsoft.Fabric")
        ],
        "feature show --namespace Microsoft.Compute --name EncryptionAtHost": {
            "name": "Microsoft.Compute/EncryptionAtHost",
            "properties": {"state": "Registered"},
            "type": "Microsoft.Features/providers/features",
        },
        "network watcher list": [watcher(region) for region in REGIONS],
        "network public-ip list": [],
        "aks list": [],
        "keyvault list-deleted --resource-type vault": [],
        "keyvault check-name": {"message": None, "nameAvailable": True, "reason": None},
        "acr check-name": {"availableLoginServerName": "", "message": None, "nameAvailable": True, "reason": None},
        "storage account check-name": {"message": None, "nameAvailable": True, "reason": None},
        "resource list --resource-type Microsoft.KeyVault/vaults": [],
        "resource list --resource-type Microsoft.Storage/storageAccounts": [],
        "resource list --resource-type Microsoft.ContainerRegistry/registries": [],
    }
    for region in REGIONS:
        answers |= _regional(region)
    return copy.deepcopy(answers)


def words(command: Sequence[str]) -> str:
    """Return the key of a command in `everything_fits`: what follows `az`, without common options and names."""
    kept = list(command[1:])
    kept.remove("--only-show-errors")
    for option in ("--subscription", "--output", *(["--name"] if "check-name" in kept else [])):
        if option in kept:
            del kept[kept.index(option) : kept.index(option) + 2]
    return " ".join(kept)


class RecordedCloud:
    """Runs no program: answers from a record, and keeps what it was asked. An `str` for an answer is az's complaint."""

    def __init__(self, answers: dict[str, Any]) -> None:
        self.answers = answers
        self.asked: list[tuple[str, ...]] = []

    def run(self, command: Sequence[str]) -> Reply:
        """Answer one command; an unexpected one fails the test."""
        self.asked.append(tuple(command))
        answer = self.answers[words(command)] if command[0] == "az" else self.answers[" ".join(command)]
        return Reply(1, "", answer) if isinstance(answer, str) else Reply(0, json.dumps(answer), "")


FAKE_AZ = f"""
from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

{inspect.getsource(words)}
answer = json.loads((Path(__file__).parent / "answers.json").read_text())[words(sys.argv)]
if isinstance(answer, str):
    sys.exit(answer)
json.dump(answer, sys.stdout)
"""
"""The program of an `az` that answers from `answers.json` beside it."""
