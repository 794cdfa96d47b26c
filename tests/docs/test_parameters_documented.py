"""Documentation of parameters: what the models take and what the README says agree."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from finops_lib import settings

README = Path(__file__).parents[2] / "parameters" / "README.md"


def _fields() -> list[tuple[str, str, str]]:
    models = [
        model
        for model in vars(settings).values()
        if isinstance(model, type)
        and issubclass(model, BaseModel)
        and model.__module__.startswith(settings.__name__)
        and model.model_fields
        and model is not settings.Params
    ]
    return sorted(
        (model.__name__, field.alias or name, str(field.description))
        for model in models
        for name, field in model.model_fields.items()
    )


@pytest.mark.parametrize(("model", "key", "meaning"), _fields())
def test_every_key_stands_in_the_readme_with_its_meaning(model: str, key: str, meaning: str) -> None:
    """A key of any parameter model has a row of its own, in the words of the model."""
    rows = README.read_text(encoding="utf-8").splitlines()

    assert any(row.startswith(f"| `{key}` | {meaning} |") for row in rows), f"{model}: | `{key}` | {meaning} | … |"


def test_readme_names_no_key_that_is_not_there() -> None:
    """A row about a key that was removed or renamed is found."""
    known = {key for _, key, _ in _fields()}
    named = re.findall(r"^\| `(\w+)` \|", README.read_text(encoding="utf-8"), flags=re.MULTILINE)

    assert set() == set(named) - known
