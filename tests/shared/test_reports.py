"""What /usage, /list, /why, /settings and /help tell: word for word."""

from datetime import timedelta
from pathlib import Path
from typing import get_args

import pytest

from shared import answers, sentences
from shared.backends import Usage
from shared.chat import Channel, ChannelId
from shared.commands import COMMANDS
from shared.limits import refused
from shared.scopes import IdleTimes
from shared.states import State
from shared.store import Budget, Decision, Rules, Told
from tests.shared.desk import ATTIC, DIRECT, HALL, NICHE, NOON, Desk, desk

HERE = "Here I take messages that mention me or reply to me. Others, and those of bots, I leave alone."
LIMITS = Rules(budgets=(Budget("user", "tokens", 1000), Budget("channel", "money", 2_000_000), Budget("all", "money", 10**9)))


async def test_usage_shows_what_one_has_used_oneself_and_in_the_channel_and_all_to_admins_alone(tmp_path: Path) -> None:
    async with desk(tmp_path, rules=LIMITS) as h:
        for who, place, tokens in (("ada", HALL, 420), ("eve", NICHE, 80), ("eve", ATTIC, 1000)):
            await h.answer(await h.ask("?", who=who, place=place), usage=Usage("m", tokens - 10, 10, cost=tokens * 1000))
        begun = "Used in November 2026; a new month begins on 1 December (UTC):"
        mine = "- by you: 420 tokens, $0.42; 42 % of the 1,000 tokens that may be used"
        channel = "- in this channel: 500 tokens, $0.50; 25 % of the $2.00 that may be used"
        assert (await h.say("/usage")).splitlines() == [begun, mine, channel]
        assert (await h.say("/usage", who="root")).splitlines() == [
            begun,
            "- by you: 0 tokens, $0.00; 0 % of the 1,000 tokens that may be used",
            channel,
            "- by all: 1,500 tokens, $1.50; 0 % of the $1,000.00 that may be used",
        ]
        h.forward(days=11)
        assert "Used in December 2026; a new month begins on 1 January (UTC):\n- by you: 0 tokens" in await h.say("/usage")


async def test_without_limits_usage_shows_what_was_used_alone(tmp_path: Path) -> None:
    async with desk(tmp_path) as h:
        assert (await h.say("/usage")).splitlines()[1:] == ["- by you: 0 tokens, $0.00", "- in this channel: 0 tokens, $0.00"]


async def test_the_conversations_of_a_place_are_listed_with_what_one_needs_to_go_on(tmp_path: Path) -> None:
    async with desk(tmp_path) as h:
        assert await h.say("/list") == "There are no conversations here yet. Ask me something to start one."
        await h.talked("About `cats`\n**and** <@1>, " + "long " * 30)
        await h.talked("more")
        await h.say("/new")
        h.forward(hours=3)
        await h.talked("in a thread", place=NICHE)
        h.forward(minutes=1)
        await h.talked("elsewhere", place=ATTIC)
        h.forward(days=2)
        niche, hall = await h.store.talks(HALL.id, most=5)
        assert (await h.say("/list")).splitlines() == [
            "The conversations here; /resume and a number goes on with one:",
            f"- `{niche.id.hex[:8]}` `in a thread`: 1 question, 2 days ago, open, in a thread",
            f"- `{hall.id.hex[:8]}` `About 'cats' **and** <@1>, long long long long long long lon…`: "
            "2 questions, 2 days ago, closed with /new",
        ]


async def test_why_tells_what_became_of_ones_own_messages_and_admins_of_all(tmp_path: Path) -> None:
    async with desk(tmp_path) as h:
        assert await h.say("/why") == f"I have taken no message of yours here in the last days. {HERE}"
        await h.talked("one")
        h.forward(minutes=2)
        await h.talked("two", who="eve")
        h.forward(minutes=1)
        await h.answer(await h.ask("three"), outcome="failed", failure="Overloaded")
        await h.store.tell("odd", h.message("x"), decision="not_allowed", text="no")
        await h.ask("four")
        assert (await h.say("/why")).splitlines() == [
            "What became of the last messages here:",
            "- just now: It waits for its turn. /stop takes it back.",
            "- just now: It was not answered: I may not answer this person here. The person who runs this bot can change that.",
            "- just now: It was not answered. Claude is overloaded. Ask again in a moment.",
            "- 3 minutes ago: It was answered.",
            HERE,
        ]
        lines = (await h.say("/why", who="root")).splitlines()
        assert lines[1] == "- just now (`ada`): It waits for its turn. /stop takes it back."
        assert lines[4] == "- 1 minute ago (`eve`): It was answered."


@pytest.mark.parametrize("decision", get_args(Decision))
@pytest.mark.parametrize("state", [None, *get_args(State)])
def test_every_decision_and_state_has_a_sentence(decision: Decision, state: State | None) -> None:
    for failure in (None, "RateLimited", "BadKey", "Crashed", "Fault", "Gone", "SomethingNew", "Sequence"):
        for stop in (None, "end", "refusal", "max_tokens", "something new"):
            told = answers.became(Told(NOON, None, decision, 1, state, 1, failure, stop))
            assert told.endswith(".")
            assert "{" not in told


def test_what_happens_to_messages_that_are_not_kept_is_told_for_every_kind_of_place() -> None:
    assert answers.why([], NOON, HALL, names=False).endswith(HERE)
    assert answers.why([], NOON, DIRECT, names=False).endswith("Here I take every message that is not a bot's.")
    assert answers.why([], NOON, NICHE, names=False).endswith(
        "Here I take messages that mention me or reply to me, and every one if I opened this thread; none of bots."
    )


async def test_settings_show_each_value_and_the_scope_that_won(tmp_path: Path) -> None:
    idle = IdleTimes(timedelta(hours=24), {"odd": timedelta(minutes=90)}, {ChannelId("odd:attic"): None})
    told = (("WEB_SEARCH", "off", False), ("QUEUE_LIMIT", "3", True))
    async with desk(tmp_path, idle=idle, told=told) as h:
        await h.talked("hello")
        await h.say("/model large platform", who="root")
        await h.say("/effort low")
        assert (await h.say("/settings")).splitlines() == [
            "What holds here:",
            "- model: `large` (`large-3`), chosen for this platform",
            "- effort: `low`, chosen for this conversation",
            "- instructions: none, as this bot is set up",
            "- a conversation is closed: after 90 minutes without a message, set for this platform",
            "- `WEB_SEARCH`: `off`, the default",
            "- `QUEUE_LIMIT`: `3`, set by the operator",
            "/model, /effort and /system change the first three; /usage shows the limits.",
        ]
        assert "- a conversation is closed: never, set for this channel" in await h.say("/settings", place=ATTIC)


@pytest.mark.parametrize("place", [HALL, NICHE, DIRECT])
async def test_help_names_every_command_and_how_to_talk_here(tmp_path: Path, place: Channel) -> None:
    async with desk(tmp_path) as h:
        said = await h.say("/help", place=place)
        first, *lines = said.splitlines()
        assert (
            first
            == {
                "group": (
                    "Mention me with a question, or reply to one of my messages. Commands written as text need the mention, too."
                ),
                "thread": "Write in my thread; elsewhere mention me, or reply to one of my messages.",
                "direct": "Write to me; every message is for me.",
            }[place.kind]
        )
        assert len(lines) == len(COMMANDS) + 1
        assert "- `/model [name] [for]`: Show or choose the model" in lines
        assert len(said) < 2000


async def test_nothing_that_others_wrote_can_break_what_is_told(tmp_path: Path) -> None:
    hostile = "```\n`@everyone` <@1> **x [a](http://b) \u202e" + "y" * 200
    async with desk(tmp_path) as h:
        await h.talked(hostile)
        listed, settings = await h.say("/list"), ""
        await h.say(f"/system {hostile}")
        settings = await h.say("/settings")
        for said in (listed, settings, await h.say("/resume")):
            assert "\u202e" not in said
            assert "```" not in said
            for line in said.splitlines():
                assert "@everyone" not in "".join(line.split("`")[::2])
    assert isinstance(h, Desk)


def test_refusals_are_those_of_the_one_file() -> None:
    assert refused("queue_full", None) == sentences.QUEUE_FULL
