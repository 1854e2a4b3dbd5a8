"""Files that people send: what the model gets of them."""

import pytest

from tests.script.base import file, text
from tests.script.stage import Stage
from tests.script.things import documents, pdf, png

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_picture_is_seen(stage: Stage) -> None:
    ada, chat = await stage.alone()
    stage.answers("what is in this picture", "A dark blue.")
    await stage.say(ada, chat, "what is in this picture", file("blue.png", png(40, 30)))
    await stage.reads(ada, chat, f"{ada}: what is in this picture {{blue.png}}", "threadline: A dark blue.")
    body = stage.body("what is in this picture")
    assert documents(body) == [{"image": "image/png", "size": (40, 30)}]
    assert text(body) == "what is in this picture\n[a file: blue.png]"


async def test_a_big_picture_is_scaled_down_before_it_is_sent(stage: Stage) -> None:
    ada, chat = await stage.alone()
    stage.answers("how big", "Big.")
    await stage.say(ada, chat, "how big", file("wall.png", png(4000, 3000)))
    await stage.reads(ada, chat, f"{ada}: how big {{wall.png}}", "threadline: Big.")
    assert documents(stage.body("how big")) == [{"image": "image/png", "size": (1568, 1176)}]


async def test_a_picture_without_a_word_is_a_question(stage: Stage) -> None:
    ada, chat = await stage.alone()
    stage.answers("[a file: wordless.png]", "A picture.")
    await stage.say(ada, chat, "", file("wordless.png", png(10, 10)))
    await stage.reads(ada, chat, f"{ada}: {{wordless.png}}", "threadline: A picture.")


async def test_a_pdf_is_handed_on_as_it_is(stage: Stage) -> None:
    ada, chat = await stage.alone()
    data = pdf(2)
    stage.answers("read this", "Empty pages.")
    await stage.say(ada, chat, "read this", file("paper.pdf", data))
    await stage.reads(ada, chat, f"{ada}: read this {{paper.pdf}}", "threadline: Empty pages.")
    assert documents(stage.body("read this")) == [{"document": "application/pdf", "title": "paper.pdf", "same": data}]


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("latin.txt", "Grüße aus Köln, Señor!\n".encode("latin-1"), "Grüße aus Köln, Señor!\n"),
        ("wide.txt", "Grüße, 世界\r\n".encode("utf-16"), "Grüße, 世界\n"),
        ("wide.log", "plain words in two bytes each\n".encode("utf-16-le"), "plain words in two bytes each\n"),
        ("table.csv", b"name;price\nM\xfcsli;3,50\n", "name;price\nMüsli;3,50\n"),
        ("code.py", b"def f():\n    return 'x'\n", "def f():\n    return 'x'\n"),
        ("unnamed", b"no ending at all", "no ending at all"),
    ],
)  # fmt: skip
async def test_text_of_any_encoding_is_read(stage: Stage, name: str, data: bytes, said: str) -> None:
    ada, chat = await stage.alone()
    stage.answers(f"of {name}", "Read.")
    await stage.say(ada, chat, f"of {name}", file(name, data))
    await stage.reads(ada, chat, f"{ada}: of {name} {{{name}}}", "threadline: Read.")
    assert documents(stage.body(f"of {name}")) == [{"text": said, "title": name}]


async def test_several_files_of_a_message_come_in_their_order(stage: Stage) -> None:
    ada, chat = await stage.alone()
    stage.answers("all three", "Three.")
    await stage.say(ada, chat, "all three", file("a.txt", "A"), file("b.png", png(8, 8)), file("c.csv", "C"))
    await stage.reads(ada, chat, f"{ada}: all three {{a.txt}} {{b.png}} {{c.csv}}", "threadline: Three.")
    assert documents(stage.body("all three")) == [
        {"text": "A", "title": "a.txt"}, {"image": "image/png", "size": (8, 8)}, {"text": "C", "title": "c.csv"},
    ]  # fmt: skip


async def test_files_of_the_quoted_message_are_read_too(stage: Stage) -> None:
    ada, ben, place = await stage.person(), await stage.person(), await stage.channel()
    stage.answers("sum that up", "Summed up.")
    quoted = await stage.say(ben, place, "my notes", file("notes.txt", "milk and eggs"))
    thread = await stage.say(ada, place, "@threadline sum that up", reply_to=quoted)
    await stage.reads(ada, thread, "threadline: Summed up.")
    body = stage.body("sum that up")
    assert documents(body) == [{"text": "milk and eggs", "title": "notes.txt"}]
    assert text(body) == (
        f"{ada}: [in reply to what {ben} wrote:]\n  > my notes\n\n  sum that up\n"
        "  [a file beside the message replied to: notes.txt]"
    )


async def test_a_name_that_climbs_is_only_a_name(stage: Stage) -> None:
    ada, chat = await stage.alone()
    stage.answers("climbing", "Read.")
    await stage.say(ada, chat, "climbing", file("../../etc/passwd", "nothing secret"))
    await stage.until(lambda: stage.sees(ada, chat)[-1] == "threadline: Read.")
    assert documents(stage.body("climbing")) == [{"text": "nothing secret", "title": ".._.._etc_passwd"}]
    assert not (stage.folder.parent / "etc").exists()


async def test_a_file_is_sent_again_with_the_next_question_and_not_fetched_again(stage: Stage) -> None:
    ada, chat = await stage.alone()
    stage.answers("once fetched", "Read.")
    stage.answers("asked once more", "Still known.")
    await stage.say(ada, chat, "once fetched", file("kept.txt", "kept words"))
    await stage.reads(ada, chat, f"{ada}: once fetched {{kept.txt}}", "threadline: Read.")
    await stage.say(ada, chat, "asked once more")
    await stage.until(lambda: stage.sees(ada, chat)[-1] == "threadline: Still known.")
    assert "kept words" in str(stage.body("asked once more")["messages"][0])
    assert len(stage.discord.calls.matching("GET", "/kept.txt")) == 1
