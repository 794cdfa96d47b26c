"""The price list gives every kind of call the price that is public, and then the one that was agreed."""

from __future__ import annotations

import random
import subprocess
import sys
import time as clock
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import pairwise

import pandas as pd
import pytest

from finops_lib.errors import PriceError
from finops_lib.ingest.prices import price_list as prices
from finops_lib.ingest.prices.model_names import match_models
from finops_lib.ingest.prices.rows import PriceList, read_price_list
from finops_lib.params import PriceOverride
from finops_lib.schema import INPUT_CLASSES, OUTPUT_CLASSES, QUANTITIES

JULY = datetime(2026, 7, 1, tzinfo=UTC)
OCTOBER = datetime(2026, 10, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def packaged() -> PriceList:
    """Read the list in the package."""
    return read_price_list()


def key(provider, model, tier=None, context=0, at=OCTOBER, **owner):
    """Make one kind of call."""
    names = {"provider": provider, "model": model, "service_tier": tier}
    return names | {"context_tier": context, "price_period_start": at} | owner


def price(price_list, keys, overrides=(), aliases=None):
    """Match and price keys."""
    keys = pd.DataFrame(keys)
    return prices.unit_prices(keys, price_list, overrides, match_models(keys, price_list, aliases))


def millions(rows, column="list_unit_price"):
    """Give the price of a million tokens by class."""
    return {row.token_class: getattr(row, column) * 1_000_000 for row in rows.itertuples()}


def test_prompt_caching_golden_numbers(packaged):
    """The published prompt caching example comes out to the cent."""
    unit = price(packaged, [key("anthropic", "claude-sonnet-4-5")]).set_index("token_class")["list_unit_price"]

    assert Decimal("1.5") == 500_000 * unit["uncached_input"]
    assert Decimal("7.5") == 2_000_000 * unit["cache_write_5m"]
    assert Decimal("2.4") == 8_000_000 * unit["cache_read"]
    assert Decimal("22.5") == 1_500_000 * unit["output"]
    assert Decimal("0.01") == unit["web_search"]


def test_all_tokens_of_a_long_call_cost_more(packaged):
    """gpt-5.4 beyond 272,000 input tokens costs 5 and 22.5 instead of 2.5 and 15, for every token."""
    short, long = (millions(price(packaged, [key("openai", "gpt-5.4", context=n)])) for n in (200_000, 272_000))

    assert (Decimal("2.5"), Decimal(15)) == (short["uncached_input"], short["output"])
    assert (Decimal(5), Decimal("22.5")) == (long["uncached_input"], long["output"])
    assert [272_000] == prices.context_thresholds(packaged, matched(packaged, ("openai", "gpt-5.4")))


def test_history_is_priced_as_it_was(packaged):
    """gpt-5.6-sol was cut from 5 and 30 to 4 and 20 on 2026-08-21."""
    eve, day = (datetime(2026, 8, n, tzinfo=UTC) for n in (20, 21))
    before, after = (millions(price(packaged, [key("openai", "gpt-5.6-sol", at=at)])) for at in (eve, day))

    assert (Decimal(5), Decimal(30)) == (before["uncached_input"], before["output"])
    assert (Decimal(4), Decimal(20)) == (after["uncached_input"], after["output"])


def test_batch_is_half_price_before_the_package_knows_it(packaged):
    """Batch calls of gpt-4o cost 1.25 and 5 on 2026-10-01, and say that this is a correction."""
    rows = price(packaged, [key("openai", "gpt-4o", "Batch")])

    assert (Decimal("1.25"), Decimal(5)) == tuple(millions(rows)[name] for name in ("uncached_input", "output"))
    assert rows["price_source"].str.startswith("correction: ").all()


def test_priority_keeps_its_ratio_through_a_price_cut(packaged):
    """Priority is twice the standard price today, so it was twice the dearer price before the cut."""
    before = millions(price(packaged, [key("openai", "gpt-5.6-sol", "priority", at=JULY)]))

    assert (Decimal(10), Decimal(60)) == (before["uncached_input"], before["output"])


@pytest.mark.parametrize(
    ("provider", "model", "at", "expected"),
    [
        ("deepseek", "deepseek-chat", datetime(2026, 3, 1, 3, tzinfo=UTC), ("0.28", "0.028", "0.42")),
        ("deepseek", "deepseek-chat", datetime(2025, 9, 10, 20, tzinfo=UTC), ("0.56", "0.07", "1.68")),
        ("deepseek", "deepseek-chat", datetime(2025, 8, 1, 20, tzinfo=UTC), ("0.135", "0.035", "0.55")),
        ("deepseek", "deepseek-chat", datetime(2025, 8, 1, 12, tzinfo=UTC), ("0.27", "0.07", "1.1")),
        ("mistral", "mistral-large-latest", OCTOBER, ("0.5", "0.05", "1.5")),
        ("mistral", "mistral-large-latest", datetime(2025, 12, 1, tzinfo=UTC), ("2", "2", "6")),
        ("mistral", "mistral-large-2411", OCTOBER, ("2", "2", "6")),
    ],
)
def test_corrected_rows(packaged, provider, model, at, expected):
    """The rows the package has wrong carry the reviewed prices, from their day on."""
    found = millions(price(packaged, [key(provider, model, at=at)]))

    assert tuple(map(Decimal, expected)) == tuple(found[name] for name in ("uncached_input", "cache_read", "output"))


def test_tier_without_a_price_is_charged_as_standard_and_says_so(packaged):
    """Azure publishes no batch price in the list: the standard one is taken, visibly."""
    rows = price(packaged, [key("azure", "gpt-4o", "batch")])

    assert Decimal("2.5") == millions(rows)["uncached_input"]
    assert rows["price_source"].str.endswith("no batch price, standard price taken").all()


def test_ids_name_the_very_price(packaged):
    """The SKU is the model and class as sold; the price id names row, tier, context, date and override."""
    agreed = [PriceOverride(kind="discount", share=Decimal("0.1"), team="search")]
    at = datetime(2026, 9, 10, 2, 30, tzinfo=UTC)
    rows = price(
        packaged,
        [key("azure", "gpt-5.4", context=272_000, team="search"), key("deepseek", "deepseek-v4-flash", at=at, team="")],
        agreed,
    )
    output = rows.loc[rows["token_class"] == "output"]

    assert ["azure/gpt-5.4/output", "deepseek/deepseek-v4-flash/output"] == output["sku_id"].tolist()
    assert [
        "openai/gpt-5.4/output/standard/272000/start+override1",
        "deepseek/deepseek-v4-flash/output/standard/0/2026-09-10T01:00",
    ] == output["sku_price_id"].tolist()
    assert {packaged.version} == set(rows["price_version"])


def test_unknown_model_has_no_price(packaged):
    """A model nobody publishes a price for yields no row, and a suggestion instead."""
    keys = pd.DataFrame([key("openai", "gpt-4oo"), key(None, None)])
    found = match_models(keys, packaged)

    assert "gpt-4o" == found.loc[0, "suggestion"]
    assert prices.unit_prices(keys, packaged, [], found).empty


def test_discount_multiplier_and_markup_compose(packaged):
    """2.50 less 20 % times 1.1 is 2.20 contracted; 10 % markup makes it 2.42 billed; the list stays 2.50."""
    agreed = [
        PriceOverride(kind="markup", share=Decimal("0.10")),
        PriceOverride(kind="discount", provider="openai", share=Decimal("0.20"), reference="contract 7"),
        PriceOverride(kind="multiplier", model="gpt-4*", factor=Decimal("1.1")),
        PriceOverride(kind="discount", provider="anthropic", share=Decimal("0.5")),
    ]
    row = price(packaged, [key("openai", "gpt-4o")], agreed).iloc[0]

    assert Decimal("0.0000025") == row["list_unit_price"]
    assert Decimal("0.0000022") == row["contracted_unit_price"] == row["effective_unit_price"]
    assert Decimal("0.00000242") == row["billed_unit_price"]
    assert (
        "genai-prices 0.2.3; override 1 (markup); override 2 (discount, contract 7); override 3 (multiplier)"
        == (row["price_source"])
    )


def test_the_last_absolute_price_wins_and_the_rest_stays_public(packaged):
    """A negotiated input price leaves the cache price as published; a discount still comes on top."""
    agreed = [
        PriceOverride(kind="absolute", model="gpt-4o", prices={"uncached_input": Decimal("1.5")}),
        PriceOverride(kind="discount", share=Decimal("0.5")),
        PriceOverride(kind="absolute", model="gpt-4o", prices={"uncached_input": Decimal(2), "output": Decimal(8)}),
    ]
    found = millions(price(packaged, [key("openai", "gpt-4o-2024-08-06")], agreed), "contracted_unit_price")

    assert (Decimal(1), Decimal(4)) == (found["uncached_input"], found["output"])
    assert Decimal("0.625") == found["cache_read"]


def test_absolute_price_for_a_model_nobody_publishes(packaged):
    """A house model is priced by its override alone; classes left out take their parent's price."""
    agreed = [
        PriceOverride(kind="absolute", model="house-*", prices={"uncached_input": Decimal(1), "output": Decimal(3)})
    ]
    rows = price(packaged, [key("vllm", "house-7b")], agreed)
    found = millions(rows)

    assert dict.fromkeys(INPUT_CLASSES, 1) | dict.fromkeys(OUTPUT_CLASSES, 3) == found
    assert rows["list_unit_price"].tolist() == rows["contracted_unit_price"].tolist()
    assert {"override 1 (absolute); no list price, set to the contracted one"} == set(rows["price_source"])
    assert "vllm/house-7b/output/standard+override1" == rows.set_index("token_class").loc["output", "sku_price_id"]


def test_free_and_provisioned_models(packaged):
    """A self-hosted model costs nothing; provisioned tokens keep their list price and searches their charge."""
    agreed = [
        PriceOverride(kind="free", provider="vllm"),
        PriceOverride(kind="provisioned", model="gpt-4o", units=Decimal(50), unit_price=Decimal(1)),
    ]
    rows = price(packaged, [key("vllm", "house-7b"), key("openai", "gpt-4o")], agreed)
    free, covered = (group.set_index("token_class") for _, group in rows.groupby("provider", sort=False))

    assert set(QUANTITIES) == set(free.index)
    assert {Decimal(0)} == {*free["list_unit_price"], *free["billed_unit_price"]}
    assert [Decimal("0.0000025"), 0, 0, 0] == covered.filter(like="unit_price").loc["uncached_input"].tolist()
    assert Decimal("0.01") == covered.loc["web_search", "contracted_unit_price"]


def test_overrides_hold_only_where_and_when_they_say(packaged):
    """Team, key, assistant, tier and dates all have to fit; the last day named is already out."""
    scope = {"team": "search", "api_key": "vk-1", "assistant": "hr-bot"}
    agreed = [
        PriceOverride(
            kind="discount", share=Decimal("0.5"), service_tier="standard", effective_from=date(2026, 7, 1),
            effective_to=date(2026, 10, 1), **scope,
        )
    ]  # fmt: skip
    last = datetime(2026, 9, 30, 23, 59, 59, tzinfo=UTC)
    calls = [
        key("openai", "gpt-4o", at=JULY, **scope),
        key("openai", "gpt-4o", at=last, **scope),
        key("openai", "gpt-4o", at=OCTOBER, **scope),
        key("openai", "gpt-4o", at=JULY - timedelta(seconds=1), **scope),
        key("openai", "gpt-4o", "batch", at=JULY, **scope),
        *(key("openai", "gpt-4o", at=JULY, **(scope | {name: None})) for name in scope),
    ]
    rows = price(packaged, calls, agreed)
    rows = rows.loc[rows["token_class"] == "uncached_input"]

    assert [True, True] + [False] * 6 == (rows["contracted_unit_price"] < rows["list_unit_price"]).tolist()


def test_scoping_by_a_column_that_is_not_there_is_refused(packaged):
    """An override for a team cannot be dropped silently when usage carries no teams."""
    agreed = [PriceOverride(kind="free", team="search")]

    with pytest.raises(PriceError, match="override 1 .*'team'.*\n?.*dimensions"):
        price(packaged, [key("openai", "gpt-4o")], agreed)


def test_key_columns_come_back_with_their_types(packaged):
    """The caller joins on the key columns, so they come back as they went in."""
    keys = pd.DataFrame([key("openai", "gpt-4o"), key("x", "y")]).convert_dtypes(dtype_backend="pyarrow")
    rows = prices.unit_prices(keys, packaged, [], match_models(keys, packaged))

    assert keys.dtypes.to_dict() == rows[keys.columns].dtypes.to_dict()
    assert {Decimal} == set(map(type, rows["list_unit_price"]))


def test_price_changes_of_dates_hours_and_overrides(packaged):
    """A cut, an override's two limits and the peak hours of a day split the period; the rest does not."""
    agreed = [
        PriceOverride(kind="free", model="gpt-*", effective_from=date(2026, 8, 5), effective_to=date(2026, 8, 25)),
        PriceOverride(kind="free", model="claude*", effective_from=date(2026, 8, 6)),
    ]
    august, september = (datetime(2026, n, 1, tzinfo=UTC) for n in (8, 9))
    sol = matched(packaged, ("openai", "gpt-5.6-sol"), ("openai", "gpt-5.6-sol-2026-08-01"))
    flash = matched(packaged, ("deepseek", "deepseek-v4-flash"))
    night = datetime(2026, 9, 9, 23, tzinfo=UTC)

    assert [datetime(2026, 8, day, tzinfo=UTC) for day in (5, 21, 25)] == (
        prices.price_changes(packaged, agreed, sol, august, september)
    )
    assert [datetime(2026, 9, 10, hour, tzinfo=UTC) for hour in (0, 1, 4, 6, 10)] == (
        prices.price_changes(packaged, [], flash, night, datetime(2026, 9, 11, 1, tzinfo=UTC))
    )
    assert [] == prices.price_changes(packaged, [], matched(packaged, ("openai", "gpt-4o")), august, september)


def test_prices_are_constant_between_changes(packaged):
    """Whatever lies between two changes is priced as at its beginning."""
    start, end = datetime(2026, 8, 15, tzinfo=UTC), datetime(2026, 8, 23, tzinfo=UTC)
    found = matched(packaged, ("deepseek", "deepseek-v4-flash"), ("deepseek", "deepseek-v4-pro"))
    moments = [start, *prices.price_changes(packaged, [], found, start, end), end]
    chance = random.Random(5)
    inside = [(a, a + (b - a) * chance.random()) for a, b in pairwise(moments)]
    keys = [
        [key(*pair, at=at) for moment in inside for pair in known_pairs(found) for at in [moment[n]]] for n in (0, 1)
    ]
    first, later = (prices.unit_prices(pd.DataFrame(part), packaged, [], found) for part in keys)

    assert first["list_unit_price"].tolist() == later["list_unit_price"].tolist()


def test_difference_of_two_lists(packaged):
    """A price that changed is named with both values and the share; what is new has no old one."""
    old = changed(packaged, {("openai", "gpt-4o"): {"standard": [{"output": Decimal(8)}]}})
    new = changed(packaged, {("openai", "gpt-4o"): {"standard": [{"output": Decimal(10)}]}, ("x", "y"): {}})
    table = prices.price_difference(old, new)

    assert [("openai", "gpt-4o", "standard", "output", Decimal(8), Decimal(10), 0.25)] == list(
        table[["provider", "model", "service_tier", "token_class", "old", "new", "change_share"]].itertuples(
            index=False, name=None
        )
    )
    assert prices.price_difference(packaged, packaged).empty


def test_table_shows_the_prices_of_a_day(packaged):
    """`show` finds a model by id, pattern or any known spelling, and lists what holds that day."""
    table = prices.price_table(packaged, "gpt-5.6-sol", date(2026, 8, 20))
    standard = table.loc[(table["service_tier"] == "standard") & (table["provider"] == "openai")]
    spelled = prices.price_table(packaged, "openai/GPT-4o-2024-11-20", date(2026, 8, 20))

    assert [(0, 5), (272_000, 10)] == list(
        standard[["context_from", "uncached_input"]].itertuples(index=False, name=None)
    )
    assert {"gpt-4o"} == set(spelled["model"])
    assert 2 < prices.price_table(packaged, "claude-opus-4-*", date(2026, 8, 20))["model"].nunique()
    with pytest.raises(PriceError, match="did you mean 'gpt-4o'"):
        prices.price_table(packaged, "gpt-4oo", date(2026, 8, 20))


def test_five_thousand_keys_are_fast(packaged):
    """Five thousand different keys are priced within two seconds of processor time."""
    names = sorted(packaged.index)
    keys = pd.DataFrame(
        [
            key(
                *names[n % len(names)],
                context=(n % 3) * 200_000,
                at=JULY + timedelta(days=n % 7),
                team=f"team-{n % 11}",
            )
            for n in range(5_000)
        ]
    )
    agreed = [PriceOverride(kind="discount", share=Decimal("0.1"), team=f"team-{n}", model="*-*") for n in range(10)]
    found = match_models(keys, packaged)
    begin = clock.process_time()
    rows = prices.unit_prices(keys, packaged, agreed, found)

    assert clock.process_time() - begin < 2
    assert len(keys) < len(rows)


def test_reading_matching_and_pricing_need_no_genai_prices():
    """Without the package installed, everything but the refresh works."""
    script = """
import sys
sys.modules["genai_prices"] = None
from datetime import UTC, date, datetime
import pandas as pd
from finops_lib.errors import PriceError
from finops_lib.ingest.prices import price_list as prices
from finops_lib.ingest.prices.model_names import match_models
from finops_lib.ingest.prices.refresh import refresh
from finops_lib.ingest.prices.rows import read_price_list
keys = pd.DataFrame([{"provider": "openai", "model": "gpt-4o", "service_tier": None, "context_tier": 0,
                      "price_period_start": datetime(2026, 10, 1, tzinfo=UTC)}])
packaged = read_price_list()
rows = prices.unit_prices(keys, packaged, [], match_models(keys, packaged))
assert str(rows.loc[0, "list_unit_price"]) == "0.000002500000000", rows
try:
    refresh(date(2026, 11, 22))
except PriceError as error:
    assert "genai-prices is not installed" in str(error)
else:
    raise SystemExit("refresh ran without the package")
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)

    assert (0, "") == (done.returncode, done.stderr)


def test_every_call_costs_what_the_package_says(packaged):
    """Four thousand random calls of all providers, models, tiers and days cost what ``calc_price`` says."""
    calls = random_calls(packaged, random.Random(20261122), 4_000)
    keys = pd.DataFrame([call["key"] for call in calls])
    found = match_models(keys, packaged)
    rows = prices.unit_prices(keys.assign(number=range(len(keys))), packaged, [], found)
    ours = {number: group for number, group in rows.groupby("number")}
    compared = corrected = 0
    for number, call in enumerate(calls):
        group = ours.get(number)
        if group is not None and group["price_source"].str.startswith("correction").any():
            corrected += 1
            continue
        unit = {} if group is None else dict(zip(group["token_class"], group["list_unit_price"], strict=True))
        total = sum((unit.get(name, 0) * count for name, count in call["quantities"].items()), call["request"])
        expected = package_price(call)
        rounding = sum(call["quantities"].values()) * Decimal("5e-16")
        compared += 1

        assert abs(total - expected) <= max(rounding, expected * Decimal("1e-9")), call

    assert 3_000 < compared
    assert 10 < corrected


def matched(price_list, *pairs):
    """Match pairs of names."""
    return match_models(pd.DataFrame(pairs, columns=["provider", "model"]), price_list)


def known_pairs(found):
    """List the names of a matched frame."""
    return list(found[["provider", "model"]].itertuples(index=False, name=None))


def changed(price_list, models):
    """Make a small price list with the prices given, on the pattern of the packaged rows."""
    import dataclasses

    pattern = price_list.index["openai", "gpt-4o"]["standard"][0]
    index = {
        name: {tier: [dataclasses.replace(pattern, prices=dict(row)) for row in rows] for tier, rows in tiers.items()}
        for name, tiers in models.items()
    }
    return dataclasses.replace(price_list, index=index)


def random_calls(price_list, chance, count):
    """Draw calls around every date, hour and threshold at which something happens."""
    thresholds = sorted(
        {row.context_from for tiers in price_list.index.values() for rows in tiers.values() for row in rows}
    )
    names = sorted(price_list.index)
    names += [name for name in names if len(price_list.index[name]) > 1] * 4
    names += [name for name in names if max(map(len, price_list.index[name].values())) > 1] * 2
    names += [("azure", "gpt-4o"), ("google", "claude-opus-4-6")] * 20
    calls = []
    for _ in range(count):
        provider, model = chance.choice(names)
        tiers = price_list.index.get((provider, model), {"standard": (), "batch": ()})
        tier = chance.choice(sorted(tiers))
        row = chance.choice(tiers[tier] or price_list.index["openai", "gpt-4o"]["standard"])
        day = max(row.effective_from, date(2024, 1, 1))
        at = datetime.combine(day, row.time_from, UTC) + timedelta(seconds=chance.choice((-1, 0, 1, 86_399, 10**6)))
        own = sorted({r.context_from for r in tiers[tier]})
        size = max(0, chance.choice(own or [0]) + chance.choice((-1, 0, 1, 5_000)))
        quantities = dict(zip(INPUT_CLASSES, split(size, len(INPUT_CLASSES), chance), strict=True))
        quantities |= {name: chance.randrange(5_000) for name in OUTPUT_CLASSES}
        quantities["web_search"] = chance.randrange(3)
        context = max(limit for limit in thresholds if limit == 0 or limit < size)
        calls.append(
            {
                "key": key(provider, model, tier, context, at),
                "quantities": quantities,
                "request": row.prices.get("request", Decimal(0)),
            }
        )
    return calls


def split(total, parts, chance):
    """Cut a whole number into parts."""
    cuts = sorted(chance.randint(0, total) for _ in range(parts - 1))
    return [b - a for a, b in pairwise([0, *cuts, total])]


def package_price(call):
    """Ask genai-prices what it charges for a call."""
    from genai_prices import Usage, calc_price

    names, q = call["key"], call["quantities"]
    usage = Usage(
        input_tokens=sum(q[name] for name in INPUT_CLASSES),
        cache_read_tokens=q["cache_read"] + q["cache_read_audio"],
        cache_write_tokens=q["cache_write_5m"] + q["cache_write_1h"],
        cache_write_5m_tokens=q["cache_write_5m"],
        cache_write_1h_tokens=q["cache_write_1h"],
        input_audio_tokens=q["audio_input"] + q["cache_read_audio"],
        cache_audio_read_tokens=q["cache_read_audio"],
        output_tokens=sum(q[name] for name in OUTPUT_CLASSES),
        output_reasoning_tokens=q["reasoning"],
        output_audio_tokens=q["audio_output"],
        web_searches=q["web_search"],
    )
    tier = names["service_tier"]
    context = {"processing": tier} if tier == "batch" else {"service_tier": tier}
    if tier == "fast" and names["provider"] == "anthropic":
        context = {"speed": tier}
    if "=" in tier:
        context = dict([tier.split("=")])
    at = names["price_period_start"]
    try:
        found = calc_price(
            usage, names["model"], provider_id=names["provider"], genai_request_timestamp=at, price_context=context
        )
    except LookupError:
        return Decimal(0)
    return found.total_price


def test_time_of_day_is_read_in_utc(packaged):
    """Nine in the morning in Shanghai is one in the night in UTC: peak price."""
    from zoneinfo import ZoneInfo

    at = datetime.combine(date(2026, 9, 20), time(9), ZoneInfo("Asia/Shanghai"))

    assert Decimal("0.3") == millions(price(packaged, [key("deepseek", "deepseek-v4-flash", at=at)]))["uncached_input"]
