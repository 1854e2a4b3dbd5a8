"""Which script answers which request."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from .script import Script


@dataclass(frozen=True, slots=True)
class Asked:
    """What rules look at. `number` counts the requests for messages from 1, `step` the answers of this turn from 0.

    `last` is the text of the last user message with what its tools gave, `question` that of the last one with text of its own,
    `texts` all texts, `tools` the names of the tools offered.
    """

    last: str
    number: int = 0
    step: int = 0
    question: str = ""
    model: str = ""
    tools: Sequence[str] = ()
    texts: Sequence[str] = ()


@dataclass(slots=True)
class Rule:
    """Answer the requests that fit by `script`, `times` times (None: always), after having let `skip` of them pass.

    A request fits if all conditions do: its last user message contains `match` ("" is in all); the regular expression
    `pattern` is found there; it is the `request`-th since the start, counted from 1; it is the `step`-th of its turn, counted
    from 0 (each result of a tool and each pause brought back is one step more); it is for `model`; it offers the tool `tool`;
    one of its texts, wherever it stands, contains `anywhere`. With a `step` above 0, `match` and `pattern` look at the question
    of that turn too.
    """

    number: int
    script: Script
    match: str = ""
    times: int | None = 1
    skip: int = 0
    pattern: str | None = None
    request: int | None = None
    step: int | None = None
    model: str | None = None
    tool: str | None = None
    anywhere: str | None = None

    def fits(self, asked: Asked) -> bool:
        """Tell whether the conditions hold, whatever `times` and `skip` say."""
        places = (asked.last, asked.question) if self.step else (asked.last,)
        return (
            any(self.match in text for text in places)
            and (self.pattern is None or any(re.search(self.pattern, text) for text in places))
            and self.request in (None, asked.number)
            and self.step in (None, asked.step)
            and self.model in (None, asked.model)
            and (self.tool is None or self.tool in asked.tools)
            and (self.anywhere is None or any(self.anywhere in text for text in asked.texts))
        )

    def shown(self) -> dict[str, Any]:
        """Return the rule as JSON, without its script and the conditions that it does not make."""
        found = {each.name: getattr(self, each.name) for each in fields(self) if each.name != "script"}
        kept = ("number", "match", "times", "skip")
        return {name: value for name, value in found.items() if name in kept or value is not None}


CONDITIONS = ("match", "times", "skip", "pattern", "request", "step", "model", "tool", "anywhere")
_NUMBERS = ("times", "skip", "request", "step")


def conditions(given: Mapping[str, object]) -> dict[str, Any]:
    """Read a rule's conditions from JSON. Raises ValueError for what is wrong with them."""
    found: dict[str, Any] = {}
    for name, value in given.items():
        if name not in CONDITIONS:
            raise ValueError(f"a rule has no {name}")
        wanted = int if name in _NUMBERS else str
        optional = name not in ("skip", "match")
        if not (isinstance(value, wanted) or (optional and value is None)):
            raise ValueError("times, skip, request and step are numbers; the other conditions are texts")
        found[name] = value
    try:
        re.compile(str(found.get("pattern") or ""))
    except re.error as wrong:
        raise ValueError(f"pattern: {wrong}") from wrong
    return found


class Scripts:
    """The rules in force, oldest first, and the script for everything else."""

    def __init__(self, default: Script) -> None:
        self.default = default
        self._rules: list[Rule] = []
        self._number = 0

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The rules that may still apply."""
        return tuple(self._rules)

    def add(self, script: Script, **given: Any) -> Rule:
        """Add a rule behind the others: the fields of `Rule`. Raises ValueError for conditions that make no sense."""
        found = conditions(given)
        self._number += 1
        rule = Rule(self._number, script, **found)
        self._rules.append(rule)
        return rule

    def remove(self, number: int) -> None:
        """Forget one rule; an unknown number is ignored."""
        self._rules = [rule for rule in self._rules if rule.number != number]

    def clear(self) -> None:
        """Forget every rule; the default stays."""
        self._rules.clear()

    def choose(self, asked: Asked) -> tuple[Script, int | None]:
        """Take the script for a request, and the number of its rule."""
        for rule in self._rules:
            if not rule.fits(asked):
                continue
            if rule.skip:
                rule.skip -= 1
                continue
            if rule.times is not None:
                rule.times -= 1
                if rule.times <= 0:
                    self._rules.remove(rule)
            return rule.script, rule.number
        return self.default, None
