import asyncio
import io
import os
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import TextIO

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.discord import Simulator
from sandbox.following import Quiet
from sandbox.talk import LinePrinter, say_once
from sandbox.terminal import converse
from tests.sandbox.glass import WIDE
from tests.sandbox.sitting import ROOMY, Bot, Tty, sitting


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    async with Simulator(ROOMY) as simulator:
        yield simulator


@pytest.fixture
async def bot(simulator: Simulator) -> AsyncIterator[Bot]:
    async with aiohttp.ClientSession() as session:
        yield Bot(simulator, session)


# conversations


async def test_a_mention_leads_into_the_thread_and_the_reply_grows_there(simulator: Simulator, bot: Bot) -> None:
    async with sitting(simulator) as tty:
        tty.types("@threadline tell me\r")
        asked = await bot.hears("tell me")
        await tty.shows("[1] Ada: @threadline tell me")
        await bot.opens(asked["channel"], asked["id"], "tell me")
        await tty.shows('The thread "tell me" was opened on your message.')
        await tty.shows('user1 in "tell me">')
        await bot.types(asked["id"])
        await tty.shows("Threadline is typing …")
        part = await bot.posts(asked["id"], "One")
        await tty.shows("[2] Threadline: One")
        tty.types("half a line")
        for text in ("One two", f"One two {WIDE}", "One two three, done."):
            await bot.edits(asked["id"], part, text)
        await tty.shows("[2] Threadline: One two three, done.")
        await tty.shows('user1 in "tell me"> half a line')
        assert tty.glass.text.count("Threadline: One") == 1
        assert "typing" not in tty.glass.text


async def test_a_reply_longer_than_the_screen_is_shown_once_and_whole(simulator: Simulator, bot: Bot) -> None:
    async with sitting(simulator, 40, 10) as tty:
        tty.types("/dm\rhello\r")
        channel = (await bot.hears("hello"))["channel"]
        sentences = [f"Sentence {number} of the long reply." for number in range(1, 41)]
        part = await bot.posts(channel, sentences[0])
        for count in range(2, 41):
            await bot.edits(channel, part, " ".join(sentences[:count]))
        await tty.shows("40 of the")
        flat = " ".join(tty.glass.text.split())
        assert [flat.count(sentence) for sentence in sentences] == [1] * 40
        assert "(changed)" not in flat


async def test_a_part_that_changes_above_the_screen_is_shown_again(simulator: Simulator, bot: Bot) -> None:
    async with sitting(simulator, 40, 10) as tty:
        tty.types("/dm\rhello\r")
        channel = (await bot.hears("hello"))["channel"]
        lines = [f"line {number}" for number in range(1, 31)]
        part = await bot.posts(channel, "\n".join(lines))
        await tty.shows("line 30")
        await bot.edits(channel, part, "\n".join(["something else", *lines]))
        await tty.shows("(changed) [2] Threadline: something")


async def test_one_acts_as_several_people_in_several_places(simulator: Simulator, bot: Bot) -> None:
    async with sitting(simulator) as tty:
        tty.types("/as ben\r")
        await tty.shows("user2 in #general>")
        tty.types("/in random\r")
        await tty.shows("user2 in #random>")
        tty.types("I am Ben\r")
        await tty.shows("[1] Ben: I am Ben")
        tty.types("/dm\r")
        await tty.shows("user2 in the direct chat>")
        tty.types("a secret\r")
        await tty.shows("[2] Ben: a secret")
        tty.types("/as user3\r/read\r")
        await tty.shows("Nothing has been said in the direct chat.")
        heard = await bot.hears("I am Ben")
        await simulator.open_thread("user4", heard["channel"], "a matter of taste", message=heard["id"])
        tty.types("/in thread 1\r")
        await tty.shows('user3 in "a matter of taste">')
        tty.types("/in general\r/in a matter\r/where\r/who\r")
        await tty.shows("* thread 1: a matter of taste")
        await tty.shows("* user3 (Chloe)")
        await tty.shows("threadline (Threadline, a bot)")
        await bot.posts(heard["channel"], "elsewhere")
        await tty.shows("(Threadline writes in #random)")


async def test_what_was_said_can_be_read_and_deleted(simulator: Simulator, bot: Bot) -> None:
    await simulator.say("user2", "general", "said before")
    async with sitting(simulator) as tty:
        tty.types("/read\r")
        await tty.shows("[1] Ben: said before")
        tty.types("/delete 1\r")
        await tty.shows("[1] Ben: (deleted)")
        tty.types("/delete 7\r")
        await tty.shows('There is no message "7".')


async def test_commands_for_the_bot_are_sent_and_unknown_ones_are_not(simulator: Simulator, bot: Bot) -> None:
    async with sitting(simulator) as tty:
        tty.types("/stop\r/new\r//help\r/nonsense\r/in nowhere\r/as nobody\r/help\r")
        await tty.shows("There is no command /nonsense.")
        await tty.shows('There is no place called "nowhere" here.')
        await tty.shows('There is nobody called "nobody" here.')
        await tty.shows(":quit             leave")
        said = [message["content"] for message in simulator.messages("general")]
        assert said == ["/stop", "/new", "/help"]


async def test_hostile_text_does_not_reach_the_terminal(simulator: Simulator, bot: Bot) -> None:
    async with sitting(simulator) as tty:
        await bot.posts(simulator.everything()["channels"][0]["id"], "\x1b[2J\x1b]0;title\x07 \u202eback")
        await tty.shows("\\x1b[2J\\x1b]0;title\\x07 \\u202eback")


@pytest.mark.parametrize("key", ["\x03", "\x04"])
async def test_a_key_ends_it_and_the_terminal_is_as_before(simulator: Simulator, key: str) -> None:
    tty = Tty()
    talking = asyncio.create_task(converse(simulator.control_url, tty.stdin, tty.stdout))
    await tty.shows("user1 in #general>")
    assert not tty.restored
    tty.types(key)
    async with asyncio.timeout(30):
        await talking
    assert tty.restored
    tty.close()


async def test_the_end_of_the_simulator_ends_it() -> None:
    tty = Tty()
    async with Simulator() as simulator:
        talking = asyncio.create_task(converse(simulator.control_url, tty.stdin, tty.stdout))
        await tty.shows("user1 in #general>")
    async with asyncio.timeout(30):
        await talking
    await tty.shows("The simulator has ended.")
    assert tty.restored
    tty.close()


@asynccontextmanager
async def piped(*lines: str) -> AsyncGenerator[TextIO]:
    reading, writing = os.pipe()
    os.write(writing, "".join(f"{line}\n" for line in lines).encode())
    os.close(writing)
    with os.fdopen(reading, "r", encoding="utf-8") as stdin:
        yield stdin


async def test_without_a_terminal_only_finished_texts_are_printed(simulator: Simulator, bot: Bot) -> None:
    out = io.StringIO()
    async with piped("/in random", "@threadline hello") as stdin:
        talking = asyncio.create_task(converse(simulator.control_url, stdin, out, quiet=3.0, patience=30))
        asked = await bot.hears("hello")
        await bot.types(asked["channel"])
        part = await bot.posts(asked["channel"], "One")
        for text in ("One two", "One two three"):
            await bot.edits(asked["channel"], part, text)
        async with asyncio.timeout(60):
            await talking
    assert out.getvalue().splitlines()[-3:] == [
        "[1] Ada: @threadline hello",
        "(Threadline is typing)",
        "[2] Threadline: One two three",
    ]
    assert "\x1b" not in out.getvalue()


# one line


async def test_one_line_gets_its_reply_from_the_thread_that_is_opened(simulator: Simulator, bot: Bot) -> None:
    out = io.StringIO()
    asking = asyncio.create_task(say_once(simulator.control_url, "user2", "general", "@threadline hi", out, 30, quiet=3.0))
    asked = await bot.hears("hi")
    await bot.types(asked["channel"])
    await bot.opens(asked["channel"], asked["id"], "hi")
    part = await bot.posts(asked["id"], "Some **bold**")
    await bot.edits(asked["id"], part, "Some **bold** and\n```py\nx = 1\n```")
    await bot.edits(asked["id"], part, "Some **bold** and\n```py\nx = 1\ny = 2\n```")
    await bot.posts(asked["id"], "The second part.")
    await bot.posts(asked["channel"], "Something else entirely.")
    assert await asking == 0
    said = "Threadline: Some **bold** and\n```py\nx = 1\ny = 2\n```\nThreadline: The second part.\n"
    assert said in out.getvalue()


async def test_one_line_without_a_reply_says_so(simulator: Simulator) -> None:
    out = io.StringIO()
    assert await say_once(simulator.control_url, "user1", "general", "hello", out, 0.1) == 1
    assert out.getvalue() == "There was no reply within 0.1 seconds. In a channel the text must mention it: @threadline.\n"


async def test_one_line_that_cannot_be_written_says_why(simulator: Simulator) -> None:
    for who, where, text, why in (
        ("nobody", "general", "hello", "There is nobody called"),
        ("user1", "nowhere", "hello", "There is no place called"),
        ("user1", "thread 3", "hello", "There is no place called"),
        ("user1", "direct", " ", "That was refused: "),
    ):
        out = io.StringIO()
        assert await say_once(simulator.control_url, who, where, text, out, 1) == 1
        assert out.getvalue().startswith(why)
        assert out.getvalue().count("\n") == 1


async def test_no_simulator_is_said_in_one_sentence() -> None:
    async with Simulator() as simulator:
        url = simulator.control_url
    out = io.StringIO()
    assert await say_once(url, "user1", "general", "hello", out, 1) == 1
    assert out.getvalue() == f"No simulator answers at {url}.\n"
    out = io.StringIO()
    await converse(url, io.StringIO(), out)
    assert out.getvalue() == f"No simulator answers at {url}.\n"


async def test_on_a_terminal_one_line_gets_its_reply_drawn_in_place(simulator: Simulator, bot: Bot) -> None:
    tty = Tty()
    asking = asyncio.create_task(say_once(simulator.control_url, "user1", "direct", "hello", tty.stdout, 30, quiet=3.0))
    channel = (await bot.hears("hello"))["channel"]
    part = await bot.posts(channel, "One **t**")
    await bot.edits(channel, part, "One **two** three")
    assert await asking == 0
    await tty.shows("Threadline: One **two** three")
    assert "**t**" not in tty.glass.text
    tty.close()


@given(st.lists(st.text(alphabet="ab*`\n ", max_size=12), min_size=1, max_size=6))
def test_printed_lines_end_with_the_whole_text(states: list[str]) -> None:
    out = io.StringIO()
    printer = LinePrinter(out)
    for state in states:
        printer.show("1", f"Threadline: {state}", gone=False)
    printer.close()
    assert out.getvalue().endswith(f"Threadline: {states[-1]}\n")


async def test_the_first_text_is_waited_for_longer_than_the_next() -> None:
    waiting = Quiet(quiet=0.01, patience=30)
    ending = asyncio.create_task(waiting.ended())
    waiting.heard(text=False)
    # Ten times the quiet that would end a reply: only what does not happen can be seen here.
    await asyncio.wait({ending}, timeout=0.1)
    assert not ending.done()
    waiting.heard(text=True)
    async with asyncio.timeout(30):
        assert await ending
    assert not await Quiet(quiet=30, patience=0.01).ended()
