from datetime import timedelta

import pytest
from telegram import (
    Bot,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    LinkPreviewOptions,
    MessageEntity,
    ReplyParameters,
)
from telegram.error import BadRequest

from sandbox.telegram import Simulator
from tests.sandbox.telegram.library import ADA, GENERAL, KITCHEN, PLAIN, Clock, a_bot, a_simulator, refused, updates

WAVE = "\U0001f44b"


def keyboard(*labels: str) -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup([[InlineKeyboardButton(label, callback_data=label) for label in labels]])


async def test_a_person_reads_what_the_bot_sends(simulator: Simulator, bot: Bot) -> None:
    await simulator.start("user1")
    entities = [MessageEntity("bold", 0, 5)]
    sent = await bot.send_message(ADA, "hello there", entities=entities, reply_markup=keyboard("Stop"))
    assert (sent.text, sent.chat_id, sent.from_user and sent.from_user.username) == ("hello there", ADA, "threadline_bot")
    seen = simulator.sees("user1")[-1]
    assert (seen["text"], seen["buttons"], seen["edited"]) == ("hello there", ["Stop"], False)
    assert [(each.type, each.offset, each.length) for each in sent.entities] == [("bold", 0, 5)]


async def test_nobody_is_written_to_who_never_wrote(bot: Bot) -> None:
    assert await refused(bot.send_message(ADA, "x")) == "Forbidden: bot can't initiate conversation with a user"
    assert await refused(bot.send_message(-5, "x")) == "Chat not found"


@pytest.mark.parametrize(("text", "fits"), [("x" * 4096, True), ("x" * 4097, False), (WAVE * 2048, True), (WAVE * 2049, False)])
async def test_text_is_counted_in_utf_16_units(bot: Bot, text: str, fits: bool) -> None:
    if fits:
        assert (await bot.send_message(GENERAL, text)).text == text
    else:
        sent = await bot.send_message(GENERAL, "short")
        assert await refused(bot.send_message(GENERAL, text)) == "Message is too long"
        assert await refused(bot.edit_message_text(text, GENERAL, sent.message_id)) == "Message_too_long"


async def test_space_around_a_text_is_cut_off_before_it_is_counted(bot: Bot) -> None:
    sent = await bot.send_message(GENERAL, "  \n" + "x" * 4096 + "\n\n ", entities=[MessageEntity("bold", 3, 10)])
    assert sent.text == "x" * 4096
    assert (sent.entities[0].offset, sent.entities[0].length) == (0, 10)
    assert await refused(bot.send_message(GENERAL, " \n ")) == "Message text is empty"


@pytest.mark.parametrize(
    ("offset", "length", "problem"),
    [
        (0, 4, "ends after the end of the text"),
        (5, 1, "begins after the end of the text"),
        (1, 2, "begins in a middle of a utf-16 symbol"),
        (0, 1, "ends in a middle of a utf-16 symbol"),
        (-1, 1, "incorrect offset"),
        (0, 2, None),
        (2, 1, None),
    ],
)
async def test_entities_lie_inside_the_text_and_split_no_symbol(bot: Bot, offset: int, length: int, problem: str | None) -> None:
    call = bot.send_message(GENERAL, WAVE + "a", entities=[MessageEntity("bold", offset, length)])
    if problem is None:
        assert (await call).entities[0].offset == offset
    else:
        assert problem in (await refused(call)).lower()


async def test_entities_beyond_a_hundred_are_dropped(bot: Bot) -> None:
    entities = [MessageEntity("bold", 2 * n, 1) for n in range(120)]
    assert len((await bot.send_message(GENERAL, "a " * 120, entities=entities)).entities) == 100


async def test_code_holds_no_other_entity(bot: Bot) -> None:
    given = [MessageEntity("pre", 0, 9, language="python"), MessageEntity("bold", 2, 3), MessageEntity("italic", 10, 3)]
    sent = await bot.send_message(GENERAL, "def f(): abc", entities=[*given[:2], MessageEntity("italic", 9, 3)])
    assert [(each.type, each.language) for each in sent.entities] == [("pre", "python"), ("italic", None)]


async def test_the_server_finds_mentions_commands_and_links(bot: Bot) -> None:
    sent = await bot.send_message(GENERAL, "@user2 see https://example.org/a?b=1. /help #tag")
    assert [each.type for each in sent.entities] == ["mention", "url", "bot_command", "hashtag"]
    assert sent.parse_entity(sent.entities[1]) == "https://example.org/a?b=1"


async def test_an_edit_that_changes_nothing_is_refused(bot: Bot) -> None:
    sent = await bot.send_message(GENERAL, "same", reply_markup=keyboard("Stop"))
    call = bot.edit_message_text("same ", GENERAL, sent.message_id, reply_markup=keyboard("Stop"))
    assert (await refused(call)).startswith("Message is not modified")
    assert (await refused(bot.edit_message_reply_markup(GENERAL, sent.message_id, reply_markup=keyboard("Stop")))).startswith(
        "Message is not modified"
    )


async def test_an_edit_without_buttons_takes_them_away(simulator: Simulator, bot: Bot) -> None:
    sent = await bot.send_message(GENERAL, "one", reply_markup=keyboard("Stop", "More"))
    await bot.edit_message_text("two", GENERAL, sent.message_id)
    seen = simulator.sees("user2", "general")[-1]
    assert (seen["text"], seen["buttons"], seen["edited"]) == ("two", [], True)
    await bot.edit_message_reply_markup(GENERAL, sent.message_id, reply_markup=keyboard("Retry"))
    [message] = simulator.messages("general")
    assert [(each["content"], each["buttons"]) for each in message["history"]] == [
        ("one", ["Stop", "More"]),
        ("two", []),
        ("two", ["Retry"]),
    ]


async def test_buttons_hold_sixty_four_bytes(bot: Bot) -> None:
    for data, fits in (("x" * 64, True), ("x" * 65, False), ("\u00e9" * 33, False)):
        markup = InlineKeyboardMarkup([[InlineKeyboardButton("go", callback_data=data)]])
        if fits:
            await bot.send_message(GENERAL, "x", reply_markup=markup)
        else:
            assert await refused(bot.send_message(GENERAL, "x", reply_markup=markup)) == "Button_data_invalid"


async def test_only_its_own_messages_are_edited_by_the_bot(simulator: Simulator, bot: Bot) -> None:
    said = await simulator.say("user1", "general", "mine")
    assert await refused(bot.edit_message_text("x", GENERAL, said["message_id"])) == "Message can't be edited"
    assert await refused(bot.edit_message_text("x", GENERAL, 999)) == "Message to edit not found"


async def test_a_preview_shows_unless_each_call_forbids_it(simulator: Simulator, bot: Bot) -> None:
    sent = await bot.send_message(GENERAL, "https://example.org", link_preview_options=PLAIN)
    assert simulator.sees("user1", "general")[-1]["preview"] is False
    await bot.edit_message_text("https://example.org/2", GENERAL, sent.message_id)
    assert simulator.sees("user1", "general")[-1]["preview"] is True
    await bot.edit_message_text("https://example.org/3", GENERAL, sent.message_id, link_preview_options=LinkPreviewOptions(True))
    assert simulator.sees("user1", "general")[-1]["preview"] is False


async def test_a_reply_names_its_message_and_fails_without_it(simulator: Simulator, bot: Bot) -> None:
    said = await simulator.say("user1", "general", "@threadline_bot the question is this")
    number = said["message_id"]
    sent = await bot.send_message(GENERAL, "a", reply_parameters=ReplyParameters(number, quote="question"))
    assert sent.reply_to_message is not None
    assert (sent.reply_to_message.message_id, sent.quote and sent.quote.text) == (number, "question")
    assert await refused(bot.send_message(GENERAL, "a", reply_parameters=ReplyParameters(number, quote="never"))) == (
        "Quote_text_invalid"
    )
    await simulator.delete(said["id"])
    assert await refused(bot.send_message(GENERAL, "a", reply_parameters=ReplyParameters(number))) == (
        "Message to be replied not found"
    )
    alone = await bot.send_message(GENERAL, "a", reply_parameters=ReplyParameters(number, allow_sending_without_reply=True))
    assert alone.reply_to_message is None


async def test_messages_are_deleted_for_two_days(simulator: Simulator) -> None:
    clock = Clock()
    async with a_simulator(clock=clock) as simulator, a_bot(simulator) as bot:
        mine, old = await bot.send_message(GENERAL, "a"), await bot.send_message(GENERAL, "b")
        theirs = (await simulator.say("user1", "general", "c"))["message_id"]
        await bot.delete_message(GENERAL, mine.message_id)
        assert await refused(bot.delete_message(GENERAL, mine.message_id)) == "Message to delete not found"
        assert await refused(bot.delete_message(GENERAL, theirs)) == "Message can't be deleted"
        clock.now += timedelta(days=2).total_seconds()
        assert await refused(bot.delete_message(GENERAL, old.message_id)) == "Message can't be deleted"
        await simulator.promote("general")
        assert await bot.delete_messages(GENERAL, [old.message_id, theirs, 999])
        assert simulator.sees("user1", "general") == []


async def test_ids_are_unique_only_inside_a_supergroup(simulator: Simulator, bot: Bot) -> None:
    await simulator.start("user1")
    private, kitchen = await bot.send_message(ADA, "a"), await bot.send_message(KITCHEN, "b")
    assert kitchen.message_id == private.message_id + 1
    assert (await bot.send_message(GENERAL, "c")).message_id == 1


async def test_a_mark_is_one_of_those_that_a_bot_may_set(simulator: Simulator, bot: Bot) -> None:
    said = await simulator.say("user1", "general", "hi")
    await bot.set_message_reaction(GENERAL, said["message_id"], "\U0001f440")
    assert simulator.message(said["id"])["reactions"] == {"\U0001f440": 1}
    await bot.set_message_reaction(GENERAL, said["message_id"], None)
    assert simulator.message(said["id"])["reactions"] == {}
    assert await refused(bot.set_message_reaction(GENERAL, said["message_id"], "\U0001f9ff")) == "Reaction_invalid"


async def test_a_chat_action_shows_for_five_seconds_or_until_the_answer() -> None:
    clock = Clock()
    async with a_simulator(clock=clock) as simulator, a_bot(simulator) as bot:
        await bot.send_chat_action(GENERAL, "typing")
        assert [(each["chat"], each["action"]) for each in simulator.actions()] == [(GENERAL, "typing")]
        clock.now += 5.1
        assert simulator.actions() == []
        await bot.send_chat_action(GENERAL, "typing")
        await bot.send_message(GENERAL, "done")
        assert simulator.actions() == []
        with pytest.raises(BadRequest, match="Wrong parameter action"):
            await bot.send_chat_action(GENERAL, "dancing")


async def test_what_the_bot_does_is_told_to_nobody_but_people(simulator: Simulator, bot: Bot) -> None:
    sent = await bot.send_message(GENERAL, "@threadline_bot /start")
    await bot.edit_message_text("@threadline_bot again", GENERAL, sent.message_id)
    assert await updates(bot) == []


async def test_carriage_returns_go_and_entities_stay_where_they_were(bot: Bot) -> None:
    sent = await bot.send_message(GENERAL, "a\r\nbold\r\nc", entities=[MessageEntity("bold", 3, 6)])
    assert sent.text == "a\nbold\nc"
    assert sent.parse_entity(sent.entities[0]) == "bold\n"


async def test_tabs_become_a_space_and_a_text_of_blanks_is_empty(bot: Bot) -> None:
    sent = await bot.send_message(GENERAL, "a\tb\u202ec", entities=[MessageEntity("code", 0, 5)])
    assert (sent.text, sent.entities[0].length) == ("a bc", 4)
    assert await refused(bot.send_message(GENERAL, "\u200b \u00a0\t")) == "Message text is empty"
    assert (await bot.send_message(GENERAL, "\u00a0x\u00a0")).text == "\u00a0x\u00a0"


async def test_problems_of_entities_are_told_as_telegram_tells_them(bot: Bot) -> None:
    for entity, told in (
        (MessageEntity("bold", 1, 1), "Entity begins in a middle of a utf-16 symbol at byte offset 4"),
        (MessageEntity("bold", 0, 1), "Entity beginning at utf-16 offset 0 ends in a middle of a utf-16 symbol at byte offset 4"),
        (MessageEntity("bold", 3, 6), "Entity beginning at utf-16 offset 3 ends after the end of the text at utf-16 offset 9"),
    ):
        assert await refused(bot.send_message(GENERAL, WAVE + " " + WAVE, entities=[entity])) == told
