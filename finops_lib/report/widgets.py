"""Widgets: one call turns a stage's function and a drawing function into controls, or into a static picture."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import ipywidgets
import pandas as pd
from IPython import get_ipython
from IPython.core.formatters import DisplayFormatter
from IPython.display import display
from matplotlib.figure import Figure

from finops_lib.errors import FinOpsError
from finops_lib.report.tables import Label, Table
from finops_lib.report.text import month_name, usd, words
from finops_lib.schema import DIMENSIONS

_ROWS_A_CONTROL = 8
_DIMENSIONS = {column.name for column in DIMENSIONS}
_WIDE = {"description_width": "initial"}


class Exploration:
    """Named controls over a computation and its drawings; shows itself in a notebook.

    Parameters
    ----------
    compute : callable
        Takes the frames and one keyword argument for each control.
    draw : sequence of callable
        Each takes what ``compute`` returns and gives a figure, a table or anything that displays.
    controls : mapping of str to choices
        As ``explore`` takes them.
    frames : sequence
        Positional arguments of ``compute``.
    headless : bool
        Whether nobody is there to move a control.

    Attributes
    ----------
    widgets : dict of str to ipywidgets.Widget
        The controls by name; empty when headless.
    shown : list
        What is drawn at the present position.
    positions : Table or None
        The precomputed positions; only when headless.
    """

    def __init__(
        self,
        compute: Callable[..., Any],
        draw: Sequence[Callable[[Any], Any]],
        controls: Mapping[str, Any],
        *,
        frames: Sequence[Any],
        headless: bool,
    ) -> None:
        self._compute = compute
        self._draw = draw
        self._frames = frames
        self._choices = {name: _choices(choices) for name, choices in controls.items()}
        self._position = {name: _default(choices) for name, choices in controls.items()}
        self.widgets: dict[str, ipywidgets.Widget] = {}
        self.positions: Table | None = None
        self.shown: list[Any] = []
        if headless:
            computed, self.shown = self._at(self._position)
            self._cost = _cost(computed)
            self.positions = self._precompute(controls)
        else:
            self._build(controls)

    def _at(self, position: Mapping[str, Any]) -> tuple[Any, list[Any]]:
        computed = self._compute(*self._frames, **position)
        return computed, [draw(computed) for draw in self._draw]

    def _build(self, controls: Mapping[str, Any]) -> None:
        self.widgets = {name: _widget(name, choices) for name, choices in controls.items()}
        self._output = ipywidgets.Output()
        for widget in self.widgets.values():
            widget.observe(self._redraw, names="value")
        self._redraw()

    def _redraw(self, _: Any = None) -> None:
        self._position = {name: widget.value for name, widget in self.widgets.items()}
        try:
            self.shown = self._at(self._position)[1]
        except FinOpsError as error:
            # there is no cell to raise in: say it where the figure would stand
            self.shown = []
            self._output.outputs = ({"output_type": "stream", "name": "stderr", "text": f"{error}\n"},)
            return
        self._output.outputs = tuple(_as_output(thing) for thing in self.shown)

    def _precompute(self, controls: Mapping[str, Any]) -> Table:
        """Vary one control at a time from its default, and say what the drawings then say that they did not before."""
        rows, left_out, same, before = [], 0, 0, _titles(self.shown)
        for name, choices in controls.items():
            others = [(label, value) for label, value in self._choices[name] if value != self._position[name]]
            if isinstance(choices, set | frozenset):
                others = [(label, (value,)) for label, value in self._choices[name]]
            left_out += max(len(others) - _ROWS_A_CONTROL, 0)
            for label, value in others[:_ROWS_A_CONTROL]:
                computed, shown = self._at(self._position | {name: value})
                titles, cost = _titles(shown), _cost(computed)
                says = "; ".join(title for title in titles if title not in before)
                if says or cost != self._cost:
                    says = says or titles[0]
                    rows.append({"control": words(name).capitalize(), "position": label, "cost": cost, "says": says})
                else:
                    same += 1
        table = pd.DataFrame(rows, columns=["control", "position", "cost", "says"], dtype=object)
        costs = table["cost"].notna().any()
        labels = {
            "control": Label("Control"),
            "position": Label("Set to"),
            "cost": Label("Contracted cost", "USD", lambda cost: usd(cost).removeprefix("USD "), is_number=True),
            "says": Label("What the figure then says"),
        }
        at = ", ".join(f"{words(name)} {_written(value)}" for name, value in self._position.items())
        more = f"; {left_out} more positions in JupyterLab" if left_out else ""
        more += f"; {same} that change nothing are left out" if same else ""
        return Table(
            table,
            f"Other positions of the controls, each moved alone from: {at}{more}",
            labels=labels,
            columns=[name for name in table.columns if name != "cost" or costs],
        )

    def _ipython_display_(self) -> None:
        if self.widgets:
            bar = ipywidgets.HBox(list(self.widgets.values()), layout=ipywidgets.Layout(flex_flow="row wrap"))
            display(ipywidgets.VBox([bar, self._output]))
            return
        for thing in self.shown:
            display(thing)
        if self.positions is not None and len(self.positions.frame):
            display(self.positions)


def explore(
    compute: Callable[..., Any],
    draw: Callable[[Any], Any] | Sequence[Callable[[Any], Any]],
    controls: Mapping[str, Any],
    *,
    frames: Sequence[Any] = (),
    headless: bool | None = None,
) -> Exploration:
    """Let a reader move controls and see a figure or table follow; without a reader, show positions.

    Parameters
    ----------
    compute : callable
        A stage's function: called with ``frames`` and one keyword argument for each control.
    draw : callable or sequence of callable
        Drawing functions: each is called with what ``compute`` returns.
    controls : mapping of str to choices
        Name of each keyword argument, and its choices: a list (drop-down), a mapping of label to
        value (drop-down), a tuple (slider over its values in order), a range (number slider), a set
        (any of them at once) or a truth value (check box). The first choice is the default; of a
        set, all.
    frames : sequence
        Positional arguments of ``compute``, e.g. the ledger.
    headless : bool, optional
        Force one mode. Without it: ``is_headless``.

    Returns
    -------
    Exploration
        Shows itself as the last expression of a cell. Headless it shows the default position and a
        table of the others, and creates no widget.

    Raises
    ------
    FinOpsError
        If a control has no choices.
    """
    for name, choices in controls.items():
        if not isinstance(choices, bool) and not len(choices):
            message = f"The control '{name}' has no choices"
            raise FinOpsError(message, hint="give at least one, e.g. ['all']")
    drawings = [draw] if callable(draw) else list(draw)
    quiet = is_headless() if headless is None else headless
    return Exploration(compute, drawings, controls, frames=frames, headless=quiet)


def is_headless() -> bool:
    """Tell whether nobody is there to move a control.

    Returns
    -------
    bool
        As the environment's ``FINOPS_HEADLESS`` says (``0`` is no). Without it: true outside a Jupyter
        kernel, and in one whose front end cannot answer questions, as under papermill and nbconvert;
        a Voila page counts as live.
    """
    told = os.environ.get("FINOPS_HEADLESS", "").strip().lower()
    if told:
        return told not in ("0", "false", "no")
    kernel = getattr(get_ipython(), "kernel", None)
    if kernel is None:
        return True
    if os.environ.get("SERVER_SOFTWARE", "").startswith("voila"):
        return False
    # batch runners execute cells with allow_stdin false, front ends with a reader true
    return not getattr(kernel, "_allow_stdin", True)


def _choices(choices: Any) -> list[tuple[str, Any]]:
    """List the choices of a control with their labels."""
    if isinstance(choices, bool):
        return [("yes" if value else "no", value) for value in (choices, not choices)]
    if isinstance(choices, Mapping):
        return [(str(label), value) for label, value in choices.items()]
    ordered = sorted(choices, key=str) if isinstance(choices, set | frozenset) else list(choices)
    return [(_written(value), value) for value in ordered]


def _default(choices: Any) -> Any:
    if isinstance(choices, bool):
        return choices
    values = [value for _, value in _choices(choices)]
    return tuple(values) if isinstance(choices, set | frozenset) else values[0]


def _widget(name: str, choices: Any) -> ipywidgets.Widget:
    """Choose the control that fits the kind of choices."""
    description = words(name).capitalize()
    options = _choices(choices)
    if isinstance(choices, bool):
        return ipywidgets.Checkbox(value=choices, description=description, indent=False)
    if isinstance(choices, range):
        return ipywidgets.IntSlider(
            value=choices[0], min=min(choices), max=max(choices), step=abs(choices.step), description=description,
            style=_WIDE, continuous_update=False,
        )  # fmt: skip
    if isinstance(choices, set | frozenset):
        return ipywidgets.SelectMultiple(
            options=options, value=_default(choices), description=description, style=_WIDE, rows=min(len(options), 6)
        )
    if isinstance(choices, tuple):
        return ipywidgets.SelectionSlider(
            options=options, value=options[0][1], description=description, style=_WIDE, continuous_update=False
        )
    return ipywidgets.Dropdown(options=options, value=options[0][1], description=description, style=_WIDE)


def _as_output(thing: Any) -> dict[str, Any]:
    """Return a notebook output of what was drawn, alternative text included."""
    bundle = thing._repr_mimebundle_() if hasattr(thing, "_repr_mimebundle_") else DisplayFormatter().format(thing)
    data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
    return {"output_type": "display_data", "data": data, "metadata": metadata}


def _titles(shown: Sequence[Any]) -> list[str]:
    """Return what the drawings state: the titles of figures and tables."""
    titles = (thing.get_suptitle() if isinstance(thing, Figure) else getattr(thing, "title", "") for thing in shown)
    return [" ".join(str(title).split()) for title in titles]


def _cost(computed: Any) -> Any:
    """Return the cost of a computed frame, where it has one."""
    if isinstance(computed, pd.DataFrame) and "contracted_cost" in computed.columns:
        summed = computed["contracted_cost"].sum(min_count=1)
        return None if pd.isna(summed) else summed
    return None


def _written(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(_written(item) for item in value)
    text = "all" if value is None else month_name(str(value))
    return words(text) if text in _DIMENSIONS else text
