"""A backend whose SDK takes long to import: it is loaded in a thread while the platforms connect."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager

from shared.backends import Answer, Backend, Prompt


class Lazy:
    """Stands for a backend until it is there. `make` imports and builds it; it runs once, in a thread."""

    def __init__(self, name: str, make: Callable[[], Backend]) -> None:
        self._name = name
        self._make = make
        self._loading: asyncio.Task[Backend] | None = None

    @property
    def name(self) -> str:
        """The name of the backend behind."""
        return self._name

    async def load(self) -> Backend:
        """The backend behind, once it is there; the first call begins to load it."""
        if self._loading is None:
            self._loading = asyncio.create_task(asyncio.to_thread(self._make), name=f"load {self._name}")
        return await asyncio.shield(self._loading)

    @asynccontextmanager
    async def answer(self, prompt: Prompt) -> AsyncGenerator[AsyncIterator[Answer]]:
        """As the backend behind, once it is there."""
        async with (await self.load()).answer(prompt) as answers:
            yield answers

    async def aclose(self) -> None:
        """Close what was loaded."""
        if self._loading:
            await (await self.load()).aclose()
