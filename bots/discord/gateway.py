"""The connection to Discord's gateway: what comes in, when it may be handed on, and how a new connection is paced."""

import asyncio
import logging
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import replace

import aiohttp
import discord
import yarl
from discord.gateway import DiscordWebSocket
from discord.http import Route

from bots.discord.answers import Handle
from bots.discord.calls import Caller
from bots.discord.changes import Changes
from bots.discord.config import DiscordConfig
from bots.discord.convert import Converter, channel_id, message_id, snowflake, space_id
from bots.discord.interactions import Interaction, Interactions, Reading
from bots.discord.lanes import Lanes
from bots.discord.pace import Pace
from bots.discord.sight import Sight
from shared.chat import Connected, Deleted, Deliver, Edited, Event, Left, Message
from shared.errors import Failure

log = logging.getLogger(__name__)

GUILD_TIMEOUT = 0.5
"""Seconds after the last GUILD_CREATE from which on missing servers are taken to be in an outage."""


@contextmanager
def addresses(config: DiscordConfig) -> Generator[None]:
    """Send the library to other addresses than the real Discord's. They are attributes of its classes: of the process."""
    api, gateway = Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY
    Route.BASE = config.api_url or api
    DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(config.gateway_url) if config.gateway_url else gateway
    try:
        yield
    finally:
        Route.BASE = api
        DiscordWebSocket.DEFAULT_GATEWAY = gateway


def intents_of(*, message_content: bool) -> discord.Intents:
    """What to ask for: servers, the messages there and in direct chats, and where wanted their content."""
    return discord.Intents(guilds=True, guild_messages=True, dm_messages=True, message_content=message_content)


class Connection(discord.Client):
    """One client of the library's. Its handlers do not wait, so their order is that of the gateway."""

    def __init__(
        self,
        config: DiscordConfig,
        *,
        message_content: bool,
        trace: aiohttp.TraceConfig,
        pace: Pace,
        tasks: asyncio.TaskGroup,
        deliver: Deliver,
        call: Caller,
        interactions: Interactions,
    ) -> None:
        super().__init__(
            intents=intents_of(message_content=message_content),
            max_messages=None,
            allowed_mentions=discord.AllowedMentions.none(),
            chunk_guilds_at_startup=False,
            guild_ready_timeout=GUILD_TIMEOUT,
            max_ratelimit_timeout=30.0,
            http_trace=trace,
        )
        self.usable = False
        """Whether calls can be made: from login to close, also while the gateway is being connected again."""
        self._config = config
        self._content = message_content
        self._pace = pace
        self._tasks = tasks
        self._lanes = Lanes(tasks, deliver)
        self._call = call
        self._interactions = interactions
        self._changes = Changes()
        self._session = 0
        self._announced = -1
        self._opened = False
        self._online = False
        self._missing: set[int] = set()
        self._absent: set[int] = set()
        """Servers in an outage since the session was announced."""
        self._sight = Sight()
        self._held: list[Callable[[], None]] = []
        """What came before the session was announced: much of it can be read only once the servers are known."""
        self.converter = Converter(me=0, answer_in=config.answer_in, message_content=message_content)

    @property
    def hears(self) -> bool:
        """Whether the gateway is connected and its session has been announced."""
        return self._online and self._opened and not self.is_closed()

    def wrote(self, message: discord.Message) -> bool:
        """Whether a message is one that the bot posted: none of Discord's in its name, and no answer to an interaction."""
        plain = message.type in (discord.MessageType.default, discord.MessageType.reply)
        return plain and self.user == message.author and message.interaction_metadata is None

    def hook(self, handle: Handle) -> discord.Webhook:
        """What answers to an interaction go through."""
        return discord.Webhook.from_state({"id": handle.application, "type": 3, "token": handle.token}, self._connection)

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """Space the IDENTIFYs, in place of the library's fixed 5 seconds."""
        if wait := self._pace.wait():
            log.info("waiting before a new session", extra={"seconds": round(wait, 1)})
            await asyncio.sleep(wait)
        self._pace.count()

    def dispatch(self, event: str, /, *args: object, **kwargs: object) -> None:
        """Tell the handlers, but not after the end: the library's wait for servers outlives its closing (state.py)."""
        if not self.is_closed():
            super().dispatch(event, *args, **kwargs)

    # sessions

    async def on_connect(self) -> None:
        """READY came: a new session, whose servers are known by id alone at first."""
        if self.user is None:
            return
        self._session += 1
        self._online, self._opened = True, False
        self.converter = Converter(me=self.user.id, answer_in=self._config.answer_in, message_content=self._content)
        self._missing = {guild.id for guild in self.guilds if guild.unavailable}
        self._complete()

    async def on_guild_available(self, guild: discord.Guild) -> None:
        """A server's channels are known."""
        self._sight.begin(guild)
        if guild.id in self._absent:
            # What was said there during the outage may have been missed.
            self._absent.discard(guild.id)
            self._put(guild.id, Connected())
        self._missing.discard(guild.id)
        self._complete()

    async def on_guild_unavailable(self, guild: discord.Guild) -> None:
        """A server's outage begins."""
        self._absent.add(guild.id)

    async def on_guild_join(self, guild: discord.Guild) -> None:
        """A server's channels are known; the library takes some servers of the start for new ones."""
        self._sight.begin(guild)
        self._missing.discard(guild.id)
        self._complete()

    async def on_ready(self) -> None:
        """No more servers came for a while: those that are missing are in an outage."""
        self._absent |= self._missing
        self._missing.clear()
        self._complete()

    def _complete(self) -> None:
        if not self._missing and self._announced != self._session and not self._lanes.ended:
            self._announced = self._session
            self._tasks.create_task(self._open(self._session), name="discord session")

    async def _open(self, session: int) -> None:
        """Announce the session, then let what was held go on."""
        await self._lanes.deliver(Connected())
        if session != self._session:
            return
        self._opened = True
        held, self._held = self._held, []
        for each in held:
            each()

    async def on_resumed(self) -> None:
        """The session goes on; Discord has sent again what was missed."""
        self._online = True

    async def on_disconnect(self) -> None:
        """The gateway is lost; the library connects again."""
        self._online = False

    # events

    async def on_message(self, message: discord.Message) -> None:
        """Hand on what was written, by whomever: what bots write moves the mark of its channel, too."""
        self._then(lambda: self._say(message))

    def _say(self, message: discord.Message) -> None:
        event = self._read(message)
        if event is not None and event.addressed and self.user == message.author:
            event = self._interactions.heard(event)
        if event is not None:
            self._lanes.put(message.channel.id, event)

    def _read(self, message: discord.Message) -> Message | None:
        try:
            return self.converter.message(message)
        except Exception:
            # Nobody knows what else people and Discord can put into a message; one must not hold up the others.
            log.exception("a message could not be read", extra={"message_id": message.id, "channel_id": message.channel.id})
            return None

    async def on_raw_message_edit(self, payload: discord.RawMessageUpdateEvent) -> None:
        """Somebody changed a message, or its links got their previews, which is nobody's doing."""
        message = payload.message
        self._then(lambda: self._change(message))

    def _change(self, message: discord.Message) -> None:
        if message.author == self.user or not self._changes.new(message.id, message.edited_at):
            return
        event = self._read(message)
        if event is None or event.author.is_bot or message.edited_at is None:
            return
        key = f"{event.id}/edit/{message.edited_at.isoformat()}"
        change = Edited(keys=(key,), message=event)
        reference = message.reference
        if message.type is discord.MessageType.reply and reference is not None and reference.resolved is None:
            # What it replies to may be left out (Discord developer docs, Message object: referenced_message).
            self._tasks.create_task(self._complete_change(message, change), name="discord change")
        else:
            self._put(message.channel.id, change)

    async def _complete_change(self, message: discord.Message, change: Edited) -> None:
        try:
            whole = self._read(await self._call(lambda: message.channel.fetch_message(message.id)))
        except Failure as failure:
            log.warning("a changed message is known in part only", extra={"detail": failure.detail})
            whole = None
        if whole is not None:
            # The member, and so the roles, come with the event alone.
            change = replace(change, message=replace(whole, author=change.message.author))
        self._put(message.channel.id, change)

    async def on_interaction(self, interaction: Interaction) -> None:
        """A command was given or a button pressed."""
        # A task of this session, which ends with it; the library leaves its own to themselves.
        self._tasks.create_task(self._interact(interaction), name="discord interaction")

    async def _interact(self, interaction: Interaction) -> None:
        with self._kept_up(interaction):
            read = await self._interactions.take(interaction, self.converter)
            if read is not None:
                self._then(lambda: self._take(interaction, read))

    def _take(self, interaction: Interaction, read: Reading) -> None:
        with self._kept_up(interaction):
            if (event := read()) is not None:
                self._lanes.put(snowflake(event.target.channel.id), event)

    @contextmanager
    def _kept_up(self, interaction: Interaction) -> Generator[None]:
        try:
            yield
        except Exception:
            # As with messages: what Discord or a registration of long ago puts into it must not end the session.
            log.exception("an interaction could not be read", extra={"interaction_id": interaction.id})

    def _put(self, lane: int, event: Event) -> None:
        self._then(lambda: self._lanes.put(lane, event))

    def _then(self, act: Callable[[], None]) -> None:
        """Do it now, or as soon as the session has been announced."""
        if self._opened:
            act()
        else:
            self._held.append(act)

    async def on_raw_message_delete(self, payload: discord.RawMessageDeleteEvent) -> None:
        """A message was deleted."""
        event = Deleted(channel=channel_id(payload.channel_id), message=message_id(payload.message_id))
        self._put(payload.channel_id, event)

    async def on_raw_bulk_message_delete(self, payload: discord.RawBulkMessageDeleteEvent) -> None:
        """Many messages were deleted at once."""
        for each in sorted(payload.message_ids):
            event = Deleted(channel=channel_id(payload.channel_id), message=message_id(each))
            self._put(payload.channel_id, event)

    async def on_guild_channel_delete(self, channel: discord.abc.GuildChannel) -> None:
        """A channel was deleted."""
        self._put(channel.id, Left(channel=channel_id(channel.id)))

    async def on_raw_thread_delete(self, payload: discord.RawThreadDeleteEvent) -> None:
        """A thread was deleted."""
        self._put(payload.thread_id, Left(channel=channel_id(payload.thread_id)))

    async def on_thread_remove(self, thread: discord.Thread) -> None:
        """The bot was taken out of a thread."""
        # The library says so, too, of a thread that it drops from its cache because it is archived (state.py, THREAD_LIST_SYNC).
        if thread.guild.get_thread(thread.id) is not None:
            self._leave(thread.id)

    async def on_guild_channel_create(self, channel: discord.abc.GuildChannel) -> None:
        """A channel is new; whether it is in view has to be known when that changes."""
        self._sight.lost_one(channel)

    async def on_guild_channel_update(self, before: discord.abc.GuildChannel, after: discord.abc.GuildChannel) -> None:
        """A channel's permissions may have changed."""
        if self._sight.lost_one(after):
            self._leave(after.id)

    async def on_guild_role_update(self, before: discord.Role, after: discord.Role) -> None:
        """A role's permissions may have changed."""
        if before.permissions != after.permissions:
            self._look(after.guild)

    async def on_guild_role_delete(self, role: discord.Role) -> None:
        """A role may have been one of the bot's."""
        self._look(role.guild)

    async def on_member_update(self, before: discord.Member, after: discord.Member) -> None:
        """Without the intent for members this tells of the bot alone, whose roles may have changed."""
        if self.user is not None and after.id == self.user.id:
            self._look(after.guild)

    def _look(self, guild: discord.Guild) -> None:
        for number in self._sight.lost(guild):
            self._leave(number)

    def _leave(self, channel: int) -> None:
        self._put(channel, Left(channel=channel_id(channel)))

    async def on_guild_remove(self, guild: discord.Guild) -> None:
        """The bot was removed, or the server deleted. An outage is another event."""
        self._missing.discard(guild.id)
        self._sight.forget(guild.id)
        self._put(guild.id, Left(space=space_id(guild.id)))
        self._complete()
