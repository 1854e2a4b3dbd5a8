"""How the stand-in speaks: its plan of an answer, word by word, at a pleasant pace."""

import asyncio
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

from shared.backends import Answer, Delta, Finished, Model, Prompt, Retrying, Thinking, Usage
from shared.backends.demo.plan import Plan, plan_of
from shared.errors import UnknownModel

MODEL = "demo"
LONGEST = 30.0
"""A long text is given out in bigger pieces, so that it takes about this many seconds at most."""

_ONLY = Model(MODEL, "Stand-in", window=1_000_000, output=1_000_000)

_WORDS = re.compile(r"\s*\S{1,24}\s*")


class DemoBackend:
    """The stand-in. It keeps nothing between two answers: what it remembers is in the prompt's history."""

    def __init__(self, *, speed: float = 40.0, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        """`speed` is in deltas per second; 0 means at once, without any pause but the endless one of "silent"."""
        self._speed = speed
        self._sleep = sleep

    @property
    def name(self) -> str:
        """Its name in settings, store and log."""
        return "demo"

    @asynccontextmanager
    async def answer(self, prompt: Prompt) -> AsyncGenerator[AsyncGenerator[Answer]]:
        """Answer. The iteration raises the failure that was asked for; leaving the context ends the answer at once."""
        stream = self._stream(prompt)
        try:
            yield stream
        finally:
            await stream.aclose()

    async def models(self) -> Sequence[Model]:
        """The one that there is. Its limits are made up; nothing is held to them."""
        return [_ONLY]

    async def model(self, name: str) -> Model:
        """The one that there is. Raises `UnknownModel` for any other name."""
        if name.strip().lower() != MODEL:
            raise UnknownModel("the stand-in is no model but its own")
        return _ONLY

    async def aclose(self) -> None:
        """Nothing is held open."""

    async def _stream(self, prompt: Prompt) -> AsyncGenerator[Answer, None]:
        plan = plan_of(prompt)
        if plan.retry is not None:
            yield Retrying(plan.retry, "the stand-in was asked to")
            await self._pause(plan.retry)
        async for sign in self._think(plan):
            yield sign
        async for delta in self._speak(plan):
            yield delta
        if plan.failure is not None:
            raise plan.failure
        if plan.silent:
            await asyncio.Event().wait()
        yield Finished(
            text=plan.text,
            stop=plan.stop,
            usage=Usage(MODEL, input_tokens=_tokens_in(prompt), output_tokens=_tokens(plan.text)),
            blocks=[{"type": "text", "text": plan.text}] if plan.text else [],
            explanation=plan.explanation,
        )

    async def _think(self, plan: Plan) -> AsyncGenerator[Answer, None]:
        left = plan.think
        while left > 0:
            yield Thinking()
            await self._pause(min(1.0, left))
            left -= 1.0

    async def _speak(self, plan: Plan) -> AsyncGenerator[Answer, None]:
        pieces = deltas_of(plan.text, self._speed * LONGEST)
        gap = 0.0
        if pieces and self._speed > 0:
            gap = 1 / self._speed if plan.seconds is None else plan.seconds / len(pieces)
        for piece in pieces:
            await self._pause(gap)
            yield Delta(piece)

    async def _pause(self, seconds: float) -> None:
        await self._sleep(seconds if self._speed > 0 else 0.0)


def deltas_of(text: str, most: float) -> list[str]:
    """Cut a text into its words, or into groups of words when there would be more than `most` (0: no bound) pieces.

    Together the pieces are exactly the text. What has no spaces is cut every 24 characters.
    """
    words = _WORDS.findall(text)
    if not words:
        return [text] if text else []
    group = 1 if most <= 0 else max(1, -int(-len(words) // most))
    return ["".join(words[start : start + group]) for start in range(0, len(words), group)]


def _tokens(text: str) -> int:
    # A rule of thumb, for the figures only: English has about four characters to a token.
    return -(-len(text) // 4)


def _tokens_in(prompt: Prompt) -> int:
    said = sum(_tokens(line.text) for line in (*prompt.history, *prompt.ask))
    return said + _tokens(prompt.system or "")
