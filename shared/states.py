"""The life of a turn, in one table. Nothing else changes a turn's state.

queued → running → answered → done | stopped | failed, with `stopping` between a person's stop and its end. `answered` means
that what people are to read in the end is stored, be it an answer, a stopped half or a failure: from there on it is only
delivered. A question that has changed, or that people want answered once more, is queued again: `reopen` takes up a turn that has
ended, `repeat` one whose answer was just delivered.
"""

from collections.abc import Mapping
from typing import Literal

State = Literal["queued", "running", "stopping", "answered", "done", "stopped", "failed"]
Step = Literal["start", "release", "ask_stop", "settle", "deliver_done", "deliver_stopped", "deliver_failed", "repeat", "reopen"]
Outcome = Literal["done", "stopped", "failed"]

TRANSITIONS: Mapping[State, Mapping[Step, State]] = {
    "queued": {"start": "running", "ask_stop": "stopping"},
    # A second start is the attempt after a crash; release gives a turn back unharmed when the server stops.
    "running": {"start": "running", "release": "queued", "ask_stop": "stopping", "settle": "answered"},
    "stopping": {"ask_stop": "stopping", "settle": "answered"},
    "answered": {"deliver_done": "done", "deliver_stopped": "stopped", "deliver_failed": "failed", "repeat": "queued"},
    "done": {"reopen": "queued"},
    "stopped": {"reopen": "queued"},
    "failed": {"reopen": "queued"},
}

ENDED: frozenset[State] = frozenset({"done", "stopped", "failed"})
UNFINISHED: frozenset[State] = frozenset(TRANSITIONS) - ENDED


class IllegalStep(Exception):
    """A step that the table does not allow: a fault in our own code."""


def advance(state: State, step: Step) -> State:
    """The state after a step. Raises `IllegalStep` if the table has no such step."""
    try:
        return TRANSITIONS[state][step]
    except KeyError:
        raise IllegalStep(f"a turn that is {state} cannot take the step {step}") from None
