"""What the workflows in .github/workflows call: `python -m tools.pipeline COMMAND`.

`stacks` lists the stacks in the order of their deployment, `preview` and `up` run the engine, `comment` turns a preview
into Markdown, `ready` refuses a stack before the ones ahead of it are deployed. All work the same on a desk.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from tools import pipeline_engine
from tools.pipeline_comment import marker, render
from tools.pipeline_github import GitHub
from tools.pipeline_stacks import PipelineError, ordered_stacks, stack_named

_SUMMARY_LIMIT: Final = 900_000
"""A job's summary takes 1 MiB; the text is counted in characters."""
JOB_NAME: Final = "deploy {stack}"
"""How deploy.yml names a stack's job."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    options = _parser().parse_args(arguments)
    root = Path.cwd()
    try:
        if options.command == "stacks":
            return _stacks(root, options.json)
        stack = stack_named(root, options.stack)
        if options.command == "preview":
            simulated = options.simulated or options.base is not None
            return pipeline_engine.preview(root, stack, options.output, simulated=simulated, base=options.base)
        if options.command == "comment":
            return _comment(stack.name, options.input, options.publish)
        if options.command == "ready":
            return _ready(root, stack.name)
        return pipeline_engine.up(root, stack)
    except PipelineError as error:
        print(f"pipeline: {error}", file=sys.stderr)
        return 2


def _stacks(root: Path, as_json: bool) -> int:
    names = [stack.name for stack in ordered_stacks(root)]
    print(json.dumps(names) if as_json else "\n".join(names))
    return 0


def _comment(stack: str, file: Path, publish: bool) -> int:
    preview = _read(file)
    github = GitHub()
    text = render(stack, preview, link=github.run_link)
    print(text)
    github.summarise(render(stack, preview, limit=_SUMMARY_LIMIT))
    if publish:
        github.comment(marker(stack), text)
    return 0


def _read(file: Path) -> dict[str, Any] | None:
    """Return a preview; None when the engine failed before it had one, for example without a login."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def _ready(root: Path, stack: str) -> int:
    """Check that every stack ahead of this one was deployed by this run, however GitHub orders a matrix."""
    names = [each.name for each in ordered_stacks(root)]
    ahead = names[: names.index(stack)]
    if ahead:
        done = GitHub().succeeded_jobs()
        missing = [name for name in ahead if JOB_NAME.format(stack=name) not in done]
        if missing:
            raise PipelineError(f"{stack} comes after {', '.join(missing)}, which this run has not deployed")
    print(f"{stack} may be deployed; ahead of it: {', '.join(ahead) or 'none'}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools.pipeline", description="What the pipelines call.")
    commands = parser.add_subparsers(dest="command", required=True)
    stacks = commands.add_parser("stacks", help="list the stacks in the order of their deployment")
    stacks.add_argument("--json", action="store_true", help="as a JSON list on one line")
    for name, text in {
        "preview": "write a stack's preview to a file as JSON",
        "comment": "print a preview as Markdown, and add it to the job's summary",
        "ready": "fail unless this run deployed all stacks ahead of this one",
        "up": "deploy a stack",
    }.items():
        sub = commands.add_parser(name, help=text, description=text)
        sub.add_argument("--stack", required=True, metavar="NAME")
        if name == "preview":
            sub.add_argument("--output", type=Path, required=True, help="the JSON file to write")
            sub.add_argument("--simulated", action="store_true", help="against the simulated Azure")
            sub.add_argument("--base", type=_folder, help="a checkout to compare with; implies --simulated")
        if name == "comment":
            sub.add_argument("--input", type=Path, required=True, help="the JSON file that preview wrote")
            sub.add_argument("--publish", action="store_true", help="also as a comment on the run's pull request")
    return parser


def _folder(text: str) -> Path:
    folder = Path(text).resolve()
    if not (folder / "Pulumi.yaml").is_file():
        raise argparse.ArgumentTypeError(f"{text} is no checkout of this project")
    return folder


if __name__ == "__main__":
    sys.exit(main())
