"""Preflight checks of what a subscription and a region give: providers, watcher, versions, public addresses."""

from __future__ import annotations

from collections.abc import Sequence

from stamps.preflight.check import Answer, Finding, Stamp, Status, listed, resource_group

PROVIDERS = (
    "Microsoft.Network",
    "Microsoft.Cdn",
    "Microsoft.ContainerService",
    "Microsoft.ContainerRegistry",
    "Microsoft.KeyVault",
    "Microsoft.ManagedIdentity",
    "Microsoft.OperationalInsights",
    "Microsoft.Insights",
    "Microsoft.Monitor",
    "Microsoft.AlertsManagement",
    "Microsoft.Storage",
    "Microsoft.KubernetesConfiguration",
    "Microsoft.PolicyInsights",
    "Microsoft.EventGrid",
    "Microsoft.DocumentDB",
    "Microsoft.Compute",
    "Microsoft.Authorization",
)
"""Every resource provider that the program uses; those that Azure registers by itself too."""

HOST_ENCRYPTION = ("Microsoft.Compute", "EncryptionAtHost")
_PUBLIC_IP_QUOTAS = ("PublicIPAddresses", "StandardSkuPublicIpAddresses", "IPv4StandardSkuPublicIpAddresses")


def judge_account(account: Answer) -> Finding:
    """Tell which subscription is asked, and whether it takes deployments."""
    text = f"{account['name']} ({account['id']}), logged in as {account['user']['name']}"
    if account["environmentName"] != "AzureCloud":
        remedy = (
            "the program's private DNS zones are those of public Azure; log in there: az cloud set --name AzureCloud"
        )
        return Finding(Status.FAILS, f"{text}, in the cloud {account['environmentName']}", remedy)
    if account["state"] != "Enabled":
        return Finding(Status.FAILS, f"{text}, state {account['state']}", "have the subscription's owner enable it")
    return Finding(Status.OK, text)


def judge_providers(providers: Sequence[Answer]) -> Finding:
    """Tell which resource providers are not registered: a least-privileged identity cannot do it during `up`."""
    states = {str(provider["namespace"]).lower(): provider["registrationState"] for provider in providers}
    missing = [name for name in PROVIDERS if states.get(name.lower()) not in ("Registered", "Registering")]
    if missing:
        remedy = f"an owner runs for each: az provider register --namespace {missing[0]}"
        return Finding(Status.FAILS, f"not registered: {listed(missing)}", remedy)
    waiting = [name for name in PROVIDERS if states[name.lower()] == "Registering"]
    if waiting:
        return Finding(Status.WARNING, f"still registering: {listed(waiting)}", "wait some minutes and ask again")
    return Finding(Status.OK, f"all {len(PROVIDERS)} are registered")


def judge_feature(feature: Answer) -> Finding:
    """Tell whether pools may encrypt at the host."""
    state = feature["properties"]["state"]
    if state == "Registered":
        return Finding(Status.OK, "registered")
    namespace, name = HOST_ENCRYPTION
    remedy = (
        f"an owner runs az feature register --namespace {namespace} --name {name}, waits for Registered and runs "
        f"az provider register --namespace {namespace}; or encryptionAtHost: false at every pool"
    )
    return Finding(Status.FAILS, f"the feature's state is {state}", remedy)


def judge_watcher(stamp: Stamp, watchers: Sequence[Answer]) -> Finding:
    """Tell whether the region's Network Watcher stands where the stack file says."""
    region, settings = stamp.config.region, stamp.config.network_watcher
    name = settings.name or f"NetworkWatcher_{region}"
    found = [watcher for watcher in watchers if str(watcher["location"]).lower() == region]
    if not found:
        group = settings.resource_group
        remedy = (
            "Azure makes it some time after the first network unless the subscription opted out; to be sure: "
            f"az network watcher configure --locations {region} --enabled true --resource-group {group}"
        )
        return Finding(Status.WARNING, f"{region} has none yet", remedy)
    for watcher in found:
        if (str(watcher["name"]).lower(), resource_group(watcher)) == (name.lower(), settings.resource_group.lower()):
            return Finding(Status.OK, f"{name} in {settings.resource_group}")
    other = found[0]
    remedy = (
        f"say in Pulumi.{stamp.stack}.yaml: networkWatcher: "
        f"{{resourceGroup: {other.get('resourceGroup') or resource_group(other)}, name: {other['name']}}}"
    )
    return Finding(Status.FAILS, f"{region} has {other['name']} in {resource_group(other)}, not {name}", remedy)


def judge_version(stamp: Stamp, offered: Answer) -> Finding:
    """Tell whether AKS offers the cluster's Kubernetes version in the region."""
    wanted = stamp.config.cluster.kubernetes_version
    minor = ".".join(wanted.split(".")[:2])
    versions = {str(version["version"]): version for version in offered["values"]}
    version = versions.get(minor)
    usable = [name for name, each in versions.items() if not each.get("isPreview") and _is_standard(each)]
    choice = f"offered: {listed(sorted(usable, key=_numbers))}"
    remedy = f"set cluster.kubernetesVersion in Pulumi.{stamp.stack}.yaml; {choice}"
    if version is None:
        return Finding(Status.FAILS, f"{wanted} is not offered in {stamp.config.region}", remedy)
    if wanted != minor and wanted not in (version.get("patchVersions") or {}):
        patches = listed(sorted(version.get("patchVersions") or {}, key=_numbers))
        return Finding(Status.FAILS, f"{wanted} is not offered, but {patches}", f"best the minor version: {minor}")
    if version.get("isPreview"):
        return Finding(Status.WARNING, f"{wanted} is a preview", remedy)
    if not _is_standard(version):
        return Finding(Status.FAILS, f"{wanted} is offered with long-term support only", remedy)
    return Finding(Status.OK, f"{wanted} is offered")


def _is_standard(version: Answer) -> bool:
    plans = (version.get("capabilities") or {}).get("supportPlan") or ["KubernetesOfficial"]
    return "KubernetesOfficial" in plans


def _numbers(version: object) -> tuple[int, ...]:
    return tuple(int(part) for part in str(version).split(".") if part.isdigit())


def judge_vnet_integration(stamp: Stamp, clusters: Sequence[Answer]) -> Finding:
    """Tell that nobody knows whether the region has room for API servers inside networks, until there is a cluster."""
    if any(is_the_cluster_of(stamp, cluster) for cluster in clusters):
        return Finding(Status.OK, f"the cluster {stamp.cluster_name} stands")
    remedy = (
        f"if the cluster is refused as currently unavailable in {stamp.config.region} (high demand): apiServer: "
        f"privateLink in Pulumi.{stamp.stack}.yaml; a cluster that stands cannot change it"
    )
    return Finding(Status.UNKNOWN, "Azure tells only when the cluster is made whether there is room", remedy)


def is_the_cluster_of(stamp: Stamp, cluster: Answer) -> bool:
    """Tell whether a cluster of the subscription is the stamp's."""
    group = stamp.naming.resource_group("cluster").lower()
    return str(cluster["name"]).lower() == stamp.cluster_name.lower() and resource_group(cluster) == group


def judge_public_addresses(stamps: Sequence[Stamp], usages: Sequence[Answer], addresses: Sequence[Answer]) -> Finding:
    """Tell whether the region's quota has room for the firewalls' and gateways' addresses that do not exist yet."""
    groups = {stamp.naming.resource_group(role).lower() for stamp in stamps for role in ("hub", "spoke")}
    existing = sum(resource_group(address) in groups for address in addresses)
    wanted = sum(stamp.config.firewall.public_ip_count + 1 for stamp in stamps)
    more = max(wanted - existing, 0)
    known = {str(usage["name"]["value"]): usage for usage in usages}
    told, short = [], []
    for name in _PUBLIC_IP_QUOTAS:
        if name in known:
            used, limit = int(known[name]["currentValue"]), int(known[name]["limit"])
            told.append(f"{name} {used} of {limit} used")
            if used + more > limit:
                short.append(name)
    if not told:
        return Finding(
            Status.UNKNOWN, f"Azure names none of {listed(_PUBLIC_IP_QUOTAS)}", "look at Quotas in the portal"
        )
    text = f"{more} more are needed; {listed(told)}"
    if short:
        return Finding(Status.FAILS, text, f"have the limit of {listed(short)} raised, or lower firewall.publicIpCount")
    return Finding(Status.OK, text)
