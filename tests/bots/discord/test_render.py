from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bots.discord.render import LIMIT, fits, render
from shared.heal import HEALED_AT_MOST, heal
from shared.markdown import is_blank
from shared.split import Splitter, split

ZW = "\u200b"
FRAGMENTS = [
    "word ",
    "word",
    "A sentence. ",
    "\n",
    "\n\n",
    "# Title\n",
    "#### Deep\n",
    "```py\n",
    "```",
    "\n```\n",
    "~~~\n",
    "> > quoted ",
    "- [x] done",
    "- item\n",
    "| a | b |\n",
    "|---|--:|\n",
    "| 1 | wide cell " + "w" * 50 + " |\n",
    "|x|\n",
    "**",
    "*",
    "`",
    "`code`",
    "[label](https://e.org/a)",
    "![alt](https://e.org/p.png)",
    "[paypal.com](https://evil.example)",
    "<@12>",
    "<@&1>",
    "@everyone",
    "@here",
    "</cmd:1>",
    "<t:1:R>",
    "<:x:1>",
    "👩‍👩‍👧",
    "漢字",
    "\u202e",
    "\u2066",
    "\u2069",
    "\x00",
    "\r\n",
    "\ud800",
    "    ",
    "---\n",
    "w" * 300,
    "<@" * 100,
    "| " * 60 + "\n",
]
TEXTS = st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.text(max_size=8)), max_size=40).map("".join)
LIVE = re.compile(r"<@[!&]?\d+>|<#\d+>|<a?:\w+:\d+>|<t:-?\d+(:\w)?>|<id:\w+>|</[\w -]+:\d+>|@everyone|@here")


@pytest.mark.parametrize(
    ("markdown", "shown"),
    [
        ("# One\n## Two\n### Three", "# One\n## Two\n### Three"),
        ("#### Four\n###### **Six** ##", "**Four**\n**Six**"),
        ("#hashtag", "#hashtag"),
        ("a\n\n---\n\nb", "a\n\n───\n\nb"),
        ("> > deep\n>>> deeper\n> flat", "> deep\n> deeper\n> flat"),
        ("- [ ] open\n- [x] done\n  1. [X] too", "- ☐ open\n- ☑ done\n  1. ☑ too"),
        ("![a picture](https://e.org/p.png)", "[a picture](https://e.org/p.png)"),
        ("![](https://e.org/p.png)", "https://e.org/p.png"),
        ("[docs](https://e.org/a_(b))", "[docs](https://e.org/a_(b))"),
        ("[docs](/relative)", "docs (/relative)"),
        ("[docs](#part)", "docs"),
        ("[paypal.com](https://evil.example/x)", "paypal.com (https://evil.example/x)"),
        ("[https://paypal.com/a](https://evil.example)", "https://paypal.com/a (https://evil.example)"),
        ("[e.org](https://e.org/)", "[e.org](https://e.org/)"),
        (
            "[README.md](https://e.org/x) [Node.js](https://nodejs.org)",
            "[README.md](https://e.org/x) [Node.js](https://nodejs.org)",
        ),
        ("[see **www.bank.com**](https://evil.example)", "see **www.bank.com** (https://evil.example)"),
        ("[http://bank](https://evil.example)", "http://bank (https://evil.example)"),
        ("[bank.com](https://bank.com@evil.example/)", "bank.com (https://bank.com@evil.example/)"),
        ("<b>bold</b>", "<b>bold</b>"),
        ("~~~py title=x\n#### @everyone\n~~~", "```py\n#### @everyone\n```"),
        ("```py\n| a |\n|---|\n<@1>", "```py\n| a |\n|---|\n<@1>\n```"),
        ("a `<@1>` <@1>", f"a `<@1>` <{ZW}@1>"),
        ("a ` <@1>\n\n b `", f"a ` <{ZW}@1>\n\n b `"),
        ("nul \x00 esc \x1b surrogate \ud800 \u0085", "nul \ufffd esc \ufffd surrogate \ufffd \ufffd"),
        ("a\r\nb\rc", "a\nb\nc"),
        ("a \u202eb\nc\u202c \u2066d\u2069", "a \u202eb\u202c\nc \u2066d\u2069"),
        ("https://e.org/@here/x @here", f"https://e.org/%40here/x @{ZW}here"),
    ],
)
async def test_markdown_becomes_what_discord_shows(markdown: str, shown: str) -> None:
    assert render(markdown) == shown
    assert render(shown) == shown


@pytest.mark.parametrize(
    "live",
    [
        "<@1>",
        "<@!1>",
        "<@&1>",
        "<#1>",
        "</cmd sub:1>",
        "<t:1>",
        "<t:-1:R>",
        "<id:customize>",
        "<:x:1>",
        "<a:x:1>",
        "@everyone",
        "@here",
    ],
)
async def test_what_would_mention_or_command_reads_as_text(live: str) -> None:
    for text in (
        live,
        f"**{live}**",
        f"# {live}",
        f"> {live}",
        f"- {live}x",
        f"[{live}](https://e.org)",
        f"\\{live}",
        f"#### {live}",
    ):
        shown = render(text)
        assert not LIVE.search(shown)
        assert live in shown.replace(ZW, "")


async def test_a_table_is_aligned_in_a_code_fence() -> None:
    shown = render("So:\n| Name | **漢字** | n |\n|---|:--|--:|\n| `x` | é | 5 |\n| long | a\\|b | 10 |\nafter")
    assert shown == "So:\n```\nName │ 漢字 │  n\n─────┼──────┼───\nx    │ é    │  5\nlong │ a|b  │ 10\n```\nafter"
    assert render(shown) == shown


async def test_a_table_too_wide_becomes_a_list_and_keeps_every_cell() -> None:
    wide = "w" * 60
    shown = render(f"| Key | Value |\n|---|---|\n| a <@1> | {wide} |\n| b | {wide} | more |")
    assert shown == f"- Key: a <{ZW}@1>\n  Value: {wide}\n- Key: b\n  Value: {wide}\n  more"


@given(TEXTS)
@settings(max_examples=300, deadline=None)
def test_nothing_live_and_no_control_character_is_left_outside_code(text: str) -> None:
    shown = render(text)
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]", shown)
    if "`" not in text and "~~~" not in text and "|" not in text:
        assert not LIVE.search(shown)
    for line in shown.split("\n"):
        assert len(re.findall("[\u2066-\u2068]", line)) == line.count("\u2069")
        assert len(re.findall("[\u202a\u202b\u202d\u202e]", line)) == line.count("\u202c")


@given(TEXTS)
@settings(max_examples=200, deadline=None)
def test_what_stands_in_a_code_fence_is_never_changed(text: str) -> None:
    code = re.sub("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069`~]", "", text)
    assert render(f"```py\n{code}\n```") == f"```py\n{code}\n```"


@given(TEXTS)
@settings(max_examples=300, deadline=None)
def test_rendering_what_was_rendered_changes_nothing_more(text: str) -> None:
    once = render(text)
    assert render(render(once)) == render(once)


@given(st.lists(TEXTS, min_size=1, max_size=12).map("".join))
@settings(max_examples=150, deadline=None)
def test_every_part_of_any_text_fits_into_a_message_and_shows_something(text: str) -> None:
    for part in split(text, fits):
        assert len(render(part)) <= LIMIT
        assert not is_blank(render(part))


@given(st.lists(TEXTS, min_size=1, max_size=12).map("".join), st.data())
@settings(max_examples=100, deadline=None)
def test_a_part_once_settled_stays_even_where_rendering_shrinks(text: str, data: st.DataObject) -> None:
    splitter = Splitter(fits)
    settled: list[str] = []
    for step in sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=10))):
        parts = list(splitter.parts(text[:step]))
        assert parts[: len(settled)] == settled
        assert all(fits(part) for part in parts)
        settled = parts[:-1]


@given(st.lists(TEXTS, min_size=1, max_size=6).map("".join))
@settings(max_examples=300, deadline=None)
def test_a_text_fits_exactly_if_its_rendering_is_short_enough(text: str) -> None:
    size = LIMIT - len(render(text))
    for padded in (
        text,
        text + "w" * max(0, size - 1),
        text + "w" * max(0, size),
        text + "w" * max(0, size + 1),
        text * (1 + LIMIT // max(1, len(text))),
    ):
        assert fits(padded) == (len(render(padded)) <= LIMIT)


@pytest.mark.parametrize(
    "growing", ["<#1>", "<:x:1>", "@here", "https://e.org/@here", ">a\n", "\u202e\n", "- x ```c\n", "> ```c\n"]
)
async def test_a_text_that_rendering_makes_one_character_too_long_does_not_fit(growing: str) -> None:
    text = growing * 9
    room = LIMIT - len(render(text + "w")) + 1
    assert fits(text + "w" * room)
    assert not fits(text + "w" * (room + 1))


PARAGRAPH = (
    "Here is **some text** with `code`, a [link](https://example.org/page), and a list:\n\n- one item here\n- another *item*\n\n"
    "## Title\n\nMore words in a longer sentence, which says little. And one more, to be sure.\n\n"
    "```py\nfor x in y:\n    print(x)\n```\n\n"
)


async def test_hostile_texts_are_rendered_and_healed_without_hanging() -> None:
    hostile = [
        "`" * 3 + "a",
        "[",
        "](",
        "**a ",
        "<@",
        "|",
        "| a |\n|---|\n",
        "> " * 9,
        "- ",
        " ",
        "![a](",
        "`a``b```",
        "\u202e",
        "[a](" + "(",
        "_a ",
        "<t:",
    ]
    for text in hostile:
        size = 20_000
        started = time.thread_time()
        render(text * (size // len(text)))
        heal(text * (LIMIT // len(text)))
        assert time.thread_time() - started < 2, text


async def test_a_healed_preview_needs_only_a_little_more_room() -> None:
    text = PARAGRAPH * 100
    for part in split(text, lambda part: len(render(part)) + HEALED_AT_MOST <= LIMIT):
        assert len(render(heal(part))) <= LIMIT


async def test_a_long_answer_keeps_every_word_and_every_fence() -> None:
    text = PARAGRAPH * 100
    parts = split(text, fits)
    assert re.findall(r"\w+", "\n".join(parts)) == re.findall(r"\w+", text)
    assert all(part.count("```") % 2 == 0 for part in parts)
    assert len(parts) < 1.4 * len(text) / LIMIT


def test_a_table_whose_header_has_no_cell_is_still_laid_out() -> None:
    assert render("|\n|---|--:|\n| a | b |") == "```\n  │\n──┼──\na │ b\n```"
