"""A backend that is loaded while the server starts."""

from uuid import UUID

import pytest

from shared.backends import Prompt, Said, Usage
from shared.backends.demo import DemoBackend
from shared.backends.lazy import Able, Lazy
from shared.errors import Misconfigured, Unavailable

PROMPT = Prompt(
    conversation=UUID("9e0a9b3e-3d7a-4a55-8f4c-0a3f6a0f9b11"), turn=1, attempt=1, history=(), ask=[Said("user", "hello")]
)


class Counting(DemoBackend):
    """The demo, with all that a backend may be able to do."""

    async def count(self, prompt: Prompt) -> int:
        return 7

    def estimate(self, prompt: Prompt, text: str) -> Usage:
        return Usage("demo", 7, len(text), cost=1, estimated=True)


class Maker:
    """Makes a backend, after so many failures."""

    def __init__(self, failures: int, error: Exception) -> None:
        self.failures = failures
        self.error = error
        self.made = 0

    def __call__(self) -> Able:
        self.made += 1
        if self.made <= self.failures:
            raise self.error
        return Counting(speed=0)


async def test_it_is_loaded_once_and_answers_as_the_one_behind() -> None:
    make = Maker(0, ValueError())
    lazy = Lazy("demo", make)
    for _ in range(2):
        async with lazy.answer(PROMPT) as answers:
            assert [each async for each in answers]
    await lazy.aclose()
    assert make.made == 1


async def test_a_load_that_failed_is_one_sentence_and_is_tried_again_with_the_next_question() -> None:
    make = Maker(2, ValueError("sk-secret is no key"))
    lazy = Lazy("demo", make)
    with pytest.raises(Misconfigured, match="The backend demo cannot be loaded") as told:
        await lazy.load()
    assert "ValueError" in told.value.detail
    assert "sk-secret" not in told.value.detail
    with pytest.raises(Unavailable):
        async with lazy.answer(PROMPT):
            pass
    async with lazy.answer(PROMPT) as answers:
        assert [each async for each in answers]
    await lazy.aclose()
    assert make.made == 3


async def test_what_the_operator_has_to_change_is_told_in_the_words_of_who_knows() -> None:
    lazy = Lazy("demo", Maker(1, Misconfigured("Set MODEL.")))
    with pytest.raises(Misconfigured, match=r"^Set MODEL\.$"):
        await lazy.load()


async def test_what_could_not_be_loaded_need_not_be_closed() -> None:
    lazy = Lazy("demo", Maker(1, ImportError("no such module")))
    await lazy.aclose()
    with pytest.raises(Misconfigured):
        await lazy.load()
    await lazy.aclose()


async def test_what_it_can_tell_is_what_the_one_behind_tells_and_no_price_before_it_is_there() -> None:
    lazy = Lazy("demo", Maker(0, ValueError()))
    assert lazy.estimate(PROMPT, "four") == Usage("", estimated=True)
    assert [model.id for model in await lazy.models()] == ["demo"]
    assert (await lazy.model("demo")).id == "demo"
    assert await lazy.count(PROMPT) == 7
    assert lazy.estimate(PROMPT, "four") == Usage("demo", 7, 4, cost=1, estimated=True)
    await lazy.aclose()


async def test_without_the_one_behind_there_are_no_models_and_nothing_can_be_counted() -> None:
    lazy = Lazy("demo", Maker(9, ValueError()))
    assert await lazy.models() == ()
    with pytest.raises(Unavailable):
        await lazy.model("demo")
    with pytest.raises(Unavailable):
        await lazy.count(PROMPT)
    assert lazy.estimate(PROMPT, "") == Usage("", estimated=True)
    await lazy.aclose()
