"""Model names: whatever a gateway calls a model, find the one row of the price list that is meant."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from genai_prices.types import Provider

    from finops_lib.ingest.prices.rows import PriceList

MATCHED = ("provider", "model", "price_provider", "price_model", "suggestion", "channel")
_SPELLINGS = {
    "fireworksai": "fireworks",
    "moonshot": "moonshotai",
    "perplexityai": "perplexity",
    "togetherai": "together",
    "xai": "x-ai",
    "zai": "zai",
}
_BEDROCK = re.compile(
    r"^arn:aws[^:]*:bedrock:|^((us|us-gov|eu|apac|au|jp|ca|global|regional)\.)?"
    r"(ai21|amazon|anthropic|cohere|deepseek|meta|mistral|openai|qwen|writer)\.[a-z]"
)
_COMPACT_DATE = re.compile(r"-(20\d{2})(\d{2})(\d{2})(?=-|:|$)")
_VERSION = re.compile(r"@[\w.-]+$|[-@](20\d{2}-\d{2}-\d{2}|20\d{6})$")


@dataclass(frozen=True)
class _Found:
    """Where a name leads: who sells the call, and which provider's row holds the price."""

    channel: str
    price_provider: str
    price_model: str


def match_models(pairs: pd.DataFrame, price_list: PriceList, aliases: Mapping[str, str] | None = None) -> pd.DataFrame:
    """Match provider and model names, as exports spell them, to the price list.

    Parameters
    ----------
    pairs : DataFrame
        Columns ``provider`` (may be null) and ``model``; repeated pairs are matched once.
    price_list : PriceList
        Its ``models`` are the match rules.
    aliases : mapping, optional
        Deployment or route name → model, with or without a ``provider/`` in front. Aliases win over every rule.

    Returns
    -------
    DataFrame
        One row per distinct pair, in order of appearance: ``provider`` and ``model`` as given; ``price_provider`` and
        ``price_model`` name the rows of the price list (null when nothing matches); ``suggestion`` is the nearest known
        name of an unmatched model; ``channel`` is the provider that sells the call, which differs from
        ``price_provider`` where one sells another's models at their list price.

    Notes
    -----
    A provider that is given but unknown is never guessed from the model's name: a self-hosted model must not be
    charged at a vendor's price.

    References
    ----------
    Requirement A4; the rules are those of the genai-prices package, tried first and in its order.
    """
    names = _Names(price_list.models)
    known = {key.lower(): target for key, target in (aliases or {}).items()}
    rows = []
    for provider, model in pairs[["provider", "model"]].drop_duplicates().itertuples(index=False):
        found = names.find(_text(provider), _text(model), known)
        suggestion = None if found else names.suggest(_text(provider), _text(model))
        place = (found.price_provider, found.price_model) if found else (None, None)
        rows.append((provider, model, *place, suggestion, found.channel if found else None))
    return pd.DataFrame(rows, columns=list(MATCHED), dtype=object)


def provider_rules(provider: Provider) -> dict[str, Any]:
    """Write down how a provider of the genai-prices package and its models are recognised.

    Parameters
    ----------
    provider : genai_prices.types.Provider
        As packaged.

    Returns
    -------
    dict
        ``id``, ``provider_match``, ``model_match``, ``fallback`` (providers whose models it sells), ``models``.
    """
    rules: dict[str, Any] = {"id": provider.id}
    for key in ("provider_match", "model_match"):
        if getattr(provider, key) is not None:
            rules[key] = _rule(getattr(provider, key))
    if provider.fallback_model_providers:
        rules["fallback"] = list(provider.fallback_model_providers)
    rules["models"] = [
        {"id": model.id, "match": _rule(model.match)} | ({"deprecated": True} if model.deprecated else {})
        for model in provider.models
    ]
    return rules


def _rule(clause: Any) -> dict[str, Any]:
    """Write a match rule as one key and its value; names are compared in lower case."""
    ((key, value),) = vars(clause).items()
    if isinstance(value, list):
        return {key.rstrip("_"): [_rule(part) for part in value]}
    return {key: value if key == "regex" else value.lower()}


def rules_text(models: Mapping[str, Any]) -> str:
    """Write match rules as JSON, one model a line.

    Parameters
    ----------
    models : mapping
        ``providers``: a list as ``provider_rules`` makes them, in the order in which they are tried.

    Returns
    -------
    str
        The text of ``models.json``.
    """
    blocks = []
    for provider in models["providers"]:
        head = json.dumps({key: value for key, value in provider.items() if key != "models"}, ensure_ascii=False)
        lines = (json.dumps(model, ensure_ascii=False, separators=(",", ":")) for model in provider["models"])
        blocks.append(f'{head[:-1]}, "models": [\n' + ",\n".join(lines) + "\n]}")
    return '{"providers": [\n' + ",\n".join(blocks) + "\n]}\n"


class _Names:
    """The match rules of one price list."""

    def __init__(self, rules: Mapping[str, Any]) -> None:
        self._providers = {provider["id"]: provider for provider in rules["providers"]}

    def find(self, provider: str | None, model: str | None, aliases: Mapping[str, str]) -> _Found | None:
        """Follow an alias, else the provider, else the prefix, else the name itself."""
        if not model:
            return None
        reference = model.lower()
        target = next((aliases[tail] for tail in _tails(reference) if tail in aliases), None)
        if target is not None:
            given = self.provider(provider) if provider else None
            aliased = target.lower()
            return (given and self._in_provider(given, aliased)) or self._without_provider(aliased)
        if provider is None or provider.lower() in ("litellm", "litellm_proxy"):
            return self._without_provider(reference)
        channel = self.provider(provider)
        return self._in_provider(channel, reference) if channel else None

    def provider(self, name: str) -> str | None:
        """Resolve a provider's spelling to its id in the price list."""
        plain = name.lower().strip()
        if plain in self._providers:
            return plain
        squeezed = re.sub(r"[^a-z0-9]", "", plain)
        if "azure" in squeezed:
            return "azure"
        if squeezed in _SPELLINGS:
            return _SPELLINGS[squeezed]
        if squeezed.startswith("gcp"):
            return "google"
        rules = ((key, entry.get("provider_match")) for key, entry in self._providers.items())
        return next((key for key, rule in rules if rule and _matches(rule, plain)), None)

    def suggest(self, provider: str | None, model: str | None) -> str | None:
        """Name the nearest known model: of the provider, else of those that a name alone can lead to."""
        if not model:
            return None
        channel = self.provider(provider) if provider else None
        named = (entry for entry in self._providers.values() if "model_match" in entry)
        sellers = self._sellers(channel) if channel else named
        ids = {entry["id"].lower(): entry["id"] for seller in sellers for entry in seller["models"]}
        close = difflib.get_close_matches(list(_tails(model.lower()))[-1], ids, n=1)
        return ids[close[0]] if close else None

    def _without_provider(self, reference: str) -> _Found | None:
        prefix, slash, rest = reference.partition("/")
        named = self.provider(prefix) if slash else None
        if _BEDROCK.match(reference):
            return self._in_provider("aws", reference)
        if named:
            return self._in_provider(named, rest)
        rules = ((key, entry.get("model_match")) for key, entry in self._providers.items())
        inferred = next((key for key, rule in rules if rule and _matches(rule, reference)), None)
        return self._in_provider(inferred, reference) if inferred else None

    def _in_provider(self, channel: str, reference: str) -> _Found | None:
        """Try the whole name, then without its prefixes, then without its date or version."""
        tails = list(_tails(reference))
        for candidate in (*tails, *(_VERSION.sub("", tail) for tail in tails if _VERSION.search(tail))):
            for spelling in dict.fromkeys((candidate, _dashed_date(candidate))):
                for seller in self._sellers(channel):
                    for entry in seller["models"]:
                        if _matches(entry["match"], spelling):
                            return _Found(channel, seller["id"], entry["id"])
        return None

    def _sellers(self, channel: str) -> Iterator[Mapping[str, Any]]:
        """Yield the provider and, after it, those whose models it sells."""
        entry = self._providers[channel]
        yield entry
        yield from (self._providers[other] for other in entry.get("fallback", ()))


def _matches(rule: Mapping[str, Any], text: str) -> bool:
    """Evaluate a match rule on lower-case text."""
    ((kind, value),) = rule.items()
    if kind == "equals":
        return text == value
    if kind == "starts_with":
        return text.startswith(value)
    if kind == "ends_with":
        return text.endswith(value)
    if kind == "contains":
        return value in text
    if kind == "regex":
        return re.search(value, text) is not None
    return (any if kind == "or" else all)(_matches(part, text) for part in value)


def _tails(reference: str) -> Iterator[str]:
    """Yield the name, then what is left after each slash: ``azure/eu/x``, ``eu/x``, ``x``."""
    yield reference
    while "/" in reference:
        reference = reference.partition("/")[2]
        yield reference


def _dashed_date(reference: str) -> str:
    """Spell ``-20251211`` as ``-2025-12-11``, where it is a date."""

    def dashed(found: re.Match[str]) -> str:
        try:
            return f"-{date(*(int(part) for part in found.groups()))}"
        except ValueError:
            return found.group(0)

    return _COMPACT_DATE.sub(dashed, reference)


def _text(value: object) -> str | None:
    """Read a cell: null in any of pandas' spellings is ``None``."""
    return None if pd.isna(value) else str(value).strip() or None
