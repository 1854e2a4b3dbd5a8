"""Marks of what was seen, silences that platforms asked for, and what is thrown away."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, delete, func, select

from shared.chat import Channel, ChannelId, MessageId
from shared.store import codec
from shared.store.schema import blocks, finals, heard, keys, marks, parts, turns
from shared.store.sqlite import insert

KEPT = timedelta(days=7)
"""How long keys and notices are kept: platforms repeat an event after hours at most, and people look back a few days."""

BATCH = 500
"""So many rows are thrown away in one transaction: what people wait for must not wait for this."""

_new_heard = insert(heard)
_HEARD = _new_heard.on_conflict_do_update(
    index_elements=[heard.c.platform], set_={"at": func.max(heard.c.at, _new_heard.excluded.at)}
)
_new_mark = insert(marks)
_MARK = _new_mark.on_conflict_do_update(
    index_elements=[marks.c.platform, marks.c.channel],
    set_={"place": _new_mark.excluded.place, "message": _new_mark.excluded.message},
)
_FIRST_MARK = insert(marks).on_conflict_do_nothing()
_new_block = insert(blocks)
_BLOCK = _new_block.on_conflict_do_update(
    index_elements=[blocks.c.scope], set_={"until": func.max(blocks.c.until, _new_block.excluded.until)}
)
_UNBLOCK = delete(blocks).where(blocks.c.until <= bindparam("now"))
_OLD_KEYS = select(keys.c.platform, keys.c.key).where(keys.c.at < bindparam("before")).order_by(keys.c.at).limit(BATCH)
_FORGET_KEY = delete(keys).where(keys.c.platform == bindparam("of"), keys.c.key == bindparam("named"))
_OLD_NOTICES = (
    select(turns.c.id)
    .where(turns.c.kind == "notice", turns.c.ended_at < bindparam("before"))
    .order_by(turns.c.ended_at)
    .limit(BATCH)
)
_FORGET_TURN = [
    delete(parts).where(parts.c.turn == bindparam("which")),
    delete(finals).where(finals.c.turn == bindparam("which")),
    delete(turns).where(turns.c.id == bindparam("which")),
]


def see(c: Connection, platform: str, newest: Mapping[ChannelId, tuple[Channel, MessageId]], at: datetime) -> None:
    """Set the marks of channels, and when the platform was last heard."""
    c.execute(_HEARD, {"platform": platform, "at": codec.stamp(at)})
    if newest:
        c.execute(
            _MARK,
            [
                {"platform": platform, "channel": key, "place": codec.dump_channel(place), "message": message}
                for key, (place, message) in newest.items()
            ],
        )


def first_seen(c: Connection, platform: str, channel: Channel, message: MessageId) -> None:
    """Set the mark of a channel that has none."""
    c.execute(
        _FIRST_MARK,
        {"platform": platform, "channel": channel.id, "place": codec.dump_channel(channel), "message": message},
    )


def block(c: Connection, scope: str, until: datetime) -> None:
    """Silence was asked for in a scope."""
    c.execute(_BLOCK, {"scope": scope, "until": codec.stamp(until)})


def sweep(c: Connection, now: datetime) -> bool:
    """Throw one batch away; whether there may be more."""
    before = codec.stamp(now - KEPT)
    c.execute(_UNBLOCK, {"now": codec.stamp(now)})
    old = c.execute(_OLD_KEYS, {"before": before}).all()
    if old:
        c.execute(_FORGET_KEY, [{"of": row.platform, "named": row.key} for row in old])
    notices = c.execute(_OLD_NOTICES, {"before": before}).scalars().all()
    if notices:
        for forget in _FORGET_TURN:
            c.execute(forget, [{"which": turn} for turn in notices])
    return max(len(old), len(notices)) == BATCH
