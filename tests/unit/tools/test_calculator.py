from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.tools.calculator.tool import calculate
from functions.tools.declare import ToolError


def values(decimals=2, **expressions):
    return {name: v.exact for name, v in calculate.fn(expressions, decimals).items()}


@pytest.mark.parametrize(("text", "exact"), [
    ("2+3", "5"), ("0.1+0.2", "0.3"), ("1/3", "1/3"), ("2**10", "1024"), ("7//2", "3"),
    ("-7 % 3", "2"), ("2**-2", "0.25"), ("1e3", "1000"), ("round(2.675, 2)", "2.68"),
    ("round(-2.5)", "-3"), ("sqrt(2.25)", "1.5"), ("mean([1, 2, 4])", "7/3"),
    ("sum(1, [2, 3])", "6"), ("percent(1, 8)", "12.5"), ("median(3, 1, 2, 10)", "2.5"),
    ("max(1, 2) - min(4, 3)", "-1"), ("abs(-1.50)", "1.5"), ("floor(-1.5)", "-2"),
    ("ceil(1.2)", "2"), ("0.30000000000000000001", "0.30000000000000000001"),
])
def test_arithmetic_is_exact(text, exact):
    assert values(x=text) == {"x": exact}


def test_expressions_use_each_other_in_any_order():
    assert values(total="net * 1.19", net="units * 2.5", units="100") == {
        "total": "297.5", "net": "250", "units": "100"}


def test_a_chain_of_a_hundred_names_is_evaluated():
    chain = {f"y{i}": f"round(y{i - 1} * 1.05, 2)" for i in range(1, 100)}

    assert len(values(y0="1000", **chain)) == 100


def test_an_irrational_root_is_rounded_and_never_called_exact():
    found = calculate.fn({"a": "sqrt(2)", "b": "a * 2"}, 6)

    assert (found["a"].exact, found["b"].exact) == (None, None)
    assert found["b"].rounded == "2.828427"


@pytest.mark.parametrize("text", [
    "__import__('os').system('id')", "x.y", "[1][0]", "lambda: 1", "1 if 1 else 2", "True", "1j",
    "'a' * 9", "9**9**9", "1e999999999", "2**100000", "1/0", "sqrt(-1)", "unknown + 1", "1 +",
    "(" * 300 + "1" + ")" * 300, "-" * 400 + "1", "f(1)", "sum()", "round(1, 0.5)", "2**0.5",
    "round(1, 10**9)", "print(1)", "sum(*[1])", "+".join(["1"] * 300), "max(x=1)", "0x", "1 < 2",
    "percent(1)",
])
def test_what_is_no_bounded_arithmetic_is_refused_by_name(text):
    with pytest.raises(ToolError, match=r"^bad"):
        calculate.fn({"bad": text}, 2)


def test_a_circle_is_named():
    with pytest.raises(ToolError, match="circle"):
        values(a="b + 1", b="a + 1")


def test_the_steps_of_a_whole_call_are_bounded():
    wide = {f"e{i}": "+".join(["1"] * 150) for i in range(50)}

    with pytest.raises(ToolError, match="steps"):
        values(**wide)


@given(st.lists(st.decimals(allow_nan=False, allow_infinity=False, places=4,
                            min_value=-10**9, max_value=10**9), min_size=1, max_size=40),
       st.integers(min_value=0, max_value=8))
def test_sums_equal_those_of_fractions(numbers, decimals):
    found = calculate.fn({"s": " + ".join(f"({n:f})" for n in numbers)}, decimals)["s"]

    total = sum(map(Fraction, numbers), Fraction(0))
    assert Fraction(found.exact) == total
    assert abs(Fraction(Decimal(found.rounded)) - total) <= Fraction(1, 2 * 10**decimals)
