import discord
import pytest

from sandbox.discord import Simulator, SimulatorConfig
from sandbox.discord.defaults import BOT, CHANNELS, GUILD, PEOPLE
from sandbox.discord.interactions import SILENCE
from sandbox.discord.options import Wrong
from tests.sandbox.discord.library import Start, connected, rest_of
from tests.sandbox.discord.talking import Clock, Interaction, Talker, talking

ADA = PEOPLE["user1"][0]


async def say_hi(interaction: Interaction) -> None:
    await interaction.response.send_message("hi")


async def test_a_command_is_called_and_answered_in_the_channel(simulator: Simulator) -> None:
    async with talking(simulator, say_hi) as talker:
        called = await simulator.call("user1", "ask", "general", {"text": "why?"})
        interaction = await talker.next()
        assert (str(interaction.id), talker.given["text"]) == (called["id"], "why?")
        assert isinstance(interaction.user, discord.Member)
        assert (interaction.user.id, interaction.guild_id, interaction.channel_id) == (ADA, GUILD, CHANNELS["general"])
        assert interaction.app_permissions.send_messages
        assert interaction.filesize_limit == 10 * 1024 * 1024
        assert interaction.is_guild_integration()
        heard = await talker.client.hears("hi")
        assert (heard.type, heard.author.id) == (discord.MessageType.chat_input_command, BOT)
        assert (heard.webhook_id, heard.application_id) == (BOT, BOT)
        assert heard.interaction_metadata is not None
        assert (heard.interaction_metadata.id, heard.interaction_metadata.user.id) == (interaction.id, ADA)
        shown = simulator.sees("user2", "general")[-1]
        assert (shown["text"], shown["author"], shown["ephemeral"]) == ("hi", "threadline", False)


async def test_the_callback_gives_the_message_that_it_made(simulator: Simulator) -> None:
    async def answer(interaction: Interaction) -> None:
        made = await interaction.response.send_message("made")
        assert isinstance(made.resource, discord.InteractionMessage)
        assert (made.resource.content, made.message_id, made.is_ephemeral()) == ("made", made.resource.id, False)

    async with talking(simulator, answer) as talker:
        called = await simulator.call("user1", "ask", "general", {"text": "x"})
        await talker.next()
        view = simulator.interaction(called["id"])
        assert (view["answered"], view["message"]) == (4, simulator.messages("general")[-1]["id"])


async def test_a_thread_can_be_opened_on_an_answer_and_the_channel_route_edits_it(simulator: Simulator) -> None:
    async def answer(interaction: Interaction) -> None:
        made = await interaction.response.defer()
        assert made is not None
        message = await interaction.original_response()
        assert message.flags.loading
        assert (made.is_thinking(), made.resource, made.message_id) == (True, None, message.id)
        await interaction.edit_original_response(content="first")
        assert isinstance(interaction.channel, discord.TextChannel)
        partial = interaction.channel.get_partial_message(message.id)
        await partial.edit(content="second")
        thread = await partial.create_thread(name="More")
        await thread.send("inside")

    async with talking(simulator, answer) as talker:
        called = await simulator.call("user1", "ask", "general", {"text": "x"})
        await talker.next()
        shown = simulator.message(simulator.interaction(called["id"])["message"])
        assert [each["content"] for each in shown["history"]] == ["", "first", "second"]
        assert [each["flags"] & 128 for each in shown["history"]] == [128, 0, 0]
        assert simulator.sees("user1", shown["thread"])[-1]["text"] == "inside"


async def test_an_ephemeral_answer_is_seen_by_one_person_only(simulator: Simulator) -> None:
    async def answer(interaction: Interaction) -> None:
        await interaction.response.send_message("psst", ephemeral=True)
        message = await interaction.original_response()
        await interaction.followup.send("more", ephemeral=True)
        await interaction.edit_original_response(content="hush")
        assert isinstance(interaction.channel, discord.TextChannel)
        with pytest.raises(discord.NotFound) as refused:
            await interaction.channel.get_partial_message(message.id).edit(content="x")
        assert refused.value.code == 10008
        assert [each.id async for each in interaction.channel.history()] == []

    async with talking(simulator, answer) as talker:
        await simulator.call("user1", "ask", "general", {"text": "x"})
        await talker.next()
        assert [each["text"] for each in simulator.sees("user1", "general")] == ["hush", "more"]
        assert simulator.sees("user2", "general") == []
        assert simulator.messages("general") == []
        assert [each["content"] for each in simulator.messages("general", "user1")] == ["hush", "more"]
        assert talker.client.heard == []


async def test_the_first_followup_after_thinking_fills_the_loading_message(simulator: Simulator) -> None:
    async def answer(interaction: Interaction) -> None:
        await interaction.response.defer(ephemeral=True)
        assert simulator.sees("user1", "general")[-1]["state"] == "thinking"
        await interaction.followup.send("filled")
        made = await interaction.followup.send("second", wait=True)
        await made.edit(content="second, edited")
        gone = await interaction.followup.send("third", wait=True)
        await gone.delete()
        assert (await interaction.followup.fetch_message(made.id)).content == "second, edited"

    async with talking(simulator, answer) as talker:
        await simulator.call("user1", "ask", "general", {"text": "x"})
        await talker.next()
        shown = simulator.sees("user1", "general")
        assert [(each["text"], each["ephemeral"]) for each in shown] == [("filled", True), ("second, edited", False)]


async def test_an_answer_can_be_given_once_and_within_three_seconds(start: Start) -> None:
    clock = Clock()
    async with start(SimulatorConfig(clock=clock)) as simulator, talking(simulator) as talker:
        await simulator.call("user1", "ask", "general", {"text": "x"})
        twice = await talker.next()
        await twice.response.send_message("one")
        twice.response._response_type = None  # pyright: ignore[reportPrivateUsage] - as another process of the bot would
        with pytest.raises(discord.HTTPException) as again:
            await twice.response.send_message("two")
        assert again.value.code == 40060
        called = await simulator.call("user1", "ask", "general", {"text": "x"})
        late = await talker.next()
        clock.now += 2.9
        assert simulator.interaction(called["id"])["shown"] is None
        clock.now += 0.2
        with pytest.raises(discord.NotFound) as refused:
            await late.response.send_message("too late")
        assert refused.value.code == 10062
        with pytest.raises(discord.NotFound) as unknown:
            await late.followup.send("too late")
        assert unknown.value.code == 10015
        shown = simulator.sees("user1", "general")[-1]
        assert (shown["text"], shown["state"]) == (SILENCE, "silent")
        assert simulator.interaction(called["id"])["shown"] == SILENCE
        assert [each["text"] for each in simulator.sees("user2", "general")] == ["one"]


async def test_calls_with_a_wrong_token_or_a_wrong_answer_are_refused(start: Start) -> None:
    config = SimulatorConfig(webhook_limit=(100, 1.0))
    async with start(config) as simulator, talking(simulator), rest_of(simulator) as rest:
        called = await simulator.call("user1", "ask", "general", {"text": "x"})
        token = simulator.world.state.interactions[int(called["id"])].token
        path, hook = f"/interactions/{called['id']}/{token}/callback", f"/webhooks/{BOT}/{token}"
        assert (await rest("POST", hook, {"content": "x"})).code == 10015  # before the first answer
        assert (await rest("POST", path.replace(token, "wrong"), {"type": 4})).code == 10062
        assert (await rest("POST", path.replace(called["id"], "1"), {"type": 4})).code == 10062
        for kind in (1, 6, 7, 8, 9, "x", None):
            assert (await rest("POST", path, {"type": kind, "data": {"content": "x"}})).code == 50035
        assert (await rest("POST", path, {"type": 4, "data": {"content": ""}})).code == 50006
        plain = await rest("POST", path, {"type": 4, "data": {"content": "x"}}, token="none")
        assert (plain.status, plain.body) == (204, None)
        assert (await rest("GET", f"{hook}/messages/@original", token="none")).body["content"] == "x"
        assert (await rest("GET", f"{hook}/messages/1")).code == 10008
        assert (await rest("POST", f"/webhooks/{BOT}/wrong", {"content": "x"})).code == 50027
        assert (await rest("POST", f"/webhooks/1/{token}", {"content": "x"})).code == 10015
        assert (await rest("DELETE", f"{hook}/messages/@original")).status == 204
        assert (await rest("GET", f"{hook}/messages/@original")).code == 10008


async def test_a_token_dies_after_fifteen_minutes(start: Start) -> None:
    clock = Clock()
    async with start(SimulatorConfig(clock=clock)) as simulator, talking(simulator) as talker:
        await simulator.call("user1", "ask", "general", {"text": "x"})
        interaction = await talker.next()
        await interaction.response.defer()
        message = await interaction.original_response()
        clock.now += 899
        await interaction.edit_original_response(content="in time")
        clock.now += 1
        with pytest.raises(discord.HTTPException) as refused:
            await interaction.edit_original_response(content="too late")
        assert (refused.value.status, refused.value.code) == (401, 50027)
        assert isinstance(interaction.channel, discord.TextChannel)
        await interaction.channel.get_partial_message(message.id).edit(content="by the channel route")
        assert simulator.sees("user1", "general")[-1]["text"] == "by the channel route"


async def test_thinking_that_never_ends_is_silence_when_the_token_has_died(start: Start) -> None:
    clock = Clock()
    async with start(SimulatorConfig(clock=clock)) as simulator, talking(simulator) as talker:
        await simulator.call("user1", "ask", "general", {"text": "x"})
        await (await talker.next()).response.defer()
        clock.now += 900
        assert simulator.sees("user1", "general")[-1]["text"] == SILENCE


async def test_commands_work_where_the_bot_sees_nothing(simulator: Simulator) -> None:
    async with talking(simulator, say_hi) as talker:
        await simulator.permissions("general", deny=["view_channel"])
        await simulator.call("user2", "ask", "general", {"text": "x"})
        interaction = await talker.next()
        assert not interaction.app_permissions.view_channel
        assert simulator.sees("user3", "general")[-1]["text"] == "hi"
        assert talker.client.heard == []


async def test_commands_work_in_the_direct_chat(simulator: Simulator) -> None:
    async with talking(simulator, say_hi) as talker:
        await simulator.call("user1", "chat close")
        interaction = await talker.next()
        assert isinstance(interaction.user, discord.User)
        assert interaction.context.dm_channel
        assert simulator.sees("user1")[-1]["text"] == "hi"


async def test_answers_are_not_counted_in_the_overall_limit_but_per_token(start: Start) -> None:
    frozen = Clock()
    config = SimulatorConfig(global_limit=(12, 60.0), webhook_limit=(3, 60.0), monotonic=frozen)
    async with start(config) as simulator, talking(simulator, say_hi) as talker:
        for _ in range(12):
            await simulator.call("user1", "ask", "general", {"text": "x"})
            interaction = await talker.next()
            await interaction.edit_original_response(content="y")
        assert simulator.stats()["suffered"] == 0
        last = simulator.calls.matching("PATCH", "@original")[-1]
        assert (last.status, len(simulator.calls.matching("POST", "/callback"))) == (200, 12)


async def test_what_was_called_while_the_socket_was_cut_comes_with_resume_but_not_with_identify(simulator: Simulator) -> None:
    async with talking(simulator) as talker:
        await simulator.drop()
        await simulator.wait_for(lambda: not simulator.gateway.connected)
        called = await simulator.call("user1", "ask", "general", {"text": "x"})
        assert str((await talker.next()).id) == called["id"]
    await simulator.call("user1", "ask", "general", {"text": "lost"})
    talker = Talker()
    async with connected(client=talker.client):
        called = await simulator.call("user1", "ask", "general", {"text": "y"})
        assert str((await talker.next()).id) == called["id"]


async def test_choices_are_offered_while_a_person_types(simulator: Simulator) -> None:
    async with talking(simulator):
        offered = await simulator.autocomplete("user1", "model", "name", "son", "general", {"times": 2})
        assert offered == [{"name": "Sonnet", "value": "sonnet"}]
        with pytest.raises(Wrong, match="offers no choices"):
            await simulator.autocomplete("user1", "model", "times", "1", "general")


async def test_no_choices_in_time_is_told(start: Start) -> None:
    async with start(SimulatorConfig(interaction_window=0.05)) as simulator:
        async with talking(simulator):
            pass
        with pytest.raises(TimeoutError):
            await simulator.autocomplete("user1", "model", "name", "x", "general")


async def test_options_are_resolved_for_the_bot(simulator: Simulator) -> None:
    async with talking(simulator, say_hi, guild=True) as talker:
        await simulator.call("user1", "model", "general", {"name": "opus", "whom": "user2", "times": 3})
        await talker.next()
        assert isinstance(talker.given["whom"], discord.Member)
        assert (talker.given["whom"].id, talker.given["times"]) == (PEOPLE["user2"][0], 3)
        file = {"name": "a.txt", "content_base64": "aGVsbG8="}
        await simulator.call("user1", "ask", "general", {"text": "see", "file": file})
        await talker.next()
        assert isinstance(talker.given["file"], discord.Attachment)
        assert await talker.given["file"].read() == b"hello"


@pytest.mark.parametrize(
    ("name", "options", "why"),
    [
        ("ask", {"text": "x" * 21}, "text has 21 characters; allowed are 1 to 20"),
        ("ask", {}, "text must be filled in"),
        ("ask", {"text": "x", "colour": "red"}, "there is no option colour"),
        ("ask", {"text": 5}, "text must be text"),
        ("ask", {"text": "x", "file": "y"}, "file must be a file"),
        ("model", {"name": "x", "times": True}, "times must be a whole number"),
        ("model", {"name": "x" * 6001}, "name has 6001 characters; allowed are 6000"),
        ("ask now", {"text": "x"}, "after ask comes nothing"),
        ("chat", {}, "after chat comes close"),
        ("nothing", {}, "there is no command /nothing here"),
    ],
)
async def test_what_the_client_would_not_send_is_told_to_the_person(
    simulator: Simulator, name: str, options: dict[str, object], why: str
) -> None:
    async with talking(simulator) as talker:
        with pytest.raises(Wrong, match=why):
            await simulator.call("user1", name, "general", options)
        assert talker.came.empty()
