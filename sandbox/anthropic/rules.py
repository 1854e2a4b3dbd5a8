"""Which script answers which request."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.claude.rules import BaseRule, Rules

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
class Rule(BaseRule[Script]):
    """Answer the requests that fit by `script`, `times` times (None: always), after having let `skip` of them pass.

    A request fits if all conditions do: its last user message contains `match` ("" is in all); the regular expression
    `pattern` is found there; it is the `request`-th since the start, counted from 1; it is the `step`-th of its turn, counted
    from 0 (each result of a tool and each pause brought back is one step more); it is for `model`; it offers the tool `tool`;
    one of its texts, wherever it stands, contains `anywhere`. With a `step` above 0, `match` and `pattern` look at the question
    of that turn too.
    """

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


class Scripts(Rules[Script, Rule]):
    """The rules in force, and the script for everything else."""

    def add(self, script: Script, **given: Any) -> Rule:
        """Add a rule behind the others: the fields of `Rule`. Raises ValueError for conditions that make no sense."""
        found = conditions(given)
        return self.put(lambda number: Rule(number, script, **found))

    def choose(self, asked: Asked) -> tuple[Script, int | None]:
        """Take the script for a request, and the number of its rule (None for the default)."""
        return self.take(lambda rule: rule.fits(asked))
