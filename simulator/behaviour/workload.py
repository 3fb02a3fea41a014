"""What makes a cluster extension or a Flux configuration fail: what its pods cannot reach or are not allowed.

A Flux configuration that does not wait for its reconciliation is accepted by Azure however it ends.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlparse

from simulator.azure_errors import AzureError, AzureRequest, Rule
from simulator.behaviour.access import CONTRIBUTOR, NETWORK_CONTRIBUTOR, OWNER, holds_role
from simulator.behaviour.cluster_network import node_subnets, region_of
from simulator.behaviour.egress import Call, refusal
from simulator.behaviour.subnets import (
    Flow,
    address_spaces,
    connected_networks,
    group_of_subnet,
    network_of,
    subnet_properties,
    subnets_of,
    verdict,
)
from simulator.cloud_store import CloudStore, StoredResource
from simulator.computed_network import subnet_prefix
from simulator.protocol_values import strings_in
from simulator.resource_ids import name_of

_FLUX: Final = "microsoft.flux"
_FLUX_NAMESPACE: Final = "flux-system"
_FLUX_IMAGE: Final = "mcr.microsoft.com/oss/fluxcd/source-controller:v1.4.1"
_DEFAULT_PODS: Final = "10.244.0.0/16"
_POD_TRAFFIC: Final = (("pods", 53, "Udp"), ("pods", 53, "Tcp"), ("pods", 9090, "Tcp"))
"""From pods: DNS, and the artifacts that Flux's source controller gives the others."""


def _cluster(request: AzureRequest) -> StoredResource | None:
    return request.store.get(request.id.rsplit("/providers/", 1)[0])


def _subnets(store: CloudStore, cluster: StoredResource) -> list[str]:
    pools = [item.inputs for item in store.below(cluster.id) if item.arm_type.endswith("/agentpools")]
    return node_subnets({"agentPoolProfiles": [*(cluster.inputs.get("agentPoolProfiles") or []), *pools]})


def _extension(request: AzureRequest) -> None:
    cluster = _cluster(request)
    if cluster is None or cluster.arm_type != "microsoft.containerservice/managedclusters":
        return
    region = region_of(cluster.outputs.get("location"))
    for subnet in _subnets(request.store, cluster):
        # The extension's agent reads its settings there (support article "cluster extensions", 403 in its log).
        host = f"{region}.dp.kubernetesconfiguration.azure.com"
        reason = refusal(request.store, subnet, Call(host))
        if reason:
            raise _extension_failure(f"Error in the getting the Configurations: Post https://{host}: {reason}")
    if str(request.inputs.get("extensionType")).lower() == _FLUX:
        for reason in (_api_server_by_address(request.store, cluster), _denied_images(request.store, cluster)):
            if reason:
                raise _extension_failure(
                    "[Helm installation failed : Timed out waiting for the resource to come to a ready/completed state "
                    f"Deployment is not ready: {_FLUX_NAMESPACE}/source-controller. 0 out of 1 expected pods are ready "
                    f": InnerError [{reason}]]"
                )


def _extension_failure(reason: str) -> AzureError:
    # As in azure-sdk-for-go#21668 and AKS#5645.
    return AzureError(
        409,
        "ExtensionOperationFailed",
        f"The extension operation failed with the following error: Error: {reason} occurred while doing the operation "
        ": [Create] on the config.",
    )


def _api_server_by_address(store: CloudStore, cluster: StoredResource) -> str | None:
    """Return why pods do not reach a public API server; ``None`` when they do.

    Pods outside Azure's own namespaces call the address of ``kubernetes.default`` and send no host name, which an
    application rule cannot read (azure-docs#59077, AKS#2931, AKS#2775).
    """
    access = cluster.inputs.get("apiServerAccessProfile") or {}
    if access.get("enablePrivateCluster") or access.get("enableVnetIntegration"):
        return None
    region, host = region_of(cluster.outputs.get("location")), str(cluster.outputs.get("fqdn", ""))
    reasons = (
        refusal(store, subnet, Call(host, by_address=True, region=region)) for subnet in _subnets(store, cluster)
    )
    return next((reason for reason in reasons if reason), None)


def _denied_images(store: CloudStore, cluster: StoredResource) -> str | None:
    """Return which policy keeps Flux's own pods out: Azure excludes flux-system from none (azure-policy#1161)."""
    if not ((cluster.inputs.get("addonProfiles") or {}).get("azurepolicy") or {}).get("enabled"):
        return None
    for assignment in store.of_type("Microsoft.Authorization/policyAssignments"):
        scope = str(assignment.inputs.get("scope", "")).lower().rstrip("/")
        values = {name: item.get("value") for name, item in (assignment.inputs.get("parameters") or {}).items()}
        images = values.get("allowedContainerImagesRegex")
        if (
            images
            and (cluster.id.lower() + "/").startswith(scope + "/")
            and str(values.get("effect", "Audit")).lower() == "deny"
            and assignment.inputs.get("enforcementMode") != "DoNotEnforce"
            and _FLUX_NAMESPACE not in (values.get("excludedNamespaces") or [])
            and not re.search(str(images), _FLUX_IMAGE)
        ):
            return f"admission webhook validation.gatekeeper.sh denied the request: {name_of(assignment.id)}"
    return None


def _flux(request: AzureRequest) -> None:
    cluster = _cluster(request)
    if cluster is None or not request.inputs.get("waitForReconciliation") or request.inputs.get("suspend"):
        return
    reasons = (*_git(request, cluster), *_pods(request.store, cluster), *_load_balancers(request, cluster))
    if reasons:
        raise AzureError(
            409,
            "ResourceOperationFailure",
            "The resource operation completed with terminal provisioning state 'Failed'. Flux configuration "
            f"{request.name} is not compliant: {reasons[0]}",
        )


def _git(request: AzureRequest, cluster: StoredResource) -> Iterator[str]:
    url = urlparse(str((request.inputs.get("gitRepository") or {}).get("url") or ""))
    if url.hostname:
        call = Call(url.hostname, port=url.port or (22 if url.scheme == "ssh" else 443))
        for subnet in _subnets(request.store, cluster):
            reason = refusal(request.store, subnet, call)
            if reason:
                yield f"failed to checkout and determine revision: unable to clone '{url.geturl()}': {reason}"


def _pods(store: CloudStore, cluster: StoredResource) -> Iterator[str]:
    """Yield what a subnet's security group denies to pods on an overlay.

    Their traffic from node to node is not encapsulated, so the group sees pod addresses, which no tag covers
    (https://learn.microsoft.com/azure/aks/concepts-network-azure-cni-overlay#network-security-groups).
    """
    profile = cluster.inputs.get("networkProfile") or {}
    if profile.get("networkPluginMode") != "overlay":
        return
    for subnet in _subnets(store, cluster):
        nodes = subnet_prefix(store, subnet)
        group = group_of_subnet(store, subnet_properties(store, subnet))
        if nodes is None or group is None:
            continue
        network = network_of(subnet)
        tag = tuple(text for one in connected_networks(store, network) for text in address_spaces(store, one))
        ends = {"pods": str(profile.get("podCidr") or _DEFAULT_PODS), "nodes": nodes}
        traffic = (*(("pods", *rest) for rest in _POD_TRAFFIC), ("nodes", "nodes", 10250, "Tcp"))
        for source, destination, port, protocol in (*traffic, ("nodes", "pods", 10250, "Tcp")):
            for direction in ("Inbound", "Outbound"):
                flow = Flow(direction, ends[source], ends[destination], port, protocol, tag)
                if verdict(store, group, flow) is False:
                    yield (
                        f"i/o timeout: network security group {name_of(group.id)} denies {source} {ends[source]} to "
                        f"{destination} {ends[destination]}, {protocol} {port}, {direction.lower()}"
                    )


def _load_balancers(request: AzureRequest, cluster: StoredResource) -> Iterator[str]:
    """Yield why a load balancer inside the network would get no address.

    An address of the cluster's own network that the manifests are given is one that a Service of type LoadBalancer
    asks for. AKS takes it in the name of the cluster's identity, which needs the subnet
    (terraform-azurerm-aks#178, azure-docs#62754).
    """
    networks = dict.fromkeys(network_of(subnet) for subnet in _subnets(request.store, cluster))
    for kustomization in (request.inputs.get("kustomizations") or {}).values():
        given = (kustomization.get("postBuild") or {}).get("substitute") or {}
        for _, text in strings_in(given):
            address = _address(text)
            for network in networks if address else ():
                reason = _no_address(request.store, cluster, network, address) if address else None
                if reason:
                    yield f"EnsuringLoadBalancer {text}: {reason}"


def _no_address(
    store: CloudStore, cluster: StoredResource, network_id: str, address: ipaddress.IPv4Address
) -> str | None:
    network = store.get(network_id)
    for subnet in subnets_of(network.inputs) if network else ():
        subnet_id = f"{network.id}/subnets/{subnet.get('name')}" if network else ""
        prefix = subnet_prefix(store, subnet_id)
        if prefix is None or address not in ipaddress.ip_network(prefix):
            continue
        usable = list(ipaddress.ip_network(prefix))[4:-1]
        if address not in usable:
            return f"PrivateIPAddressInReservedRange: it falls within the reserved range of {prefix}"
        owner = _holder(store, subnet_id, str(address))
        if owner:
            return f"PrivateIPAddressIsAllocated: it is already allocated to resource {owner}"
        if not any(
            holds_role(store, principal, (NETWORK_CONTRIBUTOR, CONTRIBUTOR, OWNER), subnet_id)
            for principal in _principals(store, cluster)
        ):
            return (
                "StatusCode=403, AuthorizationFailed: the cluster's identity does not have authorization to perform "
                f"action 'Microsoft.Network/virtualNetworks/subnets/read' over scope '{subnet_id}'"
            )
    return None


def _principals(store: CloudStore, cluster: StoredResource) -> list[str]:
    identity: Mapping[str, Any] = cluster.inputs.get("identity") or {}
    stored = [store.get(item) for item in identity.get("userAssignedIdentities") or []]
    own = (cluster.outputs.get("identity") or {}).get("principalId")
    return [str(item.outputs.get("principalId")) for item in stored if item] + ([str(own)] if own else [])


def _holder(store: CloudStore, subnet_id: str, address: str) -> str | None:
    for item in store.referring_to(subnet_id):
        for entry in item.outputs.get("customDnsConfigs") or []:
            if item.arm_type == "microsoft.network/privateendpoints" and address in (entry.get("ipAddresses") or []):
                return item.id
    return None


def _address(text: str) -> ipaddress.IPv4Address | None:
    try:
        return ipaddress.IPv4Address(text)
    except ValueError:
        return None


WORKLOAD_WRITES: Final[Mapping[str, tuple[Rule, ...]]] = {
    "kubernetesconfiguration:Extension": (_extension,),
    "kubernetesconfiguration:FluxConfiguration": (_flux,),
}
"""Rules before a write, by ``module:Class``."""
