"""The two questions that a pipeline has for GitHub: where a stack's comment stands, and whether the others are done.

Everything comes from the environment of a job (GITHUB_TOKEN, GITHUB_REPOSITORY, …); nothing is kept.
"""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from tools.pipeline_stacks import PipelineError

_BOT: Final = "github-actions[bot]"
_PAGE: Final = 100
_TIMEOUT_SECONDS: Final = 30


class GitHub:
    """GitHub as one job sees it."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._environment = environment

    @property
    def run_link(self) -> str:
        """Where the run's log is; empty outside GitHub."""
        if "GITHUB_RUN_ID" not in self._environment:
            return ""
        server = self._environment.get("GITHUB_SERVER_URL", "https://github.com")
        return f"{server}/{self._needed('GITHUB_REPOSITORY')}/actions/runs/{self._needed('GITHUB_RUN_ID')}"

    def summarise(self, text: str) -> None:
        """Add a text to the job's summary; nothing outside GitHub."""
        if "GITHUB_STEP_SUMMARY" in self._environment:
            with Path(self._environment["GITHUB_STEP_SUMMARY"]).open("a", encoding="utf-8") as file:
                file.write(f"{text}\n")

    def comment(self, marker: str, text: str) -> None:
        """Write a comment on the run's pull request, in place of the one that begins with the same marker.

        Raises:
            PipelineError: the run belongs to no pull request, or GitHub refused.
        """
        event = json.loads(Path(self._needed("GITHUB_EVENT_PATH")).read_text(encoding="utf-8"))
        number = (event.get("pull_request") or {}).get("number")
        if not isinstance(number, int):
            raise PipelineError("this run belongs to no pull request, so there is nothing to comment on")
        for comment in self._listed(f"issues/{number}/comments"):
            # Only our own: anybody can write a comment that begins with the marker.
            if comment["user"]["login"] == _BOT and comment["body"].startswith(marker):
                self._call("PATCH", f"issues/comments/{comment['id']}", {"body": text})
                return
        self._call("POST", f"issues/{number}/comments", {"body": text})

    def succeeded_jobs(self) -> set[str]:
        """Return the names of this run's jobs that ended well, each in its latest attempt."""
        jobs = self._listed(f"actions/runs/{self._needed('GITHUB_RUN_ID')}/jobs?filter=latest", "jobs")
        return {str(job["name"]) for job in jobs if job["conclusion"] == "success"}

    def _listed(self, path: str, key: str | None = None) -> Iterator[dict[str, Any]]:
        for page in range(1, 100):
            answer = self._call("GET", f"{path}{'&' if '?' in path else '?'}per_page={_PAGE}&page={page}")
            items = answer[key] if key else answer
            yield from items
            if len(items) < _PAGE:
                return

    def _call(self, method: str, path: str, body: Mapping[str, str] | None = None) -> Any:  # noqa: ANN401 - any JSON
        address = f"{self._environment.get('GITHUB_API_URL', 'https://api.github.com')}/repos"
        request = urllib.request.Request(  # noqa: S310 - the address is GitHub's own, from the job
            f"{address}/{self._needed('GITHUB_REPOSITORY')}/{path}",
            method=method,
            data=json.dumps(body).encode() if body is not None else None,
            headers={
                "Accept": "application/vnd.github+json",
                "Authorization": f"Bearer {self._needed('GITHUB_TOKEN')}",
                "Content-Type": "application/json",
                "X-GitHub-Api-Version": "2022-11-28",
            },
        )
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as response:  # noqa: S310 - as above
                return json.load(response)
        except urllib.error.HTTPError as error:
            reason = error.read().decode(errors="replace")[:300]
            raise PipelineError(f"GitHub refused {method} {path.partition('?')[0]}: {error.code} {reason}") from None
        except urllib.error.URLError as error:
            raise PipelineError(f"GitHub cannot be reached: {error.reason}") from None

    def _needed(self, name: str) -> str:
        if not self._environment.get(name):
            raise PipelineError(f"{name} is not set: run this in a job of GitHub Actions")
        return self._environment[name]
