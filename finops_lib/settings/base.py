"""Base of the parameter models: frozen, and strict about what they are given."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from finops_lib.errors import nearest
from finops_lib.schema import DIMENSIONS

ORGANISATION = "organisation"
CaptureLayer = Literal["gateway", "trace", "provider_log", "provider_usage"]
Share = Annotated[float, Field(ge=0, le=1)]


class Model(BaseModel):
    """A frozen model that refuses keys it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def dimension_keys(value: dict[str, str], where: str, extra: tuple[str, ...] = ()) -> dict[str, str]:
    """Refuse keys that are no dimension, and name the nearest one.

    Raises
    ------
    ValueError
        If a key is no dimension.
    """
    known = [column.name for column in DIMENSIONS] + list(extra)
    for key in value:
        if key not in known:
            raise ValueError("; ".join(filter(None, (f"{where}: '{key}' is no dimension", nearest(key, known)))))
    return value


Dimensions = Annotated[dict[str, str], AfterValidator(lambda value: dimension_keys(value, "defaults"))]
"""Dimension → value where a source says none."""
