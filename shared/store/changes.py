"""What people change afterwards: what a message says, whether it is there, and whether its turn is asked once more."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, bindparam, select

from shared.chat import Cause, Channel, Deleted, Message, MessageId, Pressed, Target
from shared.states import ENDED
from shared.store import codec, intake, messages, notes, parts, past, talks, turns
from shared.store.intake import Limited
from shared.store.notes import Happened
from shared.store.records import Decision, Refusal, Rules, Taken, Waiting
from shared.store.schema import conversations
from shared.store.schema import turns as table

_TALK = select(conversations.c.closed_at, conversations.c.why, conversations.c.channel).where(
    conversations.c.id == bindparam("which")
)
_PLACES = select(table.c.place, table.c.target).where(table.c.id == bindparam("turn"))


def edit(c: Connection, event: Happened, message: Message) -> Taken:
    """A message says something else now."""
    if notes.known(c, event):
        return notes.DUPLICATE
    place = messages.find(c, event.platform, message.id)
    if place is None:
        return Taken("unknown")
    if not messages.rewrite(c, place, message):
        return notes.DUPLICATE
    notes.remember(c, event, "edited", place.turn)
    return _changed(c, "edited", place.turn, reopen=True)


def deleted(c: Connection, now: datetime, platform: str, gone: Deleted) -> Taken:
    """A message is not there any more."""
    event = Happened(now, platform, (f"{gone.message}/deleted",), gone.channel, None, "deleted")
    if notes.known(c, event):
        return Taken("deleted")
    place = messages.find(c, platform, gone.message)
    if place is None:
        return Taken("unknown")
    notes.remember(c, replace(event, author=place.author), "deleted", place.turn)
    if messages.remove(c, place):
        return _changed(c, "deleted", place.turn, reopen=False)
    turn = turns.find(c, place.turn)
    if turn is None or turn.conversation is None:
        return Taken("deleted")
    _hide(c, turn.conversation, turn.turn)
    stopping = [turns.ask_stop(c, turn.turn)] if turn.state in ("queued", "running", "stopping") else []
    return Taken("deleted", conversation=turn.conversation, stopping=stopping)


def retry(
    c: Connection, event: Happened, cause: Cause, turn: int | None, message: MessageId | None, say: Callable[[Refusal], str]
) -> Taken:
    """Ask the newest turn again; it is counted as used by the one who wants it."""
    newest, refusal = _newest(c, event.platform, cause, turn, message, idle=True)
    if newest is None or newest.conversation is None or refusal is not None:
        return notes.notice(c, event, cause.target, say(refusal or "nothing"))
    notes.remember(c, event, event.decision, newest.turn)
    talks.reopen(c, event.now, newest.conversation)
    return Taken(event.decision, turns.reopen(c, newest, cause.author.id), newest.conversation)


def undo(c: Connection, event: Happened, cause: Cause, say: Callable[[Refusal | None], str]) -> Taken:
    """Hide the newest turn."""
    newest, refusal = _newest(c, event.platform, cause, None, None)
    conversation = None if newest is None else newest.conversation
    if newest is not None and conversation is not None and refusal is None:
        _hide(c, conversation, newest.turn)
    told = notes.notice(c, event, cause.target, say(refusal))
    return Taken(told.decision, told.waiting, conversation)


def more(
    c: Connection,
    event: Happened,
    cause: Pressed,
    turn: int,
    text: str,
    rules: Rules,
    say: Callable[[Refusal], str],
    limited: Limited,
) -> Taken:
    """Ask for the rest of an answer."""
    limit = intake.limited(c, event, cause.author.id, cause.place, rules)
    if limit is not None:
        return intake.refuse(c, event, cause.target, limit, limited)
    newest, refusal = _newest(c, event.platform, cause, turn, cause.message, idle=True)
    if newest is None or newest.conversation is None or refusal is not None:
        return notes.notice(c, event, cause.target, say(refusal or "nothing"))
    conversation = newest.conversation
    talks.reopen(c, event.now, conversation)
    place, target = _places(c, turn)
    shown = next(one for one in (target.channel, place, cause.target.channel) if one.id == cause.target.channel.id)
    asked = Message(
        keys=event.keys,
        id=MessageId(event.keys[0]),
        target=Target(shown, reply_to=cause.message),
        author=cause.author,
        sent_at=cause.sent_at,
        text=text,
        addressed=True,
    )
    return Taken(event.decision, intake.queue(c, event, conversation, place, asked), conversation)


def _newest(
    c: Connection, platform: str, cause: Cause, turn: int | None, message: MessageId | None, *, idle: bool = False
) -> tuple[Waiting | None, Refusal | None]:
    """The turn that is meant, or why it cannot be: the newest of the open conversation; `idle`: of one that was closed as idle.

    A button stands under a turn, wherever that is shown: then the turn says which conversation is meant.
    """
    named = None
    if turn is not None:
        named = turns.find(c, turn)
        if named is None or named.conversation is None or named.platform != platform:
            return None, "unknown"
        if message is not None and parts.channel(c, turn, message) is None:
            return None, "unknown"
        if message is None and named.channel != cause.place.id:
            return None, "old"
    conversation = talks.opened(c, cause.place.id) if named is None else _open(c, named.conversation, idle)
    if conversation is None:
        return None, "nothing" if named is None else "old"
    newest = turns.newest(c, conversation)
    if newest is None:
        return None, "nothing" if named is None else "old"
    if named is not None and newest.turn != named.turn:
        return None, "old"
    return newest, None if newest.state in ENDED else "busy"


def _open(c: Connection, conversation: UUID | None, idle: bool) -> UUID | None:
    """The conversation if it is open, or may be taken for open."""
    row = None if conversation is None else c.execute(_TALK, {"which": str(conversation)}).one_or_none()
    if row is None or row.closed_at is None:
        return conversation
    return conversation if idle and row.why == "idle" and talks.opened(c, row.channel) is None else None


def _places(c: Connection, turn: int) -> tuple[Channel, Target]:
    row = c.execute(_PLACES, {"turn": turn}).one()
    target = codec.load_target(row.target, None)
    return target.channel if row.place is None else codec.load_channel(row.place), target


def _changed(c: Connection, said: Decision, number: int, *, reopen: bool) -> Taken:
    """The question of a turn has changed: ask it again if nothing came after it."""
    turn = turns.find(c, number)
    conversation = None if turn is None else turn.conversation
    if turn is None or conversation is None:
        return Taken(said)
    past.changed(c, conversation, number)
    newest = turns.newest(c, conversation) if _open(c, conversation, idle=False) else None
    if newest is None or newest.turn != number:
        return Taken(said, conversation=conversation)
    if turn.state in ENDED:
        return Taken(said, turns.reopen(c, turn) if reopen else None, conversation)
    again = turns.ask_again(c, turn) if turn.state in ("running", "answered") else None
    return Taken(said, conversation=conversation, again=again)


def _hide(c: Connection, conversation: UUID, turn: int) -> None:
    turns.hide(c, turn)
    past.changed(c, conversation, turn)
