"""The table of a turn's life."""

from itertools import pairwise
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.states import ENDED, TRANSITIONS, UNFINISHED, IllegalStep, State, Step, advance

STATES: tuple[State, ...] = get_args(State)
STEPS: tuple[Step, ...] = get_args(Step)


def test_every_state_and_every_step_is_in_the_table() -> None:
    assert set(TRANSITIONS) == set(STATES)
    assert {step for steps in TRANSITIONS.values() for step in steps} == set(STEPS)
    assert {"done", "stopped", "failed"} == ENDED
    assert set(STATES) - ENDED == UNFINISHED


@given(st.sampled_from(STATES), st.sampled_from(STEPS))
def test_a_step_that_is_not_in_the_table_is_refused(state: State, step: Step) -> None:
    if step in TRANSITIONS[state]:
        assert advance(state, step) == TRANSITIONS[state][step]
    else:
        with pytest.raises(IllegalStep, match=state):
            advance(state, step)


@given(st.lists(st.sampled_from(STEPS), max_size=60))
def test_every_life_keeps_the_promises(steps: list[Step]) -> None:
    state: State = "queued"
    life: list[State] = [state]
    for step in steps:
        if step in TRANSITIONS[state]:
            state = advance(state, step)
            life.append(state)
    for before, after in pairwise(life):
        if before == "answered":
            assert after in ENDED | {"queued"}, "what is answered is delivered, or its question has changed"
        if before in ENDED:
            assert after == "queued", "what has ended is asked again from the beginning"
        if before == "stopping":
            assert after in {"stopping", "answered"}, "a stop is never forgotten"
        if after in ENDED:
            assert before == "answered", "nothing ends that was not stored first"


def test_only_what_was_delivered_is_queued_again() -> None:
    again = {(state, step) for state, steps in TRANSITIONS.items() for step, new in steps.items() if new == "queued"}
    assert again == {("running", "release"), ("answered", "repeat"), *((state, "reopen") for state in ENDED)}


def test_every_unfinished_state_can_still_end() -> None:
    reach = {*ENDED}
    while more := {state for state in STATES if state not in reach and reach & set(TRANSITIONS[state].values())}:
        reach |= more
    assert reach == set(STATES)
