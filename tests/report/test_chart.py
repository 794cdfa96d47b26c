"""Figures carry their statement, for those who see them and those who do not."""

from __future__ import annotations

import base64

import nbformat
import pytest
from IPython.core.formatters import DisplayFormatter
from matplotlib.figure import Figure
from nbclient import NotebookClient

from finops_lib import report
from finops_lib.report.chart import describe, new_chart, png, words_only


def test_alternative_text_goes_with_the_picture():
    """The picture's metadata holds what the figure says, and the plain text too."""
    figure, _ = new_chart("Cost doubled")
    data, metadata = describe(figure, "Two bars: 1 and 2.")._repr_mimebundle_()

    assert "Cost doubled. Two bars: 1 and 2." == metadata["image/png"]["alt"]
    assert "Figure: Cost doubled. Two bars: 1 and 2." == data["text/plain"]
    assert base64.b64decode(data["image/png"]).startswith(b"\x89PNG")


def test_other_figures_have_their_titles():
    """A figure of the analyst's own is described by its titles at least."""
    figure = Figure()
    figure.suptitle("Mine")

    assert "Mine" == report.alt_text(figure)
    assert "Figure without a title" == report.alt_text(Figure())


def test_equal_figures_are_equal_bytes():
    """The same chart drawn twice is the same file."""
    first, second = (png(words_only("Nothing", "There is nothing.")) for _ in range(2))

    assert first == second


def test_long_titles_are_broken_between_words(inside):
    """A long sentence takes several lines of like length, and an amount stays together."""
    figure, _ = new_chart("word " * 40 + "USD 12.00", height=2)
    lines = figure.get_suptitle().split("\n")

    assert len(lines) > 2
    assert lines[-1].endswith("USD 12.00")
    assert max(map(len, lines)) < 1.7 * min(map(len, lines))
    assert [] == inside(figure)


def test_names_from_the_data_are_no_formulas():
    """Dollar signs and backslashes in names are drawn as they are."""
    figure, (axes,) = new_chart(r"$\frac{a$ costs $1$")
    axes.set_xlabel(r"a$b_{$")

    assert png(figure)


NOTEBOOK = """
import pandas as pd
from decimal import Decimal
from finops_lib import report
report.use_style()
spend = pd.DataFrame({"model": ["a", "b"], "contracted_cost": [Decimal(3), Decimal(1)], "share": [0.75, 0.25],
                      "tokens": [3, 1], "unpriced_tokens": [0, 0]})
report.plot_spend(spend)
---
report.Table(spend, "Spend")
---
report.explore(spend.head, report.plot_spend, {"n": [2, 1]})
---
import matplotlib.pyplot as plt
plt.plot([1, 2]);
"""


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    """Run a notebook as papermill and nbconvert do, with no environment of the batch."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in NOTEBOOK.split("---\n")])
    patch = pytest.MonkeyPatch()
    patch.delenv("FINOPS_HEADLESS", raising=False)
    patch.setenv("PYTHONPATH", str(report.__path__[0]).removesuffix("/finops_lib/report"))
    with patch.context():
        client = NotebookClient(notebook, timeout=120, resources={"metadata": {"path": tmp_path_factory.mktemp("run")}})
        client.execute()
    patch.undo()
    return notebook


def test_a_figure_as_last_expression_is_shown_once_with_its_text(executed):
    """No call to show is needed, and no plotting backend shows the figure a second time."""
    (output,) = executed.cells[0].outputs

    assert output.metadata["image/png"]["alt"].startswith("a is 75% of the cost.")
    assert 900 == output.metadata["image/png"]["width"]


def test_a_table_has_html_and_text(executed):
    """The stored table is readable without HTML."""
    (output,) = executed.cells[1].outputs

    assert "<caption>Spend</caption>" in output.data["text/html"]
    assert output.data["text/plain"].startswith("Spend\nModel")


def test_without_a_reader_no_widget_is_left(executed):
    """Bare papermill gets a picture and a table of positions, and no dead widget."""
    kinds = [sorted(output.get("data", {})) for output in executed.cells[2].outputs]

    assert [["image/png", "text/plain"], ["text/html", "text/plain"]] == kinds
    assert "widgets" not in executed.metadata


def test_own_figures_still_work(executed):
    """A plain pyplot figure of the analyst is shown as ever."""
    assert ["image/png"] == [kind for output in executed.cells[3].outputs for kind in output.data if "png" in kind]


def test_formatter_uses_the_same_bundle():
    """Other front ends that ask for a bundle get the alternative text too."""
    figure = words_only("Nothing", "There is nothing.")
    figure._ipython_display_ = None
    _, metadata = DisplayFormatter().format(figure)

    assert "Nothing. There is nothing." == metadata["image/png"]["alt"]
