"""Words and numbers: one way to write money, shares, counts, months and names."""

from __future__ import annotations

import calendar
import html
import re
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pandas as pd

UNKNOWN = "not known"


def is_known(value: Any) -> bool:
    """Tell whether a single value is neither ``None`` nor a null nor infinite."""
    return value is not None and not pd.isna(value) and abs(float(value)) != float("inf")


def usd(amount: Decimal | float | None, *, cents: bool = True) -> str:
    """Write an amount of money.

    Parameters
    ----------
    amount : Decimal, float or None
        USD.
    cents : bool
        Without cents, amounts of 1,000 and more are rounded to dollars, as fits a label.

    Returns
    -------
    str
        ``USD 1,234.50``, an amount below a cent with two significant digits; "not known" for null.

    Examples
    --------
    >>> usd(Decimal("1234.5")), usd(1234.5, cents=False), usd(-0.05), usd(0.00034), usd(0)
    ('USD 1,234.50', 'USD 1,235', 'USD -0.05', 'USD 0.00034', 'USD 0.00')
    """
    if not is_known(amount):
        return UNKNOWN
    exact = Decimal(str(amount))
    if exact and abs(exact) < Decimal("0.01"):
        return f"USD {_significant(exact, 2)}"
    places = Decimal(1) if not cents and abs(exact) >= 1000 else Decimal("0.01")
    return f"USD {exact.quantize(places, ROUND_HALF_UP):,}"


def unit_price(amount: Decimal | float | None, *, digits: int = 3) -> str:
    """Write a small price with as many digits as it needs.

    Parameters
    ----------
    amount : Decimal, float or None
        USD per something.
    digits : int
        Significant digits of amounts that cents do not write exactly.

    Returns
    -------
    str
        At least cents; "not known" for null.

    Examples
    --------
    >>> unit_price(0.033571), unit_price(12.3456), unit_price(2.5)
    ('USD 0.0336', 'USD 12.35', 'USD 2.50')
    """
    if not is_known(amount):
        return UNKNOWN
    exact = Decimal(str(amount))
    if abs(exact) >= Decimal(10) ** (digits - 2) or exact == exact.quantize(Decimal("0.01")):
        return usd(exact)
    return f"USD {_significant(exact, digits)}"


def share(value: float | None, *, signed: bool = False, decimals: int | None = None) -> str:
    """Write a share as percent, without rounding something to nothing or a part to the whole.

    Parameters
    ----------
    value : float or None
        A share; 1 is the whole.
    signed : bool
        Write a change: with its sign.
    decimals : int, optional
        Always so many decimals, for numbers that stand in a column.

    Returns
    -------
    str
        Whole percents from 10 % on and one decimal below; "not known" for null.

    Examples
    --------
    >>> share(0.614), share(0.042), share(0.0002), share(0.9996), share(1.0), share(0.12, signed=True)
    ('61%', '4.2%', '<0.1%', '>99.9%', '100%', '+12%')
    """
    if not is_known(value):
        return UNKNOWN
    percent = abs(float(value)) * 100
    sign = "-" if value < 0 and percent >= 0.05 else "+" if signed and percent >= 0.05 else ""
    if 0 < percent < 0.05:
        text = "<0.1%"
    elif 99.5 <= percent < 100 and not signed:
        text = f"{percent:.1f}%" if percent < 99.95 else ">99.9%"
    elif decimals is not None:
        text = f"{_half_up(percent, '0.' + '0' * (decimals - 1) + '1' if decimals else '1'):,}%"
    elif percent >= 9.95 or percent == 0:
        text = f"{_half_up(percent, '1'):,}%"
    else:
        text = f"{_half_up(percent, '0.1')}%"
    return sign + text


def points(difference: float | None, *, signed: bool = False) -> str:
    """Write the difference of two shares in percentage points: a percent would be read as a part of one of them.

    Parameters
    ----------
    difference : float or None
        Of two shares; 0.02 is two points.
    signed : bool
        Write a change: with its sign.

    Returns
    -------
    str
        With one decimal; "not known" for null.

    Examples
    --------
    >>> points(0.02), points(-0.0344, signed=True), points(0.2, signed=True)
    ('2.0 points', '-3.4 points', '+20.0 points')
    """
    if not is_known(difference):
        return UNKNOWN
    number = _half_up(float(difference) * 100, "0.1")
    return f"{number:+} points" if signed and number else f"{number} points"


def count(number: float | None, *, compact: bool = False) -> str:
    """Write how many.

    Parameters
    ----------
    number : int, float or None
        A count; fractions keep one decimal.
    compact : bool
        Three significant digits with k, M, B.

    Returns
    -------
    str
        With thousands separators; "not known" for null.

    Examples
    --------
    >>> count(1234567), count(1234567, compact=True), count(999_999, compact=True), count(12.25)
    ('1,234,567', '1.23M', '1M', '12.3')
    """
    if not is_known(number):
        return UNKNOWN
    exact = Decimal(str(number))
    if compact:
        for factor, letter in ((10**12, "T"), (10**9, "B"), (10**6, "M"), (10**3, "k")):
            if abs(exact) >= factor * Decimal("0.9995"):
                scaled = exact / factor
                places = (
                    "1" if abs(scaled) >= Decimal("99.95") else "0.1" if abs(scaled) >= Decimal("9.995") else "0.01"
                )
                text = f"{scaled.quantize(Decimal(places), ROUND_HALF_UP):f}"
                return (text.rstrip("0").rstrip(".") if "." in text else text) + letter
    if exact == exact.to_integral_value():
        return f"{int(exact):,}"
    return f"{exact.quantize(Decimal('0.1'), ROUND_HALF_UP):,}"


def month_name(period: str) -> str:
    """Write a month in words; anything that is no month as it stands.

    Parameters
    ----------
    period : str
        ``YYYY-MM``.

    Returns
    -------
    str
        E.g. ``September 2026``.

    Examples
    --------
    >>> month_name("2026-09"), month_name("all")
    ('September 2026', 'all')
    """
    match = re.fullmatch(r"(\d{4})-(0[1-9]|1[0-2])", period)
    return f"{calendar.month_name[int(match[2])]} {match[1]}" if match else period


def words(name: str) -> str:
    """Write a column or dimension name as words.

    Parameters
    ----------
    name : str
        In snake_case.

    Returns
    -------
    str
        E.g. ``cost center``.

    Examples
    --------
    >>> words("cost_center"), words("api_key"), words("log_gb")
    ('cost center', 'API key', 'log GB')
    """
    return re.sub(r"\bgb\b", "GB", name.replace("_", " ").replace("api key", "API key"))


def more_or_less(change: float) -> str:
    """Write a change as words.

    Parameters
    ----------
    change : float
        A share; 0.12 is twelve percent more.

    Returns
    -------
    str
        E.g. ``12% more than``, ``as much as``.

    Examples
    --------
    >>> more_or_less(0.12), more_or_less(-0.034), more_or_less(0.001)
    ('12% more than', '3.4% less than', 'as much as')
    """
    if abs(change) < 0.005:
        return "as much as"
    return f"{share(abs(change))} {'more' if change > 0 else 'less'} than"


def escape_markdown(text: str) -> str:
    r"""Write a name from the data so that Markdown shows it and does not act on it.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    str
        HTML and Markdown characters escaped.

    Examples
    --------
    >>> escape_markdown("<b>a_b*c</b>")
    '&lt;b&gt;a\\_b\\*c&lt;/b&gt;'
    """
    plain = html.escape(" ".join(str(text).split()), quote=False)
    return re.sub(r"([\\`*_{}\[\]()#+!|~$])", r"\\\1", plain)


def shorten(text: str, width: int = 34) -> str:
    """Cut a long name in its middle: ends tell versions and variants apart.

    Parameters
    ----------
    text : str
        Any name.
    width : int
        Most characters to keep.

    Returns
    -------
    str
        One line of at most ``width`` characters.

    Examples
    --------
    >>> shorten("a-very-long-model-name-2026-01-31", 15)
    'a-very-…6-01-31'
    """
    line = " ".join(str(text).split())
    if len(line) <= width:
        return line
    keep = width - 1
    return f"{line[: keep - keep // 2]}…{line[-(keep // 2) :]}"


def two_lines(text: str, width: int = 30) -> str:
    r"""Break a long name over two lines at one of its own joints.

    Parameters
    ----------
    text : str
        Any name.
    width : int
        Characters a line may take; what two lines cannot hold is cut in its middle.

    Returns
    -------
    str
        One line, or two with a newline between.

    Examples
    --------
    >>> two_lines("short-name", 12), two_lines("region.vendor.model-large-v2", 16)
    ('short-name', 'region.vendor.\nmodel-large-v2')
    """
    width = max(width, 6)
    line = shorten(text, 2 * width)
    if len(line) <= width:
        return line
    # not between the digits of a version
    joints = [match.end() for match in re.finditer(r"(?<=.)([ _/:-]|\.(?!\d))(?=.)", line)]
    # a joint that leaves two lines within the width, as near to the middle as there is one
    fitting = [place for place in joints if max(place, len(line) - place) <= width + 2] or [len(line) // 2]
    at = min(fitting, key=lambda place: abs(place - len(line) / 2))
    return f"{line[:at].rstrip()}\n{line[at:].lstrip()}"


def _half_up(number: float, places: str) -> Decimal:
    return Decimal(str(number)).quantize(Decimal(places), ROUND_HALF_UP)


def _significant(exact: Decimal, digits: int) -> str:
    """Round to significant digits, in plain notation."""
    places = Decimal(1).scaleb(exact.adjusted() - digits + 1)
    return f"{exact.quantize(places, ROUND_HALF_UP):f}"
