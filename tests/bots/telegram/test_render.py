from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bots.telegram.pieces import units
from bots.telegram.render import ENTITIES, LIMIT, NOTHING, Rendered, fits, rendered
from sandbox.telegram.entities import formatted
from sandbox.telegram.entities import units as counted
from shared.heal import heal
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
    "#### Deep ##\n",
    "```py\n",
    "```",
    "\n```\n",
    "~~~ some info\n",
    "> > quoted ",
    "> ",
    "- [x] done",
    "- item\n",
    "12. numbered ",
    "- - - ",
    "| a | b |\n",
    "|---|--:|\n",
    "| 1 | wide cell " + "w" * 50 + " |\n",
    "|x|\n",
    "|",
    "**",
    "*",
    "_",
    "~~",
    "`",
    "``",
    "`code`",
    "[label](https://e.org/a)",
    "[label](https://e.org/" + "a" * 200 + ")",
    "[](https://e.org/a)",
    "![alt](https://e.org/p.png)",
    "[you](tg://user?id=5)",
    "[ref]: https://e.org/ref\n",
    "[ref]",
    "](",
    "https://e.org/_a_/*b*~c~&copy;",
    "<b>bold</b>",
    "<!-- comment -->",
    "<div>\n",
    "&lt;",
    "||",
    "$5 ",
    r"\(\alpha\)",
    "\\",
    "@ada_l",
    "a@e.org",
    "===\n",
    "---\n",
    "\t",
    "    ",
    "👩‍👩‍👧",
    "𝒳",
    "漢字",
    "\u202e",
    "\u2066",
    "\u0333",
    "\ufdd0",
    "\ufddf",
    "\ufdde",
    "\x00",
    "\r\n",
    "\r",
    "\ud800",
    "\u2028",
    "w" * 300,
    "> " * 40,
    "*a " * 60,
    "`c` " * 40,
]
BETWEEN = [
    " ",
    "\n",
    "\n\n",
    "\n- ",
    "\n> ",
    "\n# ",
    " **",
    " _",
    "`",
    " ~~",
    " <b>",
    "<!-- ",
    "\n1. ",
    "\n    ",
    " || ",
    "\n| ",
    " | ",
    "\n|---|--|\n| ",
    "\n```\n",
    "\n~~~ ",
    "```",
    "\n===\n",
    "\n---\n",
    "\n-\n",
    " [",
    "] ",
    "\n[a]: ",
    "$",
    "\\",
    "\\(",
    " @",
    "&",
    "\n> > - ",
    "- - > ",
    "\n> ```\n> ",
    " [](https://e.org/) ",
    "](",
]
TEXTS = st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.text(max_size=8)), max_size=40).map("".join)
LONG = st.lists(
    st.tuples(st.sampled_from(FRAGMENTS), st.integers(1, 12)).map(lambda each: each[0] * each[1]), min_size=10, max_size=120
).map("".join)
WORD = st.text("abcdefghijklmnopqrstuvwxyzäß漢𝒳", min_size=1, max_size=8)


def styled(markdown: str) -> list[tuple[str, str]]:
    """What is styled how."""
    shown = rendered(markdown)
    raw = shown.text.encode("utf-16-le")
    return [(each.type, raw[2 * each.offset : 2 * (each.offset + each.length)].decode("utf-16-le")) for each in shown.entities]


@pytest.mark.parametrize(
    ("markdown", "text", "styles"),
    [
        ("a **b** _c_ ~~d~~ `e`", "a b c d e", [("bold", "b"), ("italic", "c"), ("strikethrough", "d"), ("code", "e")]),
        ("# One\n#### Four `x` ##", "One\nFour x", [("bold", "One"), ("bold", "Four "), ("code", "x")]),
        ("Title\n=====", "Title\n=====", []),
        ("#hashtag\n#", "#hashtag\n#", []),
        ("a\n\n\n---\n\nb\nc", "a\n\n———\n\nb\nc", []),
        ("> a\n>> - b\n> c\nd", "a\n• b\nc\nd", [("blockquote", "a\n• b\nc")]),
        ("> ```py\n> > x\n> ```\n> y", "> x\ny", [("blockquote", "> x\ny"), ("pre", "> x")]),
        ("- a\n  - **b**\n\n    more\n3) c\n- [ ] d\n1. [x] e", "• a\n  • b\n\n    more\n3) c\n☐ d\n1. ☑ e", [("bold", "b")]),
        ("- - - x\n- > y", "• • • x\n• > y", []),
        ("1. a\n   ```py\n   x\n     y\n   ```\n2. b", "1. a\nx\n  y\n2. b", [("pre", "x\n  y")]),
        ("```py\n\tif a:\n```", "    if a:", [("pre", "    if a:")]),
        ("```py title=x\na\n```", "py title=x\na", [("pre", "a")]),
        ("a\n```\nopen **x**", "a\nopen **x**", [("pre", "open **x**")]),
        ("- ```\n  x\n  ```", "-\n  x", [("pre", "  x")]),
        ("[docs](https://e.org/a_(b)) x", "docs x", [("text_link", "docs")]),
        ("![a picture](https://e.org/p.png)", "a picture", [("text_link", "a picture")]),
        ("![](https://e.org/p.png) [ ](https://e.org/a_b_c)", "https://e.org/p.png https://e.org/a_b_c", []),
        ("[docs](/relative) [docs](#part) [x](tg://user?id=5)", "docs (/relative) docs x (tg://user?id=5)", []),
        ("see https://e.org/_a_/*b*?x=1&copy=2. **https://e.org**", "see https://e.org/_a_/*b*?x=1&copy=2. https://e.org", None),
        ("[1]: https://e.org\n[^2]: note", "[1]: https://e.org\n[^2]: note", []),
        ("<b>x</b> <!-- y -->\n<div>\nz", "<b>x</b> <!-- y -->\n<div>\nz", []),
        ("a || b || c, $5 and $6, $x_1$ `|$<`", "a || b || c, $5 and $6, $x_1$ |$<", [("code", "|$<")]),
        ("1 < 2 &lt;3 &amp; \\*x\\*", "1 < 2 <3 & *x*", []),
        ("nul \x00 esc \x1b surrogate \ud800 \u0085 \ufdd3", "nul � esc � surrogate � � �", []),
        ("a\r\nb\rc\u2028d \u202ee", "a\nb\nc\nd e", []),
        ("𝒳 **𝒳b** 👩‍👩‍👧 `c`", "𝒳 𝒳b 👩‍👩‍👧 c", [("bold", "𝒳b"), ("code", "c")]),
        ("**a `b` [c](https://e.org)**", "a b c", [("bold", "a "), ("code", "b"), ("text_link", "c"), ("bold", " c")]),
        ("# a `b` c", "a b c", [("bold", "a "), ("code", "b"), ("bold", " c")]),
        ("***a `b` c***", "a b c", [*((kind, part) for kind in ("bold", "italic") for part in ("a ", " c")), ("code", "b")]),
    ],
)
async def test_markdown_becomes_a_text_and_entities(markdown: str, text: str, styles: list[tuple[str, str]] | None) -> None:
    assert rendered(markdown).text == text
    if styles is not None:
        assert sorted(styled(markdown)) == sorted(styles)


async def test_the_language_of_code_and_the_address_of_a_link_are_kept() -> None:
    shown = rendered("```c++\nx\n```\n[a](https://e.org/?a=1&b=2_3)")
    assert [(each.type, each.language, each.url) for each in shown.entities] == [
        ("pre", "c++", None),
        ("text_link", None, "https://e.org/?a=1&b=2_3"),
    ]


@pytest.mark.parametrize(
    ("markdown", "text"),
    [
        ("hi @ada, (@ben) **@cle**/@dan", f"hi @{ZW}ada, (@{ZW}ben) @{ZW}cle/@{ZW}dan"),
        ("`@ada` a@e.org https://e.org/@ada @ 5", "@ada a@e.org https://e.org/@ada @ 5"),
        ("https://e.org/x)@ada https://e.org,@ben", f"https://e.org/x)@{ZW}ada https://e.org,@{ZW}ben"),
        ("```\n@ada\n```\n# @ben", f"@ada\n@{ZW}ben"),
        ("\\@ada &#64;ben", f"@{ZW}ada @{ZW}ben"),
        ("| @a1 |\n|---|\n| b |", f"@{ZW}a1\n───\nb"),
    ],
)
async def test_a_name_after_an_at_sign_notifies_nobody(markdown: str, text: str) -> None:
    shown = rendered(markdown)
    if "|" not in markdown:
        assert shown.text == text
    _, found = formatted(shown.text, [each._asdict() for each in shown.entities])
    assert "mention" not in {each["type"] for each in found}


async def test_a_table_is_aligned_and_a_wide_one_becomes_a_list() -> None:
    narrow = "| Name | 漢字 | n |\n|---|:--|--:|\n| **a** | x | 1 |\n| [b](https://e.org) | 漢 | 222 |\nafter"
    shown = rendered(narrow)
    assert shown.text.split("\n") == [
        "Name              │ 漢字 │   n",
        "──────────────────┼──────┼────",
        "a                 │ x    │   1",
        "b (https://e.org) │ 漢   │ 222",
        "after",
    ]
    assert [(each.type, each.offset) for each in shown.entities] == [("pre", 0)]
    wide = "| Name | What it is |\n|---|---|\n| **a** | " + "long " * 10 + "|\n| b | c | d |"
    assert rendered(wide).text.split("\n") == [
        "• Name: a",
        "  What it is: long long long long long long long long long long",
        "• Name: b",
        "  What it is: c",
        "  d",
    ]


@pytest.mark.parametrize("markdown", ["", " \n", "\u200b\ufeff", "\u2800", "```\n```", "\u202e", "> "])
async def test_a_text_with_nothing_to_see_is_shown_as_a_sign(markdown: str) -> None:
    assert rendered(markdown) == Rendered(NOTHING) or rendered(markdown).text.strip() == ">"


@given(TEXTS)
@settings(max_examples=200, deadline=None)
def test_telegram_takes_every_text_as_it_is_rendered(markdown: str) -> None:
    shown = rendered(markdown)
    text, found = formatted(shown.text, [{k: v for k, v in each._asdict().items() if v is not None} for each in shown.entities])
    assert text
    assert "mention" not in {each["type"] for each in found}
    text.encode()
    for each in shown.entities:
        assert each.length > 0
        assert each.type in ("bold", "italic", "strikethrough", "code", "pre", "blockquote", "text_link")
        assert (each.url is not None) == (each.type == "text_link")
    assert units(shown.text) == counted(shown.text)


@given(TEXTS)
@settings(max_examples=200, deadline=None)
def test_what_fits_is_short_enough(markdown: str) -> None:
    shown = rendered(markdown)
    if fits(markdown):
        assert counted(shown.text) <= LIMIT
        assert len(shown.entities) <= ENTITIES


@given(LONG)
@settings(max_examples=50, deadline=None)
def test_every_beginning_of_a_text_that_fits_does_so_too(markdown: str) -> None:
    low, high = 0, len(markdown)
    known = [fits(markdown[:end]) for end in range(0, len(markdown) + 1, 1 if len(markdown) < 300 else 41)]
    assert known == sorted(known, reverse=True)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(markdown[:middle]) else (low, middle)
    near = [fits(markdown[:end]) for end in range(max(0, low - 40), min(len(markdown), low + 40))]
    assert near == sorted(near, reverse=True)
    shown = rendered(markdown[:low])
    assert counted(shown.text) <= LIMIT
    assert len(shown.entities) <= ENTITIES


@given(st.lists(st.tuples(WORD, st.sampled_from(BETWEEN))))
@settings(max_examples=200, deadline=None)
def test_every_word_is_shown_in_its_order(parts: list[tuple[str, str]]) -> None:
    # Of code that has not begun yet nothing is shown.
    shown = rendered("".join(before + word for word, before in parts) + "\nend")
    text = shown.text.encode("utf-16-le")
    # Telegram shows the language of code above it.
    for each in sorted(shown.entities, key=lambda each: -each.offset):
        if each.language:
            text = text[: 2 * each.offset] + f" {each.language} ".encode("utf-16-le") + text[2 * each.offset :]
    seen, at = text.decode("utf-16-le"), 0
    for word, _ in parts:
        at = seen.find(word, at)
        assert at >= 0
        at += len(word)


@given(LONG)
@settings(max_examples=60, deadline=None)
def test_a_text_is_cut_into_parts_that_fit(markdown: str) -> None:
    parts = split(markdown, fits)
    assert all(fits(part) and not is_blank(part) for part in parts)
    for part in parts:
        shown = rendered(heal(part))
        assert counted(shown.text) <= LIMIT + 200


async def test_a_growing_text_is_cut_as_the_whole_one() -> None:
    text = "\n\n".join(f"Paragraph {n} with **bold** words and [a link](https://e.org/{n}). " * 4 for n in range(40))
    splitter = Splitter(fits)
    for end in range(0, len(text), 97):
        splitter.parts(text[:end])
    assert list(splitter.parts(text)) == split(text, fits)


async def test_markup_that_is_not_shown_does_not_count() -> None:
    sources = "\n".join(f"- [source {n}](https://example.org/{'x' * 150})" for n in range(80))
    assert units(sources) > 3 * LIMIT
    assert fits(sources)
    assert units(rendered(sources).text) < 1200
    assert fits("𝒳" * (LIMIT // 2))
    assert not fits("𝒳" * (LIMIT // 2) + "a")
    assert fits("a" * LIMIT)
    assert not fits("a" * (LIMIT + 1))


async def test_a_text_with_more_entities_than_telegram_takes_does_not_fit() -> None:
    assert fits("- **a**\n" * ENTITIES)
    assert not fits("- **a**\n" * (ENTITIES + 1))
    assert not fits("**a** " * (ENTITIES + 1))
    assert not fits("- https://e.org\n" * (ENTITIES + 1))
    assert fits("```\n" + "a_b * `x` # y\n" * 120 + "```")


@pytest.mark.parametrize(
    "sign", ["[", "> ", "- ", "*", "_", "**a ", "`", "(", "~~", "![", "<", "||", "|", "- > ", "# - ", "1. ", "\\(", "{"]
)
async def test_deep_nesting_is_taken_in_good_time(sign: str) -> None:
    markdown = (sign * 16_000)[:16_000]
    began = time.thread_time()
    rendered(markdown)
    fits(markdown)
    assert time.thread_time() - began < 2.0


async def test_a_long_text_is_rendered_fast() -> None:
    paragraph = (
        "The **quick** brown fox jumps over the `lazy` dog, and [more](https://e.org/{0}) words follow it here, number {0}.\n"
    )
    text = "\n".join(("- " if n % 3 else "\n") + paragraph.format(n) for n in range(140))[:16_000]
    rendered(text)
    best = 1.0
    for n in range(5):
        began = time.thread_time()
        rendered(text + f" end {n}")
        best = min(best, time.thread_time() - began)
    assert best < 0.03  # 2 ms alone on the machine


def test_the_address_of_a_link_may_stand_in_angle_brackets() -> None:
    shown = rendered("See [1](<https://one.example/a_(b)>), not `[2](<https://two.example>)`.")
    assert shown.text == "See 1, not [2](<https://two.example>)."
    assert [(each.type, each.url) for each in shown.entities] == [
        ("text_link", "https://one.example/a_%28b%29"),
        ("code", None),
    ]
