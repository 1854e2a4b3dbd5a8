"""Acting as a person on the simulated Telegram through the page. The bot is made of bare calls."""

from typing import Any

import aiohttp
import pytest

from sandbox.telegram import Simulator
from sandbox.telegram.defaults import FORUMS, GROUPS
from tests.sandbox.page.visitor import Json, Visitor, words

KITCHEN, WORKSHOP = str(GROUPS["kitchen"]), str(FORUMS["workshop"])
ADA = 5_000_000_001


class Bot:
    def __init__(self, simulator: Simulator, session: aiohttp.ClientSession) -> None:
        self._simulator = simulator
        self._session = session

    async def call(self, method: str, **body: Any) -> Any:
        url = f"{self._simulator.api_url}{self._simulator.config.token}/{method}"
        async with self._session.post(url, json=body) as response:
            answer = await response.json()
            assert answer["ok"], answer
            return answer["result"]


@pytest.fixture
def bot(telegram: Simulator, session: aiohttp.ClientSession) -> Bot:
    return Bot(telegram, session)


async def test_the_private_chat_shows_entities_buttons_and_what_a_press_is_answered(visitor: Visitor, bot: Bot) -> None:
    async with visitor.sees("telegram", "user1", "private") as seen:
        assert [each["name"] for each in seen.view["places"]][:2] == ["Threadline", "kitchen"]
        await visitor.do("write", "telegram", "user1", **{"in": "private"}, text="hello")
        await seen.message("hello")
        keyboard = {"inline_keyboard": [[{"text": "Stop", "callback_data": "stop:1"}]]}
        bold = [{"type": "bold", "offset": 0, "length": 2}]
        sent = await bot.call("sendMessage", chat_id=ADA, text="hi there", entities=bold, reply_markup=keyboard)
        answer = await seen.message("hi there")
        assert answer["body"] == [{"t": "strong", "c": ["hi"]}, " there"]
        assert answer["buttons"] == [{"id": "stop:1", "label": "Stop"}]
        await visitor.do("press", "telegram", "user1", message=answer["id"], button="stop:1")
        [update] = [each for each in await bot.call("getUpdates") if "callback_query" in each]
        await bot.call("answerCallbackQuery", callback_query_id=update["callback_query"]["id"], text="Stopped.")
        await seen.until(lambda view: [each["text"] for each in view["toasts"]] == ["Stopped."])
        await bot.call("editMessageText", chat_id=ADA, message_id=sent["message_id"], text="whole")
        assert (await seen.message("whole")).get("buttons") is None


async def test_a_draft_and_an_action_are_seen_until_the_message_comes(visitor: Visitor, telegram: Simulator, bot: Bot) -> None:
    await telegram.start("user1")
    async with visitor.sees("telegram", "user1", "private") as seen:
        await bot.call("sendChatAction", chat_id=ADA, action="typing")
        await seen.until(lambda view: [each["what"] for each in view["busy"]] == ["is typing"])
        await bot.call("sendMessageDraft", chat_id=ADA, draft_id=7, text="half of")
        assert (await seen.message("half of"))["state"] == "growing"
        await bot.call("sendMessage", chat_id=ADA, text="half of it")
        await seen.until(lambda view: [words(each["body"]) for each in view["messages"]] == ["/start", "half of it"])


async def test_a_group_has_answers_to_messages_and_a_forum_has_topics(visitor: Visitor, telegram: Simulator, bot: Bot) -> None:
    said = await telegram.say("user1", "kitchen", "@threadline_bot hello")
    sent = await bot.call(
        "sendMessage", chat_id=int(KITCHEN), text="hi", reply_parameters={"message_id": said["message_id"]}
    )  # fmt: skip
    async with visitor.sees("telegram", "user2", KITCHEN) as seen:
        assert (await seen.message("hi"))["reply"] == "Ada: @threadline_bot hello"
        answered = f"{KITCHEN}:{sent['message_id']}"
        await visitor.do("write", "telegram", "user2", **{"in": KITCHEN}, text="to you", reply_to=answered)
        assert (await seen.message("to you"))["reply"] == "Threadline: hi"
    plans = f"{WORKSHOP}/2"
    async with visitor.sees("telegram", "user1", plans) as seen:
        assert [(each["state"], words(each["body"])) for each in seen.view["messages"]] == [
            ("service", "created the topic plans")
        ]
        await visitor.do("write", "telegram", "user1", **{"in": plans}, text="in plans")
        await seen.message("in plans")
    async with visitor.sees("telegram", "user1", WORKSHOP) as seen:
        assert seen.view["messages"] == []


async def test_the_menu_names_the_bot_in_groups(visitor: Visitor, telegram: Simulator, bot: Bot) -> None:
    await telegram.start("user1")
    await bot.call("setMyCommands", commands=[{"command": "ask", "description": "Ask Claude"}])
    for place, insert in (("private", "/ask "), (KITCHEN, "/ask@threadline_bot ")):
        async with visitor.sees("telegram", "user1", place) as seen:
            assert seen.view["menu"] == [{"insert": insert, "name": "/ask", "about": "Ask Claude"}]


async def test_before_the_first_word_there_is_only_the_command_to_begin_with(visitor: Visitor) -> None:
    async with visitor.sees("telegram", "user1", "private") as seen:
        [offered] = seen.view["menu"]
        await visitor.do("write", "telegram", "user1", **{"in": "private"}, text=offered["insert"])
        await seen.message("/start")
        await seen.until(lambda view: view["menu"] != [offered])


async def test_a_picture_is_sent_as_a_photo_and_others_as_documents(visitor: Visitor, telegram: Simulator) -> None:
    files = [{"name": "a.png", "data": "iVBORw=="}]
    await visitor.do("write", "telegram", "user1", **{"in": "private"}, text="see", files=files)
    await visitor.do("write", "telegram", "user1", **{"in": "private"}, text="", files=[{"name": "b.txt", "data": "YQ=="}])
    kinds = [each["kind"] for message in telegram.messages("@user1") for each in message["attachments"]]
    assert kinds == ["photo", "document"]
    async with visitor.sees("telegram", "user1", "private") as seen:
        said = seen.view["messages"][0]
        status, headers, body = await visitor.get(f"file/telegram/{said['id']}/{said['files'][0]['id']}?as=user1")
        assert (status, headers["Content-Type"], body) == (200, "image/png", b"\x89PNG")
        assert (await visitor.get(f"file/telegram/{said['id']}/{said['files'][0]['id']}?as=user2"))[0] == 400


async def test_edits_deletions_and_reactions(visitor: Visitor, telegram: Simulator) -> None:
    said = await telegram.say("user1", "kitchen", "one")
    async with visitor.sees("telegram", "user1", KITCHEN) as seen:
        await visitor.do("edit", "telegram", "user1", message=said["id"], text="two")
        assert (await seen.message("two"))["edited"]
        await visitor.do("react", "telegram", "user2", message=said["id"], emoji="\U0001f440")
        told: list[Json] = [{"id": "\U0001f440", "sign": "\U0001f440", "count": 1, "mine": False}]
        await seen.until(lambda view: view["messages"][0].get("reactions") == told)
        assert "not yours" in await visitor.refused("delete", "telegram", "user2", message=said["id"])
        await visitor.do("delete", "telegram", "user1", message=said["id"])
        await seen.until(lambda view: view["messages"] == [])


@pytest.mark.parametrize(("mishap", "status"), [("429", 429), ("500", 500)])
async def test_the_next_call_fails_but_not_the_poll(
    visitor: Visitor, telegram: Simulator, session: aiohttp.ClientSession, mishap: str, status: int
) -> None:
    await visitor.do("mishap", "telegram", "user1", mishap=mishap)
    url = f"{telegram.api_url}{telegram.config.token}"
    async with session.post(f"{url}/getUpdates") as response:
        assert response.status == 200
    async with session.post(f"{url}/sendMessage", json={"chat_id": ADA, "text": "x"}) as response:
        assert response.status == status
