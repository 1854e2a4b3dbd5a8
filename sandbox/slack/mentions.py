"""Texts: whom they notify, how people write them and how people read them (docs.slack.dev, Formatting message text)."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

from sandbox.slack.model import Channel, Json, Pings, User

_USER = re.compile(r"<@([UW][A-Z0-9]+)(?:\|[^<>]*)?>")
_GROUP = re.compile(r"<!subteam\^(\w+)[^<>]*>")
_BROADCAST = re.compile(r"<!(?:channel|here|everyone)(?:\|[^<>]*)?>")
_LINK = re.compile(r"\bhttps?://[^\s<>|]+")
_ANGLE = re.compile(r"<([^<>]+)>")


def pings_of(text: str, blocks: list[Json], users: Mapping[str, User]) -> Pings:
    """Whom a message notifies: everybody named in its text or, when it has blocks, in those too.

    Read the same in mrkdwn, Markdown and code: stricter than Slack's clients, which document it for mrkdwn alone.
    """
    pings = Pings()
    for each in (text, *_texts(blocks)):
        for user in _USER.findall(each):
            if user in users and user not in pings.users:
                pings.users.append(user)
        pings.groups.extend(group for group in _GROUP.findall(each) if group not in pings.groups)
        pings.everyone = pings.everyone or bool(_BROADCAST.search(each))
    for kind, element in _rich(blocks):
        if kind == "user" and element.get("user_id") in users and element["user_id"] not in pings.users:
            pings.users.append(element["user_id"])
        pings.everyone = pings.everyone or kind == "broadcast"
    return pings


def _texts(value: object) -> Iterator[str]:
    """The texts that are read as markup, however deep."""
    if isinstance(value, list):
        for each in cast("list[object]", value):
            yield from _texts(each)
    elif isinstance(value, dict):
        given = cast("Json", value)
        if given.get("type") in ("mrkdwn", "markdown") and isinstance(given.get("text"), str):
            yield given["text"]
        for each in given.values():
            if isinstance(each, (dict, list)):
                yield from _texts(cast("object", each))


def _rich(value: object) -> Iterator[tuple[str, Json]]:
    if isinstance(value, list):
        for each in cast("list[object]", value):
            yield from _rich(each)
    elif isinstance(value, dict):
        given = cast("Json", value)
        yield str(given.get("type")), given
        yield from _rich(given.get("elements"))


def written(text: str, users: Iterable[User], channels: Iterable[Channel]) -> str:
    """What a person types as it is sent: `&<>` escaped, `@name`, `#channel`, `@here` and links in their brackets.

    Names of people may be in small or large letters.
    """
    people = {user.name.lower(): user.id for user in users}
    places = {channel.name: channel.id for channel in channels if channel.kind != "im"}
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    text = _LINK.sub(lambda found: f"<{found[0]}>", text)

    def person(found: re.Match[str]) -> str:
        name = found[1]
        if name in ("channel", "here", "everyone"):
            return f"<!{name}>"
        return f"<@{people[name.lower()]}>" if name.lower() in people else found[0]

    text = re.sub(r"(?<![\w<])@(\w+)", person, text)
    return re.sub(r"(?<![\w<&/])#([\w-]+)", lambda found: _place(found, places), text)


def _place(found: re.Match[str], places: dict[str, str]) -> str:
    return f"<#{places[found[1]]}|{found[1]}>" if found[1] in places else found[0]


def as_read(text: str, users: Mapping[str, User]) -> str:
    """A mrkdwn text as a person reads it, apart from its bold and italics."""

    def shown(found: re.Match[str]) -> str:
        inner, _, label = found[1].partition("|")
        if inner.startswith("@"):
            user = users.get(inner[1:])
            return f"@{user.name}" if user else found[0]
        if inner.startswith("#"):
            return f"#{label or inner[1:]}"
        if inner.startswith("!"):
            return label or f"@{inner[1:]}"
        return label or inner

    text = _ANGLE.sub(shown, text)
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def block_texts(blocks: list[Json]) -> Iterator[tuple[str, bool]]:
    """The texts that blocks show, in order, each with whether it is mrkdwn. Buttons are left out."""
    for block in blocks:
        kind = block["type"]
        if kind == "markdown":
            yield block["text"], False
        elif kind in ("section", "header"):
            parts: list[Any] = [block.get("text"), *block.get("fields", [])]
            yield from ((part["text"], part["type"] == "mrkdwn") for part in parts if part)
        elif kind == "context":
            yield from ((part["text"], part["type"] == "mrkdwn") for part in block["elements"] if "text" in part)
        elif kind == "rich_text":
            yield "".join(str(each.get("text", "")) for _, each in _rich(block)), False
        elif kind in ("plan", "task_card"):
            yield str(block.get("title", "")), False
