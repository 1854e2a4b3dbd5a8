import io
import logging
import traceback
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from bots.telegram.config import TelegramConfig
from bots.telegram.files import LOCAL_MOST, MOST, READ, Files
from bots.telegram.names import channel_id
from sandbox.faults import Rule
from sandbox.telegram import SimulatorConfig
from sandbox.telegram.config import DEFAULT_TOKEN
from sandbox.telegram.downloads import Spoil
from shared.chat import Attachment, Channel, File, Target
from shared.errors import Failure, Forbidden, Gone, RateLimited, Refused, TooLarge, Unavailable
from tests.bots.telegram.rig import ME, ROOMY, TelegramRig, refused_with, telegram_rig
from tests.conformance.adapter_rig import asked, listening

LOCAL = SimulatorConfig(
    private_limit=(1000, 1.0), group_limit=(1000, 1.0), overall_limit=(1000, 1.0), conflict_delay=0.0, local_mode=True
)


async def fetched(rig: TelegramRig, attachment: Attachment) -> bytes:
    return b"".join([piece async for piece in rig.adapter.fetch(attachment)])


def picture(width: int, height: int, kind: str = "PNG") -> bytes:
    data = io.BytesIO()
    Image.new("RGB", (width, height)).save(data, kind)
    return data.getvalue()


def kept(folder: Path, name: str, media_type: str, data: bytes) -> File:
    path = folder / "kept"
    path.write_bytes(data)
    return File(name, media_type, path, len(data))


def kinds(rig: TelegramRig, target: Target) -> list[tuple[str, str]]:
    return [(file["kind"], file["name"]) for each in rig.own(target.channel) for file in each["attachments"]]


def told(caught: BaseException) -> str:
    """All that could get into a log of it, causes and contexts included."""
    return "".join(traceback.format_exception(caught)) + repr(caught) + _chain(caught)


def _chain(error: BaseException | None) -> str:
    if error is None:
        return ""
    return f"{error!r} {error.args!r}" + _chain(error.__cause__) + _chain(error.__context__)


async def test_a_file_above_the_limit_is_told_so_without_a_call(rig: TelegramRig) -> None:
    async with listening(rig.adapter) as heard:
        large = {"name": "large.bin", "size": READ + 1}
        await rig.simulator.say("user1", "general", "@threadline_bot see", attachments=[large])
        [attachment] = (await heard.message()).attachments
        assert attachment.size == READ + 1
        with pytest.raises(TooLarge) as caught:
            await fetched(rig, attachment)
        assert caught.value.most == READ
        assert not [call for call in rig.simulator.calls if call.path == "/getFile"]


async def test_a_file_whose_size_is_not_told_is_found_to_be_too_large(rig: TelegramRig) -> None:
    async with listening(rig.adapter) as heard:
        large = {"name": "large.bin", "size": READ + 1}
        await rig.simulator.say("user1", "general", "@threadline_bot see", attachments=[large])
        [attachment] = (await heard.message()).attachments
        with pytest.raises(TooLarge) as caught:
            await fetched(rig, Attachment(attachment.ref, "x", "", 0))
        assert caught.value.most == READ


async def test_a_file_of_just_the_limit_is_read(rig: TelegramRig) -> None:
    async with listening(rig.adapter) as heard:
        await rig.simulator.say("user1", "general", "@threadline_bot see", attachments=[{"name": "a.bin", "size": READ}])
        [attachment] = (await heard.message()).attachments
        size = 0
        async for piece in rig.adapter.fetch(attachment):
            size += len(piece)
        assert size == READ


@pytest.mark.parametrize(
    ("rule", "failure"),
    [
        (Rule("status", path="^/file/", status=404), Gone),
        (Rule("status", path="^/file/", status=403), Gone),
        (Rule("status", path="^/file/", status=401), Unavailable),
        (Rule("status", path="^/file/", status=400), Refused),
        (Rule("status", path="^/file/", status=429, headers={"Retry-After": "7"}), RateLimited),
        (Rule("status", path="^/file/", status=502), Unavailable),
        (Rule("reset", path="^/file/", times=None), Unavailable),
        (refused_with("wrong file_id or the file is temporarily unavailable", path="/getFile$"), Gone),
        (refused_with("file is too big", path="/getFile$"), TooLarge),
    ],
)
async def test_no_failure_and_no_log_names_the_token(
    rig: TelegramRig, rule: Rule, failure: type[Failure], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with listening(rig.adapter) as heard:
        await rig.attach("look", "data.bin", b"data")
        [attachment] = (await heard.message()).attachments
        await rig.simulator.fault(rule)
        with pytest.raises(failure) as caught:
            await fetched(rig, attachment)
        assert type(caught.value) is failure
        assert DEFAULT_TOKEN not in told(caught.value)
        await rig.simulator.clear_faults()
        assert await fetched(rig, attachment) == b"data"
    assert DEFAULT_TOKEN not in caplog.text


@pytest.mark.parametrize("how", ["cut", "redirect", "length"])
async def test_a_download_that_goes_wrong_names_no_token(rig: TelegramRig, how: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    more: dict[str, Any] = {"redirect": {"location": "http://127.0.0.1:1/"}, "length": {"declared": 4000}}.get(how, {})
    async with listening(rig.adapter) as heard:
        await rig.attach("look", "data.bin", b"data" * 100)
        [attachment] = (await heard.message()).attachments
        await rig.simulator.spoil(Spoil(how, **more))  # pyright: ignore[reportArgumentType]  # a Literal in the test's table
        with pytest.raises((Unavailable, Forbidden)) as caught:
            await fetched(rig, attachment)
        assert DEFAULT_TOKEN not in told(caught.value)
    assert DEFAULT_TOKEN not in caplog.text


async def test_a_download_that_stands_still_is_given_up() -> None:
    async with telegram_rig() as rig, listening(rig.adapter) as heard:
        await rig.attach("look", "data.bin", b"data" * 100)
        [attachment] = (await heard.message()).attachments
        await rig.simulator.fault(Rule("hang", path="^/file/"))
        files = Files(rig.config, silence=0.05)
        calls = rig.adapter._at.calls  # pyright: ignore[reportPrivateUsage]  # the adapter's own connection, with other files
        with pytest.raises(Unavailable):
            _ = [piece async for piece in files.fetch(lambda: calls, attachment)]


@pytest.mark.parametrize("path", ["../x", "documents/../../x", "/etc/hosts", "http://127.0.0.1/x", "a//b", "", "a\nb", "./a"])
async def test_a_path_that_leads_elsewhere_is_not_followed(rig: TelegramRig, path: str) -> None:
    found = {"file_id": "F1", "file_unique_id": "U1", "file_path": path}
    async with listening(rig.adapter):
        await rig.simulator.fault(Rule("status", path="/getFile$", status=200, body={"ok": True, "result": found}))
        with pytest.raises(Forbidden):
            await fetched(rig, Attachment("F1", "x", "", 0))
        assert not [call for call in rig.simulator.calls if call.path.startswith("/file/")]


async def test_a_relative_path_that_is_also_here_is_read_from_telegram(
    rig: TelegramRig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with listening(rig.adapter) as heard:
        await rig.attach("look", "data.bin", b"theirs")
        [attachment] = (await heard.message()).attachments
        assert await fetched(rig, attachment) == b"theirs"
        [path] = rig.simulator.world.state.links
        here = tmp_path / path
        here.parent.mkdir(parents=True, exist_ok=True)
        here.write_bytes(b"ours")
        monkeypatch.chdir(tmp_path)
        assert await fetched(rig, attachment) == b"theirs"


# a server of one's own


async def test_a_local_server_gives_larger_files_from_the_disk() -> None:
    async with telegram_rig(LOCAL, local=True) as rig, listening(rig.adapter) as heard:
        await rig.attach("look", "data.bin", b"data" * 50_000)
        [attachment] = (await heard.message()).attachments
        pieces = [piece async for piece in rig.adapter.fetch(attachment)]
        assert b"".join(pieces) == b"data" * 50_000
        assert len(pieces) > 1
        await rig.simulator.say("user1", "general", "@threadline_bot see", attachments=[{"name": "a.bin", "size": READ + 9}])
        [large] = (await heard.message(2)).attachments
        size = 0
        async for piece in rig.adapter.fetch(large):
            size += len(piece)
        assert size == READ + 9


async def test_a_local_server_gives_nothing_outside_of_the_bots_folder(tmp_path: Path) -> None:
    outside, folder = tmp_path / "secret", tmp_path / DEFAULT_TOKEN
    folder.mkdir()
    outside.write_bytes(b"secret")
    (folder / "link").symlink_to(outside)
    (folder / "note").write_bytes(b"note")
    async with telegram_rig(LOCAL, local=True) as rig, listening(rig.adapter):

        async def read(path: str) -> bytes:
            found = {"file_id": "F1", "file_unique_id": "U1", "file_path": path}
            await rig.simulator.fault(Rule("status", path="/getFile$", status=200, body={"ok": True, "result": found}))
            return await fetched(rig, Attachment("F1", "x", "", 0))

        assert await read(str(folder / "note")) == b"note"
        for path in (outside, folder / "link", folder / ".." / "secret", folder, folder / "none", "note", "a\0b"):
            with pytest.raises(Forbidden) as caught:
                await read(str(path))
            assert DEFAULT_TOKEN not in told(caught.value)


# ours


async def test_pictures_are_shown_as_photos_and_all_else_as_documents(rig: TelegramRig, tmp_path: Path) -> None:
    async with listening(rig.adapter) as heard:
        target = (await asked(rig, heard)).target
        files = [
            ("a.png", "image/png", picture(40, 30)),
            ("a.jpg", "image/jpeg", picture(40, 30, "JPEG")),
            ("a.webp", "image/webp", picture(40, 30, "WEBP")),
            ("a.gif", "image/gif", picture(40, 30, "GIF")),
            ("a.csv", "text/csv", b"1,2"),
        ]
        for name, media_type, data in files:
            await rig.adapter.upload(target, kept(tmp_path, name, media_type, data), key="k1")
        assert [kind for kind, _ in kinds(rig, target)] == ["photo", "photo", "photo", "document", "document"]


@pytest.mark.parametrize("data", [picture(9990, 11), picture(300, 10), b"no picture"])
async def test_a_picture_that_telegram_takes_for_none_is_shown_as_a_document(
    rig: TelegramRig, tmp_path: Path, data: bytes
) -> None:
    async with listening(rig.adapter) as heard:
        target = (await asked(rig, heard)).target
        shown = await rig.adapter.upload(target, kept(tmp_path, "a.png", "image/png", data), key="k1")
        assert kinds(rig, target) == [("document", "a.png")]
        assert rig.files(target.channel) == [("a.png", data)]
        assert shown.endswith(str(rig.own(target.channel)[0]["message_id"]))


async def test_a_large_picture_is_a_document(rig: TelegramRig, tmp_path: Path) -> None:
    async with listening(rig.adapter) as heard:
        target = (await asked(rig, heard)).target
        data = picture(40, 30) + bytes(10 * 1024 * 1024)
        await rig.adapter.upload(target, kept(tmp_path, "a.png", "image/png", data), key="k1")
        assert kinds(rig, target) == [("document", "a.png")]
        assert not [call for call in rig.simulator.calls if call.path == "/sendPhoto"]


async def test_a_file_goes_into_its_topic_silently_and_with_a_harmless_name(rig: TelegramRig, tmp_path: Path) -> None:
    async with listening(rig.adapter) as heard:
        await rig.simulator.say("user1", "workshop", "@threadline_bot hello", topic="plans")
        target = (await heard.message()).target
        await rig.adapter.upload(target, kept(tmp_path, "../a/\nb .csv", "text/csv", b"1"), key="k1", silent=True)
        [message] = rig.own(target.channel)
        assert (message["topic"], message["silent"], message["reply_to"] is not None) == (2, True, True)
        assert kinds(rig, target) == [("document", "_a__b .csv")]


async def test_a_file_that_cannot_be_read_is_not_shown(rig: TelegramRig, tmp_path: Path) -> None:
    async with listening(rig.adapter) as heard:
        target = (await asked(rig, heard)).target
        with pytest.raises(Refused):
            await rig.adapter.upload(target, File("a", "text/csv", tmp_path / "none", 1), key="k1")
        with pytest.raises(Refused):
            await rig.adapter.upload(target, kept(tmp_path, "a", "text/csv", b""), key="k1")


async def test_a_file_for_a_group_that_turns_out_to_have_moved_arrives_whole(rig: TelegramRig, tmp_path: Path) -> None:
    async with listening(rig.adapter) as heard:
        await rig.simulator.say("user1", "kitchen", f"{ME} hello")
        target = (await heard.message()).target
    moved = await rig.simulator.migrate("kitchen")
    await rig.simulator.expire_updates()
    again = rig.again()
    async with listening(again.adapter):
        data = b"all of it"
        await again.adapter.upload(target, kept(tmp_path, "a.txt", "text/plain", data), key="k1")
        assert rig.files(Channel(channel_id(moved["id"]), "group")) == [("a.txt", data)]


async def test_an_upload_is_not_repeated_by_itself(rig: TelegramRig, tmp_path: Path) -> None:
    async with listening(rig.adapter) as heard:
        target = (await asked(rig, heard)).target
        await rig.simulator.fault(Rule("reset", path="/sendDocument$", moment="after"))
        with pytest.raises(Unavailable):
            await rig.adapter.upload(target, kept(tmp_path, "a.csv", "text/csv", b"1"), key="k1")
        assert len(kinds(rig, target)) == 1


async def test_an_upload_that_hangs_is_given_up(tmp_path: Path) -> None:
    async with telegram_rig(ROOMY, upload_timeout=0.1) as rig, listening(rig.adapter) as heard:
        target = (await asked(rig, heard)).target
        await rig.simulator.fault(Rule("hang", path="/sendDocument$"))
        with pytest.raises(Unavailable):
            await rig.adapter.upload(target, kept(tmp_path, "a.csv", "text/csv", b"1"), key="k1")


def test_a_server_of_ones_own_takes_larger_files() -> None:
    assert Files(TelegramConfig("1:a")).most == MOST
    assert Files(TelegramConfig("1:a", local=True)).most == LOCAL_MOST > MOST
