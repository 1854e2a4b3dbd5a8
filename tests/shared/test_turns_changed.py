"""Turns whose question changes, is asked again, or is taken away; and the buttons under what came of them."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from shared import sentences
from shared.backends import Doing, Finished
from shared.chat import Attachment, Edited, Message, MessageId, Target
from shared.errors import BadKey, BrokenOff, Silent
from shared.store import Rules, Taken
from tests.odd.platform import CALL, OddAdapter, channel
from tests.odd.service import Board, Note, Service
from tests.shared.flavours import AbleAdapter, ThreadingAdapter
from tests.shared.house import House, heard, house
from tests.shared.hurrying import on_hurrying_clock
from tests.shared.scripted import USAGE, Act

HALL = channel("hall").id


class SigningAdapter(OddAdapter):
    """Its busy sign stays until it is taken away."""

    def __init__(self, service: Service) -> None:
        super().__init__(service)
        self.signs: list[str | None] = []

    async def busy(self, target: Target, label: str | None) -> None:
        self.signs.append(label)
        await super().busy(target, label)


async def edit(h: House, note: Note, text: str) -> Taken:
    """Somebody changes what they wrote, and the intake goes on with it."""
    message = replace(heard(note), text=text)
    taken = await h.store.edit("odd", Edited(keys=(f"edit {note.number} {text}",), message=message))
    h.accept(taken)
    return taken


async def delete(h: House, note: Note) -> Taken:
    taken = await h.store.deleted("odd", HALL, MessageId(f"odd:{note.number}"))
    h.accept(taken)
    return taken


async def retry(h: House) -> None:
    h.accept(await h.store.retry("odd", _cause(h), turn=None, message=None, say=lambda refusal: refusal))


def _cause(h: House) -> Message:
    number = 1000 + len(h.script.prompts)
    return heard(Note(number, "ada", f"{CALL}/retry"))


# Asked again


@on_hurrying_clock
async def test_an_edit_of_a_question_that_is_being_answered_asks_again_in_place(tmp_path: Path) -> None:
    async with house(tmp_path, ["Half an ", asyncio.Event()], ["Whole other."], adapter=AbleAdapter) as h:
        note = await h.say("one")
        await h.service.until(lambda: h.shown() == ["Half an"])
        assert (await edit(h, note, "other")).again
        await h.quiet()
        assert (h.shown(), h.states(), h.script.open) == (["Whole other."], ["done"], 0)
        assert [prompt.ask[0].text for prompt in h.script.prompts] == ["ada: one", "ada: other"]
        assert [prompt.attempt for prompt in h.script.prompts] == [1, 2]
        assert len(h.service.asked("post")) == 1


@on_hurrying_clock
async def test_an_edit_while_the_answer_is_on_its_way_asks_again_once_it_is_there(tmp_path: Path) -> None:
    async with house(tmp_path, [Finished("Old.", "end", USAGE)], ["New."], adapter=AbleAdapter) as h:
        held = asyncio.Event()
        h.service.before.append(lambda act, text: held if text == "Old." else None)
        note = await h.say("one")
        await h.service.until(lambda: bool(h.service.asked("post")))
        assert (await edit(h, note, "other")).again
        held.set()
        await h.quiet()
        assert (h.shown(), h.states()) == (["New."], ["done"])
        # The last edit takes the button away that stood under the new answer while it grew.
        assert h.service.asked("post", "edit") == [("post", "Old."), ("edit", "New."), ("edit", "New.")]


@on_hurrying_clock
async def test_a_shorter_answer_to_an_edited_question_takes_the_surplus_away(tmp_path: Path) -> None:
    long = "one two three four five six seven eight nine ten eleven twelve"
    async with house(tmp_path, [long], ["Short."], adapter=AbleAdapter, longest=40) as h:
        note = await h.say("one")
        await h.quiet()
        assert len(h.shown()) == 2
        assert (await edit(h, note, "other")).waiting
        await h.quiet()
        assert (h.shown(), h.states()) == (["Short."], ["done"])


@on_hurrying_clock
async def test_an_answer_that_grows_again_has_new_keys_for_the_parts_that_were_taken_away(tmp_path: Path) -> None:
    long = "one two three four five six seven eight nine ten eleven twelve"
    async with house(tmp_path, [long], ["Short."], [long], adapter=AbleAdapter, longest=40) as h:
        tags: list[str] = []
        await h.say("one")
        for _ in range(3):
            await h.quiet()
            tags += [note.tag for note in h.service.boards["hall"].notes[2:] if note.writer == "bot"]
            await retry(h)
        await h.quiet()
        assert len(tags) == len(set(tags)) == 2


@on_hurrying_clock
async def test_an_edit_makes_up_for_the_attempts_that_crashes_have_ended(tmp_path: Path) -> None:
    scripts = [[f"Try {number}", asyncio.Event()] for number in (1, 2)]
    async with house(tmp_path, *scripts, ["Whole."], attempts=1, adapter=AbleAdapter) as h:
        note = await h.say("one")
        await h.service.until(lambda: h.shown() == ["Try 1"])
        await edit(h, note, "two")
        await h.service.until(lambda: h.shown() == ["Try 2"])
        await edit(h, note, "three")
        await h.quiet()
        assert (h.shown(), h.states()) == (["Whole."], ["done"])


@on_hurrying_clock
async def test_a_second_message_within_a_moment_joins_the_question_and_both_are_answered_once(tmp_path: Path) -> None:
    async with house(tmp_path, [asyncio.Event()], ["Both."], adapter=AbleAdapter, rules=Rules(burst=timedelta(seconds=2))) as h:
        await h.say("one")
        await h.script.was_asked(1)
        await h.say("two")
        await h.quiet()
        assert (h.shown(), h.states(), h.script.open) == (["Both."], ["done"], 0)
        assert [said.text for said in h.script.prompts[-1].ask] == ["ada: one", "ada: two"]


@on_hurrying_clock
async def test_an_attempt_that_was_given_back_before_it_asked_costs_nothing(tmp_path: Path) -> None:
    async with house(tmp_path, ["Fine."], adapter=AbleAdapter) as h:
        h.service.files["a.txt"] = b"hello"
        h.service.before.append(lambda act, text: asyncio.Event() if act == "get" else None)
        message = replace(heard(Note(900, "ada", f"{CALL}look")), attachments=(Attachment("a.txt", "a.txt", "text/plain", 5),))
        await h.hear(message)
        await h.service.until(lambda: bool(h.service.asked("get")))
        await h.drain()
        h.service.before.clear()
        await h.start()
        await h.quiet()
        assert h.shown() == ["Fine."]
        assert h.rows("SELECT tried, input_tokens + output_tokens, cost FROM usage ORDER BY tried") == [(1, 0, 0), (2, 5, None)]


@on_hurrying_clock
async def test_a_stop_wins_over_an_edit(tmp_path: Path) -> None:
    async with house(tmp_path, ["Half", asyncio.Event()], adapter=AbleAdapter) as h:
        note = await h.say("one")
        await h.service.until(lambda: h.shown() == ["Half"])
        await h.store.ask_stop(1)
        assert not (await edit(h, note, "other")).again
        h.turns.stop((await h.store.unfinished())[0])
        await h.quiet()
        assert (h.shown(), h.states()) == ([f"Half\n\n*{sentences.STOPPED}*"], ["stopped"])
        assert len(h.script.prompts) == 1


@on_hurrying_clock
async def test_a_stop_right_after_an_edit_keeps_what_was_shown(tmp_path: Path) -> None:
    async with house(tmp_path, ["Half", asyncio.Event()], adapter=AbleAdapter) as h:
        note = await h.say("one")
        await h.service.until(lambda: h.shown() == ["Half"])
        changed = await h.store.edit("odd", Edited(keys=("e",), message=replace(heard(note), text="other")))
        stopped = await h.store.stop("odd", _cause(h), nothing="nothing")
        h.accept(changed)
        h.accept(stopped)
        await h.quiet()
        assert (h.shown(), h.states()) == ([f"Half\n\n*{sentences.STOPPED}*"], ["stopped"])


@on_hurrying_clock
async def test_a_stop_before_the_new_question_is_asked_shows_nothing_of_the_old_answer(tmp_path: Path) -> None:
    async with house(tmp_path, ["Half", asyncio.Event()], adapter=AbleAdapter) as h:
        h.service.files["a.txt"] = b"hello"
        h.service.before.append(lambda act, text: asyncio.Event() if act == "get" else None)
        note = await h.say("one")
        await h.service.until(lambda: h.shown() == ["Half"])
        other = replace(heard(note), text="look", attachments=(Attachment("a.txt", "a.txt", "text/plain", 5),))
        h.accept(await h.store.edit("odd", Edited(keys=("e",), message=other)))
        await h.service.until(lambda: bool(h.service.asked("get")))
        h.accept(await h.store.stop("odd", _cause(h), nothing="nothing"))
        await h.quiet()
        assert (h.shown(), h.states()) == ([sentences.STOPPED], ["stopped"])


@on_hurrying_clock
async def test_who_takes_the_old_answer_away_does_not_stop_the_one_to_the_edited_question(tmp_path: Path) -> None:
    more = asyncio.Event()
    async with house(tmp_path, ["Old", more, Finished("Old answer.", "end", USAGE)], ["New."], adapter=AbleAdapter) as h:
        note = await h.say("one")
        await h.service.until(lambda: h.shown() == ["Old"])
        held = asyncio.Event()
        h.service.before.append(lambda act, text: held if text == "Old answer." else None)
        more.set()
        await h.service.until(lambda: ("edit", "Old answer.") in h.service.asked("edit"))
        assert (await edit(h, note, "other")).again
        [(part,)] = h.rows("SELECT message FROM parts")
        h.turns.deleted(MessageId(part))
        held.set()
        await h.quiet()
        assert (h.shown(), h.states()) == (["New."], ["done"])


@on_hurrying_clock
async def test_an_edit_is_not_lost_in_a_crash(tmp_path: Path) -> None:
    async with house(tmp_path, ["Half", asyncio.Event()], ["Other."], adapter=AbleAdapter) as h:
        note = await h.say("one")
        await h.service.until(lambda: h.shown() == ["Half"])
        message = replace(heard(note), text="other")
        await h.store.edit("odd", Edited(keys=("e",), message=message))
        await h.crash()
        await h.start()
        await h.quiet()
        assert (h.shown(), h.states()) == (["Other."], ["done"])
        assert h.script.prompts[-1].ask[0].text == "ada: other"


@on_hurrying_clock
async def test_a_retry_rewrites_the_answer_where_it_stands(tmp_path: Path) -> None:
    async with house(tmp_path, ["Half", Silent("no")], ["Whole."], adapter=AbleAdapter) as h:
        await h.tell("one")
        await retry(h)
        await h.quiet()
        assert (h.shown(), h.states()) == (["Whole."], ["done"])
        assert h.service.pressable("hall") == [()]
        # The second answer is to the same question: the first one is not in its history.
        assert h.script.prompts[-1].history == []


@on_hurrying_clock
async def test_an_answer_that_was_taken_away_is_posted_anew_by_a_retry(tmp_path: Path) -> None:
    async with house(tmp_path, ["Old."], ["New."], adapter=AbleAdapter) as h:
        await h.tell("one")
        await h.service.remove("hall", h.service.boards["hall"].notes[-1].number)
        await h.service.heard()
        await retry(h)
        await h.quiet()
        assert (h.shown(), h.states()) == (["New."], ["done"])
        assert h.rows("SELECT ordinal, state FROM parts") == [(0, "shown")]


# Buttons


@on_hurrying_clock
async def test_what_can_be_done_about_an_answer_stands_under_it(tmp_path: Path) -> None:
    ends: dict[tuple[str, ...], list[Act]] = {
        (): ["Whole."],
        ("more/{}",): ["Half", Finished("Half", "max_tokens", USAGE)],
        ("more/{}", "retry/{}"): ["Half", BrokenOff("reset")],
        ("retry/{}",): [BadKey("401")],
    }
    for number, (buttons, script) in enumerate(ends.items()):
        folder = tmp_path / str(number)
        folder.mkdir()
        async with house(folder, script, adapter=AbleAdapter) as h:
            await h.tell("one")
            assert h.service.pressable("hall") == [tuple(button.format(1) for button in buttons)]


@on_hurrying_clock
async def test_a_refused_answer_has_no_buttons_and_a_paused_one_can_go_on(tmp_path: Path) -> None:
    scripts = [["How", Finished("How", "refusal", USAGE)], ["Half", Finished("Half", "pause", USAGE)]]
    async with house(tmp_path, *scripts, adapter=AbleAdapter) as h:
        await h.tell("one")
        await h.tell("two")
        assert h.service.pressable("hall") == [(), ("more/2",)]


@on_hurrying_clock
async def test_a_stopped_answer_can_go_on_or_be_tried_again(tmp_path: Path) -> None:
    async with house(tmp_path, ["Half", asyncio.Event()], adapter=AbleAdapter) as h:
        await h.say("one")
        await h.service.until(lambda: h.shown() == ["Half"])
        await h.store.ask_stop(1)
        h.turns.stop((await h.store.unfinished())[0])
        await h.quiet()
        assert h.service.pressable("hall") == [("more/1", "retry/1")]


@on_hurrying_clock
async def test_buttons_are_there_after_a_crash_between_settling_and_showing(tmp_path: Path) -> None:
    async with house(tmp_path, [BadKey("401")], adapter=AbleAdapter) as h:
        h.service.boards["hall"].waits = True
        await h.say("one")
        await h.service.until(lambda: bool(h.service.asked("post")))
        await h.crash()
        h.service.boards["hall"].waits = False
        h.adapter.forgive()
        await h.start()
        await h.quiet()
        assert h.service.pressable("hall") == [("retry/1",)]


# Taken away


@on_hurrying_clock
async def test_a_question_taken_away_before_anything_was_shown_is_not_answered_at_all(tmp_path: Path) -> None:
    async with house(tmp_path, [asyncio.Event()], adapter=AbleAdapter) as h:
        note = await h.say("one")
        await h.script.was_asked(1)
        await delete(h, note)
        await h.quiet()
        assert (h.shown(), h.states(), h.script.open) == ([], ["stopped"], 0)
        assert h.service.asked("post", "edit", "delete") == []


@on_hurrying_clock
async def test_what_was_shown_stays_when_the_question_is_taken_away(tmp_path: Path) -> None:
    async with house(tmp_path, ["Half", asyncio.Event()], adapter=AbleAdapter) as h:
        note = await h.say("one")
        await h.service.until(lambda: h.shown() == ["Half"])
        await delete(h, note)
        await h.quiet()
        assert (h.shown(), h.states()) == ([f"Half\n\n*{sentences.STOPPED}*"], ["stopped"])
        assert h.service.pressable("hall") == [()]


@on_hurrying_clock
async def test_a_question_taken_away_while_it_waits_opens_no_thread_and_says_nothing(tmp_path: Path) -> None:
    first = asyncio.Event()
    async with house(tmp_path, [first, "One."], adapter=ThreadingAdapter) as h:
        h.service.boards["thread"] = Board()
        await h.say("one")
        note = await h.say("two")
        await h.script.was_asked(1)
        assert (await delete(h, note)).stopping
        first.set()
        await h.quiet()
        assert (h.shown("thread"), h.shown(), h.states()) == (["One."], [], ["done", "stopped"])
        assert len(h.service.asked("open")) == 1


@on_hurrying_clock
async def test_a_question_taken_away_before_a_crash_stays_unanswered(tmp_path: Path) -> None:
    async with house(tmp_path, [asyncio.Event()], adapter=AbleAdapter) as h:
        note = await h.say("one")
        await h.script.was_asked(1)
        await h.store.deleted("odd", HALL, MessageId(f"odd:{note.number}"))
        await h.crash()
        await h.start()
        await h.quiet()
        assert (h.shown(), h.states()) == ([], ["stopped"])


@on_hurrying_clock
async def test_a_line_on_what_is_done_goes_with_a_question_that_is_taken_away(tmp_path: Path) -> None:
    async with house(tmp_path, [Doing("search", "ada"), asyncio.Event()], adapter=AbleAdapter) as h:
        note = await h.say("one")
        await h.service.until(lambda: bool(h.shown()))
        await delete(h, note)
        await h.quiet()
        assert (h.shown(), h.states()) == ([], ["stopped"])


@on_hurrying_clock
async def test_a_busy_sign_goes_with_an_answer_of_which_nothing_was_shown(tmp_path: Path) -> None:
    async with house(tmp_path, [asyncio.Event()], adapter=SigningAdapter) as h:
        note = await h.say("one")
        adapter = h.adapter
        assert isinstance(adapter, SigningAdapter)
        await h.service.until(lambda: h.service.busy > 0)
        await delete(h, note)
        await h.quiet()
        assert (h.shown(), h.states(), adapter.signs[-1], adapter.signs.count(None)) == ([], ["stopped"], None, 1)


@on_hurrying_clock
async def test_a_busy_sign_goes_by_itself_with_what_is_shown(tmp_path: Path) -> None:
    more = asyncio.Event()
    async with house(tmp_path, [more, "Hello"], adapter=SigningAdapter) as h:
        await h.say("one")
        adapter = h.adapter
        assert isinstance(adapter, SigningAdapter)
        await h.service.until(lambda: h.service.busy > 0)
        more.set()
        await h.quiet()
        assert h.shown() == ["Hello"]
        assert None not in adapter.signs
