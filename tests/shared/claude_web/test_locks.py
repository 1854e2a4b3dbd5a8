"""One answer at a time per conversation; others are not held up."""

import asyncio
from contextlib import aclosing

import pytest

from sandbox.claude_web import ClaudeWebSimulator, Script
from shared.claude_web import ConversationBusyError
from shared.claude_web.locks import ConversationLocks
from tests.shared.claude_web.house import connected, first, settled

SLOW = Script(text="one two three four", deltas=4, ending="silence", after=2, stored="human")


async def test_messages_sent_at_once_are_answered_one_after_the_other_in_one_line() -> None:
    async with ClaudeWebSimulator() as web, connected(web) as client:
        chat = client.start_chat()
        await asyncio.gather(*(chat.send_message(str(number)) for number in range(5)))
        assert [message.text for message in web.branch(chat.cid)][::2] == list("01234")


async def test_two_sessions_of_one_conversation_wait_for_each_other() -> None:
    async with ClaudeWebSimulator() as web, connected(web) as client:
        chat = client.start_chat()
        await chat.send_message("first")
        other = client.start_chat(metadata=chat.metadata)
        web.script(SLOW, match="second")
        stream = chat.send_message_stream("second")
        await first(stream)
        waiting = asyncio.create_task(other.send_message("third"))
        await settled()
        assert len(web.asked()) == 2
        await stream.aclose()
        assert (await waiting).text == "You said: third"


async def test_other_conversations_are_not_held_up() -> None:
    async with ClaudeWebSimulator() as web, connected(web) as client:
        web.script(SLOW, match="slow")
        async with aclosing(client.start_chat().send_message_stream("slow")) as stream:
            await first(stream)
            assert (await client.generate_content("quick")).text == "You said: quick"


async def test_a_stream_that_is_left_and_forgotten_does_not_hold_up_the_next_message() -> None:
    async with ClaudeWebSimulator() as web, connected(web) as client:
        chat = client.start_chat()
        web.script(SLOW, match="slow")
        async for state in chat.send_message_stream("slow"):
            if state.text_delta:
                break
        assert (await chat.send_message("next")).text == "You said: next"


async def test_a_task_that_waits_for_its_own_open_stream_is_told() -> None:
    async with ClaudeWebSimulator() as web, connected(web, grace=0.02) as client:
        chat = client.start_chat()
        web.script(SLOW, match="slow")
        stream = chat.send_message_stream("slow")
        await first(stream)
        with pytest.raises(ConversationBusyError, match="close it first"):
            await chat.send_message("next")
        await stream.aclose()
        assert (await chat.send_message("next")).text == "You said: next"


async def test_a_waiting_message_can_be_given_up() -> None:
    async with ClaudeWebSimulator() as web, connected(web) as client:
        chat = client.start_chat()
        web.script(SLOW, match="slow")
        stream = chat.send_message_stream("slow")
        await first(stream)
        waiting = asyncio.create_task(chat.send_message("given up"))
        await settled()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await stream.aclose()
        assert (await chat.send_message("next")).text == "You said: next"
        assert len(web.asked()) == 2


async def test_locks_that_nobody_uses_take_no_memory() -> None:
    locks = ConversationLocks()
    async with locks.hold("a"), locks.hold("b"):
        assert len(locks) == 2
    assert len(locks) == 0


async def test_a_conversation_stays_held_until_its_last_task_has_ended() -> None:
    locks, ended = ConversationLocks(), asyncio.Event()
    async with locks.hold("a") as hold:
        hold.until(asyncio.create_task(_wait(ended)))

    async def enter() -> None:
        async with locks.hold("a"):
            assert ended.is_set()

    waiting = asyncio.create_task(enter())
    await settled()
    assert not waiting.done()
    ended.set()
    await waiting
    assert len(locks) == 0


async def _wait(event: asyncio.Event) -> None:
    await event.wait()


async def test_another_task_waits_as_long_as_it_takes() -> None:
    locks = ConversationLocks(grace=0.0)
    entered = asyncio.Event()

    async def enter() -> None:
        async with locks.hold("a"):
            entered.set()

    async with locks.hold("a"):
        waiting = asyncio.create_task(enter())
        await settled()
        assert not waiting.done()
    await waiting
    assert entered.is_set()


async def test_a_wait_that_was_given_up_takes_no_memory() -> None:
    locks = ConversationLocks()
    async with locks.hold("a"):
        waiting = asyncio.create_task(locks.hold("a").__aenter__())
        await settled()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    assert len(locks) == 0
