from __future__ import annotations

import unicodedata
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.markdown import is_blank
from shared.split import Splitter, split

Fits = Callable[[str], bool]

FRAGMENTS = [
    "word ",
    "word",
    "A sentence. ",
    "\n",
    "\n\n",
    "# Title\n",
    "```py\n",
    "```",
    "```\n",
    "~~~~ sh x=1\n",
    "~~~~\n",
    "  ```\n",
    "> quoted ",
    "> ```c\n",
    "- item ",
    "1. one\n",
    "| a | b |\n",
    "|---|---|\n",
    "| 1 | 2 |\n",
    "**bold",
    "**",
    "*",
    "_",
    "~~",
    "||",
    "`code x`",
    "`",
    "[label](https://example.org/a_b)",
    "[half](ht",
    "https://example.org/long/path ",
    "<@12>",
    "@everyone ",
    "👩‍👩‍👧",
    "🇩🇪",
    "é",
    "e\u0301",
    "漢字。",
    "\u200b",
    "\u202e",
    "\x00",
    "\r\n",
    "    ",
    "\t",
    "\ud800",
    "    x = 1\n",
    "\\",
    "---\n",
]
TEXTS = st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.text(max_size=8)), max_size=40).map("".join)


def by_length(limit: int) -> Fits:
    return lambda text: len(text) <= limit


def by_utf16(limit: int) -> Fits:
    return lambda text: len(text.encode("utf-16-le", "surrogatepass")) // 2 <= limit


def by_lines(limit: int) -> Fits:
    return lambda text: len(text) <= 12 * limit and text.count("\n") < limit


def by_weight(limit: int) -> Fits:
    return lambda text: len(text) + 3 * sum(map(text.count, "<>&*`")) <= limit


FITS = st.one_of(
    st.integers(5, 120).map(by_length),
    st.integers(5, 120).map(by_utf16),
    st.integers(2, 9).map(by_lines),
    st.integers(8, 90).map(by_weight),
)


def is_closing_line(text: str) -> bool:
    bare = text.strip().lstrip("> \t")
    return len(bare) >= 3 and set(bare) in ({"`"}, {"~"})


@given(TEXTS, FITS)
@settings(max_examples=400, deadline=None)
def test_every_part_fits_and_shows_something_and_nothing_is_lost(text: str, fits: Fits) -> None:
    splitter = Splitter(fits)
    pieces = splitter.pieces(text)
    parts = splitter.parts(text)
    assert [piece.shown(text) for piece in pieces] == list(parts)
    assert all(fits(part) and not is_blank(part) for part in parts)
    at = 0
    for piece in pieces:
        skipped = text[at : piece.start]
        assert is_blank(skipped) or is_closing_line(skipped)
        assert piece.end > piece.start
        at = piece.end
    assert is_blank(text[at:]) or is_closing_line(text[at:])


@given(TEXTS, FITS)
@settings(max_examples=150, deadline=None)
def test_a_part_with_a_successor_never_changes_as_the_text_grows(text: str, fits: Fits) -> None:
    whole = split(text, fits)
    for size in range(len(text) + 1):
        settled = split(text[:size], fits)[:-1]
        assert settled == whole[: len(settled)]


@given(TEXTS, FITS, st.data())
@settings(max_examples=200, deadline=None)
def test_a_text_that_grows_in_steps_is_cut_like_the_whole(text: str, fits: Fits, data: st.DataObject) -> None:
    splitter = Splitter(fits)
    for step in sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=12))):
        assert list(splitter.parts(text[:step])) == split(text[:step], fits)
    assert list(splitter.parts(text)) == split(text, fits)


async def test_a_text_that_is_no_extension_starts_anew() -> None:
    splitter = Splitter(by_length(10))
    assert len(splitter.parts("one two three four")) == 2
    assert list(splitter.parts("other")) == ["other"]


async def test_an_empty_or_invisible_text_has_no_part() -> None:
    assert split("", by_length(5)) == []
    assert split(" \n\u200b\u202e" * 100, by_length(5)) == []


async def test_a_platform_that_takes_nothing_is_an_error() -> None:
    with pytest.raises(ValueError, match="not even one character"):
        split("text", lambda text: not text)


CODE = "\n".join(f"    line_{number} = {number}" for number in range(40))


@pytest.mark.parametrize(
    ("opening", "closing"),
    [("```py", "```"), ("~~~~ sh title=x", "~~~~"), ("  ````c", "  ````"), ("> ```js", "> ```"), ("```", "```")],
)
async def test_a_fence_is_closed_at_a_cut_and_reopened_with_its_info_string(opening: str, closing: str) -> None:
    code = CODE if ">" not in opening else CODE.replace("    line", "> line")
    parts = split(f"Before.\n\n{opening}\n{code}\n{closing}\n\nAfter.", by_length(200))
    assert len(parts) > 3
    shown: list[str] = []
    for part, following in pairwise(parts):
        assert part.endswith("\n" + closing) or part == "Before."
        if "line_" in following:
            assert following.startswith((opening + "\n", opening.lstrip() + "\n"))
    for part in parts:
        shown += [line for line in part.split("\n") if "line_" in line]
    assert "\n".join(shown) == code


async def test_the_head_of_a_table_does_not_stay_behind_without_a_row() -> None:
    text = f"Intro.\n\n| {'a' * 20} | b |\n|{'-' * 22}|---|\n| {'c' * 40} | d |"
    assert split(text, by_length(70))[0] == "Intro."


async def test_an_info_string_that_takes_much_of_a_part_is_not_repeated() -> None:
    for info, again in (("x" * 15, "x" * 15), ("x" * 40, "")):
        parts = split(f"```{info}\n" + "aaaa\n" * 40 + "```", by_length(100))
        assert all(part.startswith(f"```{again}\naaaa") for part in parts[1:])


async def test_a_cut_just_before_a_closing_fence_makes_no_empty_code_block() -> None:
    text = "```\n" + "aaaa\n" * 6 + "``````````\nafter"
    assert split(text, by_length(40)) == ["```\n" + "aaaa\n" * 6 + "```", "after"]


async def test_a_line_that_seemed_to_close_a_fence_may_turn_out_to_be_code() -> None:
    splitter = Splitter(by_length(40))
    text = "```\n" + "aaaa\n" * 6 + "```x\nc\n```\nafter"
    for size in range(len(text) + 1):
        assert list(splitter.parts(text[:size])) == split(text[:size], by_length(40))
    assert splitter.parts(text)[1] == "```\n```x\nc\n```\nafter"


@pytest.mark.parametrize(
    ("text", "limit", "parts"),
    [
        ("One two three.\n\n# Title\n\nMore text here", 30, ["One two three.", "# Title\n\nMore text here"]),
        ("One two.\nThree four.\n\nFive six seven", 30, ["One two.\nThree four.", "Five six seven"]),
        ("One two three four\nfive six. Seven eight", 34, ["One two three four", "five six. Seven eight"]),
        ("One two three. Four five six seven", 22, ["One two three.", "Four five six seven"]),
        ("One two three four five", 15, ["One two three", "four five"]),
        ("wordwithoutanyspace", 10, ["wordwithou", "tanyspace"]),
        ("See the `inline code` now", 18, ["See the", "`inline code` now"]),
        ("See it [the label](http://a.b) x", 24, ["See it", "[the label](http://a.b)", "x"]),
        ("Please see https://example.org/abc", 26, ["Please see", "https://example.org/abc"]),
        ("Plain words **bold words** end", 24, ["Plain words", "**bold words** end"]),
        ("**one two three four five six**", 20, ["**one two three**", "**four five six**"]),
        ("one two three # four five", 15, ["one two", "three # four", "five"]),
        ("One two three four five [the long label](http://a.b)", 30, ["One two three four five", "[the long label](http://a.b)"]),
    ],
)
async def test_a_cut_prefers_the_border_that_hurts_least(text: str, limit: int, parts: list[str]) -> None:
    assert split(text, by_length(limit)) == parts


async def test_a_heading_is_not_left_alone_at_the_end_of_a_part() -> None:
    parts = split("Some text before it.\n\n## Title\n\n" + "word " * 6, by_length(40))
    assert parts[1].startswith("## Title\n\nword")
    parts = split("Hi there.\n\n## A rather long title of a section\n\nword word word word", by_length(60))
    assert parts[0].endswith("section\n\nword word")


TABLE = "| name | value |\n|---|---|\n" + "".join(f"| row {number} | {number} |\n" for number in range(20))


async def test_a_table_moves_whole_to_the_next_part() -> None:
    table = "\n".join(TABLE.split("\n")[:8])
    for words in (5, 20):
        parts = split("word " * words + "\n\n" + table, by_length(len(table) + 10))
        assert parts[-1] == table


async def test_a_table_that_fits_nowhere_is_cut_between_rows_under_its_header() -> None:
    parts = split(TABLE, by_length(120))
    assert len(parts) > 2
    assert all(part.startswith("| name | value |\n|---|---|\n| row ") for part in parts)
    assert [line for part in parts for line in part.split("\n") if line.startswith("| row")] == TABLE.strip().split("\n")[2:]


@pytest.mark.parametrize(
    "cluster", ["👩‍👩‍👧", "🇩🇪", "e\u0301\u0302", "👍🏽", "\u1112\u1161\u11ab", "1\ufe0f\u20e3", "🏴\U000e0067\U000e007f"]
)
async def test_a_cut_never_tears_a_character_that_people_see_as_one(cluster: str) -> None:
    for limit in range(9, 15):
        parts = split(cluster * 20, by_length(limit))
        assert "".join(parts) == cluster * 20
        assert all(part == cluster * (len(part) // len(cluster)) for part in parts)


async def test_what_people_see_as_one_sign_stays_whole_where_nothing_else_can_be_kept() -> None:
    code = f"```{'x' * 33}\n``"
    assert split(f"{code}👩‍👩‍👧 end", by_length(40)) == [code, "👩‍👩‍👧 end"]


async def test_lone_marks_still_move_on() -> None:
    text = "\u0301" * 50
    assert unicodedata.category(text[0]) == "Mn"
    assert "".join(split(text, by_length(5))) == text


def test_a_part_is_not_cut_before_what_was_shown_of_it() -> None:
    def fits(text: str) -> bool:
        return len(text) <= 40

    text = "A first paragraph.\n\nAnother one, which is"
    assert Splitter(fits).parts(text)[0] == "A first paragraph."
    splitter = Splitter(fits)
    splitter.parts(text[:35])
    splitter.hold(text[:31])
    assert splitter.parts(text) == ["A first paragraph.\n\nAnother one, which", "is"]


def test_what_was_shown_stays_in_its_part_though_the_text_after_it_is_another() -> None:
    splitter = Splitter(lambda text: len(text) <= 40)
    text = "A first paragraph.\n\nAnother one, whi"
    splitter.parts(text)
    splitter.hold(text[:31])
    assert splitter.parts("A first paragraph.\n\nAnother one, and more") == ["A first paragraph.\n\nAnother one, and", "more"]


def test_what_was_once_to_be_shown_stays_held() -> None:
    splitter = Splitter(lambda text: len(text) <= 40)
    text = "A first paragraph.\n\nAnother one, which is"
    splitter.parts(text[:35])
    splitter.hold(text[:31])
    splitter.hold(text[:10])
    assert splitter.parts(text) == ["A first paragraph.\n\nAnother one, which", "is"]


def test_a_part_is_not_ended_within_what_was_put_before_it() -> None:
    splitter = Splitter(lambda text: len(text) <= 20)
    assert splitter.parts("**one two three four fi")[-1] == "**four fi"
    assert not splitter.end(0, anywhere=True)
    assert not splitter.end(2, anywhere=True)
    assert splitter.parts("**one two three four fi") == ["**one two three**", "**four fi"]


def test_what_was_to_be_shown_is_held_as_far_as_the_text_after_it_is_the_same() -> None:
    splitter = Splitter(lambda text: len(text) <= 40)
    text = "A first paragraph.\n\nAnother one, whi"
    splitter.parts(text)
    splitter.hold(text)
    splitter.hold(text[:31])
    assert splitter.parts("A first paragraph.\n\nAnother one, and more") == ["A first paragraph.\n\nAnother one, and", "more"]


def test_a_part_can_be_ended_at_the_end_of_a_line_and_stays_so() -> None:
    splitter = Splitter(lambda text: len(text) <= 1000)
    text = "One line\nand ano"
    splitter.parts(text)
    assert splitter.end(len("One line\nand "), anywhere=False)
    assert (splitter.parts(text), splitter.settled) == (["One line", "and ano"], 1)
    assert splitter.parts(f"{text}ther.") == ["One line", "and another."]


def test_a_part_is_not_ended_within_a_line_unless_it_has_to_be() -> None:
    splitter = Splitter(lambda text: len(text) <= 1000)
    splitter.parts("One line and ano")
    assert not splitter.end(len("One line and "), anywhere=False)
    assert not splitter.end(len("One line and ano"), anywhere=True)
    assert splitter.end(len("One line and "), anywhere=True)
    assert splitter.parts("One line and another.") == ["One line and", "another."]


def test_code_is_closed_and_reopened_where_a_part_is_ended() -> None:
    splitter = Splitter(lambda text: len(text) <= 1000)
    code = "```py\n" + "a = 1\n" * 9
    splitter.parts(f"{code}b")
    splitter.hold("```py\na = 1")
    assert splitter.end(len(code), anywhere=False)
    assert splitter.parts(f"{code}b") == [f"{code}```", "```py\nb"]


def test_what_is_settled_stays_where_a_text_changes_only_after_it() -> None:
    splitter = Splitter(lambda text: len(text) <= 1000)
    splitter.parts("One line\nand another \n")
    assert splitter.end(len("One line\nand "), anywhere=False)
    assert splitter.parts("One line\nand another.") == ["One line", "and another."]
    assert splitter.parts("One LINE\nand another.") == ["One LINE\nand another."]
