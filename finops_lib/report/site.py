"""The site: finished runs become static pages, with the data behind them, that open offline."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import jinja2

from finops_lib.errors import BatchError
from finops_lib.params import ORGANISATION
from finops_lib.report.site_entries import Entry, read_entries
from finops_lib.report.text import month_name, share, usd

MANIFEST = "finops-manifest/1"
_CENT = 0.005  # what rounds to a cent
COST, CHANGE, STATEMENT = "month_cost", "month_cost_change", "own_cost"
"""Results that the index shows for an assistant: cost of the month, and its change on the month before as a share."""
TEMPLATES = Path(__file__).with_name("site")


def write_site(
    runs: Path,
    site: Path,
    *,
    company: str = "",
    workspace_sha256: str = "",
) -> Path:
    """Write the whole site from the runs on record, beside the former one, and swap them.

    Parameters
    ----------
    runs : Path
        Folder ``<subject>/<period>/`` of receipts, failures, page bodies, notebooks, sidecars and tables.
    site : Path
        Folder of the site; a former site there is replaced as a whole.
    company : str
        Name on the pages.
    workspace_sha256 : str
        Fingerprint of today's workspace; reports of the newest period made from another one are marked.

    Returns
    -------
    Path
        The folder of the site.

    Raises
    ------
    BatchError
        If the folder holds something that is no site, or there is nothing to show.
    OSError
        If a file cannot be written; the former site is then still in place.
    """
    entries = read_entries(runs)
    if not entries:
        message = f"No runs on record in {runs}: there is no site to write"
        raise BatchError(message, hint="run the batch first")
    if site.exists() and any(site.iterdir()) and not _is_site(site):
        message = f"{site} holds files that are not a report site; it would be replaced as a whole"
        raise BatchError(message, hint="move them away or choose another folder")
    fresh, former = site.with_name(f".{site.name}.new"), site.with_name(f".{site.name}.old")
    for leftover in (fresh, former):
        shutil.rmtree(leftover, ignore_errors=True)
    try:
        fresh.mkdir(parents=True)
        _Writer(fresh, entries, company, workspace_sha256).write()
    except OSError:
        shutil.rmtree(fresh, ignore_errors=True)
        raise
    if site.exists():
        site.rename(former)
    try:
        fresh.rename(site)
    except OSError:
        if former.exists():
            former.rename(site)
        raise
    shutil.rmtree(former, ignore_errors=True)
    return site


class _Writer:
    """Writes one site into an empty folder."""

    def __init__(self, root: Path, entries: list[Entry], company: str, workspace: str) -> None:
        self.root, self.entries, self.workspace = root, entries, workspace
        self.periods = sorted({entry.period for entry in entries}, reverse=True)
        loader = jinja2.FileSystemLoader(TEMPLATES)
        self.jinja = jinja2.Environment(
            loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
        )
        self.jinja.filters |= {"month": _month, "money": _money, "change": _change, "name": _file_name}
        self.jinja.globals |= {"company": company, "periods": self.periods, "is_older": self._is_older}

    def write(self) -> None:
        shutil.copyfile(TEMPLATES / "finops.css", self.root / "finops.css")
        for entry in self.entries:
            siblings = [one for one in self.entries if (one.subject, one.period) == (entry.subject, entry.period)]
            others = [one for one in self.entries if (one.subject, one.notebook) == (entry.subject, entry.notebook)]
            context = {"entry": entry, "siblings": siblings, "months": others}
            self._copy(entry)
            if entry.failure:
                self._page(entry.path("page"), "failure.html.j2", **context)
            if entry.receipt:
                body = self._linked((entry.folder / f"{entry.notebook}.body.html").read_text(encoding="utf-8"), entry)
                self._page(entry.path("former"), "report.html.j2", body=body, **context)
        for period in self.periods:
            self._page(self._index(period), "index.html.j2", **self._overview(period))
        self._page("data/index.html", "data.html.j2", entries=self.entries)
        (self.root / "manifest.json").write_text(_dump(self._manifest()), encoding="utf-8")

    def _linked(self, body: str, entry: Entry) -> str:
        """Let links between pages lead to what there is: the page, why it failed, or the index of the month."""
        pages = {one.path(kind) for one in self.entries for kind in ("page", "former") if kind == "page" or one.receipt}

        def target(found: re.Match[str]) -> str:
            page = f"pages/{unquote(found[1])}"
            if f"{page}.html" in pages:
                return found[0]
            failed = f"{page}.failed.html" in pages
            return f'href="../../{found[1]}.failed.html"' if failed else f'href="../../../{self._index(entry.period)}"'

        return re.sub(r'href="\.\./\.\./([^/"]+/[^/"]+/[^/"]+)\.html"', target, body)

    def _index(self, period: str) -> str:
        return "index.html" if period == self.periods[0] else f"index-{period}.html"

    def _page(self, path: str, template: str, **context: Any) -> None:
        up = "../" * path.count("/")

        def link(to: str) -> str:
            return up + quote(to)

        html = self.jinja.get_template(template).render(link=link, index=self._index, here=path, **context)
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(html, encoding="utf-8")

    def _copy(self, entry: Entry) -> None:
        copies = [(name, to) for name, to in entry.data]
        if entry.receipt:
            copies.append(
                (f"{entry.notebook}.ipynb", f"notebooks/{entry.subject}/{entry.period}/{entry.notebook}.ipynb")
            )
        if entry.failure.get("notebook_kept"):
            copies.append((f"{entry.notebook}.failed.ipynb", entry.path("notebook")))
        for name, to in copies:
            target = self.root / to
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(entry.folder / name, target)

    def _is_older(self, entry: Entry) -> bool:
        """Whether the newest period's report was made from other data than there is now."""
        made_from = entry.record.get("workspace_sha256")
        return bool(self.workspace) and entry.period == self.periods[0] and made_from != self.workspace

    def _overview(self, period: str) -> dict[str, Any]:
        shown = [entry for entry in self.entries if entry.period == period]
        titles = {entry.notebook: entry.title for entry in reversed(shown)}
        subjects = {entry.subject: entry.label for entry in reversed(self.entries)}
        rows = []
        for subject in sorted(subjects, key=[entry.subject for entry in self.entries].index):
            own, is_team = [entry for entry in shown if entry.subject == subject], "+" in subject
            rows.append({
                "label": subjects[subject],
                "whole": subject == ORGANISATION,
                "is_assistant": subject != ORGANISATION and not is_team,
                "is_team": is_team,
                "cost": _first(entry.result(STATEMENT if is_team else COST) for entry in own),
                "change": _first(entry.result(CHANGE) for entry in own),
                "checks": sum(len(entry.checks) for entry in own),
                "failed": sum(entry.failed_checks for entry in own),
                "entries": {entry.notebook: entry for entry in own},
            })  # fmt: skip
        rest = _unattributed(rows)
        states = [entry.state for entry in shown]
        counts = {state: states.count(state) for state in ("ok", "no data", "FAILED")}
        checks = {"all": sum(row["checks"] for row in rows), "failed": sum(row["failed"] for row in rows)}
        teams = [row for row in rows if row["is_team"]]
        of_teams = {notebook for row in teams for notebook in row["entries"]}
        return {
            "period": period,
            "rows": rows,
            "teams": teams,
            "unattributed": rest,
            "notebooks": dict(sorted(titles.items())),
            "team_notebooks": {name: title for name, title in sorted(titles.items()) if name in of_teams},
            "counts": counts,
            "checks": checks,
        }

    def _manifest(self) -> dict[str, Any]:
        environments: dict[str, Any] = {}
        runs = []
        for entry in self.entries:
            environment = entry.record["environment"]
            digest = hashlib.sha256(_dump(environment).encode()).hexdigest()[:12]
            environments[digest] = environment
            kept = ("assistant", "team", "notebook", "period", "title", "parameters", "parameters_sha256",
                    "notebook_sha256", "workspace_sha256")  # fmt: skip
            runs.append({key: entry.record.get(key) for key in kept} | {
                "state": entry.state,
                "environment": digest,
                "page": entry.path("page"),
                "inputs": entry.sidecar.get("inputs", []),
                "results": entry.sidecar.get("results", {}),
                "checks": len(entry.checks),
                "checks_failed": entry.failed_checks,
                "outputs": entry.receipt.get("outputs", {}),
                "failure": entry.failure.get("failure", {}).get("error"),
            })  # fmt: skip
        return {"schema": MANIFEST, "periods": self.periods, "environments": environments, "runs": runs}


def _is_site(folder: Path) -> bool:
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return str(manifest.get("schema", "")).startswith("finops-manifest/")


def _first(values: Iterable[float | None]) -> float | None:
    return next((value for value in values if value is not None), None)


def _unattributed(rows: list[dict[str, Any]]) -> float | None:
    """Return the organisation's cost that no assistant's row shows; teams hold the assistants' cost once more."""
    whole = _first(row["cost"] for row in rows if row["whole"])
    costs = [row["cost"] for row in rows if row["is_assistant"] and row["cost"] is not None]
    rest = whole - sum(costs) if whole is not None and costs else 0.0
    return rest if abs(rest) >= _CENT else None


def _month(period: str) -> str:
    return "latest month" if period == "latest" else month_name(period)


def _money(value: float | None) -> str:
    return "–" if value is None else usd(value).removeprefix("USD ")


def _change(value: float | None) -> str:
    return "–" if value is None else share(value, signed=True, decimals=1)


def _file_name(path: str) -> str:
    return path.rsplit("/", 1)[-1]


def _dump(content: Any) -> str:
    return json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
