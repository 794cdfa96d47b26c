"""In JupyterLab the controls of the cost profile redraw what they stand over."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

pytestmark = pytest.mark.notebooks

ROOT = Path(__file__).parents[2]
SHOWN = "import json; print(json.dumps([o['metadata']['image/png']['alt'] for o in explored._output.outputs]))"


class Lab:
    """A kernel as JupyterLab starts it, with the cells of the cost profile up to its controls run."""

    def __init__(self, client: NotebookClient) -> None:
        self._client = client
        self._next = len(client.nb.cells)
        self.answers: list[Any] = []

    def run(self, source: str) -> str:
        """Run code after the notebook's own; return what it printed."""
        cell = nbformat.v4.new_code_cell(source)
        self._client.nb.cells.append(cell)
        self._client.execute_cell(cell, self._next)
        self._next += 1
        return "".join(output.text for output in cell.outputs if output.output_type == "stream")

    def shown(self) -> str:
        """Return what the figure under the controls says."""
        (alternative,) = json.loads(self.run(SHOWN))
        return alternative

    def move(self, control: str, label: str) -> None:
        """Choose an entry of a drop-down as the browser does: by a message to the widget's model."""
        asked = f"w = explored.widgets[{control!r}]; print(w.model_id, list(w._options_labels).index({label!r}))"
        model, place = self.run(asked).split()
        content = {"comm_id": model, "data": {"method": "update", "state": {"index": int(place)}, "buffer_paths": []}}
        self._client.kc.shell_channel.send(self._client.kc.session.msg("comm_msg", content))


@pytest.fixture(scope="module")
def lab(sample: Path) -> Iterator[Lab]:
    """Open the cost profile of the sample in a live kernel."""
    notebook = nbformat.read(sample / "notebooks" / "03_cost_profile.ipynb", as_version=4)
    controls = next(cell for cell in notebook.cells if "report.explore(" in cell.source)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    notebook.cells = [*code[:2], controls]  # parameters, set-up, controls
    client = NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(sample / "notebooks")}})
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FINOPS_")}
    with client.setup_kernel(env=kept | {"FINOPS_HEADLESS": "0", "PYTHONPATH": str(ROOT)}):
        for place, cell in enumerate(notebook.cells):
            client.execute_cell(cell, place)
        opened = Lab(client)
        opened.run("explored = _")
        yield opened


def test_controls_are_shown_with_the_figure(lab: Lab) -> None:
    """Three drop-downs, labelled in words, and the first position drawn."""
    names = lab.run("print([w.description for w in explored.widgets.values()])")

    assert "['Group by', 'Period', 'Environment']" == names.strip()
    assert "('data class', 'data_class')" in lab.run("print(explored.widgets['group_by'].options)")
    assert lab.shown().startswith("global.openai.gpt-5.6-sol is 34% of the cost")


@pytest.mark.parametrize(
    ("moves", "says"),
    [
        ({"group_by": "team"}, "legal-operations is 36% of the cost"),
        ({"group_by": "workflow", "environment": "sandbox"}, "pair-programming is 41% of the cost"),
        ({"group_by": "assistant", "environment": "all", "period": "July 2026"}, "coding-assistant is 40% of the cost"),
        ({"group_by": "data class"}, "internal is 43% of the cost"),
        ({"group_by": "model", "period": "October 2026"}, "global.openai.gpt-5.6-sol is 34% of the cost"),
    ],
)
def test_moving_a_control_redraws(lab: Lab, moves: dict[str, str], says: str) -> None:
    """Each move of a browser's drop-down, one after the other, changes what the figure says."""
    for control, label in moves.items():
        lab.move(control, label)

    assert lab.shown().startswith(says)
