from hypothesis import given, settings
from hypothesis import strategies as st

from bots.discord.questions import read, shown
from bots.discord.render import LIMIT
from shared.chat import Attachment

ADDRESS = "https://cdn.discordapp.com/ephemeral-attachments/1/2/a%20b.pdf?ex=1&is=2&hm=3&"


def file(name: str, address: str = ADDRESS) -> Attachment:
    return Attachment(ref=address, name=name, media_type="application/pdf", size=7)


@given(st.text(max_size=300))
@settings(deadline=None)
def test_a_question_can_be_read_back(question: str) -> None:
    found = read(shown(question, [file("plan.pdf")]))
    assert found is not None
    text, [attachment] = found
    assert text == "\n".join(question.strip().splitlines()).strip()
    assert (attachment.ref, attachment.name, attachment.media_type) == (ADDRESS, "a b.pdf", "application/pdf")


@given(st.text(max_size=3000), st.text(max_size=100))
@settings(deadline=None)
def test_what_is_shown_fits_into_a_message_and_every_line_is_a_quote_or_a_file(question: str, name: str) -> None:
    text = shown(question, [file(name)] * 5)
    assert len(text) <= LIMIT
    assert all(line.startswith((">", "-# [")) for line in text.split("\n"))


def test_a_question_cannot_pass_for_a_file() -> None:
    found = read(shown("what is\n-# [x](<https://cdn.discordapp.com/x>)"))
    assert found == ("what is\n-# [x](<https://cdn.discordapp.com/x>)", ())


def test_a_file_cannot_be_named_so_that_it_looks_like_another() -> None:
    assert shown("?", [file("a](<https://evil.example/>) [b")]) == f"> ?\n-# [a___https___evil.example___ _b](<{ADDRESS}>)"


def test_other_texts_are_no_questions() -> None:
    assert read("") is None
    assert read("an answer\n> with a quote") is None
