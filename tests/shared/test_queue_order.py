"""What a question finds before it: bursts, a full queue, interruptions, the pace; whatever people do in whatever order."""

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared import sentences
from shared.store import Rules, Taken
from tests.shared.desk import Desk, desk
from tests.shared.spelling import slashed

BURST = timedelta(seconds=2)

rules = st.builds(
    Rules,
    burst=st.sampled_from([timedelta(0), BURST]),
    queue=st.integers(0, 3),
    interrupt=st.booleans(),
    per_minute=st.sampled_from([0, 4]),
)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("say"), st.sampled_from(["ada", "eve"])),
        st.tuples(st.just("begin"), st.just("")),
        st.tuples(st.just("end"), st.just("")),
        st.tuples(st.sampled_from(["wait a bit", "wait long"]), st.just("")),
    ),
    max_size=25,
)


@dataclass
class Line:
    """The turns of one conversation, as they should be: the first one may run."""

    turns: list[int] = field(default_factory=list[int])
    askers: dict[int, str] = field(default_factory=dict[int, str])
    running: bool = False
    stopping: bool = False
    answered: list[int] = field(default_factory=list[int])
    asked: list[tuple[int, str]] = field(default_factory=list[tuple[int, str]])
    """Each message that was taken: its turn, and its text."""
    refused: int = 0


async def begin(h: Desk, line: Line) -> None:
    if line.turns and not line.running:
        await h.store.begin(line.turns[0])
        line.running = True


async def end(h: Desk, line: Line) -> None:
    """The first turn ends as it is to end."""
    if not line.turns:
        return
    await begin(h, line)
    turn = line.turns.pop(0)
    await h.finish(turn, outcome="stopped" if line.stopping else "done")
    line.answered.append(turn)
    line.running = line.stopping = False


def check(h: Desk, line: Line, taken: Taken, text: str, who: str) -> None:
    match taken.decision:
        case "queued":
            assert taken.waiting is not None
            assert taken.behind == len(line.turns) <= h.rules.queue
            assert [each.turn for each in taken.stopping] == (
                line.turns[:1] if h.rules.interrupt and line.running and not line.stopping else []
            )
            line.stopping = line.stopping or bool(taken.stopping)
            line.turns.append(taken.waiting.turn)
            line.askers[taken.waiting.turn] = who
            line.asked.append((taken.waiting.turn, text))
        case "joined":
            assert h.rules.burst
            assert taken.waiting is None
            joined = [turn for turn in line.turns if line.askers[turn] == who][-1]
            runs = line.running and joined == line.turns[0]
            assert (taken.again and taken.again.turn) == (joined if runs else None)
            line.asked.append((joined, text))
        case "queue_full":
            assert len(line.turns) == h.rules.queue + 1
            line.refused += 1
        case _:
            assert taken.decision == "too_fast"
            assert h.rules.per_minute
            line.refused += 1


@given(rules, steps)
@settings(max_examples=60, deadline=None)
async def test_every_question_is_answered_in_its_order_or_refused(
    tmp_path_factory: pytest.TempPathFactory, rule: Rules, done: list[tuple[str, str]]
) -> None:
    async with desk(tmp_path_factory.mktemp("queue"), rules=rule) as h:
        line, said = Line(), 0
        for step, who in done:
            match step:
                case "say":
                    said += 1
                    check(h, line, await h.ask(f"{said}", who=who), f"{said}", who)
                case "begin":
                    await begin(h, line)
                case "end":
                    await end(h, line)
                case _:
                    h.forward(seconds=1 if step == "wait a bit" else 61)
        while line.turns:
            await end(h, line)
        assert line.answered == sorted(line.answered)
        assert len(line.asked) + line.refused == said
        kept = [(turn, message.text) for turn in line.answered for message in (await h.store.load(turn)).messages]
        assert sorted(kept) == sorted(line.asked)
        first = {turn: int(text) for turn, text in reversed(kept)}
        assert [first[turn] for turn in line.answered] == sorted(first.values())
        assert kept == sorted(kept, key=lambda one: (one[0], int(one[1])))


async def test_messages_of_one_moment_are_one_turn_until_an_answer_shows(tmp_path: Path) -> None:
    async with desk(tmp_path, rules=Rules(burst=BURST)) as h:
        first = await h.ask("one")
        assert first.waiting is not None
        h.forward(seconds=2)
        assert (await h.ask("two")).decision == "joined"
        await h.store.begin(first.waiting.turn)
        again = await h.ask("three")
        assert again.again is not None
        assert (again.decision, again.again.turn) == ("joined", first.waiting.turn)
        assert (await h.ask("me too", who="eve")).decision == "queued"
        h.forward(seconds=3)
        assert (await h.ask("four")).decision == "queued"


async def test_a_full_queue_is_always_told_and_too_fast_once_a_minute(tmp_path: Path) -> None:
    async with desk(tmp_path, rules=Rules(queue=0, per_minute=4)) as h:
        await h.ask("one")
        for _ in range(3):
            assert await h.read(await h.ask("more")) == (
                "Too many questions wait here for their answers. Ask again when some are answered, or write /stop to clear them."
            )
        assert await h.read(await h.ask("more")) == sentences.TOO_FAST
        assert await h.read(await h.ask("more")) == ""
        h.forward(seconds=61)
        assert await h.read(await h.ask("more")) == slashed(sentences.QUEUE_FULL)
