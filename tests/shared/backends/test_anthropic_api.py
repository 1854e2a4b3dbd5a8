"""What the Messages API does to a client, and what the backend makes of it: real SDK, real sockets, simulated API."""

import asyncio
import socket
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from sandbox.anthropic import Script, Simulator
from shared.backends import Delta, Retrying, Said, Thinking
from shared.backends.anthropic_api import AnthropicApi, AnthropicConfig
from shared.errors import (
    BadKey,
    BrokenOff,
    Failure,
    Invalid,
    OutOfQuota,
    Overloaded,
    RateLimited,
    Silent,
    TooLarge,
    Unavailable,
)
from tests.conformance.backend import collect, fail, finish, prompt, spoken

NOW = datetime(2026, 11, 20, 12, 0, 0, tzinfo=UTC)


class Waits:
    """Takes the place of sleeping: no time passes, and what was asked for is kept."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.ranges: list[tuple[float, float]] = []

    async def sleep(self, seconds: float) -> None:
        self.seconds.append(seconds)

    def longest(self, low: float, high: float) -> float:
        self.ranges.append((low, high))
        return high


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    async with Simulator() as running:
        yield running


@pytest.fixture
def waits() -> Waits:
    return Waits()


@asynccontextmanager
async def opened(simulator: Simulator, waits: Waits, silence: float = 10.0) -> AsyncGenerator[AnthropicApi]:
    config = AnthropicConfig(api_key=simulator.key, base_url=simulator.url, silence=silence)
    backend = AnthropicApi(config, sleep=waits.sleep, uniform=waits.longest, now=lambda: NOW)
    try:
        yield backend
    finally:
        await backend.aclose()


@pytest.fixture
async def backend(simulator: Simulator, waits: Waits) -> AsyncIterator[AnthropicApi]:
    async with opened(simulator, waits) as made:
        yield made


async def test_the_key_goes_as_bearer_with_the_version_that_the_library_knows(
    simulator: Simulator, backend: AnthropicApi
) -> None:
    await collect(backend, prompt("hello"))
    call = await simulator.ended()
    assert call.notes["version"] == "2026-10-21"
    assert "x-api-key" not in call.notes["headers"]


async def test_the_request_holds_what_the_api_of_today_takes(simulator: Simulator, backend: AnthropicApi) -> None:
    await collect(backend, prompt("hello"))
    body = (await simulator.ended()).body
    assert body["stream"] is True
    assert not {"temperature", "top_p", "top_k"} & set(body)
    assert body["messages"] == [{"role": "user", "content": [{"type": "text", "text": "hello"}]}]
    assert body["system"] == [{"type": "text", "text": "Be kind.", "cache_control": {"type": "ephemeral"}}]
    assert body["cache_control"] == {"type": "ephemeral"}
    assert "output_config" not in body


async def test_model_and_effort_of_the_prompt_go_before_those_of_the_settings(simulator: Simulator) -> None:
    config = AnthropicConfig(api_key=simulator.key, base_url=simulator.url, model="claude-opus-5-5", effort="high", max_tokens=7)
    backend = AnthropicApi(config)
    asked = prompt("hello")
    await collect(backend, asked)
    usage = finish(await collect(backend, replace(asked, model="claude-haiku-5-5", effort="low"))).usage
    first, second = (call.body for call in simulator.asked())
    assert (first["model"], first["output_config"], first["max_tokens"]) == ("claude-opus-5-5", {"effort": "high"}, 7)
    assert (second["model"], second["output_config"]) == ("claude-haiku-5-5", {"effort": "low"})
    assert usage.model == "claude-haiku-5-5"
    await backend.aclose()


async def test_the_environment_adds_nothing_to_a_request(
    simulator: Simulator, backend: AnthropicApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "another")
    monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", "another")
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("ANTHROPIC_CUSTOM_HEADERS", "authorization: Bearer another\nx-api-key: k\nx-evil: 1\ncookie: c")
    assert finish(await collect(backend, prompt("hello"))).text == "You said: hello"
    sent = set((await simulator.ended()).notes["headers"])
    assert not sent & {"x-evil", "x-api-key", "cookie"}


async def test_the_key_and_line_breaks_stay_out_of_the_operators_line(simulator: Simulator, backend: AnthropicApi) -> None:
    simulator.script(Script(status=400, error_message=f"wrong key\n{simulator.key}"))
    _, failure = await fail(backend, prompt("hello"))
    assert failure.detail == "anthropic_api: 400 invalid_request_error (req_00000001): wrong key ***"


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
    backend = AnthropicApi(AnthropicConfig(api_key=simulator.key, base_url=simulator.url), sleep=sleep)
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


@pytest.mark.parametrize("form", ["json", "html"])
async def test_an_answer_that_is_no_stream_is_a_failure_and_not_asked_again(
    simulator: Simulator, backend: AnthropicApi, form: str
) -> None:
    simulator.script(Script.of({"form": form}), times=None)
    _, failure = await fail(backend, prompt("hello"))
    assert type(failure) is BrokenOff
    assert form in failure.detail
    assert len(simulator.asked()) == 1


async def test_silence_is_a_failure_before_and_after_the_first_byte(simulator: Simulator, waits: Waits) -> None:
    async with opened(simulator, waits, silence=0.15) as backend:
        for script in (Script(wait=60), Script(think=60), Script(text="one two", deltas=2, ending="silence", after=1)):
            simulator.script(script)
            begun = time.monotonic()
            _, failure = await fail(backend, prompt("hello"))
            assert type(failure) is Silent
            assert 0.1 < time.monotonic() - begun < 2
    assert waits.seconds == []
    assert len(simulator.asked()) == 3


async def test_a_slow_but_steady_answer_outlives_the_limit_for_silence(simulator: Simulator, waits: Waits) -> None:
    async with opened(simulator, waits, silence=0.3) as backend:
        simulator.script(Script(words=40, deltas=12, seconds=0.9))
        assert len(finish(await collect(backend, prompt("hello"))).text.split()) == 40


async def test_pings_are_signs_of_life(simulator: Simulator, waits: Waits) -> None:
    async with opened(simulator, waits, silence=0.3) as backend:
        simulator.script(Script(text="at last", think=0.7, pings=0.05))
        answers = await collect(backend, prompt("hello"))
    before = answers[: next(n for n, answer in enumerate(answers) if isinstance(answer, Delta))]
    assert len(before) > 8
    assert all(isinstance(answer, Thinking) for answer in before)


async def test_nobody_there_is_unavailable(waits: Waits) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        backend = AnthropicApi(AnthropicConfig(api_key="k", base_url=url), sleep=waits.sleep)
        answers, failure = await fail(backend, prompt("hello"))
        await backend.aclose()
    assert type(failure) is Unavailable
    assert len(answers) == 3
    assert failure.__cause__ is None


async def test_leaving_closes_the_stream_at_once(simulator: Simulator, backend: AnthropicApi) -> None:
    simulator.script(Script(words=100, deltas=100, seconds=100))
    async with backend.answer(prompt("hello")) as answers:
        while not isinstance(await anext(answers), Delta):
            pass
    left = time.monotonic()
    call = await simulator.ended()
    assert call.notes["outcome"] == "disconnected"
    assert call.ended_mono is not None
    assert call.ended_mono - left < 0.5


async def test_cancelling_before_the_first_byte_closes_the_connection(simulator: Simulator, backend: AnthropicApi) -> None:
    simulator.script(Script(wait=100))
    asking = asyncio.create_task(collect(backend, prompt("hello")))
    await simulator.wait_for(lambda: simulator.asked() and simulator.asked()[0].notes.get("last"))
    asking.cancel()
    assert (await simulator.ended()).notes["outcome"] == "disconnected"


async def test_an_answer_read_to_its_end_leaves_its_connection_for_the_next(simulator: Simulator, backend: AnthropicApi) -> None:
    for _ in range(3):
        await collect(backend, prompt("hello"))
    assert len({call.notes["port"] for call in simulator.asked()}) == 1


async def test_more_than_a_hundred_answers_run_at_the_same_time(simulator: Simulator, backend: AnthropicApi) -> None:
    simulator.script(Script(wait=100), times=None)
    asking = [asyncio.create_task(collect(backend, prompt("hello"))) for _ in range(150)]

    def together() -> bool:
        return sum("last" in call.notes and call.ended is None for call in simulator.asked()) == 150

    await simulator.wait_for(together, timeout=5)
    for task in asking:
        task.cancel()
    await asyncio.gather(*asking, return_exceptions=True)


async def test_thinking_is_sent_back_as_it_came(simulator: Simulator, backend: AnthropicApi) -> None:
    simulator.script(Script(thinking="let me see", text="well"))
    answers = await collect(backend, prompt("hello"))
    first = finish(answers)
    assert first.text == "well"
    assert first.blocks is not None
    history = (Said("user", "hello"), Said("assistant", first.text, first.blocks))
    assert finish(await collect(backend, prompt("and?", *history))).text == "You said: and?"
    assert simulator.asked()[1].body["messages"][1] == {"role": "assistant", "content": first.blocks}


async def test_a_plain_answer_needs_no_native_blocks(backend: AnthropicApi) -> None:
    assert finish(await collect(backend, prompt("hello"))).blocks is None


@pytest.mark.parametrize(
    ("reason", "stop"),
    [
        ("end_turn", "end"),
        ("max_tokens", "max_tokens"),
        ("stop_sequence", "stop_sequence"),
        ("refusal", "refusal"),
        ("pause_turn", "pause"),
        ("model_context_window_exceeded", "context_full"),
    ],
)
async def test_every_stop_reason_is_an_end_and_no_failure(
    simulator: Simulator, backend: AnthropicApi, reason: str, stop: str
) -> None:
    simulator.script(Script(text="so far", thinking="hm", stop=reason, explanation="That is not for me."))
    last = finish(await collect(backend, prompt("hello")))
    assert (last.stop, last.text) == (stop, "so far")
    assert (last.explanation, last.blocks is None) == (("That is not for me.", True) if stop == "refusal" else (None, False))


async def test_the_figures_of_use_are_those_of_the_last_word(simulator: Simulator, backend: AnthropicApi) -> None:
    figures = {"input_tokens": 11, "output_tokens": 22, "cache_read_input_tokens": 33, "cache_creation_input_tokens": 44}
    simulator.script(Script(usage=figures))
    usage = finish(await collect(backend, prompt("hello"))).usage
    assert (usage.input_tokens, usage.output_tokens) == (11, 22)
    assert (usage.cache_read_tokens, usage.cache_write_tokens) == (33, 44)


async def test_characters_cut_between_packets_and_unknown_events_do_no_harm(simulator: Simulator, backend: AnthropicApi) -> None:
    text = "schön 😀 日本語 \u2028 end " * 5
    simulator.script(Script(text=text, deltas=20, split_bytes=True, unknown_events=True))
    answers = await collect(backend, prompt("hello"))
    assert spoken(answers) == finish(answers).text == text


async def test_a_client_made_in_a_thread_answers(backend: AnthropicApi) -> None:
    await asyncio.to_thread(backend.open)
    assert finish(await collect(backend, prompt("hello"))).text == "You said: hello"


async def test_after_closing_a_question_opens_a_new_client(backend: AnthropicApi) -> None:
    await collect(backend, prompt("hello"))
    await backend.aclose()
    assert finish(await collect(backend, prompt("again"))).text == "You said: again"
