"""The whole server with Slack posting to it: questions, commands, buttons, repetitions, and a death in the middle of one."""

import asyncio
import json
import socket
from collections.abc import Mapping
from pathlib import Path

import aiohttp
import pytest

from sandbox.faults import Rule
from shared.errors import Misconfigured
from shared.sentences import CUT
from tests.bots.command import started
from tests.script.base import ADMIN, PATIENCE
from tests.script.slack.stage import Stage, posted


async def test_a_mention_a_thread_and_a_direct_chat_are_answered(tmp_path: Path) -> None:
    async with posted(tmp_path) as stage:
        await stage.start()
        ada, place = await stage.person(), await stage.channel()
        for word in ("posted", "go on", "directly"):
            stage.answers(word, f"On {word}.")
        thread = await stage.say(ada, place, "@threadline posted")
        lines = [f"{ada}: @threadline posted", "threadline: On posted."]
        await stage.reads(ada, thread, *lines)
        await stage.say(ada, thread, "go on")
        await stage.reads(ada, thread, *lines, f"{ada}: go on", "threadline: On go on.")
        chat = await stage.say(ada, f"@{ada}", "directly")
        await stage.reads(ada, chat, f"{ada}: directly", "threadline: On directly.")
        assert stage.slack.stats()["connected"] == 0
        assert stage.slack.stats()["given_up"] == 0


async def test_commands_and_buttons_work(tmp_path: Path) -> None:
    async with posted(tmp_path) as stage:
        await stage.start()
        ada, place = await stage.person(), await stage.channel()
        assert (await stage.told(ADMIN, place, "/threadline model opus for:channel")).endswith("(only you)")
        stage.answers("long story", "Once upon a time", stop="max_tokens")
        stage.answers("Continue.", "there was a bot.")
        await stage.call(ada, place, "/ask long story")
        asked = f"threadline: **{ada}** asks:\n> long story"
        await stage.glimpses(ada, place, asked)
        thread = f"{place}/{stage.ids(ada, place)[0]}"
        begun = [asked, f"threadline: Once upon a time\n\n*{CUT}*"]
        await stage.reads(ada, thread, begun[0], f"{begun[1]} [Continue]")
        assert "opus" in stage.body("long story")["model"]
        await stage.press(ada, thread, "Continue")
        await stage.until(lambda: stage.sees(ada, thread)[-1] == "threadline: there was a bot.")
        await stage.settled()
        assert all(each["outcome"] == "acked" for each in stage.slack.triggers())


async def test_a_question_of_before_the_server_is_there_is_answered_once_it_is(tmp_path: Path) -> None:
    async with posted(tmp_path, retry_delays=[0.0, *[0.1] * 100]) as stage:
        ada, place = await stage.person(), await stage.channel()
        stage.answers("too early", "Not at all.")
        thread = await stage.say(ada, place, "@threadline too early")
        await stage.until(lambda: [each for each in stage.slack.deliveries() if each["outcome"] == "connection_failed"])
        await stage.start()
        await stage.reads(ada, thread, f"{ada}: @threadline too early", "threadline: Not at all.")
        await stage.until(lambda: not stage.slack.delivery.busy)
        assert len(stage.claude.bodies()) == 1


async def test_what_slack_posts_again_to_a_server_that_was_killed_while_it_took_it_is_answered_once(tmp_path: Path) -> None:
    async with posted(tmp_path, retry_delays=[0.0, *[0.3] * 200]) as stage:
        ada, place = await stage.person(), await stage.channel()
        stage.answers("killed meanwhile", "Here all the same.")
        await stage.slack.fault(Rule("hang", path=r"/users\.info$"))
        async with started(tmp_path, "run", env=environment(stage)):
            await stage.until(lambda: any(call.path == "/auth.test" for call in stage.slack.calls))
            thread = await stage.say(ada, place, "@threadline killed meanwhile")
            # It has been posted, is being read, and is not stored.
            await stage.until(lambda: any((call.fault or "").startswith("hang") for call in stage.slack.calls))
        await stage.until(lambda: any(each["outcome"] == "connection_failed" for each in stage.slack.deliveries()))
        async with started(tmp_path, "run", env=environment(stage)):
            lines = [f"{ada}: @threadline killed meanwhile", "threadline: Here all the same."]
            await stage.slack.wait_for(lambda: stage.sees(ada, thread) == lines, 4 * PATIENCE)
            await stage.settled()
            await stage.until(lambda: not stage.slack.delivery.busy)
            assert stage.sees(ada, thread) == lines
        assert len(stage.claude.bodies()) == 1
        assert stage.slack.stats()["given_up"] == 0


def environment(stage: Stage) -> Mapping[str, str]:
    """The settings of the stage for a server that is a process of its own."""
    given = stage.given()
    return {name.upper(): str(value) for name, value in given.items() if value is not None}


async def test_a_server_that_stops_takes_no_more_before_it_could_no_longer_store_it(tmp_path: Path) -> None:
    async with posted(tmp_path, retry_delays=[]) as stage:
        await stage.start()
        ada, place = await stage.person(), await stage.channel()
        # An answer under way gets its time, in which all goes on as before.
        stage.hangs("long", "One two three.")
        await stage.say(ada, place, "@threadline long")
        await stage.asked_about("long")
        stopping = asyncio.create_task(stage.stop())
        while not stopping.done():
            await stage.say(ada, place, "just talking")
            await stage.until(lambda: not stage.slack.delivery.busy)
        await stopping
        await stage.say(ada, place, "too late")
        await stage.until(lambda: not stage.slack.delivery.busy)
        talk = [each["outcome"] for each in stage.slack.deliveries() if each["name"] == "message"]
        assert set(talk) == {"acked", "connection_failed"}
        assert talk == sorted(talk)


async def test_health_is_not_told_there_and_nothing_else_is(tmp_path: Path) -> None:
    async with posted(tmp_path) as stage:
        await stage.start()
        url = f"http://127.0.0.1:{stage.setting('http_port')}"
        async with aiohttp.ClientSession(url) as session:
            for method, path, status in (("GET", "/healthz", 404), ("GET", "/slack/events", 405), ("POST", "/slack/events", 401)):
                async with session.request(method, path, data=json.dumps({"type": "url_verification"})) as answer:
                    assert (answer.status, "Server" in answer.headers) == (status, False)


async def test_a_port_that_is_taken_is_told_in_one_sentence_before_anything_begins(tmp_path: Path) -> None:
    async with posted(tmp_path) as stage:
        with (
            socket.create_server(("127.0.0.1", 0)) as other,
            pytest.raises(Misconfigured, match=r"HTTP_PORT or HTTP_HOST\.$"),
        ):
            await stage.start(http_port=other.getsockname()[1])
        assert [call.path for call in stage.slack.calls] == []
