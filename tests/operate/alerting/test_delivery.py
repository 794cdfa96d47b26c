"""Alerts written and sent to a real server that fails, hangs, and loses its answer."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pandas as pd
import pytest

from finops_lib import operate
from finops_lib.errors import ParamsError
from finops_lib.operate.alerting.delivery import RECORD, payload, signature

NOW = 1_793_404_800


class Receiver:
    """A server whose answers are laid down beforehand; it keeps what it was sent, and drops repeats by key."""

    def __init__(self) -> None:
        self.plan: list[object] = []
        self.arrived: list[tuple[Message, bytes]] = []
        self.taken: dict[str, bytes] = {}
        self.released = threading.Event()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.arrived.append((self.headers, body))
                answer = receiver.plan.pop(0) if receiver.plan else 204
                if answer == "hang":
                    receiver.released.wait(5)
                    return
                if answer == "drop" or (isinstance(answer, int) and answer < 300):
                    receiver.taken.setdefault(self.headers["Idempotency-Key"], body)
                if answer == "drop":
                    self.connection.shutdown(socket.SHUT_RDWR)
                    return
                self.send_response(answer if isinstance(answer, int) else 429)
                if isinstance(answer, tuple):
                    self.send_header(*answer)
                if answer == 302:
                    self.send_header("Location", "/elsewhere")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Run a receiver on this machine."""
    found = Receiver()
    thread = threading.Thread(target=found.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield found
    found.released.set()
    found.server.shutdown()
    found.server.server_close()


@pytest.fixture
def alerts() -> pd.DataFrame:
    """Make two alerts, the second without owners and with characters that have a meaning in markup."""
    first = {
        "key": "budget/all/2026-10-01/over",
        "severity": "high",
        "kind": "over budget",
        "subject": "all",
        "assistant": None,
        "message": "everything: 120% of USD 100.00 spent",
        "cause": "Requests rose",
        "also": "front",
        "money": 20.004,
        "since": pd.Timestamp("2026-10-12"),
        "found_on": pd.Timestamp("2026-10-12"),
        "technical_owner": "cto",
        "budget_owner": "cfo",
        "owner_note": None,
        "action": "bring the spend down",
        "cadence": "daily",
    }
    second = {"key": "unusual/ä/rate/2026-10-14", "subject": "<a> & b", "message": "mix <b>", "cause": None}
    nobody = {"also": None, "technical_owner": None, "budget_owner": None, "owner_note": "no owner"}
    return pd.DataFrame([first, first | second | nobody])


@pytest.fixture
def send(receiver: Receiver, tmp_path: Path):
    """Send to the receiver without waiting; the waits asked for are kept."""
    waits: list[float] = []

    def run(frame: pd.DataFrame, **chosen: object) -> pd.DataFrame:
        rules = {"clock": lambda: NOW, "wait": waits.append, "timeout": 2.0} | chosen
        return operate.send_alerts(frame, receiver.url, tmp_path, **rules)

    run.waits = waits
    return run


def test_text_says_what_why_who_and_what_to_do(alerts) -> None:
    """A paragraph an alert; what is not known is left out, and nobody is called nobody."""
    first, second = operate.format_alerts(alerts, "text").split("\n\n")

    assert [
        "High: over budget, all",
        "  Everything: 120% of USD 100.00 spent.",
        "  Likely cause: Requests rose.",
        "  The same cause concerns: front.",
        "  USD 20.00, since 2026-10-12.",
        "  Owners: cto (technical), cfo (budget).",
        "  To do: bring the spend down.",
    ] == first.splitlines()
    assert "  Owners: nobody (technical), nobody (budget); no owner." in second
    assert "Nobody has to be told anything." == operate.format_alerts(alerts.head(0), "text")


def test_json_and_webhook_hold_the_record(alerts) -> None:
    """Days as text, money to the cent, what is not known as null: one list, or a line an alert."""
    records = json.loads(operate.format_alerts(alerts, "json"))

    assert (20.0, "2026-10-12", None) == (records[0]["money"], records[0]["since"], records[0]["assistant"])
    assert records == [json.loads(line) for line in operate.format_alerts(alerts, "webhook").splitlines()]


def test_slack_and_teams_have_their_own_form(alerts) -> None:
    """Slack gets blocks without markup of the data, Teams an adaptive card; an unknown format is refused."""
    record = operate.alert_records(alerts)[1]
    slack, teams = payload(record, "slack"), payload(record, "teams")

    assert "High: over budget, <a> & b" == slack["blocks"][0]["text"]["text"] == slack["text"]
    assert slack["blocks"][1]["text"]["text"].startswith("Mix &lt;b&gt;.\nUSD 20.00")
    card = teams["attachments"][0]["content"]
    assert ("message", "AdaptiveCard", "Mix <b>.") == (teams["type"], card["type"], card["body"][1]["text"])
    with pytest.raises(ParamsError, match="'pigeon' is no format"):
        payload(record, "pigeon")


def test_messages_arrive_signed_with_a_key_and_are_not_sent_again(receiver, send, alerts, tmp_path) -> None:
    """The signature is that of time and body; a second run sends nothing, and the record holds no address."""
    assert ["sent", "sent"] == send(alerts, secret="s3cret")["status"].tolist()
    headers, body = receiver.arrived[0]

    assert "budget/all/2026-10-01/over" == headers["Idempotency-Key"] == json.loads(body)["key"]
    assert (str(NOW), signature(body, NOW, "s3cret")) == (headers["X-FinOps-Timestamp"], headers["X-FinOps-Signature"])
    assert send(alerts).empty
    assert 2 == len(receiver.arrived)
    assert "127.0.0.1" not in (tmp_path / RECORD).read_text()


def test_signature_is_the_one_others_compute() -> None:
    """HMAC-SHA256 of ``1.{}`` under ``key``, as OpenSSL says."""
    assert "sha256=1ba6b8171186efc613e8bcc0cbdab2748f24984d7c5a84faa2637afa0e40d224" == signature(b"{}", 1, "key")


def test_a_failing_receiver_is_asked_again_and_then_kept_for_the_next_run(receiver, send, alerts) -> None:
    """Two failures, then taken; four failures, then unsent; the next run resumes what was left, and only that."""
    receiver.plan = [500, 503, 204, 500, 500, 500, 500]
    rows = send(alerts)

    assert [("sent", 3), ("unsent", 4)] == list(rows[["status", "attempts"]].itertuples(index=False, name=None))
    assert "the receiver answered 500" == rows["error"].iloc[1]
    assert [1, 2, 1, 2, 4] == send.waits
    assert ["unusual/ä/rate/2026-10-14"] == send(alerts.head(0))["key"].tolist()
    assert ["budget/all/2026-10-01/over", "unusual/%C3%A4/rate/2026-10-14"] == list(receiver.taken)


def test_a_receiver_that_hangs_is_left_after_the_timeout(receiver, send, alerts) -> None:
    """No answer within the time is a failure like another, and is tried again."""
    receiver.plan = ["hang", 204]
    rows = send(alerts.head(1), timeout=0.2)

    assert [("sent", 2)] == list(rows[["status", "attempts"]].itertuples(index=False, name=None))
    receiver.plan = ["hang"]
    assert "no answer within 0.2 s" == send(alerts.tail(1), timeout=0.2, attempts=1)["error"].item()


def test_a_lost_answer_means_a_repeat_that_the_receiver_can_drop(receiver, send, alerts) -> None:
    """The message was taken, the answer lost: it comes again under the same key."""
    receiver.plan = ["drop", 204]
    rows = send(alerts.head(1))

    assert ("sent", 2, 2, 1) == (
        rows["status"].item(), rows["attempts"].item(), len(receiver.arrived), len(receiver.taken)
    )  # fmt: skip
    keys = {headers["Idempotency-Key"] for headers, _ in receiver.arrived}
    assert {"budget/all/2026-10-01/over"} == keys


def test_a_run_that_broke_off_is_resumed(receiver, send, alerts) -> None:
    """What was recorded before the first attempt is sent by the next run, though nobody lists it any more."""

    def broken() -> float:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        send(alerts, clock=broken)

    assert [] == receiver.arrived
    assert ["sent", "sent"] == send(alerts.head(0))["status"].tolist()


@pytest.mark.parametrize(("answer", "error"), [(404, "the receiver answered 404"), (302, "the receiver answered 302")])
def test_a_refusal_is_not_repeated(receiver, send, alerts, answer, error) -> None:
    """A wrong address or a redirect stays unsent with its reason; nothing is posted elsewhere."""
    receiver.plan = [answer]
    rows = send(alerts.head(1))

    assert (error, 1, 1) == (rows["error"].item(), rows["attempts"].item(), len(receiver.arrived))


def test_a_busy_receiver_says_when_to_come_back(receiver, send, alerts) -> None:
    """Retry-After stands above the usual wait, up to a minute."""
    receiver.plan = [("Retry-After", "7"), ("Retry-After", "3600"), 204]

    assert ["sent"] == send(alerts.head(1))["status"].tolist()
    assert [7, 60] == send.waits


def test_nobody_there_is_an_error_in_words(tmp_path, alerts) -> None:
    """A closed port: unsent, with the reason; an address that is none is refused before anything is recorded."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
    rows = operate.send_alerts(alerts.head(1), url, tmp_path, clock=lambda: NOW, attempts=1)

    assert "ConnectionRefusedError" in rows["error"].item()
    with pytest.raises(ParamsError, match="no http or https address"):
        operate.send_alerts(alerts, "file:///etc/hosts", tmp_path / "other", clock=lambda: NOW)
    assert not (tmp_path / "other").exists()
