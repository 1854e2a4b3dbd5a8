"""What a store promises of conversations, choices, and what is spent. Collected like `store`."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from shared.backends import Made, Usage
from shared.chat import Attachment, AuthorId, Button, Channel, ChannelId, MessageId, Target
from shared.files.material import Material
from shared.store import Budget, Share, Signed, Spending, Store, Talk, UnknownTurn
from tests.conformance.store import (
    START,
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
    states,
    within,
    words,
)

HERE = channel("general")
HOUR = timedelta(hours=1)


def titled(said: object) -> str:
    return f"on with {said.title}" if isinstance(said, Talk) else str(said)


async def opened(store: Store, number: int, place: Channel, text: str = "hello") -> Talk:
    await ask(store, message(number, place=place, text=text))
    talk = await store.open_talk(place.id)
    assert talk is not None
    return talk


async def finish(store: Store) -> None:
    for waiting in await store.unfinished():
        if waiting.state == "queued":
            await store.begin(waiting.turn)
        if waiting.state != "answered":
            await store.settle(waiting.turn, final())
        await store.delivered(waiting.turn)


async def test_conversations_of_a_place_are_listed_by_when_they_were_heard(store: Store, clock: Clock) -> None:
    first = await opened(store, 1, HERE, "first")
    await store.new("odd", message(2), text="new", nothing="none")
    clock.move(HOUR)
    second = await opened(store, 3, channel("thread", parent="general"), "second")
    clock.move(HOUR)
    third = await opened(store, 4, HERE, "third")
    await opened(store, 5, channel("other"), "elsewhere")
    talks = await store.talks(HERE.id, most=9)
    assert [(one.id, one.title, one.why) for one in talks] == [
        (third.id, "third", None),
        (second.id, "second", None),
        (first.id, "first", "new"),
    ]
    assert talks[2].closed_at == START
    assert talks[1].channel == channel("thread", parent="general")
    assert await store.talks(HERE.id, most=1) == [third]
    assert await store.talk(second.id) == second
    assert await store.talk(uuid4()) is None
    assert await store.open_talk(channel("nowhere").id) is None


async def test_a_closed_conversation_is_taken_up_again(store: Store, clock: Clock) -> None:
    old = await opened(store, 1, HERE, "old")
    await store.new("odd", message(2), text="new", nothing="none")
    await finish(store)
    clock.move(HOUR)
    current = await opened(store, 3, HERE, "current")
    clock.move(HOUR)
    taken = await store.resume("odd", command(4), conversation=None, say=titled)
    assert (await words(store, taken), taken.conversation) == ("on with old", old.id)
    assert [one.state for one in taken.stopping] == ["stopping"]
    assert await store.conversation(HERE.id) == old.id
    closed = await store.talk(current.id)
    assert closed is not None
    assert closed.why == "resumed"
    again = await store.talk(old.id)
    assert again is not None
    assert (again.heard_at, again.closed_at) == (START + 2 * HOUR, None)
    assert within(await ask(store, message(5))) == old.id


async def test_an_open_conversation_may_be_resumed(store: Store) -> None:
    talk = await opened(store, 1, HERE, "open")
    taken = await store.resume("odd", command(2), conversation=talk.id, say=titled)
    assert (await words(store, taken), taken.stopping) == ("on with open", [])
    assert await store.conversation(HERE.id) == talk.id


async def test_a_secluded_conversation_is_neither_listed_nor_resumed_from_the_channel_above_it(store: Store) -> None:
    place = replace(channel("thread", parent="general"), secluded=True)
    talk = await opened(store, 1, place)
    assert talk.channel.secluded
    assert [each.id for each in await store.talks(place.id, most=9)] == [talk.id]
    assert await store.talks(HERE.id, most=9) == []
    await store.new("odd", message(2, place=place), text="new", nothing="none")
    await finish(store)
    taken = await store.resume("odd", command(3, place=HERE, name="resume"), conversation=talk.id, say=titled)
    assert await words(store, taken) == "unknown"
    taken = await store.resume("odd", command(4, place=place, name="resume"), conversation=talk.id, say=titled)
    assert await words(store, taken) == "on with hello"


async def test_only_conversations_of_the_place_and_below_it_are_resumed(store: Store) -> None:
    below = await opened(store, 1, channel("thread", parent="general"), "below")
    other = await opened(store, 2, channel("other"), "other")
    await store.leave("odd", space="odd:space")
    for number, talk, said in (
        (3, below.id, "on with below"),
        (4, other.id, "elsewhere"),
        (5, uuid4(), "unknown"),
        (6, None, "nothing"),
    ):
        taken = await store.resume("odd", command(number), conversation=talk, say=titled)
        assert await words(store, taken) == said
    assert await store.conversation(channel("thread").id) == below.id
    assert await store.conversation(channel("other").id) is None


async def test_a_quiet_conversation_is_closed_once(store: Store, clock: Clock) -> None:
    first = await ended(store, 1)
    await opened(store, 2, channel("busy"))
    clock.move(HOUR)
    await ask(store, message(3, place=channel("late")))
    await finish_all_but(store, "busy")
    before = START + HOUR
    [quiet] = await store.quiet("odd", before=before, most=9)
    assert quiet.id == first.conversation
    assert await store.quiet("even", before=before, most=9) == []
    buttons = (Button("more", "Continue"),)
    taken = await store.close_idle("odd", quiet.id, before=before, target=Target(HERE), text="Closed.", buttons=buttons)
    assert taken is not None
    assert (await words(store, taken), taken.conversation) == ("Closed.", quiet.id)
    told = (await store.load(made(taken))).final
    assert told is not None
    assert told.buttons == buttons
    closed = await store.talk(quiet.id)
    assert closed is not None
    assert (closed.why, closed.closed_at) == ("idle", START + HOUR)
    assert await store.close_idle("odd", quiet.id, before=before, target=None, text="") is None
    assert within(await ask(store, message(9))) != quiet.id, "the message that comes after opens a new one"


async def finish_all_but(store: Store, name: str) -> None:
    for waiting in await store.unfinished():
        if waiting.channel != channel(name).id:
            await store.begin(waiting.turn)
            await store.settle(waiting.turn, final())
            await store.delivered(waiting.turn)


async def test_a_conversation_in_which_something_happens_is_not_closed(store: Store, clock: Clock) -> None:
    taken = await answered(store, 1)
    clock.move(HOUR)
    assert await store.close_idle("odd", within(taken), before=clock.now, target=None, text="") is None, "not delivered yet"
    await store.delivered(made(taken))
    assert await store.close_idle("odd", within(taken), before=START, target=None, text="") is None, "heard since"
    closed = await store.close_idle("odd", within(taken), before=clock.now, target=None, text="")
    assert closed is not None
    assert closed.waiting is None


async def test_choices_are_kept_by_scope_and_taken_back(store: Store) -> None:
    for number, scope, value in ((1, "global", "a"), (2, "odd", "b"), (3, "odd", "c")):
        taken = await store.choose("odd", command(number), scope=scope, name="model", value=value, text=f"Now {value}.")
        assert (await words(store, taken), taken.decision) == (f"Now {value}.", "command")
    assert await store.choices(["global", "odd", "x"]) == {"global": {"model": "a"}, "odd": {"model": "c"}, "x": {}}
    await store.choose("odd", command(4), scope="odd", name="model", value=None, text="As before.")
    assert await store.choices(["odd"]) == {"odd": {}}
    assert (await store.choose("odd", command(4), scope="odd", name="model", value="z", text="")).decision == "duplicate"


async def test_what_was_made_of_files_comes_back(store: Store) -> None:
    files = tuple(Attachment(ref, ref, "text/plain", 1) for ref in "abc")
    turn = made(await ask(store, replace(message(1), attachments=files)))
    image, text = Material("image", "a", "image/png", 7, "blob", width=2), Material("text", "b", "text/plain", 2, text="hi\0")
    await store.attached(turn, 0, 0, image)
    await store.attached(turn, 0, 1, text)
    await store.attached(turn, 0, 2, "too_large")
    await store.attached(turn, 3, 0, "of a message that is gone")
    [said] = (await store.begin(turn)).messages
    assert [(one.material, one.problem) for one in said.files] == [(image, None), (text, None), (None, "too_large")]
    await store.settle(turn, replace(final(), files=(Made("x", "text/csv", "made", 1),)))
    assert await store.blobs() == {"blob", "made"}
    await store.forget_blobs(["blob", "unheard of"])
    [said] = (await store.load(turn)).messages
    assert [(one.material, one.problem) for one in said.files] == [(None, None), (text, None), (None, "too_large")]
    assert await store.blobs() == {"made"}


async def test_parts_of_text_and_files_are_counted_apart(store: Store) -> None:
    turn = made(await ask(store, message(1)))
    for kind_ in ("file", "text"):
        await store.sending(turn, 0, HERE.id, kind=kind_)
        await store.shown(turn, 0, MessageId(f"odd:{kind_}"), kind=kind_)
    assert [(one.kind, one.message) for one in (await store.load(turn)).parts] == [("text", "odd:text"), ("file", "odd:file")]
    assert await store.ours(HERE.id) == {"odd:text", "odd:file"}
    await store.dropped(turn, 0, kind="file")
    assert [one.kind for one in (await store.load(turn)).parts] == ["text"]


async def test_every_try_is_counted_once(store: Store) -> None:
    turn = made(await ask(store, message(1)))
    await store.begin(turn)
    work = await store.begin(turn)
    assert (work.tries, work.unspent) == (2, [1])
    await store.spend(turn, 1, Usage("m", 5, cost=2, estimated=True))
    await store.spend(turn, 1, Usage("m", 500))
    await store.settle(turn, replace(final(), usage=Usage("m", 1, 2, 3, 4, cost=1)))
    assert await store.spendings(["all"]) == {"all": Spending(15, 3)}
    await store.spend(turn, 2, Usage("m", 500))
    assert await store.spendings(["all"]) == {"all": Spending(15, 3)}
    assert (await store.load(turn)).unspent == []


async def test_a_try_that_used_nothing_up_is_known_to_have_done_so(store: Store) -> None:
    turn = made(await ended(store, 1))
    assert (await store.load(turn)).unspent == []
    await store.retry("odd", command(2), turn=None, message=None, say=str)
    assert (await store.begin(turn)).unspent == []
    await store.release(turn)
    assert (await store.load(turn)).unspent == [2], "the try may have been paid for"
    assert (await store.begin(turn)).tries == 3


async def test_a_try_that_was_broken_off_by_a_stop_may_have_cost_something(store: Store) -> None:
    turn = made(await ask(store, message(1)))
    await store.begin(turn)
    await store.ask_stop(turn)
    assert (await store.load(turn)).unspent == [1]
    await store.spend(turn, 1, Usage("m", 5, estimated=True))
    await store.settle(turn, final(outcome="stopped"))
    work = await store.load(turn)
    assert work.final is not None
    assert (work.unspent, work.final.usage) == ([], Usage("m", 5, estimated=True))


async def test_a_budget_warns_once_a_month_at_eighty_percent(store: Store, clock: Clock) -> None:
    budgets = [Budget("user", "tokens", 100), Budget("all", "money", 10), Budget("channel", "tokens", 1000)]

    def warn(share: Share) -> str:
        return f"{share.budget.who} {share.used} until {share.resets_at:%d.%m.}"

    notes: list[str] = []
    for number, tokens in enumerate((79, 1, 50)):
        turn = made(await ask(store, message(number)))
        await store.begin(turn)
        one = replace(final(), note="A note.", usage=Usage("m", tokens, cost=4))
        stored = await store.settle(turn, one, budgets=budgets, warn=warn)
        assert (await store.load(turn)).final == stored
        notes.append(stored.note)
    assert notes == ["A note.", "A note. user 80 until 01.04. all 8 until 01.04.", "A note."]
    clock.move(timedelta(days=31))
    turn = made(await ask(store, message(9)))
    await store.begin(turn)
    stored = await store.settle(turn, replace(final(), usage=Usage("m", 90)), budgets=budgets, warn=warn)
    assert stored.note == "user 90 until 01.05.", "a new month"


async def test_a_year_ends_with_its_last_month(store: Store, clock: Clock) -> None:
    clock.move(START.replace(month=12, day=31) - START)
    turn = made(await ask(store, message(1)))
    await store.begin(turn)
    one = replace(final(), usage=Usage("m", 1))
    stored = await store.settle(turn, one, budgets=[Budget("all", "tokens", 1)], warn=lambda share: f"{share.resets_at:%Y-%m-%d}")
    assert stored.note == "2027-01-01"


@pytest.mark.parametrize("text", ["a", ""])
async def test_a_notice_may_have_buttons(store: Store, text: str) -> None:
    buttons = (Button("a", "A"), Button("b", text))
    taken = await store.tell("odd", command(1), decision="command", text=text, buttons=buttons)
    told = (await store.load(made(taken))).final
    assert told is not None
    assert (told.text, told.buttons, kind(taken)) == (text, buttons, "notice")
    assert await states(store) == {made(taken): "answered"}


async def test_a_budget_is_used_up_once_as_much_is_used_as_it_allows(store: Store) -> None:
    taken = await ask(store, message(1, place=HERE))
    await store.begin(made(taken))
    await store.settle(made(taken), replace(final(), usage=Usage("m", 6, 4, cost=30)))
    ada, other, thread = message(1).author.id, AuthorId("odd:bo"), channel("thread", parent="general")
    for budget in (Budget("user", "tokens", 10), Budget("channel", "money", 30), Budget("all", "tokens", 10)):
        share = await store.over(ada, thread, [replace(budget, most=budget.most + 1), budget])
        assert share is not None
        assert (share.budget, share.used) == (budget, budget.most)
    assert await store.over(ada, HERE, [Budget("user", "tokens", 11)]) is None
    assert await store.over(other, HERE, [Budget("user", "tokens", 1)]) is None


async def test_what_was_said_in_a_channel_goes_on_where_it_has_moved(store: Store) -> None:
    first = await ended(store, 1)
    waiting = await ask(store, message(2))
    below = await ask(store, message(3, place=channel("thread", parent="general")))
    await store.choose("odd", command(1), scope="channel:odd:general", name="model", value="m", text="done")
    new = channel("bigger")
    for _ in range(2):
        assert await store.move("odd", old=HERE.id, new=new) == []
    assert await store.conversation(new.id) == first.conversation
    assert await store.conversation(HERE.id) is None
    work = await store.load(made(waiting))
    assert (work.target.channel, work.place) == (new, new)
    assert (await store.load(made(below))).place.parent == new.id
    assert (await store.talks(new.id, most=9))[-1].channel.parent in (None, new.id)
    assert await store.choices(["channel:odd:general", "channel:odd:bigger"]) == {
        "channel:odd:general": {},
        "channel:odd:bigger": {"model": "m"},
    }
    again = await ask(store, message(4, place=new))
    assert (again.conversation, again.behind) == (first.conversation, True)


async def test_where_a_channel_has_moved_to_a_conversation_that_is_open_there_goes_on(store: Store) -> None:
    old = await ask(store, message(1))
    newer = await ask(store, message(2, place=channel("bigger")))
    stopping = await store.move("odd", old=HERE.id, new=channel("bigger"))
    assert [turn.turn for turn in stopping] == [made(old)]
    assert await store.conversation(ChannelId("odd:bigger")) == newer.conversation
    talk = await store.talk(within(old))
    assert talk is not None
    assert (talk.channel.id, talk.why) == ("odd:bigger", "moved")


async def test_what_was_spent_in_a_channel_counts_where_it_has_moved(store: Store) -> None:
    taken = await ask(store, message(1))
    await store.begin(made(taken))
    await store.settle(made(taken), replace(final(), usage=Usage("m", 6, 4, cost=30)))
    await store.move("odd", old=HERE.id, new=channel("bigger"))
    spent = await store.spendings(["channel:odd:general", "channel:odd:bigger"])
    assert {key: each.tokens for key, each in spent.items() if each.tokens} == {"channel:odd:bigger": 10}


async def test_what_was_read_of_a_channel_that_has_moved_is_forgotten(store: Store) -> None:
    await store.seen("odd", {HERE.id: (HERE, MessageId("odd:1"))}, START)
    await store.move("odd", old=HERE.id, new=channel("bigger"))
    seen = await store.marks("odd")
    assert seen is not None
    assert seen.newest == {}


async def test_a_sign_is_known_until_it_is_taken_away(store: Store) -> None:
    first = await ask(store, message(1))
    second = made(await ask(store, message(2)))
    assert await store.signed() == []
    await store.signing(second, MessageId("odd:2"))
    await store.signing(second, MessageId("odd:3"))
    assert await store.signed() == [Signed(second, "odd", MessageId("odd:3"), ended=False)]
    await store.begin(second)
    await store.settle(second, final())
    await store.delivered(second)
    assert await store.signed() == [Signed(second, "odd", MessageId("odd:3"), ended=True)]
    for turn in (second, second, made(first)):
        await store.unsigned(turn)
    assert await store.signed() == []
    with pytest.raises(UnknownTurn):
        await store.signing(99, MessageId("odd:4"))


async def test_what_a_channel_was_called_before_is_known(store: Store) -> None:
    assert await store.moved("odd") == {}
    await store.move("odd", old=HERE.id, new=channel("bigger"))
    assert await store.moved("odd") == {HERE.id: "odd:bigger"}
    assert await store.moved("even") == {}
    await store.move("odd", old=ChannelId("odd:bigger"), new=channel("biggest"))
    assert await store.moved("odd") == {HERE.id: "odd:biggest", "odd:bigger": "odd:biggest"}


async def test_a_channel_that_comes_back_leads_nowhere(store: Store) -> None:
    await store.move("odd", old=HERE.id, new=channel("bigger"))
    await store.move("odd", old=ChannelId("odd:bigger"), new=HERE)
    assert await store.moved("odd") == {"odd:bigger": HERE.id}
