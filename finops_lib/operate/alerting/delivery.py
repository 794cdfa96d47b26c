"""Delivery: alerts as text and payloads, sent signed and at least once, with a record of what is still unsent."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pandas as pd

from finops_lib.errors import ParamsError
from finops_lib.ingest import workspace

FORMATS = ("text", "json", "webhook", "slack", "teams")
RECORD = "alerts_sent.json"
_LONGEST_WAIT = 60.0
_PASSING = (408, 425, 429)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirected POST would arrive as a GET without its body: an error, not a delivery."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def format_alerts(alerts: pd.DataFrame, kind: str) -> str:
    """Write alerts for readers or machines.

    Parameters
    ----------
    alerts : DataFrame
        From ``alerts``.
    kind : {"text", "json", "webhook", "slack", "teams"}
        Text, one JSON list of records, or one line with the payload of each alert.

    Returns
    -------
    str
        Without a newline at the end.

    Raises
    ------
    ParamsError
        If the format is unknown.
    """
    records = alert_records(alerts)
    if kind == "text":
        return "\n\n".join(_sentence(record) for record in records) or "Nobody has to be told anything."
    if kind == "json":
        return json.dumps(records, ensure_ascii=False)
    return "\n".join(json.dumps(payload(record, kind), ensure_ascii=False) for record in records)


def alert_records(alerts: pd.DataFrame) -> list[dict[str, Any]]:
    """Turn alerts into plain records: days as text, money to the cent, nothing known as ``None``."""
    plain = alerts.assign(
        since=alerts["since"].dt.strftime("%Y-%m-%d"),
        found_on=alerts["found_on"].dt.strftime("%Y-%m-%d"),
        money=alerts["money"].round(2),
    ).astype(object)
    return plain.where(plain.notna(), None).to_dict("records")


def payload(record: dict[str, Any], kind: str) -> dict[str, Any]:
    """Write one alert as the body a receiver takes.

    Parameters
    ----------
    record : dict
        One of ``alert_records``.
    kind : {"webhook", "slack", "teams"}
        The record itself, a Slack message with blocks, or a Teams message with an adaptive card.

    Returns
    -------
    dict
        To be sent as JSON.

    Raises
    ------
    ParamsError
        If the format is unknown.
    """
    head, body = _heading(record), _lines(record)
    if kind == "webhook":
        return record
    if kind == "slack":
        # Slack reads these three as markup
        lines = [line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;") for line in body]
        blocks = [
            {"type": "header", "text": {"type": "plain_text", "text": head[:150]}},
            {"type": "section", "text": {"type": "mrkdwn", "text": "\n".join(lines)[:3000]}},
        ]
        return {"text": head, "blocks": blocks}
    if kind == "teams":
        texts = [{"type": "TextBlock", "text": line, "wrap": True} for line in body]
        title = {"type": "TextBlock", "text": head, "weight": "Bolder", "size": "Medium", "wrap": True}
        card = {"type": "AdaptiveCard", "version": "1.4", "body": [title, *texts]}
        content = {"contentType": "application/vnd.microsoft.card.adaptive", "content": card}
        return {"type": "message", "attachments": [content]}
    message = f"'{kind}' is no format of alerts"
    raise ParamsError(message, hint=f"choose one of {', '.join(FORMATS)}")


def signature(body: bytes, timestamp: int, secret: str) -> str:
    """Sign a body: HMAC-SHA256 over the time of sending, a dot, and the body.

    Parameters
    ----------
    body : bytes
        As sent.
    timestamp : int
        Seconds since 1970; a receiver refuses old ones, so that nobody can send a message again.
    secret : str
        Key that sender and receiver share.

    Returns
    -------
    str
        ``sha256=`` and the digest in hexadecimal.

    References
    ----------
    RFC 2104.
    """
    digest = hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()
    return f"sha256={digest}"


def send_alerts(
    alerts: pd.DataFrame,
    url: str,
    folder: Path,
    *,
    clock: Callable[[], float],
    kind: str = "webhook",
    secret: str | None = None,
    attempts: int = 4,
    timeout: float = 10.0,
    wait: Callable[[float], None] = time.sleep,
) -> pd.DataFrame:
    """Send each alert once more than never: those not yet sent to this address, and those left from former runs.

    Parameters
    ----------
    alerts : DataFrame
        From ``alerts``.
    url : str
        Address of the receiver, ``https`` or ``http``.
    folder : Path
        Workspace that keeps the record of what is sent and unsent.
    clock : callable
        Gives the seconds since 1970 that stand in the signature.
    kind : {"webhook", "slack", "teams"}
        Format of the body.
    secret : str, optional
        Key of the signature; without it messages are not signed.
    attempts : int
        Attempts for each alert in this run.
    timeout : float
        Seconds a receiver has to answer.
    wait : callable
        Waits so many seconds between two attempts.

    Returns
    -------
    DataFrame
        One row per alert of this run: ``key``, ``status`` (sent, unsent), ``attempts``, ``error`` of the last one.

    Raises
    ------
    ParamsError
        If the address is none, or the format unknown.

    Notes
    -----
    An alert is recorded as unsent before its first attempt and as sent after the receiver said so (2xx). Between
    the two a run can break off, so a message may arrive twice: its ``Idempotency-Key`` is the alert's key
    (percent-encoded), by which the receiver drops repeats. Failed connections, timeouts, 408, 425, 429 and 5xx are
    tried again, after 1, 2, 4 … seconds or as ``Retry-After`` says; any other answer is not, and the alert stays
    unsent until the next run. The record knows an address by its digest, since addresses of chat rooms are secrets.

    References
    ----------
    Requirement E4.
    """
    if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).netloc:
        message = "the address to send to is no http or https address"
        raise ParamsError(message, hint="give it as https://host/path")
    bodies = {record["key"]: payload(record, kind) for record in alert_records(alerts)}
    target = hashlib.sha256(f"{kind} {url}".encode()).hexdigest()[:16]
    waiting = _record(folder, target, {key: {"status": "unsent", "body": body} for key, body in bodies.items()})
    rows = []
    for key, kept in waiting.items():
        body = json.dumps(kept["body"], sort_keys=True).encode()
        error, tried = _deliver(url, key, body, secret, clock, attempts, timeout, wait)
        status = "unsent" if error else "sent"
        change = {"status": status, "error": error, "body": kept["body"]} if error else {"status": status}
        _record(folder, target, {key: change}, replace=True)
        rows.append({"key": key, "status": status, "attempts": tried, "error": error})
    return pd.DataFrame(rows, columns=["key", "status", "attempts", "error"])


def _record(folder: Path, target: str, changes: dict[str, Any], *, replace: bool = False) -> dict[str, Any]:
    """Write what became of alerts into the record; return those that are still unsent."""
    path = folder / RECORD
    with workspace.locked(folder):
        known = workspace.read_json(path, {})
        before = known.get(target, {})
        known[target] = before | changes if replace else changes | before
        if known[target] != before:
            workspace.write_json(path, known)
    return {key: kept for key, kept in known[target].items() if kept["status"] == "unsent"}


def _deliver(
    url: str,
    key: str,
    body: bytes,
    secret: str | None,
    clock: Callable[[], float],
    attempts: int,
    timeout: float,
    wait: Callable[[float], None],
) -> tuple[str | None, int]:
    """Post one message until it is taken; return the last error, and the attempts made."""
    error: str | None = None
    for attempt in range(1, attempts + 1):
        moment = int(clock())
        headers = {"Content-Type": "application/json", "Idempotency-Key": quote(key)}
        headers["X-FinOps-Timestamp"] = str(moment)
        if secret:
            headers["X-FinOps-Signature"] = signature(body, moment, secret)
        error, pause = _post(urllib.request.Request(url, body, headers, method="POST"), timeout)
        if error is None or pause is None or attempt == attempts:
            return error, attempt
        wait(min(max(2.0 ** (attempt - 1), pause), _LONGEST_WAIT))
    return error, attempts


def _post(request: urllib.request.Request, timeout: float) -> tuple[str | None, float | None]:
    """Return what went wrong, and the least seconds before another attempt; ``None`` when there is no use in one."""
    try:
        with urllib.request.build_opener(_NoRedirect).open(request, timeout=timeout) as answer:
            answer.read(1)
    except urllib.error.HTTPError as error:
        after = error.headers.get("Retry-After", "")
        passing = error.code >= 500 or error.code in _PASSING
        return f"the receiver answered {error.code}", (float(after) if after.isdigit() else 0.0) if passing else None
    except TimeoutError:
        return f"no answer within {timeout:g} s", 0.0
    except (OSError, HTTPException) as error:
        reason = getattr(error, "reason", error)
        return f"{type(reason).__name__}: {reason}", 0.0
    return None, None


def _heading(record: dict[str, Any]) -> str:
    return f"{record['severity'].capitalize()}: {record['kind']}, {record['subject']}"


def _lines(record: dict[str, Any]) -> list[str]:
    """Say what, why, who and what to do, a line each."""
    told = [f"{record['message'][:1].upper()}{record['message'][1:]}."]
    told += [f"Likely cause: {record['cause']}."] if record["cause"] else []
    told += [f"The same cause concerns: {record['also']}."] if record["also"] else []
    told.append(f"USD {record['money']:,.2f}, since {record['since']}.")
    owners = f"{record['technical_owner'] or 'nobody'} (technical), {record['budget_owner'] or 'nobody'} (budget)"
    told.append(f"Owners: {owners}" + (f"; {record['owner_note']}." if record["owner_note"] else "."))
    return [*told, f"To do: {record['action']}."]


def _sentence(record: dict[str, Any]) -> str:
    return "\n  ".join([_heading(record), *_lines(record)])
