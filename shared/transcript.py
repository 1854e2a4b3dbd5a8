"""The transcript as a backend gets it. Pure.

In a direct chat a line is what the person wrote. Everywhere else it begins with the speaker's name, from the first message on:
a conversation that a second person joins must not change the lines before (and with them the backend's prompt cache).
"""

from collections.abc import Sequence

from shared.backends import Said
from shared.chat import Channel
from shared.store import Asked, Exchange

QUOTE_LIMIT = 4000
"""Characters of a quoted message that are handed on."""


def asked(place: Channel, messages: Sequence[Asked]) -> list[Said]:
    """The lines that a turn asks."""
    return [Said("user", _line(place, message)) for message in messages]


def history(place: Channel, exchanges: Sequence[Exchange], backend: str) -> list[Said]:
    """The lines of the turns before. An answer without text leaves only its question."""
    lines: list[Said] = []
    for exchange in exchanges:
        lines += asked(place, exchange.asked)
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
        "colon. Do not begin your answers with a name."
    )


def _line(place: Channel, message: Asked) -> str:
    text = message.text
    files = [f"[a file that you cannot read: {_flat(file.name)}]" for file in message.attachments]
    if quoted := message.quoted:
        who = "you" if quoted.own else _flat(quoted.name)
        said = quoted.text[:QUOTE_LIMIT]
        text = f"[in reply to what {who} wrote:]\n" + "\n".join(f"> {line}" for line in said.split("\n")) + f"\n\n{text}"
    text = "\n".join([text, *files]).strip()
    return text if place.kind == "direct" else f"{_flat(message.name)}: {text}"


def _flat(name: str) -> str:
    """A name on one line and of a sane length: it is hostile text."""
    return " ".join(name.replace(":", " ").split())[:80] or "someone"
