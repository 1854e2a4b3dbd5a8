"""The life of a turn in the database. Every change of state goes through `shared.states.advance`, read and written at once."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, bindparam, case, delete, select, update
from sqlalchemy import insert as plain_insert
from sqlalchemy.exc import IntegrityError

from shared.chat import Channel, ChannelId, MessageId, Target
from shared.states import Outcome, State, Step, advance
from shared.store import codec, reads
from shared.store.records import Final, TurnKind, Waiting, Work
from shared.store.rows import UnknownPart, UnknownTurn, waiting, waiting_columns
from shared.store.schema import finals, parts, turns
from shared.store.sqlite import insert

_STATE = select(turns.c.state).where(turns.c.id == bindparam("turn"))
_SET_STATE = update(turns).where(turns.c.id == bindparam("turn")).values(state=bindparam("new"))
_TRY = (
    update(turns)
    .where(turns.c.id == bindparam("turn"))
    .values(state=bindparam("new"), attempts=turns.c.attempts + bindparam("by"))
)
_END = update(turns).where(turns.c.id == bindparam("turn")).values(state=bindparam("new"), ended_at=bindparam("now"), handle=None)
_INSERT_TURN = plain_insert(turns)
_INSERT_FINAL = plain_insert(finals)
_OUTCOME = (
    select(turns.c.state, finals.c.outcome)
    .select_from(turns.outerjoin(finals, finals.c.turn == turns.c.id))
    .where(turns.c.id == bindparam("turn"))
)
_DELIVER: Mapping[Outcome, Step] = {"done": "deliver_done", "stopped": "deliver_stopped", "failed": "deliver_failed"}
_UNFINISHED_OF = (
    select(*waiting_columns)
    .where(turns.c.ended_at.is_(None), turns.c.conversation == bindparam("conversation"))
    .order_by(turns.c.id)
)
_this_part = (parts.c.turn == bindparam("of"), parts.c.ordinal == bindparam("nth"))
_sending = insert(parts)
_SENDING = _sending.values(
    turn=bindparam("of"),
    ordinal=bindparam("nth"),
    channel=bindparam("channel"),
    state="sending",
    message=None,
    begun_at=bindparam("now"),
).on_conflict_do_update(
    index_elements=[parts.c.turn, parts.c.ordinal],
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


def create(
    c: Connection,
    now: datetime,
    *,
    platform: str,
    kind: TurnKind,
    state: State,
    target: Target,
    place: Channel,
    conversation: UUID | None = None,
    size: int = 0,
) -> Waiting:
    """A new turn. `size` is the number of characters that people wrote for it."""
    made = c.execute(
        _INSERT_TURN,
        {
            "platform": platform,
            "conversation": None if conversation is None else str(conversation),
            "kind": kind,
            "state": state,
            "attempts": 0,
            "channel": place.id,
            "target": codec.dump_target(target),
            "handle": target.handle,
            "place": None if place == target.channel else codec.dump_channel(place),
            "size": size,
            "queued_at": codec.stamp(now),
        },
    )
    return Waiting(int(made.lastrowid), platform, conversation, kind, state, place.id)


def add_final(c: Connection, turn: int, final: Final) -> None:
    """Store what people are to read in the end."""
    usage = [final.model, final.input_tokens, final.output_tokens, final.cache_read_tokens, final.cache_write_tokens]
    c.execute(
        _INSERT_FINAL,
        {
            "turn": turn,
            "size": len(final.text),
            "stop": final.stop,
            "outcome": final.outcome,
            "backend": final.backend,
            "text": final.text,
            "note": final.note,
            "blocks": codec.dump_blocks(final.blocks),
            "usage": codec.dump(usage) if any(usage) else None,
            "failure": final.failure,
            "detail": final.detail,
        },
    )


def begin(c: Connection, turn: int) -> Work:
    """Start an attempt and count it."""
    c.execute(_TRY, {"turn": turn, "new": _next(c, turn, "start"), "by": 1})
    return reads.work(c, turn)


def release(c: Connection, turn: int) -> None:
    """Give a turn back unharmed."""
    c.execute(_TRY, {"turn": turn, "new": _next(c, turn, "release"), "by": -1})


def ask_stop(c: Connection, turn: int) -> None:
    """Ask a turn to stop."""
    c.execute(_SET_STATE, {"turn": turn, "new": _next(c, turn, "ask_stop")})


def stop_all(c: Connection, conversation: UUID) -> list[Waiting]:
    """Ask every turn of a conversation to stop that is not yet answered; oldest first."""
    told: list[Waiting] = []
    for row in c.execute(_UNFINISHED_OF, {"conversation": str(conversation)}).all():
        if row.state != "answered":
            new = advance(row.state, "ask_stop")
            c.execute(_SET_STATE, {"turn": row.id, "new": new})
            told.append(replace(waiting(row), state=new))
    return told


def settle(c: Connection, turn: int, final: Final) -> None:
    """Store what people are to read in the end; from here on it is only delivered."""
    c.execute(_SET_STATE, {"turn": turn, "new": _next(c, turn, "settle")})
    add_final(c, turn, final)


def delivered(c: Connection, now: datetime, turn: int, failed: bool) -> None:
    """End a turn, and forget the secret that was needed to answer it."""
    row = c.execute(_OUTCOME, {"turn": turn}).one_or_none()
    if row is None:
        raise UnknownTurn(f"there is no turn {turn}")
    # Without an outcome the turn is not answered, and no such step is in the table.
    step: Step = "deliver_failed" if failed or row.outcome is None else _DELIVER[row.outcome]
    c.execute(_END, {"turn": turn, "new": advance(row.state, step), "now": codec.stamp(now)})
    if step == "deliver_failed":
        # Nobody looks for these any more; `ours` would reach back to them for ever.
        c.execute(_DROP_SENDING, {"of": turn})


def sending(c: Connection, now: datetime, turn: int, ordinal: int, channel: ChannelId) -> None:
    """A part is about to be posted."""
    try:
        c.execute(_SENDING, {"of": turn, "nth": ordinal, "channel": channel, "now": codec.stamp(now)})
    except IntegrityError as error:
        raise UnknownTurn(f"there is no turn {turn}") from error


def shown(c: Connection, turn: int, ordinal: int, message: MessageId) -> None:
    """A part was posted."""
    if c.execute(_SHOWN, {"of": turn, "nth": ordinal, "as": message}).rowcount != 1:
        raise UnknownPart(f"turn {turn} has no part {ordinal}")


def dropped(c: Connection, turn: int, ordinal: int) -> None:
    """A part is no longer there."""
    c.execute(_DROP, {"of": turn, "nth": ordinal})


def _next(c: Connection, turn: int, step: Step) -> State:
    state = c.execute(_STATE, {"turn": turn}).scalar_one_or_none()
    if state is None:
        raise UnknownTurn(f"there is no turn {turn}")
    return advance(state, step)
