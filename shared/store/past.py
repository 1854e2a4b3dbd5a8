"""What was said in a conversation before."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, bindparam, delete, or_, select, update

from shared.states import ENDED
from shared.store import codec, reads
from shared.store.records import Exchange, Past
from shared.store.schema import finals, keys, summaries, turns
from shared.store.sqlite import insert

_PAST = (
    select(turns.c.id, (turns.c.size + finals.c.size).label("size"), finals.c.condensed)
    .join(finals, finals.c.turn == turns.c.id)
    .where(
        turns.c.conversation == bindparam("conversation"),
        turns.c.id < bindparam("before"),
        turns.c.id > bindparam("after"),
        turns.c.hidden == 0,
        turns.c.state.in_(sorted({"answered", *ENDED})),
        or_(finals.c.stop.is_(None), finals.c.stop != "refusal"),
    )
    .order_by(turns.c.id.desc())
    .limit(bindparam("most"))
)
_FINALS = (
    select(finals.c.turn, finals.c.text, finals.c.blocks, finals.c.backend, finals.c.condensed)
    .where(finals.c.turn.in_(bindparam("turns", expanding=True)))
    .order_by(finals.c.turn)
)
_SUMMARY = (
    select(summaries.c.upto, summaries.c.text)
    .where(summaries.c.conversation == bindparam("conversation"), summaries.c.upto < bindparam("before"))
    .order_by(summaries.c.upto.desc())
    .limit(1)
)
_new = insert(summaries)
_SUMMARISE = _new.on_conflict_do_update(
    index_elements=[summaries.c.conversation, summaries.c.upto], set_={"text": _new.excluded.text, "at": _new.excluded.at}
)
_ASKED = select(turns.c.conversation, turns.c.queued_at).where(turns.c.id == bindparam("turn"))
_CHANGED = (
    select(keys.c.key)
    .join(turns, turns.c.id == keys.c.turn)
    .where(
        keys.c.at >= bindparam("since"),
        keys.c.decision.in_(("edited", "deleted")),
        turns.c.conversation == bindparam("of"),
        turns.c.id < bindparam("before"),
    )
    .limit(1)
)
_FORGET = delete(summaries).where(summaries.c.conversation == bindparam("of"), summaries.c.upto >= bindparam("turn"))
_later = select(turns.c.id).where(turns.c.conversation == bindparam("of"), turns.c.id > bindparam("after"))
_FORGET_BLOCKS = update(finals).where(finals.c.turn.in_(_later), finals.c.condensed == 1).values(condensed=0, blocks=None)


def history(c: Connection, conversation: UUID, before: int, most: int, characters: int) -> Past:
    """The newest turns before one that fit, oldest first, and the summary of those before them."""
    found = c.execute(_SUMMARY, {"conversation": str(conversation), "before": before}).one_or_none()
    summary, after = (None, 0) if found is None else (found.text, found.upto)
    # One more than may be told, to know whether there are more.
    asked = {"conversation": str(conversation), "before": before, "after": after, "most": most + 1}
    chosen: list[int] = []
    shortened = False
    for row in c.execute(_PAST, asked).all():
        characters -= row.size
        if characters < 0 or len(chosen) == most:
            shortened = True
            break
        chosen.append(row.id)
        if row.condensed:
            summary = None
            break
    return Past(summary, _exchanges(c, chosen) if chosen else (), shortened)


def summarise(c: Connection, now: datetime, turn: int, upto: int, text: str) -> None:
    """A text that was made for a turn stands for the beginning of its conversation, unless that has changed since."""
    row = c.execute(_ASKED, {"turn": turn}).one_or_none()
    if row is not None and not outdated(c, turn):
        c.execute(_SUMMARISE, {"conversation": row.conversation, "upto": upto, "text": text, "at": codec.stamp(now)})


def outdated(c: Connection, turn: int) -> bool:
    """Whether what was said before a turn may have been changed after the turn had gone by it."""
    row = c.execute(_ASKED, {"turn": turn}).one()
    said = {"of": row.conversation, "before": turn, "since": row.queued_at}
    return c.execute(_CHANGED, said).one_or_none() is not None


def changed(c: Connection, conversation: UUID, turn: int) -> None:
    """What a turn says is another now: what sums it up is forgotten, here and in the blocks of later answers."""
    c.execute(_FORGET, {"of": str(conversation), "turn": turn})
    c.execute(_FORGET_BLOCKS, {"of": str(conversation), "after": turn})


def _exchanges(c: Connection, chosen: list[int]) -> list[Exchange]:
    said = reads.said(c, chosen)
    return [
        Exchange(row.turn, said.get(row.turn, ()), row.text, codec.load_blocks(row.blocks), row.backend, bool(row.condensed))
        for row in c.execute(_FINALS, {"turns": chosen})
    ]
