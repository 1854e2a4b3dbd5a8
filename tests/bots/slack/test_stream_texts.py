"""What of a text can be streamed, and how much. Pure."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bots.slack.render import LIMIT, STREAM, certain, fits, render

SIGNS = st.text(alphabet=st.sampled_from("ab_ <@!#UB1^\n`>\r\0é😀\ud800"), max_size=12)
PINGS = (
    "@channel",
    "@here",
    "@everyone",
    "<!channel>",
    "<!here|x>",
    "<@U1>",
    "<!subteam^S1>",
    "@channels",
    "_@here_",
    "a@here",
    "@",
    "<",
    "<!",
)
HOSTILE = st.lists(st.one_of(SIGNS, st.sampled_from(PINGS)), max_size=8).map("".join)


@settings(deadline=None)
@given(HOSTILE, st.lists(st.integers(min_value=0, max_value=80), max_size=6))
def test_pieces_cut_anywhere_make_the_rendered_text(text: str, cuts: list[int]) -> None:
    shown = ""
    for end in sorted(cuts):
        piece = certain(text[:end])
        assert piece.startswith(shown)
        assert render(piece) == piece
        shown = piece
    assert render(text).startswith(shown)


@pytest.mark.parametrize(("sign", "most"), [("x", 9000), ("é", 4500), ("😀", 2250)])
def test_a_stream_is_let_grow_to_nine_thousand_bytes(sign: str, most: int) -> None:
    assert fits(sign * most, streamed=True)
    assert not fits(sign * (most + 1), streamed=True)


@example(" @channels", 10, "a", True)
@settings(deadline=None)
@given(HOSTILE, st.integers(min_value=0, max_value=40), st.sampled_from("aé😀"), st.booleans())
def test_what_fits_fits_with_every_prefix_and_is_no_more_than_slack_takes(
    text: str, short: int, sign: str, streamed: bool
) -> None:
    def size(text: str) -> int:
        return len(text.encode()) if streamed else len(text.encode("utf-16-le")) // 2

    most = STREAM if streamed else LIMIT
    long = sign * ((most - short) // size(sign)) + text
    fitting = [fits(long[:end], streamed=streamed) for end in range(len(long) - len(text), len(long) + 1)]
    assert fitting == sorted(fitting, reverse=True)
    whole = long[: len(long) - len(text) + sum(fitting) - 1] if fitting[0] else ""
    assert size(render(whole)) <= most
