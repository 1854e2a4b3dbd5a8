"""Discord, through discord.py."""

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import replace
from datetime import datetime

import discord

from bots.discord import convert, recall
from bots.discord.answers import Answers
from bots.discord.calls import HAS_THREAD, NO_MESSAGE, Caller, code_of
from bots.discord.config import DiscordConfig
from bots.discord.connect import NO_CONTENT, Lost, closing, connect
from bots.discord.convert import NAME, channel_id, message_id, snowflake
from bots.discord.files import MOST, UPLOAD_SECONDS, Files, opened
from bots.discord.gateway import Connection, addresses
from bots.discord.interactions import Interactions
from bots.discord.limits import Limits
from bots.discord.menus import Menus
from bots.discord.pace import Pace
from bots.discord.reads import Reads
from bots.discord.render import fits, render
from bots.discord.showing import Showing
from shared.chat import (
    Act,
    Attachment,
    Button,
    Channel,
    Connected,
    Deliver,
    Event,
    File,
    Health,
    Limit,
    Message,
    MessageId,
    Seen,
    Target,
)
from shared.commands import Complete, Spec
from shared.errors import Gone, Misconfigured, Refused, TooLarge, Unavailable

log = logging.getLogger(__name__)

SCANNED = 500
"""How many messages at most are looked through for one of ours."""

LONGEST_WAIT = 120.0
"""Seconds between two tries to connect at most."""


class DiscordAdapter:
    """One bot on Discord. An `Adapter` with threads, files, signs, menus, and a past that can be read."""

    def __init__(self, config: DiscordConfig) -> None:
        self._config = config
        self._call = Caller(timeout=config.call_timeout, wait=config.retry_wait)
        self._limits = Limits()
        self._read = Reads(self._call)
        self._pace = Pace(config.identify_spacing)
        self._answers = Answers(self._call)
        self._interactions = Interactions(self._call, self._answers)
        self._menus = Menus(self._call, wait=config.menu_wait)
        self._files = Files(self._read, config.files_url, silence=config.call_timeout)
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
            if isinstance(event, Connected) and self._connection is not None:
                self._menus.begin(tasks, self._connection)
            await deliver(event)

        try:
            async with asyncio.TaskGroup() as tasks:
                client = Connection(
                    self._config,
                    message_content=content,
                    trace=trace,
                    pace=self._pace,
                    tasks=tasks,
                    deliver=heard,
                    call=self._call,
                    interactions=self._interactions,
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
        """Every scope in which the act is counted, by the headers of the answers so far; answers to commands have their own."""
        if (answers := self._answers.limits(target)) is not None:
            return () if act == "busy" else answers  # the sign is there by itself, see `busy`
        return self._limits.of(act, snowflake(target.channel.id), self._read.share)

    async def post(
        self, target: Target, markdown: str, *, key: str, buttons: Sequence[Button] = (), silent: bool = False
    ) -> MessageId:
        """Show a new message. `key` is a nonce: for a few minutes a repeat gives the first message again."""
        client, text = self._client, render(markdown)
        shown = await self._answers.post(client.hook, target, text, key=key, buttons=buttons, silent=silent)
        return shown or await self._showing.post(target, text, key=key, buttons=buttons, silent=silent)

    async def edit(self, target: Target, message: MessageId, markdown: str, *, buttons: Sequence[Button] = ()) -> None:
        """Change what a message of ours shows."""
        client, text = self._client, render(markdown)
        if not await self._answers.edit(client.hook, target, message, text, buttons):
            await self._showing.edit(target, message, text, buttons=buttons)

    async def delete(self, target: Target, message: MessageId) -> None:
        """Take a message of ours away; one that is not there any more is no failure."""
        try:
            if not await self._answers.delete(self._client.hook, target, message):
                await self._showing.delete(target, message)
        except Gone:
            return

    async def busy(self, target: Target, label: str | None) -> None:
        """Show the typing sign, but where an answer to a command has its own. It has no label, and ends by itself."""
        if label is not None and self._answers.limits(target) is None:
            await self._showing.type(target)

    @property
    def busy_seconds(self) -> float:
        """The typing sign lasts 10 s (Discord developer docs, Trigger Typing Indicator)."""
        return 8.0

    @property
    def _showing(self) -> Showing:
        return Showing(self._call, self._client)

    # files and signs

    def fetch(self, attachment: Attachment) -> AsyncIterator[bytes]:
        """The bytes of a file or sticker that came with a message or an /ask."""
        return self._files.fetch(lambda: self._client, attachment)

    def takes(self, target: Target) -> int:
        """10 MiB, or what the server's level allows."""
        client, space = self._connection, target.channel.space
        guild = client.get_guild(snowflake(space)) if client is not None and space is not None else None
        return MOST if guild is None else int(guild.filesize_limit)

    async def upload(self, target: Target, file: File, *, key: str, silent: bool = False) -> MessageId:
        """Show a file as a message of its own."""
        client, again = self._client, opened(file)
        if file.size > self.takes(target):
            raise TooLarge(f"Discord: a file of {file.size} bytes")
        shown = await self._answers.upload(client.hook, target, again, key=key, silent=silent, timeout=UPLOAD_SECONDS)
        return shown or await self._showing.upload(target, again, key=key, silent=silent, timeout=UPLOAD_SECONDS)

    async def react(self, target: Target, message: MessageId, *, seen: bool) -> None:
        """Leave a pair of eyes on a message, or take it away."""
        await self._showing.react(target, message, seen=seen)

    # commands

    def offer(self, commands: Sequence[Spec], complete: Complete) -> None:
        """Offer these everywhere; they are registered in the background, once, if Discord has others."""
        self._menus.offer(commands)
        self._interactions.offer(commands, complete)

    # threads

    async def open(self, target: Target, title: str) -> Target:
        """The target in the thread on `target.reply_to`, which has that message's id."""
        channel = target.channel
        if channel.kind == "thread":
            return target
        if target.reply_to is None or channel.space is None:
            raise Refused("Discord: threads are opened on a message in a server")
        client, number, name = self._client, snowflake(target.reply_to), convert.title(title)
        parent = self._showing.messageable(target)
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
        client = self._client
        if self._answers.limits(target) is not None:
            return await self._answers.find(client.hook, target, known)
        channel = self._showing.messageable(target)
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
