"""Updates by webhook: where Telegram is to post them, and a look now and then at whether it does."""

import asyncio
import logging
import time
from collections.abc import Callable
from datetime import datetime

from telegram import Bot, WebhookInfo
from yarl import URL

from bots.telegram.calls import Calls
from bots.telegram.config import TelegramConfig
from bots.telegram.failures import HIDDEN, hide
from shared.errors import Failure, Misconfigured, Refused

log = logging.getLogger(__name__)

LONGEST_SECONDS = 3600.0
"""Between two times that a webhook is taken back: two programs must not take it from each other without end."""

NEVER = datetime.min

LONGEST = 200
"""Characters of what Telegram says of a post."""


class Watch:
    """Sets the webhook, and sees whether it stays and whether what is posted gets through."""

    def __init__(
        self, config: TelegramConfig, calls: Calls, wanted: tuple[str, ...], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`wanted` are the kinds of updates that are asked for. `clock` gives seconds that only grow."""
        self._config = config
        self._calls = calls
        self._wanted = list(wanted)
        self._clock = clock
        self._heard: float | None = None
        self._erred: datetime | None = None
        """When a post last failed, as of the last look; None before the first."""
        self._came = False
        """Whether anything that was posted was stored since then."""
        self._not_before = 0.0
        """When it may be taken back again."""
        self._failures = 0
        """Looks in a row that were not answered."""
        self._others = False
        """Whether the webhook was not ours at the last look."""
        self._taken_back = 0
        """How often in a row it was taken back."""
        self._kept_out = ""
        """Why what is posted does not get through, in Telegram's words; empty where it does."""
        self._waiting = 0
        """Updates that wait to be posted."""

    @property
    def age(self) -> float | None:
        """Seconds since Telegram last answered a look; None before the first."""
        return None if self._heard is None else self._clock() - self._heard

    @property
    def trouble(self) -> str:
        """Why we do not hear Telegram, in one line for the operator; empty where we do."""
        if self._others:
            return "another program changes this bot's webhook"
        if self._failures:
            return "no answer from Telegram"
        return f"what Telegram posts does not get through ({self._kept_out}), {self._count}" if self._kept_out else ""

    @property
    def line(self) -> str:
        """How updates come, in words for the operator."""
        return f"updates by webhook, {self._count}" if self._waiting else "updates by webhook"

    @property
    def _count(self) -> str:
        return "1 update waits" if self._waiting == 1 else f"{self._waiting} updates wait"

    async def begin(self) -> None:
        """Say where to post. Nothing that waits is dropped. Raises `Misconfigured` if Telegram does not take the webhook."""
        try:
            await self._set()
        except Refused as refused:
            detail = f"Telegram does not take TELEGRAM_WEBHOOK_URL or TELEGRAM_WEBHOOK_SECRET: {refused.detail}."
            raise Misconfigured(detail) from None

    def came(self) -> None:
        """Something that was posted is stored."""
        self._came = True

    async def run(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(self._config.look_seconds)

    async def look(self) -> None:
        """See whether posts come, and take the webhook back if it is not ours."""
        try:
            info = await self._info()
        except Failure as failed:
            self._failures += 1
            if self._failures == 1:
                log.warning("Telegram does not say how the webhook is", extra={"detail": failed.detail})
            return
        if self._failures:
            log.info("Telegram is heard again", extra={"failures": self._failures})
        self._failures = 0
        self._judge(info)
        self._others = info.url != self._config.webhook_url
        if not self._others:
            self._taken_back = 0
        elif self._clock() >= self._not_before:
            await self._take_back(info.url)

    def _judge(self, info: WebhookInfo) -> None:
        """Telegram tells of the last failure also when it is over (core.telegram.org/bots/api, WebhookInfo: last_error_date):
        it counts as long as something waits, and nothing has come since."""
        before, self._erred = self._erred, info.last_error_date or NEVER
        # What had gone wrong before the first look says nothing of what is posted from now on.
        erred = before is not None and self._erred != before
        came, self._came = self._came, False
        kept_out, self._waiting = self._kept_out, info.pending_update_count
        if came or not self._waiting:
            self._kept_out = ""
        elif erred:
            self._kept_out = told(info.last_error_message or "no reason given", self._config.webhook_url)
        if self._kept_out and not kept_out:
            log.warning("what Telegram posts does not get through", extra={"detail": self._kept_out, "waiting": self._waiting})
        elif kept_out and not self._kept_out:
            log.info("what Telegram posts gets through again")

    async def _take_back(self, url: str) -> None:
        self._taken_back += 1
        self._not_before = self._clock() + min(self._config.look_seconds * 2**self._taken_back, LONGEST_SECONDS)
        # Not the address: a path like that is often a secret.
        log.warning(
            "another program has changed this bot's webhook, which is set again; stop the other one",
            extra={"times": self._taken_back, "host": _host(url)},
        )
        try:
            await self._set()
        except Failure as failed:
            log.warning("the webhook is not set again", extra={"detail": failed.detail})

    async def _info(self) -> WebhookInfo:
        async def ask(bot: Bot) -> WebhookInfo:
            return await bot.get_webhook_info()

        info = await self._calls.ask("getWebhookInfo", ask)
        self._heard = self._clock()
        return info

    async def _set(self) -> None:
        config = self._config

        async def ask(bot: Bot) -> bool:
            return await bot.set_webhook(
                config.webhook_url,
                secret_token=config.webhook_secret,
                allowed_updates=self._wanted,
                max_connections=config.webhook_connections,
                drop_pending_updates=False,
            )

        await self._calls.ask("setWebhook", ask)


def told(text: str, url: str) -> str:
    """What Telegram says of a post, without tokens and without the address, of which a part may be a secret."""
    for part in (url, URL(url).raw_path_qs):
        if len(part) > 1:
            text = text.replace(part, HIDDEN)
    return hide(text)[:LONGEST]


def _host(url: str) -> str:
    try:
        return URL(url).host or "none"
    except ValueError:
        return "none"
