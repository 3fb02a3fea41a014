"""What the pipeline asks of GitHub: one comment a stack, updated in place, and whose turn it is."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from tools import pipeline
from tools.pipeline_comment import marker
from tools.pipeline_github import GitHub
from tools.pipeline_stacks import PipelineError

ROOT = Path(__file__).parents[3]
BOT = "github-actions[bot]"


class FakeGitHub(BaseHTTPRequestHandler):
    """Answers a hundred entries a page, as GitHub does, and keeps what is written."""

    comments: list[dict[str, Any]]
    jobs: list[dict[str, Any]]
    seen: list[str]

    def do_GET(self) -> None:
        """Answer one page of comments or jobs."""
        self.seen.append(f"GET {self.path}")
        page = int(self.path.rpartition("page=")[2])
        if "/jobs?" in self.path:
            self._answer({"jobs": self.jobs[(page - 1) * 100 : page * 100]})
        else:
            self._answer(self.comments[(page - 1) * 100 : page * 100])

    def do_POST(self) -> None:
        """Add a comment."""
        self.comments.append({"id": 1000 + len(self.comments), "user": {"login": BOT}, **self._body()})
        self._answer({})

    def do_PATCH(self) -> None:
        """Change a comment."""
        number = int(self.path.rpartition("/")[2])
        next(each for each in self.comments if each["id"] == number).update(self._body())
        self._answer({})

    def _body(self) -> dict[str, Any]:
        body: dict[str, Any] = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        return body

    def _answer(self, content: object) -> None:
        good = self.headers["Authorization"] == "Bearer token-of-the-job"
        text = json.dumps(content if good else {"message": "Bad credentials"}).encode()
        self.send_response(200 if good else 401)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the server's name for it
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[str]:
    """Return the address of a GitHub without comments and jobs."""
    FakeGitHub.comments, FakeGitHub.jobs, FakeGitHub.seen = [], [], []
    running = HTTPServer(("127.0.0.1", 0), FakeGitHub)
    thread = threading.Thread(target=running.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{running.server_port}"
    running.shutdown()
    thread.join()
    running.server_close()


@pytest.fixture
def job(server: str, tmp_path: Path) -> dict[str, str]:
    """Return the environment of a job of pull request 7."""
    (tmp_path / "event.json").write_text('{"pull_request": {"number": 7}}', encoding="utf-8")
    return {
        "GITHUB_API_URL": server,
        "GITHUB_EVENT_PATH": str(tmp_path / "event.json"),
        "GITHUB_REPOSITORY": "contoso/fleet",
        "GITHUB_RUN_ID": "42",
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"),
        "GITHUB_TOKEN": "token-of-the-job",
    }


def test_a_second_preview_replaces_the_first_comment(job: dict[str, str]) -> None:
    """Each stack has one comment, also when a hundred others were written in between."""
    github = GitHub(job)
    github.comment(marker("uksouth"), f"{marker('uksouth')}\nfirst")
    FakeGitHub.comments += [{"id": n, "user": {"login": "ann"}, "body": "nice"} for n in range(100, 250)]
    github.comment(marker("westus3"), f"{marker('westus3')}\nother stack")
    github.comment(marker("uksouth"), f"{marker('uksouth')}\nsecond")
    github.comment(marker("westus3"), f"{marker('westus3')}\nother stack again")

    own = [each["body"] for each in FakeGitHub.comments if each["user"]["login"] == BOT]
    assert own == [f"{marker('uksouth')}\nsecond", f"{marker('westus3')}\nother stack again"]
    assert FakeGitHub.seen[0].startswith("GET /repos/contoso/fleet/issues/7/comments?")


def test_a_comment_of_somebody_else_is_left_alone(job: dict[str, str]) -> None:
    """Though it begins with the marker."""
    FakeGitHub.comments.append({"id": 1, "user": {"login": "mallory"}, "body": f"{marker('uksouth')}\nall is well"})

    GitHub(job).comment(marker("uksouth"), f"{marker('uksouth')}\n2 deleted")

    assert [each["body"] for each in FakeGitHub.comments] == [
        f"{marker('uksouth')}\nall is well",
        f"{marker('uksouth')}\n2 deleted",
    ]


def test_the_command_comments_and_summarises(
    job: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also when the engine left no result, so that an old comment never stands for a new commit."""
    for name, value in job.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(ROOT)

    assert pipeline.main(["comment", "--stack", "shared", "--input", str(tmp_path / "none.json"), "--publish"]) == 0

    assert "no preview" in capsys.readouterr().out
    assert "no preview" in (tmp_path / "summary.md").read_text(encoding="utf-8")
    (comment,) = FakeGitHub.comments
    assert comment["body"].startswith(marker("shared"))
    assert "(https://github.com/contoso/fleet/actions/runs/42)" in comment["body"]


def test_refusals_are_one_sentence_without_the_token(job: dict[str, str]) -> None:
    """What GitHub says, or what is missing."""
    with pytest.raises(PipelineError, match=r"401 .*Bad credentials") as refused:
        GitHub({**job, "GITHUB_TOKEN": "wrong-token"}).comment("m", "t")
    assert "wrong-token" not in str(refused.value)
    with pytest.raises(PipelineError, match="GITHUB_TOKEN is not set"):
        GitHub({**job, "GITHUB_TOKEN": ""}).comment("m", "t")
    Path(job["GITHUB_EVENT_PATH"]).write_text("{}", encoding="utf-8")
    with pytest.raises(PipelineError, match="no pull request"):
        GitHub(job).comment("m", "t")


@pytest.mark.parametrize(
    ("finished", "code"),
    [
        ({}, 2),
        ({"deploy shared": "success"}, 2),
        ({"deploy shared": "success", "deploy centralus": "failure"}, 2),
        ({"deploy shared": "success", "deploy centralus": "success"}, 0),
    ],
)
def test_a_stack_waits_for_the_ones_ahead(
    job: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    finished: dict[str, str],
    code: int,
) -> None:
    """All of them, deployed by this run and well, not merely started."""
    for name, value in job.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(ROOT)
    FakeGitHub.jobs += [{"name": name, "conclusion": conclusion} for name, conclusion in finished.items()]
    FakeGitHub.jobs.append({"name": "deploy eastus2", "conclusion": None})

    assert pipeline.main(["ready", "--stack", "eastus2"]) == code

    told = capsys.readouterr()
    assert ("eastus2 comes after" in told.err) == (code == 2)
    assert "/actions/runs/42/jobs?filter=latest" in FakeGitHub.seen[0]
    assert pipeline.main(["ready", "--stack", "shared"]) == 0
