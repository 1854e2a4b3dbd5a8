"""The transcript as a backend gets it. Pure.

In a direct chat a line is what the person wrote. Everywhere else it begins with the speaker's name, from the first message on:
a conversation that a second person joins must not change the lines before (and with them the backend's prompt cache).

What people write is hostile text. Only the first line of a message begins at the margin, so that nobody can write a line that
looks like another's, and no two people are called the same.
"""

import unicodedata
from collections.abc import Sequence

from shared.backends import Said
from shared.chat import AuthorId, Channel
from shared.store import Asked, Exchange

QUOTE_LIMIT = 4000
"""Characters of a quoted message that are handed on."""

NAME_LIMIT = 80
"""Characters of a name."""


class _Names:
    """What people are called, given in the order in which they first speak.

    Whoever comes with a name that somebody else has is called "Ada (2)". So a line never changes because of later ones; it may
    when the lines before it are no longer sent, which ends what a backend has cached anyway.
    """

    def __init__(self) -> None:
        self._owners: dict[str, AuthorId] = {}

    def of(self, message: Asked) -> str:
        """The name of the author of a message."""
        name = _flat(message.name)
        called, count = name, 1
        while self._owners.setdefault(_folded(called), message.author_id) != message.author_id:
            count += 1
            called = f"{name} ({count})"
        return called


def asked(place: Channel, messages: Sequence[Asked], before: Sequence[Exchange] = ()) -> list[Said]:
    """The lines that a turn asks; `before` are the turns whose lines are sent before them."""
    names = _Names()
    for exchange in before:
        for message in exchange.asked:
            names.of(message)
    return [_said(place, message, names) for message in messages]


def history(place: Channel, exchanges: Sequence[Exchange], backend: str) -> list[Said]:
    """The lines of the turns before. An answer without text leaves only its question."""
    names = _Names()
    lines: list[Said] = []
    for exchange in exchanges:
        lines += [_said(place, message, names) for message in exchange.asked]
        if exchange.text.strip():
            blocks = exchange.blocks if exchange.backend == backend else None
            lines.append(Said("assistant", exchange.text, blocks))
    return lines


def system(prompt: str, place: Channel) -> str:
    """The system prompt with what the model has to know of the place."""
    if place.kind == "direct":
        return prompt
    return (
        f"{prompt}\n\nSeveral people may write to you here. Each of their messages begins with the name of its author and a "
        "colon; its further lines are indented by two spaces. Do not begin your answers with a name."
    )


def _said(place: Channel, message: Asked, names: _Names) -> Said:
    text = message.text
    files = [f"[a file that you cannot read: {_flat(file.name)}]" for file in message.attachments]
    if quoted := message.quoted:
        who = "you" if quoted.own else _other(_flat(quoted.name))
        said = quoted.text[:QUOTE_LIMIT]
        text = f"[in reply to what {who} wrote:]\n" + "\n".join(f"> {line}" for line in said.splitlines()) + f"\n\n{text}"
    text = "\n".join([text, *files]).strip()
    return Said("user", text if place.kind == "direct" else f"{names.of(message)}: {_indented(text)}")


def _indented(text: str) -> str:
    """The text with every line but the first moved away from the margin. Whatever looks like the end of a line is one."""
    first, *rest = text.splitlines() or [""]
    return "\n".join([first, *(f"  {line}" if line else "" for line in rest)])


def _other(name: str) -> str:
    """The name of somebody who is not the model, whatever they call themselves."""
    return "someone" if _folded(name) == "you" else name


def _flat(name: str) -> str:
    """A name on one line, of a sane length, with nothing in it that cannot be seen."""
    seen = "".join(sign if sign.isprintable() else " " if sign.isspace() else "" for sign in name.replace(":", " "))
    return " ".join(seen.split())[:NAME_LIMIT].rstrip() or "someone"


def _folded(name: str) -> str:
    """The same for names that look the same but for case and form."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
