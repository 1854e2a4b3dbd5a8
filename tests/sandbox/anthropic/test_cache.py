"""Prompt caching as a client sees it: in the figures of each answer."""

from typing import Any, cast

import aiohttp
import anthropic
import pytest
from anthropic import AsyncAnthropic
from anthropic.types import Message, MessageParam, TextBlockParam, Usage

from sandbox.anthropic import Config, Simulator, shared_prefix

MODEL = "claude-sonnet-5-5"
MARK: dict[str, Any] = {"cache_control": {"type": "ephemeral"}}


@pytest.fixture
def config() -> Config:
    return Config(cache_minimum=100)


def text(words: str, **more: Any) -> TextBlockParam:
    return cast("TextBlockParam", {"type": "text", "text": words, **more})


def history(*texts: str) -> list[MessageParam]:
    """Messages of 100 tokens each, by turns."""
    roles = ("user", "assistant")
    return [{"role": roles[at % 2], "content": [text(each * 400)]} for at, each in enumerate(texts)]  # pyright: ignore[reportReturnType]  # a role by its place


async def used(client: AsyncAnthropic, **given: Any) -> tuple[int, int, int]:
    """Ask, and return what was written, read and neither."""
    asked: dict[str, Any] = {"model": MODEL, "max_tokens": 9, **given}
    return figures(cast("Message", await client.messages.create(**asked)).usage)


def figures(usage: Usage) -> tuple[int, int, int]:
    return usage.cache_creation_input_tokens or 0, usage.cache_read_input_tokens or 0, usage.input_tokens


async def test_without_a_mark_nothing_is_cached(client: AsyncAnthropic) -> None:
    for _ in range(2):
        assert await used(client, messages=history("a")) == (0, 0, 108)


async def test_what_one_request_wrote_the_next_one_reads(client: AsyncAnthropic) -> None:
    system = [text("s" * 400, **MARK)]
    assert await used(client, system=system, messages=history("a")) == (100, 0, 108)
    assert await used(client, system=system, messages=history("b")) == (0, 100, 108)
    assert await used(client, system=[text("t" * 400, **MARK)], messages=history("b")) == (100, 0, 108)


async def test_a_conversation_that_grows_reads_all_but_its_last_words(client: AsyncAnthropic) -> None:
    said = "abcdefg"
    found = [await used(client, messages=history(*said[:length]), cache_control={"type": "ephemeral"}) for length in (1, 3, 5, 7)]
    assert found == [(100, 0, 8), (200, 100, 8), (200, 300, 8), (200, 500, 8)]


async def test_a_changed_word_is_a_miss_from_there_on(client: AsyncAnthropic) -> None:
    system = [text("s" * 400, **MARK)]
    for said, expected in (("abc", (400, 0, 8)), ("abcde", (200, 400, 8)), ("axcde", (500, 100, 8))):
        found = await used(client, system=system, messages=history(*said), cache_control={"type": "ephemeral"})
        assert found == expected


async def test_the_order_of_keys_is_part_of_the_prefix(client: AsyncAnthropic) -> None:
    tool: dict[str, Any] = {"name": "clock", "input_schema": {"type": "object", "properties": {}}, "description": "d" * 400}
    turned: dict[str, Any] = {name: tool[name] for name in ("description", "name", "input_schema")}
    mark = {"cache_control": {"type": "ephemeral"}}
    written, read, _ = await used(client, tools=[{**tool, **mark}], messages=history("a"))
    assert (written > 100, read) == (True, 0)
    assert (await used(client, tools=[{**tool, **mark}], messages=history("a")))[:2] == (0, written)
    assert (await used(client, tools=[{**turned, **mark}], messages=history("a")))[:2] == (written, 0)


async def test_another_model_or_way_to_think_reads_nothing_of_the_messages(client: AsyncAnthropic) -> None:
    system = [text("s" * 400, **MARK)]
    given: dict[str, Any] = {"system": system, "messages": history("a"), "cache_control": {"type": "ephemeral"}}
    assert await used(client, **given) == (200, 0, 8)
    assert await used(client, **given, thinking={"type": "between_tools"}) == (100, 100, 8)
    assert await used(client, **given, model="claude-opus-5-5") == (200, 0, 8)


async def test_a_prefix_below_the_minimum_is_not_cached(client: AsyncAnthropic) -> None:
    for _ in range(2):
        assert await used(client, system=[text("s" * 396, **MARK)], messages=history("a")) == (0, 0, 207)


async def test_a_mark_finds_no_more_than_twenty_blocks_back(client: AsyncAnthropic) -> None:
    first = [text("a" * 400)]
    for more, read in ((19, 100), (20, 0)):
        simple: list[MessageParam] = [{"role": "user", "content": [{**first[0], "cache_control": {"type": "ephemeral"}}]}]
        await used(client, messages=simple)
        far: list[MessageParam] = [{"role": "user", "content": [*first, *(text(f"{more} {at}") for at in range(more))]}]
        assert (await used(client, messages=far, cache_control={"type": "ephemeral"}))[1] == read


async def test_prefixes_are_forgotten_in_their_time_and_renewed_by_use(simulator: Simulator, client: AsyncAnthropic) -> None:
    async def read(ttl: str) -> int:
        mark = {"cache_control": {"type": "ephemeral", "ttl": ttl}}
        return (await used(client, system=[text(ttl * 200, **mark)], messages=history("a")))[1]

    assert (await read("5m"), await read("1h")) == (0, 0)
    for _ in range(3):
        simulator.advance(200)
        assert (await read("5m"), await read("1h")) == (100, 100)
    simulator.advance(301)
    assert (await read("5m"), await read("1h")) == (0, 100)
    simulator.advance(3_601)
    assert await read("1h") == 0


async def test_what_is_written_is_told_by_its_time(client: AsyncAnthropic) -> None:
    said = await client.messages.create(
        model=MODEL,
        max_tokens=9,
        system=[text("s" * 400, cache_control={"type": "ephemeral", "ttl": "1h"})],
        messages=[{"role": "user", "content": [text("m" * 800, **MARK)]}],
    )
    assert said.usage.cache_creation is not None
    created = said.usage.cache_creation
    assert (created.ephemeral_1h_input_tokens, created.ephemeral_5m_input_tokens) == (100, 200)


async def test_five_marks_are_one_too_many(client: AsyncAnthropic) -> None:
    marked = [text(f"block {at}", **MARK) for at in range(4)]
    await used(client, messages=[{"role": "user", "content": marked}])
    with pytest.raises(anthropic.BadRequestError, match="maximum of 4 blocks with cache_control"):
        await used(client, messages=[{"role": "user", "content": marked}], cache_control={"type": "ephemeral"})


async def test_a_long_mark_after_a_short_one_and_an_odd_one_are_refused(client: AsyncAnthropic) -> None:
    blocks = [text("a", **MARK), text("b", cache_control={"type": "ephemeral", "ttl": "1h"})]
    with pytest.raises(anthropic.BadRequestError, match="must not come after"):
        await used(client, messages=[{"role": "user", "content": blocks}])
    with pytest.raises(anthropic.BadRequestError, match="ttl"):
        await used(client, messages=[{"role": "user", "content": [text("a", cache_control={"type": "ephemeral", "ttl": "2d"})]}])


async def test_another_process_lets_time_pass_and_empties_the_cache(client: AsyncAnthropic, http: aiohttp.ClientSession) -> None:
    given: dict[str, Any] = {"messages": history("a"), "cache_control": {"type": "ephemeral"}}
    await used(client, **given)
    assert await used(client, **given) == (0, 100, 8)
    async with http.post("/control/clock", json={"seconds": 301}) as response:
        assert response.status == 200
    assert await used(client, **given) == (100, 0, 8)
    async with http.delete("/control/cache") as response:
        assert response.status == 200
    assert await used(client, **given) == (100, 0, 8)


async def test_the_bodies_of_two_turns_can_be_compared(
    simulator: Simulator, client: AsyncAnthropic, http: aiohttp.ClientSession
) -> None:
    for said in ("a", "abc"):
        await used(client, messages=history(*said))
    first, second = simulator.bodies()
    assert shared_prefix(first, second) == (1, 1)
    assert shared_prefix({**first, "system": "be brief"}, second) == (0, 2)
    assert shared_prefix(first, {**second, "messages": history("x", "b", "c")}) == (0, 1)
    async with http.get("/control/requests", params={"after": "1"}) as response:
        (shown,) = (await response.json())["requests"]
    assert shown["body"] == second
    assert shown["headers"]["authorization"] == "redacted"
    assert shown["headers"]["anthropic-version"] == "2026-10-21"
    assert simulator.key not in str(shown)
