"""Evaluates arithmetic in exact fractions, over a whitelist of syntax, within bounds."""

import ast
import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from graphlib import CycleError, TopologicalSorter

from functions.tools.calculator.functions import FUNCTIONS, power
from functions.tools.declare import ToolError
from shared.limits import (
    CALCULATION_BITS_MAX,
    CALCULATION_DEPTH_MAX,
    CALCULATION_EXPONENT_MAX,
    CALCULATION_STEPS_MAX,
)

_TOLD_CHARS = 80
_BINARY: Mapping[type[ast.operator], Callable[[Fraction, Fraction], Fraction]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul,
    ast.Div: operator.truediv, ast.Mod: operator.mod,
    ast.FloorDiv: lambda a, b: Fraction(a // b), ast.Pow: power,
}


@dataclass(frozen=True, slots=True)
class Number:
    """A value, and whether a root on the way to it was irrational."""

    value: Fraction
    is_exact: bool = True


def evaluate(texts: Mapping[str, str]) -> dict[str, Number]:
    """Return the value of every named expression, in whatever order they need each other.

    Raises:
        ToolError: an expression is no arithmetic, refers to itself, or passes a bound; the
            message names it.
    """
    trees = {name: _parsed(name, text.strip()) for name, text in texts.items()}
    done: dict[str, Number] = {}
    steps = 0
    for name in _ordered(trees):
        expression = _Expression(texts[name].strip(), done, steps)
        try:
            done[name] = Number(expression.value(trees[name], 1), expression.is_exact)
        except (ZeroDivisionError, OverflowError, ValueError) as error:
            raise ToolError(f"{name}: {error} in {_short(texts[name])}") from error
        steps = expression.steps
    return done


def _parsed(name: str, text: str) -> ast.expr:
    try:
        return ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        why = getattr(error, "msg", "it cannot be read")
        raise ToolError(f"{name}: not an expression ({why}): {_short(text)}") from error


def _ordered(trees: Mapping[str, ast.expr]) -> list[str]:
    """Return the names so that each comes after those it uses; a chain needs no recursion."""
    uses = {name: {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)} & trees.keys()
            for name, tree in trees.items()}
    try:
        return list(TopologicalSorter(uses).static_order())
    except CycleError as error:
        raise ToolError(f"expressions need each other in a circle: {' → '.join(error.args[1])}"
                        ) from error


class _Expression:
    """One expression, and what it has seen."""

    def __init__(self, text: str, known: Mapping[str, Number], steps: int) -> None:
        self._text = text
        self._known = known
        self.steps = steps
        self.is_exact = True

    def value(self, node: ast.expr, depth: int) -> Fraction:
        self._count(depth)
        match node:
            case ast.Constant(value=int() | float()) if not isinstance(node.value, bool):
                value = self._literal(node)
            case ast.Name():
                value = self._name(node.id)
            case ast.UnaryOp(op=ast.UAdd() | ast.USub()):
                operand = self.value(node.operand, depth + 1)
                value = -operand if isinstance(node.op, ast.USub) else operand
            case ast.BinOp() if type(node.op) in _BINARY:
                left, right = (self.value(n, depth + 1) for n in (node.left, node.right))
                value = _BINARY[type(node.op)](left, right)
            case ast.Call(func=ast.Name(id=name), keywords=[]) if name in FUNCTIONS:
                value = self._call(name, node.args, depth)
            case _:
                what, known = _segment(self._text, node), ", ".join(sorted(FUNCTIONS))
                raise ValueError(f"{_short(what)} is not arithmetic; functions: {known}")
        return _bounded(value)

    def _count(self, depth: int) -> None:
        self.steps += 1
        if self.steps > CALCULATION_STEPS_MAX:
            raise ValueError(f"more than {CALCULATION_STEPS_MAX} steps in one call")
        if depth > CALCULATION_DEPTH_MAX:
            raise ValueError(f"nested deeper than {CALCULATION_DEPTH_MAX}")

    def _literal(self, node: ast.Constant) -> Fraction:
        if isinstance(node.value, int):
            return Fraction(node.value)
        exact = Decimal(_segment(self._text, node))  # the parsed float has lost digits
        if exact and abs(exact.adjusted()) > CALCULATION_EXPONENT_MAX:
            raise ValueError(f"a number beyond 10^±{CALCULATION_EXPONENT_MAX}")
        return Fraction(exact)

    def _name(self, name: str) -> Fraction:
        if name not in self._known:
            raise ValueError(f"unknown name {name}")
        number = self._known[name]
        self.is_exact &= number.is_exact
        return number.value

    def _call(self, name: str, nodes: list[ast.expr], depth: int) -> Fraction:
        values = [self.value(node, depth + 1) for node in _flat(nodes)]
        if not values:
            raise ValueError(f"{name}() of nothing")
        value, is_exact = FUNCTIONS[name](values)
        self.is_exact &= is_exact
        return value


def _flat(nodes: list[ast.expr]) -> Iterator[ast.expr]:
    for node in nodes:
        if isinstance(node, ast.List | ast.Tuple):
            yield from node.elts
        else:
            yield node


def _bounded(value: Fraction) -> Fraction:
    if max(value.numerator.bit_length(), value.denominator.bit_length()) > CALCULATION_BITS_MAX:
        raise ValueError(f"a number of more than {CALCULATION_BITS_MAX} bits")
    return value


def _short(text: str) -> str:
    return repr(text if len(text) <= _TOLD_CHARS else text[:_TOLD_CHARS] + "…")


def _segment(text: str, node: ast.expr) -> str:
    return ast.get_source_segment(text, node) or text


