"""One attempt at an answer, on a clock that jumps."""

import asyncio
from uuid import uuid4

from shared import sentences
from shared.asking import Asking, Patience
from shared.backends import Delta, Doing, Finished, Made, Prompt, Retrying, Said, Stop, Thinking
from shared.ending import shown
from shared.errors import BrokenOff, Silent, TookTooLong
from shared.means import Thoughts
from tests.shared.jumping import now, on_jumping_clock
from tests.shared.scripted import USAGE, Act, Scripted

PROMPT = Prompt(conversation=uuid4(), turn=1, attempt=1, history=[], ask=[Said("user", "hi")])


def asking(
    *script: Act, turn: float = 900, silence: float = 120, states: list[str] | None = None, thinking: Thoughts = "off"
) -> Asking:
    def show(text: str, *, status: str = "") -> None:
        if states is not None:
            states.append(f"{text}|{status}" if status else text)

    return Asking(Scripted(script), PROMPT, Patience(turn, silence), show=show, thinking=thinking)


@on_jumping_clock
async def test_the_growing_text_is_handed_on_and_the_end_is_authoritative() -> None:
    states: list[str] = []
    final = await asking("Hel", Delta("lo"), Finished("Hello!", "end", USAGE), states=states).run()
    assert states == ["Hel", "Hello"]
    assert (final.text, final.outcome, final.note, final.stop) == ("Hello!", "done", "", "end")
    assert (final.backend, final.usage) == ("scripted", USAGE)


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

    def show(text: str, *, status: str = "") -> None:
        spoken.set()

    attempt = Asking(backend, PROMPT, Patience(900, 120), show=show)
    task = asyncio.create_task(attempt.run())
    await backend.was_asked(1)
    await spoken.wait()
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    assert backend.open == 0
    stopped = attempt.stopped()
    assert (stopped.text, stopped.outcome, shown(stopped.text, stopped.note)) == (
        "Half",
        "stopped",
        f"Half\n\n*{sentences.STOPPED}*",
    )


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
    assert shown("", "Sorry.") == "Sorry."
    assert shown("Text", "") == "Text"
    assert shown("```py\nx", "Sorry.") == "```py\nx\n```\n\n*Sorry.*"
    assert shown("a **b", "Sorry.") == "a **b**\n\n*Sorry.*"


def test_a_note_takes_no_word_away_from_what_was_said() -> None:
    # Whether this is a table is not known yet; a preview would hold it back.
    assert shown("Here:\n\n| name | age |", sentences.STOPPED) == f"Here:\n\n| name | age |\n\n*{sentences.STOPPED}*"


def test_what_was_thought_stands_above_as_a_quote() -> None:
    assert shown("Text", "", "one\n\ntwo") == "> one\n>\n> two\n\nText"
    assert shown("", "Sorry.", "one") == "> one\n\n*Sorry.*"
    assert len(shown("Text", "", "x" * 9000)) < 2100


@on_jumping_clock
async def test_tools_are_told_while_they_run() -> None:
    states: list[str] = []
    script: list[Act] = [
        "Let me see.", Doing("search", "who is *Ada*?\nreally"), Doing(None), Doing("fetch", "https://example.com/a_b?[c](d)"),
        Doing("code"), Doing("other", "calendar"), Doing("search"), Doing("other"), " Done.",
    ]  # fmt: skip
    await asking(*script, states=states).run()
    assert [state.removeprefix("Let me see.") for state in states] == [
        "", "|*Searching the web: “who is Ada ? really”*", "", "|*Reading example.com/a b? c d*", "|*Running code…*",
        "|*Using calendar…*", "|*Searching the web…*", "|*Using a tool…*", " Done.",
    ]  # fmt: skip


@on_jumping_clock
async def test_what_a_tool_works_on_is_cut_short() -> None:
    states: list[str] = []
    await asking(Doing("search", "x" * 500), states=states).run()
    assert states == [f"|*Searching the web: “{'x' * 100}…”*"]


@on_jumping_clock
async def test_thoughts_are_told_as_they_come_and_only_if_that_is_set() -> None:
    told: dict[Thoughts, list[str]] = {
        "off": ["Yes."],
        "summarised": ["|*Thinking: First*", "|*Thinking: First this.*", "|*Thinking: Then that*", "Yes."],
    }
    for thinking, shows in told.items():
        states: list[str] = []
        thoughts = [Thinking("First"), Thinking(" this.\n"), Thinking(), Thinking("**Then** that\n")]
        final = await asking(*thoughts, "Yes.", states=states, thinking=thinking).run()
        assert states == shows
        assert (final.text, final.thoughts) == ("Yes.", "")


@on_jumping_clock
async def test_thoughts_that_are_to_be_shown_stand_above_what_is_said_after_them() -> None:
    states: list[str] = []
    script: list[Act] = [Thinking("First this."), "Yes", Thinking(" Later that."), ", it is."]
    final = await asking(*script, states=states, thinking="shown").run()
    assert states == [
        "> First this.|*Thinking: First this.*",
        "> First this.\n\nYes",
        "> First this.\n\nYes|*Thinking: First this. Later that.*",
        "> First this.\n\nYes, it is.",
    ]
    assert (final.text, final.thoughts) == ("Yes, it is.", "First this.")
    broken = await asking(Thinking("First."), "Half", BrokenOff("reset"), thinking="shown").run()
    assert (broken.text, broken.thoughts) == ("Half", "First.")
    refused = await asking(Thinking("First."), Finished("No", "refusal", USAGE), thinking="shown").run()
    assert refused.thoughts == ""


@on_jumping_clock
async def test_an_answer_that_is_only_a_file_is_an_answer() -> None:
    made = Made("a.png", "image/png", "0" * 64, 5)
    final = await asking(Finished("", "end", USAGE, files=[made])).run()
    assert (final.outcome, final.note, final.files) == ("done", "", [made])
    refused = await asking(Finished("", "refusal", USAGE, files=[made])).run()
    assert refused.files == ()
