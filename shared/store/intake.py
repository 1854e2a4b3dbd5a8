"""What is done with an event, in one transaction each: is it known? what was decided? which turn comes of it."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import Connection, bindparam, select, update
from sqlalchemy import insert as plain_insert

from shared.chat import Channel, ChannelId, Message, Target
from shared.store import codec, reads, turns
from shared.store.records import Decision, Final, Taken, Waiting, Why
from shared.store.schema import conversations, keys, messages
from shared.store.sqlite import insert

_KNOWN = (
    select(keys.c.decision, keys.c.turn)
    .where(keys.c.platform == bindparam("platform"), keys.c.key.in_(bindparam("keys", expanding=True)))
    .limit(1)
)
_WHICH = select(keys.c.key).where(keys.c.platform == bindparam("platform"), keys.c.key.in_(bindparam("keys", expanding=True)))
_REMEMBER = insert(keys).on_conflict_do_nothing()
_OPEN = plain_insert(conversations)
_CLOSE = (
    update(conversations)
    .where(conversations.c.id == bindparam("which"))
    .values(closed_at=bindparam("now"), why=bindparam("reason"))
)
_SAY = plain_insert(messages)
_still_open = conversations.c.closed_at.is_(None)
_OF_CHANNEL = select(conversations.c.id).where(_still_open, conversations.c.channel == bindparam("channel"))
_BELOW_CHANNEL = select(conversations.c.id).where(_still_open, conversations.c.parent == bindparam("channel"))
_OF_SPACE = select(conversations.c.id).where(
    _still_open, conversations.c.platform == bindparam("platform"), conversations.c.space == bindparam("space")
)

DUPLICATE = Taken("duplicate")


def ask(c: Connection, now: datetime, platform: str, message: Message) -> Taken:
    """Queue a turn in the open conversation of the message's place, which is opened if need be."""
    if _known(c, now, platform, message.keys):
        return DUPLICATE
    place = message.place
    conversation = reads.conversation(c, place.id) or _open(c, now, platform, place)
    quoted = message.quoted
    made = turns.create(
        c,
        now,
        platform=platform,
        kind="ask",
        state="queued",
        target=message.target,
        place=place,
        conversation=conversation,
        size=len(message.text) + (0 if quoted is None else len(quoted.text)),
    )
    c.execute(
        _SAY,
        {
            "turn": made.turn,
            "ordinal": 0,
            "message": message.id,
            "author": message.author.id,
            "name": message.author.name,
            "text": message.text,
            "quoted": codec.dump_quoted(quoted),
            "attachments": codec.dump_attachments(message.attachments),
            "sent_at": codec.stamp(message.sent_at),
        },
    )
    _remember(c, now, platform, message.keys, "queued", made.turn)
    return Taken("queued", made, conversation)


def tell(
    c: Connection,
    now: datetime,
    platform: str,
    target: Target,
    keys: tuple[str, ...],
    decision: Decision,
    text: str,
) -> Taken:
    """A notice."""
    if _known(c, now, platform, keys):
        return DUPLICATE
    return _notice(c, now, platform, target, keys, decision, text)


def note(c: Connection, now: datetime, platform: str, message: Message, decision: Decision) -> Taken:
    """Keep the decision alone."""
    if _known(c, now, platform, message.keys):
        return DUPLICATE
    _remember(c, now, platform, message.keys, decision, None)
    return Taken(decision)


def stop(c: Connection, now: datetime, platform: str, message: Message, nothing: str) -> Taken:
    """Stop what is going on in the open conversation; say `nothing` if there is nothing."""
    if _known(c, now, platform, message.keys):
        return DUPLICATE
    conversation = reads.conversation(c, message.place.id)
    stopping = [] if conversation is None else turns.stop_all(c, conversation)
    if not stopping:
        return _notice(c, now, platform, message.target, message.keys, "command", nothing)
    _remember(c, now, platform, message.keys, "command", None)
    return Taken("command", conversation=conversation, stopping=stopping)


def new(c: Connection, now: datetime, platform: str, message: Message, text: str, nothing: str) -> Taken:
    """Close the open conversation, stop what is going on there, and say so; say `nothing` if none is open."""
    if _known(c, now, platform, message.keys):
        return DUPLICATE
    conversation = reads.conversation(c, message.place.id)
    if conversation is None:
        return _notice(c, now, platform, message.target, message.keys, "command", nothing)
    stopping = _close(c, now, conversation, "new")
    told = _notice(c, now, platform, message.target, message.keys, "command", text)
    return Taken("command", told.waiting, conversation, stopping)


def leave(c: Connection, now: datetime, platform: str, channel: ChannelId | None, space: str | None) -> list[Waiting]:
    """Close the open conversations of a channel and of those below it, or of a space; the turns that were told to stop."""
    found: list[str] = []
    if channel is not None:
        found += c.execute(_OF_CHANNEL, {"channel": channel}).scalars()
        found += c.execute(_BELOW_CHANNEL, {"channel": channel}).scalars()
    if space is not None:
        found += c.execute(_OF_SPACE, {"platform": platform, "space": space}).scalars()
    stopping = [turn for one in dict.fromkeys(found) for turn in _close(c, now, UUID(one), "left")]
    return sorted(stopping, key=lambda turn: turn.turn)


def known(c: Connection, platform: str, names: Collection[str]) -> frozenset[str]:
    """The keys among these that are known."""
    return frozenset(c.execute(_WHICH, {"platform": platform, "keys": list(names)}).scalars())


def _known(c: Connection, now: datetime, platform: str, names: tuple[str, ...]) -> bool:
    """Whether one of the keys is known; then the others are from now on, too."""
    row = c.execute(_KNOWN, {"platform": platform, "keys": names}).one_or_none()
    if row is None:
        return False
    if len(names) > 1:
        _remember(c, now, platform, names, row.decision, row.turn)
    return True


def _remember(c: Connection, now: datetime, platform: str, names: tuple[str, ...], decision: Decision, turn: int | None) -> None:
    at = codec.stamp(now)
    c.execute(_REMEMBER, [{"platform": platform, "key": name, "decision": decision, "turn": turn, "at": at} for name in names])


def _notice(
    c: Connection,
    now: datetime,
    platform: str,
    target: Target,
    names: tuple[str, ...],
    decision: Decision,
    text: str,
) -> Taken:
    # A notice is said where people wrote: the thread of an answer may not exist.
    made = turns.create(c, now, platform=platform, kind="notice", state="answered", target=target, place=target.channel)
    turns.add_final(c, made.turn, Final(text=text, outcome="done"))
    _remember(c, now, platform, names, decision, made.turn)
    return Taken(decision, made)


def _open(c: Connection, now: datetime, platform: str, place: Channel) -> UUID:
    conversation = uuid4()
    c.execute(
        _OPEN,
        {
            "id": str(conversation),
            "platform": platform,
            "channel": place.id,
            "parent": place.parent,
            "space": place.space,
            "opened_at": codec.stamp(now),
        },
    )
    return conversation


def _close(c: Connection, now: datetime, conversation: UUID, why: Why) -> list[Waiting]:
    c.execute(_CLOSE, {"which": str(conversation), "now": codec.stamp(now), "reason": why})
    return turns.stop_all(c, conversation)
