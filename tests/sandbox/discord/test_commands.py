from typing import Any

import discord
import pytest
from discord import app_commands

from sandbox.discord import Simulator, SimulatorConfig
from sandbox.discord.defaults import BOT, GUILD
from sandbox.discord.options import Wrong
from tests.sandbox.discord.library import Client, Rest, Start, rest_of
from tests.sandbox.discord.talking import Clock, talking

GLOBAL = f"/applications/{BOT}/commands"
LOCAL = f"/applications/{BOT}/guilds/{GUILD}/commands"


def command(name: str = "ask", **fields: Any) -> dict[str, Any]:
    return {"name": name, "description": "what it does"} | fields


def option(name: str = "text", **fields: Any) -> dict[str, Any]:
    return {"type": 3, "name": name, "description": "what it is"} | fields


async def test_the_library_registers_and_reads_its_commands(simulator: Simulator) -> None:
    async with talking(simulator) as talker:
        read = {each.name: each for each in await talker.tree.fetch_commands()}
        assert set(read) == {"ask", "model", "chat"}
        text = read["ask"].options[0]
        assert isinstance(text, app_commands.Argument)
        assert (text.type, text.required, text.max_length) == (discord.AppCommandOptionType.string, True, 20)
        assert isinstance(read["chat"].options[0], app_commands.AppCommandGroup)
        assert talker.client.application_id == BOT
        await read["ask"].delete()
        assert [each["name"] for each in simulator.commands("user1", "general")] == ["chat", "model"]


async def test_what_stays_the_same_keeps_its_id_and_version(simulator: Simulator) -> None:
    async with talking(simulator) as talker:
        first = simulator.world.state.commands[0]
        await talker.tree.sync()
        assert simulator.world.state.commands[0] == first
        assert len(simulator.world.state.creates[0]) == 3
        ask = talker.tree.get_command("ask")
        assert isinstance(ask, app_commands.Command)
        ask.description = "Ask anything"
        await talker.tree.sync()
        before, after = ({each["name"]: each for each in which.values()} for which in (first, simulator.world.state.commands[0]))
        assert after["ask"]["id"] == before["ask"]["id"]
        assert after["ask"]["version"] > before["ask"]["version"]
        assert after["model"] == before["model"]
        assert len(simulator.world.state.creates[0]) == 3


async def test_a_command_can_be_added_changed_and_removed_alone(rest: Rest) -> None:
    made = await rest("POST", GLOBAL, command())
    assert (made.status, made.body["application_id"]) == (200, str(BOT))
    again = await rest("POST", GLOBAL, command(description="new"))
    assert again.body["id"] == made.body["id"]
    one = f"{GLOBAL}/{made.body['id']}"
    assert (await rest("PATCH", one, {"name": "tell"})).body["description"] == "new"
    assert (await rest("GET", one)).body["name"] == "tell"
    assert (await rest("DELETE", one)).status == 204
    assert (await rest("GET", one)).code == 10063
    assert (await rest("GET", GLOBAL)).body == []


async def test_a_guilds_commands_are_its_own_and_come_first(simulator: Simulator, rest: Rest) -> None:
    await rest("PUT", GLOBAL, [command(), command("both", description="global")])
    local = await rest("PUT", LOCAL, [command("both", description="local")])
    assert local.body[0]["guild_id"] == str(GUILD)
    offered = {each["name"]: each["description"] for each in simulator.commands("user1", "general")}
    assert offered == {"ask": "what it does", "both": "local"}
    assert [each["description"] for each in simulator.commands("user1")] == ["what it does", "global"]
    assert (await rest("PUT", LOCAL.replace(str(GUILD), "1"), [])).code == 50001
    assert (await rest("PUT", GLOBAL.replace(str(BOT), "1"), [])).code == 20012


async def test_commands_are_offered_where_and_to_whom_they_are_meant(simulator: Simulator, rest: Rest) -> None:
    everywhere = [
        command("here", contexts=[0]),
        command("there", contexts=[1]),
        command("mods", default_member_permissions="8192"),
    ]
    assert (await rest("PUT", GLOBAL, everywhere)).status == 200
    assert [each["name"] for each in simulator.commands("user2", "general")] == ["here"]
    assert [each["name"] for each in simulator.commands("user1", "general")] == ["here", "mods"]  # the guild's owner
    assert "there" in [each["name"] for each in simulator.commands("user2")]
    with pytest.raises(Wrong, match="no command /there"):
        await simulator.call("user2", "there", "general")
    await simulator.kick()
    assert simulator.commands("user1", "general") == []


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        command(""),
        command("x" * 33),
        command("Ask"),
        command("a b"),
        command("a.b"),
        command(description=""),
        command(description="x" * 101),
        command(type=9),
        command("x", type=2),
        command(options=[option(str(each)) for each in range(26)]),
        command(options=[option(type=0)]),
        command(options=[option("A")]),
        command(options=[option(), option()]),
        command(options=[option("a"), option("b", required=True)]),
        command(options=[option(choices=[{"name": str(each), "value": str(each)} for each in range(26)])]),
        command(options=[option(choices=[{"name": "x", "value": 1}])]),
        command(options=[option(choices=[{"name": "x", "value": "x" * 101}])]),
        command(options=[option(choices=[{"name": "x", "value": "x"}], autocomplete=True)]),
        command(options=[option(max_length=0)]),
        command(options=[option(max_length=6001)]),
        command(options=[option(), option("sub", type=1)]),
        command(options=[option("sub", type=1, options=[option("deeper", type=1)])]),
        command(options=[option(str(each), choices=[{"name": "n" * 100, "value": "v" * 100}] * 20) for each in range(3)]),
        5,
    ],
)
async def test_a_command_that_discord_would_refuse_is_refused(rest: Rest, wrong: object) -> None:
    answer = await rest("PUT", GLOBAL, [command("good"), wrong])
    assert (answer.status, answer.code) == (400, 50035)
    assert (await rest("GET", GLOBAL)).body == []


@pytest.mark.parametrize("name", ["x", "a-b_c", "l'eau", "été", "你好", "नमस्ते", "2"])
async def test_names_of_all_scripts_are_taken(rest: Rest, name: str) -> None:
    assert (await rest("PUT", GLOBAL, [command(name)])).status == 200


async def test_the_library_names_the_command_that_was_refused(simulator: Simulator, client: Client) -> None:
    tree = app_commands.CommandTree(client)

    @tree.command(name="long", description="x")
    async def long(interaction: discord.Interaction[Any]) -> None: ...

    long.description = "x" * 101
    with pytest.raises(app_commands.CommandSyncFailure, match="Must be between 1 and 100 in length"):
        await tree.sync()


async def test_there_are_at_most_a_hundred_commands_and_two_hundred_creates_a_day(start: Start) -> None:
    clock = Clock()
    async with start(SimulatorConfig(clock=clock)) as simulator, rest_of(simulator) as rest:
        assert (await rest("PUT", GLOBAL, [command(f"c{each}") for each in range(101)])).code == 30032
        for batch in "ab":
            assert (await rest("PUT", GLOBAL, [command(f"{batch}{each}") for each in range(100)])).status == 200
        assert (await rest("PUT", GLOBAL, [command("one-more")])).code == 30034
        assert (await rest("PUT", LOCAL, [command("elsewhere")])).status == 200
        clock.now += 86_400
        assert (await rest("PUT", GLOBAL, [command("one-more")])).status == 200


async def test_a_list_is_taken_only_where_one_belongs(rest: Rest) -> None:
    assert (await rest("PUT", GLOBAL, command())).code == 50109
    assert (await rest("POST", GLOBAL, [command()])).code == 50109
    assert (await rest("PUT", GLOBAL, [command(), command()])).code == 50035
