"""Request models: what sending a request to the stronger model gains and costs, foretold from the request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.decomposition import TruncatedSVD
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LinearRegression, LogisticRegression

TEXT_COLUMNS = ("prompt", "text")
LENGTH_COLUMNS = ("input_tokens", "prompt_length")

_TOPICS = 40
_SEGMENT_STRENGTH = 30  # requests that a segment's own rate must outweigh


def request_text(requests: pd.DataFrame) -> pd.Series | None:
    """Return the prompt of each request, empty where unknown; ``None`` without any."""
    name = next((name for name in TEXT_COLUMNS if name in requests.columns), None)
    if name is None or requests[name].isna().all():
        return None
    return requests[name].astype(object).where(requests[name].notna(), "").astype(str)


def request_length(requests: pd.DataFrame) -> pd.Series:
    """Return the length of each request: its tokens where given, else its characters; NaN where unknown."""
    for name in LENGTH_COLUMNS:
        if name in requests.columns:
            return requests[name].astype("float64")
    text = request_text(requests)
    if text is None:
        return pd.Series(np.nan, index=requests.index)
    return text.str.len().astype("float64")


def request_segment(requests: pd.DataFrame) -> pd.Series:
    """Return the segment of each request; the empty name where unknown."""
    if "segment" not in requests.columns:
        return pd.Series("", index=requests.index, dtype=object)
    return requests["segment"].astype(object).where(requests["segment"].notna(), "").astype(str).astype(object)


@dataclass
class SegmentMean:
    """Means by segment, drawn towards the overall mean; the overall mean where a segment is new.

    Parameters
    ----------
    strength : float
        Requests that the overall mean weighs as much as.
    """

    strength: float = _SEGMENT_STRENGTH

    def fit(self, segments: pd.Series, values: np.ndarray) -> Self:
        """Learn the means."""
        grouped = pd.Series(values, index=segments.to_numpy(object)).groupby(level=0)
        self.overall = float(np.mean(values))
        self.means = (grouped.sum() + self.strength * self.overall) / (grouped.size() + self.strength)
        return self

    def predict(self, segments: pd.Series) -> np.ndarray:
        """Foretell a value by request."""
        return segments.map(self.means).astype("float64").fillna(self.overall).to_numpy()


class GainModel:
    """Chance that the strong model passes, less that of the weak one: the mean of three kinds of model.

    The segment's own rates, a logistic regression on words, segment, length and metadata, and a forest on topics and
    the shape of the text. Each is right elsewhere, and their mean is steadier than the best of them.

    Parameters
    ----------
    metadata : tuple of str
        Further columns of the requests to learn from, numbers or names.
    seed : int
        Of the forest and the topics.
    """

    def __init__(self, metadata: tuple[str, ...] = (), seed: int = 0) -> None:
        self.metadata = metadata
        self.seed = seed

    def fit(self, requests: pd.DataFrame, strong: np.ndarray, weak: np.ndarray) -> Self:
        """Learn from requests that both models have answered.

        Parameters
        ----------
        requests : DataFrame
            One row a request.
        strong, weak : ndarray of bool
            Whether each model passed.

        Returns
        -------
        GainModel
            Itself.
        """
        segments, passes = request_segment(requests), [np.asarray(side, dtype=float) for side in (strong, weak)]
        self.segment_gain = SegmentMean().fit(segments, passes[0] - passes[1])
        self.rates = [SegmentMean(10).fit(segments, side) for side in passes]
        text = _text_or_empty(requests)
        self.words = self.topics = None
        matrix = self._learn_words(text) if text.str.strip().astype(bool).any() else None
        length = np.log1p(request_length(requests))
        self.usual = float(length.mean()) if length.notna().any() else 0.0
        self.spread = max(float(np.nan_to_num(length.std())), 1e-9)
        self.levels = sorted(segments.unique())
        self.names = {name: sorted(requests[name].dropna().astype(str).unique()) for name in self._categories(requests)}
        self.scales = {
            name: (float(requests[name].mean()), max(float(np.nan_to_num(requests[name].std())), 1e-9))
            for name in self.metadata
            if name not in self.names
        }
        wide = self._wide(requests, matrix)
        self.classifiers = [
            None if len(np.unique(side)) < 2 else LogisticRegression(C=1.0, max_iter=300).fit(wide, side)
            for side in passes
        ]
        self.constant = [float(side.mean()) for side in passes]
        self.forest = ExtraTreesRegressor(
            200, min_samples_leaf=min(10, max(1, len(requests) // 20)), max_features=0.3, random_state=self.seed
        ).fit(self._narrow(requests, matrix), np.column_stack(passes))
        return self

    def predict(self, requests: pd.DataFrame) -> np.ndarray:
        """Foretell the gain of sending each request to the strong model, in pass rate."""
        matrix = None if self.words is None else self.words.transform(_text_or_empty(requests))
        wide = self._wide(requests, matrix)
        chances = [
            np.full(len(requests), constant) if model is None else model.predict_proba(wide)[:, 1]
            for model, constant in zip(self.classifiers, self.constant, strict=True)
        ]
        grown = self.forest.predict(self._narrow(requests, matrix))
        by_segment = self.segment_gain.predict(request_segment(requests))
        return (by_segment + (chances[0] - chances[1]) + (grown[:, 0] - grown[:, 1])) / 3

    def _learn_words(self, text: pd.Series) -> sparse.csr_matrix | None:
        often = 2 if len(text) > 50 else 1
        words = TfidfVectorizer(ngram_range=(1, 2), min_df=often, sublinear_tf=True, max_features=60_000)
        try:
            matrix = words.fit_transform(text)
        except ValueError:  # no word is left: the texts are symbols, or stop at one use each
            return None
        self.words = words
        topics = min(_TOPICS, matrix.shape[1] - 1, len(text) - 1)
        if topics >= 1:
            self.topics = TruncatedSVD(topics, random_state=self.seed).fit(matrix)
        return matrix

    def _categories(self, requests: pd.DataFrame) -> list[str]:
        return [name for name in self.metadata if not pd.api.types.is_numeric_dtype(requests[name].dtype)]

    def _length(self, requests: pd.DataFrame) -> np.ndarray:
        return ((np.log1p(request_length(requests)) - self.usual) / self.spread).fillna(0).to_numpy()[:, None]

    def _given(self, requests: pd.DataFrame) -> np.ndarray:
        """Metadata as columns: numbers on one scale, names as zeros and ones."""
        columns = [
            ((requests[name].astype("float64") - mean) / spread).fillna(0).to_numpy()
            for name, (mean, spread) in self.scales.items()
        ]
        columns += [
            (requests[name].astype(str) == level).to_numpy(float)
            for name, levels in self.names.items()
            for level in levels
        ]
        return np.column_stack(columns) if columns else np.empty((len(requests), 0))

    def _wide(self, requests: pd.DataFrame, matrix: sparse.csr_matrix | None) -> sparse.csr_matrix:
        segments = request_segment(requests).to_numpy(object)
        here = (segments[:, None] == np.array(self.levels, dtype=object)[None]).astype(float)
        parts = [sparse.csr_matrix(np.hstack([here, 0.3 * self._length(requests), 0.3 * self._given(requests)]))]
        if matrix is not None:
            parts.append(matrix)
        return sparse.hstack(parts, format="csr")

    def _narrow(self, requests: pd.DataFrame, matrix: sparse.csr_matrix | None) -> np.ndarray:
        segments = request_segment(requests)
        parts = [
            self._length(requests),
            self._given(requests),
            *(rate.predict(segments)[:, None] for rate in self.rates),
        ]
        if self.topics is not None:
            parts += [self.topics.transform(matrix), _shape(_text_or_empty(requests))]
        return np.hstack(parts)


class CostModel:
    """What a request costs more on the strong model: a line in its length, and its segment's distance from it."""

    def fit(self, requests: pd.DataFrame, difference: np.ndarray) -> Self:
        """Learn from the USD that a request cost more on the strong model."""
        length = request_length(requests)
        self.usual = float(length.mean()) if length.notna().any() else 0.0
        self.line = LinearRegression().fit(self._column(length), difference)
        rest = difference - self.line.predict(self._column(length))
        self.segment_rest = SegmentMean().fit(request_segment(requests), rest)
        # a request never costs less than the cheapest seen: a price of zero would go before everything
        seen = difference[difference > 0]
        self.least = float(np.quantile(seen, 0.02)) if len(seen) else 0.0
        return self

    def predict(self, requests: pd.DataFrame) -> np.ndarray:
        """Foretell the USD that each request costs more."""
        foretold = self.line.predict(self._column(request_length(requests)))
        return np.maximum(foretold + self.segment_rest.predict(request_segment(requests)), self.least)

    def _column(self, length: pd.Series) -> np.ndarray:
        return length.fillna(self.usual).to_numpy()[:, None]


def _text_or_empty(requests: pd.DataFrame) -> pd.Series:
    text = request_text(requests)
    return pd.Series("", index=requests.index, dtype=object) if text is None else text


def _shape(text: pd.Series) -> np.ndarray:
    """Say how a text looks: words, lines, shares of digits, signs and capitals."""
    length = text.str.len().clip(lower=1)
    signs = [text.str.count(pattern) / length for pattern in (r"\d", r"[^\w\s]", "[A-Z]")]
    return np.column_stack([text.str.split().str.len(), text.str.count("\n"), *signs])
