"""Files that an answer brings, and long code that goes into files."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from shared import sentences
from shared.backends import Doing, Finished, Made, Thinking
from shared.reply import STATUS_AFTER
from tests.odd.platform import OddAdapter
from tests.shared.flavours import AbleAdapter
from tests.shared.house import House, heard, house
from tests.shared.hurrying import on_hurrying_clock
from tests.shared.scripted import USAGE, Act

CODE = "\n".join(f"line {number:03}" for number in range(60))
LONG = f"Here:\n\n```python\n{CODE}\n```\n\nDone."
FOLDED = "Here:\n\n```python\nline 000\nline 001\nline 002\nline 003\n```\n\n*The whole code is in “code-1.py” below.*\n\nDone."


async def made(h: House, name: str, data: bytes) -> Made:
    """A file of the model's in the blob store."""

    async def once() -> AsyncIterator[bytes]:
        yield data

    blob = await h.blobs.put(once(), most=10_000)
    return Made(name, "application/octet-stream", blob.digest, blob.size)


async def answer(h: House, *script: Act) -> list[str]:
    h.script.scripts.append(script)
    return await h.tell("one")


def files(h: House) -> dict[str, bytes]:
    return {note.text: note.data for note in h.service.boards["hall"].notes if note.data is not None}


@on_hurrying_clock
async def test_files_of_the_model_come_after_its_text(tmp_path: Path) -> None:
    async with house(tmp_path, adapter=AbleAdapter) as h:
        chart = await made(h, "../..\\chart.png", b"png")
        assert await answer(h, "See:", Finished("See:", "end", USAGE, files=[chart])) == ["See:", "chart.png"]
        assert files(h) == {"chart.png": b"png"}
        assert h.states() == ["done"]


@on_hurrying_clock
async def test_a_file_that_cannot_be_shown_is_told_with_the_answer(tmp_path: Path) -> None:
    async with house(tmp_path, adapter=AbleAdapter) as h:
        large, small = await made(h, "large_one.bin", bytes(2000)), await made(h, "small.bin", b"x")
        shown = await answer(h, "See:", Finished("See:", "end", USAGE, files=[large, small]))
        assert shown == ["See:\n\n*I made the file “large one.bin”, but it cannot be shown here.*", "small.bin"]
        assert h.service.asked("upload") == [("upload", "small.bin")]


@on_hurrying_clock
async def test_where_no_files_can_be_shown_each_is_told(tmp_path: Path) -> None:
    async with house(tmp_path, adapter=OddAdapter) as h:
        shown = await answer(h, Finished("", "end", USAGE, files=[await made(h, "a.txt", b"x")]))
        assert shown == [sentences.not_shown("a.txt")]
        assert h.states() == ["done"]


@on_hurrying_clock
async def test_a_file_that_the_platform_refuses_is_told_afterwards(tmp_path: Path) -> None:
    async with house(tmp_path, adapter=AbleAdapter) as h:
        assert isinstance(h.adapter, AbleAdapter)
        h.adapter.refuses_files = True
        shown = await answer(h, "See:", Finished("See:", "end", USAGE, files=[await made(h, "a.txt", b"x")]))
        assert shown == [f"See:\n\n*{sentences.not_shown('a.txt')}*"]


@on_hurrying_clock
async def test_an_upload_under_way_at_a_crash_is_found_and_not_repeated(tmp_path: Path) -> None:
    async with house(tmp_path, adapter=AbleAdapter) as h:
        h.script.scripts.append(["See:", Finished("See:", "end", USAGE, files=[await made(h, "a.txt", b"x")])])
        stuck = asyncio.Event()
        await h.say("one")
        await h.service.until(lambda: bool(h.service.asked("upload")))
        del stuck
        await h.crash()
        await h.start()
        await h.quiet()
        assert (h.shown(), h.states()) == (["See:", "a.txt"], ["done"])


@on_hurrying_clock
async def test_files_of_an_answer_that_is_asked_for_again_are_taken_away(tmp_path: Path) -> None:
    async with house(tmp_path, adapter=AbleAdapter) as h:
        first, second = await made(h, "a.txt", b"a"), await made(h, "b.txt", b"b")
        await answer(h, "One:", Finished("One:", "end", USAGE, files=[first, first]))
        h.script.scripts.append(["Two:", Finished("Two:", "end", USAGE, files=[second])])
        note = await h.service.write("hall", "ada", "")
        h.accept(await h.store.retry("odd", heard(note), turn=None, message=None, say=lambda refusal: refusal))
        await h.quiet()
        assert (h.shown(), files(h)) == (["Two:", "b.txt"], {"b.txt": b"b"})


@on_hurrying_clock
async def test_long_code_is_shown_in_part_and_sent_as_a_file(tmp_path: Path) -> None:
    async with house(tmp_path, adapter=AbleAdapter, fold=30) as h:
        assert await answer(h, LONG) == [FOLDED, "code-1.py"]
        assert files(h) == {"code-1.py": f"{CODE}\n".encode()}
        await h.tell("two")
        assert h.script.prompts[-1].history[-1].text == LONG


@on_hurrying_clock
async def test_long_code_is_folded_while_it_grows(tmp_path: Path) -> None:
    more = asyncio.Event()
    async with house(tmp_path, [LONG[:300], more, LONG[300:]], adapter=AbleAdapter, fold=30) as h:
        await h.say("one")
        await h.service.until(lambda: h.shown() == [FOLDED.removesuffix("\n\nDone.")])
        more.set()
        await h.quiet()
        assert h.shown() == [FOLDED, "code-1.py"]


@on_hurrying_clock
async def test_code_whose_file_is_refused_is_shown_after_all(tmp_path: Path) -> None:
    async with house(tmp_path, adapter=AbleAdapter, fold=30) as h:
        assert isinstance(h.adapter, AbleAdapter)
        h.adapter.refuses_files = True
        assert await answer(h, LONG) == [LONG]
        assert h.states() == ["done"]


@on_hurrying_clock
async def test_code_too_large_for_a_file_there_or_without_room_on_the_disk_is_shown_whole(tmp_path: Path) -> None:
    async with house(tmp_path, adapter=AbleAdapter, fold=30) as h:
        h.service.largest = 100
        assert await answer(h, LONG) == [LONG]
        h.service.largest = 1000
        (tmp_path / "blobs").rename(tmp_path / "elsewhere")
        (tmp_path / "blobs").write_text("in the way")
        assert await answer(h, LONG) == [LONG, LONG]


@on_hurrying_clock
async def test_where_no_files_can_be_shown_code_is_not_folded(tmp_path: Path) -> None:
    async with house(tmp_path, adapter=OddAdapter, fold=30) as h:
        assert await answer(h, LONG) == [LONG]


# What is shown besides the answer


@on_hurrying_clock
async def test_what_the_model_does_shows_while_it_does_it(tmp_path: Path) -> None:
    found = asyncio.Event()
    script: list[Act] = [Doing("search", "ada"), found, Doing(None), "Found."]
    async with house(tmp_path, script, adapter=AbleAdapter) as h:
        began = asyncio.get_running_loop().time()
        await h.say("one")
        await h.service.until(lambda: h.shown() == ["*Searching the web: “ada”*"])
        assert asyncio.get_running_loop().time() - began >= STATUS_AFTER
        found.set()
        await h.quiet()
        assert h.shown() == ["Found."]


@on_hurrying_clock
async def test_thoughts_that_are_to_be_shown_stay_above_the_answer_and_out_of_the_history(tmp_path: Path) -> None:
    async with house(tmp_path, [Thinking("Hm."), "Yes."], adapter=AbleAdapter, thinking="shown") as h:
        assert await h.tell("one") == ["> Hm.\n\nYes."]
        await h.tell("two")
        assert h.script.prompts[-1].history[-1].text == "Yes."


@on_hurrying_clock
async def test_thoughts_are_still_there_after_a_crash(tmp_path: Path) -> None:
    async with house(tmp_path, [Thinking("Hm."), Finished("Yes.", "end", USAGE)], adapter=AbleAdapter, thinking="shown") as h:
        h.service.boards["hall"].waits = True
        await h.say("one")
        await h.service.until(lambda: h.states() == ["answered"])
        await h.crash()
        h.service.boards["hall"].waits = False
        h.adapter.forgive()
        await h.start()
        await h.quiet()
        assert h.shown() == ["> Hm.\n\nYes."]
