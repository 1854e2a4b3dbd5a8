import time

import aiohttp
from discord.ui import Button, View

from sandbox.discord import Simulator, SimulatorConfig
from sandbox.discord.defaults import BOT
from tests.sandbox.discord.library import Client, Rest, Start, rest_of
from tests.sandbox.discord.talking import Interaction, talking
from tests.sandbox.far import Far


async def test_a_terminal_can_write_and_read_over_http(simulator: Simulator, client: Client, far: Far) -> None:
    said = await far.post("say", **{"as": "user3", "in": "random", "text": "@threadline from afar"})
    message = await client.hears("from afar")
    assert (str(message.id), message.author.display_name) == (said["id"], "Chloe")
    assert said["pinged"]["users"] == [str(BOT)]
    await message.channel.send("answer")
    assert [each["content"] for each in await far.get("messages", channel="random")][-1] == "answer"
    world = await far.get("world")
    assert {"general", "random", "support"} <= {each["name"] for each in world["channels"]}
    assert (await far.get("stats"))["connected"]
    log = await far.get("log")
    assert log[-1]["body"]["content"] == "answer"
    assert log[-1]["arrived_mono"] <= log[-1]["applied_mono"] <= log[-1]["ended_mono"]
    assert await far.get("log", after=str(log[-1]["number"])) == []


async def test_what_people_can_do_is_there_over_http(simulator: Simulator, client: Client, far: Far) -> None:
    said = await far.post("say", **{"as": "user1", "in": "general", "text": "first"})
    await far.post("edit", message=said["id"], text="second")
    assert (await client.told("raw_message_edit")).data["content"] == "second"
    thread = await far.post("open_thread", **{"as": "user1", "in": "general", "name": "t", "message": said["id"]})
    assert thread["id"] == said["id"]
    await far.post("say", **{"as": "user2", "in": thread["id"], "text": "inside", "reply_to": said["id"]})
    await client.hears("inside")
    await far.post("type", **{"as": "user2", "in": "general"})
    assert [each["user"] for each in await far.get("typing")] == ["user2"]
    await far.post("delete", message=said["id"])
    assert (await far.get("messages", message=said["id"]))["deleted"]
    user = await far.post("add_user", name="farah", display="Farah")
    await far.post("say", **{"as": user["id"], "text": "privately", "direct": True})
    assert (await client.hears("privately")).guild is None


async def test_commands_buttons_and_files_are_there_over_http(simulator: Simulator, far: Far) -> None:
    async with talking(simulator, answer_with_a_button) as talker:
        ada = {"as": "user1", "in": "general"}
        assert [each["name"] for each in await far.get("commands", **ada)] == ["ask", "chat", "model"]
        file = {"name": "a.txt", "content_base64": "aGVsbG8="}
        called = await far.post("call", name="ask", options={"text": "why?", "file": file}, **ada)
        await talker.next()
        assert (await far.get("interactions", interaction=called["id"]))["answered"] == 4
        [shown] = await far.get("sees", **ada)
        assert (shown["text"], shown["buttons"], shown["ephemeral"]) == ("an answer", ["Stop"], True)
        assert await far.get("sees", **{"as": "user2", "in": "general"}) == []
        assert [each["content"] for each in await far.get("messages", channel="general", **{"as": "user1"})] == ["an answer"]
        await far.post("press", message=shown["id"], button="Stop", **{"as": "user1"})
        await talker.client.until(lambda: len(talker.client.given["interaction"]) == 2)
        assert talker.client.given["interaction"][1].custom_id == "id-Stop"
        assert len(await far.get("interactions")) == 2
        offered = await far.post("autocomplete", name="model", option="name", value="op", **ada)
        assert offered == [{"name": "Opus", "value": "opus"}]
        assert "text has 21 characters" in await far.refused("call", name="ask", options={"text": "x" * 21}, **ada)
        assert "no button" in await far.refused("press", message=shown["id"], button="Go", **{"as": "user1"})


async def answer_with_a_button(interaction: Interaction) -> None:
    view = View(timeout=None)
    view.add_item(Button[View](label="Stop", custom_id="id-Stop"))
    await interaction.response.send_message("an answer", view=view, ephemeral=True)


async def test_downloads_can_be_spoilt_and_messages_changed_over_http(simulator: Simulator, far: Far) -> None:
    ids = [(await far.post("say", **{"as": "user1", "text": f"https://{n}.example"}))["id"] for n in "ab"]
    assert (await far.post("unfurl", message=ids[0]))["edited_at"] is None
    await far.post("delete_many", messages=ids)
    assert [each["deleted"] for each in await far.get("messages", channel="general")] == [True, True]
    said = await far.post("say", **{"as": "user1", "text": "look", "attachments": [{"name": "a.bin", "size": 3}]})
    await far.post("spoil", kind="redirect", location="http://a.example")
    async with far.session.get(said["attachments"][0]["url"], allow_redirects=False) as response:
        assert response.status == 302
    assert "location" in await far.refused("spoil", kind="cut", location="http://a.example")
    assert "a file has a name" in await far.refused("say", **{"as": "user1", "text": "x", "attachments": [{"size": 3}]})


async def test_a_command_that_nobody_answers_is_told_to_a_follower(start: Start) -> None:
    async with start(SimulatorConfig(interaction_window=0.05)) as simulator, aiohttp.ClientSession() as session:
        async with rest_of(simulator) as rest:
            await rest("PUT", f"/applications/{BOT}/commands", [{"name": "ask", "description": "x"}])
        async with Far(session, simulator.control_url).following() as stream:
            called = await simulator.call("user1", "ask", "general")
            begun, over = await stream.next(2)
    assert (begun["event"], begun["user"], begun["interaction"]["id"]) == ("interaction", "user1", called["id"])
    assert (over["event"], over["interaction"]["shown"]) == ("unanswered", "The application did not respond")


async def test_a_fault_set_over_http_is_in_the_log(simulator: Simulator, rest: Rest, far: Far) -> None:
    number = await far.post("fault", action="status", path="/gateway$", status=503, times=None)
    assert list(await far.get("faults")) == [str(number["fault"])]
    assert (await rest("GET", "/gateway")).status == 503
    await far.post("clear_faults", **number)
    assert await far.get("faults") == {}
    assert (await rest("GET", "/gateway")).status == 200
    assert [(call["status"], call["fault"]) for call in await far.get("log")] == [(503, "status-before"), (200, None)]


async def test_slips_of_its_own_are_told(far: Far) -> None:
    assert "no channel nowhere" in await far.refused("say", **{"as": "user1", "in": "nowhere", "text": "x"})
    assert "unknown permission" in await far.refused("permissions", **{"in": "general", "deny": ["fly"]})


async def test_a_terminal_can_follow_what_happens(simulator: Simulator, rest: Rest, far: Far) -> None:
    async with far.following() as stream:
        channel = simulator.messages("general")
        assert channel == []
        said = await simulator.say("user1", "general", "hello")
        await simulator.type("user2", "general")
        await simulator.delete(said["id"])
        events = await stream.next(3)
    assert [each["event"] for each in events] == ["message", "typing", "delete"]
    assert (events[0]["message"]["content"], events[1]["user"]) == ("hello", "user2")


async def test_the_time_at_which_each_event_left_is_told(simulator: Simulator, client: Client, far: Far) -> None:
    before = await far.get("dispatches")
    assert [each["event"] for each in before[:2]] == ["READY", "GUILD_CREATE"]
    begun = time.monotonic()
    said = await far.post("say", **{"as": "user1", "in": "general", "text": "when did this leave?"})
    await client.hears("when did this leave?")
    [left] = await far.get("dispatches", after=str(before[-1]["number"]))
    assert (left["event"], left["id"]) == ("MESSAGE_CREATE", said["id"])
    assert begun <= left["mono"] <= time.monotonic()
