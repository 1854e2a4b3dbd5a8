"""The platform messages of replies: recorded before they are posted, and after."""

from datetime import datetime

from sqlalchemy import Connection, bindparam, case, delete, select, update
from sqlalchemy.exc import IntegrityError

from shared.chat import ChannelId, MessageId
from shared.store import codec
from shared.store.records import PartKind
from shared.store.rows import UnknownPart, UnknownTurn
from shared.store.schema import parts
from shared.store.sqlite import insert

_this_part = (parts.c.turn == bindparam("of"), parts.c.kind == bindparam("sort"), parts.c.ordinal == bindparam("nth"))
_sending = insert(parts)
_SENDING = _sending.values(
    turn=bindparam("of"),
    kind=bindparam("sort"),
    ordinal=bindparam("nth"),
    channel=bindparam("channel"),
    state="sending",
    message=None,
    begun_at=bindparam("now"),
).on_conflict_do_update(
    index_elements=[parts.c.turn, parts.c.kind, parts.c.ordinal],
    set_={
        "channel": _sending.excluded.channel,
        "state": "sending",
        "message": None,
        # The first try is the one that may be out there.
        "begun_at": case((parts.c.state == "sending", parts.c.begun_at), else_=_sending.excluded.begun_at),
    },
)
_SHOWN = update(parts).where(*_this_part).values(state="shown", message=bindparam("as"))
_DROP = delete(parts).where(*_this_part)
_DROP_SENDING = delete(parts).where(parts.c.turn == bindparam("of"), parts.c.state == "sending")
_PLACE = (
    select(parts.c.channel)
    .where(parts.c.turn == bindparam("turn"), parts.c.state == "shown", parts.c.message == bindparam("message"))
    .limit(1)
)
_ANY_SHOWN = select(parts.c.ordinal).where(parts.c.turn == bindparam("turn"), parts.c.state == "shown").limit(1)


def sending(c: Connection, now: datetime, turn: int, kind: PartKind, ordinal: int, channel: ChannelId) -> None:
    """A part is about to be posted."""
    try:
        c.execute(_SENDING, {"of": turn, "sort": kind, "nth": ordinal, "channel": channel, "now": codec.stamp(now)})
    except IntegrityError as error:
        raise UnknownTurn(f"there is no turn {turn}") from error


def shown(c: Connection, turn: int, kind: PartKind, ordinal: int, message: MessageId) -> None:
    """A part was posted."""
    if c.execute(_SHOWN, {"of": turn, "sort": kind, "nth": ordinal, "as": message}).rowcount != 1:
        raise UnknownPart(f"turn {turn} has no {kind} part {ordinal}")


def dropped(c: Connection, turn: int, kind: PartKind, ordinal: int) -> None:
    """A part is no longer there."""
    c.execute(_DROP, {"of": turn, "sort": kind, "nth": ordinal})


def forget_sending(c: Connection, turn: int) -> None:
    """Nobody looks for these any more; `ours` would reach back to them for ever."""
    c.execute(_DROP_SENDING, {"of": turn})


def channel(c: Connection, turn: int, message: MessageId) -> ChannelId | None:
    """Where the part of a turn is that is shown as this message; None if it is not one of its parts."""
    return c.execute(_PLACE, {"turn": turn, "message": message}).scalar_one_or_none()


def any_shown(c: Connection, turn: int) -> bool:
    """Whether people see something of the answer."""
    return c.execute(_ANY_SHOWN, {"turn": turn}).one_or_none() is not None
