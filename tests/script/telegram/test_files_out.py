"""Files that the model makes, long code, and answers that take several messages."""

import base64
import re

import pytest

from tests.script.base import Json
from tests.script.telegram.stage import ME, Stage
from tests.script.test_files_out import CODE
from tests.script.things import png

pytestmark = pytest.mark.asyncio(loop_scope="module")

SETTINGS = {"code_execution": "on", "code_file_characters": 3000}

TABLE = "| Name | Sum |\n|---|---:|\n| Müsli | 3 |\n| 世界 | 40 |"


def shown(stage: Stage, by: str, where: str, name: str) -> tuple[str, bytes]:
    """How a file that a person sees was sent, and what is in it."""
    found = [each["id"] for each in stage.seen(by, where) if name in each["attachments"]]
    [given] = stage.telegram.message(found[-1])["attachments"]
    return given["kind"], stage.telegram.world.files.read(given["id"]) or b""


def made(name: str, media_type: str, **content: object) -> Json:
    return {"type": "code", "command": "x", "files": [{"name": name, "media_type": media_type, **content}]}


async def test_a_picture_is_shown_as_a_photo_and_other_files_as_documents(stage: Stage) -> None:
    ada, chat = await stage.alone()
    picture = png(30, 20)
    stage.blocks(
        "make two files",
        made("plot.png", "image/png", base64=base64.b64encode(picture).decode()),
        made("sums.csv", "text/csv", text="1,2\n"),
        {"type": "text", "text": "Here they are."},
    )
    await stage.say(ada, chat, "make two files")
    await stage.until(lambda: len(stage.sees(ada, chat)) == 4)
    await stage.settled()
    assert shown(stage, ada, chat, "sums.csv") == ("document", b"1,2\n")
    assert shown(stage, ada, chat, stage.seen(ada, chat)[2]["attachments"][0])[0] == "photo"


async def test_a_picture_that_is_too_long_for_a_photo_is_sent_as_a_document(stage: Stage) -> None:
    ada, chat = await stage.alone()
    stage.blocks(
        "a long picture",
        made("long.png", "image/png", base64=base64.b64encode(png(2100, 100)).decode()),
        {"type": "text", "text": "Long."},
    )
    await stage.say(ada, chat, "a long picture")
    await stage.until(lambda: len(stage.sees(ada, chat)) == 3)
    await stage.settled()
    assert shown(stage, ada, chat, "long.png")[0] == "document"


async def test_a_file_in_a_topic_comes_in_the_topic(stage: Stage) -> None:
    ada, forum = await stage.person(), await stage.group(forum=True)
    topic = await stage.topic(ada, forum)
    stage.blocks("topical file", made("sums.csv", "text/csv", text="1"), {"type": "text", "text": "Here."})
    await stage.say(ada, topic, f"{ME} topical file")
    await stage.reads(ada, topic, f"{ada}: {ME} topical file", "threadline: Here.", "threadline: {sums.csv}")
    assert stage.sees(ada, forum) == []


async def test_a_long_code_block_is_shown_in_part_and_sent_as_a_file(stage: Stage) -> None:
    ada, chat = await stage.alone()
    code = "\n".join(f"{CODE}\n# {nth}" for nth in range(6))
    stage.answers("long code", f"Run this:\n\n```python\n{code}\n```\n\nThat is all.")
    await stage.say(ada, chat, "long code")
    await stage.until(lambda: len(stage.sees(ada, chat)) == 3)
    await stage.settled()
    _, answer, document = stage.sees(ada, chat)
    assert answer.startswith("threadline: Run this:\n\n```python\nprint(0)\nprint(1)\n")
    assert answer.endswith("```\n\n*The whole code is in “code-1.py” below.*\n\nThat is all.")
    assert document == "threadline: {code-1.py}"
    assert shown(stage, ada, chat, "code-1.py")[1].decode().strip() == code


async def test_an_answer_too_long_for_one_message_loses_nothing(stage: Stage) -> None:
    ada, place = await stage.person(), await stage.group()
    stage.answers("at length", "\n\n".join(f"{'word ' * 400}{number}." for number in range(5)))
    await stage.say(ada, place, f"{ME} at length")
    await stage.until(lambda: stage.sees(ada, place)[-1].endswith("word 4."))
    await stage.settled()
    parts = stage.sees(ada, place)[1:]
    assert sum(part.count("word") for part in parts) == 2000
    assert len(parts) == 3


async def test_code_that_goes_on_in_the_next_message_is_code_there_too(stage: Stage) -> None:
    ada, chat = await stage.alone()
    prose = "Some words before it. " * 150
    code = "\n".join(f"print({number})  # a line of code" for number in range(80))
    stage.answers("code in two", f"{prose}\n\n```python\n{code}\n```\n\nThat is all.")
    await stage.say(ada, chat, "code in two")
    await stage.until(lambda: stage.sees(ada, chat)[-1].endswith("That is all."))
    await stage.settled()
    told = "\n".join(line.removeprefix("threadline: ") for line in stage.sees(ada, chat)[1:])
    blocks = re.findall(r"```python\n(.*?)\n```", told, re.DOTALL)
    assert told.count("```") == 2 * len(blocks)
    assert "\n".join(blocks) == code
    assert len(stage.sees(ada, chat)) == 3


async def test_a_table_is_aligned_and_stays_in_one_message(stage: Stage) -> None:
    ada, chat = await stage.alone()
    prose = "Some words before it. " * 184
    stage.answers("with a table", f"{prose}\n\n{TABLE}\n\nThat is all.")
    await stage.say(ada, chat, "with a table")
    await stage.until(lambda: stage.sees(ada, chat)[-1].endswith("That is all."))
    await stage.settled()
    assert stage.sees(ada, chat)[2] == (
        "threadline: ```\nName  │ Sum\n──────┼────\nMüsli │   3\n世界  │  40\n```\n\nThat is all."
    )


async def test_signs_of_two_code_units_are_counted_as_telegram_does(stage: Stage) -> None:
    ada, chat = await stage.alone()
    face = "\N{GRINNING FACE}"
    stage.answers("many faces", " ".join([f"**{face * 9}**"] * 240))
    await stage.say(ada, chat, "many faces")
    await stage.until(lambda: "".join(stage.sees(ada, chat)).count(face) == 2160)
    await stage.settled()
    assert not [call for call in stage.calls("sendMessage") if call.status == 400]


async def test_links_have_no_previews_and_styles_are_styles(stage: Stage) -> None:
    ada, chat = await stage.alone()
    stage.answers(
        "all styles", "# Title\n\n**bold** *italic* ~~gone~~ `code` [link](https://example.org/a_b)\n\n> quoted\n\n- one\n- two"
    )
    await stage.say(ada, chat, "all styles")
    await stage.reads(
        ada, chat, f"{ada}: all styles",
        "threadline: **Title**\n\n**bold** *italic* ~~gone~~ `code` [link](https://example.org/a_b)\n\n> quoted\n\n• one\n• two",
    )  # fmt: skip
    assert not stage.seen(ada, chat)[-1]["preview"]
