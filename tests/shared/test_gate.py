"""The gate, alone."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from shared.chat import ChannelId
from shared.gate import Gate

A, B = ChannelId("a"), ChannelId("b")


async def _turn() -> None:
    """Let everything go on that can."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_an_open_gate_lets_an_event_pass_without_giving_up_control() -> None:
    passing = Gate().passed(A)
    try:
        passing.send(None)
    except StopIteration:
        return
    raise AssertionError("it waited")


async def test_a_shut_gate_holds_every_channel_and_a_narrowed_one_only_some() -> None:
    gate, passed = Gate(), list[ChannelId]()

    async def event(channel: ChannelId) -> None:
        await gate.passed(channel)
        passed.append(channel)

    gate.shut()
    events = [asyncio.create_task(event(channel)) for channel in (A, B, A)]
    await _turn()
    assert passed == []
    gate.hold([A])
    await _turn()
    assert passed == [B]
    gate.open(A)
    await asyncio.wait(events)
    assert passed == [B, A, A]


async def test_one_channel_can_be_held_while_the_others_go_on() -> None:
    gate = Gate()
    gate.close(A)
    held = asyncio.create_task(gate.passed(A))
    await gate.passed(B)
    await _turn()
    assert not held.done()
    gate.open(A)
    await held


async def test_an_event_whose_wait_is_cancelled_holds_up_nobody() -> None:
    gate = Gate()
    gate.shut()
    first, second = (asyncio.create_task(gate.passed(A)) for _ in range(2))
    await _turn()
    gate.open(A)
    gate.hold(())
    first.cancel()
    await asyncio.wait([first, second], timeout=5)
    assert second.done()
    await gate.passed(A)


@given(st.data())
def test_whatever_happens_to_the_gate_order_is_kept_per_channel_and_nothing_is_lost(data: st.DataObject) -> None:
    channels = st.sampled_from([A, B])
    moves = data.draw(
        st.lists(
            st.one_of(
                channels.map(lambda channel: ("event", [channel])),
                st.just(("shut", list[ChannelId]())),
                st.lists(channels, unique=True).map(lambda some: ("hold", some)),
                channels.map(lambda channel: ("open", [channel])),
                channels.map(lambda channel: ("close", [channel])),
                st.just(("breathe", list[ChannelId]())),
            ),
            max_size=25,
        )
    )

    async def run() -> None:
        gate, passed, came = Gate(), list[tuple[ChannelId, int]](), list[tuple[ChannelId, int]]()

        async def event(channel: ChannelId, number: int) -> None:
            came.append((channel, number))
            await gate.passed(channel)
            passed.append((channel, number))

        tasks: list[asyncio.Task[None]] = []
        for number, (move, some) in enumerate(moves):
            match move:
                case "event":
                    tasks.append(asyncio.create_task(event(some[0], number)))
                case "shut":
                    gate.shut()
                case "hold":
                    gate.hold(some)
                case "open":
                    gate.open(some[0])
                case "close":
                    gate.close(some[0])
                case _:
                    await _turn()
        gate.hold(())
        if tasks:
            done, _ = await asyncio.wait(tasks, timeout=5)
            assert len(done) == len(tasks)
        for channel in (A, B):
            assert [one for one in passed if one[0] == channel] == [one for one in came if one[0] == channel]

    asyncio.run(run())
