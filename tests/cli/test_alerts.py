"""``finops alerts``: lists or sends, says what is still unsent, and refuses slips with a hint."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import typer.testing

from finops_lib import cli, ingest, load_params
from finops_lib.errors import FinOpsError, ParamsError

ORGANISATION = """
sources:
  - {path: calls.csv, format: mapped, mapping: parameters/calls.yaml}
prices:
  - {kind: absolute, provider: house, model: large, prices: {uncached_input: 3, output: 15}}
budgets: [{name: everything, amount: 10, owners: {business: cfo, technical: cto}}]
alerts:
  default_technical: platform
  attempts: 1
  targets: {finance: {url_variable: TOLD_AT, format: slack, cadence: monthly}}
"""
CALLS = """timestamp,request_id,provider,model,input_tokens,output_tokens,assistant
2026-09-01T12:00:00Z,r1,house,large,1000000,0,helper
2026-09-02T21:00:00Z,r2,house,large,3000000,0,helper
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Spend 12 USD of 10 on two days, by an assistant whose budget owner nobody named."""
    tmp_path = tmp_path_factory.mktemp("project")
    (tmp_path / "parameters").mkdir()
    (tmp_path / "parameters" / "organisation.yaml").write_text(ORGANISATION)
    owners = "assistant: helper\nsettings: {owners: {technical: help-lead}}\n"
    (tmp_path / "parameters" / "helper.yaml").write_text(owners)
    names = CALLS.splitlines()[0].split(",")
    mapping = ", ".join(f"{name}: {name}" for name in names)
    (tmp_path / "parameters" / "calls.yaml").write_text(f"columns: {{{mapping}}}\n")
    (tmp_path / "calls.csv").write_text(CALLS)
    ingest.build_ledger(load_params(project=tmp_path))
    return tmp_path


@pytest.fixture
def server() -> Iterator[tuple[str, list[int], list[dict[str, object]]]]:
    """Run a receiver: its address, the answers it will give (then 200), and what it was sent."""
    answers: list[int] = []
    arrived: list[dict[str, object]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            arrived.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(answers.pop(0) if answers else 200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield f"http://127.0.0.1:{running.server_port}", answers, arrived
    running.shutdown()
    running.server_close()


def finops(project: Path, *arguments: str, code: int = 0) -> str:
    """Run the command and return what it says."""
    result = typer.testing.CliRunner().invoke(cli.app, ["alerts", "--project", str(project), *arguments])
    if isinstance(result.exception, FinOpsError):
        raise result.exception
    assert code == result.exit_code, result.output
    return result.output


def test_alerts_are_listed_as_text_and_as_one_json_object(project: Path) -> None:
    """12 of 10 is the stop; the missing owner goes to a default that is missing itself."""
    text, told = finops(project), json.loads(finops(project, "--json").splitlines()[-1])

    assert "Critical: stop reached, everything\n  Everything: 120% of USD 10.00 spent" in text
    assert ["stop reached", "missing owner"] == [alert["kind"] for alert in told["alerts"]]
    assert "no budget owner: and the organisation names no default" == told["alerts"][1]["owner_note"]
    assert told["alerts"] == json.loads(finops(project, "--format", "json"))


def test_alerts_judge_on_todays_prices(project: Path) -> None:
    """Half the price since the last reading: 6 USD of 10 are no budget used up any more."""
    path = project / "parameters" / "organisation.yaml"
    path.write_text(ORGANISATION.replace("uncached_input: 3", "uncached_input: 1.5"))
    finops(project)
    halved = ingest.open_ledger(load_params(project=project)).costs["contracted_cost"].sum()
    path.write_text(ORGANISATION)
    finops(project)

    assert (6, 12) == (halved, ingest.open_ledger(load_params(project=project)).costs["contracted_cost"].sum())


def test_since_cadence_and_assistant_choose(project: Path) -> None:
    """The stop is everybody's and monthly; the missing owner is the helper's and weekly."""
    kinds = [
        [alert["kind"] for alert in json.loads(finops(project, "--json", *chosen))["alerts"]]
        for chosen in (["--assistant", "helper"], ["--cadence", "monthly"], ["--since", "2026-09-03"])
    ]

    assert [["missing owner"], ["stop reached"], []] == kinds


def test_sent_once_and_the_unsent_next_time(project: Path, server) -> None:
    """The second message fails: exit 1; the next run sends it alone, and then there is nothing to send."""
    url, answers, arrived = server
    answers += [200, 500]
    told = [json.loads(finops(project, "--send", url, "--json", code=code).splitlines()[-1]) for code in (1, 0, 0)]

    assert [(1, ["owner/helper/budget"]), (1, []), (0, [])] == [(one["sent"], one["unsent"]) for one in told]
    assert ["stop reached", "missing owner", "missing owner"] == [body["kind"] for body in arrived]


def test_an_audience_has_its_address_format_and_cadence(project, server, monkeypatch) -> None:
    """Finance gets the monthly digest in Slack's form, at the address of the environment."""
    monkeypatch.setenv("TOLD_AT", server[0])
    monkeypatch.setenv("FINOPS_ALERT_SECRET", "s3cret")
    said = finops(project, "--send", "finance")

    assert "1 alerts, 1 sent now, 0 unsent" in said
    assert ["Critical: stop reached, everything"] == [body["text"] for body in server[2]]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--since", "yesterday"], "--since: found 'yesterday', expected a day"),
        (["--cadence", "hourly"], "expected daily, weekly or monthly"),
        (["--format", "pigeon"], "'pigeon' is no format of alerts"),
        (["--assistant", "helpr"], "No file parameters/helpr.yaml"),
        (["--send", "finance"], "the environment variable TOLD_AT holds no address"),
        (["--send", "finanz"], "'finanz' is no address and no audience"),
    ],
)
def test_slips_are_refused_in_words(project: Path, arguments: list[str], words: str) -> None:
    """Nothing is sent, and the message names what was found."""
    with pytest.raises(ParamsError, match=words):
        finops(project, *arguments)
