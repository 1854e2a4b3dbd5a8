"""What the store is asked. Nothing here writes."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection, bindparam, func, select

from shared.chat import AuthorId, ChannelId, MessageId, Seen
from shared.states import ENDED
from shared.store import codec, files
from shared.store.records import Asked, Told, Waiting, Work
from shared.store.rows import UnknownTurn, asked, final, part, used, waiting, waiting_columns
from shared.store.schema import blocks, finals, heard, keys, marks, messages, parts, turns, usage

REMEMBERED = timedelta(hours=24)
"""How long a part of ours counts as known to those who look for a lost one."""

_TURN = select(turns).where(turns.c.id == bindparam("turn"))
_MESSAGES = (
    select(messages).where(messages.c.turn.in_(bindparam("turns", expanding=True))).order_by(messages.c.turn, messages.c.ordinal)
)
_PARTS = select(parts).where(parts.c.turn == bindparam("turn"))
_FINAL = select(finals).where(finals.c.turn == bindparam("turn"))
_USAGE = select(usage).where(usage.c.turn == bindparam("turn"))
# Sorted by us: told to sort, SQLite walks the whole table in its order.
_UNFINISHED = select(*waiting_columns).where(turns.c.ended_at.is_(None))
_OLDEST_SENDING = select(func.min(parts.c.begun_at)).where(parts.c.channel == bindparam("channel"), parts.c.state == "sending")
_OURS = select(parts.c.message).where(
    parts.c.channel == bindparam("channel"), parts.c.state == "shown", parts.c.begun_at >= bindparam("since")
)
_TOLD = (
    select(
        keys.c.at, keys.c.author, keys.c.decision, keys.c.turn, turns.c.state, turns.c.attempts, finals.c.failure, finals.c.stop
    )
    .select_from(keys.outerjoin(turns, turns.c.id == keys.c.turn).outerjoin(finals, finals.c.turn == keys.c.turn))
    .where(keys.c.channel == bindparam("channel"))
    .order_by(keys.c.at.desc())
    .limit(bindparam("most"))
)
_TOLD_ONE = _TOLD.where(keys.c.author == bindparam("author"))
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
    known = {one.tried: used(one) for one in c.execute(_USAGE, {"turn": turn})} if ask else {}
    found = c.execute(_FINAL, {"turn": turn}).one_or_none() if settled else None
    # The try of a turn that runs is under way; that of any other has its end, known or not.
    earlier = row.tries if row.state == "running" else row.tries + 1
    shown = [part(one) for one in c.execute(_PARTS, {"turn": turn})]
    return Work(
        turn,
        row.platform,
        None if row.conversation is None else UUID(row.conversation),
        row.kind,
        row.state,
        row.attempts,
        row.tries,
        [tried for tried in range(1, earlier) if tried not in known],
        target,
        target.channel if row.place is None else codec.load_channel(row.place),
        said(c, [turn]).get(turn, ()) if ask else (),
        sorted(shown, key=lambda one: (one.kind == "file", one.ordinal)),
        None if found is None else final(found, known.get(row.tries)),
        codec.moment(row.queued_at),
        bool(row.hidden),
    )


def said(c: Connection, some: Sequence[int]) -> Mapping[int, Sequence[Asked]]:
    """The messages of these turns, each with its files."""
    kept = files.of(c, some)
    found: dict[int, list[Asked]] = {}
    for row in c.execute(_MESSAGES, {"turns": some}):
        found.setdefault(row.turn, []).append(asked(row, kept.get((row.turn, row.ordinal), ())))
    return found


def ours(c: Connection, now: datetime, channel: ChannelId) -> frozenset[MessageId]:
    """Our parts of the time in which a lost one may lie."""
    newest = codec.stamp(now)
    oldest = c.execute(_OLDEST_SENDING, {"channel": channel}).scalar_one()
    since = codec.stamp(codec.moment(newest if oldest is None else min(oldest, newest)) - REMEMBERED)
    return frozenset(c.execute(_OURS, {"channel": channel, "since": since}).scalars())


def told(c: Connection, channel: ChannelId, author: AuthorId | None, most: int) -> Sequence[Told]:
    """What became of the last events in a channel."""
    said = {"channel": channel, "author": author, "most": most}
    return [
        Told(codec.moment(row.at), row.author, row.decision, row.turn, row.state, row.attempts or 0, row.failure, row.stop)
        for row in c.execute(_TOLD if author is None else _TOLD_ONE, said)
    ]


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
