"""What is done next to show a reply: pure."""

from hypothesis import given
from hypothesis import strategies as st

from shared.chat import MessageId
from shared.reply import Slot, next_step

texts = st.sampled_from(["", "a", "b", "c"])
slots = st.lists(
    st.builds(
        Slot,
        message=st.one_of(st.none(), st.integers(0, 9).map(lambda number: MessageId(f"m{number}"))),
        text=st.one_of(st.none(), texts),
        unsure=st.booleans(),
        gone=st.booleans(),
    ),
    max_size=5,
)


@given(slots, st.lists(texts, max_size=5), st.booleans())
def test_the_steps_lead_to_the_wanted_parts_and_touch_nothing_that_is_gone(
    have: list[Slot], wanted: list[str], final: bool
) -> None:
    gone = [index for index, slot in enumerate(have) if slot.gone]
    state = list(have)
    for _ in range(20):
        step = next_step(state, wanted, final=final)
        if step is None:
            break
        before = list(zip(state, wanted, strict=False))[: step.ordinal]
        match step.act:
            case "post" | "edit":
                assert step.ordinal not in gone
                assert all(slot.gone or (slot.message is not None and slot.text == text) for slot, text in before), "in order"
                assert step.text == wanted[step.ordinal]
                shown = step.ordinal < len(state) and state[step.ordinal].message is not None
                assert shown == (step.act == "edit")
                new = Slot(MessageId(f"new{step.ordinal}"), step.text)
                state[step.ordinal : step.ordinal + 1] = [new]
            case _:
                assert final
                assert step.ordinal == len(state) - 1
                state.pop()
    else:
        raise AssertionError("it never ends")
    for index, text in enumerate(wanted):
        assert state[index].gone or state[index].text == text
    assert not final or len(state) == len(wanted)
    assert final or len(state) == max(len(have), len(wanted)), "a preview takes nothing away"
