"""Bad configuration is told in one message: file, key path, value, what is allowed and an example."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml

from foundation.configuration import load
from shared.config import SharedConfig
from stamps.config import StampConfig
from stamps.fleet import STAMP_KEY, conflicts, fleet_conflicts, sibling_stamps, stack_files
from tools import configuration_schema

PROJECT = Path(__file__).parents[2]
SHARED_KEY = "aks-geode:shared"
REMOVE = object()


def tracked(stack: str) -> dict[str, Any]:
    """Return what stands in a tracked stack file under its one key."""
    config = yaml.safe_load((PROJECT / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8"))["config"]
    return copy.deepcopy(config.get(STAMP_KEY) or config[SHARED_KEY])


def changed(content: dict[str, Any], path: str, value: object) -> dict[str, Any]:
    """Return a copy with one key set, added or removed; `path` has dots and may end in a list index."""
    result = copy.deepcopy(content)
    at: Any = result
    *parents, last = path.split(".")
    for part in parents:
        at = at.setdefault(part, {})
    if value is REMOVE:
        del at[last]
    else:
        at[last] = value
    return result


def message(model: type[StampConfig] | type[SharedConfig], content: object, key: str) -> str:
    """Load content that must be refused and return the message."""
    with pytest.raises(pulumi.RunError) as refused:
        load(model, content, file="Pulumi.test.yaml", key=key)
    return str(refused.value)


BAD_STAMPS = [
    ("region", "East US 2", "an Azure region", "eastus2"),
    ("region", REMOVE, "an Azure region", "eastus2"),
    ("region", 7, "an Azure region", "eastus2"),
    ("zones", ["4"], "an availability zone", ""),
    ("zones", ["1", "1"], "each zone once", '["1", "2", "3"]'),
    ("network.hub", "10.200.3.0/33", "IPv4 network", "10.243.0.0/16"),
    ("network.hub", "10.200.3.1/24", "host bits", "10.243.0.0/16"),
    ("network.hub", "10.200.3.0/25", "/24 or larger", "10.200.3.0/24"),
    ("network.spoke", "10.243.0.0/22", "/21 or larger", "10.243.0.0/16"),
    ("network.spoke", "8.8.0.0/16", "private address ranges", "10.243.0.0/16"),
    ("network.pods", "10.243.0.0/17", "does not overlap spoke", ""),
    ("network.services", "10.200.0.0/16", "does not overlap hub", ""),
    ("network.services", "10.0.0.0/8", "no larger than /12", "172.16.0.0/16"),
    ("network.pods", "10.64.0.0/22", "a /24 for each of the", "10.64.0.0/16"),
    ("network.subnets", {"nodes": "10.99.0.0/22"}, "a subnet of the spoke", "10.243.0.0/22"),
    ("network.subnets", {"gateway": "10.243.5.0/25"}, "/24 or larger", "10.243.5.0/24"),
    ("network.subnets", {"ingress": "10.243.0.16/28"}, "does not overlap nodes", "10.243.4.0/28"),
    ("network.subnet", {}, "one of the keys", "subnets"),
    ("regin", "eastus2", "one of the keys", "region"),
    ("ingress.address", "10.243.4.3", "does not reserve", "10.243.4.4"),
    ("ingress.address", "10.243.9.9", "an address of the ingress subnet", "10.243.4.4"),
    ("ingress.address", "ten", "IPv4 address", "10.243.4.4"),
    ("ingress.hostName", "not a host", "host name in lower case", "eastus2.edge.contoso.com"),
    ("gateway.hostName", "x" * 254, "host name in lower case", "eastus2.edge.contoso.com"),
    ("ingress.hostName", "eastus2.edge.contoso.com", "would hide the gateway's name", "aks-ingress.edge.contoso.com"),
    ("ingress.hostName", "eastus2.com", "at least three labels", "aks-ingress.contoso.com"),
    ("gateway.minCapacity", 1, "greater than or equal to 2", "2"),
    ("gateway.maxCapacity", 2.5, "integer", "3"),
    ("gateway.minCapacity", 20, "at least minCapacity", "20"),
    ("gateway.certificatePassword", "hunter2", "no secrets here", "pulumi config set --secret"),
    ("maintenance.day", "Tue", "'Monday'", "Monday"),
    ("maintenance.startTime", "9pm", "a time of day", "21:00"),
    ("maintenance.durationHours", 3, "greater than or equal to 4", "4"),
    ("maintenance", REMOVE, "When Azure may change the cluster", "{day: ...}"),
    ("apiServer", "public", "vnetIntegration or privateLink", "vnetIntegration"),
    ("apiServer", "open", "'vnetIntegration'", "vnetIntegration"),
    ("dns", "firewall", "not built yet", "azure"),
    ("policy", {"scope": "subscription"}, "not built yet", "resourceGroup"),
    ("authorizedIpRanges", ["203.0.113.0/24"], "public API server only", "[]"),
    ("sharedStack", "A stack whose name is far too long", "a stack name", "eastus2-green"),
    ("cluster.kubernetesVersion", 1.36, "a Kubernetes version in quotes", "1.36"),
    ("cluster.systemPool", {"name": "npsystem", "minCount": 4}, "a multiple of the 3 zones", "3"),
    ("cluster.systemPool", {"name": "nodepoolsystem"}, "at most 12", "npuser01"),
    ("cluster.userPools", [{"name": "npsystem"}], "used once", "npuser02"),
    ("cluster.userPools", [{"name": "npuser01", "minCount": 6, "maxCount": 3}], "at least minCount", "6"),
    ("frontDoorOrigin.weight", 0, "greater than or equal to 1", "1"),
    ("gitops.url", "https://user:token@example.com/x", "without credentials", "https://github.com"),
]


@pytest.mark.parametrize(
    ("path", "value", "allowed", "example"), BAD_STAMPS, ids=[f"{b[0]}-{i}" for i, b in enumerate(BAD_STAMPS)]
)
def test_bad_stamp_is_refused_in_one_message(path: str, value: object, allowed: str, example: str) -> None:
    """The message carries file, full key path, what is allowed and an example, and never a secret's value."""
    text = message(StampConfig, changed(tracked("eastus2"), path, value), STAMP_KEY)

    assert text.startswith("The configuration is not valid; nothing was deployed.")
    assert f"Pulumi.test.yaml: {STAMP_KEY}.{path.split('.')[0]}" in text
    assert allowed in text
    assert "value:" in text
    assert example in text
    assert "hunter2" not in text
    assert "Traceback" not in text


BAD_SHARED = [
    ("regions", [], "at least 1", "[eastus2, centralus]"),
    ("regions", ["eastus2", "eastus2"], "each region once", "[eastus2, centralus]"),
    ("businessUnit", "Business Unit 1", "a short code", "bu0001"),
    ("application", "a" * 13, "a short code", "a0042"),
    ("location", REMOVE, "an Azure region", "eastus2"),
    ("stamps", ["eastus2"], "one of the keys", "access"),
    ("alerts.emails", ["nobody"], "an e-mail address", "platform-team@contoso.com"),
    ("workspace", {"retentionDays": 5}, "greater than or equal to 30", "30"),
    ("firewall", {"inheritance": "global"}, "'regional'", "regional"),
    ("access", {"scheme": "namespace"}, "at least one namespace", "orders"),
    ("frontDoor", {"outageBehaviour": "panic"}, "'page'", "page"),
]


@pytest.mark.parametrize(
    ("path", "value", "allowed", "example"), BAD_SHARED, ids=[f"{b[0]}-{i}" for i, b in enumerate(BAD_SHARED)]
)
def test_bad_shared_is_refused_in_one_message(path: str, value: object, allowed: str, example: str) -> None:
    """The shared stack's settings are told in the same form."""
    text = message(SharedConfig, changed(tracked("shared"), path, value), SHARED_KEY)

    assert f"Pulumi.test.yaml: {SHARED_KEY}.{path.split('.')[0]}" in text
    assert allowed in text
    assert example in text


def test_all_problems_of_a_file_are_told_at_once() -> None:
    """A user mends the file once, not once for each error."""
    content = changed(changed(tracked("eastus2"), "region", "EU"), "maintenance.day", "Tue")
    text = message(StampConfig, content, STAMP_KEY)

    assert f"{STAMP_KEY}.region" in text
    assert f"{STAMP_KEY}.maintenance.day" in text


@pytest.mark.parametrize("content", [None, "eastus2", ["eastus2"], 5])
def test_something_other_than_a_mapping_is_refused(content: object) -> None:
    """A stack file whose key holds a text or a list gets the same message."""
    assert "a mapping of settings" in message(StampConfig, content, STAMP_KEY)


def test_tracked_files_are_valid_and_in_no_conflict() -> None:
    """Every stack file of the project loads, and the stamps of the fleet fit together."""
    files = stack_files(PROJECT)
    stamps = {
        name: load(StampConfig, config[STAMP_KEY], file=name, key=STAMP_KEY)
        for name, config in files.items()
        if STAMP_KEY in config
    }
    shared = [
        load(SharedConfig, config[SHARED_KEY], file=n, key=SHARED_KEY)
        for n, config in files.items()
        if SHARED_KEY in config
    ]

    assert len(stamps) >= 2
    assert len(shared) == 1
    assert fleet_conflicts(stamps) == {}
    assert {stamp.region for stamp in stamps.values()} <= set(shared[0].regions)


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        ("network.spoke", "10.243.0.0/17", "network.spoke"),
        ("network.pods", "10.64.128.0/17", "network.pods"),
        ("gateway.hostName", "eastus2.edge.contoso.com", "gateway.hostName"),
        ("ingress.hostName", "eastus2.aks-ingress.contoso.com", "ingress.hostName"),
        ("maintenance", {"day": "Wednesday", "startTime": "04:00"}, "maintenance"),
    ],
)
def test_stamps_that_get_in_each_others_way_are_told(path: str, value: object, told: str) -> None:
    """Overlapping ranges, one host name for two stamps, or windows that overlap past midnight."""
    first = load(StampConfig, tracked("eastus2"), file="a", key=STAMP_KEY)
    second = load(StampConfig, changed(tracked("centralus"), path, value), file="b", key=STAMP_KEY)

    problems = conflicts("centralus", second, {"eastus2": first})

    assert [problem.path for problem in problems] == [f"{STAMP_KEY}.{told}"]


def test_a_staging_fleet_may_use_the_same_ranges(tmp_path: Path) -> None:
    """Only stamps that name the same shared stack are siblings."""
    for name, shared_stack in (("one", "shared"), ("two", "shared-staging")):
        content = {"config": {STAMP_KEY: changed(tracked("eastus2"), "sharedStack", shared_stack)}}
        (tmp_path / f"Pulumi.{name}.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    config = load(StampConfig, changed(tracked("eastus2"), "sharedStack", "shared"), file="x", key=STAMP_KEY)

    assert set(sibling_stamps(tmp_path, "three", config)) == {"one"}


def test_region_without_zones_needs_no_zones() -> None:
    """A region that has no zones gives an empty tuple, and asking for zones there is refused."""
    content = changed(tracked("eastus2"), "region", "westus")

    assert load(StampConfig, content, file="x", key=STAMP_KEY).availability_zones == ()
    assert "westus has none" in message(StampConfig, changed(content, "zones", ["1"]), STAMP_KEY)


def test_schema_file_is_current() -> None:
    """The schema that editors use is the models' own; `make schema` writes it."""
    assert configuration_schema.SCHEMA_FILE.read_text(encoding="utf-8") == configuration_schema.text()
