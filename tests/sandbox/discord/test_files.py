import base64
import io
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import discord
import pytest
from discord.http import Route
from yarl import URL

from sandbox.discord import Simulator, SimulatorConfig
from sandbox.discord.cdn import Spoil
from sandbox.discord.defaults import CHANNELS
from sandbox.faults import Rule
from tests.sandbox.discord.library import Client, Start, connected
from tests.sandbox.discord.talking import Clock, Interaction, talking

MIB = 1024 * 1024


def given(data: bytes = b"hello", name: str = "a.txt", **fields: Any) -> dict[str, Any]:
    return {"name": name, "content_base64": base64.b64encode(data).decode()} | fields


def file(data: bytes = b"hello", name: str = "a.txt", **fields: Any) -> discord.File:
    return discord.File(io.BytesIO(data), name, **fields)


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def fetched(session: aiohttp.ClientSession, url: str) -> tuple[int, bytes]:
    async with session.get(url, allow_redirects=False) as response:
        return response.status, await response.read()


# what people attach


async def test_what_is_told_of_a_file(simulator: Simulator, client: Client) -> None:
    picture = given(b"not really", "a b.png", width=3, height=2, description="a dot")
    await simulator.say("user1", "general", "look", attachments=[picture, {"name": "x.bin", "size": 7}])
    first, second = (await client.hears("look")).attachments
    assert (first.filename, first.title, first.content_type) == ("a_b.png", "a b", "image/png")
    assert (first.width, first.height, first.size, first.description) == (3, 2, 10, "a dot")
    assert await first.read() == b"not really"
    assert (second.content_type, await second.read()) == ("application/octet-stream", bytes(7))
    assert simulator.sees("user2", "general")[-1]["attachments"] == ["a_b.png", "x.bin"]


async def test_an_address_expires_and_a_fresh_one_comes_with_the_message(start: Start, session: aiohttp.ClientSession) -> None:
    clock = Clock()
    async with start(SimulatorConfig(clock=clock, file_lifetime=100)) as simulator, connected() as client:
        await simulator.say("user1", "general", "look", attachments=[given()])
        message = await client.hears("look")
        old = message.attachments[0].url
        query = URL(old).query
        assert int(query["ex"], 16) - int(query["is"], 16) == 100
        clock.now += 99
        assert await fetched(session, old) == (200, b"hello")
        clock.now += 1
        assert await fetched(session, old) == (404, b"This content is no longer available.")
        with pytest.raises(discord.NotFound):
            await message.attachments[0].read()
        fresh = await client.text_channel().fetch_message(message.id)
        assert fresh.attachments[0].url != old
        assert await fresh.attachments[0].read() == b"hello"


async def test_an_address_that_was_tampered_with_is_no_good(simulator: Simulator, session: aiohttp.ClientSession) -> None:
    said = await simulator.say("user1", "general", "look", attachments=[given()])
    url = said["attachments"][0]["url"]
    assert (await fetched(session, url))[0] == 200
    for wrong in (url.split("?")[0], url.replace("ex=", "ex=f"), url.replace("hm=", "hm=0"), url.replace("a.txt", "b.txt")):
        assert await fetched(session, wrong) == (404, b"This content is no longer available.")


async def test_files_and_their_addresses_outlive_a_restart(tmp_path: Path, session: aiohttp.ClientSession) -> None:
    config = SimulatorConfig(state=tmp_path / "state")
    async with Simulator(config) as simulator:
        said = await simulator.say("user1", "general", "look", attachments=[given()])
    async with Simulator(config) as simulator:
        url = simulator.message(said["id"])["attachments"][0]["url"]
        assert await fetched(session, url) == (200, b"hello")


# downloads that go wrong


async def attached(simulator: Simulator, data: bytes = b"hello", **spoil: Any) -> str:
    said = await simulator.say("user1", "general", "look", attachments=[given(data)])
    await simulator.spoil(Spoil(**spoil))
    return str(said["attachments"][0]["url"])


async def test_a_body_can_be_slow(simulator: Simulator, session: aiohttp.ClientSession) -> None:
    url = await attached(simulator, kind="slow", piece=1, seconds=0.02)
    async with session.get(url) as response:
        assert [await response.content.readany() for _ in range(5)] == [b"h", b"e", b"l", b"l", b"o"]
    assert await fetched(session, url) == (200, b"hello")


async def test_a_body_can_be_cut(simulator: Simulator, session: aiohttp.ClientSession) -> None:
    url = await attached(simulator, kind="cut", after=2)
    async with session.get(url) as response:
        assert response.content_length == 5
        with pytest.raises(aiohttp.ClientPayloadError):
            await response.read()


async def test_a_download_can_lead_elsewhere(simulator: Simulator, session: aiohttp.ClientSession) -> None:
    url = await attached(simulator, kind="redirect", location="http://elsewhere.example/x")
    async with session.get(url, allow_redirects=False) as response:
        assert (response.status, response.headers["Location"]) == (302, "http://elsewhere.example/x")


@pytest.mark.parametrize("declared", [3, 9])
async def test_a_length_can_be_a_lie(simulator: Simulator, session: aiohttp.ClientSession, declared: int) -> None:
    url = await attached(simulator, kind="length", declared=declared)
    async with session.get(url) as response:
        assert response.content_length == declared
        if declared < 5:
            assert await response.read() == b"hel"
        else:
            with pytest.raises(aiohttp.ClientPayloadError):
                await response.read()


@pytest.mark.parametrize("declared", [None, 0])
async def test_a_body_can_be_huge_and_is_never_held(
    simulator: Simulator, session: aiohttp.ClientSession, declared: int | None
) -> None:
    url = await attached(simulator, kind="huge", size=200 * MIB, declared=declared)
    async with session.get(url) as response:
        assert response.content_length == (200 * MIB if declared is None else None)
        count = 0
        async for piece in response.content.iter_any():
            count += len(piece)
            if count > 5 * MIB:
                break
    assert count < 10 * MIB
    await simulator.wait_for(lambda: simulator.calls.matching("GET", "/attachments")[-1].ended)


async def test_downloads_are_in_the_call_log_and_meet_ordinary_faults_too(
    simulator: Simulator, session: aiohttp.ClientSession
) -> None:
    url = await attached(simulator, kind="cut", name="other")
    await simulator.fault(Rule("status", path="/attachments/", status=503))
    assert (await fetched(session, url))[0] == 503
    # Twice: aiohttp itself tries a GET that was reset once more (aiohttp, client.py: retry_persistent_connection).
    await simulator.fault(Rule("reset", path="/attachments/", moment="after", times=2))
    with pytest.raises(aiohttp.ClientConnectionError):
        await fetched(session, url)
    assert (await fetched(session, url))[0] == 200
    log = simulator.calls.matching("GET", "/attachments/")
    assert [(call.status, call.fault) for call in log] == [(503, "status-before"), *[(None, "reset-after")] * 2, (200, None)]
    await simulator.clear_faults()


# what the bot uploads


async def test_the_bot_uploads_files_that_can_be_fetched(simulator: Simulator, client: Client) -> None:
    made = await client.text_channel().send("see", files=[file(), file(b"{}", "b.json", description="nothing")])
    assert [(each.filename, each.size) for each in made.attachments] == [("a.txt", 5), ("b.json", 2)]
    assert (made.attachments[1].description, made.attachments[0].content_type) == ("nothing", "text/plain; charset=utf-8")
    assert [await each.read() for each in made.attachments] == [b"hello", b"{}"]
    heard = await client.hears("see")
    assert await heard.attachments[0].read() == b"hello"


async def test_an_edit_replaces_the_list_of_files(simulator: Simulator, client: Client) -> None:
    made = await client.text_channel().send("see", files=[file(), file(b"2", "b.txt")])
    partial = client.text_channel().get_partial_message(made.id)
    assert len((await partial.edit(content="still")).attachments) == 2
    edited = await partial.edit(attachments=[made.attachments[1], file(b"3", "c.txt")])
    assert [each.filename for each in edited.attachments] == ["b.txt", "c.txt"]
    assert edited.attachments[0].id == made.attachments[1].id
    assert await edited.attachments[1].read() == b"3"
    assert (await partial.edit(attachments=[])).attachments == []


async def test_files_that_are_too_large_or_too_many_are_refused(start: Start) -> None:
    config = SimulatorConfig(file_limit=1000, request_limit=4000)
    async with start(config), connected() as client:
        channel = client.text_channel()
        await channel.send("fits", file=file(bytes(1000)))
        for files in ([file(bytes(1001))], [file(bytes(900)) for _ in range(5)]):
            with pytest.raises(discord.HTTPException) as refused:
                await channel.send("too large", files=files)
            assert (refused.value.status, refused.value.code) == (413, 40005)
        with pytest.raises(discord.HTTPException) as many:
            await _raw(client, 11)
        assert many.value.code == 50035


async def _raw(client: Client, count: int) -> None:
    """Past the library's own check of the count."""
    parts: list[dict[str, Any]] = [{"name": "payload_json", "value": json.dumps({"content": "x"})}]
    parts += [{"name": f"files[{each}]", "value": b"x", "filename": f"{each}.txt"} for each in range(count)]
    route = Route("POST", "/channels/{channel_id}/messages", channel_id=CHANNELS["general"])
    await client.http.request(route, form=parts, files=[])


async def test_ten_mebibytes_are_the_limit_unless_set_otherwise(simulator: Simulator, client: Client) -> None:
    made = await client.text_channel().send(file=file(bytes(10 * MIB), "big.bin"))
    assert made.attachments[0].size == 10 * MIB
    with pytest.raises(discord.HTTPException) as refused:
        await client.text_channel().send(file=file(bytes(10 * MIB + 1), "big.bin"))
    assert refused.value.code == 40005


async def test_without_permission_no_file_is_taken(simulator: Simulator, client: Client) -> None:
    await simulator.permissions("general", deny=["attach_files"])
    with pytest.raises(discord.Forbidden) as refused:
        await client.text_channel().send("see", file=file())
    assert refused.value.code == 50013


async def test_answers_to_interactions_carry_files(simulator: Simulator) -> None:
    async def answer(interaction: Interaction) -> None:
        await interaction.response.send_message("one", file=file(b"1"))
        alone = await interaction.followup.send("two", file=file(b"2"), ephemeral=True, wait=True)
        assert alone.attachments[0].ephemeral
        await interaction.edit_original_response(attachments=[file(b"3", "c.txt")])

    async with talking(simulator, answer) as talker:
        await simulator.call("user1", "ask", "general", {"text": "x"})
        await talker.next()
        shown = simulator.sees("user1", "general")
        assert [(each["text"], each["attachments"]) for each in shown] == [("one", ["c.txt"]), ("two", ["a.txt"])]
        heard = await talker.client.hears("one")
        message = await talker.client.text_channel().fetch_message(heard.id)
        assert await message.attachments[0].read() == b"3"
