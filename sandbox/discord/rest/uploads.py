"""Files that come with a call (Discord developer docs, Reference: Uploading Files)."""

import json
import re
from typing import Any, cast

from aiohttp import BodyPartReader, web

from sandbox.discord.errors import ApiError, invalid
from sandbox.discord.files import attachment
from sandbox.discord.model import Json, Message
from sandbox.discord.rest.asked import Asked, Came, Upload, list_of

FILES = 10
"""Attachments of one message (Discord developer docs, Create Message; discord.py, abc.py: send)."""
_PART = re.compile(r"files\[(\d{1,9})\]")


async def read(request: web.Request, file_limit: int, request_limit: int) -> Came:
    """The body of a call, and its files.

    Raises `ApiError` 50109 when it is neither a JSON object nor a list, and 40005 when a file or the whole is too large,
    once all of it has been read: a sender that is still writing would see a cut connection and not the answer.
    """
    if request.content_type != "multipart/form-data":
        raw = await request.read()
        value: object = _value(raw) if raw else cast("Json", {})
        return Came({}, [], cast("list[Any]", value)) if isinstance(value, list) else Came(_object(value), [])
    body: Json = {}
    uploads: list[Upload] = []
    total, large = 0, False
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader):
            continue
        data = bytearray()
        while chunk := await part.read_chunk():
            total += len(chunk)
            large = large or len(data) + len(chunk) > file_limit or total > request_limit
            if not large:
                data += chunk
        if large:
            continue
        if part.name == "payload_json":
            body = _object(_value(bytes(data)))
        elif part.filename is not None:
            uploads.append(Upload(_number(part.name or "", len(uploads)), part.filename, bytes(data)))
    if large:
        raise ApiError(40005)
    return Came(body, uploads)


def attachments_of(asked: Asked, body: Json, before: Message | None = None) -> list[Json] | None:
    """The attachments that a message has after a call; None when nothing is said of them. Their bytes are kept.

    The list of the body is what there will be: files of the message not in it go. Without a list, files that came are
    added (Discord developer docs, Edit Message). Raises `ApiError` 50035.
    """
    listed = list_of(body, "attachments")
    kept = [] if before is None else before.attachments
    if listed is None and "attachments" not in body:
        if not asked.files:
            return None
        made = [*kept, *(_made(asked, upload, {}) for upload in asked.files)]
    else:
        made = _listed(asked, cast("list[Json]", listed or []), {each["id"]: each for each in kept})
    if len(made) > FILES:
        raise invalid("attachments", "BASE_TYPE_MAX_LENGTH", f"Must be {FILES} or fewer in length.")
    return made


def _listed(asked: Asked, listed: list[Json], kept: dict[str, Json]) -> list[Json]:
    came = {str(upload.number): upload for upload in asked.files}
    made: list[Json] = []
    for index, each in enumerate(listed):
        number = str(each.get("id"))
        if number in kept:
            made.append(kept[number] | _described(each))
        elif number in came:
            made.append(_made(asked, came.pop(number), each))
        else:
            raise invalid(f"attachments.{index}", "ATTACHMENT_NOT_FOUND", "Attachment data not found")
    return [*made, *(_made(asked, upload, {}) for upload in came.values())]


def _made(asked: Asked, upload: Upload, given: Json) -> Json:
    made = attachment(asked.world.ids.next(), str(given.get("filename") or upload.name), len(upload.data))
    asked.world.files.keep(int(made["id"]), upload.data)
    return made | _described(given)


def _described(given: Json) -> Json:
    return {} if given.get("description") is None else {"description": str(given["description"])}


def _number(name: str, default: int) -> int:
    found = _PART.fullmatch(name)
    return int(found[1]) if found else default


def _value(raw: bytes) -> object:
    try:
        value: object = json.loads(raw)
        # A lone surrogate is no text. What Discord does with one is not documented; refusing is the stricter choice.
        raw.decode() if b"\\ud" not in raw.lower() else json.dumps(value, ensure_ascii=False).encode()
    except ValueError:
        raise ApiError(50109) from None
    return value


def _object(value: object) -> Json:
    if not isinstance(value, dict):
        raise ApiError(50109)
    return cast("Json", value)
