"""An incremental parser of event streams, after the HTML standard, section "Server-sent events"."""

import codecs
import re
from dataclasses import dataclass

from .errors import ProtocolError

# Characters. Far above any event that was seen, and small enough not to fill the memory.
LONGEST_EVENT = 16 * 1024 * 1024

_LINE_END = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True, slots=True)
class ServerSentEvent:
    """One event. `event` is empty if the stream gave it no name; `data` has its lines joined by a line feed."""

    event: str
    data: str


class EventParser:
    """Takes a stream's bytes as they come, in pieces of any size, and gives the events that they complete.

    Lines end with CR, LF or CRLF. Characters may be cut by the pieces; bytes that are not UTF-8 become U+FFFD. An event
    that the stream's end cuts off is never given. Comments and the fields `id` and `retry` are passed over.
    """

    def __init__(self, longest: int = LONGEST_EVENT) -> None:
        """`longest`: the characters that one event may have, above 0."""
        # utf-8-sig: the standard passes over one byte order mark at the beginning.
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")("replace")
        self._longest = longest
        self._size = 0
        self._begun: list[str] = []
        self._after_cr = False
        self._name = ""
        self._data: list[str] = []

    def feed(self, piece: bytes) -> list[ServerSentEvent]:
        """Give the events that this piece completes. Raises ProtocolError if an event grows beyond the limit."""
        text = self._decoder.decode(piece)
        if self._after_cr and text:
            # The line has been ended by the CR already.
            text = text.removeprefix("\n")
            self._after_cr = False
        if not text:
            return []
        self._after_cr = text[-1] == "\r"
        # The expression is slow, and no stream of claude.ai's needs it.
        *lines, rest = _LINE_END.split(text) if "\r" in text else text.split("\n")
        events: list[ServerSentEvent] = []
        for line in lines:
            if line:
                self._grow(line)
            if self._begun:
                line = "".join((*self._begun, line))
                self._begun.clear()
            if line:
                self._line(line)
            elif (event := self._dispatch()) is not None:
                events.append(event)
        if rest:
            self._grow(rest)
            self._begun.append(rest)
        return events

    def _grow(self, text: str) -> None:
        self._size += len(text)
        if self._size > self._longest:
            raise ProtocolError(f"an event of the stream has more than {self._longest} characters")

    def _line(self, line: str) -> None:
        field, _, value = line.partition(":")
        if field == "data":
            self._data.append(value.removeprefix(" "))
        elif field == "event":
            self._name = value.removeprefix(" ")

    def _dispatch(self) -> ServerSentEvent | None:
        name, data = self._name, self._data
        self._name, self._data, self._size = "", [], 0
        return ServerSentEvent(name, "\n".join(data)) if data else None
