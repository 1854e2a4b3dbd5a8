"""Images and documents of a request, held against the API's limits.

Anthropic developer docs: "Vision", "PDF support", "Files". The 5 MB are those of the base64 text, as the API's own error counts.
"""

import base64
import binascii
from collections.abc import Callable, Sequence

from .blocks import JsonObject, Placed, object_of
from .errors import Refusal, invalid
from .media import is_encrypted, is_pdf, media_type_of, pages_of, size_of
from .models import Model

_TYPES = ("image/jpeg", "image/png", "image/gif", "image/webp")
_LARGEST_IMAGE = 5 * 1024 * 1024
_MOST_PIXELS = 8_000
_MOST_PIXELS_OF_MANY = 2_000
_MANY = 20
_MOST_PAGES = 100


def check_attachments(blocks: Sequence[Placed], model: Model, has_file: Callable[[str], bool]) -> Refusal | None:
    """Look at every image and document, those in results of tools too."""
    placed = [(place, block) for place, _, block in blocks if block.get("type") in ("image", "document")]
    images = sum(block["type"] == "image" for _, block in placed)
    pages = 0
    most = _MOST_PIXELS_OF_MANY if images > _MANY else _MOST_PIXELS
    for place, block in placed:
        found = _check_image(place, block, model, most) if block["type"] == "image" else _check_document(place, block, model)
        if isinstance(found, Refusal):
            return found
        pages += found
    if images + pages > model.media:
        return invalid(f"Too much media: {pages} document pages + {images} images > {model.media}")
    return _check_files(blocks, has_file)


def _check_files(blocks: Sequence[Placed], has_file: Callable[[str], bool]) -> Refusal | None:
    for _, _, block in blocks:
        source = object_of(block.get("source"))
        file = source.get("file_id") if source.get("type") == "file" else None
        if block.get("type") == "container_upload":
            file = block.get("file_id")
        if file is not None and not has_file(str(file)):
            return Refusal(404, message=f"File not found: {file}")
    return None


def _check_image(place: str, block: JsonObject, model: Model, most: int) -> Refusal | int:
    if not model.images:
        return invalid(f"{place}: image input is not supported on this model")
    source = object_of(block.get("source"))
    kind = source.get("type")
    if kind in ("url", "file"):
        return 0
    if kind != "base64":
        return invalid(f"{place}.image.source: Input tag '{kind}' found using 'type' does not match any of the expected tags")
    named = source.get("media_type")
    if named not in _TYPES:
        return invalid(f"{place}.image.source.base64.media_type: Input should be {', '.join(_TYPES)}")
    where = f"{place}.image.source.base64"
    text = str(source.get("data") or "")
    if len(text) > _LARGEST_IMAGE:
        return invalid(f"{where}: image exceeds 5 MB maximum: {len(text)} bytes > {_LARGEST_IMAGE} bytes")
    data = _decoded(text)
    if data is None:
        return invalid(f"{where}.data: Invalid base64 data")
    real, size = media_type_of(data), size_of(data)
    if real is None or size is None or min(size) < 1:
        return invalid("Could not process image")
    if real != named:
        return invalid(f"{where}.data: Image does not match the provided media type {named}: it appears to be a {real} image")
    if max(size) > most:
        many = " for many-image requests" if most == _MOST_PIXELS_OF_MANY else ""
        return invalid(f"{where}.data: At least one of the image dimensions exceed max allowed size{many}: {most} pixels")
    return 0


def _check_document(place: str, block: JsonObject, model: Model) -> Refusal | int:
    """Return the number of pages of a PDF file, 0 for any other document."""
    source = object_of(block.get("source"))
    where = f"{place}.document.source"
    match source.get("type"):
        case "url" | "file" | "content":
            return 0
        case "text":
            if source.get("media_type") != "text/plain":
                return invalid(f"{where}.text.media_type: Input should be 'text/plain'")
            return 0 if str(source.get("data") or "").strip() else invalid(f"{where}.text.data: must be non-empty")
        case "base64":
            return _check_pdf(f"{where}.base64", source, model)
        case kind:
            return invalid(f"{where}: Input tag '{kind}' found using 'type' does not match any of the expected tags")


def _check_pdf(where: str, source: JsonObject, model: Model) -> Refusal | int:
    if not model.pdfs:
        return invalid(f"{where}: PDF input is not supported on this model")
    if source.get("media_type") != "application/pdf":
        return invalid(f"{where}.media_type: Input should be 'application/pdf'")
    data = _decoded(str(source.get("data") or ""))
    if data is None:
        return invalid(f"{where}.data: Invalid base64 data")
    if not is_pdf(data):
        return invalid(f"{where}.data: The PDF specified was not valid.")
    if is_encrypted(data):
        return invalid(f"{where}.data: The PDF specified is password protected.")
    pages = pages_of(data)
    if pages > _MOST_PAGES:
        return invalid(f"{where}.data: A maximum of {_MOST_PAGES} PDF pages may be provided.")
    return pages


def _decoded(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True) or None
    except (binascii.Error, ValueError):
        return None
