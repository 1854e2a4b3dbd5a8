"""The transcript as a backend gets it. Pure.

In a direct chat a line is what the person wrote. Everywhere else it begins with the speaker's name, from the first message on:
a conversation that a second person joins must not change the lines before (and with them the backend's prompt cache).

What people write is hostile text. Only the first line of a message begins at the margin, so that nobody can write a line that
looks like another's, and no two people are called the same.
"""

import unicodedata
from collections.abc import Callable, Sequence

from shared.backends import Said
from shared.chat import AuthorId, Channel
from shared.files.material import Material
from shared.store import Asked, Exchange, Kept

QUOTE_LIMIT = 4000
"""Characters of a quoted message that are handed on."""

NAME_LIMIT = 80
"""Characters of a name."""

There = Callable[[Material], bool]
"""Whether what was made of a file is still kept."""


def _always(_material: Material) -> bool:
    return True


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


def asked(place: Channel, messages: Sequence[Asked], before: Sequence[Exchange] = (), *, there: There = _always) -> list[Said]:
    """The lines that a turn asks; `before` are the turns whose lines are sent before them."""
    names = _Names()
    for exchange in before:
        for message in exchange.asked:
            names.of(message)
    return [_said(place, message, names, there) for message in messages]


def history(
    place: Channel, exchanges: Sequence[Exchange], backend: str, *, summary: str | None = None, there: There = _always
) -> list[Said]:
    """The lines of the turns before, after a summary of those before them. An answer without text leaves only its question."""
    names = _Names()
    lines = [Said("user", f"[What was said here before, summed up:]\n{summary}")] if summary else []
    for exchange in exchanges:
        lines += [_said(place, message, names, there) for message in exchange.asked]
        blocks = exchange.blocks if exchange.backend == backend else None
        if exchange.text.strip():
            lines.append(Said("assistant", exchange.text, blocks))
    return lines


def system(prompt: str, place: Channel, chosen: str = "") -> str:
    """The operator's prompt with what the model has to know of the place, and after it what people have chosen."""
    further = f"\n\n{chosen}" if chosen.strip() else ""
    if place.kind == "direct":
        return f"{prompt}{further}"
    return (
        f"{prompt}\n\nSeveral people may write to you here. Each of their messages begins with the name of its author and a "
        "colon; its further lines are indented by two spaces. Do not begin your answers with a name."
    ) + further


def _said(place: Channel, message: Asked, names: _Names, there: There) -> Said:
    text = message.text
    if quoted := message.quoted:
        who = "you" if quoted.own else _other(_flat(quoted.name))
        said = quoted.text[:QUOTE_LIMIT]
        lines = [f"> {line}" for line in said.splitlines()]
        text = "\n".join([f"[in reply to what {who} wrote:]", *lines, "", text])
    text = "\n".join([text, *(_file(kept, there) for kept in message.files)]).strip()
    files = tuple(kept.material for kept in message.files if kept.material and there(kept.material))
    return Said("user", text if place.kind == "direct" else f"{names.of(message)}: {_indented(text)}", files=files)


def _file(kept: Kept, there: There) -> str:
    name = _flat(kept.attachment.name)
    where = " beside the message replied to" if kept.quoted else ""
    if kept.material is None:
        return f"[a file{where} that you cannot read: {name}]"
    if not there(kept.material):
        return f"[a file{where} that is no longer kept: {name}]"
    return f"[{'the beginning of ' if kept.material.cut else ''}a file{where}: {name}]"


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
