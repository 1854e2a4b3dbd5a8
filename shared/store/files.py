"""The files beside people's messages, and what was made of them."""

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from shared.chat import Attachment, Message
from shared.files.material import Material
from shared.store import codec
from shared.store.records import Kept
from shared.store.rows import kept
from shared.store.schema import files, finals

_ADD = insert(files)
_this_message = (files.c.turn == bindparam("of"), files.c.ordinal == bindparam("at"))
_this_file = (*_this_message, files.c.nth == bindparam("number"))
_OF_TURNS = (
    select(files).where(files.c.turn.in_(bindparam("turns", expanding=True))).order_by(files.c.turn, files.c.ordinal, files.c.nth)
)
_ATTACHED = (
    update(files)
    .where(*_this_file)
    .values(made=bindparam("new_made"), blob=bindparam("new_blob"), problem=bindparam("new_problem"))
)
_DROP = delete(files).where(*_this_file)
_DROP_ALL = delete(files).where(*_this_message)
_BLOBS = select(files.c.blob).where(files.c.blob.is_not(None))
_MADE = select(finals.c.files).where(finals.c.files.is_not(None))
_FORGET = update(files).where(files.c.blob == bindparam("lost")).values(made=None, blob=None)


def wanted(message: Message) -> list[tuple[bool, Attachment]]:
    """The files that come with a message, each with whether it is the quoted message's."""
    quoted = message.quoted.attachments if message.quoted else ()
    return [(False, one) for one in message.attachments] + [(True, one) for one in quoted]


def add(c: Connection, turn: int, ordinal: int, first: int, new: Sequence[tuple[bool, Attachment]]) -> None:
    """Keep files of a message under numbers from `first` on."""
    if new:
        c.execute(
            _ADD,
            [
                {
                    "turn": turn,
                    "ordinal": ordinal,
                    "nth": nth,
                    "ref": one.ref,
                    "name": one.name,
                    "media_type": one.media_type,
                    "size": one.size,
                    "quoted": int(quoted),
                }
                for nth, (quoted, one) in enumerate(new, first)
            ],
        )


def of(c: Connection, turns: Sequence[int]) -> dict[tuple[int, int], list[Kept]]:
    """The files of these turns, by turn and message, each message's own first."""
    found: dict[tuple[int, int], list[Kept]] = {}
    for row in c.execute(_OF_TURNS, {"turns": turns}):
        found.setdefault((row.turn, row.ordinal), []).append(kept(row))
    for some in found.values():
        some.sort(key=lambda one: (one.quoted, one.nth))
    return found


def replace(c: Connection, turn: int, ordinal: int, old: Sequence[Kept], message: Message) -> None:
    """The message has other files now. One that stays keeps its number and what was made of it.

    A new one gets a number that no other had: what is being made of a file that is gone must not end at another.
    """
    gone = list(old)
    new: list[tuple[bool, Attachment]] = []
    for quoted, one in wanted(message):
        same = next((file for file in gone if (file.quoted, file.attachment.ref) == (quoted, one.ref)), None)
        if same is None:
            new.append((quoted, one))
        else:
            gone.remove(same)
    for file in gone:
        c.execute(_DROP, {"of": turn, "at": ordinal, "number": file.nth})
    add(c, turn, ordinal, 1 + max((file.nth for file in old), default=-1), new)


def drop(c: Connection, turn: int, ordinal: int) -> None:
    """The message is gone, and its files with it."""
    c.execute(_DROP_ALL, {"of": turn, "at": ordinal})


def attached(c: Connection, turn: int, ordinal: int, nth: int, result: Material | str) -> None:
    """Keep what was made of a file, or the problem."""
    made = result if isinstance(result, Material) else None
    c.execute(
        _ATTACHED,
        {
            "of": turn,
            "at": ordinal,
            "number": nth,
            "new_made": None if made is None else codec.dump_material(made),
            # A text is carried along and needs no bytes.
            "new_blob": None if made is None else made.digest or None,
            "new_problem": None if isinstance(result, Material) else result,
        },
    )


def blobs(c: Connection) -> frozenset[str]:
    """Every blob that is named."""
    made = (one.blob for text in c.execute(_MADE).scalars() for one in codec.load_made(text))
    return frozenset(c.execute(_BLOBS).scalars()) | frozenset(made)


def forget(c: Connection, names: Sequence[str]) -> None:
    """These blobs are lost."""
    if names:
        c.execute(_FORGET, [{"lost": name} for name in names])
