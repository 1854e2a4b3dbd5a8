import discord
import pytest

from sandbox.discord import Simulator, SimulatorConfig
from sandbox.discord.defaults import BOT, CHANNELS, PEOPLE
from tests.sandbox.discord.library import Client, Rest, Start, connected, rest_of

GENERAL = CHANNELS["general"]
HERE = f"/channels/{GENERAL}/messages"


class Clock:
    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


async def test_a_mention_is_heard_and_answered(simulator: Simulator, client: Client) -> None:
    said = await simulator.say("user1", "general", "@threadline hello")
    message = await client.hears("hello")
    assert client.user in message.mentions
    assert (str(message.id), message.author.display_name) == (said["id"], "Ada")
    assert isinstance(message.channel, discord.TextChannel)
    answer = await message.channel.send("hi")
    assert (await client.hears("hi")).author == client.user
    assert simulator.message(answer.id)["content"] == "hi"


async def test_a_name_is_known_in_small_and_large_letters(simulator: Simulator, client: Client) -> None:
    said = await simulator.say("user1", "general", "@Threadline and @nobody")
    message = await client.hears("and")
    assert client.user in message.mentions
    assert said["content"] == f"<@{BOT}> and @nobody"


async def test_edits_are_kept_with_everything_that_was_shown(simulator: Simulator, client: Client) -> None:
    answer = await client.text_channel().send("one")
    part = client.text_channel().get_partial_message(answer.id)
    await part.edit(content="one two")
    edited = await part.edit(content="one two three")
    assert edited.edited_at is not None
    shown = simulator.message(answer.id)
    assert [each["content"] for each in shown["history"]] == ["one", "one two", "one two three"]
    assert await client.told("raw_message_edit") is not None
    await part.delete()
    assert simulator.message(answer.id)["deleted"]
    assert (await client.told("raw_message_delete")).message_id == answer.id


async def test_a_repeated_nonce_gives_the_first_message_as_it_is_now(simulator: Simulator, client: Client) -> None:
    channel = client.text_channel()
    first = await channel.send("draft", nonce="turn-1")
    assert first.nonce == "turn-1"
    await channel.get_partial_message(first.id).edit(content="final")
    again = await channel.send("draft", nonce="turn-1")
    assert (again.id, again.content) == (first.id, "final")
    assert (await client.text_channel("random").send("draft", nonce="turn-1")).id != first.id
    await channel.send("end")
    await client.hears("end")
    assert [message.content for message in client.heard] == ["draft", "draft", "end"]
    assert client.heard[0].nonce == "turn-1"


async def test_a_nonce_is_forgotten_after_its_window(start: Start) -> None:
    clock = Clock()
    async with start(SimulatorConfig(clock=clock, nonce_window=180)) as simulator, rest_of(simulator) as rest:
        body = {"content": "x", "nonce": "n", "enforce_nonce": True}
        first = await rest("POST", HERE, body)
        clock.now += 179
        assert (await rest("POST", HERE, body)).body["id"] == first.body["id"]
        clock.now += 2
        assert (await rest("POST", HERE, body)).body["id"] != first.body["id"]


async def test_a_nonce_that_is_not_enforced_makes_a_new_message(simulator: Simulator, rest: Rest) -> None:
    body = {"content": "x", "nonce": "n"}
    assert (await rest("POST", HERE, body)).body["id"] != (await rest("POST", HERE, body)).body["id"]


async def test_history_carries_no_nonce(simulator: Simulator, rest: Rest) -> None:
    made = await rest("POST", HERE, {"content": "x", "nonce": "n"})
    assert made.body["nonce"] == "n"
    assert "nonce" not in (await rest("GET", f"{HERE}/{made.body['id']}")).body
    assert "nonce" not in (await rest("GET", HERE)).body[0]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"content": "x" * 2001}, 400, 50035),
        ({"content": " \n "}, 400, 50006),
        ({}, 400, 50006),
        ({"content": 5}, 400, 50035),
        ({"content": "x", "nonce": "n" * 26}, 400, 50035),
        ({"content": "x", "message_reference": {"message_id": "1"}}, 400, 50035),
        ({"content": "x\ud800"}, 400, 50109),
        ([], 400, 50109),
    ],
)
async def test_a_body_that_discord_would_refuse_is_refused(rest: Rest, body: object, status: int, code: int) -> None:
    answer = await rest("POST", HERE, body)
    assert (answer.status, answer.code) == (status, code)


async def test_a_text_is_counted_in_code_points_and_trimmed(simulator: Simulator, client: Client) -> None:
    made = await client.text_channel().send("\U0001f600" * 1999 + "\n")
    assert len(simulator.message(made.id)["content"]) == 1999
    with pytest.raises(discord.HTTPException) as refused:
        await client.text_channel().send("x" * 2001)
    assert refused.value.code == 50035
    assert "Must be 2000 or fewer in length" in refused.value.text


async def test_calls_for_what_is_not_there_or_not_ours_are_refused(simulator: Simulator, rest: Rest) -> None:
    theirs = (await simulator.say("user1", "general", "mine"))["id"]
    assert (await rest("POST", "/channels/1/messages", {"content": "x"})).code == 10003
    assert (await rest("GET", f"{HERE}/1")).code == 10008
    assert (await rest("PATCH", f"{HERE}/{theirs}", {"content": "x"})).code == 50005
    assert (await rest("DELETE", f"{HERE}/{theirs}")).code == 50013
    assert (await rest("GET", "/users/1")).code == 10013
    assert (await rest("GET", "/guilds/1")).code == 10004
    assert (await rest("GET", "/nothing")).status == 404
    wrong = await rest("GET", "/users/@me", token="wrong")
    assert (wrong.status, wrong.body) == (401, {"message": "401: Unauthorized", "code": 0})


async def test_history_pages_forwards_and_backwards(simulator: Simulator, client: Client) -> None:
    for number in range(7):
        await simulator.say("user1", "general", f"m{number}")
    channel = client.text_channel()
    ids = [int(each["id"]) for each in simulator.messages("general")]
    await simulator.delete(ids[3])
    after = channel.history(after=discord.Object(ids[1]), oldest_first=True, limit=None)
    assert [message.content async for message in after] == ["m2", "m4", "m5", "m6"]
    before = channel.history(before=discord.Object(ids[4]), limit=2)
    assert [message.content async for message in before] == ["m2", "m1"]
    around = [message.content async for message in channel.history(around=discord.Object(ids[4]), limit=3)]
    assert "m4" in around
    assert (await channel.fetch_message(ids[6])).content == "m6"


async def test_a_page_of_history_holds_the_messages_next_to_its_anchor(simulator: Simulator, rest: Rest) -> None:
    ids = [(await simulator.say("user1", "general", f"m{number}"))["id"] for number in range(5)]
    after = (await rest("GET", f"{HERE}?after={ids[0]}&limit=2")).body
    assert [each["content"] for each in after] == ["m2", "m1"]
    before = (await rest("GET", f"{HERE}?before={ids[4]}&limit=2")).body
    assert [each["content"] for each in before] == ["m3", "m2"]
    assert (await rest("GET", f"{HERE}?limit=101")).code == 50035


async def test_pings_follow_the_allowed_mentions_of_the_library(simulator: Simulator, start: Start) -> None:
    user = PEOPLE["user1"][0]
    async with connected(allowed_mentions=discord.AllowedMentions.none()) as client:
        quiet = await client.text_channel().send(f"<@{user}> @everyone")
        assert simulator.message(quiet.id)["pinged"] == {"users": [], "roles": [], "everyone": False}
    async with connected() as client:
        loud = await client.text_channel().send(f"<@{user}>")
        assert simulator.message(loud.id)["pinged"]["users"] == [str(user)]


async def test_an_edit_without_allowed_mentions_may_ping(simulator: Simulator, rest: Rest) -> None:
    user = PEOPLE["user1"][0]
    made = await rest("POST", HERE, {"content": "x", "allowed_mentions": {"parse": []}})
    await rest("PATCH", f"{HERE}/{made.body['id']}", {"content": f"<@{user}>"})
    assert simulator.message(made.body["id"])["pinged"]["users"] == [str(user)]


async def test_a_reply_pings_the_author_replied_to_unless_told_not_to(simulator: Simulator, client: Client) -> None:
    await simulator.say("user1", "general", "question")
    question = await client.hears("question")
    loud = await question.reply("answer")
    quiet = await question.reply("answer", mention_author=False)
    user = str(PEOPLE["user1"][0])
    assert simulator.message(loud.id)["pinged"]["users"] == [user]
    assert simulator.message(quiet.id)["pinged"]["users"] == []
    assert loud.reference is not None
    assert loud.reference.message_id == question.id
    assert isinstance(loud.reference.resolved, discord.Message)


async def test_an_edit_by_the_whole_message_brings_link_previews_back(simulator: Simulator, client: Client) -> None:
    made = await client.text_channel().send("https://a.example", suppress_embeds=True)
    assert not simulator.message(made.id)["embeds_shown"]
    await client.text_channel().get_partial_message(made.id).edit(content="https://b.example")
    assert not simulator.message(made.id)["embeds_shown"]
    await made.edit(content="https://c.example")
    assert simulator.message(made.id)["embeds_shown"]


async def test_silent_messages_keep_their_flag(simulator: Simulator, client: Client) -> None:
    made = await client.text_channel().send("psst", silent=True)
    assert simulator.message(made.id)["flags"] == 4096


async def test_edits_of_messages_older_than_an_hour_are_limited(start: Start) -> None:
    clock = Clock()
    async with start(SimulatorConfig(clock=clock, old_edit_limit=(1, 60))) as simulator, rest_of(simulator) as rest:
        made = await rest("POST", HERE, {"content": "x"})
        path = f"{HERE}/{made.body['id']}"
        assert (await rest("PATCH", path, {"content": "a"})).status == 200
        assert (await rest("PATCH", path, {"content": "b"})).status == 200
        clock.now += 3601
        assert (await rest("PATCH", path, {"content": "c"})).status == 200
        late = await rest("PATCH", path, {"content": "d"})
        assert (late.status, late.code) == (429, 30046)


async def test_a_direct_chat_works_both_ways(simulator: Simulator, client: Client) -> None:
    await simulator.say("user1", "@user1", "hello bot")
    message = await client.hears("hello bot")
    assert isinstance(message.channel, discord.DMChannel)
    answer = await message.channel.send("hello Ada")
    assert simulator.messages("@user1")[-1]["id"] == str(answer.id)
    ben = await client.fetch_user(PEOPLE["user2"][0])
    assert isinstance((await ben.send("hello Ben")).channel, discord.DMChannel)


async def test_a_person_who_refuses_direct_messages_gets_none(simulator: Simulator, client: Client) -> None:
    await simulator.say("user1", "", "hello bot", direct=True)
    message = await client.hears("hello bot")
    await simulator.refuse_direct("user1")
    with pytest.raises(discord.Forbidden) as refused:
        await message.channel.send("hello Ada")
    assert refused.value.code == 50007


async def test_attachments_can_be_fetched(simulator: Simulator, client: Client) -> None:
    files = [{"name": "a.txt", "media_type": "text/plain", "content_base64": "aGVsbG8="}]
    await simulator.say("user1", "general", "look", attachments=files)
    message = await client.hears("look")
    assert (message.attachments[0].size, await message.attachments[0].read()) == (5, b"hello")


async def test_the_bot_can_send_a_file(simulator: Simulator, client: Client, tmp_path: object) -> None:
    import io

    made = await client.text_channel().send("see", file=discord.File(io.BytesIO(b"abc"), "b.txt"))
    assert [(each.filename, each.size) for each in made.attachments] == [("b.txt", 3)]


async def test_typing_shows_and_ends_with_the_message(simulator: Simulator, client: Client) -> None:
    async with client.text_channel().typing():
        assert [each["user"] for each in simulator.typing()] == ["threadline"]
    await client.text_channel().send("done")
    assert simulator.typing() == []
    await simulator.type("user1", "general")
    await client.told("typing")


async def test_webhooks_and_other_bots_are_shown_as_such(simulator: Simulator, client: Client) -> None:
    await simulator.say("webhook", "general", "from a hook", webhook="Deploys")
    hook = await client.hears("from a hook")
    assert (hook.webhook_id is not None, hook.author.name) == (True, "Deploys")
    await simulator.say("otherbot", "general", "from a bot")
    assert (await client.hears("from a bot")).author.bot


async def test_reactions_come_and_go(simulator: Simulator, client: Client, rest: Rest) -> None:
    made = await client.text_channel().send("x")
    await made.add_reaction("\N{EYES}")
    assert simulator.message(made.id)["reactions"] == {"\N{EYES}": [str(BOT)]}
    mine = f"{HERE}/{made.id}/reactions/%F0%9F%91%80/@me"
    assert (await rest("DELETE", mine)).status == 204
    assert simulator.message(made.id)["reactions"] == {}
    assert (await client.told("raw_reaction_remove")).message_id == made.id
