"""What the Messages API does to a client, and what the backend makes of it: real SDK, real sockets, simulated API."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from sandbox.anthropic import Script, Simulator
from sandbox.faults import Rule
from shared.backends import Delta, Spent, Thinking
from shared.backends.anthropic_api import AnthropicApi, AnthropicConfig
from shared.errors import (
    BrokenOff,
    Silent,
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
    asked = prompt("hello")
    async with opened(simulator, model="claude-opus-5-5", effort="high", max_tokens=7) as backend:
        await collect(backend, asked)
        usage = finish(await collect(backend, replace(asked, model="claude-haiku-5-5", effort="low"))).usage
    first, second = (call.body for call in simulator.asked())
    assert (first["model"], first["output_config"], first["max_tokens"]) == ("claude-opus-5-5", {"effort": "high"}, 7)
    assert (second["model"], second["output_config"]) == ("claude-haiku-5-5", {"effort": "low"})
    assert usage.model == "claude-haiku-5-5"


async def test_the_environment_adds_nothing_to_a_request(
    simulator: Simulator, backend: AnthropicApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "another")
    monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", "another")
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv(
        "ANTHROPIC_CUSTOM_HEADERS", "authorization: Bearer another\nx-api-key: k\nx-evil: 1\ncookie: c\nanthropic-beta: evil"
    )
    assert finish(await collect(backend, prompt("hello"))).text == "You said: hello"
    sent = set((await simulator.ended()).notes["headers"])
    assert not sent & {"x-evil", "x-api-key", "cookie", "anthropic-beta"}


async def test_the_key_and_line_breaks_stay_out_of_the_operators_line(simulator: Simulator, backend: AnthropicApi) -> None:
    simulator.script(Script(status=400, error_message=f"wrong key\n{simulator.key}"))
    _, failure = await fail(backend, prompt("hello"))
    assert failure.detail == "anthropic_api: 400 invalid_request_error (req_00000001): wrong key ***"


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
    async with opened(simulator, waits=waits, silence=0.15) as backend:
        for script in (Script(wait=60), Script(think=60), Script(text="one two", deltas=2, ending="silence", after=1)):
            simulator.script(script)
            begun = time.monotonic()
            _, failure = await fail(backend, prompt("hello"))
            assert type(failure) is Silent
            assert time.monotonic() - begun > 0.1
    assert waits.seconds == []
    assert len(simulator.asked()) == 3


async def test_a_slow_but_steady_answer_outlives_the_limit_for_silence(simulator: Simulator, waits: Waits) -> None:
    async with opened(simulator, waits=waits, silence=4.0) as backend:
        simulator.script(Script(words=40, deltas=12, seconds=6.0))
        assert len(finish(await collect(backend, prompt("hello"))).text.split()) == 40


async def test_pings_are_signs_of_life(simulator: Simulator, waits: Waits) -> None:
    async with opened(simulator, waits=waits, silence=4.0) as backend:
        simulator.script(Script(text="at last", think=6.0, pings=0.4))
        answers = await collect(backend, prompt("hello"))
    before = answers[: next(n for n, answer in enumerate(answers) if isinstance(answer, Delta))]
    assert len(before) > 8
    assert all(isinstance(answer, Thinking | Spent) for answer in before)


async def test_nobody_there_is_unavailable(waits: Waits) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        backend = AnthropicApi(AnthropicConfig(api_key="k", base_url=url), NOWHERE, sleep=waits.sleep)
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
    # It is waited for only a fraction of the time that the whole answer takes.
    assert (await simulator.ended()).notes["outcome"] == "disconnected"


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


async def test_a_plain_answer_needs_no_native_blocks(backend: AnthropicApi) -> None:
    assert finish(await collect(backend, prompt("hello"))).blocks is None


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


class Wire:
    """A relay before the simulator, which tells how many connections to it are open."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.opened = 0
        self.closed = asyncio.Event()

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.opened += 1
        there, here = await asyncio.open_connection("127.0.0.1", self._port)

        async def copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
            while data := await source.read(65_536):
                sink.write(data)
            sink.close()

        await asyncio.gather(copy(reader, here), copy(there, writer))
        self.closed.set()


async def test_a_connection_that_idles_is_closed_and_the_next_question_opens_another(simulator: Simulator) -> None:
    wire = Wire(int(simulator.url.rpartition(":")[2]))
    server = await asyncio.start_server(wire.carry, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    # No list of models, which would open a connection of its own.
    simulator.faults.set(Rule("hang", path="/v1/models", times=None))
    async with server, opened(simulator, base_url=f"http://127.0.0.1:{port}", connection_idle=0.2) as backend:
        for _ in range(2):
            await collect(backend, prompt("hello"))
        opened_before = wire.opened
        async with asyncio.timeout(30):
            await wire.closed.wait()
        await collect(backend, prompt("hello"))
        assert wire.opened == opened_before + 1
    assert len({call.notes["port"] for call in simulator.asked()}) == 2


async def test_a_large_conversation_is_sent_whole(simulator: Simulator, backend: AnthropicApi) -> None:
    long = "schön " * 400_000
    simulator.script(Script(text="read"))
    assert finish(await collect(backend, prompt(long))).text == "read"
    assert simulator.bodies()[0]["messages"][0]["content"][0]["text"] == long
