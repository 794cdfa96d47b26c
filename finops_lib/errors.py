"""Errors: what the kit raises when it cannot compute.

::

    FinOpsError (ValueError)
    ├── ParamsError     a parameter file or value is wrong
    ├── SourceError     an export cannot be read, or is not what it was said to be
    ├── SchemaError     a table breaks its contract
    ├── PriceError      a price list or an override cannot be used
    ├── EvaluationError evaluation results cannot be compared, or hold nothing to decide on
    └── BatchError      a notebook run failed or was refused

Each message says what is wrong, where, and on a last line beginning with ``Hint:`` how to mend it.
A result that is merely bad (a budget overrun, low coverage) is never an error: it is a row of checks.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(name: str, known: Iterable[str], otherwise: str = "") -> str:
    """Ask whether the nearest known name was meant.

    Parameters
    ----------
    name : str
        What was written.
    known : iterable of str
        What could have been meant.
    otherwise : str
        What to say when nothing comes near.

    Returns
    -------
    str
        A hint.

    Examples
    --------
    >>> nearest("modle", ["model", "team"])
    "did you mean 'model'?"
    """
    close = difflib.get_close_matches(name, known, n=1)
    return f"did you mean '{close[0]}'?" if close else otherwise


class FinOpsError(ValueError):
    """Base of all errors of the kit.

    Parameters
    ----------
    message : str
        What is wrong and where (file, row, key, what was found and expected).
    hint : str, optional
        How to mend it; shown on a line of its own.
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        self.message = message
        self.hint = hint
        super().__init__(f"{message}\nHint: {hint}" if hint else message)


class ParamsError(FinOpsError):
    """A parameter file, key or value cannot be used."""


class SourceError(FinOpsError):
    """A source cannot be read, or is not in the format it was said to be in."""


class SchemaError(FinOpsError):
    """A table lacks a column, or a column holds what its contract forbids."""


class PriceError(FinOpsError):
    """A price list or a price override cannot be used."""


class EvaluationError(FinOpsError):
    """Evaluation results cannot be compared, or hold nothing to decide on."""


class BatchError(FinOpsError):
    """A notebook run was refused or did not finish."""
