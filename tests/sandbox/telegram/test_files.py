import asyncio
import base64
import io
from pathlib import Path

import pytest
from PIL import Image
from telegram import Bot, InputMediaDocument, InputMediaPhoto, Message
from telegram.error import InvalidToken, NetworkError

from sandbox.telegram import Simulator
from sandbox.telegram.downloads import Spoil
from tests.sandbox.telegram.library import ADA, GENERAL, Clock, a_bot, a_simulator, refused, updates


def picture(width: int = 40, height: int = 30) -> bytes:
    data = io.BytesIO()
    Image.new("RGB", (width, height)).save(data, "PNG")
    return data.getvalue()


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


async def messages(bot: Bot) -> list[Message]:
    return [each.message for each in await updates(bot) if each.message is not None]


async def test_a_persons_file_can_be_fetched(simulator: Simulator, bot: Bot) -> None:
    given = {"name": "notes.txt", "content_base64": encoded(b"notes")}
    await simulator.say("user1", "", "read this", direct=True, attachments=[given])
    [message] = await messages(bot)
    assert message.document is not None
    assert (message.caption, message.document.file_name, message.document.mime_type) == ("read this", "notes.txt", "text/plain")
    file = await message.document.get_file()
    assert file.file_path is not None
    assert file.file_path.startswith(simulator.file_url + bot.token)
    assert bytes(await file.download_as_bytearray()) == b"notes"
    assert bot.token not in str(simulator.log())


async def test_every_kind_of_file_is_told_as_its_own(simulator: Simulator, bot: Bot) -> None:
    kinds = ("photo", "voice", "audio", "video", "video_note", "animation", "sticker", "document")
    for kind in kinds:
        await simulator.say("user1", "", direct=True, attachments=[{"kind": kind, "size": 10, "emoji": "\U0001f600"}])
    found = await messages(bot)
    assert [bool(getattr(each, kind)) for each, kind in zip(found, kinds, strict=True)] == [True] * len(kinds)
    assert [each.width for each in found[0].photo] == [90, 1280]
    assert (await (await bot.get_file(found[0].photo[0])).download_as_bytearray()) == bytes(10)
    assert found[6].sticker is not None
    assert found[6].sticker.emoji == "\U0001f600"


async def test_an_album_comes_as_an_update_for_each_item(simulator: Simulator, bot: Bot) -> None:
    await simulator.say("user1", "", "look", direct=True, attachments=[{"kind": "photo", "size": 1}] * 3)
    found = await messages(bot)
    assert [each.caption for each in found] == ["look", None, None]
    assert len({each.media_group_id for each in found}) == 1
    assert len({each.message_id for each in found}) == 3
    assert all(each.photo for each in found)


async def test_big_files_cannot_be_fetched(simulator: Simulator, bot: Bot) -> None:
    limit = 20 * 1024 * 1024
    for size in (limit, limit + 1):
        await simulator.say("user1", "", direct=True, attachments=[{"name": "big.bin", "size": size}])
    fits, big = [each.document for each in await messages(bot)]
    assert fits is not None
    assert big is not None
    assert (await fits.get_file()).file_size == limit
    assert await refused(big.get_file()) == "File is too big"
    assert await refused(bot.get_file("nonsense")) == "Wrong file_id or the file is temporarily unavailable"


async def test_an_address_is_good_for_an_hour() -> None:
    clock = Clock()
    async with a_simulator(clock=clock) as simulator, a_bot(simulator) as bot:
        await simulator.say("user1", "", direct=True, attachments=[{"name": "a.bin", "size": 3}])
        [message] = await messages(bot)
        assert message.document is not None
        file = await message.document.get_file()
        clock.now += 3599
        await file.download_as_bytearray()
        clock.now += 1
        with pytest.raises(InvalidToken, match="Not Found"):
            await file.download_as_bytearray()
        await (await message.document.get_file()).download_as_bytearray()


async def test_downloads_go_wrong_when_told_to(simulator: Simulator, bot: Bot) -> None:
    await simulator.say("user1", "", direct=True, attachments=[{"name": "a.bin", "size": 1000}])
    [message] = await messages(bot)
    assert message.document is not None
    file = await message.document.get_file()
    await simulator.spoil(Spoil("cut", after=10))
    with pytest.raises(NetworkError):
        await file.download_as_bytearray()
    await simulator.spoil(Spoil("huge", size=5000))
    assert len(await file.download_as_bytearray()) == 5000
    assert len(await file.download_as_bytearray()) == 1000


async def test_a_local_server_names_files_of_this_machine(tmp_path: Path) -> None:
    async with a_simulator(local_mode=True) as simulator, a_bot(simulator, local=True) as bot:
        await simulator.say("user1", "", direct=True, attachments=[{"name": "big.bin", "size": 30 * 1024 * 1024}])
        [message] = await messages(bot)
        assert message.document is not None
        file = await message.document.get_file()
        assert file.file_path is not None
        path = Path(file.file_path)
        assert path.is_absolute()
        assert bot.token in path.parts
        assert (await asyncio.to_thread(path.stat)).st_size == 30 * 1024 * 1024
        given = tmp_path / "a note.txt"
        await asyncio.to_thread(given.write_text, "text")
        sent = await bot.send_document(ADA, given)
        assert sent.document is not None
        assert sent.document.file_name == "a note.txt"
    assert not await asyncio.to_thread(path.exists)


async def test_the_bot_sends_documents_and_photos(simulator: Simulator, bot: Bot) -> None:
    sent = await bot.send_document(GENERAL, b"text", filename="a.md", caption="here")
    assert sent.document is not None
    assert (sent.caption, sent.document.file_name, sent.document.file_size) == ("here", "a.md", 4)
    again = await bot.send_document(GENERAL, sent.document.file_id)
    assert again.document == sent.document
    shown = await bot.send_photo(GENERAL, picture())
    assert (shown.photo[-1].width, shown.photo[-1].height) == (40, 30)
    assert simulator.sees("user1", "general")[0]["attachments"] == ["a.md"]
    assert simulator.log()[0]["body"]["document"] == {"file": "a.md", "size": 4}
    await bot.edit_message_caption(GENERAL, sent.message_id, caption="there")
    assert await refused(bot.edit_message_text("x", GENERAL, sent.message_id)) == "There is no text in the message to edit"


async def test_what_is_sent_has_limits(bot: Bot) -> None:
    assert await refused(bot.send_document(GENERAL, b"x", caption="x" * 1025)) == "Message caption is too long"
    assert await refused(bot.send_document(GENERAL, b"")) == "File must be non-empty"
    assert await refused(bot.send_photo(GENERAL, b"no picture")) == "Image_process_failed"
    assert await refused(bot.send_photo(GENERAL, picture(2100, 100))) == "Photo_invalid_dimensions"
    assert await refused(bot.send_document(GENERAL, "no-such-id")) == "Wrong file identifier/http url specified"
    assert await refused(bot.send_document(GENERAL, "https://example.org/a")) == "Failed to get http url content"


async def test_an_upload_may_be_too_large() -> None:
    async with a_simulator(upload_limit=1000, photo_limit=100) as simulator, a_bot(simulator) as bot:
        with pytest.raises(NetworkError, match="Request Entity Too Large"):
            await bot.send_document(GENERAL, bytes(1001))
        assert (await refused(bot.send_photo(GENERAL, picture(500, 500)))).endswith("the maximum size is 100 bytes")


async def test_the_bot_sends_albums(simulator: Simulator, bot: Bot) -> None:
    sent = await bot.send_media_group(
        GENERAL, [InputMediaDocument(b"a", filename="a.txt", caption="both"), InputMediaDocument(b"b", filename="b.txt")]
    )
    assert [each.caption for each in sent] == ["both", None]
    assert len({each.media_group_id for each in sent}) == 1
    assert [each["attachments"] for each in simulator.sees("user1", "general")] == [["a.txt"], ["b.txt"]]
    mixed = [InputMediaDocument(b"a"), InputMediaPhoto(picture())]
    assert "album" in await refused(bot.send_media_group(GENERAL, mixed))
