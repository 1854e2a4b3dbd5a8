import logging

import pytest

from bots.discord.menus import payload
from sandbox.faults import Rule
from shared.commands import COMMANDS, Choice, Typing
from tests.bots.discord.rig import DiscordRig
from tests.conformance.adapter_rig import asked, listening

ALL = [spec.name for spec in COMMANDS]
PATH = r"/applications/\d+/commands$"


async def nothing(typing: Typing) -> list[Choice]:
    return []


def test_options_that_must_be_given_come_first_and_texts_are_limited() -> None:
    ask = payload(COMMANDS[0])
    assert [(each["type"], each["name"], each["required"]) for each in ask["options"]] == [
        (3, "question", True),
        (11, "file", False),
    ]
    assert ask["options"][0]["max_length"] == 1800
    assert (ask["contexts"], ask["integration_types"]) == ([0, 1], [0])


async def test_every_command_is_taken_by_discord_and_offered_in_servers_and_direct_chats(rig: DiscordRig) -> None:
    rig.adapter.offer(COMMANDS, nothing)
    async with listening(rig.adapter):
        assert await rig.offered(ALL) == 1
        assert [each["name"] for each in rig.simulator.commands("user1")] == sorted(ALL)


async def test_registering_is_tried_until_it_succeeds_and_holds_up_no_message(rig: DiscordRig) -> None:
    await rig.simulator.fault(Rule("status", path=PATH, status=503, times=9))
    rig.adapter.offer(COMMANDS, nothing)
    async with listening(rig.adapter) as heard:
        await asked(rig, heard)
        assert await rig.offered(ALL) == 1


async def test_a_refusal_to_register_is_logged_and_not_repeated(rig: DiscordRig, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR, "bots")
    await rig.simulator.fault(Rule("status", path=PATH, method="PUT", status=400, body={"code": 50035, "message": "no"}))
    rig.adapter.offer(COMMANDS, nothing)
    async with listening(rig.adapter) as heard:
        await rig.struck("status", PATH)
        await asked(rig, heard)
        assert "refuses the commands" in caplog.text
    assert rig.simulator.commands("user1", "general") == []


async def test_commands_of_others_and_old_ones_are_replaced(rig: DiscordRig) -> None:
    rig.adapter.offer(COMMANDS[:4], nothing)
    async with listening(rig.adapter):
        await rig.offered(ALL[:4])
    rig.adapter.offer(COMMANDS[2:6], nothing)
    async with listening(rig.adapter):
        assert await rig.offered(ALL[2:6]) == 2
