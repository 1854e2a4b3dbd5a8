"""The backend: one question, from the prompt to the end of its answer."""

import asyncio
import random
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from typing import Any, TypeVar

from shared.backends import Answer, Made, Model, Prompt, Retrying, Thinking, Usage
from shared.errors import Failure, Misconfigured, RateLimited
from shared.files.blobs import Blobs

from . import estimate, made
from .config import AnthropicConfig
from .failures import Trouble
from .models import Catalogue
from .payload import lines_of
from .prepare import Preparer
from .prices import Charge, Prices
from .question import Question
from .reader import Reader, StreamError
from .tally import Tally
from .wire import TroubleError, Wire, from_event

T = TypeVar("T")

Sleep = Callable[[float], Awaitable[object]]

PAUSES = 8
"""How often an answer that the API has paused is gone on with; then it is a pause for people, too, who can go on with it."""

# Seconds; doubles with each try. As anthropic 2.10.0, _constants.py, but with full jitter.
_FIRST_DELAY = 0.5
_LONGEST_DELAY = 8.0


class AnthropicApi:
    """Asks Claude through the Messages API, with one client and its connections for the whole process.

    It can also tell its models, count a prompt and estimate what an answer has cost (`Models`, `Counts`, `Estimates`).
    """

    def __init__(
        self,
        config: AnthropicConfig,
        blobs: Blobs,
        *,
        sleep: Sleep = asyncio.sleep,
        uniform: Callable[[float, float], float] = random.uniform,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Files that people sent are read from `blobs`, and files that the model makes are put there.

        Raises `Misconfigured` if the key cannot be sent in a header.
        """
        key = config.api_key
        if not key or not key.isascii() or not key.isprintable() or " " in key:
            raise Misconfigured("ANTHROPIC_API_KEY is empty or has characters that no key has: copy it again.")
        self._config = config
        self._blobs = blobs
        self._sleep = sleep
        self._uniform = uniform
        self._now = now
        self._wire = Wire(config)
        self._prices = Prices(config.prices)
        self._catalogue = Catalogue(self._list, self._one)
        self._preparer = Preparer(config, blobs, self._catalogue)

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

    async def models(self) -> Sequence[Model]:
        """All models that can be asked, the newest first. Never fails; the API's list is asked for some hours apart."""
        return await self._catalogue.models()

    async def model(self, name: str) -> Model:
        """The model of an id or an alias: opus, sonnet, haiku and fable are the newest of their family.

        Raises `UnknownModel`, and what asking the API for an id raises that no list shows.
        """
        return await self._catalogue.model(name)

    async def count(self, prompt: Prompt) -> int:
        """The tokens that the prompt takes in, as the API counts them. Raises as `answer` does; nothing is tried again."""
        question = await self._preparer.question(prompt)
        try:
            return await self._counted(question)
        except TroubleError as raised:
            if not (question.native and raised.trouble.refuses_history):
                raise self._failure(raised.trouble, question.options.model) from None
        self._preparer.refuse(prompt)
        question = await self._preparer.question(prompt)
        return await self._told(self._counted(question), question.options.model)

    def estimate(self, prompt: Prompt, text: str) -> Usage:
        """About what the prompt would have used up if it had been answered with this text. Pure.

        The prompt counts as if nothing of it had been in the API's cache: it may have cost less, hardly more.
        """
        name = prompt.model or self._config.model
        known = self._catalogue.find(name)
        model = known.model.id if known is not None else name
        charge = Charge(estimate.of_prompt(prompt, lines_of(prompt)), estimate.of_text(text))
        cost = self._prices.cost(model, [charge])
        return Usage(model, charge.input, charge.output, cost=cost, estimated=True)

    def open(self) -> None:
        """Make the client now and not with the first question, which then waits some 50 ms less. Any thread may."""
        self._wire.connect()

    async def aclose(self) -> None:
        """Close every connection. May be called twice; a later question opens a new client."""
        await self._catalogue.aclose()
        await self._wire.aclose()

    @asynccontextmanager
    async def _answering(self, prompt: Prompt) -> AsyncGenerator[AsyncIterator[Answer]]:
        async with aclosing(self._whole(prompt)) as answers:
            yield answers

    async def _whole(self, prompt: Prompt) -> AsyncGenerator[Answer]:
        """Ask until the answer is whole: again after a failure before the first word, and further after a pause."""
        question = await self._preparer.question(prompt)
        reader = Reader(Tally(question.options.model, self._prices, self._config.cache_ttl))
        tries, pauses = count(), 0
        while True:
            try:
                async with aclosing(self._once(question, reader)) as answers:
                    async for answer in answers:
                        yield answer
            except TroubleError as raised:
                trouble = raised.trouble
                if question.native and trouble.refuses_history and not (reader.spoken or reader.ever_spoken):
                    self._preparer.refuse(prompt)
                    question = await self._preparer.question(prompt)
                    again = Retrying(0.0, f"{self._described(trouble)}; asked again with earlier answers as plain text")
                else:
                    again = self._again(trouble, next(tries), question.options.model, spoken=reader.spoken)
            else:
                if not reader.paused or pauses == PAUSES or not reader.blocks.whole():
                    break
                pauses += 1
                reader.again()
                continue
            reader.again(failed=True)
            yield Thinking() if reader.ever_spoken else again
            if again.after:
                await self._sleep(again.after)
        async for answer in self._end(reader, question):
            yield answer

    async def _once(self, question: Question, reader: Reader) -> AsyncGenerator[Answer]:
        """Make one request and yield what it brings. Raises TroubleError."""
        so_far, container = reader.blocks.whole(), reader.container
        encode = question.encode
        body = await asyncio.to_thread(encode, so_far, container) if question.large else encode(so_far, container)
        async with self._wire.ask(body, question.betas) as stream:
            try:
                async for event in stream.events:
                    for answer in reader.read(event.event, event.data):
                        yield answer
            except StreamError as error:
                raise TroubleError(from_event(error.body, stream.request_id)) from None
        if not reader.finished:
            foreign = not stream.kind.startswith("text/event-stream")
            said = f"an answer of type {stream.kind[:60]}" if foreign else "the stream ended before its end"
            raise TroubleError(Trouble(None, message=said, request_id=stream.request_id, broken=True, final=foreign))

    async def _end(self, reader: Reader, question: Question) -> AsyncGenerator[Answer]:
        """What comes after the last word: files that were made, and the end."""
        model = question.options.model
        if reader.called:
            message = "the model called a tool that it was not given"
            raise self._failure(Trouble(None, message=message, broken=True, final=True), model)
        files: list[Made] = []
        lost: list[str] = []
        wanted = reader.made
        for file in wanted[: self._config.made_files]:
            yield Thinking()
            try:
                files.append(await made.fetch(self._wire, self._blobs, self._config, file))
            except made.NotFetched as missing:
                lost.append(missing.text)
        if text := made.told(lost, len(wanted) - self._config.made_files):
            for answer in reader.say(text):
                yield answer
        self._catalogue.refresh()
        for answer in reader.finish(files):
            yield answer

    def _again(self, trouble: Trouble, number: int, model: str, *, spoken: bool) -> Retrying:
        """Say when the next try is. Raises the failure if there is to be none."""
        if spoken or not trouble.passing:
            raise self._failure(trouble, model) from None
        asked = trouble.retry_after(self._now())
        if asked is not None and asked > self._config.longest_wait:
            raise RateLimited(self._described(trouble), asked) from None
        if number >= self._config.retries:
            raise self._failure(trouble, model) from None
        jitter = self._uniform(0.0, min(_LONGEST_DELAY, _FIRST_DELAY * 2**number))
        return Retrying(jitter if asked is None else asked + jitter, self._described(trouble))

    def _failure(self, trouble: Trouble, model: str) -> Failure:
        if trouble.status == 404 and model not in trouble.message:
            trouble = replace(trouble, message=f"{trouble.message} (model {model})")
        return trouble.failure(self._now(), hide=self._config.secrets)

    def _described(self, trouble: Trouble) -> str:
        return trouble.describe(hide=self._config.secrets)

    async def _counted(self, question: Question) -> int:
        encode = question.encode_for_count
        return await self._wire.count(await asyncio.to_thread(encode) if question.large else encode(), question.betas)

    async def _told(self, work: Awaitable[T], model: str) -> T:
        """Do it; its trouble is a failure of ours."""
        try:
            return await work
        except TroubleError as raised:
            raise self._failure(raised.trouble, model) from None

    async def _list(self) -> Sequence[Mapping[str, Any]]:
        return await self._told(self._wire.models(), "list")

    async def _one(self, name: str) -> Mapping[str, Any]:
        return await self._told(self._wire.model(name), name)
