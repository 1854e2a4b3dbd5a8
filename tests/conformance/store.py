"""What a store promises. Collected through `tests/shared/store/test_conformance.py`, which opens the real one."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from shared.chat import (
    Attachment,
    Author,
    AuthorId,
    Channel,
    ChannelId,
    Command,
    Message,
    MessageId,
    Pressed,
    Quoted,
    Target,
)
from shared.states import Outcome
from shared.store import Decision, Final, Kept, Rules, Share, Store, Taken, TurnKind, Waiting

START = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
OUTCOMES: tuple[Outcome, ...] = ("done", "stopped", "failed")


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def move(self, by: timedelta) -> None:
        self.now += by


Reopen = Callable[[], Awaitable[Store]]


def channel(name: str, *, parent: str | None = None, space: str | None = "odd:space") -> Channel:
    return Channel(
        ChannelId(f"odd:{name}"),
        "group" if parent is None else "thread",
        None if parent is None else ChannelId(f"odd:{parent}"),
        space,
        name,
    )


def message(number: int, *, place: Channel | None = None, keys: tuple[str, ...] = (), text: str = "hello") -> Message:
    return Message(
        keys=keys or (f"odd:message:{number}",),
        id=MessageId(f"odd:{number}"),
        target=Target(place or channel("general"), reply_to=MessageId(f"odd:{number}")),
        author=Author(AuthorId("odd:ada"), "Ada"),
        sent_at=START,
        text=text,
        addressed=True,
    )


EASY = Rules(queue=1_000_000)


def refused(decision: Decision, share: Share | None) -> str:
    return decision if share is None else f"{decision}: {share.used} of {share.budget.most}, until {share.resets_at:%d.%m.}"


async def ask(store: Store, one: Message, *, rules: Rules = EASY) -> Taken:
    return await store.ask("odd", one, rules=rules, say=refused)


def command(number: int, *, place: Channel | None = None, name: str = "retry") -> Command:
    return Command(
        keys=(f"odd:command:{number}",),
        target=Target(place or channel("general"), handle="secret"),
        author=Author(AuthorId("odd:ada"), "Ada"),
        sent_at=START,
        name=name,
    )


def pressed(number: int, shown: str, *, place: Channel | None = None) -> Pressed:
    return Pressed(
        keys=(f"odd:pressed:{number}",),
        target=Target(place or channel("general")),
        author=Author(AuthorId("odd:bob"), "Bob"),
        sent_at=START,
        button="retry",
        message=MessageId(shown),
    )


async def ended(store: Store, number: int, **said: str) -> Taken:
    """An answer that people see as the message "odd:9…"."""
    taken = await answered(store, number, **said)
    await store.sending(made(taken), 0, ChannelId("odd:general"))
    await store.shown(made(taken), 0, MessageId(f"odd:9{number}"))
    await store.delivered(made(taken))
    return taken


async def words(store: Store, taken: Taken) -> str:
    """What a notice says."""
    assert kind(taken) == "notice"
    told = (await store.load(made(taken))).final
    assert told is not None
    return told.text


def made(taken: Taken) -> int:
    assert taken.waiting is not None
    return taken.waiting.turn


def kind(taken: Taken) -> TurnKind | None:
    return taken.waiting and taken.waiting.kind


def within(taken: Taken) -> UUID:
    assert taken.conversation is not None
    return taken.conversation


def final(text: str = "an answer", outcome: Outcome = "done", stop: str | None = "end") -> Final:
    return Final(text=text, outcome=outcome, stop=stop, backend="demo")


async def answered(
    store: Store, number: int, *, text: str = "an answer", stop: str | None = "end", question: str = "hello"
) -> Taken:
    taken = await ask(store, message(number, text=question))
    await store.begin(made(taken))
    await store.settle(made(taken), final(text, stop=stop))
    return taken


async def states(store: Store) -> dict[int, str]:
    return {turn.turn: turn.state for turn in await store.unfinished()}


async def test_a_message_is_queued_in_a_conversation_of_its_place(store: Store) -> None:
    first = await ask(store, message(1))
    second = await ask(store, message(2))
    elsewhere = await ask(store, message(3, place=channel("other")))
    assert first.decision == second.decision == "queued"
    assert kind(first) == "ask"
    assert first.conversation == second.conversation == await store.conversation(ChannelId("odd:general"))
    assert within(first).version == 4
    assert elsewhere.conversation not in (None, first.conversation)
    assert await store.conversation(ChannelId("odd:nowhere")) is None


async def test_the_thread_of_an_answer_holds_the_conversation(store: Store) -> None:
    thread = channel("thread", parent="general")
    taken = await ask(store, replace(message(1), thread=thread))
    assert await store.conversation(thread.id) == taken.conversation
    assert await store.conversation(ChannelId("odd:general")) is None
    work = await store.load(made(taken))
    assert (work.place, work.target.channel) == (thread, channel("general"))
    [waiting] = await store.unfinished()
    assert waiting.channel == thread.id


async def test_a_message_known_by_any_of_its_keys_is_a_duplicate(store: Store) -> None:
    await ask(store, message(1, keys=("a", "b")))
    assert await ask(store, message(1, keys=("c", "b"))) == Taken("duplicate")
    assert await ask(store, message(1, keys=("c", "d"))) == Taken("duplicate"), "the keys of a duplicate are known, too"
    assert await store.tell("odd", message(1, keys=("d",)), decision="not_allowed", text="no") == Taken("duplicate")
    assert await store.note("odd", message(1, keys=("a",)), decision="too_old") == Taken("duplicate")
    assert await store.stop("odd", message(1, keys=("a",)), nothing="nothing") == Taken("duplicate")
    assert await store.new("odd", message(1, keys=("a",)), text="new", nothing="none") == Taken("duplicate")
    assert await store.aside("odd", message(1).target, key="b", decision="too_old", text="x") == Taken("duplicate")
    assert await states(store) == {1: "queued"}
    assert (await ask(store, message(2, keys=("e",)))).decision == "queued"


async def test_a_message_that_repeats_its_own_key_is_taken_once(store: Store) -> None:
    assert (await ask(store, message(1, keys=("a", "a")))).decision == "queued"
    assert (await ask(store, message(1, keys=("a", "a")))).decision == "duplicate"


async def test_which_keys_are_known_can_be_asked(store: Store) -> None:
    await ask(store, message(1, keys=("a", "b")))
    await store.note("odd", message(2, keys=("c",)), decision="too_old")
    assert await store.known("odd", ["a", "c", "x"]) == {"a", "c"}
    assert await store.known("even", ["a"]) == frozenset()
    assert await store.known("odd", []) == frozenset()


async def test_the_keys_of_two_platforms_are_apart(store: Store) -> None:
    await ask(store, message(1, keys=("a",)))
    assert (await store.note("even", message(2, keys=("a",)), decision="empty")).decision == "empty"


async def test_a_notice_is_born_answered_and_belongs_to_no_conversation(store: Store) -> None:
    taken = await store.tell("odd", message(1), decision="not_allowed", text="You may not.")
    assert (taken.decision, kind(taken), taken.conversation) == ("not_allowed", "notice", None)
    work = await store.load(made(taken))
    assert (work.state, work.kind, work.conversation, work.messages) == ("answered", "notice", None, ())
    assert work.final == Final(text="You may not.", outcome="done")
    assert work.target == message(1).target
    assert await store.conversation(ChannelId("odd:general")) is None
    await store.delivered(made(taken))
    assert (await store.load(made(taken))).state == "done"


async def test_the_turn_that_an_event_made_is_given_as_a_restart_would_find_it(store: Store, clock: Clock) -> None:
    general, thread = channel("general"), channel("thread", parent="general")
    taken = [
        await ask(store, replace(message(1), thread=thread)),
        await ask(store, message(2)),
        await store.tell("odd", message(3), decision="empty", text="no"),
        await store.aside("odd", message(4).target, key="k", decision="too_old", text="old"),
        await store.stop("odd", message(5, place=channel("other")), nothing="nothing"),
    ]
    clock.move(timedelta(seconds=1))
    taken.append(await store.new("odd", message(6, place=channel("other")), text="new", nothing="none"))
    assert [one.waiting for one in taken] == await store.unfinished()
    assert [one.waiting and one.waiting.channel for one in taken[:3]] == [thread.id, general.id, general.id]


async def test_a_note_keeps_the_decision_alone(store: Store) -> None:
    assert await store.note("odd", message(1), decision="too_old") == Taken("too_old")
    assert await store.unfinished() == []
    assert (await ask(store, message(1))).decision == "duplicate"


async def test_an_aside_is_made_once_for_its_key(store: Store) -> None:
    target = Target(channel("general"))
    first = await store.aside("odd", target, key="older", decision="too_old", text="Older ones.")
    assert (first.decision, kind(first)) == ("too_old", "notice")
    assert (await store.load(made(first))).target == target
    assert (await store.aside("odd", target, key="older", decision="too_old", text="Older ones.")).decision == "duplicate"


async def test_a_stop_reaches_every_turn_that_is_not_answered(store: Store) -> None:
    done = await answered(store, 1)
    running = made(await ask(store, message(2)))
    await store.begin(running)
    queued = made(await ask(store, message(3)))
    elsewhere = made(await ask(store, message(4, place=channel("other"))))
    taken = await store.stop("odd", message(5), nothing="Nothing to stop.")
    assert (taken.decision, taken.waiting, taken.conversation) == ("command", None, done.conversation)
    assert [(turn.turn, turn.state) for turn in taken.stopping] == [(running, "stopping"), (queued, "stopping")]
    assert await states(store) == {made(done): "answered", running: "stopping", queued: "stopping", elsewhere: "queued"}
    again = await store.stop("odd", message(6), nothing="Nothing to stop.")
    assert [turn.turn for turn in again.stopping] == [running, queued], "a stop may be asked for twice"
    assert again.waiting is None
    assert (await ask(store, message(7))).conversation == done.conversation, "the conversation stays open"


async def test_a_stop_without_anything_to_stop_says_so(store: Store) -> None:
    nowhere = await store.stop("odd", message(1), nothing="Nothing to stop.")
    await answered(store, 2)
    nothing = await store.stop("odd", message(3), nothing="Nothing to stop.")
    for taken in (nowhere, nothing):
        assert (taken.decision, kind(taken), taken.stopping) == ("command", "notice", ())
        told = (await store.load(made(taken))).final
        assert told is not None
        assert told.text == "Nothing to stop."


async def test_a_stop_that_nothing_is_to_be_said_about_is_known_when_it_comes_again(store: Store) -> None:
    nothing = await store.stop("odd", message(1), nothing=None)
    assert (nothing.decision, nothing.waiting, list(nothing.stopping)) == ("command", None, [])
    asked = await ask(store, message(2))
    taken = await store.stop("odd", message(3), nothing=None)
    assert (taken.decision, taken.waiting, [turn.turn for turn in taken.stopping]) == ("command", None, [made(asked)])
    for number in (1, 3):
        assert (await store.stop("odd", message(number), nothing=None)).decision == "duplicate"


async def test_new_closes_the_conversation_and_stops_its_turns(store: Store) -> None:
    old = await ask(store, message(1))
    taken = await store.new("odd", message(2), text="A new one.", nothing="None.")
    assert (taken.decision, kind(taken), taken.conversation) == ("command", "notice", old.conversation)
    assert [turn.turn for turn in taken.stopping] == [made(old)]
    told = (await store.load(made(taken))).final
    assert told is not None
    assert told.text == "A new one."
    assert await store.conversation(ChannelId("odd:general")) is None
    assert (await ask(store, message(3))).conversation not in (None, old.conversation)


async def test_new_where_nothing_is_open_says_so(store: Store) -> None:
    await ask(store, message(1))
    taken = await store.new("odd", message(2, place=channel("empty")), text="A new one.", nothing="None.")
    assert (taken.decision, kind(taken), taken.conversation, taken.stopping) == ("command", "notice", None, ())
    told = (await store.load(made(taken))).final
    assert told is not None
    assert told.text == "None."
    assert await states(store) == {1: "queued", made(taken): "answered"}


async def test_a_notice_is_told_where_people_wrote_and_not_in_the_thread_of_an_answer(store: Store) -> None:
    general, thread = channel("general"), channel("thread", parent="general")
    asked = [replace(message(number), thread=thread) for number in range(4)]
    taken = [
        await store.tell("odd", asked[0], decision="empty", text="no"),
        await store.stop("odd", asked[1], nothing="nothing"),
        await store.new("odd", asked[2], text="new", nothing="none"),
    ]
    await ask(store, asked[3])
    taken.append(await store.new("odd", replace(message(9), thread=thread), text="new", nothing="none"))
    assert [one.waiting and one.waiting.channel for one in taken] == [general.id] * 4
    for one in taken:
        work = await store.load(made(one))
        assert work.place == work.target.channel == general


async def test_a_turn_comes_back_with_all_that_was_said(store: Store, clock: Clock) -> None:
    expires = START + timedelta(minutes=15)
    place = Channel(ChannelId("odd:dm"), "direct", title="Ada's")
    asked = replace(
        message(1, place=place, text="What is this?"),
        target=Target(place, MessageId("odd:1"), AuthorId("odd:ada"), True, "secret", expires),
        quoted=Quoted("Bob", "that", False, (Attachment("ref3", "c", "text/csv", 3),)),
        attachments=(Attachment("ref", "a.png", "image/png", 7), Attachment("ref2", "b", "text/plain", 0)),
    )
    taken = await ask(store, asked)
    clock.move(timedelta(seconds=9))
    work = await store.begin(made(taken))
    assert (work.target, work.place, work.platform) == (asked.target, place, "odd")
    assert (work.state, work.attempts, work.parts, work.final) == ("running", 1, [], None)
    assert work.queued_at == START
    [said] = work.messages
    assert (said.id, said.author_id, said.name, said.text, said.sent_at) == ("odd:1", "odd:ada", "Ada", "What is this?", START)
    assert said.quoted == asked.quoted
    assert said.files == tuple(
        Kept(nth, one, nth == 2) for nth, one in enumerate((*asked.attachments, Attachment("ref3", "c", "text/csv", 3)))
    )
    assert taken.waiting == Waiting(made(taken), "odd", taken.conversation, "ask", "queued", place.id)
    [waiting] = await store.unfinished()
    assert replace(waiting, state="queued") == taken.waiting
    assert waiting.state == "running"


async def test_leaving_a_channel_closes_what_is_in_and_below_it(store: Store) -> None:
    done = made(await answered(store, 1))
    queued = made(await ask(store, message(2)))
    below = await ask(store, message(3, place=channel("thread", parent="general")))
    other = await ask(store, message(4, place=channel("other")))
    told = await store.leave("odd", channel=ChannelId("odd:general"))
    assert [(turn.turn, turn.state) for turn in told] == [(queued, "stopping"), (made(below), "stopping")]
    assert await states(store) == {done: "answered", queued: "stopping", made(below): "stopping", made(other): "queued"}
    assert await store.conversation(ChannelId("odd:general")) is None
    assert await store.conversation(ChannelId("odd:thread")) is None
    assert await store.conversation(ChannelId("odd:other")) == other.conversation
    assert await store.leave("odd", channel=ChannelId("odd:general")) == []


async def test_leaving_closes_nothing_in_which_something_was_written_since(store: Store, clock: Clock) -> None:
    left, back = START + timedelta(minutes=1), START + timedelta(minutes=2)
    clock.move(timedelta(hours=1))
    before = await ask(store, message(1))
    since = await ask(store, replace(message(2, place=channel("thread", parent="general")), sent_at=back))
    both = await ask(store, message(3, place=channel("other", space="odd:far")))
    assert (await ask(store, replace(message(4, place=channel("other", space="odd:far")), sent_at=back))).decision == "queued"
    told = await store.leave("odd", channel=ChannelId("odd:general"), at=left)
    assert [turn.turn for turn in told] == [made(before)], "though it was heard only now"
    assert await store.leave("odd", space="odd:far", at=left) == []
    assert await store.conversation(ChannelId("odd:thread")) == since.conversation
    assert await store.conversation(ChannelId("odd:other")) == both.conversation
    assert len(await store.leave("odd", space="odd:far", at=back + timedelta(seconds=1))) == 2


async def test_leaving_a_space_closes_what_is_in_it(store: Store) -> None:
    inside = await ask(store, message(1))
    direct = await ask(store, message(2, place=channel("dm", space=None)))
    elsewhere = await ask(store, message(3, place=channel("far", space="odd:far")))
    told = await store.leave("odd", space="odd:space")
    assert [turn.turn for turn in told] == [made(inside)]
    assert await states(store) == {made(inside): "stopping", made(direct): "queued", made(elsewhere): "queued"}
    assert await store.leave("even", space="odd:far") == []
