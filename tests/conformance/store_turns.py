"""What a store promises of the life of a turn and of its parts. Collected like `store`."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from shared.backends import Made, Usage
from shared.chat import Button, ChannelId, MessageId, Target
from shared.states import IllegalStep, Outcome
from shared.store import Final, Store, UnknownPart, UnknownTurn
from tests.conformance.store import OUTCOMES, START, Clock, answered, ask, channel, final, made, message


async def test_attempts_are_counted_and_a_released_one_is_not(store: Store) -> None:
    turn = made(await ask(store, message(1)))
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
    turn = made(await ask(store, message(1)))
    await store.begin(turn)
    await store.sending(turn, 0, ChannelId("odd:general"))
    await store.shown(turn, 0, MessageId("odd:77"))
    await store.release(turn)
    assert [part.message for part in (await store.begin(turn)).parts] == ["odd:77"]


@pytest.mark.parametrize("outcome", OUTCOMES)
async def test_a_settled_turn_ends_as_it_was_settled(store: Store, outcome: Outcome) -> None:
    asked = replace(message(1), target=Target(channel("general"), handle="secret"))
    turn = made(await ask(store, asked))
    await store.begin(turn)
    whole = Final(
        text="text",
        outcome=outcome,
        note="note",
        stop="max_tokens",
        blocks=[{"type": "thinking", "signature": "x=", "z": 1, "a": [None, True, 1.5]}],
        backend="demo",
        buttons=(Button("retry", "Retry"),),
        files=(Made("a.csv", "text/csv", "b10b", 7),),
        condensed=True,
        usage=Usage("m", 1, 2, 3, 4, 5, True),
        failure="Overloaded",
        detail="529",
    )
    assert await store.settle(turn, whole) == whole
    settled = await store.load(turn)
    assert (settled.state, settled.final, settled.target.handle) == ("answered", whole, "secret")
    await store.delivered(turn)
    ended = await store.load(turn)
    assert (ended.state, ended.final, ended.target.handle) == (outcome, whole, None)
    assert await store.unfinished() == []


async def test_a_turn_that_people_cannot_have_ends_failed_with_its_text_kept(store: Store) -> None:
    turn = made(await answered(store, 1))
    await store.delivered(turn, failed=True)
    ended = await store.load(turn)
    assert (ended.state, ended.final) == ("failed", final())


async def test_a_step_that_the_table_does_not_have_changes_nothing(store: Store) -> None:
    turn = made(await ask(store, message(1)))
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
    turn = made(await ask(store, message(1)))
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


async def test_a_part_tells_when_its_post_was_first_about_to_begin(store: Store, clock: Clock) -> None:
    turn = made(await ask(store, message(1)))
    here, second = ChannelId("odd:general"), timedelta(seconds=1)

    async def begun() -> list[datetime]:
        return [part.begun_at for part in (await store.load(turn)).parts]

    await store.sending(turn, 0, here)
    clock.move(second)
    await store.sending(turn, 0, here)
    assert await begun() == [START], "the first try is the one that may be out there"
    await store.shown(turn, 0, MessageId("odd:90"))
    await store.sending(turn, 0, here)
    assert await begun() == [START + second]


async def test_a_turn_that_failed_leaves_no_part_to_look_for(store: Store, clock: Clock) -> None:
    here = ChannelId("odd:general")
    turn = made(await answered(store, 1))
    await store.sending(turn, 0, here)
    await store.shown(turn, 0, MessageId("odd:90"))
    await store.sending(turn, 1, here)
    await store.delivered(turn, failed=True)
    assert [part.ordinal for part in (await store.load(turn)).parts] == [0]
    clock.move(timedelta(days=2))
    assert await store.ours(here) == frozenset()


async def test_our_parts_of_a_channel_are_known_for_a_day(store: Store, clock: Clock) -> None:
    here, there = ChannelId("odd:general"), ChannelId("odd:other")
    turn = made(await ask(store, message(1)))
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
