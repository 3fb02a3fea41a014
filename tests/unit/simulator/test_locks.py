"""Management locks keep resources from being deleted."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulator.azure_cloud import AzureCloud
from simulator.azure_errors import AzureError
from simulator.cloud_store import CloudStore


def test_locked_resource_its_children_and_its_group_stay(tmp_path: Path) -> None:
    """Nothing below or above a lock goes; once the lock is gone, everything does."""
    store = CloudStore(tmp_path / "cloud.sqlite")
    cloud = AzureCloud(store)
    group, _ = cloud.create("azure-native:resources:ResourceGroup", {"resourceGroupName": "rg", "location": "eastus2"})
    inputs = {"resourceGroupName": "rg", "location": "eastus2", "resourceName": "one"}
    identity, _ = cloud.create("azure-native:managedidentity:UserAssignedIdentity", inputs)
    lock_inputs = {"lockName": "keep", "scope": identity, "level": "CanNotDelete"}
    lock, _ = cloud.create("azure-native:authorization:ManagementLockByScope", lock_inputs)

    for token, kept in (
        ("azure-native:managedidentity:UserAssignedIdentity", identity),
        ("azure-native:resources:ResourceGroup", group),
    ):
        with pytest.raises(AzureError, match="ScopeLocked"):
            cloud.delete(token, kept)
        assert store.get(kept) is not None

    cloud.delete("azure-native:authorization:ManagementLockByScope", lock)
    cloud.delete("azure-native:resources:ResourceGroup", group)
    assert store.get(identity) is None
    store.close()
