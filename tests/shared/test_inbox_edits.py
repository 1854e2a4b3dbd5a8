"""What is decided about edits and deletions."""

import asyncio
from dataclasses import replace
from pathlib import Path

from shared import sentences
from shared.chat import Deleted, MessageId
from shared.store import Budget, Rules
from tests.shared.acting import ADA_ALONE, HALL, all_of, edited, note
from tests.shared.disk import disk
from tests.shared.house import house
from tests.shared.hurrying import on_hurrying_clock


@on_hurrying_clock
async def test_a_question_that_is_edited_is_answered_again_in_place(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        assert await all_of(h, note(100)) == ["re ada: hello"]
        assert await all_of(h, edited(note(100, "bot, good morning"))) == ["re ada: good morning"]
        assert await all_of(h, edited(note(100, "bot, good morning"))) == ["re ada: good morning"]
        assert len(h.script.prompts) == 2
        await h.crash()
        await h.start()
        assert await all_of(h, edited(note(100, "bot, good morning"))) == ["re ada: good morning"]
        assert len(h.script.prompts) == 2


@on_hurrying_clock
async def test_a_message_that_is_edited_to_mention_us_is_answered_once(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        assert await all_of(h, note(100, "hello")) == []
        assert await all_of(h, edited(note(100))) == ["re ada: hello"]
        assert await all_of(h, edited(note(100))) == ["re ada: hello"]
        assert await all_of(h, replace(note(100), recalled=True)) == ["re ada: hello"]


@on_hurrying_clock
async def test_what_was_refused_with_its_album_is_asked_when_it_is_edited(tmp_path: Path) -> None:
    async with house(tmp_path, ["Half", asyncio.Event()], rules=Rules(queue=0)) as h:
        await h.hear(note(100))
        await h.service.until(lambda: h.shown() == ["Half"])
        for number in (101, 102):
            await h.hear(replace(note(number), album="a"))
        await h.hear(note(103, "bot, /stop"))
        await h.quiet()
        assert len([shown for shown in h.shown() if shown.startswith("Too many questions wait here")]) == 1
        assert (await all_of(h, edited(replace(note(101, "bot, once more"), album="a"))))[-1] == "re ada: once more"


@on_hurrying_clock
async def test_an_old_message_that_is_edited_to_mention_us_is_left_alone(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        h.clock.forward(minutes=59)
        assert await all_of(h, edited(note(100))) == ["re ada: hello"]
        h.clock.forward(minutes=2)
        assert await all_of(h, edited(note(101))) == ["re ada: hello"]
        assert h.decisions() == ["queued", "queued"]


@on_hurrying_clock
async def test_a_mention_without_a_question_becomes_one_by_an_edit(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        assert await all_of(h, note(100, "bot, ")) == [sentences.EMPTY]
        assert await all_of(h, edited(note(100, "bot, what?"))) == [sentences.EMPTY, "re ada: what?"]


@on_hurrying_clock
async def test_a_question_that_was_asked_with_a_command_as_text_is_answered_again_when_it_is_edited(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        assert await all_of(h, note(100, "bot, /ask what?")) == ["re ada: what?"]
        assert await all_of(h, edited(note(100, "bot, /ask why?"))) == ["re ada: why?"]
        assert await all_of(h, edited(note(100, "bot, how?"), key="second")) == ["re ada: how?"]


@on_hurrying_clock
async def test_edits_that_are_not_meant_for_us_are_not_kept(tmp_path: Path) -> None:
    async with house(tmp_path, access=ADA_ALONE) as h:
        for message in (
            note(100, "between us"),
            note(101, "bot, /undo"),
            note(102, who="eve"),
            replace(note(103), author=replace(note(103).author, is_bot=True)),
            replace(note(104), unreadable=True),
        ):
            assert await all_of(h, edited(message)) == []
        assert h.decisions() == []


@on_hurrying_clock
async def test_an_edit_that_takes_the_mention_away_still_changes_the_question(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        await all_of(h, note(100))
        assert await all_of(h, edited(note(100, "good morning"))) == ["re ada: good morning"]


@on_hurrying_clock
async def test_edits_that_come_too_fast_are_refused_and_told_once(tmp_path: Path) -> None:
    async with house(tmp_path, rules=Rules(per_minute=2)) as h:
        await all_of(h, note(100))
        for number in range(5):
            await all_of(h, edited(note(100, f"bot, {number}"), key=str(number)))
        assert h.shown() == ["re ada: 1", sentences.TOO_FAST]
        h.clock.forward(seconds=61)
        assert await all_of(h, edited(note(100, "bot, later"), key="later")) == ["re ada: later", sentences.TOO_FAST]


@on_hurrying_clock
async def test_nobody_is_told_anything_about_edits_that_are_none_of_our_business(tmp_path: Path) -> None:
    async with house(tmp_path, rules=Rules(per_minute=1)) as h:
        for number in range(5):
            assert await all_of(h, edited(note(100, "between us"), key=str(number))) == []
        assert await all_of(h, note(101)) == ["re ada: hello"]
        assert await all_of(h, edited(note(101, "bot, bye"))) == ["re ada: bye"]


@on_hurrying_clock
async def test_nobody_gets_round_a_limit_by_editing(tmp_path: Path) -> None:
    async with house(tmp_path, rules=Rules(budgets=(Budget("user", "tokens", 5),))) as h:
        await all_of(h, note(100))
        over = "You have used up the 5 tokens that one person may use in a month. I answer you again from 1 June (UTC) on."
        for number in range(3):
            await all_of(h, edited(note(100, f"bot, {number}"), key=str(number)))
        assert h.shown() == ["re ada: hello", over]
        await all_of(h, edited(note(100, "without a mention")))
        assert len(h.script.prompts) == 1


@on_hurrying_clock
async def test_an_edit_that_cannot_be_stored_is_told(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        await all_of(h, note(100))
        with disk(h) as room:
            room.full()
            await h.hear_in_vain(edited(note(100, "bot, " + "long " * 20_000)))
            assert h.shown() == ["re ada: hello", sentences.NOT_STORED]
            await h.hear_in_vain(edited(note(100, "long " * 20_000)))
        assert h.shown() == ["re ada: hello", sentences.NOT_STORED]


@on_hurrying_clock
async def test_what_was_written_while_we_were_away_was_not_written_too_fast(tmp_path: Path) -> None:
    async with house(tmp_path, rules=Rules(per_minute=2)) as h:
        for number in range(4):
            await all_of(h, replace(note(100 + number), recalled=True))
        assert h.decisions() == ["queued"] * 4


# -- deletions


@on_hurrying_clock
async def test_a_question_that_is_deleted_is_forgotten_and_its_answer_is_stopped(tmp_path: Path) -> None:
    async with house(tmp_path, ["one"], ["Half", asyncio.Event()], ["three"]) as h:
        await all_of(h, note(100))
        await h.hear(note(101, "bot, a secret"))
        await h.service.until(lambda: "Half" in h.shown())
        await all_of(h, Deleted(channel=HALL.id, message=MessageId("odd:101")))
        assert h.states() == ["done", "stopped"]
        await all_of(h, note(102, "bot, go on"))
        assert not any("secret" in said.text for said in h.script.prompts[-1].history)
        assert any("hello" in said.text for said in h.script.prompts[-1].history)


@on_hurrying_clock
async def test_the_deletion_of_what_was_never_taken_changes_nothing_even_without_a_store(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        await all_of(h, note(100))
        with disk(h) as room:
            room.refuse()
            await h.hear_in_vain(Deleted(channel=HALL.id, message=MessageId("odd:100")))
            assert h.shown() == ["re ada: hello"]
            room.free()
            assert await all_of(h, Deleted(channel=HALL.id, message=MessageId("odd:999"))) == ["re ada: hello"]
