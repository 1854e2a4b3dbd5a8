"""Files of the bot: uploaded, named by a file_id, or for a local server by a path (core.telegram.org/bots/api, Sending files)."""

import io
from pathlib import Path
from urllib.parse import unquote, urlsplit

from PIL import Image, UnidentifiedImageError

from sandbox.telegram.api.asked import Asked, Upload
from sandbox.telegram.errors import ApiError, bad
from sandbox.telegram.files import media_type
from sandbox.telegram.model import File, Json, Media
from sandbox.telegram.payloads import THUMBNAIL, file_json

LOCAL_LIMIT = 2000 * 1024 * 1024
"""Bytes (core.telegram.org/bots/api, Using a Local Bot API Server: upload files up to 2000 MB)."""
SIDES, RATIO = 10_000, 20
"""Of a photo: width and height together, and one to the other (core.telegram.org/bots/api, sendPhoto)."""


def file_of(asked: Asked, kind: Media, given: str, name: str) -> Upload | File:
    """The file that an argument gives: bytes of the call, or a file that is known. Raises `ApiError`."""
    field = given.removeprefix("attach://") if given.startswith("attach://") else name
    if field in asked.uploads:
        return asked.uploads[field]
    known = asked.world.state.files.get(given.removesuffix(THUMBNAIL))
    if known is not None:
        if known.kind != kind:
            raise bad(f"can't use file of type {known.kind.capitalize()} as {kind.capitalize()}")
        return known
    if given.startswith("file://") and asked.api.config.local_mode:
        path = Path(unquote(urlsplit(given).path))
        if not path.is_file():
            raise bad("invalid file HTTP URL specified: File not found")
        return Upload(path.name, media_type(path.name), path.read_bytes())
    if given.startswith(("http://", "https://")):
        raise bad("failed to get HTTP URL content")
    raise bad(f"there is no {kind} in the request" if not given else "wrong file identifier/HTTP URL specified")


def uploaded(asked: Asked, kind: Media, given: Upload | File) -> File:
    """The file, kept when it is new. Raises `ApiError` for one that is empty, too big, or no photo."""
    if isinstance(given, File):
        return given
    config, size = asked.api.config, len(given.data)
    if size == 0:
        raise bad("file must be non-empty")
    if size > (LOCAL_LIMIT if config.local_mode else config.upload_limit):
        raise ApiError(413, "Request Entity Too Large")
    width = height = 0
    if kind == "photo":
        width, height = _dimensions(given.data, config.photo_limit)
    file = asked.world.add_file(kind, given.name, size, given.media, width=width, height=height)
    asked.world.files.keep(file.id, given.data)
    return file


def _dimensions(data: bytes, limit: int) -> tuple[int, int]:
    if len(data) > limit:
        raise bad(f"file of size {len(data)} bytes is too big for a photo; the maximum size is {limit} bytes")
    try:
        with Image.open(io.BytesIO(data)) as image:
            width, height = image.size
    except (UnidentifiedImageError, OSError) as error:
        raise bad("IMAGE_PROCESS_FAILED") from error
    if width + height > SIDES or max(width, height) > RATIO * min(width, height):
        raise bad("PHOTO_INVALID_DIMENSIONS")
    return width, height


def get_file(asked: Asked) -> Json:
    """`getFile`: a file_path good for an hour; on a local server a path of this machine."""
    world, given = asked.world, asked.text("file_id") or ""
    if not given:
        raise bad("file_id not specified")
    file = world.state.files.get(given.removesuffix(THUMBNAIL))
    if file is None:
        raise bad("wrong file_id or the file is temporarily unavailable")
    config = asked.api.config
    if config.local_mode:
        return file_json(file) | {"file_path": world.files.path(file.id, file.size)}
    if file.size > config.download_limit:
        raise bad("file is too big")
    return file_json(file) | {"file_path": world.add_link(file)}
