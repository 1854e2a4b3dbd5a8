"""Events by their keys: which were taken, what was decided, and the notices that tell people."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, select

from shared.chat import AuthorId, Button, Cause, ChannelId, Edited, Message, Pressed, Target
from shared.store import codec, turns
from shared.store.records import Decision, Final, Taken
from shared.store.schema import keys
from shared.store.sqlite import insert

_of_these = (keys.c.platform == bindparam("platform"), keys.c.key.in_(bindparam("keys", expanding=True)))
_KNOWN = select(keys.c.decision, keys.c.turn).where(*_of_these).limit(1)
_WHICH = select(keys.c.key).where(*_of_these)
_REMEMBER = insert(keys).on_conflict_do_nothing()

DUPLICATE = Taken("duplicate")


@dataclass(frozen=True, slots=True)
class Happened:
    """An event that is being taken: where and when. `decision` is what it is called if it is not decided upon.

    `album` is what it was sent with as one.
    """

    now: datetime
    platform: str
    keys: tuple[str, ...]
    channel: ChannelId
    author: AuthorId | None
    decision: Decision
    album: str | None = None


def happened(now: datetime, platform: str, cause: Cause | Edited) -> Happened:
    """What is noted of an event of a person."""
    message = cause.message if isinstance(cause, Edited) else cause
    decision: Decision = "edited" if isinstance(cause, Edited) else "button" if isinstance(cause, Pressed) else "command"
    album = cause.album if isinstance(cause, Message) else None
    return Happened(now, platform, cause.keys, message.target.channel.id, message.author.id, decision, album)


def album_key(album: str) -> str:
    """The key that stands for an album as soon as one of its messages was taken; with it stands what was decided about that."""
    return f"{album}/album"


def of_album(c: Connection, event: Happened) -> Decision | None:
    """What was decided about the first message of the same album; None where there was none."""
    if event.album is None:
        return None
    row = c.execute(_KNOWN, {"platform": event.platform, "keys": [album_key(event.album)]}).one_or_none()
    return None if row is None else row.decision


def which(c: Connection, platform: str, names: Collection[str]) -> frozenset[str]:
    """The keys among these that are known."""
    return frozenset(c.execute(_WHICH, {"platform": platform, "keys": list(names)}).scalars())


def known(c: Connection, event: Happened) -> bool:
    """Whether one of the keys is known; then the others are from now on, too."""
    row = c.execute(_KNOWN, {"platform": event.platform, "keys": event.keys}).one_or_none()
    if row is None:
        return False
    if len(event.keys) > 1:
        c.execute(_REMEMBER, [_row(event, name, row.decision, row.turn) for name in event.keys])
    return True


def remember(c: Connection, event: Happened, decision: Decision, turn: int | None) -> None:
    """Keep what was decided."""
    first, *more = event.keys
    more += [] if event.album is None else [album_key(event.album)]
    rows = [_row(event, first, decision, turn) | {"channel": event.channel, "author": event.author}]
    c.execute(_REMEMBER, rows + [_row(event, name, decision, turn) for name in more])


def notice(
    c: Connection,
    event: Happened,
    target: Target,
    text: str,
    *,
    decision: Decision | None = None,
    buttons: Sequence[Button] = (),
) -> Taken:
    """Keep what was decided and say so. A notice is said where people wrote: the thread of an answer may not exist."""
    decision = decision or event.decision
    made = turns.notice(c, event.now, event.platform, target, Final(text=text, outcome="done", buttons=buttons))
    remember(c, event, decision, made.turn)
    return Taken(decision, made)


def _row(event: Happened, name: str, decision: Decision, turn: int | None) -> dict[str, object]:
    # An event is counted and listed once: by its first key.
    at = codec.stamp(event.now)
    return {
        "platform": event.platform,
        "key": name,
        "decision": decision,
        "turn": turn,
        "at": at,
        "channel": None,
        "author": None,
    }
