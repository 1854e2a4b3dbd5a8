from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.heal import HEALED_AT_MOST, committed, heal

FRAGMENTS = [
    "word ",
    "word",
    ". ",
    "\n",
    "\n\n",
    "# Title\n",
    "#",
    "```py\n",
    "```",
    "``",
    "\n```\n",
    "~~~\n",
    "> q ",
    "> ```\n",
    "- ",
    "- item ",
    "1.",
    "| a | b |",
    "\n|---|---|\n",
    "|--",
    "|",
    "**",
    "*",
    "_",
    "__",
    "~~",
    "~",
    "||",
    "`",
    "`code`",
    "[",
    "]",
    "](",
    "[label](http://a.b)",
    "![alt](",
    ")",
    "<@1",
    "<@12>",
    "<",
    "</cmd ",
    "<t:1",
    "\\",
    "---",
    "2*3",
    "snake_case",
    "http://a.b/c_d",
    " ",
    '"t"',
    "\r\n",
    "\u200b",
]
TEXTS = st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.text(max_size=4)), max_size=16).map("".join)


@given(TEXTS)
@settings(max_examples=1500, deadline=None)
def test_healing_twice_is_healing_once_and_adds_little(text: str) -> None:
    healed = heal(text)
    assert heal(healed) == healed
    assert len(healed) <= len(text) + HEALED_AT_MOST


@given(TEXTS)
@settings(max_examples=600, deadline=None)
def test_what_is_committed_stays_as_the_text_grows(text: str) -> None:
    before = ""
    for size in range(len(text) + 1):
        now = committed(text[:size])
        assert text.startswith(now)
        assert now.startswith(before)
        before = now


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", ""),
        ("Some **bold", "Some **bold**"),
        ("Some **bold ", "Some **bold** "),
        ("Some **bold*", "Some **bold**"),
        ("Some **", "Some "),
        ("an *italic", "an *italic*"),
        ("an _italic", "an _italic_"),
        ("**bold _both", "**bold _both_**"),
        ("***both", "***both***"),
        ("~~gone", "~~gone~~"),
        ("gone ~", "gone "),
        ("||secret", "||secret||"),
        ("run `make", "run `make`"),
        ("run `", "run "),
        ("run ``a`", "run ``a``"),
        ("see [the page](htt", "see the page"),
        ("see [the pa", "see the pa"),
        ("see ![the picture](htt", "see the picture"),
        ("see [**the** page](htt", "see **the** page"),
        ("hello <@12", "hello "),
        ("hello </cmd", "hello "),
        ("hello <", "hello "),
        ("code:\n```py\nx = 1", "code:\n```py\nx = 1\n```"),
        ("code:\n```py\nx = 1\n", "code:\n```py\nx = 1\n```"),
        ("code:\n```py\nx = 1\n``", "code:\n```py\nx = 1\n```"),
        ("code:\n```py", "code:\n"),
        ("code:\n```py\n", "code:\n"),
        ("code:\n``", "code:\n"),
        ("~~~~\na\n~~~", "~~~~\na\n~~~~"),
        ("````\n```\nx", "````\n```\nx\n````"),
        ("> ```\n> a", "> ```\n> a\n> ```"),
        ("so:\n| a | b", "so:\n"),
        ("so:\n| a | b |\n", "so:\n"),
        ("so:\n| a | b |\n|--", "so:\n| a | b |\n|--"),
        ("so:\n| a | b |\n|---|--", "so:\n| a | b |\n|---|--"),
        ("so:\n| a | b |\n|", "so:\n"),
        ("text\n#", "text\n"),
        ("text\n-", "text\n"),
        ("text\n1.", "text\n"),
    ],
)
async def test_half_written_markup_is_never_shown_raw(text: str, shown: str) -> None:
    assert heal(text) == shown


COMPLETE = """# Title

A **bold** and *slanted* and __underlined__ and ~~gone~~ and ||secret|| word, `code`, ``co`de``, 2*3*4, snake_case_name,
a [link](https://example.org/a_(b) "title"), ![picture](https://example.org/p.png), <@12>, [1], a < b, 5 * 3.

- item *one*
* item two
1. item three
- [ ] task

> quoted **text**

| a | b |
|---|---|
| 1 | **2** |

```py
x = "**"
```

~~~~
```
~~~~

---
The end."""


async def test_complete_markdown_is_left_as_it_is() -> None:
    assert heal(COMPLETE) == COMPLETE
    blocks = COMPLETE.split("\n\n")
    for count in range(1, len(blocks) + 1):
        text = "\n\n".join(blocks[:count])
        assert heal(text) == text


async def test_no_beginning_of_a_text_shows_an_unpaired_marker() -> None:
    for size in range(len(COMPLETE)):
        healed = heal(COMPLETE[:size])
        prose = healed.split("```py")[0].split("\n\n")[-1]
        if "5 *" not in prose and "2*" not in prose and "* item" not in prose:
            assert prose.count("**") % 2 == 0
            assert prose.count("||") % 2 == 0
            assert prose.count("~~") % 2 == 0
        assert "](htt" not in prose or "org/" in prose


@pytest.mark.parametrize(
    ("text", "sure"),
    [
        ("Hello wor", "Hello "),
        ("Hello **wor", "Hello "),
        ("Hello **world** an", "Hello **world** "),
        ("Hello [a b](http://x) an", "Hello [a b](http://x) "),
        ("Hello [a b] an", "Hello [a b] "),
        ("One **two\n\nThree", "One **two\n\n"),
        ("# Title\n", "# Title\n"),
        ("```py\nx = ", "```py\nx = "),
        ("```py\nx\n``", "```py\nx\n"),
        ("```py\nx\n```", "```py\nx\n"),
        ("```py\nx\n```\n", "```py\nx\n```\n"),
        ("```py", ""),
        ("Text.\n| a | b |\n", "Text.\n"),
        ("Text.\n| a | b |\n|---|---|\n", "Text.\n| a | b |\n|---|---|\n"),
        ("Text.\n| a | b |\nno ", "Text.\n| a | b |\nno "),
        ("Text\n- ", "Text\n"),
        ("Ping <@1 ", "Ping <@1 "),
        ("Ping <@1", "Ping "),
    ],
)
async def test_only_what_can_no_longer_change_is_committed(text: str, sure: str) -> None:
    assert committed(text) == sure
