"""What an attempt uses up: the figures of its requests put together. Pure.

Anthropic developer docs, "Streaming messages": the figures of an event are totals of its request, not additions.
"""

from collections.abc import Mapping
from typing import Any, cast

from shared.backends import Usage

from .prices import Charge, Prices


class Tally:
    """The figures of one attempt, of one or more requests."""

    def __init__(self, model: str, prices: Prices, ttl: str) -> None:
        """`ttl` is what was asked of the cache: writes that the API does not break down are charged as that."""
        self.model = model
        self._prices = prices
        self._ttl = ttl
        self._charges: list[Charge] = []
        self._now: dict[str, Any] = {}

    def again(self) -> None:
        """Another request begins. What the last one has used up stays, even if it failed."""
        if self._now:
            self._charges += self._current()
            self._now = {}

    def take(self, usage: object) -> None:
        """Take over the figures of an event."""
        for name, value in _object(usage).items():
            if value is not None:
                self._now[name] = value

    def usage(self) -> Usage:
        """All that was used up so far."""
        charges = [*self._charges, *self._current()]
        return Usage(
            model=self.model,
            input_tokens=sum(charge.input for charge in charges),
            output_tokens=sum(charge.output for charge in charges),
            cache_read_tokens=sum(charge.cache_read for charge in charges),
            cache_write_tokens=sum(charge.cache_write_5m + charge.cache_write_1h for charge in charges),
            cost=self._prices.cost(self.model, charges),
        )

    def _current(self) -> list[Charge]:
        """The charges of the running request. What a compaction took is not in its totals (types/beta/beta_usage.py)."""
        searches = _number(_object(self._now.get("server_tool_use")), "web_search_requests")
        found = [self._charge(self._now, searches)]
        iterations = self._now.get("iterations")
        for entry in cast("list[object]", iterations) if isinstance(iterations, list) else ():
            each = _object(entry)
            if each.get("type") == "compaction":
                found.append(self._charge(each, 0))
        return found

    def _charge(self, usage: Mapping[str, Any], searches: int) -> Charge:
        written = _number(usage, "cache_creation_input_tokens")
        by_ttl = _object(usage.get("cache_creation"))
        hour = min(written, _number(by_ttl, "ephemeral_1h_input_tokens") if by_ttl else written if self._ttl == "1h" else 0)
        return Charge(
            _number(usage, "input_tokens"),
            _number(usage, "output_tokens"),
            _number(usage, "cache_read_input_tokens"),
            written - hour,
            hour,
            searches,
        )


def _number(values: Mapping[str, Any], name: str) -> int:
    value = values.get(name)
    return value if isinstance(value, int) and value > 0 else 0


def _object(value: object) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if isinstance(value, dict) else {}
