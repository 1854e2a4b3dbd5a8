"""Texts and their entities, counted in UTF-16 code units (core.telegram.org/bots/api, MessageEntity)."""

import re
from collections.abc import Iterator, Sequence
from typing import cast

from sandbox.telegram.errors import bad
from sandbox.telegram.model import Json

MOST = 100
"""Entities beyond this are silently dropped (python-telegram-bot, constants.MessageLimit.MESSAGE_ENTITIES)."""
STYLES = frozenset(
    {
        "bold",
        "italic",
        "underline",
        "strikethrough",
        "spoiler",
        "blockquote",
        "expandable_blockquote",
        "code",
        "pre",
        "text_link",
        "text_mention",
        "custom_emoji",
    }
)
FOUND = frozenset({"mention", "hashtag", "cashtag", "bot_command", "url", "email", "phone_number"})
"""What the server finds by itself; given ones are ignored (tdlib/telegram-bot-api, Client.cpp, get_text_entity_type)."""
_GONE = "\r\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u0333\u033f\u030a"
"""Characters that are taken out (tdlib/td, misc.cpp, clean_input_string)."""
_CLEAN = str.maketrans({**dict.fromkeys(map(chr, range(32)), " "), "\n": "\n", **dict.fromkeys(_GONE, "")})
"""The same, and control characters, tabs too, become a space each."""
_BLANK = " \n\u00a0\u1680\u180e\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a" + (
    "\u200b\u200c\u200d\u200e\u200f\u202f\u205f\u2800\u3000\ufeff\ufffc"
)
"""A text of nothing but these is empty (tdlib/td, misc.cpp, strip_empty_characters)."""
_MORE = {"text_link": "url", "text_mention": "user", "custom_emoji": "custom_emoji_id"}
_FINDERS = (
    ("url", re.compile(r"https?://[^\s<>\"]*[^\s<>\".,;:!?)\]]")),
    ("bot_command", re.compile(r"(?<![\w/<>@.])/[A-Za-z0-9_]{1,64}(?:@[A-Za-z0-9_]{3,32})?(?![\w/])")),
    ("mention", re.compile(r"(?<![\w@.])@[A-Za-z0-9_]{3,32}(?!\w)")),
    ("hashtag", re.compile(r"(?<!\w)#\w*[^\W\d]\w*")),
)


def units(text: str) -> int:
    """The length of a text in UTF-16 code units."""
    return len(text) + sum(ord(each) > 0xFFFF for each in text)


def piece(text: str, entity: Json) -> str:
    """The part of a text that an entity covers."""
    raw = text.encode("utf-16-le")
    return raw[2 * entity["offset"] : 2 * (entity["offset"] + entity["length"])].decode("utf-16-le", "replace")


def formatted(text: str, given: object = None) -> tuple[str, list[Json]]:
    """The text as it is kept, and its entities: checked ones that were given, and those that the server finds itself.

    It is cleaned, and space is cut off at the end, and at the start as far as no entity begins there (tdlib/td,
    MessageEntity.cpp, fix_formatted_text). Raises `ApiError` for entities that are not well formed or not inside the text.
    """
    styled = [_moved(each, text) for each in _checked(text, given)]
    text = text.translate(_CLEAN)
    kept = text.rstrip(" \n") if text.strip(_BLANK) else ""
    first = min((each["offset"] for each in styled), default=units(kept))
    start = min(len(kept) - len(kept.lstrip(" \n")), first)
    kept, end = kept[start:], units(kept) - start
    moved = [
        each | {"offset": each["offset"] - start, "length": min(each["length"], end + start - each["offset"])} for each in styled
    ]
    styled = [each for each in moved if each["length"] > 0]
    everything = [*styled, *_found(kept, styled)]
    everything.sort(key=lambda each: (each["offset"], -each["length"]))
    return kept, everything[:MOST]


def _checked(text: str, given: object) -> list[Json]:
    if given is None:
        return []
    if not isinstance(given, list):
        raise bad("can't parse entities: expected an Array")
    borders = set(_borders(text))
    end = units(text)
    kept = [checked for each in cast("list[object]", given) if (checked := _one(each, text, borders, end)) is not None]
    blocks = [(each["offset"], each["offset"] + each["length"]) for each in kept if each["type"] in ("pre", "code")]
    return [each for each in kept if not _inside(each, blocks)]


def _one(given: object, text: str, borders: set[int], end: int) -> Json | None:
    if not isinstance(given, dict):
        raise bad("can't parse entities: expected an Object")
    entity = cast("Json", given)
    kind, begin, length = entity.get("type"), entity.get("offset"), entity.get("length")
    if not isinstance(begin, int) or not isinstance(length, int) or not isinstance(kind, str):
        raise bad("can't parse entities: fields type, offset and length are required")
    if kind in FOUND:
        return None
    needed = _MORE.get(kind)
    if kind not in STYLES or (needed is not None and not entity.get(needed)):
        raise bad("can't parse entities: unsupported type specified")
    if begin < 0 or begin > 1_000_000:
        raise bad(f"receive an entity with incorrect offset {begin}")
    if length < 0 or length > 1_000_000:
        raise bad(f"receive an entity with incorrect length {length}")
    if length == 0:
        return None
    # The texts: tdlib/td, MessageEntity.cpp, fix_entity_offsets; the byte offset is that after the symbol (telego issue 94).
    last = begin + length
    if begin > end:
        raise bad(f"entity begins after the end of the text at UTF-16 offset {begin}")
    if begin not in borders:
        raise bad(f"entity begins in a middle of a UTF-16 symbol at byte offset {_bytes(text, begin)}")
    if last > end:
        raise bad(f"entity beginning at UTF-16 offset {begin} ends after the end of the text at UTF-16 offset {last}")
    if last not in borders:
        where = f"at byte offset {_bytes(text, last)}"
        raise bad(f"entity beginning at UTF-16 offset {begin} ends in a middle of a UTF-16 symbol {where}")
    names = ("type", "offset", "length", "language", *([needed] if needed else []))
    return {name: entity[name] for name in names if name in entity}


def _moved(entity: Json, text: str) -> Json:
    """An entity where it is once the characters that are taken out are gone."""
    begin, covered = entity["offset"], piece(text, entity)
    before = piece(text, {"offset": 0, "length": begin})
    return entity | {"offset": begin - _gone(before), "length": entity["length"] - _gone(covered)}


def _gone(text: str) -> int:
    return sum(each in _GONE for each in text)


def _inside(entity: Json, blocks: Sequence[tuple[int, int]]) -> bool:
    """Whether it lies in code, which holds no other entity (core.telegram.org/bots/api, Formatting options)."""
    begin, end = entity["offset"], entity["offset"] + entity["length"]
    whole = entity["type"] in ("pre", "code")
    return any(low <= begin and end <= high and not (whole and (low, high) == (begin, end)) for low, high in blocks)


def _bytes(text: str, inside: int) -> int:
    """The UTF-8 offset after the symbol in whose middle a UTF-16 offset is."""
    return len(text.encode("utf-16-le")[: 2 * (inside + 1)].decode("utf-16-le").encode())


def _borders(text: str) -> Iterator[int]:
    at = 0
    yield at
    for each in text:
        at += 2 if ord(each) > 0xFFFF else 1
        yield at


def _found(text: str, styled: Sequence[Json]) -> list[Json]:
    at = list(_borders(text))
    closed = ("pre", "code", "text_link", "text_mention")
    taken = [(each["offset"], each["offset"] + each["length"]) for each in styled if each["type"] in closed]
    found: list[Json] = []
    for kind, finder in _FINDERS:
        for match in finder.finditer(text):
            begin, end = at[match.start()], at[match.end()]
            if all(end <= low or begin >= high for low, high in taken):
                taken.append((begin, end))
                found.append({"type": kind, "offset": begin, "length": end - begin})
    return found
