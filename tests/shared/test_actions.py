"""Commands and buttons that change what was asked: on a real store, word for word."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from shared import sentences
from shared.access import Access
from shared.actions import question
from shared.backends import Model, Usage
from shared.chat import MessageId
from shared.commands import COMMANDS, Choice, Typing, parse
from shared.limits import refused
from shared.store import Budget, Rules
from tests.shared.desk import ATTIC, HALL, NICHE, Desk, Shelf, desk
from tests.shared.spelling import slashed


async def conversation(h: Desk) -> UUID:
    found = await h.store.conversation(HALL.id)
    assert found is not None
    return found


async def test_retry_opens_the_newest_turn_again_by_text_by_command_and_by_button(tmp_path: Path) -> None:
    async with desk(tmp_path) as h:
        assert await h.say("/retry") == "There is nothing here to answer again. Write your question."
        taken = await h.ask("what?")
        assert taken.waiting is not None
        assert await h.say("/retry") == "The last question is being answered just now. Wait for it, or write /stop first."
        part = await h.answer(taken)
        turn = taken.waiting.turn
        for way in ("text", "command", "button"):
            if way == "text":
                again = await h.actions.command("odd", h.message("/retry"), "retry", {})
            else:
                again = await h.give("retry") if way == "command" else await h.press(f"retry/{turn}", part)
            assert again.waiting is not None
            assert (again.waiting.turn, again.waiting.kind, again.waiting.state) == (turn, "ask", "queued")
            part = await h.answer(again)


async def test_one_who_gave_the_command_retry_is_answered_once(tmp_path: Path) -> None:
    async with desk(tmp_path) as h:
        await h.talked("what?")
        command = h.command("retry")
        taken = await h.actions.command("odd", command, "retry", {})
        more = await h.actions.answered("odd", command, taken)
        assert more is not None
        assert await h.read(more) == "I am answering the last question again."
        again = await h.actions.answered("odd", command, taken)
        assert again is not None
        assert again.decision == "duplicate"
        nothing = h.command("retry", place=ATTIC)
        assert await h.actions.answered("odd", nothing, await h.actions.command("odd", nothing, "retry", {})) is None


async def test_an_old_retry_a_foreign_one_and_one_of_an_unknown_answer_are_told(tmp_path: Path) -> None:
    async with desk(tmp_path) as h:
        first = await h.ask("one")
        assert first.waiting is not None
        part = await h.answer(first)
        await h.talked("two")
        old = await h.press(f"retry/{first.waiting.turn}", part)
        assert await h.read(old) == "Something else was asked after this. Write the question again to have it answered anew."
        unknown = await h.press("retry/999", part)
        assert await h.read(unknown) == "I do not know this answer any more. Write the question again."
        elsewhere = await h.press(f"retry/{first.waiting.turn}", part, place=ATTIC)
        assert await h.read(elsewhere) in {slashed(sentences.RETRY[why]) for why in ("old", "unknown", "elsewhere")}


async def test_nobody_gets_round_a_limit_by_retrying(tmp_path: Path) -> None:
    async with desk(tmp_path, rules=Rules(budgets=(Budget("user", "tokens", 10),))) as h:
        taken = await h.ask("what?")
        assert taken.waiting is not None
        part = await h.answer(taken, usage=Usage("m", 5, 5))
        text = "You have used up the 10 tokens that one person may use in a month. I answer you again from 1 December (UTC) on."
        assert await h.say("/retry") == text
        assert await h.read(await h.press(f"retry/{taken.waiting.turn}", part)) == text
        assert (await h.press(f"more/{taken.waiting.turn}", part)).decision == "over_limit"
        assert (await h.give("retry", who="eve")).waiting is not None


async def test_undo_forgets_the_newest_question(tmp_path: Path) -> None:
    async with desk(tmp_path) as h:
        assert await h.say("/undo") == "There is nothing here to forget."
        await h.talked("one")
        await h.talked("two")
        taken = await h.ask("three")
        assert await h.say("/undo") == "The last question is being answered just now. Wait for it, or write /stop first."
        await h.answer(taken)
        for _ in range(3):
            assert await h.say("/undo") == (
                "I have forgotten the last question and its answer. They can still be read here, but I do not know them any more."
            )
        assert await h.say("/undo") == "There is nothing here to forget."


async def test_stop_is_told_to_one_who_gave_a_command_and_shown_by_the_answer_to_one_who_wrote(tmp_path: Path) -> None:
    async with desk(tmp_path) as h:
        assert await h.say("/stop") == slashed(sentences.NOTHING_TO_STOP)
        assert await h.read(await h.give("stop")) == slashed(sentences.NOTHING_TO_STOP)
        taken = await h.ask("what?")
        assert taken.waiting is not None
        stopped = await h.give("stop")
        assert await h.read(stopped) == "I am stopping the answer that is being written here."
        assert [each.turn for each in stopped.stopping] == [taken.waiting.turn]
        other = await h.ask("and now?", place=ATTIC)
        assert await h.say("/stop", place=ATTIC) == ""
        assert other.waiting is not None


async def test_the_button_stop_stops_its_own_answer_and_no_other(tmp_path: Path) -> None:
    async with desk(tmp_path) as h:
        taken = await h.ask("what?")
        assert taken.waiting is not None
        turn = taken.waiting.turn
        await h.store.begin(turn)
        await h.store.sending(turn, 0, HALL.id)
        await h.store.shown(turn, 0, MessageId("odd:777"))
        over = "This answer is not being written any more."
        assert await h.read(await h.press(f"stop/{turn}", "odd:778")) == over
        assert await h.read(await h.press("stop/999", "odd:777")) == over
        stopped = await h.press(f"stop/{turn}", "odd:777", who="eve")
        assert [each.turn for each in stopped.stopping] == [turn]
        assert await h.read(stopped) == ""


async def test_continue_asks_on_in_the_name_of_the_one_who_pressed(tmp_path: Path) -> None:
    async with desk(tmp_path) as h:
        taken = await h.ask("tell me a long story")
        assert taken.waiting is not None
        part = await h.answer(taken, "Once upon", stop="max_tokens")
        more = await h.press(f"more/{taken.waiting.turn}", part, who="eve")
        assert more.waiting is not None
        work = await h.store.load(more.waiting.turn)
        assert [(asked.author_id, asked.text) for asked in work.messages] == [("odd:eve", "Continue.")]
        assert work.target.reply_to == part
        busy = await h.press(f"more/{taken.waiting.turn}", part)
        assert await h.read(busy) == "Something else was asked after this. Write what I should go on with."


@pytest.mark.parametrize(
    "button", ["", "stop", "stop/", "stop/x", "stop/²", "retry/-1", "more/" + "9" * 30, "resume/xyz", "dance/1"]
)
async def test_a_button_that_nobody_knows_is_told(tmp_path: Path, button: str) -> None:
    async with desk(tmp_path) as h:
        taken = await h.press(button, "odd:1")
        assert (taken.decision, await h.read(taken)) == (
            "button", "I do not know this button any more. Write /help to see what I can do.",
        )  # fmt: skip


async def test_resume_goes_on_with_the_last_conversation_or_the_one_that_is_named(tmp_path: Path) -> None:
    async with desk(tmp_path) as h:
        assert (
            await h.say("/resume")
            == "There is no closed conversation here to go on with. Your next message to me starts a new one."
        )
        await h.talked("about cats")
        cats = await conversation(h)
        await h.say("/new")
        assert await h.say("/resume") == "The conversation `about cats` goes on."
        assert await conversation(h) == cats
        await h.say("/new")
        h.forward(minutes=1)
        await h.talked("about dogs")
        assert await h.say(f"/resume {cats.hex[:8]}") == "The conversation `about cats` goes on."
        assert await conversation(h) == cats
        assert await h.say(f"/resume `{str(cats).upper()}`") == "The conversation `about cats` goes on."
        for unknown in ("nothing", cats.hex[:3], uuid4().hex[:8]):
            assert (
                await h.say(f"/resume {unknown}") == "I know no such conversation here. Write /list to see those that there are."
            )
        assert await h.say("/resume `") == "The conversation `about dogs` goes on."


async def test_a_conversation_of_a_thread_is_resumed_from_its_channel_but_not_from_another(tmp_path: Path) -> None:
    async with desk(tmp_path) as h:
        await h.talked("in the niche", place=NICHE)
        await h.say("/new", place=NICHE)
        [talk] = await h.store.talks(HALL.id, most=5)
        assert await h.say(f"/resume {talk.id.hex[:8]}", place=ATTIC) == slashed(sentences.RESUME["unknown"])
        pressed = await h.press(f"resume/{talk.id.hex}", "odd:5", place=ATTIC)
        assert await h.read(pressed) == "That conversation belongs to another place. Write /resume there."
        assert await h.say(f"/resume {talk.id.hex[:8]}") == "The conversation `in the niche` goes on. Go on where it was."
        await h.say("/new", place=NICHE)
        assert (
            await h.read(await h.press(f"resume/{talk.id.hex}", "odd:5", place=NICHE))
            == "The conversation `in the niche` goes on."
        )
        assert await h.store.conversation(NICHE.id) == talk.id


@pytest.mark.parametrize("name", [spec.name for spec in COMMANDS])
async def test_every_command_of_the_platform_gets_an_answer_and_a_second_one_is_a_duplicate(tmp_path: Path, name: str) -> None:
    async with desk(tmp_path) as h:
        parsed = parse(f"/{name}")
        assert parsed is not None
        command = h.command(parsed.name)
        assert (await h.read(await h.actions.command("odd", command, parsed.name, {}))).strip()
        assert (await h.actions.command("odd", command, parsed.name, {})).decision == "duplicate"


async def test_models_and_conversations_are_offered_while_one_writes(tmp_path: Path) -> None:
    async with desk(tmp_path) as h:
        await h.talked("about cats")

        async def offered(command: str, option: str, text: str, who: str = "ada") -> list[Choice]:
            author = h.message("", who=who).author
            return list(await h.actions.complete("odd", Typing(command, option, text, HALL, author)))

        assert [each.value for each in await offered("model", "name", "")] == ["large-3", "middle-2", "small-1", "default"]
        assert await offered("model", "name", " LARGE") == [Choice("large-3", "Large 3")]
        number = (await conversation(h)).hex[:8]
        assert await offered("resume", "conversation", "cat") == [Choice(number, f"about cats ({number})")]
        assert await offered("resume", "conversation", "dog") == []
        assert await offered("system", "text", "") == []
        assert await h.actions.complete("even", Typing("model", "name", "", HALL, h.message("").author)) == []
        await h.store.aclose()
        assert await offered("resume", "conversation", "") == []


async def test_no_more_is_offered_than_platforms_take(tmp_path: Path) -> None:
    async with desk(tmp_path) as h:
        for number in range(30):
            await h.talked(f"{number} " + "long " * 50)
            await h.say("/new")
        found = await h.actions.complete("odd", Typing("resume", "conversation", "", HALL, h.message("").author))
        assert len(found) == 25
        assert all(len(choice.label) <= 100 for choice in found)


async def test_a_stop_and_a_retry_at_the_same_moment_leave_one_of_them(tmp_path: Path) -> None:
    async with desk(tmp_path) as h:
        taken = await h.ask("what?")
        assert taken.waiting is not None
        part = await h.answer(taken)
        turn = taken.waiting.turn
        both = await asyncio.gather(h.press(f"retry/{turn}", part), h.press(f"retry/{turn}", part), h.give("stop"))
        opened = [each for each in both if each.waiting is not None and each.waiting.kind == "ask"]
        assert len(opened) == 1
        assert (await h.store.load(turn)).state in ("queued", "stopping")


async def test_a_fault_in_a_command_leaves_nobody_without_a_word(tmp_path: Path) -> None:
    class Broken(Shelf):
        async def models(self) -> Sequence[Model]:
            raise RuntimeError("a fault")

    async with desk(tmp_path, models=Broken()) as h:
        assert await h.say("/model") == sentences.FAULT
        assert await h.actions.complete("odd", Typing("model", "name", "", HALL, h.message("").author)) == []


async def test_who_has_a_question_answered_again_pays_for_it(tmp_path: Path) -> None:
    async with desk(tmp_path) as h:
        taken = await h.ask("what?")
        part = await h.answer(taken, usage=Usage("m", 5, 5))
        assert taken.waiting is not None
        again = await h.press(f"retry/{taken.waiting.turn}", part, who="eve")
        await h.answer(again, usage=Usage("m", 3, 4))
        spent = await h.store.spendings(["user:odd:ada", "user:odd:eve", "all"])
        assert [one.tokens for one in spent.values()] == [10, 7, 17]


async def test_one_who_waits_for_an_answer_of_their_own_is_told_every_time_why_there_is_none(tmp_path: Path) -> None:
    async with desk(tmp_path, rules=Rules(budgets=(Budget("user", "tokens", 10),))) as h:
        taken = await h.ask("what?")
        part = await h.answer(taken, outcome="stopped", usage=Usage("m", 5, 5))
        assert taken.waiting is not None
        for _ in range(2):
            more = await h.press(f"more/{taken.waiting.turn}", part)
            assert (await h.read(more)).startswith("You have used up the 10 tokens")
        for _ in range(2):
            command = h.command("ask", question="and now?")
            asked = await h.store.ask("odd", question(command), rules=h.rules, say=refused)
            assert (await h.read(asked)).startswith("You have used up the 10 tokens")


async def test_the_button_retry_takes_up_a_conversation_that_was_closed_because_nobody_wrote(tmp_path: Path) -> None:
    async with desk(tmp_path) as h:
        taken = await h.ask("what?")
        part = await h.answer(taken, outcome="failed")
        assert taken.waiting is not None
        assert taken.conversation is not None
        h.forward(hours=30)
        assert await h.store.close_idle("odd", taken.conversation, before=h.now, target=None, text="")
        again = await h.press(f"retry/{taken.waiting.turn}", part)
        assert (again.waiting and again.waiting.turn, await h.store.conversation(HALL.id)) == (
            taken.waiting.turn,
            taken.conversation,
        )
        part = await h.answer(again, outcome="failed")
        await h.say("/new")
        assert await h.read(await h.press(f"retry/{taken.waiting.turn}", part)) == slashed(sentences.RETRY["old"])


async def test_strangers_are_offered_nothing_while_they_write(tmp_path: Path) -> None:
    async with desk(tmp_path, access=Access(users=frozenset({"ada"}))) as h:
        await h.talked("a secret")
        for command, option in (("model", "name"), ("resume", "conversation")):
            for who, offered in (("ada", True), ("eve", False)):
                typing = Typing(command, option, "", HALL, h.message("", who=who).author)
                assert bool(await h.actions.complete("odd", typing)) == offered
