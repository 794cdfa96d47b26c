"""A batch publishes what finished, says what failed, and never takes one for the other."""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

import psutil
import pytest

from finops_lib.batch import BatchResult, RunEvent, progress_line, publication, run_batch
from finops_lib.errors import BatchError, ParamsError

ROOT = Path(__file__).parents[2]
PICTURE = """
from IPython.display import Image
png = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010804000000b51c0c020000000b4944415478da63fcff1f0003030200efbf1c6d00000000"
    "49454e44ae426082")
display(Image(png), metadata={"image/png": {"alt": "Costs rose"}})
"""
SCRIPT = "import sys; from finops_lib.batch import run_batch; run_batch(sys.argv[1], jobs=1)"


@dataclass
class Batch:
    """A project and what its last batch did."""

    project: Path
    result: BatchResult
    events: list[RunEvent] = field(default_factory=list)

    @property
    def site(self) -> Path:
        """Folder of the site."""
        return self.result.site

    def failure(self, notebook: str) -> dict:
        """Read what is recorded about a failed run of alpha."""
        path = self.project / "outputs" / "runs" / "alpha" / "2026-09" / f"{notebook}.failure.json"
        return json.loads(path.read_text())["failure"]

    def page(self, path: str) -> str:
        """Read a page of the site."""
        return (self.site / path).read_text()


def kernels() -> list[psutil.Process]:
    """List kernels that run somewhere below this process, or were left behind by a batch."""
    found = []
    for process in psutil.process_iter(["cmdline", "status"]):
        words = " ".join(process.info["cmdline"] or ())
        if "ipykernel_launcher" in words and "pytest-" in process.environ().get("FINOPS_OUTPUT", ""):
            found.append(process)
    return found


def wait_for(condition: Callable[[], bool], seconds: float = 30, every: float = 0.1) -> bool:
    """Wait until something holds."""
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(every)
    return condition()


def digests(folder: Path) -> dict[str, str]:
    """Hash all files of a folder."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def faulty(make_project: Callable[..., Path], write_notebook: Callable, write_report: Callable) -> Batch:
    """One batch of a good notebook among every kind of bad one."""
    project = make_project("alpha")
    folder = project / "notebooks"
    write_report(folder, "01_good", PICTURE)
    write_report(folder, "02_raises", "## Prices", "x = 1", "raise ValueError('no price\\nHint: add one')")
    write_report(folder, "03_leaves_process", "import os; os._exit(0)")
    write_report(folder, "04_is_killed", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    write_report(folder, "05_never_ends", "while True: pass")
    stubborn = "while True:\n    try:\n        while True: pass\n    except BaseException:\n        pass"
    write_notebook(folder, "06_will_not_stop", stubborn)
    write_report(folder, "07_leaves_politely", "import sys; sys.exit(0)")
    write_notebook(folder, "08_writes_nothing", "1 + 1")
    write_report(folder, "09_wrong_assistant", "assistant = 'beta'")
    write_report(
        folder, "10_needs_network", "from IPython.display import HTML; HTML('<img src=https://example.org/a.png>')"
    )
    events: list[RunEvent] = []
    return Batch(project, run_batch(project, assistants=["alpha"], timeout=4, progress=events.append), events)


def test_one_bad_notebook_stops_no_other(faulty: Batch) -> None:
    """All ten runs end, the good one has its report, and the others are told."""
    states = {outcome.run.notebook[:2]: outcome.state for outcome in faulty.result.outcomes}

    assert {"01": "ok"} | {f"{number:02d}": "FAILED" for number in range(2, 11)} == states
    assert 9 == len(faulty.result.summary()["failed"])
    assert 1 == faulty.result.summary()["ok"]
    assert list(range(1, 11)) == [event.number for event in faulty.events]
    assert [] == kernels()


@pytest.mark.parametrize(
    ("notebook", "cell", "error", "hint"),
    [
        ("02_raises", 4, "ValueError: no price", "add one"),
        ("03_leaves_process", 3, "The Python process died", "memory"),
        ("04_is_killed", 3, "The Python process died", "memory"),
        ("05_never_ends", 3, "longer than 4 s", "more time"),
        ("06_will_not_stop", 3, "longer than 4 s", "more time"),
        ("07_leaves_politely", 3, "sys.exit", "raise an error"),
        ("08_writes_nothing", None, "without writing its results (08_writes_nothing.json)", "last cell"),
        ("09_wrong_assistant", None, "another assistant: found 'beta', expected 'alpha'", "load_params"),
        ("10_needs_network", None, "would load https://example.org/a.png", "instead of a link"),
    ],
)
def test_failure_is_told_in_words(faulty: Batch, notebook: str, cell: int | None, error: str, hint: str) -> None:
    """The record and the page of a failed run say which cell, what and what to do; the notebook is kept."""
    failure = faulty.failure(notebook)
    page = faulty.page(f"pages/alpha/2026-09/{notebook}.failed.html")

    assert (cell, True, True) == (failure["cell"], error in failure["error"], hint in failure["hint"])
    assert "This report could not be computed" in page
    assert (f"Code cell {cell}," in page or f"Code cell {cell} failed" in page) == (cell is not None)
    assert (faulty.site / f"notebooks/alpha/2026-09/{notebook}.failed.ipynb").is_file()
    assert not (faulty.site / f"pages/alpha/2026-09/{notebook}.html").exists()
    assert not list((faulty.project / "outputs" / "runs").rglob(f"{notebook}.receipt.json"))


def test_failed_page_names_the_place(faulty: Batch) -> None:
    """The heading, the cell's code and the traceback help to find the place; no private path is shown."""
    page = faulty.page("pages/alpha/2026-09/02_raises.failed.html")

    assert "under the heading “Prices”" in page
    assert "raise ValueError" in page
    assert "Traceback" in page
    assert "FAILED" in faulty.page("index.html")


@pytest.fixture(scope="module")
def batch(make_project: Callable[..., Path], write_report: Callable, write_notebook: Callable) -> Iterator[Batch]:
    """Run all for two assistants, with a kernel registered under our name that does not work."""
    project = make_project("alpha", "beta")
    warn = "import sys; print('warned', file=sys.stderr)"
    write_report(project / "notebooks", "01_first", warn, title="# First look")
    write_report(project / "notebooks", "02_second", "## Picture", PICTURE, "import os\nos.environ['FINOPS_PROJECT']")
    decoy = project / "jupyter" / "kernels" / "python3"
    decoy.mkdir(parents=True)
    spec = {"argv": ["/bin/false", "{connection_file}"], "display_name": "decoy", "language": "python"}
    (decoy / "kernel.json").write_text(json.dumps(spec))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_PATH", str(project / "jupyter"))
        patch.setenv("MPLBACKEND", "agg")
        yield Batch(project, run_batch(project))


def test_all_runs_have_a_report(batch: Batch) -> None:
    """Organisation and assistants have each notebook's page, notebook, results and tables, under the real month."""
    assert ([], 6) == (batch.result.failed, len(batch.result.outcomes))
    assert {"2026-09"} == {outcome.period for outcome in batch.result.outcomes}
    for subject in ("organisation", "alpha", "beta"):
        for name in ("01_first", "02_second"):
            for path in (f"pages/{{}}/{name}.html", f"notebooks/{{}}/{name}.ipynb", f"data/{{}}/{name}.models.csv"):
                assert (batch.site / path.format(f"{subject}/2026-09")).is_file()
    assert not list((batch.project / "outputs" / "runs").glob(".part-*"))


def test_kernel_is_this_python(batch: Batch) -> None:
    """Notebooks run in the interpreter of the batch, not in whatever is registered as python3."""
    sidecar = json.loads((batch.site / "data/alpha/2026-09/01_first.json").read_text())

    assert (sys.executable, "alpha") == (sidecar["python"], sidecar["assistant"])


class Page(HTMLParser):
    """Collects what a test asks of a page and checks that its elements nest."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Remember an element."""
        self.tags.append((tag, dict(attrs)))
        if tag not in {"meta", "link", "img", "br", "hr", "input", "col"}:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Remember an element that holds nothing."""
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        """Check that the element closed is the one opened last."""
        assert tag == self.open.pop()

    def all(self, tag: str, attribute: str) -> list[str | None]:
        """List an attribute of all elements of a kind."""
        return [attributes.get(attribute) for name, attributes in self.tags if name == tag]


def test_pages_stand_alone(batch: Batch, faulty: Batch) -> None:
    """Pages nest, load nothing from elsewhere, describe their pictures, and every link leads to a file."""
    pages = [path for site in (batch.site, faulty.site) for path in site.rglob("*.html")]
    assert len(pages) > 15
    for path in pages:
        html = path.read_text()
        page = Page(html)
        names = [tag for tag, _ in page.tags]
        assert [] == page.open
        assert (1, 1, ["en"]) == (names.count("h1"), names.count("main"), page.all("html", "lang"))
        assert [] == re.findall(r"(?:src|href)\s*=\s*[\"']?(?:https?:)?//|url\(\s*[\"']?http|@import", html)
        assert "script" not in names
        assert all(page.all("img", "alt"))
        assert "#content" == page.all("a", "href")[0]
        for link in page.all("a", "href")[1:] + page.all("link", "href"):
            assert link.startswith("data:") or (path.parent / link.replace("%2B", "+")).is_file(), (path, link)


def test_page_holds_report_and_its_origin(batch: Batch) -> None:
    """A page names assistant, month, siblings, parameters, inputs and versions; code and warnings stay out."""
    page = batch.page("pages/alpha/2026-09/01_first.html")

    expected = ["Sample Company", "The alpha", "September 2026", "First look", "A report", "48 rows", "papermill 2"]
    expected += ["outputs/workspace/ledger.parquet", "01_first.models.csv", "1 message left out", "period latest"]
    assert [] == [text for text in expected if text not in page]
    assert "warned" not in page
    assert "FINOPS_OUTPUT" not in page
    assert len(page) < 10_000
    assert 'alt="Costs rose"' in batch.page("pages/alpha/2026-09/02_second.html")


def test_no_private_paths(batch: Batch, faulty: Batch) -> None:
    """No file of a site names the folder it was made in, even where a notebook shows it."""
    for one in (batch, faulty):
        for path in one.site.rglob("*"):
            if path.is_file() and one is batch and path.parts[-4:-2] == ("data", "alpha"):
                continue
            assert not path.is_file() or str(one.project).encode() not in path.read_bytes(), path


def test_equal_inputs_equal_bytes(batch: Batch) -> None:
    """Running everything again gives the same site, byte for byte."""
    before = digests(batch.site)
    result = run_batch(batch.project, assistants=["alpha"], notebooks=["02"], force=True)

    assert ["ok"] == [outcome.state for outcome in result.outcomes]
    assert before == digests(batch.site)
    assert "T" not in re.findall(r"\d{4}-\d\d-\d\d(T?)\d\d:", batch.page("manifest.json"))


def test_nothing_to_do_is_quick(batch: Batch) -> None:
    """A batch without changes runs nothing and does not even load papermill."""
    code = (
        "import sys; from finops_lib.batch import run_batch; r = run_batch(sys.argv[1]);"
        "print({o.state for o in r.outcomes}, {'papermill', 'nbconvert', 'joblib', 'nbformat'} & {*sys.modules})"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(batch.project)], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert "{'up to date'} set()" == done.stdout.strip()


def test_damaged_output_is_made_again(batch: Batch) -> None:
    """A report whose files are not as they were written is run again, alone."""
    target = batch.project / "outputs" / "runs" / "beta" / "2026-09" / "01_first.models.csv"
    before = target.read_bytes()
    target.write_text("changed")
    states = [outcome.state for outcome in run_batch(batch.project).outcomes]

    assert ["up to date"] * 4 + ["ok"] + ["up to date"] == states
    assert before == target.read_bytes()


def test_disk_full_keeps_the_older_report(batch: Batch, monkeypatch: pytest.MonkeyPatch) -> None:
    """When a report cannot be written the run has failed, the older report stays, and both are shown as such."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    before = batch.page("pages/alpha/2026-09/01_first.html")
    with monkeypatch.context() as patch:
        patch.setattr(publication, "_replace", full)
        result = run_batch(batch.project, assistants=["alpha"], notebooks=["01"], force=True)
    page = batch.page("pages/alpha/2026-09/01_first.html")

    assert "No space left on device" in result.failed[0].failure.error
    assert "From an earlier run." in page
    assert before.split("<article>")[1].split("</article>")[0] in page
    assert "an earlier run succeeded" in batch.page("pages/alpha/2026-09/01_first.failed.html").lower()
    run_batch(batch.project, assistants=["alpha"], notebooks=["01"])
    assert before == batch.page("pages/alpha/2026-09/01_first.html")
    assert not (batch.site / "pages/alpha/2026-09/01_first.failed.html").exists()


def test_disk_full_while_running(batch: Batch, monkeypatch: pytest.MonkeyPatch) -> None:
    """When papermill cannot save the run has failed, whatever it left on disk."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("papermill.engines.write_ipynb", full)
    result = run_batch(batch.project, assistants=["alpha"], notebooks=["01"], force=True)

    expected = ["A file could not be written: [Errno 28] No space left on device"]
    assert expected == [one.failure.error for one in result.failed]
    monkeypatch.undo()
    assert [] == run_batch(batch.project).failed


def test_site_that_cannot_be_written(batch: Batch, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the site cannot be written the former one stays whole."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    before = digests(batch.site)
    monkeypatch.setattr("shutil.copyfile", full)
    with pytest.raises(BatchError, match="could not be written"):
        run_batch(batch.project)

    assert before == digests(batch.site)


def test_output_folder_that_cannot_be(batch: Batch, tmp_path: Path) -> None:
    """A folder that cannot be made is told at once, before anything runs."""
    (tmp_path / "file").write_text("")

    with pytest.raises(BatchError, match="Nothing can be written to"):
        run_batch(batch.project, out=tmp_path / "file" / "outputs")


def test_foreign_folder_is_not_replaced(batch: Batch, tmp_path: Path, write_report: Callable) -> None:
    """A folder named site that holds something else is never swapped away."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "index.html").write_text("mine")

    with pytest.raises(BatchError, match="not a report site"):
        run_batch(batch.project, assistants=["alpha"], notebooks=["01"], out=tmp_path)
    assert "mine" == (tmp_path / "site" / "index.html").read_text()


def test_second_batch_is_refused(batch: Batch) -> None:
    """While a batch is at work another one for the same folder is refused, and works afterwards."""
    refused = []

    def second(_: object) -> None:
        with pytest.raises(BatchError, match="Another batch is writing to") as caught:
            run_batch(batch.project)
        refused.append(caught.value.hint)

    run_batch(batch.project, prepare=second)
    assert ["wait until it has ended, or write elsewhere with --out DIR"] == refused


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_killed_batch_goes_on_where_it_was(
    make_project: Callable[..., Path], write_report: Callable, how: signal.Signals
) -> None:
    """A batch that is killed leaves whole reports, no kernels and no lock; the next one does the rest."""
    project = make_project("alpha")
    write_report(project / "notebooks", "01_quick", metadata={"finops": {"scope": ["assistant"]}})
    slow = write_report(
        project / "notebooks", "02_slow", "import time; time.sleep(60)", metadata={"finops": {"scope": ["assistant"]}}
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    # Where the tests themselves run in the background, interrupts are ignored, and children inherit that.
    batch = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(project)],
        env=environment,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    runs = project / "outputs" / "runs"
    try:
        assert wait_for(lambda: bool(list(runs.rglob("01_quick.receipt.json"))) and bool(kernels()))
        # Between two notebooks an interrupt may meet nothing to interrupt; then one presses the keys again.
        assert wait_for(lambda: batch.poll() is not None or batch.send_signal(how), 60, every=5)
        assert 0 != batch.returncode
    finally:
        batch.kill()
        batch.stderr.close()
    assert wait_for(lambda: not kernels())
    assert not list(runs.rglob("02_slow.receipt.json"))
    slow.write_text(slow.read_text().replace("sleep(60)", "sleep(0)"))

    assert ["up to date", "ok"] == [outcome.state for outcome in run_batch(project).outcomes]
    assert not list(runs.glob(".part-*"))


def test_wrong_parameters_stop_before_running(make_project: Callable[..., Path], write_report: Callable) -> None:
    """A notebook that does not take the three names, or a wrong month, is refused before any kernel starts."""
    project = make_project("alpha")
    path = write_report(project / "notebooks", "01_typo")
    path.write_text(path.read_text().replace("settings = {}", "setings = {}"))

    with pytest.raises(BatchError, match="does not set 'settings'"):
        run_batch(project)
    with pytest.raises(ParamsError, match="period"):
        run_batch(project, period="2026-13")


def test_progress_line_of_a_failure(faulty: Batch) -> None:
    """A plain progress line ends with the first line of the reason."""
    event = next(event for event in faulty.events if event.run.notebook == "02_raises")

    assert re.fullmatch(r"\[\d+/10\] alpha 02_raises FAILED \d+\.\d s: ValueError: no price", progress_line(event))
