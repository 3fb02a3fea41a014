"""Each house rule finds what it forbids, and only that."""

import ast
from pathlib import Path, PurePosixPath

import pytest

from tools import house_rules

COMPONENT = """import pulumi
class Hub(pulumi.ComponentResource):
    def __init__(self) -> None:
        super().__init__("aks-geode:stamps:Hub", "hub")
"""
MACHINE = "/" + "work/main"  # in two parts: the rule reads this file too
NEIGHBOUR = "../" + "shared/design.md"

FORBIDDEN = [
    ("foundation/a.py", "from shared import config\n", 1, "foundation imports shared.config"),
    ("shared/a.py", "import stamps.config\n", 1, "shared imports stamps.config"),
    ("stamps/a.py", "from ..simulator import server\n", 1, "stamps imports simulator.server"),
    ("simulator/a.py", "from foundation.naming import x\n", 1, "simulator imports foundation.naming"),
    ("tools/a.py", "from stamps.hub_network import x\n", 1, "tools imports stamps.hub_network"),
    ("__main__.py", "import simulator\n", 1, "__main__ imports simulator"),
    ("stamps/a.py", "x = 1\n" * 331, 331, "331 lines"),
    ("tools/a.py", "x = 1  # noqa: S310\n", 1, "without a reason"),
    ("tools/a.py", "x = 1\ny = 2  # type: ignore[misc]\n", 2, "without a reason"),
    ("stamps/a.py", 'x = f"/subscriptions/{s}/resourceGroups/g"\n', 1, "ARM id"),
    ("stamps/a.py", 'x = group.id + "/providers/Microsoft.Network/virtualNetworks/v"\n', 1, "ARM id"),
    ("stamps/a.py", 'x = Output.concat(g.id, "/providers/Microsoft.Network/virtualNetworks/v")\n', 1, "ARM id"),
    ("stamps/a.py", 'if region == "eastus2":\n    x = 1\n', 1, "region name eastus2"),
    ("shared/a.py", 'if region in ("eastus2", "centralus"):\n    x = 1\n', 1, "region name centralus, eastus2"),
    ("shared/a.py", 'match region:\n    case "westus3":\n        x = 1\n', 2, "region name westus3"),
    ("stamps/a.py", "x = pulumi.ResourceOptions(parent=self).merge(opts)\n", 1, "merged options"),
    ("stamps/a.py", "x = ResourceOptions.merge(a, b)\n", 1, "merged options"),
    ("stamps/a.py", COMPONENT, 4, "Hub does not end its __init__ with register_outputs"),
    ("docs/a.md", f"Run it\nin {MACHINE}.\n", 2, "path of one machine"),
    ("docs/a.md", "See `../" + NEIGHBOUR + "`.\n", 1, "path of one machine"),
    ("README.md", f"See {NEIGHBOUR}.\n", 1, "path of one machine"),
    ("shared/a.py", 'message = "one "\n"two"\n', 2, "stands alone"),
    ("shared/a.py", 'def f() -> str:\n    return "one "\n    f"{two}"\n', 3, "stands alone"),
    ("shared/a.py", "def f(:\n", 1, "no valid Python"),
]

PERMITTED = [
    ("shared/a.py", "import foundation.naming\nfrom . import outputs\nfrom shared.config import x\n"),
    ("stamps/a.py", "from shared.outputs import SharedOutputs\n"),
    ("tools/a.py", "from stamps import config\nfrom shared.config import x\n"),
    ("simulator/a.py", "from tools.engine import engine_bin_directory\n"),
    ("tests/a.py", "import simulator, stamps.hub_network\n"),
    ("stamps/a.py", "x = 1\n" * 330),
    ("docs/a.md", "x\n" * 331),
    ("tools/a.py", "x = 1  # noqa: S310 - a fixed address\ny = 2  # type: ignore[misc]  # the stub is wrong\n"),
    ("tools/a.py", 'x = "# noqa"\n'),
    ("foundation/a.py", 'x = f"/subscriptions/{s}"\n'),
    ("stamps/a.py", 'x = "/providers/Microsoft.Authorization/policyDefinitions/0"\n'),
    ("tests/a.py", 'assert region == "eastus2"\n'),
    ("stamps/a.py", 'if region == other and kind == "stamp":\n    x = "eastus2"\n'),
    ("stamps/a.py", "x = ResourceOptions(parent=self)\ny = mapping.merge(x)\n"),
    ("stamps/a.py", COMPONENT + "        self.register_outputs({})\n"),
    ("docs/a.md", f"See {NEIGHBOUR}, rework/main, https://x.example/work/a, /workload and $HOME/home/x.\n"),
    ("shared/a.py", '"""Doc."""\nx = "one"\n"""What x is."""\n'),
    ("shared/a.py", 'x = ("one "\n"two")\n'),
]


def findings(root: Path, name: str, text: str) -> list[house_rules.Finding]:
    """Check a checkout of one file."""
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return house_rules.check(root)


@pytest.mark.parametrize(("name", "text", "line", "wrong"), FORBIDDEN)
def test_finds_what_is_forbidden(tmp_path: Path, name: str, text: str, line: int, wrong: str) -> None:
    """One breach gives one finding with its place, what is wrong and a remedy."""
    [finding] = findings(tmp_path, name, text)
    assert (finding.path, finding.line) == (name, line)
    assert wrong in finding.wrong
    assert str(finding).startswith(f"{name}:{line}: ")
    assert finding.remedy


@pytest.mark.parametrize(("name", "text"), PERMITTED)
def test_leaves_the_permitted_alone(tmp_path: Path, name: str, text: str) -> None:
    """What only looks like a breach is none."""
    assert findings(tmp_path, name, text) == []


def test_every_rule_has_a_forbidden_case() -> None:
    """No rule can be added, or fall silent, unnoticed."""
    sources = [
        house_rules.Source(PurePosixPath(name), text, ast.parse(text if name.endswith(".py") else ""))
        for name, text, _, wrong in FORBIDDEN
        if wrong != "no valid Python"
    ]
    silent = [rule.__name__ for rule in house_rules.RULES if not any(list(rule(source)) for source in sources)]
    assert silent == []


def test_exit_code_and_output(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The command prints its findings and fails; without findings it is silent and succeeds."""
    assert house_rules.main([str(tmp_path)]) == 0
    assert capsys.readouterr().out == ""
    findings(tmp_path, "tools/a.py", "import stamps.vault\n")
    assert house_rules.main([str(tmp_path)]) == 1
    assert "tools/a.py:1: tools imports stamps.vault. " in capsys.readouterr().out


def test_binary_files_are_skipped(tmp_path: Path) -> None:
    """An image in docs/ is no finding."""
    (tmp_path / "picture.png").write_bytes(b"\x89PNG\xff\xfe")
    assert house_rules.check(tmp_path) == []
