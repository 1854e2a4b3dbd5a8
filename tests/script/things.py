"""Files as people send them, and what of them a request to Claude holds."""

import base64
import struct
import zlib
from io import BytesIO
from typing import Any

from PIL import Image
from pypdf import PdfWriter

Json = dict[str, Any]


def png(width: int, height: int, shade: int = 30) -> bytes:
    """A picture of one colour."""
    data = BytesIO()
    Image.new("RGB", (width, height), (shade, 2 * shade, 3 * shade)).save(data, "PNG")
    return data.getvalue()


def pdf(pages: int, password: str = "") -> bytes:
    """A document of empty pages."""
    writer = PdfWriter()
    for _ in range(pages):
        writer.add_blank_page(100, 100)
    if password:
        writer.encrypt(password, algorithm="RC4-128")
    data = BytesIO()
    writer.write(data)
    return data.getvalue()


def bomb() -> bytes:
    """A small file that says it is a picture of 900 million pixels."""
    head = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    body = zlib.compress(bytes(1000))
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", body) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


OGG = b"OggS\0\2" + bytes(22) + b"\1\x13OpusHead" + bytes(40)
"""The beginning of a voice message."""

MP4 = b"\0\0\0\x18ftypisom\0\0\2\0isomiso2" + bytes(40)
"""The beginning of a video."""


def documents(body: Json) -> list[Json]:
    """The files in the last message of a request: kind, title and text, or the size of a picture."""
    content: Any = body["messages"][-1]["content"]
    return [_told(block) for block in content if block["type"] in ("image", "document")]


def _told(block: Json) -> Json:
    source = block["source"]
    if source["type"] == "text":
        return {"text": source["data"], "title": block["title"]}
    data = base64.b64decode(source["data"])
    if block["type"] == "image":
        with Image.open(BytesIO(data)) as image:
            return {"image": source["media_type"], "size": image.size}
    return {"document": source["media_type"], "title": block["title"], "same": data}
