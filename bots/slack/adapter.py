"""Slack, through slack-bolt and slack-sdk."""

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NoReturn, cast

import aiohttp
from aiohttp import web

from bots.slack.agents import BUSY_SECONDS, Agents
from bots.slack.answers import Answers
from bots.slack.calls import Json, Web
from bots.slack.config import SlackConfig
from bots.slack.convert import Converter
from bots.slack.failures import AUTH, code_of
from bots.slack.files import MOST, Files
from bots.slack.gateway import Gateway
from bots.slack.interactions import Interactions, spelt
from bots.slack.known import Known
from bots.slack.limits import Limits
from bots.slack.names import NAME, channel_id, place_of, ts_of
from bots.slack.pace import Reads
from bots.slack.recall import Past
from bots.slack.render import fits
from bots.slack.showing import Showing, where
from bots.slack.sockets import Sockets
from bots.slack.streams import Growing, Streams
from shared.chat import (
    Act,
    Attachment,
    Button,
    Channel,
    Deliver,
    File,
    Health,
    Limit,
    Message,
    MessageId,
    Seen,
    Target,
)
from shared.errors import Failure, Forbidden, Gone, Misconfigured, RateLimited, Refused, TooLarge, Unavailable

log = logging.getLogger(__name__)

LONGEST_WAIT = 120.0
"""Seconds between two tries to begin at most."""

NEEDED = frozenset({"chat:write"})
"""The scopes without which nothing works."""

WANTED = frozenset(
    {
        "app_mentions:read", "assistant:write", "channels:history", "channels:read", "commands", "files:read", "files:write",
        "groups:history", "groups:read", "im:history", "im:read", "im:write", "mpim:history", "mpim:read", "reactions:write",
        "users:read",
    }
)  # fmt: skip
"""The scopes of the manifest; without one of these something is missing."""

_TOKEN = (
    "Slack does not accept the bot's token: set SLACK_BOT_TOKEN to the one in the app's settings, under OAuth & Permissions; if "  # noqa: S105
    "the app was removed from the workspace, install it again."
)


_SECRET = "Events over HTTP need SLACK_SIGNING_SECRET: it is in the app's settings, under Basic Information."  # noqa: S105


@dataclass(frozen=True, slots=True)
class _Session:
    """What belongs to one connection to the workspace."""

    api: Web
    read: Reads
    known: Known
    converter: Converter
    past: Past
    agents: Agents
    sockets: Sockets
    gateway: Gateway
    team: str
    showing: Showing
    streams: Streams


class SlackAdapter:
    """One bot in one Slack workspace. An `Adapter` with threads, streams, files, signs, and a past that can be read."""

    def __init__(self, config: SlackConfig) -> None:
        self._config = config
        self._limits = Limits()
        self._answers = Answers(self._limits, config.api_url)
        self._files = Files(config.bot_token, config.api_url, silence=config.call_timeout)
        self._growing = Growing(config.streams)
        self._now: _Session | None = None

    @property
    def name(self) -> str:
        """The platform's name."""
        return NAME

    # connecting

    async def run(self, deliver: Deliver) -> None:
        """Connect, and hand on events until cancelled. Raises `Misconfigured` if Slack refuses a token."""
        tries = 0
        while True:
            try:
                await self._session(deliver)
            except (Unavailable, RateLimited) as failure:
                tries += 1
                pause = min(self._config.retry_wait * 2 ** min(tries, 10), LONGEST_WAIT) * random.uniform(0.5, 1.0)  # noqa: S311 - jitter
                wait = max(pause, failure.retry_after if isinstance(failure, RateLimited) else 0.0)
                log.warning("no connection to Slack", extra={"detail": failure.detail, "seconds": round(wait, 1)})
                await asyncio.sleep(wait)

    async def hook(self, request: web.Request) -> web.Response:
        """Take an event, a command or a press that Slack has posted (`events` is "http"); what to answer.

        Only what Slack has signed is taken, and it is answered once it is stored. Otherwise Slack is asked to try again.
        """
        if self._now is None or self._config.events != "http":
            return web.Response(status=503)
        return await self._now.gateway.hook(request)

    async def _session(self, deliver: Deliver) -> None:
        if self._config.events == "http" and not self._config.signing_secret:
            raise Misconfigured(_SECRET)
        timeout = aiohttp.ClientTimeout(total=self._config.call_timeout)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            api = Web(self._config, session, self._limits)
            converter = await self._login(api)
            try:
                async with asyncio.TaskGroup() as tasks:
                    self._now = now = self._made(api, converter, session, tasks, deliver)
                    tasks.create_task(self._revoked(api), name="slack token")
                    if self._config.events == "http":
                        now.gateway.up()
                    else:
                        tasks.create_task(now.sockets.run(), name="slack connections")
            except BaseExceptionGroup as group:
                raise _first(group) from None  # what ends it is `deliver`, or something that the operator has to change
            finally:
                self._now = None

    def _made(
        self, api: Web, converter: Converter, session: aiohttp.ClientSession, tasks: asyncio.TaskGroup, deliver: Deliver
    ) -> _Session:
        read = Reads(api)
        known, agents = Known(read, team=converter.team), Agents(api, tasks)
        past = Past(read, converter, known, survey_seconds=self._config.survey_seconds)

        async def take(payload: Json) -> bool:
            return await gateway.take(payload)

        sockets = Sockets(self._config, session, api.socket_url, take, lambda: gateway.up())
        gateway = Gateway(
            self._config,
            api,
            tasks=tasks,
            deliver=deliver,
            converter=converter,
            known=known,
            interactions=Interactions(api, converter, known),
            agents=agents,
            echoed=sockets.echoed,
            shared=self._files.shown,
            survey=past.survey,
            lacking=past.lacking,
        )
        team, showing = converter.team, Showing(api)
        streams = Streams(api, showing, self._growing, agents, known.team_of)
        return _Session(api, read, known, converter, past, agents, sockets, gateway, team, showing, streams)

    async def _login(self, api: Web) -> Converter:
        """Who we are. Raises `Misconfigured` where the token is not good or lacks what nothing works without."""
        try:
            me, held = await api.whoami()
        except Refused as refused:
            if code_of(refused) in AUTH:
                raise Misconfigured(_TOKEN) from refused
            raise Misconfigured(f"Slack refuses the bot: {code_of(refused)}; look at the app's settings.") from refused
        if held is not None and not held >= NEEDED:
            missing = ", ".join(sorted(NEEDED - held))
            raise Misconfigured(f"Add the scope {missing} to the Slack app, under OAuth & Permissions, and install it again.")
        if held is not None and (missing := WANTED - held):
            log.warning("the Slack app lacks scopes; some things will not work", extra={"scopes": ", ".join(sorted(missing))})
        bot, called = str(me.get("bot_id") or ""), str(me.get("user") or "")
        return Converter(me=str(me.get("user_id")), bot=bot, team=str(me.get("team_id")), called=called)

    async def _revoked(self, api: Web) -> NoReturn:
        """Look after the token whenever Slack is said to have taken it away. Raises `Misconfigured` if it has.

        A method may refuse a token that is good for all others, and the end of another's token is told in the same words
        (docs.slack.dev, tokens_revoked event).
        """
        while True:
            await api.revoked.wait()
            api.revoked.clear()
            try:
                await api.whoami()
            except (RateLimited, Unavailable) as failure:
                log.info("the token cannot be looked after just now", extra={"detail": failure.detail})
                api.revoked.set()
                await asyncio.sleep(failure.retry_after if isinstance(failure, RateLimited) else self._config.token_wait)
            except Refused as refused:
                raise Misconfigured(_TOKEN) from refused
            else:
                log.warning("Slack refused the bot's token, which is good")
                await asyncio.sleep(self._config.token_wait)

    def health(self) -> Health:
        """How the connection is."""
        now = self._now
        if now is None or not now.gateway.announced:
            return Health(connected=False, detail="not connected")
        if self._config.events == "http":
            return Health(connected=True, detail=f"connected to {now.team}, events over HTTP")
        if not now.sockets.open:
            return Health(connected=False, detail="not connected")
        return Health(connected=True, detail=f"connected to {now.team}, {now.sockets.open} connections")

    @property
    def _at(self) -> _Session:
        if self._now is None:
            raise Unavailable("Slack: not connected")
        return self._now

    # showing

    def fits(self, target: Target, markdown: str) -> bool:
        """Whether it is at most 11,000 UTF-16 units (docs.slack.dev, Block Kit: Markdown block).

        Where it may be streamed, 9,000 UTF-8 bytes: also where it is not, for the parts of a reply must stay what they are.
        """
        return fits(markdown, streamed=self._growing.wanted(target) and self.grows(target))

    def limits(self, target: Target, act: Act) -> Sequence[Limit]:
        """Every scope in which the act is counted; answers that one person alone sees have their own."""
        if act in ("post", "edit", "delete") and (answers := self._answers.limits(target)) is not None:
            return answers
        return self._limits.of(act, place_of(target.channel.id).channel)

    async def post(
        self, target: Target, markdown: str, *, key: str, buttons: Sequence[Button] = (), silent: bool = False
    ) -> MessageId:
        """Show a new message. Slack has no silent ones. `key` stands in its metadata, for `find`."""
        now = self._at
        if target.private:
            return await self._answers.post(now.api, target, markdown, buttons)
        try:
            shown = await now.showing.post(target, markdown, key=key, buttons=buttons)
        except (Gone, Forbidden):
            answered = await self._answers.publicly(now.api, target, markdown, buttons)
            if answered is None:
                raise
            return answered
        place = where(target)
        if place.root is not None:
            now.known.joined(place.channel, place.root)
        now.agents.shown(place)
        now.sockets.posted()
        return shown

    def grows(self, target: Target) -> bool:
        """Whether what is shown there can be changed: not where the bot may not write, and answers by way of a command."""
        return not self._answers.outside(target)

    def lifetime(self, target: Target) -> float | None:
        """Four minutes; None in answers that one person alone sees, outside of threads, and where Slack has refused streams."""
        return self._growing.lifetime(target) if self.grows(target) else None

    async def begin(self, target: Target, markdown: str, *, key: str) -> MessageId:
        """Begin a stream. Where there are none after all, the message is posted, and then shown more of by updates."""
        now, place = self._at, where(target)
        begun = await now.streams.begin(target, markdown) if self.lifetime(target) is not None else None
        if begun is None:
            begun = await self.post(target, markdown, key=key)
            now.streams.posted(begun)
            self._limits.spent(place.channel)
        elif place.root is not None:
            now.known.joined(place.channel, place.root)
        return begun

    async def extend(self, target: Target, message: MessageId, markdown: str) -> None:
        """Show more of what was begun."""
        if self._answers.whispered(message):
            raise Refused("Slack: an answer by way of a command cannot grow")
        now = self._at
        await now.streams.extend(target, message, markdown)
        now.agents.changed(where(target))

    async def finish(
        self, target: Target, message: MessageId, markdown: str, *, key: str, buttons: Sequence[Button] = ()
    ) -> None:
        """End what was begun."""
        if self._answers.whispered(message):
            return await self.edit(target, message, markdown, buttons=buttons)
        now = self._at
        await now.streams.finish(target, message, markdown, key=key, buttons=buttons)
        now.agents.changed(where(target))

    async def edit(self, target: Target, message: MessageId, markdown: str, *, buttons: Sequence[Button] = ()) -> None:
        """Change what a message of ours shows. What one person alone sees is shown to them again."""
        now = self._at
        if not self._answers.whispered(message):
            await now.streams.edit(target, message, markdown, buttons=buttons)
            now.agents.changed(where(target))
        elif target.private:
            await self._answers.post(now.api, target, markdown, buttons)
        elif await self._answers.publicly(now.api, target, markdown, buttons) is None:
            raise Refused("Slack: the time to answer is over")

    def spell(self, command: str, place: Channel, *, there: bool = False) -> str:
        """How a command is given there: by a slash command of the app, or in a thread, where Slack has none, after a mention."""
        in_thread = there or place_of(place.id).root is not None  # every conversation is in a thread
        return spelt(command, in_thread=in_thread, me=self._now.converter.called if self._now else "")

    async def delete(self, target: Target, message: MessageId) -> None:
        """Take a message of ours away; what one person alone sees goes by itself when they reload."""
        now = self._at
        if not self._answers.whispered(message):
            await now.streams.delete(target, message)

    async def busy(self, target: Target, label: str | None) -> None:
        """Show a status in the thread, where the workspace has that."""
        await self._at.agents.busy(where(target), label)

    @property
    def busy_seconds(self) -> float:
        """A status lasts two minutes (docs.slack.dev, assistant.threads.setStatus)."""
        return BUSY_SECONDS

    # files and signs

    def fetch(self, attachment: Attachment) -> AsyncIterator[bytes]:
        """The bytes of a file that came with a message."""
        return self._files.fetch(lambda: self._at.read, attachment)

    def takes(self, target: Target) -> int:
        """1 GB, unless the workspace allows less."""
        return MOST

    async def upload(self, target: Target, file: File, *, key: str, silent: bool = False) -> MessageId:
        """Show a file as a message of its own."""
        now = self._at
        if file.size > MOST:
            raise TooLarge(f"Slack: a file of {file.size} bytes")
        return await self._files.upload(now.api, now.read, target, file, key=key)

    async def react(self, target: Target, message: MessageId, *, seen: bool) -> None:
        """Leave a pair of eyes on a message, or take it away."""
        await self._at.showing.react(target, message, seen=seen)

    # threads

    async def open(self, target: Target, title: str) -> Target:
        """The target in the thread on `target.reply_to`. In Slack it begins with its first reply, and has no title."""
        place = place_of(target.channel.id)
        if place.root is not None:
            return target
        if target.reply_to is None:
            raise Refused("Slack: threads are on a message")
        now, root = self._at, ts_of(target.reply_to)
        try:
            channel = await now.known.channel(place.channel)
        except Failure as failure:
            log.info("a channel cannot be looked up", extra={"detail": failure.detail})
            channel = {}
        if channel.get("is_read_only") or channel.get("is_non_threadable"):
            raise Forbidden("Slack: no threads there")
        now.known.joined(place.channel, root)
        thread = replace(now.converter.place(place.channel, root), space=target.channel.space)
        return replace(target, channel=replace(thread, id=channel_id(place.channel, root)), reply_to=None)

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
        """Our message with this key in its metadata, after `after` and not before `since`; else one that could be a stream."""
        if target.private:
            return None  # no history has it
        return await self._at.past.find(where(target), key, after, since, known, streams=self._growing.wanted(target))

    def behind(self, seen: Seen) -> Sequence[Channel]:
        """The channels of which it is not known that nothing was said there."""
        return self._at.past.behind(seen)

    def missed(self, channel: Channel, seen: Seen) -> AsyncIterator[Message]:
        """The messages after the newest one seen there, oldest first."""
        return self._at.past.missed(channel, seen)


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The exception in nested groups of one."""
    first = group.exceptions[0]
    return _first(cast("BaseExceptionGroup[BaseException]", first)) if isinstance(first, BaseExceptionGroup) else first
