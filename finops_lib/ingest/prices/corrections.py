"""Price corrections: the few reviewed places where the kit knows better than the package its prices come from."""

from __future__ import annotations

import dataclasses
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from finops_lib.errors import PriceError

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo, Provider

_PRICE_KEYS = {
    "uncached_input": "input_mtok",
    "cache_read": "cache_read_mtok",
    "cache_write_5m": "cache_write_mtok",
    "cache_write_1h": "cache_write_1h_mtok",
    "output": "output_mtok",
}


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Step(_Strict):
    effective_from: date | None = None
    prices: dict[str, Decimal]

    @field_validator("prices")
    @classmethod
    def _known_classes(cls, value: dict[str, Decimal]) -> dict[str, Decimal]:
        unknown = [name for name in value if name not in _PRICE_KEYS]
        if unknown:
            message = f"'{unknown[0]}' is no token class that can be corrected"
            raise ValueError(message)
        return value


class Correction(_Strict):
    """One reviewed correction; the head of ``prices/corrections.yaml`` says what each kind takes."""

    kind: Literal["steps", "name", "tiers"]
    provider: str = "*"
    models: list[str] = []
    tiers: list[str] = []
    steps: list[_Step] = []
    reason: str
    source: str
    verified_on: date

    @property
    def label(self) -> str:
        """What the price list says about the rows it changed."""
        return f"correction: {self.reason}"


class Corrections(_Strict):
    """All corrections of one version."""

    version: int
    corrections: list[Correction]

    def of_prices(self, provider: str, model: str, day: date) -> Correction | None:
        """Find the correction that a model's standard price of a day comes from."""
        for item in self.corrections:
            if item.provider == provider and model in item.models:
                return item if day >= min(step.effective_from or date.min for step in item.steps) else None
        return None

    def of_tier(self, tier: str) -> Correction | None:
        """Find the correction that holds a tier's price from the model's first price on."""
        return next((item for item in self.corrections if tier in item.tiers), None)


def read_corrections(path: Path) -> Corrections:
    """Read a file of corrections.

    Parameters
    ----------
    path : Path
        YAML, as the packaged ``prices/corrections.yaml``.

    Returns
    -------
    Corrections
        Validated.

    Raises
    ------
    PriceError
        If the file cannot be read or a correction is not complete.
    """
    try:
        return Corrections.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, yaml.YAMLError) as error:
        message = f"{path}: cannot be read: {error}"
        raise PriceError(message, hint="the file is a YAML mapping with 'version' and 'corrections'") from error
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(str(key) for key in problem["loc"])
        message = f"{path}: {where}: {problem['msg']}"
        raise PriceError(message, hint="the head of the packaged corrections.yaml says what each kind takes") from error


def corrected(provider: Provider, reviewed: Corrections) -> Provider:
    """Copy a provider with its corrections as later prices; the last that holds wins, as everywhere.

    Parameters
    ----------
    provider : genai_prices.types.Provider
        As packaged; it is left as it is.
    reviewed : Corrections
        The corrections.

    Returns
    -------
    genai_prices.types.Provider
        A copy.

    Raises
    ------
    PriceError
        If a corrected model is not in the package any more.
    """
    from genai_prices.types import ClauseEquals, ConditionalPrice, ModelInfo, ModelPrice, StartDateConstraint

    models = list(provider.models)
    for item in reviewed.corrections:
        if item.provider != provider.id:
            continue
        steps = [
            ConditionalPrice(
                StartDateConstraint(step.effective_from) if step.effective_from else None,
                prices=ModelPrice(**{_PRICE_KEYS[name]: price for name, price in step.prices.items()}),
            )
            for step in item.steps
        ]
        if item.kind == "name":
            models = [ModelInfo(id=name, match=ClauseEquals(name), prices=steps) for name in item.models] + models
            continue
        absent = set(item.models) - {model.id for model in models}
        if absent:
            message = f"Correction for {provider.id}: the package has no model '{min(absent)}' any more"
            raise PriceError(message, hint="drop or rename the correction, and raise its file's version")
        models = [
            dataclasses.replace(model, prices=conditional_prices(model) + steps) if model.id in item.models else model
            for model in models
        ]
    return dataclasses.replace(provider, models=models)


def conditional_prices(model: ModelInfo) -> list[Any]:
    """List a model's dated prices, also where it has a single one.

    Parameters
    ----------
    model : genai_prices.types.ModelInfo
        As packaged.

    Returns
    -------
    list of genai_prices.types.ConditionalPrice
        In the package's order: the last that holds wins.
    """
    from genai_prices.types import ConditionalPrice

    return model.prices if isinstance(model.prices, list) else [ConditionalPrice(prices=model.prices)]
