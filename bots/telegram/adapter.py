"""Telegram, through python-telegram-bot's `Bot`; its own loop for updates loses what a crash interrupts, so ours is used."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

from aiohttp import web
from telegram import Bot, User

from bots.telegram.bot import calling, hush
from bots.telegram.calls import Calls
from bots.telegram.config import TelegramConfig
from bots.telegram.convert import Converter
from bots.telegram.drafts import DRAFT_SECONDS, Drafting, possible
from bots.telegram.failures import TOKEN
from bots.telegram.files import Files
from bots.telegram.gateway import WANTED, Gateway
from bots.telegram.limits import Limits
from bots.telegram.menus import Menus
from bots.telegram.names import NAME, Moves, place_of
from bots.telegram.reading import Me
from bots.telegram.render import fits
from bots.telegram.showing import BUSY_SECONDS, Showing
from bots.telegram.updates import Poller
from bots.telegram.watch import Watch
from shared.chat import Act, Attachment, Button, Channel, Deliver, File, Health, Limit, MessageId, Target
from shared.commands import Complete, Spec
from shared.errors import Failure, Misconfigured, RateLimited, Unavailable

log = logging.getLogger(__name__)

_SECRET = (
    "Updates by webhook need TELEGRAM_WEBHOOK_URL and TELEGRAM_WEBHOOK_SECRET: the public address of this server, and a word "  # noqa: S105
    "of your own choice of letters, digits, _ and -."
)


@dataclass(frozen=True, slots=True)
class _Session:
    """What belongs to one connection."""

    calls: Calls
    gateway: Gateway
    way: Poller | Watch
    """How updates come: asked for, or posted."""
    showing: Showing
    drafting: Drafting
    me: User


class TelegramAdapter:
    """One bot. An `Adapter` with files, signs, menus and drafts. No past can be read, and groups have no threads to open."""

    def __init__(self, config: TelegramConfig) -> None:
        self._config = config
        self._limits = Limits()
        self._moves = Moves()
        self._menus = Menus(wait=config.retry_wait)
        self._files = Files(config)
        self._failed: dict[str, int] = {}
        self._hooked = config.events == "webhook"
        self._now: _Session | None = None

    @property
    def name(self) -> str:
        """The platform's name."""
        return NAME

    # connecting

    async def run(self, deliver: Deliver) -> None:
        """Connect, and hand on events until cancelled. Raises `Misconfigured` if Telegram refuses the token or the webhook."""
        tries = 0
        while True:
            began = time.monotonic()
            try:
                await self._session(deliver)
            except Misconfigured:
                raise
            except Failure as failure:
                tries = tries + 1 if time.monotonic() - began < self._config.longest_wait else 1
                wait = self._config.pause(tries)
                if isinstance(failure, RateLimited):
                    wait = max(wait, failure.retry_after)
                log.warning("no connection to Telegram", extra={"detail": failure.detail, "seconds": round(wait, 1)})
                await asyncio.sleep(wait)

    async def hook(self, request: web.Request) -> web.Response:
        """Take an update that Telegram has posted (`events` is "webhook"); what to answer.

        Only what carries the secret is taken, and 200 is answered once it is stored. Otherwise Telegram posts it again.
        """
        if self._now is None or not self._hooked:
            return web.Response(status=503)
        return await self._now.gateway.hook(request)

    async def _session(self, deliver: Deliver) -> None:
        if self._hooked and not (self._config.webhook_secret and self._config.webhook_url):
            raise Misconfigured(_SECRET)
        hush()
        line = calling(self._config)
        try:
            calls = Calls(self._config, line.bot, moves=self._moves, limits=self._limits)
            me = await self._login(calls)
            watch = await self._choose_way(calls)
            try:
                async with asyncio.TaskGroup() as tasks:
                    self._now = now = self._made(calls, me, tasks, deliver, watch)
                    tasks.create_task(_revoked(calls), name="telegram token")
                    tasks.create_task(self._menus.run(calls), name="telegram menus")
                    tasks.create_task(_listen(now), name="telegram updates")
                    if watch is not None:
                        tasks.create_task(watch.run(), name="telegram webhook")
            except BaseExceptionGroup as group:
                raise _first(group) from None  # what ends it is `deliver`, or something that the operator has to change
            finally:
                self._now = None
        finally:
            await line.aclose()

    def _made(self, calls: Calls, me: User, tasks: asyncio.TaskGroup, deliver: Deliver, watch: Watch | None) -> _Session:
        converter = Converter(me=Me(me.id, me.username or ""), since=_clock(), now=_clock)
        gateway = Gateway(self._config, calls, converter, tasks=tasks, deliver=deliver, failed=self._failed)
        calls.moved = gateway.moved
        if watch is not None:
            gateway.came = watch.came
        way = watch or Poller(self._config, WANTED, up=gateway.up, take=gateway.keep, refused=calls.revoked.set)
        return _Session(calls, gateway, way, Showing(calls), Drafting(calls), me)

    async def _login(self, calls: Calls) -> User:
        """Who we are. Raises `Misconfigured` where the token is not good."""
        try:
            me = await calls.ask("getMe", _who, repeats=0)
        except Unavailable:
            if calls.revoked.is_set():
                raise Misconfigured(TOKEN) from None
            raise
        if not me.can_read_all_group_messages:
            log.info("in groups the bot hears only what is said to it: privacy mode is on", extra={"bot": me.username})
        return me

    async def _choose_way(self, calls: Calls) -> Watch | None:
        """Say how updates come; what watches those that are posted. Nothing that waits is dropped. Raises `Misconfigured`."""

        async def asked_for(bot: Bot) -> bool:
            return await bot.delete_webhook(drop_pending_updates=False)

        if not self._hooked:
            await calls.ask("deleteWebhook", asked_for)
            return None
        watch = Watch(self._config, calls, WANTED)
        await watch.begin()
        return watch

    def health(self) -> Health:
        """How the connection is."""
        now = self._now
        if now is None or not now.gateway.announced:
            return Health(connected=False, detail="not connected")
        who = f"connected as @{now.me.username}"
        told = "" if now.me.can_read_all_group_messages else "; privacy mode is on"
        heard = f"last heard {now.way.age or 0.0:.0f} s ago"
        if trouble := now.way.trouble or ("what comes is not stored" if now.gateway.unstored else ""):
            return Health(connected=False, detail=f"{trouble}; {heard}")
        way = f", {now.way.line}" if isinstance(now.way, Watch) else ""
        return Health(connected=True, detail=f"{who}{way}, {heard}{told}")

    @property
    def _at(self) -> _Session:
        if self._now is None:
            raise Unavailable("Telegram: not connected")
        return self._now

    def offer(self, commands: Sequence[Spec], complete: Complete) -> None:
        """Offer these in menus. Telegram asks for no values while a person writes."""
        self._menus.offer(commands)

    def spell(self, command: str, place: Channel, *, there: bool = False) -> str:
        """With the bot's name in groups: in privacy mode nothing else is sure to reach it (core.telegram.org/bots/features)."""
        named = f"@{self._now.me.username}" if self._now is not None and place.kind != "direct" else ""
        return f"/{command}{named}"

    # showing

    def fits(self, target: Target, markdown: str) -> bool:
        """Whether one message would hold it, with all that marks it up."""
        return fits(markdown)

    def limits(self, target: Target, act: Act) -> Sequence[Limit]:
        """Every scope in which the act is counted: all topics of a chat together."""
        return self._limits.of(act, self._moves.now(place_of(target.channel.id).chat))

    async def post(
        self, target: Target, markdown: str, *, key: str, buttons: Sequence[Button] = (), silent: bool = False
    ) -> MessageId:
        """Show a new message. Telegram takes no key: whether a post took effect that went wrong on the way is never known."""
        return await self._at.showing.post(target, markdown, buttons=buttons, silent=silent)

    async def edit(self, target: Target, message: MessageId, markdown: str, *, buttons: Sequence[Button] = ()) -> None:
        """Change what a message of ours shows."""
        await self._at.showing.edit(target, message, markdown, buttons=buttons)

    async def delete(self, target: Target, message: MessageId) -> None:
        """Take a message of ours away."""
        await self._at.showing.delete(target, message)

    async def busy(self, target: Target, label: str | None) -> None:
        """Show that we are typing; it ends by itself or with the next message."""
        await self._at.showing.busy(target, label)

    @property
    def busy_seconds(self) -> float:
        """It shows for five seconds at most (core.telegram.org/bots/api, sendChatAction)."""
        return BUSY_SECONDS

    # drafts

    @property
    def draft_seconds(self) -> float:
        """After this a draft has to be shown again."""
        return DRAFT_SECONDS

    def drafts(self, target: Target) -> bool:
        """In private chats, where the operator wants them."""
        return self._config.drafts and possible(target)

    async def draft(self, target: Target, markdown: str, *, key: str) -> None:
        """Show how a message grows."""
        await self._at.drafting.show(target, markdown, key=key)

    # files and signs

    def fetch(self, attachment: Attachment) -> AsyncIterator[bytes]:
        """The bytes of a file that came with a message."""
        return self._files.fetch(lambda: self._at.calls, attachment)

    def takes(self, target: Target) -> int:
        """The largest file in bytes that can be shown."""
        return self._files.most

    async def upload(self, target: Target, file: File, *, key: str, silent: bool = False) -> MessageId:
        """Show a file as a message of its own."""
        return await self._files.upload(self._at.calls, target, file, silent=silent)

    async def react(self, target: Target, message: MessageId, *, seen: bool) -> None:
        """Leave a pair of eyes on a message, or take it away."""
        await self._at.showing.react(target, message, seen=seen)


async def _who(bot: Bot) -> User:
    return await bot.get_me()


async def _listen(now: _Session) -> None:
    if isinstance(now.way, Poller):
        await now.way.run()
    else:
        await now.gateway.up()
        await now.gateway.broken()


async def _revoked(calls: Calls) -> None:
    """End it once the token is refused, not only for one call: an old server refuses methods that it does not know likewise."""
    while True:
        await calls.revoked.wait()
        calls.revoked.clear()
        try:
            await calls.ask("getMe", _who, repeats=0)
        except (Unavailable, RateLimited) as failure:
            if calls.revoked.is_set():
                raise Misconfigured(TOKEN) from None
            log.info("the token cannot be looked at", extra={"detail": failure.detail})


def _clock() -> datetime:
    return datetime.now(UTC)


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The exception in nested groups of one."""
    first = group.exceptions[0]
    return _first(cast("BaseExceptionGroup[BaseException]", first)) if isinstance(first, BaseExceptionGroup) else first
