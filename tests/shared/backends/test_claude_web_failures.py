"""What claude.ai refuses, and what comes of it: which failure, whether it is tried again, what the operator reads."""

from collections.abc import Mapping
from typing import Any

import pytest
from structlog.testing import capture_logs

from sandbox.claude_web import API_ORGANIZATION, ClaudeWebSimulator, Config, Script
from shared.backends import Delta, Doing, Retrying, Spent, Thinking
from shared.backends.claude_web import ClaudeWeb, ClaudeWebConfig
from shared.claude_web import Breaker
from shared.errors import BadKey, Blocked, BrokenOff, Failure, Misconfigured, RateLimited, Silent, Unavailable, UnknownModel
from tests.conformance.backend import fail, spoken
from tests.shared.backends.api import NOW, NOWHERE, Waits
from tests.shared.backends.web import answered, asking, finished, opened
from tests.shared.claude_web.house import Clock


async def test_the_edges_refusal_is_never_tried_again_and_holds_questions_back_for_a_while() -> None:
    clock, waits = Clock(), Waits()
    async with ClaudeWebSimulator() as web, opened(web, waits=waits, breaker=Breaker(900, clock=clock)) as backend:
        await finished(backend, asking("one"))
        web.block()
        before = len(web.calls)
        with pytest.raises(Blocked, match="does not let it through") as raised:
            await answered(backend, asking("two"))
        assert raised.value.retry_after == pytest.approx(900)
        assert "\n" not in raised.value.detail
        clock.pass_by(60)
        with pytest.raises(Blocked, match="held back") as held:
            await answered(backend, asking("three"))
        assert held.value.retry_after == pytest.approx(840)
        assert len(web.calls) == before + 1
        web.block(False)
        clock.pass_by(900)
        assert (await finished(backend, asking("four"))).text == "You said: four"
        assert waits.seconds == []


async def test_a_session_that_has_run_out_is_a_bad_key() -> None:
    for status in (401, 403):
        async with ClaudeWebSimulator() as web, opened(web) as backend:
            web.expire(status)
            with pytest.raises(BadKey, match="log in again") as raised:
                await answered(backend, asking("one"))
            assert web.session_key not in raised.value.detail
            web.renew(web.session_key)
            assert (await finished(backend, asking("one"))).text == "You said: one"


async def test_a_used_up_limit_says_until_when() -> None:
    async with ClaudeWebSimulator(Config(clock=NOW.timestamp)) as web, opened(web, now=lambda: NOW) as backend:
        web.exhaust(NOW.timestamp() + 3_600, retry_after=False)
        with pytest.raises(RateLimited) as raised:
            await answered(backend, asking("one"))
        assert raised.value.retry_after == 3_600
        assert "UTC" in raised.value.detail


async def test_a_limit_that_is_met_while_the_answer_begins_says_until_when() -> None:
    async with ClaudeWebSimulator() as web, opened(web, now=lambda: NOW) as backend:
        window = {"status": "over_limit", "resets_at": NOW.timestamp() + 600, "utilization": 1.0}
        web.script(Script(text="", limit="exceeded_limit", windows={"5h": window}))
        with pytest.raises(RateLimited) as raised:
            await answered(backend, asking("one"))
        assert raised.value.retry_after == pytest.approx(600)


async def test_a_short_wait_is_waited_for() -> None:
    waits = Waits()
    async with ClaudeWebSimulator() as web, opened(web, waits=waits) as backend:
        web.script(Script(status=429, headers={"Retry-After": "3"}))
        answers = await answered(backend, asking("one"))
        assert isinstance(answers[0], Retrying)
        assert answers[0].after == waits.seconds[0] >= 3
        assert "QuotaExceededError" in answers[0].reason


async def test_what_passes_is_tried_again_and_given_up_at_last() -> None:
    waits = Waits()
    async with ClaudeWebSimulator() as web, opened(web, waits=waits, retries=2) as backend:
        web.script(Script(status=503), times=None)
        with pytest.raises(Unavailable, match="503"):
            await answered(backend, asking("one"))
        assert len(web.asked()) == 3
        assert waits.ranges == [(0.0, 0.5), (0.0, 1.0)]


async def test_an_answer_that_was_stopped_on_the_page_is_broken_off_with_its_words() -> None:
    async with ClaudeWebSimulator() as web, opened(web) as backend:
        web.script(Script(text="half an answer", stop="user_canceled"))
        answers, failure = await fail(backend, asking("one"))
        assert isinstance(failure, BrokenOff)
        assert "user_canceled" in failure.detail
        assert spoken(answers) == "half an answer"


async def test_an_answer_that_falls_silent_is_given_up_and_stopped() -> None:
    async with ClaudeWebSimulator() as web, opened(web, silence=0.05) as backend:
        web.script(Script(text="one two", deltas=2, ending="silence", after=1))
        with pytest.raises(Silent):
            await answered(backend, asking("one"))
        await web.wait_for(lambda: web.calls.matching("POST", "stop_response"))


async def test_a_model_that_the_plan_lacks_is_an_unknown_model() -> None:
    async with ClaudeWebSimulator() as web, opened(web) as backend:
        web.script(Script(status=403, error_message="This model isn't available right now"))
        with pytest.raises(UnknownModel):
            await answered(backend, asking("one", model="opus"))


async def test_an_organisation_that_is_not_ones_own_is_a_bad_key() -> None:
    async with ClaudeWebSimulator() as web, opened(web, organization=API_ORGANIZATION) as backend:
        with pytest.raises(BadKey, match="organization"):
            await answered(backend, asking("one"))


async def test_claude_ai_that_cannot_be_reached_is_unavailable() -> None:
    async with ClaudeWebSimulator() as web:
        address = web.url
    backend = ClaudeWeb(ClaudeWebConfig(session_key="sk", base_url=address, retries=1), NOWHERE, sleep=(waits := Waits()).sleep)
    with pytest.raises(Unavailable):
        await answered(backend, asking("one"))
    assert len(waits.seconds) == 1
    await backend.aclose()


async def test_a_backend_that_was_closed_opens_again() -> None:
    async with ClaudeWebSimulator() as web, opened(web) as backend:
        await finished(backend, asking("one"))
        await backend.aclose()
        assert (await finished(backend, asking("two"))).text == "You said: two"


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"session_key": ""}, "CLAUDE_WEB_SESSION_KEY"),
        ({"session_key": "a b"}, "CLAUDE_WEB_SESSION_KEY"),
        ({"organization": "mine"}, "CLAUDE_WEB_ORGANIZATION"),
        ({"base_url": "http://claude.ai"}, "must be https"),
        ({"proxy": "socks5://me:word@host"}, "CLAUDE_WEB_PROXY"),
        ({"proxy": "http://me:word@host:port"}, "CLAUDE_WEB_PROXY"),
    ],
)
def test_a_wrong_setting_is_told_without_its_value(settings: Mapping[str, Any], says: str) -> None:
    given: dict[str, Any] = {"session_key": "sk", **settings}
    with pytest.raises(Misconfigured, match=says) as raised:
        ClaudeWeb(ClaudeWebConfig(**given), NOWHERE)
    assert "word" not in raised.value.detail
    assert "a b" not in raised.value.detail


def test_the_log_says_at_the_start_what_this_is() -> None:
    with capture_logs() as lines:
        ClaudeWeb(ClaudeWebConfig(session_key="sk"), NOWHERE)
    (line,) = lines
    assert line["log_level"] == "warning"
    assert "unofficial" in line["event"]
    assert "consumer terms" in line["event"]
    assert "own account" in line["event"]


async def test_the_operator_is_told_once_that_the_message_limit_comes_near() -> None:
    async with ClaudeWebSimulator() as web, opened(web) as backend:
        with capture_logs() as lines:
            await finished(backend, asking("one"))
            web.default = Script(limit="approaching_limit")
            await finished(backend, asking("two", turn=2))
            await finished(backend, asking("three", turn=3))
        assert len([line for line in lines if "message limit" in line["event"]]) == 1


async def test_thinking_and_tools_are_told() -> None:
    async with ClaudeWebSimulator() as web, opened(web) as backend:
        web.script(Script(text="found it", thinking="let me see", tool="web_search"))
        answers = await answered(backend, asking("one"))
        assert "".join(each.text for each in answers if isinstance(each, Thinking)) == "let me see"
        works = [each for each in answers if isinstance(each, Doing)]
        assert works[0] == Doing("search")
        assert works[-1] == Doing(None)
        assert answers.index(works[-1]) < next(n for n, each in enumerate(answers) if isinstance(each, Delta))
        assert isinstance(answers[0], Spent)
        assert answers[0].usage.estimated


async def test_models_are_known_by_their_names() -> None:
    backend = ClaudeWeb(ClaudeWebConfig(session_key="sk", model="opus"), NOWHERE)
    first, *others = await backend.models()
    assert first.id == "claude-opus-4-6" == (await backend.model("Opus")).id
    assert first.name == "Claude Opus 4.6"
    assert len(others) == 2
    assert (await backend.model("claude-new-7")).window == 200_000


async def test_no_failure_holds_the_session_key() -> None:
    async with ClaudeWebSimulator() as web, opened(web) as backend:
        web.script(Script(status=400, error_message=f"the key {web.session_key} is not liked"))
        with pytest.raises(Failure) as raised:
            await answered(backend, asking("one"))
        assert web.session_key not in raised.value.detail
        assert web.session_key not in repr(ClaudeWebConfig(session_key=web.session_key))
