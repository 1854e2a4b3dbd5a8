"""The files that code has made at the API's side: fetched while they are there, and kept with our own."""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing

import structlog

from shared.backends import Made
from shared.errors import TooLarge, Unavailable
from shared.files.blobs import Blobs
from shared.files.material import safe_name

from .config import AnthropicConfig
from .wire import FileInfo, TroubleError, Wire

log = structlog.get_logger(__name__)

LONGEST = 60.0
"""Seconds for one file."""


class NotFetched(Exception):
    """A file cannot be had. `text` says so to people."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


async def fetch(wire: Wire, blobs: Blobs, config: AnthropicConfig, file: str) -> Made:
    """One file, kept. Raises `NotFetched`, which is in the log already."""
    info: FileInfo | None = None
    try:
        async with asyncio.timeout(LONGEST):
            info = await wire.file(file)
            async with aclosing(wire.content(file)) as pieces:
                blob = await blobs.put(pieces, most=config.made_bytes)
    except TooLarge:
        log.warning("a file that the model has made is too large", file=file, most=config.made_bytes)
        raise NotFetched(f"{_called(info)} is too large to be fetched.") from None
    except TroubleError as error:
        detail = error.trouble.describe(hide=config.secrets)
    except Unavailable as failure:
        detail = failure.detail
    except TimeoutError:
        detail = f"not there after {LONGEST:g} s"
    else:
        return Made(info.name, info.media_type, blob.digest, blob.size)
    log.warning("a file that the model has made could not be fetched", file=file, detail=detail)
    raise NotFetched(f"{_called(info)} could not be fetched.")


def told(lost: Sequence[str], left_out: int) -> str:
    """What is said at the end of the text about files that people do not get; empty if they get all."""
    lines = [*lost, f"{left_out} more files were made and not fetched."] if left_out > 0 else lost
    return "\n\n" + "\n".join(f"({line})" for line in lines) if lines else ""


def _called(info: FileInfo | None) -> str:
    if info is None:
        return "A file that was made"
    name = safe_name(info.name).replace("`", "'")
    return f"The file `{name}`"
