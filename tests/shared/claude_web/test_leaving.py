"""Leaving an answer in the middle: it is stopped upstream, and nothing stays open."""

import asyncio
import gc
import warnings

import pytest

from sandbox.claude_web import ClaudeWebSimulator, Script
from sandbox.faults import Rule
from shared.claude_web import ClaudeClient, Timeouts
from shared.claude_web import TimeoutError as TooLong
from tests.shared.claude_web.house import connected, first

SLOW = Script(text="one two three four", deltas=4, ending="silence", after=2)


async def test_closing_a_stream_early_stops_the_answer() -> None:
    async with ClaudeWebSimulator() as web, connected(web) as client:
        chat = client.start_chat()
        web.script(SLOW)
        stream = chat.send_message_stream("Hello!")
        await first(stream)
        await stream.aclose()
        assert (await web.ended()).notes["outcome"] in ("disconnected", "stopped")
        await web.wait_for(lambda: web.calls.matching("POST", "stop_response"))
        assert (await chat.send_message("next")).text == "You said: next"
        assert len(web.calls.matching("POST", "stop_response")) == 1


async def test_a_cancelled_answer_is_stopped_and_its_connection_closed() -> None:
    async with ClaudeWebSimulator() as web, connected(web) as client:
        web.script(SLOW)
        asking = asyncio.create_task(client.generate_content("Hello!"))
        await web.wait_for(lambda: web.asked() and web.asked()[0].notes.get("deltas"))
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        await web.ended()
        await web.wait_for(lambda: web.calls.matching("POST", "stop_response"))


async def test_an_answer_that_takes_too_long_is_stopped() -> None:
    async with ClaudeWebSimulator() as web, connected(web, timeouts=Timeouts(silence=0.05)) as client:
        web.script(SLOW)
        with pytest.raises(TooLong):
            await client.generate_content("Hello!")
        await web.wait_for(lambda: web.calls.matching("POST", "stop_response"))


async def test_a_whole_answer_is_not_stopped() -> None:
    async with ClaudeWebSimulator() as web:
        async with connected(web) as client:
            async for state in client.generate_content_stream("Hello!"):
                if state.whole:
                    break
            await client.generate_content("Hello!")
        assert web.calls.matching("POST", "stop_response") == []


async def test_a_next_message_waits_until_the_stop_is_done_so_that_it_is_not_stopped_itself() -> None:
    async with ClaudeWebSimulator() as web, connected(web) as client:
        chat = client.start_chat()
        await chat.send_message("first")
        web.script(SLOW)
        web.faults.set(Rule("slow", path="stop_response", seconds=0.1))
        stream = chat.send_message_stream("second")
        await first(stream)
        await stream.aclose()
        await chat.send_message("third")
        (stop,) = web.calls.matching("POST", "stop_response")
        assert stop.ended_mono is not None
        assert stop.ended_mono <= web.asked()[-1].arrived_mono


async def test_a_stop_that_fails_holds_nothing_up() -> None:
    async with ClaudeWebSimulator() as web, connected(web) as client:
        chat = client.start_chat()
        web.script(SLOW)
        web.faults.set(Rule("status", path="stop_response", status=500))
        stream = chat.send_message_stream("Hello!")
        await first(stream)
        await stream.aclose()
        assert (await chat.send_message("next")).text == "You said: next"


async def test_many_cancelled_answers_leave_no_request_no_task_and_no_session() -> None:
    async with ClaudeWebSimulator() as web:
        web.default = Script(words=60, seconds=0.3, wait=0.02)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            async with connected(web) as client:
                for delay in range(12):
                    asking = asyncio.create_task(client.generate_content("Hello!"))
                    await web.wait_for(lambda: len(web.asked()) > delay)  # noqa: B023 - called at once
                    for _ in range(delay * 3):
                        await asyncio.sleep(0)
                    asking.cancel()
                    with pytest.raises(asyncio.CancelledError):
                        await asking
            assert not client.connected
            gc.collect()
            others = asyncio.all_tasks() - {asyncio.current_task()}
            assert [task for task in others if "/shared/claude_web/" in repr(task.get_stack())] == []


async def test_a_client_that_is_closed_with_a_stream_left_open_leaves_nothing_behind() -> None:
    async with ClaudeWebSimulator() as web:
        web.script(SLOW)
        client = ClaudeClient(web.session_key, web.organization, base_url=web.url)
        await client.init()
        stream = client.generate_content_stream("Hello!")
        await first(stream)
        await client.close()
        await stream.aclose()
        await client.close()
        assert not client.connected
        await web.ended()


async def test_an_answer_whose_connection_stays_open_after_its_end_is_given_at_once() -> None:
    async with ClaudeWebSimulator() as web, connected(web) as client:
        web.faults.set(Rule("hang", moment="after", path="completion"))
        async for state in client.generate_content_stream("Hello!"):
            if state.whole:
                assert state.text == "You said: Hello!"
                break
        else:
            raise AssertionError("no whole answer came")


async def test_connections_are_used_again() -> None:
    async with ClaudeWebSimulator() as web, connected(web) as client:
        chat = client.start_chat()
        for _ in range(5):
            await chat.send_message("Hello!")
        assert len({call.notes["port"] for call in web.calls}) == 1


async def test_a_connection_whose_end_comes_a_little_after_the_answer_is_used_again() -> None:
    async with ClaudeWebSimulator() as web, connected(web) as client:
        web.faults.set(Rule("slow", moment="after", path="completion", seconds=0.02, times=None))
        for _ in range(3):
            await client.generate_content("Hello!")
        assert len({call.notes["port"] for call in web.calls}) == 1


async def test_a_stream_that_is_left_until_after_the_client_was_closed_asks_for_no_stop() -> None:
    async with ClaudeWebSimulator() as web:
        web.script(SLOW)
        async with connected(web) as client:
            stream = client.generate_content_stream("Hello!")
            await first(stream)
        await stream.aclose()
        await web.ended()
        assert web.calls.matching("POST", "stop_response") == []
