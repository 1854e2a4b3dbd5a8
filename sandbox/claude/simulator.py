"""What a test asks of a simulator that answers by scripts."""

import os
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from sandbox.calls import Call
from sandbox.claude.logbook import Logbook
from sandbox.claude.rules import Rules, S
from sandbox.serving import Site

T = TypeVar("T")


class Scripted(ABC, Generic[S]):
    """Where a simulator is, its default script, and waiting for its calls."""

    def __init__(self, site: Site, book: Logbook, rules: Rules[S, Any]) -> None:
        self._site = site
        self._book = book
        self._rules = rules

    @property
    def url(self) -> str:
        """The base URL for a client."""
        return self._site.url

    @property
    def control_url(self) -> str:
        """The base URL of the control API."""
        return f"{self.url}/control"

    def addresses(self) -> dict[str, str | int]:
        """What the simulator's process prints when it is ready."""
        return {"url": self.url, "control": self.control_url, "pid": os.getpid()}

    @property
    def default(self) -> S:
        """The script for requests that no rule matches."""
        return self._rules.default

    @default.setter
    def default(self, script: S) -> None:
        self._rules.default = script

    def clear(self) -> None:
        """Forget every rule and every fault; the default script and the service's own state stay."""
        self._rules.clear()
        self._book.faults.clear()

    @abstractmethod
    def asked(self) -> list[Call]:
        """Return the calls that are answered by scripts, in order of arrival."""

    async def wait_for(self, predicate: Callable[[], T | None], timeout: float = 30.0) -> T:
        """Return the first truthy value of `predicate`, asked now and after each change of the log or of the service.

        Raises TimeoutError when `timeout` seconds have passed.
        """
        return await self._book.changes.wait_for(predicate, timeout)

    async def ended(self, count: int = 1, timeout: float = 30.0) -> Call:
        """Wait until `count` of the calls that are answered by scripts have ended, and return the last of these."""

        def find() -> Call | None:
            done = [call for call in self.asked() if call.ended is not None]
            return done[count - 1] if len(done) >= count else None

        return await self.wait_for(find, timeout)
