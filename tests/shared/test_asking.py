"""One attempt at an answer, on a clock that jumps."""

import asyncio
from uuid import uuid4

from shared import sentences
from shared.asking import Asking, Patience, shown
from shared.backends import Delta, Finished, Prompt, Retrying, Said, Stop, Thinking
from shared.errors import Silent, TookTooLong
from shared.store import Final
from tests.shared.jumping import now, on_jumping_clock
from tests.shared.scripted import USAGE, Act, Scripted

PROMPT = Prompt(conversation=uuid4(), turn=1, attempt=1, history=[], ask=[Said("user", "hi")])


def asking(*script: Act, turn: float = 900, silence: float = 120, states: list[str] | None = None) -> Asking:
    show = (states if states is not None else []).append
    return Asking(Scripted(script), PROMPT, Patience(turn, silence), show=show)


@on_jumping_clock
async def test_the_growing_text_is_handed_on_and_the_end_is_authoritative() -> None:
    states: list[str] = []
    final = await asking("Hel", Delta("lo"), Finished("Hello!", "end", USAGE), states=states).run()
    assert states == ["Hel", "Hello"]
    assert (final.text, final.outcome, final.note, final.stop, final.model) == ("Hello!", "done", "", "end", "model-1")
    assert (final.backend, final.input_tokens, final.output_tokens) == ("scripted", 3, 2)


@on_jumping_clock
async def test_silence_is_counted_from_the_last_sign_of_life() -> None:
    attempt = asking("Half", Thinking(), asyncio.Event())
    final = await attempt.run()
    assert now() == 120
    assert (final.text, final.outcome, final.failure) == ("Half", "failed", "Silent")
    assert final.note == sentences.failed(Silent(""), kept=True)


@on_jumping_clock
async def test_signs_of_life_keep_an_answer_alive_up_to_the_limit_for_the_whole_turn() -> None:
    beats = [asyncio.Event() for _ in range(20)]
    for number, beat in enumerate(beats):
        asyncio.get_running_loop().call_later(100.0 * (number + 1), beat.set)
    script: list[Act] = [act for beat in beats for act in (beat, Thinking())]
    final = await asking(*script).run()
    assert now() == 900
    assert (final.failure, final.note) == ("TookTooLong", sentences.failed(TookTooLong(""), kept=False))


@on_jumping_clock
async def test_the_backends_own_wait_is_no_silence() -> None:
    done = asyncio.Event()
    asyncio.get_running_loop().call_later(300.0, done.set)
    final = await asking(Retrying(200.0, "overloaded"), done, "Hello").run()
    assert (final.text, final.outcome) == ("Hello", "done")


@on_jumping_clock
async def test_a_cancelled_attempt_leaves_the_backend_and_keeps_its_text() -> None:
    backend = Scripted(["Half", asyncio.Event()])
    spoken = asyncio.Event()
    attempt = Asking(backend, PROMPT, Patience(900, 120), show=lambda text: spoken.set())
    task = asyncio.create_task(attempt.run())
    await backend.was_asked(1)
    await spoken.wait()
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    assert backend.open == 0
    stopped = attempt.stopped()
    assert (stopped.text, stopped.outcome, shown(stopped)) == ("Half", "stopped", f"Half\n\n*{sentences.STOPPED}*")


@on_jumping_clock
async def test_each_way_to_stop_has_its_note() -> None:
    notes: dict[Stop, str] = {
        "end": "",
        "stop_sequence": "",
        "max_tokens": sentences.CUT,
        "context_full": sentences.CONTEXT_FULL,
        "pause": sentences.PAUSED,
    }
    for stop, note in notes.items():
        end = Finished("Text", stop, USAGE)
        final = await asking(end).run()
        assert (final.text, final.note, final.outcome) == ("Text", note, "done")
    refused = await asking("Te", Finished("Text", "refusal", USAGE, explanation="why")).run()
    assert (refused.text, refused.note, refused.outcome, refused.detail) == ("", sentences.REFUSED, "failed", "why")


def test_a_note_is_set_apart_and_no_open_markup_swallows_it() -> None:
    assert shown(Final(text="", outcome="failed", note="Sorry.")) == "Sorry."
    assert shown(Final(text="Text", outcome="done")) == "Text"
    assert shown(Final(text="```py\nx", outcome="failed", note="Sorry.")) == "```py\nx\n```\n\n*Sorry.*"
    assert shown(Final(text="a **b", outcome="failed", note="Sorry.")) == "a **b**\n\n*Sorry.*"


def test_a_note_takes_no_word_away_from_what_was_said() -> None:
    # Whether this is a table is not known yet; a preview would hold it back.
    final = Final(text="Here:\n\n| name | age |", outcome="stopped", note=sentences.STOPPED)
    assert shown(final) == f"Here:\n\n| name | age |\n\n*{sentences.STOPPED}*"
