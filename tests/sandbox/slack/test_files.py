import base64

import aiohttp
import pytest

from sandbox.faults import Rule
from sandbox.slack import Simulator
from sandbox.slack.config import DEFAULT_TOKEN
from sandbox.slack.downloads import Spoil
from sandbox.slack.model import Json
from tests.sandbox.slack.library import GENERAL, Bot, Slack, refused

BEARER = {"Authorization": f"Bearer {DEFAULT_TOKEN}"}
HELLO: Json = {"name": "a.txt", "content_base64": base64.b64encode(b"hello").decode()}


async def download(address: str, headers: dict[str, str]) -> tuple[str, bytes]:
    async with aiohttp.ClientSession() as session, session.get(address, headers=headers) as response:
        assert response.status == 200
        return response.content_type, await response.read()


async def test_a_file_is_behind_the_token(simulator: Simulator, bot: Bot) -> None:
    await simulator.say("user1", "general", "look", attachments=[HELLO])
    event = await bot.hears("message", subtype="file_share")
    [file] = event["files"]
    assert (file["name"], file["mimetype"], file["size"], file["mode"]) == ("a.txt", "text/plain", 5, "hosted")
    assert await download(file["url_private_download"], BEARER) == ("text/plain", b"hello")
    assert await download(file["url_private"], BEARER) == ("text/plain", b"hello")
    kind, page = await download(file["url_private_download"], {})
    assert (kind, b"Sign in" in page) == ("text/html", True)
    await simulator.set_scopes(remove=["files:read"])
    assert (await download(file["url_private_download"], BEARER))[0] == "text/html"


async def test_a_file_of_another_workspace_has_only_its_id(simulator: Simulator, bot: Bot) -> None:
    await simulator.invite("general", "guest")
    await simulator.say("guest", "general", "look", attachments=[HELLO | {"connect": True}])
    event = await bot.hears("message", subtype="file_share")
    [file] = event["files"]
    assert (file["file_access"], "url_private" in file) == ("check_file_info", False)
    assert bot.bodies[-1]["is_ext_shared_channel"]
    full = (await bot.client.files_info(file=file["id"]))["file"]
    assert await download(full["url_private_download"], BEARER) == ("text/plain", b"hello")


@pytest.mark.parametrize("mode", ["external", "hidden_by_limit", "tombstone"])
async def test_some_files_have_no_bytes(simulator: Simulator, bot: Bot, mode: str) -> None:
    await simulator.say("user1", "general", "look", attachments=[{"name": "a.txt", "mode": mode}])
    event = await bot.hears("message", subtype="file_share")
    assert (event["files"][0]["mode"], "url_private_download" in event["files"][0]) == (mode, False)


async def test_the_library_uploads_into_a_thread(simulator: Simulator, client: Slack) -> None:
    root = await simulator.say("user1", "general", "draw")
    done = await client.files_upload_v2(
        channel=GENERAL, thread_ts=root["ts"], filename="b.csv", content="1,2", initial_comment="there"
    )
    await simulator.wait_for(lambda: len(simulator.messages("general")) == 2)
    shown = simulator.messages("general")[-1]
    assert (shown["content"], shown["thread"], shown["attachments"][0]["name"]) == ("there", root["ts"], "b.csv")
    assert simulator.world.files.read(done["file"]["id"]) == b"1,2"
    assert (await client.files_info(file=done["file"]["id"]))["file"]["size"] == 3


async def test_what_is_wrong_with_an_upload(simulator: Simulator, client: Slack) -> None:
    assert await refused(client.files_getUploadURLExternal(filename="a", length=0)) == "missing_argument"
    ticket = await client.files_getUploadURLExternal(filename="a", length=3)
    files = [{"id": ticket["file_id"], "title": "a"}]
    assert await refused(client.files_completeUploadExternal(files=files)) == "file_not_found"
    async with aiohttp.ClientSession() as session:
        for data, status in ((b"four", 400), (b"now", 200)):
            async with session.post(ticket["upload_url"], data=data) as response:
                assert response.status == status
    assert await refused(client.files_completeUploadExternal(files=files, channel_id="C0LOUNGE001")) == "not_in_channel"
    await client.files_completeUploadExternal(files=files)
    assert await refused(client.files_completeUploadExternal(files=files)) == "file_not_found"


async def test_a_deleted_file_is_gone(simulator: Simulator, client: Slack) -> None:
    said = await simulator.say("user1", "general", "look", attachments=[HELLO])
    await simulator.delete_file(said["attachments"][0]["id"])
    assert await refused(client.files_info(file=said["attachments"][0]["id"])) == "file_deleted"
    address = said["attachments"][0]["url_private_download"]
    async with aiohttp.ClientSession() as session, session.get(address, headers=BEARER) as response:
        assert response.status == 404


async def test_downloads_can_go_wrong(simulator: Simulator) -> None:
    said = await simulator.say("user1", "general", "look", attachments=[{"name": "big.bin", "size": 100_000}])
    address = said["attachments"][0]["url_private_download"]
    await simulator.spoil(Spoil("cut", after=1000))
    with pytest.raises(aiohttp.ClientPayloadError):
        await download(address, BEARER)
    await simulator.spoil(Spoil("huge", size=200_000, declared=0))
    assert len((await download(address, BEARER))[1]) == 200_000
    await simulator.spoil(Spoil("login"))
    assert (await download(address, BEARER))[0] == "text/html"
    await simulator.spoil(Spoil("redirect", location="http://a.example/"))
    async with aiohttp.ClientSession() as session:
        async with session.get(address, headers=BEARER, allow_redirects=False) as response:
            assert (response.status, response.headers["Location"]) == (302, "http://a.example/")
        await simulator.fault(Rule("status", path="^/files-pri/", status=503))
        async with session.get(address, headers=BEARER) as response:
            assert response.status == 503
    assert await download(address, BEARER) == ("application/octet-stream", bytes(100_000))
