"""Files that people send: what the API gets of them, within its limits, and the same with every turn."""

import base64
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.anthropic import Simulator
from shared.backends import Prompt, Said
from shared.backends.anthropic_api import attached
from shared.backends.anthropic_api.attached import FEW, LARGE, LEFT_OUT, LOST, MEDIA, REQUEST, held
from shared.errors import Unavailable
from shared.files.blobs import Blobs
from shared.files.material import Material
from tests.conformance.backend import CONVERSATION, collect, fail, finish
from tests.shared.backends.api import opened
from tests.shared.backends.samples import image, pdf, text_file


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    async with Simulator() as running:
        yield running


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    return Blobs(tmp_path)


def said(text: str, *files: Material) -> Said:
    return Said("user", text, None, files)


def asking(*lines: Said, history: Sequence[Said] = ()) -> Prompt:
    return Prompt(conversation=CONVERSATION, turn=1, attempt=1, history=history, ask=lines, system="Be kind.")


def content(simulator: Simulator, message: int = -1) -> list[dict[str, Any]]:
    return simulator.bodies()[-1]["messages"][message]["content"]


async def test_files_come_before_the_words_each_in_its_form(simulator: Simulator, blobs: Blobs) -> None:
    picture, paper, notes = await image(blobs, "a.png"), await pdf(blobs, "b.pdf"), text_file("c.txt", "the milk\n")
    async with opened(simulator, blobs) as backend:
        assert finish(await collect(backend, asking(said("look [a.png, b.pdf, c.txt]", picture, paper, notes)))).text
    shown, read, noted, words = content(simulator)
    assert (shown["type"], shown["source"]["media_type"]) == ("image", picture.media_type)
    assert base64.b64decode(shown["source"]["data"]) == await blobs.read(picture.digest)
    assert (read["type"], read["title"], read["source"]["media_type"]) == ("document", "b.pdf", "application/pdf")
    assert base64.b64decode(read["source"]["data"]) == await blobs.read(paper.digest)
    assert noted == {
        "type": "document",
        "title": "c.txt",
        "source": {"type": "text", "media_type": "text/plain", "data": "the milk\n"},
    }
    assert words == {"type": "text", "text": "look [a.png, b.pdf, c.txt]"}


async def test_a_message_may_be_files_alone(simulator: Simulator, blobs: Blobs) -> None:
    async with opened(simulator, blobs) as backend:
        await collect(backend, asking(said("", await image(blobs, "a.png")), said(" ", text_file("c.txt", " \n"))))
    assert [block["type"] for block in content(simulator)] == ["image", "text"]
    assert content(simulator)[1]["text"] == LOST


async def test_a_file_that_is_gone_is_one_line(simulator: Simulator, blobs: Blobs) -> None:
    lost, there = await image(blobs, "a.png"), await image(blobs, "b.png", shade=99)
    blobs.path(lost.digest).unlink()
    async with opened(simulator, blobs) as backend:
        await collect(backend, asking(said("two", lost, there)))
    assert content(simulator)[0] == {"type": "text", "text": LOST}
    assert content(simulator)[1]["type"] == "image"


async def test_a_disk_that_fails_is_unavailable(simulator: Simulator, blobs: Blobs) -> None:
    file = await image(blobs, "a.png")
    place = blobs.path(file.digest)
    place.unlink()
    place.mkdir()
    async with opened(simulator, blobs) as backend:
        _, failure = await fail(backend, asking(said("one", file)))
    assert type(failure) is Unavailable
    assert simulator.asked() == []


async def test_half_a_pair_of_surrogates_in_a_file_does_no_harm(simulator: Simulator, blobs: Blobs) -> None:
    async with opened(simulator, blobs) as backend:
        assert finish(await collect(backend, asking(said("a", text_file("\ud83d.txt", "a\ud83db"))))).text


async def test_more_than_the_api_takes_loses_the_oldest_and_is_answered(simulator: Simulator, blobs: Blobs) -> None:
    papers = [await pdf(blobs, f"{number}.pdf", pages=30) for number in range(4)]
    history = [line for paper in papers[:3] for line in (said("read", paper), Said("assistant", "yes"))]
    async with opened(simulator, blobs) as backend:
        assert finish(await collect(backend, asking(said("and", papers[3]), history=history))).text
    kinds = [content(simulator, place)[0] for place in (0, 2, 4, 6)]
    assert [kind.get("title", kind.get("text")) for kind in kinds] == [LEFT_OUT, LEFT_OUT, LEFT_OUT, "3.pdf"]


async def test_a_request_of_many_megabytes_is_within_the_limit(simulator: Simulator, blobs: Blobs) -> None:
    papers = [await pdf(blobs, f"{number}.pdf", filler=9_000_000 + number) for number in range(3)]
    history = [line for paper in papers for line in (said("read", paper), Said("assistant", "yes"))]
    async with opened(simulator, blobs) as backend:
        assert finish(await collect(backend, asking(said("and?"), history=history))).text
    shown = [content(simulator, place)[0]["type"] for place in (0, 2, 4)]
    assert shown == ["text", "text", "document"]


def picture(size: int = 1_000, width: int = 100) -> Material:
    return Material("image", "a.png", "image/png", size, "0" * 64, width=width, height=10)


def paper(pages: int, size: int = 1_000) -> Material:
    return Material("pdf", "a.pdf", "application/pdf", size, "1" * 64, pages=pages)


def test_a_hundred_images_and_pages_are_held_and_no_more() -> None:
    assert len(held([said("", *[picture()] * MEDIA)])) == MEDIA
    assert len(held([said("", *[picture()] * 90, paper(11))])) == 89 + 1
    assert held([said("", paper(MEDIA + 1))]) == frozenset()


def test_large_images_are_held_only_if_they_are_few() -> None:
    lines = [said("", picture(width=LARGE + 1)) for _ in range(FEW)]
    assert len(held(lines)) == FEW
    after = held([*lines, said("", picture())])
    assert len(after) == FEW
    assert (FEW, 0) in after


def test_what_goes_leaves_room_so_that_the_next_turns_are_the_same() -> None:
    lines = [said("", picture()) for _ in range(MEDIA)]
    changes = 0
    for _ in range(MEDIA):
        before = held(lines)
        lines.append(said("", picture()))
        changes += not before <= held(lines)
    assert changes == 2


files = st.one_of(
    st.builds(picture, st.integers(1, 4_000_000), st.integers(1, 3_000)),
    st.builds(paper, st.integers(1, 100), st.integers(1, 20_000_000)),
    st.builds(text_file, st.just("a.txt"), st.integers(1, 100_000).map("x".__mul__)),
)


def line(listed: list[Material]) -> Said:
    return said("words", *listed)


conversations = st.lists(st.lists(files, max_size=10).map(line), max_size=12)


@given(conversations)
def test_whatever_is_held_is_within_the_limits_and_the_newest(lines: list[Said]) -> None:
    places = sorted(held(lines))
    kept = [lines[line].files[at] for line, at in places]
    assert sum(max(1, file.pages) for file in kept if file.kind != "text") <= MEDIA
    assert sum(-(-file.size // 3) * 4 if file.kind != "text" else file.size for file in kept) <= REQUEST
    images = [file for file in kept if file.kind == "image"]
    assert len(images) <= FEW or max(file.width for file in images) <= LARGE
    everything = [(line, at) for line, each in enumerate(lines) for at in range(len(each.files))]
    assert places == everything[len(everything) - len(places) :]


@given(conversations, conversations)
def test_what_was_left_out_stays_left_out(before: list[Said], more: list[Said]) -> None:
    earlier, later = held(before), held([*before, *more])
    assert {place for place in later if place[0] < len(before)} <= earlier


def test_the_tokens_of_files_are_guessed_by_their_kind() -> None:
    assert attached.tokens(picture(width=750)) == 10
    assert attached.tokens(paper(3)) == 9_000
    assert attached.tokens(text_file("a", "ü" * 100)) == 50
