"""Exports: read a team's files into the workspace, say what became of every row, change nothing the second time."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa

from finops_lib import __version__
from finops_lib.errors import SourceError
from finops_lib.ingest import workspace
from finops_lib.ingest.bills.bills import read_bills
from finops_lib.ingest.bills.deliveries import STAGES
from finops_lib.ingest.engine import connect, fetch
from finops_lib.ingest.prices.rows import PriceList, read_price_list
from finops_lib.ingest.readers import BILL_FORMATS, check_format, find_bill_reader, find_reader, recognise
from finops_lib.ingest.readers.base import Reader
from finops_lib.ingest.readers.mapped import Mapping, check_columns, mapped_reader, read_mapping
from finops_lib.ingest.reading import attribution
from finops_lib.ingest.reading.containers import SAMPLE_CHARACTERS, find_files, first_records, open_bytes, reading
from finops_lib.ingest.reading.database import database_label, fetch_spend_logs, is_database
from finops_lib.ingest.reading.laid_records import lay_records, refuse_unread, relax_records
from finops_lib.ingest.reading.normalise import Origin, normalise, type_records
from finops_lib.ingest.reading.originals import keep_raw_text
from finops_lib.ingest.reading.records import load_records
from finops_lib.ingest.reading.sources import FATES, Reading, covers, label_of
from finops_lib.ingest.reading.summary import reading_figures, reading_warnings
from finops_lib.ingest.tables import read_table
from finops_lib.params import Params, Source

CLOCK_TOLERANCE = timedelta(days=2)


def read_source(
    source: Source, params: Params, *, prices: PriceList | None = None, paths: Sequence[str] | None = None
) -> list[Reading]:
    """Read one source into the workspace.

    Parameters
    ----------
    source : Source
        What to read, as in ``organisation.yaml``.
    params : Params
        Project, workspace, owners and rules.
    prices : PriceList, optional
        Price list for the figures; the packaged one otherwise.
    paths : sequence of str, optional
        Several paths in place of ``source.path``.

    Returns
    -------
    list of Reading
        One a format found; a source read before, unchanged, is not read again and gives the same figures.

    Raises
    ------
    SourceError
        If nothing is there to read, a file is of no known format or of another than the one named.
    """
    prices = prices or read_price_list()
    given = list(paths or [source.path])
    if any(map(is_database, given)):
        _check_database(given, source)
        with tempfile.TemporaryDirectory() as folder:
            return [_read_files(fetch_spend_logs(given[0], Path(folder)), "litellm", source, params, prices, given)]
    files = find_files(given, params.project)
    if source.table not in ("requests", *STAGES):
        return [read_table(files, source, params)]
    return [
        read_bills(members, name, source, params)
        if name in BILL_FORMATS or source.table in STAGES
        else _read_files(members, name, source, params, prices, given)
        for name, members in sorted(_by_format(files, source, params).items())
    ]


def _check_database(given: list[str], source: Source) -> None:
    if len(given) > 1:
        message = f"A database is read alone, found {len(given)} paths"
        raise SourceError(message, hint="read the database and the files one after the other")
    if source.format not in ("auto", "litellm") or source.table != "requests":
        message = f"A database holds spend logs of LiteLLM, not '{source.format}' of table '{source.table}'"
        raise SourceError(message, hint="use --format litellm, or export the other tables as files")


def _by_format(files: list[Path], source: Source, params: Params) -> dict[str, list[Path]]:
    if source.format == "mapped":
        for path in files if source.table == "requests" and not source.mapping else []:
            _check_own_columns(path)
        return {"mapped": files}
    if source.format != "auto":
        reader = find_bill_reader(source.format) if source.format in BILL_FORMATS else find_reader(source.format)
        for path in files:
            check_format(path, reader)
        return {source.format: files}
    found: dict[str, list[Path]] = {}
    for path in files:
        name = recognise(path)
        if name is None and first_records(path) and source.table == "requests":
            message = f"{path}: its format is not recognised"
            raise SourceError(message, hint="name it with --format, or describe its columns with --format mapped")
        found.setdefault(name or "mapped", []).append(path)
    return found


def _check_own_columns(path: Path) -> None:
    """Refuse a file of another format, or without a time, where no mapping says what its columns are."""
    looks = recognise(path)
    fields = {str(key).strip().lower() for record in first_records(path) if isinstance(record, dict) for key in record}
    if looks not in (None, "mapped") or (looks is None and fields and "timestamp" not in fields):
        like = f"it looks like '{looks}'" if looks else f"it has {', '.join(sorted(fields)[:12])}"
        message = f"{path}: its columns are not named as the kit names them; {like}"
        hint = f"use --format {looks}" if looks else "name its columns with --mapping FILE.yaml"
        raise SourceError(message, hint=hint)


def _read_files(
    files: list[Path], name: str, source: Source, params: Params, prices: PriceList, given: list[str]
) -> Reading:
    mapping = read_mapping(params.project / source.mapping if source.mapping else None) if name == "mapped" else None
    reader = mapped_reader(mapping) if mapping else find_reader(name)
    if is_database(given[0]):
        # A table is read whole, however many rows it has.
        reader = replace(reader, row_limit=None)
        labels = [database_label(given[0])]
    else:
        labels = [label_of(path, params.project) for path in files]
    with workspace.locked(params.workspace):
        key = _reading_key(files, labels, reader, source, params, mapping, prices)
        known = workspace.read_json(params.workspace / "reads.json", {})
        # Keys hold times of files, so they stand apart from what reports are made of.
        keys = workspace.read_json(params.workspace / ".reading_keys.json", {})
        place = f"{name}:{'|'.join(labels)}"
        if keys.get(place) == key and place in known:
            return Reading(**known[place]["reading"])
        # The same files under new rules (a mapping that was mended): their rows may have other ids now.
        again = keys.get(place, "").split("-")[0] == key.split("-")[0]
        absent = [text for path in files for text in check_columns(path, mapping)] if mapping and source.mapping else []
        reading, gone = _read_anew(files, labels, reader, source, params, prices, again=again)
        reading.warnings[:0] = absent
        if gone:
            # What lost against a row that is gone stands in another place and has to be read anew there.
            keys = {p: known_key for p, known_key in keys.items() if not p.startswith(f"{name}:")}
        known = {p: entry for p, entry in known.items() if not covers(reading, entry["reading"])}
        known[place] = {"reading": reading.__dict__}
        workspace.write_json(params.workspace / "reads.json", known)
        workspace.write_json(params.workspace / ".reading_keys.json", keys | {place: key})
    return reading


def _reading_key(
    files: list[Path],
    labels: list[str],
    reader: Reader,
    source: Source,
    params: Params,
    mapping: Mapping | None,
    prices: PriceList,
) -> str:
    """Hash what a reading rests on: the files, then the rules they are read by."""
    rules = params.organisation.model_dump(mode="json", exclude={"sources", "company", "defaults"})
    others = {
        n: s.model_dump(mode="json", include={"match", "title", "defaults"}) for n, s in params.assistants.items()
    }
    stats = [(path.stat().st_size, path.stat().st_mtime_ns) for path in files]
    parts = [
        workspace.LAYOUT,
        __version__,
        reader.name,
        prices.version,
        mapping.model_dump() if mapping else None,
        rules,
        others,
        source.model_dump(exclude={"path"}),
    ]
    hashed = (json.dumps(part, sort_keys=True, default=str).encode() for part in ([stats, labels], parts))
    return "-".join(hashlib.sha256(text).hexdigest() for text in hashed)


def _read_anew(
    files: list[Path],
    labels: list[str],
    reader: Reader,
    source: Source,
    params: Params,
    prices: PriceList,
    *,
    again: bool = False,
) -> tuple[Reading, bool]:
    with tempfile.TemporaryDirectory() as folder, connect(scratch=Path(folder)) as connection:
        named = dict(zip(files, labels if len(labels) == len(files) else labels * len(files), strict=True))
        _register_times(connection, named)
        attribution.register_owners(connection, params.organisation, params.assistants)
        origin = Origin(source.account, source.layer, source.defaults)
        first = not workspace.files_of(params.workspace, "requests", reader.name)
        _load(connection, files, reader, Path(folder), named)
        normalise(connection, reader, params.organisation, prices, origin, first=first)
        keep_raw_text(connection, "new_quarantine", "typed")
        warnings = reading_warnings(connection, reader)
        reasons = fetch(connection, "SELECT fate, reason, rows FROM fates ORDER BY ALL").to_pylist()
        counts = {fate: sum(r["rows"] for r in reasons if r["fate"] == fate) for fate in FATES}
        _cover(connection, labels if again else [])
        gone = False
        for table, fresh, fate in (
            ("requests", "new_requests", "requests"),
            ("usage_buckets", "new_buckets", "aggregated"),
        ):
            lost, went = workspace.merge_new(connection, params.workspace, table, fresh, reader.name, "covered")
            gone |= went
            if lost:
                counts[fate] -= lost
                counts["duplicates"] += lost
                reasons.append({"fate": "duplicates", "reason": "same id as a row read before", "rows": lost})
            if first and table == "requests":
                _read_back(connection, workspace.files_of(params.workspace, table, reader.name))
        for table, fresh in (("quarantine", "new_quarantine"), ("spans", "new_spans")):
            workspace.replace_rows(connection, params.workspace, table, fresh, reader.name, labels)
        figures = reading_figures(connection, params.organisation, prices)
    reasons = [r for r in reasons if r["fate"] != "requests" and r["fate"] != "aggregated"]
    return Reading(reader.name, labels, {"read": sum(counts.values()), **counts}, reasons, figures, warnings), gone


def _cover(connection: duckdb.DuckDBPyConnection, wholly: list[str]) -> None:
    """Note which time each file covers, by the times that can be right; some files count as covering all of it."""
    connection.execute(
        """CREATE OR REPLACE TABLE covered AS
        SELECT source_file, min(timestamp) AS first, max(timestamp) AS last FROM typed
        WHERE timestamp IS NOT NULL AND NOT coalesce(starts_with(fault, 'timestamp '), false)
            AND NOT list_contains($1, source_file) GROUP BY 1
        UNION ALL
        SELECT unnest(CAST($1 AS VARCHAR[])), TIMESTAMPTZ '-infinity', TIMESTAMPTZ 'infinity'""",
        [wholly],
    )


def _load(
    connection: duckdb.DuckDBPyConnection, files: list[Path], reader: Reader, scratch: Path, named: dict[Path, str]
) -> None:
    """Load and type the records: lines while they are read, strictly if they let themselves, anything else copied."""
    given = {"unwrap": reader.unwrap, "scratch": scratch, "labels": named}
    # A line that cannot be read is known by a row without a time, unless that is given for all.
    if "started" in reader.constants or not lay_records(connection, files, reader.fields, **given):
        load_records(connection, files, reader.fields, **given)
        type_records(connection, reader)
        return
    try:
        type_records(connection, reader)
    except duckdb.IOException as error:
        raise _unreadable(files, error) from error
    except duckdb.Error:
        relax_records(connection, reader.fields)
        type_records(connection, reader)
        if not refuse_unread(connection, "typed"):
            load_records(connection, files, reader.fields, **given, strictly=False)
            type_records(connection, reader)


def _unreadable(files: list[Path], error: duckdb.Error) -> SourceError:
    """Tell which of several files breaks off or holds something else behind its end."""
    for path in files:
        with reading(path), open_bytes(path) as stream:
            while stream.read(SAMPLE_CHARACTERS):
                pass
    message = f"{', '.join(map(str, files))}: cannot be read: {str(error).splitlines()[0]}"
    return SourceError(message, hint="check that the files are complete")


def _read_back(connection: duckdb.DuckDBPyConnection, files: list[Path]) -> None:
    """Let what is asked of the new requests be asked of their files, which hold them worked out."""
    is_view = connection.execute("SELECT count(*) FROM duckdb_views() WHERE view_name = 'new_requests'").fetchall()[0][
        0
    ]
    if files and is_view:
        connection.execute(f"CREATE OR REPLACE VIEW new_requests AS SELECT * FROM {workspace.scan(files)}")


def _register_times(connection: duckdb.DuckDBPyConnection, named: dict[Path, str]) -> None:
    """Note how young a record can be: no younger than its file; clocks may differ a little."""
    latest: dict[str, datetime] = {}
    for path, label in named.items():
        written = datetime.fromtimestamp(path.stat().st_mtime, tz=UTC) + CLOCK_TOLERANCE
        latest[label] = max(written, latest.get(label, written))
    table = pa.table({"source_file": list(latest), "latest": pa.array(latest.values(), pa.timestamp("us", tz="UTC"))})
    connection.register("times", table)
    connection.execute("CREATE OR REPLACE TABLE file_times AS SELECT * FROM times")
    connection.unregister("times")
