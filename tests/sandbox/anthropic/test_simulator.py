"""The simulated API, judged by the real SDK and by a plain HTTP client."""

import asyncio
import io
import json
from typing import Any, cast

import aiohttp
import anthropic
import httpx2
import pytest
from anthropic import AsyncAnthropic, DefaultAioHttpClient

from sandbox.anthropic import Config, Script, Simulator
from sandbox.anthropic.config import MODELS
from sandbox.faults import Rule
from tests.sandbox.far import apart

MODEL = next(iter(MODELS))


def body(text: str = "hello", **more: object) -> dict[str, Any]:
    return {"model": MODEL, "max_tokens": 100, "messages": [{"role": "user", "content": text}], "stream": True, **more}


async def ask(client: AsyncAnthropic, text: str = "hello") -> anthropic.types.Message:
    async with client.messages.stream(model=MODEL, max_tokens=100, messages=[{"role": "user", "content": text}]) as stream:
        return await stream.get_final_message()


def text_of(message: anthropic.types.Message) -> str:
    return "".join(block.text for block in message.content if block.type == "text")


async def error_of(http: aiohttp.ClientSession, sent: dict[str, Any], path: str = "/v1/messages") -> tuple[int, str]:
    data = io.BytesIO(json.dumps(sent).encode())  # aiohttp warns of large bodies that are plain bytes
    async with http.post(path, data=data) as response:
        answer = await response.json()
        assert response.headers["request-id"] == answer["request_id"]
        return response.status, answer["error"]["message"]


async def test_the_default_answer_echoes_the_last_user_message(client: AsyncAnthropic) -> None:
    message = await ask(client, "good morning")
    assert text_of(message) == "You said: good morning"
    assert message.stop_reason == "end_turn"
    assert message.usage.input_tokens > 0
    assert message.usage.output_tokens > 1


async def test_a_drip_keeps_its_number_of_deltas_and_its_time(simulator: Simulator, client: AsyncAnthropic) -> None:
    simulator.script(Script(words=50, deltas=10, think=0.05, seconds=0.2))
    await ask(client)
    times = cast("list[float]", (await simulator.ended()).notes["deltas"])
    assert len(times) == 10
    assert times[-1] - times[0] > 0.15


async def test_a_long_answer_arrives_whole(simulator: Simulator, client: AsyncAnthropic) -> None:
    simulator.script(Script(characters=40_000, deltas=2_000))
    message = await ask(client)
    assert len(text_of(message)) == 40_000
    assert text_of(message) == (await simulator.ended()).notes["text"]


async def test_characters_cut_between_packets_arrive_whole(simulator: Simulator, client: AsyncAnthropic) -> None:
    text = "schön 😀 日本語 " * 5
    simulator.script(Script(text=text, deltas=7, split_bytes=True))
    assert text_of(await ask(client)) == text


async def test_thinking_comes_signed_and_before_the_text(simulator: Simulator, client: AsyncAnthropic) -> None:
    simulator.script(Script(thinking="let me see, let me see"))
    message = await client.messages.create(
        model=MODEL,
        max_tokens=100,
        messages=[{"role": "user", "content": "hello"}],
        thinking={"type": "adaptive", "display": "summarized"},
    )
    first, second = message.content
    assert first.type == "thinking"
    assert first.thinking == "let me see, let me see"
    assert first.signature
    assert second.type == "text"


async def test_a_changed_thinking_block_is_refused_when_it_comes_back(
    simulator: Simulator, client: AsyncAnthropic, http: aiohttp.ClientSession
) -> None:
    simulator.script(Script(thinking="let me see"))
    said = [block.model_dump() for block in (await ask(client)).content]
    kept = {k: v for k, v in said[0].items() if v is not None}
    for thinking, expected in ((kept["thinking"], 200), ("let me seem", 400)):
        messages = [
            {"role": "user", "content": "hello"},
            {"role": "assistant", "content": [{**kept, "thinking": thinking}, {"type": "text", "text": "hi"}]},
            {"role": "user", "content": "again"},
        ]
        async with http.post("/v1/messages", json=body(messages=messages)) as response:
            assert response.status == expected


async def test_unknown_events_disturb_no_client(simulator: Simulator, client: AsyncAnthropic) -> None:
    simulator.script(Script(unknown_events=True))
    assert [event.type for event in await events_of(client)].count("message_stop") == 1


async def events_of(client: AsyncAnthropic) -> list[anthropic.types.RawMessageStreamEvent]:
    stream = await client.messages.create(
        model=MODEL, max_tokens=100, messages=[{"role": "user", "content": "hello"}], stream=True
    )
    async with stream:
        return [event async for event in stream]


@pytest.mark.parametrize(
    "stop",
    [
        "end_turn",
        "max_tokens",
        "stop_sequence",
        "tool_use",
        "pause_turn",
        "refusal",
        "compaction",
        "model_context_window_exceeded",
    ],
)
async def test_every_stop_reason_arrives(simulator: Simulator, client: AsyncAnthropic, stop: str) -> None:
    simulator.script(Script(stop=stop, category="cyber", explanation="I would rather not."))
    message = await ask(client)
    assert message.stop_reason == stop
    if stop == "refusal":
        assert message.stop_details is not None
        assert message.stop_details.category == "cyber"


async def test_pings_come_during_silence(simulator: Simulator, http: aiohttp.ClientSession) -> None:
    simulator.script(Script(think=0.2, pings=0.03))
    async with http.post("/v1/messages", json=body()) as response:
        raw = (await response.read()).decode()
    assert raw.index("message_start") < raw.index("event: ping")
    assert 4 <= raw.count("event: ping") <= 9


async def test_silence_with_pings_lasts_until_the_caller_leaves(simulator: Simulator, http: aiohttp.ClientSession) -> None:
    simulator.script(Script(ending="silence", after=1, deltas=3, pings=0.01))
    async with http.post("/v1/messages", json=body()) as response:
        pings = 0
        async for line in response.content:
            pings += line.startswith(b"event: ping")
            if pings > 4:
                break
        response.close()
    call = await simulator.ended()
    assert len(call.notes["deltas"]) == 1


async def test_silence_without_a_byte_is_noticed_when_the_caller_leaves(simulator: Simulator, client: AsyncAnthropic) -> None:
    simulator.script(Script(wait=600))
    asking = asyncio.create_task(ask(client))
    await simulator.wait_for(lambda: simulator.asked() and simulator.asked()[0].notes.get("last"))
    asking.cancel()
    call = await simulator.ended()
    assert call.notes["outcome"] == "disconnected"
    assert call.status is None


async def test_a_caller_who_leaves_in_mid_stream_is_noticed_at_once(simulator: Simulator, client: AsyncAnthropic) -> None:
    simulator.script(Script(words=100, deltas=100, seconds=60))
    asking = asyncio.create_task(ask(client))
    await simulator.wait_for(lambda: simulator.asked() and len(simulator.asked()[0].notes.get("deltas", ())) > 0)
    asking.cancel()
    # It is waited for only a fraction of the time that the whole answer takes.
    assert (await simulator.ended()).notes["outcome"] == "disconnected"


async def test_a_cut_reaches_the_client_as_a_broken_transfer(simulator: Simulator, client: AsyncAnthropic) -> None:
    simulator.script(Script(text="one two three four", deltas=4, ending="cut", after=2))
    with pytest.raises(httpx2.TransportError):
        await events_of(client)
    call = await simulator.ended()
    assert call.notes["outcome"] == "cut"
    assert len(call.notes["deltas"]) == 2


async def test_an_early_end_is_clean_and_without_a_stop(simulator: Simulator, client: AsyncAnthropic) -> None:
    simulator.script(Script(text="one two three four", deltas=4, ending="eof", after=3))
    kinds = [event.type for event in await events_of(client)]
    assert kinds.count("content_block_delta") == 3
    assert "message_stop" not in kinds


async def test_an_error_event_in_the_stream_has_status_200(simulator: Simulator, client: AsyncAnthropic) -> None:
    simulator.script(Script(ending="error", error_type="overloaded_error", after=1, deltas=2))
    with pytest.raises(anthropic.APIStatusError) as raised:
        await events_of(client)
    assert raised.value.status_code == 200
    assert raised.value.type == "overloaded_error"


async def test_an_abort_in_place_of_an_answer_is_a_connection_error(simulator: Simulator, client: AsyncAnthropic) -> None:
    simulator.script(Script(cut_before=True))
    with pytest.raises(anthropic.APIConnectionError):
        await ask(client)


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 408, 409, 413, 422, 429, 500, 503, 504, 529])
async def test_every_status_arrives_as_the_real_one(simulator: Simulator, client: AsyncAnthropic, status: int) -> None:
    simulator.script(Script(status=status, headers={"retry-after": "7"}, error_code="enforced_spend_limit_reached"))
    with pytest.raises(anthropic.APIStatusError) as raised:
        await ask(client)
    assert raised.value.status_code == status
    assert raised.value.type is not None
    assert raised.value.error_code == "enforced_spend_limit_reached"
    assert raised.value.request_id == (await simulator.ended()).notes["request_id"]
    assert raised.value.response.headers["retry-after"] == "7"


@pytest.mark.parametrize("form", ["json", "empty", "html"])
async def test_an_answer_that_is_no_stream_has_no_events(simulator: Simulator, client: AsyncAnthropic, form: str) -> None:
    simulator.script(Script.of({"form": form}))
    assert await events_of(client) == []


async def test_without_stream_the_whole_message_comes_at_once(client: AsyncAnthropic) -> None:
    message = await client.messages.create(model=MODEL, max_tokens=100, messages=[{"role": "user", "content": "hello"}])
    assert text_of(message) == "You said: hello"


WRONG: list[tuple[dict[str, Any], int, str]] = [
    ({"model": "claude-none"}, 404, "model: claude-none"),
    ({"model": None}, 400, "model"),
    ({"max_tokens": None}, 400, "max_tokens"),
    ({"max_tokens": 0}, 400, "max_tokens"),
    ({"max_tokens": 128_001}, 400, "maximum allowed"),
    ({"temperature": 1.0}, 400, "temperature"),
    ({"top_p": 0.9}, 400, "top_p"),
    ({"top_k": 5}, 400, "top_k"),
    ({"output_config": {"effort": "huge"}}, 400, "effort"),
    ({"messages": []}, 400, "at least one message"),
    ({"messages": [{"role": "boss", "content": "hello"}]}, 400, "role"),
    ({"messages": [{"role": "user", "content": ""}]}, 400, "non-empty"),
    ({"messages": [{"role": "user", "content": []}]}, 400, "non-empty"),
    ({"messages": [{"role": "user", "content": [{"type": "text", "text": "  "}]}]}, 400, "non-whitespace"),
    ({"messages": [{"role": "assistant", "content": "hello"}]}, 400, "first message"),
    ({"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}, 400, "prefill"),
    ({"messages": [{"role": "user", "content": "a\ud800b"}]}, 400, "surrogate"),
    ({"messages": [{"role": "user", "content": "long " * 170_000}], "model": "claude-haiku-4-5"}, 400, "prompt is too long"),
    ({"system": [{"type": "text", "text": ""}]}, 400, "system"),
]


@pytest.mark.parametrize(("change", "status", "words"), WRONG, ids=[str(case[0])[:40] for case in WRONG])
async def test_what_the_api_refuses_is_refused(
    http: aiohttp.ClientSession, change: dict[str, Any], status: int, words: str
) -> None:
    found, message = await error_of(http, body(**change))
    assert found == status
    assert words in message


async def test_sampling_parameters_pass_under_the_older_version(http: aiohttp.ClientSession) -> None:
    async with http.post("/v1/messages", json=body(temperature=0.5), headers={"anthropic-version": "2023-06-01"}) as response:
        assert response.status == 200


async def test_a_wrong_key_and_a_missing_version_are_refused(http: aiohttp.ClientSession) -> None:
    for headers, status in (({"authorization": "Bearer wrong"}, 401), ({"anthropic-version": "1999-01-01"}, 400)):
        async with http.post("/v1/messages", json=body(), headers=headers) as response:
            assert response.status == status


async def test_more_than_32_megabytes_are_too_large(http: aiohttp.ClientSession) -> None:
    status, _ = await error_of(http, body("x" * (32 * 1024 * 1024)))
    assert status == 413


async def test_what_is_not_json_is_refused(http: aiohttp.ClientSession) -> None:
    for data in (b"{", b"[]"):
        async with http.post("/v1/messages", data=data) as response:
            assert response.status == 400


async def test_models_and_token_counts_are_served(client: AsyncAnthropic) -> None:
    names = [model.id async for model in client.models.list()]
    assert names == list(MODELS)
    assert (await client.models.retrieve(MODEL)).max_input_tokens == MODELS[MODEL].context
    with pytest.raises(anthropic.NotFoundError):
        await client.models.retrieve("claude-none")
    counted = await client.messages.count_tokens(model=MODEL, messages=[{"role": "user", "content": "x" * 400}])
    assert counted.input_tokens > 100


async def test_rules_go_by_the_last_user_message_and_end_after_their_times(simulator: Simulator, client: AsyncAnthropic) -> None:
    simulator.script(Script(text="planted"), match="bomb", times=2, skip=1)
    said = [text_of(await ask(client, text)) for text in ("bomb 1", "calm", "bomb 2", "bomb 3", "bomb 4")]
    assert said == ["You said: bomb 1", "You said: calm", "planted", "planted", "You said: bomb 4"]


async def test_the_log_tells_what_was_asked_and_when_each_delta_left(simulator: Simulator, client: AsyncAnthropic) -> None:
    simulator.script(Script(text="one two three", deltas=3, seconds=0.05))
    await ask(client, "tell me")
    call = await simulator.ended()
    assert call.body["messages"] == [{"role": "user", "content": "tell me"}]
    assert (call.notes["last"], call.notes["text"], call.notes["outcome"]) == ("tell me", "one two three", "whole")
    assert call.ended_mono is not None
    assert call.arrived_mono <= call.notes["deltas"][0] <= call.notes["deltas"][2] <= call.ended_mono
    assert simulator.key not in json.dumps(call.as_json())


async def test_old_bodies_leave_the_log() -> None:
    async with Simulator(Config(keep_bodies=1)) as simulator:
        made = AsyncAnthropic(api_key=simulator.key, base_url=simulator.url, max_retries=0, http_client=DefaultAioHttpClient())
        async with made as client:
            await ask(client, "one")
            await ask(client, "two")
        assert [call.body is None for call in simulator.asked()] == [True, False]


async def test_a_fault_of_the_shared_engine_strikes_before_the_request_is_looked_at(
    simulator: Simulator, client: AsyncAnthropic
) -> None:
    simulator.faults.set(Rule("status", path="/v1/messages", status=502, body="<html>"))
    with pytest.raises(anthropic.InternalServerError):
        await ask(client)
    simulator.faults.set(Rule("reset"))
    with pytest.raises(anthropic.APIConnectionError):
        await ask(client)
    assert [call.fault for call in simulator.asked()] == ["status-before", "reset-before"]
    assert text_of(await ask(client)) == "You said: hello"


async def test_faults_strike_the_lists_and_the_count_too(simulator: Simulator, client: AsyncAnthropic) -> None:
    for path in ("/v1/models", "/v1/files", "/v1/messages/count_tokens"):
        simulator.faults.set(Rule("status", path=path, status=503))
    with pytest.raises(anthropic.InternalServerError):
        await client.models.list()
    with pytest.raises(anthropic.InternalServerError):
        await client.files.list()
    with pytest.raises(anthropic.InternalServerError):
        await client.messages.count_tokens(model=MODEL, messages=[{"role": "user", "content": "hello"}])
    assert [call.fault for call in simulator.calls] == ["status-before"] * 3


async def test_the_control_api_does_what_the_object_does(simulator: Simulator, http: aiohttp.ClientSession) -> None:
    async def post(path: str, data: object) -> int:
        async with http.post(f"/control/{path}", json=data) as response:
            return response.status

    async def say(text: str) -> str:
        async with http.post("/v1/messages", json=body(text, stream=False)) as response:
            answer = await response.json()
            return answer["content"][0]["text"] if response.status == 200 else answer["error"]["type"]

    assert await post("scripts", {"match": "odd", "times": 1, "script": {"status": 529}}) == 200
    assert await post("scripts", {"script": {"colour": "red"}}) == 400
    assert await post("scripts", {"script": {"stop": "tired"}}) == 400
    assert await post("faults", {"action": "status", "status": 500, "body": {"error": {"type": "planted"}}}) == 200
    assert await post("faults", {"action": "dance"}) == 400
    async with http.put("/control/default", json={"text": "as told"}) as response:
        assert response.status == 200
    assert [await say(text) for text in ("first", "odd", "odd")] == ["planted", "overloaded_error", "as told"]
    async with http.get("/control/log", params={"after": "1", "bodies": "0"}) as response:
        calls = (await response.json())["calls"]
    assert [call["status"] for call in calls] == [529, 200]
    assert "body" not in calls[0]
    async with http.get("/control/scripts", headers={"host": "evil.example"}) as response:
        assert response.status == 403


async def test_as_a_process_it_says_where_it_is_and_stops_on_a_signal() -> None:
    async with apart("sandbox.anthropic", "--script", '{"text": "from afar"}') as ready:
        made = AsyncAnthropic(api_key=Config().key, base_url=ready["url"], max_retries=0, http_client=DefaultAioHttpClient())
        async with made as client:
            assert text_of(await ask(client)) == "from afar"


def test_a_script_with_a_slip_is_refused() -> None:
    for wrong in ({"stop": "tired"}, {"ending": "bang"}, {"wait": -1}, {"deltas": 0}, {"colour": "red"}):
        with pytest.raises(ValueError, match=r"must be|unknown|times are|has no"):
            Script.of(wrong)
