"""What was wrong in the public reference implementation, looked for in defaults, names and refused settings."""

from __future__ import annotations

import re

import pytest

from foundation.azure_regions import ZONES
from foundation.naming import Naming
from stamps.cluster_config import ClusterSettings
from stamps.config import StampConfig
from stamps.fleet import STAMP_KEY
from tests.unit.pulumi_mocks import SUBSCRIPTION_ID
from tests.unit.test_configuration import changed, message, tracked


@pytest.mark.parametrize("count", [1, 2, 4])
def test_a_user_pool_has_a_node_in_each_zone(count: int) -> None:
    """Two nodes over three zones leave one zone without; a multiple of the zones spreads evenly."""
    content = changed(tracked("eastus2"), "cluster.userPools", [{"name": "npuser01", "minCount": count}])
    assert "a multiple of the 3 zones" in message(StampConfig, content, STAMP_KEY)


def test_default_pools_start_with_a_node_in_each_zone() -> None:
    """And may grow beyond it, for the traffic of a region that failed."""
    for _, pool in ClusterSettings().named_pools():
        assert pool.min_count % 3 == 0
        assert pool.max_count >= 2 * pool.min_count


def test_a_storage_name_keeps_its_hash_however_long_the_stamps_name_is() -> None:
    """Eight characters of hash stand at the end, and what is cut is the readable part before them."""
    stamps = [f"germanywestcentral-{color}" for color in ("blue", "green", "red")]
    names = [
        Naming(subscription_id=SUBSCRIPTION_ID, workload="bu0001a0042", scope=stamp).unique_alphanumeric("st", "flow")
        for stamp in stamps
    ]
    assert {len(name) for name in names} == {24}
    assert len({name[:16] for name in names}) == 1, "the readable part is cut to the same text"
    assert len({name[16:] for name in names}) == 3
    assert all(re.fullmatch(r"[0-9a-f]{8}", name[16:]) for name in names)


def test_the_default_kubernetes_version_is_in_support_and_brings_azure_linux_3() -> None:
    """1.34 left AKS's standard support in November 2026. Azure Linux 3 came with 1.32, its predecessor is retired.

    https://learn.microsoft.com/azure/aks/supported-kubernetes-versions,
    https://learn.microsoft.com/azure/azure-linux/support-cycle
    """
    major, minor = ClusterSettings().kubernetes_version.split(".")[:2]
    assert (int(major), int(minor)) >= (1, 35)


def test_default_node_sizes_are_of_a_series_without_a_date_of_retirement() -> None:
    """The second generation of the D series goes in May 2028. A `d` means a local disk, which ephemeral disks need."""
    for _, pool in ClusterSettings().named_pools():
        assert re.fullmatch(r"Standard_D\d+ds_v[5-9]", pool.vm_size)


def test_a_new_generation_changes_the_vaults_name_and_no_other() -> None:
    """A vault that was deleted keeps its name for 90 days and nobody can purge it: the next one has another name."""
    first, second = (
        Naming(subscription_id=SUBSCRIPTION_ID, workload="bu0001a0042", scope="eastus2", generation=number)
        for number in (1, 2)
    )
    assert first.key_vault() != second.key_vault()
    assert first.name("aks") == second.name("aks")
    assert first.unique_alphanumeric("st", "flow") == second.unique_alphanumeric("st", "flow")


def test_every_region_stands_once_in_the_one_table() -> None:
    """Hub, spoke and cluster read the same table, and a region that it lacks is not refused."""
    content = changed(tracked("eastus2"), "region", "moonbase")
    assert StampConfig.model_validate(content).availability_zones == ()
    assert "southcentralus" in ZONES
    assert "brazilsouth" in ZONES
