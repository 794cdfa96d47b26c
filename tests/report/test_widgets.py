"""Controls for readers, positions for pages."""

from __future__ import annotations

import ipywidgets
import pytest
from IPython.utils.capture import capture_output

from finops_lib import inform, report
from finops_lib.errors import FinOpsError
from finops_lib.report import widgets

CONTROLS = {"group_by": ["model", "team"], "period": {"All months": "all", "August": "2026-08"}}


def alt(explored):
    """Return what the figure on show says."""
    return explored._output.outputs[0]["metadata"]["image/png"]["alt"]


def test_moving_a_control_redraws(costs):
    """The figure follows the drop-down, and carries its alternative text."""
    live = report.explore(inform.spend_in_scope, report.plot_spend, CONTROLS, frames=(costs,), headless=False)
    before = alt(live)
    live.widgets["group_by"].value = "team"

    assert before.startswith("large is 89% of the cost.")
    assert alt(live).startswith("brand is 33% of the cost.")
    assert isinstance(live.widgets["period"], ipywidgets.Dropdown)


def test_several_drawings_follow_together(costs):
    """A figure and a table are redrawn by one control."""
    live = report.explore(
        inform.spend_in_scope, [report.plot_spend, as_table], CONTROLS, frames=(costs,), headless=False
    )
    live.widgets["period"].value = "2026-08"

    assert ["image/png", "text/html"] == [next(iter(out["data"])) for out in live._output.outputs]
    assert 2 == len(live.shown)


def as_table(spend):
    """Draw a table."""
    return report.Table(spend, "Spend")


def test_each_kind_of_choices_has_its_control(costs):
    """List, tuple, range, set and truth value get the control that fits."""
    live = report.explore(
        lambda costs, flag, **scope: inform.spend_in_scope(costs, **scope),
        report.plot_spend,
        {
            "group_by": ["model"],
            "period": ("2026-07", "2026-08"),
            "top": range(1, 4),
            "team": {"brand", "legal"},
            "flag": True,
        },
        frames=(costs,),
        headless=False,
    )

    assert ["Dropdown", "SelectionSlider", "IntSlider", "SelectMultiple", "Checkbox"] == [
        type(widget).__name__ for widget in live.widgets.values()
    ]
    assert ("brand", "legal") == live.widgets["team"].value
    before = live._output.outputs
    live.widgets["team"].value = ("legal",)
    live.widgets["top"].value = 3
    assert before != live._output.outputs


def test_headless_shows_positions_and_makes_no_widget(costs, monkeypatch):
    """Each control is moved alone; the table says what the figure would then say."""
    monkeypatch.setattr(widgets, "_widget", None)
    still = report.explore(inform.spend_in_scope, report.plot_spend, CONTROLS, frames=(costs,), headless=True)

    assert [
        ["Group by", "team", "9.59", "brand is 33% of the cost"],
        ["Period", "August", "4.52", "large is 89% of the cost"],
    ] == still.positions.rows
    assert {} == still.widgets
    with capture_output() as captured:
        still._ipython_display_()
    assert captured.outputs or captured.stdout


def test_many_positions_are_cut_and_counted(costs):
    """A long list shows its first positions and says how many more there are."""
    still = report.explore(
        lambda costs, top: top, lambda top: report.Table(costs, f"{top}"), {"top": range(1, 20)}, frames=(costs,),
        headless=True,
    )  # fmt: skip

    assert 8 == len(still.positions.rows)
    assert still.positions.title.endswith("10 more positions in JupyterLab")


def test_positions_that_change_nothing_are_left_out(costs):
    """Of two drawings only what changes is said: above 1 the second says another thing, at 1 neither does."""
    drawings = [lambda _: report.Table(costs, "same"), lambda top: report.Table(costs, "few" if top < 2 else "many")]
    still = report.explore(lambda top: top, drawings, {"top": [0, 1, 2]}, headless=True)

    assert [["Top", "2", "many"]] == still.positions.rows
    assert still.positions.title.endswith("; 1 that change nothing are left out")


def test_one_position_needs_no_table(costs):
    """With nothing to vary there is the figure alone."""
    still = report.explore(
        inform.spend_in_scope, report.plot_spend, {"group_by": ["model"]}, frames=(costs,), headless=True
    )

    assert [] == still.positions.rows


def test_an_error_is_said_where_the_figure_stood(costs):
    """A position that cannot be computed shows the message and its hint."""
    live = report.explore(
        inform.spend_in_scope, report.plot_spend, {"group_by": ["model", "modle"]}, frames=(costs,), headless=False
    )
    live.widgets["group_by"].value = "modle"

    assert "Hint: did you mean 'model'" in live._output.outputs[0]["text"]


def test_no_choices_is_an_error(costs):
    """An empty list of choices is named."""
    with pytest.raises(FinOpsError, match="'period' has no choices"):
        report.explore(inform.spend_in_scope, report.plot_spend, {"period": []}, frames=(costs,))


class Shell:
    """A stand-in for the shell of a kernel."""

    def __init__(self, allow_stdin):
        self.kernel = type("Kernel", (), {"_allow_stdin": allow_stdin})()


@pytest.mark.parametrize(
    ("environment", "shell", "expected"),
    [
        ({"FINOPS_HEADLESS": "1"}, Shell(True), True),
        ({"FINOPS_HEADLESS": "0"}, Shell(False), False),
        ({}, None, True),
        ({}, Shell(True), False),
        ({}, Shell(False), True),
        ({"SERVER_SOFTWARE": "voila/0.5"}, Shell(False), False),
    ],
)
def test_who_is_there_to_move_a_control(environment, shell, expected, monkeypatch):
    """The batch says so; else JupyterLab and Voila are live, papermill and plain Python are not."""
    for name in ("FINOPS_HEADLESS", "SERVER_SOFTWARE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(widgets, "get_ipython", lambda: shell)

    assert expected == widgets.is_headless()


def test_choices_are_written_as_words(costs):
    """Dimensions and months read as in the report; the values handed on are the names."""
    live = report.explore(
        inform.spend_in_scope,
        report.plot_spend,
        {"group_by": ["model", "user_group"], "period": ["2026-08", "all"]},
        frames=(costs,),
        headless=False,
    )

    assert (("model", "model"), ("user group", "user_group")) == live.widgets["group_by"].options
    assert (("August 2026", "2026-08"), ("all", "all")) == live.widgets["period"].options
