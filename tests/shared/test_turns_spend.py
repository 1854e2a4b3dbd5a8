"""What attempts have used up, however they ended."""

import asyncio
from dataclasses import replace
from pathlib import Path

from shared.backends import Finished, Prompt, Spent, Usage
from shared.chat import Edited
from shared.errors import BrokenOff, Overloaded, RateLimited
from shared.store import Budget
from tests.shared.flavours import AbleAdapter
from tests.shared.house import House, heard, house
from tests.shared.hurrying import on_hurrying_clock
from tests.shared.scripted import USAGE, Knowing

BEGUN = Spent(Usage("model-1", input_tokens=50, output_tokens=1, cost=51))


def tries(h: House) -> list[tuple[int, int, int | None, int]]:
    """Every try: input and output tokens, cost, and whether it is a guess."""
    rows = h.rows("SELECT input_tokens, output_tokens, ifnull(cost, -1), estimated FROM usage ORDER BY turn, tried")
    return [(int(taken), int(out), None if int(cost) < 0 else int(cost), int(guess)) for taken, out, cost, guess in rows]


@on_hurrying_clock
async def test_an_answer_that_ends_is_counted_as_the_backend_says(tmp_path: Path) -> None:
    async with house(tmp_path, ["Hello", Finished("Hello", "end", replace(USAGE, cost=7))]) as h:
        await h.tell("one")
        assert tries(h) == [(3, 2, 7, 0)]
        assert h.rows("SELECT key, tokens, cost FROM spent ORDER BY key") == [
            ("all", 5, 7), ("channel:odd:hall", 5, 7), ("user:odd:ada", 5, 7),
        ]  # fmt: skip


@on_hurrying_clock
async def test_a_stopped_answer_counts_what_was_said_of_it_and_guesses_the_rest(tmp_path: Path) -> None:
    async with house(tmp_path, backend=Knowing([BEGUN, "Half", asyncio.Event()])) as h:
        await h.say("one")
        await h.service.until(lambda: h.shown() == ["Half"])
        await h.tell("/stop")
        assert tries(h) == [(50, 4, 51 + 3_000_000, 1)]


@on_hurrying_clock
async def test_a_backend_that_cannot_guess_leaves_it_at_what_it_said(tmp_path: Path) -> None:
    async with house(tmp_path, [BEGUN, "Half", BrokenOff("reset")]) as h:
        await h.tell("one")
        assert tries(h) == [(50, 1, 51, 0)]


@on_hurrying_clock
async def test_what_was_turned_down_at_the_door_costs_nothing(tmp_path: Path) -> None:
    async with house(tmp_path, backend=Knowing([Overloaded("529")], [RateLimited("429", 1.0)])) as h:
        await h.tell("one")
        await h.tell("two")
        assert [taken for taken, _, cost, _ in tries(h) if cost is not None] == []


@on_hurrying_clock
async def test_attempts_that_a_crash_has_ended_are_guessed_once(tmp_path: Path) -> None:
    async with house(tmp_path, backend=Knowing(["Half", asyncio.Event()], ["Whole."])) as h:
        await h.say("one")
        await h.service.until(lambda: h.shown() == ["Half"])
        await h.crash()
        await h.start()
        await h.quiet()
        assert h.shown() == ["Whole."]
        asked = len("ada: one")
        assert tries(h) == [(asked, 0, asked * 1_000_000, 1), (3, 2, None, 0)]


@on_hurrying_clock
async def test_a_backend_is_there_before_it_guesses_what_a_crash_has_cost(tmp_path: Path) -> None:
    class Late(Knowing):
        """Knows no price before it was loaded."""

        loaded = True

        async def load(self) -> object:
            self.loaded = True
            return None

        def estimate(self, prompt: Prompt, text: str) -> Usage:
            return replace(super().estimate(prompt, text), cost=7 if self.loaded else None)

    backend = Late(["Half", asyncio.Event()], ["Whole."])
    async with house(tmp_path, backend=backend) as h:
        await h.say("one")
        await h.service.until(lambda: h.shown() == ["Half"])
        await h.crash()
        backend.loaded = False
        await h.start()
        await h.quiet()
        assert tries(h)[0] == (len("ada: one"), 0, 7, 1)


@on_hurrying_clock
async def test_an_attempt_that_a_crash_has_ended_is_guessed_if_the_next_one_is_stopped_before_it_asks(tmp_path: Path) -> None:
    async with house(tmp_path, backend=Knowing(["Half", asyncio.Event()])) as h:
        await h.say("one")
        await h.service.until(lambda: h.shown() == ["Half"])
        await h.crash()
        await h.start()
        await h.store.begin(1)
        await h.store.ask_stop(1)
        await h.crash()
        await h.start()
        await h.quiet()
        (tried,) = h.rows("SELECT tries FROM turns")[0]
        assert h.rows("SELECT tried, estimated FROM usage ORDER BY tried") == [(each, 1) for each in range(1, int(tried) + 1)]


@on_hurrying_clock
async def test_attempts_are_guessed_too_if_the_turn_is_given_up_or_was_stopped(tmp_path: Path) -> None:
    async with house(tmp_path, backend=Knowing(["Half", asyncio.Event()], ["More", asyncio.Event()]), attempts=1) as h:
        await h.say("one")
        await h.service.until(lambda: h.shown() == ["Half"])
        await h.crash()
        await h.start()
        await h.quiet()
        assert [guess for _, _, cost, guess in tries(h) if cost] == [1]
        await h.say("two")
        await h.service.until(lambda: h.shown()[-1] == "More")
        await h.store.ask_stop(2)
        await h.crash()
        await h.start()
        await h.quiet()
        assert [guess for _, _, cost, guess in tries(h) if cost] == [1, 1]


@on_hurrying_clock
async def test_an_attempt_given_back_at_the_end_or_broken_off_for_an_edit_is_counted(tmp_path: Path) -> None:
    backend = Knowing([BEGUN, "Half", asyncio.Event()], [BEGUN, "Other", asyncio.Event()], ["Whole."])
    async with house(tmp_path, backend=backend, adapter=AbleAdapter) as h:
        note = await h.say("one")
        await h.service.until(lambda: h.shown() == ["Half"])
        h.accept(await h.store.edit("odd", Edited(keys=("e",), message=replace(heard(note), text="two"))))
        await h.service.until(lambda: h.shown() == ["Other"])
        await h.drain()
        await h.start()
        await h.quiet()
        assert h.shown() == ["Whole."]
        assert [(taken, out) for taken, out, _, _ in tries(h)] == [(50, 4), (50, 5), (3, 2)]


@on_hurrying_clock
async def test_who_nears_a_limit_is_warned_once_below_the_answer(tmp_path: Path) -> None:
    async with house(tmp_path, ["One."], ["Two."], ["Three."], budgets=[Budget("user", "tokens", 12)]) as h:
        for question in ("one", "two", "three"):
            await h.tell(question)
        assert h.shown() == [
            "One.",
            "Two.\n\n*You have used 83 % of the 12 tokens that one person may use in a month. "
            "A new month begins on 1 June (UTC).*",
            "Three.",
        ]
