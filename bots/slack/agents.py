"""The agent surface: status, native Stop and suggested prompts. Workspaces and apps that lack it go without, silently.

docs.slack.dev: assistant.threads.setStatus, agents.sessions.setStatus, assistant.threads.setSuggestedPrompts.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any

from bots.slack.calls import Web
from bots.slack.names import Place
from bots.slack.spawning import spawn
from shared.errors import Failure, RateLimited, Unavailable

log = logging.getLogger(__name__)

BUSY_SECONDS = 90.0
"""After how long a status is renewed: Slack takes it away after two minutes (assistant.threads.setStatus)."""

NOT_AGAIN = 3600.0
"""Seconds for which a method is left alone that was refused."""

PROMPTS = (
    {"title": "What can you do?", "message": "What can you help me with?"},
    {"title": "Summarise", "message": "Summarise the text that I paste next."},
    {"title": "Explain", "message": "Explain a concept to me, step by step. First ask me which."},
)
"""At most four (docs.slack.dev, Developing agents)."""

_STATUS = "assistant.threads.setStatus"
_SESSION = "agents.sessions.setStatus"
_PROMPTS = "assistant.threads.setSuggestedPrompts"


class Agents:
    """Shows what we are at. Nothing depends on it."""

    def __init__(self, web: Web, tasks: asyncio.TaskGroup, *, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` gives seconds that only grow. What need not be waited for is done in `tasks`."""
        self._web = web
        self._tasks = tasks
        self._clock = clock
        self._refused: dict[tuple[str, bool], float] = {}
        self._working: set[Place] = set()
        self._thinking: set[Place] = set()
        """Where a status may be shown."""

    async def busy(self, place: Place, label: str | None) -> None:
        """Show a status in a thread; None takes it away. Direct chats get Slack's own Stop button, too."""
        if place.root is None:
            return
        direct = place.channel.startswith("D")
        status = {"channel_id": place.channel, "thread_ts": place.root, "status": f"is {label}…" if label else ""}
        if label:
            self._thinking.add(place)
        else:
            self._thinking.discard(place)
        await self._try(_STATUS, direct, **status)
        if direct and label:
            self._working.add(place)
            await self._session(place, "processing")
        elif not label:
            await self._rest(place)

    def shown(self, place: Place) -> None:
        """Something was posted there: Slack takes the status away by itself, and our own button takes the other's place."""
        self._thinking.discard(place)
        if place in self._working:
            spawn(self._tasks, self._rest(place), "slack agent")

    def changed(self, place: Place) -> None:
        """Something that was posted there shows more: a status that came after the post would stay for two minutes."""
        if place in self._thinking:
            spawn(self._tasks, self.busy(place, None), "slack agent")

    def stopped(self, channel: str, root: str) -> None:
        """Somebody pressed Slack's Stop: it is for us to say that we rest."""
        self._working.discard(Place(channel, root))
        spawn(self._tasks, self._session(Place(channel, root), "active"), "slack agent")

    def opened(self, channel: str) -> None:
        """Somebody opened the direct chat: suggest what to ask."""
        # With a thread_ts Slack would do nothing, and not say so (docs.slack.dev, Migrating to agent messaging).
        act = self._try(_PROMPTS, True, channel_id=channel, prompts=list(PROMPTS), title="Ask me anything")
        spawn(self._tasks, act, "slack agent")

    async def _rest(self, place: Place) -> None:
        if place in self._working:
            self._working.discard(place)
            await self._session(place, "active")

    async def _session(self, place: Place, status: str) -> None:
        await self._try(_SESSION, True, channel_id=place.channel, thread_ts=place.root, status=status)

    async def _try(self, method: str, direct: bool, **body: Any) -> None:
        if self._clock() < self._refused.get((method, direct), 0.0):
            return
        try:
            await self._web.write(method, repeats=0, **body)
        except (RateLimited, Unavailable) as failure:
            log.debug("no status", extra={"detail": failure.detail})
        except Failure as failure:
            log.info("Slack refuses this here; going without", extra={"method": method, "detail": failure.detail})
            self._refused[method, direct] = self._clock() + NOT_AGAIN
