import pytest
from telegram import (
    Bot,
    BotCommand,
    BotCommandScopeAllGroupChats,
    BotCommandScopeAllPrivateChats,
    BotCommandScopeChat,
    Message,
    ReplyParameters,
)
from telegram.error import ChatMigrated

from sandbox.telegram import Simulator
from tests.sandbox.telegram.library import ADA, GENERAL, KITCHEN, WORKSHOP, a_bot, a_simulator, refused, updates


async def heard(bot: Bot) -> list[str | None]:
    """The texts of the messages that the bot has got since."""
    return [each.message.text or each.message.caption for each in await updates(bot) if each.message is not None]


async def messages(bot: Bot) -> list[Message]:
    return [each.message for each in await updates(bot) if each.message is not None]


async def test_privacy_mode_lets_through_only_what_is_meant_for_the_bot(simulator: Simulator, bot: Bot) -> None:
    mine = await bot.send_message(GENERAL, "here I am")
    for text in ("just talk", "hi @threadline_bot", "/help", "/ask@threadline_bot x", "/ask@other_bot x", "@threadline_bots"):
        await simulator.say("user1", "general", text)
    await simulator.say("user2", "general", "a reply", reply_to=f"{GENERAL}:{mine.message_id}")
    await simulator.say("other_bot", "general", "@threadline_bot from a bot")
    assert await heard(bot) == ["hi @threadline_bot", "/help", "/ask@threadline_bot x", "a reply"]
    assert (await bot.get_me()).can_read_all_group_messages is False


async def test_an_administrator_hears_everything(simulator: Simulator, bot: Bot) -> None:
    await simulator.promote("general")
    await simulator.say("user1", "general", "just talk")
    [promoted, message] = await updates(bot)
    assert promoted.my_chat_member is not None
    assert promoted.my_chat_member.new_chat_member.status == "administrator"
    assert message.message is not None
    assert message.message.text == "just talk"


async def test_a_change_of_privacy_mode_counts_after_the_bot_was_added_again(simulator: Simulator, bot: Bot) -> None:
    await simulator.set_privacy(False)
    assert (await bot.get_me()).can_read_all_group_messages is True
    await simulator.say("user1", "general", "before")
    await simulator.remove_bot("general")
    await simulator.add_bot("general")
    await simulator.say("user1", "general", "after")
    assert "before" not in (found := await heard(bot))
    assert found[-1] == "after"


async def test_a_removed_bot_is_refused(simulator: Simulator, bot: Bot) -> None:
    await simulator.remove_bot("general")
    assert await refused(bot.send_message(GENERAL, "x")) == "Forbidden: bot was kicked from the supergroup chat"
    await simulator.remove_bot("kitchen")
    assert await refused(bot.send_message(KITCHEN, "x")) == "Forbidden: bot was kicked from the group chat"
    assert [each.my_chat_member is not None for each in await updates(bot)] == [True, True]
    lounge = next(each["id"] for each in simulator.everything()["chats"] if each["name"] == "lounge")
    assert await refused(bot.send_message(lounge, "x")) == "Forbidden: bot is not a member of the supergroup chat"


async def test_a_group_that_becomes_a_supergroup_says_where_it_went(simulator: Simulator, bot: Bot) -> None:
    sent = await bot.send_message(KITCHEN, "old")
    new = (await simulator.migrate("kitchen"))["id"]
    old, fresh = await messages(bot)
    assert (old.chat_id, old.migrate_to_chat_id) == (KITCHEN, new)
    assert (fresh.chat_id, fresh.migrate_from_chat_id, fresh.message_id) == (new, KITCHEN, 1)
    for call in (bot.send_message(KITCHEN, "x"), bot.edit_message_text("x", KITCHEN, sent.message_id)):
        with pytest.raises(ChatMigrated) as told:
            await call
        assert told.value.new_chat_id == new
    assert (await bot.send_message(new, "x")).message_id == 2
    await simulator.say("user1", "kitchen", "@threadline_bot here?")
    assert [each.chat_id for each in await messages(bot)] == [new]


async def test_whoever_blocks_the_bot_is_not_reached(simulator: Simulator, bot: Bot) -> None:
    await simulator.start("user1")
    await simulator.block("user1")
    assert await refused(bot.send_message(ADA, "x")) == "Forbidden: bot was blocked by the user"
    assert await refused(bot.send_chat_action(ADA, "typing")) == "Forbidden: bot was blocked by the user"
    await simulator.say("user1", "", "again", direct=True)
    await bot.send_message(ADA, "x")
    statuses = [each.my_chat_member.new_chat_member.status for each in await updates(bot) if each.my_chat_member]
    assert statuses == ["kicked", "member"]
    await simulator.deactivate("user1")
    assert await refused(bot.send_message(ADA, "x")) == "Forbidden: user is deactivated"


async def test_nobody_writes_in_a_muted_group(simulator: Simulator, bot: Bot) -> None:
    await simulator.mute("general")
    assert await refused(bot.send_message(GENERAL, "x")) == "Not enough rights to send text messages to the chat"


async def test_topics_are_places_of_their_own(simulator: Simulator, bot: Bot) -> None:
    plans = (await simulator.topic("user1", "workshop", "more plans"))["id"]
    await simulator.say("user1", "workshop", "@threadline_bot in it", topic="more plans")
    await simulator.say("user1", "workshop", "@threadline_bot outside")
    created, inside, outside = await messages(bot)
    assert created.forum_topic_created is not None
    assert (inside.message_thread_id, inside.is_topic_message) == (plans, True)
    assert inside.reply_to_message is not None
    assert inside.reply_to_message.forum_topic_created is not None
    assert (outside.message_thread_id, outside.is_topic_message, outside.chat.is_forum) == (None, None, True)
    sent = await bot.send_message(WORKSHOP, "a", message_thread_id=plans)
    assert sent.message_thread_id == plans
    assert [each["text"] for each in simulator.sees("user1", "workshop", plans)][-1] == "a"


async def test_general_is_written_to_without_its_number(simulator: Simulator, bot: Bot) -> None:
    assert await refused(bot.send_message(WORKSHOP, "x", message_thread_id=1)) == "Message thread not found"
    assert await refused(bot.send_message(WORKSHOP, "x", message_thread_id=999)) == "Message thread not found"
    assert (await bot.send_message(WORKSHOP, "x")).message_thread_id is None
    assert simulator.messages("workshop", "General")[-1]["content"] == "x"


async def test_a_closed_topic_takes_only_administrators(simulator: Simulator, bot: Bot) -> None:
    await simulator.close_topic("user1", "workshop", "plans")
    assert await refused(bot.send_message(WORKSHOP, "x", message_thread_id=2)) == "Topic_closed"
    await simulator.close_topic("user1", "workshop", "General")
    assert await refused(bot.send_message(WORKSHOP, "x")) == "Topic_closed"
    await simulator.reopen_topic("user1", "workshop", "plans")
    await bot.send_message(WORKSHOP, "x", message_thread_id=2)
    await simulator.rename_topic("user1", "workshop", "plans", "dreams")
    await simulator.delete_topic("workshop", "dreams")
    assert await refused(bot.send_message(WORKSHOP, "x", message_thread_id=2)) == "Message thread not found"


async def test_only_an_administrator_makes_topics(simulator: Simulator, bot: Bot) -> None:
    assert await refused(bot.create_forum_topic(WORKSHOP, "new")) == "Not enough rights to create a topic"
    assert await refused(bot.create_forum_topic(GENERAL, "new")) == "The chat is not a forum"
    await simulator.promote("workshop")
    made = await bot.create_forum_topic(WORKSHOP, "new")
    await bot.edit_forum_topic(WORKSHOP, made.message_thread_id, name="newer")
    assert await bot.close_forum_topic(WORKSHOP, made.message_thread_id)
    assert await bot.reopen_forum_topic(WORKSHOP, made.message_thread_id)
    assert await bot.delete_forum_topic(WORKSHOP, made.message_thread_id)


async def test_private_chats_have_topics_when_the_bot_does() -> None:
    async with a_simulator(topics_in_private=True) as simulator, a_bot(simulator) as bot:
        assert (await bot.get_me()).has_topics_enabled
        made = await simulator.topic("user1", "@user1", "first")
        await simulator.say("user1", "@user1", "hi", topic="first")
        created, said = await messages(bot)
        assert created.forum_topic_created is not None
        assert (said.message_thread_id, said.is_topic_message) == (made["id"], True)
        assert (await bot.create_forum_topic(ADA, "second")).name == "second"
        await bot.send_message(ADA, "x", message_thread_id=made["id"])
    async with a_simulator() as simulator, a_bot(simulator) as bot:
        await simulator.start("user1")
        assert await refused(bot.create_forum_topic(ADA, "second")) == "Bot_forum_create_forbidden"


async def test_a_chain_of_replies_is_no_topic(simulator: Simulator, bot: Bot) -> None:
    first = await bot.send_message(GENERAL, "root")
    said = await simulator.say("user1", "general", "reply", reply_to=f"{GENERAL}:{first.message_id}")
    await simulator.say("user2", "general", "@threadline_bot deeper", reply_to=said["id"])
    reply, deeper = await messages(bot)
    assert reply.reply_to_message is not None
    assert reply.reply_to_message.message_id == first.message_id
    for each in (reply, deeper):
        assert (each.message_thread_id, each.is_topic_message) == (first.message_id, None)
    assert await refused(bot.send_message(GENERAL, "x", message_thread_id=first.message_id)) == "Message thread not found"


async def test_a_reply_in_general_carries_a_number_that_is_no_topic(simulator: Simulator, bot: Bot) -> None:
    first = await bot.send_message(WORKSHOP, "root")
    await simulator.say("user1", "workshop", "reply", reply_to=f"{WORKSHOP}:{first.message_id}")
    [reply] = await messages(bot)
    assert (reply.message_thread_id, reply.is_topic_message) == (first.message_id, None)
    assert await refused(bot.send_message(WORKSHOP, "x", message_thread_id=first.message_id)) == "Message thread not found"


async def test_a_reply_goes_to_the_topic_of_its_message(simulator: Simulator, bot: Bot) -> None:
    said = await simulator.say("user1", "workshop", "@threadline_bot hi", topic="plans")
    sent = await bot.send_message(WORKSHOP, "x", reply_parameters=ReplyParameters(said["message_id"]))
    assert (sent.message_thread_id, sent.is_topic_message) == (2, True)


async def test_the_menu_depends_on_place_and_person(simulator: Simulator, bot: Bot) -> None:
    await bot.set_my_commands([BotCommand("help", "Helps")])
    await bot.set_my_commands([BotCommand("ask", "Asks")], BotCommandScopeAllGroupChats())
    await bot.set_my_commands([BotCommand("new", "Anew")], BotCommandScopeAllPrivateChats())
    await bot.set_my_commands([BotCommand("here", "Only here")], BotCommandScopeChat(KITCHEN))

    def names(where: str = "") -> list[str]:
        return [each["command"] for each in simulator.commands("user2", where)]

    assert (names(), names("general"), names("kitchen")) == (["new"], ["ask"], ["here"])
    await bot.delete_my_commands(BotCommandScopeAllGroupChats())
    assert names("general") == ["help"]
    assert [each.command for each in await bot.get_my_commands()] == ["help"]
    assert await refused(bot.set_my_commands([BotCommand("Ask", "x")])) == "Bot_command_invalid"


async def test_chats_and_members_can_be_looked_up(simulator: Simulator, bot: Bot) -> None:
    chat = await bot.get_chat(WORKSHOP)
    assert (chat.type, chat.is_forum, chat.title) == ("supergroup", True, "workshop")
    assert (await bot.get_chat_member(WORKSHOP, ADA)).status == "creator"
    assert [each.user.id for each in await bot.get_chat_administrators(WORKSHOP)] == [ADA]
    assert await bot.get_chat_member_count(WORKSHOP) == 7
    assert await bot.leave_chat(WORKSHOP)
    assert await refused(bot.get_chat(WORKSHOP)) == "Forbidden: bot is not a member of the supergroup chat"
    made = await simulator.add_chat("fresh", "group")
    assert (await bot.get_chat(made["id"])).title == "fresh"
