"""Matching: which rule a charge falls under, the first one that fits."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Protocol

import numpy as np
import pandas as pd

_NO_RULE = -1


class MatchingRule(Protocol):
    """Anything with conditions on the columns and tags of a charge."""

    @property
    def match(self) -> Mapping[str, str]:
        """Column or ``tags.<key>`` → value or pattern."""


def first_match(charges: pd.DataFrame, rules: Sequence[MatchingRule]) -> pd.Series:
    """Find the first rule whose conditions a charge meets, all of them.

    Parameters
    ----------
    charges : DataFrame
        Charges; a column that is not there holds nothing.
    rules : sequence
        Rules with ``match``: column or ``tags.<key>`` → value or pattern (``*``, ``?``, ``[…]``); the empty text
        matches what holds nothing.

    Returns
    -------
    Series of int
        Place of the rule, counted from 0, on the charges' index; -1 where none fits.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> bill = pd.DataFrame({"service_name": ["Logs", "Seats"], "tags": ['{"scope": "shared"}', None]})
    >>> rules = [SimpleNamespace(match={"tags.scope": "shared"}), SimpleNamespace(match={"service_name": "S*"})]
    >>> first_match(bill, rules).tolist()
    [0, 1]
    """
    chosen = np.full(len(charges), _NO_RULE)
    for place, fits in enumerate(every_match(charges, rules)):
        chosen[fits & (chosen == _NO_RULE)] = place
    return pd.Series(chosen, index=charges.index, name="rule")


def every_match(charges: pd.DataFrame, rules: Sequence[MatchingRule]) -> Iterator[np.ndarray]:
    """Tell for one rule after the other whose conditions the charges meet, whichever rule decides.

    Parameters
    ----------
    charges, rules
        As for ``first_match``.

    Yields
    ------
    ndarray of bool
        One for each rule, in the order of the charges.
    """
    values: dict[str, tuple[np.ndarray, list[str]]] = {}
    for rule in rules:
        fits = np.ones(len(charges), dtype=bool)
        for key, pattern in rule.match.items():
            if key not in values:
                values[key] = _texts(charges, key)
            codes, texts = values[key]
            fits &= np.array([fnmatchcase(text, pattern) for text in texts], dtype=bool)[codes]
        yield fits


def _texts(charges: pd.DataFrame, key: str) -> tuple[np.ndarray, list[str]]:
    """Return the place of each charge's value among the distinct values, and these as texts."""
    column, _, tag = key.partition(".") if key.startswith("tags.") else (key, "", "")
    if column not in charges.columns:
        return np.zeros(len(charges), dtype=int), [""]
    codes, unique = pd.factorize(charges[column])
    texts = ["" if pd.isna(value) else str(value) for value in unique]
    if tag:
        texts = [_tag(text, tag) for text in texts]
    return np.where(codes < 0, len(texts), codes), [*texts, ""]


def _tag(tags: str, key: str) -> str:
    found = json.loads(tags or "{}").get(key)
    return "" if found is None else str(found)
