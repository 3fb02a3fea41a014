"""Checks the rules of this house that no linter knows: `python -m tools.house_rules`, part of `make check`.

Each rule is a function from one source file to its findings. A finding names the place, what is wrong, and what to do.
"""

import ast
import io
import re
import subprocess
import sys
import tokenize
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

MOST_LINES = 330

IMPORTS: dict[str, frozenset[str]] = {
    "foundation": frozenset({"foundation"}),
    "shared": frozenset({"foundation", "shared"}),
    "stamps": frozenset({"foundation", "shared", "stamps"}),
    "__main__": frozenset({"foundation", "shared", "stamps"}),
    "geode": frozenset({"geode", "tools", "foundation", "shared.config", "stamps.config"}),
    "simulator": frozenset({"simulator", "tools"}),
    "bootstrap": frozenset({"bootstrap", "foundation", "shared.config", "stamps.config", "stamps.fleet"}),
    "benchmarks": frozenset({"benchmarks", "simulator", "tools", "foundation.api_aliases", "stamps.cluster_config"}),
    "workload": frozenset({"workload"}),
    "tools": frozenset({"tools", "shared.config", "stamps.config"}),
}
"""What each part may import of the others; a part that is not listed here (tests) may import everything."""

PARTS = frozenset(IMPORTS)

REGIONS = frozenset(
    re.findall(
        r"\w+",
        """australiacentral australiaeast australiasoutheast austriaeast belgiumcentral brazilsouth brazilsoutheast
    canadacentral canadaeast centralindia centralus chilecentral eastasia eastus eastus2 eastus3 francecentral
    francesouth germanynorth germanywestcentral indonesiacentral israelcentral italynorth japaneast japanwest
    koreacentral koreasouth malaysiawest mexicocentral newzealandnorth northcentralus northeurope norwayeast norwaywest
    polandcentral qatarcentral southafricanorth southafricawest southcentralus southeastasia southindia spaincentral
    swedencentral switzerlandnorth switzerlandwest uaecentral uaenorth uksouth ukwest westcentralus westeurope westindia
    westus westus2 westus3""",
    )
)

SUPPRESSION = re.compile(
    r"#.*?(?:\bnoqa\b(?::\s*[A-Z]+\d+(?:\s*,\s*[A-Z]+\d+)*)?|type:\s*ignore(?:\[[^\]]*\])?|mypy:\s*ignore-errors)(.*)"
)
MACHINE_PATH = re.compile(r"(?<![\w.$})\]/:~*-])/(?:(?:root|home)/[\w.]|work(?:/|(?![\w.-])))")
OUTSIDE_NEIGHBOUR = re.compile(r"((?:\.\./)+)shared\b")
ARM_ID = re.compile(r"/subscriptions/|/providers/Microsoft")


@dataclass(frozen=True, order=True)
class Finding:
    """One breach of a rule."""

    path: str
    line: int
    wrong: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.wrong}. {self.remedy}."


@dataclass(frozen=True)
class Source:
    """A text file of the checkout; `tree` is empty for what is not Python."""

    path: PurePosixPath
    text: str
    tree: ast.Module

    @property
    def part(self) -> str:
        """The top-level folder, or `__main__` for the entry."""
        return self.path.parts[0].removesuffix(".py")

    def finding(self, line: int, wrong: str, remedy: str) -> Finding:
        """Make a finding in this file."""
        return Finding(str(self.path), line, wrong, remedy)


def import_direction(source: Source) -> Iterator[Finding]:
    """foundation <- shared <- stamps <- __main__; tools and geode see config models only, the simulator none of it."""
    allowed = IMPORTS.get(source.part)
    if allowed is None:
        return
    for line, module in _imported_modules(source):
        if module.partition(".")[0] not in PARTS:
            continue
        if not any(module == name or module.startswith(f"{name}.") for name in allowed):
            permitted = ", ".join(sorted(allowed))
            yield source.finding(
                line,
                f"{source.part} imports {module}",
                f"It may import {permitted}; pass the value in, or move what both need to the lower part",
            )


def file_length(source: Source) -> Iterator[Finding]:
    """Python files stay readable in one sitting."""
    lines = len(source.text.splitlines())
    if source.path.suffix == ".py" and lines > MOST_LINES:
        remedy = "Move out data first, then arithmetic, then a child component"
        yield source.finding(MOST_LINES + 1, f"the file has {lines} lines, more than {MOST_LINES}", remedy)


def reasoned_suppressions(source: Source) -> Iterator[Finding]:
    """A silenced check says why."""
    if source.path.suffix != ".py":
        return
    for token in tokenize.generate_tokens(io.StringIO(source.text).readline):
        match = SUPPRESSION.match(token.string) if token.type == tokenize.COMMENT else None
        if match and not re.search(r"[A-Za-z]{2,}\W+\w", match[1]):
            remedy = "Add it behind, for example `# noqa: S310 - a fixed https address`"
            yield source.finding(token.start[0], "a check is silenced without a reason", remedy)


def arm_ids(source: Source) -> Iterator[Finding]:
    """Ids of Azure resources come from outputs or from the helpers in foundation/."""
    if source.part in {"foundation", "simulator", "tests"}:
        return
    for node in ast.walk(source.tree):
        if any(ARM_ID.search(text) for text in _assembled_texts(node)):
            remedy = "Take the resource's `id` output, or the helper for ids of inline children in foundation/"
            yield source.finding(_line(node), "an ARM id is put together by hand", remedy)


def region_comparisons(source: Source) -> Iterator[Finding]:
    """No region is special: what differs is data."""
    if source.part == "tests":
        return
    for node in ast.walk(source.tree):
        compared: list[ast.expr] = []
        if isinstance(node, ast.Compare):
            compared = [node.left, *node.comparators]
        elif isinstance(node, ast.MatchValue):
            compared = [node.value]
        names = {text for expression in compared for text in _strings(expression)} & REGIONS
        if names:
            wrong = f"the code compares with the region name {', '.join(sorted(names))}"
            yield source.finding(_line(node), wrong, "Make it a field of the stack's config with a default")


def merged_options(source: Source) -> Iterator[Finding]:
    """`ResourceOptions(parent=self).merge(opts)` moves a child out of its component when the caller gave a parent."""
    if source.part == "tests":
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "merge":
            options = node.func.value.func if isinstance(node.func.value, ast.Call) else node.func.value
            if _last_name(options) == "ResourceOptions":
                wrong = "merged options can move a child out of its component"
                yield source.finding(node.lineno, wrong, "Use `ResourceOptions(parent=self, ...)` alone")


def registered_outputs(source: Source) -> Iterator[Finding]:
    """A component's constructor ends by registering its outputs; until then the engine thinks it unfinished."""
    if source.part == "tests":
        return
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.ClassDef) or "ComponentResource" not in map(_last_name, node.bases):
            continue
        constructor = next((i for i in node.body if isinstance(i, ast.FunctionDef) and i.name == "__init__"), None)
        last = constructor.body[-1] if constructor else None
        call = last.value if isinstance(last, ast.Expr) else None
        if not (isinstance(call, ast.Call) and _last_name(call.func) == "register_outputs"):
            wrong = f"the component {node.name} does not end its __init__ with register_outputs"
            yield source.finding(last.lineno if last else node.lineno, wrong, "Make it the last statement")


def machine_paths(source: Source) -> Iterator[Finding]:
    """The checkout works anywhere."""
    depth = len(source.path.parts) - 1
    for number, line in enumerate(source.text.splitlines(), 1):
        outside = any(match[1].count("../") > depth for match in OUTSIDE_NEIGHBOUR.finditer(line))
        if outside or MACHINE_PATH.search(line):
            remedy = "Write it relative to the checkout, or take it from the environment"
            yield source.finding(number, "the text names a path of one machine", remedy)


def stray_strings(source: Source) -> Iterator[Finding]:
    """A string alone on its line was meant to continue the one above and is lost."""
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.Expr) or not isinstance(node.value, ast.Constant | ast.JoinedStr):
            continue
        if isinstance(node.value, ast.Constant) and not isinstance(node.value.value, str):
            continue
        literal = source.text.splitlines()[node.lineno - 1].lstrip().lstrip("rRbBfFuU")
        if not literal.startswith(('"""', "'''")):
            wrong = "a string stands alone and is lost"
            yield source.finding(node.lineno, wrong, 'Put the parts in parentheses; a docstring has """')


RULES: tuple[Callable[[Source], Iterator[Finding]], ...] = (
    import_direction,
    file_length,
    reasoned_suppressions,
    arm_ids,
    region_comparisons,
    merged_options,
    registered_outputs,
    machine_paths,
    stray_strings,
)


def check(root: Path) -> list[Finding]:
    """Apply all rules to the files of a checkout (tracked, or new and not ignored) and return the sorted findings."""
    return sorted(finding for path in _files(root) for finding in _check_file(root, path))


def _check_file(root: Path, path: PurePosixPath) -> Iterator[Finding]:
    try:
        text = (root / path).read_text(encoding="utf-8")
        tree = ast.parse(text) if path.suffix == ".py" else ast.Module([], [])
    except (UnicodeDecodeError, FileNotFoundError):
        return  # not text, or deleted and not yet committed
    except SyntaxError as error:
        yield Finding(str(path), error.lineno or 1, "the file is no valid Python", "Correct the syntax")
        return
    source = Source(path, text, tree)
    for rule in RULES:
        yield from rule(source)


def _files(root: Path) -> list[PurePosixPath]:
    if (root / ".git").exists():
        command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]  # fmt: skip
        listed = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout.split("\0")
        return [PurePosixPath(name) for name in dict.fromkeys(listed) if name]
    return [PurePosixPath(path.relative_to(root).as_posix()) for path in root.rglob("*") if path.is_file()]


def _imported_modules(source: Source) -> Iterator[tuple[int, str]]:
    """Give absolute names; `from shared import config` is shared.config."""
    package = source.path.with_suffix("").parts[:-1]
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join([*above, *([node.module] if node.module else [])])
            if module in PARTS or not module:
                yield from ((node.lineno, f"{module}.{alias.name}".lstrip(".")) for alias in node.names)
            else:
                yield node.lineno, module


def _assembled_texts(node: ast.AST) -> list[str]:
    """Return the literal pieces of what a node puts together, if it puts a string together."""
    pieces: list[ast.expr] = []
    if isinstance(node, ast.JoinedStr):
        pieces = node.values
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Mod):
        pieces = [node.left, node.right]
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        if node.func.attr in {"concat", "format"}:
            pieces = [node.func.value, *node.args]
        elif node.func.attr == "join":
            pieces = [element for sequence in node.args for element in getattr(sequence, "elts", [])]
    return [piece.value for piece in pieces if isinstance(piece, ast.Constant) and isinstance(piece.value, str)]


def _strings(expression: ast.expr) -> Iterator[str]:
    elements = expression.elts if isinstance(expression, ast.Tuple | ast.List | ast.Set) else [expression]
    for element in elements:
        if isinstance(element, ast.Constant) and isinstance(element.value, str):
            yield element.value


def _last_name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _line(node: ast.AST) -> int:
    return getattr(node, "lineno", 1)


def main(arguments: list[str] | None = None) -> int:
    """Check the checkout that is the working directory, or the one given; 1 when a rule is broken."""
    given = sys.argv[1:] if arguments is None else arguments
    findings = check(Path(given[0]) if given else Path.cwd())
    for finding in findings:
        print(finding)
    if findings:
        print(f"house rules: {len(findings)} broken", file=sys.stderr)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
