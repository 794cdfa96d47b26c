"""What takes long is made once."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from finops_lib.ingest import kept as module
from finops_lib.ingest.kept import made_once
from finops_lib.params import Params, load_params


@pytest.fixture
def params(tmp_path: Path) -> Params:
    """Load an empty project."""
    (tmp_path / "parameters").mkdir()
    (tmp_path / "parameters" / "organisation.yaml").write_text("")
    return load_params(project=tmp_path)


def test_the_second_time_nothing_is_made(params: Params) -> None:
    """The same result, of one making; another name is another thing."""
    made = []

    def make() -> dict[str, int]:
        made.append(1)
        return {"members": len(made)}

    assert [{"members": 1}, {"members": 1}] == [made_once(params, "model", make), made_once(params, "model", make)]
    assert {"members": 2} == made_once(params, "other", make)


def test_another_version_makes_its_own(params: Params, monkeypatch: pytest.MonkeyPatch) -> None:
    """What an older kit kept is not taken for the newer one's."""
    assert "old" == made_once(params, "model", lambda: "old")
    monkeypatch.setattr(module, "__version__", "99.0")
    assert "new" == made_once(params, "model", lambda: "new")


def test_a_making_that_fails_keeps_nothing(params: Params) -> None:
    """The next one tries again."""
    with pytest.raises(ZeroDivisionError):
        made_once(params, "model", lambda: 1 // 0)
    assert 3 == made_once(params, "model", lambda: 3)


def test_changed_code_makes_its_own(params: Params, tmp_path: Path) -> None:
    """What the code of a topic made before it was changed, or moved, is not taken for what it makes now."""
    folder = tmp_path / "topic"
    folder.mkdir()
    (folder / "model.py").write_text("def make():\n    return 'made'\n")
    made = runpy.run_path(str(folder / "model.py"))["make"]
    assert "made" == made_once(params, "model", made)

    (folder / "beside.py").write_text("VALUE = 1\n")

    assert 2 == len({*_kept(params), *(made_once(params, "model", made) and _kept(params))})


def _kept(params: Params) -> list[Path]:
    return sorted((params.workspace / ".kept").glob("model-*.pickle"))
