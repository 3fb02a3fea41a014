"""The visits against a stand-in for Cosmos DB, and how the region is judged by it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from region_echo.region_health import Judgement, Reach, judge

from tests.workload.echo_process import EchoProcess
from tests.workload.fake_cosmos import FakeAccount


@pytest.fixture
def account(tmp_path: Path) -> Iterator[FakeAccount]:
    """An account that is written in two regions."""
    with FakeAccount(tmp_path, "East US 2", "Central US") as account:
        yield account


@pytest.fixture
def echo(account: FakeAccount, tmp_path: Path) -> Iterator[EchoProcess]:
    """A pod of the first region."""
    environment = account.environment(account.regions[0])
    with EchoProcess(tmp_path, COSMOS_ATTEMPT_SECONDS="0.6", **environment) as process:
        yield process


@pytest.mark.parametrize(
    ("own", "others", "judgement"),
    [
        (Reach.ANSWERED, [], Judgement.HEALTHY),
        (Reach.FAILED, [Reach.ANSWERED], Judgement.WORSE_HERE),
        (Reach.FAILED, [Reach.FAILED, Reach.ANSWERED], Judgement.WORSE_HERE),
        (Reach.FAILED, [Reach.FAILED], Judgement.SHARED),
        (Reach.FAILED, [Reach.UNKNOWN], Judgement.SHARED),
        (Reach.FAILED, [], Judgement.SHARED),
        (Reach.UNKNOWN, [Reach.ANSWERED], Judgement.UNKNOWN),
    ],
)
def test_a_region_is_judged_by_comparing(own: Reach, others: list[Reach], judgement: Judgement) -> None:
    """What fails everywhere would otherwise take every region out at once."""
    assert judge(own, others) is judgement


def test_a_visit_written_in_one_region_is_counted_in_the_other(
    account: FakeAccount, echo: EchoProcess, tmp_path: Path
) -> None:
    """Which proves that the data is the same."""
    with EchoProcess(tmp_path, "centralus", **account.environment(account.regions[1])) as other:
        visit = echo.ask("POST", "/visits", {"content-type": "application/json"}, b'{"note": "hello"}')
        assert visit.status == 201
        assert (visit.json["region"], visit.json["note"]) == ("eastus2", "hello")
        assert other.ask("POST", "/visits").status == 201
        counts = other.ask("GET", "/visits")
    assert counts.json == {"seenFrom": "centralus", "visits": {"eastus2": 1, "centralus": 1}}
    assert {path for _, path, _ in account.regions[1].seen} == {"/", "/dbs/workload/colls/visits/docs"}


def test_each_region_asks_its_own_endpoint_with_a_token_and_no_key(account: FakeAccount, echo: EchoProcess) -> None:
    """One token serves many requests."""
    assert [echo.ask("POST", "/visits").status for _ in range(3)] == [201, 201, 201]
    assert account.regions[1].seen == []
    assert account.tokens_issued == 1
    headers = account.regions[0].seen[-1][2]
    assert headers["authorization"].startswith("type%3Daad%26ver%3D1.0%26sig%3D")
    assert headers["x-ms-documentdb-partitionkey"] == '["eastus2"]'


def test_a_write_whose_answer_was_lost_is_counted_once(account: FakeAccount, echo: EchoProcess) -> None:
    """The second try meets its own document and knows it."""
    account.regions[0].faults = ["lost"]
    assert echo.ask("POST", "/visits").status == 201
    assert len(account.documents) == 1


def test_a_throttled_request_waits_as_long_as_it_is_told(account: FakeAccount, echo: EchoProcess) -> None:
    """And is then carried out in the same region."""
    account.regions[0].faults = ["throttle", "throttle"]
    began = time.monotonic()
    assert echo.ask("POST", "/visits").status == 201
    assert time.monotonic() - began >= 0.3
    assert account.regions[1].seen == []
    assert 'outcome="429"} 2' in echo.metrics()


@pytest.mark.parametrize("fault", ["down", "hang"])
def test_where_the_own_region_fails_another_serves_and_front_door_is_told(
    account: FakeAccount, echo: EchoProcess, fault: str
) -> None:
    """Users keep their answers while Front Door moves them."""
    assert echo.ask("GET", "/visits").status == 200
    account.regions[0].fault = fault
    assert echo.ask("POST", "/visits").status == 201
    expected = (503, "fails here, answers in another region")
    assert _judged(echo, expected) == expected
    assert [echo.ask("GET", path).status for path in ("/livez", "/readyz", "/")] == [200, 200, 200]
    account.regions[0].fault = ""
    expected = (200, "healthy")
    assert _judged(echo, expected) == expected


def test_a_drained_region_says_so_although_its_database_answers(echo: EchoProcess) -> None:
    """And at once: the switch is not cached with the judgement."""
    assert _judged(echo, (200, "healthy")) == (200, "healthy")
    echo.drain_file.write_text("drain")
    assert _judged(echo, (503, "healthy")) == (503, "healthy")


def test_what_fails_in_every_region_is_no_reason_to_leave_this_one(account: FakeAccount, echo: EchoProcess) -> None:
    """The requests that need it fail with a reason, the others are served."""
    assert echo.ask("GET", "/visits").status == 200
    for region in account.regions:
        region.fault = "down"
    reply = echo.ask("POST", "/visits")
    assert (reply.status, reply.headers["retry-after"]) == (503, "2")
    assert "127.0.0.1" not in reply.body.decode(), "addresses are for the log"
    expected = (200, "fails in every region that could be asked")
    assert _judged(echo, expected) == expected


@pytest.mark.parametrize("cause", ["entra", "rights"])
def test_a_missing_token_or_right_says_nothing_about_the_region(
    account: FakeAccount, echo: EchoProcess, cause: str
) -> None:
    """It is the same everywhere, or at least nothing that another region is known to do better."""
    if cause == "entra":
        account.entra_down = True
    else:
        account.regions[0].fault = "refuse"
    assert echo.ask("POST", "/visits").status == 503
    expected = (200, "unknown")
    assert _judged(echo, expected) == expected


def test_a_body_that_is_no_note_is_refused(account: FakeAccount, echo: EchoProcess) -> None:
    """With an example of one that is, and nothing is written."""
    long = b'{"note": "' + b"x" * 201 + b'"}'
    for body in (b"{", b"[]", b'"x"', b'{"note": 1}', b'{"other": "x"}', b"\xff", b"[" * 5000, long):
        reply = echo.ask("POST", "/visits", {}, body)
        assert reply.status == 400, body
        assert '{"note": "hello"}' in reply.json["error"]
    assert account.documents == {}


def test_a_request_in_flight_at_sigterm_is_still_carried_out(account: FakeAccount, echo: EchoProcess) -> None:
    """The database answers after the signal, the client gets its answer, and the process ends in time."""
    account.regions[0].faults = ["throttle"] * 5
    replies: list[int] = []
    thread = threading.Thread(target=lambda: replies.append(echo.ask("POST", "/visits").status))
    thread.start()
    time.sleep(0.3)
    echo.terminate()
    thread.join(10)
    assert echo.process.wait(10) == 0
    assert (replies, len(account.documents)) == ([201], 1)


def _judged(echo: EchoProcess, expected: tuple[int, str]) -> tuple[int, str]:
    """Ask until the judgement is as expected: a probe gets the one before while a new one takes over a second."""
    end = time.monotonic() + 8
    while True:
        reply = echo.ask("GET", "/healthz/region")
        seen = (reply.status, str(reply.json["database"]))
        if seen == expected or time.monotonic() > end:
            return seen
        time.sleep(0.05)
