"""A backend whose SDK takes long to import: it is loaded in a thread while the platforms connect."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Protocol

from shared.backends import Answer, Backend, Counts, Estimates, Model, Models, Prompt, Usage
from shared.errors import Misconfigured, Unavailable
from shared.log import fault


class Able(Backend, Models, Counts, Estimates, Protocol):
    """A backend that can do all that a backend may."""


class Lazy:
    """Stands for a backend until it is there. `make` imports and builds it, in a thread, and not again once it has."""

    def __init__(self, name: str, make: Callable[[], Able]) -> None:
        self._name = name
        self._make = make
        self._loading: asyncio.Task[Able] | None = None

    @property
    def name(self) -> str:
        """The name of the backend behind."""
        return self._name

    async def load(self) -> Able:
        """The backend behind, once it is there; the first call begins to load it, and so does the first one after a failure.

        Raises `Misconfigured` if it cannot be loaded.
        """
        if self._loading is None or _failed(self._loading):
            self._loading = asyncio.create_task(self._load(), name=f"load {self._name}")
        return await asyncio.shield(self._loading)

    async def _load(self) -> Able:
        try:
            return await asyncio.to_thread(self._make)
        except Misconfigured:
            raise
        except Exception as error:
            # Whatever an import or a constructor of a library raises: nothing is known of it but that the installation,
            # the settings or the environment (proxies, certificates) make it. Its own text may hold a key.
            raise Misconfigured(
                f"The backend {self._name} cannot be loaded ({fault(error)}): install Threadline anew, and look at its settings."
            ) from None

    @asynccontextmanager
    async def answer(self, prompt: Prompt) -> AsyncGenerator[AsyncIterator[Answer]]:
        """As the backend behind, once it is there. Raises `Unavailable` if it cannot be loaded."""
        backend = await self._loaded()
        async with backend.answer(prompt) as answers:
            yield answers

    async def models(self) -> Sequence[Model]:
        """As the backend behind; none if it cannot be loaded."""
        try:
            backend = await self.load()
        except Misconfigured:
            return ()
        return await backend.models()

    async def model(self, name: str) -> Model:
        """As the backend behind. Raises `Unavailable` if it cannot be loaded."""
        return await (await self._loaded()).model(name)

    async def count(self, prompt: Prompt) -> int:
        """As the backend behind. Raises `Unavailable` if it cannot be loaded."""
        return await (await self._loaded()).count(prompt)

    def estimate(self, prompt: Prompt, text: str) -> Usage:
        """As the backend behind. Before it is there nothing has been asked of it in this run, and no price is known."""
        if self._loading is None or not self._loading.done() or _failed(self._loading):
            return Usage(prompt.model or "", estimated=True)
        return self._loading.result().estimate(prompt, text)

    async def _loaded(self) -> Able:
        try:
            return await self.load()
        except Misconfigured as failure:
            raise Unavailable(failure.detail) from None

    async def aclose(self) -> None:
        """Close what was loaded."""
        if self._loading is None:
            return
        await asyncio.wait([self._loading])
        if not _failed(self._loading):
            await self._loading.result().aclose()


def _failed(loading: asyncio.Task[Able]) -> bool:
    return loading.done() and (loading.cancelled() or loading.exception() is not None)
