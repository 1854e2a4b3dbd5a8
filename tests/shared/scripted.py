"""A backend that says what a test tells it to."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager

from shared.backends import Answer, Delta, Finished, Model, Prompt, Usage
from shared.errors import Failure, UnknownModel

USAGE = Usage("model-1", input_tokens=3, output_tokens=2)
Act = str | Answer | Failure | asyncio.Event
"""A piece of text, any other answer, a failure to raise, or something to wait for."""


class Scripted:
    """Each answer takes the next script; without one it repeats what was asked. A script without an end of its own ends well."""

    name = "scripted"

    def __init__(self, *scripts: Sequence[Act]) -> None:
        self.scripts = deque(scripts)
        self.prompts: list[Prompt] = []
        self.open = 0
        self.most = 0
        self.closed = 0
        self.asked = asyncio.Condition()

    @asynccontextmanager
    async def answer(self, prompt: Prompt) -> AsyncGenerator[AsyncGenerator[Answer]]:
        self.open += 1
        self.most = max(self.most, self.open)
        script = self.scripts.popleft() if self.scripts else [f"re {prompt.ask[-1].text}"]
        self.prompts.append(prompt)
        stream = _stream(script)
        async with self.asked:
            self.asked.notify_all()
        try:
            yield stream
        finally:
            self.open -= 1
            await stream.aclose()
            async with self.asked:
                self.asked.notify_all()

    async def aclose(self) -> None:
        self.closed += 1

    async def until(self, reached: Callable[[], bool]) -> None:
        """Wait until something holds that an answer's begin or end can bring about."""
        async with asyncio.timeout(1000), self.asked:
            await self.asked.wait_for(reached)

    async def was_asked(self, count: int) -> None:
        await self.until(lambda: len(self.prompts) >= count)


MODEL = Model("model-1", "Model 1", window=100_000, output=10_000)


class Knowing(Scripted):
    """Knows its one model, counts prompts, and guesses what a broken attempt has cost: a dollar a token, a token a character."""

    def __init__(self, *scripts: Sequence[Act], known: Model = MODEL, size: int | Failure = 0) -> None:
        super().__init__(*scripts)
        self.known = known
        self.size = size
        self.counted: list[Prompt] = []

    async def models(self) -> Sequence[Model]:
        return [self.known]

    async def model(self, name: str) -> Model:
        if name != self.known.id:
            raise UnknownModel(name)
        return self.known

    async def count(self, prompt: Prompt) -> int:
        self.counted.append(prompt)
        if isinstance(self.size, Failure):
            raise self.size
        return self.size

    def estimate(self, prompt: Prompt, text: str) -> Usage:
        taken = sum(len(said.text) for said in prompt.ask)
        return Usage("model-1", taken, len(text), cost=(taken + len(text)) * 1_000_000, estimated=True)


async def _stream(script: Sequence[Act]) -> AsyncGenerator[Answer]:
    text = ""
    for act in script:
        match act:
            case str():
                text += act
                yield Delta(act)
            case asyncio.Event():
                await act.wait()
            case Failure():
                raise act
            case Finished():
                yield act
                return
            case _:
                yield act
    yield Finished(text, "end", USAGE, [{"type": "text", "text": text}])
