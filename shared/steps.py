"""What is done next to show a reply. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from shared.chat import Act, Button, File, MessageId


@dataclass(slots=True)
class Slot:
    """What is known of one part.

    `message` is None while it is not known to be shown, `unsure` then says that it may be; `text` and `buttons` are None if it is
    not known what the message shows; `gone` that somebody took it away. `begun` is when its first post was about to begin. `old`:
    it is of an answer that was asked for anew, and does not show anything of the new one yet.
    """

    message: MessageId | None = None
    text: str | None = None
    buttons: tuple[Button, ...] | None = None
    unsure: bool = False
    gone: bool = False
    old: bool = False
    begun: datetime = field(default_factory=lambda: datetime.now(UTC))


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a part is to show."""

    text: str
    buttons: tuple[Button, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """The next call: `act` on the part `ordinal`; on a part that is a file if there is one, or `of_file` says so."""

    act: Act
    ordinal: int
    text: str = ""
    buttons: tuple[Button, ...] = ()
    file: File | None = None
    of_file: bool = False


def next_step(slots: Sequence[Slot], wanted: Sequence[Wanted], *, final: bool, pressable: bool = False) -> Step | None:
    """The first call that is missing to show the wanted parts, or None.

    Parts too many are taken away in the end, last first. While the reply grows, buttons are put under a part with its next text:
    they are not worth a call of their own, unless `pressable` says so; but a part that is to have none loses them before anything
    comes after it.
    """
    for ordinal, part in enumerate(wanted):
        if ordinal >= len(slots) or (slots[ordinal].message is None and not slots[ordinal].gone):
            return Step("post", ordinal, part.text, part.buttons)
        if not slots[ordinal].gone and _stale(slots[ordinal], part, strict=final or pressable):
            return Step("edit", ordinal, part.text, part.buttons)
    if final and len(slots) > len(wanted):
        return Step("delete", len(slots) - 1)
    return None


def next_file(slots: Mapping[int, Slot], files: Sequence[File | None]) -> Step | None:
    """The first call that is missing to show the wanted files, or None. A None keeps its place in the row and shows nothing."""
    for ordinal, file in enumerate(files):
        if file is not None and (ordinal not in slots or (slots[ordinal].message is None and not slots[ordinal].gone)):
            return Step("upload", ordinal, file=file, of_file=True)
    surplus = [ordinal for ordinal in slots if ordinal >= len(files) or files[ordinal] is None]
    return Step("delete", max(surplus), of_file=True) if surplus else None


def _stale(slot: Slot, part: Wanted, *, strict: bool) -> bool:
    if slot.text != part.text:
        return True
    return slot.buttons != part.buttons and (strict or not part.buttons)
