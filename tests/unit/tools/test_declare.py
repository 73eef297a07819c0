from typing import Annotated

import pytest
from pydantic import BaseModel, Field

from functions.tools.declare import Context, Price, tool
from shared.contracts import check_arguments


class Answer(BaseModel):
    value: int


@tool(version="1.2.3", idempotent=False, changes_world=True, price=Price.usd("0.001"))
def example(
    context: Context[None],
    count: Annotated[int, Field(ge=1, le=9, description="How many.")],
    label: str = "x",
) -> Answer:
    """Do something.

    More about it.

    Raises:
        ToolError: never told to models.
    """
    return Answer(value=count)


def test_the_contract_is_derived_from_the_function():
    contract = example.contract

    assert contract.version == "1.2.3"
    assert contract.description == "Do something.\n\nMore about it."
    assert (contract.idempotent, contract.changes_world) == (False, True)
    assert contract.price_nano == 1_000_000
    assert contract.input_schema["required"] == ["count"]
    assert contract.input_schema["properties"]["count"]["description"] == "How many."
    assert contract.output_schema["properties"]["value"]["type"] == "integer"


def test_the_context_is_no_part_of_the_schema():
    assert set(example.contract.input_schema["properties"]) == {"count", "label"}


@pytest.mark.parametrize(("arguments", "told"), [
    ({}, "'count' is a required property"), ({"count": 0}, "count: 0 is less than"),
    ({"count": "1"}, "count: '1' is not of type 'integer'"),
    ({"count": 1, "other": 2}, "known: count, label"), ([], "arguments: [] is not of type")])
def test_what_is_wrong_with_arguments_is_told_with_its_path(arguments, told):
    (fault,) = check_arguments(example.contract, arguments)

    assert told in fault


def test_good_arguments_have_no_fault():
    assert check_arguments(example.contract, {"count": 3}) == []


@pytest.mark.parametrize("amount", ["-1", "0.0000000001", "x"])
def test_a_price_is_a_whole_number_of_nano_dollars(amount):
    with pytest.raises((ValueError, ArithmeticError)):
        Price.usd(amount)


def test_a_price_of_zero_is_a_price():
    assert Price.free().nano == Price.usd("0").nano == 0
