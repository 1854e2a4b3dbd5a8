"""The life of a turn in the database. Every change of state goes through `shared.states.advance`, read and written at once."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, bindparam, delete, insert, select, update

from shared.chat import AuthorId, Channel, Target
from shared.states import Outcome, State, Step, advance
from shared.store import codec, parts, reads
from shared.store.records import Final, TurnKind, Waiting, Work
from shared.store.rows import UnknownTurn, waiting, waiting_columns
from shared.store.schema import finals, turns

_this_turn = turns.c.id == bindparam("turn")
_STATE = select(*waiting_columns, turns.c.again).where(_this_turn)
_SET_STATE = update(turns).where(_this_turn).values(state=bindparam("new"))
_BEGIN = (
    update(turns)
    .where(_this_turn)
    .values(state=bindparam("new"), attempts=turns.c.attempts + 1, tries=turns.c.tries + 1, again=0)
)
_BEGIN_ANEW = update(turns).where(_this_turn).values(state=bindparam("new"), attempts=1, tries=turns.c.tries + 1, again=0)
_RELEASE = update(turns).where(_this_turn).values(state=bindparam("new"), attempts=turns.c.attempts - 1)
_STOP = update(turns).where(_this_turn).values(state=bindparam("new"), again=0)
_QUEUE = update(turns).where(_this_turn).values(state=bindparam("new"), attempts=0, again=0, ended_at=None)
_ASKED_BY = update(turns).where(_this_turn).values(asker=bindparam("who"))
_AGAIN = update(turns).where(_this_turn).values(again=1)
_END = update(turns).where(_this_turn).values(state=bindparam("new"), ended_at=bindparam("now"), handle=None, again=0)
_HIDE = update(turns).where(_this_turn).values(hidden=1, again=0)
_INSERT_TURN = insert(turns)
_INSERT_FINAL = insert(finals)
_DROP_FINAL = delete(finals).where(finals.c.turn == bindparam("of"))
_OUTCOME = (
    select(turns.c.state, turns.c.again, finals.c.outcome)
    .select_from(turns.outerjoin(finals, finals.c.turn == turns.c.id))
    .where(_this_turn)
)
_DELIVER: Mapping[Outcome, Step] = {"done": "deliver_done", "stopped": "deliver_stopped", "failed": "deliver_failed"}
_UNFINISHED_OF = (
    select(*waiting_columns, turns.c.again)
    .where(turns.c.ended_at.is_(None), turns.c.conversation == bindparam("conversation"))
    .order_by(turns.c.id)
)
_NEWEST = (
    select(*waiting_columns)
    .where(turns.c.conversation == bindparam("conversation"), turns.c.hidden == 0)
    .order_by(turns.c.id.desc())
    .limit(1)
)


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
    asker: AuthorId | None = None,
    size: int = 0,
) -> Waiting:
    """A new turn. `size` is the number of characters that people wrote for it, `asker` who did."""
    made = c.execute(
        _INSERT_TURN,
        {
            "platform": platform,
            "conversation": None if conversation is None else str(conversation),
            "kind": kind,
            "state": state,
            "attempts": 0,
            "tries": 0,
            "again": 0,
            "hidden": 0,
            "asker": asker,
            "channel": place.id,
            "target": codec.dump_target(target),
            "handle": target.handle,
            "place": None if place == target.channel else codec.dump_channel(place),
            "size": size,
            "queued_at": codec.stamp(now),
        },
    )
    return Waiting(int(made.lastrowid), platform, conversation, kind, state, place.id)


def notice(c: Connection, now: datetime, platform: str, target: Target, final: Final) -> Waiting:
    """A turn that is born answered."""
    made = create(c, now, platform=platform, kind="notice", state="answered", target=target, place=target.channel)
    add_final(c, made.turn, final)
    return made


def add_final(c: Connection, turn: int, final: Final) -> None:
    """Store what people are to read in the end, without what it has used up."""
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
            "condensed": int(final.condensed),
            "buttons": codec.dump_buttons(final.buttons),
            "files": codec.dump_made(final.files),
            "failure": final.failure,
            "detail": final.detail,
            "thoughts": final.thoughts or None,
        },
    )


def set_state(c: Connection, turn: int, state: State) -> None:
    """Write a state that `advance` has given."""
    c.execute(_SET_STATE, {"turn": turn, "new": state})


def begin(c: Connection, turn: int) -> Work:
    """Start an attempt and count it."""
    row = _found(c, turn)
    c.execute(_BEGIN_ANEW if row.again else _BEGIN, {"turn": turn, "new": advance(row.state, "start")})
    return reads.work(c, turn)


def release(c: Connection, turn: int) -> None:
    """Give a turn back unharmed. The try stays counted: what it has used up may come to be known yet."""
    c.execute(_RELEASE, {"turn": turn, "new": advance(_found(c, turn).state, "release")})


def ask_stop(c: Connection, turn: int) -> Waiting:
    """Ask a turn to stop."""
    row = _found(c, turn)
    new = advance(row.state, "ask_stop")
    c.execute(_STOP, {"turn": turn, "new": new})
    return replace(waiting(row), state=new)


def stop_all(c: Connection, conversation: UUID) -> list[Waiting]:
    """Ask every turn of a conversation to stop that is not yet answered; oldest first. None is asked again then."""
    told: list[Waiting] = []
    for row in c.execute(_UNFINISHED_OF, {"conversation": str(conversation)}).all():
        if row.state != "answered":
            told.append(ask_stop(c, row.id))
        elif row.again:
            c.execute(_STOP, {"turn": row.id, "new": row.state})
    return told


def find(c: Connection, turn: int) -> Waiting | None:
    """A turn as it is scheduled; None if there is none of this number."""
    row = c.execute(_STATE, {"turn": turn}).one_or_none()
    return None if row is None else waiting(row)


def newest(c: Connection, conversation: UUID) -> Waiting | None:
    """The newest turn of a conversation that is not hidden."""
    row = c.execute(_NEWEST, {"conversation": str(conversation)}).one_or_none()
    return None if row is None else waiting(row)


def reopen(c: Connection, turn: Waiting, asker: AuthorId | None = None) -> Waiting:
    """Queue a turn that has ended again, its final forgotten; `asker` is who asks it this time, if it is somebody else."""
    new = advance(turn.state, "reopen")
    _requeue(c, turn.turn, new)
    if asker is not None:
        c.execute(_ASKED_BY, {"turn": turn.turn, "who": asker})
    return replace(turn, state=new)


def ask_again(c: Connection, turn: Waiting) -> Waiting:
    """The question of a turn under way has changed."""
    c.execute(_AGAIN, {"turn": turn.turn})
    return turn


def hide(c: Connection, turn: int) -> None:
    """Take a turn out of the history."""
    c.execute(_HIDE, {"turn": turn})


def delivered(c: Connection, now: datetime, turn: int, failed: bool) -> bool:
    """End a turn, and forget the secret that was needed to answer it; or queue it again."""
    row = c.execute(_OUTCOME, {"turn": turn}).one_or_none()
    if row is None:
        raise UnknownTurn(f"there is no turn {turn}")
    if row.again and row.state == "answered" and not failed:
        _requeue(c, turn, advance(row.state, "repeat"))
        return True
    # Without an outcome the turn is not answered, and no such step is in the table.
    step: Step = "deliver_failed" if failed or row.outcome is None else _DELIVER[row.outcome]
    c.execute(_END, {"turn": turn, "new": advance(row.state, step), "now": codec.stamp(now)})
    if step == "deliver_failed":
        parts.forget_sending(c, turn)
    return False


def _requeue(c: Connection, turn: int, new: State) -> None:
    c.execute(_QUEUE, {"turn": turn, "new": new})
    c.execute(_DROP_FINAL, {"of": turn})


def _found(c: Connection, turn: int) -> Row[*tuple[Any, ...]]:
    row = c.execute(_STATE, {"turn": turn}).one_or_none()
    if row is None:
        raise UnknownTurn(f"there is no turn {turn}")
    return row
