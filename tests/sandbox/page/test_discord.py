"""Acting as a person on the simulated Discord through the page. The bot is made of bare calls."""

import asyncio
import base64

import aiohttp
import pytest

from sandbox.discord import Simulator, SimulatorConfig
from sandbox.discord.model import AUTOCOMPLETE, EPHEMERAL
from sandbox.page import DiscordSeat, Page
from tests.sandbox.page.visitor import TOKEN, Json, Visitor, words
from tests.sandbox.sitting import Bot

ASK: Json = {
    "name": "ask",
    "description": "Ask Claude",
    "options": [
        {"type": 3, "name": "question", "description": "What", "required": True},
        {"type": 11, "name": "file", "description": "A file"},
    ],
}
MODEL: Json = {
    "name": "model",
    "description": "The model",
    "options": [
        {"type": 3, "name": "name", "description": "Which", "autocomplete": True},
        {
            "type": 3,
            "name": "for",
            "description": "Where",
            "choices": [{"name": each, "value": each} for each in ("here", "there")],
        },
    ],
}


@pytest.fixture
def bot(discord: Simulator, session: aiohttp.ClientSession) -> Bot:
    return Bot(discord, session)


@pytest.fixture
def general(discord: Simulator) -> str:
    return next(each["id"] for each in discord.everything()["channels"] if each["name"] == "general")


async def test_a_mention_is_written_and_the_reply_grows_in_the_thread_below_it(
    visitor: Visitor, discord: Simulator, bot: Bot, general: str
) -> None:
    async with visitor.sees("discord", "user1", general) as seen:
        await visitor.do("write", "discord", "user1", **{"in": general}, text="@threadline hello")
        said = await bot.hears("hello")
        assert said["content"] == "<@754679440998400010> hello" or said["pinged"]["users"]
        await bot.opens(general, said["id"], "a thread")
        answer = await bot.posts(said["id"], "I am")
        thread = await seen.until(lambda view: view["messages"][0].get("thread") if view["messages"] else None)
        assert thread["place"] == said["id"]
        assert [each["name"] for each in seen.view["places"] if each.get("under") == general] == ["a thread"]
    async with visitor.sees("discord", "user2", said["id"]) as seen:
        assert [words(each["body"]) for each in seen.view["messages"]] == ["@Threadline hello", "I am"]
        await bot.edits(said["id"], answer, "I am **here**")
        grown = await seen.message("I am here")
        assert (grown["id"], grown["edited"], grown["bot"]) == (answer, True, True)


async def test_the_direct_chat_begins_with_the_first_word(visitor: Visitor, discord: Simulator, bot: Bot) -> None:
    async with visitor.sees("discord", "user2", "direct") as seen:
        assert seen.view["messages"] == []
        await visitor.do("write", "discord", "user2", **{"in": "direct"}, text="hello")
        said = await seen.message("hello")
        assert said["mine"]
        await bot.posts((await bot.hears("hello"))["channel"], "hi")
        await seen.message("hi")
    async with visitor.sees("discord", "user1", "direct") as seen:
        assert seen.view["messages"] == []


async def test_the_typing_sign_is_told_with_its_end(visitor: Visitor, bot: Bot, general: str) -> None:
    async with visitor.sees("discord", "user1", general) as seen:
        await bot.types(general)
        [busy] = await seen.until(lambda view: view["busy"])
        assert (busy["who"], busy["what"]) == ("Threadline", "is typing")
        await bot.posts(general, "done")
        await seen.until(lambda view: view["busy"] == [] and view["messages"])


async def test_a_command_is_offered_and_called_with_a_file(visitor: Visitor, discord: Simulator, bot: Bot, general: str) -> None:
    await bot.registers(ASK)
    async with visitor.sees("discord", "user1", general) as seen:
        [offered] = seen.view["menu"]
        assert (offered["name"], offered["about"], offered["options"]) == ("/ask", "Ask Claude", ["question", "file?"])
        file = {"name": "a.txt", "data": base64.b64encode(b"text").decode()}
        await visitor.do("write", "discord", "user1", **{"in": general}, text="/ask what is this?", files=[file])
        called = await bot.called(1)
        options = {each["name"]: each["value"] for each in called.data["options"]}
        assert options["question"] == "what is this?"
        assert called.data["resolved"]["attachments"][options["file"]]["filename"] == "a.txt"
        await bot.answers(called, 5)
        await seen.until(lambda view: [each for each in view["messages"] if each.get("state") == "thinking"])
        await bot.fills(called, "an answer", "Again")
        answer = await seen.message("an answer")
        assert [each["label"] for each in answer["buttons"]] == ["Again"]
        await visitor.do("press", "discord", "user1", message=answer["id"], button="Again")
        assert (await bot.called(2)).name == "Again"


async def choices(visitor: Visitor, place: str, text: str) -> list[Json]:
    status, answer = await visitor.post("complete", {"platform": "discord", "as": "user1", "in": place, "text": text})
    assert status == 200, answer
    return answer["choices"]


async def test_the_values_that_an_option_takes_are_offered(visitor: Visitor, bot: Bot, general: str) -> None:
    await bot.registers(ASK, MODEL)
    async with visitor.sees("discord", "user1", general) as seen:
        assert [(each["name"], each["completes"]) for each in seen.view["menu"]] == [("/ask", False), ("/model", True)]
    here, there = ({"name": each, "insert": f"/model x for:{each}", "about": ""} for each in ("here", "there"))
    assert await choices(visitor, general, "/model x for:") == [here, there]
    assert await choices(visitor, general, "/model x for:T") == [there]
    for text in ("/ask ", "/model", "/nothing ", "model ", "/model x for:here "):
        assert await choices(visitor, general, text) == []


async def test_the_bot_is_asked_for_the_values_that_it_alone_knows(session: aiohttp.ClientSession) -> None:
    async with Simulator(SimulatorConfig(interaction_window=60.0)) as discord, Page([DiscordSeat(discord)], TOKEN) as page:
        bot, visitor = Bot(discord, session), Visitor(page, session)
        await bot.registers(MODEL)
        asking = asyncio.create_task(choices(visitor, "direct", "/model op"))
        asked = await bot.called(1)
        assert (asked.type, asked.data["options"]) == (
            AUTOCOMPLETE,
            [{"name": "name", "type": 3, "value": "op", "focused": True}],
        )
        offered = {"choices": [{"name": "Opus", "value": "opus"}]}
        await bot.call("POST", f"/interactions/{asked.id}/{asked.token}/callback", type=8, data=offered)
        assert await asking == [{"name": "Opus", "insert": "/model opus", "about": "opus"}]


async def test_a_bot_that_offers_no_values_in_time_is_told_of(session: aiohttp.ClientSession) -> None:
    async with Simulator(SimulatorConfig(interaction_window=0.05)) as discord, Page([DiscordSeat(discord)], TOKEN) as page:
        await Bot(discord, session).registers(MODEL)
        asked = {"in": "direct", "text": "/model op"}
        assert await Visitor(page, session).refused("complete", "discord", "user1", **asked) == "Loading options failed."


async def test_the_commands_are_offered_in_a_direct_chat_that_has_not_begun(visitor: Visitor, bot: Bot) -> None:
    await bot.registers(ASK)
    async with visitor.sees("discord", "user1", "direct") as seen:
        await seen.until(lambda view: [each["name"] for each in view["menu"]] == ["/ask"])
        assert seen.view["messages"] == []


async def test_a_file_of_this_machine_cannot_be_named_in_a_command(
    visitor: Visitor, discord: Simulator, bot: Bot, general: str
) -> None:
    await bot.registers(ASK)
    await visitor.do("write", "discord", "user1", **{"in": general}, text="/ask hi file:/etc/passwd")
    called = await bot.called(1)
    assert called.data["options"] == [{"name": "question", "type": 3, "value": "hi file:/etc/passwd"}]
    assert "resolved" not in called.data


async def test_a_slash_without_a_command_and_a_doubled_one_are_texts(visitor: Visitor, discord: Simulator, general: str) -> None:
    for text in ("/nothing", "//ask"):
        await visitor.do("write", "discord", "user1", **{"in": general}, text=text)
    assert [each["content"] for each in discord.messages(general)] == ["/nothing", "/ask"]


async def test_what_only_one_person_sees_is_told_to_that_one(visitor: Visitor, bot: Bot, general: str) -> None:
    await bot.registers(ASK)
    await visitor.do("write", "discord", "user1", **{"in": general}, text="/ask hi")
    await bot.answers(await bot.called(1), 4, "secret", EPHEMERAL)
    async with visitor.sees("discord", "user1", general) as seen:
        whisper = await seen.message("secret")
        assert whisper["alone"]
    async with visitor.sees("discord", "user2", general) as seen:
        assert seen.view["messages"] == []
    assert "cannot see" in await visitor.refused("react", "discord", "user2", message=whisper["id"], emoji="\U0001f44d")
    assert "not yours" in await visitor.refused("delete", "discord", "user2", message=whisper["id"])
    await visitor.do("delete", "discord", "user1", message=whisper["id"])


async def test_one_s_own_messages_are_edited_and_deleted_and_the_bot_s_deleted(
    visitor: Visitor, discord: Simulator, bot: Bot, general: str
) -> None:
    mine = await discord.say("user1", general, "mine")
    theirs = await discord.say("user2", general, "theirs")
    answer = await bot.posts(general, "answer")
    async with visitor.sees("discord", "user1", general) as seen:
        may = {words(each["body"]): each.get("may") for each in seen.view["messages"]}
        assert may == {
            "mine": ["edit", "delete", "reply", "react"],
            "theirs": ["reply", "react"],
            "answer": ["delete", "reply", "react"],
        }
        await visitor.do("edit", "discord", "user1", message=mine["id"], text="@threadline mine anew")
        assert (await seen.message("mine anew"))["source"] == "@threadline mine anew"
        for what, more in (("edit", {"text": "x"}), ("delete", {})):
            assert "not yours" in await visitor.refused(what, "discord", "user1", message=theirs["id"], **more)
        assert "not yours" in await visitor.refused("edit", "discord", "user1", message=answer, text="x")
        assert "nothing to write" in await visitor.refused("edit", "discord", "user1", message=mine["id"], text=" ")
        for each in (mine["id"], answer):
            await visitor.do("delete", "discord", "user1", message=each)
        await seen.until(lambda view: [words(each["body"]) for each in view["messages"]] == ["theirs"])


async def test_reactions_are_counted_and_taken_away(visitor: Visitor, discord: Simulator, general: str) -> None:
    said = await discord.say("user1", general, "hi")
    await discord.react("threadline", said["id"], "\U0001f440")
    async with visitor.sees("discord", "user1", general) as seen:
        await visitor.do("react", "discord", "user1", message=said["id"], emoji="\U0001f440")
        await seen.until(lambda view: view["messages"][0]["reactions"] == [_eyes(2, mine=True)])
        await visitor.do("react", "discord", "user1", message=said["id"], emoji="\U0001f440", remove=True)
        await seen.until(lambda view: view["messages"][0]["reactions"] == [_eyes(1, mine=False)])
    assert "Unknown Emoji" in await visitor.refused("react", "discord", "user1", message=said["id"], emoji="x")


def _eyes(count: int, *, mine: bool) -> Json:
    return {"id": "\U0001f440", "sign": "\U0001f440", "count": count, "mine": mine}


async def test_an_answer_to_a_message_shows_what_it_answers(visitor: Visitor, discord: Simulator, general: str) -> None:
    first = await discord.say("user2", general, "a question")
    await visitor.do("write", "discord", "user1", **{"in": general}, text="an answer", reply_to=first["id"])
    async with visitor.sees("discord", "user1", general) as seen:
        assert (await seen.message("an answer"))["reply"] == "Ben: a question"


async def test_a_channel_that_a_person_may_not_see_is_not_shown(visitor: Visitor, discord: Simulator) -> None:
    await discord.permissions("random", "user2", deny=["view_channel"])
    hidden = next(each["id"] for each in discord.everything()["channels"] if each["name"] == "random")
    said = await discord.say("user1", "random", "secret")
    async with visitor.sees("discord", "user2", hidden) as seen:
        assert "cannot see" in seen.view["gone"]
        assert hidden not in [each["id"] for each in seen.view["places"]]
    assert "cannot see" in await visitor.refused("write", "discord", "user2", **{"in": hidden}, text="hi")
    assert "cannot see" in await visitor.refused("react", "discord", "user2", message=said["id"], emoji="\U0001f440")


async def test_the_direct_chat_of_another_is_not_reached_by_its_id(visitor: Visitor, discord: Simulator) -> None:
    said = await discord.say("user1", "", "mine alone", direct=True)
    async with visitor.sees("discord", "user2", said["channel"]) as seen:
        assert "cannot see" in seen.view["gone"]
    assert "cannot see" in await visitor.refused("react", "discord", "user2", message=said["id"], emoji="\U0001f440")


async def test_the_connection_of_the_bot_is_dropped(visitor: Visitor, discord: Simulator, session: aiohttp.ClientSession) -> None:
    async with session.ws_connect(discord.gateway_url) as socket:
        await socket.receive()
        await visitor.do("mishap", "discord", "user1", mishap="drop")
        assert (await socket.receive()).type in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR, aiohttp.WSMsgType.CLOSE)
