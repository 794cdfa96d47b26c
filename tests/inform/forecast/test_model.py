"""The model that is fitted once and shared."""

from __future__ import annotations

import pickle

import numpy as np

from finops_lib.inform import fit_panel
from finops_lib.inform.forecast import model as forecast_model
from finops_lib.inform.forecast.features import aligned, design
from finops_lib.inform.forecast.model import QUANTILES, PanelModel


def test_the_model_is_fitted_once():
    """A second call hands out the same model."""
    assert fit_panel() is fit_panel()


def test_a_pickled_model_predicts_the_same():
    """Workers of a batch get the model by pickle; quantiles rise in every row."""
    rows = design(aligned(np.arange(50.0, 150.0))[None], np.array([3]), np.arange(1, 31)[None])
    model = fit_panel()
    found = model.quantiles(rows)

    assert (30, len(QUANTILES)) == found.shape
    assert bool((np.diff(found, axis=1) >= 0).all())
    assert np.array_equal(found, pickle.loads(pickle.dumps(model)).quantiles(rows))


def test_an_adopted_model_is_the_one_for_all(monkeypatch):
    """A model of another process is not fitted again."""
    monkeypatch.setattr(forecast_model, "_adopted", None)
    model = PanelModel(())
    forecast_model.adopt_model(model)

    assert fit_panel() is model
