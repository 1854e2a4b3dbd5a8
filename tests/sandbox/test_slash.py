import asyncio
import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from sandbox.discord import Simulator
from sandbox.discord.defaults import CHANNELS
from sandbox.slash import Line, Unfit, parsed
from sandbox.talk import say_once
from tests.sandbox.sitting import ROOMY, Bot, sitting


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    async with Simulator(ROOMY) as simulator:
        yield simulator


@pytest.fixture
async def bot(simulator: Simulator) -> AsyncIterator[Bot]:
    async with aiohttp.ClientSession() as session:
        yield Bot(simulator, session)


# lines


def option(name: str, kind: int = 3, **fields: Any) -> dict[str, Any]:
    return {"type": kind, "name": name, "description": "x"} | fields


ASK = {"name": "ask", "options": [option("text"), option("n", 4), option("hot", 5), option("f", 11), option("also")]}
CHAT = {"name": "chat", "options": [option("close", 1, options=[option("why")])]}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("/ask", Line("ask", {})),
        ("/ask  why is  this? ", Line("ask", {"text": "why is  this?"})),
        ("/ask why n:5 so?", Line("ask", {"text": "why so?", "n": 5})),
        ('/ask text:"a b" c d', Line("ask", {"text": "a b", "also": "c d"})),
        ("/ask hot:yes see https://a.example x:y", Line("ask", {"hot": True, "text": "see https://a.example x:y"})),
        ("/ask n:1 n:2", Line("ask", {"n": 1, "text": "n:2"})),
        ("/chat close it is late", Line("chat close", {"why": "it is late"})),
        ("/nothing", None),
        ("/", None),
    ],
)
def test_a_line_is_read_as_a_command(line: str, expected: Line | None) -> None:
    assert parsed(line, [ASK, CHAT]) == expected


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("/ask n:many", 'n cannot be "many"'),
        ("/ask hot:maybe", 'hot cannot be "maybe"'),
        ("/ask f:nowhere.txt", "nowhere.txt cannot be read"),
        ("/chat", "After /chat comes one of: close."),
        ("/only words", 'There is no option for "words"'),
    ],
)
def test_a_line_that_does_not_fit_is_told(line: str, why: str) -> None:
    with pytest.raises(Unfit, match=why):
        parsed(line, [ASK, CHAT, {"name": "only", "options": []}])


# at the terminal


async def test_the_bots_own_commands_are_called_and_its_buttons_pressed(simulator: Simulator, bot: Bot) -> None:
    text = {"type": 3, "name": "text", "description": "x", "required": True}
    times = {"type": 4, "name": "times", "description": "x"}
    await bot.registers({"name": "ask", "description": "Ask something", "options": [text, times]})
    async with sitting(simulator, 70, 40) as tty:
        tty.types(":commands\r")
        await tty.shows("/ask              Ask something")
        tty.types("/ask what times:3 is this?\r")
        await tty.shows("(Ada uses /ask)")
        called = await bot.called(1)
        assert [(each["name"], each["value"]) for each in called.data["options"]] == [("text", "what is this?"), ("times", 3)]
        await bot.answers(called, 5)
        await tty.shows("[1] Threadline: (thinking …)")
        await bot.fills(called, "An answer", "Stop", "Retry")
        await tty.shows("[1] Threadline: An answer")
        await tty.shows("(1) [Stop]  (2) [Retry]")
        tty.types(":press 2\r")
        pressed = await bot.called(2)
        assert pressed.data["custom_id"] == "Retry"
        await bot.answers(pressed, 4, "psst", flags=64)
        await tty.shows("[2] Threadline (only you see this): psst")
        await bot.fills(called, "Done")
        await tty.shows("[1] Threadline: Done")
        assert "[Stop]" not in tty.glass.text
        tty.types("/ask times:many\r:press 9\r:press\r/ask\r/ask x y:z\r")
        await tty.shows('times cannot be "many".')
        await tty.shows('There is no button "9".')
        await tty.shows("That was refused: text must be filled in.")
        assert (await bot.called(3)).data["options"][0]["value"] == "x y:z"
        await tty.shows("(The application did not respond)")


async def test_what_only_another_person_sees_is_not_shown(simulator: Simulator, bot: Bot) -> None:
    await bot.registers({"name": "ask", "description": "Ask something"})
    async with sitting(simulator) as tty:
        await simulator.call("user2", "ask", "general")
        await bot.answers(await bot.called(1), 4, "for Ben", flags=64)
        await bot.posts(str(CHANNELS["general"]), "for all")
        await tty.shows("[1] Threadline: for all")
        assert "for Ben" not in tty.glass.text


async def test_a_thread_opened_on_an_answer_is_entered(simulator: Simulator, bot: Bot) -> None:
    await bot.registers({"name": "ask", "description": "Ask something"})
    async with sitting(simulator) as tty:
        tty.types("/ask\r")
        called = await bot.called(1)
        await bot.answers(called, 4, "more inside")
        answer = simulator.interaction(called.id)["message"]
        await bot.opens(str(called.channel), answer, "inside")
        await tty.shows('user1 in "inside">')


async def test_one_changes_deletes_and_attaches(simulator: Simulator, bot: Bot, tmp_path: Path) -> None:
    (tmp_path / "a b.txt").write_text("some notes")
    async with sitting(simulator, 70, 30) as tty:
        tty.types("first\rsecond\r")
        await tty.shows("[2] Ada: second")
        tty.types(":edit changed\r")
        await tty.shows("[2] Ada: changed")
        tty.types(":edit 1 changed too\r")
        await tty.shows("[1] Ada: changed too")
        tty.types(":delete\r")
        await tty.shows("[2] Ada: (deleted)")
        tty.types(f':attach "{tmp_path}/a b.txt" what is it?\r')
        await tty.shows("[3] Ada: what is it?")
        await tty.shows("[file: a_b.txt]")
        [file] = simulator.messages("general")[-1]["attachments"]
        assert simulator.world.files.read(int(file["id"])) == b"some notes"
        await simulator.react("user2", simulator.messages("general")[0]["id"], "\N{EYES}")
        await tty.shows("\N{EYES} 1")
        gone = [each["id"] for each in simulator.messages("general")]
        await simulator.delete_many(gone)
        await tty.shows("[1] Ada: (deleted)")
        tty.types(":delete\r:attach nowhere.txt\r:attach\r:edit\r:nonsense\r:)\r::help\r")
        await tty.shows("You have written nothing in #general.")
        await tty.shows("nowhere.txt cannot be read: No such file or directory.")
        await tty.shows("There is no command :nonsense.")
        await tty.shows("[4] Ada: :)")
        await tty.shows("[5] Ada: :help")


async def test_one_line_can_call_a_command(simulator: Simulator, bot: Bot) -> None:
    text = {"type": 3, "name": "text", "description": "x", "max_length": 5}
    await bot.registers({"name": "ask", "description": "Ask something", "options": [text]})
    out = io.StringIO()
    asking = asyncio.create_task(say_once(simulator.control_url, "user2", "general", "/ask why?", out, 30, quiet=3.0))
    called = await bot.called(1)
    await simulator.call("user1", "ask", "general")
    await bot.answers(await bot.called(2), 4, "for Ada only", flags=64)
    await bot.answers(called, 5, flags=64)
    await bot.fills(called, "Because.", "Stop")
    assert await asking == 0
    assert out.getvalue() == "Threadline (only you see this): Because.\n"
    out = io.StringIO()
    assert await say_once(simulator.control_url, "user2", "general", "/ask why, oh why?", out, 5) == 1
    assert out.getvalue() == "That was refused: text has 12 characters; allowed are 0 to 5.\n"
