"""What is to be seen of a text while it grows: cut into parts, with open markup closed or held back. Makes no calls."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from shared.abilities import Drafts, Streams
from shared.chat import Adapter, Button, Target
from shared.heal import committed, heal
from shared.split import Splitter
from shared.steps import Slot, Wanted, Way

SENTENCE_ENDS = (".", "!", "?", "…", "。", "\n")

LATE = 0.85
"""From this share of its lifetime on a stream is ended at the next end of a line; at its lifetime, wherever it is."""

ROOM = 16
"""A stream is left one part in so many short of what its message can hold, so that there is a choice of where to cut it."""


class Growth:
    """How one text grows in one place."""

    def __init__(
        self,
        adapter: Adapter,
        target: Target,
        *,
        buttons: Sequence[Button],
        shape: Callable[[str], str] | None,
        hold_sentence: bool,
    ) -> None:
        """As `shared.reply.Reply`; `buttons` are its `growing`."""
        self._adapter = adapter
        self._target = target
        self._buttons = tuple(buttons)
        self._shape = shape
        self._hold_sentence = hold_sentence
        self._splitter = Splitter(lambda text: adapter.fits(target, text))
        self.lifetime: float | None = None
        """For how many seconds a stream may grow; None where there are none."""
        self.way: Way = "edits"
        """How a new part is shown while it grows."""
        self.look()

    def look(self) -> None:
        """Find out in which way a part can grow: a platform may learn only from a first try that it has no streams there."""
        adapter, target = self._adapter, self._target
        self.lifetime = adapter.lifetime(target) if isinstance(adapter, Streams) else None
        if self.lifetime is not None:
            self.way = "stream"
        elif isinstance(adapter, Drafts) and adapter.drafts(target):
            self.way = "draft"
        else:
            self.way = "edits"

    def parts(self, text: str) -> list[str]:
        """The parts of the whole text. What a stream shows, or was to show, stays in its part."""
        return list(self._splitter.parts(text))

    def wanted(
        self, text: str, slots: Sequence[Slot], *, status: str, alone: bool, begun: bool, age: float
    ) -> tuple[list[Wanted], bool]:
        """What is to be seen by now, and whether there is text in it.

        `status` is put below it where there is room, `alone` also where there is nothing else. `begun` says whether text shows;
        `age` is that of the stream in seconds.
        """
        if self._hold_sentence and not begun and not any(end in text for end in SENTENCE_ENDS):
            text = ""
        parts = self.parts(self._shape(text) if self._shape else text)
        settled = self._splitter.settled
        if self.way == "stream" and (settled >= len(slots) or slots[settled].streams or slots[settled].unseen):
            wanted = self._streamed(parts, slots, age)
            return wanted, bool(wanted)
        wanted = [Wanted(part, whole=nth < settled) for nth, part in enumerate(parts)]
        if settled < len(parts):
            healed = heal(parts[-1]).rstrip()
            # Closing open markup may be what no longer fits; the part is then shown as it is.
            wanted[-1] = Wanted(healed if self._fits(healed) else parts[-1])
        if wanted and not wanted[-1].text.strip():
            wanted.pop()
        worded = bool(wanted)
        if status and (wanted or slots or alone) and self._fits(below := f"{wanted[-1].text}\n\n{status}" if wanted else status):
            wanted[-1:] = [Wanted(below)]
        if wanted and any(slot.message for slot in slots):
            wanted[-1] = replace(wanted[-1], buttons=self._buttons)
        return wanted, worded

    def _streamed(self, parts: list[str], slots: Sequence[Slot], age: float) -> list[Wanted]:
        """The same where nothing can be taken back: of the last part what can no longer change."""
        settled = self._splitter.settled
        wanted = [Wanted(part, whole=True) for part in parts[:settled]]
        if settled == len(parts):
            return wanted
        part, shown = parts[-1], (slots[settled].text or "") if settled < len(slots) else ""
        sure = committed(part)
        if settled < len(slots) and self.lifetime is not None and age >= LATE * self.lifetime:
            if self._splitter.end(len(sure), anywhere=age >= self.lifetime):
                return self._streamed(list(self._splitter.parts(self._splitter.text)), slots, age)
            if age >= self.lifetime:
                # It ends where it is; what may come is written into it by edits.
                healed = heal(part).rstrip()
                return [*wanted, Wanted(healed if healed and self._fits(healed) else part.rstrip(), whole=True)]
        sure = sure.rstrip()
        if shown.startswith(sure) or (shown and sure.startswith(shown) and not self._fits(sure + " " * (len(sure) // ROOM))):
            sure = shown
        # From now on: a call that is to show it may be waiting for its permit while the text grows on.
        self._splitter.hold(sure)
        return [*wanted, Wanted(sure)] if sure else wanted

    def _fits(self, text: str) -> bool:
        return self._adapter.fits(self._target, text)
