"""What can be done about an answer, by how it ended; and what broken attempts have cost."""

import re
from dataclasses import replace
from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st

from shared import costs
from shared.backends import Prompt, Said, Usage
from shared.ending import THOUGHTS, above, buttons, shown
from shared.store import Final
from tests.shared.scripted import Knowing, Scripted

PROMPT = Prompt(conversation=uuid4(), turn=1, attempt=1, history=[], ask=[Said("user", "hi")])
DONE = Final(text="Text", outcome="done", stop="end")


def pressed(final: Final) -> list[tuple[str, str]]:
    return [(button.id, button.label) for button in buttons(7, final)]


def test_each_end_has_its_buttons() -> None:
    more, retry = ("more/7", "Continue"), ("retry/7", "Retry")
    assert pressed(DONE) == []
    assert pressed(replace(DONE, stop="max_tokens")) == [more]
    assert pressed(replace(DONE, stop="pause")) == [more]
    assert pressed(replace(DONE, outcome="stopped", stop=None)) == [more, retry]
    assert pressed(replace(DONE, outcome="stopped", stop=None, text=" ")) == [retry]
    for failure in ("BrokenOff", "Silent", "TookTooLong"):
        assert pressed(replace(DONE, outcome="failed", stop=None, failure=failure)) == [more, retry]
    assert pressed(replace(DONE, outcome="failed", stop=None, failure="Overloaded")) == [retry]
    assert pressed(replace(DONE, outcome="failed", stop="refusal", text="")) == []
    assert pressed(replace(DONE, outcome="failed", text="")) == [retry]


def test_button_ids_are_short() -> None:
    final = replace(DONE, outcome="stopped")
    assert all(len(button.id) <= 40 and button.id.isascii() for button in buttons(2**62, final))


@given(st.text(), st.text(), st.text())
def test_nothing_that_was_said_or_noted_is_lost(text: str, note: str, thoughts: str) -> None:
    whole = shown(text, note, thoughts)
    assert note in whole
    assert set(re.findall(r"\w+", text)) <= set(re.findall(r"\w+", whole))


@given(st.text(max_size=3000))
def test_every_line_of_a_thought_is_quoted(thoughts: str) -> None:
    quote = above(thoughts, "")
    assert not thoughts.strip() or all(line.startswith(">") for line in quote.split("\n"))
    assert sum(len(line.removeprefix("> ")) for line in quote.split("\n")) <= THOUGHTS + 1


def test_what_the_far_side_said_is_completed_by_the_text_that_came_after_it() -> None:
    spent = Usage("model-1", input_tokens=50, output_tokens=1, cost=51)
    assert costs.broken_off(Scripted(), PROMPT, spent, "text") == spent
    assert costs.broken_off(Scripted(), PROMPT, None, "text") is None
    backend = Knowing()
    assert costs.broken_off(backend, PROMPT, spent, "text") == replace(spent, output_tokens=4, cost=3_000_051, estimated=True)
    assert costs.broken_off(backend, PROMPT, replace(spent, output_tokens=9), "text") == replace(spent, output_tokens=9)
    assert costs.broken_off(backend, PROMPT, None, "text") == backend.estimate(PROMPT, "text")
    assert costs.unknown(backend, PROMPT) == backend.estimate(PROMPT, "")
    assert costs.unknown(Scripted(), PROMPT) == Usage("", estimated=True)


usages = st.builds(
    Usage, st.sampled_from(["a", "b"]), *[st.integers(0, 9)] * 4, st.one_of(st.none(), st.integers(0, 9)), st.booleans()
)


@given(usages, usages)
def test_two_attempts_together_cost_what_both_cost(first: Usage, second: Usage) -> None:
    both = costs.together(first, second)
    assert both is not None
    assert both.input_tokens + both.cache_read_tokens == sum(one.input_tokens + one.cache_read_tokens for one in (first, second))
    assert (both.cost or 0) == (first.cost or 0) + (second.cost or 0)
    assert (both.cost is None) == (first.cost is None and second.cost is None)
    assert costs.together(None, second) == second
    assert costs.together(first, None) == first
