"""What is read, on a connection of its own that cannot write."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.errors import StoreUnusable

T = TypeVar("T")


class Reader:
    """Runs functions that read in the order in which they came, each in a transaction of its own: it sees one state of the file.

    One connection is enough: what a read takes is nearly all spent on the event loop, and two were not faster.
    A read goes on to its end when its caller is cancelled. Cancelled inside a statement, it would leave a connection with that
    statement still under way, to be thrown away together with its thread.
    """

    def __init__(self, engine: AsyncEngine, explain: Callable[[DBAPIError], StoreUnusable]) -> None:
        """`explain` turns what the database says into a sentence. Nothing is opened before the first read."""
        self._engine = engine
        self._explain = explain
        self._reads: set[asyncio.Task[object]] = set()
        self._order = asyncio.Lock()  # the pool may let a read in before one that waits for the connection
        self._ending: asyncio.Task[None] | None = None

    async def run(self, work: Callable[[Connection], T]) -> T:
        """What the function returns. Raises what it raises, and `StoreUnusable` if the database refuses."""
        if self._ending:
            raise RuntimeError("the store is closed")
        read = asyncio.create_task(self._read(work), name="store read")
        self._reads.add(read)
        read.add_done_callback(self._reads.discard)
        return await asyncio.shield(read)

    async def aclose(self) -> None:
        """Let the reads that were begun end, then close the connections. May be called twice."""
        self._ending = self._ending or asyncio.create_task(self._end(), name="store reader ends")
        await asyncio.shield(self._ending)

    async def _read(self, work: Callable[[Connection], T]) -> T:
        try:
            async with self._order, self._engine.connect() as connection:
                return await connection.run_sync(work)
        except DBAPIError as error:
            raise self._explain(error) from error

    async def _end(self) -> None:
        if self._reads:
            await asyncio.wait(self._reads)
        await self._engine.dispose()
