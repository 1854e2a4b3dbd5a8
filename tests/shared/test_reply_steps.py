"""What is done next to show a reply: pure."""

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.chat import Button, File, MessageId
from shared.steps import Slot, Wanted, next_file, next_step

texts = st.sampled_from(["", "a", "b", "c"])
buttons = st.sampled_from([(), (Button("stop/1", "Stop"),), (Button("retry/1", "Retry"),)])
parts = st.lists(st.builds(Wanted, texts, buttons), max_size=5)
slots = st.lists(
    st.builds(
        Slot,
        message=st.one_of(st.none(), st.integers(0, 9).map(lambda number: MessageId(f"m{number}"))),
        text=st.one_of(st.none(), texts),
        buttons=st.one_of(st.none(), buttons),
        unsure=st.booleans(),
        gone=st.booleans(),
    ),
    max_size=5,
)


@given(slots, parts, st.booleans())
@settings(deadline=None)
def test_the_steps_lead_to_the_wanted_parts_and_touch_nothing_that_is_gone(
    have: list[Slot], wanted: list[Wanted], final: bool
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
                assert all(slot.gone or (slot.message and slot.text == part.text) for slot, part in before), "in order"
                assert all(slot.gone or part.buttons or not slot.buttons for slot, part in before), "closed before the next"
                assert Wanted(step.text, step.buttons) == wanted[step.ordinal]
                shown = step.ordinal < len(state) and state[step.ordinal].message is not None
                assert shown == (step.act == "edit")
                new = Slot(MessageId(f"new{step.ordinal}"), step.text, step.buttons)
                state[step.ordinal : step.ordinal + 1] = [new]
            case _:
                assert final
                assert step.ordinal == len(state) - 1
                state.pop()
    else:
        raise AssertionError("it never ends")
    for index, part in enumerate(wanted):
        assert state[index].gone or state[index].text == part.text
        assert state[index].gone or not final or state[index].buttons == part.buttons
    assert not final or len(state) == len(wanted)
    assert final or len(state) == max(len(have), len(wanted)), "a preview takes nothing away"


FILE = File("a.txt", "text/plain", Path("a.txt"), 1)


@given(
    st.dictionaries(st.integers(0, 5), slots.map(lambda have: have[0] if have else Slot())),
    st.lists(st.sampled_from([FILE, None])),
)
@settings(deadline=None)
def test_the_steps_lead_to_the_wanted_files_and_each_is_shown_once(have: dict[int, Slot], wanted: list[File | None]) -> None:
    known = {nth for nth, slot in have.items() if slot.message or slot.gone}
    state = dict(have)
    for _ in range(200):
        step = next_file(state, wanted)
        if step is None:
            break
        assert step.of_file
        if step.act == "upload":
            assert wanted[step.ordinal] is step.file is FILE
            assert step.ordinal not in known
            state[step.ordinal] = Slot(MessageId("new"))
        else:
            del state[step.ordinal]
    else:
        raise AssertionError("it never ends")
    assert set(state) == {nth for nth, file in enumerate(wanted) if file}
    assert all(slot.message or slot.gone for slot in state.values())
