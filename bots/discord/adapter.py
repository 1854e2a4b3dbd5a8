"""Discord, through discord.py."""

import asyncio
import functools
import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

import discord

from bots.discord import convert, recall
from bots.discord.calls import HAS_THREAD, NO_MESSAGE, UNREPLYABLE, Caller, archived, code_of
from bots.discord.config import DiscordConfig
from bots.discord.connect import NO_CONTENT, Lost, closing, connect
from bots.discord.convert import NAME, channel_id, message_id, snowflake
from bots.discord.gateway import Connection, Pace, addresses
from bots.discord.limits import Limits
from bots.discord.reads import Reads
from bots.discord.render import fits, render
from shared.chat import Act, Channel, Deliver, Event, Health, Limit, Message, MessageId, Seen, Target
from shared.errors import Gone, Misconfigured, Refused, Unavailable

log = logging.getLogger(__name__)

T = TypeVar("T")

SCANNED = 500
"""How many messages at most are looked through for one of ours."""

LONGEST_WAIT = 120.0
"""Seconds between two tries to connect at most."""


class DiscordAdapter:
    """One bot on Discord. An `Adapter` that can also open threads, find its messages and recall what it missed."""

    def __init__(self, config: DiscordConfig) -> None:
        self._config = config
        self._call = Caller(timeout=config.call_timeout, wait=config.retry_wait)
        self._limits = Limits()
        self._read = Reads(self._call)
        self._pace = Pace(config.identify_spacing)
        self._connection: Connection | None = None
        self._heard = False

    @property
    def name(self) -> str:
        """The platform's name."""
        return NAME

    # connecting

    async def run(self, deliver: Deliver) -> None:
        """Connect, and hand on events until cancelled. While it runs, Discord's addresses are set for the whole process."""
        content = self._config.message_content != "off"
        tries = 0
        with addresses(self._config):
            while True:
                try:
                    await self._session(deliver, content=content)
                except discord.PrivilegedIntentsRequired as error:
                    if self._config.message_content != "auto" or not content:
                        raise Misconfigured(NO_CONTENT) from error
                    log.warning("Discord grants no message content: in servers only mentions can be read")
                    content = False
                except Lost as lost:
                    tries = 1 if self._heard else tries + 1
                    wait = min(self._config.retry_wait * 2**tries, LONGEST_WAIT) * random.uniform(0.5, 1.0)  # noqa: S311 - jitter
                    log.warning("no connection to Discord", extra={"detail": str(lost), "seconds": round(wait, 1)})
                    await asyncio.sleep(max(wait, lost.wait))

    async def _session(self, deliver: Deliver, *, content: bool) -> None:
        """One client of the library's, from login until it gives up."""
        trace = self._limits.trace()
        self._call.watch(trace)
        self._read.watch(trace)
        self._heard = False

        async def heard(event: Event) -> None:
            self._heard = True
            await deliver(event)

        try:
            async with asyncio.TaskGroup() as tasks:
                client = Connection(
                    self._config, message_content=content, trace=trace, pace=self._pace, tasks=tasks, deliver=heard
                )
                async with closing(client, self._config.close_timeout):
                    self._connection = client
                    await connect(client, self._config.token)
        except BaseExceptionGroup as group:
            raise group.exceptions[0] from None  # the group has one task that connects; what else ends it is `deliver`
        finally:
            self._connection = None
            await self._call.aclose()

    def health(self) -> Health:
        """How the connection is."""
        client = self._connection
        if client is None or not client.hears:
            return Health(connected=False, detail="not connected")
        return Health(connected=True, detail=f"connected as {client.user}, in {len(client.guilds)} servers")

    @property
    def _client(self) -> Connection:
        if self._connection is None or not self._connection.usable:
            raise Unavailable("Discord: not connected")
        return self._connection

    # showing

    def fits(self, target: Target, markdown: str) -> bool:
        """Whether it is at most 2000 code points as Discord counts them (Discord developer docs, Create Message)."""
        return fits(markdown)

    def limits(self, target: Target, act: Act) -> Sequence[Limit]:
        """Every scope in which the act is counted, by the headers of the answers so far."""
        return self._limits.of(act, snowflake(target.channel.id), self._read.share)

    async def post(self, target: Target, markdown: str, *, key: str, silent: bool = False) -> MessageId:
        """Show a new message. `key` is a nonce: for a few minutes a repeat gives the first message again."""
        channel, reference = self._messageable(target), _reference(target)
        text = render(markdown)

        async def plain() -> discord.Message:
            return await channel.send(text, nonce=key, suppress_embeds=True, silent=silent)

        async def reply(to: discord.MessageReference) -> discord.Message:
            return await channel.send(text, nonce=key, suppress_embeds=True, silent=silent, reference=to, mention_author=False)

        try:
            sent = await self._ask(target, plain if reference is None else functools.partial(reply, reference))
        except Refused as refused:
            # Replying takes the permission to read the history; the answer is worth more than its reference.
            if code_of(refused) != UNREPLYABLE:
                raise
            sent = await self._ask(target, plain)
        if sent.content.strip() != text.strip():
            # A repeat gets the first message as it is now, whatever the text (Discord developer docs, enforce_nonce).
            await self.edit(target, message_id(sent.id), markdown)
        return message_id(sent.id)

    async def edit(self, target: Target, message: MessageId, markdown: str) -> None:
        """Change what a message of ours shows."""
        # Not Message.edit: that always sends flags, and so brings link previews back (discord.py 2.7.1, message.py).
        partial = self._messageable(target).get_partial_message(snowflake(message))
        text = render(markdown)
        await self._ask(target, lambda: partial.edit(content=text))

    async def delete(self, target: Target, message: MessageId) -> None:
        """Take a message of ours away; one that is not there any more is no failure."""
        partial = self._messageable(target).get_partial_message(snowflake(message))
        try:
            await self._ask(target, partial.delete)
        except Gone:
            return

    async def busy(self, target: Target, label: str | None) -> None:
        """Show the typing sign. It has no label, and ends by itself or with the next message."""
        if label is not None:
            channel = self._messageable(target)

            async def act() -> None:
                await channel.typing()

            await self._call(act)

    @property
    def busy_seconds(self) -> float:
        """The typing sign lasts 10 s (Discord developer docs, Trigger Typing Indicator)."""
        return 8.0

    def _messageable(self, target: Target) -> discord.PartialMessageable:
        """The channel by its id alone: direct chats and archived threads are in no cache after a restart."""
        channel = target.channel
        server = snowflake(channel.space) if channel.space is not None else None
        return self._client.get_partial_messageable(snowflake(channel.id), guild_id=server)

    async def _ask(self, target: Target, act: Callable[[], Awaitable[T]]) -> T:
        """Make a call in a channel; a thread that is archived is brought back for it."""
        try:
            return await self._call(act)
        except Refused as refused:
            if not archived(refused):
                raise
        client, number = self._client, snowflake(target.channel.id)
        thread = await self._call(lambda: client.fetch_channel(number))
        if isinstance(thread, discord.Thread):
            await self._call(lambda: thread.edit(archived=False))
        return await self._call(act)

    # threads

    async def open(self, target: Target, title: str) -> Target:
        """The target in the thread on `target.reply_to`, which has that message's id."""
        channel = target.channel
        if channel.kind == "thread":
            return target
        if target.reply_to is None or channel.space is None:
            raise Refused("Discord: threads are opened on a message in a server")
        client, number, name = self._client, snowflake(target.reply_to), convert.title(title)
        parent = self._messageable(target)
        if parent.guild is None:
            raise Gone(f"Discord: no longer in the server {channel.space}")
        message = parent.get_partial_message(number)
        archive = self._config.thread_archive
        try:
            await self._call(lambda: message.create_thread(name=name, auto_archive_duration=archive))
        except Refused as refused:
            if code_of(refused) != HAS_THREAD:
                raise
        except Gone as gone:
            # The message was deleted. A thread that was opened on it before that stays, with its id.
            if code_of(gone) != NO_MESSAGE:
                raise
            if not isinstance(await self._call(lambda: client.fetch_channel(number)), discord.Thread):
                raise
        thread = Channel(id=channel_id(number), kind="thread", parent=channel.id, space=channel.space, title=name)
        return replace(target, channel=thread, reply_to=None)

    # after a restart

    async def find(
        self,
        target: Target,
        key: str,
        after: MessageId | None,
        *,
        since: datetime,
        known: Collection[MessageId],
        silent: bool,
    ) -> MessageId | None:
        """Our first message after `after` and not before `since` that is as `silent` as asked and not `known`.

        Of the first 500 messages there. The nonce cannot be read back: the history leaves it out (Discord developer docs,
        Message object).
        """
        channel, client = self._messageable(target), self._client
        recall.need_history(channel, client)
        async for message in recall.history(self._read, channel, recall.bound(after, since), most=SCANNED):
            found = message_id(message.id)
            if client.wrote(message) and message.flags.silent == silent and found not in known:
                return found
        return None

    def behind(self, seen: Seen) -> Sequence[Channel]:
        """The channels whose newest message is not the newest one seen."""
        return recall.behind(self._client, seen)

    def missed(self, channel: Channel, seen: Seen) -> AsyncIterator[Message]:
        """The messages after the newest one seen there, oldest first."""
        client = self._client
        return recall.missed(client, client.converter, self._read, channel, seen, roles=self._config.roles)


def _reference(target: Target) -> discord.MessageReference | None:
    """In a channel that others talk in too, what is answered to."""
    if target.reply_to is None or target.channel.kind != "group":
        return None
    return discord.MessageReference(
        message_id=snowflake(target.reply_to), channel_id=snowflake(target.channel.id), fail_if_not_exists=False
    )
