from pathlib import Path
from typing import Any

from telegram import Bot, BotCommand, InlineKeyboardButton, InlineKeyboardMarkup

from sandbox.telegram import Simulator, SimulatorConfig
from sandbox.telegram.world import World
from tests.sandbox.telegram.library import GENERAL, ROOMY, a_bot

WHERE = ("general", "random", "workshop", "kitchen", "@user1", "@user2")


async def live(simulator: Simulator, bot: Bot) -> None:
    """A bit of everything."""
    said = await simulator.say("user1", "general", "@threadline_bot hi", attachments=[{"name": "a", "size": 3}, {"name": "b"}])
    await simulator.edit(said["id"], "edited")
    await simulator.react("user2", said["id"], "\U0001f440")
    await simulator.delete((await simulator.say("other_bot", "random", "gone"))["id"])
    await simulator.add_user("farah", "Farah")
    await simulator.add_chat("another", "group")
    await simulator.topic("user1", "workshop", "new")
    await simulator.close_topic("user1", "workshop", "General")
    await simulator.migrate("kitchen")
    await simulator.start("user1")
    await simulator.block("user2")
    await simulator.mute("random")
    await simulator.deactivate("user5")
    markup = InlineKeyboardMarkup([[InlineKeyboardButton("Stop", callback_data="s")]])
    sent = await bot.send_message(GENERAL, "one", reply_markup=markup)
    query = await simulator.press("user1", f"{GENERAL}:{sent.message_id}", "Stop")
    await bot.answer_callback_query(query["id"], "ok")
    await bot.edit_message_text("two", GENERAL, sent.message_id)
    await bot.send_document(GENERAL, b"bytes", filename="b.txt")
    await bot.set_my_commands([BotCommand("ask", "Asks")])
    found = await bot.get_updates(allowed_updates=["message"])
    await bot.get_updates(offset=found[2].update_id)


def lasting(simulator: Simulator) -> Any:
    return (
        [each for name in WHERE for each in simulator.messages(name)],
        simulator.everything(),
        simulator.queries(),
        simulator.waiting(),
        simulator.commands("user1"),
        len(simulator.calls),
        simulator.world.state.__dict__,
    )


async def test_a_restarted_simulator_has_the_same_world_and_the_same_updates(tmp_path: Path) -> None:
    config = SimulatorConfig(state=tmp_path / "state", **ROOMY)
    async with Simulator(config) as simulator, a_bot(simulator) as bot:
        await live(simulator, bot)
        before = lasting(simulator)
        newest = simulator.world.state.last_update
    async with Simulator(config) as simulator, a_bot(simulator) as bot:
        assert lasting(simulator) == before
        waiting = await bot.get_updates()
        assert [each.update_id for each in waiting] == [each["update_id"] for each in before[3]]
        await simulator.start("user1")
        assert simulator.world.state.last_update == newest + 1
        uploaded = simulator.messages("general")[-1]["attachments"][0]
        assert simulator.world.files.read(uploaded["id"]) == b"bytes"
        assert bytes(await (await bot.get_file(uploaded["id"])).download_as_bytearray()) == b"bytes"


def test_a_line_cut_off_by_a_kill_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "state"
    world = World(SimulatorConfig(state=path))
    world.add_user("first", "First")
    world.close()
    with path.open("a") as file:
        file.write('{"op":"user","id":5,"us')
    again = World(SimulatorConfig(state=path))
    second = again.add_user("second", "Second")
    again.close()
    last = World(SimulatorConfig(state=path))
    names = [user.username for user in last.state.users.values()][-2:]
    assert names == ["first", "second"]
    assert last.state.users[second.id - 1].username == "first"
    last.close()
