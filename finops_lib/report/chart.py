"""Charts: figures that state what they show, and carry that statement for readers who cannot see them."""

from __future__ import annotations

import base64
import io
import textwrap
from importlib import resources
from typing import Any

import matplotlib as mpl
import numpy as np
from IPython import get_ipython
from IPython.display import publish_display_data
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path
from PIL import Image

ACTUAL = "#0072B2"
SECONDARY = "#E69F00"
FORECAST = "#56B4E9"
BUDGET = "#222222"
ANOMALY = "#D55E00"
SAVING = "#009E73"
UNKNOWN = "#BDBDBD"
MUTED = "#9CC3DC"
QUIET = "#666666"
INK = "#222222"
CATEGORIES = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9")

_CSS_PIXELS_PER_INCH = 100
_WIDTH, _MARGIN, _TITLE_LINE, _SUBTITLE_LINE = 9.0, 0.1, 0.25, 0.2  # inches


class Chart(Figure):
    """A matplotlib figure with alternative text that shows itself in a notebook.

    It belongs to no pyplot state: nothing is shown twice and nothing needs closing.
    """

    alt: str = ""
    header: float = 1.0

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> tuple[dict[str, Any], dict[str, Any]]:
        width, height = (round(inches * _CSS_PIXELS_PER_INCH) for inches in self.get_size_inches())
        alt = alt_text(self)
        data = {"image/png": base64.b64encode(png(self)).decode("ascii"), "text/plain": f"Figure: {alt}"}
        return data, {"image/png": {"alt": alt, "width": width, "height": height}}

    def _ipython_display_(self) -> None:
        # comes before any formatter that a plotting backend registers, which would drop the alternative text
        show(self)


def png(figure: Figure) -> bytes:
    """Draw a figure as a small PNG picture.

    Parameters
    ----------
    figure : Figure
        Any figure.

    Returns
    -------
    bytes
        PNG with at most 256 colours, a third of the size of a full one and no difference to the eye;
        equal figures give equal bytes.
    """
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    image = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
    picture = io.BytesIO()
    image.quantize(256, dither=Image.Dither.NONE).save(picture, format="PNG")
    return picture.getvalue()


def use_style() -> None:
    """Apply the kit's look to all figures drawn from here on.

    In a notebook, figures of the analyst's own come out sharp too.
    """
    style = resources.files("finops_lib.report") / "finops.mplstyle"
    with resources.as_file(style) as path:
        mpl.rcParams.update(mpl.rc_params_from_file(path, use_default_template=False))
    if get_ipython() is not None:
        from matplotlib_inline.backend_inline import set_matplotlib_formats

        set_matplotlib_formats("png")


def alt_text(figure: Figure) -> str:
    """Return what a figure shows, in words.

    Parameters
    ----------
    figure : Figure
        Any figure; one not made by the kit has its titles only.

    Returns
    -------
    str
        The alternative text.
    """
    described = getattr(figure, "alt", "")
    if described:
        return described
    titles = [figure.get_suptitle(), *(axes.get_title(loc="left") or axes.get_title() for axes in figure.axes)]
    return ". ".join(" ".join(title.split()) for title in titles if title) or "Figure without a title"


def show(figure: Figure) -> None:
    """Display a figure with its alternative text in the output's metadata.

    Parameters
    ----------
    figure : Figure
        A chart of the kit, or any other figure.
    """
    data, metadata = Chart._repr_mimebundle_(figure)
    publish_display_data(data, metadata)


def new_chart(title: str, *, subtitle: str = "", height: float = 3.4, panels: int = 1) -> tuple[Chart, list[Axes]]:
    """Start a chart with its statement as the title.

    Parameters
    ----------
    title : str
        One sentence: what the chart says.
    subtitle : str
        What is drawn, of which scope.
    height : float
        Inches below the titles; the width is always nine.
    panels : int
        Axes, one below the other, that share their horizontal axis.

    Returns
    -------
    Chart, list of Axes
        Ready to draw on.
    """
    lines = _fitted(title, mpl.rcParams["figure.titlesize"], mpl.rcParams["figure.titleweight"])
    below = _fitted(subtitle, mpl.rcParams["axes.titlesize"]) if subtitle else []
    top = _MARGIN + _TITLE_LINE * len(lines)
    header = top + _SUBTITLE_LINE * len(below) + (0.16 if below else 0.08)
    total = header + height
    figure = Chart(figsize=(_WIDTH, total), layout="constrained")
    figure.get_layout_engine().set(w_pad=_MARGIN, h_pad=0.06, rect=(0, 0, 1, 1 - header / total))
    left = _MARGIN / _WIDTH
    figure.suptitle("\n".join(lines), x=left, y=1 - _MARGIN / total, ha="left", va="top", linespacing=1.25)
    if below:
        color = mpl.rcParams["axes.titlecolor"]
        size = mpl.rcParams["axes.titlesize"]
        figure.text(left, 1 - (top + 0.05) / total, "\n".join(below), color=color, size=size, va="top", gid="subtitle")
    figure.header = 1 - (top + 0.02) / total
    return figure, list(np.ravel(figure.subplots(panels, 1, sharex=True)))


def words_only(title: str, explanation: str) -> Chart:
    """Say in words what is missing where a chart would stand.

    Parameters
    ----------
    title : str
        What cannot be shown.
    explanation : str
        What would have to be known for it.

    Returns
    -------
    Chart
        A low chart with text and no data.
    """
    figure, (axes,) = new_chart(title, subtitle=explanation, height=0.1)
    figure.set_layout_engine("none")
    axes.set_axis_off()
    return describe(figure, explanation)


def describe(figure: Chart, text: str) -> Chart:
    """Complete the alternative text: the title, then the data in words.

    Parameters
    ----------
    figure : Chart
        The chart, with its title.
    text : str
        Kind of chart, axes and values.

    Returns
    -------
    Chart
        The same chart.
    """
    figure.alt = f"{' '.join(figure.get_suptitle().split())}. {text}"
    return figure


def _fitted(text: str, size: float, weight: str | int = "normal") -> list[str]:
    """Break a sentence into lines of like length that fit the width of a chart."""
    font = FontProperties(family=mpl.rcParams["font.family"], size=size, weight=weight)
    room = (_WIDTH - 2 * _MARGIN) * 72

    def length(line: str) -> float:
        return text_to_path.get_text_width_height_descent(line, font, ismath=False)[0]

    plain = " ".join(text.split()).replace("USD ", "USD\u00a0")  # an amount stays on one line
    lines, characters = [plain], len(plain)
    while any(length(line) > room for line in lines):
        characters -= 1
        lines = textwrap.wrap(plain, characters, break_on_hyphens=False)
    balanced = lines
    while len(balanced) == len(lines) > 1 and characters > 12:
        lines, characters = balanced, characters - 1
        balanced = textwrap.wrap(plain, characters, break_on_hyphens=False)
    return [line.replace("\u00a0", " ") for line in lines]
