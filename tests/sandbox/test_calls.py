import asyncio
import json
from pathlib import Path

import pytest

from sandbox.calls import CallLog, Changes


def test_calls_are_numbered_in_the_order_of_arrival_and_found_after_a_number() -> None:
    times = iter(range(100))
    log = CallLog(clock=lambda: float(next(times)), monotonic=lambda: float(next(times)))
    first, second = log.begin("GET", "/a"), log.begin("POST", "/b", {"x": 1})
    log.end(second, 200)
    assert [call.number for call in log] == [1, 2]
    assert log.after(1) == [second]
    assert log.after(2) == []
    assert log.matching("POST", "/b") == [second]
    assert (first.status, second.status, second.ended) == (None, 200, 4.0)


def test_a_log_with_a_file_goes_on_where_it_ended(tmp_path: Path) -> None:
    path = tmp_path / "calls"
    log = CallLog(path=path)
    for number in range(3):
        log.end(log.begin("GET", f"/{number}"), 200)
    log.close()
    path.write_text(path.read_text() + '{"number": 4, "meth')
    again = CallLog(path=path)
    assert [call.path for call in again] == ["/0", "/1", "/2"]
    assert again.begin("GET", "/3").number == 4
    again.close()


def test_every_line_of_the_file_is_one_call(tmp_path: Path) -> None:
    log = CallLog(path=tmp_path / "calls")
    log.end(log.begin("POST", "/x", {"text": "line\nbreak"}), None)
    log.close()
    assert json.loads((tmp_path / "calls").read_text())["body"] == {"text": "line\nbreak"}


async def test_waiting_ends_with_the_change_that_makes_it_true() -> None:
    changes = Changes()
    seen: list[int] = []
    waiting = asyncio.create_task(changes.wait_for(lambda: len(seen) == 2 and seen))
    for number in range(3):
        await asyncio.sleep(0)
        assert not waiting.done()
        seen.append(number)
        changes.notify()
        if number == 1:
            break
    assert await waiting == [0, 1]


async def test_waiting_in_vain_ends_in_time() -> None:
    with pytest.raises(TimeoutError):
        await Changes().wait_for(lambda: None, timeout=0.01)
