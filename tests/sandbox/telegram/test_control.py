import pytest
from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup
from telegram.error import InvalidToken, NetworkError

from sandbox.telegram import Simulator
from tests.sandbox.far import Far
from tests.sandbox.telegram.library import ADA, GENERAL, updates


async def test_people_act_and_read_over_http(simulator: Simulator, bot: Bot, far: Far) -> None:
    said = await far.post("say", **{"as": "user3", "in": "random", "text": "@threadline_bot from afar"})
    assert len(await far.get("waiting")) == 1
    [update] = await updates(bot)
    assert update.message is not None
    assert update.message.message_id == said["message_id"]
    await update.message.reply_text("answer")
    assert [each["text"] for each in await far.get("sees", **{"as": "user1", "in": "random"})] == [said["content"], "answer"]
    assert [each["content"] for each in await far.get("messages", chat="random")][-1] == "answer"
    assert (await far.get("messages", message=said["id"]))["author"] == "user3"
    await far.post("edit", message=said["id"], text="changed")
    await far.post("react", **{"as": "user1", "message": said["id"], "emoji": "\U0001f440"})
    await far.post("delete", message=said["id"])
    await far.post("call", **{"as": "user1", "name": "ask", "in": "general", "text": "why?"})
    await far.post("start", **{"as": "user1"})
    assert [each.effective_message and each.effective_message.text for each in await updates(bot)] == [
        "/ask@threadline_bot why?",
        "/start",
    ]
    await bot.send_message_draft(ADA, 1, "half")
    assert [each["text"] for each in await far.get("drafts")] == ["half"]
    await bot.send_chat_action(GENERAL, "typing")
    assert [each["action"] for each in await far.get("actions")] == ["typing"]
    assert await far.get("commands", **{"as": "user1"}) == []
    assert (await far.get("stats"))["suffered"] == 0
    assert len(await far.get("deliveries")) == 3
    assert {"general", "workshop", "kitchen"} <= {each["name"] for each in (await far.get("world"))["chats"]}
    assert await far.post("emit", kind="poll", body={"id": "1"}) is not None


async def test_buttons_and_topics_are_there_over_http(simulator: Simulator, bot: Bot, far: Far) -> None:
    markup = InlineKeyboardMarkup([[InlineKeyboardButton("Stop", callback_data="s")]])
    sent = await bot.send_message(GENERAL, "x", reply_markup=markup)
    made = await far.post("press", **{"as": "user1", "message": f"{GENERAL}:{sent.message_id}", "button": "Stop"})
    [update] = await updates(bot)
    assert update.callback_query is not None
    await update.callback_query.answer("yes")
    assert (await far.get("queries", query=made["id"]))["answer"]["text"] == "yes"
    assert len(await far.get("queries")) == 1
    topic = await far.post("topic", **{"as": "user1", "in": "workshop", "name": "new"})
    await far.post("say", **{"as": "user1", "in": "workshop", "text": "hi", "topic": "new"})
    assert [each["text"] for each in await far.get("sees", **{"as": "user2", "in": "workshop", "topic": str(topic["id"])})] == [
        "forum_topic_created",
        "hi",
    ]
    moved = await far.post("migrate", **{"in": "kitchen"})
    assert moved["kind"] == "supergroup"
    await far.post("block", **{"as": "user1"})
    await far.post("unblock", **{"as": "user1"})


async def test_faults_and_tokens_are_there_over_http(simulator: Simulator, bot: Bot, far: Far) -> None:
    number = await far.post("fault", action="status", path="/getMe$", status=503, times=None)
    assert list(await far.get("faults")) == [str(number["fault"])]
    with pytest.raises(NetworkError):
        await bot.get_me()
    await far.post("clear_faults", **number)
    await bot.get_me()
    assert [(call["status"], call["fault"]) for call in await far.get("log")] == [(503, "status-before"), (200, None)]
    await far.post("set_token", token="7000000001:new")
    with pytest.raises(InvalidToken):
        await bot.get_me()
    await far.post("spoil", kind="cut")


async def test_slips_of_its_own_are_told(far: Far) -> None:
    assert "no chat nowhere" in await far.refused("say", **{"as": "user1", "in": "nowhere", "text": "x"})
    assert "no message 5" in await far.refused("delete", message="5")
    assert "no topic x" in await far.refused("close_topic", **{"as": "user1", "in": "workshop", "topic": "x"})
    assert "no basic group" in await far.refused("migrate", **{"in": "general"})


async def test_a_terminal_can_follow_what_happens(simulator: Simulator, bot: Bot, far: Far) -> None:
    async with far.following() as stream:
        await simulator.say("user1", "general", "hello")
        await bot.send_chat_action(GENERAL, "typing")
        events = await stream.next(2)
    assert [each["event"] for each in events] == ["message", "action"]
    assert (events[0]["message"]["content"], events[1]["action"]) == ("hello", "typing")
