"""The edge's refusal: told apart from all others, never tried again, and held back for a while."""

import asyncio
import logging

import pytest

from sandbox.claude_web import ClaudeWebSimulator, Script
from sandbox.faults import Rule
from shared.claude_web import BlockedError, Breaker, ClaudeWebAPIError, PermissionDeniedError, TurnIds
from tests.shared.claude_web.house import Clock, answering, connected, first


async def test_the_edges_page_is_its_own_error_and_no_further_call_is_made() -> None:
    async with ClaudeWebSimulator() as web, connected(web) as client:
        web.block()
        before = len(web.calls)
        with pytest.raises(BlockedError, match="does not try to get past") as raised:
            await client.generate_content("Hello!")
        assert raised.value.status_code == 403
        assert raised.value.retry_after == pytest.approx(900, abs=5)
        assert len(web.calls) == before + 1
        for _ in range(5):
            with pytest.raises(BlockedError, match="held back") as held:
                await client.list_conversations()
            assert held.value.status_code is None
        assert len(web.calls) == before + 1


@pytest.mark.parametrize(
    ("status", "body", "headers"),
    [
        (403, "<html>Just a moment...</html>", {"Content-Type": "text/html"}),
        (403, "", {}),
        (403, "error code: 1020", {"Content-Type": "text/plain"}),
        (503, "<html></html>", {"cf-mitigated": "challenge"}),
        (200, "<html></html>", {"cf-mitigated": "challenge"}),
        (403, '{"error":{"type":"permission_error","message":"We are unable to serve your request"}}', {}),
    ],
)
async def test_what_comes_from_the_edge(status: int, body: str, headers: dict[str, str]) -> None:
    async with answering(status, body, headers) as client:
        with pytest.raises(BlockedError):
            await client.list_conversations()


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (403, '{"error":{"type":"permission_error","message":"This model isn\'t available right now"}}'),
        (403, '{"error":{"type":"permission_error","message":"Invalid authorization for organization"}}'),
        (502, "<html>Bad gateway</html>"),
        (404, "<html></html>"),
    ],
)
async def test_what_comes_from_claude_itself_holds_nothing_back(status: int, body: str) -> None:
    breaker = Breaker()
    async with answering(status, body, breaker=breaker) as client:
        with pytest.raises(ClaudeWebAPIError) as raised:
            await client.list_conversations()
    assert not isinstance(raised.value, BlockedError)
    assert isinstance(raised.value, PermissionDeniedError) == (status == 403)
    assert not breaker.open


async def test_after_the_pause_one_call_tries_and_success_lets_all_through() -> None:
    clock = Clock()
    async with ClaudeWebSimulator() as web, connected(web, breaker=Breaker(100, clock=clock)) as client:
        web.block()
        with pytest.raises(BlockedError):
            await client.list_conversations()
        clock.pass_by(99)
        with pytest.raises(BlockedError, match="held back"):
            await client.list_conversations()
        web.block(False)
        clock.pass_by(1)
        web.faults.set(Rule("slow", moment="before", path="chat_conversations", seconds=0.05))
        results = await asyncio.gather(*(client.list_conversations() for _ in range(4)), return_exceptions=True)
        assert [isinstance(result, BlockedError) for result in results] == [False, True, True, True]
        await client.list_conversations()


async def test_each_block_of_a_trial_doubles_the_pause_up_to_the_longest() -> None:
    clock = Clock()
    async with ClaudeWebSimulator() as web, connected(web, breaker=Breaker(100, 300, clock=clock)) as client:
        web.block()
        pauses: list[float | None] = []
        for _ in range(4):
            with pytest.raises(BlockedError) as raised:
                await client.list_conversations()
            pauses.append(raised.value.retry_after)
            clock.pass_by(raised.value.retry_after or 0)
        assert pauses == [100, 200, 300, 300]
        web.block(False)
        await client.list_conversations()
        web.block()
        with pytest.raises(BlockedError) as raised:
            await client.list_conversations()
        assert raised.value.retry_after == 100


async def test_a_trial_that_fails_otherwise_lets_another_try() -> None:
    clock = Clock()
    async with ClaudeWebSimulator() as web, connected(web, breaker=Breaker(100, clock=clock)) as client:
        web.block()
        with pytest.raises(BlockedError):
            await client.list_conversations()
        web.block(False)
        clock.pass_by(100)
        web.faults.set(Rule("reset", path="chat_conversations", times=None))
        for _ in range(2):
            with pytest.raises(ClaudeWebAPIError) as raised:
                await client.list_conversations()
            assert not isinstance(raised.value, BlockedError)
        web.faults.clear()
        await client.list_conversations()


async def test_an_answer_from_before_the_block_does_not_end_it() -> None:
    async with ClaudeWebSimulator() as web, connected(web) as client:
        web.default = Script(text="one two three", deltas=3, seconds=0.05)
        stream = client.generate_content_stream("Hello!")
        await first(stream)
        web.block()
        with pytest.raises(BlockedError):
            await client.list_conversations()
        assert [state async for state in stream][-1].text == "one two three"
        web.block(False)
        with pytest.raises(BlockedError, match="held back"):
            await client.list_conversations()


async def test_the_block_is_logged_for_the_operator(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    async with ClaudeWebSimulator() as web, connected(web) as client:
        web.block()
        for _ in range(3):
            with pytest.raises(BlockedError):
                await client.list_conversations()
    assert [record.getMessage() for record in caplog.records] == ["claude.ai's edge answered 403: no calls for 900 s"]


async def test_a_first_message_that_was_held_back_begins_the_conversation_later() -> None:
    clock = Clock()
    async with ClaudeWebSimulator() as web, connected(web, breaker=Breaker(100, clock=clock)) as client:
        chat = client.start_chat()
        web.block()
        for _ in range(2):
            with pytest.raises(BlockedError):
                await chat.send_message("first")
        web.block(False)
        clock.pass_by(100)
        assert (await chat.send_message("second")).text == "You said: second"


async def test_a_call_from_before_the_block_that_gets_through_later_does_not_end_it() -> None:
    async with ClaudeWebSimulator() as web, connected(web) as client:
        web.faults.set(Rule("slow", method="POST", moment="after", path="chat_conversations", seconds=0.05))
        early = asyncio.create_task(client.ensure_conversation(TurnIds.new().human))
        await web.wait_for(lambda: web.conversations)
        web.block()
        with pytest.raises(BlockedError):
            await client.list_conversations()
        assert await early
        web.block(False)
        with pytest.raises(BlockedError, match="held back"):
            await client.list_conversations()


def test_a_late_block_after_the_pause_begins_a_new_one() -> None:
    clock = Clock()
    breaker = Breaker(100, clock=clock)
    assert breaker.blocked(403, trial=False).retry_after == 100
    clock.pass_by(40)
    assert breaker.blocked(403, trial=False).retry_after == 60
    clock.pass_by(60)
    assert breaker.blocked(403, trial=False).retry_after == 100
