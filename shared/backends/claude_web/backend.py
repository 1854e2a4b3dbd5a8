"""The backend: one account of claude.ai, its conversations as caches of our transcript."""

import asyncio
import random
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import structlog

from shared.backends import Answer, Model, Prompt, Usage
from shared.claude_web import (
    AuthenticationError,
    Breaker,
    ClaudeClient,
    ClaudeWebAPIError,
    ConversationBusyError,
    MessageLimit,
    Timeouts,
)
from shared.claude_web.locks import ConversationLocks
from shared.claude_web.models import uuid_of
from shared.errors import Misconfigured, Unavailable
from shared.files.blobs import Blobs

from . import estimate, models
from .asking import Question
from .config import ClaudeWebConfig

log = structlog.get_logger(__name__)

Sleep = Callable[[float], Awaitable[object]]

NOTE = (
    "BACKEND is claude_web: it asks claude.ai through its web API. That is unofficial, may stop working on any day, and is "
    "against Anthropic's consumer terms when it is automated. Use your own account only, at your own risk."
)

NEARLY = 0.9
"""Share of the account's message limit from which on the operator is warned."""

# The tools of the web app whose results are text or files; those that need its page are left out.
_SEARCH: Mapping[str, Any] = {"name": "web_search", "type": "web_search_v0"}
_CODE: Mapping[str, Any] = {"name": "repl", "type": "repl_v0"}


class ClaudeWeb:
    """Asks Claude as the page at claude.ai does. Off unless the operator has chosen it: see `NOTE`, which goes into the log.

    It can also tell its models and estimate what an answer has used up (`Models`, `Estimates`). The effort is passed over.
    """

    def __init__(
        self,
        config: ClaudeWebConfig,
        blobs: Blobs,
        *,
        sleep: Sleep = asyncio.sleep,
        uniform: Callable[[float, float], float] = random.uniform,
        breaker: Breaker | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Files that people sent are read from `blobs`, and files that the model makes are put there. Nothing is sent yet.

        Raises `Misconfigured` for a key that no cookie can carry, and for a wrong organisation or address.
        """
        self._config = config
        self._blobs = blobs
        self._sleep = sleep
        self._uniform = uniform
        self._client = _client(config, breaker, now)
        self._opening = asyncio.Lock()
        self._opened = False
        self._locks = ConversationLocks()
        self._limit = ""
        log.warning(NOTE)

    @property
    def name(self) -> str:
        """The name that settings, the store and the log know it by."""
        return "claude_web"

    def answer(self, prompt: Prompt) -> AbstractAsyncContextManager[AsyncIterator[Answer]]:
        """Ask. Leaving the context closes the stream and stops the answer at claude.ai.

        Questions of one conversation are asked one after the other. The iteration raises RateLimited, Unavailable and its
        kinds, or Refused and its kinds. There is no limit here for the whole answer, only for silence.
        """
        return self._answering(prompt)

    async def models(self) -> Sequence[Model]:
        """The models known by name, the one that is set first. Never fails."""
        return models.known(self._config.model)

    async def model(self, name: str) -> Model:
        """The model of an id, or of opus, sonnet, haiku. Raises `UnknownModel` for what is no id of a model."""
        return models.find(name)

    def estimate(self, prompt: Prompt, text: str) -> Usage:
        """About what the prompt would have used up if it had been answered with this text. Pure."""
        return estimate.usage(models.named(prompt.model or self._config.model), prompt, text)

    async def aclose(self) -> None:
        """Let stops that are under way end, and close every connection. May be called twice; a later question opens anew."""
        self._opened = False
        await self._client.close()

    @asynccontextmanager
    async def _answering(self, prompt: Prompt) -> AsyncGenerator[AsyncIterator[Answer]]:
        async with aclosing(self._whole(prompt)) as answers:
            yield answers

    async def _whole(self, prompt: Prompt) -> AsyncGenerator[Answer]:
        """Ask until the answer is whole: again after a failure before the first word."""
        try:
            async with self._locks.hold(str(prompt.conversation)):
                question = self._question(prompt)
                async with aclosing(self._tried(question)) as answers:
                    async for answer in answers:
                        yield answer
        except ConversationBusyError as error:
            raise Unavailable(f"claude_web: {error}") from None

    async def _tried(self, question: Question) -> AsyncGenerator[Answer]:
        while True:
            try:
                await self._open()
                async with aclosing(question.once()) as answers:
                    async for answer in answers:
                        yield answer
            except ClaudeWebAPIError as error:
                again = question.again(error)
            else:
                return
            if again is not None:
                yield again
                await self._sleep(again.after)

    def _question(self, prompt: Prompt) -> Question:
        return Question(prompt, self._client, self._blobs, self._config, uniform=self._uniform, told=self._told)

    async def _open(self) -> None:
        if self._opened:
            return
        async with self._opening:
            if not self._opened:
                idle = self._config.idle
                await self._client.init(auto_close=idle > 0, close_delay=idle or 1.0)
                self._opened = True

    def _told(self, limit: MessageLimit) -> None:
        """Tell the operator when the account's message limit comes near, once each time."""
        near = limit.over or limit.kind == "approaching_limit" or (limit.utilization or 0.0) >= NEARLY
        state = limit.kind if near else ""
        if near and state != self._limit:
            log.warning("the account's message limit at claude.ai is nearly used up", limit=limit.kind, share=limit.utilization)
        self._limit = state


def _client(config: ClaudeWebConfig, breaker: Breaker | None, now: Callable[[], datetime]) -> ClaudeClient:
    """The client for these settings. Raises `Misconfigured`, which holds no setting's value."""
    try:
        organization = uuid_of(config.organization) if config.organization else None
    except ValueError:
        raise Misconfigured("CLAUDE_WEB_ORGANIZATION is not a uuid: copy it again, or leave it empty.") from None
    tools = [tool for tool, wanted in ((_SEARCH, config.web_search), (_CODE, config.code_execution)) if wanted]
    try:
        return ClaudeClient(
            config.session_key,
            organization,
            proxy=config.proxy or None,
            base_url=config.base_url,
            timeouts=Timeouts(connect=config.connect, call=config.call, transfer=config.transfer, silence=config.silence),
            tools=tools,
            breaker=breaker,
            now=now,
        )
    except AuthenticationError:
        raise Misconfigured(
            "CLAUDE_WEB_SESSION_KEY is empty or has characters that no cookie has: copy the cookie sessionKey again."
        ) from None
    except ValueError as error:
        # The client's own words quote no value; a library's may, and a proxy's address may hold a password.
        said = str(error)
        what = f" ({said})" if said.startswith(("base_url", "proxy")) else ""
        raise Misconfigured(
            f"CLAUDE_WEB_BASE_URL or CLAUDE_WEB_PROXY is not right{what}: correct it or leave it empty."
        ) from None
