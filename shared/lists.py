"""Settings that hold more than one value: how they are written, and what is wrong with one that is not right.

A `ValueError` says what a value has to look like; it never holds the value, which may be a secret.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, cast

HOURS_MOST = 8_760.0
PRICE_MOST = 100_000.0
LONGEST_FILE = 1_000_000
"""Bytes of a price table; more is some other file."""

_CHANNEL = re.compile(r"[a-z]+:[^\s:=,]+")
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_RATES = ("input", "output", "cache_read", "cache_write_5m", "cache_write_1h")


@dataclass(frozen=True, slots=True)
class McpServer:
    """A server whose tools the model may use. `token` is secret; `name` is what people read while it works."""

    name: str
    url: str
    token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Price:
    """What a model costs, in US dollars per million tokens; None where the usual part of `input` holds."""

    input: float
    output: float
    cache_read: float | None = None
    cache_write_5m: float | None = None
    cache_write_1h: float | None = None


def words(text: str) -> Sequence[str]:
    """What stands between commas."""
    return [part.strip() for part in text.split(",") if part.strip()]


def check_ids(ids: Iterable[str], kind: Literal["number", "signed", "code"]) -> None:
    """Whether these look like ids of a platform: numbers, numbers that may be negative, or capitals and digits."""
    like = {
        "number": (r"[0-9]+", "ids, which are numbers,"),
        "signed": (r"-?[0-9]+", "ids, which are numbers (those of groups are negative),"),
        "code": (r"[A-Z0-9]+", "ids like U0123ABCD,"),
    }
    form, told = like[kind]
    if not all(re.fullmatch(form, each) for each in ids):
        raise ValueError(f"takes {told} with commas between them")


def hours(text: str, *, like: str) -> Mapping[str, float]:
    """Hours by channel; `like` is an example of how they are written."""
    found: dict[str, float] = {}
    for part in words(text):
        channel, _, number = (piece.strip() for piece in part.partition("="))
        try:
            value = float(number)
        except ValueError:
            value = -1.0
        if not _CHANNEL.fullmatch(channel) or not 0 <= value <= HOURS_MOST:
            raise ValueError(f"takes channels with their hours (0 to 8760), like {like}")
        found[channel] = value
    return found


def prices(text: str) -> Mapping[str, Price]:
    """Prices by a model's id, from a JSON object or from the file of this path that holds one."""
    text = text.strip()
    return {} if not text else {model: _price(rates) for model, rates in _object(text if text[0] == "{" else _file(text)).items()}


def mcp_servers(text: str) -> Sequence[McpServer]:
    """A JSON list of objects with `name`, `url` and, where the server asks for one, `token`."""
    try:
        listed = json.loads(text)
    except ValueError:
        raise ValueError("has to be a JSON list") from None
    if not isinstance(listed, list):
        raise ValueError("has to be a JSON list")
    servers = [_server(each) for each in cast("list[object]", listed)]
    if len({server.name for server in servers}) < len(servers):
        raise ValueError("has two servers of one name")
    return servers


def _server(value: object) -> McpServer:
    what = 'needs objects like {"name": "docs", "url": "https://…", "token": "…"}'
    if not isinstance(value, dict):
        raise ValueError(what)
    entry = cast("dict[str, object]", value)
    name, url, token = entry.get("name"), entry.get("url"), entry.get("token") or None
    if entry.keys() - {"name", "url", "token"} or not isinstance(name, str) or not isinstance(url, str):
        raise ValueError(what)
    if not _NAME.fullmatch(name):
        raise ValueError("takes names of 1 to 64 letters, digits, - and _")
    if not url.startswith(("https://", "http://")) or any(sign.isspace() for sign in url):
        raise ValueError("takes addresses that begin with https:// or http://")
    if token is not None and not (isinstance(token, str) and all("!" <= sign <= "~" for sign in token)):
        raise ValueError("takes tokens that are plain ASCII without blanks")
    return McpServer(name, url, token)


def _file(path: str) -> str:
    try:
        with Path(path).open("rb") as file:
            return file.read(LONGEST_FILE).decode("utf-8")
    except UnicodeDecodeError:
        raise ValueError("names a file that is not UTF-8 text") from None
    except (OSError, ValueError):
        raise ValueError("has to be a JSON object, or the path of a file that can be read") from None


def _object(text: str) -> Mapping[str, object]:
    try:
        value = json.loads(text)
    except ValueError:
        raise ValueError("is not valid JSON") from None
    if not isinstance(value, dict):
        raise ValueError("has to be a JSON object with a model's id for every price")
    return cast("dict[str, object]", value)


def _price(value: object) -> Price:
    also = ", ".join(_RATES[2:])
    what = f'needs prices like {{"model": {{"input": 2, "output": 10}}}}, in dollars per million tokens; also {also}'
    if not isinstance(value, dict):
        raise ValueError(what)
    rates: dict[str, float] = {}
    for name, rate in cast("dict[str, object]", value).items():
        if name not in _RATES or isinstance(rate, bool) or not isinstance(rate, (int, float)) or not 0 <= rate <= PRICE_MOST:
            raise ValueError(what)
        rates[name] = float(rate)
    if "input" not in rates or "output" not in rates:
        raise ValueError(what)
    return Price(**rates)
