"""The markup within a paragraph, read by telegramify-markdown, with nothing in it that Telegram would take for more than text.

What the library would drop (HTML, definitions of links) or take for something of its own (spoilers, formulas) is held before it
as characters that stand for nothing (Unicode: noncharacters, U+FDD0 to U+FDEF), one for one, and put back afterwards.
"""

from __future__ import annotations

import re
from functools import lru_cache

from telegramify_markdown import RenderConfig, convert

from bots.telegram.pieces import Change, Piece, Span, apart, changed, units

_PUT = "<|$=-_*~&\\"
_HELD = "".join(chr(0xFDD0 + index) for index in range(len(_PUT)))
_UNLABELLED, _FIRST = "\ufdde", "\ufddf"
NONCHARACTERS = "\ufdd0-\ufdef"
"""What must not stand in a text that is read here, as the inside of a regular expression's set."""

_HOLD = str.maketrans(_PUT, _HELD)
_GIVE = str.maketrans(_HELD, _PUT)
_ALWAYS = str.maketrans(_PUT[:3], _HELD[:3])
_UNDERLINE = re.compile(r"^[ \t]*(?:=+|-+)[ \t]*$", re.MULTILINE)
_ADDRESS = re.compile(r"https?://[^\s<>()\[\]`\"\ufdd0-\ufdef]*[^\s<>()\[\]`\"\ufdd0-\ufdef*_~.,;:!?\\]")
_IN_ADDRESS = re.compile(r"[_*~\\]|&(?!amp;)")
_POINTED = re.compile(r"(`++).*?(?<!`)\1(?!`)|\]\(<(https?://[^\s<>]*+)>\)", re.DOTALL)
"""Code, or the end of a link whose address stands in angle brackets."""
_ENCODED = {ord("("): "%28", ord(")"): "%29"}
_NO_LABEL = re.compile(r"\[[ \t]*\](?=\()")
_WEB = re.compile(r"https?://[^\s/?#]", re.IGNORECASE)
_PING = re.compile(r"(?<!\w)@(?=\w)")
_IN_PATH = re.compile(r"https?://[^\s/?#]+[/?#][\w.~%+&=/?#@-]*\Z")
"""Before an `@` that belongs to an address for certain."""

_LONGEST_ADDRESS = 300
_ZERO_WIDTH = "\u200b"
_KINDS = frozenset({"bold", "italic", "strikethrough", "code", "text_link"})


def _config() -> RenderConfig:
    config = RenderConfig.isolated()
    config.cite_expandable = False
    config.markdown_symbol.image = ""
    return config


_CONFIG = _config()


@lru_cache(maxsize=512)  # a growing reply is rendered with every step; its finished paragraphs stay the same
def inline(markdown: str) -> Piece:
    """A paragraph as Telegram shows it. Its text has at most the paragraph's length and one more for each `@`.

    Images are links. A link that does not lead into the web shows where it leads, as Telegram drops such links. HTML stays as
    it is written. A name after `@` notifies nobody: a character without width parts them, though not in code and addresses.
    """
    piece = _read(markdown)
    if units(piece.text) > units(markdown) + markdown.count("@"):
        return unread(markdown)
    return piece


def unread(markdown: str) -> Piece:
    """The same text without any markup read."""
    return _without_pings(Piece(markdown))


def _read(markdown: str) -> Piece:
    text = _POINTED.sub(_bare, markdown) if "](<" in markdown else markdown
    text = text.translate(_ALWAYS)
    if "://" in text:
        text = _ADDRESS.sub(_held_address, text)
    if "=" in text or "-" in text:
        text = _UNDERLINE.sub(lambda found: found[0].translate(_HOLD), text)
    if "](" in text:
        text = _NO_LABEL.sub(f"[{_UNLABELLED}]", text)
    # The first line begins with a word, so that nothing in it begins a list, code or a definition.
    shown, entities = convert(f"{_FIRST} {text}", latex_escape=False, config=_CONFIG)
    shown = shown.translate(_GIVE)
    index = _indices(shown)
    spans = [
        Span(each.type, index[each.offset], index[each.offset + each.length], each.url and each.url.translate(_GIVE))
        for each in entities
        if each.type in _KINDS
    ]
    changes = [Change(0, 2, ""), *_links(shown, spans)] if shown.startswith(f"{_FIRST} ") else [*_links(shown, spans)]
    spans = [span for span in spans if span.kind != "text_link" or _is_web(span, shown)]
    return _without_pings(changed(shown, apart(spans), sorted(changes)))


def _bare(found: re.Match[str]) -> str:
    """The end of a link with its address as it is; in angle brackets, which are held, it would not be read."""
    address: str | None = found[2]
    return found[0] if address is None else f"]({address.translate(_ENCODED)})"


def _held_address(found: re.Match[str]) -> str:
    return _IN_ADDRESS.sub(lambda sign: sign[0].translate(_HOLD), found[0])


def _indices(text: str) -> range | list[int]:
    """The index of a character by its offset in UTF-16 code units."""
    size = units(text)
    if size == len(text):
        return range(size + 1)
    found: list[int] = []
    for index, each in enumerate(text):
        found += (index, index) if ord(each) > 0xFFFF else (index,)
    return [*found, len(text)]


def _links(text: str, spans: list[Span]) -> list[Change]:
    changes: dict[int, Change] = {}
    for span in spans:
        if span.kind != "text_link" or not span.url:
            continue
        label = text[span.start : span.end]
        if label.strip(_UNLABELLED) == "":
            changes[span.start] = Change(span.start, span.end, span.url)
        elif not _WEB.match(span.url) and not span.url.startswith("#"):
            changes.setdefault(span.end, Change(span.end, span.end, f" ({span.url})"))
    taken = {change.start for change in changes.values()}
    for found in re.finditer(_UNLABELLED, text):
        if found.start() not in taken:
            changes[found.start()] = Change(found.start(), found.end(), "")
    return list(changes.values())


def _is_web(span: Span, text: str) -> bool:
    return bool(span.url and _WEB.match(span.url)) and text[span.start : span.end].strip(_UNLABELLED) != ""


def _without_pings(piece: Piece) -> Piece:
    if "@" not in piece.text:
        return piece
    code = [(span.start, span.end) for span in piece.spans if span.kind == "code"]
    changes = [
        Change(found.end(), found.end(), _ZERO_WIDTH)
        for found in _PING.finditer(piece.text)
        if not any(start <= found.start() < end for start, end in code) and not _in_address(piece.text, found.start())
    ]
    return changed(piece.text, piece.spans, changes)


def _in_address(text: str, at: int) -> bool:
    start = max(0, at - _LONGEST_ADDRESS)
    return "://" in text[start:at] and _IN_PATH.search(text[start:at]) is not None
