"""The files that people sent: which of them a request still holds, and what they look like in it. Pure.

A request holds so much and no more. Which files stay is worked out from the beginning of the conversation on, and when one
comes that is too much, older ones go until half of the limit is free: so the beginning of a request stays the same for many
turns, and the API's cache of it holds.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.backends import Said
from shared.files.material import Material

REQUEST = 31_000_000
"""Bytes of a request. The API takes 32 MB (Anthropic developer docs, "Request size limits"); the rest is for tools and such."""

MEDIA = 100
"""Images, and pages of PDFs, of a request (Anthropic developer docs, "PDF support" and "Vision"). Newer models may take more."""

LARGE, FEW = 2_000, 20
"""Pixels of an image's edge that the API takes if there are more than so many images (Anthropic developer docs, "Vision")."""

LEFT_OUT = "(A file that was sent here is no longer shown.)"
LOST = "(A file that was sent here is no longer kept.)"

Place = tuple[int, int]
"""Number of the line, number of the file in it."""


@dataclass(frozen=True, slots=True)
class _Held:
    place: Place
    bytes: int
    media: int
    image: bool
    large: bool


def held(lines: Sequence[Said]) -> frozenset[Place]:
    """The files that a request with these lines holds. The newest win."""
    kept: list[_Held] = []
    words = 0
    for number, said in enumerate(lines):
        words += _size(said)
        for at, file in enumerate(said.files):
            kept.append(_weigh((number, at), file))
            kept = _fitting(kept, words)
        kept = _fitting(kept, words)
    return frozenset(each.place for each in kept)


def block(file: Material, data: Mapping[str, str]) -> dict[str, Any]:
    """A file as a block. `data` is the base64 text of what is kept, by its hash; a file that is not there is said to be lost."""
    if file.kind == "text":
        if not file.text.strip():
            return {"type": "text", "text": LOST}
        source: dict[str, Any] = {"type": "text", "media_type": "text/plain", "data": file.text}
        return {"type": "document", "source": source, "title": file.name}
    encoded = data.get(file.digest)
    if encoded is None:
        return {"type": "text", "text": LOST}
    source = {"type": "base64", "media_type": file.media_type, "data": encoded}
    if file.kind == "image":
        return {"type": "image", "source": source}
    return {"type": "document", "source": source, "title": file.name}


def tokens(file: Material) -> int:
    """About how many tokens a file takes in (Anthropic developer docs, "Vision" and "PDF support")."""
    match file.kind:
        case "image":
            return -(-file.width * file.height // 750) or 1_600
        case "pdf":
            return 3_000 * max(1, file.pages)
        case "text":
            return -(-len(file.text.encode("utf-8", "replace")) // 4)


def _fitting(kept: list[_Held], words: int) -> list[_Held]:
    """What stays of some files, oldest first, of which the last one's line has just come."""
    if not kept or _fits(kept, words, 1):
        return kept
    newest = kept[-1].place[0]
    # Half of the room is made by older lines' files; those of the newest line go only if they would not fit otherwise.
    while kept[0].place[0] < newest and not _fits(kept, words, 2):
        kept = kept[1:]
    while kept and not _fits(kept, words, 1):
        kept = kept[1:]
    return kept


def _fits(kept: Sequence[_Held], words: int, part: int) -> bool:
    crowded = sum(each.image for each in kept) > FEW and any(each.large for each in kept)
    total = sum(each.bytes for each in kept)
    return not crowded and total <= (REQUEST - words) // part and sum(each.media for each in kept) <= MEDIA // part


def _weigh(place: Place, file: Material) -> _Held:
    if file.kind == "text":
        return _Held(place, len(file.text.encode("utf-8", "replace")), 0, image=False, large=False)
    encoded = -(-file.size // 3) * 4
    image = file.kind == "image"
    return _Held(place, encoded, 1 if image else max(1, file.pages), image=image, large=max(file.width, file.height) > LARGE)


def _size(said: Said) -> int:
    """Bytes of a line in a request, without its files."""
    if said.blocks:
        return len(json.dumps(said.blocks, ensure_ascii=False).encode("utf-8", "replace"))
    return len(said.text.encode("utf-8", "replace")) + 100
