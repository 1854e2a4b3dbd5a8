"""Buttons as Discord's components. What is pressed comes as an interaction, so they work after a restart, too."""

from collections.abc import Sequence

import discord
from discord.ui import View

from shared.chat import Button

LABEL = 80
"""Characters of a button's label (Discord developer docs, Component Reference: Button)."""


class Row(View):
    """Buttons in rows of five. The library keeps no record of them."""

    def __init__(self, buttons: Sequence[Button]) -> None:
        super().__init__(timeout=None)
        for each in buttons:
            self.add_item(discord.ui.Button(style=discord.ButtonStyle.secondary, label=each.label[:LABEL], custom_id=each.id))

    def is_dispatchable(self) -> bool:
        """No: the library would keep every row ever shown, and answer presses itself (discord.py, ui/view.py)."""
        return False


def row(buttons: Sequence[Button]) -> Row | None:
    """What to give the library as a view, None where there are no buttons: it takes away those that are there."""
    return Row(buttons) if buttons else None


def same(message: discord.Message, buttons: Sequence[Button]) -> bool:
    """Whether a message shows these buttons and no others."""
    items = [item for each in message.components if isinstance(each, discord.ActionRow) for item in each.children]
    has = [(item.custom_id, item.label) for item in items if isinstance(item, discord.Button)]
    return has == [(each.id, each.label[:LABEL]) for each in buttons]
