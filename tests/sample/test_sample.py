"""The sample as a whole: same seed, same files, small."""

from __future__ import annotations

import gzip
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq

from finops_lib.params import load_params
from finops_lib.sample import write_sample_data

PROJECT = Path(__file__).parents[2]
COMMITTED = PROJECT / "sample_data"


def _files(folder: Path) -> dict[str, Path]:
    return {str(path.relative_to(folder)): path for path in sorted(folder.rglob("*")) if path.is_file()}


def _content(path: Path) -> object:
    """Compare what is in a file: compressors differ between machines, contents do not."""
    if path.suffix == ".gz":
        return gzip.decompress(path.read_bytes())
    return pq.read_table(path) if path.suffix == ".parquet" else path.read_bytes()


def test_two_runs_give_equal_bytes(tmp_path: Path) -> None:
    """Equal seeds give equal files, byte for byte."""
    first, second = (write_sample_data(tmp_path / name, scale=0.05) for name in ("first", "second"))

    assert {name: path.read_bytes() for name, path in _files(first).items()} == {
        name: path.read_bytes() for name, path in _files(second).items()
    }


def test_committed_files_are_what_the_generator_writes(folder: Path) -> None:
    """Nobody edited the sample by hand, and the generator was not changed without it."""
    assert list(_files(folder)) == list(_files(COMMITTED))
    for name, path in _files(folder).items():
        assert _content(path) == _content(COMMITTED / name), name


def test_sample_is_small() -> None:
    """The folder stays below 5 MB."""
    assert sum(path.stat().st_size for path in _files(COMMITTED).values()) < 5_000_000


def test_command_writes_the_folder(tmp_path: Path) -> None:
    """The module runs by itself and explains its arguments."""
    shown = subprocess.run(
        [sys.executable, "-m", "finops_lib.sample", "--help"], cwd=PROJECT, check=True, capture_output=True, text=True
    )

    assert "--seed" in shown.stdout


def test_parameters_of_the_sample_are_valid() -> None:
    """All six assistants load, and every source is a file of the sample."""
    params = load_params(project=PROJECT)

    assert [
        "coding-assistant",
        "contract-extraction",
        "knowledge-bot",
        "marketing-drafting",
        "sales-research-agent",
        "support-copilot",
    ] == list(params.assistants)
    assert "Europe/Berlin" == params.organisation.time_zone
    for source in params.organisation.sources:
        assert any(PROJECT.glob(source.path)), source.path
        assert source.mapping is None or (PROJECT / source.mapping).is_file()
    for name in params.assistants:
        settings = load_params(name, project=PROJECT).settings
        assert settings.owners.business
        assert settings.owners.technical
        assert settings.title
