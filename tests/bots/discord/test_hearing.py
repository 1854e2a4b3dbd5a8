"""What the bot hears, and where its answer would go."""

from collections.abc import AsyncIterator

import pytest

from bots.discord.convert import snowflake
from sandbox.discord.defaults import BOT, BOT_ROLE, CHANNELS, GUILD, HELPERS
from shared.chat import Attachment, ChannelId, Deleted, Left, Message, Quoted, Target
from tests.bots.discord.rig import DiscordRig, discord_rig
from tests.conformance.adapter_rig import Heard, asked, listening

GENERAL = f"discord:{CHANNELS['general']}"


@pytest.fixture
async def heard(rig: DiscordRig) -> AsyncIterator[Heard]:
    async with listening(rig.adapter) as heard:
        yield heard


async def said(rig: DiscordRig, heard: Heard, text: str, where: str = "general", *, by: str = "user1") -> Message:
    count = len(heard.messages) + 1
    await rig.simulator.say(by, where, text)
    return await heard.message(count)


async def answered(rig: DiscordRig, heard: Heard, text: str = "answer") -> tuple[Target, str]:
    """The bot's answer in a thread: its target and the number of the bot's message."""
    message = await asked(rig, heard)
    target = await rig.adapter.open(message.target, "a thread")
    return target, str(snowflake(await rig.adapter.post(target, text, key=f"k{len(heard.events)}")))


@pytest.mark.parametrize("text", ["@everyone", "@here", f"<@&{BOT_ROLE}>", f"<@&{HELPERS}>", "threadline", "@user2"])
async def test_only_a_mention_of_the_bot_itself_addresses_it(rig: DiscordRig, heard: Heard, text: str) -> None:
    message = await said(rig, heard, text)
    assert not message.addressed
    assert message.thread is None


async def test_mentions_of_others_are_shown_by_name(rig: DiscordRig, heard: Heard) -> None:
    message = await said(rig, heard, f"@threadline ask @user2, <@&{HELPERS}> in <#{CHANNELS['random']}>")
    assert message.text == "ask @Ben, @helpers in #random"


async def test_a_mention_in_a_channel_is_answered_in_the_thread_on_it(rig: DiscordRig, heard: Heard) -> None:
    message = await said(rig, heard, "@threadline hello")
    assert (message.target.channel.kind, message.target.channel.title) == ("group", "general")
    assert message.target.reply_to == message.id
    assert message.place == message.thread
    assert message.thread is not None
    assert (message.thread.id, message.thread.parent, message.thread.space) == (message.id, GENERAL, f"discord:{GUILD}")


async def test_everything_in_a_thread_that_the_bot_opened_is_for_the_bot(rig: DiscordRig, heard: Heard) -> None:
    target, _ = await answered(rig, heard)
    message = await said(rig, heard, "and now?", str(snowflake(target.channel.id)))
    assert message.addressed
    assert message.thread is None
    assert (message.target.channel.id, message.target.channel.kind) == (target.channel.id, "thread")


async def test_the_bots_threads_are_known_after_a_restart_and_when_they_come_back(rig: DiscordRig) -> None:
    async with listening(rig.adapter) as heard:
        target, _ = await answered(rig, heard)
    number = str(snowflake(target.channel.id))
    async with listening(rig.adapter) as heard:
        assert (await said(rig, heard, "again", number)).addressed
    await rig.simulator.archive(number)
    async with listening(rig.adapter) as heard:
        message = await said(rig, heard, "out of the archive", number)
        assert (message.addressed, message.target.channel.kind) == (True, "thread")


async def test_in_a_thread_that_a_person_opened_the_bot_has_to_be_mentioned(rig: DiscordRig, heard: Heard) -> None:
    thread = await rig.simulator.open_thread("user1", "general", "people")
    assert not (await said(rig, heard, "between us", thread["id"])).addressed
    message = await said(rig, heard, "@threadline you too", thread["id"])
    assert message.addressed
    assert message.thread is None
    assert message.place.id == f"discord:{thread['id']}"
    assert await rig.adapter.open(message.target, "a thread in a thread") == message.target


async def test_a_reply_to_the_bot_is_for_the_bot_and_quotes_it(rig: DiscordRig, heard: Heard) -> None:
    first = await asked(rig, heard)
    posted = await rig.adapter.post(first.target, "I said this", key="k1")
    await rig.simulator.say("user2", "general", "really?", reply_to=snowflake(posted))
    message = await heard.message(2)
    assert message.addressed
    assert message.quoted == Quoted(name="Threadline", text="I said this", own=True)


async def test_a_reply_to_another_person_is_quoted_but_not_for_the_bot(rig: DiscordRig, heard: Heard) -> None:
    first = await said(rig, heard, "I think so")
    await rig.simulator.say("user2", "general", "me too", reply_to=snowflake(first.id))
    await rig.simulator.say("user2", "general", "@threadline is that so?", reply_to=snowflake(first.id))
    plain, mention = await heard.message(2), await heard.message(3)
    assert (plain.addressed, mention.addressed) == (False, True)
    assert mention.quoted == Quoted(name="Ada", text="I think so", own=False)


async def test_a_direct_chat_is_for_the_bot_and_can_be_answered_after_a_restart(rig: DiscordRig) -> None:
    async with listening(rig.adapter) as heard:
        message = await said(rig, heard, "psst", "@user3")
    assert (message.addressed, message.target.channel.kind, message.target.channel.space) == (True, "direct", None)
    assert message.thread is None
    async with listening(rig.adapter):
        await rig.adapter.post(message.target, "yes?", key="k1")
    assert rig.shown(message.target.channel) == ["yes?"]


async def test_where_threads_may_not_be_opened_the_answer_stays_in_the_channel(rig: DiscordRig, heard: Heard) -> None:
    await rig.simulator.permissions("general", deny=["CREATE_PUBLIC_THREADS"])
    await rig.simulator.permissions("random", deny=["SEND_MESSAGES_IN_THREADS"])
    assert (await said(rig, heard, "@threadline hello")).thread is None
    assert (await said(rig, heard, "@threadline hello", "random")).thread is None
    assert (await said(rig, heard, "@threadline hello", "support")).thread is not None


async def test_answers_in_the_channel_are_replies() -> None:
    async with discord_rig(answer_in="channel") as rig, listening(rig.adapter) as heard:
        message = await asked(rig, heard)
        assert message.thread is None
        await rig.adapter.post(message.target, "answer", key="k1")
        [answer] = rig.own(message.target.channel)
        assert (answer["reference"], answer["pinged"]["users"]) == (str(snowflake(message.id)), [])


async def test_the_author_comes_with_roles(rig: DiscordRig, heard: Heard) -> None:
    message = await said(rig, heard, "@threadline hello", by="user2")
    assert (message.author.name, message.author.roles) == ("Ben", {f"discord:{HELPERS}"})
    assert (await said(rig, heard, "hello", by="user1")).author.roles == frozenset()


async def test_a_file_alone_is_a_message(rig: DiscordRig, heard: Heard) -> None:
    target, _ = await answered(rig, heard)
    file = {"name": "a.png", "media_type": "image/png", "size": 12}
    number = str(snowflake(target.channel.id))
    await rig.simulator.say("user1", number, "", attachments=[file])
    message = await heard.message(2)
    [attachment] = message.attachments
    assert (message.text, message.addressed, message.unreadable) == ("", True, False)
    assert attachment == Attachment(attachment.ref, "a.png", "image/png", 12)
    assert attachment.ref.startswith(f"{number}/{snowflake(message.id)}/")


async def test_webhooks_are_bots(rig: DiscordRig, heard: Heard) -> None:
    await rig.simulator.say("user1", "general", "@threadline hello", webhook="News")
    assert (await said(rig, heard, "after")).text == "after"
    assert [(message.text, message.addressed) for message in heard.of_bots] == [("hello", False)]


async def test_deleted_messages_are_told_with_their_channel(rig: DiscordRig, heard: Heard) -> None:
    target, own = await answered(rig, heard)
    await rig.simulator.delete(own)
    await heard.until(lambda: isinstance(heard.events[-1], Deleted))
    deleted = heard.events[-1]
    assert isinstance(deleted, Deleted)
    assert (deleted.channel, deleted.message) == (target.channel.id, f"discord:{own}")


async def test_deleted_channels_and_lost_servers_are_told(rig: DiscordRig, heard: Heard) -> None:
    target, _ = await answered(rig, heard)
    await rig.simulator.delete_channel(str(snowflake(target.channel.id)))
    await heard.until(lambda: heard.events[-1] == Left(channel=target.channel.id))
    await rig.simulator.delete_channel("random")
    await heard.until(lambda: heard.events[-1] == Left(channel=ChannelId(f"discord:{CHANNELS['random']}")))
    await rig.simulator.kick()
    await heard.until(lambda: heard.events[-1] == Left(space=f"discord:{GUILD}"))
    left = [event.channel for event in heard.events if isinstance(event, Left)]
    assert left == [target.channel.id, f"discord:{CHANNELS['random']}", None]


async def test_being_taken_out_of_a_thread_is_leaving_it(rig: DiscordRig, heard: Heard) -> None:
    target, _ = await answered(rig, heard)
    await rig.simulator.add_to_thread("threadline", str(snowflake(target.channel.id)), remove=True)
    await heard.until(lambda: heard.events[-1] == Left(channel=target.channel.id))


async def test_a_channel_that_goes_out_of_view_is_left(rig: DiscordRig, heard: Heard) -> None:
    def left() -> list[ChannelId | None]:
        return [event.channel for event in heard.events if isinstance(event, Left)]

    random = ChannelId(f"discord:{CHANNELS['random']}")
    for times in (1, 2):
        for _ in range(2):
            await rig.simulator.permissions("random", deny=["VIEW_CHANNEL"])
        await heard.until(lambda times=times: left() == [random] * times)
        await rig.simulator.permissions("random")
        await said(rig, heard, "back in view", "random")
    made = await rig.simulator.add_channel("new")
    await said(rig, heard, "in a new channel", "new")
    await rig.simulator.permissions("new", deny=["VIEW_CHANNEL"])
    await heard.until(lambda: left()[2:] == [f"discord:{made['id']}"])


async def test_without_the_content_intent_mentions_and_direct_chats_are_read() -> None:
    async with discord_rig(message_content="off") as rig, listening(rig.adapter) as heard:
        target, _ = await answered(rig, heard)
        assert heard.texts == ["hello"]
        inside = await said(rig, heard, "no mention", str(snowflake(target.channel.id)))
        assert (inside.text, inside.addressed, inside.unreadable) == ("", True, True)
        outside = await said(rig, heard, "nothing")
        assert (outside.addressed, outside.unreadable) == (False, True)
        assert (await said(rig, heard, "psst", "@user1")).text == "psst"


async def test_an_edit_by_a_person_is_no_new_message(rig: DiscordRig, heard: Heard) -> None:
    first = await said(rig, heard, "@threadline one")
    await rig.simulator.edit(snowflake(first.id), "@threadline two")
    await said(rig, heard, "@threadline three")
    assert heard.texts == ["one", "three"]
    assert all(message.author.id != f"discord:{BOT}" for message in heard.messages)
