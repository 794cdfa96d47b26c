"""Pages: an executed notebook becomes the body of a report page, without code and without the network."""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from finops_lib.errors import BatchError

if TYPE_CHECKING:
    from nbconvert import HTMLExporter
    from nbformat import NotebookNode

_IMAGES = {"image/png", "image/jpeg", "image/svg+xml"}
_NEEDS_SCRIPT = {"application/vnd.jupyter.widget-view+json", "application/javascript"}
_TIMES = ("start_time", "end_time", "duration", "input_path", "output_path")
_EXTERNAL = re.compile(
    r"""<(?:img|script|iframe|link|source|video|audio|object|embed)\b[^>]*?\b(?:src|href|data)\s*=\s*["']?\s*"""
    r"""((?:https?:)?//[^"'\s>]+)|(?:url\(|@import)\s*["']?\s*((?:https?:)?//[^"'\s)]+)""",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Body:
    """The body of a report page.

    Parameters
    ----------
    html : str
        Content of the page's main part, with exactly one ``h1``.
    warnings : int
        Warnings and other lines the notebook wrote to stderr; they stay in the notebook.
    """

    html: str
    warnings: int


def render_body(notebook: NotebookNode, title: str) -> Body:
    """Render an executed notebook without its code.

    Parameters
    ----------
    notebook : NotebookNode
        The executed notebook; not changed.
    title : str
        The page's heading, put in front when the notebook has none of level one.

    Returns
    -------
    Body
        HTML and the number of stderr outputs left out.

    Raises
    ------
    BatchError
        If the page would load something from the network.
    """
    readable, warnings = _readable(notebook, title)
    html, _ = _exporter().from_notebook_node(readable)
    external = _EXTERNAL.search(html)
    if external:
        message = f"{title}: the page would load {external.group(1) or external.group(2)} from the network"
        raise BatchError(message, hint="show the picture or table itself instead of a link to it")
    return Body(_one_heading(html, title), warnings)


def shareable(notebook: NotebookNode) -> NotebookNode:
    """Take out of an executed notebook what differs from run to run.

    Parameters
    ----------
    notebook : NotebookNode
        As papermill left it; not changed.

    Returns
    -------
    NotebookNode
        A copy without times and paths, with stable cell ids: equal inputs give equal bytes.
    """
    notebook = copy.deepcopy(notebook)
    for holder in (notebook, *notebook.cells):
        for key in _TIMES:
            holder.metadata.get("papermill", {}).pop(key, None)
    for number, cell in enumerate(notebook.cells):
        if "id" in cell:
            cell["id"] = f"cell-{number}"
    return notebook


@lru_cache(maxsize=1)
def _exporter() -> HTMLExporter:
    """Make the one exporter of this process: making one costs as much as several pages."""
    from jinja2 import DictLoader
    from nbconvert import HTMLExporter

    template = Path(__file__).with_name("page_body.html.j2").read_text(encoding="utf-8")
    return HTMLExporter(
        template_name="basic",
        template_file="finops.html.j2",
        extra_loaders=[DictLoader({"finops.html.j2": template})],
        exclude_input=True,
        exclude_input_prompt=True,
        exclude_output_prompt=True,
        exclude_anchor_links=True,
    )


def _readable(notebook: NotebookNode, heading: str) -> tuple[NotebookNode, int]:
    """Keep the outputs a reader can use, each image with a text (by default the heading above it); count stderr."""
    notebook = copy.deepcopy(notebook)
    warnings = 0
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            headings = re.findall(r"^#+\s+(.+)$", cell.source, re.MULTILINE)
            heading = re.sub(r"[*_`]", "", headings[-1]).strip() if headings else heading
        if cell.cell_type != "code":
            continue
        warnings += sum(output.get("name") == "stderr" for output in cell.outputs)
        cell.outputs = [
            output
            for output in cell.outputs
            if output.get("name") != "stderr" and not _NEEDS_SCRIPT & {*output.get("data", ())}
        ]
        for output in cell.outputs:
            for kind in _IMAGES & {*output.get("data", ())}:
                given = _alternative(output.metadata, cell.metadata, kind)
                output.metadata["alt"] = given or f"Figure: {heading}"
    return notebook, warnings


def _alternative(output: Any, cell: Any, kind: str) -> str:
    """Find the text of an image where notebooks keep it: with its type, with the output, with the cell."""
    typed = output.get(kind)
    places = (typed.get("alt") if isinstance(typed, dict) else None, output.get("alt"), cell.get("alt"))
    return next((str(text) for text in places if text), "")


def _one_heading(html: str, title: str) -> str:
    """Keep the first ``h1`` and make further ones ``h2``; put one in front where there is none."""
    from html import escape

    first = re.search(r"<h1\b.*?</h1>", html, re.DOTALL)
    if first is None:
        return f"<h1>{escape(title)}</h1>\n{html}"
    rest = re.sub(r"<(/?)h1\b", r"<\1h2", html[first.end() :])
    return html[: first.end()] + rest
