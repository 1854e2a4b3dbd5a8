"""How updates come and replies grow: asked for and posted, after the server was away, over broken connections, as drafts."""

import time
from dataclasses import dataclass, replace
from pathlib import Path

import aiohttp
import pytest

from sandbox.faults import Rule
from shared.errors import Misconfigured
from tests.bots.telegram.rig import ROOMY
from tests.script.base import file, free_port
from tests.script.telegram.stage import ME, Stage, opened, posted

STOPPED = "threadline: One two three.\n\n*Stopped.* [Continue] [Retry]"


async def talk(stage: Stage, word: str) -> None:
    """Somebody asks in private and in a group, uses a button, and gives a command."""
    ada, chat = await stage.alone()
    place = await stage.group()
    stage.hangs(f"{word} 1", "One two three.")
    stage.answers(f"{word} 2", "Here.")
    await stage.say(ada, chat, f"{word} 1")
    await stage.glimpses(ada, chat, f"{ada}: {word} 1", "threadline: One two three. [Stop]")
    await stage.press(ada, chat, "Stop")
    await stage.reads(ada, chat, f"{ada}: {word} 1", STOPPED)
    await stage.say(ada, place, f"{ME} {word} 2")
    await stage.reads(ada, place, f"{ada}: {ME} {word} 2", "threadline: Here.")
    assert (await stage.told(ada, place, "undo")).startswith("I have forgotten the last question and its answer.")


async def test_what_was_said_while_the_server_was_away_is_answered_once(tmp_path: Path) -> None:
    async with opened(tmp_path) as stage:
        ada, chat = await stage.alone()
        place = await stage.group()
        await stage.say(ada, chat, "before it went")
        await stage.reads(ada, chat, f"{ada}: before it went", "threadline: You said: before it went")
        await stage.stop()
        asked = await stage.say(ada, chat, "while it is awya")
        await stage.edit(asked, "while it is away")
        await stage.say(ada, place, f"{ME} and in the group")
        await stage.say(ada, place, f"/list{ME}")
        album = [file(f"{nth}.txt", f"text {nth}") for nth in (1, 2)]
        ben, other = await stage.alone()
        await stage.say(ben, other, "an album", *album)
        await stage.start()
        lines = [f"{ada}: before it went", "threadline: You said: before it went", f"{ada}: while it is away"]
        await stage.reads(ada, chat, *lines, "threadline: You said: while it is away")
        await stage.until(lambda: len(stage.sees(ada, place)) == 4)
        await stage.until(lambda: stage.sees(ben, other)[-1].startswith("threadline: You said: an album"))
        await stage.settled()
        await stage.heard()
        await stage.stop()
        await stage.start()
        stage.answers("after all", "Yes.")
        await stage.say(ada, chat, "after all")
        await stage.reads(ada, chat, *lines, "threadline: You said: while it is away", f"{ada}: after all", "threadline: Yes.")
        assert len(stage.sees(ada, place)) == 4
        assert len([body for body in stage.claude.bodies() if "an album" in str(body)]) == 1


@dataclass
class Clock:
    """Telegram's clock."""

    behind: float = 0.0

    def __call__(self) -> float:
        return time.time() - self.behind


async def test_what_is_too_old_when_the_server_comes_back_is_told_in_one_line(tmp_path: Path) -> None:
    clock = Clock()
    async with opened(tmp_path, config=replace(ROOMY, clock=clock)) as stage:
        ada, chat = await stage.alone()
        await stage.say(ada, chat, "before it went")
        await stage.reads(ada, chat, f"{ada}: before it went", "threadline: You said: before it went")
        await stage.stop()
        clock.behind = 7 * 3600
        await stage.say(ada, chat, "too old 1")
        await stage.say(ada, chat, "too old 2")
        clock.behind = 0
        await stage.say(ada, chat, "not too old")
        await stage.start()
        await stage.until(lambda: "threadline: You said: not too old" in stage.sees(ada, chat))
        await stage.settled()
        assert sorted(stage.sees(ada, chat)) == sorted(
            [
                f"{ada}: before it went", "threadline: You said: before it went", f"{ada}: too old 1", f"{ada}: too old 2",
                f"{ada}: not too old", "threadline: You said: not too old",
                "threadline: While I was away I missed a message older than 6 hours. Ask again if it still matters.",
            ]
        )  # fmt: skip


async def test_polls_that_are_cut_and_answers_of_a_proxy_lose_nothing(tmp_path: Path) -> None:
    async with opened(tmp_path) as stage:
        ada, chat = await stage.alone()
        await stage.telegram.fault(Rule("status", path="(?i)/getUpdates$", status=502, body="<html>Bad Gateway</html>", times=2))
        await stage.telegram.drop()
        await stage.say(ada, chat, "in the storm")
        await stage.reads(ada, chat, f"{ada}: in the storm", "threadline: You said: in the storm")
        await stage.telegram.fault(Rule("reset", path="(?i)/getUpdates$", moment="after"))
        await stage.say(ada, chat, "once more")
        await stage.reads(
            ada, chat, f"{ada}: in the storm", "threadline: You said: in the storm", f"{ada}: once more",
            "threadline: You said: once more",
        )  # fmt: skip


async def test_updates_can_be_posted(tmp_path: Path) -> None:
    async with posted(tmp_path) as stage:
        await stage.start()
        await talk(stage, "posted")
        assert not stage.calls("getUpdates")
        ada, chat = await stage.alone()
        await stage.stop()
        await stage.say(ada, chat, "while it was away")
        await stage.start()
        await stage.reads(ada, chat, f"{ada}: while it was away", "threadline: You said: while it was away")
        async with aiohttp.ClientSession() as session:
            for secret in ("", "not-the-word"):
                headers = {"X-Telegram-Bot-Api-Secret-Token": secret}
                address = str(stage.setting("telegram_webhook_url"))
                async with session.post(address, json={"update_id": 1}, headers=headers) as refused:
                    assert refused.status == 401


async def test_one_can_change_from_posting_to_asking_and_back(tmp_path: Path) -> None:
    async with posted(tmp_path) as stage:
        await stage.start()
        ada, chat = await stage.alone()
        lines: list[str] = []
        for nth, way in enumerate(("webhook", "polling", "webhook")):
            await stage.stop()
            await stage.say(ada, chat, f"by {way} {nth}")
            await stage.start(telegram_events=way)
            lines += [f"{ada}: by {way} {nth}", f"threadline: You said: by {way} {nth}"]
            await stage.reads(ada, chat, *lines)


async def test_with_drafts_a_reply_grows_as_one_and_ends_as_a_message(tmp_path: Path) -> None:
    async with opened(tmp_path, telegram_drafts="on") as stage:
        ada, chat = await stage.alone()
        stage.answers("in drafts", "One two three four five six.", deltas=6, seconds=4.0, pings=0.2)
        await stage.say(ada, chat, "in drafts")
        await stage.until(lambda: stage.sees(ada, chat)[-1].endswith("(draft)"))
        await stage.reads(ada, chat, f"{ada}: in drafts", "threadline: One two three four five six.")
        assert not stage.calls("editMessageText")
        place = await stage.group()
        stage.answers("not in groups", "One two three four five six.", deltas=6, seconds=1.0, pings=0.2)
        await stage.say(ada, place, f"{ME} not in groups")
        await stage.reads(ada, place, f"{ada}: {ME} not in groups", "threadline: One two three four five six.")
        assert {call.body["chat_id"] for call in stage.calls("sendMessageDraft")} == {stage.number(ada)}


async def test_a_reply_in_drafts_can_be_stopped_and_comes_whole_after_a_restart(tmp_path: Path) -> None:
    async with opened(tmp_path, telegram_drafts="on", drain_seconds=0) as stage:
        ada, chat = await stage.alone()
        stage.hangs("drafted", "First try.")
        stage.hangs("drafted", "Second try.")
        await stage.say(ada, chat, "drafted")
        await stage.until(lambda: stage.sees(ada, chat)[-1].startswith("threadline: First try."))
        await stage.stop()
        await stage.start()
        await stage.until(lambda: stage.sees(ada, chat)[-1].startswith("threadline: Second try."))
        await stage.say(ada, chat, "/stop")
        await stage.settled()
        assert sorted(stage.sees(ada, chat)) == sorted(
            [f"{ada}: drafted", f"{ada}: /stop", "threadline: Second try.\n\n*Stopped.* [Continue] [Retry]"]
        )


async def test_a_long_reply_in_drafts_comes_in_its_parts(tmp_path: Path) -> None:
    async with opened(tmp_path, telegram_drafts="on") as stage:
        ada, chat = await stage.alone()
        stage.answers("long in drafts", "\n\n".join(f"{'word ' * 400}{number}." for number in range(5)), deltas=20, seconds=1.0)
        await stage.say(ada, chat, "long in drafts")
        await stage.until(lambda: stage.sees(ada, chat)[-1].endswith("word 4."))
        await stage.settled()
        parts = stage.sees(ada, chat)[1:]
        assert sum(part.count("word") for part in parts) == 2000
        assert not [part for part in parts if part.endswith("(draft)")]


async def test_a_topic_of_a_private_chat_has_a_conversation_of_its_own(tmp_path: Path) -> None:
    async with opened(tmp_path, config=replace(ROOMY, topics_in_private=True)) as stage:
        ada, chat = await stage.alone()
        topic = await stage.topic(ada, chat)
        await stage.say(ada, topic, "in the topic")
        await stage.reads(ada, topic, f"{ada}: in the topic", "threadline: You said: in the topic")
        await stage.say(ada, chat, "beside it")
        await stage.reads(ada, chat, f"{ada}: beside it", "threadline: You said: beside it")
        assert len(stage.body("beside it")["messages"]) == 1


async def test_a_bad_token_is_told_to_the_operator_and_not_shown(tmp_path: Path) -> None:
    wrong = "7000000001:AAnot_the_token_of_the_simulated_bot"
    with pytest.raises(Misconfigured) as told:
        async with opened(tmp_path, telegram_token=wrong, health_port=free_port()):
            raise AssertionError("it started")
    assert "TELEGRAM_TOKEN" in told.value.detail
    assert wrong not in told.value.detail
