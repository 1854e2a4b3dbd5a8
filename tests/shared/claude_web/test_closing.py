"""Closing the client while something is under way: it ends at once with NetworkError, wherever it stands."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from sandbox.claude_web import ClaudeWebSimulator, Script
from sandbox.faults import Rule
from shared.claude_web import ClaudeClient, File, NetworkError, NotInitialisedError
from tests.shared.claude_web.house import ORGANIZATION, first, serving, settled

SLOW = Script(text="one two three four", deltas=4, ending="silence", after=2)
CONVERSATION = "00000000-0000-4000-8000-00000000cafe"
AT_ONCE = 5.0
"""Seconds, for a busy machine. Every limit of the client's own is longer."""


async def ends(under_way: Awaitable[Any]) -> None:
    """Check that it ends, and how."""
    async with asyncio.timeout(AT_ONCE):
        with pytest.raises(NetworkError):
            await under_way


class Deaf(asyncio.Protocol):
    """Takes a connection, reads the first bytes at the most, and says nothing."""

    def __init__(self) -> None:
        self.came = asyncio.Event()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.pause_reading()
        self.came.set()

    def hang_up(self) -> None:
        if self._transport is not None:
            self._transport.abort()


@asynccontextmanager
async def deaf() -> AsyncGenerator[tuple[int, Deaf]]:
    """A server for one connection; gives its port."""
    protocol = Deaf()
    server = await asyncio.get_running_loop().create_server(lambda: protocol, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1], protocol
    finally:
        protocol.hang_up()
        server.close()


async def opened(claude: ClaudeWebSimulator) -> ClaudeClient:
    client = ClaudeClient(claude.session_key, claude.organization, base_url=claude.url)
    await client.init()
    return client


async def test_a_reader_that_waits_for_more_of_a_stream_is_told() -> None:
    async with ClaudeWebSimulator() as claude:
        claude.script(SLOW)
        client = await opened(claude)
        stream = client.generate_content_stream("Hello!")
        await first(stream)
        reading = asyncio.create_task(anext(stream))
        await settled()
        while reading.done():
            reading = asyncio.create_task(anext(stream))
            await settled()
        await client.close()
        await ends(reading)
        await claude.ended()


async def test_a_reader_that_is_busy_with_something_else_is_told_when_it_reads_on() -> None:
    async with ClaudeWebSimulator() as claude:
        claude.script(SLOW)
        client = await opened(claude)
        stream = client.generate_content_stream("Hello!")
        await first(stream)
        await client.close()

        async def read_on() -> None:
            async for _ in stream:
                pass

        await ends(read_on())


async def test_a_whole_answer_that_is_waited_for_is_told() -> None:
    async with ClaudeWebSimulator() as claude:
        claude.script(SLOW)
        client = await opened(claude)
        asking = asyncio.create_task(client.generate_content("Hello!"))
        await claude.wait_for(lambda: claude.asked() and len(claude.asked()[0].notes.get("deltas", ())) == 2)
        await client.close()
        await ends(asking)


async def test_an_answer_that_was_whole_stays_good() -> None:
    async with ClaudeWebSimulator() as claude:
        claude.faults.set(Rule("hang", moment="after", path="completion"))
        client = await opened(claude)
        stream = client.generate_content_stream("Hello!")
        async for state in stream:
            if state.whole:
                await client.close()
                break
        async with asyncio.timeout(AT_ONCE):
            assert [state async for state in stream] == []


async def test_a_download_is_told() -> None:
    async def begin(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"a beginning")
        await asyncio.Event().wait()
        return response

    async with serving(begin) as url:
        client = ClaudeClient("sk-test", ORGANIZATION, base_url=url)
        await client.init()
        pieces = client.open_file(CONVERSATION, "big.bin")
        assert await anext(pieces) == b"a beginning"
        reading = asyncio.create_task(anext(pieces))
        await settled()
        await client.close()
        await ends(reading)


async def test_an_upload_that_nobody_takes_is_told() -> None:
    async with deaf() as (port, server):
        client = ClaudeClient("sk-test", ORGANIZATION, base_url=f"http://127.0.0.1:{port}")
        await client.init()
        uploading = asyncio.create_task(client.upload_file(CONVERSATION, File(bytes(8_000_000), "big.bin")))
        await server.came.wait()
        await settled()
        await client.close()
        await ends(uploading)


async def test_a_connection_that_does_not_come_about_is_told() -> None:
    async with deaf() as (port, server):
        client = ClaudeClient("sk-test", ORGANIZATION, base_url=f"https://127.0.0.1:{port}")
        await client.init()
        listing = asyncio.create_task(client.list_conversations())
        await server.came.wait()
        await client.close()
        await ends(listing)


async def test_many_are_told_at_once_and_the_client_can_be_opened_again() -> None:
    async with ClaudeWebSimulator() as claude:
        claude.default = SLOW
        client = await opened(claude)
        asking = [asyncio.create_task(client.generate_content(f"Hello {number}!")) for number in range(20)]
        await claude.wait_for(lambda: len([call for call in claude.asked() if call.notes.get("deltas")]) == 20)
        await client.close()
        for each in asking:
            await ends(each)
        with pytest.raises(NotInitialisedError):
            await client.list_conversations()
        claude.default = Script()
        await client.init()
        assert (await client.generate_content("Hello!")).text == "You said: Hello!"
        await client.close()
