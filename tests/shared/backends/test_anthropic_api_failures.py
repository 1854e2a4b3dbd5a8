"""What the API refuses or breaks off, what is tried again and how it is told: real SDK, real sockets, simulated API."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from sandbox.anthropic import Script, Simulator
from shared.backends import Retrying, Said, Thinking
from shared.backends.anthropic_api import AnthropicApi, AnthropicConfig
from shared.errors import (
    BadKey,
    BrokenOff,
    Failure,
    Invalid,
    OutOfQuota,
    Overloaded,
    RateLimited,
    TooLarge,
    Unavailable,
)
from tests.conformance.backend import collect, fail, finish, prompt, spoken
from tests.shared.backends.api import NOWHERE, Waits, opened


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    async with Simulator() as running:
        yield running


@pytest.fixture
def waits() -> Waits:
    return Waits()


@pytest.fixture
async def backend(simulator: Simulator, waits: Waits) -> AsyncIterator[AnthropicApi]:
    async with opened(simulator, waits=waits) as made:
        yield made


async def test_a_failure_that_passes_is_tried_again_with_growing_jittered_waits(
    simulator: Simulator, backend: AnthropicApi, waits: Waits
) -> None:
    simulator.script(Script(status=529), times=3)
    answers = await collect(backend, prompt("hello"))
    assert finish(answers).text == "You said: hello"
    assert waits.ranges == [(0.0, 0.5), (0.0, 1.0), (0.0, 2.0)]
    assert waits.seconds == [0.5, 1.0, 2.0]
    assert [answer.after for answer in answers if isinstance(answer, Retrying)] == waits.seconds
    assert "529 overloaded_error (req_00000001)" in next(a.reason for a in answers if isinstance(a, Retrying))


async def test_it_is_told_of_a_retry_before_it_waits(simulator: Simulator) -> None:
    sleeping = asyncio.Event()

    async def sleep(_: float) -> None:
        sleeping.set()

    simulator.script(Script(status=500))
    backend = AnthropicApi(AnthropicConfig(api_key=simulator.key, base_url=simulator.url), NOWHERE, sleep=sleep)
    async with backend.answer(prompt("hello")) as answers:
        assert isinstance(await anext(answers), Retrying)
        assert not sleeping.is_set()
        assert isinstance(await anext(answers), Thinking)
        assert sleeping.is_set()
    await backend.aclose()


async def test_tries_are_bounded(simulator: Simulator, backend: AnthropicApi) -> None:
    simulator.script(Script(status=503), times=None)
    answers, failure = await fail(backend, prompt("hello"))
    assert type(failure) is Unavailable
    assert len(answers) == 3
    assert len(simulator.asked()) == 4


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "19.5"}, 19.5),
        ({"retry-after-ms": "250"}, 0.25),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after": "Fri, 20 Nov 2026 12:00:11 GMT"}, 11.0),
        ({"retry-after": "soon"}, 0.0),
        ({"retry-after": "-4"}, 0.0),
        ({"retry-after": "nan"}, 0.0),
        ({"retry-after": "inf"}, 0.0),
        ({"retry-after": "Fri, 20 Nov 2026 11:00:00 GMT"}, 0.0),
    ],
)
async def test_the_wait_that_the_api_asks_for_is_kept(
    simulator: Simulator, backend: AnthropicApi, waits: Waits, headers: dict[str, str], wait: float
) -> None:
    simulator.script(Script(status=429, headers=headers))
    assert finish(await collect(backend, prompt("hello"))).text
    assert waits.seconds == [wait + 0.5]


@pytest.mark.parametrize("status", [429, 503, 529])
async def test_a_wait_that_is_too_long_is_told_at_once(
    simulator: Simulator, backend: AnthropicApi, waits: Waits, status: int
) -> None:
    simulator.script(Script(status=status, headers={"retry-after": "3600"}))
    _, failure = await fail(backend, prompt("hello"))
    assert isinstance(failure, RateLimited)
    assert failure.retry_after == 3600
    assert waits.seconds == []
    assert len(simulator.asked()) == 1


async def test_a_rate_limit_without_a_time_still_says_one(simulator: Simulator, backend: AnthropicApi) -> None:
    simulator.script(Script(status=429), times=None)
    _, failure = await fail(backend, prompt("hello"))
    assert isinstance(failure, RateLimited)
    assert failure.retry_after > 0


async def test_a_spending_limit_is_not_tried_again(simulator: Simulator, backend: AnthropicApi) -> None:
    simulator.script(Script(status=429, error_code="enforced_spend_limit_reached", headers={"x-should-retry": "true"}))
    _, failure = await fail(backend, prompt("hello"))
    assert isinstance(failure, OutOfQuota)
    assert len(simulator.asked()) == 1


@pytest.mark.parametrize(("status", "word", "requests"), [(529, "false", 1), (400, "true", 2), (529, "maybe", 2)])
async def test_the_apis_own_word_on_trying_again_goes_first(
    simulator: Simulator, backend: AnthropicApi, status: int, word: str, requests: int
) -> None:
    simulator.script(Script(status=status, headers={"x-should-retry": word}))
    if requests == 1:
        await fail(backend, prompt("hello"))
    else:
        await collect(backend, prompt("hello"))
    assert len(simulator.asked()) == requests


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 413, 422])
async def test_a_no_is_not_tried_again(simulator: Simulator, backend: AnthropicApi, status: int) -> None:
    simulator.script(Script(status=status))
    await fail(backend, prompt("hello"))
    assert len(simulator.asked()) == 1


BEFORE = [
    Script(cut_before=True),
    Script(ending="cut", after=0),
    Script(ending="eof", after=0),
    Script(ending="error", error_type="overloaded_error", after=0),
    Script(thinking="let me see", ending="cut", after=0),
    Script(form="empty"),
]


@pytest.mark.parametrize("script", BEFORE, ids=["refused", "cut", "eof", "error", "thinking", "empty"])
async def test_what_breaks_before_the_first_word_is_tried_again(
    simulator: Simulator, backend: AnthropicApi, script: Script
) -> None:
    simulator.script(script)
    answers = await collect(backend, prompt("hello"))
    assert spoken(answers) == finish(answers).text == "You said: hello"
    assert sum(isinstance(answer, Retrying) for answer in answers) == 1


@pytest.mark.parametrize("ending", ["cut", "eof"])
async def test_a_stream_that_breaks_after_words_is_broken_off_and_not_asked_again(
    simulator: Simulator, backend: AnthropicApi, ending: str
) -> None:
    simulator.script(Script.of({"text": "one two three four", "deltas": 4, "ending": ending, "after": 2}))
    answers, failure = await fail(backend, prompt("hello"))
    assert type(failure) is BrokenOff
    assert spoken(answers) == "one two t"
    assert len(simulator.asked()) == 1


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("overloaded_error", Overloaded),
        ("rate_limit_error", RateLimited),
        ("api_error", BrokenOff),
        ("timeout_error", BrokenOff),
        ("a_new_error", BrokenOff),
        ("authentication_error", BadKey),
        ("billing_error", OutOfQuota),
        ("invalid_request_error", Invalid),
        ("request_too_large", TooLarge),
    ],
)
async def test_an_error_event_is_told_by_its_type_as_its_status_is_200(
    simulator: Simulator, backend: AnthropicApi, kind: str, expected: type[Failure]
) -> None:
    simulator.script(Script(text="one two", deltas=2, ending="error", error_type=kind, after=1))
    answers, failure = await fail(backend, prompt("hello"))
    assert type(failure) is expected
    assert spoken(answers)
    assert failure.detail.startswith(f"anthropic_api: 200 {kind} (req_00000001)")


async def test_a_spending_limit_that_people_have_set_is_no_fault_of_the_question(
    simulator: Simulator, backend: AnthropicApi
) -> None:
    simulator.script(Script(status=400, error_message="You have reached your specified API usage limits."))
    history = (Said("user", "a"), Said("assistant", "b", [{"type": "text", "text": "b", "citations": None}]))
    assert type((await fail(backend, prompt("hello", *history)))[1]) is OutOfQuota
    assert len(simulator.asked()) == 1
