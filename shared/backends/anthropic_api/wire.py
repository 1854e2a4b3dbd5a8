"""The SDK: the only file that imports it. Bytes of requests go in; events, counts, lists and files come out.

Requests are sent as bytes that were made elsewhere: the SDK's own way from parameters to bytes walks through every message of a
conversation on the event loop. All else about a request is the SDK's. Events are taken through `AsyncStream.raw_events`: the
SDK's typed iteration passes over pings (_streaming.py), and these are the only sign of life while a model thinks in secret.
"""

from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import aclosing, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Protocol, cast

import anthropic
import httpx2
from anthropic import AsyncAnthropic, AsyncStream, DefaultAioHttpClient
from anthropic.types import MessageTokensCount, RawMessageStreamEvent

from .config import AnthropicConfig
from .failures import Trouble
from .options import COMPACT_BETA, MCP_BETA

_ADDRESS = "https://api.anthropic.com"

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
_BETA = "anthropic-beta"
_BETAS = frozenset({COMPACT_BETA, MCP_BETA, f"{COMPACT_BETA},{MCP_BETA}"})

# Errors of a stream that has begun: they do not come as errors of the SDK. ValueError: bytes that are not UTF-8.
_BROKEN = (anthropic.APIConnectionError, httpx2.HTTPError, httpx2.StreamError, OSError, ValueError)

_PIECE = 512 * 1024
"""Bytes that are handed to a connection at once."""

_PAGE = 1_000
"""Models of one list (anthropic 2.10.0, types/model_list_params.py)."""


class TroubleError(Exception):
    """Carries a Trouble to where it is decided what follows from it."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.message)
        self.trouble = trouble


class Event(Protocol):
    """What is used of the SDK's server-sent event, which has no public name."""

    event: str | None
    data: str


@dataclass(frozen=True, slots=True)
class Stream:
    """An answer that has begun to come."""

    events: AsyncGenerator[Event]
    request_id: str | None
    kind: str
    """Its content type."""


@dataclass(frozen=True, slots=True)
class FileInfo:
    """A file at the API's side. `name` is hostile text."""

    name: str
    media_type: str
    size: int


class Wire:
    """One client and its connections. Opens by itself with the first request, and again after it was closed."""

    def __init__(self, config: AnthropicConfig) -> None:
        self._config = config
        self._client: AsyncAnthropic | None = None

    @property
    def is_open(self) -> bool:
        """Whether there is a client."""
        return self._client is not None

    def connect(self) -> AsyncAnthropic:
        """The client. Making it takes some 50 ms; any thread may."""
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
                    # Idle connections spare the next message of a conversation the TLS handshake.
                    limits=httpx2.Limits(max_connections=config.connections, keepalive_expiry=config.connection_idle),
                    event_hooks={"request": [self._strip]},
                ),
            )
        return self._client

    @asynccontextmanager
    async def ask(self, body: bytes, betas: Sequence[str]) -> AsyncGenerator[Stream]:
        """Send a request and wait for the head of its answer. Leaving closes the stream at once.

        Raises `TroubleError`, also for what reading the events raises.
        """
        with _troubles():
            stream: AsyncStream[RawMessageStreamEvent] = await self.connect().post(
                _path("/v1/messages", betas),
                cast_to=cast("type[RawMessageStreamEvent]", object),
                **_sent(body, betas),
                stream=True,
                stream_cls=AsyncStream[RawMessageStreamEvent],
            )
        response = stream.response
        request_id = response.headers.get("request-id")
        try:
            async with aclosing(cast("AsyncGenerator[Event]", AsyncStream.raw_events(response))) as events:
                yield Stream(events, request_id, response.headers.get("content-type", ""))
        except httpx2.ReadTimeout:
            raise TroubleError(Trouble(None, message="no byte came", request_id=request_id, silent=True)) from None
        except _BROKEN as error:
            raise TroubleError(Trouble(None, message=type(error).__name__, request_id=request_id, broken=True)) from None
        finally:
            with suppress(*_BROKEN):
                await stream.close()

    async def count(self, body: bytes, betas: Sequence[str]) -> int:
        """The tokens of a request. Raises `TroubleError`."""
        with _troubles():
            found = await self.connect().post(
                _path("/v1/messages/count_tokens", betas), cast_to=MessageTokensCount, **_sent(body, betas)
            )
        return found.input_tokens

    async def models(self) -> Sequence[dict[str, Any]]:
        """Every model that may be asked, as the API describes it. Raises `TroubleError`."""
        with _troubles():
            return [info.model_dump(mode="json") async for info in self.connect().models.list(limit=_PAGE)]

    async def model(self, name: str) -> dict[str, Any]:
        """One model, by any of its names. Raises `TroubleError`."""
        with _troubles():
            return (await self.connect().models.retrieve(name)).model_dump(mode="json")

    async def file(self, file: str) -> FileInfo:
        """What is known of a file. Raises `TroubleError`."""
        with _troubles():
            found = await self.connect().files.retrieve_metadata(file)
        return FileInfo(found.filename, found.mime_type, found.size_bytes)

    async def content(self, file: str) -> AsyncGenerator[bytes]:
        """The bytes of a file as they come. Raises `TroubleError`."""
        with _troubles():
            async with self.connect().files.with_streaming_response.download(file) as response:
                async for piece in response.iter_bytes():
                    yield piece

    async def aclose(self) -> None:
        """Close every connection. May be called twice."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    async def _strip(self, request: httpx2.Request) -> None:
        """Take away every header that neither the SDK nor the configuration has put there."""
        for name in list(request.headers):
            ours = name in _HEADERS or name.startswith(_OWN_PREFIX) or (name == _BETA and request.headers[name] in _BETAS)
            if not ours:
                del request.headers[name]
        request.headers["authorization"] = f"Bearer {self._config.api_key}"


def from_event(body: dict[str, Any], request_id: str | None) -> Trouble:
    """What an error event within a stream says."""
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


def _path(path: str, betas: Sequence[str]) -> str:
    # As resources/beta/messages/messages.py does.
    return f"{path}?beta=true" if betas else path


def _sent(body: bytes, betas: Sequence[str]) -> dict[str, Any]:
    """The body and the headers of a request. A large body goes in pieces: aiohttp would hold up everybody else for it."""
    headers = {_BETA: ",".join(betas)} if betas else dict[str, str]()
    if len(body) <= _PIECE:
        return {"content": body, "options": {"headers": headers}}
    return {"content": _pieces(body), "options": {"headers": {**headers, "content-length": str(len(body))}}}


async def _pieces(body: bytes) -> AsyncGenerator[bytes]:
    for start in range(0, len(body), _PIECE):
        yield body[start : start + _PIECE]


@contextmanager
def _troubles() -> Generator[None]:
    """Errors of the SDK as troubles of ours, of a request that has not begun to be answered."""
    try:
        yield
    except anthropic.APIStatusError as error:
        raise TroubleError(_from_status(error)) from None
    except anthropic.APITimeoutError as error:
        connected = not isinstance(error.__cause__, httpx2.ConnectTimeout | httpx2.PoolTimeout)
        message = "no byte came" if connected else "no connection came about"
        raise TroubleError(Trouble(None, message=message, silent=connected)) from None
    except anthropic.APIError as error:
        raise TroubleError(Trouble(None, message=type(error.__cause__ or error).__name__)) from None
    except _BROKEN as error:
        raise TroubleError(Trouble(None, message=type(error.__cause__ or error).__name__)) from None


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
