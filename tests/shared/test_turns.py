"""Turns from a message to its answer: order, bound, commands, and what ends a turn."""

import asyncio
import gc
from pathlib import Path

from shared import sentences
from shared.asking import Patience
from shared.backends import Finished, Retrying, Thinking
from shared.errors import BadKey, BrokenOff, Overloaded, Silent
from shared.means import BUSY_AFTER
from tests.odd.platform import channel
from tests.odd.service import Board
from tests.shared.flavours import ThreadingAdapter
from tests.shared.house import house
from tests.shared.hurrying import later, on_hurrying_clock
from tests.shared.scripted import USAGE
from tests.shared.spelling import odd


@on_hurrying_clock
async def test_a_message_is_answered_and_its_turn_is_done(tmp_path: Path) -> None:
    async with house(tmp_path, ["Hel", "lo."]) as h:
        assert await h.tell("hi") == ["Hello."]
        assert h.states() == ["done"]
        [prompt] = h.script.prompts
        assert (prompt.attempt, [said.text for said in prompt.ask], prompt.history) == (1, ["ada: hi"], [])
        assert prompt.system is not None
        assert prompt.system.startswith("Be brief.")


@on_hurrying_clock
async def test_a_conversation_is_answered_in_order_and_one_at_a_time(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        for number in range(5):
            await h.say(f"{number}")
        await h.quiet()
        assert h.shown() == [f"re ada: {number}" for number in range(5)]
        assert h.script.most == 1
        assert [said.text for said in h.script.prompts[-1].history] == [
            line for number in range(4) for line in (f"ada: {number}", f"re ada: {number}")
        ]


@on_hurrying_clock
async def test_conversations_run_side_by_side_up_to_the_bound_and_take_turns(tmp_path: Path) -> None:
    gates = [asyncio.Event() for _ in range(6)]
    async with house(tmp_path, *[[gate] for gate in gates], at_once=2) as h:
        for board in ("b", "c"):
            h.service.boards[board] = Board()
        for board in ("hall", "hall", "hall", "b", "c", "b"):
            await h.say(f"for {board}", board=board)
        for gate in gates:
            left = len(gates) - gates.index(gate)
            await h.script.until(lambda left=left: h.script.open == min(2, left))
            gate.set()
        await h.quiet()
        assert h.script.most == 2
        asked = [prompt.ask[0].text.rpartition(" ")[2] for prompt in h.script.prompts]
        assert asked == ["hall", "b", "c", "hall", "b", "hall"]


@on_hurrying_clock
async def test_stop_ends_the_answer_that_runs_and_keeps_its_text(tmp_path: Path) -> None:
    async with house(tmp_path, ["The half", asyncio.Event()]) as h:
        await h.say("long please")
        await h.service.until(lambda: h.shown() == ["The half"])
        assert await h.tell("/STOP ") == [f"The half\n\n*{sentences.STOPPED}*"]
        assert h.states() == ["stopped"]
        assert h.script.open == 0


@on_hurrying_clock
async def test_stop_ends_the_answers_that_wait_without_asking_for_them(tmp_path: Path) -> None:
    async with house(tmp_path, [asyncio.Event()]) as h:
        await h.say("one")
        await h.say("two")
        await h.script.was_asked(1)
        assert await h.tell("/stop") == [sentences.STOPPED] * 2
        assert h.states() == ["stopped", "stopped"]
        assert len(h.script.prompts) == 1


@on_hurrying_clock
async def test_stop_leaves_an_answer_alone_that_is_ready(tmp_path: Path) -> None:
    # Without a preview the first call is the final's, which comes after the answer is stored.
    async with house(tmp_path, [Finished("All of it.", "end", USAGE)]) as h:
        stuck = asyncio.Event()
        h.service.before.append(lambda act, text: stuck if text == "All of it." else None)
        await h.say("go")
        await h.service.until(lambda: bool(h.service.asked("post")))
        await h.say("/stop")
        stuck.set()
        await h.quiet()
        assert sorted(h.shown()) == sorted(["All of it.", odd(sentences.NOTHING_TO_STOP)])
        assert h.states() == ["done", "done"]


@on_hurrying_clock
async def test_stop_with_nothing_to_stop_says_so(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        assert await h.tell("/stop") == [odd(sentences.NOTHING_TO_STOP)]
        assert h.script.prompts == []
        assert [note.quiet for note in h.service.boards["hall"].notes if note.writer == "bot"] == [True]


@on_hurrying_clock
async def test_new_in_the_middle_of_an_answer_ends_it_and_forgets_the_conversation(tmp_path: Path) -> None:
    async with house(tmp_path, ["Half", asyncio.Event()]) as h:
        await h.say("one")
        await h.service.until(lambda: h.shown() == ["Half"])
        await h.say("/new")
        await h.quiet()
        assert sorted(h.shown()) == sorted([f"Half\n\n*{sentences.STOPPED}*", sentences.NEW])
        await h.tell("two")
        first, second = h.script.prompts
        assert first.conversation != second.conversation
        assert second.history == []


@on_hurrying_clock
async def test_a_part_that_people_delete_stops_the_answer_and_is_not_posted_again(tmp_path: Path) -> None:
    more = asyncio.Event()
    async with house(tmp_path, ["Half", more, " more"]) as h:
        await h.say("one")
        await h.service.until(lambda: h.shown() == ["Half"])
        await h.service.remove("hall", h.service.boards["hall"].notes[-1].number)
        await h.quiet()
        assert h.shown() == []
        assert h.states() == ["stopped"]
        assert h.script.open == 0
        assert len(h.service.asked("post")) == 1


@on_hurrying_clock
async def test_a_part_that_people_delete_stops_the_answer_before_the_model_says_more(tmp_path: Path) -> None:
    async with house(tmp_path, ["Half", asyncio.Event()]) as h:
        await h.say("one")
        await h.service.until(lambda: h.shown() == ["Half"])
        # The button Stop has come by then: nothing more is to be edited.
        await h.service.until(lambda: bool(h.service.asked("edit")))
        await later(1)
        await h.service.remove("hall", h.service.boards["hall"].notes[-1].number)
        await h.service.heard()
        await asyncio.wait_for(h.quiet(), 100)
        assert (h.shown(), h.states(), h.script.open) == ([], ["stopped"], 0)


@on_hurrying_clock
async def test_a_part_found_missing_at_an_edit_stops_the_answer(tmp_path: Path) -> None:
    more = asyncio.Event()
    async with house(tmp_path, ["Half", more, " more", asyncio.Event()]) as h:
        await h.say("one")
        await h.service.until(lambda: h.shown() == ["Half"])
        h.service.boards["hall"].notes.pop()
        more.set()
        await h.quiet()
        assert (h.shown(), h.states(), h.script.open) == ([], ["stopped"], 0)
        assert [act for act, _ in h.service.asked("post", "edit")] == ["post", "edit"]


@on_hurrying_clock
async def test_being_put_out_of_a_channel_ends_and_closes_its_conversation(tmp_path: Path) -> None:
    async with house(tmp_path, ["Half", asyncio.Event()]) as h:
        await h.say("one")
        await h.service.until(lambda: h.shown() == ["Half"])
        await h.service.close("hall")
        await h.service.heard()
        await h.quiet()
        # The text that was there was gone with the channel; an edit that finds nothing is a stop.
        assert h.states()[0] in ("stopped", "failed")
        assert await h.store.conversation(channel("hall").id) is None
        assert h.script.open == 0


@on_hurrying_clock
async def test_an_answer_to_a_channel_that_is_gone_fails_and_closes_the_conversation(tmp_path: Path) -> None:
    go = asyncio.Event()
    async with house(tmp_path, [go, "Hello"]) as h:
        await h.say("one")
        await h.say("two")
        await h.script.was_asked(1)
        del h.service.boards["hall"]
        go.set()
        await h.quiet()
        assert h.states() == ["failed", "failed"]
        assert await h.store.conversation(channel("hall").id) is None
        assert len(h.script.prompts) == 1


@on_hurrying_clock
async def test_nothing_more_is_asked_for_a_channel_that_is_found_gone_while_the_answer_grows(tmp_path: Path) -> None:
    go = asyncio.Event()
    async with house(tmp_path, [go, "Hello", asyncio.Event()]) as h:
        await h.say("one")
        await h.script.was_asked(1)
        del h.service.boards["hall"]
        go.set()
        await h.quiet()
        assert (h.states(), h.script.open) == (["failed"], 0)


@on_hurrying_clock
async def test_an_answer_that_may_not_be_shown_fails_and_the_conversation_stays(tmp_path: Path) -> None:
    async with house(tmp_path, ["Hello"]) as h:
        h.service.boards["hall"].closed_to_us = True
        await h.tell("one")
        assert h.states() == ["failed"]
        h.service.boards["hall"].closed_to_us = False
        assert await h.tell("two") == ["re ada: two"]
        assert h.script.prompts[0].conversation == h.script.prompts[1].conversation


@on_hurrying_clock
async def test_where_a_thread_takes_no_answer_the_channel_is_told(tmp_path: Path) -> None:
    async with house(tmp_path, ["Hello"], adapter=ThreadingAdapter) as h:
        h.service.boards["thread"] = Board(closed_to_us=True)
        await h.tell("one")
        assert (h.states(), h.shown()) == (["failed"], [sentences.NOT_SHOWN])


@on_hurrying_clock
async def test_a_thread_is_opened_while_the_backend_is_asked(tmp_path: Path) -> None:
    async with house(tmp_path, ["Hello"], adapter=ThreadingAdapter) as h:
        h.service.boards["thread"] = Board()
        opened = asyncio.Event()
        h.service.before.append(lambda act, text: opened if act == "open" else None)
        await h.say("one")
        await h.script.was_asked(1)
        assert h.shown("thread") == []
        opened.set()
        await h.quiet()
        assert (h.shown("thread"), h.shown()) == (["Hello"], [])


@on_hurrying_clock
async def test_where_no_thread_can_be_opened_the_answer_is_in_the_channel(tmp_path: Path) -> None:
    async with house(tmp_path, ["Hello"], adapter=ThreadingAdapter) as h:
        h.service.boards["hall"].threads = False
        assert await h.tell("one") == ["Hello"]


@on_hurrying_clock
async def test_a_thread_that_cannot_be_opened_just_now_is_tried_again(tmp_path: Path) -> None:
    async with house(tmp_path, ["Hello"], adapter=ThreadingAdapter) as h:
        h.service.boards["thread"] = Board()
        h.service.troubles.extend(["torn before", "torn after"])
        await h.tell("one")
        assert (h.shown("thread"), h.shown()) == (["Hello"], [])


@on_hurrying_clock
async def test_a_thread_whose_channel_is_gone_fails_the_turn_and_nothing_is_left_over(tmp_path: Path) -> None:
    go, opened = asyncio.Event(), asyncio.Event()
    async with house(tmp_path, [go, "Hello"], adapter=ThreadingAdapter) as h:
        h.service.before.append(lambda act, text: opened if act == "open" else None)
        await h.say("one")
        await h.service.until(lambda: bool(h.service.asked("open")))
        del h.service.boards["hall"]
        opened.set()
        # Long enough for the busy sign, which has no place either.
        await later(2 * BUSY_AFTER)
        go.set()
        await h.quiet()
        assert h.states() == ["failed"]
    # A task whose exception nobody took says so when it is thrown away.
    gc.collect()


# How an answer ends


@on_hurrying_clock
async def test_a_failure_in_the_middle_keeps_the_text_and_says_what_happened(tmp_path: Path) -> None:
    async with house(tmp_path, ["Half", Overloaded("529")]) as h:
        [shown] = await h.tell("one")
        assert shown == f"Half\n\n*{sentences.failed(Overloaded(''), kept=True)}*"
        assert h.states() == ["failed"]
        assert h.rows("SELECT failure, detail FROM finals") == [("Overloaded", "529")]


@on_hurrying_clock
async def test_a_failure_inside_a_code_fence_closes_the_fence_first(tmp_path: Path) -> None:
    async with house(tmp_path, ["```python\nx = 1\n", BrokenOff("reset")]) as h:
        [shown] = await h.tell("one")
        assert shown == f"```python\nx = 1\n```\n\n*{sentences.failed(BrokenOff(''), kept=True)}*"


@on_hurrying_clock
async def test_a_failure_before_the_first_word_is_told_alone(tmp_path: Path) -> None:
    async with house(tmp_path, [BadKey("401")]) as h:
        assert await h.tell("one") == [sentences.failed(BadKey(""), kept=False)]


@on_hurrying_clock
async def test_a_refusal_withdraws_what_was_shown(tmp_path: Path) -> None:
    end = asyncio.Event()
    refusal = Finished("How to", "refusal", USAGE, explanation="no")
    async with house(tmp_path, ["How to", end, refusal]) as h:
        await h.say("one")
        await h.service.until(lambda: h.shown() == ["How to"])
        end.set()
        await h.quiet()
        assert (h.shown(), h.states()) == ([odd(sentences.REFUSED)], ["failed"])
        await h.tell("two")
        assert h.script.prompts[-1].history == []


@on_hurrying_clock
async def test_a_cut_answer_says_that_there_is_more(tmp_path: Path) -> None:
    async with house(tmp_path, ["Half", Finished("Half", "max_tokens", USAGE)]) as h:
        assert await h.tell("one") == [f"Half\n\n*{sentences.CUT}*"]
        assert h.states() == ["done"]


@on_hurrying_clock
async def test_an_empty_answer_is_told(tmp_path: Path) -> None:
    async with house(tmp_path, [Finished(" \n", "end", USAGE)]) as h:
        assert await h.tell("one") == [sentences.NO_ANSWER]
        assert h.states() == ["failed"]


@on_hurrying_clock
async def test_silence_ends_an_answer_and_every_sign_of_life_begins_the_wait_anew(tmp_path: Path) -> None:
    async with house(tmp_path, ["Half", Retrying(1.0, "busy"), Thinking(), asyncio.Event()], patience=Patience(9000, 5)) as h:
        [shown] = await h.tell("one")
        assert shown == f"Half\n\n*{sentences.failed(Silent(''), kept=True)}*"


@on_hurrying_clock
async def test_the_first_text_waits_for_its_first_sentence_where_that_is_set(tmp_path: Path) -> None:
    more = asyncio.Event()
    async with house(tmp_path, ["This is", more, " it. And", asyncio.Event()], hold_sentence=True) as h:
        await h.say("one")
        await later(5)
        assert h.shown() == []
        more.set()
        await h.service.until(lambda: h.shown() == ["This is it. And"])


# Beside the answer


@on_hurrying_clock
async def test_a_slow_answer_shows_a_busy_sign_until_its_text_shows(tmp_path: Path) -> None:
    more = asyncio.Event()
    async with house(tmp_path, [more, "Hello", asyncio.Event()]) as h:
        await h.say("one")
        await h.service.until(lambda: h.service.busy >= 2)
        more.set()
        await h.service.until(lambda: h.shown() == ["Hello"])
        await later(h.adapter.busy_seconds)
        before = h.service.busy
        await later(5 * h.adapter.busy_seconds)
        assert h.service.busy == before


@on_hurrying_clock
async def test_a_quick_answer_needs_no_busy_sign(tmp_path: Path) -> None:
    async with house(tmp_path, ["Hello"], busy_after=25) as h:
        await h.tell("one")
        await later(30)
        assert h.service.busy == 0


@on_hurrying_clock
async def test_what_one_turn_suffers_does_not_touch_the_others(tmp_path: Path) -> None:
    async with house(tmp_path, [asyncio.Event(), "never"]) as h:
        h.service.boards["b"] = Board()
        await h.say("one")
        await h.say("two", board="b")
        await h.service.until(lambda: bool(h.shown("b")))
        assert h.shown("b") == ["re ada: two"]
