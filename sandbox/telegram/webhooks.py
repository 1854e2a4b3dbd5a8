"""Posting updates to a webhook (core.telegram.org/bots/api, setWebhook; tdlib/telegram-bot-api, WebhookActor.cpp)."""

import asyncio
import contextlib

import aiohttp
from yarl import URL

from sandbox.telegram.errors import bad
from sandbox.telegram.model import Json, Update, Webhook
from sandbox.telegram.updates import Updates, update_json
from sandbox.telegram.world import Happening, World

PORTS = (443, 80, 88, 8443)


class Webhooks:
    """Posts each chat's updates in order, again and again until they are taken or too old, those of several chats at once.

    Methods named in the answers are not carried out.
    """

    def __init__(self, world: World, updates: Updates) -> None:
        self.attempts = 0
        self.failed = 0
        """How many attempts there were, and how many of them failed."""
        self.last_error: tuple[int, str] | None = None
        """Unix seconds and text."""
        self._world = world
        self._updates = updates
        self._queues: dict[int, asyncio.Task[None]] = {}
        self._free = asyncio.Semaphore(world.state.webhook.connections)
        self._session: aiohttp.ClientSession | None = None
        world.listeners.append(self._happened)

    def set(self, webhook: Webhook) -> None:
        """Take a new webhook, or none. Raises `ApiError` for an address that is not allowed."""
        if webhook.url:
            self._check(webhook.url)
        self._stop()
        self.last_error = None
        self._free = asyncio.Semaphore(webhook.connections)
        change: Json = {"op": "webhook", "url": webhook.url, "secret": webhook.secret, "connections": webhook.connections}
        self._world.commit(change)
        if webhook.url:
            self._updates.release(conflict=True)
        self.wake()

    def _check(self, url: str) -> None:
        try:
            parsed = URL(url)
        except ValueError as error:
            raise bad("invalid webhook URL specified") from error
        if parsed.scheme not in ("http", "https") or not parsed.host:
            raise bad("invalid webhook URL specified")
        if self._world.config.strict_webhooks and not self._world.config.local_mode:
            if parsed.scheme != "https":
                raise bad("bad webhook: An HTTPS URL must be provided for webhook")
            if parsed.port not in PORTS:
                raise bad("bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443")

    async def close(self) -> None:
        """Stop posting."""
        tasks = list(self._queues.values())
        self._stop()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _stop(self) -> None:
        for task in self._queues.values():
            task.cancel()
        self._queues.clear()

    def _happened(self, happening: Happening) -> None:
        if happening.op == "update":
            self.wake()

    def wake(self) -> None:
        """Begin to post what waits."""
        if self._world.state.webhook.url:
            for update in self._updates.pending():
                if update.queue not in self._queues:
                    self._queues[update.queue] = asyncio.create_task(self._empty(update.queue))

    async def _empty(self, queue: int) -> None:
        failures = 0
        while (update := next((each for each in self._updates.pending() if each.queue == queue), None)) is not None:
            problem, asked = await self._post(update)
            if problem is None:
                failures = 0
                self._updates.forget([update.id])
                continue
            self.failed += 1
            self.last_error = (int(self._world.now()), problem)
            self._world.changes.notify()
            await asyncio.sleep(asked or self._wait(failures))
            failures += 1
        del self._queues[queue]
        self._world.changes.notify()

    def _wait(self, failures: int) -> float:
        config = self._world.config
        return 0.0 if failures == 0 else min(config.webhook_longest, config.webhook_delay * 2**failures)

    async def _post(self, update: Update) -> tuple[str | None, float]:
        """The problem, or None, and the seconds of the answer's Retry-After."""
        webhook = self._world.state.webhook
        if self._session is None:
            self._session = aiohttp.ClientSession()
        headers = {"X-Telegram-Bot-Api-Secret-Token": webhook.secret} if webhook.secret else {}
        limit = aiohttp.ClientTimeout(total=self._world.config.webhook_timeout)
        async with self._free:
            self.attempts += 1
            self._updates.leaves(update, "webhook")
            try:
                async with self._session.post(
                    webhook.url, json=update_json(update), headers=headers, timeout=limit, allow_redirects=False
                ) as response:
                    if 200 <= response.status <= 299:
                        return None, 0.0
                    asked = 0.0
                    with contextlib.suppress(ValueError):
                        asked = min(3600.0, max(0.0, float(response.headers.get("Retry-After", "0"))))
                    return f"Wrong response from the webhook: {response.status} {response.reason}", asked
            except TimeoutError:
                return "Read timeout expired", 0.0
            except aiohttp.ClientConnectorError:
                return "Connection refused", 0.0
            except aiohttp.ClientError:
                return "Webhook connection closed", 0.0
