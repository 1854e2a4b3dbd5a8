"""What a person would see: a terminal's screen, worked out from what is written to it."""

import re

from wcwidth import iter_graphemes, wcswidth

WIDE = "吾輩は猫である \N{WOMAN}\N{ZERO WIDTH JOINER}\N{PERSONAL COMPUTER} e\N{COMBINING ACUTE ACCENT}"


class Glass:
    """A terminal's screen as it looks after some output: enough of ECMA-48 for what `Screen` writes, and strict beyond that."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self.gone: list[str] = []
        self._rows: list[list[str]] = [[] for _ in range(height)]
        self._row = self._column = 0

    def feed(self, text: str) -> None:
        for part in re.findall(r"\x1b\[\d*[A-Z]|[\r\n]|[^\x1b\r\n]+", text):
            if part == "\r":
                self._column = 0
            elif part == "\n":
                self._down()
            elif part[0] == "\x1b":
                self._control(part[-1], int(part[2:-1] or 0))
            else:
                for sign in iter_graphemes(part):
                    self._write(sign)

    @property
    def rows(self) -> list[str]:
        return ["".join(row).rstrip() for row in self._rows]

    @property
    def text(self) -> str:
        """All that was ever shown and not overwritten, the cursor's row last."""
        return "\n".join([*self.gone, *self.rows]).rstrip()

    @property
    def before_cursor(self) -> str:
        """What the rows down to the cursor say, without spaces."""
        rows = [*self._rows[: self._row], self._rows[self._row][: self._column]]
        return "".join("".join(row) for row in rows).replace(" ", "")

    def _down(self) -> None:
        self._row += 1
        if self._row == self.height:
            self._row -= 1
            self.gone.append("".join(self._rows.pop(0)).rstrip())
            self._rows.append([])

    def _control(self, name: str, count: int) -> None:
        if name == "A":
            assert count <= self._row, "the cursor would have to leave the screen"
            self._row -= count
        elif name == "B":
            assert self._row + count < self.height
            self._row += count
        elif name == "C":
            self._column += count
        elif name == "J":
            if count == 0:
                del self._rows[self._row][self._column :]
            for row in range(0 if count else self._row + 1, self.height):
                self._rows[row] = []
        elif name == "H":
            self._row = self._column = 0
        else:
            raise AssertionError(f"unknown control {name}")

    def _write(self, sign: str) -> None:
        cells = self._rows[self._row]
        wide = max(0, wcswidth(sign))
        assert self._column + wide < self.width, "the last column is not to be touched"
        assert sign.isprintable() or wide, repr(sign)
        cells += [" "] * (self._column - len(cells))
        cells[self._column : self._column + wide] = [sign, *[""] * (wide - 1)]
        self._column += wide
