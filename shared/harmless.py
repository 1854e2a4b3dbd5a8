"""What others wrote, put into sentences of ours: it must not break markup, mention anyone or turn the line around."""

import re

_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")
"""Control characters, and those that change the direction of a line or cannot be seen."""

_SPOKEN = re.compile(r"[^\w .'-]|_")


def flat(text: str, most: int) -> str:
    """The first `most` characters of a text, on one line, with nothing in it that cannot be seen."""
    words = " ".join(_UNSEEN.sub(" ", text).split())
    return words if len(words) <= most else f"{words[:most].rstrip()}…"


def code(text: str, most: int = 60) -> str:
    """The first words of a text as a code span, in which no markup works."""
    return f"`{flat(text.replace('`', chr(39)), most) or '…'}`"


def fenced(text: str) -> str:
    """A text as a code block, line by line, in which no markup works; three backticks in it become other signs."""
    lines = [_UNSEEN.sub("", line).replace("```", "'''").rstrip() for line in text.splitlines()]
    return "\n".join(("```", *lines, "```"))


def plain(name: str, most: int = 40) -> str:
    """A name without anything that could be markup or a mention, on one line."""
    return " ".join(_SPOKEN.sub(" ", name).split())[:most].rstrip() or "someone"
