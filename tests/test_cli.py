"""The command line: thin, helpful, one JSON object when asked, and never a traceback for a user's slip."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import typer

from finops_lib import __version__, cli

COMMANDS = [
    ["init"],
    ["doctor"],
    ["ingest"],
    ["run"],
    ["lab"],
    ["close"],
    ["reopen"],
    ["alerts"],
    ["check"],
    ["decide"],
    ["promote"],
    ["export", "focus"],
    ["export", "journal"],
    ["export", "litellm"],
    ["prices", "show"],
    ["prices", "diff"],
    ["prices", "refresh"],
]
ORGANISATION = """
prices:
  - {kind: absolute, provider: house, model: large, prices: {uncached_input: 3, output: 15}}
"""
CALLS = """timestamp,request_id,provider,model,input_tokens,output_tokens,team
2026-09-01T12:00:00Z,r1,house,large,1000,100,cx
2026-09-02T21:00:00Z,r2,house,large,1000,100,
2026-09-02T21:00:00Z,r3,house,large,-1,100,
"""
SUMMARY = {
    *("read", "requests", "tokens", "aggregated", "quarantined", "duplicates", "ambiguous", "unpriced_tokens"),
    *("list_cost", "contracted_cost", "skipped", "reported_cost", "attribution_coverage"),
    *("first_timestamp", "last_timestamp", "quarantine_reasons"),
}


@dataclass
class Done:
    """What a command printed and how it ended."""

    code: int
    out: str
    err: str

    @property
    def told(self) -> str:
        """Everything printed, line breaks of a narrow terminal put together."""
        return " ".join((self.out + self.err).split())


Finops = Callable[..., Done]


@pytest.fixture
def finops(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Finops:
    """Run a command in this process."""

    def run(*words: str | Path) -> Done:
        monkeypatch.setattr(sys, "argv", ["finops", *map(str, words)])
        code = 0
        try:
            cli.main()
        except SystemExit as stop:
            code = int(stop.code or 0)
        printed = capsys.readouterr()
        return Done(code, printed.out, printed.err)

    return run


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write a project with two good calls and a bad one."""
    monkeypatch.delenv("FINOPS_PROJECT", raising=False)
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "project"
    (folder / "parameters").mkdir(parents=True)
    (folder / "parameters" / "organisation.yaml").write_text(ORGANISATION, encoding="utf-8")
    (folder / "calls.csv").write_text(CALLS, encoding="utf-8")
    return folder


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_helps_with_an_example(finops, command):
    """``--help`` ends well and shows how the command is called."""
    done = finops(*command, "--help")

    assert 0 == done.code
    assert "Example:" in done.out
    assert f"finops {' '.join(command)}" in done.told


def test_no_command_is_forgotten_here():
    """The list above is all of them."""
    group = typer.main.get_command(cli.app)
    found = [[name] for name in group.commands if name not in ("prices", "export")]
    found += [[parent, name] for parent in ("export", "prices") for name in group.commands[parent].commands]

    assert sorted(COMMANDS) == sorted(found)


def test_the_version_is_shown(finops):
    """And nothing else."""
    done = finops("--version")

    assert (0, f"{__version__}\n") == (done.code, done.out)


def test_without_a_command_help_is_shown(finops):
    """No traceback, no silence."""
    done = finops()

    assert "Usage: finops" in done.told
    assert "ingest" in done.out


def test_ingest_prints_one_object(finops, project):
    """The summary is all of stdout, and its rows add up."""
    done = finops("ingest", "--format", "mapped", project / "calls.csv", "--project", project, "--json")

    found = json.loads(done.out)
    assert (0, 1, "") == (done.code, len(done.out.splitlines()), done.err)
    assert set(found) >= SUMMARY
    assert (3, 2, 1, 2_200, 0.009) == tuple(
        found[n] for n in ("read", "requests", "quarantined", "tokens", "contracted_cost")
    )
    fates = ("requests", "aggregated", "duplicates", "quarantined", "skipped")
    assert found["read"] == sum(found[name] for name in fates)
    assert {"negative token count": 1} == found["quarantine_reasons"]
    assert (project / "outputs/workspace/ledger/2026-09.parquet").is_file()


def test_reading_again_prints_the_same(finops, project):
    """Twice the same command, twice the same object, one ledger."""
    words = ("ingest", "--format", "mapped", project / "calls.csv", "--project", project, "--json")

    first, second = (json.loads(finops(*words).out) for _ in range(2))
    assert first == second
    assert list(first) == list(second)


def test_ingest_without_json_shows_a_table(finops, project):
    """The same figures for people, with the reasons of what was set aside."""
    done = finops("ingest", project / "calls.csv", "--project", project)

    assert 0 == done.code
    assert "Taken for mapped" in done.told
    assert "contracted cost USD 0.009" in done.told
    assert "1 quarantined: negative token count" in done.told


def test_ingest_works_without_any_project(finops, project, tmp_path):
    """A workspace is enough; it gets the ledger, and no parameters are needed."""
    done = finops("ingest", "--format", "mapped", project / "calls.csv", "--workspace", tmp_path / "ws", "--json")

    assert 0 == done.code
    assert json.loads(done.out)["unpriced_tokens"] == 2_200
    assert (tmp_path / "ws" / "ledger" / "2026-09.parquet").is_file()
    new = finops("ingest", "--format", "mapped", project / "calls.csv", "--project", tmp_path / "new", "--json")
    assert (0, True) == (new.code, (tmp_path / "new/outputs/workspace/ledger").is_dir())


def test_broken_parameters_are_not_passed_over(finops, project, tmp_path, monkeypatch):
    """A project whose parameters cannot be read is an error also where only a workspace is named."""
    (project / "parameters" / "organisation.yaml").write_text("compny: X\n", encoding="utf-8")
    monkeypatch.chdir(project)

    done = finops("ingest", "--format", "mapped", "calls.csv", "--workspace", tmp_path / "ws", "--json")

    assert (2, "") == (done.code, done.out)
    assert "unknown key 'compny'" in done.told


def test_assistant_and_account_of_nameless_calls(finops, project):
    """Given on the command line, they stand in the ledger."""
    finops(
        *("ingest", "--format", "mapped", project / "calls.csv", "--project", project),
        *("--assistant", "bot", "--account", "acc-1"),
    )

    from finops_lib.ingest import open_ledger
    from finops_lib.params import load_params

    costs = open_ledger(load_params(project=project)).costs
    assert ({"bot"}, {"acc-1"}) == (set(costs["assistant"]), set(costs["provider_account"]))


SLIPS = [
    (["ingest", "nothing.jsonl", "--project", "project"], "Nothing to read at"),
    (["ingest", "project/calls.csv", "--format", "lite-llm", "--project", "project"], "Unknown format 'lite-llm'"),
    (["ingest", "project/calls.csv", "--format", "litellm", "--project", "project"], "it looks like 'mapped'"),
    (["ingest", "project/calls.csv", "--table", "outcome", "--project", "project"], "Unknown table 'outcome'"),
    (["ingest", "project/calls.csv", "--mapping", "no.yaml", "--format", "mapped", "--project", "project"], "no.yaml"),
    (["ingest", "project/calls.csv"], "No project found"),
    (["run"], "No project found"),
    (["run", "--project", "nowhere"], "No folder 'parameters'"),
    (["run", "--project", "project", "--assistant", "bot"], "No assistant 'bot'"),
    (["run", "--project", "project", "--period", "soon"], "'soon'"),
    (["run", "--project", "project", "--notebook", "99_nothing"], "99_nothing"),
    (["close", "--period", "2026-09", "--project", "project"], "The ledger holds no 2026-09"),
    (["close", "--period", "2026-09", "--project", "project", "--on", "soon"], "--on: found 'soon'"),
    (["reopen", "--period", "2026-09", "--project", "project"], "2026-09 is not closed"),
    (["prices", "show", "gpt-99-nothing"], "No price for 'gpt-99-nothing'"),
    (["prices", "show", "gpt-4o", "--on", "2026-02-30"], "--on: found '2026-02-30'"),
    (["prices", "diff"], "Nothing to compare with"),
    (["prices", "diff", "nowhere"], "price_list.csv"),
    (["prices", "diff", "--period", "2026-09", "--project", "project"], "The ledger holds no 2026-09"),
    (["prices", "refresh", "--out", "new", "--on", "x"], "--on: found 'x'"),
]


@pytest.mark.parametrize(("words", "message"), SLIPS, ids=[" ".join(words) for words, _ in SLIPS])
def test_slips_are_told_with_a_hint(finops, project, words, message):
    """Exit code 2, the message and a hint on stderr, nothing on stdout that a pipeline could take for a result."""
    done = finops(*words)

    assert 2 == done.code
    assert message in done.told
    assert "Hint: " in done.err
    assert "Traceback" not in done.told
    assert done.err.startswith("Error ")


def test_a_month_that_is_not_there_is_told_before_the_notebooks(finops, project):
    """The months there are, once, instead of a failed page of each notebook."""
    finops("ingest", "project/calls.csv", "--assistant", "bot", "--project", "project")

    done = finops("run", "--project", "project", "--period", "2020-01")

    assert (2, True) == (done.code, "the ledger holds no 2020-01" in done.told)
    assert "2026-09" in done.err
    assert not (project / "outputs" / "runs").exists()


@pytest.mark.parametrize(
    "words", [["nonsense"], ["ingest"], ["close"], ["ingest", "x", "--nonsense"], ["prices", "show"]]
)
def test_wrong_words_are_told_too(finops, words):
    """Usage errors exit with 2 as well."""
    done = finops(*words)

    assert 2 == done.code
    assert "--help" in done.told


def test_square_brackets_in_messages_are_shown(finops, project):
    """A message that looks like markup is printed as it is."""
    (project / "parameters" / "organisation.yaml").write_text("teams: [bold]\n", encoding="utf-8")

    assert "found ['bold']" in finops("close", "--period", "2026-09", "--project", project).told


def test_a_month_is_closed_and_opened_again(finops, project):
    """The record is printed, twice is refused, and the reopened month is built anew."""
    finops("ingest", "--format", "mapped", project / "calls.csv", "--project", project)

    closed = finops("close", "--period", "2026-09", "--on", "2026-10-05", "--project", project, "--json")

    record = json.loads(closed.out)
    assert ("2026-09", "2026-10-05", "0.009000000000000", 2_200) == tuple(
        record[name] for name in ("period", "closed_on", "contracted_cost", "tokens")
    )
    assert 2 == finops("close", "--period", "2026-09", "--project", project).code
    opened = finops("reopen", "--period", "2026-09", "--project", project, "--json")
    assert {"period": "2026-09", "open": True} == json.loads(opened.out)
    again = finops("close", "--period", "2026-09", "--project", project)
    assert "2026-09 closed with prices" in again.told
    assert "USD 0.01" in again.told


def test_a_month_with_bills_is_closed_with_what_they_said(finops, project):
    """Three calls of 0.0045 against an invoice of 0.0135, which is met, and one of 0.0200, which is not."""
    last = "2026-09-30T22:00:00Z,r4,house,large,1000,100,cx\n"
    (project / "calls.csv").write_text(CALLS + last, encoding="utf-8")
    finops("ingest", "--format", "mapped", project / "calls.csv", "--project", project)
    told = []
    for cost in ("0.0135", "0.02"):
        bill = {"invoice_issuer_name": "House", "provider": "house", "model": "large", "billing_account_id": "a"}
        bill |= {"charge_period_start": "2026-09-01", "charge_period_end": "2026-10-01", "billed_cost": cost}
        bill["billing_currency"] = "USD"
        (project / "bill.csv").write_text(f"{','.join(bill)}\n{','.join(bill.values())}\n", encoding="utf-8")
        finops("ingest", "--format", "mapped", "--table", "charges", project / "bill.csv", "--project", project)
        told.append(json.loads(finops("close", "--period", "2026-09", "--project", project, "--json").out))
        finops("reopen", "--period", "2026-09", "--project", project)

    assert [(True, 0.0135), (False, 0.02)] == [(one["reconciled"], float(one["invoice"])) for one in told]


def test_a_month_without_prices_is_closed_without_a_cost(finops, project):
    """Nothing known is said to be nothing known, not a traceback."""
    (project / "parameters" / "organisation.yaml").write_text("company: X\n", encoding="utf-8")
    finops("ingest", "--format", "mapped", project / "calls.csv", "--project", project)

    done = finops("close", "--period", "2026-09", "--project", project)

    assert (0, True) == (done.code, "2026-09 closed with prices" in done.told)


def test_prices_are_shown(finops):
    """As a table, and as one object with every decimal as it stands."""
    shown = finops("prices", "show", "gpt-4o", "--on", "2026-09-01", "--json")

    rows = json.loads(shown.out)["rows"]
    standard = next(row for row in rows if row["provider"] == "openai" and row["service_tier"] == "standard")
    assert ("2.5", "1.25", "10") == tuple(standard[name] for name in ("uncached_input", "cache_read", "output"))
    _, *lines = finops("prices", "show", "gpt-4o", "--on", "2026-09-01").out.splitlines()
    assert {"provider", "model", "uncached", "output"} <= set(lines[0].split())
    assert any({"openai", "gpt-4o", "standard", "2.5", "1.25", "10"} <= set(line.split()) for line in lines[1:])
    assert "…" not in "".join(lines)


def test_prices_are_renewed_and_compared(finops, tmp_path):
    """A list made now from the same package differs nowhere from the packaged one."""
    made = finops("prices", "refresh", "--out", tmp_path / "new", "--on", "2026-11-01", "--json")

    assert 0 == json.loads(made.out)["prices_differing"]
    assert "nothing differs" in finops("prices", "diff", tmp_path / "new").out
    assert {"rows": []} == json.loads(finops("prices", "diff", tmp_path / "new", "--json").out)


def test_repricing_is_printed_by_model(finops, project):
    """Nothing changes under the same list."""
    finops("ingest", "--format", "mapped", project / "calls.csv", "--project", project)

    found = json.loads(finops("prices", "diff", "--period", "2026-09", "--project", project, "--json").out)

    assert [("large", 0)] == [(row["model"], float(row["change"])) for row in found["rows"]]


def test_run_prints_one_object(finops, project, monkeypatch):
    """The batch's summary, with nothing beside it; for people the page to open; nothing when quiet."""
    from finops_lib import batch
    from finops_lib.batch.outcome import BatchResult

    monkeypatch.setattr(batch, "run_batch", lambda *_args, **_kwargs: BatchResult((), project / "site"))

    done = finops("run", "--project", project, "--json")

    assert (0, 1) == (done.code, len(done.out.splitlines()))
    assert (0, [], str(project / "site")) == tuple(json.loads(done.out)[n] for n in ("planned", "failed", "site"))
    assert "index.html" in finops("run", "--project", project).told
    assert "" == finops("run", "--project", project, "--quiet").out


def test_a_run_is_written_where_and_given_the_time_that_is_asked_for(finops, project, monkeypatch):
    """Both are what the hints of a failed run advise."""
    from finops_lib import batch
    from finops_lib.batch.outcome import BatchResult

    asked = {}
    monkeypatch.setattr(batch, "run_batch", lambda *_args, **given: asked.update(given) or BatchResult((), project))

    finops("run", "--project", project, "--out", project / "elsewhere", "--timeout", "30")

    assert (project / "elsewhere", 30.0) == (asked["out"], asked["timeout"])


def test_failed_notebooks_end_with_an_error(finops, project, monkeypatch):
    """After the summary, with exit code 1: it ran and failed, where 2 means that it could not begin."""
    from finops_lib import batch
    from finops_lib.batch.outcome import FAILED, BatchResult, Outcome
    from finops_lib.batch.plan import Run

    outcome = Outcome(Run("bot", "01_ledger", Path("01_ledger.ipynb")), FAILED, "2026-09", 1.0)
    monkeypatch.setattr(batch, "run_batch", lambda *_args, **_kwargs: BatchResult((outcome,), project / "site"))

    done = finops("run", "--project", project, "--json")

    assert (1, 1) == (done.code, len(json.loads(done.out)["failed"]))
    assert "1 of 1 notebooks failed" in done.told


def test_lab_opens_jupyterlab_on_the_notebooks(finops, project, monkeypatch):
    """With the project handed on; its exit code is the command's."""
    started = []
    monkeypatch.setattr(subprocess, "call", lambda words, env: started.append((words, env["FINOPS_PROJECT"])) or 3)

    done = finops("lab", "--project", project)

    assert 3 == done.code
    ((words, handed_on),) = started
    assert [sys.executable, "-m", "jupyterlab"] == words[:3]
    assert str(project) == handed_on
    assert list(Path(words[3]).glob("*.ipynb"))


def test_the_module_is_a_command_too(project):
    """``python -m finops_lib.cli`` in a process of its own: exit code 2, no traceback."""
    done = subprocess.run(
        [sys.executable, "-m", "finops_lib.cli", "close", "--period", "2026-09", "--project", str(project)],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(cli.__file__).parents[1],
    )

    assert (2, "") == (done.returncode, done.stdout)
    assert "Error The ledger holds no 2026-09\nHint: it holds nothing yet\n" == done.stderr
