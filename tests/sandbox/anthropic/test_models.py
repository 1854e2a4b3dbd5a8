"""Models and the counting of tokens, read through the real SDK."""

import anthropic
import pytest
from anthropic import AsyncAnthropic

from sandbox.anthropic import Config, Model, Script, Simulator
from sandbox.anthropic.config import MODELS

SMALL = "claude-small-window"


@pytest.fixture
def config() -> Config:
    retired = Model(lifecycle="retired", retires_at="2026-06-15T00:00:00Z")
    return Config(models={**MODELS, "claude-opus-4-0": retired})


async def test_a_model_tells_its_limits_its_stage_and_its_abilities(client: AsyncAnthropic) -> None:
    opus = await client.models.retrieve("claude-opus-5-5")
    assert (opus.display_name, opus.line, opus.lifecycle, opus.retires_at) == ("Claude Opus 5.5", "opus", "active", None)
    assert (opus.max_input_tokens, opus.max_tokens) == (1_000_000, 128_000)
    assert opus.capabilities is not None
    assert opus.capabilities.thinking.types.adaptive.supported
    assert not opus.capabilities.thinking.types.disabled.supported
    assert opus.capabilities.context_management.compact_20260112 is not None
    assert opus.capabilities.context_management.compact_20260112.supported
    assert opus.capabilities.effort.xhigh is not None
    old = await client.models.retrieve("claude-sonnet-4-5")
    assert old.lifecycle == "deprecated"
    assert old.retires_at is not None
    assert old.retires_at.isoformat() == "2026-11-30T00:00:00+00:00"
    assert old.capabilities is not None
    assert not old.capabilities.effort.supported


@pytest.mark.parametrize("limit", [1, 3, 100])
async def test_the_list_is_the_same_whatever_the_size_of_its_pages(
    simulator: Simulator, client: AsyncAnthropic, limit: int
) -> None:
    assert [model.id async for model in client.models.list(limit=limit)] == list(MODELS)
    pages = simulator.calls.matching("GET", "/v1/models")
    assert len(pages) == -(-len(MODELS) // limit)


async def test_the_list_goes_backwards_from_a_model(client: AsyncAnthropic) -> None:
    names = list(MODELS)
    found = await client.models.list(before_id=names[3], limit=2)
    assert ([model.id for model in found.data], found.has_more) == (names[1:3], True)


async def test_retired_models_are_listed_on_demand_and_answer_nothing(client: AsyncAnthropic) -> None:
    assert [model.id async for model in client.models.list(lifecycle=["retired"])] == ["claude-opus-4-0"]
    with pytest.warns(DeprecationWarning, match="claude-opus-4-0"), pytest.raises(anthropic.NotFoundError):
        await client.messages.create(model="claude-opus-4-0", max_tokens=9, messages=[{"role": "user", "content": "hello"}])


async def test_an_unknown_model_and_a_wrong_page_are_refused(client: AsyncAnthropic) -> None:
    with pytest.raises(anthropic.NotFoundError, match="model: claude-none"):
        await client.models.retrieve("claude-none")
    with pytest.raises(anthropic.BadRequestError, match="limit"):
        await client.models.list(limit=5_000)


async def test_the_count_is_the_one_that_is_charged(client: AsyncAnthropic) -> None:
    text = "four" * 1_000
    counted = await client.messages.count_tokens(model=SMALL, messages=[{"role": "user", "content": text}], system="be brief")
    said = await client.messages.create(
        model=SMALL, max_tokens=100, messages=[{"role": "user", "content": text}], system="be brief"
    )
    assert said.usage.input_tokens == counted.input_tokens == 8 + 2 + 1_000
    beta = await client.beta.messages.count_tokens(model=SMALL, messages=[{"role": "user", "content": text}], system="be brief")
    assert beta.input_tokens == counted.input_tokens


async def test_tools_count_too(client: AsyncAnthropic) -> None:
    bare = await client.messages.count_tokens(model=SMALL, messages=[{"role": "user", "content": "hello"}])
    armed = await client.messages.count_tokens(
        model=SMALL,
        messages=[{"role": "user", "content": "hello"}],
        tools=[{"name": "clock", "description": "Tells the time.", "input_schema": {"type": "object", "properties": {}}}],
    )
    assert armed.input_tokens > bare.input_tokens


async def test_a_prompt_beyond_the_window_is_refused(client: AsyncAnthropic) -> None:
    with pytest.raises(anthropic.BadRequestError, match="prompt is too long: 2008 tokens > 2000 maximum"):
        await client.messages.create(model=SMALL, max_tokens=1, messages=[{"role": "user", "content": "four" * 2_000}])
    with pytest.raises(anthropic.BadRequestError, match="prompt is too long"):
        await client.messages.count_tokens(model=SMALL, messages=[{"role": "user", "content": "four" * 2_000}])


async def test_an_answer_ends_where_the_window_does(simulator: Simulator, client: AsyncAnthropic) -> None:
    simulator.default = Script(characters=2_000)
    for question, stop, longest in (("four" * 1_900, "model_context_window_exceeded", 92), ("hello", "end_turn", 501)):
        said = await client.messages.create(model=SMALL, max_tokens=1_000, messages=[{"role": "user", "content": question}])
        assert (said.stop_reason, said.usage.output_tokens) == (stop, longest)
        assert said.usage.input_tokens + said.usage.output_tokens <= 2_000


async def test_max_tokens_cut_an_answer_if_the_simulator_is_told_so() -> None:
    async with Simulator(Config(cut_at_max_tokens=True, script=Script(words=500))) as simulator:
        made = AsyncAnthropic(api_key=simulator.key, base_url=simulator.url, max_retries=0)
        async with made as client:
            said = await client.messages.create(model=SMALL, max_tokens=10, messages=[{"role": "user", "content": "hello"}])
    assert (said.stop_reason, said.usage.output_tokens) == ("max_tokens", 10)


async def test_a_stop_sequence_ends_an_answer_before_itself(simulator: Simulator, client: AsyncAnthropic) -> None:
    simulator.script(Script(text="one two END three"))
    said = await client.messages.create(
        model=SMALL, max_tokens=10, messages=[{"role": "user", "content": "hello"}], stop_sequences=["three", "END"]
    )
    assert (said.stop_reason, said.stop_sequence) == ("stop_sequence", "END")
    assert [block.text for block in said.content if block.type == "text"] == ["one two "]
