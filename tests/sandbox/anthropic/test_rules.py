"""How a test says what is answered: rules, blocks, times and endings."""

from typing import Any

import aiohttp
import anthropic
import httpx2
import pytest
from anthropic import AsyncAnthropic
from anthropic.types import Message

from sandbox.anthropic import Script, Simulator

MODEL = "claude-sonnet-5-5"
CLOCK: dict[str, Any] = {"name": "clock", "input_schema": {"type": "object"}}


async def ask(client: AsyncAnthropic, text: str = "hello", **given: Any) -> Message:
    base: dict[str, Any] = {"model": MODEL, "max_tokens": 100, "messages": [{"role": "user", "content": text}]}
    async with client.messages.stream(**{**base, **given}) as stream:
        return await stream.get_final_message()


def text_of(message: Message) -> str:
    return "".join(block.text for block in message.content if block.type == "text")


async def test_each_condition_of_a_rule_is_looked_at(simulator: Simulator, client: AsyncAnthropic) -> None:
    rules: dict[str, dict[str, Any]] = {
        "third": {"request": 3},
        "pattern": {"pattern": r"^q\d+$"},
        "model": {"model": "claude-opus-5-5"},
        "tool": {"tool": "clock"},
        "system": {"anywhere": "pirate"},
    }
    for name, condition in rules.items():
        simulator.script(Script(text=name), times=None, **condition)
    asked: list[dict[str, Any]] = [
        {},
        {"text": "q12"},
        {},
        {"model": "claude-opus-5-5"},
        {"tools": [CLOCK]},
        {"system": "You are a pirate."},
        {"text": "q"},
    ]
    said = [text_of(await ask(client, **given)) for given in asked]
    assert said == ["You said: hello", "pattern", "third", "model", "tool", "system", "You said: q"]


async def test_a_rule_by_text_holds_for_many_turns_with_tools(simulator: Simulator, client: AsyncAnthropic) -> None:
    use = Script(blocks=[{"type": "tool_use", "name": "clock"}])
    simulator.turn([use, use, Script(text="nine")], match="time", times=None)
    for question in ("time one", "other", "time two"):
        messages: list[Any] = [{"role": "user", "content": question}]
        said = await ask(client, messages=messages, tools=[CLOCK])
        rounds = 0
        while said.stop_reason == "tool_use":
            used = said.content[0]
            assert used.type == "tool_use"
            result = {"type": "tool_result", "tool_use_id": used.id, "content": "9"}
            messages += [{"role": "assistant", "content": said.content}, {"role": "user", "content": [result]}]
            said = await ask(client, messages=messages, tools=[CLOCK])
            rounds += 1
        assert (rounds, text_of(said)) == ((0, "You said: other") if question == "other" else (2, "nine"))


async def test_a_rule_that_makes_no_sense_is_refused(simulator: Simulator) -> None:
    wrong: list[dict[str, Any]] = [{"mood": "bad"}, {"pattern": "("}, {"request": "first"}, {"model": 5}]
    for condition in wrong:
        with pytest.raises(ValueError, match=r"no mood|pattern|numbers|texts"):
            simulator.script(Script(), **condition)
    number = simulator.script(Script(text="planted"))
    simulator.remove(number)


def test_a_block_with_a_slip_is_refused() -> None:
    for wrong in (
        {"type": "song"},
        {"type": "text", "colour": "red"},
        {"type": "text", "wait": -1},
        {"type": "code", "part": "half"},
        {"type": "code", "files": [{"text": "no name"}]},
        {"type": "web_search", "results": [{"title": "no address"}]},
        {"type": "tool_use"},
        "text",
    ):
        with pytest.raises(ValueError, match=r"must be|has no|times are"):
            Script.of({"blocks": [wrong]})


async def test_another_process_says_the_same(client: AsyncAnthropic, http: aiohttp.ClientSession) -> None:
    steps = [{"blocks": [{"type": "tool_use", "name": "clock"}]}, {"text": "nine"}]
    async with http.post("/control/scripts", json={"match": "time", "times": None, "scripts": steps}) as response:
        rules = (await response.json())["rules"]
    assert [(rule["step"], rule["match"]) for rule in rules] == [(0, "time"), (1, "time")]
    assert (await ask(client, "time", tools=[CLOCK])).stop_reason == "tool_use"
    for wrong in ({"mood": 1}, {"script": {"blocks": [{"type": "song"}]}}, {"request": "first"}):
        async with http.post("/control/scripts", json=wrong) as response:
            assert response.status == 400
    async with http.delete(f"/control/scripts/{rules[0]['number']}") as response:
        assert response.status == 200
    assert text_of(await ask(client, "time")) == "You said: time"


async def test_blocks_come_in_their_order_and_in_their_time(simulator: Simulator, client: AsyncAnthropic) -> None:
    first = {"type": "text", "text": "one two", "deltas": 2, "lead": 0.05, "seconds": 0.1}
    simulator.script(Script(blocks=[first, {"type": "text", "text": "three", "wait": 0.2}]))
    assert [block.type for block in (await ask(client)).content] == ["text", "text"]
    call = await simulator.ended()
    times = call.notes["deltas"]
    assert call.applied_mono is not None
    # A busy machine may be late with a piece, but never early.
    for time, least in zip(times, (0.05, 0.15, 0.35), strict=True):
        assert time - call.applied_mono >= least


async def test_text_comes_before_a_refusal(simulator: Simulator, client: AsyncAnthropic) -> None:
    simulator.script(Script(text="First, you", stop="refusal", category="bio", explanation="No."))
    said = await ask(client)
    assert (said.stop_reason, text_of(said)) == ("refusal", "First, you")
    assert said.stop_details is not None
    assert (said.stop_details.category, said.stop_details.explanation) == ("bio", "No.")


async def test_a_stream_breaks_where_it_is_told_to(simulator: Simulator, client: AsyncAnthropic) -> None:
    use = {"type": "tool_use", "name": "clock", "input": {"zone": "UTC"}}
    for count in (1, 3, 5):
        simulator.script(Script(blocks=[use], ending="eof", after_events=count))
        stream = await client.messages.create(
            model=MODEL, max_tokens=99, messages=[{"role": "user", "content": "hello"}], stream=True
        )
        async with stream:
            seen = [event.type async for event in stream]
        # The second or third event is a ping, which the SDK does not show.
        assert len(seen) == count - (count > 2)
    simulator.script(Script(blocks=[use, {"type": "text", "text": "one two", "deltas": 2}], ending="cut", after=1))
    with pytest.raises(httpx2.TransportError):
        await ask(client)


async def test_a_block_that_no_client_knows_is_sent_as_it_is(simulator: Simulator, http: aiohttp.ClientSession) -> None:
    start = {"type": "hologram", "light": 1}
    simulator.script(Script(blocks=[{"type": "raw", "start": start, "inner": [{"type": "light_delta", "light": 2}]}]))
    body = {"model": MODEL, "max_tokens": 9, "messages": [{"role": "user", "content": "hello"}]}
    async with http.post("/v1/messages", json={**body, "stream": True}) as response:
        assert '"light_delta"' in await response.text()
    simulator.script(Script(blocks=[{"type": "raw", "start": start}]))
    async with http.post("/v1/messages", json=body) as response:
        assert (await response.json())["content"] == [start]


async def test_an_answer_that_was_not_paused_cannot_be_prefilled(client: AsyncAnthropic) -> None:
    said = await ask(client)
    messages = [{"role": "user", "content": "hello"}, {"role": "assistant", "content": said.content}]
    with pytest.raises(anthropic.BadRequestError, match="prefill"):
        await ask(client, messages=messages)


async def test_keys_and_tokens_are_shown_to_nobody(
    simulator: Simulator, client: AsyncAnthropic, http: aiohttp.ClientSession
) -> None:
    await client.beta.messages.create(
        model=MODEL,
        max_tokens=9,
        messages=[{"role": "user", "content": "hello"}],
        mcp_servers=[{"type": "url", "name": "desk", "url": "https://desk.test", "authorization_token": "secret-token"}],
        tools=[{"type": "mcp_toolset", "mcp_server_name": "desk"}],
        betas=["mcp-client-2025-11-20"],
    )
    for path in ("log", "requests"):
        async with http.get(f"/control/{path}") as response:
            shown = await response.text()
        assert "mcp-client-2025-11-20" in shown
        assert "secret-token" not in shown
        assert simulator.key not in shown
    assert simulator.bodies()[0]["mcp_servers"][0]["authorization_token"] == "secret-token"
