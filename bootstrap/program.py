"""Reads the configuration and the fleet's stack files, makes state and identities, tells what GitHub has to know."""

from __future__ import annotations

from pathlib import Path

import pulumi
from pulumi_azure_native import authorization

from bootstrap.config import CONFIG_KEY, BootstrapConfig, read_fleet
from bootstrap.deployment_access import DeploymentAccess, DeploymentAccessArgs
from foundation.api_aliases import strip_version_aliases
from foundation.configuration import load
from foundation.sdk_imports import load_parts_on_demand

PROJECT = Path(__file__).resolve().parent.parent


def deploy() -> None:
    """Make everything for one fleet."""
    load_parts_on_demand()
    strip_version_aliases()
    settings = pulumi.Config("aks-geode-bootstrap")
    file = f"bootstrap/Pulumi.{pulumi.get_stack()}.yaml"
    try:
        content: object = settings.get_object("fleet")
    except (pulumi.ConfigTypeError, ValueError):
        content = settings.get("fleet")
    config = load(BootstrapConfig, content, file=file, key=CONFIG_KEY)
    client = authorization.get_client_config()
    access = DeploymentAccess(
        "access",
        DeploymentAccessArgs(
            config=config, fleet=read_fleet(PROJECT, config, file), subscription_id=client.subscription_id
        ),
    )
    variables = {
        "AZURE_PREVIEW_CLIENT_ID": access.preview_client_id,
        "AZURE_SUBSCRIPTION_ID": client.subscription_id,
        "AZURE_TENANT_ID": client.tenant_id,
        "PULUMI_BACKEND_URL": access.backend_url,
    }
    pulumi.export("repositoryVariables", variables)
    environments = {stack: {"AZURE_CLIENT_ID": identifier} for stack, identifier in access.client_ids.items()}
    pulumi.export("environmentVariables", environments)
