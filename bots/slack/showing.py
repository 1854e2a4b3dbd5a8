"""Showing things in channels, by the bot's own right."""

from collections.abc import Sequence
from typing import Any

from bots.slack.calls import Json, Web, told
from bots.slack.convert import PART
from bots.slack.failures import code_of
from bots.slack.names import Place, message_id, place_of, ts_of
from bots.slack.render import message as shown_as
from shared.chat import Button, MessageId, Target
from shared.errors import Gone, Refused

SEEN = "eyes"
"""The sign that a message was seen."""


def where(target: Target) -> Place:
    """Where an answer goes: what is said to a message goes into its thread, as is the custom in Slack."""
    place = place_of(target.channel.id)
    if place.root is None and target.reply_to is not None:
        return Place(place.channel, ts_of(target.reply_to))
    return place


def metadata(key: str) -> Json:
    """What lets a message be found again (docs.slack.dev, Message metadata)."""
    return {"event_type": PART, "event_payload": {"key": key}}


class Showing:
    """What can be done in channels."""

    def __init__(self, web: Web) -> None:
        self._web = web

    async def post(self, target: Target, markdown: str, *, key: str, buttons: Sequence[Button]) -> MessageId:
        """Show a new message. It is not tried again: nothing would make a repeat harmless (docs.slack.dev, chat.postMessage)."""
        place = where(target)
        content: dict[str, Any] = shown_as(markdown, buttons)
        sent = await self._web.write(
            "chat.postMessage",
            repeats=0,
            channel=place.channel,
            thread_ts=place.root,
            metadata=metadata(key),
            unfurl_links=False,
            unfurl_media=False,
            **content,
        )
        return message_id(place.channel, told(sent, "ts"))

    async def edit(
        self, target: Target, message: MessageId, markdown: str, *, buttons: Sequence[Button], key: str | None = None
    ) -> None:
        """Change what a message of ours shows, its buttons included.

        Its metadata stays, or becomes that of `key` (docs.slack.dev, chat.update).
        """
        channel, content = place_of(target.channel.id).channel, shown_as(markdown, buttons)
        named = metadata(key) if key is not None else None
        await self._web.write("chat.update", channel=channel, ts=ts_of(message), metadata=named, **content)

    async def delete(self, target: Target, message: MessageId) -> None:
        """Take a message away; one that is not there any more is no failure."""
        try:
            await self._web.write("chat.delete", channel=place_of(target.channel.id).channel, ts=ts_of(message))
        except Gone:
            return

    async def react(self, target: Target, message: MessageId, *, seen: bool) -> None:
        """Leave our sign on a message, or take it away."""
        method = "reactions.add" if seen else "reactions.remove"
        try:
            await self._web.write(method, channel=place_of(target.channel.id).channel, timestamp=ts_of(message), name=SEEN)
        except Refused as refused:
            if code_of(refused) not in ("already_reacted", "no_reaction"):
                raise
        except Gone:
            if seen:
                raise
