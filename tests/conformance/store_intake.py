"""What a store promises of a new question under rules. Collected like `store`."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.backends import Usage
from shared.chat import Attachment, Author, AuthorId, Edited, MessageId
from shared.store import Budget, Rules, Spending, Store, Taken, Unit, Who
from tests.conformance.store import (
    START,
    Clock,
    ask,
    channel,
    command,
    ended,
    final,
    kind,
    made,
    message,
    pressed,
    states,
    words,
)

BURST = Rules(burst=timedelta(seconds=2))
SECOND = timedelta(seconds=1)
BOB = Author(AuthorId("odd:bob"), "Bob")


async def spend(store: Store, number: int, usage: Usage) -> None:
    turn = made(await ask(store, message(number)))
    await store.begin(turn)
    await store.settle(turn, replace(final(), usage=usage))
    await store.delivered(turn)


async def texts(store: Store, turn: int) -> list[str]:
    return [one.text for one in (await store.load(turn)).messages]


async def test_messages_of_one_moment_are_one_turn(store: Store) -> None:
    first = made(await ask(store, message(1, text="one"), rules=BURST))
    joined = await ask(store, replace(message(2, text="two"), sent_at=START + 2 * SECOND), rules=BURST)
    assert (joined.decision, joined.waiting, joined.again) == ("joined", None, None)
    await ask(store, replace(message(3, text="three"), sent_at=START + 4 * SECOND), rules=BURST)
    assert await texts(store, first) == ["one", "two", "three"]
    assert [one.ordinal for one in (await store.load(first)).messages] == [0, 1, 2]
    late = await ask(store, replace(message(4), sent_at=START + 7 * SECOND), rules=BURST)
    assert late.decision == "queued"
    assert await ask(store, message(2), rules=BURST) == Taken("duplicate")
    assert await states(store) == {first: "queued", made(late): "queued"}


async def test_a_message_that_joins_a_running_turn_has_it_asked_again(store: Store) -> None:
    turn = made(await ask(store, message(1), rules=BURST))
    await store.begin(turn)
    joined = await ask(store, message(2), rules=BURST)
    assert joined.decision == "joined"
    assert joined.again is not None
    assert (joined.again.turn, joined.again.state) == (turn, "running")
    again = await store.begin(turn)
    assert (again.attempts, again.tries, len(again.messages)) == (1, 2, 2)
    assert (await store.begin(turn)).attempts == 2


async def test_what_does_not_belong_to_the_moment_is_a_turn_of_its_own(store: Store) -> None:
    turn = made(await ask(store, message(1), rules=BURST))
    assert (await ask(store, replace(message(2), author=BOB), rules=BURST)).decision == "queued", "another person"
    assert (await ask(store, message(3, place=channel("other")), rules=BURST)).decision == "queued", "another place"
    waits = replace(message(4), target=replace(message(4).target, handle="secret"))
    assert (await ask(store, waits, rules=BURST)).decision == "queued", "an answer that has to come by other means"
    assert (await ask(store, message(5))).decision == "queued", "no rule, no burst"
    assert await texts(store, turn) == ["hello"]


async def test_nothing_joins_a_turn_whose_answer_is_seen(store: Store) -> None:
    turn = made(await ask(store, replace(message(1), album="a"), rules=BURST))
    await store.begin(turn)
    await store.sending(turn, 0, channel("general").id)
    assert (await ask(store, message(2), rules=BURST)).decision == "joined"
    await store.shown(turn, 0, MessageId("odd:90"))
    assert (await ask(store, message(3), rules=BURST)).decision == "queued"
    late = await ask(store, replace(message(4), album="a"), rules=BURST)
    assert (late.decision, late.again and late.again.turn) == ("joined", turn), "but for what was sent with its question as one"


async def test_nothing_joins_a_turn_that_stops_or_is_answered(store: Store) -> None:
    turn = made(await ask(store, message(1), rules=BURST))
    await store.ask_stop(turn)
    assert (await ask(store, message(2), rules=BURST)).decision == "queued"
    await store.settle(turn, final(outcome="stopped"))
    assert await texts(store, turn) == ["hello"]


async def test_the_parts_of_an_album_are_one_turn_however_late_they_come(store: Store) -> None:
    def picture(number: int) -> tuple[Attachment, ...]:
        return (Attachment(f"ref{number}", f"{number}.png", "image/png", 1),)

    turn = made(await ask(store, replace(message(1), album="a", attachments=picture(1))))
    await ask(store, replace(message(2), author=BOB))
    late = replace(message(3), album="a", attachments=picture(3), sent_at=START + timedelta(hours=1))
    assert (await ask(store, late)).decision == "joined"
    work = await store.load(turn)
    assert [one.files[0].attachment.ref for one in work.messages] == ["ref1", "ref3"]
    assert (await ask(store, replace(message(4), album="b"))).decision == "queued"
    await store.begin(turn)
    await store.settle(turn, final())
    after = await ask(store, replace(message(5), album="a"))
    assert (after.decision, made(after) == turn) == ("queued", False), "it was answered without this one"


async def test_an_album_is_known_and_refused_as_a_whole(store: Store) -> None:
    rules = Rules(queue=0)
    await ask(store, message(1))
    assert not await store.known_album("odd", "a")
    told = await ask(store, replace(message(2), album="a"), rules=rules)
    assert (told.decision, await words(store, told)) == ("queue_full", "queue_full")
    for number in (3, 4):
        more = await ask(store, replace(message(number), album="a"), rules=rules)
        assert (more.decision, more.waiting) == ("queue_full", None)
    assert (await ask(store, replace(message(5), album="a"))).decision == "queue_full", "though there is room by now"
    assert await words(store, await ask(store, message(6), rules=rules)) == "queue_full"
    assert await store.known_album("odd", "a")
    assert not await store.known_album("even", "a")
    listed = await store.told(channel("general").id, author=None, most=9)
    assert sum(one.decision == "queue_full" for one in listed) == 5


async def test_a_question_knows_what_is_before_it_and_a_full_queue_is_said(store: Store) -> None:
    rules = Rules(queue=2)
    taken = [await ask(store, message(number), rules=rules) for number in range(4)]
    assert [(one.decision, one.behind) for one in taken[:3]] == [("queued", 0), ("queued", 1), ("queued", 2)]
    assert taken[3].decision == "queue_full"
    assert await words(store, taken[3]) == "queue_full"
    assert await words(store, await ask(store, message(9), rules=rules)) == "queue_full", "never silent"
    assert (await ask(store, message(10, place=channel("other")), rules=rules)).decision == "queued"
    alone = Rules(queue=0)
    assert (await ask(store, message(11, place=channel("third")), rules=alone)).decision == "queued"
    assert (await ask(store, message(12, place=channel("third")), rules=alone)).decision == "queue_full"


async def test_a_new_question_stops_the_answer_that_runs_where_that_is_the_rule(store: Store) -> None:
    running = made(await ask(store, message(1)))
    queued = made(await ask(store, message(2)))
    await store.begin(running)
    taken = await ask(store, message(3), rules=Rules(interrupt=True))
    assert [(one.turn, one.state) for one in taken.stopping] == [(running, "stopping")]
    assert await states(store) == {running: "stopping", queued: "queued", made(taken): "queued"}


async def test_a_person_who_is_too_fast_is_told_once_a_minute(store: Store, clock: Clock) -> None:
    rules = Rules(per_minute=3)
    await ask(store, message(1, keys=("a", "b", "c")), rules=rules)
    await store.note("odd", command(2), decision="command")
    assert (await ask(store, message(3), rules=rules)).decision == "queued", "several keys of one event count once"
    first = await ask(store, message(4), rules=rules)
    assert (first.decision, await words(store, first)) == ("too_fast", "too_fast")
    assert await ask(store, message(5), rules=rules) == Taken("too_fast"), "told already"
    assert (await ask(store, replace(message(6), author=BOB), rules=rules)).decision == "queued"
    clock.move(timedelta(seconds=60))
    assert (await ask(store, message(7), rules=rules)).decision == "queued"


async def test_a_changed_or_deleted_message_is_not_one_more(store: Store) -> None:
    rules = Rules(per_minute=2)
    await ask(store, message(1), rules=rules)
    for number in range(3):
        edited = Edited(keys=(f"e{number}",), message=message(1, text=f"{number}"))
        assert (await store.edit("odd", edited)).decision == "edited"
    assert (await store.deleted("odd", message(1).target.channel.id, message(1).id)).decision == "deleted"
    assert (await ask(store, message(2), rules=rules)).decision == "queued"


@pytest.mark.parametrize(("unit", "used"), [("tokens", 10), ("money", 70)])
@pytest.mark.parametrize("who", ["user", "channel", "all"])
async def test_a_budget_that_is_used_up_is_told_once_an_hour(store: Store, clock: Clock, who: Who, unit: Unit, used: int) -> None:
    budget = Budget(who, unit, used)
    await spend(store, 1, Usage("m", 1, 2, 3, 3, cost=69))
    assert (await ask(store, message(2), rules=Rules(budgets=[budget]))).decision == "queued"
    await spend(store, 3, Usage("m", 1, cost=1))
    rules = Rules(budgets=[replace(budget, most=1_000_000), budget])
    refused = await ask(store, message(4), rules=rules)
    assert (refused.decision, await words(store, refused)) == ("over_limit", f"over_limit: {used} of {used}, until 01.04.")
    assert await ask(store, message(5), rules=rules) == Taken("over_limit"), "told already"
    other = await ask(store, message(6, place=channel("thread", parent="general")), rules=rules)
    assert (other.decision, kind(other)) == ("over_limit", "notice"), "threads count with their channel"
    clock.move(timedelta(hours=1))
    assert kind(await ask(store, message(7), rules=rules)) == "notice"
    clock.move(timedelta(days=31))
    assert (await ask(store, message(8), rules=rules)).decision == "queued", "a new month"


async def test_a_budget_counts_for_whom_it_is_meant(store: Store) -> None:
    await spend(store, 1, Usage("m", 10))
    elsewhere = replace(message(2, place=channel("other")), author=BOB)
    for who in ("user", "channel"):
        assert (await ask(store, replace(elsewhere, keys=(who,)), rules=Rules(budgets=[Budget(who, "tokens", 10)]))).decision == (
            "queued"
        )
    spent = await store.spendings(["user:odd:ada", "user:odd:bob", "channel:odd:general", "all"])
    ten = Spending(10, 0)
    assert spent == {"user:odd:ada": ten, "user:odd:bob": Spending(), "channel:odd:general": ten, "all": ten}


async def test_of_several_refusals_the_first_one_counts(store: Store) -> None:
    await spend(store, 1, Usage("m", 10))
    rules = Rules(per_minute=1, queue=0, burst=SECOND, budgets=[Budget("all", "tokens", 10)])
    await ask(store, message(2))
    assert (await ask(store, message(3), rules=rules)).decision == "too_fast"
    assert (await ask(store, message(4), rules=replace(rules, per_minute=0))).decision == "over_limit"
    assert (await ask(store, message(5), rules=replace(rules, per_minute=0, budgets=()))).decision == "joined"
    late = replace(message(6), sent_at=START + 9 * SECOND)
    assert (await ask(store, late, rules=replace(rules, per_minute=0, budgets=()))).decision == "queue_full"


async def test_the_first_question_gives_the_conversation_its_title(store: Store, clock: Clock) -> None:
    await ask(store, message(1, text=" What\n  is " + "long " * 40))
    clock.move(SECOND)
    await ask(store, message(2, text="Another."))
    talk = await store.open_talk(channel("general").id)
    assert talk is not None
    assert talk.title.startswith("What is long long")
    assert len(talk.title) <= 80
    assert (talk.opened_at, talk.heard_at, talk.turns) == (START, START + SECOND, 2)
    file = replace(message(3, place=channel("other"), text=""), attachments=(Attachment("r", "a.png", "image/png", 1),))
    await ask(store, file)
    named = await store.open_talk(channel("other").id)
    assert named is not None
    assert named.title == "a.png"


async def test_what_became_of_events_can_be_told(store: Store, clock: Clock) -> None:
    done = await ended(store, 1)
    clock.move(SECOND)
    await store.note("odd", replace(message(2, keys=("a", "b")), author=BOB), decision="not_allowed")
    clock.move(SECOND)
    failed = made(await ask(store, message(3)))
    await store.begin(failed)
    await store.settle(failed, replace(final(outcome="failed", stop=None), failure="Overloaded"))
    clock.move(SECOND)
    await store.note("odd", pressed(4, "odd:91", place=channel("other")), decision="button")
    told = await store.told(channel("general").id, author=None, most=10)
    assert [(one.author_id, one.decision, one.turn, one.state, one.failure, one.stop) for one in told] == [
        ("odd:ada", "queued", failed, "answered", "Overloaded", None),
        ("odd:bob", "not_allowed", None, None, None, None),
        ("odd:ada", "queued", made(done), "done", None, "end"),
    ]
    assert (told[0].at, told[0].attempts) == (START + 2 * SECOND, 1)
    assert [one.decision for one in await store.told(channel("general").id, author=BOB.id, most=10)] == ["not_allowed"]
    assert len(await store.told(channel("general").id, author=None, most=2)) == 2


async def test_the_parts_of_an_album_are_not_too_fast_for_each_other(store: Store) -> None:
    rules = Rules(queue=9, per_minute=2)
    taken = [await ask(store, replace(message(number), album="a"), rules=rules) for number in range(5)]
    assert [each.decision for each in taken] == ["queued", *["joined"] * 4]
