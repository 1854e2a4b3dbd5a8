"""One attempt at an answer: asks the backend, hands the growing text on, and says how it ended.

It touches neither platform nor store.
"""

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from shared import sentences
from shared.backends import Backend, Delta, Finished, Prompt, Retrying, Stop, Thinking
from shared.errors import BrokenOff, Failure, Silent, TookTooLong
from shared.heal import heal
from shared.store import Final

log = structlog.get_logger(__name__)

NOTES: dict[Stop, str] = {
    "max_tokens": sentences.CUT,
    "context_full": sentences.CONTEXT_FULL,
    "pause": sentences.PAUSED,
    "refusal": sentences.REFUSED,
}


@dataclass(frozen=True, slots=True)
class Patience:
    """Limits in seconds: for a whole turn, and for how long a backend may give no sign of life."""

    turn: float
    silence: float


class Asking:
    """One attempt. `text` is what has come so far, also after `run` was cancelled."""

    def __init__(self, backend: Backend, prompt: Prompt, patience: Patience, *, show: Callable[[str], None]) -> None:
        self._backend = backend
        self._prompt = prompt
        self._patience = patience
        self._show = show
        self.text = ""

    async def run(self) -> Final:
        """What people are to read, be it an answer or a failure. Raises nothing but `CancelledError`."""
        try:
            return self._finished(await self._listen())
        except Failure as failure:
            return self._failed(failure)

    def stopped(self) -> Final:
        """What people are to read after a stop."""
        return Final(text=self.text, outcome="stopped", note=sentences.STOPPED, backend=self._backend.name)

    async def _listen(self) -> Finished:
        silence = asyncio.timeout(self._patience.silence)
        whole = asyncio.timeout(self._patience.turn)
        loop = asyncio.get_running_loop()
        stale = 0.0
        try:
            async with whole, silence, self._backend.answer(self._prompt) as answers:
                async for answer in answers:
                    if (now := loop.time()) > stale:
                        # Moving a timer costs more than a delta: it may be a little late instead.
                        silence.reschedule(now + self._patience.silence)
                        stale = now + self._patience.silence / 20
                    match answer:
                        case Delta(text):
                            self.text += text
                            self._show(self.text)
                        case Finished():
                            return answer
                        case Retrying(after, reason):
                            # The wait is the backend's own doing: it is no silence.
                            silence.reschedule(now + after + self._patience.silence)
                            stale = now + after
                            log.warning("asking again", turn=self._prompt.turn, after=after, reason=reason)
                        case Thinking():
                            pass
        except TimeoutError:
            if whole.expired():
                raise TookTooLong(f"no end after {self._patience.turn} s") from None
            if silence.expired():
                raise Silent(f"nothing came for {self._patience.silence} s") from None
            raise
        raise BrokenOff("the backend ended without a word on how")

    def _finished(self, end: Finished) -> Final:
        # Text that came before a refusal is withdrawn: the model did not stand by it.
        text = "" if end.stop == "refusal" else end.text
        note = NOTES.get(end.stop, "" if text.strip() else sentences.NO_ANSWER)
        return Final(
            text=text,
            outcome="failed" if end.stop == "refusal" or not text.strip() else "done",
            note=note,
            stop=end.stop,
            blocks=end.blocks,
            backend=self._backend.name,
            model=end.usage.model,
            input_tokens=end.usage.input_tokens,
            output_tokens=end.usage.output_tokens,
            cache_read_tokens=end.usage.cache_read_tokens,
            cache_write_tokens=end.usage.cache_write_tokens,
            detail=end.explanation,
        )

    def _failed(self, failure: Failure) -> Final:
        kept = bool(self.text.strip())
        return Final(
            text=self.text,
            outcome="failed",
            note=sentences.failed(failure, kept=kept),
            backend=self._backend.name,
            failure=type(failure).__name__,
            detail=failure.detail,
        )


def shown(final: Final) -> str:
    """What stands in the chat in the end: the text, and after it the note, set apart."""
    if not final.note:
        return final.text
    if not final.text.strip():
        return final.note
    return f"{_closed(final.text)}\n\n*{final.note}*"


def _closed(text: str) -> str:
    """The text with open markup closed, which would swallow what follows; but nothing that was said is held back for it."""
    healed = heal(text).rstrip()
    return healed if _words(healed) == _words(text) else text.rstrip()


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text)
