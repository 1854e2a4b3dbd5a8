"""Thinking: how it is asked for, shown, signed and checked when it returns."""

from typing import Any, cast

import anthropic
import pytest
from anthropic import AsyncAnthropic
from anthropic.types import Message, ThinkingBlock

from sandbox.anthropic import Script, Simulator

SONNET, HAIKU, OPUS, OLD = "claude-sonnet-5-5", "claude-haiku-5-5", "claude-opus-5-5", "claude-haiku-4-5"
THOUGHT = Script(thinking="let me see", text="well")


async def ask(client: AsyncAnthropic, model: str = SONNET, **given: Any) -> Message:
    base: dict[str, Any] = {"model": model, "max_tokens": 4_000, "messages": [{"role": "user", "content": "hello"}]}
    async with client.messages.stream(**{**base, **given}) as stream:
        return await stream.get_final_message()


def thoughts(message: Message) -> list[str]:
    return [block.thinking for block in message.content if block.type == "thinking"]


@pytest.mark.parametrize(
    ("model", "thinking", "shown"),
    [
        (SONNET, None, [""]),
        (SONNET, {"type": "adaptive"}, [""]),
        (SONNET, {"type": "adaptive", "display": "omitted"}, [""]),
        (SONNET, {"type": "adaptive", "display": "summarized"}, ["let me see"]),
        (SONNET, {"type": "between_tools"}, []),
        (HAIKU, {"type": "disabled"}, []),
        (OLD, None, []),
        (OLD, {"type": "disabled"}, []),
        (OLD, {"type": "enabled", "budget_tokens": 1_024}, ["let me see"]),
    ],
)
async def test_thoughts_are_shown_as_asked_for(
    simulator: Simulator, client: AsyncAnthropic, model: str, thinking: Any, shown: list[str]
) -> None:
    simulator.script(THOUGHT)
    said = await ask(client, model, **({"thinking": thinking} if thinking else {}))
    assert thoughts(said) == shown
    assert all(block.signature for block in said.content if block.type == "thinking")
    details = said.usage.output_tokens_details
    assert (details is not None and details.thinking_tokens > 0) == bool(shown)


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    (OLD, {"thinking": {"type": "adaptive"}}, "adaptive thinking is not supported on this model"),
    (SONNET, {"thinking": {"type": "enabled", "budget_tokens": 2_000}}, '"thinking.type.enabled" is not supported'),
    (OPUS, {"thinking": {"type": "disabled"}}, 'Use "thinking.type.adaptive" and "output_config.effort"'),
    (OPUS, {"thinking": {"type": "between_tools"}}, '"thinking.type.between_tools" is not supported'),
    (OLD, {"thinking": {"type": "enabled", "budget_tokens": 1_023}}, "greater than or equal to 1024"),
    (OLD, {"thinking": {"type": "enabled", "budget_tokens": 4_000}}, "must be greater than `thinking.budget_tokens`"),
    (OLD, {"thinking": {"type": "enabled"}}, "budget_tokens: Field required"),
    (SONNET, {"thinking": {"type": "hard"}}, "Input tag 'hard'"),
    (SONNET, {"thinking": {"type": "adaptive", "display": "loud"}}, "display"),
    (HAIKU, {"thinking": {"type": "disabled"}, "output_config": {"effort": "max"}}, 'with effort "max"'),
    (SONNET, {"output_config": {"effort": "huge"}}, "output_config.effort"),
    (OLD, {"output_config": {"effort": "low"}}, "does not support the effort parameter"),
    (OPUS, {"tool_choice": {"type": "any"}}, "tool_choice"),
]


@pytest.mark.parametrize(("model", "given", "words"), REFUSED)
async def test_what_a_model_cannot_think_is_refused(
    client: AsyncAnthropic, model: str, given: dict[str, Any], words: str
) -> None:
    with pytest.raises(anthropic.BadRequestError) as raised:
        await ask(client, model, **given)
    assert words in str(raised.value)


@pytest.mark.parametrize("effort", ["low", "medium", "high", "xhigh", "max"])
async def test_every_effort_is_taken(client: AsyncAnthropic, effort: str) -> None:
    assert (await ask(client, output_config={"effort": effort})).stop_reason == "end_turn"


async def again(client: AsyncAnthropic, content: Any) -> Message:
    messages = [
        {"role": "user", "content": "hello"},
        {"role": "assistant", "content": content},
        {"role": "user", "content": "again"},
    ]
    return await ask(client, messages=messages)


@pytest.mark.parametrize("display", ["summarized", "omitted"])
async def test_thoughts_return_unchanged_or_not_at_all(simulator: Simulator, client: AsyncAnthropic, display: str) -> None:
    simulator.script(THOUGHT)
    said = await ask(client, thinking={"type": "adaptive", "display": display})
    thought = cast("ThinkingBlock", said.content[0])
    await again(client, said.content)
    await again(client, said.content[1:])
    for change in ({"thinking": "let me be"}, {"signature": thought.signature[:-1] + "x"}, {"signature": "EqQB"}):
        with pytest.raises(anthropic.BadRequestError, match="Invalid `signature` in `thinking` block"):
            await again(client, [thought.model_copy(update=change), *said.content[1:]])


async def test_redacted_thoughts_come_whole_and_return_unchanged(simulator: Simulator, client: AsyncAnthropic) -> None:
    blocks = [{"type": "redacted_thinking", "hidden": "secret"}, {"type": "text", "text": "well"}]
    simulator.script(Script(blocks=blocks))
    said = await ask(client)
    hidden = said.content[0]
    assert hidden.type == "redacted_thinking"
    assert "secret" not in hidden.data
    await again(client, said.content)
    with pytest.raises(anthropic.BadRequestError, match="Invalid `data` in `redacted_thinking` block"):
        await again(client, [hidden.model_copy(update={"data": hidden.data[:-1]}), *said.content[1:]])


async def test_the_thoughts_of_another_model_pass(simulator: Simulator, client: AsyncAnthropic) -> None:
    simulator.script(THOUGHT)
    said = await ask(client, OPUS)
    await again(client, said.content)


async def test_the_events_of_an_omitted_thought_are_its_signature_alone(simulator: Simulator, client: AsyncAnthropic) -> None:
    simulator.script(THOUGHT)
    stream = await client.messages.create(
        model=SONNET, max_tokens=99, messages=[{"role": "user", "content": "hello"}], stream=True
    )
    async with stream:
        deltas = [event.delta.type async for event in stream if event.type == "content_block_delta" and event.index == 0]
    assert deltas == ["signature_delta"]


async def test_a_budget_of_thoughts_takes_its_time_before_the_text(simulator: Simulator, client: AsyncAnthropic) -> None:
    simulator.script(Script(thinking="hm " * 10, text="well", think=0.2))
    await ask(client)
    call = await simulator.ended()
    assert call.applied_mono is not None
    assert call.notes["deltas"][0] - call.applied_mono >= 0.2
