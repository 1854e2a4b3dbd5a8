"""A process that dies while claude.ai answers: the next one takes the answer that is there, or asks again beside it."""

import asyncio
from collections.abc import Sequence

import pytest

from sandbox.claude_web import ClaudeWebSimulator, Script
from sandbox.claude_web.script import Stored
from sandbox.faults import Rule
from shared.backends import Delta, Finished, Prompt, Retrying
from shared.backends.claude_web import ClaudeWeb
from shared.errors import BrokenOff
from tests.shared.backends.api import Waits
from tests.shared.backends.web import (
    CONVERSATION,
    answered,
    asking,
    branch,
    exchange,
    finished,
    first_word,
    lines_of,
    opened,
    told,
)

OURS = str(CONVERSATION)


async def die_asking(web: ClaudeWebSimulator, prompt: Prompt) -> None:
    """Ask, and let every connection drop after the first word, as they do when a process is killed: nothing is stopped."""
    async with opened(web) as backend:
        begun = asyncio.Event()

        async def listen(backend: ClaudeWeb) -> None:
            async with backend.answer(prompt) as answers:
                async for answer in answers:
                    if isinstance(answer, Delta):
                        begun.set()

        listening = asyncio.create_task(listen(backend))
        await begun.wait()
        stops = len(web.calls.matching("POST", "stop_response"))
        await backend.aclose()
        with pytest.raises(BrokenOff):
            await listening
        await web.ended(len(web.asked()))
        assert len(web.calls.matching("POST", "stop_response")) == stops


def answers_in(web: ClaudeWebSimulator) -> Sequence[str]:
    return [message.text for message in web.conversations[OURS].messages.values() if message.sender == "assistant"]


def taken(web: ClaudeWebSimulator) -> int:
    """How many completions were made: one that only finds the conversation there is none."""
    return len([call for call in web.asked() if call.status == 200])


async def test_an_answer_that_came_to_its_end_upstream_is_adopted_and_not_asked_for_again() -> None:
    async with ClaudeWebSimulator() as web:
        async with opened(web) as backend:
            zero = await finished(backend, asking("zero"))
        history = exchange("zero", zero)
        web.script(Script(text="one two three four", deltas=4, seconds=0.15, stored="whole"))
        await die_asking(web, asking("count", *history, turn=2))
        await web.wait_for(lambda: "one two three four" in answers_in(web))
        async with opened(web) as backend:
            answers = await answered(backend, asking("count", *history, turn=2, attempt=2, crashes=1))
            *_, end = answers
            assert isinstance(end, Finished)
            assert end.text == "one two three four" == "".join(each.text for each in answers if isinstance(each, Delta))
            assert len(web.asked()) == 2
            await finished(backend, asking("next", *history, *exchange("count", end), turn=3))
            assert told(web)[2:] == [("human", "count"), ("assistant", end.text), ("human", "next")]


async def test_an_answer_that_nobody_stored_is_adopted_with_the_same_blocks() -> None:
    async with ClaudeWebSimulator() as web:
        async with opened(web) as backend:
            lost = await finished(backend, asking("one"))
        async with opened(web) as backend:
            assert await finished(backend, asking("one", attempt=2, crashes=1)) == lost
        async with opened(web) as backend:
            assert await finished(backend, asking("one", attempt=3, crashes=2)) == lost
        assert len(web.asked()) == 1


@pytest.mark.parametrize("stored", ["partial", "human", "nothing"])
async def test_an_answer_that_is_not_whole_is_asked_for_again_beside_it(stored: Stored) -> None:
    async with ClaudeWebSimulator() as web:
        async with opened(web) as backend:
            zero = await finished(backend, asking("zero"))
        history = exchange("zero", zero)
        web.script(Script(text="one two three four", deltas=4, seconds=60, stored=stored))
        await die_asking(web, asking("count", *history, turn=2))
        async with opened(web) as backend:
            end = await finished(backend, asking("count", *history, turn=2, attempt=2, crashes=1))
            assert end.text == "You said: count"
            await finished(backend, asking("next", *history, *exchange("count", end), turn=3))
        assert told(web) == [
            ("human", "zero"), ("assistant", zero.text), ("human", "count"), ("assistant", end.text), ("human", "next"),
        ]  # fmt: skip


@pytest.mark.parametrize("stored", ["partial", "human", "nothing"])
async def test_a_first_question_that_broke_off_is_asked_again_wherever_it_left_the_conversation(stored: Stored) -> None:
    async with ClaudeWebSimulator() as web:
        web.script(Script(text="one two three four", deltas=4, seconds=60, stored=stored))
        await die_asking(web, asking("count"))
        async with opened(web) as backend:
            end = await finished(backend, asking("count", attempt=2, crashes=1))
            await finished(backend, asking("next", *exchange("count", end), turn=2))
        assert told(web) == [("human", "count"), ("assistant", "You said: count"), ("human", "next")]
        assert list(web.conversations) == [OURS]


async def test_an_answer_that_is_still_being_made_for_nobody_is_stopped() -> None:
    async with ClaudeWebSimulator() as web:
        web.script(Script(text="one two three four", deltas=4, seconds=60, stored="whole"))
        await die_asking(web, asking("count"))
        async with opened(web) as backend:
            assert (await finished(backend, asking("count", attempt=2, crashes=1))).text == "You said: count"
        (stop,) = web.calls.matching("POST", "stop_response")
        assert stop.arrived_mono <= web.asked()[-1].arrived_mono


async def test_a_retry_after_a_restart_is_answered_anew() -> None:
    async with ClaudeWebSimulator() as web:
        async with opened(web) as backend:
            web.script(Script(text="the first answer"))
            await finished(backend, asking("one"))
        async with opened(web) as backend:
            assert (await finished(backend, asking("one", attempt=2))).text == "You said: one"
        assert taken(web) == 2


async def test_a_retry_that_a_crash_ends_is_never_given_the_answer_that_it_is_to_replace() -> None:
    async with ClaudeWebSimulator() as web:
        async with opened(web) as backend:
            web.script(Script(text="the first answer"))
            await finished(backend, asking("one"))
        web.script(Script(text="the second answer", deltas=4, seconds=60, stored="partial"))
        await die_asking(web, asking("one", attempt=2))
        async with opened(web) as backend:
            assert (await finished(backend, asking("one", attempt=3, crashes=1))).text == "You said: one"
            assert (await finished(backend, asking("one", attempt=4))).text == "You said: one"
        assert taken(web) == 4


async def test_a_retry_whose_answer_was_whole_when_a_crash_ended_it_is_given_that_answer() -> None:
    async with ClaudeWebSimulator() as web:
        async with opened(web) as backend:
            web.script(Script(text="the first answer"))
            await finished(backend, asking("one"))
            web.script(Script(text="the second answer"))
            await finished(backend, asking("one", attempt=2))
        async with opened(web) as backend:
            assert (await finished(backend, asking("one", attempt=3, crashes=1))).text == "the second answer"
        assert taken(web) == 2


async def test_a_retry_that_dies_before_it_asks_is_not_given_the_answer_that_it_is_to_replace() -> None:
    async with ClaudeWebSimulator() as web:
        async with opened(web) as backend:
            web.script(Script(text="the first answer"))
            await finished(backend, asking("one"))
        async with opened(web) as backend:
            assert (await finished(backend, asking("one", attempt=3, crashes=1))).text == "You said: one"


async def test_only_an_answer_to_the_same_question_is_adopted() -> None:
    async with ClaudeWebSimulator() as web:
        async with opened(web) as backend:
            await finished(backend, asking("one"))
        async with opened(web) as backend:
            assert (await finished(backend, asking("won", attempt=2, crashes=1))).text == "You said: won"
        assert len(web.asked()) == 2


async def test_another_question_of_the_same_turn_does_not_keep_an_answer_from_being_adopted() -> None:
    async with ClaudeWebSimulator() as web:
        async with opened(web) as backend:
            one = await finished(backend, asking("one"))
            lost = await finished(backend, asking("two", *exchange("one", one), turn=2))
        async with opened(web) as backend:
            await finished(backend, asking("Sum up our conversation.", *exchange("one", one), turn=2, attempt=2, crashes=1))
            assert await finished(backend, asking("two", *exchange("one", one), turn=2, attempt=2, crashes=1)) == lost


async def test_an_answer_is_adopted_from_the_conversation_that_took_a_lost_ones_place() -> None:
    async with ClaudeWebSimulator() as web:
        async with opened(web) as backend:
            one = await finished(backend, asking("one"))
        web.lose(OURS)
        history = exchange("one", one)
        async with opened(web) as backend:
            lost = await finished(backend, asking("two", *history, turn=2))
        async with opened(web) as backend:
            assert await finished(backend, asking("two", *history, turn=2, attempt=2, crashes=1)) == lost
        assert len(web.conversations) == 1


async def test_a_request_whose_fate_is_unknown_is_looked_up_before_it_is_made_again() -> None:
    async with ClaudeWebSimulator() as web:
        waits = Waits()
        async with opened(web, waits=waits) as backend:
            web.script(Script(text="it was there", cut_before=True, stored="whole"))
            answers = await answered(backend, asking("one"))
        assert [type(each) for each in answers[:1]] == [Retrying]
        assert end_of(answers).text == "it was there"
        assert len(web.asked()) == 1
        assert len(waits.seconds) == 1


def end_of(answers: Sequence[object]) -> Finished:
    end = answers[-1]
    assert isinstance(end, Finished)
    return end


async def test_a_try_that_came_to_nothing_is_followed_by_one_with_another_name() -> None:
    async with ClaudeWebSimulator() as web, opened(web) as backend:
        web.script(Script(ending="cut", after=0, stored="human"))
        web.script(Script(status=529))
        answers = await answered(backend, asking("one"))
        assert [type(each) for each in answers if isinstance(each, Retrying)] == [Retrying, Retrying]
        assert told(web) == [("human", "one")]
        assert len({call.notes["human"] for call in web.asked()}) == 3


async def test_a_question_that_was_left_does_not_stop_the_next_one() -> None:
    async with ClaudeWebSimulator() as web, opened(web) as backend:
        web.script(Script(words=50, deltas=50, seconds=60))
        web.faults.set(Rule("slow", path="stop_response", seconds=0.1))
        await first_word(backend, asking("count"))
        end = await finished(backend, asking("count", attempt=2))
        assert end.text == "You said: count"
        assert lines_of(branch(web)[-1]) == [("user", "count")]
        assert len(web.calls.matching("POST", "stop_response")) == 1
