"""The page's server: who may use it, what it serves, and how it tells what is seen."""

import asyncio
import base64
import io
import json
import re
import socket
import subprocess
import sys
import zipfile
from pathlib import Path

import aiohttp
import pytest

from sandbox.discord import Simulator as Discord
from sandbox.page import DiscordSeat, Page
from tests.sandbox.page.conftest import Server
from tests.sandbox.page.visitor import TOKEN, Visitor
from tests.sandbox.sitting import Bot

STATIC = Path(__file__).parents[3] / "sandbox" / "page" / "static"
SAID = {"platform": "discord", "as": "user1", "in": "general", "text": "hello"}


async def test_the_page_and_all_that_it_names_is_served_with_a_policy_that_lets_nothing_else_in(visitor: Visitor) -> None:
    status, headers, body = await visitor.get("")
    assert (status, headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    named = set(re.findall(r'(?:src|href)="(static/[^"]+)"', body.decode()))
    for file in STATIC.glob("*.js"):
        named |= {f"static/{each}" for each in re.findall(r'from "\./([^"]+)"', file.read_text())}
    assert named == {f"static/{file.name}" for file in STATIC.iterdir()} - {"static/index.html"}
    for path in named:
        status, headers, body = await visitor.get(path)
        assert (status, body) == (200, (STATIC / path.removeprefix("static/")).read_bytes())
        assert headers["Content-Type"].startswith(("text/javascript", "text/css", "image/svg+xml"))


def test_nothing_of_the_page_comes_from_elsewhere_or_reads_what_is_said_as_html() -> None:
    for file in STATIC.iterdir():
        text = file.read_text().replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|javascript:", text), (
            file
        )
        assert not re.search(r"[\"'(](?:https?:)?//", text), file
        assert " style=" not in text, file
        assert len(text.splitlines()) < 350, file


@pytest.mark.parametrize("path", ["static/", "static/..%2fserver.py", "static/%2e%2e/server.py", "static/nothing.js", "nothing"])
async def test_what_is_no_part_of_the_page_is_not_found(visitor: Visitor, path: str) -> None:
    assert (await visitor.get(path))[0] == 404


@pytest.mark.parametrize("path", ["/", "/static/page.css", "/wrong/", f"/{TOKEN[:-1]}/", f"/x/{TOKEN}/", "//"])
async def test_without_the_token_nothing_is_there(visitor: Visitor, path: str) -> None:
    async with visitor.session.get(f"{visitor.origin}{path}") as response:
        assert response.status == 404
        assert TOKEN not in await response.text()


@pytest.mark.parametrize("host", ["attacker.example", "127.0.0.1.attacker.example:80", "[::2]", "192.168.0.1", ""])
async def test_a_name_that_only_leads_to_this_machine_is_refused(visitor: Visitor, host: str) -> None:
    assert (await visitor.get("", Host=host))[0] in (400, 403)
    status, answer = await visitor.post("write", SAID, Host=host)
    assert status in (400, 403)
    assert "error" in answer


@pytest.mark.parametrize("origin", [None, "null", "http://attacker.example", "http://127.0.0.1:1", "http://localhost"])
async def test_another_web_page_cannot_act(visitor: Visitor, discord: Discord, origin: str | None) -> None:
    assert (await visitor.post("write", SAID, origin=origin))[0] == 403
    assert discord.messages("general") == []


async def test_what_a_browser_says_comes_from_another_site_is_refused(visitor: Visitor) -> None:
    assert (await visitor.get("events?platform=discord", **{"Sec-Fetch-Site": "cross-site"}))[0] == 403
    assert (await visitor.get("", **{"Sec-Fetch-Site": "same-site"}))[0] == 403
    assert (await visitor.get("", **{"Sec-Fetch-Site": "none"}))[0] == 200


async def test_a_form_cannot_act(visitor: Visitor, discord: Discord) -> None:
    url, headers = f"{visitor.page.url}do/write", {"Origin": visitor.origin}
    for data in ({"platform": "discord"}, json.dumps(SAID)):
        async with visitor.session.post(url, data=data, headers=headers) as response:
            assert response.status == 415
    assert discord.messages("general") == []


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ([], "no JSON object"),
        ({}, "platform is missing"),
        (SAID | {"platform": "icq"}, "no such platform"),
        (SAID | {"as": "nobody"}, "nobody of that name"),
        (SAID | {"as": "threadline"}, "nobody of that name"),
        (SAID | {"in": "nowhere"}, "no channel nowhere"),
        (SAID | {"text": 5}, "text is missing"),
        (SAID | {"text": "x" * 20_001}, "too long"),
        (SAID | {"text": ""}, "empty"),
        (SAID | {"files": "a"}, "list of files"),
        (SAID | {"files": [{"name": "a"}]}, "a name and data"),
        (SAID | {"files": [{"name": "a", "data": "!"}]}, "content_base64"),
    ],
)
async def test_what_makes_no_sense_is_refused_with_a_sentence(visitor: Visitor, body: object, sentence: str) -> None:
    status, answer = await visitor.post("write", body)
    assert status == 400
    assert sentence in answer["error"]


async def test_a_body_that_is_too_large_is_refused(visitor: Visitor) -> None:
    headers = {"Origin": visitor.origin, "Content-Type": "application/json"}
    async with visitor.session.post(f"{visitor.page.url}do/write", data=io.BytesIO(bytes(41 << 20)), headers=headers) as response:
        assert response.status == 413
        assert "too large" in (await response.json())["error"]


async def test_it_listens_on_this_machine_alone(visitor: Visitor) -> None:
    with socket.socket() as other, pytest.raises(OSError, match="refused"):
        other.connect(("127.0.0.2", visitor.page.port))


async def test_the_first_event_tells_everything_and_the_next_ones_only_what_changed(visitor: Visitor, discord: Discord) -> None:
    await discord.say("user2", "general", "before")
    async with visitor.sees("discord", "user1", "general") as seen:
        assert [each["title"] for each in seen.view["platforms"]] == ["Discord", "Slack", "Telegram"]
        assert [each["display"] for each in seen.view["people"]] == ["Ada", "Ben", "Chloe"]
        await seen.message("before")
        said = await discord.say("user1", "general", "and **now**")
        now = await seen.message("and now")
        assert (now["mine"], now["display"], now["source"]) == (True, "Ada", "and **now**")
        await discord.delete(said["id"])
        await seen.until(lambda view: len(view["messages"]) == 1)


async def test_whoever_comes_back_sees_what_was_missed(visitor: Visitor, discord: Discord) -> None:
    async with visitor.sees("discord", "user1", "general") as seen:
        assert seen.view["messages"] == []
    await discord.say("user2", "general", "missed")
    async with visitor.sees("discord", "user1", "general") as seen:
        await seen.message("missed")


async def test_the_latest_messages_are_told_and_earlier_ones_when_they_are_asked_for(visitor: Visitor, discord: Discord) -> None:
    for number in range(8):
        await discord.say("user1", "general", f"number {number}")
    async with visitor.sees("discord", "user1", "general", most=5) as seen:
        assert [each["source"] for each in seen.view["messages"]] == [f"number {each}" for each in range(3, 8)]
        assert seen.view["earlier"]
    async with visitor.sees("discord", "user1", "general", most=8) as seen:
        assert len(seen.view["messages"]) == 8
        assert not seen.view["earlier"]


async def test_however_many_messages_are_asked_for_some_are_told(visitor: Visitor, discord: Discord) -> None:
    for number in range(3):
        await discord.say("user1", "general", f"number {number}")
    async with visitor.sees("discord", "user1", "general", most=0) as seen:
        assert [each["source"] for each in seen.view["messages"]] == ["number 2"]
    for most in ("-1", "many", "9" * 5000):
        assert (await visitor.get(f"events?platform=discord&most={most}"))[0] == 400


async def test_half_of_a_pair_of_surrogates_does_not_end_the_stream(visitor: Visitor) -> None:
    await visitor.do("write", "discord", "user1", **{"in": "general"}, text="half \ud83d of one")
    async with visitor.sees("discord", "user1", "general") as seen:
        assert seen.view["messages"][0]["source"] == "half ? of one"
        await visitor.do("write", "discord", "user1", **{"in": "general"}, text="and on")
        await seen.message("and on")


async def test_a_body_that_is_nested_without_end_is_refused(visitor: Visitor) -> None:
    headers = {"Origin": visitor.origin, "Content-Type": "application/json"}
    async with visitor.session.post(f"{visitor.page.url}do/write", data=b"[" * 100_000, headers=headers) as response:
        assert response.status == 400


async def test_a_text_that_is_too_long_is_refused_and_not_cut(visitor: Visitor, discord: Discord) -> None:
    said = await discord.say("user1", "general", "short")
    long = "x" * 20_001
    assert "too long" in await visitor.refused("write", "discord", "user1", **{"in": "general"}, text=long)
    assert "too long" in await visitor.refused("edit", "discord", "user1", message=said["id"], text=long)


async def test_a_place_that_has_gone_is_said_and_another_is_shown(visitor: Visitor, discord: Discord) -> None:
    async with visitor.sees("discord", "nobody", "12345") as seen:
        assert (seen.view["as"], seen.view["in"]) == ("user1", seen.view["places"][0]["id"])
        assert "12345" in seen.view["gone"]


async def test_the_calls_of_the_bot_are_seen_with_their_fate_and_time(
    visitor: Visitor, discord: Discord, session: aiohttp.ClientSession
) -> None:
    bot = Bot(discord, session)
    channel = discord.everything()["channels"][0]["id"]
    async with visitor.sees("discord", "user1", channel) as seen:
        await bot.posts(channel, "one")
        [call] = await seen.until(lambda view: [each for each in view["calls"] if not each["open"]])
        assert (call["method"], call["status"]) == ("POST", 200)
        assert call["what"] == f"channels/…{channel[-3:]}/messages"
        assert isinstance(call["ms"], int)


@pytest.mark.parametrize(("mishap", "status"), [("429", 429), ("500", 500), ("reset", None)])
async def test_the_next_call_fails_as_it_is_asked_to(
    visitor: Visitor, discord: Discord, session: aiohttp.ClientSession, mishap: str, status: int | None
) -> None:
    channel = discord.everything()["channels"][0]["id"]
    url, headers = f"{discord.api_url}/channels/{channel}/messages", {"Authorization": "Bot demo-token"}
    async with visitor.sees("discord", "user1", channel) as seen:
        await visitor.do("mishap", "discord", "user1", mishap=mishap)
        await seen.until(lambda view: view["faults"] == [status or "reset"])
        try:
            async with session.post(url, json={"content": "one"}, headers=headers) as response:
                assert response.status == status
        except aiohttp.ClientConnectionError:
            assert status is None
        await seen.until(lambda view: view["faults"] == [] and [each["status"] for each in view["calls"]] == [status])
        async with session.post(url, json={"content": "two"}, headers=headers) as response:
            assert response.status == 200


async def test_a_mishap_can_be_taken_back_and_an_unknown_one_is_refused(visitor: Visitor, discord: Discord) -> None:
    await visitor.do("mishap", "discord", "user1", mishap="429")
    await visitor.do("mishap", "discord", "user1", mishap="none")
    assert discord.faults_in_force() == {}
    assert "no such mishap" in await visitor.refused("mishap", "discord", "user1", mishap="kill")


async def test_the_server_is_stopped_and_started_and_its_state_is_told(visitor: Visitor, server: Server) -> None:
    async with visitor.sees("discord", "user1", "general") as seen:
        assert (seen.view["server"], seen.view["restarts"]) == ("up", True)
        for turn in ("restart", "stop", "start"):
            assert (await visitor.post("server", {"turn": turn}))[0] == 200
        assert server.turns == ["restart", "stop", "start"]
        server.state = "down"
        await seen.until(lambda view: view["server"] == "down")


async def test_a_page_without_a_server_says_that_there_is_none(discord: Discord, session: aiohttp.ClientSession) -> None:
    async with Page([DiscordSeat(discord)], TOKEN) as page:
        status, answer = await Visitor(page, session).post("server", {"turn": "restart"})
        assert status == 400
        assert "no server" in answer["error"]


async def test_the_end_of_the_page_ends_its_streams(discord: Discord, session: aiohttp.ClientSession) -> None:
    async with Page([DiscordSeat(discord)], TOKEN) as page:
        response = await session.get(f"{page.url}events?platform=discord")
    async with asyncio.timeout(30):
        assert b"event: all" in await response.read()


async def test_a_picture_is_shown_and_anything_else_is_only_saved(visitor: Visitor, discord: Discord) -> None:
    files = [
        {"name": "a.png", "data": base64.b64encode(b"\x89PNG").decode()},
        {"name": "<b>.html", "data": base64.b64encode(b"<script>alert(1)</script>").decode()},
        {"name": "c.svg", "data": base64.b64encode(b"<svg onload='alert(1)'/>").decode()},
    ]
    await visitor.do("write", "discord", "user1", **{"in": "general"}, text="see", files=files)
    async with visitor.sees("discord", "user1", "general") as seen:
        said = await seen.message("see")
    assert [each["shown"] for each in said["files"]] == [True, False, False]
    safe = ("application/octet-stream", "attachment")
    for each, (kind, how) in zip(said["files"], [("image/png", "inline"), safe, safe], strict=True):
        status, headers, body = await visitor.get(f"file/discord/{said['id']}/{each['id']}?as=user1")
        assert (status, headers["Content-Type"]) == (200, kind)
        assert headers["Content-Disposition"].startswith(how)
        assert "sandbox" in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert len(body) == each["size"]
    assert (await visitor.get(f"file/discord/{said['id']}/999?as=user1"))[0] == 400


def test_a_wheel_has_the_page(tmp_path: Path) -> None:
    root = Path(__file__).parents[3]
    build = "import sys; from hatchling.build import build_wheel; print(build_wheel(sys.argv[1]))"
    done = subprocess.run([sys.executable, "-c", build, str(tmp_path)], cwd=root, capture_output=True, text=True, check=True)
    with zipfile.ZipFile(tmp_path / done.stdout.split()[-1]) as wheel:
        names = set(wheel.namelist())
    assert {f"sandbox/page/static/{file.name}" for file in STATIC.iterdir()} <= names
