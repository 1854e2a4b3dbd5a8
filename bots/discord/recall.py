"""What was said while the bot was away, read from Discord's history."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime

import discord

from bots.discord.convert import NAME, Converter, channel_id, place, snowflake
from bots.discord.reads import Reads
from shared.chat import Author, Channel, ChannelId, Message, MessageId, Seen
from shared.errors import Forbidden, Gone

log = logging.getLogger(__name__)

PAGE = 100
"""Messages in one answer at most (Discord developer docs, Get Channel Messages)."""

ELSEWHERE = 200
"""Of how many channels that READY does not tell of (direct chats, archived threads) the history is read: those seen last."""


def behind(client: discord.Client, seen: Seen) -> Sequence[Channel]:
    """The channels whose last message is newer than the newest one seen, by what the gateway told at the start."""
    since = _at(seen.since)
    found: list[Channel] = []
    known: set[ChannelId] = set()
    for guild in client.guilds:
        known.update(channel_id(channel.id) for channel in (*guild.channels, *guild.threads))
        for channel in _readable(guild):
            here = place(channel, guild)
            if here is not None and (channel.last_message_id or 0) > _newest(seen, here.id, since):
                found.append(here)
    servers = {f"{NAME}:{guild.id}" for guild in client.guilds}
    elsewhere = [
        channel
        for channel in seen.channels
        if channel.id not in known
        and channel.id in seen.newest
        # A text channel that is not in the cache is gone or hidden; so is all of a server that was left.
        and (channel.kind == "direct" or (channel.kind == "thread" and channel.space in servers))
    ]
    elsewhere.sort(key=lambda channel: snowflake(seen.newest[channel.id]), reverse=True)
    return [*found, *elsewhere[:ELSEWHERE]]


async def missed(
    client: discord.Client, converter: Converter, call: Reads, channel: Channel, seen: Seen, *, roles: bool
) -> AsyncIterator[Message]:
    """The messages in a channel after the newest one seen, oldest first; people who address us have roles if these are wanted."""
    where = await _messageable(client, call, channel)
    need_history(where, client)
    given = channel if isinstance(where, discord.PartialMessageable) else None
    authors: dict[int, Author] = {}
    after = _newest(seen, channel.id, _at(seen.since))
    async for message in history(call, where, after):
        try:
            event = converter.message(message, given, recalled=True)
        except Exception:
            # As with what is heard live: nobody knows what else can be in a message; one must not hold up the others.
            log.exception("a message could not be read", extra={"message_id": message.id, "channel_id": message.channel.id})
            continue
        if roles and event.addressed and message.guild is not None:
            event = replace(event, author=await _with_roles(call, message, event.author, authors))
        yield event


async def history(
    call: Reads, where: discord.abc.Messageable, after: int, *, most: int | None = None
) -> AsyncIterator[discord.Message]:
    """The messages of a channel with an id above `after`, oldest first; at most `most`, in whole pages."""
    read = 0
    while True:
        page = await call(_page(where, after))
        for message in page:
            yield message
        read += len(page)
        if len(page) < PAGE or (most is not None and read >= most):
            return
        after = page[-1].id


def bound(after: MessageId | None, since: datetime) -> int:
    """The id above which a message is that is after `after` and not before `since`."""
    return max(_at(since) - 1, snowflake(after) if after is not None else 0)


def need_history(where: object, client: discord.Client) -> None:
    """Raise `Forbidden` where the history would come back empty for want of a permission (Get Channel Messages)."""
    if isinstance(where, discord.PartialMessageable):
        where = client.get_channel(where.id)
    if not isinstance(where, discord.abc.GuildChannel | discord.Thread):
        return
    known = not isinstance(where, discord.Thread) or where.parent is not None
    if known and not where.permissions_for(where.guild.me).read_message_history:
        raise Forbidden(f"Discord: the history of {channel_id(where.id)} cannot be read")


def _page(where: discord.abc.Messageable, after: int) -> Callable[[], Awaitable[list[discord.Message]]]:
    async def read() -> list[discord.Message]:
        return [each async for each in where.history(limit=PAGE, after=discord.Object(after), oldest_first=True)]

    return read


async def _messageable(client: discord.Client, call: Reads, channel: Channel) -> discord.abc.Messageable:
    number = snowflake(channel.id)
    if channel.kind == "direct":
        return client.get_partial_messageable(number)
    found = client.get_channel(number)
    if found is None:
        # An archived thread: whether it is ours to answer in is known to Discord alone.
        found = await call(lambda: client.fetch_channel(number))
    if not isinstance(found, discord.abc.Messageable):
        raise Gone(f"Discord: {channel.id} holds no messages")
    return found


async def _with_roles(call: Reads, message: discord.Message, author: Author, known: dict[int, Author]) -> Author:
    """The author with roles: messages in the history come without the member (Discord developer docs, Message object)."""
    guild, number = message.guild, snowflake(author.id)
    if guild is None or author.roles:
        return author
    if number not in known:
        try:
            member = await call(lambda: guild.fetch_member(number))
        except Gone:
            return author  # has left the server
        roles = frozenset(f"{NAME}:{role.id}" for role in member.roles if not role.is_default())
        known[number] = replace(author, roles=roles)
    return known[number]


def _readable(
    guild: discord.Guild,
) -> Iterator[discord.TextChannel | discord.VoiceChannel | discord.StageChannel | discord.Thread]:
    for channel in (*guild.text_channels, *guild.voice_channels, *guild.stage_channels, *guild.threads):
        if isinstance(channel, discord.Thread) and channel.parent is None:
            continue  # its permissions are the parent's, which cannot be seen
        allowed = channel.permissions_for(guild.me)
        if allowed.view_channel and allowed.read_message_history:
            yield channel


def _newest(seen: Seen, channel: ChannelId, otherwise: int) -> int:
    newest = seen.newest.get(channel)
    return snowflake(newest) if newest is not None else otherwise


def _at(time: datetime) -> int:
    """The least id of a message sent at a time."""
    return discord.utils.time_snowflake(time)
