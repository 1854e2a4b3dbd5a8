"""Long code goes into files, also while the text grows."""

import re

from hypothesis import example, given, settings
from hypothesis import strategies as st

from shared.folding import LEEWAY, Code, Folded, fold

CODE = "\n".join(f"line {number:04}" for number in range(100))


def test_a_block_over_the_size_shows_its_beginning_and_says_where_the_whole_is() -> None:
    folded = fold(f"Here:\n\n```python\n{CODE}\n```\n\nThat is it.", 30)
    assert folded.text == (
        "Here:\n\n```python\nline 0000\nline 0001\nline 0002\nline 0003\n```\n\n"
        "*The whole code is in “code-1.py” below.*\n\nThat is it."
    )
    assert folded.codes == (Code("code-1.py", f"{CODE}\n"),)


def test_short_code_no_code_and_no_limit_leave_the_text_as_it_is() -> None:
    for text in ("plain", "```py\nx = 1\n```\n\ntext", "a ``` b"):
        assert fold(text, 30) == Folded(text)
    assert fold(f"```\n{CODE}\n```", 0) == Folded(f"```\n{CODE}\n```")


def test_quoted_code_stays() -> None:
    quoted = "> ```py\n" + "\n".join(f"> {line}" for line in CODE.splitlines()) + "\n> ```"
    assert fold(quoted, 30) == Folded(quoted)


def test_a_file_is_named_by_its_language_and_never_by_the_models_words() -> None:
    for info, name in (
        ("rust", "code-1.rs"), ("C++ title=x", "code-1.cpp"), ("TypeScript", "code-1.ts"), ("../../etc/passwd", "code-1.txt"),
        ("exe", "code-1.txt"), ("", "code-1.txt"), ("x" * 500, "code-1.txt"),
    ):  # fmt: skip
        assert fold(f"```{info}\n{CODE}\n```", 30).codes[0].name == name


def test_each_block_has_a_file_of_its_own() -> None:
    folded = fold(f"```py\n{CODE}\n```\n```js\nshort\n```\n~~~go\n{CODE}", 30)
    assert [code.name for code in folded.codes] == ["code-1.py", "code-2.go"]
    assert "```js\nshort\n```" in folded.text


def test_one_endless_line_is_cut_too() -> None:
    folded = fold(f"```\n{'x' * 1000}\n```", 30)
    assert folded.text.count("x") == 30 + LEEWAY + ".txt".count("x")
    assert folded.codes[0].text == "x" * 1000 + "\n"


pieces = st.sampled_from(
    ["```py\n", "```\n", "~~~\n", "\n", "word ", "x" * 7, "`", "``", "text\n\n", "> quote\n", "- item\n", "> ", "> ```\n"]
)


@example("```\n0\n> ```js\n> x\n> ```\n", 1)
@given(st.lists(pieces, max_size=40).map("".join), st.sampled_from([1, 5, 20, 60]))
@settings(deadline=None)
def test_what_is_shown_of_a_growing_text_only_grows_and_no_word_is_lost(text: str, most: int) -> None:
    shown = ""
    for end in range(len(text) + 1):
        folded = fold(text[:end], most)
        assert folded.text.startswith(shown)
        shown = folded.text
    folded = fold(text, most)
    told = _words(folded.text) + [word for code in folded.codes for word in _words(code.text)]
    assert set(_words(text)) <= set(told)
    assert fold(text, 0).text == text


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text)
