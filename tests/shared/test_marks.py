"""How far each channel has been read, as the store has it."""

from datetime import timedelta
from pathlib import Path

from shared.chat import Connected
from shared.marks import UNDERWAY
from tests.odd.service import Note
from tests.shared.disk import disk
from tests.shared.house import NOON, House, heard, house
from tests.shared.hurrying import on_hurrying_clock


def said(number: int) -> Note:
    return Note(number, "ada", "bot, hello", at=NOON + timedelta(minutes=number))


@on_hurrying_clock
async def test_a_mark_is_kept_until_the_store_takes_it(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        marks = h.inbox.marks(h.adapter)
        await h.recalled()
        marks.read(heard(said(1)))
        with disk(h) as room:
            room.refuse()
            await marks.flush()
            marks.read(heard(said(2)))
            await marks.flush()
            assert h.rows("SELECT message FROM marks") == []
            room.free()
            await marks.flush()
        assert h.rows("SELECT message FROM marks") == [("odd:2",)]


@on_hurrying_clock
async def test_a_stuck_mark_stays_until_its_channel_is_read_again_and_others_move(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        marks, hall = h.inbox.marks(h.adapter), heard(said(3)).target.channel
        await h.recalled()
        marks.read(heard(said(1)))
        await marks.flush()
        marks.read(heard(said(2)))
        marks.stick(hall, NOON)
        marks.read(heard(said(4)))
        marks.read(heard(said(5), board="b"))
        await marks.flush()
        assert h.rows("SELECT channel, message FROM marks ORDER BY channel") == [("odd:b", "odd:5"), ("odd:hall", "odd:1")]
        marks.loosen(hall.id)
        marks.read(heard(said(6)))
        await marks.flush()
        assert ("odd:hall", "odd:6") in h.rows("SELECT channel, message FROM marks")


@on_hurrying_clock
async def test_what_has_to_be_read_again_holds_the_time_of_the_last_hearing(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        marks, hall, other = h.inbox.marks(h.adapter), heard(said(1)).target.channel, heard(said(1), board="b").target.channel
        await h.recalled()
        marks.stick(hall, NOON + timedelta(minutes=5))
        marks.stick(other, NOON + timedelta(minutes=9))
        marks.stick(hall, NOON + timedelta(minutes=7))
        assert list(marks.stuck) == [hall, other]
        await marks.until_stuck()
        h.clock.forward(hours=1)
        await marks.flush()
        assert await _since(h) == timedelta(minutes=5)
        marks.loosen(hall.id)
        await marks.flush()
        assert await _since(h) == timedelta(minutes=9)
        marks.loosen(other.id)
        await marks.flush()
        assert await _since(h) == timedelta(hours=1) - UNDERWAY


@on_hurrying_clock
async def test_frozen_marks_neither_move_nor_are_written(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        marks = h.inbox.marks(h.adapter)
        await h.recalled()
        marks.read(heard(said(1)))
        marks.freeze(True)
        marks.read(heard(said(2)))
        h.clock.forward(hours=1)
        await marks.flush()
        assert (h.rows("SELECT message FROM marks"), await _since(h)) == ([], timedelta(0))
        marks.freeze(False)
        await marks.flush()
        assert h.rows("SELECT message FROM marks") == [("odd:1",)]


@on_hurrying_clock
async def test_the_time_of_the_last_hearing_moves_while_connected_and_not_during_a_recall(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        marks = h.inbox.marks(h.adapter)
        await h.recalled()
        h.clock.forward(hours=1)
        await marks.flush()
        assert await _since(h) == timedelta(hours=1) - UNDERWAY
        marks.recalling(NOON + timedelta(hours=1))
        h.clock.forward(hours=1)
        await marks.flush()
        assert await _since(h) == timedelta(hours=1)
        marks.recalling(None)
        await marks.flush()
        assert await _since(h) == timedelta(hours=2) - UNDERWAY


@on_hurrying_clock
async def test_the_time_of_the_last_hearing_stays_while_a_recall_is_about_to_begin(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        marks = h.inbox.marks(h.adapter)
        await h.recalled()
        h.clock.forward(hours=1)
        await marks.flush()
        # A new session, after an hour of which nothing has been read yet.
        h.clock.forward(hours=1)
        await h.inbox.deliver(h.adapter, Connected())
        # As if it died here: the recall never begins.
        await h.inbox.aclose()
        await marks.flush()
        assert await _since(h) == timedelta(hours=1) - UNDERWAY
        await h.inbox.deliver(h.adapter, Connected())
        await h.recalled()
        # Nothing can be recalled on this platform: what was missed there is over.
        assert await _since(h) == timedelta(hours=2)


async def _since(h: House) -> timedelta:
    seen = await h.store.marks("odd")
    assert seen is not None
    return seen.since - NOON
