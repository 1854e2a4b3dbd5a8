import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.editor import Editor
from sandbox.screen import Item, Screen, columns, harmless, rows_of
from tests.sandbox.glass import WIDE, Glass


@given(st.text())
def test_harmless_text_holds_nothing_that_a_terminal_obeys(text: str) -> None:
    shown = harmless(text)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", shown)
    assert len(shown.encode()) >= len(text)


@given(st.text(alphabet=st.sampled_from("ab \n" + WIDE)), st.integers(10, 40))
def test_rows_fit_and_keep_every_sign(text: str, width: int) -> None:
    rows = rows_of(harmless(text), width)
    assert all(columns(row) <= width for row in rows)
    assert "".join("".join(rows).split()) == "".join(harmless(text).split())


TEXTS = st.text(alphabet=st.sampled_from("abc  \n吾\x1b"), max_size=150)
ACTS = st.one_of(
    st.tuples(st.just("add"), TEXTS, st.just(0)),
    st.tuples(st.just("change"), TEXTS, st.integers(0, 9)),
    st.tuples(st.just("grow"), TEXTS, st.integers(0, 9)),
    st.tuples(st.just("prompt"), TEXTS, st.integers(0, 9)),
    st.tuples(st.just("typing"), st.sampled_from(["", "somebody types"]), st.just(0)),
)


@given(st.lists(ACTS, max_size=25), st.integers(21, 50), st.integers(8, 24))
def test_the_screen_always_ends_with_the_newest_items_and_loses_none(
    acts: list[tuple[str, str, int]], width: int, height: int
) -> None:
    out = io.StringIO()
    screen = Screen(out, lambda: (width, height))
    glass = Glass(width, height)
    items: list[Item] = []
    for act, text, number in acts:
        if act == "add":
            items.append(screen.add(text))
        elif act in ("change", "grow") and items:
            index = number % len(items)
            new = text if act == "change" else items[index].text + text
            items[index] = screen.change(items[index], new)
        elif act == "prompt":
            written = text.replace("\n", "")[: width // 2]
            screen.prompt = ("> ", written, min(number, len(written)))
        elif act == "typing":
            screen.typing = text or None
        screen.draw()
        glass.feed(out.getvalue().replace("\n", "\r\n"))
        out.seek(0)
        out.truncate()
        shown = glass.text.split("\n")
        for item in items:
            rows = [row.rstrip() for row in item.rows(width - 1)]
            padded = [*shown, *[""] * len(rows)]
            assert any(padded[start : start + len(rows)] == rows for start in range(len(padded)))
        if screen.prompt is not None:
            before = harmless("> " + screen.prompt[1][: screen.prompt[2]])
            assert glass.before_cursor.endswith(before.replace(" ", ""))


def test_an_item_that_has_scrolled_away_is_shown_again_when_it_changes() -> None:
    out = io.StringIO()
    screen = Screen(out, lambda: (40, 6))
    glass = Glass(40, 6)
    first = screen.add("the first")
    for number in range(10):
        screen.add(f"another {number}")
    screen.draw()
    assert screen.change(first, "the first") is first
    assert screen.change(first, "the first\nhas grown") is not first
    screen.draw()
    glass.feed(out.getvalue().replace("\n", "\r\n"))
    assert glass.text.split("\n")[-2:] == ["(changed) the first", "    has grown"]
    assert glass.text.count("another") == 10


def test_a_changed_size_begins_the_visible_part_anew() -> None:
    out, now = io.StringIO(), [(60, 10)]
    screen = Screen(out, lambda: now[0])
    screen.add("one two three four five six seven eight")
    screen.prompt = ("> ", "", 0)
    screen.draw()
    now[0] = (24, 10)
    screen.draw()
    glass = Glass(24, 10)
    glass.feed(out.getvalue().split("\x1b[2J")[-1])
    assert glass.text.split("\n")[0] == "one two three four five"
    assert glass.text.endswith(">")


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        ("hello\r", "hello"),
        ("helo\x1b[Dl\r", "hello"),
        ("hxe\x1b[D\x7f\x05llo\n", "hello"),
        ("two words\x17one\r", "two one"),
        ("all of it\x15new\r", "new"),
        ("end\x01\x0bnew\r", "new"),
        ("xnew\x1b[H\x1b[3~\r", "new"),
        ("xnew\x1bOH\x04\x1b[F!\r", "new!"),
        ("\N{WOMAN}\N{ZERO WIDTH JOINER}\N{PERSONAL COMPUTER}\x7f吾輩\r", "吾輩"),
        ("a\x1b[15~\x07b\r", "ab"),
    ],
)
def test_keys_make_a_line_in_pieces_of_any_size(keys: str, line: str) -> None:
    data = keys.encode()
    whole, single = Editor(), Editor()
    assert list(whole.feed(data)) == [line]
    assert [each for byte in data for each in single.feed(bytes([byte]))] == [line]


def test_earlier_lines_come_back() -> None:
    editor = Editor()
    assert list(editor.feed(b"one\rtwo\r\x1b[A\x1b[A\x1b[B!\r")) == ["one", "two", "two!"]
    assert list(editor.feed(b"half\x1b[A\x1b[B\r")) == ["half"]


def test_control_c_and_control_d_end_the_line() -> None:
    for keys, ended in ((b"\x03", True), (b"text\x03", True), (b"\x04", True), (b"text\x04", False)):
        editor = Editor()
        assert list(editor.feed(keys)) == []
        assert editor.ended is ended
