"""The files that the model has made in its sandbox: found by their names, fetched and kept with our own.

The web API does not list them. Their places stand in what the model's tools were given and gave back, and in its answer.
"""

import mimetypes
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, cast
from urllib.parse import unquote

import structlog

from shared.backends import Made
from shared.claude_web import ClaudeClient, ClaudeWebAPIError
from shared.claude_web.constants import OUTPUTS
from shared.errors import TooLarge, Unavailable
from shared.files.blobs import Blobs
from shared.files.material import safe_name

from .config import ClaudeWebConfig
from .failures import describe

log = structlog.get_logger(__name__)

LONGEST = 300
"""Characters of a place in the sandbox."""

_WORD = re.compile(re.escape(OUTPUTS) + r"/[^\s\"'`<>()\[\]{}|*?\\,;]+")


def places(worked: Iterable[str], said: str) -> list[str]:
    """The files in the folder for results that are named, each once, in order: by what tools were given and gave back
    (`worked`), where a text may be a place as a whole, and in the answer (`said`).
    """
    found: dict[str, None] = {}
    for text in worked:
        whole = text.strip()
        if whole.startswith(f"{OUTPUTS}/") and whole.count(OUTPUTS) == 1 and "\n" not in whole and len(whole) <= LONGEST:
            found[whole] = None
        else:
            found.update(_words(text))
    found.update(_words(said))
    return [place for place in found if _is_file(place)]


def worked(message: Mapping[str, Any]) -> Iterator[str]:
    """Every text in the blocks of a message as claude.ai keeps it, but for what was said: inputs and results of tools."""
    content: object = message.get("content")
    for block in _list(content):
        if isinstance(block, dict) and cast("dict[str, Any]", block).get("type") != "text":
            yield from _strings(cast("dict[str, Any]", block))


async def fetch(client: ClaudeClient, blobs: Blobs, config: ClaudeWebConfig, conversation: str, place: str) -> Made | None:
    """One file, kept; None if it cannot be had, which is in the log then."""
    name = safe_name(place)
    try:
        blob = await blobs.put(client.open_file(conversation, place), most=config.made_bytes)
    except TooLarge:
        log.warning("a file that the model has made is too large", most=config.made_bytes)
    except (ClaudeWebAPIError, ValueError) as error:
        # A name that was only spoken of is no file: that is nothing to worry about.
        detail = describe(error) if isinstance(error, ClaudeWebAPIError) else "no name of a file"
        log.info("a file that the model has named could not be fetched", detail=detail)
    except Unavailable as failure:
        log.warning("a file that the model has made could not be kept", detail=failure.detail)
    else:
        return Made(name, mimetypes.guess_type(name)[0] or "application/octet-stream", blob.digest, blob.size)
    return None


def _words(text: str) -> dict[str, None]:
    return {unquote(match.group()).rstrip(".:!"): None for match in _WORD.finditer(text)}


def _is_file(place: str) -> bool:
    rest = place.removeprefix(f"{OUTPUTS}/")
    return bool(rest) and not rest.endswith("/") and ".." not in rest.split("/") and place.isprintable()


def _strings(value: object) -> Iterator[str]:
    left: list[object] = [value]
    while left:
        each = left.pop()
        if isinstance(each, str):
            yield each
        elif isinstance(each, dict):
            left += reversed(list(cast("dict[str, object]", each).values()))
        elif isinstance(each, list):
            left += reversed(cast("list[object]", each))


def _list(value: object) -> Sequence[object]:
    return cast("list[object]", value) if isinstance(value, list) else ()
