"""PDFs: whether a model's service would take one. They are passed on as they are."""

import logging
import time
from io import BytesIO
from pathlib import Path

from pypdf import PdfReader, apply_configuration
from pypdf.generic import DictionaryObject

from shared.files.unfit import Unfit

PAGES = 100
"""Most pages (Anthropic documentation, PDF support)."""

BYTES = 20_000_000
"""Most bytes: a request has at most 32 MB (Anthropic documentation, PDF support), which base64 fills with 24 MB. The rest is room
for what else is said."""

SECONDS = 5.0
"""Most processor time for counting the pages: real documents take less than one second, and one made to be slow takes minutes."""

# It writes a line for every flaw that it can work around, with bits of the file in it.
logging.getLogger("pypdf").setLevel(logging.CRITICAL)


def pages(path: Path, seconds: float = SECONDS) -> int:
    """The number of pages of a PDF, from 1 to `PAGES`. Counting takes at most about so many seconds of a processor.

    Raises `Unfit` ("size", "broken", "encrypted" or "pages") and `OSError` if the file cannot be opened. A PDF that
    opens without a password but forbids printing or copying is "encrypted", too: none of these is taken.
    """
    if path.stat().st_size > BYTES:
        raise Unfit("size")
    file = _Timed(path.read_bytes(), seconds)
    try:
        with apply_configuration(page_tree_maximum_entries=20 * PAGES, zlib_maximum_output_length=BYTES):
            count = _count(PdfReader(file, root_object_recovery_limit=1000))
    except Unfit:
        raise
    except Exception as error:
        # The parser raises whatever a damaged file makes it stumble over, of any class.
        raise Unfit("broken") from error
    if count < 1:
        raise Unfit("broken")
    if count > PAGES:
        raise Unfit("pages")
    return count


class _Timed(BytesIO):
    """A file that can no longer be read once its reader has had its time: a thread cannot be ended from outside."""

    def __init__(self, data: bytes, seconds: float) -> None:
        super().__init__(data)
        self._until = time.thread_time() + seconds

    def read(self, size: int | None = -1, /) -> bytes:
        if time.thread_time() > self._until:
            raise Unfit("broken")
        return super().read(size)


def _count(reader: PdfReader) -> int:
    if reader.is_encrypted:
        raise Unfit("encrypted")
    # What the file says of itself may be wrong, but a long one need not be walked through.
    tree = reader.root_object.get("/Pages")
    found = tree.get_object() if tree is not None else None
    said = found.get("/Count") if isinstance(found, DictionaryObject) else None
    if isinstance(said, int) and said > 10 * PAGES:
        return said
    return len(reader.pages)
