"""Which option of a command is being typed: so the values that it takes can be offered."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sandbox.page.seat import Json

_STRING = 3
"""Discord developer docs, Application Commands: Application Command Option Type. Sub-commands and their groups are 1 and 2."""
_NAMED = re.compile(r'([^\s:"]{1,32}):("[^"]*"|\S+)\s*')
"""An option that is filled in by its name."""
_ENDING = re.compile(r'(?:^|\s)([^\s:"]{1,32}):("[^"]*|[^\s"]*)$')
"""The same at the end of a line, with what there is of its value."""


@dataclass(frozen=True, slots=True)
class Typed:
    """An option whose value is being typed."""

    option: Json
    value: str
    """What there is of it."""
    before: str
    """The line up to the value."""

    def filled(self, value: str) -> str:
        """The line with a value in the place of what was typed."""
        quoted = self.before.endswith(":") and " " in value
        return f'{self.before}"{value}"' if quoted else f"{self.before}{value}"


def completes(option: Json) -> bool:
    """Whether an option has values that can be offered."""
    return option["type"] == _STRING and bool(option.get("choices") or option.get("autocomplete"))


def typed(line: str, options: Sequence[Json]) -> Typed | None:
    """The option that a line ends in, if it has values that can be offered. `options` are those of the line's command.

    It is one that is filled in by its name, as in "/model for:ch", or the first one, as in "/model op". Behind the value of the
    first one it is the next: "/model opus " goes on with "for:". Commands with sub-commands are left alone.
    """
    _, space, rest = line.partition(" ")
    if not space or any(each["type"] < _STRING for each in options):
        return None
    known = {each["name"]: each for each in options if completes(each)}
    if (end := _ENDING.search(rest)) is not None and end[1] in known:
        return Typed(known[end[1]], end[2].removeprefix('"'), line.removesuffix(end[2]))
    filled = {each[1] for each in _NAMED.finditer(rest)} & {each["name"] for each in options}
    first = next((each for each in options if each["type"] == _STRING and each["name"] not in filled), None)
    if first is None or first["name"] not in known:
        return None
    text = _NAMED.sub(lambda each: "" if each[1] in filled else each[0], rest).lstrip()
    if line.endswith(text) and not text.endswith(" "):
        return Typed(first, text, line.removesuffix(text))
    following = next((each for name, each in known.items() if name not in {*filled, first["name"]}), None)
    return Typed(following, "", f"{line}{following['name']}:") if following is not None and line.endswith(" ") else None
