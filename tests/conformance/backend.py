"""What a backend promises: the abstract tests that every backend passes, each with a rig of its own.

A backend's test file subclasses `BackendContract` as `TestContract` and gives the fixture `rig`. A promise may be
overridden only by a test marked `xfail(reason=…)`.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from itertools import pairwise
from typing import Protocol, cast
from uuid import UUID

import pytest

from shared.backends import (
    Answer,
    Backend,
    Counts,
    Delta,
    Doing,
    Estimates,
    Finished,
    Models,
    Prompt,
    Retrying,
    Said,
    Spent,
    Thinking,
)
from shared.errors import Failure, UnknownModel
from shared.files.material import Material

CONVERSATION = UUID("6f9619ff-8b86-4d01-b42d-00cf4fc964ff")


class Rig(Protocol):
    """A backend with a far side that does as asked. Each method prepares the far side and returns the text to ask."""

    @property
    def backend(self) -> Backend:
        """The backend under test."""
        ...

    def plain(self) -> str:
        """Ask for a short answer."""
        ...

    def long(self) -> str:
        """Ask for an answer of 20,000 characters or more in many deltas, as fast as may be."""
        ...

    def endless(self) -> str:
        """Ask for an answer that begins at once and takes a minute or more."""
        ...

    def failing(self) -> Sequence[tuple[str, type[Failure]]]:
        """Give texts whose answers fail before the first word, and how."""
        ...

    def breaking(self) -> tuple[str, type[Failure]]:
        """Ask for an answer that fails after its first words."""
        ...

    def refusing(self) -> str:
        """Ask for an answer that stops with a refusal."""
        ...

    def cut_short(self) -> str:
        """Ask for an answer that reaches max_tokens."""
        ...

    async def stopped(self) -> None:
        """Return once the far side has noticed that the one endless answer was left. Raises TimeoutError after 2 s."""
        ...

    async def heard(self) -> Sequence[tuple[str, str]]:
        """Return role and text of every line that the far side got with the last question, in order."""
        ...


def prompt(text: str, *history: Said, ask: Sequence[Said] | None = None) -> Prompt:
    """Build a prompt that asks `text`, or the lines `ask`."""
    return Prompt(
        conversation=CONVERSATION, turn=1, attempt=1, history=history, ask=ask or (Said("user", text),), system="Be kind."
    )


async def collect(backend: Backend, asked: Prompt) -> list[Answer]:
    """Ask and return everything that is answered."""
    async with backend.answer(asked) as answers:
        return [answer async for answer in answers]


async def fail(backend: Backend, asked: Prompt) -> tuple[list[Answer], Failure]:
    """Ask, and return what was answered before the failure, and the failure, which has to come."""
    answers: list[Answer] = []
    try:
        async with backend.answer(asked) as stream:
            async for answer in stream:
                answers.append(answer)
    except Failure as failure:
        return answers, failure
    raise AssertionError(f"no failure, but {answers[-1:]}")


def finish(answers: Sequence[Answer]) -> Finished:
    """Return the last answer, which has to be the end."""
    last = answers[-1]
    assert isinstance(last, Finished)
    return last


def spoken(answers: Sequence[Answer]) -> str:
    """Join the text of the deltas."""
    return "".join(answer.text for answer in answers if isinstance(answer, Delta))


class BackendContract:
    """The promises."""

    @pytest.fixture
    async def rig(self) -> AsyncIterator[Rig]:
        """Give the rig; a subclass overrides this."""
        raise NotImplementedError
        yield  # noqa: PT022 - makes it the kind of fixture that rigs override it with

    def test_a_promise_is_overridden_only_with_a_reason(self) -> None:
        for name in vars(BackendContract):
            mine = getattr(type(self), name)
            if not name.startswith("test_") or mine is getattr(BackendContract, name):
                continue
            marks = cast("list[pytest.Mark]", getattr(mine, "pytestmark", []))
            assert any(mark.name == "xfail" and mark.kwargs.get("reason") for mark in marks), name

    async def test_it_has_a_name_for_the_store_and_the_log(self, rig: Rig) -> None:
        assert rig.backend.name.isidentifier()

    async def test_an_answer_ends_with_exactly_one_finished(self, rig: Rig) -> None:
        answers = await collect(rig.backend, prompt(rig.plain()))
        assert [isinstance(answer, Finished) for answer in answers].count(True) == 1
        assert finish(answers).stop == "end"

    async def test_the_finished_text_is_all_deltas_together(self, rig: Rig) -> None:
        answers = await collect(rig.backend, prompt(rig.plain()))
        assert finish(answers).text == spoken(answers)
        assert finish(answers).text.strip()

    async def test_no_delta_is_empty(self, rig: Rig) -> None:
        answers = await collect(rig.backend, prompt(rig.plain()))
        assert all(answer.text for answer in answers if isinstance(answer, Delta))

    async def test_the_usage_names_the_model_and_counts(self, rig: Rig) -> None:
        usage = finish(await collect(rig.backend, prompt(rig.plain()))).usage
        assert usage.model
        assert usage.input_tokens > 0
        assert usage.output_tokens > 0

    async def test_what_is_used_up_only_grows_and_the_end_says_it_all(self, rig: Rig) -> None:
        answers = await collect(rig.backend, prompt(rig.plain()))
        told = [answer.usage for answer in answers if isinstance(answer, Spent)] + [finish(answers).usage]
        for earlier, later in pairwise(told):
            assert later.output_tokens >= earlier.output_tokens
            assert later.input_tokens >= earlier.input_tokens
            assert (later.cost or 0) >= (earlier.cost or 0)

    async def test_a_tool_has_ended_before_text_goes_on(self, rig: Rig) -> None:
        for text in (rig.plain(), rig.long(), rig.cut_short()):
            running = False
            for answer in await collect(rig.backend, prompt(text)):
                running = answer.tool is not None if isinstance(answer, Doing) else running
                assert not (running and isinstance(answer, Delta | Finished))

    async def test_a_plain_answer_makes_no_files_and_condenses_nothing(self, rig: Rig) -> None:
        last = finish(await collect(rig.backend, prompt(rig.plain())))
        assert (list(last.files), last.condensed) == ([], False)

    async def test_files_are_taken_along_with_what_is_said(self, rig: Rig) -> None:
        notes = Material("text", "notes.txt", "text/plain", 9, text="the milk\n")
        line = Said("user", f"{rig.plain()} [notes.txt]", None, (notes,))
        assert finish(await collect(rig.backend, prompt("", Said("user", "see [notes.txt]", None, (notes,)), ask=[line]))).text

    async def test_the_models_that_it_knows_are_found_by_their_names(self, rig: Rig) -> None:
        if not isinstance(rig.backend, Models):
            pytest.skip("knows no models")
        models = await rig.backend.models()
        assert models
        assert len({model.id for model in models}) == len(models)
        for model in models:
            assert model.name
            assert model.window >= model.output > 0
            assert await rig.backend.model(model.id) == model
        for unknown in ("no-such-model", "", "a\nb", "\ud83d"):
            with pytest.raises(UnknownModel) as raised:
                await rig.backend.model(unknown)
            assert "\n" not in raised.value.detail

    async def test_more_words_count_more(self, rig: Rig) -> None:
        if not isinstance(rig.backend, Counts):
            pytest.skip("cannot count")
        assert 0 < await rig.backend.count(prompt("one")) < await rig.backend.count(prompt("one two three " * 20))

    async def test_an_estimate_grows_with_words_and_says_that_it_is_one(self, rig: Rig) -> None:
        if not isinstance(rig.backend, Estimates):
            pytest.skip("cannot estimate")
        short, long = (rig.backend.estimate(prompt("one " * words), "two " * words) for words in (1, 100))
        assert short.estimated
        assert short == rig.backend.estimate(prompt("one "), "two ")
        assert 0 < short.input_tokens < long.input_tokens
        assert 0 < short.output_tokens < long.output_tokens
        assert (short.cost or 0) <= (long.cost or 0)

    async def test_a_long_answer_comes_whole_and_in_pieces(self, rig: Rig) -> None:
        answers = await collect(rig.backend, prompt(rig.long()))
        assert finish(answers).text == spoken(answers)
        assert len(finish(answers).text) >= 20_000
        assert sum(isinstance(answer, Delta) for answer in answers) > 10

    async def test_answers_at_the_same_time_do_not_mix(self, rig: Rig) -> None:
        text = rig.plain()
        alone = [finish(await collect(rig.backend, prompt(f"{text} {number}"))).text for number in range(8)]
        together = await asyncio.gather(*(collect(rig.backend, prompt(f"{text} {number}")) for number in range(8)))
        assert [finish(answers).text for answers in together] == alone

    async def test_leaving_the_context_stops_the_work_upstream(self, rig: Rig) -> None:
        async with rig.backend.answer(prompt(rig.endless())) as answers:
            async for answer in answers:
                if isinstance(answer, Delta):
                    break
        await rig.stopped()

    async def test_cancelling_whoever_listens_stops_the_work_upstream(self, rig: Rig) -> None:
        begun = asyncio.Event()

        async def listen() -> None:
            async with rig.backend.answer(prompt(rig.endless())) as answers:
                async for answer in answers:
                    if isinstance(answer, Delta):
                        begun.set()

        listening = asyncio.create_task(listen())
        async with asyncio.timeout(60):
            await begun.wait()
        listening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await listening
        await rig.stopped()

    async def test_entering_without_listening_leaves_nothing_behind(self, rig: Rig) -> None:
        async with rig.backend.answer(prompt(rig.plain())):
            pass
        assert finish(await collect(rig.backend, prompt(rig.plain()))).text

    async def test_an_error_of_the_listener_passes_unchanged(self, rig: Rig) -> None:
        async def listen() -> None:
            async with rig.backend.answer(prompt(rig.plain())) as answers:
                async for _ in answers:
                    raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await listen()

    async def test_each_failure_before_the_first_word_is_one_of_ours(self, rig: Rig) -> None:
        for text, kind in rig.failing():
            answers, failure = await fail(rig.backend, prompt(text))
            assert type(failure) is kind, text
            assert failure.detail
            assert "\n" not in failure.detail
            assert all(isinstance(answer, Retrying | Thinking | Spent) for answer in answers)

    async def test_a_failure_after_the_first_words_keeps_them_and_is_not_retried(self, rig: Rig) -> None:
        text, kind = rig.breaking()
        answers, failure = await fail(rig.backend, prompt(text))
        assert type(failure) is kind
        assert spoken(answers)
        assert not any(isinstance(answer, Retrying | Finished) for answer in answers)

    async def test_after_a_failure_the_next_question_is_answered(self, rig: Rig) -> None:
        text, kind = rig.breaking()
        with pytest.raises(kind):
            await collect(rig.backend, prompt(text))
        assert finish(await collect(rig.backend, prompt(rig.plain()))).text

    async def test_a_refusal_and_a_full_answer_are_no_failures(self, rig: Rig) -> None:
        assert finish(await collect(rig.backend, prompt(rig.refusing()))).stop == "refusal"
        assert finish(await collect(rig.backend, prompt(rig.cut_short()))).stop == "max_tokens"

    async def test_an_answer_given_back_as_history_is_taken(self, rig: Rig) -> None:
        text = rig.plain()
        first = finish(await collect(rig.backend, prompt(text)))
        history = (Said("user", text), Said("assistant", first.text, first.blocks))
        assert finish(await collect(rig.backend, prompt("and now?", *history))).text
        assert await rig.heard() == [("user", text), ("assistant", first.text), ("user", "and now?")]

    async def test_bursts_and_answers_without_text_are_taken(self, rig: Rig) -> None:
        history = (
            Said("user", "one"),
            Said("assistant", ""),
            Said("user", "two"),
            Said("assistant", "yes"),
            Said("assistant", "and no"),
            Said("user", "three"),
        )
        ask = (Said("user", "four"), Said("user", "five"))
        await collect(rig.backend, prompt("", *history, ask=ask))
        heard = await rig.heard()
        assert [text for _, text in heard] == ["one", "two", "yes", "and no", "three", "four", "five"]

    @pytest.mark.parametrize(
        "text",
        ["", "   \n", "\x00", "a\ud83dz", "\u202eright to left", "\u200b", "</cmd:1> @everyone", "x" * 100_000],
        ids=["empty", "blank", "nul", "lone-surrogate", "rtl", "zero-width", "markup", "long"],
    )
    async def test_hostile_text_is_answered(self, rig: Rig, text: str) -> None:
        rig.plain()
        history = (Said("user", text), Said("assistant", text))
        assert finish(await collect(rig.backend, prompt(text, *history))).stop == "end"

    async def test_a_history_that_begins_with_an_answer_is_taken(self, rig: Rig) -> None:
        rig.plain()
        assert finish(await collect(rig.backend, prompt("go on", Said("assistant", "hello")))).text

    async def test_a_prompt_may_name_effort_and_no_system_prompt(self, rig: Rig) -> None:
        asked = Prompt(conversation=CONVERSATION, turn=1, attempt=2, history=(), ask=(Said("user", rig.plain()),), effort="low")
        assert finish(await collect(rig.backend, asked)).text

    async def test_closing_twice_is_harmless(self, rig: Rig) -> None:
        await collect(rig.backend, prompt(rig.plain()))
        await rig.backend.aclose()
        await rig.backend.aclose()
