"""Cut a text of any length into parts that a platform takes, without tearing its Markdown.

A part is frozen once its successor exists: where it ends depends only on the text up to the first character that no
longer fitted, so a text can be cut while it grows.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import takewhile

from shared.cuts import Cut, best_cut
from shared.markdown import Fence, first_visible, is_blank

Fits = Callable[[str], bool]
"""Says whether a text is taken as one message. If it takes a text, it should take each of the text's beginnings."""

_BLANK_LINES = re.compile(r"(?:[ \t\r]*+\n)*+")
_STEP = 256


@dataclass(frozen=True, slots=True)
class Piece:
    """One part: `text[start:end]` of the whole, with what was put before and after it to close and reopen markup.

    Between two pieces lies only blank space, or the line that closes a code fence which the first already closed.
    """

    start: int
    end: int
    before: str
    after: str

    def shown(self, text: str) -> str:
        """Return the part of `text`."""
        return self.before + text[self.start : self.end] + self.after


@dataclass(frozen=True, slots=True)
class _Settled:
    """A part that stays, and the cut after it. Nothing of the text from index `known` on had a say in them."""

    piece: Piece
    shown: str
    cut: Cut
    known: int
    seen: bool
    """Whether there is anything visible in it; otherwise it is none of the parts."""


def split(text: str, fits: Fits) -> list[str]:
    """Cut `text` into parts, each of which `fits`; see `Splitter`."""
    return list(Splitter(fits).parts(text))


class Splitter:
    """Cuts a growing text into parts, working forward from the last part that is settled.

    Every part fits and has something visible in it; together they hold all of the text. All parts but the last are
    settled: they stay the same as the text grows. The last one may end in open markup. A part may vanish again only if
    it was the last and held nothing but the beginning of a line that closes a code fence.

    A code fence is closed at a cut and reopened with its info string, a table's header is repeated, emphasis is closed
    and reopened; none of this is done where `fits` leaves no room for it.
    """

    def __init__(self, fits: Fits) -> None:
        self._fits = fits
        self._text = ""
        self._settled: list[_Settled] = []
        self._frozen: list[Piece] = []
        self._shown: list[str] = []
        self._start = 0
        self._cut: Cut | None = None
        self._before = ""
        self._measured = (0, "")
        self._good = 0
        self._usual = 0
        self._least = 0

    def _go_back(self, text: str) -> None:
        """Keep what is settled by what this text and the one before have in common."""
        same = _in_common(text, self._text)
        kept = list(takewhile(lambda each: each.known <= same, self._settled))
        least = min(self._least, same)
        self.__init__(self._fits)
        self._least = least
        for each in kept:
            self._settle(each)

    def parts(self, text: str) -> Sequence[str]:
        """Return the parts of `text`. Cheap if it continues the text of the last call, which it need not.

        Raises ValueError if not even one character fits.
        """
        pieces = self.pieces(text)
        return self._shown + [piece.shown(text) for piece in pieces[len(self._shown) :]]

    def pieces(self, text: str) -> Sequence[Piece]:
        """Return where the parts of `text` begin and end. Raises ValueError like `parts`."""
        if not text.startswith(self._text):
            self._go_back(text)
        self._text = text
        while True:
            start, before = self._begin(text)
            if is_blank(text[start:]):
                return list(self._frozen)
            if (start, before) != self._measured:
                self._measured, self._good = (start, before), 0
            over = self._overflow(text, start, before)
            if over is None:
                return [*self._frozen, Piece(start, len(text), before, "")]
            self._freeze(text, start, before, over)

    @property
    def text(self) -> str:
        """The text that was cut last."""
        return self._text

    @property
    def settled(self) -> int:
        """How many of the parts stay as they are, however the text goes on."""
        return len(self._frozen)

    def hold(self, shown: str) -> None:
        """The last part is shown so far, or will be, and nothing of it can be taken back: it is not cut before that."""
        start, before = self._begin(self._text)
        self._least = max(self._least, start + len(shown) - len(before))

    def end(self, upto: int, *, anywhere: bool) -> bool:
        """End the last part though it has room; False if it cannot be ended yet.

        It is cut between what it is held to and its first `upto` characters, after which there has to be more text; at the end of
        a line, or `anywhere`.
        """
        start, before = self._begin(self._text)
        window = self._text[start : start + upto - len(before) + 1]
        if upto <= len(before) or len(window) <= upto - len(before):
            return False
        cut = best_cut(before, window, self._fits, least=self._least - start)
        if not anywhere and "\n" not in window[cut.end : cut.next]:
            return False
        self._keep(self._text, Piece(start, start + cut.end, before, cut.after), cut, start + len(window))
        return True

    def _begin(self, text: str) -> tuple[int, str]:
        """Return where the next part begins, past what need not be shown there, and what is put before it.

        While the text still grows, this may change: a line that closes a code fence may turn out to be code.
        """
        cut = self._cut
        if cut is None or cut.fence is None:
            return first_visible(text, self._start), self._before
        start = _begin_in_code(text, self._start, cut.fence)
        return (_after_fence(text, self._start), "") if start is None else (start, self._before)

    def _overflow(self, text: str, start: int, before: str) -> int | None:
        """Return the least length at which the part does not fit; None if all the rest fits."""
        rest = len(text) - start
        low, step = min(self._good, rest), _STEP
        high = min(rest, low + step if low else max(step, self._usual))
        while self._fits(before + text[start : start + high]):
            low = high
            if low == rest:
                self._good = low
                return None
            step *= 2
            high = min(rest, low + step)
        while high - low > 1:
            middle = (low + high) // 2
            if self._fits(before + text[start : start + middle]):
                low = middle
            else:
                high = middle
        return high

    def _freeze(self, text: str, start: int, before: str, over: int) -> None:
        if over == 1:
            if not before:
                raise ValueError("not even one character fits")
            self._before, self._cut, self._start = "", None, start
            return
        self._usual = over
        cut = best_cut(before, text[start : start + over], self._fits, least=self._least - start)
        self._keep(text, Piece(start, start + cut.end, before, cut.after), cut, start + over)

    def _keep(self, text: str, piece: Piece, cut: Cut, known: int) -> None:
        self._settle(_Settled(piece, piece.shown(text), cut, known, seen=not is_blank(text[piece.start : piece.end])))

    def _settle(self, settled: _Settled) -> None:
        self._settled.append(settled)
        if settled.seen:
            self._frozen.append(settled.piece)
            self._shown.append(settled.shown)
        self._start, self._cut, self._before = settled.piece.start + settled.cut.next, settled.cut, settled.cut.before


def _in_common(one: str, other: str) -> int:
    """Return how many characters two texts begin with alike."""
    shorter = min(len(one), len(other))
    return next((at for at in range(shorter) if one[at] != other[at]), shorter)


def _begin_in_code(text: str, start: int, fence: Fence) -> int | None:
    """Return where the code goes on after blank lines; None if the fence is closed there."""
    found = _BLANK_LINES.match(text, start)
    at = found.end() if found else start
    if at > 0 and text[at - 1] == "\n":
        stop = text.find("\n", at)
        line = text[at : len(text) if stop < 0 else stop]
        if fence.is_closed_by(line):
            return None
    return at


def _after_fence(text: str, start: int) -> int:
    """Step over the line that closes a fence, which the part before has closed already."""
    found = _BLANK_LINES.match(text, start)
    stop = text.find("\n", found.end() if found else start)
    return first_visible(text, len(text) if stop < 0 else stop)
