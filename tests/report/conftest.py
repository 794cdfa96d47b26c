"""A synthetic world small enough to draw: three models, three teams, seventy days."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pandas as pd
import pyarrow as pa
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from finops_lib import report
from finops_lib.params import Organisation, Params, Settings

_MONEY = pd.ArrowDtype(pa.decimal128(38, 15))
_COUNT = pd.ArrowDtype(pa.int64())
_MODELS = {"large": ("2", "8", "premium"), "small": ("0.25", "1", "default"), "in-house": (None, None, "default")}
_TEAMS = ("brand", "legal", None)


@pytest.fixture(autouse=True)
def style():
    """Draw in the kit's look, as notebooks do."""
    report.use_style()


def world(first=date(2026, 7, 6), days=70):
    """Ledger and usage: ten calls a day and pair, 1,000 tokens in and 100 out each, growing by a call a week."""
    ledger, usage = [], []
    for offset in range(days):
        day = first + timedelta(days=offset)
        for model, (into, out, route) in _MODELS.items():
            for team in _TEAMS:
                calls = 10 + offset // 7
                names = {"charge_period_start": day, "model": model, "team": team, "route": route}
                for kind, price, tokens in (("uncached_input", into, 1000), ("output", out, 100)):
                    cost = None if price is None else calls * tokens * Decimal(price) / 10**6
                    ledger.append(
                        names | {"token_class": kind, "pricing_quantity": calls * tokens, "contracted_cost": cost}
                    )
                usage.append(
                    names
                    | {"request_count": calls, "uncached_input_tokens": calls * 1000, "retrieved_tokens": calls * 400}
                )
    costs = pd.DataFrame(ledger).astype({"contracted_cost": _MONEY, "pricing_quantity": _COUNT})
    counted = ["request_count", "uncached_input_tokens", "retrieved_tokens"]
    return costs, pd.DataFrame(usage).astype(dict.fromkeys(counted, _COUNT))


@pytest.fixture(scope="session")
def costs():
    """Make the ledger of the synthetic world."""
    return world()[0]


@pytest.fixture(scope="session")
def usage():
    """Make the usage of the synthetic world."""
    return world()[1]


@pytest.fixture
def params(tmp_path):
    """Parameters of a project in a folder of its own."""
    (tmp_path / "parameters").mkdir()
    return Params(
        assistant="support",
        period="2026-09",
        settings=Settings(),
        organisation=Organisation(),
        project=tmp_path,
        assistants={},
    )


@pytest.fixture
def parts():
    """Take a figure apart: titles, labels and how many bars it has."""

    def take(figure):
        figure.draw_without_rendering()
        axes = figure.axes[0]
        return {
            "title": " ".join(figure.get_suptitle().split()),
            "subtitle": " ".join(text.get_text() for text in figure.texts if text.get_gid() == "subtitle"),
            "xlabel": axes.get_xlabel(),
            "ylabel": axes.get_ylabel(),
            "bars": len(axes.patches),
            "names": [label.get_text() for label in axes.get_yticklabels()],
            "labels": [text.get_text() for text in axes.texts],
        }

    return take


@pytest.fixture
def inside():
    """List the parts of a figure that reach beyond its edge; ticks out of view are not drawn."""

    def beyond_edge(figure):
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        renderer, page = canvas.get_renderer(), figure.bbox
        found = []
        for part in [*figure.axes, *figure.texts, *figure.legends]:
            box = part.get_tightbbox(renderer)
            if box and (box.x0 < page.x0 - 1 or box.x1 > page.x1 + 1 or box.y0 < page.y0 - 1 or box.y1 > page.y1 + 1):
                found.append((part, box.bounds))
        return found

    return beyond_edge
