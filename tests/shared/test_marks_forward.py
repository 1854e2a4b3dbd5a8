"""A mark moves forward or not at all."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from shared.chat import ChannelId, Message
from shared.marks import Marks
from shared.store import Store
from tests.conformance.store import START, Clock, channel, message
from tests.odd.platform import OddAdapter
from tests.odd.service import Service


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = await Store.open(tmp_path / "a.db")
    yield store
    await store.aclose()


@pytest.fixture
def marks(store: Store) -> Marks:
    marks = Marks(store, OddAdapter(Service()), clock=Clock())
    marks.recalling(START)
    return marks


def said(number: int, place: str = "general") -> Message:
    """The message that was written at this second."""
    return replace(message(number, place=channel(place)), sent_at=START + timedelta(seconds=number))


async def newest(marks: Marks, store: Store) -> dict[ChannelId, str]:
    await marks.flush()
    seen = await store.marks("odd")
    return {} if seen is None else dict(seen.newest)


async def test_a_message_that_is_read_again_does_not_move_the_mark_back(marks: Marks, store: Store) -> None:
    for number in (1, 2, 3):
        marks.read(said(number))
    marks.read(said(2))
    assert await newest(marks, store) == {"odd:general": "odd:3"}
    marks.read(said(1))
    marks.read(said(1, "other"))
    assert await newest(marks, store) == {"odd:general": "odd:3", "odd:other": "odd:1"}
    marks.read(said(4))
    assert await newest(marks, store) == {"odd:general": "odd:4", "odd:other": "odd:1"}


async def test_of_two_messages_of_one_moment_the_later_one_counts(marks: Marks, store: Store) -> None:
    marks.read(said(1))
    marks.read(replace(said(2), sent_at=said(1).sent_at))
    assert await newest(marks, store) == {"odd:general": "odd:2"}


async def test_a_mark_does_not_pass_a_message_that_is_being_stored(marks: Marks, store: Store) -> None:
    marks.read(said(1))
    with marks.taking(ChannelId("odd:general")), marks.taking(ChannelId("odd:general")):
        marks.read(said(3))
        marks.read(said(3, "other"))
        assert await newest(marks, store) == {"odd:other": "odd:3"}
    assert await newest(marks, store) == {"odd:general": "odd:3", "odd:other": "odd:3"}


async def test_a_mark_does_not_pass_a_message_that_could_could_not_be_stored(marks: Marks, store: Store) -> None:
    marks.read(said(1))
    assert await newest(marks, store) == {"odd:general": "odd:1"}
    marks.stick(channel("general"), START)
    marks.read(said(3))
    assert await newest(marks, store) == {"odd:general": "odd:1"}
