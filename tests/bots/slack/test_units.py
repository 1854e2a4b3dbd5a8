"""The pure parts."""

import logging

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bots.slack import names
from bots.slack.interactions import spelt
from bots.slack.limits import Limits
from bots.slack.quiet import hide, quiet
from bots.slack.reading import readable
from bots.slack.render import FALLBACK, LIMIT, fallback, fits, message, render
from shared.chat import Button, ChannelId, MessageId

NAMES = {"U1": "Ada", "U2": "Ben"}


# ids


def test_ids_are_read_as_they_were_made() -> None:
    assert names.place_of(names.channel_id("C1")) == names.Place("C1")
    assert names.place_of(names.channel_id("C1", "17.000100")) == names.Place("C1", "17.000100")
    assert names.ts_of(names.message_id("C1", "17.000100")) == "17.000100"
    assert names.channel_id("C1", "17.000100") == names.message_id("C1", "17.000100")


def test_ids_of_other_platforms_are_refused() -> None:
    with pytest.raises(ValueError, match="not an id"):
        names.place_of(ChannelId("discord:1"))
    with pytest.raises(ValueError, match="not an id"):
        names.ts_of(MessageId("slack:"))


def test_times_keep_their_microseconds() -> None:
    assert names.stamp(names.moment("1700000000.000100")) == "1700000000.000100"
    assert names.order("1700000000.000100") < names.order("1700000000.0002") < names.order("1700000001")
    assert names.order("nonsense") == names.order("") == 0


# what people write


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("<@U9> hello", "hello"),
        ("<@U9>: hello", "hello"),
        ("hello <@U9>, you", "hello, you"),
        ("well <@U9> then", "well then"),
        ("well <@U9> <@U9>\t<@U9> then <@U9> , you<@U9>", "well then , you"),
        ("<@U1> and <@U2|old> and <@U3>", "@Ada and @Ben and @someone"),
        ("in <#C1|general> and <#C2>", "in #general and #channel"),
        ("<!here> <!channel|channel> <!subteam^S1|@team> <!subteam^S2>", "@here channel @team @subteam"),
        ("<https://example.org/a?b=1&amp;c=2>", "https://example.org/a?b=1&c=2"),
        ("<https://example.org|the page>", "the page (https://example.org)"),
        ("<https://example.org|example.org>", "https://example.org"),
        ("<mailto:a@example.org|a@example.org>", "a@example.org"),
        ("<!date^1^{date}^https://x|yesterday>", "yesterday"),
        ("a &lt;b&gt; &amp;amp; c", "a <b> &amp; c"),
        ("&lt;@U9&gt; is no mention", "<@U9> is no mention"),
        ("\0 nothing", "nothing"),
    ],
)
def test_texts_are_read_as_people_see_them(text: str, seen: str) -> None:
    assert readable(text, NAMES, "U9") == seen


def test_a_long_gap_is_read_as_quickly_as_any_text() -> None:
    gap = " \t" * 200_000
    assert readable(f"<@U1>{gap}x", NAMES, "U9") == f"@Ada{gap}x"
    assert readable(f"<@U1>{gap}<@U9>{gap}x", NAMES, "U9") == "@Ada x"


# what is shown


@settings(deadline=None)
@given(st.text(alphabet=st.sampled_from("ab <@!#UB1channelhereveryone^\n`>\r\0é😀")))
def test_nothing_that_is_shown_pings(text: str) -> None:
    shown = render(text)
    assert "<!channel" not in shown
    assert "<!here" not in shown
    assert "<!everyone" not in shown
    assert "<@U" not in shown
    assert "<@B" not in shown
    assert "<" not in fallback(text)


@pytest.mark.parametrize("text", ["@here", "_@channel_", "__@everyone__", "(@here)", "*@channel*", "~@here~", "@here_"])
def test_a_ping_in_markup_is_parted(text: str) -> None:
    assert "@\u200b" in render(text)
    assert "@\u200b" not in render(f"a{text.strip('_(*~')}")


@settings(deadline=None)
@given(st.text(alphabet=st.sampled_from("a <@!#U\r\n😀\0"), max_size=40), st.integers(min_value=0, max_value=6))
def test_a_text_that_fits_fits_with_every_prefix(text: str, short: int) -> None:
    long = "x" * (LIMIT - short) + text
    fitting = [fits(long[:end]) for end in range(LIMIT - short, len(long) + 1)]
    assert fitting == sorted(fitting, reverse=True)


@pytest.mark.parametrize(
    "text",
    ["# Title\n\n- [x] **done** `x < y && z`", "| a | b |\n|---|---|\n| 1 | 2 |", "```html\n<!DOCTYPE html>\n```", "a@b.example"],
)
def test_markdown_stays_as_it_is(text: str) -> None:
    assert render(text) == text


def test_control_characters_are_replaced() -> None:
    assert render("a\0b\x1b[31mc\r\nd\ud800") == "a\ufffdb\ufffd[31mc\nd\ufffd"


def test_the_fallback_is_plain_short_and_escaped() -> None:
    assert fallback("# A **bold** _title_\n> said <b> & `c`") == "A bold title\nsaid &lt;b&gt; &amp; c"
    assert len(fallback("x" * 10_000)) == FALLBACK
    assert fallback("  ") == "…"


def test_buttons_are_a_row_below() -> None:
    shown = message("text", [Button("stop/1", "Stop"), Button("retry/1", "Retry" * 40)])
    assert [block["type"] for block in shown["blocks"]] == ["markdown", "actions"]
    row = shown["blocks"][1]["elements"]
    assert [each["action_id"] for each in row] == ["stop/1", "retry/1"]
    assert len(row[1]["text"]["text"]) == 75
    assert message("")["blocks"][0]["text"]


# limits


def test_a_wait_blocks_its_method_for_all_channels_and_a_short_one_of_a_post_its_channel_alone() -> None:
    now = 100.0
    limits = Limits(lambda: now)
    limits.block("chat.update", "C1", 10.0)
    assert [each.blocked for each in limits.of("edit", "C2")] == [10.0]
    limits.block("chat.postMessage", "C1", 1.0)
    assert [each.blocked for each in limits.of("post", "C1")] == [1.0, 0.0]
    assert [each.blocked for each in limits.of("post", "C2")] == [0.0, 0.0]
    limits.block("chat.postMessage", "C1", 30.0)
    assert [each.blocked for each in limits.of("post", "C2")] == [0.0, 30.0]
    limits.block("reactions.add", "C1", 5.0)
    assert [each.blocked for each in limits.of("react", "C2")] == [5.0]
    now = 111.0
    assert [each.blocked for each in limits.of("edit", "C2")] == [0.0]


# secrets


@pytest.mark.parametrize(
    "secret",
    [
        "xoxb-1-2-abc",
        "xoxe.xoxp-1-abc",
        "xapp-1-A1-2-abc",
        "ticket=abc-def",
        "/commands/T1/2/abc",
        "/actions/T1/2/abc",
        "/services/T/B/x",
    ],
)
def test_secrets_are_hidden(secret: str) -> None:
    assert "abc" not in hide(f"url 'wss://host/link?{secret}' failed").replace("B/x", "abc" if "B/x" in hide(secret) else "")


def test_the_libraries_are_heard_from_warnings_on_without_secrets(caplog: pytest.LogCaptureFixture) -> None:
    logger = quiet()
    assert logger.level == logging.WARNING
    try:
        raise ValueError("xoxb-1-2-abc")
    except ValueError as error:
        logger.exception("failed with %s", error)
    assert "xoxb-1" not in caplog.text
    assert "(hidden)" in caplog.text


# commands


@pytest.mark.parametrize(
    ("name", "in_thread", "me", "written"),
    [
        ("ask", False, "threadline", "/ask"),
        ("new", False, "threadline", "/threadline new"),
        ("ask", True, "helper", "@helper /ask"),
        ("new", True, "", "@threadline /new"),
    ],
)
def test_a_command_is_named_as_it_is_given(name: str, in_thread: bool, me: str, written: str) -> None:
    assert spelt(name, in_thread=in_thread, me=me) == written
