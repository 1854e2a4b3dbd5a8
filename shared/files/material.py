"""What the model gets of a file that a person sent: a picture, a document or text, or the reason why it gets nothing.

The bytes decide what a file is. Pictures and documents stay in the blob store and are referred to; text is carried along.
The same file always gives the same material, so that a conversation is sent again word for word.
"""

import asyncio
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar

from shared.errors import Gone, Unavailable
from shared.files.blobs import Blob, Blobs
from shared.files.kinds import HEAD, image_format, kind
from shared.files.unfit import Unfit

if TYPE_CHECKING:
    from shared.files.images import Picture

T = TypeVar("T")

TEXT = 100_000
"""Characters of text that are taken unless told otherwise: about 25 000 tokens of English."""

NAME = 80
"""Most characters of a name."""

# Threads of their own, two at a time: what one file takes in time and memory is bounded, and so is the whole. A caller that is
# cancelled frees no place, since its thread goes on.
_HANDS = ThreadPoolExecutor(max_workers=2, thread_name_prefix="material")


@dataclass(frozen=True, slots=True)
class Material:
    """A file as the model gets it.

    `name` is safe to show; `size` is in bytes, of what the model gets. An image or a PDF is the blob `digest`; text is `text`.
    """

    kind: Literal["image", "pdf", "text"]
    name: str
    media_type: Literal["image/jpeg", "image/png", "image/gif", "image/webp", "application/pdf", "text/plain"]
    size: int
    digest: str = ""
    text: str = ""
    """Ends with a line that says so if it was cut."""
    cut: bool = False
    """This is only the beginning: the first characters of a text, the first frame of an animation, the first of several pages."""
    width: int = 0
    height: int = 0
    """In pixels, of an image."""
    pages: int = 0
    """Of a PDF."""


async def prepare(blobs: Blobs, blob: Blob, *, name: str, media_type: str, most_characters: int = TEXT) -> Material:
    """Make a kept file fit for the model. `name` and `media_type` are what was declared, `most_characters` bounds text.

    Raises `Unfit` with the reason if the model can be given nothing of it, `Gone` if the file is no longer kept, and
    `Unavailable` if the disk fails. Two files are worked on at a time, in threads.
    """
    path = blobs.path(blob.digest)
    head = await _work(lambda: _head(path))
    match kind(head, media_type):
        case "image":
            return await _image(blobs, path, image_format(head) or "", name)
        case "pdf":
            return Material(
                "pdf", safe_name(name), "application/pdf", blob.size, blob.digest, pages=await _work(lambda: _pages(path))
            )
        case "text":
            return await _work(lambda: _text(path, blob, name, media_type, most_characters))
        case "binary":
            raise Unfit("type")
        case media:
            raise Unfit(media)


def safe_name(name: str) -> str:
    """A name to show to people and models: its last path part, in one line, without control characters; 1 to `NAME` characters.

    The end stays if it is too long, since it tells the kind of the file.
    """
    last = name.replace("\\", "/").rstrip("/").rpartition("/")[2]
    visible = "".join(" " if each.isspace() else each for each in last if each.isspace() or _visible(each))
    tidy = " ".join(visible.split())
    if len(tidy) > NAME:
        stem, dot, ending = tidy.rpartition(".")
        end = dot + ending if stem and len(ending) <= 10 else ""
        tidy = tidy[: NAME - len(end) - 1].rstrip(". ") + "…" + end
    return tidy if tidy.strip(". ") else "file"


def _visible(each: str) -> bool:
    # Control characters, marks of direction that let "gpj.exe" read "exe.jpg", lone surrogates, unassigned ones.
    return unicodedata.category(each) not in ("Cc", "Cf", "Cs", "Cn", "Co")


async def _work(work: Callable[[], T]) -> T:
    return await asyncio.get_running_loop().run_in_executor(_HANDS, lambda: _explained(work))


def _explained(work: Callable[[], T]) -> T:
    """No exception of the operating system leaves."""
    try:
        return work()
    except FileNotFoundError as error:
        raise Gone("the file is no longer kept") from error
    except OSError as error:
        raise Unavailable(f"a kept file cannot be read: {error.strerror or type(error).__name__}") from error


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(HEAD)


# The libraries for each kind are imported when the first such file comes: they take half a second together.


async def _image(blobs: Blobs, path: Path, form: str, name: str) -> Material:
    fit = await _work(lambda: _fit(path, form))
    kept = await blobs.put_bytes(fit.data)
    return Material(
        "image", safe_name(name), fit.media_type, kept.size, kept.digest, cut=fit.first, width=fit.width, height=fit.height
    )


def _fit(path: Path, form: str) -> "Picture":
    from shared.files import images

    return images.fit(path, form)


def _pages(path: Path) -> int:
    from shared.files import documents

    return documents.pages(path)


def _text(path: Path, blob: Blob, name: str, media_type: str, most: int) -> Material:
    from shared.files import texts

    try:
        found = texts.read(path, media_type, most)
    except Unfit as unfit:
        declared = media_type.lower().partition("/")[0]
        # A container that is not known, but was declared as what it can only be.
        if unfit.reason == "type" and declared in ("audio", "video"):
            raise Unfit("audio" if declared == "audio" else "video") from unfit
        raise
    text = found.text + _rest(len(found.text), blob.size) if found.cut else found.text
    return Material("text", safe_name(name), "text/plain", len(text.encode()), text=text, cut=found.cut)


def _rest(characters: int, size: int) -> str:
    return (
        f"\n[The file goes on. These are its first {characters} characters; it has {size} bytes. The rest was not given to you.]"
    )
