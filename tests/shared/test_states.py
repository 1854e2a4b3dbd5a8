"""The table of a turn's life."""

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


@given(st.lists(st.sampled_from(STEPS)))
def test_every_life_keeps_the_promises(steps: list[Step]) -> None:
    state: State = "queued"
    life: list[State] = [state]
    for step in steps:
        if step in TRANSITIONS[state]:
            state = advance(state, step)
            life.append(state)
    answered = "answered" in life
    assert all(later in ({"answered"} | ENDED) for later in (life[life.index("answered") :] if answered else [])), "no way back"
    if "stopping" in life:
        assert not {"queued", "running"} & set(life[life.index("stopping") :]), "a stop is never forgotten"
    assert not ENDED & set(life) or answered, "nothing ends that was not stored first"


def test_every_unfinished_state_can_still_end() -> None:
    reach = {*ENDED}
    while more := {state for state in STATES if state not in reach and reach & set(TRANSITIONS[state].values())}:
        reach |= more
    assert reach == set(STATES)
