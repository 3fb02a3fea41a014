"""What a region offers, and how much of it a subscription may have."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.azure_errors import AzureError
from simulator.behaviour.offers import regions, withhold, zones_of
from simulator.behaviour.quotas import cores_of, family_of, set_quota
from simulator.immutability import changes
from tests.unit.simulator.conftest import Azure

CLUSTER = "containerservice:ManagedCluster"
POOL: dict[str, Any] = {"name": "system", "mode": "System", "vmSize": "Standard_D4ds_v5", "count": 3}


def cluster_inputs(pool: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - inputs of any type
    """Return the inputs of a small cluster; more of the inputs, and more of its pool."""
    place = {"resourceGroupName": "rg", "resourceName": "aks", "location": "eastus2", "dnsPrefix": "aks"}
    return {**place, "agentPoolProfiles": [{**POOL, **(pool or {})}], **more}


def cluster(azure: Azure, pool: dict[str, Any] | None = None, **more: Any) -> str:  # noqa: ANN401 - inputs of any type
    """Make it."""
    return azure.cloud.create(f"azure-native:{CLUSTER}", cluster_inputs(pool, **more))[0]


def add_pool(azure: Azure, **more: Any) -> str:  # noqa: ANN401 - inputs of any type
    """Make a second pool of the cluster."""
    inputs = {"resourceName": "aks", "agentPoolName": "user", "vmSize": "Standard_D4ds_v5", "count": 3, **more}
    return azure.make("containerservice:AgentPool", **inputs)[0]


@pytest.mark.parametrize("location", ["eastus9", "Europe", "global"])
def test_a_location_is_an_azure_region(azure: Azure, location: str) -> None:
    """For a group and for what lies in it; a network is nowhere global."""
    with pytest.raises(AzureError, match=r"LocationNotAvailableForResourceGroup.*eastus2"):
        azure.make("resources:ResourceGroup", resourceGroupName="other", location=location)
    with pytest.raises(AzureError, match="LocationNotAvailableForResourceType"):
        azure.make("network:RouteTable", routeTableName="rt", location=location)


def test_a_global_type_lies_in_no_region(azure: Azure) -> None:
    """A private zone and a Front Door profile."""
    with pytest.raises(AzureError, match=r"LocationNotAvailableForResourceType.*'global'"):
        azure.make("privatedns:PrivateZone", privateZoneName="a.example", location="eastus2")
    with pytest.raises(AzureError, match=r"LocationNotAvailableForResourceType.*'global'"):
        azure.make("cdn:Profile", profileName="p", location="eastus2", sku={"name": "Premium_AzureFrontDoor"})


def test_the_regions_of_this_project_exist_in_any_spelling(azure: Azure) -> None:
    """With spaces and capitals as the portal writes them; zones are where Azure has them."""
    assert {"eastus2", "centralus", "westeurope", "germanywestcentral"} <= regions()
    assert zones_of("eastus2") == ["1", "2", "3"]
    assert not zones_of("westus")
    azure.make("network:RouteTable", routeTableName="rt", location="Central US")


@pytest.mark.parametrize(
    ("version", "plan", "told"),
    [
        ("1.25", None, "not supported in this region"),
        ("1.33.13", None, "only available for Long-Term Support"),
        ("1.33", "AKSLongTermSupport", None),
        ("1.36", None, None),
        ("2.0", None, "not supported in this region"),
    ],
)
def test_a_cluster_takes_a_kubernetes_version_that_the_region_offers(
    azure: Azure, version: str, plan: str | None, told: str | None
) -> None:
    """Long-term support only with its plan."""
    if told is None:
        cluster(azure, kubernetesVersion=version, supportPlan=plan)
        return
    with pytest.raises(AzureError, match=f"K8sVersionNotSupported.*{told}"):
        cluster(azure, kubernetesVersion=version, supportPlan=plan)


def test_a_cloud_can_withhold_a_version_a_size_and_a_zone(azure: Azure) -> None:
    """For tests of a program that meets a region without them; the next call gives everything back."""
    withhold(azure.store, "eastus2", "1.36")
    with pytest.raises(AzureError, match="K8sVersionNotSupported"):
        cluster(azure, kubernetesVersion="1.36")
    withhold(azure.store, "eastus2", "standard_d4ds_v5")
    with pytest.raises(AzureError, match="VM size of Standard_D4ds_v5 is not allowed in your subscription"):
        cluster(azure)
    withhold(azure.store, "eastus2", "zone:3")
    with pytest.raises(AzureError, match=r"AvailabilityZoneNotSupported.*zone.s. '3'.*are '1,2'"):
        cluster(azure, {"availabilityZones": ["1", "2", "3"]})
    withhold(azure.store, "eastus2")
    cluster(azure, {"availabilityZones": ["1", "2", "3"]}, kubernetesVersion="1.36")


@pytest.mark.parametrize("size", ["Standard_A2", "Standard_NC6", "Standrad_D4ds_v5"])
def test_a_retired_or_misspelt_vm_size_is_not_offered(azure: Azure, size: str) -> None:
    """Neither inline nor in a pool of its own."""
    with pytest.raises(AzureError, match="is not allowed in your subscription"):
        cluster(azure, {"vmSize": size})
    cluster(azure)
    with pytest.raises(AzureError, match="is not allowed in your subscription"):
        add_pool(azure, vmSize=size)


def test_zones_are_refused_where_the_region_has_none(azure: Azure) -> None:
    """West US has no zones."""
    with pytest.raises(AzureError, match="AvailabilityZoneNotSupported"):
        cluster(azure, {"availabilityZones": ["1"]}, location="westus")
    cluster(azure, location="westus")


def test_kubernetes_goes_up_one_minor_version_at_a_time_and_pools_follow(azure: Azure) -> None:
    """No step back, no version skipped, no pool before its cluster."""
    made = cluster(azure, kubernetesVersion="1.34")
    with pytest.raises(AzureError, match="NodePoolMcVersionIncompatible"):
        add_pool(azure, orchestratorVersion="1.35")
    with pytest.raises(AzureError, match=r"Upgrading Kubernetes version 1\.34 to 1\.36 is not allowed"):
        azure.cloud.update(f"azure-native:{CLUSTER}", made, cluster_inputs(kubernetesVersion="1.36"))
    azure.cloud.update(f"azure-native:{CLUSTER}", made, cluster_inputs(kubernetesVersion="1.35"))
    with pytest.raises(AzureError, match=r"Upgrading Kubernetes version 1\.35 to 1\.34 is not allowed"):
        azure.cloud.update(f"azure-native:{CLUSTER}", made, cluster_inputs(kubernetesVersion="1.34"))
    add_pool(azure, orchestratorVersion="1.35")


def test_the_regions_cores_are_counted_over_all_pools(azure: Azure) -> None:
    """Inline and separate pools, in this region only; what goes gives its cores back."""
    set_quota(azure.store, "eastus2", "cores", 20)
    cluster(azure)
    with pytest.raises(AzureError, match="left regional vcpu quota 8, requested quota 12"):
        add_pool(azure)
    made = add_pool(azure, count=2)
    azure.make("resources:ResourceGroup", resourceGroupName="elsewhere", location="centralus")
    cluster(azure, resourceGroupName="elsewhere", location="centralus")
    azure.drop("containerservice:AgentPool", made)
    add_pool(azure, count=1)


def test_a_familys_cores_are_counted_by_themselves(azure: Azure) -> None:
    """Another family has its own; without the fact the default is back."""
    set_quota(azure.store, "eastus2", "standardDDSv5Family", 8)
    with pytest.raises(AzureError, match="requested 12, remaining 8 for family standardDDSv5Family for region eastus2"):
        cluster(azure)
    cluster(azure, {"vmSize": "Standard_E4s_v5"})
    set_quota(azure.store, "eastus2", "standardDDSv5Family", None)
    add_pool(azure)


def test_only_growth_needs_quota(azure: Azure) -> None:
    """A quota that was lowered afterwards keeps nobody from changing tags."""
    made = cluster(azure)
    set_quota(azure.store, "eastus2", "cores", 4)
    azure.cloud.update(f"azure-native:{CLUSTER}", made, cluster_inputs(tags={"a": "b"}))
    with pytest.raises(AzureError, match="ErrCode_InsufficientVCPUQuota"):
        azure.cloud.update(f"azure-native:{CLUSTER}", made, cluster_inputs({"count": 4}))


@pytest.mark.parametrize(
    ("size", "family", "cores"),
    [
        ("Standard_D4ds_v5", "standardDDSv5Family", 4),
        ("Standard_D16s_v3", "standardDSv3Family", 16),
        ("Standard_E8-2ads_v5", "standardEADSv5Family", 2),
        ("Standard_NC24ads_A100_v4", "standardNCADSA100v4Family", 24),
        ("something", "unknown", 0),
    ],
)
def test_family_and_cores_follow_from_the_name_of_a_size(size: str, family: str, cores: int) -> None:
    """As Azure builds the names."""
    assert (family_of(size), cores_of(size)) == (family, cores)


@pytest.mark.parametrize(
    ("token", "quota", "name_input", "told"),
    [
        ("network:PublicIPAddress", "publicIPAddresses", "publicIpAddressName", "PublicIPCountLimitReached"),
        ("network:VirtualNetwork", "virtualNetworks", "virtualNetworkName", "VnetCountLimitReached"),
    ],
)
def test_addresses_and_networks_have_a_limit_in_each_region(
    azure: Azure, token: str, quota: str, name_input: str, told: str
) -> None:
    """The third is refused, in this region only."""
    set_quota(azure.store, "eastus2", quota, 2)
    space = {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}}
    for name in ("one", "two"):
        azure.make(token, **{name_input: name}, location="eastus2", **space)
    with pytest.raises(AzureError, match=f"{told}.*Cannot create more than 2"):
        azure.make(token, **{name_input: "three"}, location="eastus2", **space)
    azure.make(token, **{name_input: "three"}, location="centralus", **space)


@pytest.mark.parametrize(
    ("path", "value"), [("dnsPrefix", "other"), ("nodeResourceGroup", "other"), ("location", "centralus")]
)
def test_a_clusters_immutable_properties_replace_it(azure: Azure, path: str, value: str) -> None:
    """And its tags do not."""
    kind, _ = azure.cloud.type_of(f"azure-native:{CLUSTER}")
    before = {"dnsPrefix": "aks", "nodeResourceGroup": "nodes", "location": "eastus2", "tags": {"a": "b"}}
    assert [(item.path, item.replaces) for item in changes(kind, before, {**before, path: value})] == [(path, True)]
    tagged = changes(kind, before, {**before, "tags": {"a": "c"}})
    assert [item.replaces for item in tagged] == [False]


def test_the_nodes_group_goes_with_its_cluster(azure: Azure) -> None:
    """And all that somebody has put there."""
    made = cluster(azure, nodeResourceGroup="nodes")
    inside = {"resourceGroupName": "nodes", "routeTableName": "rt", "location": "eastus2"}
    table = azure.cloud.create("azure-native:network:RouteTable", inside)[0]
    azure.drop(CLUSTER, made)
    assert azure.cloud.read(table) is None
    assert not azure.store.exists(f"/subscriptions/{azure.cloud.subscription}/resourceGroups/nodes")


def test_a_windows_pools_name_is_shorter(azure: Azure) -> None:
    """Six characters; twelve for Linux; no capitals."""
    cluster(azure)
    for name, system in (("sevenxx", "Windows"), ("thirteenxxxxx", "Linux"), ("User", "Linux")):
        with pytest.raises(AzureError, match="InvalidParameter"):
            add_pool(azure, agentPoolName=name, osType=system)
    add_pool(azure, agentPoolName="sixxxx", osType="Windows")
    add_pool(azure, agentPoolName="twelvexxxxxx", osType="Linux")


def test_a_cluster_names_a_system_pool(azure: Azure) -> None:
    """At its creation; pools are not added through the cluster."""
    with pytest.raises(AzureError, match="MustDefineAtLeastOneSystemPool"):
        cluster(azure, {"mode": "User"})
    made = cluster(azure)
    more = [POOL, {**POOL, "name": "more"}]
    with pytest.raises(AzureError, match="A new agent pool was introduced"):
        azure.cloud.update(f"azure-native:{CLUSTER}", made, {**cluster_inputs(), "agentPoolProfiles": more})
