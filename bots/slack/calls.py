"""Calls to Slack's Web API: repeated where that helps, and with no exception of the library's getting out."""

import asyncio
import json
import logging
import random
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, cast

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bots.slack.config import SlackConfig
from bots.slack.failures import AUTH, broken, refusal
from bots.slack.limits import WAIT_SECONDS, Limits
from bots.slack.quiet import quiet
from shared.errors import Failure, Unavailable

log = logging.getLogger(__name__)

Json = dict[str, Any]

REPEATS = 3
"""How often a call is repeated after the first try."""


class Web:
    """The Web API with one token. What is called through it can be repeated without harm, where nothing else is said."""

    def __init__(self, config: SlackConfig, session: aiohttp.ClientSession, limits: Limits) -> None:
        self.session = session
        self.revoked = asyncio.Event()
        """Set when Slack has refused the bot's token, and that has to be looked into."""
        self._config = config
        self.limits = limits
        client: Any = AsyncWebClient(
            token=config.bot_token,
            # No retries of the library's own: after a lost connection it would post a second time (slack_sdk, http_retry).
            retry_handlers=[],
            session=session,
            logger=quiet(),
        )
        if config.api_url:
            client.base_url = config.api_url.rstrip("/") + "/"
            client.proxy = None  # what stands in for Slack is near; the library would take a proxy from the environment
        self.client = client
        """The library's client. Its annotations are incomplete, so strict checking has no use of them."""

    async def read(self, method: str, **params: Any) -> Json:
        """Call a method that changes nothing. None is left out."""
        given = {name: value for name, value in params.items() if value is not None}
        return await self._tried(method, {"http_verb": "GET", "params": given}, REPEATS, given.get("channel"))

    async def write(self, method: str, *, repeats: int = REPEATS, **body: Any) -> Json:
        """Call a method that changes something; `repeats` is 0 for what cannot be repeated without harm. None is left out."""
        given = {name: value for name, value in body.items() if value is not None}
        return await self._tried(method, {"json": given}, repeats, given.get("channel"))

    async def form(self, method: str, *, repeats: int = REPEATS, **body: Any) -> Json:
        """As `write`, for methods that take no JSON (docs.slack.dev, Web API: POST bodies)."""
        given = {name: each if isinstance(each, str) else json.dumps(each) for name, each in body.items() if each is not None}
        return await self._tried(method, {"data": given}, repeats, given.get("channel_id"))

    async def socket_url(self) -> str:
        """The address of a new Socket Mode connection. Raises as `read`."""

        async def ask() -> Any:
            return await self.client.apps_connections_open(app_token=self._config.app_token)

        answer = await self._once("apps.connections.open", ask, None, other=True)
        return told(answer.data, "url")

    async def whoami(self) -> tuple[Json, frozenset[str] | None]:
        """auth.test, and the scopes of the token; None where Slack does not name them. Raises as `read`."""
        answer = await self._once("auth.test", lambda: self.client.auth_test(), None)
        given = answer.headers.get("x-oauth-scopes") or answer.headers.get("X-OAuth-Scopes")
        held = None if given is None else frozenset(each.strip() for each in str(given).split(",") if each.strip())
        return dict(answer.data), held

    async def _tried(self, method: str, request: Json, repeats: int, channel: object) -> Json:
        where = channel if isinstance(channel, str) else None
        for tries in range(repeats + 1):
            try:
                answer = await self._once(method, lambda: self.client.api_call(method, **request), where)
            except Unavailable:
                if tries == repeats:
                    raise
            else:
                return cast("Json", answer.data)
            await asyncio.sleep(self._config.retry_wait * 2**tries * random.uniform(0.5, 1.5))  # noqa: S311 - jitter
        raise AssertionError("unreachable: the last try returns or raises")

    async def _once(self, method: str, ask: Callable[[], Awaitable[Any]], channel: str | None, *, other: bool = False) -> Any:
        try:
            answer = await ask()
            if isinstance(answer.data, dict):
                return answer
            failed: Failure = Unavailable(f"Slack: {method}: no JSON object")
        except Exception as error:
            # The library reads answers without checking them: a page of a proxy's ends in any exception. None may get out.
            failed = self._failure(method, error, channel, other=other)
        # Not in the handler above: the exception, which holds the whole answer, would come along as the context.
        raise failed

    def _failure(self, method: str, error: Exception, channel: str | None, *, other: bool = False) -> Failure:
        """The failure that an exception of the library's means."""
        if not isinstance(error, SlackApiError):
            return broken(method, error)
        answer: Any = cast("Any", error).response
        status = int(getattr(answer, "status_code", 0) or getattr(answer, "status", 0) or 0)
        headers = cast("Mapping[str, str]", getattr(answer, "headers", None) or {})
        data: Any = getattr(answer, "data", None)
        code = str(cast("Json", data).get("error") or "") if isinstance(data, dict) else ""
        detail = f"Slack: {method}: {code or status}"
        needed = cast("Json", data).get("needed") if isinstance(data, dict) else None
        if needed:
            detail += f" (needs the scope {needed})"
        if status == 429:
            code = "ratelimited"
        elif status >= 500 or not code:
            return Unavailable(detail)
        wait = wait_of(headers)
        if code in ("ratelimited", "rate_limited"):
            self.limits.block(method, channel, wait)
        if code in AUTH and not other:
            self.revoked.set()
        return refusal(code, detail, wait)


def told(answer: Json, name: str) -> str:
    """What an answer has to name. Raises `Unavailable` where it does not: then it is not known what became of the call."""
    given: object = answer.get(name)
    if not isinstance(given, str) or not given:
        raise Unavailable(f"Slack: an answer without {name}")
    return given


def wait_of(headers: Mapping[str, str]) -> float:
    """How many seconds a 429 asks to wait (docs.slack.dev, Rate limits: Retry-After)."""
    try:
        wait = float(headers.get("Retry-After") or headers.get("retry-after") or 0)
    except ValueError:
        wait = 0.0
    return wait if 0 < wait < float("inf") else WAIT_SECONDS
