"""Texts as trees: what each platform's markup becomes, and that nothing else ever comes of a text."""

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.page import entities, markup
from tests.sandbox.page.visitor import words

NAMES = {"@1": "@Ada", "#2": "#general"}
MARKDOWN = markup.Dialect(
    markup.MARKDOWN, NAMES.get, headings=6, lists=True, tables=True, rules=True, links=True, escapes=True
)  # fmt: skip
DISCORD = markup.Dialect(
    markup.DISCORD, NAMES.get, quote="> ", headings=3, lists=True, links=True, small=True, escapes=True
)  # fmt: skip
MRKDWN = markup.Dialect(markup.MRKDWN, NAMES.get, quote="&gt; ?", entities=True)
SPANS = {"strong", "em", "u", "s", "code", "small", "a", "mention", "spoiler", "span"}
LINES = {"p", "pre", "quote", "hr", "ul", "ol", "li", "table", "tr", "th", "td", *(f"h{level}" for level in range(1, 7))}


def short(nodes: list[Any]) -> str:
    """A tree in one line: kind(content)."""
    return " ".join(repr(each) if isinstance(each, str) else f"{each['t']}({short(each.get('c', []))})" for each in nodes)


def line(text: str, dialect: markup.Dialect = DISCORD) -> str:
    return short(markup.inline(text, dialect))


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("plain", "'plain'"),
        ("a **b** c", "'a ' strong('b') ' c'"),
        ("*i* _i_ __u__ ~~s~~ ||x||", "em('i') ' ' em('i') ' ' u('u') ' ' s('s') ' ' spoiler('x')"),
        ("***both***", "strong(em('both'))"),
        ("**a *b* c**", "strong('a ' em('b') ' c')"),
        ("snake_case_name and 2 * 3 * 4", "'snake_case_name and 2 * 3 * 4'"),
        ("**open and *half", "'**open and *half'"),
        (r"\*no\* \_no\_", "'*no* _no_'"),
        ("`**code**` ``a`b``", "code('**code**') ' ' code('a`b')"),
        ("hi <@1> in <#2>, <@9>", "'hi ' mention('@Ada') ' in ' mention('#general') ', <@9>'"),
        ("[**here**](https://a.example/x_(y))", "a(strong('here'))"),
        ("https://a.example/b_c_d, and", "a('https://a.example/b_c_d') ', and'"),
        ("<https://a.example>", "a('https://a.example')"),
        ("[x](javascript:alert(1))", "'[x](javascript:alert(1))'"),
        ("[x](data:text/html,1) <javascript:alert(1)>", "'[x](data:text/html,1) <javascript:alert(1)>'"),
        ("<script>alert(1)</script>", "'<script>alert(1)</script>'"),
    ],
)
def test_what_discord_knows_within_a_line(text: str, tree: str) -> None:
    assert line(text) == tree


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("*b* _i_ ~s~ `c`", "strong('b') ' ' em('i') ' ' s('s') ' ' code('c')"),
        ("a &lt;b&gt; &amp;amp;", "'a <b> &amp;'"),
        ("<https://a.example/?a=1&amp;b=2|the &lt;label&gt;>", "a('the <label>')"),
        ("<https://a.example>", "a('https://a.example')"),
        ("<javascript:alert(1)|x>", "'<javascript:alert(1)|x>'"),
        ("**not** bold", "'**not** bold'"),
        ("[no](https://a.example)", "'[no](https://a.example)'"),
    ],
)
def test_what_slack_s_mrkdwn_knows(text: str, tree: str) -> None:
    assert line(text, MRKDWN) == tree


def test_blocks_of_slack_s_mrkdwn() -> None:
    assert short(markup.tree("&gt; a &lt; b\n&gt;c\nd", MRKDWN)) == "quote(p('a < b\\nc')) p('d')"
    assert short(markup.tree("```py\na &lt; *b*```", MRKDWN)) == "pre('py\\na < *b*')"
    assert short(markup.tree("# a\n- b", MRKDWN)) == "p('# a\\n- b')"


def test_an_address_of_slack_is_unescaped() -> None:
    [node] = markup.inline("<https://a.example/?a=1&amp;b=2|x>", MRKDWN)
    assert node["href"] == "https://a.example/?a=1&b=2"


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("one\ntwo\n\nthree", "p('one\\ntwo') p('three')"),
        ("# A\n## B\n### C\n#### D", "h1('A') h2('B') h3('C') p('#### D')"),
        ("#tag", "p('#tag')"),
        ("-# small", "small('small')"),
        ("> a\n> **b**\nc", "quote(p('a\\n' strong('b'))) p('c')"),
        (">no\n>>> a\n\nb", "p('>no') quote(p('a') p('b'))"),
        ("```js x\ny```z", "pre('x\\ny') p('z')"),
        ("- a\n- b\n  - c\n- d", "ul(li('a') li('b' ul(li('c'))) li('d'))"),
        ("3. a\n4. b", "ol(li('a') li('b'))"),
        ("```py\nx = '**'\n```\nafter", "pre(\"x = '**'\") p('after')"),
        ("```\nno end", "pre('no end')"),
        ("a\n```one line```", "p('a') pre('one line')"),
        ("---", "p('---')"),
        ("| a | b |\n|---|---|\n| 1 | 2 |", "p('| a | b |\\n|---|---|\\n| 1 | 2 |')"),
    ],
)
def test_what_discord_knows_of_blocks(text: str, tree: str) -> None:
    assert short(markup.tree(text, DISCORD)) == tree


def test_what_markdown_knows_beyond_that() -> None:
    table = "| a | b |\n|---|:-:|\n| 1 | **2** |"
    assert short(markup.tree(table, MARKDOWN)) == "table(tr(th('a') th('b')) tr(td('1') td(strong('2'))))"
    assert short(markup.tree("---\n#### D\n__b__", MARKDOWN)) == "hr() h4('D') p(strong('b'))"


def test_a_list_begins_with_its_number_and_code_has_its_language() -> None:
    [numbered] = markup.tree("7. a", DISCORD)
    [code] = markup.tree("```rust\nfn\n```", DISCORD)
    assert (numbered["start"], code["lang"]) == (7, "rust")


@pytest.mark.parametrize(
    ("text", "spans", "tree"),
    [
        ("a bold b", [("bold", 2, 4)], "'a ' strong('bold') ' b'"),
        ("a bold b", [("italic", 2, 4), ("bold", 0, 8)], "strong('a ' em('bold') ' b')"),
        ("\U0001f600 x", [("bold", 3, 1)], "'\U0001f600 ' strong('x')"),
        ("a\ncode\nb", [("pre", 2, 4)], "'a' pre('code') 'b'"),
        ("quote\nb", [("blockquote", 0, 5)], "quote('quote') 'b'"),
        ("ab", [("bold", 0, 2), ("italic", 1, 5)], "strong('a' em('b'))"),
        ("ab", [("nonsense", 0, 2)], "span('ab')"),
        ("", [], ""),
    ],
)
def test_entities_of_telegram(text: str, spans: list[tuple[str, int, int]], tree: str) -> None:
    found = [{"type": kind, "offset": offset, "length": length} for kind, offset, length in spans]
    assert short(entities.tree(text, found)) == tree


def test_links_of_telegram_lead_only_to_web_pages() -> None:
    found = [{"type": "text_link", "offset": 0, "length": 1, "url": "javascript:alert(1)"}]
    assert short(entities.tree("a", found)) == "span('a')"
    found = [{"type": "text_link", "offset": 0, "length": 1, "url": "https://a.example"}]
    assert short(entities.tree("a", found)) == "a('a')"


SIGNS = st.text(st.sampled_from("*_~|`<>[]()#-+> \n\\!@1aä\U0001f600&;.:/") | st.characters(), max_size=80)
PIECES = st.sampled_from(["**", "```", "https://a.example/", "<@1>", "- ", "1. ", "| a |\n|--|\n", "[a](https://b)", "> ", "# "])
TEXTS = st.lists(SIGNS | PIECES, max_size=8).map("".join)


def checked(nodes: list[Any]) -> None:
    for each in nodes:
        if isinstance(each, str):
            assert each
            continue
        assert each["t"] in SPANS | LINES
        if "href" in each:
            assert each["href"].lower().startswith(("http://", "https://"))
        checked([one for one in each.get("c", []) if one])


@given(TEXTS, st.sampled_from([MARKDOWN, DISCORD, MRKDWN]))
def test_any_text_becomes_a_tree_of_known_kinds(text: str, dialect: markup.Dialect) -> None:
    tree = markup.tree(text, dialect)
    checked(tree)
    assert [each for each in words(tree) if each in "ä\U0001f600"] == [each for each in text if each in "ä\U0001f600"]


def test_the_words_of_a_tree_are_what_is_said_without_its_markup_and_what_it_hides() -> None:
    tree = markup.tree("# A *title*\n**Ada** asks:\n> one\n- two\n- three ||four||", DISCORD)
    assert markup.words(tree).split() == ["A", "title", "Ada", "asks:", "one", "two", "three", "(spoiler)"]


OFFSETS = st.integers(0, 30)
ENTITIES = st.tuples(st.sampled_from(["bold", "pre", "text_link", "blockquote", "x"]), OFFSETS, OFFSETS)


@given(st.text(st.sampled_from("aä\n *1"), max_size=40), st.lists(ENTITIES, max_size=6))
def test_any_entities_become_a_tree_that_keeps_the_text(text: str, spans: list[tuple[str, int, int]]) -> None:
    found = [{"type": kind, "offset": offset, "length": length} for kind, offset, length in spans]
    tree = entities.tree(text, found)
    checked(tree)
    assert [each for each in words(tree) if each.isalnum()] == [each for each in text if each.isalnum()]


@pytest.mark.parametrize("unit", ["*a ", "**a_", "`", "[", "[a](", "<", "> ", "_ _", "||", "- \n", "```", "~~*_", "h", "|-"])
def test_a_text_made_to_take_long_takes_no_time(unit: str) -> None:
    text = (unit * 12_000)[:12_000]
    began = time.process_time()
    for dialect in (MARKDOWN, DISCORD, MRKDWN):
        markup.tree(text, dialect)
    assert time.process_time() - began < 2.0
