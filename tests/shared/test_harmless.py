"""What others wrote does nothing in a sentence of ours."""

from hypothesis import given
from hypothesis import strategies as st

from shared.harmless import code, fenced, flat, plain

hostile = st.text(alphabet=st.sampled_from("a ``*_<@>|\\\n\r\t~#[]()\u202e\u200b\x00\ud800\u2066é")) | st.text()


@given(hostile)
def test_a_code_span_has_no_tick_inside_and_one_line(text: str) -> None:
    span = code(text)
    assert span[0] == span[-1] == "`"
    assert "`" not in span[1:-1]
    assert span[1:-1].strip()
    assert len(span.splitlines()) == 1
    assert len(span) <= 63


@given(hostile)
def test_a_code_block_ends_where_it_is_to_end(text: str) -> None:
    block = fenced(text)
    assert block.startswith("```\n")
    assert block.endswith("\n```")
    assert block.count("```") == 2


@given(hostile, st.integers(1, 50))
def test_a_flat_text_is_one_line_without_signs_that_cannot_be_seen(text: str, most: int) -> None:
    line = flat(text, most)
    assert len(line) <= most + 1
    assert not any(sign in line for sign in "\n\r\x00\u202e\u2066\u200b\ud800")


@given(hostile)
def test_a_plain_name_has_no_markup(name: str) -> None:
    assert plain(name)
    assert not any(sign in plain(name) for sign in "`*_<>@|\\\n~#[]()")


def test_signs_that_cannot_be_seen_do_not_hide_the_end_of_a_code_block() -> None:
    assert fenced("``\u200b`\n# @everyone") == "```\n'''\n# @everyone\n```"


def test_what_is_harmless_stays_as_it_is() -> None:
    assert code("how are you?") == "`how are you?`"
    assert fenced("Be brief.\n\n  Be kind.") == "```\nBe brief.\n\n  Be kind.\n```"
    assert plain("Ada Lovelace-King Jr.") == "Ada Lovelace-King Jr."
