"""The API keeps the beginning of every request: what is sent again is the same, byte by byte, and is found there."""

import copy
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import pytest

from sandbox.anthropic import Script, Simulator
from sandbox.anthropic.config import Config
from shared.backends import Finished, Prompt, Said
from shared.backends.anthropic_api import AnthropicApi
from shared.files.blobs import Blobs
from shared.files.material import Material
from tests.conformance.backend import CONVERSATION, collect, finish
from tests.shared.backends.api import opened
from tests.shared.backends.samples import image, pdf, text_file

SYSTEM = "Be kind. " * 200
TOOLS: Mapping[str, Any] = {"web_search": True, "web_fetch": True, "code_execution": True, "thinking": "summarised"}

SEARCH: Mapping[str, Any] = {
    "type": "web_search",
    "query": "threads",
    "results": [{"url": "https://example.org/", "title": "Threads"}],
}
CITED: Mapping[str, Any] = {"type": "text", "text": "Threads are long.", "citations": [{"result": 0, "cited_text": "long"}]}
CODE: Mapping[str, Any] = {"type": "code", "command": "ls", "stdout": "a"}


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    async with Simulator(Config(cache_minimum=64)) as running:
        yield running


@dataclass
class Talk:
    """A conversation as the core keeps it."""

    backend: AnthropicApi
    system: str | None = SYSTEM
    history: list[Said] = field(default_factory=list[Said])
    answers: list[Finished] = field(default_factory=list[Finished])

    async def ask(self, *lines: Said) -> Finished:
        """One turn, whose lines and answer become history."""
        last = finish(await collect(self.backend, self.prompt(*lines)))
        self.history += [*lines, Said("assistant", last.text, last.blocks)]
        self.answers.append(last)
        return last

    async def stop(self, line: Said) -> None:
        """One turn that was stopped after its first words."""
        async with self.backend.answer(self.prompt(line)) as answers:
            async for _ in answers:
                break
        self.history += [line, Said("assistant", "I was about to")]

    def prompt(self, *lines: Said) -> Prompt:
        return Prompt(conversation=CONVERSATION, turn=1, attempt=1, history=list(self.history), ask=lines, system=self.system)


def prefix(body: Mapping[str, Any]) -> bytes:
    """Everything of a request that the API keeps, in its order, without the marks."""
    kept = [body.get("tools"), body.get("system"), body.get("thinking"), *messages(body)]
    return b"".join(json.dumps(each, ensure_ascii=False).encode() for each in kept)


def messages(body: Mapping[str, Any]) -> list[Any]:
    """The blocks of all messages with their roles, without marks."""
    found = copy.deepcopy([[message["role"], block] for message in body["messages"] for block in message["content"]])
    for _, block in found:
        block.pop("cache_control", None)
    return found


def marks(value: object) -> int:
    if isinstance(value, list):
        return sum(marks(each) for each in cast("list[object]", value))
    if isinstance(value, dict):
        values = cast("dict[str, object]", value)
        return ("cache_control" in values) + sum(marks(each) for each in values.values())
    return 0


def said(text: str, *files: Material) -> Said:
    return Said("user", text, None, files)


async def ten_turns(simulator: Simulator, talk: Talk, blobs: Blobs) -> None:
    """Plain turns, bursts, files of every kind, thoughts, tools, pauses, a stop, an answer cut short."""
    await talk.ask(said("Ada: one"))
    await talk.ask(said("Ada: two [a.png]", await image(blobs, "a.png")), said("Ben: and [b.pdf]", await pdf(blobs, "b.pdf")))
    simulator.script(Script(thinking="let me see", text="well"))
    await talk.ask(said("Ada: three"))
    simulator.script(Script(blocks=[SEARCH, CITED, {"type": "text", "text": " That is all."}]))
    await talk.ask(said("Ada: four [notes.txt]", text_file("notes.txt", "remember the milk\n")))
    simulator.script(Script(words=50, deltas=50, seconds=100))
    await talk.stop(said("Ada: five"))
    simulator.turn(
        [Script(blocks=[{**CODE, "part": "use"}]), Script(blocks=[{**CODE, "part": "result"}, {"type": "text", "text": "Made."}])]
    )
    await talk.ask(said("Ada: six"))
    simulator.script(Script(text="cut", stop="max_tokens"))
    await talk.ask(said("Ada: seven"))
    # An attempt that failed has left its question without an answer.
    talk.history.append(said("Ada: eight"))
    await talk.ask(said("Ada: nine", await image(blobs, "c.png", shade=90)))
    simulator.script(Script(blocks=[{"type": "redacted_thinking", "hidden": "h"}, *[SEARCH] * 12, CITED]))
    await talk.ask(said("Ada: ten [more.txt]", text_file("more.txt", "and eggs")))
    await talk.ask(said("Ada: eleven"))
    await talk.ask(said("Ada: twelve"))


@pytest.mark.parametrize("ttl", ["5m", "1h"])
async def test_over_ten_turns_of_every_kind_each_request_begins_with_the_bytes_of_the_one_before(
    simulator: Simulator, tmp_path: Path, ttl: str
) -> None:
    blobs = Blobs(tmp_path)
    async with opened(simulator, blobs, cache_ttl=ttl, **TOOLS) as backend:
        await ten_turns(simulator, Talk(backend), blobs)
    bodies = simulator.bodies()
    assert len(bodies) >= 12
    for earlier, later in pairwise(bodies):
        assert prefix(later).startswith(prefix(earlier))
    assert all(1 <= marks(body) <= 4 for body in bodies)


async def test_every_turn_reads_from_the_cache_all_that_the_one_before_it_has_sent(simulator: Simulator, tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    async with opened(simulator, blobs, **TOOLS) as backend:
        await ten_turns(simulator, Talk(backend), blobs)
    found = [call.notes["usage"] for call in simulator.asked()]
    sent = [usage["input_tokens"] + usage["cache_creation_input_tokens"] + usage["cache_read_input_tokens"] for usage in found]
    for usage, before in zip(found[1:], sent, strict=False):
        # What is not part of any block is never kept: 8 tokens here.
        assert usage["cache_read_input_tokens"] == before - 8


async def test_the_usage_tells_what_was_read_and_written(simulator: Simulator) -> None:
    async with opened(simulator) as backend:
        talk = Talk(backend)
        first, second = (await talk.ask(said("one"))).usage, (await talk.ask(said("two"))).usage
    assert (first.cache_read_tokens, first.cache_write_tokens > 400) == (0, True)
    assert second.cache_read_tokens == first.cache_write_tokens
    assert 0 < second.cache_write_tokens < 20


async def test_the_time_to_keep_is_asked_for_and_charged(simulator: Simulator) -> None:
    costs: list[int] = []
    for ttl, charged in (("5m", "ephemeral_5m_input_tokens"), ("1h", "ephemeral_1h_input_tokens")):
        async with opened(simulator, cache_ttl=ttl) as backend:
            last = finish(await collect(backend, Talk(backend, SYSTEM + ttl).prompt(said("one"))))
        usage = simulator.asked()[-1].notes["usage"]
        assert usage["cache_creation"][charged] == last.usage.cache_write_tokens > 400
        costs.append(last.usage.cost or 0)
    assert costs[0] < costs[1]


async def test_an_undone_turn_still_finds_what_was_kept_before_it(simulator: Simulator) -> None:
    async with opened(simulator) as backend:
        talk = Talk(backend)
        for text in ("one", "two", "three"):
            await talk.ask(said(text * 100))
        del talk.history[-2:]
        again = await talk.ask(said("other" * 100))
    assert again.usage.cache_read_tokens == talk.answers[1].usage.cache_read_tokens + talk.answers[1].usage.cache_write_tokens


async def test_without_a_system_prompt_the_tools_are_marked(simulator: Simulator) -> None:
    async with opened(simulator, web_search=True, code_execution=True) as backend:
        await collect(backend, Talk(backend, None).prompt(said("one")))
    body = simulator.bodies()[0]
    assert "system" not in body
    assert [marks(tool) for tool in body["tools"]] == [0, 1]
