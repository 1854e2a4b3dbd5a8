"""The files that people send with a question, from the platform to the prompt."""

import asyncio
import io
from dataclasses import replace
from pathlib import Path

from PIL import Image

from shared import sentences
from shared.chat import Attachment, Message, Quoted
from shared.gathering import DEADLINE
from shared.means import FileLimits
from tests.odd.platform import CALL
from tests.odd.service import Note
from tests.shared.flavours import AbleAdapter
from tests.shared.house import House, heard, house
from tests.shared.hurrying import later, on_hurrying_clock


def picture(side: int = 20) -> bytes:
    data = io.BytesIO()
    Image.new("RGB", (side, side), "red").save(data, "PNG")
    return data.getvalue()


def put(h: House, name: str, data: bytes, *, size: int | None = None) -> Attachment:
    """Something that lies on the platform to be fetched."""
    h.service.files[name] = data
    return Attachment(name, name, "application/octet-stream", len(data) if size is None else size)


async def send(h: House, text: str, *files: Attachment, quoted: Quoted | None = None) -> None:
    """Somebody writes, with files beside the text."""
    note = Note(900 + len(h.delivered), "ada", f"{CALL}{text}")
    await h.hear(replace(heard(note), attachments=files, quoted=quoted))


async def ask(h: House, text: str, *files: Attachment, quoted: Quoted | None = None) -> list[str]:
    """The same, and what the bot shows in the end."""
    await send(h, text, *files, quoted=quoted)
    await h.quiet()
    return h.shown()


def told(h: House, nth: int = -1) -> tuple[str, list[str]]:
    """What the model was asked: the line, and the files with it."""
    [said] = h.script.prompts[nth].ask
    return said.text, [f"{file.kind} {file.name}" for file in said.files]


@on_hurrying_clock
async def test_a_picture_and_a_text_go_to_the_model_with_the_question(tmp_path: Path) -> None:
    async with house(tmp_path, ["Red."]) as h:
        assert await ask(h, "what is it?", put(h, "a.png", picture()), put(h, "b.csv", b"x;y\n1;2\n")) == ["Red."]
        assert told(h) == ("ada: what is it?\n  [a file: a.png]\n  [a file: b.csv]", ["image a.png", "text b.csv"])
        image, text = h.script.prompts[0].ask[0].files
        assert (await h.blobs.read(image.digest))[:4] == b"\x89PNG"
        assert text.text == "x;y\n1;2\n"


@on_hurrying_clock
async def test_files_stay_in_the_history_and_are_not_fetched_again(tmp_path: Path) -> None:
    async with house(tmp_path, ["Red."], ["Yes."]) as h:
        await ask(h, "what is it?", put(h, "a.png", picture()))
        await h.tell("sure?")
        [said, _] = h.script.prompts[1].history
        assert [file.name for file in said.files] == ["a.png"]
        assert len(h.service.asked("get")) == 1


@on_hurrying_clock
async def test_a_file_alone_is_a_question(tmp_path: Path) -> None:
    async with house(tmp_path, ["Red."]) as h:
        taken = await h.store.ask("odd", _message(put(h, "a.png", picture())), rules=h.rules, say=lambda decision, share: "")
        h.accept(taken)
        await h.quiet()
        assert h.shown() == ["Red."]
        assert told(h) == ("ada: [a file: a.png]", ["image a.png"])


def _message(*files: Attachment) -> Message:
    return replace(heard(Note(999, "ada", CALL)), text="", attachments=files)


@on_hurrying_clock
async def test_what_cannot_be_read_is_told_to_both_and_the_rest_is_asked(tmp_path: Path) -> None:
    async with house(tmp_path, ["Fine."]) as h:
        files = [put(h, "a.zip", b"PK\x03\x04" + bytes(50)), put(h, "b.txt", b"hello"), put(h, "c.mp3", b"ID3\x03" + bytes(50))]
        [shown] = await ask(h, "look", *files)
        assert shown == (
            "Fine.\n\n*I could not read “a.zip”: I take pictures, PDFs and text. "
            "I could not read “c.mp3”: I cannot listen to sound. I take pictures, PDFs and text.*"
        )
        assert told(h) == (
            "ada: look\n  [a file that you cannot read: a.zip]\n  [a file: b.txt]\n  [a file that you cannot read: c.mp3]",
            ["text b.txt"],
        )


@on_hurrying_clock
async def test_where_nothing_is_left_to_ask_nothing_is_asked(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        zipped = _message(put(h, "a.zip", b"PK\x03\x04"))
        h.accept(await h.store.ask("odd", zipped, rules=h.rules, say=lambda decision, share: ""))
        await h.quiet()
        assert h.shown() == ["I could not read “a.zip”: I take pictures, PDFs and text."]
        assert (h.states(), h.script.prompts) == (["failed"], [])


@on_hurrying_clock
async def test_limits_are_told_and_nothing_beyond_them_is_fetched(tmp_path: Path) -> None:
    async with house(tmp_path, ["Fine."], files=FileLimits(count=3, each=100, together=150)) as h:
        sizes = {"a.txt": 100, "b.txt": 101, "c.txt": 60, "d.txt": 1}
        [shown] = await ask(h, "look", *(put(h, name, b"x" * size) for name, size in sizes.items()))
        assert shown == (
            "Fine.\n\n*I could not read “b.txt”: I can fetch no more than 100 bytes here. Send a smaller one. "
            "I could not read “c.txt”: the files are too large together. Send fewer at once. "
            "I could not read “d.txt”: there are too many at once. Send the rest in another message.*"
        )
        assert h.service.asked("get") == [("get", "a.txt")]


@on_hurrying_clock
async def test_a_file_that_is_larger_than_it_was_said_to_be_is_cut_off(tmp_path: Path) -> None:
    async with house(tmp_path, ["Fine."], files=FileLimits(each=100)) as h:
        [shown] = await ask(h, "look", put(h, "a.txt", b"x" * 200, size=50), put(h, "b.txt", b"x" * 200, size=0))
        assert "“a.txt”: it is too large. Send a smaller one." in shown
        assert "“b.txt”: I can fetch no more than 100 bytes here. Send a smaller one." in shown
        assert told(h)[1] == []


@on_hurrying_clock
async def test_a_fetch_that_fails_for_a_moment_is_made_again(tmp_path: Path) -> None:
    async with house(tmp_path, ["Fine."]) as h:
        h.service.file_troubles.extend(["torn", "wait"])
        assert await ask(h, "look", put(h, "a.txt", b"hello")) == ["Fine."]
        assert len(h.service.asked("get")) == 3
        assert told(h)[1] == ["text a.txt"]


@on_hurrying_clock
async def test_a_file_that_cannot_be_fetched_now_is_tried_anew_with_the_next_attempt(tmp_path: Path) -> None:
    async with house(tmp_path, ["Fine."], ["Better."]) as h:
        h.service.file_troubles.extend(["torn", "cut", "torn"])
        [shown] = await ask(h, "look", put(h, "a.txt", b"hello"))
        assert shown == "Fine.\n\n*I could not read “a.txt”: it could not be fetched just now. Try again in a moment.*"
        again = await h.store.retry("odd", heard(Note(998, "ada", "")), turn=None, message=None, say=lambda refusal: refusal)
        h.accept(again)
        await h.quiet()
        assert h.shown() == ["Better."]
        assert told(h)[1] == ["text a.txt"]


@on_hurrying_clock
async def test_a_file_that_hangs_is_given_up(tmp_path: Path) -> None:
    async with house(tmp_path, ["Fine."]) as h:
        h.service.before.append(lambda act, text: asyncio.Event() if act == "get" else None)
        began = asyncio.get_running_loop().time()
        [shown] = await ask(h, "look", put(h, "a.txt", b"hello"))
        assert "could not be fetched just now" in shown
        assert asyncio.get_running_loop().time() - began >= DEADLINE


@on_hurrying_clock
async def test_a_file_that_is_gone_from_the_platform_is_told(tmp_path: Path) -> None:
    async with house(tmp_path, ["Fine."]) as h:
        [shown] = await ask(h, "look", Attachment("none", "../../a\nb.txt", "text/plain", 5))
        assert shown == "Fine.\n\n*I could not read “a b.txt”: it is not there any more. Send it again.*"


@on_hurrying_clock
async def test_a_stop_ends_the_fetching(tmp_path: Path) -> None:
    async with house(tmp_path, adapter=AbleAdapter) as h:
        h.service.before.append(lambda act, text: asyncio.Event() if act == "get" else None)
        await send(h, "look", put(h, "a.txt", b"hello"))
        await h.service.until(lambda: bool(h.service.asked("get")))
        await h.store.ask_stop(1)
        h.turns.stop((await h.store.unfinished())[0])
        await h.quiet()
        assert (h.shown(), h.states(), h.script.prompts) == ([sentences.STOPPED], ["stopped"], [])
        assert list((tmp_path / "blobs").rglob("*.txt")) == []


@on_hurrying_clock
async def test_bytes_that_are_no_longer_kept_are_fetched_anew_or_told(tmp_path: Path) -> None:
    async with house(tmp_path, ["One."], ["Two."], ["Three."]) as h:
        await ask(h, "look", put(h, "a.png", picture()))
        digest = h.script.prompts[0].ask[0].files[0].digest
        for said in ("Two.", "Three.\n\n*I could not read “a.png”: it is not there any more. Send it again.*"):
            h.blobs.path(digest).unlink()
            cause = heard(Note(990 + len(said), "ada", ""))
            h.accept(await h.store.retry("odd", cause, turn=None, message=None, say=lambda refusal: refusal))
            await h.quiet()
            assert h.shown() == [said]
            h.service.files.clear()
        assert [len(prompt.ask[0].files) for prompt in h.script.prompts] == [1, 1, 0]


@on_hurrying_clock
async def test_bytes_that_are_no_longer_kept_are_named_in_the_history(tmp_path: Path) -> None:
    async with house(tmp_path, ["One."], ["Two."]) as h:
        await ask(h, "look", put(h, "a.png", picture()))
        h.blobs.path(h.script.prompts[0].ask[0].files[0].digest).unlink()
        await h.tell("and?")
        [said, _] = h.script.prompts[1].history
        assert (said.text, said.files) == ("ada: look\n  [a file that is no longer kept: a.png]", ())


@on_hurrying_clock
async def test_the_files_of_the_message_replied_to_are_looked_at_too(tmp_path: Path) -> None:
    async with house(tmp_path, ["Fine."]) as h:
        quoted = Quoted("Eve", "see", own=False, attachments=(put(h, "q.txt", b"quoted"),))
        await ask(h, "what is that?", put(h, "a.txt", b"mine"), quoted=quoted)
        text, files = told(h)
        assert text.endswith("what is that?\n  [a file: a.txt]\n  [a file beside the message replied to: q.txt]")
        assert files == ["text a.txt", "text q.txt"]


@on_hurrying_clock
async def test_few_files_are_fetched_at_a_time(tmp_path: Path) -> None:
    gate = asyncio.Event()
    async with house(tmp_path, ["Fine."]) as h:
        h.service.before.append(lambda act, text: gate if act == "get" else None)
        await send(h, "look", *(put(h, f"{number}.txt", b"x") for number in range(6)))
        await h.service.until(lambda: len(h.service.asked("get")) == 3)
        await later(1)
        assert len(h.service.asked("get")) == 3
        gate.set()
        await h.quiet()
        assert len(told(h)[1]) == 6
