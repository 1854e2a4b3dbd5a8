"""The line that a person is writing at a terminal: keys in, lines out. It touches no terminal itself."""

import codecs
import re
from collections.abc import Iterator

from wcwidth import iter_graphemes

_SEQUENCE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|O.|[^\[O])", re.DOTALL)
_UNFINISHED = re.compile(r"\x1b(?:\[[0-?]*[ -/]*|O)?")
_NAMED = {
    "\x1b[A": "up",
    "\x1bOA": "up",
    "\x1b[B": "down",
    "\x1bOB": "down",
    "\x1b[C": "right",
    "\x1bOC": "right",
    "\x1b[D": "left",
    "\x1bOD": "left",
    "\x1b[H": "home",
    "\x1bOH": "home",
    "\x1b[1~": "home",
    "\x1b[F": "end",
    "\x1bOF": "end",
    "\x1b[4~": "end",
    "\x1b[3~": "delete",
    "\x01": "home",
    "\x02": "left",
    "\x05": "end",
    "\x06": "right",
    "\x0b": "cut the end",
    "\x0e": "down",
    "\x10": "up",
    "\x15": "cut the start",
    "\x17": "cut a word",
    "\x08": "backspace",
    "\x7f": "backspace",
    "\r": "enter",
    "\n": "enter",
}
HISTORY = 500
"""How many lines "up" can bring back."""


class Editor:
    """One line with a cursor, and the lines before it."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""
        self._history: list[str] = []
        self._back = 0
        self._kept = ""
        self.text = ""
        self.cursor = 0
        """Before which character of `text` the cursor is."""
        self.ended = False
        """Whether Ctrl-C, or Ctrl-D on an empty line, was pressed."""

    def feed(self, data: bytes) -> Iterator[str]:
        """Take what was typed, in pieces of any size, and give out each line that is complete."""
        keys = self._rest + self._decoder.decode(data)
        self._rest = ""
        while keys and not self.ended:
            if keys[0] == "\x1b":
                found = _SEQUENCE.match(keys)
                if found is None:
                    # The rest of a sequence comes with the next bytes.
                    self._rest = keys if _UNFINISHED.fullmatch(keys) else ""
                    return
                key = found[0]
            else:
                key = keys[0]
            keys = keys[len(key) :]
            yield from self._press(key)

    def _press(self, key: str) -> Iterator[str]:
        if key == "\x03" or (key == "\x04" and not self.text):
            self.ended = True
            return
        named = _NAMED.get(key, "delete" if key == "\x04" else "")
        if named == "enter":
            line, self.text, self.cursor = self.text, "", 0
            if line.strip() and line not in self._history[-1:]:
                self._history = [*self._history, line][-HISTORY:]
            self._back = 0
            yield line
        elif named in ("up", "down"):
            self._recall(1 if named == "up" else -1)
        elif named:
            self._edit(named)
        elif key == "\t" or (len(key) == 1 and key.isprintable()) or key in "\u200d\ufe0f":
            self.text = self.text[: self.cursor] + key + self.text[self.cursor :]
            self.cursor += len(key)

    def _edit(self, named: str) -> None:
        before, after = self.text[: self.cursor], self.text[self.cursor :]
        if named == "left":
            before, after = _split_last(before)[0], _split_last(before)[1] + after
        elif named == "right":
            first = next(iter_graphemes(after), "")
            before, after = before + first, after[len(first) :]
        elif named == "home":
            before, after = "", before + after
        elif named == "end":
            before, after = before + after, ""
        elif named == "backspace":
            before = _split_last(before)[0]
        elif named == "delete":
            after = after[len(next(iter_graphemes(after), "")) :]
        elif named == "cut the end":
            after = ""
        elif named == "cut the start":
            before = ""
        elif named == "cut a word":
            before = re.sub(r"\S*\s*$", "", before)
        self.text, self.cursor = before + after, len(before)

    def _recall(self, step: int) -> None:
        wanted = self._back + step
        if not 0 <= wanted <= len(self._history):
            return
        if self._back == 0:
            self._kept = self.text
        self._back = wanted
        self.text = self._history[-wanted] if wanted else self._kept
        self.cursor = len(self.text)


def _split_last(text: str) -> tuple[str, str]:
    """Split off the last sign as people see it: an emoji may be several characters."""
    signs = list(iter_graphemes(text))
    return ("".join(signs[:-1]), signs[-1]) if signs else ("", "")
