"""Puts the questions of preflight checks to the Azure CLI, the Pulumi CLI and the name service. It changes nothing.

az takes seconds for each answer, so distinct questions are asked at the same time, and none twice.
"""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from stamps.preflight.check import Answer, Check, Finding, HostName, Question, Status

_AT_ONCE = 6
_PATIENCE_SECONDS = 300
_LONGEST_COMPLAINT = 240
_DENIED = re.compile(r"does not have authorization to perform action '([^']+)' over scope '([^']+)'")
_NO_SUCH_SETTING = re.compile(r"configuration key '[^']+' not found")


@dataclass(frozen=True)
class Reply:
    """What a program said."""

    exit_code: int
    stdout: str
    stderr: str


Runner = Callable[[Sequence[str]], Reply]
Resolver = Callable[[str], list[str]]


class NotReadyError(Exception):
    """Nothing can be asked at all; the text is one line with what to do."""


class RefusedError(Exception):
    """One question was not answered."""

    def __init__(self, text: str, remedy: str) -> None:
        super().__init__(text)
        self.finding = Finding(Status.UNKNOWN, text, remedy)


@dataclass(frozen=True)
class Sources:
    """Where answers come from. Tests put recorded ones here."""

    run: Runner
    resolve: Resolver

    def answer(self, question: Question) -> object:
        """Return what az or pulumi printed as JSON, or the addresses of a host name; None for an unknown setting.

        Raises:
            NotReadyError: when the program is not there or not logged in.
            RefusedError: when this question has no answer.
        """
        if isinstance(question, HostName):
            return self.resolve(question.name)
        program, *arguments = question.arguments
        reply = self.run(question.arguments)
        if reply.exit_code == 0:
            try:
                return json.loads(reply.stdout)
            except ValueError:
                raise RefusedError(f"{_shown(program, arguments)} printed no JSON", "update the program") from None
        if program == "pulumi" and _NO_SUCH_SETTING.search(reply.stderr):
            return None
        raise _refusal(program, arguments, reply.stderr)

    def findings(self, checks: Sequence[Check]) -> Iterator[tuple[Check, Finding]]:
        """Ask what the checks want to know and give each with its finding, in their order, as soon as it is known."""
        questions = dict.fromkeys(question for check in checks for question in check.questions)
        pool = ThreadPoolExecutor(_AT_ONCE)
        try:
            answers = {question: pool.submit(self.answer, question) for question in questions}
            for check in checks:
                yield check, _judged(check, [answers[question] for question in check.questions])
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _judged(check: Check, answers: Sequence[Future[object]]) -> Finding:
    try:
        return check.judge(*(answer.result() for answer in answers))
    except RefusedError as error:
        return error.finding
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        # Whatever a later az leaves out or writes in another way must not hide the other findings.
        asked = "; ".join(_shown(*_split(question)) for question in check.questions)
        return Finding(Status.UNKNOWN, f"the answer has a form that is not known: {asked}", "look at it by hand")


def _split(question: Question) -> tuple[str, Sequence[str]]:
    if isinstance(question, HostName):
        return "resolve", [question.name]
    return question.arguments[0], question.arguments[1:]


def _refusal(program: str, arguments: Sequence[str], complaint: str) -> Exception:
    told = " ".join(complaint.split())
    if denied := _DENIED.search(told):
        return RefusedError(
            f"this login may not {denied[1]}", f"have it granted on {denied[2]}; Reader on the subscription is enough"
        )
    if program == "az" and re.search(r"\baz login\b|AADSTS\d+", told):
        return NotReadyError("az is not logged in, or its login ran out; run: az login")
    reason = re.sub(r"^(ERROR|error): ", "", told)
    if len(reason) > _LONGEST_COMPLAINT:
        reason = f"{reason[:_LONGEST_COMPLAINT]}..."
    return RefusedError(f"{_shown(program, arguments)} failed: {reason}", "run it by hand to see more")


def _shown(program: str, arguments: Sequence[str]) -> str:
    """Return a command for people, without the options that they do not type."""
    words = [word for word in arguments if not word.startswith("--only-show")]
    for option in ("--subscription", "--output"):
        if option in words:
            del words[words.index(option) : words.index(option) + 2]
    return " ".join([program, *words])


def run_in(directory: Path) -> Runner:
    """Return the runner that starts programs of the PATH in a directory."""

    def run(command: Sequence[str]) -> Reply:
        program = shutil.which(command[0])
        if program is None:
            where = {"az": "https://learn.microsoft.com/cli/azure/install-azure-cli"}.get(command[0], "make setup")
            raise NotReadyError(f"{command[0]} is not installed or not on the PATH; see {where}")
        try:
            done = subprocess.run(  # noqa: S603 - only the programs and arguments that the checks are made of
                [program, *command[1:]],
                cwd=directory,
                stdin=subprocess.DEVNULL,  # whatever would ask the user something fails instead
                capture_output=True,
                text=True,
                encoding="utf-8",
                errors="replace",
                timeout=_PATIENCE_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return Reply(1, "", f"no answer in {_PATIENCE_SECONDS} seconds")
        return Reply(done.returncode, done.stdout, done.stderr)

    return run


def resolve(name: str) -> list[str]:
    """Return the IPv4 addresses of a host name as this machine sees them, none if there is no record.

    Raises:
        RefusedError: when the name service does not answer.
    """
    try:
        found = socket.getaddrinfo(name, 443, socket.AF_INET, socket.SOCK_STREAM)
    except socket.gaierror as error:
        if error.errno == socket.EAI_AGAIN:
            raise RefusedError(f"the name service did not answer for {name}", "try again later") from None
        return []
    return sorted({str(address[4][0]) for address in found})


def is_account(answer: object) -> Answer:
    """Return az's answer to `account show`.

    Raises:
        NotReadyError: when it is something else.
    """
    if isinstance(answer, dict) and "id" in answer:
        return answer
    raise NotReadyError("az account show does not tell a subscription; run: az login")
