"""Privacy: people appear in reports as stable pseudonyms, and small groups not at all."""

from __future__ import annotations

import hashlib
import hmac

import pandas as pd

from finops_lib.errors import ParamsError
from finops_lib.inform.scope import TEXT, UNATTRIBUTED

_HEX_DIGITS = 12


def pseudonymise(values: pd.Series, key: bytes) -> pd.Series:
    """Replace names by keyed hashes: the same name and key always give the same pseudonym.

    Parameters
    ----------
    values : Series of str
        Names as the source gives them; nulls stay null.
    key : bytes
        Secret kept outside the repository; another key gives other pseudonyms.

    Returns
    -------
    Series of str
        ``user-`` and twelve hexadecimal digits, on the same index and under the same name.

    Raises
    ------
    ParamsError
        If the key is empty: an unkeyed hash of a mail address is undone by guessing.

    Notes
    -----
    HMAC-SHA-256, cut to 48 bits: among 100,000 users two share a pseudonym with a chance of 2 in
    100,000.

    References
    ----------
    RFC 2104; requirement H6.

    Examples
    --------
    >>> hidden = pseudonymise(pd.Series(["ana@example.com", None, "ana@example.com"]), b"key")
    >>> hidden[0] == hidden[2], hidden[0].startswith("user-"), bool(pd.isna(hidden[1]))
    (True, True, True)
    """
    if not key:
        message = "The key of the user pseudonyms is empty"
        raise ParamsError(
            message, hint="set the environment variable that pseudonym_key_variable names in organisation.yaml"
        )
    text = values.astype(TEXT)
    hidden = {
        name: f"user-{hmac.digest(key, name.encode('utf-8', 'surrogatepass'), hashlib.sha256).hex()[:_HEX_DIGITS]}"
        for name in text.dropna().unique()
    }
    return text.map(hidden).astype(TEXT)


def fold_small_groups(spend: pd.DataFrame, members: pd.Series, *, minimum: int = 5) -> pd.DataFrame:
    """Fold the rows of groups so small that they would show what one person did.

    Parameters
    ----------
    spend : DataFrame
        One row per group: the group first, then columns that add up (tokens, cost, shares of one total).
    members : Series of int
        Distinct people, indexed by group; a group that is not listed counts as none.
    minimum : int
        Least number of people a row may stand for.

    Returns
    -------
    DataFrame
        The groups of ``minimum`` people or more and what names no group, then one row "small groups (n)". When only one
        group is too small the smallest other one is folded with it, or the total would give it away.

    References
    ----------
    Requirement H6.

    Examples
    --------
    >>> spend = pd.DataFrame({"user_group": ["a", "b", "c"], "tokens": [9, 1, 2]})
    >>> fold_small_groups(spend, pd.Series({"a": 30, "b": 2, "c": 6}))["tokens"].to_dict()
    {0: 9, 1: 3}
    """
    group = str(spend.columns[0])
    size = spend[group].map(lambda name: int(members.get(name, 0)))
    named = spend[group] != UNATTRIBUTED
    small = (size < minimum) & named
    if small.sum() == 1 and (named & ~small).any():
        small.loc[size[named & ~small].idxmin()] = True
    if not small.any():
        return spend.reset_index(drop=True)
    name = f"small groups ({int(small.sum())})"
    kept = spend[group].astype(TEXT).mask(small, name)
    folded = spend.drop(columns=group).groupby(kept, sort=False).sum(min_count=1).reset_index()
    return pd.concat([folded[folded[group] != name], folded[folded[group] == name]], ignore_index=True)
