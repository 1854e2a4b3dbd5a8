"""What is done with what people write, in one transaction each: whether it may be asked, which turn takes it, what is to stop."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, and_, bindparam, func, select

from shared.chat import AuthorId, Cause, Channel, Message, MessageId, Target
from shared.store import codec, messages, notes, parts, spending, talks, turns
from shared.store.notes import Happened
from shared.store.records import Decision, Rules, Share, Taken, Waiting
from shared.store.schema import conversations, keys
from shared.store.schema import turns as table

_Row = Row[*tuple[Any, ...]]
A_MINUTE = timedelta(minutes=1)

TOLD_AGAIN = timedelta(hours=1)
"""How long a person is not told again in a channel that a budget is used up."""

NOT_WRITTEN: tuple[Decision, ...] = ("edited", "deleted")
"""What is no message of its own."""

_too_fast = keys.c.decision == "too_fast"
_PACE = select(
    func.count().filter(~_too_fast, keys.c.decision.not_in(NOT_WRITTEN)).label("taken"),
    func.count().filter(_too_fast).label("refused"),
).where(keys.c.author == bindparam("author"), keys.c.at > bindparam("since"))
_TOLD = (
    select(keys.c.at)
    .where(
        keys.c.author == bindparam("author"),
        keys.c.at > bindparam("since"),
        keys.c.channel == bindparam("channel"),
        keys.c.decision == "over_limit",
    )
    .limit(1)
)
# The conversation and what is going on there in one question: it is asked for every message.
_GOING_ON = (
    select(conversations.c.id.label("talk"), table.c.id, table.c.state, table.c.asker)
    .select_from(conversations.outerjoin(table, and_(table.c.conversation == conversations.c.id, table.c.ended_at.is_(None))))
    .where(conversations.c.channel == bindparam("channel"), conversations.c.closed_at.is_(None))
)

Limited = Callable[[Decision, Share | None], str]


@dataclass(frozen=True, slots=True)
class Limit:
    """Why a person may not ask now, and whether they were told so just before."""

    decision: Decision
    share: Share | None
    told: bool


def ask(c: Connection, event: Happened, message: Message, rules: Rules, say: Limited) -> Taken:
    """Let a turn take the message, or say why none does."""
    rows = c.execute(_GOING_ON, {"channel": message.place.id}).all()
    conversation = UUID(rows[0].talk) if rows else None
    going_on = sorted((row for row in rows if row.id is not None), key=lambda row: row.id)
    # What was sent as one is one message: its parts are not too many for each other, and what is refused is refused as a whole.
    if conversation is not None and (album := _of_album(c, going_on, message)) is not None:
        return _join(c, event, conversation, album, message)
    if (decided := notes.of_album(c, event)) not in (None, "queued", "joined"):
        return note(c, event, decided)
    limit = limited(c, event, message.author.id, message.place, rules)
    if limit is not None:
        return refuse(c, event, message.target, replace(limit, told=limit.told and not message.commanded), say)
    if conversation is not None:
        joined = _joins(c, going_on, message, rules)
        if joined is not None:
            return _join(c, event, conversation, joined, message)
        if len(going_on) > rules.queue:
            return notes.notice(c, event, message.target, say("queue_full", None), decision="queue_full")
        talks.hear(c, event.now, conversation)
    else:
        title = message.text.strip() or next((one.name for one in message.attachments), "")
        conversation = talks.open_new(c, event.now, event.platform, message.place, title)
    stopping = [turns.ask_stop(c, row.id) for row in going_on if rules.interrupt and row.state == "running"]
    made = queue(c, event, conversation, message.place, message)
    return Taken("queued", made, conversation, stopping, behind=len(going_on))


def queue(c: Connection, event: Happened, conversation: UUID, place: Channel, message: Message) -> Waiting:
    """A new turn with this message."""
    made = turns.create(
        c,
        event.now,
        platform=event.platform,
        kind="ask",
        state="queued",
        target=message.target,
        place=place,
        conversation=conversation,
        asker=message.author.id,
        size=messages.size(message.text, message.quoted),
    )
    messages.add(c, made.turn, 0, message)
    notes.remember(c, event, "queued" if event.decision == "command" else event.decision, made.turn)
    return made


def limited(c: Connection, event: Happened, author: AuthorId, place: Channel, rules: Rules) -> Limit | None:
    """Why a person may not ask now."""
    if rules.per_minute:
        since = codec.stamp(event.now - A_MINUTE)
        pace = c.execute(_PACE, {"author": author, "since": since}).one()
        if pace.taken >= rules.per_minute:
            return Limit("too_fast", None, bool(pace.refused))
    share = spending.over(c, event.now, author, place, rules.budgets)
    if share is None:
        return None
    since = codec.stamp(event.now - TOLD_AGAIN)
    told = c.execute(_TOLD, {"author": author, "since": since, "channel": event.channel}).one_or_none()
    return Limit("over_limit", share, told is not None)


def refuse(c: Connection, event: Happened, target: Target, limit: Limit, say: Limited) -> Taken:
    """Say why a person may not ask now, unless they were told; who waits for an answer of their own is told every time."""
    if limit.told and not target.private and target.handle is None:
        return note(c, event, limit.decision)
    return notes.notice(c, event, target, say(limit.decision, limit.share), decision=limit.decision)


def aside(c: Connection, event: Happened, target: Target, text: str) -> Taken:
    """A notice that no single event has caused."""
    return notes.DUPLICATE if notes.known(c, event) else notes.notice(c, event, target, text)


def note(c: Connection, event: Happened, decision: Decision) -> Taken:
    """Keep the decision alone."""
    notes.remember(c, event, decision, None)
    return Taken(decision)


def stop(
    c: Connection,
    event: Happened,
    cause: Cause,
    nothing: str | None,
    done: str | None,
    turn: int | None,
    message: MessageId | None,
) -> Taken:
    """Stop what is going on in the open conversation, or one turn; say `done`, or `nothing` if there is nothing."""
    if turn is not None:
        stopping = _stop_one(c, event.platform, turn, message)
        conversation = stopping[0].conversation if stopping else None
    else:
        conversation = talks.opened(c, cause.place.id)
        stopping = [] if conversation is None else turns.stop_all(c, conversation)
    if not stopping and nothing is not None:
        return notes.notice(c, event, cause.target, nothing)
    if not stopping or done is None:
        notes.remember(c, event, event.decision, None)
        return Taken(event.decision, None, conversation, stopping)
    told = notes.notice(c, event, cause.target, done)
    return Taken(told.decision, told.waiting, conversation, stopping)


def new(c: Connection, event: Happened, cause: Cause, text: str, nothing: str) -> Taken:
    """Close the open conversation, stop what is going on there, and say so; say `nothing` if none is open."""
    conversation = talks.opened(c, cause.place.id)
    if conversation is None:
        return notes.notice(c, event, cause.target, nothing)
    stopping = talks.close(c, event.now, conversation, "new")
    told = notes.notice(c, event, cause.target, text)
    return Taken(told.decision, told.waiting, conversation, stopping)


def _stop_one(c: Connection, platform: str, turn: int, message: MessageId | None) -> list[Waiting]:
    found = turns.find(c, turn)
    if found is None or found.platform != platform or found.state not in ("queued", "running", "stopping"):
        return []
    if message is not None and parts.channel(c, turn, message) is None:
        return []
    return [turns.ask_stop(c, turn)]


def _of_album(c: Connection, going_on: list[_Row], message: Message) -> _Row | None:
    """The turn that has another message of the same album, if this one can go into it."""
    # An answer that is shown already is written anew, as after an edit: a part that comes so late was held up by a crash.
    able = _able(going_on, message)
    if not able or message.album is None:
        return None
    turn = messages.of_album(c, list(able), message.album)
    return None if turn is None else able[turn]


def _able(going_on: list[_Row], message: Message) -> dict[int, _Row]:
    """The turns that a message could go into.

    One that has to be answered by other means goes into none: people would wait for that answer in vain.
    """
    if message.target.handle is not None or message.target.private:
        return {}
    return {row.id: row for row in going_on if row.state in ("queued", "running")}


def _joins(c: Connection, going_on: list[_Row], message: Message, rules: Rules) -> _Row | None:
    """The turn of the same person, asked just before, that the message goes into, if it goes into one."""
    if not rules.burst:
        return None
    able = _able(going_on, message)
    mine = next((row for row in reversed(able.values()) if row.asker == codec.clean(message.author.id)), None)
    newest = None if mine is None else messages.last(c, mine.id)
    if mine is None or newest is None or abs(message.sent_at - newest.sent_at) > rules.burst or parts.any_shown(c, mine.id):
        return None
    return mine


def _join(c: Connection, event: Happened, conversation: UUID, row: _Row, message: Message) -> Taken:
    talks.hear(c, event.now, conversation)
    messages.join(c, row.id, message)
    notes.remember(c, event, "joined", row.id)
    turn = turns.find(c, row.id)
    again = turns.ask_again(c, turn) if turn is not None and turn.state == "running" else None
    return Taken("joined", conversation=conversation, again=again)
