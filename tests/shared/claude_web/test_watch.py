"""The limits in time of a streamed answer: for its head, between its pieces, for the whole of it."""

import pytest

from sandbox.claude_web import ClaudeWebSimulator, Script
from sandbox.faults import Rule
from shared.claude_web import TimeoutError as TooLong
from shared.claude_web import Timeouts
from tests.shared.claude_web.house import connected, first


async def test_an_answer_whose_head_does_not_come_is_a_timeout() -> None:
    async with ClaudeWebSimulator() as web, connected(web, timeouts=Timeouts(silence=0.1)) as client:
        web.faults.set(Rule("hang", path="completion"))
        with pytest.raises(TooLong):
            await client.generate_content("Hello!")


async def test_an_answer_is_not_silent_while_nobody_waits_for_it() -> None:
    async with ClaudeWebSimulator() as web, connected(web, timeouts=Timeouts(silence=4.0)) as client:
        web.script(Script(text="one two", deltas=2, seconds=6.0))
        stream = client.generate_content_stream("Hello!")
        states = [await first(stream)]
        await web.ended(timeout=20)
        states += [state async for state in stream]
        assert states[-1].text == "one two"


async def test_an_answer_that_comes_in_small_pieces_may_take_longer_than_a_silence() -> None:
    async with ClaudeWebSimulator() as web, connected(web, timeouts=Timeouts(silence=4.0)) as client:
        web.script(Script(words=40, deltas=40, seconds=6.0))
        assert len((await client.generate_content("Hello!")).text.split()) == 40


async def test_an_answer_that_goes_on_for_too_long_is_a_timeout_with_all_its_signs_of_life() -> None:
    async with ClaudeWebSimulator() as web, connected(web, timeouts=Timeouts(answer=3.0)) as client:
        web.script(Script(text="one two", deltas=2, ending="silence", after=1, pings=0.2))
        with pytest.raises(TooLong, match="longer than allowed"):
            await client.generate_content("Hello!")
