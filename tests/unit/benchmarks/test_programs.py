"""The larger region, the empty program and what is read from the entry."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

from benchmarks.profiles import import_summary
from benchmarks.programs import GROWTH, azure_modules, collector_is_off, grown_settings, sizes, write_floor
from benchmarks.rule_multiplier import multiplied
from stamps.cluster_config import ClusterSettings


def test_grown_stack_file_is_valid_and_has_more_pools() -> None:
    """Both the default pools and those of the file are multiplied, and the file itself is not changed."""
    settings = {"config": {"p:stamp": {"region": "somewhere"}}}
    pools = grown_settings(settings, "p:stamp")["config"]["p:stamp"]["cluster"]["userPools"]
    assert "cluster" not in settings["config"]["p:stamp"]
    assert len(ClusterSettings.model_validate({"userPools": pools}).user_pools) == GROWTH

    own = {"config": {"p:stamp": {"cluster": {"userPools": [{"name": "abcdefghijkl"}, {"name": "b", "maxCount": 5}]}}}}
    pools = grown_settings(own, "p:stamp")["config"]["p:stamp"]["cluster"]["userPools"]
    found = ClusterSettings.model_validate({"userPools": pools}).user_pools
    assert len({pool.name for pool in found}) == 2 * GROWTH
    assert sum(pool.max_count == 5 for pool in found) == GROWTH


def test_multiplied_rules_are_distinct_and_leave_the_first_alone() -> None:
    """Dictionaries and argument objects alike."""
    first = {"name": "a", "priority": 100}
    assert multiplied([first], 3) == [first, {"name": "a-1", "priority": 101}, {"name": "a-2", "priority": 102}]
    second = SimpleNamespace(name="b")
    assert [rule.name for rule in multiplied([second], 2)] == ["b", "b-1"]
    assert not hasattr(multiplied([second], 2)[1], "priority")


def test_empty_program_imports_what_was_loaded_in_full(tmp_path: Path) -> None:
    """The SDK registers its modules at once and loads them later; only loaded ones count."""
    loaded = [
        "pulumi_azure_native.network",
        "pulumi_azure_native.network._inputs",
        "pulumi_azure_native.cdn",
        "pydantic",
    ]
    assert azure_modules(loaded) == ["network"]
    assert write_floor(tmp_path, loaded, collector_off=True) == ["pulumi", "pulumi_azure_native.network", "pydantic"]
    text = (tmp_path / "__main__.py").read_text(encoding="utf-8")
    assert "gc.disable()" in text
    assert "cdn" not in text


def test_collector_is_recognised_in_code_only() -> None:
    """A comment about it is none."""
    assert collector_is_off("import gc\ngc.disable()  # why\n")
    assert not collector_is_off("# gc.disable()\nimport gc\n")


def test_sizes_count_what_grows() -> None:
    """Provider and stack resources are the engine's own and do not count."""
    state = [
        {"type": "pulumi:providers:azure-native", "custom": True},
        {"type": "aks-geode:stamps:HubNetwork", "custom": False},
        {"type": "azure-native:network:NetworkSecurityGroup", "custom": True, "inputs": {"securityRules": [{}, {}]}},
        {"type": "azure-native:containerservice:AgentPool", "custom": True, "inputs": {}},
        {"type": "x", "custom": True, "inputs": {"ruleCollections": [{"rules": [{}]}, {"rules": [{}, {}]}]}},
    ]
    assert sizes(state) == {
        "resources": 3,
        "components": 1,
        "security rules": 2,
        "firewall rules": 3,
        "user pools": 1,
    }


def test_import_times_are_summed_by_package() -> None:
    """The SDK's modules stand apart, they are its largest part."""
    report = (
        "import time: self [us] | cumulative | imported package\n"
        "import time:    500000 |    500000 |   pydantic.main\n"
        "import time:    250000 |    900000 | pydantic\n"
        "import time:   1000000 |   1000000 |   pulumi_azure_native.network._inputs\n"
    )
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in import_summary(report).splitlines()[2:]]
    assert rows == [["pulumi_azure_native.network", "1.000"], ["pydantic", "0.750"], ["all", "1.750"]]
