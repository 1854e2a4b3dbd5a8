"""The commands that people can write, and how a text is recognised as one."""

from typing import Literal, cast, get_args

Command = Literal["stop", "new"]
COMMANDS: frozenset[str] = frozenset(get_args(Command))


def parse(text: str) -> Command | None:
    """The command that the whole text is, or None: a slash, then the name in any case, nothing else.

    A slash in front of anything else is an ordinary text: people do talk about paths.
    """
    word = text.strip().lower()
    if word.startswith("/") and word[1:] in COMMANDS:
        return cast(Command, word[1:])
    return None
