from pathlib import Path
from typing import Any

from sandbox.discord import Simulator, SimulatorConfig
from sandbox.discord.defaults import BOT, CHANNELS
from sandbox.discord.world import World
from tests.sandbox.discord.library import Rest, rest_of

HERE = f"/channels/{CHANNELS['general']}/messages"


async def _live(simulator: Simulator) -> None:
    """A bit of everything."""
    said = await simulator.say("user1", "general", "@threadline hi", attachments=[{"name": "a", "size": 3}])
    thread = await simulator.open_thread("user1", "general", "t", message=said["id"])
    await simulator.say("user2", thread["id"], "in it", reply_to=said["id"])
    await simulator.archive(thread["id"])
    await simulator.say("user1", "@user1", "private")
    await simulator.edit(said["id"], "edited")
    await simulator.react("user2", said["id"], "\N{EYES}")
    await simulator.delete((await simulator.say("webhook", "random", "gone", webhook="Hook"))["id"])
    await simulator.add_user("farah", "Farah")
    await simulator.add_guild("Second")
    await simulator.delete_channel((await simulator.add_channel("short-lived"))["name"])
    await simulator.permissions("support", "&everyone", deny=["view_channel"])
    await simulator.role("criers", permissions=["mention_everyone"], members=["user1"])
    await simulator.kick()
    await simulator.refuse_direct("user5")
    async with rest_of(simulator) as rest:
        await rest("POST", "/users/@me/channels", {"recipient_id": simulator.messages("@user1")[0]["author_id"]})
        await _answered(simulator, rest)


async def _answered(simulator: Simulator, rest: Rest) -> None:
    """Commands, calls with and without an answer, a press."""
    await simulator.invite()
    await rest("PUT", f"/applications/{BOT}/commands", [{"name": "ask", "description": "x"}])
    await simulator.call("user2", "ask", "general")
    for flags in (0, 64):
        called = await simulator.call("user2", "ask", "general")
        buttons = [{"type": 1, "components": [{"type": 2, "style": 1, "label": "Stop", "custom_id": "stop"}]}]
        data = {"content": "answer", "components": buttons, "flags": flags}
        token = simulator.world.state.interactions[int(called["id"])].token
        await rest("POST", f"/interactions/{called['id']}/{token}/callback", {"type": 4, "data": data})
    await simulator.press("user2", simulator.sees("user2", "general")[-1]["id"], "Stop")
    await rest("PATCH", f"/webhooks/{BOT}/{token}/messages/@original", {"content": "edited"})
    said = [await simulator.say("user1", "random", "x") for _ in range(2)]
    await simulator.delete_many([each["id"] for each in said])


def _lasting(simulator: Simulator, where: str) -> list[dict[str, Any]]:
    """The messages of a channel without the addresses of their files, which have a port and a time."""
    messages = simulator.messages(where)
    for message in messages:
        for attachment in message["attachments"]:
            assert attachment.pop("url") == attachment.pop("proxy_url")
    return messages


async def test_a_restarted_simulator_has_the_same_world(tmp_path: Path) -> None:
    config = SimulatorConfig(state=tmp_path / "state")
    async with Simulator(config) as simulator:
        await _live(simulator)
        before = (simulator.everything(), simulator.world.state.__dict__ | {"ids": None}, len(simulator.calls))
        seen = (simulator.sees("user2", "general"), simulator.interactions(), simulator.commands("user2", "general"))
        assert [len(each) for each in seen] == [3, 4, 1]
        messages = {name: _lasting(simulator, name) for name in ("general", "random", "@user1")}
        newest = simulator.world.ids.next()
    async with Simulator(config) as simulator:
        assert (simulator.everything(), simulator.world.state.__dict__ | {"ids": None}, len(simulator.calls)) == before
        assert {name: _lasting(simulator, name) for name in messages} == messages
        assert (simulator.sees("user2", "general"), simulator.interactions(), simulator.commands("user2", "general")) == seen
        assert simulator.world.ids.next() > newest


async def test_nonces_last_over_a_restart(tmp_path: Path) -> None:
    config = SimulatorConfig(state=tmp_path / "state")
    body = {"content": "x", "nonce": "n", "enforce_nonce": True}
    ids: list[str] = []
    for _ in range(2):
        async with Simulator(config) as simulator, rest_of(simulator) as rest:
            ids.append((await rest("POST", HERE, body)).body["id"])
            assert len(simulator.messages("general")) == 1
    assert ids[0] == ids[1]


def test_a_line_cut_off_by_a_kill_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "state"
    world = World(SimulatorConfig(state=path))
    world.add_user("first", "First")
    world.close()
    with path.open("a") as file:
        file.write('{"op":"user","id":5,"na')
    again = World(SimulatorConfig(state=path))
    again.add_user("second", "Second")
    again.close()
    last = World(SimulatorConfig(state=path))
    assert [user.name for user in last.state.users.values()][-2:] == ["first", "second"]
    last.close()


def test_ids_grow_even_when_the_clock_stands_still() -> None:
    world = World(SimulatorConfig(clock=lambda: 1_700_000_000.0))
    ids = [world.ids.next() for _ in range(5)]
    assert ids == sorted(set(ids))
