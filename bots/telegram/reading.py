"""What people wrote, as they see it: a text with its entities as plain text. Pure.

Offsets and lengths of entities count UTF-16 code units (core.telegram.org/bots/api, MessageEntity).
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from telegram import MessageEntity

_OWN_FIRST = re.compile(r"^\s*\0[\s\0]*[,:]?")
_OWN_BEFORE_SIGN = re.compile(r"[ \t]*\0(?=[ \t]*[,.:;!?])")
_OWN = re.compile(r"[ \t]*\0[ \t]*")
"""The bot's own mention, once it has become a NUL."""


@dataclass(frozen=True, slots=True)
class Me:
    """The bot, as people name it."""

    id: int
    username: str

    def named(self, word: str) -> bool:
        """Whether a word is its username, with or without the sign in front; case does not matter."""
        return word.removeprefix("@").lower() == self.username.lower()


@dataclass(frozen=True, slots=True)
class Written:
    """A text as people see it, and whom it is meant for."""

    text: str
    mentioned: bool = False
    """Whether it names the bot."""
    command: str = ""
    """The command that it begins with, in small letters and without the slash; empty where there is none."""
    other: bool = False
    """Whether that command is given to another bot."""


@dataclass(frozen=True, slots=True)
class _Piece:
    text: str
    entity: MessageEntity | None = None


def written(text: str, entities: Sequence[MessageEntity], me: Me) -> Written:
    """Read a text: without the mention of the bot, code as Markdown has it, and with the addresses of links."""
    text = text.replace("\0", "")
    mentioned, command, other, parts = False, "", False, list[str]()
    for piece in _pieces(text, entities):
        entity, shown = piece.entity, piece.text
        if entity is None:
            parts.append(shown)
        elif _names(entity, shown, me):
            mentioned = True
            parts.append("\0")
        elif entity.type == "bot_command" and entity.offset == 0:
            name, _, bot = shown.removeprefix("/").partition("@")
            command, other = name.lower(), bool(bot) and not me.named(bot)
            mentioned = mentioned or (bool(bot) and not other)
            parts.append(shown if other else f"/{command}")
        else:
            parts.append(_marked(entity, shown))
    whole = _OWN.sub(" ", _OWN_BEFORE_SIGN.sub("", _OWN_FIRST.sub("", "".join(parts))))
    return Written(whole.strip(), mentioned, command, other)


def _names(entity: MessageEntity, shown: str, me: Me) -> bool:
    if entity.type == "text_mention":
        return entity.user is not None and entity.user.id == me.id
    return entity.type == "mention" and me.named(shown)


def _marked(entity: MessageEntity, shown: str) -> str:
    match entity.type:
        case "text_link":
            address = entity.url or ""
            return shown if not address or address.rstrip("/") == shown.rstrip("/") else f"{shown} ({address})"
        case "code":
            return shown if "`" in shown else f"`{shown}`"
        case "pre":
            fence = "```" if "```" not in shown else "````"
            return f"\n{fence}{entity.language or ''}\n{shown}\n{fence}\n"
        case _:
            return shown


def _pieces(text: str, entities: Sequence[MessageEntity]) -> Iterator[_Piece]:
    """The text cut at the entities that mean something here; of those that overlap the first counts."""
    units = text.encode("utf-16-le", "surrogatepass")
    at = 0
    for entity in sorted(entities, key=lambda each: (each.offset, -each.length)):
        begin, end = 2 * entity.offset, 2 * (entity.offset + entity.length)
        if entity.type not in _READ or begin < at or end > len(units) or end <= begin:
            continue
        yield _Piece(_text(units[at:begin]))
        yield _Piece(_text(units[begin:end]), entity)
        at = end
    yield _Piece(_text(units[at:]))


_READ = frozenset({"mention", "text_mention", "bot_command", "text_link", "code", "pre"})


def _text(units: bytes) -> str:
    return units.decode("utf-16-le", "replace")
