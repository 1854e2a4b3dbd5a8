from typing import Any

import discord
import pytest
from discord.ui import Button, View

from sandbox.discord import Simulator
from sandbox.discord.defaults import CHANNELS, PEOPLE
from sandbox.discord.options import Wrong
from tests.sandbox.discord.library import Client, Rest
from tests.sandbox.discord.talking import Interaction, talking

HERE = f"/channels/{CHANNELS['general']}/messages"


def row(*buttons: dict[str, Any]) -> dict[str, Any]:
    return {"type": 1, "components": list(buttons)}


def button(**fields: Any) -> dict[str, Any]:
    return {"type": 2, "style": 1, "label": "Stop", "custom_id": "stop"} | fields


async def test_buttons_are_shown_kept_changed_and_taken_away(simulator: Simulator) -> None:
    async with talking(simulator) as talker:
        made = await talker.client.text_channel().send("text", view=talker.view("Stop", "Retry"))
        assert simulator.sees("user1", "general")[-1]["buttons"] == ["Stop", "Retry"]
        assert [type(each) for each in made.components] == [discord.ActionRow]
        partial = talker.client.text_channel().get_partial_message(made.id)
        await partial.edit(content="more")
        assert simulator.message(made.id)["buttons"] == ["Stop", "Retry"]
        await partial.edit(content="more", view=talker.view("Retry"))
        assert simulator.message(made.id)["buttons"] == ["Retry"]
        edited = await partial.edit(content="done", view=None)
        assert (simulator.message(made.id)["buttons"], edited.components) == ([], [])


async def test_a_press_can_change_the_message_that_was_pressed_on(simulator: Simulator) -> None:
    async def answer(interaction: Interaction) -> None:
        await interaction.response.edit_message(content="stopped", view=None)

    async with talking(simulator, answer) as talker:
        made = await talker.client.text_channel().send("text", view=talker.view("Stop"))
        pressed = await simulator.press("user2", made.id, "Stop")
        interaction = await talker.next()
        assert interaction.type is discord.InteractionType.component
        assert (interaction.custom_id, interaction.user.id) == ("id-Stop", PEOPLE["user2"][0])
        assert interaction.message is not None
        assert interaction.message.id == made.id
        shown = simulator.sees("user1", "general")[-1]
        assert (shown["text"], shown["buttons"]) == ("stopped", [])
        assert simulator.interaction(pressed["id"])["answered"] == 7
        assert (await talker.client.told("raw_message_edit")).data["content"] == "stopped"


async def test_a_press_can_be_noted_first_and_the_message_changed_later(simulator: Simulator) -> None:
    async def answer(interaction: Interaction) -> None:
        made = await interaction.response.defer()
        assert made is not None
        assert not made.is_thinking()
        await interaction.edit_original_response(content="later")
        await interaction.followup.send("only you", ephemeral=True)

    async with talking(simulator, answer) as talker:
        made = await talker.client.text_channel().send("text", view=talker.view("Stop"))
        await simulator.press("user1", made.id, "id-Stop")
        await talker.next()
        shown = simulator.sees("user1", "general")
        assert [(each["text"], each["buttons"]) for each in shown] == [("later", ["Stop"]), ("only you", [])]
        assert [each["text"] for each in simulator.sees("user2", "general")] == ["later"]


async def test_a_press_can_be_answered_with_a_message(simulator: Simulator) -> None:
    async def answer(interaction: Interaction) -> None:
        await interaction.response.defer(thinking=True)
        await interaction.edit_original_response(content="an answer")

    async with talking(simulator, answer) as talker:
        made = await talker.client.text_channel().send("text", view=talker.view("Stop"))
        await simulator.press("user1", made.id, "Stop")
        await talker.next()
        last = (await talker.client.fetch_channel(CHANNELS["general"]), simulator.messages("general")[-1])
        assert isinstance(last[0], discord.TextChannel)
        message = await last[0].fetch_message(int(last[1]["id"]))
        assert message.reference is not None
        assert (message.content, message.reference.message_id) == ("an answer", made.id)
        assert message.interaction_metadata is not None
        assert message.interaction_metadata.interacted_message_id == made.id


async def test_a_button_under_an_ephemeral_message_works(simulator: Simulator) -> None:
    async with talking(simulator) as talker:
        await simulator.call("user1", "ask", "general", {"text": "x"})
        await (await talker.next()).response.send_message("sure?", ephemeral=True, view=talker.view("Yes"))
        shown = simulator.sees("user1", "general")[-1]
        with pytest.raises(Wrong, match="user2 does not see"):
            await simulator.press("user2", shown["id"], "Yes")
        await simulator.press("user1", shown["id"], "Yes")
        await (await talker.next()).response.edit_message(content="done", view=None)
        assert [each["text"] for each in simulator.sees("user1", "general")] == ["done"]


async def test_only_a_button_that_is_there_and_works_can_be_pressed(simulator: Simulator, client: Client) -> None:
    view = View(timeout=None)
    view.add_item(Button[View](label="Off", custom_id="off", disabled=True))
    view.add_item(Button[View](label="Docs", url="https://a.example"))
    made = await client.text_channel().send("text", view=view)
    for label, why in (("Off", "cannot be pressed"), ("Docs", "cannot be pressed"), ("Stop", "there are: Off, Docs")):
        with pytest.raises(Wrong, match=why):
            await simulator.press("user1", made.id, label)
    await simulator.delete(made.id)
    with pytest.raises(Wrong, match="does not see"):
        await simulator.press("user1", made.id, "Off")


@pytest.mark.parametrize(
    "components",
    [
        [row(button())] * 6,
        [row()],
        [row(*(button(custom_id=str(each)) for each in range(6)))],
        [row(button(), button())],
        [row(button()), row(button())],
        [row(button(label="x" * 81))],
        [row(button(custom_id="x" * 101))],
        [row(button(custom_id=""))],
        [row(button(custom_id=None))],
        [row(button(label=None))],
        [row(button(style=7))],
        [row(button(style=5))],
        [row(button(style=5, url="https://a.example"))],
        [row(button(url="https://a.example"))],
        [button()],
        [{"type": 10, "content": "x"}],
        ["x"],
        "x",
    ],
)
async def test_components_that_discord_would_refuse_are_refused(rest: Rest, components: object) -> None:
    answer = await rest("POST", HERE, {"content": "x", "components": components})
    assert (answer.status, answer.code) == (400, 50035)


async def test_components_v2_is_refused(rest: Rest) -> None:
    answer = await rest("POST", HERE, {"components": [{"type": 10, "content": "x"}], "flags": 1 << 15})
    assert (answer.status, answer.code) == (400, 50035)
    assert "flags" in answer.body["errors"]
