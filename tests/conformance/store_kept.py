"""What a store promises of what it keeps beside turns, of texts, and of the order of calls. Collected like `store`."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.backends import Usage
from shared.chat import Attachment, Author, AuthorId, Channel, ChannelId, MessageId, Quoted
from shared.states import ENDED, IllegalStep
from shared.store import Final, Store, Taken, UnknownTurn, Work
from tests.conformance.store import START, Clock, Reopen, answered, ask, channel, final, made, message, states

HOSTILE = ("\0", "a\0b", "\ud800", "x\udfffy", "\ud83d\ude00", "\u202ertl", "\u200b", "' OR 1=1 --", "%s ? :a", "\U0001f600", "")


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
        quoted=Quoted(text, text, True, (Attachment(text, text, text, 2),)),
        attachments=(Attachment(text, text, text, 1),),
    )
    turn = made(await ask(store, asked))
    assert (await ask(store, asked)).decision == "duplicate"
    await store.begin(turn)
    whole = Final(text=text, outcome="done", note=text, blocks=[{"text": text}], detail=text, usage=Usage(text or "m"))
    await store.settle(turn, whole)
    work = await store.load(turn)
    [said] = work.messages
    assert (said.text, said.name) == (kept, kept)
    assert said.quoted == Quoted(kept, kept, True, (Attachment(kept, kept, kept, 2),))
    assert said.files[0].attachment == Attachment(kept, kept, kept, 1)
    assert work.place.title == kept
    assert work.final == replace(whole, text=kept, note=kept, detail=kept, blocks=[{"text": kept}], usage=Usage(kept or "m"))


async def test_a_text_of_a_million_characters_survives(store: Store) -> None:
    text = "\U0001f600\0ab" * 250_000
    turn = made(await ask(store, message(1, text=text)))
    [said] = (await store.begin(turn)).messages
    assert said.text == text
    await store.settle(turn, final(text))
    told = (await store.load(turn)).final
    assert told is not None
    assert told.text == text


async def test_calls_are_applied_in_the_order_in_which_they_were_begun(store: Store) -> None:
    taken = await asyncio.gather(*(ask(store, message(number)) for number in range(300)))
    assert [made(one) for one in taken] == sorted(made(one) for one in taken)
    assert len({one.conversation for one in taken}) == 1
    turn = made(taken[0])
    await asyncio.gather(
        store.begin(turn), store.sending(turn, 0, ChannelId("odd:general")), store.settle(turn, final()), store.delivered(turn)
    )
    assert (await store.load(turn)).state == "done"


async def test_a_fault_in_one_call_leaves_those_beside_it_alone(store: Store) -> None:
    results = await asyncio.gather(
        ask(store, message(1)), store.begin(99), ask(store, message(2)), store.delivered(1), return_exceptions=True
    )
    assert [type(one) for one in results] == [Taken, UnknownTurn, Taken, IllegalStep]
    assert await states(store) == {1: "queued", 2: "queued"}


async def test_a_cancelled_call_is_applied_nevertheless(store: Store) -> None:
    call = asyncio.ensure_future(ask(store, message(1)))
    await asyncio.sleep(0)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert (await ask(store, message(1))).decision == "duplicate"
    assert await states(store) == {1: "queued"}


async def test_closing_finishes_what_was_begun_and_all_is_there_afterwards(store: Store, reopen: Reopen) -> None:
    calls = [asyncio.ensure_future(ask(store, message(number))) for number in range(50)]
    await asyncio.sleep(0)
    again = await reopen()
    taken = [await call for call in calls]
    assert list(await states(again)) == [made(one) for one in taken]
    assert await again.conversation(ChannelId("odd:general")) == taken[0].conversation
    work: Work = await again.begin(made(taken[0]))
    assert work.attempts == 1


async def test_a_direct_chat_is_known_from_its_first_message_on(store: Store) -> None:
    await store.seen("odd", {}, START)
    place, hall = replace(channel("dm", space=None), kind="direct"), channel("hall")
    await ask(store, message(3, place=place))
    await ask(store, message(4, place=place))
    await ask(store, message(5, place=hall))
    seen = await store.marks("odd")
    assert seen is not None
    assert (seen.newest, seen.channels) == ({place.id: "odd:3"}, [place]), "a later mark is for the reader to set"
    await store.seen("odd", {place.id: (place, MessageId("odd:4"))}, START)
    await ask(store, message(6, place=place))
    again = await store.marks("odd")
    assert again is not None
    assert again.newest == {place.id: "odd:4"}
