"""Native blocks go back as they came: thoughts, summaries, what tools gave. And what becomes of a stop."""

import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
from structlog.testing import capture_logs

from sandbox.anthropic import Script, Simulator
from sandbox.anthropic.config import MODELS, Config, Model
from shared.backends import Delta, Finished, Retrying, Said, Spent, Thinking
from shared.backends.anthropic_api.backend import PAUSES
from shared.errors import BrokenOff
from tests.conformance.backend import collect, fail, finish, prompt, spoken
from tests.shared.backends.api import Waits, all_listed, opened

SEARCH: dict[str, Any] = {
    "type": "web_search",
    "query": "threads",
    "results": [{"url": "https://example.org/", "title": "Threads"}],
}


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    # A model whose window a test can fill, but large enough to be condensed.
    models = {**MODELS, "claude-narrow": Model(name="Narrow", context=100_000)}
    async with Simulator(Config(models=models)) as running:
        yield running


def after(text: str, last: Finished, *more: Said) -> tuple[Said, ...]:
    return (Said("user", text), Said("assistant", last.text, last.blocks), *more)


def sent_back(simulator: Simulator, place: int = 1) -> Any:
    return simulator.bodies()[-1]["messages"][place]["content"]


async def test_signed_thinking_is_sent_back_as_it_came(simulator: Simulator) -> None:
    async with opened(simulator, thinking="summarised") as backend:
        simulator.script(Script(thinking="let me see", text="well"))
        first = finish(await collect(backend, prompt("hello")))
        assert first.text == "well"
        assert first.blocks is not None
        assert [block["type"] for block in first.blocks] == ["thinking", "text"]
        assert finish(await collect(backend, prompt("and?", *after("hello", first)))).text == "You said: and?"
    assert json.dumps(sent_back(simulator)) == json.dumps(first.blocks)
    assert simulator.bodies()[-1]["messages"][1]["role"] == "assistant"


async def test_blocks_survive_being_stored_as_json(simulator: Simulator) -> None:
    code: dict[str, Any] = {"type": "code", "command": 'echo "ü\\n\u2028"', "stdout": "ü\u2028\n", "files": []}
    async with opened(simulator, thinking="shown", web_search=True, code_execution=True) as backend:
        said = [{"type": "thinking", "thinking": "hm"}, {"type": "redacted_thinking", "hidden": "x"}, SEARCH, code]
        simulator.script(
            Script(blocks=[*said, {"type": "text", "text": "done", "citations": [{"result": 0, "cited_text": "x"}]}])
        )
        first = finish(await collect(backend, prompt("hello")))
        stored = replace(first, blocks=json.loads(json.dumps(first.blocks)))
        assert not [a for a in await collect(backend, prompt("and?", *after("hello", stored))) if isinstance(a, Retrying)]
    assert json.dumps(sent_back(simulator)) == json.dumps(first.blocks)
    assert len(sent_back(simulator)) == 7


@pytest.mark.parametrize("events", [5, 8], ids=["half", "whole"])
async def test_thoughts_of_a_try_that_failed_are_forgotten(simulator: Simulator, events: int) -> None:
    async with opened(simulator, thinking="shown") as backend:
        simulator.script(Script(thinking="let me see", text="well", ending="cut", after_events=events))
        simulator.script(Script(thinking="let me think", text="well"))
        answers = await collect(backend, prompt("hello"))
        first = finish(answers)
        assert first.blocks is not None
        assert [block.get("thinking") for block in first.blocks] == ["let me think", None]
        assert [isinstance(answer, Retrying) for answer in answers].count(True) == 1
        again = await collect(backend, prompt("and?", *after("hello", first)))
    assert not [answer for answer in again if isinstance(answer, Retrying)]


@pytest.mark.parametrize(
    ("model", "wanted", "sent"),
    [
        ("claude-haiku-5-5", "off", {"type": "disabled"}),
        ("claude-sonnet-5-5", "off", {"type": "between_tools"}),
        ("claude-opus-5-5", "off", {"type": "adaptive", "display": "omitted"}),
        ("claude-haiku-4-5", "off", {"type": "disabled"}),
        ("claude-opus-5-5", "summarised", {"type": "adaptive", "display": "summarized"}),
        ("claude-haiku-5-5", "shown", {"type": "adaptive", "display": "summarized"}),
        ("claude-haiku-4-5", "shown", {"type": "enabled", "budget_tokens": 16_000}),
    ],
)
async def test_thinking_is_asked_for_as_each_model_takes_it(simulator: Simulator, model: str, wanted: str, sent: object) -> None:
    simulator.default = Script(thinking="let me see", text="well")
    async with opened(simulator, model=model, thinking=wanted) as backend:
        answers = await collect(backend, prompt("hello"))
    assert simulator.bodies()[0]["thinking"] == sent
    told = "".join(answer.text for answer in answers if isinstance(answer, Thinking))
    assert told == ("" if wanted == "off" else "let me see")
    assert finish(answers).text == spoken(answers) == "well"


@pytest.mark.parametrize("effort", ["xhigh", "max"])
async def test_thinking_cannot_be_off_with_the_largest_efforts(simulator: Simulator, effort: str) -> None:
    async with opened(simulator, model="claude-haiku-5-5", effort=effort) as backend:
        await collect(backend, prompt("hello"))
    body = simulator.bodies()[0]
    assert (body["thinking"]["type"], body["output_config"]) == ("adaptive", {"effort": effort})


async def test_a_budget_of_thought_leaves_room_for_words_or_is_not_asked_for(simulator: Simulator) -> None:
    for most, sent in ((4_096, {"type": "enabled", "budget_tokens": 2_048}), (2_000, None)):
        async with opened(simulator, model="claude-haiku-4-5", thinking="shown", max_tokens=most) as backend:
            assert finish(await collect(backend, prompt("hello"))).text
        assert simulator.bodies()[-1].get("thinking") == sent


async def test_an_effort_that_a_model_does_not_know_becomes_the_nearest_and_is_logged_once(simulator: Simulator) -> None:
    with capture_logs() as logs:
        async with opened(simulator, model="claude-opus-4-5", effort="max") as backend:
            for _ in range(2):
                await fail(backend, prompt("hello"))
            await collect(backend, replace(prompt("hello"), model="claude-haiku-4-5"))
    assert [body.get("output_config") for body in simulator.bodies()] == [{"effort": "high"}, {"effort": "high"}, None]
    assert [(line["model"], line["instead"]) for line in logs if "effort" in line] == [
        ("claude-opus-4-5", "high"),
        ("claude-haiku-4-5", "its default"),
    ]


FORGED = [{"type": "thinking", "thinking": "hm", "signature": "forged"}, {"type": "text", "text": "well"}]


async def test_blocks_that_the_api_refuses_are_asked_once_more_as_plain_text(simulator: Simulator, waits: Waits) -> None:
    history = (Said("user", "hello"), Said("assistant", "well", FORGED))
    async with opened(simulator, waits=waits) as backend:
        answers = await collect(backend, prompt("and?", *history))
        assert finish(answers).text == "You said: and?"
        (again,) = [answer for answer in answers if isinstance(answer, Retrying)]
        assert again.after == 0
        assert "plain text" in again.reason
        assert "signature" in again.reason
        # What was refused once is not tried a second time.
        assert finish(await collect(backend, prompt("and?", *history))).text == "You said: and?"
        assert await backend.count(prompt("and?", *history)) > 0
    assert len(simulator.asked()) == 3
    assert sent_back(simulator) == [{"type": "text", "text": "well"}]
    assert waits.seconds == []


async def test_a_count_does_without_refused_blocks_as_well(simulator: Simulator) -> None:
    async with opened(simulator) as backend:
        assert await backend.count(prompt("and?", Said("user", "hello"), Said("assistant", "well", FORGED))) > 0


async def test_a_question_that_is_wrong_in_itself_is_tried_twice_and_no_more(simulator: Simulator) -> None:
    simulator.script(Script(status=400), times=None)
    async with opened(simulator) as backend:
        await fail(backend, prompt("and?", Said("user", "hello"), Said("assistant", "well", FORGED)))
        assert len(simulator.asked()) == 1 + 1


@pytest.fixture
def waits() -> Waits:
    return Waits()


HALVES: Sequence[tuple[list[dict[str, Any]], str]] = (
    ([{"type": "text", "text": "so"}, {**SEARCH, "part": "use"}], "max_tokens"),
    ([{"type": "text", "text": "so"}, {**SEARCH, "part": "use"}], "end_turn"),
    (
        [SEARCH, {"type": "text", "text": "so"}, {"type": "raw", "start": {"type": "thinking", "thinking": "", "signature": ""}}],
        "max_tokens",
    ),
    ([{"type": "text", "text": "so"}, {"type": "raw", "start": {"type": "odd"}, "inner": [{"type": "odd_delta"}]}], "end_turn"),
    ([{"type": "text", "text": "so"}, {"type": "raw", "start": {"type": "text", "text": ""}}, SEARCH], "end_turn"),
)


@pytest.mark.parametrize(("blocks", "stop"), HALVES)
async def test_what_would_be_refused_on_its_way_back_is_not_stored(
    simulator: Simulator, blocks: list[dict[str, Any]], stop: str
) -> None:
    simulator.script(Script(blocks=blocks, stop=stop))
    async with opened(simulator, web_search=True) as backend:
        first = finish(await collect(backend, prompt("hello")))
        assert first.text == "so"
        answers = await collect(backend, prompt("and?", *after("hello", first)))
    assert not [answer for answer in answers if isinstance(answer, Retrying)]
    assert len(simulator.asked()) == 2


@pytest.mark.parametrize(
    ("reason", "stop"),
    [
        ("end_turn", "end"),
        ("max_tokens", "max_tokens"),
        ("stop_sequence", "stop_sequence"),
        ("refusal", "refusal"),
        ("model_context_window_exceeded", "context_full"),
    ],
)
async def test_every_stop_reason_is_an_end_and_no_failure(simulator: Simulator, reason: str, stop: str) -> None:
    simulator.script(Script(text="so far", thinking="hm", stop=reason, explanation="That is not for me."))
    async with opened(simulator, thinking="shown") as backend:
        last = finish(await collect(backend, prompt("hello")))
    assert (last.stop, last.text) == (stop, "so far")
    assert (last.explanation, last.blocks is None) == (("That is not for me.", True) if stop == "refusal" else (None, False))


async def test_a_tool_of_ours_that_there_is_none_of_is_a_failure(simulator: Simulator) -> None:
    simulator.script(Script(blocks=[{"type": "text", "text": "so"}, {"type": "tool_use", "name": "clock", "input": {}}]))
    async with opened(simulator) as backend:
        answers, failure = await fail(backend, prompt("hello"))
    assert type(failure) is BrokenOff
    assert "a tool that it was not given" in failure.detail
    assert spoken(answers) == "so"
    assert len(simulator.asked()) == 1


def paused(*texts: str) -> list[Script]:
    return [Script(text=text, stop="pause_turn") for text in texts]


async def test_a_paused_answer_goes_on_by_itself_as_one_answer(simulator: Simulator) -> None:
    use, result = {**SEARCH, "part": "use"}, {**SEARCH, "part": "result"}
    first = Script(blocks=[{"type": "text", "text": "I look. "}, use])
    last = Script(blocks=[result, {"type": "text", "text": "Found."}])
    simulator.turn([first, last])
    async with opened(simulator, web_search=True) as backend:
        answers = await collect(backend, prompt("hello"))
        end = finish(answers)
        assert end.text == spoken(answers) == "I look. Found."
        assert end.stop == "end"
        assert end.blocks is not None
        assert [block["type"] for block in end.blocks] == ["text", "server_tool_use", "web_search_tool_result", "text"]
        assert finish(await collect(backend, prompt("and?", *after("hello", end)))).text == "You said: and?"
    figures = [call.notes["usage"] for call in simulator.asked()[:2]]
    assert end.usage.output_tokens == sum(each["output_tokens"] for each in figures)
    assert sent_back(simulator) == end.blocks
    begun = simulator.bodies()[1]["messages"][-1]
    assert (begun["role"], begun["content"]) == ("assistant", list(end.blocks[:2]))


async def test_an_answer_that_pauses_without_end_is_given_to_people_as_paused(simulator: Simulator) -> None:
    simulator.turn(paused(*[f"{number} " for number in range(PAUSES + 1)]))
    async with opened(simulator) as backend:
        answers = await collect(backend, prompt("hello"))
    assert (finish(answers).stop, len(simulator.asked())) == ("pause", PAUSES + 1)
    assert finish(answers).text == spoken(answers) == "".join(f"{number} " for number in range(PAUSES + 1))


async def test_a_pause_without_anything_to_go_on_with_is_an_end(simulator: Simulator) -> None:
    simulator.script(Script(blocks=[], stop="pause_turn"))
    async with opened(simulator) as backend:
        assert finish(await collect(backend, prompt("hello"))).stop == "pause"
    assert len(simulator.asked()) == 1


async def test_what_fails_between_two_parts_is_tried_again_without_a_word(simulator: Simulator, waits: Waits) -> None:
    simulator.turn([*paused("one "), Script(status=529)])
    simulator.script(Script(text="two"), step=1)
    async with opened(simulator, waits=waits) as backend:
        answers = await collect(backend, prompt("hello"))
    assert finish(answers).text == spoken(answers) == "one two"
    assert not [answer for answer in answers if isinstance(answer, Retrying)]
    assert waits.seconds == [0.5]


async def test_what_breaks_within_the_second_part_is_broken_off(simulator: Simulator) -> None:
    simulator.turn([*paused("one "), Script(text="two three", deltas=2, ending="cut", after=1)])
    async with opened(simulator) as backend:
        answers, failure = await fail(backend, prompt("hello"))
    assert type(failure) is BrokenOff
    assert spoken(answers) == "one two "


LONG = "word " * 70_000
"""About 87 500 tokens."""


async def test_a_conversation_that_nears_the_window_is_condensed_and_its_summary_sent_back(simulator: Simulator) -> None:
    async with opened(simulator, model="claude-narrow") as backend:
        await all_listed(backend)
        assert (await backend.model("claude-narrow")).condenses
        assert not finish(await collect(backend, prompt("short"))).condensed
        assert "context_management" not in simulator.bodies()[-1]
        simulator.script(Script(text="well"), match="word")
        first = finish(await collect(backend, prompt(LONG)))
        assert first.condensed
        assert first.blocks is not None
        assert first.blocks[0]["type"] == "compaction"
        assert simulator.bodies()[-1]["context_management"]["edits"][0]["trigger"] == {"type": "input_tokens", "value": 80_000}
        # The tokens of the summary are charged beside those of the answer.
        figures = simulator.asked()[-1].notes["usage"]
        assert first.usage.input_tokens + first.usage.cache_write_tokens > 80_000
        assert first.usage.output_tokens > figures["output_tokens"]
        second = finish(await collect(backend, prompt("and?", *after(LONG, first))))
        assert not second.condensed
    body = simulator.bodies()[-1]
    assert body["messages"][1]["content"] == first.blocks
    assert len(json.dumps(body)) < 5_000
    assert "context_management" not in body


async def test_a_summary_on_its_own_is_gone_on_with(simulator: Simulator) -> None:
    simulator.turn([Script(blocks=[{"type": "compaction", "content": "So far: hello."}], stop="compaction"), Script(text="well")])
    history = (
        Said("user", "once"),
        Said("assistant", "upon", [{"type": "compaction", "content": None}, {"type": "text", "text": "upon"}]),
    )
    async with opened(simulator) as backend:
        last = finish(await collect(backend, prompt("hello", *history)))
    assert (last.text, last.stop, last.condensed) == ("well", "end", True)


async def test_a_summary_that_failed_condenses_nothing(simulator: Simulator) -> None:
    simulator.script(Script(text="well", compaction_fails=True))
    async with opened(simulator, model="claude-narrow") as backend:
        await all_listed(backend)
        first = finish(await collect(backend, prompt(LONG)))
    assert first.blocks is not None
    assert (first.condensed, first.blocks[0]["content"]) == (False, None)


async def test_what_is_used_up_is_told_from_the_beginning_on(simulator: Simulator) -> None:
    async with opened(simulator) as backend:
        answers = await collect(backend, prompt("hello"))
    spent = [answer.usage for answer in answers if isinstance(answer, Spent)]
    first_word = next(number for number, answer in enumerate(answers) if isinstance(answer, Delta))
    assert isinstance(answers[1], Spent)
    assert first_word > 1
    assert spent[-1] == finish(answers).usage
    assert (spent[0].input_tokens, spent[0].cost is not None) == (spent[-1].input_tokens, True)
