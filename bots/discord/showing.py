"""Showing things in channels, by the bot's own right."""

import functools
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import discord

from bots.discord.calls import NO_EMOJI, UNREPLYABLE, Caller, archived, code_of
from bots.discord.components import row, same
from bots.discord.convert import message_id, snowflake
from shared.chat import Button, MessageId, Target
from shared.errors import Gone, Refused

T = TypeVar("T")

SEEN = "\N{EYES}"
"""The sign that a message was seen."""


class Showing:
    """What can be done in a channel with one client of the library's."""

    def __init__(self, call: Caller, client: discord.Client) -> None:
        self._call = call
        self._client = client

    def messageable(self, target: Target) -> discord.PartialMessageable:
        """The channel by its id alone: direct chats and archived threads are in no cache after a restart."""
        channel = target.channel
        server = snowflake(channel.space) if channel.space is not None else None
        return self._client.get_partial_messageable(snowflake(channel.id), guild_id=server)

    async def ask(self, target: Target, act: Callable[[], Awaitable[T]], *, timeout: float | None = None) -> T:
        """Make a call in a channel; a thread that is archived is brought back for it."""
        try:
            return await self._call(act, timeout=timeout)
        except Refused as refused:
            if not archived(refused):
                raise
        number = snowflake(target.channel.id)
        thread = await self._call(lambda: self._client.fetch_channel(number))
        if isinstance(thread, discord.Thread):
            await self._call(lambda: thread.edit(archived=False))
        return await self._call(act, timeout=timeout)

    async def post(self, target: Target, text: str, *, key: str, buttons: Sequence[Button], silent: bool) -> MessageId:
        """Show a new message. `key` is a nonce: for a few minutes a repeat gives the first message again."""
        channel, reference = self.messageable(target), _reference(target)

        async def send(to: discord.MessageReference | None) -> discord.Message:
            # An empty row would have no components either, but the library takes no None for a message without.
            view = row(buttons) or discord.utils.MISSING
            if to is None:
                return await channel.send(text, nonce=key, suppress_embeds=True, silent=silent, view=view)
            return await channel.send(
                text, nonce=key, suppress_embeds=True, silent=silent, view=view, reference=to, mention_author=False
            )

        try:
            sent = await self.ask(target, functools.partial(send, reference))
        except Refused as refused:
            # Replying takes the permission to read the history; the answer is worth more than its reference.
            if code_of(refused) != UNREPLYABLE:
                raise
            sent = await self.ask(target, functools.partial(send, None))
        if sent.content.strip() != text.strip() or not same(sent, buttons):
            # A repeat gets the first message as it is now, whatever the text (Discord developer docs, enforce_nonce).
            await self.edit(target, message_id(sent.id), text, buttons=buttons)
        return message_id(sent.id)

    async def edit(self, target: Target, message: MessageId, text: str, *, buttons: Sequence[Button]) -> None:
        """Change what a message of ours shows, its buttons included."""
        # Not Message.edit: that always sends flags, and so brings link previews back (discord.py 2.7.1, message.py).
        partial = self.messageable(target).get_partial_message(snowflake(message))
        await self.ask(target, lambda: partial.edit(content=text, view=row(buttons)))

    async def delete(self, target: Target, message: MessageId) -> None:
        """Take a message away. Raises `Gone` if it is not there."""
        partial = self.messageable(target).get_partial_message(snowflake(message))
        await self.ask(target, partial.delete)

    async def type(self, target: Target) -> None:
        """Show the typing sign."""
        channel = self.messageable(target)

        async def act() -> None:
            await channel.typing()

        await self._call(act)

    async def upload(
        self, target: Target, file: Callable[[], discord.File], *, key: str, silent: bool, timeout: float
    ) -> MessageId:
        """Show a file as a message of its own; `file` opens it anew for each try, and `key` is as for `post`."""
        channel = self.messageable(target)
        sent = await self.ask(target, lambda: channel.send(file=file(), nonce=key, silent=silent), timeout=timeout)
        return message_id(sent.id)

    async def react(self, target: Target, message: MessageId, *, seen: bool) -> None:
        """Leave our sign on a message, or take it away; one that is not there is no failure."""
        partial = self.messageable(target).get_partial_message(snowflake(message))
        me = self._client.user
        if seen or me is None:
            await self.ask(target, lambda: partial.add_reaction(SEEN))
            return
        try:
            await self.ask(target, lambda: partial.remove_reaction(SEEN, me))
        except Gone:
            return
        except Refused as refused:
            if code_of(refused) != NO_EMOJI:
                raise


def _reference(target: Target) -> discord.MessageReference | None:
    """In a channel that others talk in too, what is answered to."""
    if target.reply_to is None or target.channel.kind != "group":
        return None
    return discord.MessageReference(
        message_id=snowflake(target.reply_to), channel_id=snowflake(target.channel.id), fail_if_not_exists=False
    )
