import discord
import pytest

from sandbox.discord import Simulator
from sandbox.discord.defaults import BOT, CHANNELS, PEOPLE
from tests.sandbox.discord.library import Client, Rest

HERE = f"/channels/{CHANNELS['general']}/messages"
EYES, DONE = "\N{EYES}", "\N{WHITE HEAVY CHECK MARK}"


# edits and deletions


async def test_a_person_edits_and_the_bot_is_told_when(simulator: Simulator, client: Client) -> None:
    said = await simulator.say("user1", "general", "@threadline helo")
    await simulator.edit(said["id"], "@threadline hello")
    told = await client.told("raw_message_edit")
    assert (told.message_id, told.message.content) == (int(said["id"]), f"<@{BOT}> hello")
    assert told.message.edited_at is not None
    assert simulator.sees("user2", "general")[-1]["edited"]


async def test_a_link_preview_is_an_update_that_is_no_edit(simulator: Simulator, client: Client) -> None:
    said = await simulator.say("user1", "general", "see https://a.example")
    await simulator.unfurl(said["id"])
    told = await client.told("raw_message_edit")
    assert (told.message.content, told.message.edited_at) == ("see https://a.example", None)
    assert [each.url for each in told.message.embeds] == ["https://a.example"]
    assert len(simulator.message(said["id"])["history"]) == 1


async def test_deletions_are_told_one_by_one_or_together(simulator: Simulator, client: Client) -> None:
    ids = [int((await simulator.say("user1", "general", text))["id"]) for text in "abc"]
    await simulator.delete(ids[0])
    assert (await client.told("raw_message_delete")).message_id == ids[0]
    await simulator.delete_many([str(each) for each in ids[1:]])
    told = await client.told("raw_bulk_message_delete")
    assert (told.message_ids, told.channel_id) == (set(ids[1:]), CHANNELS["general"])
    assert simulator.sees("user1", "general") == []
    other = await simulator.say("user1", "random", "d")
    with pytest.raises(ValueError, match="one channel"):
        await simulator.delete_many([ids[0], other["id"]])


# reactions


async def test_reactions_are_shown_to_everyone_and_in_history(simulator: Simulator, client: Client) -> None:
    said = await simulator.say("user1", "general", "hello")
    message = await client.hears("hello")
    await message.add_reaction(EYES)
    await message.add_reaction(EYES)
    await simulator.react("user2", said["id"], EYES)
    await simulator.react("user2", said["id"], DONE)
    assert simulator.sees("user3", "general")[-1]["reactions"] == {EYES: 2, DONE: 1}
    read = await client.text_channel().fetch_message(message.id)
    assert [(str(each), each.count, each.me) for each in read.reactions] == [(EYES, 2, True), (DONE, 1, False)]
    assert client.user is not None
    await message.remove_reaction(EYES, client.user)
    assert simulator.sees("user3", "general")[-1]["reactions"] == {EYES: 1, DONE: 1}
    added = [each.user_id for each in client.given["raw_reaction_add"]]
    assert added == [BOT, PEOPLE["user2"][0], PEOPLE["user2"][0]]


@pytest.mark.parametrize("wrong", ["+", "x", "1", " ", "name:123456789012345678", f"{EYES} x"])
async def test_what_is_no_emoji_is_unknown(simulator: Simulator, client: Client, wrong: str) -> None:
    message = await client.text_channel().send("x")
    with pytest.raises(discord.HTTPException) as refused:
        await message.add_reaction(wrong)
    assert refused.value.code == 10014


@pytest.mark.parametrize("emoji", ["\u2705", "\u2764\ufe0f", "1\ufe0f\u20e3", "\U0001f44d\U0001f3fd", "\U0001f1f3\U0001f1f1"])
async def test_emoji_of_all_kinds_can_be_reacted_with(simulator: Simulator, client: Client, emoji: str) -> None:
    message = await client.text_channel().send("x")
    await message.add_reaction(emoji)
    assert list(simulator.message(message.id)["reactions"]) == [emoji]


async def test_a_new_reaction_needs_a_permission_and_joining_one_does_not(simulator: Simulator, client: Client) -> None:
    await simulator.permissions("general", deny=["add_reactions"])
    said = await simulator.say("user1", "general", "hello")
    message = await client.hears("hello")
    with pytest.raises(discord.Forbidden) as refused:
        await message.add_reaction(EYES)
    assert refused.value.code == 50013
    await simulator.react("user2", said["id"], EYES)
    await message.add_reaction(EYES)


async def test_reactions_have_a_bucket_of_their_own(simulator: Simulator, rest: Rest) -> None:
    made = await rest("POST", HERE, {"content": "x"})
    mine = f"{HERE}/{made.body['id']}/reactions/%F0%9F%91%80/@me"
    put = await rest("PUT", mine)
    assert (put.status, put.headers["x-ratelimit-limit"], put.headers["x-ratelimit-remaining"]) == (204, "1", "0")
    assert put.headers["x-ratelimit-bucket"] != made.headers["x-ratelimit-bucket"]
    refused = await rest("DELETE", mine)
    assert refused.status == 429
    assert refused.body["retry_after"] <= 0.25


# roles


async def test_a_role_that_changes_is_told_as_a_change(simulator: Simulator, client: Client) -> None:
    await simulator.role("helpers", permissions=["manage_messages"])
    before, after = (await client.told("guild_role_update"), client.given["guild_role_update"][1])
    assert (before.permissions.manage_messages, after.permissions.manage_messages) == (False, True)
    assert "guild_role_create" not in client.events
    await simulator.role("criers")
    assert (await client.told("guild_role_create")).name == "criers"


# what is seen


async def test_a_person_sees_only_what_they_may(simulator: Simulator, client: Client) -> None:
    await client.text_channel().send("for all")
    await simulator.permissions("general", "user3", deny=["view_channel"])
    assert [each["text"] for each in simulator.sees("user2", "general")] == ["for all"]
    assert simulator.sees("user3", "general") == []
    await simulator.say("user2", "", "privately", direct=True)
    assert [each["text"] for each in simulator.sees("user2")] == ["privately"]
    assert simulator.sees("user3", "@user2") == []
