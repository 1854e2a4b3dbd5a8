"""What is decided about commands of the platform's own, and buttons."""

import asyncio
import threading
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from shared import sentences
from shared.access import Access
from shared.chat import ChannelId, Connected
from shared.store import Rules
from tests.shared.acting import ADA_ALONE, HALL, all_of, called, edited, note, pressed
from tests.shared.disk import disk
from tests.shared.flavours import THREAD, AbleAdapter, RecallingAdapter, ThreadingAdapter
from tests.shared.house import NOON, house
from tests.shared.hurrying import on_hurrying_clock
from tests.shared.spelling import odd

# -- commands of the platform's own


@on_hurrying_clock
async def test_a_command_and_a_text_that_is_one_are_answered_alike(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        for number, name in enumerate(("list", "help", "usage", "settings", "retry", "undo", "new", "stop", "resume", "model")):
            first = (await all_of(h, note(100 + number, f"bot, /{name}")))[-1]
            before = len(h.shown())
            assert (await all_of(h, called(name, number=number)))[before:] == [first], name


@on_hurrying_clock
async def test_a_question_that_is_given_as_a_command_is_answered_on_its_own(tmp_path: Path) -> None:
    async with house(tmp_path, rules=Rules(burst=timedelta(seconds=30))) as h:
        await h.hear(called("ask", question="what?"))
        await h.hear(called("ask", question="why?", number=2))
        await h.quiet()
        assert h.shown() == ["re ada: what?", "re ada: why?"]
        assert await all_of(h, called("ask", question="/undo", number=3)) == ["re ada: what?", "re ada: why?", "re ada: /undo"]
        assert (await all_of(h, called("ask", number=4)))[-1] == sentences.EMPTY
        assert (await all_of(h, note(100, "bot, /ask how?")))[-1] == "re ada: how?"
        await h.inbox.marks(h.adapter).flush()
        assert not any(message.startswith("call") for (message,) in h.rows("SELECT message FROM marks"))


@on_hurrying_clock
async def test_a_stop_that_the_platform_shows_itself_ends_the_answer_and_says_nothing(tmp_path: Path) -> None:
    async with house(tmp_path, ["Half", asyncio.Event()]) as h:
        assert await all_of(h, replace(called("stop", number=1), quiet=True)) == []
        await h.hear(note(100))
        await h.service.until(lambda: h.shown() == ["Half"])
        assert await all_of(h, replace(called("stop", number=2), quiet=True)) == [f"Half\n\n*{sentences.STOPPED}*"]


@on_hurrying_clock
async def test_a_command_always_gets_an_answer(tmp_path: Path) -> None:
    async with house(tmp_path, access=ADA_ALONE, rules=Rules(per_minute=1)) as h:
        for number in range(3):
            assert (await all_of(h, called("list", who="eve", number=number)))[number:] == [sentences.NOT_ALLOWED]
        assert (await all_of(h, called("dance", number=3)))[
            -1
        ] == "I do not know this command. Write bot, help! to see those that there are."
        await all_of(h, called("list", number=4))
        for number in (5, 6):
            assert (await all_of(h, called("list", number=number)))[-1] == sentences.TOO_FAST
        assert (await all_of(h, called("stop", number=7)))[-1] == odd(sentences.NOTHING_TO_STOP)
        assert len(h.shown()) == 8


@on_hurrying_clock
async def test_a_command_twice_is_done_once(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        await all_of(h, note(100))
        for _ in range(2):
            assert await all_of(h, called("undo")) == ["re ada: hello", sentences.UNDONE]
        for _ in range(2):
            assert (await all_of(h, called("undo", number=2)))[2:] == [sentences.UNDO["nothing"]]


@on_hurrying_clock
async def test_one_who_gives_the_command_retry_sees_an_answer_to_it_and_the_new_reply(tmp_path: Path) -> None:
    async with house(tmp_path, ["first"], ["second"]) as h:
        await all_of(h, note(100))
        assert await all_of(h, called("retry")) == ["second", sentences.RETRYING]


@on_hurrying_clock
async def test_what_a_command_has_led_to_goes_on_though_no_more_can_be_stored(tmp_path: Path) -> None:
    async with house(tmp_path, ["first"], ["second"]) as h:
        await all_of(h, note(100))
        with disk(h) as room:

            def refuse(_connection: object) -> None:
                if threading.current_thread().name == "store-writer":
                    room.refuse()

            event.listen(Engine, "commit", refuse)
            try:
                await h.hear(called("retry"))
            finally:
                event.remove(Engine, "commit", refuse)
            room.free()
            await h.quiet()
        assert h.shown() == ["second", sentences.NOT_STORED]


@on_hurrying_clock
async def test_mentions_without_a_question_are_no_way_to_flood_a_place(tmp_path: Path) -> None:
    async with house(tmp_path, rules=Rules(per_minute=2)) as h:
        for number in range(5):
            await all_of(h, note(100 + number, "bot, "))
        assert h.shown() == [sentences.EMPTY, sentences.EMPTY, sentences.TOO_FAST]
    (tmp_path / "away").mkdir()
    async with house(tmp_path / "away", rules=Rules(per_minute=2)) as h:
        for number in range(3):
            await all_of(h, replace(note(100 + number, "bot, "), recalled=True))
        assert h.shown() == [sentences.EMPTY] * 3


@on_hurrying_clock
async def test_a_text_that_is_a_command_is_about_the_place_where_it_was_written(tmp_path: Path) -> None:
    async with house(tmp_path, adapter=ThreadingAdapter) as h:
        question = replace(note(100), thread=THREAD)
        await h.hear(question)
        await h.quiet()
        [talk] = await h.store.talks(HALL.id, most=5)
        assert talk.channel.id == THREAD.id
        await all_of(h, called("new"))
        listed = (await all_of(h, replace(note(101, "bot, /list"), thread=replace(THREAD, id=ChannelId("odd:later")))))[-1]
        assert listed.splitlines()[1].startswith(f"- `{talk.id.hex[:8]}` `hello`: 1 question")


@on_hurrying_clock
async def test_a_command_that_cannot_be_stored_is_told(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        with disk(h) as room:
            room.refuse()
            await h.hear_in_vain(called("list"))
            assert h.shown() == [sentences.NOT_STORED]
            await h.hear_in_vain(pressed("stop/1", "odd:5"))
            assert h.shown() == [sentences.NOT_STORED] * 2


@on_hurrying_clock
async def test_texts_that_are_commands_are_told_once_a_minute_that_they_are_too_many(tmp_path: Path) -> None:
    async with house(tmp_path, rules=Rules(per_minute=2)) as h:
        for number in range(5):
            await all_of(h, note(100 + number, "bot, /list"))
        assert h.shown()[2:] == [sentences.TOO_FAST]
        assert h.decisions() == ["command", "command", "too_fast", "too_fast", "too_fast"]


# -- buttons


@on_hurrying_clock
async def test_the_button_stop_stops_also_after_a_restart(tmp_path: Path) -> None:
    gate = asyncio.Event()
    async with house(tmp_path, ["Half", gate], ["Half again", gate], adapter=AbleAdapter) as h:
        await h.hear(note(100))
        await h.service.until(lambda: h.shown() == ["Half"])
        await h.crash()
        await h.start()
        await h.service.until(lambda: h.shown() == ["Half again"])
        [(part,)] = h.rows("SELECT message FROM parts")
        assert await all_of(h, pressed("stop/1", part, who="eve")) == [f"Half again\n\n*{sentences.STOPPED}*"]
        assert await all_of(h, pressed("stop/1", part, number=2)) == [
            f"Half again\n\n*{sentences.STOPPED}*", "This answer is not being written any more.",
        ]  # fmt: skip


@on_hurrying_clock
async def test_retry_and_continue_stand_under_a_stopped_answer_and_work(tmp_path: Path) -> None:
    async with house(tmp_path, ["Half", asyncio.Event()], ["The rest"], ["All of it"], adapter=AbleAdapter) as h:
        await h.hear(note(100))
        await h.service.until(lambda: h.shown() == ["Half"])
        await h.say("/stop")
        await h.quiet()
        [buttons] = h.service.pressable("hall")
        assert set(buttons) == {"retry/1", "more/1"}
        [(part,)] = h.rows("SELECT message FROM parts")
        assert (await all_of(h, pressed("more/1", part, who="eve")))[-1] == "The rest"
        assert h.script.prompts[-1].ask[0].text == "eve: Continue."
        before = h.shown()
        assert await all_of(h, pressed("retry/1", part, number=2)) == [*before, odd(sentences.RETRY["old"])]


@on_hurrying_clock
async def test_strangers_press_in_vain(tmp_path: Path) -> None:
    async with house(tmp_path, ["Half", asyncio.Event()], access=ADA_ALONE) as h:
        await h.hear(note(100))
        await h.service.until(lambda: h.shown() == ["Half"])
        [(part,)] = h.rows("SELECT message FROM parts")
        for number in (1, 2):
            await h.hear(pressed("stop/1", part, who="eve", number=number))
        await h.service.until(lambda: h.shown() == ["Half", sentences.NOT_ALLOWED, sentences.NOT_ALLOWED])
        await h.hear(pressed("stop/1", part, who="mallory", number=3, private=False))
        await h.hear(pressed("stop/1", part, who="mallory", number=4, private=False))
        await h.service.until(lambda: len(h.shown()) == 4)
        assert h.states()[0] == "running"
        assert h.decisions()[-1] == "not_allowed"


@on_hurrying_clock
async def test_pressing_too_often_is_told_but_stop_always_works(tmp_path: Path) -> None:
    async with house(tmp_path, ["Half", asyncio.Event()], rules=Rules(per_minute=1)) as h:
        await h.hear(note(100))
        await h.service.until(lambda: h.shown() == ["Half"])
        [(part,)] = h.rows("SELECT message FROM parts")
        for number in range(4):
            await h.hear(pressed("retry/1", part, number=number))
        assert await all_of(h, pressed("stop/1", part, number=9)) == [
            f"Half\n\n*{sentences.STOPPED}*", odd(sentences.RETRY["busy"]), sentences.TOO_FAST,
        ]  # fmt: skip


# -- the order


@on_hurrying_clock
async def test_commands_and_edits_wait_for_what_was_missed(tmp_path: Path) -> None:
    async with house(tmp_path, adapter=RecallingAdapter) as h:
        await h.tell("before")
        await h.inbox.marks(h.adapter).flush()
        await h.drain()
        await h.service.write("hall", "ada", "bot, missed")
        read = asyncio.Event()
        h.service.before.append(lambda act, text: read if act == "read" else None)
        await h.start()
        assert not h.inbox.caught_up(h.adapter, HALL.id)
        later = [asyncio.create_task(h.hear(event)) for event in (called("list"), pressed("dance", "odd:1"), edited(note(100)))]
        await h.service.until(lambda: ("read", "") in h.service.asked("read"))
        assert h.decisions() == ["queued"]
        read.set()
        await asyncio.gather(*later)
        await h.recalled()
        assert [prompt.ask[0].text for prompt in h.script.prompts][:2] == ["ada: before", "ada: missed"]
        assert h.rows("SELECT decision FROM keys JOIN turns ON turns.id = keys.turn ORDER BY turn")[1] == ("queued",)
        assert h.inbox.caught_up(h.adapter, HALL.id)
        h.inbox.marks(h.adapter).stick(HALL, NOON)
        assert not h.inbox.caught_up(h.adapter, HALL.id)
        assert h.inbox.caught_up(h.adapter, None)
        h.running.cancel()
        await asyncio.wait([h.running])
        assert not h.inbox.caught_up(h.adapter, None)
        await h.crash()


@on_hurrying_clock
async def test_the_button_stop_does_not_wait_for_what_was_missed(tmp_path: Path) -> None:
    async with house(tmp_path, ["Half", asyncio.Event()], adapter=RecallingAdapter) as h:
        await h.say("one")
        await h.service.until(lambda: h.shown() == ["Half"])
        [(part,)] = h.rows("SELECT message FROM parts")
        read = asyncio.Event()
        h.service.before.append(lambda act, text: read if act == "read" else None)
        await h.service.write("hall", "ada", "between us")
        await h.hear(Connected())
        await asyncio.wait_for(h.hear(pressed("stop/1", part)), 100)
        assert h.states() in (["stopping"], ["answered"], ["stopped"])
        read.set()
        await h.recalled()
        assert h.shown() == [f"Half\n\n*{sentences.STOPPED}*"]


@pytest.mark.parametrize("scope", ["channel", "global"])
def test_a_choice_holds_for_the_next_answer(tmp_path: Path, scope: str) -> None:
    @on_hurrying_clock
    async def run() -> None:
        async with house(tmp_path, access=Access(admins=frozenset({"ada"}))) as h:
            await h.tell("one")
            await h.tell(f"/system Speak like a pirate. for:{scope}")
            await h.tell("/effort low")
            await h.tell("two")
            first, second = h.script.prompts
            assert "pirate" not in (first.system or "")
            assert (second.system or "").startswith("Be brief.")
            assert "Speak like a pirate." in (second.system or "")
            assert (first.effort, second.effort) == (None, "low")

    run()


# -- what was brought late


@on_hurrying_clock
async def test_what_was_missed_too_long_ago_is_told_once_and_not_answered_where_the_past_cannot_be_read(tmp_path: Path) -> None:
    async with house(tmp_path, access=ADA_ALONE, recall_age=timedelta(hours=6)) as h:
        old = NOON - timedelta(hours=7)
        await all_of(h, replace(note(100), recalled=True, sent_at=old))
        await all_of(h, replace(note(101, "bot, /new"), recalled=True, sent_at=old))
        await all_of(h, replace(note(102, who="eve"), recalled=True, sent_at=old))
        assert h.shown() == [sentences.too_old((), 1, timedelta(hours=6)), sentences.NOT_ALLOWED]
        assert (await all_of(h, replace(note(103), recalled=True)))[2:] == ["re ada: hello"]
        assert (await all_of(h, replace(note(104), sent_at=old)))[3:] == ["re ada: hello"]
        decisions = [decision for (decision,) in h.rows("SELECT decision FROM keys ORDER BY key")]
        assert decisions == ["too_old", "too_old", "not_allowed", "queued", "queued"]
