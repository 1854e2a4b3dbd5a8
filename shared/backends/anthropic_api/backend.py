"""The backend: the only file that imports the SDK.

Events are taken through `AsyncStream.raw_events`: the SDK's typed iteration passes over pings (_streaming.py), and
these are the only sign of life while a model thinks without showing it. All else about a request is the SDK's.
"""

import asyncio
import random
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager, suppress
from datetime import UTC, datetime
from itertools import count
from typing import Any, Protocol, cast

import anthropic
import httpx2
from anthropic import AsyncAnthropic, AsyncStream, DefaultAioHttpClient
from anthropic.types import MessageParam, RawMessageStreamEvent, TextBlockParam
from anthropic.types.output_config_param import OutputConfigParam

from shared.backends import Answer, Delta, Prompt, Retrying
from shared.errors import Misconfigured, RateLimited

from .config import AnthropicConfig
from .failures import Trouble
from .payload import messages_of, system_of
from .reader import Reader, StreamError

_ADDRESS = "https://api.anthropic.com"

Sleep = Callable[[float], Awaitable[object]]

# Seconds; doubles with each try. As anthropic 2.10.0, _constants.py, but with full jitter.
_FIRST_DELAY = 0.5
_LONGEST_DELAY = 8.0

# What may leave with a request. ANTHROPIC_CUSTOM_HEADERS would add to it, and could replace the key: the SDK reads it
# whatever it is given (_client.py). What cannot be kept out is ANTHROPIC_LOG, which the SDK reads on import.
_HEADERS = frozenset(
    {
        "accept",
        "accept-encoding",
        "anthropic-version",
        "authorization",
        "connection",
        "content-length",
        "content-type",
        "host",
        "user-agent",
    }
)
_OWN_PREFIX = "x-stainless-"

# Errors of a stream that has begun: they do not come as errors of the SDK. ValueError: bytes that are not UTF-8.
_BROKEN = (anthropic.APIConnectionError, httpx2.HTTPError, httpx2.StreamError, OSError, ValueError)


class AnthropicApi:
    """Asks Claude through the Messages API, with one client and its connections for the whole process."""

    def __init__(
        self,
        config: AnthropicConfig,
        *,
        sleep: Sleep = asyncio.sleep,
        uniform: Callable[[float, float], float] = random.uniform,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Check the key's form. Raises Misconfigured if it cannot be sent in a header."""
        key = config.api_key
        if not key or not key.isascii() or not key.isprintable() or " " in key:
            raise Misconfigured("ANTHROPIC_API_KEY is empty or has characters that no key has: copy it again.")
        self._config = config
        self._sleep = sleep
        self._uniform = uniform
        self._now = now
        self._client: AsyncAnthropic | None = None

    @property
    def name(self) -> str:
        """The name that settings, the store and the log know it by."""
        return "anthropic_api"

    def answer(self, prompt: Prompt) -> AbstractAsyncContextManager[AsyncIterator[Answer]]:
        """Ask. Leaving the context closes the HTTP stream at once, which stops the model.

        The iteration raises RateLimited, Unavailable and its kinds, or Refused and its kinds. There is no limit here
        for the whole answer, only for silence.
        """
        return self._answering(prompt)

    def open(self) -> None:
        """Make the client now and not with the first question, which then waits some 50 ms less. Any thread may."""
        self._connected()

    async def aclose(self) -> None:
        """Close every connection. May be called twice; a later question opens a new client."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    @asynccontextmanager
    async def _answering(self, prompt: Prompt) -> AsyncGenerator[AsyncIterator[Answer]]:
        async with aclosing(self._tries(prompt)) as answers:
            yield answers

    async def _tries(self, prompt: Prompt) -> AsyncGenerator[Answer]:
        """Try until the first word, or until a failure that would not pass."""
        for number in count():
            spoken = False
            try:
                async with aclosing(self._once(prompt)) as answers:
                    async for answer in answers:
                        spoken = spoken or isinstance(answer, Delta)
                        yield answer
                return
            except _TroubleError as raised:
                again = self._again(raised.trouble, number, spoken=spoken)
            yield again
            await self._sleep(again.after)

    def _again(self, trouble: Trouble, number: int, *, spoken: bool) -> Retrying:
        """Say when the next try is. Raises the failure if there is to be none."""
        hide, now = self._config.api_key, self._now()
        if spoken or not trouble.passing:
            raise trouble.failure(now, hide=hide) from None
        asked = trouble.retry_after(now)
        if asked is not None and asked > self._config.longest_wait:
            raise RateLimited(trouble.describe(hide=hide), asked) from None
        if number >= self._config.retries:
            raise trouble.failure(now, hide=hide) from None
        jitter = self._uniform(0.0, min(_LONGEST_DELAY, _FIRST_DELAY * 2**number))
        return Retrying(jitter if asked is None else asked + jitter, trouble.describe(hide=hide))

    async def _once(self, prompt: Prompt) -> AsyncGenerator[Answer]:
        """Make one request and yield what it brings. Raises _TroubleError."""
        reader = Reader(prompt.model or self._config.model)
        stream = await self._open(prompt)
        request_id = stream.response.headers.get("request-id")
        try:
            async with aclosing(cast("AsyncGenerator[_Event]", AsyncStream.raw_events(stream.response))) as events:
                async for event in events:
                    for answer in reader.read(event.event, event.data):
                        yield answer
        except StreamError as error:
            raise _TroubleError(_from_event(error.body, request_id)) from None
        except httpx2.ReadTimeout:
            raise _TroubleError(Trouble(None, message="no byte came", request_id=request_id, silent=True)) from None
        except _BROKEN as error:
            raise _TroubleError(Trouble(None, message=type(error).__name__, request_id=request_id, broken=True)) from None
        finally:
            with suppress(*_BROKEN):
                await stream.close()
        if not reader.finished:
            kind = stream.response.headers.get("content-type", "")
            foreign = not kind.startswith("text/event-stream")
            said = f"an answer of type {kind[:60]}" if foreign else "the stream ended before its end"
            raise _TroubleError(Trouble(None, message=said, request_id=request_id, broken=True, final=foreign))

    async def _open(self, prompt: Prompt) -> AsyncStream[RawMessageStreamEvent]:
        """Send the request and wait for the head of its answer. Raises _TroubleError."""
        effort = prompt.effort or self._config.effort
        system = system_of(prompt)
        try:
            return await self._connected().messages.create(
                model=prompt.model or self._config.model,
                max_tokens=self._config.max_tokens,
                messages=cast("Iterable[MessageParam]", messages_of(prompt)),
                system=cast("Iterable[TextBlockParam]", system) if system else anthropic.omit,
                output_config=cast("OutputConfigParam", {"effort": effort}) if effort else anthropic.omit,
                cache_control={"type": "ephemeral"},
                stream=True,
            )
        except anthropic.APIStatusError as error:
            raise _TroubleError(_from_status(error)) from None
        except anthropic.APITimeoutError as error:
            connected = not isinstance(error.__cause__, httpx2.ConnectTimeout | httpx2.PoolTimeout)
            message = "no byte came" if connected else "no connection came about"
            raise _TroubleError(Trouble(None, message=message, silent=connected)) from None
        except _BROKEN as error:
            message = type(error.__cause__ or error).__name__
            raise _TroubleError(Trouble(None, message=message)) from None

    def _connected(self) -> AsyncAnthropic:
        if self._client is None:
            config = self._config
            timeout = httpx2.Timeout(config.silence, connect=config.connect)
            self._client = AsyncAnthropic(
                api_key=config.api_key,
                base_url=config.base_url or _ADDRESS,
                timeout=timeout,
                # The SDK obeys any Retry-After, for hours, without a word (_base_client.py): we repeat ourselves.
                max_retries=0,
                open_telemetry=False,
                http_client=DefaultAioHttpClient(
                    timeout=timeout,
                    # A minute of idling spares the next message of a conversation the TLS handshake.
                    limits=httpx2.Limits(max_connections=config.connections, keepalive_expiry=60.0),
                    event_hooks={"request": [self._strip]},
                ),
            )
        return self._client

    async def _strip(self, request: httpx2.Request) -> None:
        """Take away every header that neither the SDK nor the configuration has put there."""
        for name in list(request.headers):
            if name not in _HEADERS and not name.startswith(_OWN_PREFIX):
                del request.headers[name]
        request.headers["authorization"] = f"Bearer {self._config.api_key}"


class _Event(Protocol):
    """What is used of the SDK's server-sent event, which has no public name."""

    event: str | None
    data: str


class _TroubleError(Exception):
    """Carries a Trouble to where it is decided what follows from it."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.message)
        self.trouble = trouble


def _from_status(error: anthropic.APIStatusError) -> Trouble:
    headers = {name.lower(): value for name, value in error.response.headers.items()}
    return Trouble(
        error.status_code,
        kind=error.type,
        code=error.error_code,
        message=error.api_message or "",
        request_id=error.request_id,
        headers=headers,
    )


def _from_event(body: dict[str, Any], request_id: str | None) -> Trouble:
    found: object = body.get("error")
    error = cast("dict[str, Any]", found) if isinstance(found, dict) else {}
    details: object = error.get("details")
    code = cast("dict[str, Any]", details).get("error_code") if isinstance(details, dict) else None
    return Trouble(
        200,
        kind=str(error["type"]) if "type" in error else None,
        code=str(code) if code else None,
        message=str(error.get("message", "")),
        request_id=request_id or body.get("request_id"),
    )
