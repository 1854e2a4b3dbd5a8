"""What a prompt is made of, and how it is kept within the model's window."""

import asyncio
from dataclasses import replace
from pathlib import Path

from shared import sentences
from shared.backends import Finished, Spent, Usage
from shared.context import ASK
from shared.errors import Overloaded
from tests.shared.house import House, heard, house
from tests.shared.hurrying import later, on_hurrying_clock
from tests.shared.scripted import MODEL, USAGE, Knowing, Scripted

LONG = "word " * 10_000
"""More than 16 000 tokens as they are guessed."""


async def choose(h: House, scope: str, name: str, value: str) -> None:
    number = len(h.delivered) + 500
    cause = replace(heard(await h.service.write("hall", "ada", "x")), keys=(f"choice {number} {scope} {name}",))
    h.accept(await h.store.choose("odd", cause, scope=scope, name=name, value=value, text=""))
    await h.quiet()


async def talk(h: House, turns: int) -> None:
    for number in range(turns):
        await h.tell(f"{number} {LONG}")


def noted(text: str, note: str) -> str:
    return f"{text}\n\n*{note}*"


@on_hurrying_clock
async def test_choices_hold_from_the_next_attempt_on_and_the_operators_words_come_first(tmp_path: Path) -> None:
    async with house(tmp_path, model="model-1") as h:
        await h.tell("one")
        await choose(h, "channel:odd:hall", "model", "model-2")
        await choose(h, "global", "effort", "high")
        await choose(h, "global", "system", "Speak like a pirate.")
        await h.tell("two")
        first, second = h.script.prompts
        assert (first.model, first.effort) == ("model-1", None)
        assert (second.model, second.effort) == ("model-2", "high")
        assert first.system is not None
        assert second.system == f"{first.system}\n\nSpeak like a pirate."
        assert first.system.startswith("Be brief.")


@on_hurrying_clock
async def test_a_prompt_that_has_room_is_neither_counted_nor_changed(tmp_path: Path) -> None:
    backend = Knowing(["a"], ["b"], ["c"], size=10)
    async with house(tmp_path, backend=backend, model="model-1") as h:
        await talk(h, 3)
        assert backend.counted == []
        assert [len(prompt.history) for prompt in backend.prompts] == [0, 2, 4]


@on_hurrying_clock
async def test_a_prompt_near_the_window_is_counted_and_stays_if_it_fits(tmp_path: Path) -> None:
    backend = Knowing(*[["x"]] * 6, size=50_000)
    async with house(tmp_path, backend=backend, model="model-1") as h:
        await talk(h, 6)
        assert len(backend.counted) == 3
        assert len(backend.prompts[-1].history) == 10


@on_hurrying_clock
async def test_a_conversation_that_fills_the_window_has_its_older_half_summed_up_once(tmp_path: Path) -> None:
    backend = Knowing(*[["x"]] * 5, ["Ada wrote words."], ["y"], ["z"], size=40_000)
    async with house(tmp_path, backend=backend, model="model-1") as h:
        await talk(h, 5)
        backend.size = 90_000
        shown = await h.tell("5")
        asking, answering = backend.prompts[5], backend.prompts[6]
        assert asking.ask[0].text == ASK
        assert asking.system == answering.system
        assert [said.text[:6] for said in asking.history] == ["ada: 0", "x", "ada: 1", "x"]
        assert shown[-1] == noted("y", sentences.SUMMED_UP)
        assert answering.history[0].text == "[What was said here before, summed up:]\nAda wrote words."
        assert [said.text[:6] for said in answering.history[1:]] == ["ada: 2", "x", "ada: 3", "x", "ada: 4", "x"]
        # From then on the beginning stays as it is, and nothing more is told.
        backend.size = 10_000
        assert (await h.tell("6"))[-1] == "z"
        assert backend.prompts[7].history[: len(answering.history)] == answering.history


@on_hurrying_clock
async def test_what_a_summary_costs_is_counted_with_the_turn(tmp_path: Path) -> None:
    summary = Finished("Summed up.", "end", Usage("model-1", input_tokens=100, output_tokens=10, cost=1000))
    answer = Finished("y", "end", Usage("model-1", input_tokens=5, output_tokens=1, cost=6))
    backend = Knowing(*[["x"]] * 4, [summary], [answer], size=90_000)
    async with house(tmp_path, backend=backend, model="model-1") as h:
        backend.size = 1
        await talk(h, 4)
        backend.size = 90_000
        await h.tell(f"last {LONG}")
        assert h.rows("SELECT input_tokens, output_tokens, cost FROM usage WHERE turn = 5") == [(105, 11, 1006)]


@on_hurrying_clock
async def test_what_a_summary_has_cost_that_was_broken_off_is_counted(tmp_path: Path) -> None:
    spent = Spent(Usage("model-1", input_tokens=100, output_tokens=50, cost=900))
    backend = Knowing(*[["x"]] * 4, [spent, asyncio.Event()], size=1)
    async with house(tmp_path, backend=backend, model="model-1") as h:
        await talk(h, 4)
        backend.size = 90_000
        await h.say(f"last {LONG}")
        await backend.until(lambda: len(backend.prompts) == 5)
        await later(1)
        assert (await h.tell("/stop"))[-1] == sentences.STOPPED
        assert h.rows("SELECT input_tokens, output_tokens, cost FROM usage WHERE turn = 5") == [(100, 50, 900)]


@on_hurrying_clock
async def test_what_was_summed_up_before_is_not_lost_where_no_new_summary_can_be_had(tmp_path: Path) -> None:
    backend = Knowing(*[["x"]] * 4, ["Ada wrote words."], ["y"], [Overloaded("529")], ["z"], size=1)
    async with house(tmp_path, backend=backend, model="model-1") as h:
        await talk(h, 4)
        backend.size = 90_000
        await h.tell(f"more {LONG}")
        assert (await h.tell(f"last {LONG}"))[-1] == noted("z", sentences.LEFT_OUT)
        assert backend.prompts[-1].history[0].text == "[What was said here before, summed up:]\nAda wrote words."


@on_hurrying_clock
async def test_where_no_summary_can_be_had_the_oldest_turns_are_left_out_this_once(tmp_path: Path) -> None:
    backend = Knowing(*[["x"]] * 4, [Overloaded("529")], ["y"], size=1)
    async with house(tmp_path, backend=backend, model="model-1") as h:
        await talk(h, 4)
        backend.size = 90_000
        assert (await h.tell(f"last {LONG}"))[-1] == noted("y", sentences.LEFT_OUT)
        assert [said.text[:6] for said in backend.prompts[-1].history] == ["ada: 2", "x", "ada: 3", "x"]
        backend.size = 1
        await h.tell("and now")
        assert len(backend.prompts[-1].history) == 10


@on_hurrying_clock
async def test_a_prompt_far_beyond_the_window_is_shortened_until_it_fits(tmp_path: Path) -> None:
    backend = Knowing(*[["x"]] * 4, ["Sum."], ["y"], size=1)
    async with house(tmp_path, backend=backend, model="model-1") as h:
        await talk(h, 4)
        backend.size = 400_000
        shown = await h.tell(f"last {LONG}")
        assert shown[-1] == noted("y", f"{sentences.SUMMED_UP} {sentences.LEFT_OUT}")
        assert len(backend.prompts[-1].history) == 3


@on_hurrying_clock
async def test_a_model_that_condenses_by_itself_is_left_to_it_and_people_are_told(tmp_path: Path) -> None:
    condensed = Finished("y", "end", USAGE, [{"type": "compaction"}], condensed=True)
    backend = Knowing(*[["x"]] * 4, [condensed], known=replace(MODEL, condenses=True), size=90_000)
    async with house(tmp_path, backend=backend, model="model-1") as h:
        await talk(h, 4)
        assert (await h.tell(f"last {LONG}"))[-1] == noted("y", sentences.SUMMED_UP)
        assert len(backend.prompts) == 5


@on_hurrying_clock
async def test_what_cannot_be_counted_is_guessed(tmp_path: Path) -> None:
    backend = Knowing(*[["x"]] * 4, ["Sum."], ["y"], size=Overloaded("529"))
    async with house(tmp_path, backend=backend, model="model-1") as h:
        await talk(h, 4)
        assert (await h.tell(f"last {LONG}"))[-1] == noted("y", sentences.SUMMED_UP)


@on_hurrying_clock
async def test_a_model_that_nobody_knows_is_the_backends_to_refuse(tmp_path: Path) -> None:
    backend = Knowing(["x"], ["y"], size=90_000)
    async with house(tmp_path, backend=backend, model="model-9") as h:
        await talk(h, 2)
        assert h.shown() == ["x", "y"]


@on_hurrying_clock
async def test_a_conversation_of_too_many_turns_says_once_that_its_beginning_is_left_out(tmp_path: Path) -> None:
    async with house(tmp_path, backend=Scripted(*[["x"]] * 4), history_turns=2) as h:
        for number in range(4):
            await h.tell(f"{number}")
        assert h.shown() == ["x", "x", "x", noted("x", sentences.LEFT_OUT)]
        h.script.scripts.append(["y"])
        assert (await h.tell("last"))[-1] == "y"
