"""How much people may use."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared import sentences
from shared.backends import Usage
from shared.chat import AuthorId, ChannelId
from shared.limits import Pace, budgets, idle_times, next_month, refused, rules, spender
from shared.settings import Settings, names
from shared.store import Budget, Rules, Share
from tests.shared.desk import ATTIC, HALL, NICHE, NOON, desk

ADA = AuthorId("odd:ada")
DECEMBER = datetime(2026, 12, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in names():
        monkeypatch.delenv(name, raising=False)


def test_the_settings_make_the_rules() -> None:
    assert rules(Settings()) == Rules(timedelta(seconds=1.5), 10, False, 20, [])
    chosen = Settings(
        burst_seconds=0, when_busy="interrupt", queue_limit=3, user_per_minute=0, budget_user_tokens=7, budget_total_dollars=2.5
    )
    assert rules(chosen) == Rules(timedelta(0), 3, True, 0, [Budget("user", "tokens", 7), Budget("all", "money", 2_500_000)])
    assert budgets(Settings(budget_channel_dollars=0.5, budget_channel_tokens=9)) == [
        Budget("channel", "tokens", 9), Budget("channel", "money", 500_000),
    ]  # fmt: skip


def test_the_settings_make_the_idle_times() -> None:
    hour = timedelta(hours=1)
    times = idle_times(Settings(idle_hours=0, discord_idle_hours=3, idle_channels={"discord:1": 2, "discord:2": 0}))
    assert (times.everywhere, dict(times.platforms)) == (None, {"discord": 3 * hour})
    assert times.channels == {ChannelId("discord:1"): 2 * hour, ChannelId("discord:2"): None}
    assert idle_times(Settings()).everywhere == 24 * hour
    assert idle_times(Settings(discord_idle_hours=0)).platforms == {"discord": None}


@pytest.mark.parametrize(
    ("now", "then"),
    [
        (NOON, DECEMBER),
        (datetime(2026, 12, 31, 23, 59, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)),
        (datetime(2028, 1, 31, tzinfo=UTC), datetime(2028, 2, 1, tzinfo=UTC)),
    ],
)
def test_budgets_begin_anew_on_the_first_of_the_next_month(now: datetime, then: datetime) -> None:
    assert next_month(now) == then


def test_a_thread_is_counted_with_its_channel() -> None:
    assert [spender(who, ADA, NICHE) for who in ("user", "channel", "all")] == ["user:odd:ada", "channel:odd:hall", "all"]
    assert spender("channel", ADA, HALL) == "channel:odd:hall"


def test_refusals_have_their_sentences() -> None:
    share = Share(Budget("user", "tokens", 100), 85, DECEMBER)
    assert refused("too_fast", None) == sentences.TOO_FAST
    assert refused("queue_full", None) == sentences.QUEUE_FULL
    assert refused("over_limit", share) == sentences.over_limit("user", "tokens", 100, DECEMBER)


@given(st.integers(1, 5), st.lists(st.integers(0, 40), max_size=60))
def test_nobody_does_more_in_a_minute_than_is_allowed_and_nobody_who_waits_is_refused(most: int, steps: list[int]) -> None:
    now = NOON
    pace = Pace(most, clock=lambda: now)
    allowed: list[datetime] = []
    for step in steps:
        now += timedelta(seconds=step)
        before = [at for at in allowed if now - at < timedelta(minutes=1)]
        assert pace.allows(ADA) == (len(before) < most)
        if len(before) < most:
            allowed.append(now)


def test_the_pace_of_one_person_is_not_that_of_another_and_is_told_once_a_minute() -> None:
    now = NOON
    pace = Pace(1, clock=lambda: now)
    assert [pace.allows(ADA), pace.allows(ADA), pace.allows(AuthorId("odd:eve"))] == [True, False, True]
    assert [pace.tells(ADA), pace.tells(ADA), pace.tells(AuthorId("odd:eve"))] == [True, False, True]
    now += timedelta(seconds=61)
    assert pace.tells(ADA)
    assert Pace(0, clock=lambda: now).allows(ADA)


answers = st.lists(st.tuples(st.sampled_from(["ada", "eve"]), st.booleans(), st.integers(1, 60)), max_size=8)


@given(
    said=answers,
    listed=st.lists(
        st.builds(Budget, st.sampled_from(["user", "channel", "all"]), st.just("tokens"), st.integers(1, 150)),
        min_size=1,
        max_size=3,
    ),
)
@settings(max_examples=30, deadline=None)
async def test_whoever_and_wherever_asks_is_refused_exactly_from_the_budget_on(
    tmp_path_factory: pytest.TempPathFactory, said: list[tuple[str, bool, int]], listed: list[Budget]
) -> None:
    async with desk(tmp_path_factory.mktemp("limits"), rules=Rules(budgets=listed)) as h:
        used: dict[str, int] = {}
        for number, (who, attic, tokens) in enumerate(said):
            place = ATTIC if attic else HALL
            author = AuthorId(f"odd:{who}")
            over = next((one for one in listed if used.get(spender(one.who, author, place), 0) >= one.most), None)
            taken = await h.ask(f"number {number}", who=who, place=place)
            if over is None:
                assert taken.decision == "queued"
                await h.answer(taken, usage=Usage("m", input_tokens=tokens - 1, output_tokens=1))
                for key in {spender(one, author, place) for one in ("user", "channel", "all")}:
                    used[key] = used.get(key, 0) + tokens
            else:
                assert taken.decision == "over_limit"
                told = await h.read(taken)
                assert told in ("", sentences.over_limit(over.who, "tokens", over.most, DECEMBER))
        month = await h.store.spendings(["all", "user:odd:ada", "user:odd:eve", "channel:odd:hall", "channel:odd:attic"])
        assert {key: spent.tokens for key, spent in month.items() if spent.tokens} == used
        h.now = DECEMBER
        assert (await h.ask("a new month")).decision == "queued"


async def test_the_one_who_is_over_the_limit_is_told_once_an_hour_in_a_place(tmp_path: Path) -> None:
    one = Budget("user", "tokens", 10)
    async with desk(tmp_path, rules=Rules(budgets=(one,))) as h:
        await h.talked("hello")
        text = sentences.over_limit("user", "tokens", 10, DECEMBER)
        assert await h.read(await h.ask("more")) == text
        assert await h.read(await h.ask("more")) == ""
        assert await h.read(await h.ask("more", place=ATTIC)) == text
        assert (await h.ask("me too", who="eve")).decision == "queued"
        h.forward(minutes=61)
        assert await h.read(await h.ask("more")) == text
