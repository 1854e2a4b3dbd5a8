"""The agent surface: status, native Stop and suggested prompts. Workspaces and apps that lack it go without, silently.

docs.slack.dev: assistant.threads.setStatus, agents.sessions.setStatus, assistant.threads.setSuggestedPrompts.
"""

import asyncio
import logging
import time
from collections import OrderedDict
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

MET = 10_000
"""How many direct threads are remembered."""

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
        self._met: OrderedDict[Place, None] = OrderedDict()
        """Direct threads of which it is known that nobody but we have set the session."""

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
        if label and place not in self._thinking:
            # Text was shown meanwhile: nothing else would take away what came after it.
            await self._try(_STATUS, direct, **(status | {"status": ""}))
        elif direct and label:
            self._meet(place)
            self._working.add(place)
            await self._session(place, "processing")
        elif not label:
            await self._rest(place)

    def shown(self, place: Place) -> None:
        """Something was posted there: Slack takes the status away by itself, and our own button takes the other's place."""
        self._thinking.discard(place)
        self._meet(place)
        if place in self._working:
            spawn(self._tasks, self._rest(place), "slack agent")

    def begun(self, place: Place) -> None:
        """A stream was begun there: Slack takes the status away by itself. Its Stop button stays, or comes back.

        Our own could only be shown at the end of it (docs.slack.dev, chat.stopStream: blocks).
        """
        self._thinking.discard(place)
        self._meet(place)
        if place.channel.startswith("D") and place not in self._working:
            self._working.add(place)
            spawn(self._tasks, self._session(place, "processing"), "slack agent")

    def resting(self, place: Place) -> str | None:
        """What the end of a stream there is to say of the agent's session (docs.slack.dev, chat.stopStream: session_status)."""
        return "active" if place in self._working and not self._without(_SESSION, True) else None

    def told(self, place: Place) -> None:
        """The end of a stream has said so."""
        self._working.discard(place)

    def rested(self, place: Place) -> None:
        """A stream there is over; if that was not said with its end, it is said now."""
        if place in self._working:
            spawn(self._tasks, self._rest(place), "slack agent")

    def changed(self, place: Place) -> None:
        """Something that was posted there shows more: a status that came after the post would stay for two minutes.

        Where another process was at work, its session would stay for ever.
        """
        if place in self._thinking:
            spawn(self._tasks, self.busy(place, None), "slack agent")
        elif place.root is not None and place.channel.startswith("D") and place not in self._met:
            self._meet(place)
            spawn(self._tasks, self._session(place, "active"), "slack agent")

    def stopped(self, channel: str, root: str) -> None:
        """Somebody pressed Slack's Stop: it is for us to say that we rest."""
        self._working.discard(Place(channel, root))
        spawn(self._tasks, self._session(Place(channel, root), "active"), "slack agent")

    def opened(self, channel: str) -> None:
        """Somebody opened the direct chat: suggest what to ask."""
        # With a thread_ts Slack would do nothing, and not say so (docs.slack.dev, Migrating to agent messaging).
        act = self._try(_PROMPTS, True, channel_id=channel, prompts=list(PROMPTS), title="Ask me anything")
        spawn(self._tasks, act, "slack agent")

    def _meet(self, place: Place) -> None:
        self._met[place] = None
        if len(self._met) > MET:
            self._met.popitem(last=False)

    async def _rest(self, place: Place) -> None:
        if place in self._working:
            self._working.discard(place)
            await self._session(place, "active")

    async def _session(self, place: Place, status: str) -> None:
        await self._try(_SESSION, True, channel_id=place.channel, thread_ts=place.root, status=status)

    def _without(self, method: str, direct: bool) -> bool:
        """Whether a method was refused lately."""
        return self._clock() < self._refused.get((method, direct), 0.0)

    async def _try(self, method: str, direct: bool, **body: Any) -> None:
        if self._without(method, direct):
            return
        try:
            await self._web.write(method, repeats=0, **body)
        except (RateLimited, Unavailable) as failure:
            log.debug("no status", extra={"detail": failure.detail})
        except Failure as failure:
            if not self._without(method, direct):  # it may have been asked for twice at once
                log.info("Slack refuses this here; going without", extra={"method": method, "detail": failure.detail})
            self._refused[method, direct] = self._clock() + NOT_AGAIN
