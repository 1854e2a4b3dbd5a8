"""Files that people send, files that the model makes, and long code."""

import pytest

from sandbox.slack.downloads import Spoil
from tests.script.base import file, text
from tests.script.slack.stage import Stage
from tests.script.things import documents, pdf, png

pytestmark = pytest.mark.asyncio(loop_scope="module")

WAYS = ["off", "on"]

SETTINGS = {"code_execution": "on", "code_file_characters": 200}

CODE = "\n".join(f"print({number})" for number in range(60))


def content(stage: Stage, by: str, where: str, name: str) -> bytes:
    """What is in a file that a person sees."""
    given = [each for number in stage.ids(by, where) for each in stage.slack.message(number)["attachments"]]
    return next(stage.slack.world.files.read(each["id"]) or b"" for each in given if each["name"] == name)


async def test_a_picture_a_document_and_a_text_are_read(stage: Stage) -> None:
    ada, place = await stage.person(), await stage.channel()
    paper = pdf(2)
    stage.answers("all three", "Three.")
    given = [file("blue.png", png(40, 30)), file("paper.pdf", paper), file("notes.txt", "Grüße")]
    thread = await stage.say(ada, place, "@threadline all three", *given)
    asked = f"{ada}: @threadline all three {{blue.png}} {{paper.pdf}} {{notes.txt}}"
    await stage.reads(ada, thread, asked, "threadline: Three.")
    body = stage.body("all three")
    assert documents(body) == [
        {"image": "image/png", "size": (40, 30)},
        {"document": "application/pdf", "title": "paper.pdf", "same": paper},
        {"text": "Grüße", "title": "notes.txt"},
    ]
    assert text(body) == f"{ada}: all three\n  [a file: blue.png]\n  [a file: paper.pdf]\n  [a file: notes.txt]"


async def test_a_picture_without_a_word_is_a_question_in_a_direct_chat(stage: Stage) -> None:
    ada, chat = await stage.alone()
    stage.answers("[a file: wordless.png]", "A picture.")
    thread = await stage.say(ada, chat, "", file("wordless.png", png(10, 10)))
    await stage.reads(ada, thread, f"{ada}: {{wordless.png}}", "threadline: A picture.")


async def test_a_login_page_is_not_taken_for_a_file(stage: Stage) -> None:
    ada, chat = await stage.alone()
    stage.answers("behind a login", "I cannot see it.")
    await stage.slack.spoil(Spoil("login"))
    thread = await stage.say(ada, chat, "behind a login", file("secret.txt", "a secret"))
    lacking = "*I could not read “secret.txt”: I may not fetch it. Send it as a file of its own.*"
    await stage.reads(ada, thread, f"{ada}: behind a login {{secret.txt}}", f"threadline: I cannot see it.\n\n{lacking}")
    said = str(stage.body("behind a login")["messages"][-1])
    assert "a secret" not in said
    assert "<html" not in said.lower()
    assert "secret.txt" in said


async def test_a_file_that_code_makes_comes_below_the_answer_in_its_thread(stage: Stage) -> None:
    ada, place = await stage.person(), await stage.channel()
    made = {"name": "sums.csv", "media_type": "text/csv", "text": "1,2\n3,4\n"}
    stage.blocks(
        "make a table",
        {"type": "text", "text": "I am making it. "},
        {"type": "code", "command": "python sums.py", "stdout": "ok", "files": [made]},
        {"type": "text", "text": "Here it is."},
    )
    thread = await stage.say(ada, place, "@threadline make a table")
    asked = f"{ada}: @threadline make a table"
    await stage.reads(ada, thread, asked, "threadline: I am making it. Here it is.", "threadline: {sums.csv}")
    await stage.reads(ada, place, asked)
    assert content(stage, ada, thread, "sums.csv") == b"1,2\n3,4\n"


async def test_a_long_code_block_is_shown_in_part_and_sent_as_a_file(stage: Stage) -> None:
    ada, chat = await stage.alone()
    stage.answers("long code", f"Run this:\n\n```python\n{CODE}\n```\n\nThat is all.")
    thread = await stage.say(ada, chat, "long code")
    await stage.until(lambda: "threadline: {code-1.py}" in stage.sees(ada, thread))
    await stage.settled()
    lines = stage.sees(ada, thread)
    assert lines[0] == f"{ada}: long code"
    assert lines[1].startswith("threadline: Run this:\n\n```python\nprint(0)\nprint(1)\n")
    assert lines[1].endswith("```\n\n*The whole code is in “code-1.py” below.*\n\nThat is all.")
    assert lines[2:] == ["threadline: {code-1.py}"]
    assert content(stage, ada, thread, "code-1.py").decode().strip() == CODE


async def test_where_files_are_not_taken_that_is_said_and_code_stays_in_the_text(stage: Stage) -> None:
    ada, place = await stage.person(), await stage.channel()
    await stage.slack.set_scopes(remove=["files:write"])
    stage.blocks(
        "make it here",
        {"type": "code", "command": "x", "files": [{"name": "plot.svg", "text": "<svg/>"}]},
        {"type": "text", "text": "Here it is."},
    )
    stage.answers("code here", f"```python\n{CODE}\n```")
    thread = await stage.say(ada, place, "@threadline make it here")
    asked = f"{ada}: @threadline make it here"
    lacking = "*I made the file “plot.svg”, but it cannot be shown here.*"
    lines = [asked, f"threadline: Here it is.\n\n{lacking}"]
    await stage.reads(ada, thread, *lines)
    await stage.say(ada, thread, "code here")
    await stage.reads(ada, thread, *lines, f"{ada}: code here", f"threadline: ```python\n{CODE}\n```")
    await stage.slack.set_scopes(add=["files:write"])
