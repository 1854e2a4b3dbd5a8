"""Acting as a person on the simulated Slack through the page. The bot is made of bare calls."""

from typing import Any

import aiohttp
import pytest

from sandbox.slack import Simulator
from tests.sandbox.page.visitor import Json, Visitor, words

GENERAL = "C0GENERAL01"


class Bot:
    def __init__(self, simulator: Simulator, session: aiohttp.ClientSession) -> None:
        self._simulator = simulator
        self._session = session

    async def call(self, method: str, **body: Any) -> Json:
        headers = {"Authorization": f"Bearer {self._simulator.config.token}"}
        async with self._session.post(self._simulator.api_url + method, json=body, headers=headers) as response:
            answer = await response.json()
            assert answer["ok"], answer
            return answer


@pytest.fixture
def bot(slack: Simulator, session: aiohttp.ClientSession) -> Bot:
    return Bot(slack, session)


async def test_a_mention_is_answered_in_a_thread_that_is_a_place(visitor: Visitor, slack: Simulator, bot: Bot) -> None:
    async with visitor.sees("slack", "user1", GENERAL) as seen:
        await visitor.do("write", "slack", "user1", **{"in": GENERAL}, text="@threadline a < b & *c*")
        said = await seen.message("a < b & c")
        assert said["source"] == "@threadline a < b & *c*"
        await bot.call("assistant.threads.setStatus", channel_id=GENERAL, thread_ts=said["id"], status="is thinking...")
        [busy] = await seen.until(lambda view: view["busy"])
        assert (busy["who"], busy["what"]) == ("Threadline", "is thinking...")
        blocks = [
            {"type": "markdown", "text": "# Yes\n\n**so** [it](https://a.example) is"},
            {"type": "actions", "elements": [_button("Stop", "stop"), _button("Go", "go")]},
        ]
        posted = await bot.call("chat.postMessage", channel=GENERAL, thread_ts=said["id"], text="Yes", blocks=blocks)
        thread = await seen.until(lambda view: view["messages"][0].get("thread"))
        assert (thread["place"], thread["count"]) == (f"{GENERAL}/{said['id']}", 1)
        assert len(seen.view["messages"]) == 1
        [place] = [each for each in seen.view["places"] if each.get("under") == GENERAL]
        assert (place["id"], place["name"]) == (thread["place"], "a < b & c")
    async with visitor.sees("slack", "user2", thread["place"]) as seen:
        answer = seen.view["messages"][1]
        assert [each["t"] for each in answer["body"]] == ["h1", "p"]
        assert [each["label"] for each in answer["buttons"]] == ["Stop", "Go"]
        await visitor.do("press", "slack", "user2", message=posted["ts"], button="stop")
        [pressed] = slack.triggers()
        assert (pressed["name"], pressed["user"]) == ("stop", "U0PERSON002")
        await visitor.do("write", "slack", "user2", **{"in": thread["place"]}, text="and more")
        assert slack.messages(GENERAL)[-1]["thread"] == said["id"]
        await seen.message("and more")


def _button(label: str, action: str) -> Json:
    return {"type": "button", "text": {"type": "plain_text", "text": label}, "action_id": action}


async def test_a_stream_grows_and_breaks(visitor: Visitor, slack: Simulator, bot: Bot) -> None:
    said = await slack.say("user1", "general", "@threadline hi")
    place = f"{GENERAL}/{said['id']}"
    async with visitor.sees("slack", "user1", place) as seen:
        person = {"recipient_user_id": "U0PERSON001", "recipient_team_id": slack.world.team}
        started = await bot.call("chat.startStream", channel=GENERAL, thread_ts=said["id"], markdown_text="**one", **person)
        assert (await seen.message("one"))["state"] == "growing"
        await bot.call("chat.appendStream", channel=GENERAL, ts=started["ts"], markdown_text=" two**")
        grown = await seen.message("one two")
        assert grown["body"] == [{"t": "p", "c": [{"t": "strong", "c": ["one two"]}]}]
        await slack.expire_streams()
        await seen.until(lambda view: view["messages"][1].get("state") == "broken")


async def test_a_session_is_stopped_with_slack_s_own_button(visitor: Visitor, slack: Simulator, bot: Bot) -> None:
    said = await slack.say("user1", "general", "@threadline hi")
    place = f"{GENERAL}/{said['id']}"
    await slack.say("user1", "general", "more", thread=said["id"])
    slack.world.set_session(GENERAL, said["id"], "processing", initiator="U0PERSON001")
    async with visitor.sees("slack", "user1", place) as seen:
        [busy] = seen.view["busy"]
        button = busy["button"]
        await visitor.do("press", "slack", "user1", message=button["message"], button=button["id"])
        slack.world.set_session(GENERAL, said["id"], "stopped")
        await seen.until(lambda view: view["busy"] == [])
        assert "no session" in await visitor.refused("press", "slack", "user1", message=button["message"], button=button["id"])


async def test_a_command_is_given_and_one_that_nobody_answers_is_said(visitor: Visitor, slack: Simulator) -> None:
    async with visitor.sees("slack", "user1", GENERAL) as seen:
        assert [each["name"] for each in seen.view["menu"]] == ["/ask", "/threadline"]
        await visitor.do("write", "slack", "user1", **{"in": GENERAL}, text="/ask what is it?")
        [trigger] = slack.triggers()
        assert (trigger["name"], trigger["text"]) == ("/ask", "what is it?")
        silence = await seen.message('/ask failed with the error "operation_timeout"')
        assert (silence["alone"], silence["state"]) == (True, "silent")
        assert "not a valid command" in await visitor.refused("write", "slack", "user1", **{"in": GENERAL}, text="/nothing")
    said = await slack.say("user1", "general", "hi")
    place = f"{GENERAL}/{said['id']}"
    assert "not supported in threads" in await visitor.refused("write", "slack", "user1", **{"in": place}, text="/ask hi")


async def test_the_direct_chat_is_one_s_own_and_has_threads(visitor: Visitor, slack: Simulator, bot: Bot) -> None:
    async with visitor.sees("slack", "user1", "direct") as seen:
        await visitor.do("write", "slack", "user1", **{"in": "direct"}, text="hello")
        said = await seen.message("hello")
        channel = slack.message(said["id"])["channel"]
        await bot.call("chat.postMessage", channel=channel, thread_ts=said["id"], text="hi *there*")
        thread = await seen.until(lambda view: view["messages"][0].get("thread"))
    async with visitor.sees("slack", "user1", thread["place"]) as seen:
        assert words(seen.view["messages"][1]["body"]) == "hi there"
        await visitor.do("write", "slack", "user1", **{"in": thread["place"]}, text="on")
        assert slack.messages(channel)[-1]["thread"] == said["id"]
    for place in (channel, thread["place"], f"{GENERAL}/{said['id']}"):
        async with visitor.sees("slack", "user2", place) as seen:
            assert "cannot see" in seen.view["gone"]


async def test_what_the_bot_suggests_is_told_in_the_direct_chat_alone(visitor: Visitor, slack: Simulator, bot: Bot) -> None:
    suggested: Json = {"title": "Ask", "prompts": [{"title": "Explain", "message": "Explain it to me."}]}
    async with visitor.sees("slack", "user1", "direct") as seen:
        assert seen.view["prompts"] is None
        [channel] = slack.world.state.directs.values()  # whoever looks into it makes it
        await bot.call("assistant.threads.setSuggestedPrompts", channel_id=channel, **suggested)
        await seen.until(lambda view: view["prompts"] == suggested)
    for by, place in (("user1", GENERAL), ("user2", "direct")):
        async with visitor.sees("slack", by, place) as seen:
            assert seen.view["prompts"] is None


async def test_a_thread_is_named_by_what_is_said_without_its_markup(visitor: Visitor, slack: Simulator, bot: Bot) -> None:
    blocks = [{"type": "markdown", "text": "**user1** asks:\n> what is *this*?"}]
    said = await bot.call("chat.postMessage", channel=GENERAL, text="asked", blocks=blocks)
    await slack.say("user2", "general", "a *bold* answer", thread=said["ts"])
    async with visitor.sees("slack", "user1", GENERAL) as seen:
        [thread] = [each for each in seen.view["places"] if each.get("under") == GENERAL]
        assert thread["name"] == "user1 asks: what is this?"
        assert seen.view["messages"][0]["thread"]["last"] == "Ben: a bold answer"


async def test_files_reactions_edits_and_deletions(visitor: Visitor, slack: Simulator) -> None:
    file = {"name": "a.png", "data": "iVBORw=="}
    await visitor.do("write", "slack", "user1", **{"in": GENERAL}, text="see", files=[file])
    async with visitor.sees("slack", "user1", GENERAL) as seen:
        said = seen.view["messages"][0]
        [shown] = said["files"]
        status, headers, body = await visitor.get(f"file/slack/{said['id']}/{shown['id']}?as=user2")
        assert (status, headers["Content-Type"], body) == (200, "image/png", b"\x89PNG")
        await visitor.do("react", "slack", "user2", message=said["id"], emoji="\U0001f440")
        await seen.until(
            lambda view: view["messages"][0].get("reactions") == [{"id": "eyes", "sign": "\U0001f440", "count": 1, "mine": False}]
        )
        await visitor.do("edit", "slack", "user1", message=said["id"], text="see @user2")
        assert (await seen.message("see @Ben"))["edited"]
        assert "not yours" in await visitor.refused("edit", "slack", "user2", message=said["id"], text="x")
        await visitor.do("delete", "slack", "user1", message=said["id"])
        await seen.until(lambda view: view["messages"] == [])


async def test_what_only_one_person_sees_is_told_to_that_one(visitor: Visitor, bot: Bot) -> None:
    await bot.call("chat.postEphemeral", channel=GENERAL, user="U0PERSON001", text="secret")
    async with visitor.sees("slack", "user1", GENERAL) as seen:
        assert (await seen.message("secret"))["alone"]
    async with visitor.sees("slack", "user2", GENERAL) as seen:
        assert seen.view["messages"] == []


@pytest.mark.parametrize(("mishap", "status"), [("429", 429), ("500", 500)])
async def test_the_next_call_fails(
    visitor: Visitor, slack: Simulator, session: aiohttp.ClientSession, mishap: str, status: int
) -> None:
    await visitor.do("mishap", "slack", "user1", mishap=mishap)
    headers = {"Authorization": f"Bearer {slack.config.token}"}
    async with session.post(f"{slack.api_url}auth.test", headers=headers) as response:
        assert response.status == 200
    async with session.post(f"{slack.api_url}chat.postMessage", json={}, headers=headers) as response:
        assert response.status == status
