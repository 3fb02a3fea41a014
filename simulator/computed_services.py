"""What Azure computes for everything but the network: host names, endpoints, identities, states."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final

from simulator.computed_outputs import OutputContext, label_hash, new_guid
from simulator.protocol_values import Properties, Secret, Value
from simulator.resource_ids import group_of, name_of

DEFAULT_KUBERNETES_VERSION: Final = "1.35.1"
"""What a cluster gets that names no version: the newest but one (AKS page on supported versions)."""


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _deployed(context: OutputContext) -> None:
    context.outputs["deploymentStatus"] = "NotStarted"


def _profile(context: OutputContext) -> None:
    # Random: programs must read the id from the profile, as only Azure knows it.
    context.keep("frontDoorId", new_guid)
    context.outputs["resourceState"] = "Active"
    context.outputs["kind"] = "frontdoor"


def _afd_endpoint(context: OutputContext) -> None:
    context.outputs["hostName"] = f"{context.name}-{label_hash(context.id)}.z01.azurefd.net"
    _deployed(context)


def _custom_domain(context: OutputContext) -> None:
    context.outputs["domainValidationState"] = "Approved"
    context.keep("validationProperties", lambda: {"validationToken": label_hash(context.id), "expirationDate": _now()})
    _deployed(context)


def _waf_policy(context: OutputContext) -> None:
    context.outputs["resourceState"] = "Enabled"


def _registry(context: OutputContext) -> None:
    host = context.name.lower()
    context.outputs["loginServer"] = f"{host}.azurecr.io"
    context.keep("creationDate", _now)
    if context.inputs.get("dataEndpointEnabled"):
        region = str(context.outputs.get("location", "")).replace(" ", "").lower()
        context.outputs["dataEndpointHostNames"] = [f"{host}.{region}.data.azurecr.io"]


def _vault(context: OutputContext) -> None:
    properties = context.section("properties")
    properties["vaultUri"] = f"https://{context.name.lower()}.vault.azure.net/"
    properties["provisioningState"] = "Succeeded"
    properties.setdefault("enableSoftDelete", True)


def _secret(context: OutputContext) -> None:
    vault, name = context.inputs["vaultName"].lower(), context.name
    properties = context.section("properties")
    properties.pop("value", None)  # Resource Manager never returns it
    sealed = context.store.seal(Secret(context.inputs.get("properties", {}).get("value")))
    former = context.previous_section("properties").get("secretUriWithVersion")
    stored = context.store.get(context.id)
    same = stored is not None and former and stored.inputs.get("properties", {}).get("value") == sealed
    properties["secretUri"] = f"https://{vault}.vault.azure.net/secrets/{name}"
    properties["secretUriWithVersion"] = former if same else f"{properties['secretUri']}/{new_guid().replace('-', '')}"
    _vault_location(context)


def _key(context: OutputContext) -> None:
    properties = context.outputs.pop("properties", None) or dict(context.inputs.get("properties") or {})
    context.outputs.update(
        {name: properties[name] for name in ("kty", "keySize", "keyOps", "curveName") if name in properties}
    )
    context.outputs["keyUri"] = f"https://{context.inputs['vaultName'].lower()}.vault.azure.net/keys/{context.name}"
    context.keep("keyUriWithVersion", lambda: f"{context.outputs['keyUri']}/{new_guid().replace('-', '')}")
    _vault_location(context)


def _vault_location(context: OutputContext) -> None:
    parent = context.store.get(context.id.rsplit("/", 2)[0])
    if parent:
        context.outputs["location"] = parent.outputs.get("location")


def _user_assigned_identity(context: OutputContext) -> None:
    context.keep("principalId", new_guid)
    context.keep("clientId", new_guid)
    context.outputs["tenantId"] = context.tenant


def _workspace(context: OutputContext) -> None:
    context.keep("customerId", new_guid)
    context.keep("createdDate", _now)
    context.outputs["modifiedDate"] = context.outputs["createdDate"]


def _storage_account(context: OutputContext) -> None:
    name = context.name.lower()
    zones = {"blob": "blob.core", "dfs": "dfs.core", "file": "file.core", "queue": "queue.core", "table": "table.core"}
    endpoints = {service: f"https://{name}.{zone}.windows.net/" for service, zone in zones.items()}
    endpoints["web"] = f"https://{name}.z{int(label_hash(name), 16) % 50}.web.core.windows.net/"
    context.outputs["primaryEndpoints"] = endpoints
    context.outputs["primaryLocation"] = context.outputs.get("location")
    context.outputs["statusOfPrimary"] = "available"
    context.keep("creationTime", _now)


def _blob(context: OutputContext) -> None:
    path = f"{context.inputs.get('containerName')}/{context.inputs.get('blobName')}"
    context.outputs["name"] = context.inputs.get("blobName")
    context.outputs["url"] = f"https://{str(context.inputs.get('accountName')).lower()}.blob.core.windows.net/{path}"


def _static_website(context: OutputContext) -> None:
    context.outputs["containerName"] = "$web"


def _monitor_workspace(context: OutputContext) -> None:
    region = str(context.outputs.get("location", "")).replace(" ", "").lower()
    context.keep("accountId", new_guid)
    host = f"{context.name.lower()}-{label_hash(context.id)[:4]}.{region}.prometheus.monitor.azure.com"
    context.outputs["metrics"] = {
        "prometheusQueryEndpoint": f"https://{host}",
        "internalId": f"mac_{context.outputs['accountId']}",
    }
    managed = f"MA_{context.name}_{region}_managed"
    prefix = f"/subscriptions/{context.subscription}/resourceGroups/{managed}/providers/Microsoft.Insights"
    context.outputs["defaultIngestionSettings"] = {
        "dataCollectionRuleResourceId": f"{prefix}/dataCollectionRules/{context.name}",
        "dataCollectionEndpointResourceId": f"{prefix}/dataCollectionEndpoints/{context.name}",
    }


def _collection_rule(context: OutputContext) -> None:
    context.keep("immutableId", lambda: f"dcr-{new_guid().replace('-', '')}")


def _collection_endpoint(context: OutputContext) -> None:
    region = str(context.outputs.get("location", "")).replace(" ", "").lower()
    host = f"{context.name.lower()}-{label_hash(context.id)[:4]}.{region}-1"
    context.keep("immutableId", lambda: f"dce-{new_guid().replace('-', '')}")
    context.outputs["configurationAccess"] = {"endpoint": f"https://{host}.handler.control.monitor.azure.com"}
    context.outputs["logsIngestion"] = {"endpoint": f"https://{host}.ingest.monitor.azure.com"}
    context.outputs["metricsIngestion"] = {"endpoint": f"https://{host}.metrics.ingest.monitor.azure.com"}


def _managed_cluster(context: OutputContext) -> None:
    inputs, outputs = context.inputs, context.outputs
    region = str(outputs.get("location", "")).replace(" ", "").lower()
    label = str(inputs.get("dnsPrefix") or inputs.get("fqdnSubdomain") or context.name).lower()
    access = inputs.get("apiServerAccessProfile") or {}
    if access.get("enablePrivateCluster"):
        context.keep("privateFQDN", lambda: f"{label}-{new_guid()[:8]}.{new_guid()}.privatelink.{region}.azmk8s.io")
        if access.get("enablePrivateClusterPublicFQDN") is not False:
            context.keep("fqdn", lambda: f"{label}-{new_guid()[:8]}.hcp.{region}.azmk8s.io")
    else:
        context.keep("fqdn", lambda: f"{label}-{new_guid()[:8]}.hcp.{region}.azmk8s.io")
    context.keep("resourceUID", new_guid)
    issuer = context.previous_section("oidcIssuerProfile").get("issuerURL")
    if (inputs.get("oidcIssuerProfile") or {}).get("enabled"):
        url = issuer or f"https://{region}.oic.prod-aks.azure.com/{context.tenant}/{new_guid()}/"
        context.section("oidcIssuerProfile")["issuerURL"] = url
    version = _patch_version(inputs.get("kubernetesVersion"))
    outputs.update(currentKubernetesVersion=version, maxAgentPools=100, powerState={"code": "Running"})
    group = str(group_of(context.id))
    outputs.setdefault("nodeResourceGroup", f"MC_{name_of(group)}_{context.name}_{region}"[:80])
    _kubelet_identity(context)
    _add_on_identities(context)
    for pool in outputs.get("agentPoolProfiles") or []:
        pool.update(provisioningState="Succeeded", powerState={"code": "Running"})
        pool["currentOrchestratorVersion"] = _patch_version(pool.get("orchestratorVersion") or version)


def _kubelet_identity(context: OutputContext) -> None:
    profile = context.section("identityProfile")
    kubelet = profile.get("kubeletidentity")
    if not isinstance(kubelet, dict):
        former = context.previous_section("identityProfile").get("kubeletidentity")
        node_group = f"/subscriptions/{context.subscription}/resourcegroups/{context.outputs['nodeResourceGroup']}"
        identity = f"{node_group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{context.name}-agentpool"
        kubelet = former or {"resourceId": identity, "clientId": new_guid(), "objectId": new_guid()}
        profile["kubeletidentity"] = kubelet
    stored = context.store.get(str(kubelet.get("resourceId", "")))
    if stored:  # a kubelet identity that was made beforehand
        kubelet.update(clientId=stored.outputs["clientId"], objectId=stored.outputs["principalId"])


def _add_on_identities(context: OutputContext) -> None:
    former: Properties = context.previous_section("addonProfiles")
    for name, profile in (context.outputs.get("addonProfiles") or {}).items():
        if profile.get("enabled") and "identity" not in profile:
            made = {"clientId": new_guid(), "objectId": new_guid()}
            profile["identity"] = (former.get(name) or {}).get("identity") or made


def _patch_version(wanted: Value) -> str:
    text = str(wanted or DEFAULT_KUBERNETES_VERSION)
    return text if text.count(".") == 2 else f"{text}.0"  # a minor version gets a patch version that Azure picks


def _agent_pool(context: OutputContext) -> None:
    cluster = context.store.get(context.id.rsplit("/agentPools/", 1)[0])
    version = cluster.outputs.get("currentKubernetesVersion") if cluster else None
    context.outputs["currentOrchestratorVersion"] = _patch_version(context.inputs.get("orchestratorVersion") or version)
    context.outputs["powerState"] = {"code": "Running"}
    context.outputs.setdefault("type", "VirtualMachineScaleSets")


def _extension(context: OutputContext) -> None:
    context.outputs["currentVersion"] = context.inputs.get("version") or "1.18.0"
    context.outputs["isSystemExtension"] = False
    if "SystemAssigned" in str((context.inputs.get("identity") or {}).get("type", "")):
        return
    context.keep(
        "aksAssignedIdentity", lambda: {"type": "SystemAssigned", "principalId": new_guid(), "tenantId": context.tenant}
    )


def _flux(context: OutputContext) -> None:
    # The simulated cluster runs no Flux: an honest state is "Pending", which is also what Azure answers at first.
    context.outputs["complianceState"] = "Pending"
    context.keep("repositoryPublicKey", lambda: "ssh-rsa " + base64.b64encode(new_guid().encode()).decode())
    context.outputs["statuses"] = []


def _authored(context: OutputContext) -> None:
    context.keep("createdOn", _now)
    context.keep("createdBy", lambda: context.store.fact("objectId"))
    context.outputs["updatedOn"] = context.outputs["createdOn"]
    context.outputs["updatedBy"] = context.outputs["createdBy"]


def _policy_assignment(context: OutputContext) -> None:
    context.keep("instanceId", new_guid)


def _system_topic(context: OutputContext) -> None:
    context.keep("metricResourceId", new_guid)


def _entra_object(context: OutputContext) -> None:
    context.keep("objectId", lambda: name_of(context.id))


def _entra_application(context: OutputContext) -> None:
    _entra_object(context)
    context.keep("clientId", new_guid)


SERVICE_OUTPUTS: Final[Mapping[str, Callable[[OutputContext], None]]] = {
    "authorization:PolicyAssignment": _policy_assignment,
    "authorization:RoleAssignment": _authored,
    "authorization:RoleDefinition": _authored,
    "cdn:AFDCustomDomain": _custom_domain,
    "cdn:AFDEndpoint": _afd_endpoint,
    "cdn:AFDOrigin": _deployed,
    "cdn:AFDOriginGroup": _deployed,
    "cdn:Profile": _profile,
    "cdn:Route": _deployed,
    "cdn:Rule": _deployed,
    "cdn:RuleSet": _deployed,
    "cdn:SecurityPolicy": _deployed,
    "containerregistry:Registry": _registry,
    "containerservice:AgentPool": _agent_pool,
    "containerservice:ManagedCluster": _managed_cluster,
    "eventgrid:SystemTopic": _system_topic,
    "frontdoor:Policy": _waf_policy,
    "index:Application": _entra_application,
    "index:Group": _entra_object,
    "index:ServicePrincipal": _entra_application,
    "keyvault:Key": _key,
    "keyvault:Secret": _secret,
    "keyvault:Vault": _vault,
    "kubernetesconfiguration:Extension": _extension,
    "kubernetesconfiguration:FluxConfiguration": _flux,
    "managedidentity:UserAssignedIdentity": _user_assigned_identity,
    "monitor:AzureMonitorWorkspace": _monitor_workspace,
    "monitor:DataCollectionEndpoint": _collection_endpoint,
    "monitor:DataCollectionRule": _collection_rule,
    "network:WebApplicationFirewallPolicy": _waf_policy,
    "operationalinsights:Workspace": _workspace,
    "storage:Blob": _blob,
    "storage:StorageAccount": _storage_account,
    "storage:StorageAccountStaticWebsite": _static_website,
}
"""What single types compute, by ``module:Class``."""
