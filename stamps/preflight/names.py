"""Preflight checks of names: globally unique ones, the gateway's host name, and the certificates for them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from stamps.certificates import CertificateError, read_certificate
from stamps.preflight.check import Answer, Finding, Stamp, Status, listed, resource_group

VAULTS = "Microsoft.KeyVault/vaults"
ACCOUNTS = "Microsoft.Storage/storageAccounts"
REGISTRIES = "Microsoft.ContainerRegistry/registries"


def judge_name(name: str, group: str, availability: Answer, existing: Sequence[Answer]) -> Finding:
    """Tell whether a globally unique name is free, or taken by the resource that this stack made in `group`."""
    if any(str(each["name"]).lower() == name and resource_group(each) == group.lower() for each in existing):
        return Finding(Status.OK, f"{name} is this stack's own")
    if availability["nameAvailable"]:
        return Finding(Status.OK, f"{name} is free")
    owner = [resource_group(each) for each in existing if str(each["name"]).lower() == name]
    where = f"taken in the group {owner[0]}" if owner else f"not free ({availability.get('message') or 'taken'})"
    remedy = "the name comes from businessUnit, application, stack and subscription: is there a second fleet of these?"
    return Finding(Status.FAILS, f"{name} is {where}", remedy)


def judge_vault_name(
    stamp: Stamp, deleted: Sequence[Answer], availability: Answer, existing: Sequence[Answer]
) -> Finding:
    """Tell whether the vault's name is free, and which `generation` to take when a deleted vault still holds it."""
    gone = {str(vault["name"]).lower(): vault for vault in deleted}
    name = stamp.naming.key_vault()
    if name not in gone:
        return judge_name(name, stamp.naming.resource_group("cluster"), availability, existing)
    generation = stamp.naming.generation + 1
    while stamp.naming.model_copy(update={"generation": generation}).key_vault() in gone:
        generation += 1
    until = str(gone[name]["properties"].get("scheduledPurgeDate") or "its purge")[:10]
    remedy = f"generation: {generation} in Pulumi.{stamp.stack}.yaml, or az keyvault recover --name {name}"
    return Finding(Status.FAILS, f"a deleted vault holds the name {name} until {until}", remedy)


def judge_host_name(stamp: Stamp, found: Sequence[str], addresses: Sequence[Answer]) -> Finding:
    """Tell where the gateway's host name leads. Before the first `up` it may lead nowhere."""
    host, group = stamp.config.gateway.host_name, stamp.naming.resource_group("spoke").lower()
    ours = next(
        (
            str(address["ipAddress"])
            for address in addresses
            if resource_group(address) == group
            and str(address["name"]).lower() == stamp.gateway_address_name.lower()
            and address.get("ipAddress")
        ),
        None,
    )
    if ours is not None and ours in found:
        return Finding(Status.OK, f"{host} is the stamp's address {ours}")
    remedy = f"an A record {host} to {ours or 'the address that the first up tells'}"
    if stamp.has_public_zone:
        remedy = "nothing by hand: the stamp writes the record into the fleet's public zone"
    if found:
        text = (
            f"{host} is {listed(found)}, not the stamp's address{f' {ours}' if ours else ', which does not exist yet'}"
        )
        return Finding(Status.WARNING, text, remedy)
    if ours is not None:
        return Finding(Status.WARNING, f"{host} has no record, the stamp's address is {ours}", remedy)
    return Finding(Status.OK, f"{host} has no record yet; later: {remedy}")


def judge_certificate(key: str, host: str, needs_root: bool, now: datetime, setting: Answer | None) -> Finding:
    """Tell whether a certificate of the stack's secrets covers its host with a complete chain, and how long."""
    how = f"base64 -w0 certificate.pfx | pulumi config set --secret {key}"
    if setting is None:
        return Finding(Status.FAILS, f"the stack has none for {host}", how)
    if setting.get("secret") is not True:
        return Finding(Status.FAILS, "it stands in clear text in the stack file", how)
    try:
        read = read_certificate(str(setting["value"]), setting=key, host_name=host, today=now, needs_root=needs_root)
    except CertificateError as error:
        return Finding(Status.FAILS, f"{error.problem}; expected {error.expected}", error.example)
    return Finding(Status.OK, f"it is for {host}, its chain is complete, it has {(read.expires - now).days} days left")
