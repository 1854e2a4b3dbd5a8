"""Compaction on the API's side, through the real SDK's beta face."""

from typing import Any

import anthropic
import pytest
from anthropic import AsyncAnthropic
from anthropic.types.beta import BetaMessage

from sandbox.anthropic import Config, Script, Simulator

MODEL = "claude-sonnet-5-5"
BETAS = ["compact-2026-01-12"]
LONG: dict[str, Any] = {"role": "user", "content": "four" * 600}
AGAIN: dict[str, Any] = {"role": "user", "content": "and then?"}


@pytest.fixture
def config() -> Config:
    return Config(compaction_minimum=100)


def edits(value: int = 500, **more: Any) -> dict[str, Any]:
    edit = {"type": "compact_20260112", "trigger": {"type": "input_tokens", "value": value}, **more}
    return {"context_management": {"edits": [edit]}, "betas": BETAS}


async def ask(client: AsyncAnthropic, *messages: dict[str, Any], **given: Any) -> BetaMessage:
    base: dict[str, Any] = {"model": MODEL, "max_tokens": 100, "messages": messages}
    async with client.beta.messages.stream(**{**base, **given}) as stream:
        return await stream.get_final_message()


async def test_below_the_trigger_nothing_happens(client: AsyncAnthropic) -> None:
    said = await ask(client, LONG, **edits(609))
    assert [block.type for block in said.content] == ["text"]
    assert said.usage.iterations is not None
    assert [each.type for each in said.usage.iterations] == ["message"]
    assert said.usage.input_tokens == 608


async def test_at_the_trigger_the_answer_begins_with_a_summary(simulator: Simulator, client: AsyncAnthropic) -> None:
    simulator.script(Script(text="well", compaction="four six hundred times"))
    said = await ask(client, LONG, **edits(608))
    summary, text = said.content
    assert summary.type == "compaction"
    assert (summary.content, text.type) == ("four six hundred times", "text")
    assert summary.encrypted_content
    assert said.stop_reason == "end_turn"
    iterations = said.usage.iterations
    assert iterations is not None
    compacted, answered = iterations
    assert (compacted.type, answered.type) == ("compaction", "message")
    assert compacted.input_tokens == 608
    assert said.usage.input_tokens == answered.input_tokens < 50


async def test_what_stands_before_a_summary_counts_no_more(simulator: Simulator, client: AsyncAnthropic) -> None:
    simulator.script(Script(text="well", compaction="four six hundred times"))
    first = await ask(client, LONG, **edits())
    said = {"role": "assistant", "content": first.content}
    second = await ask(client, LONG, said, AGAIN, **edits())
    assert [block.type for block in second.content] == ["text"]
    assert second.usage.input_tokens < 50
    counted = await client.beta.messages.count_tokens(model=MODEL, messages=[LONG, said, AGAIN], betas=BETAS)  # pyright: ignore[reportArgumentType]  # messages as plain objects
    assert counted.input_tokens == second.usage.input_tokens
    third = await ask(client, said, AGAIN, **edits())
    assert third.usage.input_tokens == second.usage.input_tokens


async def test_a_pause_after_a_summary_is_a_reason_to_stop(simulator: Simulator, client: AsyncAnthropic) -> None:
    first = await ask(client, LONG, **edits(pause_after_compaction=True))
    assert (first.stop_reason, [block.type for block in first.content]) == ("compaction", ["compaction"])
    assert first.usage.iterations is not None
    assert [each.type for each in first.usage.iterations] == ["compaction"]
    said = {"role": "assistant", "content": first.content}
    second = await ask(client, LONG, said, **edits(pause_after_compaction=True))
    assert second.stop_reason == "end_turn"
    assert (await simulator.ended(2)).notes["step"] == 1


async def test_a_failed_summary_changes_nothing(simulator: Simulator, client: AsyncAnthropic) -> None:
    simulator.script(Script(text="well", compaction_fails=True))
    first = await ask(client, LONG, **edits())
    summary = first.content[0]
    assert summary.type == "compaction"
    assert summary.content is None
    second = await ask(client, LONG, {"role": "assistant", "content": first.content}, AGAIN, betas=BETAS)
    assert second.usage.input_tokens > 600


async def test_a_changed_summary_is_refused(client: AsyncAnthropic) -> None:
    first = await ask(client, LONG, **edits())
    summary = first.content[0]
    assert summary.type == "compaction"
    for change, words in (({"content": "nothing of note"}, "encrypted_content"), ({"content": ""}, "non-empty")):
        said = {"role": "assistant", "content": [summary.model_copy(update=change), first.content[1]]}
        with pytest.raises(anthropic.BadRequestError, match=words):
            await ask(client, LONG, said, AGAIN, **edits())


async def test_compaction_wants_its_header_a_model_that_can_and_a_sane_trigger(client: AsyncAnthropic) -> None:
    wrong: list[tuple[dict[str, Any], str]] = [
        ({**edits(), "betas": []}, "context_management: Extra inputs"),
        ({**edits(), "model": "claude-haiku-4-5"}, "not supported on this model"),
        (edits(99), "greater than or equal to 100"),
    ]
    for given, words in wrong:
        with pytest.raises(anthropic.BadRequestError, match=words):
            await ask(client, LONG, **given)
    first = await ask(client, LONG, **edits())
    with pytest.raises(anthropic.BadRequestError, match="Input tag 'compaction'"):
        await ask(client, LONG, {"role": "assistant", "content": first.content}, AGAIN)


async def test_the_count_tells_both_sizes(client: AsyncAnthropic) -> None:
    given: Any = edits()
    counted = await client.beta.messages.count_tokens(model=MODEL, messages=[LONG], **given)  # pyright: ignore[reportArgumentType]  # messages as plain objects
    assert counted.context_management is not None
    assert counted.context_management.original_input_tokens == 608
