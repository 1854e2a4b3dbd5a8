"""What a store promises of what was said before. Collected like `store`."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.chat import Edited
from shared.store import Past, Store
from tests.conformance.store import Clock, answered, ask, final, made, message, within


async def test_history_is_the_newest_answers_oldest_first(store: Store) -> None:
    taken = [await answered(store, number, text=f"answer {number}", question=f"question {number}") for number in range(1, 6)]
    await store.delivered(made(taken[0]))
    await store.tell("odd", message(50), decision="not_allowed", text="a notice")
    await ask(store, message(60))
    conversation = within(taken[0])
    past = await store.history(conversation, before=1000, turns=3, characters=10_000)
    assert [one.text for one in past.exchanges] == ["answer 3", "answer 4", "answer 5"]
    assert [[said.text for said in one.asked] for one in past.exchanges] == [["question 3"], ["question 4"], ["question 5"]]
    assert {one.backend for one in past.exchanges} == {"demo"}
    all_before = await store.history(conversation, before=made(taken[3]), turns=100, characters=10_000)
    assert [one.turn for one in all_before.exchanges] == [made(one) for one in taken[:3]]
    assert await store.history(conversation, before=made(taken[0]), turns=3, characters=10_000) == Past(None, ())


async def test_history_is_cut_to_whole_turns(store: Store) -> None:
    taken = [await answered(store, number, text="x" * 10, question="y" * 5) for number in range(1, 5)]
    conversation = within(taken[0])
    for characters, expected in ((14, 0), (15, 1), (29, 1), (30, 2), (60, 4)):
        past = await store.history(conversation, before=1000, turns=10, characters=characters)
        assert [one.turn for one in past.exchanges] == [made(one) for one in taken[len(taken) - expected :]]


async def test_history_leaves_refusals_out(store: Store) -> None:
    first = await answered(store, 1, text="kept", stop=None)
    await answered(store, 2, text="refused", stop="refusal")
    await answered(store, 3, text="kept, too")
    past = await store.history(within(first), before=1000, turns=2, characters=1000)
    assert [one.text for one in past.exchanges] == ["kept", "kept, too"]


async def test_history_says_that_it_was_shortened(store: Store) -> None:
    first = await answered(store, 1, text="x" * 10, question="y" * 5)
    await answered(store, 2, text="x" * 10, question="y" * 5)
    for turns, characters, shortened in ((2, 30, False), (1, 30, True), (2, 29, True), (0, 30, True)):
        past = await store.history(within(first), before=1000, turns=turns, characters=characters)
        assert past.shortened == shortened, (turns, characters)


async def test_history_begins_after_the_newest_summary(store: Store) -> None:
    taken = [await answered(store, number, text=f"answer {number}") for number in range(1, 5)]
    conversation = within(taken[0])
    await store.summarise(made(taken[-1]), made(taken[0]), "the first")
    await store.summarise(made(taken[-1]), made(taken[1]), "a draft")
    await store.summarise(made(taken[-1]), made(taken[1]), "the first two")
    past = await store.history(conversation, before=1000, turns=10, characters=1000)
    assert (past.summary, [one.turn for one in past.exchanges]) == ("the first two", [made(one) for one in taken[2:]])
    assert not past.shortened
    earlier = await store.history(conversation, before=made(taken[1]), turns=10, characters=1000)
    assert earlier == Past("the first", ()), "a summary of what comes later is of no use"


async def test_history_begins_with_the_answer_that_sums_up_what_was_before(store: Store) -> None:
    taken = [await answered(store, 1), await ask(store, message(2))]
    await store.begin(made(taken[1]))
    blocks = [{"type": "compaction", "content": "so far"}]
    await store.settle(made(taken[1]), replace(final("two"), blocks=blocks, condensed=True))
    taken.append(await answered(store, 3))
    conversation = within(taken[0])
    await store.summarise(made(taken[-1]), made(taken[0]), "the first")
    past = await store.history(conversation, before=1000, turns=10, characters=1000)
    assert [(one.turn, one.condensed, one.blocks) for one in past.exchanges] == [
        (made(taken[1]), True, blocks),
        (made(taken[2]), False, None),
    ]
    assert (past.summary, past.shortened) == (None, False)


@pytest.mark.parametrize("way", ["edited", "deleted", "hidden"])
async def test_what_sums_up_a_turn_that_changes_is_forgotten(store: Store, way: str) -> None:
    taken = [await answered(store, number) for number in (1, 2)]
    last = await ask(store, message(3))
    await store.begin(made(last))
    await store.settle(made(last), replace(final("three"), blocks=[{"type": "compaction"}], condensed=True))
    conversation = within(last)
    await store.summarise(made(taken[-1]), made(taken[0]), "the first")
    await store.summarise(made(taken[-1]), made(taken[1]), "the first two")
    if way == "edited":
        await store.edit("odd", Edited(keys=("e",), message=message(2, text="another")))
    elif way == "deleted":
        await store.deleted("odd", message(2).target.channel.id, message(2).id)
    else:
        for turn in (*taken, last):
            await store.delivered(made(turn))
        for number in (10, 11):
            await store.undo("odd", message(number), say=str)
    past = await store.history(conversation, before=1000, turns=10, characters=1000)
    assert past.summary == "the first"
    expected = {"edited": [2, 3], "deleted": [3], "hidden": []}[way]
    assert [one.turn for one in past.exchanges] == expected
    assert not any(one.condensed or one.blocks for one in past.exchanges)


@pytest.mark.parametrize("way", ["edited", "deleted"])
async def test_what_people_change_while_it_is_summed_up_is_not_kept_in_the_summary(store: Store, way: str) -> None:
    taken = [await answered(store, number) for number in (1, 2)]
    last = await ask(store, message(3))
    await store.begin(made(last))
    if way == "edited":
        await store.edit("odd", Edited(keys=("e",), message=message(1, text="another")))
    else:
        await store.deleted("odd", message(1).target.channel.id, message(1).id)
    await store.summarise(made(last), made(taken[0]), "what was said first")
    kept = await store.settle(made(last), replace(final("three"), blocks=[{"type": "compaction"}], condensed=True))
    assert (kept.text, kept.blocks, kept.condensed) == ("three", None, False)
    past = await store.history(within(last), before=1000, turns=10, characters=1000)
    assert (past.summary, past.exchanges[-1].blocks, past.exchanges[-1].condensed) == (None, None, False)


async def test_what_people_changed_before_the_question_is_summed_up_as_it_is(store: Store, clock: Clock) -> None:
    taken = [await answered(store, number) for number in (1, 2)]
    await store.edit("odd", Edited(keys=("e",), message=message(1, text="another")))
    clock.move(timedelta(seconds=1))
    last = await ask(store, message(3))
    await store.begin(made(last))
    await store.summarise(made(last), made(taken[0]), "what was said first")
    blocks = [{"type": "compaction"}]
    kept = await store.settle(made(last), replace(final("three"), blocks=blocks, condensed=True))
    assert (kept.blocks, kept.condensed) == (blocks, True)
    past = await store.history(within(last), before=made(last), turns=10, characters=1000)
    assert past.summary == "what was said first"
