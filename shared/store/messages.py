"""The messages that turns answer."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from shared.chat import AuthorId, Message, MessageId, Quoted
from shared.store import codec, files
from shared.store.schema import messages, turns

_ADD = insert(messages)
_this = (messages.c.turn == bindparam("of"), messages.c.ordinal == bindparam("nth"))
_FIND = (
    select(messages.c.turn, messages.c.ordinal, messages.c.author, messages.c.text, messages.c.quoted)
    .join(turns, turns.c.id == messages.c.turn)
    .where(messages.c.message == bindparam("message"), turns.c.platform == bindparam("platform"))
    .order_by(messages.c.turn.desc())
    .limit(1)
)
_LAST = (
    select(messages.c.ordinal, messages.c.author, messages.c.sent_at)
    .where(messages.c.turn == bindparam("turn"))
    .order_by(messages.c.ordinal.desc())
    .limit(1)
)
_ALBUM = (
    select(messages.c.turn)
    .where(messages.c.turn.in_(bindparam("turns", expanding=True)), messages.c.album == bindparam("album"))
    .limit(1)
)
_REWRITE = update(messages).where(*_this).values(text=bindparam("new_text"), quoted=bindparam("new_quoted"))
_REMOVE = delete(messages).where(*_this)
_LEFT = select(func.count()).where(messages.c.turn == bindparam("turn"))
_GROW = update(turns).where(turns.c.id == bindparam("of")).values(size=turns.c.size + bindparam("by"), asker=bindparam("who"))


@dataclass(frozen=True, slots=True)
class Place:
    """Where a message is, and what it said."""

    turn: int
    ordinal: int
    author: AuthorId
    text: str
    quoted: str | None


@dataclass(frozen=True, slots=True)
class Last:
    """The newest message of a turn."""

    ordinal: int
    author: AuthorId
    sent_at: datetime


def size(text: str, quoted: Quoted | None) -> int:
    """The characters that people wrote."""
    return len(text) + (0 if quoted is None else len(quoted.text))


def add(c: Connection, turn: int, ordinal: int, message: Message) -> None:
    """Give a turn a message."""
    c.execute(
        _ADD,
        {
            "turn": turn,
            "ordinal": ordinal,
            "message": message.id,
            "author": message.author.id,
            "name": message.author.name,
            "text": message.text,
            "quoted": codec.dump_quoted(message.quoted),
            "album": message.album,
            "sent_at": codec.stamp(message.sent_at),
        },
    )
    files.add(c, turn, ordinal, 0, files.wanted(message))


def join(c: Connection, turn: int, message: Message) -> None:
    """Give a turn one more message."""
    newest = last(c, turn)
    add(c, turn, 0 if newest is None else newest.ordinal + 1, message)
    c.execute(_GROW, {"of": turn, "by": size(message.text, message.quoted), "who": message.author.id})


def last(c: Connection, turn: int) -> Last | None:
    """The newest message of a turn."""
    row = c.execute(_LAST, {"turn": turn}).one_or_none()
    return None if row is None else Last(row.ordinal, row.author, codec.moment(row.sent_at))


def of_album(c: Connection, some: list[int], album: str) -> int | None:
    """The turn among these that has a message of the album."""
    return c.execute(_ALBUM, {"turns": some, "album": album}).scalar_one_or_none()


def find(c: Connection, platform: str, message: MessageId) -> Place | None:
    """Where a message is."""
    row = c.execute(_FIND, {"platform": platform, "message": message}).one_or_none()
    return None if row is None else Place(row.turn, row.ordinal, row.author, row.text, row.quoted)


def rewrite(c: Connection, place: Place, message: Message) -> bool:
    """A message says something else now; False if it does not."""
    dumped = codec.dump_quoted(message.quoted)
    quoted = None if dumped is None else codec.clean(dumped)
    kept = files.of(c, [place.turn]).get((place.turn, place.ordinal), [])
    had = sorted((one.quoted, one.attachment.ref) for one in kept)
    has = sorted((own, codec.clean(one.ref)) for own, one in files.wanted(message))
    if (place.text, place.quoted, had) == (codec.clean(message.text), quoted, has):
        return False
    c.execute(_REWRITE, {"of": place.turn, "nth": place.ordinal, "new_text": message.text, "new_quoted": quoted})
    files.replace(c, place.turn, place.ordinal, kept, message)
    before = size(place.text, codec.load_quoted(place.quoted, ()))
    _resize(c, place.turn, size(message.text, message.quoted) - before)
    return True


def remove(c: Connection, place: Place) -> bool:
    """A message is gone; False, and nothing is done, if it is the only one of its turn."""
    if c.execute(_LEFT, {"turn": place.turn}).scalar_one() < 2:
        return False
    c.execute(_REMOVE, {"of": place.turn, "nth": place.ordinal})
    files.drop(c, place.turn, place.ordinal)
    _resize(c, place.turn, -size(place.text, codec.load_quoted(place.quoted, ())))
    return True


def _resize(c: Connection, turn: int, by: int) -> None:
    newest = last(c, turn)
    if newest is not None:
        c.execute(_GROW, {"of": turn, "by": by, "who": newest.author})
