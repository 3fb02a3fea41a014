"""Preflight checks of names: those that the program would give are free or its own, and the certificates fit them."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pulumi
import pytest

from foundation.naming import Naming
from shared.config import SharedConfig
from shared.contract_reader import offline_contract
from simulator.development_secrets import make_certificate
from stamps.preflight.check import Check, Command, Stamp
from stamps.preflight.names import judge_certificate, judge_host_name, judge_name, judge_vault_name
from stamps.preflight.plan import Fleet, Shared, checks
from stamps.preflight.subscription import judge_public_addresses, judge_vnet_integration, judge_watcher
from stamps.regional_stamp import RegionalStamp, RegionalStampArgs
from stamps.stamp_secrets import StampCertificates
from tests.unit.pulumi_mocks import SUBSCRIPTION_ID, TENANT_ID, RecordingMocks, deploy
from tests.unit.shared.shared_deployment import deploy_shared
from tests.unit.stamps.preflight.answers import SUBSCRIPTION, address_usage, in_group, stamp, told

FREE = {"message": None, "nameAvailable": True, "reason": None}
TAKEN = {"message": "The name is already in use.", "nameAvailable": False, "reason": "AlreadyExists"}
FLOW_LOG = "azure-native:network:FlowLog"


STAMP_ANSWERS: dict[str, Any] = {
    "azure-native:containerservice:ManagedCluster": {
        "oidcIssuerProfile": {"enabled": True, "issuerURL": "https://issuer.example.com/"},
        "privateFQDN": "aks.private.example.com",
        "identity": {"type": "UserAssigned"},
    },
    # Azure takes a list of identities and answers with a map.
    "azure-native:network:ApplicationGateway": {"identity": {"type": "UserAssigned"}},
    "azure-native:network:FlowLog": {"identity": {"type": "UserAssigned"}},
    "azure-native:network:PublicIPAddress": {"ipAddress": "203.0.113.7"},
}


def deployed_stamp(asked: Stamp) -> RecordingMocks:
    """Return what the program makes for the stamp, without its shared services."""
    contract = offline_contract(SUBSCRIPTION, TENANT_ID, asked.config.region)

    def program() -> pulumi.Output[dict[str, object]]:
        certificates = StampCertificates(
            gateway=pulumi.Output.secret("gateway"),
            ingress=pulumi.Output.secret(make_certificate("aks-ingress.contoso.com").pfx_base64),
            ingress_root="cm9vdA==",
        )
        arguments = RegionalStampArgs(
            stamp=asked.stack, config=asked.config, shared=contract, certificates=certificates
        )
        return RegionalStamp(asked.stack, arguments).outputs

    return deploy(program, answers=STAMP_ANSWERS, stack=asked.stack)


def stamp_of_the_placeholder_contract() -> Stamp:
    """Return the stamp with the names that it gets from `offline_contract`."""
    asked = stamp()
    return replace(asked, naming=asked.naming.model_copy(update={"workload": "offline"}))


def assert_own(found: Sequence[Check], made: RecordingMocks, *titles: str) -> None:
    """Each check finds that the resource which the program made under the name is its own."""
    names = {
        value: resource.inputs["resourceGroupName"]
        for resource in made.resources
        for key in ("vaultName", "accountName", "registryName")
        if resource.type.split(":")[-1] in ("Vault", "StorageAccount", "Registry")
        and (value := resource.inputs.get(key))
    }
    for title in titles:
        [check] = [check for check in found if check.title == title]
        commands = [question.arguments for question in check.questions if isinstance(question, Command)]
        [name] = [words[words.index("--name") + 1] for words in commands if "--name" in words]
        existing = [in_group(names[name].upper(), "any/type", name)]
        answers = {"check-name": TAKEN, "list-deleted": [], "list": existing}
        finding = check.judge(*(next(answers[word] for word in words if word in answers) for words in commands))
        assert (finding.status, finding.text) == ("ok", f"{name} is this stack's own")


def test_the_names_are_those_that_the_program_gives_to_a_stamp() -> None:
    """A check on other names than the deployment's would pass in vain."""
    asked = stamp_of_the_placeholder_contract()
    made = deployed_stamp(asked)
    assert_own(checks(Fleet((), (asked,))), made, "vault name", "flow log account name")
    cluster = made.one("azure-native:containerservice:ManagedCluster").inputs
    existing = in_group(cluster["resourceGroupName"], "any/managedClusters", cluster["resourceName"])
    assert judge_vnet_integration(asked, [existing]).status == "ok"
    addresses = [
        in_group(each.inputs["resourceGroupName"], "any/ips", each.inputs["publicIpAddressName"], ipAddress=each.name)
        for each in made.of_type("azure-native:network:PublicIPAddress")
    ]
    assert judge_public_addresses([asked], [address_usage("PublicIPAddresses", 4, 4)], addresses).status == "ok"
    [gateway] = [address["ipAddress"] for address in addresses if address["ipAddress"].endswith("gateway-address")]
    assert judge_host_name(asked, [gateway], addresses).status == "ok"
    [log] = {(each.inputs["networkWatcherName"], each.inputs["resourceGroupName"]) for each in made.of_type(FLOW_LOG)}
    place = in_group(log[1], "any/networkWatchers", log[0], location=asked.config.region)
    assert judge_watcher(asked, [place]).status == "ok"


def test_the_names_are_those_that_the_program_gives_to_the_shared_services() -> None:
    """Registry and maintenance page."""
    made = deploy_shared()
    content = {"businessUnit": "bu0001", "application": "a0042", "location": "eastus2", "regions": ["eastus2"]}
    config = SharedConfig.model_validate(content)
    naming = Naming(subscription_id=SUBSCRIPTION_ID, workload=config.workload, scope="shared")
    found = checks(Fleet((Shared("shared", config, naming, SUBSCRIPTION_ID),), ()))
    assert_own(found, made, "registry name", "maintenance site name")


def test_a_name_is_free_or_ours() -> None:
    """A second `up` meets its own names."""
    ours = in_group("RG-Ours", "Microsoft.Storage/storageAccounts", "stflow1")
    assert judge_name("stflow1", "rg-ours", FREE, []).status == "ok"
    assert judge_name("stflow1", "rg-ours", TAKEN, [ours]).status == "ok"
    assert "already in use" in told(judge_name("stflow1", "rg-ours", TAKEN, []))
    assert "taken in the group rg-ours" in told(judge_name("stflow1", "rg-other", TAKEN, [ours]))


def test_a_deleted_vault_asks_for_another_generation() -> None:
    """Purge protection keeps the name for 90 days; generations that are deleted too are passed over."""
    asked = stamp()
    names = [asked.naming.model_copy(update={"generation": generation}).key_vault() for generation in (1, 2)]
    deleted = [
        {"name": name, "properties": {"location": "eastus2", "scheduledPurgeDate": "2027-01-30T08:00:00+00:00"}}
        for name in names
    ]
    finding = judge_vault_name(asked, deleted, TAKEN, [])
    assert finding.status == "fails"
    assert "2027-01-30" in finding.text
    assert "generation: 3 in Pulumi.eastus2.yaml" in finding.remedy
    assert judge_vault_name(stamp(generation=3), deleted, FREE, []).status == "ok"


@pytest.mark.parametrize(
    ("found", "address", "expected"),
    [
        ([], None, "ok: eastus2.edge.contoso.com has no record yet"),
        (["203.0.113.7"], "203.0.113.7", "ok"),
        ([], "203.0.113.7", "warning: eastus2.edge.contoso.com has no record, the stamp's address is 203.0.113.7"),
        (["198.51.100.1"], "203.0.113.7", "warning: eastus2.edge.contoso.com is 198.51.100.1, not"),
        (["198.51.100.1"], None, "which does not exist yet"),
    ],
)
def test_the_host_name_leads_to_the_gateway(found: list[str], address: str | None, expected: str) -> None:
    """It informs and never fails: DNS is made after the address."""
    group = "rg-bu0001a0042-eastus2-spoke"
    own = in_group(group, "Microsoft.Network/publicIPAddresses", "pip-bu0001a0042-eastus2-gateway", ipAddress=address)
    assert expected in told(judge_host_name(stamp(), found, [own] if address else []))


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        (
            {"value": "good", "secret": True},
            "ok: it is for eastus2.edge.contoso.com, its chain is complete, it has 179",
        ),
        ({"value": "other", "secret": True}, "fails: the certificate is for other.contoso.com"),
        ({"value": "good", "secret": False}, "fails: it stands in clear text"),
        ({"value": base64.b64encode(b"no pfx").decode(), "secret": True}, "does not open as a PFX"),
        (None, "fails: the stack has none for eastus2.edge.contoso.com"),
    ],
)
def test_certificates_are_judged_as_the_program_does(setting: dict[str, Any] | None, expected: str) -> None:
    """The form is that of `pulumi config get --json`."""
    host = "eastus2.edge.contoso.com"
    if setting and setting["value"] in ("good", "other"):
        name = host if setting["value"] == "good" else "other.contoso.com"
        setting = setting | {"value": make_certificate(name).pfx_base64}
    finding = judge_certificate("aks-geode:gatewayCertificate", host, False, datetime.now(UTC), setting)
    assert expected in told(finding)
    assert not setting or setting["value"] not in told(finding)


@pytest.mark.parametrize("generation", [1, 999])
def test_the_longest_stack_name_keeps_every_name_in_azures_limits(generation: int) -> None:
    """Two stacks that begin alike for 28 letters get different names all the same."""
    stacks = ("germanywestcentral-green-blue1", "germanywestcentral-green-blue2")
    namings = [
        Naming(subscription_id=SUBSCRIPTION, workload="w" * 24, scope=stack, generation=generation) for stack in stacks
    ]
    limits = (
        (r"[a-z][a-z0-9-]{1,22}[a-z0-9]", [each.key_vault() for each in namings]),
        (r"[a-z0-9]{3,24}", [each.unique_alphanumeric("st", "flow") for each in namings]),
        (r"[a-z][a-z0-9-]{1,61}[a-z0-9]", [each.unique("gateway") for each in namings]),
        (r"[a-z][a-z0-9-]{1,61}[a-z0-9]", [each.name("aks", limit=63) for each in namings]),
        (r"[a-z][a-z0-9-]{1,42}[a-z0-9]", [each.name("dcr", "metrics", limit=44) for each in namings]),
        (r"[a-z][a-z0-9-]{1,78}[a-z0-9]", [each.name("rg", "nodes", limit=80) for each in namings]),
    )
    for pattern, names in limits:
        assert [name for name in names if not re.fullmatch(pattern, name)] == []
        assert len(set(names)) == len(stacks)
