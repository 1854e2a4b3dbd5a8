"""What an attempt costs. Pure; whole numbers throughout, in billionths of a dollar until the end.

The table is as of 2026-11-20: Anthropic's documentation, "Pricing". A model that is not in it has no price.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shared.lists import Price

SEARCH = 10_000_000
"""A web search: 10 dollars per 1000 (Anthropic's documentation, "Pricing", web search tool). Fetching is free."""

_DATED = re.compile(r"-\d{8}$")


@dataclass(frozen=True, slots=True)
class Charge:
    """What one request is charged for: tokens by kind, and web searches. `input` is neither read from the cache nor written."""

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int = 0
    searches: int = 0

    @property
    def prompt(self) -> int:
        """All tokens of the prompt, by which some models' price is chosen."""
        return self.input + self.cache_read + self.cache_write_5m + self.cache_write_1h


@dataclass(frozen=True, slots=True)
class Rates:
    """Billionths of a dollar per token. `long` holds for a request whose prompt has more than `most` tokens, wholly."""

    input: int
    output: int
    cache_read: int
    cache_write_5m: int
    cache_write_1h: int
    most: int = 0
    long: "Rates | None" = None

    def of(self, charge: Charge) -> int:
        """The cost of one request, in billionths of a dollar."""
        if self.long is not None and charge.prompt > self.most:
            return self.long.of(charge)
        return (
            charge.input * self.input
            + charge.output * self.output
            + charge.cache_read * self.cache_read
            + charge.cache_write_5m * self.cache_write_5m
            + charge.cache_write_1h * self.cache_write_1h
            + charge.searches * SEARCH
        )


def _rates(price: Price) -> Rates:
    """A price in dollars per million tokens. The usual parts of `input`: 1.25 and 2 to write to the cache, a tenth to read."""

    def billionths(dollars: float) -> int:
        return round(dollars * 1000)

    def part(dollars: float | None, usual: float) -> int:
        return billionths(price.input * usual if dollars is None else dollars)

    return Rates(
        billionths(price.input),
        billionths(price.output),
        part(price.cache_read, 0.1),
        part(price.cache_write_5m, 1.25),
        part(price.cache_write_1h, 2.0),
    )


def _long(price: Price, most: int, long: Price) -> Rates:
    short = _rates(price)
    return Rates(
        short.input, short.output, short.cache_read, short.cache_write_5m, short.cache_write_1h, most=most, long=_rates(long)
    )


_OPUS = _rates(Price(5, 25))
_SONNET = _rates(Price(3, 15))

TABLE: Mapping[str, Rates] = {
    "claude-fable-5-2": _rates(Price(8, 40, cache_read=0.2)),
    "claude-mythos-5-2": _rates(Price(8, 40, cache_read=0.2)),
    "claude-fable-5-1": _rates(Price(10, 50, cache_read=0.25)),
    "claude-mythos-5-1": _rates(Price(10, 50, cache_read=0.25)),
    "claude-fable-5": _rates(Price(10, 50)),
    "claude-mythos-5": _rates(Price(10, 50)),
    "claude-opus-5-5": _rates(Price(4, 20, cache_read=0.2)),
    "claude-opus-5": _OPUS,
    "claude-opus-4-8": _OPUS,
    "claude-opus-4-7": _OPUS,
    "claude-opus-4-6": _OPUS,
    "claude-opus-4-5": _OPUS,
    "claude-sonnet-5-5": _rates(Price(2, 10, cache_read=0.1)),
    "claude-sonnet-5": _rates(Price(2, 10)),
    "claude-sonnet-4-6": _SONNET,
    "claude-sonnet-4-5": _SONNET,
    "claude-haiku-5-5": _long(Price(0.1, 0.5), 100_000, Price(0.5, 2.5)),
    "claude-haiku-4-5": _rates(Price(1, 5)),
}


class Prices:
    """The table, with what the operator has set in its place."""

    def __init__(self, own: Mapping[str, Price]) -> None:
        self._table = {**TABLE, **{model: _rates(price) for model, price in own.items()}}

    def cost(self, model: str, charges: Sequence[Charge]) -> int | None:
        """The cost of some requests in millionths of a dollar, rounded up; None if the model's price is not known."""
        rates = self._table.get(model) or self._table.get(_DATED.sub("", model))
        return None if rates is None else -(-sum(rates.of(charge) for charge in charges) // 1000)
