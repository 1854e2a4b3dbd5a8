"""Answers: asking for one, reading its stream, stopping it when its reader leaves."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, suppress
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from . import payload
from .api import WebApi
from .constants import DEFAULT_MODEL, TOOLS
from .errors import ClaudeWebAPIError, NetworkError, ProtocolError
from .locks import ConversationLocks, Hold
from .log import LOGGER
from .models import ModelOutput, TurnIds, uuid_of
from .payload import Place, TextAttachment
from .reader import Reader
from .sse import EventParser
from .transport import Transport
from .watch import Watch

# Seconds to wait for the end of a stream whose answer is whole: a connection read to its end can be used again.
_DRAIN = 1.0

_COMPLETION = "completion"
_RETRY = "retry_completion"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One question. `create`: the call creates the conversation too, and `parent` is of no account.

    `parent`: the uuid of the answer that the question follows, None for a conversation's first; branching is to name an
    earlier one. `again`: the uuid of a question that is to be answered once more, in place of a new `prompt`.
    `files` are uuids of uploaded files.
    """

    conversation_id: str
    prompt: str
    parent: str | None = None
    create: bool = False
    again: str | None = None
    ids: TurnIds = field(default_factory=TurnIds.new)
    model: str = DEFAULT_MODEL
    system_prompt: str | None = None
    files: Sequence[str] = ()
    attachments: Sequence[TextAttachment] = ()


class Completions:
    """Streams answers, one at a time per conversation."""

    def __init__(
        self,
        transport: Transport,
        api: WebApi,
        *,
        place: Place | None = None,
        tools: Sequence[Mapping[str, Any]] = TOOLS,
        grace: float = 5.0,
    ) -> None:
        """`grace`: seconds, see `ConversationLocks`."""
        self._transport = transport
        self._api = api
        self._place = place or Place()
        self._tools = tools
        self._locks = ConversationLocks(grace)
        self._stopping: set[asyncio.Task[None]] = set()

    def hold(self, conversation_id: str) -> AbstractAsyncContextManager[Hold]:
        """Hold a conversation, so that no other answer of it is asked for."""
        return self._locks.hold(uuid_of(conversation_id))

    async def stream(self, ask: Ask, hold: Hold) -> AsyncGenerator[ModelOutput]:
        """Ask, and give the answer's states; the last one is whole. The conversation must be held.

        Whoever leaves before the end stops the answer at claude.ai; the conversation stays held until that is done.
        """
        path = await self._api.path(ask.conversation_id, _RETRY if ask.again else _COMPLETION)
        reader = Reader(ask.conversation_id, ask.ids, now=self._transport.now)
        try:
            async with aclosing(self._states(path, ask, reader)) as states:
                async for state in states:
                    yield state
        except (GeneratorExit, asyncio.CancelledError, TimeoutError):
            if not reader.finished and self._transport.opened:
                hold.until(self._stop_behind(ask.conversation_id))
            raise

    async def close(self) -> None:
        """Wait for the stops that are under way."""
        while self._stopping:
            await asyncio.gather(*self._stopping)

    async def _states(self, path: str, ask: Ask, reader: Reader) -> AsyncGenerator[ModelOutput]:
        timeouts = self._transport.timeouts
        watch = Watch(timeouts.silence, timeouts.answer)
        async with self._transport.request(
            "POST", path, timeout=timeouts.of(None), body=self._body(ask), accept="text/event-stream", watch=watch
        ) as response:
            kind = response.content_type
            if kind != "text/event-stream":
                raise ProtocolError(f"an answer of type {kind[:60]} in place of a stream", status_code=response.status)
            parser = EventParser()
            async for piece in response.content.iter_any():
                watch.waiting = False
                for event in parser.feed(piece):
                    for state in reader.read(event):
                        yield state
                if reader.finished:
                    break
                watch.waiting = True
            yield reader.end()
            await _drain(response)

    def _body(self, ask: Ask) -> dict[str, Any]:
        return payload.completion(
            ask.prompt,
            model=str(ask.model),
            ids=ask.ids,
            parent=ask.again or ask.parent,
            create=ask.create,
            again=ask.again is not None,
            system_prompt=ask.system_prompt,
            files=ask.files,
            attachments=ask.attachments,
            tools=self._tools,
            place=self._place,
        )

    def _stop_behind(self, conversation_id: str) -> asyncio.Task[None]:
        task = asyncio.create_task(self._stop(conversation_id))
        self._stopping.add(task)
        task.add_done_callback(self._stopping.discard)
        return task

    async def _stop(self, conversation_id: str) -> None:
        try:
            await self._api.stop(conversation_id)
        except ClaudeWebAPIError as error:
            LOGGER.debug("an answer could not be stopped: %s", error)


async def _drain(response: aiohttp.ClientResponse) -> None:
    with suppress(aiohttp.ClientError, NetworkError, TimeoutError):
        async with asyncio.timeout(_DRAIN):
            async for _ in response.content.iter_any():
                pass
