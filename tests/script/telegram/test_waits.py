"""Telegram asks for silence: that chat is left alone until it is over, others are answered, the reply is whole in the end."""

from dataclasses import replace
from pathlib import Path

from tests.bots.telegram.rig import ROOMY, told_to_wait
from tests.script.telegram.stage import ME, Stage, opened
from tests.script.test_files_out import CODE


def calls_in(stage: Stage, person: str) -> list[float]:
    """When calls were made in somebody's private chat."""
    found = [call for call in stage.telegram.calls if call.body and call.body.get("chat_id") == stage.number(person)]
    return [call.arrived_mono for call in found]


async def refused(stage: Stage) -> float:
    """When a call was answered with 429, once one was."""
    return await stage.until(lambda: next((call.arrived_mono for call in stage.telegram.calls if call.status == 429), None))


async def test_a_chat_is_left_alone_until_the_wait_is_over_and_others_are_answered(tmp_path: Path) -> None:
    async with opened(tmp_path) as stage:
        ada, chat = await stage.alone()
        ben, other = await stage.alone()
        stage.answers("told to wait", "One two three four five six.", deltas=6, seconds=1.0, pings=0.2)
        await stage.telegram.fault(told_to_wait(6))
        await stage.say(ada, chat, "told to wait")
        begun = await refused(stage)
        await stage.say(ada, chat, "and this one waits")
        await stage.say(ben, other, "meanwhile")
        await stage.glimpses(ben, other, f"{ben}: meanwhile", "threadline: You said: meanwhile")
        assert stage.sees(ada, chat) == [f"{ada}: told to wait", f"{ada}: and this one waits"]
        await stage.reads(
            ada, chat, f"{ada}: told to wait", f"{ada}: and this one waits", "threadline: One two three four five six.",
            "threadline: You said: and this one waits",
        )  # fmt: skip
        assert not [at for at in calls_in(stage, ada) if begun < at < begun + 6]


async def test_a_file_waits_too_and_is_not_lost(tmp_path: Path) -> None:
    async with opened(tmp_path, code_file_characters=200) as stage:
        ada, chat = await stage.alone()
        stage.answers("file late", f"```python\n{CODE}\n```")
        await stage.telegram.fault(told_to_wait(2, path="/sendDocument$"))
        await stage.say(ada, chat, "file late")
        begun = await refused(stage)
        await stage.until(lambda: stage.sees(ada, chat)[-1] == "threadline: {code-1.py}")
        await stage.settled()
        assert len(stage.sees(ada, chat)) == 3
        assert not [at for at in calls_in(stage, ada) if begun < at < begun + 2]


async def test_a_wait_is_kept_through_a_restart(tmp_path: Path) -> None:
    async with opened(tmp_path, drain_seconds=0) as stage:
        ada, chat = await stage.alone()
        await stage.telegram.fault(told_to_wait(3))
        await stage.say(ada, chat, "told to wait")
        begun = await refused(stage)
        await stage.stop()
        await stage.start()
        await stage.reads(ada, chat, f"{ada}: told to wait", "threadline: You said: told to wait")
        assert not [at for at in calls_in(stage, ada) if begun < at < begun + 3]


async def test_waits_that_grow_with_each_call_are_not_made_to_grow(tmp_path: Path) -> None:
    tight = replace(ROOMY, private_limit=(1, 1.0), penalty=1.0)
    async with opened(tmp_path, config=tight) as stage:
        ada, chat = await stage.alone()
        stage.answers("growing waits", "One two three four five six.", deltas=6, seconds=3.0, pings=0.2)
        await stage.say(ada, chat, "growing waits")
        await stage.reads(ada, chat, f"{ada}: growing waits", "threadline: One two three four five six.")
        for begun in [call.arrived_mono for call in stage.telegram.calls if call.status == 429]:
            assert not [at for at in calls_in(stage, ada) if begun < at < begun + 1]


async def test_a_group_is_edited_no_faster_than_telegram_allows(tmp_path: Path) -> None:
    async with opened(tmp_path, config=replace(ROOMY, group_limit=(20, 60.0))) as stage:
        ada, place = await stage.person(), await stage.group()
        stage.answers("at ease", " ".join(["word"] * 60), deltas=60, seconds=4.5, pings=0.2)
        await stage.say(ada, place, f"{ME} at ease")
        await stage.until(lambda: stage.sees(ada, place)[-1].count("word") == 60)
        await stage.settled()
        assert len(stage.calls("editMessageText")) <= 2
        assert stage.telegram.stats()["suffered"] == 0
