"""Files: what may be given, what a slip does, and where downloads go."""

import io
from pathlib import Path
from typing import BinaryIO, cast

import pytest

from sandbox.claude_web import ClaudeWebSimulator, Config, Script
from shared.claude_web import ClaudeClient, File, FileDownloadError, TurnIds, UploadedFile
from shared.claude_web.files import FileInput, local_name
from tests.shared.claude_web.house import answering, connected


def written(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


async def test_paths_bytes_handles_and_files_may_be_given(tmp_path: Path) -> None:
    path = written(tmp_path, "a.csv", b"1")
    async with ClaudeWebSimulator(Config(uploads_need_conversation=True)) as web, connected(web) as client:
        chat = client.start_chat()
        with path.open("rb") as handle:
            files: list[FileInput] = [str(path), path, b"2", io.BytesIO(b"3"), handle, File(b"4", "photo.webp")]
            await chat.send_message("Look.", files=files)
        await chat.send_message("And this.", files=[File(b"5", "x.bin"), File(b"6", "y", "text/x-own")])
        assert [(file.name, file.content_type, file.data) for file in web.files.values()] == [
            ("a.csv", "text/csv", b"1"),
            ("a.csv", "text/csv", b"1"),
            ("file-3", "application/octet-stream", b"2"),
            ("file-4", "application/octet-stream", b"3"),
            ("a.csv", "text/csv", b"1"),
            ("photo.webp", "image/webp", b"4"),
            ("x.bin", "application/octet-stream", b"5"),
            ("y", "text/x-own", b"6"),
        ]
        assert len(web.branch(chat.cid)) == 4


async def test_a_file_that_was_uploaded_may_be_given_again() -> None:
    async with ClaudeWebSimulator() as web, connected(web) as client:
        chat = client.start_chat()
        await client.ensure_conversation(chat.cid)
        file = await client.upload_file(chat.cid, File(b"1", "a.txt"))
        assert await client.upload_file(chat.cid, file) is file
        await client.start_chat(metadata=chat.metadata).send_message("Look.", files=[file])
        assert len(web.files) == 1
        assert web.asked()[0].body["files"] == [file.uuid]


async def test_a_path_that_is_not_there_sends_nothing_and_is_never_taken_for_a_uuid() -> None:
    async with ClaudeWebSimulator() as web, connected(web) as client:
        calls = len(web.calls)
        for wrong in ("report.pfd", TurnIds.new().human):
            with pytest.raises(FileNotFoundError):
                await client.generate_content("Look.", files=[b"fine", wrong])
        assert len(web.calls) == calls


async def test_what_is_no_file_is_refused() -> None:
    async with ClaudeWebSimulator() as web, connected(web) as client:
        for wrong in (io.StringIO("text"), 7, None):
            with pytest.raises(TypeError):
                await client.generate_content("Look.", files=[cast("BinaryIO", wrong)])


async def test_an_upload_whose_answer_names_the_uuid_otherwise_is_taken() -> None:
    async with answering(200, '{"id": "abc"}') as client:
        assert await client.upload_file(TurnIds.new().human, File(b"1", "a")) == UploadedFile("abc", "a")


async def answered(web: ClaudeWebSimulator, client: ClaudeClient, files: dict[str, str]) -> str:
    web.default = Script(text="Done.", files=files)
    chat = client.start_chat()
    await chat.send_message("Make it.")
    return chat.cid


async def test_a_download_replaces_a_file_of_its_name_in_one_step(tmp_path: Path) -> None:
    target = written(tmp_path, "a.txt", b"old")
    async with ClaudeWebSimulator() as web, connected(web) as client:
        conversation = await answered(web, client, {"a.txt": "new"})
        assert await client.download_file(conversation, "a.txt", tmp_path) == target
    assert contents(tmp_path) == {"a.txt": b"new"}


async def test_a_download_that_fails_leaves_the_old_file_and_no_rest(tmp_path: Path) -> None:
    written(tmp_path, "a.txt", b"old")
    async with ClaudeWebSimulator() as web, connected(web) as client:
        with pytest.raises(FileDownloadError):
            await client.download_file(TurnIds.new().human, "a.txt", tmp_path)
    assert contents(tmp_path) == {"a.txt": b"old"}


async def test_a_file_elsewhere_in_the_sandbox_is_named_by_its_whole_path(tmp_path: Path) -> None:
    async with ClaudeWebSimulator() as web, connected(web) as client:
        conversation = TurnIds.new().human
        web.put_file(conversation, "/data/grün und blau.txt", "Größe".encode())
        path = await client.download_file(conversation, "/data/grün und blau.txt", tmp_path)
        assert (path.name, path.read_text("utf-8")) == ("grün und blau.txt", "Größe")


async def test_a_large_file_comes_in_pieces() -> None:
    async with ClaudeWebSimulator() as web, connected(web) as client:
        conversation, data = TurnIds.new().human, bytes(range(256)) * 4096
        web.put_file(conversation, "/data/large.bin", data)
        pieces = [piece async for piece in client.open_file(conversation, "/data/large.bin")]
        assert b"".join(pieces) == data
        assert max(map(len, pieces)) <= 64 * 1024


async def test_a_download_that_is_left_early_holds_nothing_open() -> None:
    async with ClaudeWebSimulator() as web, connected(web) as client:
        conversation = TurnIds.new().human
        web.put_file(conversation, "/data/large.bin", bytes(1024 * 1024))
        pieces = client.open_file(conversation, "/data/large.bin")
        assert await anext(pieces)
        await pieces.aclose()
        assert await client.list_conversations() == []


@pytest.mark.parametrize("name", ["", "/", "..", "a/..", "a\n", "C:x"])
def test_a_name_that_would_leave_the_folder_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="names no file"):
        local_name(name)


@pytest.mark.parametrize("name", ["../../etc/passwd", "..\\..\\passwd", "/etc/passwd"])
def test_only_the_last_part_of_a_path_names_the_file_here(name: str) -> None:
    assert local_name(name) == "passwd"
