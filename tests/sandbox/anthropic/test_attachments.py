"""Images and documents, and what the API says of them."""

import base64
import struct
from typing import Any

import anthropic
import pytest
from anthropic import AsyncAnthropic

PNG = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + b"IHDR"
TAIL = b"\x08\x02\0\0\0" + b"\0" * 32


def png(width: int = 4, height: int = 4, more: int = 0) -> bytes:
    return PNG + struct.pack(">II", width, height) + TAIL + b"\0" * more


def jpeg(width: int, height: int) -> bytes:
    frame = b"\xff\xc0" + struct.pack(">HBHH", 17, 8, height, width) + b"\0" * 10
    return b"\xff\xd8\xff\xe0" + struct.pack(">H", 16) + b"JFIF" + b"\0" * 10 + frame


def gif(width: int, height: int) -> bytes:
    return b"GIF89a" + struct.pack("<HH", width, height) + b"\0" * 8


def webp(width: int, height: int) -> bytes:
    size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return b"RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0" + size


def pdf(pages: int, more: bytes = b"") -> bytes:
    return b"%PDF-1.7\n<< /Type /Pages >>" + b"<< /Type /Page >>" * pages + more


def image(data: bytes, kind: str = "image/png") -> dict[str, Any]:
    encoded = base64.b64encode(data).decode()
    return {"type": "image", "source": {"type": "base64", "media_type": kind, "data": encoded}}


def document(data: bytes, kind: str = "application/pdf") -> dict[str, Any]:
    encoded = base64.b64encode(data).decode()
    return {"type": "document", "source": {"type": "base64", "media_type": kind, "data": encoded}}


def note(text: str) -> dict[str, Any]:
    return {"type": "document", "title": "note", "source": {"type": "text", "media_type": "text/plain", "data": text}}


async def ask(client: AsyncAnthropic, *blocks: dict[str, Any]) -> anthropic.types.Message:
    messages: Any = [{"role": "user", "content": [*blocks, {"type": "text", "text": "what is this?"}]}]
    return await client.messages.create(model="claude-sonnet-5-5", max_tokens=100, messages=messages)


GOOD: list[list[dict[str, Any]]] = [
    [image(png(8_000, 8_000))],
    [image(jpeg(640, 480), "image/jpeg")],
    [image(gif(3, 3), "image/gif")],
    [image(webp(3, 3), "image/webp")],
    [image(png(2_000, 2_000))] * 100,
    [image(png(8_000, 1))] * 20,
    [document(pdf(100))],
    [note("hello")],
    [{"type": "image", "source": {"type": "url", "url": "https://cats.test/cat.png"}}],
]


@pytest.mark.parametrize("blocks", GOOD, ids=range(len(GOOD)))
async def test_what_fits_is_taken_and_counted(client: AsyncAnthropic, blocks: list[dict[str, Any]]) -> None:
    bare = (await ask(client)).usage.input_tokens
    assert (await ask(client, *blocks)).usage.input_tokens > bare


BAD: list[tuple[list[dict[str, Any]], str]] = [
    ([image(png(8_001, 1))], "allowed size: 8000 pixels"),
    ([image(webp(8_001, 1), "image/webp")], "allowed size: 8000 pixels"),
    ([image(jpeg(1, 8_001), "image/jpeg")], "allowed size: 8000 pixels"),
    ([image(png(2_001, 1))] * 21, "many-image requests: 2000 pixels"),
    ([image(png(2, 2))] * 101, "Too much media: 0 document pages + 101 images > 100"),
    ([image(png(), "image/jpeg")], "does not match the provided media type image/jpeg"),
    ([image(png(), "image/bmp")], "media_type"),
    ([image(b"hello")], "Could not process image"),
    ([image(png()[:12])], "Could not process image"),
    ([image(png(more=4 * 1024 * 1024))], "image exceeds 5 MB maximum"),
    ([{"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "???"}}], "Invalid base64"),
    ([{"type": "image", "source": {"type": "carrier"}}], "expected tags"),
    ([document(b"hello")], "The PDF specified was not valid."),
    ([document(pdf(1, b"/Encrypt 5 0 R"))], "password protected"),
    ([document(pdf(101))], "A maximum of 100 PDF pages"),
    ([document(pdf(60)), image(png()), document(pdf(40))], "Too much media: 100 document pages + 1 images > 100"),
    ([document(pdf(1), "text/html")], "media_type"),
    ([note(" ")], "non-empty"),
    ([{"type": "video"}], "Input tag 'video'"),
]


@pytest.mark.filterwarnings("ignore:Sending a large body:ResourceWarning")  # aiohttp's advice, of no use to the SDK
@pytest.mark.parametrize(("blocks", "words"), BAD, ids=[words for _, words in BAD])
async def test_what_does_not_fit_is_refused(client: AsyncAnthropic, blocks: list[dict[str, Any]], words: str) -> None:
    with pytest.raises(anthropic.BadRequestError) as raised:
        await ask(client, *blocks)
    assert words in str(raised.value)


async def test_images_in_results_of_tools_are_looked_at_too(client: AsyncAnthropic) -> None:
    messages: Any = [
        {"role": "user", "content": "draw"},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "toolu_1", "name": "draw", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": [image(b"hello")]}]},
    ]
    with pytest.raises(anthropic.BadRequestError, match="Could not process image"):
        await client.messages.create(model="claude-sonnet-5-5", max_tokens=100, messages=messages)


async def test_the_newest_version_wants_documents_and_citations_where_they_belong(client: AsyncAnthropic) -> None:
    said: Any = [
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": [note("b")]},
        {"role": "user", "content": "c"},
    ]
    with pytest.raises(anthropic.BadRequestError, match="document blocks are not permitted in assistant messages"):
        await client.messages.create(model="claude-sonnet-5-5", max_tokens=100, messages=said)
    older = {"anthropic-version": "2023-06-01"}
    await client.messages.create(model="claude-sonnet-5-5", max_tokens=100, messages=said, extra_headers=older)
    with pytest.raises(anthropic.BadRequestError, match="citations are not permitted"):
        await ask(client, {"type": "text", "text": "a", "citations": [{"type": "char_location"}]})


async def test_messages_of_one_role_in_a_row_are_one(client: AsyncAnthropic) -> None:
    apart: Any = [{"role": "user", "content": "aaaa"}, {"role": "user", "content": "bbbb"}]
    said = await client.messages.create(model="claude-sonnet-5-5", max_tokens=100, messages=apart)
    assert said.usage.input_tokens == 8 + 2
