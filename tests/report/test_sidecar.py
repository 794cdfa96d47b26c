"""What a notebook found, for machines."""

from __future__ import annotations

import json
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from finops_lib import inform, report
from finops_lib.checks import check
from finops_lib.errors import SchemaError


def filled(params, **more):
    """Fill a sidecar with one of everything."""
    out = report.Sidecar(params, "03_cost_profile", **more)
    out.glue("month_cost", Decimal("3214.550000000000000"), "USD")
    out.glue("month_cost_change", float("nan"), "share")
    out.glue("requests", np.int64(7), "requests")
    out.glue_checks(check("coverage", 0.9, ">=", 0.95, unit="share"))
    out.table("spend", pd.DataFrame({"model": ["a", "=cmd()"], "cost": [Decimal("0.100000000000000"), None]}))
    return out


def test_results_are_exact_and_unknown_is_null(params, tmp_path):
    """Money is exact text, counts are numbers, NaN is null."""
    content = json.loads(filled(params).write(tmp_path / "out").read_text())

    assert {"value": "3214.55", "unit": "USD"} == content["results"]["month_cost"]
    assert {"value": None, "unit": "share"} == content["results"]["month_cost_change"]
    assert {"value": 7, "unit": "requests"} == content["results"]["requests"]
    assert [False] == [row["passed"] for row in content["checks"]]
    assert ("finops-sidecar/1", "03_cost_profile", "support", "2026-09") == tuple(
        content[key] for key in ("schema", "notebook", "assistant", "period")
    )
    assert {"spend": "03_cost_profile.spend.csv"} == content["tables"]
    assert {"kit", "pandas", "pyarrow"} <= set(content["versions"])


def test_tables_are_written_as_csv_and_parquet(params, tmp_path):
    """The CSV keeps every digit and runs nothing in a spreadsheet; the Parquet keeps the text as it was."""
    filled(params).write(tmp_path)

    assert "model,cost\na,0.1\n'=cmd(),\n" == (tmp_path / "03_cost_profile.spend.csv").read_text()
    kept = pd.read_parquet(tmp_path / "03_cost_profile.spend.parquet")
    assert ["a", "=cmd()"] == kept["model"].tolist()
    assert Decimal("0.1") == kept["cost"].iloc[0]


def test_equal_inputs_give_equal_bytes(params, tmp_path):
    """Two runs differ in no byte, and leave nothing else behind."""
    first, second = tmp_path / "a", tmp_path / "b"
    for folder in (first, second, second):
        filled(params).write(folder)
    names = sorted(path.name for path in first.iterdir())

    assert ["03_cost_profile.json", "03_cost_profile.spend.csv", "03_cost_profile.spend.parquet"] == names
    assert names == sorted(path.name for path in second.iterdir())
    assert [(first / name).read_bytes() for name in names] == [(second / name).read_bytes() for name in names]


def test_where_the_project_lies_changes_nothing(params, tmp_path):
    """The parameters' hash is the same on another machine, and another with other parameters."""
    moved = params.model_copy(update={"project": tmp_path / "elsewhere"})
    other = params.model_copy(update={"period": "2026-08"})
    hashes = [
        json.loads(filled(given).write(tmp_path / str(place)).read_text())["params_sha256"]
        for place, given in enumerate((params, moved, other))
    ]

    assert hashes[0] == hashes[1] != hashes[2]


def test_the_folder_follows_the_batch(params, tmp_path, monkeypatch):
    """Alone it writes to outputs/<assistant>/<period>; the batch sends it elsewhere; a period may be resolved."""
    monkeypatch.delenv("FINOPS_OUTPUT", raising=False)
    latest = params.model_copy(update={"period": "latest"})
    alone = filled(latest, period="2026-09").write()
    monkeypatch.setenv("FINOPS_OUTPUT", str(tmp_path / "batch"))
    batch = filled(params).write()

    assert tmp_path / "outputs" / "support" / "2026-09" / "03_cost_profile.json" == alone
    assert tmp_path / "batch" / "03_cost_profile.json" == batch


def test_inputs_are_hashed(params, tmp_path):
    """A file is named relative to the project, with its hash; ready mappings are kept."""
    file = tmp_path / "ledger.parquet"
    file.write_bytes(b"abc")
    out = filled(params, inputs=[file, {"path": "a.csv", "sha256": "00", "rows": 3}])

    assert [
        {"path": "a.csv", "sha256": "00", "rows": 3},
        {"path": "ledger.parquet", "sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    ] == json.loads(out.write(tmp_path / "out").read_text())["inputs"]


@pytest.mark.parametrize(
    "again",
    [
        lambda out: out.glue("month_cost", 1),
        lambda out: out.glue_checks(check("coverage", 1, ">=", 0, unit="share")),
        lambda out: out.table("spend", pd.DataFrame()),
    ],
)
def test_a_name_is_recorded_once(params, again):
    """A second value would hide the first."""
    with pytest.raises(SchemaError, match="Hint: record each name once"):
        again(filled(params))


def test_names_are_file_names(params):
    """A table's name becomes part of a path, so it is a plain name."""
    with pytest.raises(SchemaError, match="Hint: use lower-case letters"):
        report.Sidecar(params, "x").table("../spend", pd.DataFrame())


def test_a_failed_write_leaves_the_former_file(params, tmp_path, monkeypatch):
    """Either the old or the new file stands, and no part of one."""
    path = filled(params).write(tmp_path / "out")
    before = path.read_bytes()
    changed = filled(params)
    changed.glue("more", 1)
    monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        changed.write(tmp_path / "out")

    assert before == path.read_bytes()
    assert not list((tmp_path / "out").glob(".*"))


def test_frames_of_the_stages_can_be_written(params, tmp_path, costs, usage):
    """Every frame of the profile goes to CSV and Parquet, a matrix with its index."""
    out = report.Sidecar(params, "03_cost_profile")
    out.table("spend", inform.spend_by(costs, "model"))
    out.table("matrix", inform.spend_matrix(costs, "model", "team"))
    out.table("daily", inform.daily_trend(costs, usage))
    out.table("months", inform.month_on_month(costs, usage))
    out.table("nothing", inform.spend_by(costs.head(0), "model"))
    out.write(tmp_path)

    assert "model,brand,legal,unattributed" == (tmp_path / "03_cost_profile.matrix.csv").read_text().split("\n")[0]
    assert "2026-07-06,0.0945," in (tmp_path / "03_cost_profile.daily.csv").read_text()
