"""Nothing but the table of `shared.states` ever changes the state of a turn."""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from uuid import UUID

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from shared.chat import ChannelId, Edited, MessageId
from shared.states import ENDED, TRANSITIONS, IllegalStep, Outcome, State, Step
from shared.store import Store, Taken, UnknownPart, UnknownTurn
from tests.conformance.store import Clock, ask, channel, final, kind, made, message

T = TypeVar("T")
PLACES = (channel("a"), channel("b"), channel("c", parent="a"))
place_numbers = st.integers(0, len(PLACES) - 1)
turn_numbers = st.integers(1, 12)
ordinals = st.integers(0, 2)
outcomes: st.SearchStrategy[Outcome] = st.sampled_from(("done", "stopped", "failed"))


@dataclass
class Turn:
    """What the model knows of a turn."""

    state: State
    attempts: int
    conversation: UUID | None
    outcome: Outcome
    parts: dict[int, str | None]
    tries: int = 0
    again: bool = False


class Machine(RuleBasedStateMachine):
    """Random operations, one after another, on the store and on a model of a few lines."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "a.db"
        self.clock = Clock()
        self.turns: dict[int, Turn] = {}
        self.open: dict[int, UUID] = {}
        self.known: set[int] = set()
        self.asked: dict[int, int] = {}
        self.number = 0

    @initialize()
    def start(self) -> None:
        self.store = self.runner.run(Store.open(self.path, clock=self.clock))

    def teardown(self) -> None:
        self.runner.run(self.store.aclose())
        self.runner.close()
        self.folder.cleanup()

    def step(self, turn: int, step: Step, call: Callable[[], Awaitable[object]]) -> bool:
        """Do the same to both; whether the table has the step."""

        async def do() -> None:
            await call()

        model = self.turns.get(turn)
        try:
            self.runner.run(do())
        except UnknownTurn:
            assert model is None
            return False
        except IllegalStep:
            assert model is not None
            assert step not in TRANSITIONS[model.state]
            return False
        assert model is not None
        model.state = TRANSITIONS[model.state][step]
        return True

    def fresh(self) -> int:
        self.number += 1
        self.known.add(self.number)
        return self.number

    def notice(self, taken: Taken) -> None:
        assert kind(taken) == "notice"
        self.turns[made(taken)] = Turn("answered", 0, None, "done", {})

    def stopped(self, conversations: list[UUID]) -> list[int]:
        """Ask the model's turns to stop; those that were asked."""
        asked: list[int] = []
        for number, turn in self.turns.items():
            if turn.conversation not in conversations:
                continue
            turn.again = False
            if turn.state not in ENDED and turn.state != "answered":
                turn.state = TRANSITIONS[turn.state]["ask_stop"]
                asked.append(number)
        return asked

    @rule(place=place_numbers)
    def ask(self, place: int) -> None:
        taken = self.runner.run(ask(self.store, message(self.fresh(), place=PLACES[place])))
        assert taken.conversation is not None
        assert made(taken) not in self.turns
        assert self.open.setdefault(place, taken.conversation) == taken.conversation
        self.turns[made(taken)] = Turn("queued", 0, taken.conversation, "done", {})
        self.asked[self.number] = made(taken)

    @rule(number=st.integers(1, 12), place=place_numbers)
    def repeat(self, number: int, place: int) -> None:
        if number in self.known:
            assert self.runner.run(ask(self.store, message(number, place=PLACES[place]))) == Taken("duplicate")

    def newest(self, number: int) -> bool:
        """Whether the turn is the last one of a conversation that is open."""
        conversation = self.turns[number].conversation
        mine = [one for one, turn in self.turns.items() if turn.conversation == conversation]
        return conversation in self.open.values() and number == max(mine)

    def reopened(self, turn: Turn) -> None:
        turn.state = TRANSITIONS[turn.state]["reopen"]
        turn.attempts = 0

    @rule(number=st.integers(1, 12))
    def edit(self, number: int) -> None:
        self.number += 1
        change = f"change {self.number}"
        edited = Edited(keys=(change,), message=message(number, text=change))
        taken = self.runner.run(self.store.edit("odd", edited))
        if number not in self.asked:
            assert taken == Taken("unknown")
            return
        turn = self.turns[self.asked[number]]
        reopened = self.newest(self.asked[number]) and turn.state in ENDED
        again = self.newest(self.asked[number]) and turn.state in ("running", "answered")
        assert ((taken.waiting is not None), (taken.again is not None)) == (reopened, again)
        turn.again = turn.again or again
        if reopened:
            self.reopened(turn)

    @rule(place=place_numbers)
    def retry(self, place: int) -> None:
        cause = message(self.fresh(), place=PLACES[place])
        taken = self.runner.run(self.store.retry("odd", cause, turn=None, message=None, say=str))
        turn = max((one for one in self.turns if self.turns[one].conversation == self.open.get(place, 0)), default=0)
        if turn and self.turns[turn].state in ENDED:
            assert (made(taken), kind(taken)) == (turn, "ask")
            self.reopened(self.turns[turn])
        else:
            self.notice(taken)

    @rule(place=place_numbers)
    def tell(self, place: int) -> None:
        self.notice(
            self.runner.run(self.store.tell("odd", message(self.fresh(), place=PLACES[place]), decision="empty", text="?"))
        )

    @rule(place=place_numbers)
    def stop(self, place: int) -> None:
        taken = self.runner.run(self.store.stop("odd", message(self.fresh(), place=PLACES[place]), nothing="nothing"))
        asked = self.stopped([self.open[place]] if place in self.open else [])
        assert [turn.turn for turn in taken.stopping] == asked
        if not asked:
            self.notice(taken)

    @rule(place=place_numbers)
    def new(self, place: int) -> None:
        taken = self.runner.run(self.store.new("odd", message(self.fresh(), place=PLACES[place]), text="new", nothing="none"))
        closed = self.open.pop(place, None)
        assert taken.conversation == closed
        assert [turn.turn for turn in taken.stopping] == self.stopped([] if closed is None else [closed])
        self.notice(taken)

    @rule(place=place_numbers)
    def leave(self, place: int) -> None:
        told = self.runner.run(self.store.leave("odd", channel=PLACES[place].id))
        gone = [one for one in range(len(PLACES)) if PLACES[place].id in (PLACES[one].id, PLACES[one].parent)]
        closed = [self.open.pop(one) for one in gone if one in self.open]
        assert [turn.turn for turn in told] == self.stopped(closed)

    @rule(turn=turn_numbers)
    def begin(self, turn: int) -> None:
        if self.step(turn, "start", lambda: self.store.begin(turn)):
            model = self.turns[turn]
            model.attempts = 1 if model.again else model.attempts + 1
            model.tries += 1
            model.again = False

    @rule(turn=turn_numbers)
    def release(self, turn: int) -> None:
        if self.step(turn, "release", lambda: self.store.release(turn)):
            self.turns[turn].attempts -= 1

    @rule(turn=turn_numbers)
    def ask_stop(self, turn: int) -> None:
        if self.step(turn, "ask_stop", lambda: self.store.ask_stop(turn)):
            self.turns[turn].again = False

    @rule(turn=turn_numbers, outcome=outcomes)
    def settle(self, turn: int, outcome: Outcome) -> None:
        if self.step(turn, "settle", lambda: self.store.settle(turn, final(outcome=outcome))):
            self.turns[turn].outcome = outcome

    @rule(turn=turn_numbers, failed=st.booleans())
    def delivered(self, turn: int, failed: bool) -> None:
        model = self.turns.get(turn)
        if model and model.again and model.state == "answered" and not failed:
            assert self.runner.run(self.store.delivered(turn))
            model.state, model.attempts, model.again = TRANSITIONS[model.state]["repeat"], 0, False
            return
        outcome = self.turns[turn].outcome if turn in self.turns and not failed else "failed"
        steps: dict[Outcome, Step] = {"done": "deliver_done", "stopped": "deliver_stopped", "failed": "deliver_failed"}
        ended = self.step(turn, steps[outcome], lambda: self.store.delivered(turn, failed=failed))
        if ended:
            self.turns[turn].again = False
        if ended and outcome == "failed":
            parts = self.turns[turn].parts
            self.turns[turn].parts = {ordinal: shown for ordinal, shown in parts.items() if shown is not None}

    @rule(turn=turn_numbers, ordinal=ordinals)
    def sending(self, turn: int, ordinal: int) -> None:
        if turn in self.turns:
            self.runner.run(self.store.sending(turn, ordinal, ChannelId("odd:a")))
            self.turns[turn].parts[ordinal] = None

    @rule(turn=turn_numbers, ordinal=ordinals)
    def shown(self, turn: int, ordinal: int) -> None:
        parts = self.turns[turn].parts if turn in self.turns else {}
        try:
            self.runner.run(self.store.shown(turn, ordinal, MessageId(f"odd:{ordinal}")))
        except UnknownPart:
            assert ordinal not in parts
        else:
            assert ordinal in parts
            parts[ordinal] = f"odd:{ordinal}"

    @rule(turn=turn_numbers, ordinal=ordinals)
    def dropped(self, turn: int, ordinal: int) -> None:
        self.runner.run(self.store.dropped(turn, ordinal))
        if turn in self.turns:
            self.turns[turn].parts.pop(ordinal, None)

    @rule()
    def reopen(self) -> None:
        async def again() -> None:
            await self.store.aclose()
            self.store = await Store.open(self.path, clock=self.clock)

        self.runner.run(again())

    @invariant()
    def store_and_model_agree(self) -> None:
        self.runner.run(self.compare())

    async def compare(self) -> None:
        waiting = {turn.turn: turn.state for turn in await self.store.unfinished()}
        assert waiting == {number: turn.state for number, turn in self.turns.items() if turn.state not in ENDED}
        for number, turn in self.turns.items():
            work = await self.store.load(number)
            assert (work.state, work.attempts, work.conversation) == (turn.state, turn.attempts, turn.conversation)
            assert work.tries == turn.tries
            assert {part.ordinal: part.message for part in work.parts} == turn.parts
            assert (work.final is not None) == (turn.state == "answered" or turn.state in ENDED)
        for place, one in enumerate(PLACES):
            assert await self.store.conversation(one.id) == self.open.get(place)


TestStates = Machine.TestCase
TestStates.settings = settings(max_examples=25, stateful_step_count=40, deadline=None)
