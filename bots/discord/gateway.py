"""The connection to Discord's gateway: what comes in, when it may be handed on, and how a new connection is paced."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Generator
from contextlib import contextmanager

import aiohttp
import discord
import yarl
from discord.gateway import DiscordWebSocket
from discord.http import Route

from bots.discord.config import DiscordConfig
from bots.discord.convert import Converter, channel_id, message_id, space_id
from bots.discord.lanes import Lanes
from bots.discord.sight import Sight
from shared.chat import Connected, Deleted, Deliver, Event, Left

log = logging.getLogger(__name__)

LONGEST_GAP = 120.0
"""Seconds between two IDENTIFYs at most: 720 a day, under the 1000 after which Discord resets the token (developer docs,
Gateway: Identifying)."""

GUILD_TIMEOUT = 0.5
"""Seconds after the last GUILD_CREATE from which on missing servers are taken to be in an outage."""


class Pace:
    """Spaces IDENTIFYs: every further one within an hour waits twice as long.

    It is not kept over restarts. A process costs one IDENTIFY for each start, so a server that crashes and is started again at
    once could use up a day's 1000 all the same: the pause between restarts, 90 s or more, is for what restarts it to keep.
    """

    def __init__(self, spacing: float, clock: Callable[[], float] = time.monotonic) -> None:
        """`spacing` is the least gap in seconds; `clock` gives seconds that only grow."""
        self._spacing = spacing
        self._clock = clock
        self._times: deque[float] = deque()

    def wait(self) -> float:
        """How many seconds an IDENTIFY has to wait from now."""
        now = self._clock()
        while self._times and self._times[0] < now - 3600:
            self._times.popleft()
        if not self._times:
            return 0.0
        gap = min(self._spacing * 2 ** (len(self._times) - 1), LONGEST_GAP)
        return max(0.0, self._times[-1] + gap - now)

    def count(self) -> None:
        """An IDENTIFY goes out now."""
        self._times.append(self._clock())


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
        self._session = 0
        self._announced = -1
        self._opened = False
        self._online = False
        self._missing: set[int] = set()
        self._absent: set[int] = set()
        """Servers in an outage since the session was announced."""
        self._sight = Sight()
        self._held: list[discord.Message | tuple[int, Event]] = []
        self.converter = Converter(me=0, answer_in=config.answer_in, message_content=message_content)

    @property
    def hears(self) -> bool:
        """Whether the gateway is connected and its session has been announced."""
        return self._online and self._opened and not self.is_closed()

    def wrote(self, message: discord.Message) -> bool:
        """Whether a message is the bot's own, and none that Discord wrote in its name, as at the top of a thread."""
        return self.user == message.author and message.type in (discord.MessageType.default, discord.MessageType.reply)

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
            if isinstance(each, tuple):
                self._lanes.put(*each)
            else:
                self._say(each)

    async def on_resumed(self) -> None:
        """The session goes on; Discord has sent again what was missed."""
        self._online = True

    async def on_disconnect(self) -> None:
        """The gateway is lost; the library connects again."""
        self._online = False

    # events

    async def on_message(self, message: discord.Message) -> None:
        """Hand on what was written, by whomever: what bots write moves the mark of its channel, too."""
        if self._opened:
            self._say(message)
        else:
            self._held.append(message)

    def _say(self, message: discord.Message) -> None:
        try:
            event = self.converter.message(message)
        except Exception:
            # Nobody knows what else people and Discord can put into a message; one must not hold up the others.
            log.exception("a message could not be read", extra={"message_id": message.id, "channel_id": message.channel.id})
            return
        self._lanes.put(message.channel.id, event)

    def _put(self, lane: int, event: Event) -> None:
        if self._opened:
            self._lanes.put(lane, event)
        else:
            self._held.append((lane, event))

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
