"""Simple sums, exact and bounded."""

import ast
import operator
import re
from collections.abc import Callable
from fractions import Fraction

LONGEST = 120
"""Characters of a sum that are looked at."""
BIGGEST = 10**40
"""Results and steps beyond this are declined, so that no sum takes long."""

_SPOKEN = (
    (r"\bplus\b", "+"),
    (r"\bminus\b", "-"),
    (r"\b(?:times|multiplied by)\b", "*"),
    (r"\b(?:divided by|over)\b", "/"),
    (r"\bto the power of\b", "^"),
    (r"[×·]", "*"),
    (r"[÷:]", "/"),
    (r"[−–]", "-"),
    (r"(?<=\d)\s*x\s*(?=\d)", "*"),
    (r"(?<=\d),(?=\d{3}\b)", ""),
)
_SUM = re.compile(r"[\d(+\-][\d.+\-*/^()%\s]*[\d)]")
_ASKED = re.compile(r"\b(?:what|what's|whats|how much|calculate|compute|solve|equals?|plus|minus|times|divided|sum)\b")
_ONLY = re.compile(r"^[\d.+\-*/^()%\s×·÷−–x=?!]+$")
_PLAIN: dict[type[ast.operator], Callable[[Fraction, Fraction], Fraction]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: lambda left, right: left / right,
    ast.Mod: operator.mod,
}


class Unsolvable(Exception):
    """The sum cannot be worked out; the text says why."""


def solve(text: str) -> str | None:
    """The answer to the sum in a text ("2 + 3 = 5", or why there is none), or None if nobody asked for one."""
    spoken = text.casefold()
    if not (_ASKED.search(spoken) or _ONLY.match(spoken)):
        return None
    for pattern, sign in _SPOKEN:
        spoken = re.sub(pattern, sign, spoken)
    sums = [found.strip() for found in _SUM.findall(spoken) if re.search(r"\d[\s)]*[+\-*/^%]", found)]
    if not sums:
        return None
    longest = max(sums, key=len)
    if len(longest) > LONGEST:
        return "That sum is too long for a stand-in."
    try:
        tree = ast.parse(longest.replace("^", "**"), mode="eval")
    except SyntaxError:
        return None
    shown = " ".join(re.sub(r"\s+", "", longest).replace("**", "^").translate(_SPACED).split())
    try:
        return f"{shown} = {_written(_value(tree.body))}"
    except Unsolvable as why:
        return f"I cannot work out {shown}: {why}."


_SPACED = {ord(sign): f" {sign} " for sign in "+-*/%"}


def _value(node: ast.expr) -> Fraction:
    match node:
        case ast.Constant(value=int() | float()):
            # repr gives back what was written: 0.1 is one tenth here.
            result = Fraction(repr(node.value))
        case ast.UnaryOp(op=ast.USub()):
            result = -_value(node.operand)
        case ast.UnaryOp(op=ast.UAdd()):
            result = _value(node.operand)
        case ast.BinOp(op=ast.Pow()):
            result = _power(_value(node.left), _value(node.right))
        case ast.BinOp() if type(node.op) in _PLAIN:
            result = _apply(_PLAIN[type(node.op)], _value(node.left), _value(node.right))
        case _:
            raise Unsolvable("it is not a plain sum")
    if abs(result.numerator) > BIGGEST or result.denominator > BIGGEST:
        raise Unsolvable("the numbers get too big")
    return result


def _apply(step: Callable[[Fraction, Fraction], Fraction], left: Fraction, right: Fraction) -> Fraction:
    try:
        return step(left, right)
    except ZeroDivisionError:
        raise Unsolvable("nothing can be divided by 0") from None


def _power(base: Fraction, exponent: Fraction) -> Fraction:
    if exponent.denominator != 1 or abs(exponent) > 200:
        raise Unsolvable("only whole powers up to 200")
    if base == 0 and exponent < 0:
        raise Unsolvable("nothing can be divided by 0")
    return Fraction(base ** int(exponent))


def _written(value: Fraction) -> str:
    if value.denominator == 1:
        return str(value.numerator)
    shown = f"{float(value):.10g}"
    return shown if Fraction(shown) == value else f"about {shown}"
