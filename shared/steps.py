"""What is done next to show a reply. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from shared.chat import Act, Button, File, MessageId

Way = Literal["edits", "stream", "draft"]
"""How the last part is shown while it grows: by a post and its edits, by a stream, or as a draft until it is posted."""


@dataclass(slots=True)
class Slot:
    """What is known of one part.

    `message` is None while it is not known to be shown, `unsure` then says that it may be; `text` and `buttons` are None if it is
    not known what the message shows; `gone` that somebody took it away. `begun` is when its first post was about to begin. `old`:
    it is of an answer that was asked for anew, and does not show anything of the new one yet. `streams`: it is written bit by
    bit, and has to be finished; nothing more can be written where `text` is None.
    """

    message: MessageId | None = None
    text: str | None = None
    buttons: tuple[Button, ...] | None = None
    unsure: bool = False
    gone: bool = False
    old: bool = False
    streams: bool = False
    begun: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def unseen(self) -> bool:
        """Whether it is still to be posted, as far as is known."""
        return self.message is None and not self.gone


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a part is to show. `whole`: it will grow no further."""

    text: str
    buttons: tuple[Button, ...] = ()
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """The next call: `act` on the part `ordinal`; on a part that is a file if there is one, or `of_file` says so."""

    act: Act
    ordinal: int
    text: str = ""
    buttons: tuple[Button, ...] = ()
    file: File | None = None
    of_file: bool = False


def next_step(
    slots: Sequence[Slot],
    wanted: Sequence[Wanted],
    *,
    final: bool,
    pressable: bool = False,
    way: Way = "edits",
    drafted: str = "",
) -> Step | None:
    """The first call that is missing to show the wanted parts, or None.

    Parts too many are taken away in the end, last first. While the reply grows, buttons are put under a part with its next text:
    they are not worth a call of their own, unless `pressable` says so; but a part that is to have none loses them before anything
    comes after it. `way` is how a part grows that does not show yet; `drafted` is what its draft shows.
    """
    for ordinal, part in enumerate(wanted):
        growing = not (final or part.whole or ordinal < len(wanted) - 1)
        if ordinal >= len(slots) or slots[ordinal].unseen:
            return _first(ordinal, part, way if growing else "edits", drafted)
        slot = slots[ordinal]
        if slot.gone:
            continue
        if slot.streams and not (growing and _goes_on(slot, part)):
            return Step("finish", ordinal, part.text, part.buttons)
        if slot.streams and slot.text != part.text:
            return Step("extend", ordinal, part.text)
        if not slot.streams and _stale(slot, part, strict=final or pressable):
            return Step("edit", ordinal, part.text, part.buttons)
    if final and len(slots) > len(wanted):
        return Step("delete", len(slots) - 1)
    return None


def _first(ordinal: int, part: Wanted, way: Way, drafted: str) -> Step | None:
    match way:
        case "stream":
            return Step("begin", ordinal, part.text)
        case "draft":
            return Step("draft", ordinal, part.text) if part.text != drafted else None
        case "edits":
            return Step("post", ordinal, part.text, part.buttons)


def _goes_on(slot: Slot, part: Wanted) -> bool:
    """Whether a stream can come to show the part: not if it is torn, or shows what the part no longer begins with."""
    return slot.text is not None and part.text.startswith(slot.text)


def next_file(slots: Mapping[int, Slot], files: Sequence[File | None]) -> Step | None:
    """The first call that is missing to show the wanted files, or None. A None keeps its place in the row and shows nothing."""
    for ordinal, file in enumerate(files):
        if file is not None and (ordinal not in slots or slots[ordinal].unseen):
            return Step("upload", ordinal, file=file, of_file=True)
    surplus = [ordinal for ordinal in slots if ordinal >= len(files) or files[ordinal] is None]
    return Step("delete", max(surplus), of_file=True) if surplus else None


def _stale(slot: Slot, part: Wanted, *, strict: bool) -> bool:
    if slot.text != part.text:
        return True
    return slot.buttons != part.buttons and (strict or not part.buttons)
