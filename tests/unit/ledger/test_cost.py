"""Prices and their arithmetic: every total is its lines, exactly."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.ledger.cost import most, price
from functions.ledger.prices import PriceBook, PriceTable, Rates
from shared.metering import Unpriced
from shared.usage import CLASSES, INPUT_CLASSES, Usage

BOOK = PriceBook({("calculator", "1.0.0"): 0, ("reader", "2.0.0"): 7})
COUNTS = st.integers(0, 10**9)
PRICES = st.decimals("0", "0.01", places=12)
RATES = st.builds(lambda found: Rates("p/m", "v", found),
                  st.fixed_dictionaries(dict.fromkeys(CLASSES, PRICES)))
USAGES = st.builds(lambda found: Usage(**found),
                   st.fixed_dictionaries(dict.fromkeys(CLASSES, COUNTS)))


@given(usage=USAGES, rates=RATES)
def test_lines_and_rounding_add_up_to_the_total(usage, rates):
    priced = price(usage, rates)

    lines = sum((Decimal(str(line["cost_usd"])) for line in priced.lines), Decimal(0))
    assert lines * 10**9 + Decimal(priced.rounding_nano) == priced.total_nano
    assert 0 <= Decimal(priced.rounding_nano) < 1


@given(usage=USAGES, rates=RATES)
def test_each_line_is_quantity_times_unit_price(usage, rates):
    for line in price(usage, rates).lines:
        assert Decimal(str(line["unit_price"])) * int(line["qty"]) == Decimal(
            str(line["cost_usd"]))


@given(usage=USAGES, rates=RATES, name=st.sampled_from(CLASSES), more=COUNTS)
def test_cost_never_falls_when_a_class_grows(usage, rates, name, more):
    grown = Usage(**(usage.classes | {name: usage.classes[name] + more}))

    assert price(grown, rates).total_nano >= price(usage, rates).total_nano >= 0


def test_script_can_spend_exactly_what_it_reserved():
    rates = BOOK.model("scripted/any", 0)

    spent = price(Usage(input_uncached=1234, output_text=567), rates)

    assert most(rates, 1234, 567).total_nano == spent.total_nano == 1234 * 150 + 567 * 600


@pytest.mark.parametrize("name", INPUT_CLASSES[:4])
@pytest.mark.parametrize("model", ["scripted/any", "anthropic/claude-sonnet-4-5"])
def test_no_text_input_class_costs_more_than_was_reserved(model, name):
    rates = BOOK.model(model, 1000)

    assert price(Usage(**{name: 1000}), rates).total_nano <= most(rates, 1000, 0).total_nano


def test_published_prices_are_the_providers_own():
    rates = BOOK.model("anthropic/claude-sonnet-4-5", 1000)

    per_mtok = {name: rates.per_token[name] * 10**6 for name in CLASSES}
    assert per_mtok["input_uncached"] == 3
    assert per_mtok["cache_read"] == Decimal("0.3")
    assert per_mtok["cache_write_1h"] == 6
    assert per_mtok["output_text"] == 15
    assert rates.version.startswith("genai-prices-")


def test_long_context_price_is_chosen_on_total_input():
    short = BOOK.model("anthropic/claude-sonnet-4-5", 200_000)
    long = BOOK.model("anthropic/claude-sonnet-4-5", 200_001)

    assert long.per_token["input_uncached"] == 2 * short.per_token["input_uncached"]


@pytest.mark.parametrize("model", ["nobody/nothing", "scripted", "", "openai/", "/x"])
def test_unknown_model_is_refused(model):
    with pytest.raises(Unpriced):
        BOOK.model(model, 0)


def test_tool_is_priced_by_name_and_version():
    assert most(BOOK.tool("reader", "2.0.0"), 0, 0).total_nano == 7
    assert most(BOOK.tool("calculator", None), 0, 0).total_nano == 0
    with pytest.raises(Unpriced):
        BOOK.tool("reader", "1.0.0")


@pytest.mark.parametrize(("model", "tool", "usd_of_1000"), [
    ("openai/gpt-5", "web_search", "10"), ("openai/gpt-5", "file_search", "2.5"),
    ("openai/gpt-5", "code_interpreter", "30"),
    ("openai/gpt-4o-search-preview", "web_search", "25"),
    ("anthropic/claude-sonnet-4-5", "web_search", "10"),
    ("anthropic/claude-sonnet-4-5", "web_fetch", "0")])
def test_tools_of_providers_have_their_published_price(model, tool, usd_of_1000):
    priced = price(Usage(requests={tool: 1000}), BOOK.model(model, 0))

    assert priced.lines == ({
        "sku": f"{model}:request:{tool}", "meter": f"request:{tool}", "qty": 1000,
        "unit_price": priced.lines[0]["unit_price"], "cost_usd": usd_of_1000},)


def test_tool_that_nobody_prices_is_counted_as_unpriced():
    usage = Usage(input_uncached=1, requests={"image_generation": 2})

    *_, line = price(usage, BOOK.model("openai/gpt-5", 1)).lines

    assert (line["meter"], line["qty"], line["cost_usd"]) == ("unpriced:image_generation", 2, "0")


def test_own_table_prices_the_tools_it_names_and_no_others():
    own = PriceTable.model_validate({"label": "own", "models": {"openai/gpt-5": {
        "usd_per_million": {"input_uncached": 1, "output_text": 2},
        "usd_per_request": {"image_generation": "0.04"}}}})
    rates = BOOK.model("openai/gpt-5", 0, own=own)

    meters = [line["meter"] for line in price(
        Usage(requests={"image_generation": 1, "web_search": 1}), rates).lines]

    assert meters == ["request:image_generation", "unpriced:web_search"]


@pytest.mark.parametrize(("model", "tier", "share"), [
    ("openai/gpt-5", "batch", "0.5"), ("anthropic/claude-sonnet-4-5", "batch", "0.5"),
    ("openai/gpt-5", "flex", "0.5"), ("openai/gpt-5", "priority", "2"),
    ("openai/gpt-5", "default", "1"), ("anthropic/claude-sonnet-4-5", "standard", "1"),
    ("anthropic/claude-sonnet-4-5", "priority", "1")])
def test_tier_that_served_decides_the_price_of_every_token(model, tier, share):
    standard, served = BOOK.model(model, 1000), BOOK.model(model, 1000, tier)

    for name in ("input_uncached", "cache_read", "output_text", "reasoning"):
        assert served.per_token[name] == standard.per_token[name] * Decimal(share)
    assert served.per_request == standard.per_request
