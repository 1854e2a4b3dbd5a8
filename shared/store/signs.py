"""The signs on questions that wait: noted before one is left, until it is taken away again."""

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, delete, select
from sqlalchemy.exc import IntegrityError

from shared.chat import MessageId
from shared.store.records import Signed
from shared.store.rows import UnknownTurn
from shared.store.schema import signs, turns
from shared.store.sqlite import insert

_new = insert(signs)
_SIGNING = _new.on_conflict_do_update(index_elements=[signs.c.turn], set_={"message": _new.excluded.message})
_UNSIGNED = delete(signs).where(signs.c.turn == bindparam("which"))
_SIGNED = select(signs.c.turn, signs.c.message, turns.c.platform, turns.c.ended_at).join(turns, turns.c.id == signs.c.turn)


def signing(c: Connection, turn: int, message: MessageId) -> None:
    """A sign is about to be left."""
    try:
        c.execute(_SIGNING, {"turn": turn, "message": message})
    except IntegrityError as error:
        raise UnknownTurn(f"there is no turn {turn}") from error


def unsigned(c: Connection, turn: int) -> None:
    """The sign is gone."""
    c.execute(_UNSIGNED, {"which": turn})


def signed(c: Connection) -> Sequence[Signed]:
    """Every sign that may be left somewhere."""
    rows = c.execute(_SIGNED).all()
    return [Signed(row.turn, row.platform, MessageId(row.message), row.ended_at is not None) for row in rows]
