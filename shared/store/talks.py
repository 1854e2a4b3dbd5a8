"""Conversations: opened by a first question, closed for a reason, taken up again."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection, Row, bindparam, exists, func, insert, select, update

from shared.chat import Button, Cause, Channel, ChannelId, Target
from shared.store import codec, messages, notes, turns
from shared.store.notes import Happened
from shared.store.records import Final, Refusal, Taken, Talk, Waiting, Why
from shared.store.schema import conversations
from shared.store.schema import turns as table

TITLE = 80
"""Characters of a title."""

_open = conversations.c.closed_at.is_(None)
_this = conversations.c.id == bindparam("which")
_INSERT = insert(conversations)
_CLOSE = update(conversations).where(_this).values(closed_at=bindparam("now"), why=bindparam("reason"))
_REOPEN = update(conversations).where(_this).values(closed_at=None, why=None, heard_at=bindparam("now"))
_HEAR = update(conversations).where(_this).values(heard_at=bindparam("now"))
_OPEN = select(conversations.c.id).where(_open, conversations.c.channel == bindparam("channel"))
_heard = select(conversations.c.id, conversations.c.heard_at).where(_open)
_IN_CHANNEL = _heard.where(conversations.c.channel == bindparam("channel"))
_BELOW_CHANNEL = _heard.where(conversations.c.parent == bindparam("channel"))
_OF_SPACE = _heard.where(conversations.c.platform == bindparam("platform"), conversations.c.space == bindparam("space"))
_LAST = (
    select(conversations.c.id)
    .where(conversations.c.channel == bindparam("channel"), conversations.c.closed_at.is_not(None))
    .order_by(conversations.c.heard_at.desc())
    .limit(1)
)
_count = (
    select(func.count())
    .where(table.c.conversation == conversations.c.id, table.c.hidden == 0)
    .correlate(conversations)
    .scalar_subquery()
)
_talk = select(conversations, _count.label("turns"))
_TALK = _talk.where(_this)
_TALK_OPEN = _talk.where(_open, conversations.c.channel == bindparam("channel"))
_newest_first = _talk.order_by(conversations.c.heard_at.desc()).limit(bindparam("most"))
_TALKS = _newest_first.where(conversations.c.channel == bindparam("channel"))
_TALKS_BELOW = _newest_first.where(conversations.c.parent == bindparam("channel"))
_at_rest = ~exists().where(table.c.conversation == conversations.c.id, table.c.ended_at.is_(None)).correlate(conversations)
_QUIET = (
    _talk.where(
        _open, conversations.c.platform == bindparam("platform"), conversations.c.heard_at < bindparam("before"), _at_rest
    )
    .order_by(conversations.c.heard_at)
    .limit(bindparam("most"))
)
_CLOSE_IDLE = (
    update(conversations)
    .where(
        _this,
        conversations.c.platform == bindparam("of"),
        _open,
        conversations.c.heard_at < bindparam("before"),
        _at_rest,
    )
    .values(closed_at=bindparam("now"), why="idle")
)


def opened(c: Connection, channel: ChannelId) -> UUID | None:
    """The open conversation of a channel."""
    found = c.execute(_OPEN, {"channel": channel}).scalar_one_or_none()
    return None if found is None else UUID(found)


def open_new(c: Connection, now: datetime, platform: str, place: Channel, title: str) -> UUID:
    """Open a conversation in a channel that has none."""
    conversation = uuid4()
    c.execute(
        _INSERT,
        {
            "id": str(conversation),
            "platform": platform,
            "channel": place.id,
            "parent": place.parent,
            "space": place.space,
            "place": codec.dump_channel(place),
            "title": flat(title),
            "opened_at": codec.stamp(now),
            "heard_at": codec.stamp(now),
        },
    )
    return conversation


def flat(text: str) -> str:
    """A title: the beginning of a text on one line."""
    return " ".join(text[: 4 * TITLE].split())[:TITLE].rstrip()


def hear(c: Connection, now: datetime, conversation: UUID) -> None:
    """A person wrote there."""
    c.execute(_HEAR, {"which": str(conversation), "now": codec.stamp(now)})


def close(c: Connection, now: datetime, conversation: UUID, why: Why) -> list[Waiting]:
    """Close a conversation; the turns that were told to stop."""
    c.execute(_CLOSE, {"which": str(conversation), "now": codec.stamp(now), "reason": why})
    return turns.stop_all(c, conversation)


def reopen(c: Connection, now: datetime, conversation: UUID) -> None:
    """Open a closed conversation again; nothing else may be open in its channel."""
    c.execute(_REOPEN, {"which": str(conversation), "now": codec.stamp(now)})


def leave(
    c: Connection, now: datetime, platform: str, channel: ChannelId | None, space: str | None, at: datetime | None
) -> list[Waiting]:
    """Close the open conversations of a channel and of those below it, or of a space; the turns that were told to stop.

    Those in which something was said at `at` or later stay open.
    """
    found: list[Row[*tuple[Any, ...]]] = []
    if channel is not None:
        found += [row for query in (_IN_CHANNEL, _BELOW_CHANNEL) for row in c.execute(query, {"channel": channel})]
    if space is not None:
        found += c.execute(_OF_SPACE, {"platform": platform, "space": space})
    old = [row.id for row in found if at is None or _said_last(c, row) < codec.stamp(at)]
    stopping = [turn for one in dict.fromkeys(old) for turn in close(c, now, UUID(one), "left")]
    return sorted(stopping, key=lambda turn: turn.turn)


def _said_last(c: Connection, row: Row[*tuple[Any, ...]]) -> int:
    """When the newest question of a conversation was written, by the platform's clock; we may have heard it much later."""
    newest = turns.newest(c, UUID(row.id))
    said = None if newest is None else messages.last(c, newest.turn)
    return row.heard_at if said is None else codec.stamp(said.sent_at)


def resume(
    c: Connection, event: Happened, cause: Cause, conversation: UUID | None, say: Callable[[Refusal | Talk], str]
) -> Taken:
    """Take a closed conversation up again, and say so."""
    here = cause.place.id
    if conversation is None:
        last = c.execute(_LAST, {"channel": here}).scalar_one_or_none()
        if last is None:
            return notes.notice(c, event, cause.target, say("nothing"))
        conversation = UUID(last)
    row = c.execute(_TALK, {"which": str(conversation)}).one_or_none()
    if row is None or row.platform != event.platform:
        return notes.notice(c, event, cause.target, say("unknown"))
    if here not in (row.channel, row.parent):
        return notes.notice(c, event, cause.target, say("elsewhere"))
    if here != row.channel and codec.load_channel(row.place).secluded:
        return notes.notice(c, event, cause.target, say("unknown"))
    other = opened(c, row.channel)
    stopping = [] if other is None or other == conversation else close(c, event.now, other, "resumed")
    reopen(c, event.now, conversation)
    found = talk(c, conversation)
    told = notes.notice(c, event, cause.target, say("unknown" if found is None else found))
    return Taken(told.decision, told.waiting, conversation, stopping)


def close_idle(
    c: Connection,
    now: datetime,
    platform: str,
    conversation: UUID,
    before: datetime,
    target: Target | None,
    text: str,
    buttons: Sequence[Button],
) -> Taken | None:
    """Close a conversation if it is idle still."""
    said = {"which": str(conversation), "of": platform, "before": codec.stamp(before), "now": codec.stamp(now)}
    if c.execute(_CLOSE_IDLE, said).rowcount != 1:
        return None
    if target is None:
        return Taken("command", conversation=conversation)
    final = Final(text=text, outcome="done", buttons=buttons)
    return Taken("command", turns.notice(c, now, platform, target, final), conversation)


def open_talk(c: Connection, channel: ChannelId) -> Talk | None:
    """The open conversation of a channel."""
    row = c.execute(_TALK_OPEN, {"channel": channel}).one_or_none()
    return None if row is None else _to_talk(row)


def talk(c: Connection, conversation: UUID) -> Talk | None:
    """A conversation."""
    row = c.execute(_TALK, {"which": str(conversation)}).one_or_none()
    return None if row is None else _to_talk(row)


def talks(c: Connection, channel: ChannelId, most: int) -> Sequence[Talk]:
    """The conversations of a channel and of those below it, but for secluded ones."""
    found = [_to_talk(row) for query in (_TALKS, _TALKS_BELOW) for row in c.execute(query, {"channel": channel, "most": most})]
    told = [one for one in found if one.channel.id == channel or not one.channel.secluded]
    return sorted(told, key=lambda one: one.heard_at, reverse=True)[:most]


def quiet(c: Connection, platform: str, before: datetime, most: int) -> Sequence[Talk]:
    """Open conversations in which nothing happens."""
    said = {"platform": platform, "before": codec.stamp(before), "most": most}
    return [_to_talk(row) for row in c.execute(_QUIET, said)]


def _to_talk(row: Row[*tuple[Any, ...]]) -> Talk:
    return Talk(
        UUID(row.id),
        codec.load_channel(row.place),
        row.title,
        codec.moment(row.opened_at),
        codec.moment(row.heard_at),
        None if row.closed_at is None else codec.moment(row.closed_at),
        row.why,
        row.turns,
    )
