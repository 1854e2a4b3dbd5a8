"""Drafts: how a message grows in a private chat before it is one (core.telegram.org/bots/api, sendMessageDraft)."""

from hashlib import blake2b

from telegram import Bot

from bots.telegram.calls import Calls
from bots.telegram.names import place_of
from bots.telegram.pieces import units
from bots.telegram.render import LIMIT, Rendered, rendered
from bots.telegram.showing import entities
from shared.chat import Target

DRAFT_SECONDS = 25.0
"""How long a draft is relied on: it shows for 30 seconds (core.telegram.org/bots/api, sendMessageDraft)."""


def possible(target: Target) -> bool:
    """Whether there are drafts: in private chats alone, elsewhere they are refused (seen: TEXTDRAFT_PEER_INVALID)."""
    return place_of(target.channel.id).private


def number(key: str) -> int:
    """The draft_id that goes with a key: the same each time, so that what is shown anew grows. From 1 to 2**31 - 1."""
    return int.from_bytes(blake2b(key.encode(), digest_size=4).digest()) % (2**31 - 1) + 1


def tail(shown: Rendered) -> Rendered:
    """As much of the end as one message holds, then without styles; all of it where that is so much."""
    if units(shown.text) <= LIMIT:
        return shown
    raw = shown.text.encode("utf-16-le")[-2 * (LIMIT - 1) :]
    return Rendered("…" + raw.decode("utf-16-le", "ignore").lstrip())


class Drafting:
    """Shows drafts. There is no message to find or to edit: what stays is posted, and a post takes the draft away."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def show(self, target: Target, markdown: str, *, key: str) -> None:
        """Show a draft instead of the one before. It is not tried again: a newer state comes soon."""
        place, shown = place_of(target.channel.id), tail(rendered(markdown))

        async def send(bot: Bot, chat: int) -> bool:
            return await bot.send_message_draft(
                chat, number(key), shown.text, message_thread_id=place.topic, entities=entities(shown)
            )

        await self._calls.write("sendMessageDraft", place.chat, send)
