"""Answers that one person alone sees, and those given where the bot is not: through the response_url of a command or press.

docs.slack.dev, Handling user interaction: Using the response_url.
"""

import hashlib
import logging
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, get_args

import aiohttp
import yarl

from bots.slack.calls import Json, Web, wait_of
from bots.slack.limits import Limits
from bots.slack.names import bare, place_of
from bots.slack.render import message as shown_as
from shared.chat import Button, Limit, MessageId, Target
from shared.errors import Forbidden, Gone, RateLimited, Refused, Unavailable

log = logging.getLogger(__name__)

HOST = "hooks.slack.com"
"""Where response_urls are (docs.slack.dev, Handling user interaction)."""

MARGIN = timedelta(seconds=10)
"""How much sooner a response_url is taken for spent: clocks differ, and a call takes its time."""

Sort = Literal["command", "press", "outside"]
"""What was used; "outside" is a command whose question could not be shown, since the bot may not write there."""

_WHISPER = "/whisper/"


@dataclass(frozen=True, slots=True)
class Handle:
    """What an answer takes. The address is secret: whoever knows it can answer."""

    sort: Sort
    url: str = field(repr=False)

    def dump(self) -> str:
        """The handle of a target."""
        return f"{self.sort} {self.url}"

    @property
    def scope(self) -> str:
        """Names it without telling the address."""
        return hashlib.blake2b(self.url.encode(), digest_size=8).hexdigest()


def load(text: str) -> Handle:
    """The handle in a `dump`. Raises `Refused` for anything else."""
    sort, _, url = text.partition(" ")
    found = next((each for each in get_args(Sort) if each == sort), None)
    if found is None or not url:
        raise Refused("Slack: a handle that cannot be read")
    return Handle(found, url)


class Spent(Refused):
    """The response_url is used up or over."""


class Answers:
    """Shows answers. What it has shown cannot be changed: to change one is to show it again."""

    def __init__(self, limits: Limits, api_url: str = "", *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        """`api_url` is where what stands in for Slack is; `clock` gives the time with its zone."""
        self._limits = limits
        self._elsewhere = yarl.URL(api_url).origin() if api_url else None
        self._clock = clock

    def limits(self, target: Target) -> tuple[Limit, ...] | None:
        """The scope in which answers are counted; None if the channel itself is to be used."""
        if not target.private:
            return None
        if target.handle is None or place_of(target.channel.id).root is not None:
            return self._limits.whispers()
        return self._limits.answers(load(target.handle).scope)

    def outside(self, target: Target) -> bool:
        """Whether it can only be answered through a response_url: what is shown that way cannot be changed."""
        return target.handle is not None and load(target.handle).sort == "outside"

    def whispered(self, message: MessageId) -> bool:
        """Whether a message is one of these."""
        return _WHISPER in bare(message)

    async def post(self, web: Web, target: Target, markdown: str, buttons: Sequence[Button]) -> MessageId:
        """Show an answer to the person of the target alone. Raises `Refused` where the time for it is over."""
        content = shown_as(markdown, buttons)
        self._in_time(target)
        if place_of(target.channel.id).root is not None:
            # Through a response_url it would be shown outside of the thread (Publishing ephemeral responses).
            try:
                await self._whisper(web, target, content)
                return self._named(target)
            except (Gone, Forbidden):
                if target.handle is None:
                    raise
        if target.handle is None:
            await self._whisper(web, target, content)
            return self._named(target)
        try:
            await self._respond(web, load(target.handle), target, content, public=False)
        except Spent:
            log.debug("a response_url is spent")
            await self._whisper(web, target, content)
        return self._named(target)

    async def publicly(self, web: Web, target: Target, markdown: str, buttons: Sequence[Button]) -> MessageId | None:
        """Show an answer to all where the bot itself cannot; None if there is no handle for it, or no longer."""
        if target.handle is None or target.private:
            return None
        try:
            self._in_time(target)
            await self._respond(web, load(target.handle), target, shown_as(markdown, buttons), public=True)
        except Spent:
            return None
        return self._named(target)

    def _in_time(self, target: Target) -> None:
        if target.expires is not None and self._clock() >= target.expires - MARGIN:
            raise Spent("Slack: the time to answer is over")

    def _named(self, target: Target) -> MessageId:
        """An id of ours: Slack does not tell that of such a message."""
        return MessageId(f"{target.channel.id}{_WHISPER}{secrets.token_hex(6)}")

    async def _whisper(self, web: Web, target: Target, content: Json) -> None:
        if target.user is None:
            raise Refused("Slack: nobody to show this to")
        place, user = place_of(target.channel.id), bare(target.user)
        await web.write("chat.postEphemeral", repeats=0, channel=place.channel, thread_ts=place.root, user=user, **content)

    async def _respond(self, web: Web, handle: Handle, target: Target, content: Json, *, public: bool) -> None:
        url = self._trusted(handle.url)
        body: dict[str, Any] = {**content, "response_type": "in_channel" if public else "ephemeral", "replace_original": False}
        if public and (root := place_of(target.channel.id).root) is not None:
            body["thread_ts"] = root
        try:
            async with web.session.post(url, json=body, allow_redirects=False) as response:
                status, wait = response.status, wait_of(response.headers)
                said = await response.text(errors="replace")
        except (aiohttp.ClientError, OSError) as error:
            raise Unavailable(f"Slack: a response_url: {type(error).__name__}") from None  # its text may hold the address
        if status == 200 and said.strip() in ("ok", "", '{"ok":true}'):
            return
        if status == 429:
            raise RateLimited("Slack: a response_url: 429", wait)
        if status in (403, 404, 410):
            raise Spent(f"Slack: a response_url: {status}")
        if status >= 500 and "no_text" not in said and "invalid" not in said:
            raise Unavailable(f"Slack: a response_url: {status}")
        raise Refused(f"Slack: a response_url: {status}")

    def _trusted(self, address: str) -> yarl.URL:
        try:
            url = yarl.URL(address)
            origin = url.origin()
        except ValueError:
            raise Refused("Slack: a handle that cannot be read") from None  # its text may hold the address
        if not (url.scheme == "https" and url.host == HOST) and origin != self._elsewhere:
            raise Forbidden("Slack: a response_url that lies elsewhere")
        return url
