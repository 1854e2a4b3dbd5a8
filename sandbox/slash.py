"""A line such as "/ask what is this? file:cat.png" as a command with its options."""

import base64
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Json = dict[str, Any]

_SUBCOMMAND, _GROUP, _STRING, _INTEGER, _BOOLEAN, _NUMBER, _FILE = 1, 2, 3, 4, 5, 10, 11
"""Option types (Discord developer docs, Application Commands: Application Command Option Type)."""
_NAMED = re.compile(r'([^\s:"]{1,32}):("[^"]*"|\S+)\s*')
_TRUTHS = {"yes": True, "true": True, "on": True, "no": False, "false": False, "off": False}
MOST = 20_000_000
"""Bytes of a file that the control API takes with one call."""


class Unfit(ValueError):
    """The line does not fit the command, or a file cannot be read. The text is a sentence for the person."""


@dataclass(frozen=True, slots=True)
class Line:
    """What a person called: a command's full name, and its options."""

    name: str
    options: Json


def parsed(line: str, commands: Iterable[Json]) -> Line | None:
    """Read a line that begins with "/". None when no command has that name. Raises `Unfit`.

    `name:value` fills an option in, with quotes around what has spaces, and for a file the value is its path. The rest is
    the text of the first option that takes text and is not filled in yet.
    """
    word, _, rest = line.strip().removeprefix("/").partition(" ")
    part = next((each for each in commands if each["name"] == word), None)
    if part is None:
        return None
    words, rest = [word], rest.strip()
    while any(each["type"] in (_SUBCOMMAND, _GROUP) for each in part["options"]):
        named, _, after = rest.partition(" ")
        below = next((each for each in part["options"] if each["name"] == named), None)
        if below is None:
            names = ", ".join(each["name"] for each in part["options"])
            raise Unfit(f"After /{' '.join(words)} comes one of: {names}.")
        part, rest = below, after.strip()
        words.append(named)
    return Line(" ".join(words), _options(part["options"], rest))


def _options(known: list[Json], rest: str) -> Json:
    by_name = {each["name"]: each for each in known}
    options: Json = {}

    def take(found: re.Match[str]) -> str:
        option = by_name.get(found[1])
        if option is None or found[1] in options:
            return found[0]
        options[found[1]] = _value(option, found[2].strip('"'))
        return ""

    text = _NAMED.sub(take, rest).strip()
    if text:
        first = next((each for each in known if each["type"] == _STRING and each["name"] not in options), None)
        if first is None:
            raise Unfit(f'There is no option for "{text}".')
        options[first["name"]] = text
    return options


def _value(option: Json, text: str) -> Any:
    kind = option["type"]
    try:
        if kind == _INTEGER:
            return int(text)
        if kind == _NUMBER:
            return float(text)
        if kind == _BOOLEAN:
            return _TRUTHS[text.casefold()]
    except (ValueError, KeyError):
        raise Unfit(f'{option["name"]} cannot be "{text}".') from None
    return file_at(text) if kind == _FILE else text


def file_at(path: str) -> Json:
    """A file of this machine as the control API takes it. Raises `Unfit`."""
    try:
        data = Path(path).expanduser().read_bytes()
    except OSError as error:
        raise Unfit(f"{path} cannot be read: {error.strerror}.") from error
    if len(data) > MOST:
        raise Unfit(f"{path} is larger than {MOST // 1_000_000} MB.")
    return {"name": Path(path).name, "content_base64": base64.b64encode(data).decode()}
