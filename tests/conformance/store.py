"""What a store promises. Collected through `tests/shared/store/test_conformance.py`, which opens the real one."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from shared.chat import Attachment, Author, AuthorId, Channel, ChannelId, Message, MessageId, Quoted, Target
from shared.states import ENDED, IllegalStep, Outcome
from shared.store import Final, Store, Taken, UnknownPart, UnknownTurn, Work

START = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
OUTCOMES: tuple[Outcome, ...] = ("done", "stopped", "failed")
HOSTILE = ("\0", "a\0b", "\ud800", "x\udfffy", "\ud83d\ude00", "\u202ertl", "\u200b", "' OR 1=1 --", "%s ? :a", "\U0001f600", "")


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


def made(taken: Taken) -> int:
    assert taken.turn is not None
    return taken.turn


def within(taken: Taken) -> UUID:
    assert taken.conversation is not None
    return taken.conversation


def final(text: str = "an answer", outcome: Outcome = "done", stop: str | None = "end") -> Final:
    return Final(text=text, outcome=outcome, stop=stop, backend="demo")


async def answered(store: Store, number: int, *, text: str = "an answer", stop: str | None = "end", ask: str = "hello") -> Taken:
    taken = await store.ask("odd", message(number, text=ask))
    await store.begin(made(taken))
    await store.settle(made(taken), final(text, stop=stop))
    return taken


async def states(store: Store) -> dict[int, str]:
    return {turn.turn: turn.state for turn in await store.unfinished()}


async def test_a_message_is_queued_in_a_conversation_of_its_place(store: Store) -> None:
    first = await store.ask("odd", message(1))
    second = await store.ask("odd", message(2))
    elsewhere = await store.ask("odd", message(3, place=channel("other")))
    assert first.decision == second.decision == "queued"
    assert first.kind == "ask"
    assert first.conversation == second.conversation == await store.conversation(ChannelId("odd:general"))
    assert within(first).version == 4
    assert elsewhere.conversation not in (None, first.conversation)
    assert await store.conversation(ChannelId("odd:nowhere")) is None


async def test_the_thread_of_an_answer_holds_the_conversation(store: Store) -> None:
    thread = channel("thread", parent="general")
    taken = await store.ask("odd", replace(message(1), thread=thread))
    assert await store.conversation(thread.id) == taken.conversation
    assert await store.conversation(ChannelId("odd:general")) is None
    work = await store.load(made(taken))
    assert (work.place, work.target.channel) == (thread, channel("general"))
    [waiting] = await store.unfinished()
    assert waiting.channel == thread.id


async def test_a_message_known_by_any_of_its_keys_is_a_duplicate(store: Store) -> None:
    await store.ask("odd", message(1, keys=("a", "b")))
    assert await store.ask("odd", message(1, keys=("c", "b"))) == Taken("duplicate")
    assert await store.ask("odd", message(1, keys=("c", "d"))) == Taken("duplicate"), "the keys of a duplicate are known, too"
    assert await store.tell("odd", message(1, keys=("d",)), decision="not_allowed", text="no") == Taken("duplicate")
    assert await store.note("odd", message(1, keys=("a",)), decision="too_old") == Taken("duplicate")
    assert await store.stop("odd", message(1, keys=("a",)), nothing="nothing") == Taken("duplicate")
    assert await store.new("odd", message(1, keys=("a",)), text="new") == Taken("duplicate")
    assert await store.aside("odd", message(1).target, key="b", decision="too_old", text="x") == Taken("duplicate")
    assert await states(store) == {1: "queued"}
    assert (await store.ask("odd", message(2, keys=("e",)))).decision == "queued"


async def test_a_message_that_repeats_its_own_key_is_taken_once(store: Store) -> None:
    assert (await store.ask("odd", message(1, keys=("a", "a")))).decision == "queued"
    assert (await store.ask("odd", message(1, keys=("a", "a")))).decision == "duplicate"


async def test_the_keys_of_two_platforms_are_apart(store: Store) -> None:
    await store.ask("odd", message(1, keys=("a",)))
    assert (await store.note("even", message(2, keys=("a",)), decision="empty")).decision == "empty"


async def test_a_notice_is_born_answered_and_belongs_to_no_conversation(store: Store) -> None:
    taken = await store.tell("odd", message(1), decision="not_allowed", text="You may not.")
    assert (taken.decision, taken.kind, taken.conversation) == ("not_allowed", "notice", None)
    work = await store.load(made(taken))
    assert (work.state, work.kind, work.conversation, work.messages) == ("answered", "notice", None, ())
    assert work.final == Final(text="You may not.", outcome="done")
    assert work.target == message(1).target
    assert await store.conversation(ChannelId("odd:general")) is None
    await store.delivered(made(taken))
    assert (await store.load(made(taken))).state == "done"


async def test_a_note_keeps_the_decision_alone(store: Store) -> None:
    assert await store.note("odd", message(1), decision="too_old") == Taken("too_old")
    assert await store.unfinished() == []
    assert (await store.ask("odd", message(1))).decision == "duplicate"


async def test_an_aside_is_made_once_for_its_key(store: Store) -> None:
    target = Target(channel("general"))
    first = await store.aside("odd", target, key="older", decision="not_answered", text="Older ones.")
    assert (first.decision, first.kind) == ("not_answered", "notice")
    assert (await store.load(made(first))).target == target
    assert (await store.aside("odd", target, key="older", decision="not_answered", text="Older ones.")).decision == "duplicate"


async def test_a_stop_reaches_every_turn_that_is_not_answered(store: Store) -> None:
    done = await answered(store, 1)
    running = made(await store.ask("odd", message(2)))
    await store.begin(running)
    queued = made(await store.ask("odd", message(3)))
    elsewhere = made(await store.ask("odd", message(4, place=channel("other"))))
    taken = await store.stop("odd", message(5), nothing="Nothing to stop.")
    assert (taken.decision, taken.turn, taken.conversation) == ("command", None, done.conversation)
    assert [(turn.turn, turn.state) for turn in taken.stopping] == [(running, "stopping"), (queued, "stopping")]
    assert await states(store) == {made(done): "answered", running: "stopping", queued: "stopping", elsewhere: "queued"}
    again = await store.stop("odd", message(6), nothing="Nothing to stop.")
    assert [turn.turn for turn in again.stopping] == [running, queued], "a stop may be asked for twice"
    assert again.turn is None
    assert (await store.ask("odd", message(7))).conversation == done.conversation, "the conversation stays open"


async def test_a_stop_without_anything_to_stop_says_so(store: Store) -> None:
    nowhere = await store.stop("odd", message(1), nothing="Nothing to stop.")
    await answered(store, 2)
    nothing = await store.stop("odd", message(3), nothing="Nothing to stop.")
    for taken in (nowhere, nothing):
        assert (taken.decision, taken.kind, taken.stopping) == ("command", "notice", ())
        told = (await store.load(made(taken))).final
        assert told is not None
        assert told.text == "Nothing to stop."


async def test_new_closes_the_conversation_and_stops_its_turns(store: Store) -> None:
    old = await store.ask("odd", message(1))
    taken = await store.new("odd", message(2), text="A new one.")
    assert (taken.decision, taken.kind, taken.conversation) == ("command", "notice", old.conversation)
    assert [turn.turn for turn in taken.stopping] == [old.turn]
    told = (await store.load(made(taken))).final
    assert told is not None
    assert told.text == "A new one."
    assert await store.conversation(ChannelId("odd:general")) is None
    assert (await store.ask("odd", message(3))).conversation not in (None, old.conversation)
    again = await store.new("odd", message(4, place=channel("empty")), text="A new one.")
    assert (again.conversation, list(again.stopping)) == (None, [])


async def test_a_turn_comes_back_with_all_that_was_said(store: Store, clock: Clock) -> None:
    expires = START + timedelta(minutes=15)
    place = Channel(ChannelId("odd:dm"), "direct", title="Ada's")
    asked = replace(
        message(1, place=place, text="What is this?"),
        target=Target(place, MessageId("odd:1"), AuthorId("odd:ada"), True, "secret", expires),
        quoted=Quoted("Bob", "that", False),
        attachments=(Attachment("ref", "a.png", "image/png", 7), Attachment("ref2", "b", "text/plain", 0)),
    )
    ready = START + timedelta(seconds=3)
    taken = await store.ask("odd", asked, ready_at=ready)
    clock.move(timedelta(seconds=9))
    work = await store.begin(made(taken))
    assert (work.target, work.place, work.platform) == (asked.target, place, "odd")
    assert (work.state, work.attempts, work.parts, work.final) == ("running", 1, [], None)
    assert (work.queued_at, work.ready_at) == (START, ready)
    [said] = work.messages
    assert (said.id, said.author_id, said.name, said.text, said.sent_at) == ("odd:1", "odd:ada", "Ada", "What is this?", START)
    assert (said.quoted, said.attachments) == (asked.quoted, asked.attachments)
    [waiting] = await store.unfinished()
    assert (waiting.turn, waiting.platform, waiting.conversation) == (taken.turn, "odd", taken.conversation)
    assert (waiting.kind, waiting.state, waiting.channel, waiting.ready_at) == ("ask", "running", "odd:dm", ready)


async def test_attempts_are_counted_and_a_released_one_is_not(store: Store) -> None:
    turn = made(await store.ask("odd", message(1)))
    assert (await store.begin(turn)).attempts == 1
    await store.sending(turn, 0, ChannelId("odd:general"))
    second = await store.begin(turn)
    assert second.attempts == 2
    assert [part.state for part in second.parts] == ["sending"], "the second attempt sees what the first one left"
    await store.release(turn)
    back = await store.load(turn)
    assert (back.state, back.attempts) == ("queued", 1)
    third = await store.begin(turn)
    assert (third.attempts, len(third.parts)) == (2, 1)


async def test_parts_are_seen_after_the_first_attempt_was_released(store: Store) -> None:
    turn = made(await store.ask("odd", message(1)))
    await store.begin(turn)
    await store.sending(turn, 0, ChannelId("odd:general"))
    await store.shown(turn, 0, MessageId("odd:77"))
    await store.release(turn)
    assert [part.message for part in (await store.begin(turn)).parts] == ["odd:77"]


@pytest.mark.parametrize("outcome", OUTCOMES)
async def test_a_settled_turn_ends_as_it_was_settled(store: Store, outcome: Outcome) -> None:
    asked = replace(message(1), target=Target(channel("general"), handle="secret"))
    turn = made(await store.ask("odd", asked))
    await store.begin(turn)
    whole = Final(
        text="text",
        outcome=outcome,
        note="note",
        stop="max_tokens",
        blocks=[{"type": "thinking", "signature": "x=", "z": 1, "a": [None, True, 1.5]}],
        backend="demo",
        model="m",
        input_tokens=1,
        output_tokens=2,
        cache_read_tokens=3,
        cache_write_tokens=4,
        failure="Overloaded",
        detail="529",
    )
    await store.settle(turn, whole)
    settled = await store.load(turn)
    assert (settled.state, settled.final, settled.target.handle) == ("answered", whole, "secret")
    await store.delivered(turn)
    ended = await store.load(turn)
    assert (ended.state, ended.final, ended.target.handle) == (outcome, whole, None)
    assert await store.unfinished() == []


async def test_a_step_that_the_table_does_not_have_changes_nothing(store: Store) -> None:
    turn = made(await store.ask("odd", message(1)))
    steps: list[Callable[[], Awaitable[object]]] = [
        lambda: store.release(turn),
        lambda: store.settle(turn, final()),
        lambda: store.delivered(turn),
    ]
    before = await store.load(turn)
    for step in steps:
        with pytest.raises(IllegalStep):
            await step()
    assert await store.load(turn) == before
    await store.begin(turn)
    await store.settle(turn, final())
    before = await store.load(turn)
    for step in (*steps[:2], lambda: store.begin(turn), lambda: store.ask_stop(turn)):
        with pytest.raises(IllegalStep):
            await step()
    assert await store.load(turn) == before


async def test_a_turn_that_is_not_there_is_a_fault(store: Store) -> None:
    for step in (
        lambda: store.begin(7),
        lambda: store.load(7),
        lambda: store.release(7),
        lambda: store.ask_stop(7),
        lambda: store.settle(7, final()),
        lambda: store.delivered(7),
        lambda: store.sending(7, 0, ChannelId("odd:general")),
    ):
        with pytest.raises(UnknownTurn):
            await step()


async def test_parts_are_sending_before_and_shown_after(store: Store) -> None:
    turn = made(await store.ask("odd", message(1)))
    await store.begin(turn)
    here = ChannelId("odd:general")
    await store.sending(turn, 1, here)
    await store.sending(turn, 0, here)
    await store.shown(turn, 0, MessageId("odd:90"))

    async def parts() -> list[tuple[int, str, str | None, str]]:
        return [(part.ordinal, part.state, part.message, part.channel) for part in (await store.load(turn)).parts]

    await store.ask_stop(turn)
    assert await parts() == [(0, "shown", "odd:90", here), (1, "sending", None, here)]
    await store.dropped(turn, 1)
    await store.dropped(turn, 1)
    await store.sending(turn, 0, ChannelId("odd:thread"))
    assert await parts() == [(0, "sending", None, "odd:thread")]
    with pytest.raises(UnknownPart):
        await store.shown(turn, 1, MessageId("odd:91"))


async def test_our_parts_of_a_channel_are_known_for_a_day(store: Store, clock: Clock) -> None:
    here, there = ChannelId("odd:general"), ChannelId("odd:other")
    turn = made(await store.ask("odd", message(1)))
    for ordinal, place in enumerate((here, there, here)):
        await store.sending(turn, ordinal, place)
        await store.shown(turn, ordinal, MessageId(f"odd:9{ordinal}"))
        clock.move(timedelta(hours=10))
    assert await store.ours(there) == {"odd:91"}
    assert await store.ours(here) == {"odd:92"}
    await store.sending(turn, 3, here)
    clock.move(timedelta(days=30))
    assert await store.ours(there) == frozenset()
    assert await store.ours(here) == {"odd:92"}, "what lay beside a lost part stays known, however long we were down"
    await store.sending(turn, 3, here)
    assert await store.ours(here) == {"odd:92"}, "the first try is the one that may be out there"


async def test_history_is_the_newest_answers_oldest_first(store: Store) -> None:
    taken = [await answered(store, number, text=f"answer {number}", ask=f"question {number}") for number in range(1, 6)]
    await store.delivered(made(taken[0]))
    await store.tell("odd", message(50), decision="not_allowed", text="a notice")
    await store.ask("odd", message(60))
    conversation = within(taken[0])
    past = await store.history(conversation, before=1000, turns=3, characters=10_000)
    assert [one.text for one in past] == ["answer 3", "answer 4", "answer 5"]
    assert [[said.text for said in one.asked] for one in past] == [["question 3"], ["question 4"], ["question 5"]]
    assert {one.backend for one in past} == {"demo"}
    all_before = await store.history(conversation, before=made(taken[3]), turns=100, characters=10_000)
    assert [one.turn for one in all_before] == [made(one) for one in taken[:3]]
    assert await store.history(conversation, before=made(taken[0]), turns=3, characters=10_000) == ()


async def test_history_is_cut_to_whole_turns(store: Store) -> None:
    taken = [await answered(store, number, text="x" * 10, ask="y" * 5) for number in range(1, 5)]
    conversation = within(taken[0])
    for characters, expected in ((14, 0), (15, 1), (29, 1), (30, 2), (60, 4)):
        past = await store.history(conversation, before=1000, turns=10, characters=characters)
        assert [one.turn for one in past] == [made(one) for one in taken[len(taken) - expected :]]


async def test_history_leaves_refusals_out(store: Store) -> None:
    first = await answered(store, 1, text="kept", stop=None)
    await answered(store, 2, text="refused", stop="refusal")
    await answered(store, 3, text="kept, too")
    past = await store.history(within(first), before=1000, turns=2, characters=1000)
    assert [one.text for one in past] == ["kept", "kept, too"]


async def test_leaving_a_channel_closes_what_is_in_and_below_it(store: Store) -> None:
    done = made(await answered(store, 1))
    queued = made(await store.ask("odd", message(2)))
    below = await store.ask("odd", message(3, place=channel("thread", parent="general")))
    other = await store.ask("odd", message(4, place=channel("other")))
    told = await store.leave("odd", channel=ChannelId("odd:general"))
    assert [(turn.turn, turn.state) for turn in told] == [(queued, "stopping"), (below.turn, "stopping")]
    assert await states(store) == {done: "answered", queued: "stopping", below.turn: "stopping", other.turn: "queued"}
    assert await store.conversation(ChannelId("odd:general")) is None
    assert await store.conversation(ChannelId("odd:thread")) is None
    assert await store.conversation(ChannelId("odd:other")) == other.conversation
    assert await store.leave("odd", channel=ChannelId("odd:general")) == []


async def test_leaving_a_space_closes_what_is_in_it(store: Store) -> None:
    inside = await store.ask("odd", message(1))
    direct = await store.ask("odd", message(2, place=channel("dm", space=None)))
    elsewhere = await store.ask("odd", message(3, place=channel("far", space="odd:far")))
    told = await store.leave("odd", space="odd:space")
    assert [turn.turn for turn in told] == [inside.turn]
    assert await states(store) == {inside.turn: "stopping", direct.turn: "queued", elsewhere.turn: "queued"}
    assert await store.leave("even", space="odd:far") == []


async def test_marks_tell_what_was_seen(store: Store) -> None:
    assert await store.marks("odd") is None
    later = START + timedelta(minutes=1)
    general, other = channel("general"), channel("other", parent="general")
    await store.seen("odd", {}, START)
    seen = await store.marks("odd")
    assert seen is not None
    assert (seen.since, dict(seen.newest), list(seen.channels)) == (START, {}, [])
    await store.seen("odd", {general.id: (general, MessageId("odd:5")), other.id: (other, MessageId("odd:6"))}, later)
    await store.seen("odd", {general.id: (replace(general, title="renamed"), MessageId("odd:8"))}, START)
    seen = await store.marks("odd")
    assert seen is not None
    assert seen.since == later, "when it was last heard never goes back"
    assert seen.newest == {general.id: "odd:8", other.id: "odd:6"}
    assert set(seen.channels) == {replace(general, title="renamed"), other}
    assert await store.marks("even") is None


async def test_silences_are_known_until_they_are_over(store: Store, clock: Clock) -> None:
    soon, late = START + timedelta(seconds=5), START + timedelta(seconds=50)
    await store.block("odd:all", late)
    await store.block("odd:all", soon)
    await store.block("odd:one", soon)
    assert await store.blocks() == {"odd:all": late, "odd:one": soon}
    clock.move(timedelta(seconds=5))
    assert await store.blocks() == {"odd:all": late}


async def test_a_sweep_throws_away_what_is_old_and_nothing_else(store: Store, clock: Clock) -> None:
    asked = made(await answered(store, 1))
    notice = made(await store.tell("odd", message(2), decision="not_allowed", text="no"))
    waiting = made(await store.tell("odd", message(3), decision="not_allowed", text="no"))
    await store.sending(notice, 0, ChannelId("odd:general"))
    await store.shown(notice, 0, MessageId("odd:70"))
    await store.delivered(asked)
    await store.delivered(notice)
    clock.move(timedelta(days=7))
    await store.sweep()
    assert (await store.note("odd", message(1), decision="empty")).decision == "duplicate", "not older than seven days"
    clock.move(timedelta(seconds=1))
    fresh = made(await store.tell("odd", message(4), decision="not_allowed", text="no"))
    await store.sweep()
    assert (await store.note("odd", message(1), decision="empty")).decision == "empty"
    assert (await store.note("odd", message(4), decision="empty")).decision == "duplicate"
    with pytest.raises(UnknownTurn):
        await store.load(notice)
    assert {(await store.load(turn)).state for turn in (asked, waiting, fresh)} <= {"answered", *ENDED}


async def test_a_sweep_takes_more_than_one_batch(store: Store, clock: Clock) -> None:
    notices = await asyncio.gather(*(store.tell("odd", message(number), decision="empty", text="no") for number in range(1100)))
    await asyncio.gather(*(store.delivered(made(notice)) for notice in notices))
    clock.move(timedelta(days=8))
    await store.sweep()
    for notice in notices:
        with pytest.raises(UnknownTurn):
            await store.load(made(notice))
    assert (await store.note("odd", message(1099), decision="empty")).decision == "empty"


async def test_the_number_of_a_turn_is_never_given_again(store: Store, clock: Clock) -> None:
    notice = made(await store.tell("odd", message(1), decision="empty", text="no"))
    await store.delivered(notice)
    clock.move(timedelta(days=8))
    await store.sweep()
    assert made(await store.tell("odd", message(2), decision="empty", text="no")) > notice


@pytest.mark.parametrize("text", HOSTILE)
async def test_any_text_survives(store: Store, text: str) -> None:
    kept = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    place = Channel(ChannelId("odd:general"), "group", title=text)
    asked = replace(
        message(1, place=place, text=text, keys=(f"key {text}",)),
        author=Author(AuthorId("odd:ada"), text),
        quoted=Quoted(text, text, True),
        attachments=(Attachment(text, text, text, 1),),
    )
    turn = made(await store.ask("odd", asked))
    assert (await store.ask("odd", asked)).decision == "duplicate"
    await store.begin(turn)
    whole = Final(text=text, outcome="done", note=text, blocks=[{"text": text}], detail=text, model="m")
    await store.settle(turn, whole)
    work = await store.load(turn)
    [said] = work.messages
    assert (said.text, said.name, said.quoted) == (kept, kept, Quoted(kept, kept, True))
    assert said.attachments == (Attachment(kept, kept, kept, 1),)
    assert work.place.title == kept
    assert work.final == replace(whole, text=kept, note=kept, detail=kept, blocks=[{"text": kept}])


async def test_a_text_of_a_million_characters_survives(store: Store) -> None:
    text = "\U0001f600\0ab" * 250_000
    turn = made(await store.ask("odd", message(1, text=text)))
    [said] = (await store.begin(turn)).messages
    assert said.text == text
    await store.settle(turn, final(text))
    told = (await store.load(turn)).final
    assert told is not None
    assert told.text == text


async def test_calls_are_applied_in_the_order_in_which_they_were_begun(store: Store) -> None:
    taken = await asyncio.gather(*(store.ask("odd", message(number)) for number in range(300)))
    assert [made(one) for one in taken] == sorted(made(one) for one in taken)
    assert len({one.conversation for one in taken}) == 1
    turn = made(taken[0])
    await asyncio.gather(
        store.begin(turn), store.sending(turn, 0, ChannelId("odd:general")), store.settle(turn, final()), store.delivered(turn)
    )
    assert (await store.load(turn)).state == "done"


async def test_a_fault_in_one_call_leaves_those_beside_it_alone(store: Store) -> None:
    results = await asyncio.gather(
        store.ask("odd", message(1)), store.begin(99), store.ask("odd", message(2)), store.delivered(1), return_exceptions=True
    )
    assert [type(one) for one in results] == [Taken, UnknownTurn, Taken, IllegalStep]
    assert await states(store) == {1: "queued", 2: "queued"}


async def test_a_cancelled_call_is_applied_nevertheless(store: Store) -> None:
    call = asyncio.ensure_future(store.ask("odd", message(1)))
    await asyncio.sleep(0)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert (await store.ask("odd", message(1))).decision == "duplicate"
    assert await states(store) == {1: "queued"}


async def test_closing_finishes_what_was_begun_and_all_is_there_afterwards(store: Store, reopen: Reopen) -> None:
    calls = [asyncio.ensure_future(store.ask("odd", message(number))) for number in range(50)]
    await asyncio.sleep(0)
    again = await reopen()
    taken = [await call for call in calls]
    assert list(await states(again)) == [made(one) for one in taken]
    assert await again.conversation(ChannelId("odd:general")) == taken[0].conversation
    work: Work = await again.begin(made(taken[0]))
    assert work.attempts == 1
