"""The program: reads one stack's configuration, builds its one component and exports what others read."""

from __future__ import annotations

import gc
import os
from pathlib import Path

import pulumi
from pulumi_azure_native import authorization

from foundation.api_aliases import strip_version_aliases
from foundation.azure_retries import pause_first
from foundation.configuration import Problem, configuration_error, load
from foundation.sdk_debug_messages import drop_debug_messages
from foundation.sdk_imports import load_parts_on_demand
from shared.config import SharedConfig
from shared.contract_reader import offline_contract, read_contract
from shared.outputs import CONTRACT_OUTPUT
from stamps.config import StampConfig
from stamps.fleet import STAMP_KEY, conflicts, sibling_stamps
from stamps.stamp_secrets import read_stamp_certificates

SHARED_KEY = "aks-geode:shared"
settings = pulumi.Config("aks-geode")
stack = pulumi.get_stack()
file = f"Pulumi.{stack}.yaml"
simulated = os.environ.get("AKS_GEODE_SIMULATED") == "1"
protect = not simulated


def content(key: str) -> object:
    """Return what stands under a key of the stack file: settings, or whatever else is there, to be refused."""
    try:
        return settings.get_object(key)
    except (pulumi.ConfigTypeError, ValueError):
        return settings.get(key)


def deploy_shared() -> None:
    """Build the shared services and export the contract."""
    from shared.shared_services import SharedServices, SharedServicesArgs  # a stamp's preview does without them

    config = load(SharedConfig, content("shared"), file=file, key=SHARED_KEY)
    client = authorization.get_client_config()
    arguments = SharedServicesArgs(
        config=config, subscription_id=client.subscription_id, tenant_id=client.tenant_id, protect=protect
    )
    services = SharedServices(stack, arguments)
    pulumi.export(CONTRACT_OUTPUT, services.contract)
    pulumi.export("summary", services.summary)


def deploy_stamp() -> None:
    """Build one regional stamp from its own configuration and the shared contract."""
    from stamps.regional_stamp import RegionalStamp, RegionalStampArgs

    config = load(StampConfig, content("stamp"), file=file, key=STAMP_KEY)
    problems = conflicts(stack, config, sibling_stamps(Path(__file__).parent, stack, config))
    if problems:
        raise configuration_error(file, problems)
    certificates = read_stamp_certificates(config, file)
    client = authorization.get_client_config()
    if pulumi.runtime.is_dry_run() and settings.get_bool("offlineContract"):
        contract = offline_contract(client.subscription_id, client.tenant_id, config.region)
    else:
        contract = read_contract(config.shared_stack)
    arguments = RegionalStampArgs(
        stamp=stack, config=config, shared=contract, certificates=certificates, protect=protect
    )
    stamp = RegionalStamp(stack, arguments)
    pulumi.export("stamp", stamp.outputs)
    pulumi.export("summary", stamp.summary)


gc.disable()  # the program ends after one deployment; the collector would search its many small objects in vain
load_parts_on_demand()
if simulated:
    pause_first(seconds=0.05)
if not settings.get_bool("keepApiAliases"):
    strip_version_aliases()
if not settings.get_bool("sdkDebugMessages"):
    drop_debug_messages()
if settings.get("shared") and settings.get("stamp"):
    raise configuration_error(file, [Problem(STAMP_KEY, "(both)", f"either {SHARED_KEY} or {STAMP_KEY}", "")])
if settings.get("shared"):
    deploy_shared()
elif settings.get("stamp"):
    deploy_stamp()
else:
    example = f"{STAMP_KEY}:\n      region: eastus2"
    raise configuration_error(file, [Problem(STAMP_KEY, "(missing)", f"{SHARED_KEY} or {STAMP_KEY}", example)])
