"""What Azure Firewall and its policies refuse."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any, Final

from simulator.azure_errors import AzureRequest, Rule, bad_request
from simulator.immutability import same_location
from simulator.resource_ids import name_of

_TIERS: Final = ("basic", "standard", "premium")
_THREAT_MODES: Final = ("off", "alert", "deny")
"""From the weakest; a policy that names none has ``Alert``."""


def _tier(inputs: Mapping[str, Any]) -> int:
    return _TIERS.index(str((inputs.get("sku") or {}).get("tier") or "Standard").lower())


def _threat_mode(inputs: Mapping[str, Any]) -> int:
    return _THREAT_MODES.index(str(inputs.get("threatIntelMode") or "Alert").lower())


def _policy(request: AzureRequest) -> None:
    # A child policy lies in its base policy's region (else FirewallPolicyBasePolicyDoesnotExist) and has its
    # tier or a higher one.
    base = request.store.get(request.reference("basePolicy", "id"))
    if base is None:
        return
    if not same_location(base.outputs.get("location"), request.inputs.get("location") or base.outputs.get("location")):
        raise bad_request(
            "FirewallPolicyBasePolicyDoesnotExist",
            f"Base policy {base.id} is in {base.outputs.get('location')}; a child policy must be in the same region.",
        )
    if _tier(request.inputs) < _tier(base.inputs):
        raise bad_request(
            "FirewallPolicyBasePolicyTierMismatch", "A child policy's tier is that of its base policy or a higher one."
        )
    # A child inherits the mode and may only override it with a stricter one (Firewall Manager policy overview).
    if request.inputs.get("threatIntelMode") and _threat_mode(request.inputs) < _threat_mode(base.inputs):
        raise bad_request(
            "FirewallPolicyThreatIntelModeWeakerThanBasePolicy",
            f"Threat intelligence mode {request.inputs.get('threatIntelMode')} is weaker than that of the base policy "
            f"{base.id}; a child's is the same or stricter.",
        )


def _rule_collection_group(request: AzureRequest) -> None:
    policy = request.store.get(request.id.rsplit("/ruleCollectionGroups/", 1)[0])
    priority = request.inputs.get("priority")
    if isinstance(priority, int) and not 100 <= priority <= 65000:
        raise bad_request(
            "FirewallPolicyRuleCollectionGroupInvalidPriorityValue",
            f"Priority {priority} is not between 100 and 65000.",
        )
    for other in request.store.below(policy.id) if policy else []:
        if other.id.lower() != request.id.lower() and other.inputs.get("priority") == priority:
            raise bad_request(
                "FirewallPolicyRuleCollectionGroupPriorityConflict",
                f"Priority {priority} is taken by {name_of(other.id)}.",
            )
    for collection in request.inputs.get("ruleCollections") or []:
        for rule in collection.get("rules") or []:
            _rule(rule, bool(policy and ((policy.inputs.get("dnsSettings") or {}).get("enableProxy"))))


def _rule(rule: Mapping[str, Any], dns_proxy: bool) -> None:
    name = rule.get("name")
    sources = [*(rule.get("sourceAddresses") or []), *(rule.get("sourceIpGroups") or [])]
    if not sources:
        raise bad_request("FirewallPolicyRuleMissingSource", f"Rule '{name}' names no source.")
    for text in rule.get("sourceAddresses") or []:
        try:
            if text != "*" and "-" not in text:
                ipaddress.ip_network(text)
        except ValueError:
            raise bad_request(
                "FirewallPolicyRuleInvalidSourceAddress", f"Rule '{name}': {text} is no source address."
            ) from None
    if rule.get("ruleType") == "NetworkRule":
        if rule.get("destinationFqdns") and not dns_proxy:  # the firewall must see the same addresses as its clients
            raise bad_request(
                "FirewallPolicyDnsProxyNotEnabled", f"Rule '{name}' has FQDNs: the policy needs its DNS proxy for that."
            )
        if not any(rule.get(key) for key in ("destinationAddresses", "destinationFqdns", "destinationIpGroups")):
            raise bad_request("FirewallPolicyRuleMissingDestination", f"Rule '{name}' names no destination.")
    if rule.get("ruleType") == "ApplicationRule" and not any(
        rule.get(key) for key in ("targetFqdns", "fqdnTags", "targetUrls", "webCategories")
    ):
        raise bad_request("FirewallPolicyRuleMissingDestination", f"Rule '{name}' names no FQDN, tag, URL or category.")


def _firewall(request: AzureRequest) -> None:
    policy = request.store.get(request.reference("firewallPolicy", "id"))
    if policy and _tier(policy.inputs) != _tier(request.inputs):
        raise bad_request(
            "AzureFirewallPolicyTierMismatch", f"The firewall's tier is not that of its policy {policy.id}."
        )
    for configuration in request.inputs.get("ipConfigurations") or []:
        subnet = str((configuration.get("subnet") or {}).get("id", ""))
        if subnet and name_of(subnet).lower() != "azurefirewallsubnet":
            raise bad_request(
                "AzureFirewallSubnetNameInvalid", "A firewall lies in a subnet named AzureFirewallSubnet."
            )
        address = request.store.get(str((configuration.get("publicIPAddress") or {}).get("id", "")))
        if address and str((address.inputs.get("sku") or {}).get("name", "Basic")) != "Standard":
            raise bad_request("AzureFirewallPublicIpSkuInvalid", f"Public IP {address.id} must have the SKU Standard.")


FIREWALL_WRITES: Final[Mapping[str, tuple[Rule, ...]]] = {
    "network:AzureFirewall": (_firewall,),
    "network:FirewallPolicy": (_policy,),
    "network:FirewallPolicyRuleCollectionGroup": (_rule_collection_group,),
}
"""Rules before a write, by ``module:Class``."""
