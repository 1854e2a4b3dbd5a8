"""Channels and what was said in them (docs.slack.dev: conversations.*)."""

import base64
from collections.abc import Sequence

from sandbox.slack.api.asked import Asked
from sandbox.slack.errors import ApiError
from sandbox.slack.ids import ts_number
from sandbox.slack.model import Channel, Json, Message
from sandbox.slack.payloads import channel_json, message_json

_FAMILIES = {"channel": "channels", "group": "groups", "im": "im"}
_TYPES = {"public_channel": "channel", "private_channel": "group", "im": "im"}
HISTORY, MOST = 100, 999
"""Messages per page of conversations.history by default and at most (its page: limit)."""
REPLIES = 1000


def history(asked: Asked) -> Json:
    """conversations.history: roots and broadcast replies, newest first.

    With `oldest` and without `latest` the first page is the one next to `oldest`, and the cursor goes on to later ones; else
    the cursor goes back in time (slackhq/slack-api-docs issue 4; the cursor's direction is taken to follow from it).
    """
    channel = _read(asked, "history")
    limit = asked.number("limit", 1, MOST, HISTORY)
    shown = [each for each in _living(asked, channel.messages) if each.thread is None or each.broadcast]
    found = _between(asked, shown)
    forward = bool(asked.text("oldest")) and not asked.text("latest")
    ordered = found if forward else found[::-1]
    page, more = _page(asked, ordered, limit)
    newest_first = page[::-1] if forward else page
    metadata = asked.flag("include_all_metadata")
    body: Json = {"messages": [message_json(asked.world, each, metadata=metadata) for each in newest_first]}
    return body | {"has_more": bool(more), "pin_count": 0} | _next(more)


def replies(asked: Asked) -> Json:
    """conversations.replies: the root, on the first page, and its replies, oldest first."""
    channel = _read(asked, "history")
    ts = asked.ts("ts", "thread_not_found")
    message = None if ts is None else asked.world.state.messages.get(ts)
    if message is None or message.channel != channel.id or message.ephemeral is not None:
        raise ApiError("thread_not_found")
    root = message if message.thread is None else asked.world.state.messages[message.thread]
    below = asked.world.replies(root.ts)
    if root.deleted is not None and not below:
        raise ApiError("thread_not_found")
    limit = asked.number("limit", 1, REPLIES, REPLIES)
    first = not asked.text("cursor")
    # The root comes beside what was asked for, whatever the times.
    page, more = _page(asked, _between(asked, below), max(1, limit - 1) if first else limit)
    metadata = asked.flag("include_all_metadata")
    shown = [message_json(asked.world, each, metadata=metadata) for each in ([root] if first else []) + page]
    return {"messages": shown, "has_more": bool(more)} | _next(more)


def info(asked: Asked) -> Json:
    """conversations.info, also of a public channel that the bot is not in."""
    return {"channel": channel_json(asked.world, _read(asked, "read", member=False))}


def every(asked: Asked) -> Json:
    """conversations.list: public channels, and of the others those that the bot is in."""
    return _listed(asked, everywhere=True)


def mine(asked: Asked) -> Json:
    """users.conversations: those that the bot is in (docs.slack.dev, users.conversations)."""
    return _listed(asked, everywhere=False)


def _listed(asked: Asked, *, everywhere: bool) -> Json:
    wanted = [each.strip() for each in (asked.text("types") or "public_channel").split(",")]
    kinds = {_TYPES[each] for each in wanted if each in _TYPES}
    if not all(each in (*_TYPES, "mpim") for each in wanted):
        raise ApiError("invalid_types")
    for kind in kinds:
        asked.scope(f"{_FAMILIES[kind]}:read")
    channels = [
        each
        for each in asked.world.state.channels.values()
        if each.kind in kinds and not each.deleted and ((everywhere and each.kind == "channel") or asked.world.me in each.members)
    ]
    if asked.flag("exclude_archived"):
        channels = [each for each in channels if not each.archived]
    begin = _cursor(asked, "from")
    limit = asked.number("limit", 1, MOST, HISTORY)
    rest = channels[begin:]
    more = f"from:{begin + limit}" if len(rest) > limit else ""
    return {"channels": [channel_json(asked.world, each) for each in rest[:limit]]} | _next(more)


def open_direct(asked: Asked) -> Json:
    """conversations.open with one user; the simulator has no direct messages of several people."""
    named = asked.text("channel")
    if named:
        channel = asked.channel("channel")
        if channel.kind != "im":
            raise ApiError("method_not_supported_for_channel_type")
        return {"channel": {"id": channel.id}, "no_op": True, "already_open": True}
    users = [each for each in (asked.text("users") or "").split(",") if each]
    if not users:
        raise ApiError("users_list_not_supplied")
    user = asked.world.state.users.get(users[0])
    if len(users) > 1 or user is None or user.bot_id is not None:
        raise ApiError("user_not_found" if len(users) == 1 else "too_many_users")
    known = user.id in asked.world.state.directs
    channel = asked.world.open_direct(user.id)
    shown = channel_json(asked.world, channel) if asked.flag("return_im") else {"id": channel.id}
    return {"channel": shown} | ({"no_op": True, "already_open": True} if known else {})


def join(asked: Asked) -> Json:
    """conversations.join, for public channels."""
    channel = asked.world.channel(asked.need("channel"))
    if channel is None or (channel.kind == "group" and asked.world.me not in channel.members):
        raise ApiError("channel_not_found")
    if channel.kind != "channel":
        raise ApiError("method_not_supported_for_channel_type")
    if channel.archived:
        raise ApiError("is_archived")
    asked.world.join(channel, asked.world.me, joined=True)
    return {"channel": channel_json(asked.world, channel)}


def _read(asked: Asked, what: str, *, member: bool = True) -> Channel:
    found = asked.world.channel(asked.need("channel"))
    if found is None:
        raise ApiError("channel_not_found")
    asked.scope(f"{_FAMILIES[found.kind]}:{what}")
    if member or found.kind != "channel":
        asked.inside(found)
    return found


def _living(asked: Asked, order: Sequence[str]) -> list[Message]:
    """The messages that are there, with the tombstones of roots that still have replies."""
    messages = [asked.world.state.messages[ts] for ts in order]
    return [each for each in messages if each.deleted is None or (each.thread is None and asked.world.replies(each.ts))]


def _between(asked: Asked, messages: list[Message]) -> list[Message]:
    oldest, latest = asked.ts("oldest", "invalid_ts_oldest"), asked.ts("latest", "invalid_ts_latest")
    low = -1 if oldest is None else ts_number(oldest)
    high = float("inf") if latest is None else ts_number(latest)
    if asked.flag("inclusive"):
        return [each for each in messages if low <= ts_number(each.ts) <= high]
    return [each for each in messages if low < ts_number(each.ts) < high]


def _page(asked: Asked, ordered: list[Message], limit: int) -> tuple[list[Message], str]:
    """One page in the given order, and where the next one begins: after a message, which may be gone by then."""
    after = _cursor(asked, "after")
    if after and ordered:
        rising = ts_number(ordered[0].ts) < ts_number(ordered[-1].ts)
        ordered = [each for each in ordered if (ts_number(each.ts) > after if rising else ts_number(each.ts) < after)]
    page = ordered[:limit]
    return page, f"after:{ts_number(page[-1].ts)}" if len(ordered) > limit else ""


def _cursor(asked: Asked, kind: str) -> int:
    text = asked.text("cursor")
    if not text:
        return 0
    try:
        name, _, number = base64.b64decode(text, validate=True).decode().partition(":")
    except ValueError as error:
        raise ApiError("invalid_cursor") from error
    if name != kind or not number.isdigit():
        raise ApiError("invalid_cursor")
    return int(number)


def _next(more: str) -> Json:
    """Where the next page begins (docs.slack.dev, Pagination); empty at the end."""
    return {"response_metadata": {"next_cursor": base64.b64encode(more.encode()).decode() if more else ""}}
