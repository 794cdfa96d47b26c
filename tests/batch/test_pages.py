"""Page bodies hold what a reader needs and nothing that needs code or a network."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from finops_lib.batch.pages import render_body, shareable
from finops_lib.errors import BatchError

PNG = "iVBORw0KGgo="


def notebook(*outputs: NotebookNode, text: str = "# Spend\n\n## By *model*", **metadata: object) -> NotebookNode:
    """Build an executed notebook: text, then one code cell with outputs."""
    cell = new_code_cell("secret_code = 1", outputs=list(outputs), execution_count=1, metadata=metadata)
    return new_notebook(cells=[new_markdown_cell(text), cell])


def image(**metadata: object) -> NotebookNode:
    """Build an image output."""
    return new_output("display_data", data={"image/png": PNG, "text/plain": "<Figure>"}, metadata=metadata)


@pytest.mark.parametrize(
    ("typed", "flat", "cell", "expected"),
    [
        ({"image/png": {"alt": 'a "b" <c>'}}, {"alt": "flat"}, {"alt": "cell"}, 'a "b" <c>'),
        ({}, {"alt": "flat"}, {"alt": "cell"}, "flat"),
        ({}, {}, {"alt": "cell"}, "cell"),
        ({}, {}, {}, "Figure: By model"),
    ],
)
def test_alternative_text(typed: dict, flat: dict, cell: dict, expected: str) -> None:
    """An image has the text given with it, nearest first, else the heading above it; always escaped."""
    html = render_body(notebook(image(**typed, **flat), **cell), "Spend").html
    found: list[str | None] = []
    reader = HTMLParser()
    reader.handle_starttag = lambda tag, attributes: found.append(dict(attributes).get("alt")) if tag == "img" else None
    reader.feed(html)

    assert [expected] == found
    assert 1 == html.count("<figure>")
    assert "&lt;Figure&gt;" not in html


def test_code_warnings_scripts_and_widgets_stay_out() -> None:
    """Neither code nor stderr nor scripts reach the page; stderr is counted."""
    outputs = [
        new_output("stream", name="stderr", text="UserWarning: old"),
        new_output("stream", name="stdout", text="told"),
        new_output("display_data", data={"application/javascript": "alert(1)"}),
        new_output("display_data", data={"application/vnd.jupyter.widget-view+json": {"model_id": "1"}}),
        new_output("display_data", data={"text/html": "<table><tr><td>1</td></tr></table>"}),
    ]
    body = render_body(notebook(*outputs), "Spend")

    assert 1 == body.warnings
    assert "told" in body.html
    assert "tabindex" in body.html
    for word in ("secret_code", "UserWarning", "<script", "alert", "model_id"):
        assert word not in body.html


@pytest.mark.parametrize("text", ["No heading.", "# One\n\n# Two", "## Low"])
def test_one_main_heading(text: str) -> None:
    """A page has exactly one h1, whatever the notebook has."""
    html = render_body(notebook(text=text), "A title").html

    assert 1 == html.count("<h1") == html.count("</h1>")
    assert ("A title" in html) == ("# One" not in text)


@pytest.mark.parametrize(
    "html",
    ['<img alt="" src="https://example.org/a.png">', "<style>@import '//example.org/a.css'</style>",
     "<p style='background: url(http://example.org/a)'>", "<script async src=https://example.org/a.js></script>"],
)  # fmt: skip
def test_network_is_refused(html: str) -> None:
    """A page that would load something from the network is refused; a link in the text is fine."""
    render_body(notebook(new_output("display_data", data={"text/html": '<a href="https://example.org">x</a>'})), "S")

    with pytest.raises(BatchError, match=r"would load (https?:)?//example.org"):
        render_body(notebook(new_output("display_data", data={"text/html": html})), "S")


def test_shareable_is_the_same_every_time() -> None:
    """Times, paths and random cell ids go; the notebook given is not changed."""
    one, two = notebook(image()), notebook(image())
    for number, each in enumerate((one, two)):
        kept = {"parameters": {"period": "latest"}}
        each.metadata["papermill"] = {"start_time": number, "output_path": "/home/a"} | kept
        each.cells[1].metadata["papermill"] = {"duration": number, "status": "completed"}

    assert one != two
    assert shareable(one) == shareable(two)
    assert {"parameters": {"period": "latest"}} == shareable(one).metadata["papermill"]
    assert 0 == one.metadata["papermill"]["start_time"]
