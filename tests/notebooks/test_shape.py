"""Notebooks keep their shape: thin, alike, and equal to their text twins."""

from __future__ import annotations

import ast
import itertools
import re
from pathlib import Path

import jupytext
import nbformat
import pytest
from nbformat import NotebookNode

from finops_lib.params import ORGANISATION

FOLDER = Path(__file__).parents[2] / "notebooks"
NAMES = sorted(path.stem for path in FOLDER.glob("*.ipynb"))
MOST_LINES_A_CELL = 8
PARAMETERS = [("assistant", "str", ORGANISATION), ("period", "str", "latest"), ("settings", "dict", {})]
LOGIC = (
    *(ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda),
    *(ast.For, ast.AsyncFor, ast.While, ast.If, ast.IfExp, ast.Match, ast.Try, ast.TryStar, ast.With, ast.AsyncWith),
    *(ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.Assert, ast.Raise, ast.Delete),
    *(ast.NamedExpr, ast.AugAssign, ast.Global, ast.Await, ast.Yield),
)


def read(name: str) -> NotebookNode:
    """Read a notebook."""
    return nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)


def code(notebook: NotebookNode) -> list[NotebookNode]:
    """List the code cells."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def tags(cell: NotebookNode) -> list[str]:
    """List the tags of a cell."""
    return cell.metadata.get("tags", [])


def headings(notebook: NotebookNode) -> list[tuple[int, int, str]]:
    """List each heading with the number of its cell and its level."""
    return [
        (place, len(marks), title)
        for place, cell in enumerate(notebook.cells)
        if cell.cell_type == "markdown"
        for marks, title in re.findall(r"^(#+)\s+(.+)$", cell.source, re.MULTILINE)
    ]


def logic_in(source: str) -> list[str]:
    """Name the syntax of a cell that belongs into a stage."""
    magic = [line for line in source.splitlines() if line.lstrip().startswith(("%", "!"))]
    return magic or [type(node).__name__ for node in ast.walk(ast.parse(source)) if isinstance(node, LOGIC)]


def test_there_are_notebooks() -> None:
    """The folder is where these tests look."""
    assert {"01_ledger", "03_cost_profile"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_begins_with_title_and_four_answers(name: str) -> None:
    """One heading of level one, in the first cell, with what the notebook asks, reads, writes and decides."""
    notebook = read(name)
    first = notebook.cells[0]
    answers = re.findall(r"^- \*\*(\w+)\.\*\* (.+)$", first.source, re.MULTILINE)

    assert [0] == [place for place, level, _ in headings(notebook) if level == 1]
    assert first.source.startswith("# ")
    assert ["Question", "Reads", "Writes", "Decides"] == [word for word, _ in answers]
    assert all(text.strip().endswith((".", "?")) for _, text in answers)


@pytest.mark.parametrize("name", NAMES)
def test_one_parameters_cell_the_same_everywhere(name: str) -> None:
    """The three names with their types and defaults; papermill puts its values after this one cell."""
    tagged = [cell for cell in code(read(name)) if "parameters" in tags(cell)]
    (cell,) = tagged
    set_here = [
        (node.target.id, node.annotation.id, ast.literal_eval(node.value)) for node in ast.parse(cell.source).body
    ]

    assert PARAMETERS == set_here
    assert cell is code(read(name))[0] or cell.source == code(read(name))[0].source
    assert code(read(NAMES[0]))[0].source == cell.source


@pytest.mark.parametrize("name", NAMES)
def test_cells_are_short(name: str) -> None:
    """A cell is read at a glance."""
    long = {
        cell.source.splitlines()[0]: lines
        for cell in code(read(name))
        if (lines := len([line for line in cell.source.splitlines() if line.strip()])) > MOST_LINES_A_CELL
    }

    assert {} == long


@pytest.mark.parametrize("name", NAMES)
def test_no_logic(name: str) -> None:
    """What decides, loops or defines has a test of its own, in a stage."""
    assert {} == {cell.source: found for cell in code(read(name)) if (found := logic_in(cell.source))}


@pytest.mark.parametrize(
    "source",
    [
        "def f():\n    return 1",
        "class A: ...",
        "for x in y:\n    x",
        "while x:\n    x",
        "if x:\n    x",
        "try:\n    x\nexcept E:\n    x",
        "f = lambda: 1",
        "a = [x for x in y if x]",
        "x = 1 if y else 2",
        "%matplotlib inline",
    ],
)
def test_logic_would_be_found(source: str) -> None:
    """The search above finds each kind of logic."""
    assert logic_in(source)


@pytest.mark.parametrize("name", NAMES)
def test_only_the_kit_is_imported(name: str) -> None:
    """A notebook asks stages and draws with report; imports stand in the set-up cell, and none goes behind a stage."""
    cells = [ast.walk(ast.parse(cell.source)) for cell in code(read(name))]
    imports = [
        (place, node)
        for place, nodes in enumerate(cells)
        for node in nodes
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    modules = {node.module if isinstance(node, ast.ImportFrom) else node.names[0].name for _, node in imports}

    assert {1} == {place for place, _ in imports}
    assert modules <= {"finops_lib", "finops_lib.checks"}


@pytest.mark.parametrize("name", NAMES)
def test_each_section_has_a_heading_and_content(name: str) -> None:
    """After set-up every cell stands under a heading of level two, and no heading stands alone."""
    notebook = read(name)
    places = [place for place, level, _ in headings(notebook) if level == 2]
    ends = [*places[1:], len(notebook.cells)]
    titles = [title for _, _, title in headings(notebook)]

    assert 3 == places[0]  # title, parameters, set-up
    assert all(
        any(cell.cell_type == "code" for cell in notebook.cells[start:end])
        for start, end in zip(places, ends, strict=True)
    )
    assert len(titles) == len(set(titles))
    assert "Decision" == titles[-1]


@pytest.mark.parametrize("name", NAMES)
def test_ends_with_the_sidecar(name: str) -> None:
    """The last cell writes the results under the notebook's own name; nothing recorded after that is lost."""
    cells = code(read(name))
    written = [place for place, cell in enumerate(cells) if ".write()" in cell.source]

    assert [len(cells) - 1] == written
    assert "written = out.write()" == cells[-1].source.splitlines()[-1]
    assert f'report.Sidecar(params, "{name}"' in cells[1].source
    assert "out.glue_checks(checks)" in cells[-1].source


@pytest.mark.parametrize("name", NAMES)
def test_one_thing_is_shown_in_a_cell(name: str) -> None:
    """A figure or table is the last expression of its cell: a second one above it would not appear."""
    unseen = [
        cell.source
        for cell in code(read(name))
        for statement in ast.parse(cell.source).body[:-1]
        if isinstance(statement, ast.Expr)
        and re.match(r"report\.(plot_|Table|decision_table|explore)", ast.unparse(statement))
    ]

    assert [] == unseen


@pytest.mark.parametrize("name", NAMES)
def test_nothing_of_a_run_is_kept(name: str) -> None:
    """No output, no execution count, no run metadata, ids that do not change with each save."""
    notebook = read(name)

    assert [] == [cell.source for cell in code(notebook) if cell.outputs or cell.execution_count is not None]
    assert "papermill" not in notebook.metadata
    assert [str(place) for place in range(len(notebook.cells))] == [cell.id for cell in notebook.cells]


@pytest.mark.parametrize("name", NAMES)
def test_equals_its_text_twin(name: str) -> None:
    """What is reviewed as text is what runs: type, source and tags, cell by cell."""
    twin = jupytext.read(FOLDER / "text" / f"{name}.py")
    pairs = list(itertools.zip_longest(read(name).cells, twin.cells))

    assert [] == [
        (one and one.source, other and other.source)
        for one, other in pairs
        if not (one and other) or (one.cell_type, one.source, tags(one)) != (other.cell_type, other.source, tags(other))
    ]


def test_no_twin_without_its_notebook() -> None:
    """A notebook that was removed or renamed leaves no text behind."""
    assert NAMES == sorted(path.stem for path in (FOLDER / "text").glob("*.py"))
