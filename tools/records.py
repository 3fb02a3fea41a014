"""Checks the documents that keep records, one row for each id: `python -m tools.records`, run by the unit tests.

A record is a row of a Markdown table whose first column is called `id` or `key`. Every id of the list has exactly one
row in its document, and every path in backticks leads to a file of the project and, behind `::`, to a function or class
in it. A table with the columns `status` and `rows` counts the document's records by their status, and has to be right.
"""

import ast
import json
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.house_rules import Finding

IDS_FILE = "tests/unit/reference_ids.json"
DOCUMENTS: dict[str, tuple[str, ...]] = {
    "docs/parity.md": ("resources", "defects"),
    "docs/requirements.md": ("requirements",),
    "docs/azure.md": ("traps",),
    "docs/architecture.md": (),
    "docs/gitops.md": (),
    "docs/simulator.md": (),
    "docs/workload.md": (),
}
"""The documents whose paths are checked, and which ids of the list stand in each."""

_RECORD_COLUMNS = ("id", "key")
_FILE_TYPES = (".json", ".lock", ".md", ".py", ".toml", ".yaml", ".yml")
_PATH = re.compile(r"(?P<path>[\w.*-]+(?:/[\w.*-]+)+/?)(?P<symbol>(?:::\w+)*)(?:\[[^`]*\])?")


@dataclass(frozen=True)
class Row:
    """One line of a table."""

    line: int
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """A Markdown table; `header` is in lower case."""

    header: tuple[str, ...]
    rows: tuple[Row, ...]
    line: int

    @property
    def holds_records(self) -> bool:
        """Whether each row stands for one id."""
        return self.header[0] in _RECORD_COLUMNS

    @property
    def counts(self) -> bool:
        """Whether the table counts records by status."""
        return not self.holds_records and {"status", "rows"} <= set(self.header)

    def column(self, name: str) -> Iterator[tuple[Row, str]]:
        """Return the rows with their cell of one column; nothing where the table has no such column."""
        if name in self.header:
            index = self.header.index(name)
            yield from ((row, row.cells[index]) for row in self.rows if index < len(row.cells))


def tables(text: str) -> list[Table]:
    """Return the tables of a Markdown text. As on GitHub a bar divides cells unless a backslash stands before it."""
    found: list[Table] = []
    lines = dict(_prose(text))
    for number, line in lines.items():
        if line.startswith("|") and re.fullmatch(r"[|:\s-]+", lines.get(number + 1, "")) and "-" in lines[number + 1]:
            rows = []
            at = number + 2
            while lines.get(at, "").startswith("|"):
                rows.append(Row(at, _cells(lines[at])))
                at += 1
            header = tuple(cell.lower() for cell in _cells(line))
            found.append(Table(header, tuple(rows), number))
    return found


def paths(text: str) -> Iterator[tuple[int, str, tuple[str, ...]]]:
    """Return line, path and the names behind `::` of everything in backticks that may be a path with a folder."""
    for number, line in _prose(text):
        for token in re.findall(r"(?<!`)`([^`]+)`(?!`)", line):
            match = _PATH.fullmatch(token)
            if match:
                yield number, match["path"], tuple(filter(None, match["symbol"].split("::")))


def check_document(root: Path, document: str, ids: Sequence[str]) -> list[Finding]:
    """Return what is wrong in one document of the checkout `root`; `ids` are those that have their row in it."""
    file = root / document
    if not file.is_file():
        return [Finding(document, 1, "the document is missing", f"Write it with one row for each of {len(ids)} ids")]
    text = file.read_text(encoding="utf-8")
    found = tables(text)
    return sorted(
        Finding(document, line, wrong, remedy)
        for line, wrong, remedy in (*_shapes(found), *_ids(found, ids), *_counts(found), *_paths(root, text))
    )


def check(root: Path, documents: Iterable[str] = DOCUMENTS) -> list[Finding]:
    """Return what is wrong in the documents of the checkout `root`."""
    return [finding for document in documents for finding in check_document(root, document, ids_of(root, document))]


def ids_of(root: Path, document: str) -> list[str]:
    """Return the ids that have their row in a document."""
    listed: dict[str, list[str]] = json.loads((root / IDS_FILE).read_text(encoding="utf-8"))
    return [each for group in DOCUMENTS[document] for each in listed[group]]


_Problem = tuple[int, str, str]


def _shapes(found: Sequence[Table]) -> Iterator[_Problem]:
    for table in found:
        for row in table.rows:
            if len(row.cells) != len(table.header):
                wrong = f"the row has {len(row.cells)} cells and its table {len(table.header)} columns"
                yield row.line, wrong, "Write \\| for a bar inside a cell"


def _ids(found: Sequence[Table], ids: Sequence[str]) -> Iterator[_Problem]:
    rows = [row for table in found if table.holds_records for row in table.rows]
    first: dict[str, int] = {}
    for row in rows:
        name = row.cells[0]
        if name not in ids:
            yield row.line, f"the id {name} is not in the list", f"Correct it, or add it to {IDS_FILE}"
        elif name in first:
            yield row.line, f"{name} has a second row", f"Keep one; the first is in line {first[name]}"
        first.setdefault(name, row.line)
    for name in ids:
        if name not in first:
            yield 1, f"{name} has no row", "Add one to a table whose first column is called id or key"


def _counts(found: Sequence[Table]) -> Iterator[_Problem]:
    records = [cell for table in found if table.holds_records for _, cell in table.column("status")]
    actual = Counter(records)
    counted = [
        (row, dict(zip(table.header, row.cells, strict=False))) for table in found if table.counts for row in table.rows
    ]
    for row, cells in counted:
        status = cells["status"]
        if cells.get("rows") != str(actual[status]):
            yield row.line, f"{cells.get('rows')} rows are said to be '{status}'", f"There are {actual[status]}"
    if counted:
        for status in sorted(set(actual) - {cells["status"] for _, cells in counted}):
            yield counted[0][0].line, f"the count leaves out '{status}'", f"Add it with {actual[status]} rows"


def _paths(root: Path, text: str) -> Iterator[_Problem]:
    folders = {entry.name for entry in root.iterdir() if entry.is_dir()}
    for line, path, symbol in paths(text):
        if path.partition("/")[0] not in folders and not path.endswith(_FILE_TYPES):
            continue
        files = sorted(root.glob(path.rstrip("/")))
        if not files:
            yield line, f"there is no {path}", "Correct the path, or take the backticks away from what is not ours"
        elif symbol and not any(_defines(file, symbol) for file in files):
            name = "::".join(symbol)
            yield (
                line,
                f"{path} defines no function or class {name}",
                "Correct the name; methods may have their class before",
            )


def _defines(file: Path, symbol: tuple[str, ...]) -> bool:
    """Tell whether a Python file defines the function or class; a method is found without its class too."""
    if file.suffix != ".py":
        return False
    scopes: list[ast.AST] = [ast.parse(file.read_text(encoding="utf-8"))]
    for name in symbol:
        scopes = [
            node
            for scope in scopes
            for node in ast.walk(scope)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and node.name == name
        ]
    return bool(scopes)


def _prose(text: str) -> Iterator[tuple[int, str]]:
    """Return the numbered lines outside fenced code."""
    fenced = False
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("```"):
            fenced = not fenced
        elif not fenced:
            yield number, line.strip()


def _cells(line: str) -> tuple[str, ...]:
    inner = line.strip().removeprefix("|")
    inner = inner[:-1] if inner.endswith("|") and not inner.endswith("\\|") else inner
    return tuple(cell.replace("\\|", "|").strip() for cell in re.split(r"(?<!\\)\|", inner))


def main(arguments: list[str] | None = None) -> int:
    """Check the checkout that is the working directory, or the one given; 1 when a record is wrong."""
    given = sys.argv[1:] if arguments is None else arguments
    findings = check(Path(given[0]) if given else Path.cwd())
    for finding in findings:
        print(finding)
    if findings:
        print(f"records: {len(findings)} wrong", file=sys.stderr)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
