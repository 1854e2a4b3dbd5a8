"""Citations as links that read well in a chat: "… ([1](<address>), [2](<address>))". Pure.

The addresses come from the web: only plain http and https ones become links, and nothing in one can end the link.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

LONGEST = 500
"""Characters of an address; a longer one is no link."""

# Encoded although an address may hold them: they mean something to Markdown, or to a platform (@everyone).
_PLAIN = "-._~:/?#!$&'+,;=%"
_HOST = re.compile(r"[a-z0-9.-]+(:\d{1,5})?", re.IGNORECASE)


class Sources:
    """The numbers of the sources of one answer, in the order in which they were first named."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._pages: dict[str, str | None] = {}

    def fetched(self, title: str, url: str) -> None:
        """A page was read. Its citations name its title alone: two pages of one title are nobody's source."""
        self._pages[title] = url if self._pages.get(title, url) == url else None

    def links(self, citations: Sequence[Mapping[str, Any]]) -> str:
        """What stands behind a text with these citations: their links, each once, or nothing."""
        numbers: dict[int, str] = {}
        for citation in citations:
            url = safe(str(citation.get("url") or self._pages.get(str(citation.get("document_title"))) or ""))
            if url is not None:
                numbers[self._numbers.setdefault(url, len(self._numbers) + 1)] = url
        listed = ", ".join(f"[{number}](<{numbers[number]}>)" for number in sorted(numbers))
        return f" ({listed})" if listed else ""


def safe(url: str) -> str | None:
    """An address that is good for a link, or None. Raises nothing."""
    try:
        parts = urlsplit(url)
        host = parts.netloc.encode("idna").decode() if not parts.netloc.isascii() else parts.netloc
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not _HOST.fullmatch(host):
        return None
    rest = quote(urlunsplit(("", "", parts.path, parts.query, parts.fragment)), safe=_PLAIN, errors="replace")
    made = f"{parts.scheme}://{host}{rest}"
    return made if len(made) <= LONGEST else None
