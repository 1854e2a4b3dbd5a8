import pytest
from telegram import MessageEntity, User

from bots.telegram.reading import Me, Written, written

ME = Me(7, "Threadline_bot")


def entity(kind: str, text: str, part: str, **more: object) -> MessageEntity:
    """An entity over a part of a text, counted in UTF-16 units."""
    before = text[: text.index(part)]
    return MessageEntity(kind, len(before.encode("utf-16-le")) // 2, len(part.encode("utf-16-le")) // 2, **more)  # pyright: ignore[reportArgumentType]  # fields of several kinds


def read(text: str, *given: tuple[str, str]) -> Written:
    return written(text, [entity(kind, text, part) for kind, part in given], ME)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("@threadline_bot hello", "hello"),
        ("@THREADLINE_BOT, hello", "hello"),
        ("hello @threadline_bot", "hello"),
        ("hello @threadline_bot, and you?", "hello, and you?"),
        ("what do @threadline_bot and I do", "what do and I do"),
        ("😀 @threadline_bot 😀 hello", "😀 😀 hello"),
    ],
)
def test_the_mention_of_the_bot_is_no_part_of_what_was_said(text: str, told: str) -> None:
    name = "@THREADLINE_BOT" if "@THREAD" in text else "@threadline_bot"
    assert read(text, ("mention", name)) == Written(told, mentioned=True)


def test_others_are_left_where_they_are() -> None:
    text = "@user1 and @threadline_bots"
    assert read(text, ("mention", "@user1"), ("mention", "@threadline_bots")) == Written(text)


def test_a_mention_without_a_username_counts() -> None:
    text = "Threadline hello"
    named = entity("text_mention", text, "Threadline", user=User(7, "Threadline", is_bot=True))
    other = entity("text_mention", text, "Threadline", user=User(8, "Other", is_bot=False))
    assert written(text, [named], ME) == Written("hello", mentioned=True)
    assert written(text, [other], ME) == Written(text)


@pytest.mark.parametrize(
    ("text", "command", "told", "mentioned", "other"),
    [
        ("/ask what is this?", "/ask", "/ask what is this?", False, False),
        ("/ask@threadline_bot what?", "/ask@threadline_bot", "/ask what?", True, False),
        ("/ASK@Threadline_Bot what?", "/ASK@Threadline_Bot", "/ask what?", True, False),
        ("/stop@other_bot now", "/stop@other_bot", "/stop@other_bot now", False, True),
        ("/model@threadline_bot x for:channel", "/model@threadline_bot", "/model x for:channel", True, False),
    ],
)
def test_a_command_loses_the_name_of_the_bot(text: str, command: str, told: str, mentioned: bool, other: bool) -> None:
    name = command.removeprefix("/").partition("@")[0].lower()
    assert read(text, ("bot_command", command)) == Written(told, mentioned, name, other)


def test_a_command_in_the_middle_is_text() -> None:
    text = "try /stop@threadline_bot there"
    assert read(text, ("bot_command", "/stop@threadline_bot")) == Written(text)


def test_code_and_links_keep_what_they_say() -> None:
    text = "run it: x = 1 see here"
    entities = [
        entity("code", text, "it"),
        entity("pre", text, "x = 1", language="python"),
        entity("text_link", text, "here", url="https://example.org/a"),
    ]
    assert written(text, entities, ME).text == "run `it`: \n```python\nx = 1\n```\n see here (https://example.org/a)"


def test_of_entities_that_overlap_the_first_counts_and_nothing_is_told_twice() -> None:
    text = "see @threadline_bot now"
    link = entity("text_link", text, "see @threadline_bot", url="https://example.org/a")
    told = written(text, [entity("mention", text, "@threadline_bot"), link], ME)
    assert told == Written("see @threadline_bot (https://example.org/a) now")


def test_code_with_a_fence_in_it_stays_in_its_own() -> None:
    text = "```\nx\n```"
    assert written(text, [entity("pre", text, text)], ME).text == "````\n```\nx\n```\n````"


def test_entities_that_make_no_sense_change_nothing() -> None:
    text = "hello @threadline_bot"
    wrong = [MessageEntity("mention", 900, 4), MessageEntity("code", 3, 500), MessageEntity("bold", 0, 5)]
    assert written(text, wrong, ME) == Written(text)
    assert written("a\0b", [], ME).text == "ab"


def test_offsets_in_the_middle_of_a_sign_are_survived() -> None:
    assert written("😀x", [MessageEntity("code", 1, 1)], ME).text.endswith("x")
