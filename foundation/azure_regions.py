"""Which Azure regions have availability zones, as of 2026-11-01.

Source: https://learn.microsoft.com/azure/reliability/regions-list. A region that is not listed is not refused: the
table ages, so an unknown region only warns and the stack file then has to say its zones.
"""

from __future__ import annotations

AS_OF = "2026-11-01"

_ZONAL = (
    "australiaeast austriaeast belgiumcentral brazilsouth canadacentral centralindia centralus "
    "chilecentral eastasia eastus eastus2 francecentral germanywestcentral indonesiacentral israelcentral "
    "italynorth japaneast japanwest koreacentral malaysiawest mexicocentral newzealandnorth northeurope "
    "norwayeast polandcentral qatarcentral southafricanorth southcentralus southeastasia spaincentral "
    "swedencentral switzerlandnorth uaenorth uksouth westeurope westus2 westus3 "
)
_WITHOUT_ZONES = (
    "australiacentral australiasoutheast canadaeast northcentralus southindia ukwest westcentralus "
    "westindia westus koreasouth "
)

ZONES: dict[str, tuple[str, ...]] = dict.fromkeys(_ZONAL.split(), ("1", "2", "3")) | dict.fromkeys(
    _WITHOUT_ZONES.split(), ()
)
"""Logical availability zones of a region for a customer's subscription; empty where the region has none."""
