import pytest
from telegram import Bot, CallbackQuery, InlineKeyboardButton, InlineKeyboardMarkup, Message

from sandbox.telegram import Simulator
from sandbox.telegram.interacting import Wrong
from tests.sandbox.telegram.library import GENERAL, Clock, a_bot, a_simulator, refused, updates

STOP = InlineKeyboardMarkup(
    [[InlineKeyboardButton("Stop", callback_data="stop:1"), InlineKeyboardButton("Docs", url="https://example.org")]]
)


async def pressed(bot: Bot) -> CallbackQuery:
    [query] = [each.callback_query for each in await updates(bot) if each.callback_query is not None]
    return query


async def test_a_press_reaches_the_bot_and_its_answer_the_person(simulator: Simulator, bot: Bot) -> None:
    sent = await bot.send_message(GENERAL, "x", reply_markup=STOP)
    made = await simulator.press("user2", f"{GENERAL}:{sent.message_id}", "Stop")
    query = await pressed(bot)
    assert (query.id, query.data, query.from_user.username) == (made["id"], "stop:1", "user2")
    assert isinstance(query.message, Message)
    assert query.message.text == "x"
    await query.answer("stopped", show_alert=True)
    answer = simulator.query(made["id"])["answer"]
    assert (answer["text"], answer["alert"]) == ("stopped", True)
    assert (await refused(query.answer())).startswith("Query is too old")


async def test_a_press_cannot_be_answered_late() -> None:
    clock = Clock()
    async with a_simulator(clock=clock) as simulator, a_bot(simulator) as bot:
        sent = await bot.send_message(GENERAL, "x", reply_markup=STOP)
        await simulator.press("user2", f"{GENERAL}:{sent.message_id}", "stop:1")
        query = await pressed(bot)
        clock.now += 15
        assert (await refused(query.answer())).startswith("Query is too old")
        assert simulator.queries()[0]["answer"] is None


async def test_presses_can_be_made_too_old_by_hand(simulator: Simulator, bot: Bot) -> None:
    sent = await bot.send_message(GENERAL, "x", reply_markup=STOP)
    await simulator.press("user2", f"{GENERAL}:{sent.message_id}", "Stop")
    await simulator.expire_queries()
    assert (await refused((await pressed(bot)).answer())).startswith("Query is too old")


async def test_the_message_of_a_press_may_be_out_of_reach(simulator: Simulator, bot: Bot) -> None:
    sent = await bot.send_message(GENERAL, "x", reply_markup=STOP)
    await simulator.press("user2", f"{GENERAL}:{sent.message_id}", "Stop", inaccessible=True)
    query = await pressed(bot)
    assert query.message is not None
    assert not query.message.is_accessible
    assert query.message.message_id == sent.message_id


async def test_only_buttons_that_are_there_can_be_pressed(simulator: Simulator, bot: Bot) -> None:
    sent = await bot.send_message(GENERAL, "x", reply_markup=STOP)
    where = f"{GENERAL}:{sent.message_id}"
    with pytest.raises(Wrong, match="there are: Stop, Docs"):
        await simulator.press("user1", where, "Go")
    with pytest.raises(Wrong, match="opens https"):
        await simulator.press("user1", where, "Docs")
    await bot.edit_message_text("y", GENERAL, sent.message_id)
    with pytest.raises(Wrong, match="there are: none"):
        await simulator.press("user1", where, "Stop")


async def test_a_command_from_the_menu_names_the_bot_in_groups(simulator: Simulator, bot: Bot) -> None:
    await simulator.call("user1", "ask", "general", "why?")
    await simulator.call("user1", "/ask", "general", "plain", at=False)
    await simulator.call("user1", "ask", text="in private")
    found = [each.message for each in await updates(bot) if each.message is not None]
    assert [each.text for each in found] == ["/ask@threadline_bot why?", "/ask plain", "/ask in private"]
    assert [list(each.parse_entities(["bot_command"]).values()) for each in found] == [
        ["/ask@threadline_bot"],
        ["/ask"],
        ["/ask"],
    ]


async def test_edits_and_forwards_reach_the_bot(simulator: Simulator, bot: Bot) -> None:
    said = await simulator.say("user1", "", "first", direct=True, forwarded="Zed")
    await simulator.edit(said["id"], "second")
    await simulator.say("user1", "", "from Ben", direct=True, forwarded="user2")
    await simulator.delete(said["id"])
    first, edited, other = await updates(bot)
    assert first.message is not None
    assert first.message.forward_origin is not None
    assert first.message.forward_origin.type == "hidden_user"
    assert edited.edited_message is not None
    assert (edited.edited_message.text, edited.edited_message.edit_date is not None) == ("second", True)
    assert other.message is not None
    assert other.message.forward_origin is not None
    assert other.message.forward_origin.type == "user"
