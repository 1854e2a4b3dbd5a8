"""A group that becomes a supergroup while people are being answered there."""

from pathlib import Path
from typing import Any

import pytest

from sandbox.anthropic import Script
from tests.script.telegram.stage import ME, opened


async def test_an_answer_that_is_being_written_as_its_group_moves_is_shown_whole_in_the_new_one(tmp_path: Path) -> None:
    async with opened(tmp_path) as stage:
        ada, place = await stage.person(), await stage.group("group")
        script = Script(text="Half now, the rest later, all of it in the end.", deltas=2, seconds=2.5)
        stage.claude.script(script, match="how?")
        await stage.say(ada, place, f"{ME} how?")
        await stage.until(lambda: any(line.startswith("threadline: Half") for line in stage.sees(ada, place)))
        moved = str((await stage.telegram.migrate(place))["id"])
        await stage.until(lambda: stage.sees(ada, moved)[-1:] == [f"threadline: {script.text}"])
        await stage.settled()
        assert [line for line in stage.sees(ada, moved) if line.startswith("threadline: ")] == [f"threadline: {script.text}"]
        stage.answers("and then?", "Then this.")
        await stage.say(ada, moved, f"{ME} and then?")
        await stage.until(lambda: stage.sees(ada, moved)[-1] == "threadline: Then this.")
        assert len(stage.body("and then?")["messages"]) == 3


async def test_what_was_said_before_a_group_moved_is_answered_though_all_of_it_was_missed(tmp_path: Path) -> None:
    async with opened(tmp_path) as stage:
        ada, place = await stage.person(), await stage.group("group")
        await stage.stop()
        words = ("one", "two", "three", "four")
        for word in words:
            stage.answers(word, f"About {word}.")
            if word == "four":
                place = str((await stage.telegram.migrate(place))["id"])
            await stage.say(ada, place, f"{ME} {word}")
        await stage.start()
        await stage.until(lambda: {f"threadline: About {word}." for word in words} <= set(stage.sees(ada, place)))
        await stage.settled()
        assert len(stage.body("four")["messages"]) == 7


async def test_a_group_that_the_settings_name_keeps_what_they_say_of_it_also_after_a_restart(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with opened(tmp_path) as stage:
        ada, place, other = await stage.person(), await stage.group("group"), await stage.group("group")
        number, word = stage.chat(place), "hello"
        await stage.stop()
        listed: dict[str, Any] = {"telegram_allowed_chats": number, "idle_channels": f"telegram:{number}=1", "idle_hours": 0}
        await stage.start(**listed)
        moved = str((await stage.telegram.migrate(place))["id"])
        lines: list[str] = []
        for nth in (1, 2):
            await stage.say(ada, moved, f"{ME} {word} {nth}")
            lines += [f"{ada}: {ME} {word} {nth}", f"threadline: You said: {ada}: {word} {nth}"]
            await stage.reads(ada, moved, *lines)
            await stage.later(hours=1.1)
            await stage.until(lambda: "Nobody wrote here for 1 hour" in stage.sees(ada, moved)[-1])
            await stage.settled()
            lines += stage.sees(ada, moved)[-1:]
            told = [line for line in capsys.readouterr().out.splitlines() if "change it in the settings" in line]
            assert len(told) == 2
            assert all(f"telegram:{number}" in line and f"telegram:{moved}" in line and "warning" in line for line in told)
            await stage.stop()
            await stage.start(**listed)
        elsewhere = str((await stage.telegram.migrate(other))["id"])
        await stage.say(ada, elsewhere, f"{ME} not here")
        await stage.until(lambda: "I may not answer you here" in stage.sees(ada, elsewhere)[-1])
