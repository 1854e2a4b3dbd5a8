import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import errors
from shared.backends import Answer, Backend, Delta, Finished, Model, Prompt, Retrying, Said, Thinking
from shared.backends.demo import DemoBackend
from shared.backends.demo.arithmetic import solve
from shared.backends.demo.backend import deltas_of
from shared.backends.demo.plan import plan_of
from shared.backends.demo.replies import INTRODUCTION
from tests.conformance.backend import BackendContract, Rig

CONVERSATION = UUID("9e0a9b3e-3d7a-4a55-8f4c-0a3f6a0f9b11")


def prompt(*lines: str, history: Sequence[Said] = ()) -> Prompt:
    ask = [Said("user", line) for line in lines]
    return Prompt(conversation=CONVERSATION, turn=1, attempt=1, history=history, ask=ask)


def later(*lines: str) -> Prompt:
    """A prompt in a conversation that has begun, so that nothing is introduced."""
    return prompt(*lines, history=[Said("user", "hello"), Said("assistant", "Hello!")])


async def answers(asked: Prompt, backend: DemoBackend | None = None) -> list[Answer]:
    async with (backend or DemoBackend(speed=0)).answer(asked) as stream:
        return [each async for each in stream]


async def finished(asked: Prompt) -> Finished:
    last = (await answers(asked))[-1]
    assert isinstance(last, Finished)
    return last


async def listen(asked: Prompt, said: list[Answer]) -> None:
    """Note every answer as it comes, so that those before a failure are seen."""
    async with DemoBackend(speed=0).answer(asked) as stream:
        async for each in stream:
            said.append(each)


@dataclass
class Talk:
    """A conversation with the stand-in, as the core would lead it."""

    history: list[Said] = field(default_factory=list[Said])

    async def say(self, *lines: str) -> str:
        end = await finished(prompt(*lines, history=tuple(self.history)))
        self.history += [*(Said("user", line) for line in lines), Said("assistant", end.text, end.blocks)]
        return end.text


@dataclass
class Naps:
    """Takes the place of sleeping: notes how long, and lets others run."""

    taken: list[float] = field(default_factory=list[float])
    asleep: int = 0

    async def sleep(self, seconds: float) -> None:
        self.taken.append(seconds)
        self.asleep += 1
        try:
            await asyncio.sleep(0)
        finally:
            self.asleep -= 1


class DemoRig:
    """The stand-in is its own far side: what it hears is its prompt, and it works while it takes naps."""

    name = "demo"

    def __init__(self) -> None:
        self._naps = Naps()
        self._demo = DemoBackend(sleep=self._naps.sleep)
        self._prompt: Prompt | None = None

    @property
    def backend(self) -> Backend:
        return self

    def answer(self, prompt: Prompt) -> AbstractAsyncContextManager[AsyncIterator[Answer]]:
        self._prompt = prompt
        return self._demo.answer(prompt)

    async def models(self) -> Sequence[Model]:
        return await self._demo.models()

    async def model(self, name: str) -> Model:
        return await self._demo.model(name)

    async def aclose(self) -> None:
        await self._demo.aclose()

    def plain(self) -> str:
        return "tell me of the sea"

    def long(self) -> str:
        return "long 20000"

    def endless(self) -> str:
        return "long 400000, slow"

    def failing(self) -> Sequence[tuple[str, type[errors.Failure]]]:
        return FAILURES

    def breaking(self) -> tuple[str, type[errors.Failure]]:
        return "fail broken off midway", errors.BrokenOff

    def refusing(self) -> str:
        return "fail refuse"

    def cut_short(self) -> str:
        return "fail max tokens midway"

    async def stopped(self) -> None:
        taken = len(self._naps.taken)
        for _ in range(20):
            await asyncio.sleep(0)
        assert (self._naps.asleep, len(self._naps.taken)) == (0, taken)

    async def heard(self) -> Sequence[tuple[str, str]]:
        assert self._prompt is not None
        return [(said.role, said.text) for said in (*self._prompt.history, *self._prompt.ask) if said.text]


class TestContract(BackendContract):
    @pytest.fixture
    async def rig(self) -> AsyncIterator[Rig]:
        made = DemoRig()
        yield made
        await made.aclose()


async def test_the_deltas_together_are_the_finished_text() -> None:
    for text in ("hello", "help", "everything", "long 3000", "long code in go", "wide table"):
        said = await answers(prompt(text))
        deltas = [each.text for each in said if isinstance(each, Delta)]
        assert isinstance(said[-1], Finished)
        assert sum(isinstance(each, Finished) for each in said) == 1
        assert "".join(deltas) == said[-1].text
        assert len(deltas) > 5
        assert said[-1].blocks == [{"type": "text", "text": said[-1].text}]
        assert said[-1].usage.model == "demo"
        assert said[-1].usage.output_tokens > 0


async def test_the_same_prompt_gets_the_same_answer() -> None:
    assert await answers(prompt("everything")) == await answers(prompt("everything"))


async def test_it_presents_itself_as_a_stand_in_once_and_when_asked() -> None:
    talk = Talk()
    assert "stand-in for Claude" in await talk.say("what is 1 + 1?")
    assert "stand-in for Claude" not in await talk.say("what is 1 + 2?")
    assert "stand-in for Claude" in await talk.say("Who are you?")
    assert (await Talk().say("who are you?")).count("stand-in for Claude") == 1


async def test_it_remembers_what_was_said() -> None:
    talk = Talk()
    await talk.say("The kettle is blue.")
    await talk.say("My name is Ada Lovelace, by the way")
    assert "Ada Lovelace" in await talk.say("What's my name?")
    assert "The kettle is blue." in await talk.say("what did I say first?")
    assert "what did I say first?" in await talk.say("And what did I say LAST?!")
    assert "6 messages" in await talk.say("how many messages so far?")
    topics = await talk.say("please list what we talked about")
    assert "1. The kettle is blue." in topics
    assert "6. how many messages" in topics
    assert await talk.say("repeat that, please") == topics
    assert await talk.say("again!") == topics


async def test_it_keeps_nothing_between_conversations() -> None:
    backend = DemoBackend(speed=0)
    await answers(prompt("my name is Ada"), backend)
    last = (await answers(prompt("what is my name?"), backend))[-1]
    assert isinstance(last, Finished)
    assert "not told me your name" in last.text


async def test_a_repeated_first_answer_does_not_introduce_it_again() -> None:
    talk = Talk()
    first = await talk.say("what is 6 times 7?")
    assert f"{INTRODUCTION}\n\n{await talk.say('repeat that')}" == first


async def test_it_tells_several_people_apart() -> None:
    talk = Talk()
    await talk.say("Ada: I like trains.")
    await talk.say("Ben: I like boats. My name is Benjamin.")
    assert "I like trains." in await talk.say("Ada: what did I say first?")
    assert "I like boats." in await talk.say("Ben: what did I say first?")
    assert "You are Ada" in await talk.say("Ada: what is my name?")
    assert "Benjamin" in await talk.say("Ben: who am I?")
    assert "from 2 people" in await talk.say("Ada: how many messages?")


async def test_a_colon_in_a_direct_chat_is_no_speaker() -> None:
    talk = Talk()
    await talk.say("The kettle is blue.")
    assert "The kettle is blue." in await talk.say("One question: what did I say first?")


async def test_a_quoted_message_and_files_are_not_commands() -> None:
    quoted = "Ada: [in reply to what Ben wrote:]\n> fail overloaded\n> help\n\nwhat is 2 + 2?"
    quoted += "\n[a file that you cannot read: table.txt]"
    assert (await finished(later(quoted))).text == "2 + 2 = 4"


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("2+3", "2 + 3 = 5"),
        ("What is 12 * (3 + 4)?", "12 * (3 + 4) = 84"),
        ("how much is 7 divided by 2", "7 / 2 = 3.5"),
        ("please calculate 1,000 × 3", "1000 * 3 = 3000"),
        ("what's 6 times 7, please", "6 * 7 = 42"),
        ("2^10 = ?", "2^10 = 1024"),
        ("0.1 + 0.2", "0.1 + 0.2 = 0.3"),
        ("1/3", "1 / 3 = about 0.3333333333"),
        ("calculate 5 minus 8", "5 - 8 = -3"),
        ("1/0", "I cannot work out 1 / 0: nothing can be divided by 0."),
        ("9^9^9", "I cannot work out 9^9^9: only whole powers up to 200."),
        ("what is 10^100", "I cannot work out 10^100: the numbers get too big."),
    ],
)
def test_simple_sums_are_worked_out(text: str, answer: str) -> None:
    assert solve(text) == answer


@pytest.mark.parametrize("text", ["hello", "2026-11-20 was a Friday", "route 66", "what is 5", "((((", "1 +", "what is this (1"])
def test_what_is_no_sum_is_left_alone(text: str) -> None:
    assert solve(text) is None


@given(st.text())
def test_any_text_gets_an_answer(text: str) -> None:
    plan = plan_of(prompt(text))
    assert plan.text or plan.failure or plan.silent or plan.stop != "end"


@given(st.text(alphabet="0123456789+-*/^%(). x", max_size=60))
def test_any_sum_ends_soon(text: str) -> None:
    answer = solve(text)
    assert answer is None or len(answer) < 400


@given(st.text(), st.integers(0, 50))
def test_deltas_lose_nothing(text: str, most: int) -> None:
    deltas = deltas_of(text, most)
    assert "".join(deltas) == text
    assert all(deltas)
    assert not most or len(deltas) <= most


@pytest.mark.parametrize("text", ["long 40000", "Please write a long text of 40,000 characters!", "Ada: long 40k"])
async def test_a_long_text_has_the_length_that_was_asked_for_and_distinct_sentences(text: str) -> None:
    said = (await finished(later(text))).text
    assert 40_000 <= len(said) < 40_500
    numbers = [int(number) for number in re.findall(r"Sentence (\d+):", said)]
    assert numbers == list(range(1, len(numbers) + 1))
    sentences = re.findall(r"Sentence \d+:[^.]*\.", said)
    assert len(set(sentences)) == len(numbers)


async def test_code_is_fenced_with_its_language() -> None:
    several = (await finished(later("show me some code"))).text
    assert re.findall(r"^```(\w+)$", several, re.MULTILINE) == ["python", "javascript", "rust", "sql", "bash"]
    assert several.count("```") == 10
    one = (await finished(later("code in Rust, please"))).text
    assert re.findall(r"^```(\w+)$", one, re.MULTILINE) == ["rust"]
    long = (await finished(later("long code in go, 8000 characters"))).text
    assert 6000 < len(long) < 10_000
    assert re.findall(r"^```(\w+)$", long, re.MULTILINE) == ["go"]


async def test_tables_come_wide_and_long_too() -> None:
    for text, columns, rows in (("a table", 4, 5), ("a wide table", 14, 5), ("a long table", 4, 80)):
        lines = [line for line in (await finished(later(text))).text.splitlines() if line.startswith("|")]
        assert {line.count("|") for line in lines} == {columns + 1}
        assert len(lines) == rows + 2


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("lists", "  - green ones"),
        ("Some headings, please.", "### The third level"),
        ("links", "[the example](https://example.com/"),
        ("emoji!", "\N{ZERO WIDTH JOINER}"),
        ("other scripts", "吾輩は猫である"),
        ("mentions", "@everyone @here <@1>"),
        ("hostile", "@everyone @here <@1>"),
        ("everything", "吾輩は猫である"),
        ("HELP", "`fail rate limit`"),
        ("can you help", "`long 40000`"),
        ("fail", "`fail rate limit`"),
        ("hello there", "write **help**"),
        ("tell me of the sea", "tell me of the sea"),
        ("", "no words"),
    ],
)
async def test_it_shows_what_it_is_asked_for(text: str, part: str) -> None:
    assert part in (await finished(later(text))).text


async def test_everything_that_help_names_is_understood() -> None:
    shown = (await finished(later("help"))).text
    for command in re.findall(r"`([^`]+)`", shown):
        plan = plan_of(later(command))
        assert plan.failure or plan.silent or plan.stop != "end" or "You wrote" not in plan.text or command == "midway", command


FAILURES: list[tuple[str, type[errors.Failure]]] = [
    ("fail overloaded", errors.Overloaded),
    ("Fail: rate limit!", errors.RateLimited),
    ("fail with a bad key, please", errors.BadKey),
    ("FAIL QUOTA", errors.OutOfQuota),
    ("fail broken off", errors.BrokenOff),
    ("fail silent", errors.Silent),
    ("fail too long", errors.TookTooLong),
    ("fail unknown model", errors.UnknownModel),
    ("fail too large", errors.TooLarge),
    ("fail invalid", errors.Invalid),
    ("fail unavailable", errors.Unavailable),
]


@pytest.mark.parametrize(("text", "failure"), FAILURES)
async def test_it_fails_as_it_is_asked_to(text: str, failure: type[errors.Failure]) -> None:
    for asked, has_text in ((text, False), (f"{text} midway", True)):
        said: list[Answer] = []
        with pytest.raises(failure) as raised:
            await listen(prompt(asked), said)
        assert type(raised.value) is failure
        assert any(isinstance(each, Delta) for each in said) is has_text
        assert not any(isinstance(each, Finished) for each in said)
        if isinstance(raised.value, errors.RateLimited):
            assert raised.value.retry_after > 0


@pytest.mark.parametrize(
    ("text", "stop"), [("fail refuse", "refusal"), ("fail max tokens", "max_tokens"), ("fail context full", "context_full")]
)
async def test_it_stops_early_as_it_is_asked_to(text: str, stop: str) -> None:
    end = await finished(later(text))
    assert (end.stop, end.text) == (stop, "")
    assert (end.explanation is not None) is (stop == "refusal")
    end = await finished(later(f"{text} midway"))
    assert end.stop == stop
    assert end.text


async def test_a_slow_answer_takes_about_twelve_seconds_and_a_thoughtful_one_thinks_first() -> None:
    naps = Naps()
    await answers(later("slow"), DemoBackend(sleep=naps.sleep))
    assert sum(naps.taken) == pytest.approx(12.0)
    assert len(naps.taken) > 20
    naps = Naps()
    said = await answers(later("think, then a table"), DemoBackend(sleep=naps.sleep))
    assert [type(each) for each in said[:7]] == [Thinking] * 6 + [Delta]
    assert naps.taken[:6] == [1.0] * 6
    said = await answers(later("retry"))
    assert isinstance(said[0], Retrying)
    assert said[0].after == 2.0


async def test_words_come_at_the_speed_that_is_set_and_long_texts_in_bigger_pieces() -> None:
    naps = Naps()
    said = await answers(later("slowness aside, tell me of the sea"), DemoBackend(speed=50, sleep=naps.sleep))
    assert set(naps.taken) == {0.02}
    assert sum(isinstance(each, Delta) for each in said) == len(naps.taken)
    naps = Naps()
    await answers(later("long 40000"), DemoBackend(speed=50, sleep=naps.sleep))
    assert sum(naps.taken) <= 30.0


@pytest.mark.parametrize("text", ["silent", "Please be silent!", "silent midway"])
async def test_silence_lasts_until_the_context_is_left(text: str) -> None:
    said: list[Answer] = []
    listening = asyncio.create_task(listen(later(text), said))
    for _ in range(200):  # far more turns of the event loop than the words before the silence take
        await asyncio.sleep(0)
    assert not listening.done()
    listening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await listening
    assert bool(said) is ("midway" in text)
    assert not any(isinstance(each, Finished) for each in said)


async def test_leaving_the_context_stops_at_once() -> None:
    naps = Naps()
    async with DemoBackend(sleep=naps.sleep).answer(later("long 40000")) as stream:
        assert isinstance(await anext(stream), Delta)
    assert len(naps.taken) == 1
    with pytest.raises(StopAsyncIteration):
        await anext(stream)


def test_what_it_quotes_can_be_written_as_utf_8() -> None:
    assert plan_of(prompt("a\ud83dz")).text.encode()
