"""One attempt at an answer: asks the backend, hands the growing text on, and says how it ended.

It touches neither platform nor store.
"""

import asyncio
import re
from dataclasses import dataclass
from typing import Literal, Protocol

import structlog

from shared import costs, sentences
from shared.backends import Backend, Delta, Doing, Finished, Prompt, Retrying, Spent, Stop, Thinking, Usage
from shared.ending import above
from shared.errors import BrokenOff, Failure, Silent, TookTooLong
from shared.harmless import flat
from shared.store import Final

log = structlog.get_logger(__name__)

NOTES: dict[Stop, str] = {
    "max_tokens": sentences.CUT,
    "context_full": sentences.CONTEXT_FULL,
    "pause": sentences.PAUSED,
    "refusal": sentences.REFUSED,
}

STATUS = 100
"""Characters of what a status line tells of others' words."""

_MARKUP = re.compile(r"\w+://|[`*_~|<>\[\]()\\#]")


@dataclass(frozen=True, slots=True)
class Patience:
    """Limits in seconds: for a whole turn, and for how long a backend may give no sign of life."""

    turn: float
    silence: float


class Show(Protocol):
    """Takes the whole text so far, and a line on what is being done, if anything but writing."""

    def __call__(self, text: str, *, status: str = "") -> None:
        """Never waits."""
        ...


class Asking:
    """One attempt. `text` is what has come so far, `thoughts` what was thought before it, also after `run` was cancelled."""

    def __init__(
        self,
        backend: Backend,
        prompt: Prompt,
        patience: Patience,
        *,
        show: Show,
        thinking: Literal["off", "summarised", "shown"] = "off",
        before: Usage | None = None,
    ) -> None:
        """`before` is what was used up for this attempt already."""
        self._backend = backend
        self._prompt = prompt
        self._patience = patience
        self._show = show
        self._thinking = thinking
        self._before = before
        self._spent: Usage | None = None
        self._thought = ""
        self._reached = False
        self.text = ""
        self.thoughts = ""

    async def run(self) -> Final:
        """What people are to read, be it an answer or a failure. Raises nothing but `CancelledError`."""
        try:
            return self._finished(await self._listen())
        except Failure as failure:
            return self._failed(failure)

    def stopped(self) -> Final:
        """What people are to read after a stop."""
        return Final(
            text=self.text,
            outcome="stopped",
            note=sentences.STOPPED,
            backend=self._backend.name,
            usage=self.used(),
            thoughts=self.thoughts,
        )

    def used(self) -> Usage | None:
        """What the attempt has used up, if it is broken off now; None if it has not reached the far side."""
        if not self._reached:
            return self._before
        used = costs.broken_off(self._backend, self._prompt, self._spent, self.text)
        return costs.together(self._before, used or costs.unknown(self._backend, self._prompt))

    async def _listen(self) -> Finished:
        silence = asyncio.timeout(self._patience.silence)
        whole = asyncio.timeout(self._patience.turn)
        loop = asyncio.get_running_loop()
        stale = 0.0
        try:
            async with whole, silence, self._backend.answer(self._prompt) as answers:
                self._reached = True
                async for answer in answers:
                    if (now := loop.time()) > stale:
                        # Moving a timer costs more than a delta: it may be a little late instead.
                        silence.reschedule(now + self._patience.silence)
                        stale = now + self._patience.silence / 20
                    match answer:
                        case Delta(text):
                            self.text += text
                            self._show(above(self.thoughts, self.text) if self.thoughts else self.text)
                        case Finished():
                            return answer
                        case Retrying(after, reason):
                            # The wait is the backend's own doing: it is no silence.
                            silence.reschedule(now + after + self._patience.silence)
                            stale = now + after
                            log.warning("asking again", turn=self._prompt.turn, after=after, reason=reason)
                        case Thinking(text):
                            self._think(text)
                        case Doing():
                            self._show(above(self.thoughts, self.text), status=_doing(answer))
                        case Spent(usage):
                            self._spent = usage
        except TimeoutError:
            if whole.expired():
                raise TookTooLong(f"no end after {self._patience.turn} s") from None
            if silence.expired():
                raise Silent(f"nothing came for {self._patience.silence} s") from None
            raise
        raise BrokenOff("the backend ended without a word on how")

    def _think(self, text: str) -> None:
        if self._thinking == "off" or not text:
            return
        self._thought += text
        if self._thinking == "shown" and not self.text.strip():
            # What is thought later is not put above words that people have read already.
            self.thoughts = self._thought
        lines = self._thought.rstrip().splitlines()
        status = f"*{sentences.thinking(harmless(lines[-1]))}*" if lines else ""
        self._show(above(self.thoughts, self.text), status=status)

    def _finished(self, end: Finished) -> Final:
        # Text that came before a refusal is withdrawn: the model did not stand by it.
        refused = end.stop == "refusal"
        text = "" if refused else end.text
        kept = bool(text.strip() or end.files)
        return Final(
            text=text,
            outcome="failed" if refused or not kept else "done",
            note=NOTES.get(end.stop, "" if kept else sentences.NO_ANSWER),
            files=() if refused else end.files,
            stop=end.stop,
            blocks=end.blocks,
            condensed=end.condensed,
            backend=self._backend.name,
            usage=costs.together(self._before, end.usage),
            detail=end.explanation,
            thoughts="" if refused else self.thoughts,
        )

    def _failed(self, failure: Failure) -> Final:
        kept = bool(self.text.strip())
        # A request that was turned down at the door costs nothing.
        charged = kept or self._spent is not None or isinstance(failure, BrokenOff | Silent | TookTooLong)
        return Final(
            text=self.text,
            outcome="failed",
            note=sentences.failed(failure, kept=kept),
            backend=self._backend.name,
            usage=self.used() if charged else self._before,
            failure=type(failure).__name__,
            detail=failure.detail,
            thoughts=self.thoughts,
        )


def harmless(text: str) -> str:
    """The beginning of others' words, on one line, without markup and addresses that a platform would make links of."""
    return flat(_MARKUP.sub(" ", text), STATUS)


def _doing(doing: Doing) -> str:
    about = harmless(doing.about)
    match doing.tool:
        case None:
            return ""
        case "search":
            line = sentences.searching(about)
        case "fetch":
            line = sentences.reading(about)
        case "code":
            line = sentences.RUNNING
        case "other":
            line = sentences.using(about)
    return f"*{line}*"
