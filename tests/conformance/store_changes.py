"""What a store promises of what people change afterwards. Collected like `store`."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.backends import Usage
from shared.chat import Attachment, Cause, ChannelId, Edited, Message, MessageId, Quoted, Target
from shared.files.material import Material
from shared.states import Outcome
from shared.store import Budget, Rules, Store, Taken
from tests.conformance.store import (
    EASY,
    OUTCOMES,
    Clock,
    answered,
    ask,
    channel,
    command,
    ended,
    final,
    kind,
    made,
    message,
    pressed,
    refused,
    states,
    within,
    words,
)

HERE = channel("general").id


def edited(one: Message, key: str = "edit", **changed: object) -> Edited:
    return Edited(keys=(key,), message=replace(one, **changed))


async def delete(store: Store, number: int) -> Taken:
    return await store.deleted("odd", HERE, MessageId(f"odd:{number}"))


async def said(store: Store, turn: int) -> list[str]:
    return [one.text for one in (await store.load(turn)).messages]


@pytest.mark.parametrize("outcome", OUTCOMES)
async def test_an_edit_of_the_last_question_has_it_answered_again(store: Store, outcome: Outcome) -> None:
    taken = await ask(store, message(1))
    turn = made(taken)
    await store.begin(turn)
    await store.sending(turn, 0, HERE)
    await store.shown(turn, 0, MessageId("odd:91"))
    await store.settle(turn, final(outcome=outcome))
    await store.delivered(turn)
    again = await store.edit("odd", edited(message(1), text="another"))
    assert (again.decision, again.waiting, again.conversation) == ("edited", taken.waiting, taken.conversation)
    work = await store.load(turn)
    assert (work.state, work.attempts, work.tries, work.final) == ("queued", 0, 1, None)
    assert [part.message for part in work.parts] == ["odd:91"], "it is answered in place"
    assert await said(store, turn) == ["another"]
    assert (await store.begin(turn)).tries == 2
    assert await store.edit("odd", edited(message(1), text="another")) == Taken("duplicate")


async def test_an_edit_while_the_answer_runs_has_it_asked_again(store: Store) -> None:
    turn = made(await ask(store, message(1)))
    await store.begin(turn)
    again = await store.edit("odd", edited(message(1), text="another"))
    assert (again.decision, again.waiting) == ("edited", None)
    assert again.again is not None
    assert (again.again.turn, again.again.state) == (turn, "running")
    await store.settle(turn, final())
    assert await store.delivered(turn)
    work = await store.load(turn)
    assert (work.state, work.attempts, work.final) == ("queued", 0, None)
    await store.begin(turn)
    await store.settle(turn, final())
    later = await store.edit("odd", edited(message(1), "later", text="a third"))
    assert later.again is not None
    assert later.again.state == "answered"
    assert not await store.delivered(turn, failed=True), "what people cannot have is not asked again"
    assert (await store.load(turn)).state == "failed"


async def test_an_edit_of_a_question_that_waits_changes_its_text_alone(store: Store) -> None:
    turn = made(await ask(store, message(1)))
    again = await store.edit("odd", edited(message(1), text="another"))
    assert (again.decision, again.waiting, again.again) == ("edited", None, None)
    assert (await store.begin(turn)).messages[0].text == "another"
    await store.settle(turn, final())
    assert not await store.delivered(turn)


async def test_a_stop_counts_for_more_than_an_edit(store: Store) -> None:
    turn = made(await ask(store, message(1)))
    await store.begin(turn)
    await store.edit("odd", edited(message(1), text="another"))
    await store.ask_stop(turn)
    assert (await store.edit("odd", edited(message(1), "later", text="a third"))).again is None
    assert await said(store, turn) == ["a third"]
    await store.settle(turn, final(outcome="stopped"))
    assert not await store.delivered(turn)


async def test_an_end_of_the_conversation_counts_for_more_than_an_edit(store: Store) -> None:
    turn = made(await answered(store, 1))
    await store.edit("odd", edited(message(1), text="another"))
    await store.new("odd", message(2), text="new", nothing="none")
    assert not await store.delivered(turn)


async def test_an_edit_of_an_older_question_is_taken_into_the_history(store: Store) -> None:
    first = await ended(store, 1)
    await ended(store, 2)
    taken = await store.edit("odd", edited(message(1), text="another"))
    assert taken == Taken("edited", conversation=first.conversation)
    past = await store.history(within(first), before=1000, turns=9, characters=1000)
    assert [one.asked[0].text for one in past.exchanges] == ["another", "hello"]


async def test_an_edit_in_a_closed_conversation_asks_nothing(store: Store) -> None:
    first = await ended(store, 1)
    await store.new("odd", message(2), text="new", nothing="none")
    assert await store.edit("odd", edited(message(1), text="another")) == Taken("edited", conversation=first.conversation)


async def test_an_edit_that_changes_nothing_or_of_something_unknown_does_nothing(store: Store) -> None:
    turn = made(await ended(store, 1))
    assert await store.edit("odd", edited(message(1))) == Taken("duplicate")
    assert await store.edit("odd", edited(message(9), "b", text="another")) == Taken("unknown")
    assert await store.edit("even", edited(message(1), "c", text="another")) == Taken("unknown")
    assert (await store.load(turn)).state == "done"


async def test_an_edit_keeps_what_was_made_of_the_files_that_stay(store: Store) -> None:
    one, two, three = (Attachment(ref, ref, "image/png", 1) for ref in "abc")
    asked = replace(message(1), attachments=(one, two), quoted=Quoted("Bob", "that", False, (three,)))
    turn = made(await ask(store, asked))
    made_of = Material("image", "b", "image/png", 1, "blob")
    await store.attached(turn, 0, 1, made_of)
    await store.attached(turn, 0, 2, "too_large")
    four = Attachment("d", "d", "image/png", 1)
    assert (await store.edit("odd", edited(asked, attachments=(four, two)))).decision == "edited"
    files = (await store.load(turn)).messages[0].files
    assert {file.attachment.ref: (file.material, file.problem, file.quoted) for file in files} == {
        "d": (None, None, False),
        "b": (made_of, None, False),
        "c": (None, "too_large", True),
    }
    new = next(file.nth for file in files if file.attachment == four)
    assert new not in (0, 1, 2), "what is being made of a file that is gone must not end at another"


async def test_a_deletion_of_the_only_question_stops_and_hides_it(store: Store) -> None:
    taken = await ask(store, message(1))
    await store.begin(made(taken))
    gone = await delete(store, 1)
    assert (gone.decision, gone.conversation) == ("deleted", taken.conversation)
    assert [(one.turn, one.state) for one in gone.stopping] == [(made(taken), "stopping")]
    assert (await store.load(made(taken))).hidden
    assert await delete(store, 1) == Taken("deleted"), "once more changes nothing"
    await store.settle(made(taken), final(outcome="stopped"))
    await store.delivered(made(taken))
    assert (await store.history(within(taken), before=1000, turns=9, characters=1000)).exchanges == ()


async def test_a_deletion_of_an_answered_question_takes_the_pair_out_of_the_history(store: Store) -> None:
    first, second = await ended(store, 1), await ended(store, 2)
    third = await answered(store, 3)
    assert not (await delete(store, 1)).stopping
    assert not (await delete(store, 3)).stopping
    assert not await store.delivered(made(third))
    past = await store.history(within(first), before=1000, turns=9, characters=1000)
    assert [one.turn for one in past.exchanges] == [made(second)]
    assert await delete(store, 9) == Taken("unknown")


async def test_a_deletion_of_one_of_several_messages_leaves_the_others(store: Store) -> None:
    for number in (1, 2, 3):
        await ask(store, replace(message(number, text=str(number)), album="a"))
    [turn] = await states(store)
    assert (await delete(store, 1)).again is None
    await store.begin(turn)
    gone = await delete(store, 2)
    assert gone.again is not None
    assert (gone.again.turn, gone.stopping) == (turn, ())
    assert await said(store, turn) == ["3"]
    await ask(store, replace(message(4, text="4"), album="a"))
    assert [one.ordinal for one in (await store.begin(turn)).messages] == [2, 3]
    await store.settle(turn, final())
    await store.delivered(turn)
    assert await delete(store, 4) == Taken("deleted", conversation=gone.conversation), "what has ended is not asked again"
    assert not (await store.load(turn)).hidden


@pytest.mark.parametrize("cause", [command(5), message(5), pressed(5, "odd:92")])
async def test_a_retry_asks_the_newest_turn_again(store: Store, cause: Cause) -> None:
    await ended(store, 1)
    second = await ended(store, 2)
    taken = await store.retry("odd", cause, turn=None, message=None, say=str)
    assert (taken.waiting, taken.conversation) == (second.waiting, second.conversation)
    assert taken.decision == ("button" if cause == pressed(5, "odd:92") else "command")
    assert await states(store) == {made(second): "queued"}
    assert await store.retry("odd", cause, turn=None, message=None, say=str) == Taken("duplicate")


async def test_a_retry_that_cannot_be_says_why(store: Store) -> None:
    async def why(number: int, turn: int | None = None, shown: str | None = None) -> str:
        cause = pressed(number, shown or "odd:0")
        taken = await store.retry("odd", cause, turn=turn, message=None if shown is None else cause.message, say=str)
        return await words(store, taken)

    assert await why(1) == "nothing"
    assert await why(2, 99) == "unknown"
    first, second = made(await ended(store, 1)), made(await ended(store, 2))
    assert await why(3, first, "odd:91") == "old"
    assert await why(4, second, "odd:91") == "unknown", "a part of another turn"
    await store.edit("odd", edited(message(2), text="another"))
    assert await why(5, second, "odd:92") == "busy"
    assert await why(6) == "busy"
    await store.new("odd", message(7), text="new", nothing="none")
    assert await why(8, second, "odd:92") == "old"
    assert await why(9) == "nothing"


async def test_an_undo_hides_the_newest_turn_and_says_so(store: Store) -> None:
    first, second = await ended(store, 1), await ended(store, 2)
    for number, left in ((1, [made(first)]), (2, [])):
        assert await words(store, await store.undo("odd", command(number), say=str)) == "None"
        past = await store.history(within(first), before=1000, turns=9, characters=1000)
        assert [one.turn for one in past.exchanges] == left
    assert (await store.load(made(second))).hidden
    assert await words(store, await store.undo("odd", command(3), say=str)) == "nothing"
    await ask(store, message(3))
    assert await words(store, await store.undo("odd", command(4), say=str)) == "busy"
    elsewhere = await store.undo("odd", command(5, place=channel("other")), say=str)
    assert await words(store, elsewhere) == "nothing"


async def more(store: Store, number: int, turn: int, shown: str, rules: Rules = EASY) -> Taken:
    return await store.more("odd", pressed(number, shown), turn=turn, text="Go on.", rules=rules, say=str, limited=refused)


async def test_more_is_a_new_turn_of_the_one_who_pressed(store: Store) -> None:
    first = await ended(store, 1)
    taken = await more(store, 1, made(first), "odd:91")
    assert (taken.decision, kind(taken), taken.conversation) == ("button", "ask", first.conversation)
    work = await store.load(made(taken))
    [asked] = work.messages
    assert (asked.id, asked.author_id, asked.name, asked.text) == ("odd:pressed:1", "odd:bob", "Bob", "Go on.")
    assert (work.place, work.target) == (channel("general"), Target(channel("general"), reply_to=MessageId("odd:91")))
    assert await more(store, 1, made(first), "odd:91") == Taken("duplicate")
    assert await words(store, await more(store, 2, made(first), "odd:91")) == "old"


async def test_more_reopens_what_was_closed_as_idle_and_nothing_else(store: Store, clock: Clock) -> None:
    first = await ended(store, 1)
    clock.move(timedelta(hours=1))
    assert await store.close_idle("odd", within(first), before=clock.now, target=None, text="")
    taken = await more(store, 1, made(first), "odd:91")
    assert (kind(taken), await store.conversation(HERE)) == ("ask", first.conversation)
    await store.begin(made(taken))
    await store.settle(made(taken), final())
    await store.sending(made(taken), 0, HERE)
    await store.shown(made(taken), 0, MessageId("odd:95"))
    assert await words(store, await more(store, 2, made(taken), "odd:95")) == "busy"
    await store.delivered(made(taken))
    assert await words(store, await more(store, 3, made(taken), "odd:91")) == "unknown"
    await store.new("odd", message(4), text="new", nothing="none")
    assert await words(store, await more(store, 5, made(taken), "odd:95")) == "old"


async def test_more_is_refused_within_the_limits_of_a_question(store: Store) -> None:
    first = await ask(store, message(1))
    await store.begin(made(first))
    await store.settle(made(first), replace(final(), usage=Usage("m", 10)))
    rules = Rules(per_minute=1, budgets=[Budget("all", "tokens", 10)])
    over = await more(store, 1, made(first), "odd:91", rules)
    assert (over.decision, await words(store, over)) == ("over_limit", "over_limit: 10 of 10, until 01.04.")
    assert (await more(store, 2, made(first), "odd:91", rules)).decision == "too_fast"


async def test_one_turn_can_be_stopped_by_its_part(store: Store) -> None:
    first, second = made(await ask(store, message(1))), made(await ask(store, message(2)))
    await store.begin(first)
    await store.sending(first, 0, ChannelId("odd:general"))
    await store.shown(first, 0, MessageId("odd:91"))
    for number, turn, shown in ((1, second, "odd:91"), (2, 99, "odd:91"), (3, first, "odd:90")):
        taken = await store.stop("odd", pressed(number, shown), nothing="nothing", turn=turn, message=MessageId(shown))
        assert (await words(store, taken), taken.decision) == ("nothing", "button")
    taken = await store.stop("odd", pressed(4, "odd:91"), nothing="nothing", turn=first, message=MessageId("odd:91"))
    assert ([one.turn for one in taken.stopping], taken.waiting, taken.decision) == ([first], None, "button")
    assert (await states(store))[second] == "queued"


async def test_a_stop_can_be_told_of(store: Store) -> None:
    await ask(store, message(1))
    taken = await store.stop("odd", command(2), nothing="nothing", done="Stopped.")
    assert (await words(store, taken), len(taken.stopping), taken.decision) == ("Stopped.", 1, "command")
