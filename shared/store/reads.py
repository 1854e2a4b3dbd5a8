"""What the store is asked. Nothing here writes."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection, bindparam, func, or_, select

from shared.chat import ChannelId, MessageId, Seen
from shared.states import ENDED
from shared.store import codec
from shared.store.records import Asked, Exchange, Part, Waiting, Work
from shared.store.rows import UnknownTurn, asked, final, waiting, waiting_columns
from shared.store.schema import blocks, conversations, finals, heard, marks, messages, parts, turns

REMEMBERED = timedelta(hours=24)
"""How long a part of ours counts as known to those who look for a lost one."""

_TURN = select(turns).where(turns.c.id == bindparam("turn"))
_MESSAGES = select(messages).where(messages.c.turn == bindparam("turn")).order_by(messages.c.ordinal)
_PARTS = select(parts).where(parts.c.turn == bindparam("turn")).order_by(parts.c.ordinal)
_FINAL = select(finals).where(finals.c.turn == bindparam("turn"))
# Sorted by us: told to sort, SQLite walks the whole table in its order.
_UNFINISHED = select(*waiting_columns).where(turns.c.ended_at.is_(None))
_PAST = (
    select(turns.c.id, (turns.c.size + finals.c.size).label("size"))
    .join(finals, finals.c.turn == turns.c.id)
    .where(
        turns.c.conversation == bindparam("conversation"),
        turns.c.id < bindparam("before"),
        turns.c.state.in_(sorted({"answered", *ENDED})),
        or_(finals.c.stop.is_(None), finals.c.stop != "refusal"),
    )
    .order_by(turns.c.id.desc())
    .limit(bindparam("most"))
)
_PAST_MESSAGES = (
    select(messages).where(messages.c.turn.in_(bindparam("turns", expanding=True))).order_by(messages.c.turn, messages.c.ordinal)
)
_PAST_FINALS = (
    select(finals.c.turn, finals.c.text, finals.c.blocks, finals.c.backend)
    .where(finals.c.turn.in_(bindparam("turns", expanding=True)))
    .order_by(finals.c.turn)
)
_OLDEST_SENDING = select(func.min(parts.c.begun_at)).where(parts.c.channel == bindparam("channel"), parts.c.state == "sending")
_OURS = select(parts.c.message).where(
    parts.c.channel == bindparam("channel"), parts.c.state == "shown", parts.c.begun_at >= bindparam("since")
)
_OPEN = select(conversations.c.id).where(conversations.c.channel == bindparam("channel"), conversations.c.closed_at.is_(None))
_HEARD = select(heard.c.at).where(heard.c.platform == bindparam("platform"))
_MARKS = select(marks).where(marks.c.platform == bindparam("platform"))
_BLOCKS = select(blocks).where(blocks.c.until > bindparam("now"))


def unfinished(c: Connection) -> Sequence[Waiting]:
    """Every turn that has not ended, oldest first."""
    return sorted((waiting(row) for row in c.execute(_UNFINISHED)), key=lambda one: one.turn)


def work(c: Connection, turn: int) -> Work:
    """A turn with all that belongs to it."""
    row = c.execute(_TURN, {"turn": turn}).one_or_none()
    if row is None:
        raise UnknownTurn(f"there is no turn {turn}")
    target = codec.load_target(row.target, row.handle)
    ask = row.kind == "ask"
    settled = row.state == "answered" or row.state in ENDED
    found = c.execute(_FINAL, {"turn": turn}).one_or_none() if settled else None
    return Work(
        turn,
        row.platform,
        None if row.conversation is None else UUID(row.conversation),
        row.kind,
        row.state,
        row.attempts,
        target,
        target.channel if row.place is None else codec.load_channel(row.place),
        [asked(one) for one in c.execute(_MESSAGES, {"turn": turn})] if ask else (),
        [
            Part(one.ordinal, one.state, one.message, one.channel, codec.moment(one.begun_at))
            for one in c.execute(_PARTS, {"turn": turn})
        ],
        None if found is None else final(found),
        codec.moment(row.queued_at),
    )


def history(c: Connection, conversation: UUID, before: int, most: int, characters: int) -> Sequence[Exchange]:
    """The newest turns before one that fit, oldest first."""
    chosen: list[int] = []
    for row in c.execute(_PAST, {"conversation": str(conversation), "before": before, "most": most}):
        characters -= row.size
        if characters < 0:
            break
        chosen.append(row.id)
    if not chosen:
        return ()
    said: dict[int, list[Asked]] = {turn: [] for turn in chosen}
    for row in c.execute(_PAST_MESSAGES, {"turns": chosen}):
        said[row.turn].append(asked(row))
    return [
        Exchange(row.turn, said[row.turn], row.text, codec.load_blocks(row.blocks), row.backend)
        for row in c.execute(_PAST_FINALS, {"turns": chosen})
    ]


def ours(c: Connection, now: datetime, channel: ChannelId) -> frozenset[MessageId]:
    """Our parts of the time in which a lost one may lie."""
    newest = codec.stamp(now)
    oldest = c.execute(_OLDEST_SENDING, {"channel": channel}).scalar_one()
    since = codec.stamp(codec.moment(newest if oldest is None else min(oldest, newest)) - REMEMBERED)
    return frozenset(c.execute(_OURS, {"channel": channel, "since": since}).scalars())


def conversation(c: Connection, channel: ChannelId) -> UUID | None:
    """The open conversation of a channel."""
    found = c.execute(_OPEN, {"channel": channel}).scalar_one_or_none()
    return None if found is None else UUID(found)


def seen(c: Connection, platform: str) -> Seen | None:
    """What had been seen of a platform."""
    since = c.execute(_HEARD, {"platform": platform}).scalar_one_or_none()
    if since is None:
        return None
    rows = c.execute(_MARKS, {"platform": platform}).all()
    return Seen(
        codec.moment(since),
        {ChannelId(row.channel): MessageId(row.message) for row in rows},
        [codec.load_channel(row.place) for row in rows],
    )


def blocked(c: Connection, now: datetime) -> Mapping[str, datetime]:
    """The scopes in which silence was asked for and is not over."""
    return {row.scope: codec.moment(row.until) for row in c.execute(_BLOCKS, {"now": codec.stamp(now)})}
