"""A channel that has become another: everything that names it is told."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, or_, select, update

from shared.chat import Channel, ChannelId
from shared.store import codec, sqlite, talks
from shared.store.records import Waiting
from shared.store.schema import choices, conversations, keys, marks, moves, parts, spent, turns, usage

_CONVERSATIONS = select(conversations.c.id, conversations.c.place).where(
    or_(conversations.c.channel == bindparam("old"), conversations.c.parent == bindparam("old"))
)
_PLACE = (
    update(conversations)
    .where(conversations.c.id == bindparam("which"))
    .values(
        channel=bindparam("in_channel"),
        parent=bindparam("below"),
        space=bindparam("of"),
        place=bindparam("where"),
    )
)
_TURNS = (
    select(turns.c.id, turns.c.channel, turns.c.target, turns.c.place)
    .outerjoin(conversations, conversations.c.id == turns.c.conversation)
    .where(
        or_(
            turns.c.channel == bindparam("old"),
            conversations.c.channel == bindparam("old"),
            conversations.c.parent == bindparam("old"),
        )
    )
)
_TURN = (
    update(turns)
    .where(turns.c.id == bindparam("which"))
    .values(channel=bindparam("in_channel"), target=bindparam("to"), place=bindparam("where"))
)
_RENAMED = (
    (sqlite.rename(parts.c.channel), ""),
    (sqlite.rename(keys.c.channel), ""),
    (sqlite.rename(usage.c.channel), ""),
    (sqlite.rename(spent.c.key), "channel:"),
    (sqlite.rename(choices.c.scope), "channel:"),
)
_new = sqlite.insert(moves)
_NOTE = _new.on_conflict_do_update(index_elements=[moves.c.platform, moves.c.old], set_={"new": _new.excluded.new})
_FURTHER = update(moves).where(moves.c.platform == bindparam("of"), moves.c.new == bindparam("from")).values(new=bindparam("to"))
_BACK = delete(moves).where(moves.c.platform == bindparam("of"), moves.c.old == bindparam("to"))
_MOVED = select(moves.c.old, moves.c.new).where(moves.c.platform == bindparam("platform"))
_FORGET = delete(marks).where(marks.c.platform == bindparam("platform"), marks.c.channel == bindparam("old"))


def move(c: Connection, now: datetime, platform: str, old: ChannelId, new: Channel) -> list[Waiting]:
    """Let everything of a channel go on in another; the turns that were told to stop.

    Where people have begun a conversation in the new one already, that goes on, and the one of the old channel is closed.
    """
    stopping: list[Waiting] = []
    here, there = talks.opened(c, old), talks.opened(c, new.id)
    if here is not None and there is not None:
        stopping = talks.close(c, now, here, "moved")
    _turns(c, old, new)
    for row in c.execute(_CONVERSATIONS, {"old": old}).all():
        place = _moved(codec.load_channel(row.place), old, new)
        said = {"in_channel": place.id, "below": place.parent, "of": place.space, "where": codec.dump_channel(place)}
        c.execute(_PLACE, {"which": row.id, **said})
    for rename, prefix in _RENAMED:
        c.execute(rename, {"old": prefix + old, "new": prefix + new.id})
    c.execute(_FORGET, {"platform": platform, "old": old})
    _note(c, platform, old, new.id)
    return stopping


def moved(c: Connection, platform: str) -> Mapping[ChannelId, ChannelId]:
    """What each channel of the past is called now."""
    return {ChannelId(row.old): ChannelId(row.new) for row in c.execute(_MOVED, {"platform": platform})}


def _note(c: Connection, platform: str, old: ChannelId, new: ChannelId) -> None:
    # What has moved more than once leads to where it is now, and nothing leads round.
    c.execute(_NOTE, {"platform": platform, "old": old, "new": new})
    c.execute(_FURTHER, {"of": platform, "from": old, "to": new})
    c.execute(_BACK, {"of": platform, "to": new})


def _turns(c: Connection, old: ChannelId, new: Channel) -> None:
    for row in c.execute(_TURNS, {"old": old}).all():
        target = codec.load_target(row.target, None)
        target = replace(target, channel=_moved(target.channel, old, new))
        place = None if row.place is None else codec.dump_channel(_moved(codec.load_channel(row.place), old, new))
        channel = new.id if row.channel == old else row.channel
        c.execute(_TURN, {"which": row.id, "in_channel": channel, "to": codec.dump_target(target), "where": place})


def _moved(channel: Channel, old: ChannelId, new: Channel) -> Channel:
    if channel.id == old:
        return replace(new, title=new.title or channel.title)
    return replace(channel, parent=new.id) if channel.parent == old else channel
