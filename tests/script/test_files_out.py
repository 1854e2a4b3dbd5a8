"""Files that the model makes, and long code, sent as files."""

from pathlib import Path

import pytest

from sandbox.faults import Rule
from tests.script.stage import Stage, opened

pytestmark = pytest.mark.asyncio(loop_scope="module")

SETTINGS = {"code_execution": "on", "code_file_characters": 200}

CODE = "\n".join(f"print({number})" for number in range(60))


def content(stage: Stage, by: str, where: str, name: str) -> bytes:
    """What is in a file that a person sees."""
    seen = [each["id"] for each in stage.discord.sees(by, where) if name in each["attachments"]]
    [given] = [each for each in stage.discord.message(seen[-1])["attachments"] if each["filename"] == name]
    return stage.discord.world.files.read(int(given["id"])) or b""


async def test_a_file_that_code_makes_comes_below_the_answer(stage: Stage) -> None:
    ada, chat = await stage.alone()
    made = {"name": "sums.csv", "media_type": "text/csv", "text": "1,2\n3,4\n"}
    stage.blocks(
        "make a table",
        {"type": "text", "text": "I am making it. "},
        {"type": "code", "command": "python sums.py", "stdout": "ok", "files": [made], "lead": 0.3},
        {"type": "text", "text": "Here it is."},
    )
    await stage.say(ada, chat, "make a table")
    await stage.glimpses(ada, chat, f"{ada}: make a table", "threadline: I am making it.\n\n*Running code…*")
    await stage.reads(ada, chat, f"{ada}: make a table", "threadline: I am making it. Here it is.", "threadline: {sums.csv}")
    assert content(stage, ada, chat, "sums.csv") == b"1,2\n3,4\n"


async def test_a_file_that_the_place_does_not_take_is_said(stage: Stage) -> None:
    ada, place = await stage.person(), await stage.channel()
    stage.blocks(
        "make it here",
        {"type": "code", "command": "x", "files": [{"name": "plot.svg", "text": "<svg/>"}]},
        {"type": "text", "text": "Here it is."},
    )
    await stage.discord.permissions(place, deny=["ATTACH_FILES"])
    thread = await stage.say(ada, place, "@threadline make it here")
    lacking = "*I made the file “plot.svg”, but it cannot be shown here.*"
    await stage.reads(ada, thread, f"threadline: Here it is.\n\n{lacking}")


async def test_a_long_code_block_is_shown_in_part_and_sent_as_a_file(stage: Stage) -> None:
    ada, chat = await stage.alone()
    stage.answers("long code", f"Run this:\n\n```python\n{CODE}\n```\n\nThat is all.")
    await stage.say(ada, chat, "long code")
    lines = await stage.answered(ada, chat, 3)
    assert lines[0] == f"{ada}: long code"
    assert lines[1].startswith("threadline: Run this:\n\n```python\nprint(0)\nprint(1)\n")
    assert lines[1].endswith("```\n\n*The whole code is in “code-1.py” below.*\n\nThat is all.")
    assert "print(59)" not in lines[1]
    assert lines[2] == "threadline: {code-1.py}"
    assert content(stage, ada, chat, "code-1.py").decode().strip() == CODE


async def test_where_files_are_not_taken_the_code_stays_in_the_text(stage: Stage) -> None:
    ada, place = await stage.person(), await stage.channel()
    stage.answers("code here", f"```python\n{CODE}\n```")
    await stage.discord.permissions(place, deny=["ATTACH_FILES"])
    thread = await stage.say(ada, place, "@threadline code here")
    await stage.reads(ada, thread, f"threadline: ```python\n{CODE}\n```")


async def test_an_upload_that_fails_for_a_moment_is_made_again(tmp_path: Path) -> None:
    async with opened(tmp_path, SETTINGS) as stage:
        ada, chat = await stage.alone()
        stage.answers("once more", f"```python\n{CODE}\n```")
        await stage.discord.fault(Rule("status", method="POST", path="/messages$", nth=2, status=503))
        await stage.say(ada, chat, "once more")
        lines = await stage.answered(ada, chat, 3)
        assert lines[2:] == ["threadline: {code-1.py}"]


async def test_a_retry_replaces_the_files_of_the_answer_before(stage: Stage) -> None:
    ada, chat = await stage.alone()
    for name in ("old.txt", "new.txt"):
        stage.blocks(
            "file anew",
            {"type": "code", "command": "x", "files": [{"name": name, "text": name}]},
            {"type": "text", "text": f"See {name}."},
        )
    await stage.say(ada, chat, "file anew")
    await stage.reads(ada, chat, f"{ada}: file anew", "threadline: See old.txt.", "threadline: {old.txt}")
    await stage.say(ada, chat, "/retry")
    await stage.until(lambda: "threadline: {new.txt}" in stage.sees(ada, chat))
    await stage.settled()
    assert sorted(stage.sees(ada, chat)) == sorted(
        [f"{ada}: file anew", "threadline: See new.txt.", f"{ada}: /retry", "threadline: {new.txt}"]
    )
