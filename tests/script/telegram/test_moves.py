"""A group that becomes a supergroup while people are being answered there."""

from pathlib import Path

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
