"""Models, their limits and prices, and what a prompt takes in."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.anthropic import Script, Simulator
from sandbox.anthropic.config import MODELS, Config, Model
from sandbox.faults import Rule
from shared.backends import Counts, Estimates, Models, Prompt, Said
from shared.backends.anthropic_api import AnthropicApi, AnthropicConfig
from shared.backends.anthropic_api.models import AGAIN, FRESH, Catalogue, known_of
from shared.backends.anthropic_api.prices import TABLE as PRICED
from shared.backends.anthropic_api.prices import Charge, Prices
from shared.backends.anthropic_api.table import TABLE
from shared.backends.anthropic_api.tally import Tally
from shared.errors import BadKey, OutOfQuota, TooLarge, Unavailable, UnknownModel
from shared.files.blobs import Blobs
from shared.lists import Price
from tests.conformance.backend import CONVERSATION, collect, fail, finish, prompt
from tests.shared.backends.api import NOWHERE, all_listed, opened
from tests.shared.backends.samples import image, pdf, text_file


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    new = Model(name="Claude Sonnet 9", line="sonnet", created_at="2027-01-01T00:00:00Z", context=500_000, output=5_000)
    gone = replace(new, name="Gone", line="opus", created_at="2028-01-01T00:00:00Z", lifecycle="retired")
    async with Simulator(Config(models={**MODELS, "claude-sonnet-9": new, "claude-opus-9": gone})) as running:
        yield running


@pytest.fixture
async def backend(simulator: Simulator) -> AsyncIterator[AnthropicApi]:
    async with opened(simulator) as made:
        yield made


def lists(simulator: Simulator) -> int:
    return len([call for call in simulator.calls.matching("GET", "/v1/models") if call.path.startswith("/v1/models?")])


async def test_the_models_are_those_of_the_api_the_newest_first(backend: AnthropicApi) -> None:
    found = await all_listed(backend)
    assert {model.id for model in found} == {*MODELS, "claude-sonnet-9"}
    assert found[0].id == "claude-sonnet-9"
    old = next(model for model in found if model.id == "claude-sonnet-4-5")
    assert (old.name, old.window, old.output, old.efforts) == ("Claude Sonnet 4.5", 200_000, 64_000, ())
    assert (old.condenses, old.retires) == (False, date(2026, 11, 30))
    assert found[0].efforts == ("low", "medium", "high", "xhigh", "max")
    assert found[0].condenses


async def test_an_alias_is_the_newest_of_its_family_that_is_not_retired(backend: AnthropicApi) -> None:
    for alias, name in (("sonnet", "claude-sonnet-9"), ("Opus ", "claude-opus-5-5"), ("haiku", "claude-haiku-5-5")):
        assert (await backend.model(alias)).id == name
    assert (await backend.model("claude-haiku-4-5-20251001")).id == "claude-haiku-4-5"
    for unknown in ("claude-nine", "", "  ", "../files", "ü", "claude-opus-9"):
        with pytest.raises(UnknownModel) as raised:
            await backend.model(unknown)
        assert "\n" not in raised.value.detail


async def test_without_the_api_a_table_of_our_own_answers(simulator: Simulator) -> None:
    simulator.faults.set(Rule("status", path="/v1/models", status=500, times=None))
    async with opened(simulator) as backend:
        assert [model.id for model in await backend.models()] == [known.model.id for known in TABLE]
        assert (await backend.model("sonnet")).id == "claude-sonnet-5-5"
        assert (await backend.model("fable")).id == "claude-fable-5-2"


async def test_a_question_asks_for_no_models_before_its_answer_has_ended(simulator: Simulator, backend: AnthropicApi) -> None:
    simulator.script(Script(text="one two", deltas=2, seconds=0.05))
    async with backend.answer(prompt("hello")) as answers:
        async for _ in answers:
            assert lists(simulator) == 0
    await simulator.wait_for(lambda: lists(simulator) == 1)
    await collect(backend, prompt("hello"))
    assert lists(simulator) == 1


async def test_an_alias_in_the_settings_or_a_prompt_is_sent_as_the_model_that_it_means(simulator: Simulator) -> None:
    async with opened(simulator, model="haiku") as backend:
        assert finish(await collect(backend, prompt("hello"))).usage.model == "claude-haiku-5-5"
        await collect(backend, replace(prompt("hello"), model="opus"))
        await collect(backend, replace(prompt("hello"), model="claude-haiku-4-5"))
    assert [body["model"] for body in simulator.bodies()] == ["claude-haiku-5-5", "claude-opus-5-5", "claude-haiku-4-5"]


async def test_the_words_asked_for_are_never_more_than_the_model_has(simulator: Simulator) -> None:
    async with opened(simulator, max_tokens=100_000) as backend:
        await backend.models()
        for name in ("claude-sonnet-9", "claude-haiku-4-5", "claude-opus-5-5", "claude-small-window"):
            await collect(backend, replace(prompt("hello"), model=name))
    assert [body["max_tokens"] for body in simulator.bodies()] == [5_000, 64_000, 100_000, 1_000]


async def test_a_model_that_is_not_known_is_named(simulator: Simulator, backend: AnthropicApi) -> None:
    _, failure = await fail(backend, replace(prompt("hello"), model="claude-nine"))
    assert type(failure) is UnknownModel
    assert "claude-nine" in failure.detail
    simulator.script(Script(status=404, error_message="no such thing"))
    _, failure = await fail(backend, prompt("hello"))
    assert "claude-sonnet-5-5" in failure.detail


class Api:
    """A list that a test gives, and a clock."""

    def __init__(self) -> None:
        self.now = 0.0
        self.calls = 0
        self.answer: Sequence[Mapping[str, Any]] | Exception = [{"id": "claude-a", "line": "opus"}]
        self.gate = asyncio.Event()
        self.gate.set()

    async def fetch(self) -> Sequence[Mapping[str, Any]]:
        self.calls += 1
        await self.gate.wait()
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    async def one(self, name: str) -> Mapping[str, Any]:
        raise UnknownModel(name)

    def catalogue(self) -> Catalogue:
        return Catalogue(self.fetch, self.one, lambda: self.now)


async def listed() -> None:
    """Wait until the list that is being fetched is there."""
    await asyncio.wait([task for task in asyncio.all_tasks() if task.get_name() == "list models"])


async def test_a_list_is_asked_for_again_after_hours_and_nobody_waits_for_it() -> None:
    api = Api()
    models = api.catalogue()
    assert [model.id for model in await models.models()] == ["claude-a"]
    api.answer, api.now = [{"id": "claude-b", "line": "opus"}], FRESH - 1
    assert [model.id for model in await models.models()] == ["claude-a"]
    assert api.calls == 1
    api.now = FRESH
    api.gate.clear()
    assert [model.id for model in await models.models()] == ["claude-a"]
    api.gate.set()
    await listed()
    assert (await models.model("opus")).id == "claude-b"
    assert api.calls == 2
    await models.aclose()


@pytest.mark.parametrize(
    "answer", [Unavailable("down"), BadKey("no"), ValueError("x"), [{}], [{"id": "a", "retires_at": "soon"}], []]
)
async def test_a_list_that_cannot_be_had_leaves_the_last_one_and_is_asked_for_later(answer: Any) -> None:
    api = Api()
    models = api.catalogue()
    await models.models()
    api.now, api.answer = FRESH, answer
    models.refresh()
    await listed()
    assert api.calls == 2
    assert [model.id for model in await models.models()] == ["claude-a"]
    api.now += AGAIN - 1
    await models.models()
    assert api.calls == 2
    api.now += 1
    await models.models()
    await listed()
    assert api.calls == 3
    await models.aclose()


async def test_a_retired_model_is_no_alias_and_cannot_be_asked() -> None:
    api = Api()
    gone = {"id": "claude-z", "line": "opus", "lifecycle": "retired", "created_at": "2028-01-01"}
    api.answer = [gone, {"id": "claude-a", "line": "opus", "created_at": "2027-01-01"}]
    models = api.catalogue()
    assert [model.id for model in await models.models()] == ["claude-a"]
    assert (await models.model("opus")).id == "claude-a"
    with pytest.raises(UnknownModel, match="retired"):
        await models.model("claude-z")
    await models.aclose()


async def test_closing_while_a_list_is_on_its_way_ends_the_asking() -> None:
    api = Api()
    api.gate.clear()
    models = api.catalogue()
    models.refresh()
    await asyncio.sleep(0)
    await models.aclose()
    await models.aclose()
    assert asyncio.all_tasks() == {asyncio.current_task()}


def test_what_the_api_does_not_say_of_a_model_is_as_in_the_table_or_modest() -> None:
    known = known_of({"id": "claude-opus-5-5"})
    assert (known.model.window, known.model.output, known.model.condenses) == (1_000_000, 128_000, True)
    assert known.thinking == ("adaptive",)
    new = known_of({"id": "claude-new", "max_input_tokens": None, "capabilities": None, "line": None})
    assert (new.model.window, new.model.output, new.model.efforts, new.line, new.thinking) == (200_000, 32_000, (), None, ())


def test_every_model_of_the_table_has_a_price() -> None:
    assert {known.model.id for known in TABLE} <= set(PRICED)
    assert all(isinstance(AnthropicApi(AnthropicConfig(api_key="k"), NOWHERE), each) for each in (Models, Counts, Estimates))


@pytest.mark.parametrize(
    ("model", "charge", "cost"),
    [
        ("claude-sonnet-5-5", Charge(1_000_000, 1_000_000), 12_000_000),
        ("claude-sonnet-5-5", Charge(0, 0, 1_000_000, 1_000_000, 1_000_000), 100_000 + 2_500_000 + 4_000_000),
        ("claude-opus-5-5", Charge(10, 10, 10), 40 + 200 + 2),
        ("claude-fable-5-2", Charge(1, 1), 48),
        ("claude-haiku-5-5", Charge(100_000), 10_000),
        ("claude-haiku-5-5", Charge(100_001), 50_001),
        ("claude-haiku-5-5", Charge(1, 1_000, 60_000, 20_000, 20_000), 1 + 2_500 + 3_000 + 12_500 + 20_000),
        ("claude-haiku-4-5-20251001", Charge(1_000, 1_000), 6_000),
        ("claude-sonnet-5-5", Charge(searches=3), 30_000),
        ("claude-sonnet-5-5", Charge(), 0),
        ("claude-haiku-5-5", Charge(1), 1),
        ("claude-nine", Charge(1), None),
    ],
)
def test_a_cost_is_in_millionths_of_a_dollar_and_rounded_up(model: str, charge: Charge, cost: int | None) -> None:
    assert Prices({}).cost(model, [charge]) == cost


def test_prices_of_the_operators_go_before_the_table() -> None:
    prices = Prices({"claude-haiku-5-5": Price(1, 2), "mine": Price(3, 6, cache_read=0, cache_write_5m=4, cache_write_1h=5)})
    assert prices.cost("claude-haiku-5-5", [Charge(1_000_000, 1_000_000, 1_000_000)]) == 3_100_000
    assert prices.cost("mine", [Charge(10, 10, 10, 10, 10), Charge(1)]) == 30 + 60 + 40 + 50 + 3


counts = st.integers(0, 10**9)


@given(st.builds(Charge, counts, counts, counts, counts, counts, st.integers(0, 100)), st.sampled_from(sorted(PRICED)))
def test_a_cost_is_a_whole_number_and_never_negative(charge: Charge, model: str) -> None:
    cost = Prices({}).cost(model, [charge])
    assert isinstance(cost, int)
    assert cost >= 0


@pytest.mark.parametrize(
    "odd", [None, 3, [], {}, {"input_tokens": "7", "iterations": 1, "server_tool_use": []}, {"iterations": [None]}]
)
def test_figures_that_make_no_sense_count_nothing(odd: object) -> None:
    tally = Tally("claude-sonnet-5-5", Prices({}), "5m")
    tally.take(odd)
    assert (tally.usage().input_tokens, tally.usage().cost) == (0, 0)


async def test_the_figures_of_use_are_those_of_the_last_word_and_charged(simulator: Simulator, backend: AnthropicApi) -> None:
    figures = {"input_tokens": 11, "output_tokens": 22, "cache_read_input_tokens": 33, "cache_creation_input_tokens": 44}
    searches = {"server_tool_use": {"web_search_requests": 2, "web_fetch_requests": 5}, "cache_creation": None}
    simulator.script(Script(usage={**figures, **searches}))
    usage = finish(await collect(backend, prompt("hello"))).usage
    assert (usage.input_tokens, usage.output_tokens) == (11, 22)
    assert (usage.cache_read_tokens, usage.cache_write_tokens) == (33, 44)
    # 2, 10, 0.1 and 2.5 dollars per million tokens, 10 per thousand searches.
    assert usage.cost == -(-(11 * 20 + 22 * 100 + 33 + 44 * 25) // 10) + 20_000
    assert not usage.estimated


async def test_prices_of_the_settings_are_charged(simulator: Simulator) -> None:
    async with opened(simulator, prices={"claude-sonnet-5-5": Price(1_000_000, 0)}) as backend:
        usage = finish(await collect(backend, prompt("hello"))).usage
    assert usage.cost == usage.input_tokens * 1_000_000


async def test_a_count_is_that_of_the_request_that_would_be_sent(simulator: Simulator, tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    files = [await image(blobs, "a.png"), await pdf(blobs, "b.pdf"), text_file("c.txt", "c" * 400)]
    asked = Prompt(
        conversation=CONVERSATION, turn=1, attempt=1, history=(Said("user", "a"), Said("assistant", "b")),
        ask=(Said("user", "hello", None, files),), system="Be kind.",
    )  # fmt: skip
    async with opened(simulator, blobs, web_search=True, thinking="shown", effort="low") as backend:
        counted = await backend.count(asked)
        usage = finish(await collect(backend, asked)).usage
    assert counted == usage.input_tokens + usage.cache_read_tokens + usage.cache_write_tokens
    count = next(call for call in simulator.calls.matching("POST", "/v1/messages/count_tokens"))
    assert count.body is not None
    assert {**simulator.bodies()[-1], "max_tokens": 0, "stream": 0} == {**count.body, "max_tokens": 0, "stream": 0}


@pytest.mark.parametrize(
    ("rule", "kind"),
    [(Rule("status", status=500), Unavailable), (Rule("status", status=402), OutOfQuota), (Rule("reset"), Unavailable)],
)
async def test_a_count_fails_as_an_answer_does(
    simulator: Simulator, backend: AnthropicApi, rule: Rule, kind: type[Exception]
) -> None:
    simulator.faults.set(replace(rule, path="/v1/messages/count_tokens"))
    with pytest.raises(kind):
        await backend.count(prompt("hello"))


async def test_what_is_longer_than_the_window_is_too_large(simulator: Simulator, backend: AnthropicApi) -> None:
    await all_listed(backend)
    asked = replace(prompt("word " * 4_000), model="claude-small-window")
    assert type((await fail(backend, asked))[1]) is TooLarge
    with pytest.raises(TooLarge):
        await backend.count(asked)


async def test_an_estimate_is_near_what_the_api_counts_and_says_that_it_is_one(simulator: Simulator, tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    files = [await image(blobs, "a.png", width=1_000, height=1_000), text_file("c.txt", "c" * 4_000)]
    blocks = [{"type": "thinking", "thinking": "hm", "signature": "s" * 100}, {"type": "text", "text": "b" * 2_000}]
    asked = Prompt(
        conversation=CONVERSATION, turn=1, attempt=1, history=(Said("user", "a" * 4_000), Said("assistant", "b", blocks)),
        ask=(Said("user", "hello", None, files),), system="Be kind. " * 100,
    )  # fmt: skip
    async with opened(simulator, blobs) as backend:
        guess = backend.estimate(asked, "word " * 200)
        assert (guess.estimated, guess.model, guess.output_tokens) == (True, "claude-sonnet-5-5", 250)
        assert guess.cost == 2 * guess.input_tokens + 10 * guess.output_tokens
        counted = await backend.count(replace(asked, history=(Said("user", "a" * 4_000), Said("assistant", "b" * 2_100))))
        assert 0.7 < guess.input_tokens / counted < 1.3
        assert backend.estimate(replace(asked, model="opus"), "").model == "claude-opus-5-5"
        assert backend.estimate(replace(asked, model="claude-nine"), "").cost is None
        assert backend.estimate(prompt(""), "").output_tokens == 0
