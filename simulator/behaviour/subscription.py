"""What a subscription refuses that is not ready: resource providers and features that nobody registered.

azure-native registers a provider itself only if its identity may do that on the subscription, which one with least
rights may not (pulumi-azure-native#3479). A new cloud has all registered; the fact ``unregistered`` names what is not.
"""

from __future__ import annotations

from typing import Final

from simulator.azure_errors import AzureError, AzureRequest, bad_request

UNREGISTERED: Final = "unregistered"
"""Fact of the cloud: namespaces and features without registration, separated by blanks."""
_ALWAYS_THERE: Final = "Microsoft.Resources"
_ENCRYPTION_AT_HOST: Final = "Microsoft.Compute/EncryptionAtHost"


def refuse_unregistered(request: AzureRequest) -> None:
    """Refuse a write to a provider that is not registered, or with a feature that is not."""
    namespace = request.type.arm_type.split("/")[0]
    if namespace == _ALWAYS_THERE or not request.id.lower().startswith("/subscriptions/"):  # Entra has no subscription
        return
    missing = request.store.fact(UNREGISTERED, "").split()
    if namespace in missing:
        raise AzureError(
            409,
            "MissingSubscriptionRegistration",
            f"The subscription is not registered to use namespace '{namespace}'. See https://aka.ms/rps-not-found for "
            "how to register subscriptions.",
        )
    pools = [request.inputs, *(request.inputs.get("agentPoolProfiles") or [])]
    if _ENCRYPTION_AT_HOST in missing and any(pool.get("enableEncryptionAtHost") for pool in pools):
        raise bad_request(  # azure-cli#16788
            "InvalidParameter",
            f"The property 'securityProfile.encryptionAtHost' is not valid because the '{_ENCRYPTION_AT_HOST}' feature "
            "is not enabled for this subscription.",
        )
