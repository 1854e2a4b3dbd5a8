"""The idle close: every activity puts it off, nothing under way is hurt, and the next call opens again."""

import pytest

from sandbox.claude_web import ClaudeWebSimulator, Script
from shared.claude_web import ClaudeClient
from tests.shared.claude_web.house import Clock, first, settled


async def opened(web: ClaudeWebSimulator, clock: Clock) -> ClaudeClient:
    client = ClaudeClient(web.session_key, web.organization, base_url=web.url, later=clock.later)
    await client.init(auto_close=True, close_delay=300)
    return client


async def test_an_idle_session_is_closed_and_opens_again_by_itself() -> None:
    clock = Clock()
    async with ClaudeWebSimulator() as web:
        client = await opened(web, clock)
        for _ in range(3):
            await client.generate_content("Hello!")
            assert client.connected
            clock.pass_by(300)
            assert not client.connected
        await client.close()
        assert len({call.notes["port"] for call in web.calls}) == 3


async def test_every_activity_puts_the_close_off() -> None:
    clock = Clock()
    async with ClaudeWebSimulator() as web:
        client = await opened(web, clock)
        chat = client.start_chat()
        await chat.send_message("Hello!")
        web.put_file(chat.cid, "/data/f.txt", b"x")
        activities = [
            lambda: chat.send_message("Hello!"),
            client.list_conversations,
            lambda: client.upload_file(chat.cid, b"x"),
            lambda: client.stop_response(chat.cid),
            lambda: client.rename_conversation(chat.cid, "x"),
            lambda: anext(client.open_file(chat.cid, "/data/f.txt")),
            chat.delete,
        ]
        for activity in activities:
            clock.pass_by(299)
            assert client.connected
            await activity()
        await settled()
        clock.pass_by(299)
        assert client.connected
        clock.pass_by(1)
        assert not client.connected
        await client.close()


async def test_a_stream_is_never_closed_however_long_it_takes() -> None:
    clock = Clock()
    async with ClaudeWebSimulator() as web:
        client = await opened(web, clock)
        web.default = Script(text="one two three four", deltas=4, seconds=0.2)
        stream = client.generate_content_stream("Hello!")
        await first(stream)
        await client.list_conversations()
        clock.pass_by(10_000)
        assert client.connected
        rest = [state async for state in stream]
        assert rest[-1].text == "one two three four"
        clock.pass_by(299)
        assert client.connected
        clock.pass_by(1)
        assert not client.connected
        await client.close()


async def test_without_auto_close_an_idle_session_stays() -> None:
    clock = Clock()
    async with ClaudeWebSimulator() as web:
        client = ClaudeClient(web.session_key, base_url=web.url, later=clock.later)
        await client.init()
        clock.pass_by(1_000_000)
        assert client.connected
        await client.close()


async def test_a_closed_client_puts_nothing_off() -> None:
    clock = Clock()
    async with ClaudeWebSimulator() as web:
        client = await opened(web, clock)
        await client.generate_content("Hello!")
        await client.close()
        clock.pass_by(1000)
        assert not client.connected


async def test_on_the_real_loop_the_close_comes_too() -> None:
    async with ClaudeWebSimulator() as web:
        client = ClaudeClient(web.session_key, web.organization, base_url=web.url)
        await client.init(auto_close=True, close_delay=0.01)
        await client.generate_content("Hello!")
        call = web.calls.matching("POST", "completion")[0]
        port = call.notes["port"]
        while client.connected:
            await settled()
        await client.generate_content("Hello again!")
        assert web.asked()[-1].notes["port"] != port
        await client.close()


@pytest.mark.parametrize("wrong", [{"close_delay": 0}, {"timeout": 0}])
async def test_times_that_are_none_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="above 0"):
        await ClaudeClient("sk-test").init(**wrong)  # pyright: ignore[reportArgumentType] # wrong on purpose


async def test_the_delay_counts_from_the_end_of_the_last_call_of_several() -> None:
    clock = Clock()
    async with ClaudeWebSimulator() as web:
        client = await opened(web, clock)
        web.default = Script(text="one two three four", deltas=4, seconds=0.1)
        stream = client.generate_content_stream("Hello!")
        await first(stream)
        await client.list_conversations()
        clock.pass_by(299)
        assert [state async for state in stream][-1].whole
        clock.pass_by(299)
        assert client.connected
        clock.pass_by(1)
        assert not client.connected
        await client.close()
